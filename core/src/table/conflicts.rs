//! Which rows stand in the way of another, for writes that replace them.

use std::ops::ControlFlow;

use super::blind::BlindValue;
use super::schema::SlotSource;
use super::write::{Taken, Writer, value_of};
use super::write_plan::From;
use crate::db::schema::quote;
use crate::error::Result;
use crate::value::{Id, IdRef, ValueRef};

impl Writer<'_> {
    /// The keys of the rows that have the id or a unique value of a row with these values; `only` that of one uniqueness.
    pub(crate) fn in_the_way(
        &self,
        id: Option<IdRef<'_>>,
        values: &[ValueRef<'_>],
        only: Option<Taken>,
    ) -> Result<Vec<Id>> {
        let schema = self.schema();
        let mut admitted = Vec::with_capacity(values.len());
        for (column, value) in schema.columns().zip(values) {
            admitted.push(self.admit(&column.column, *value)?);
        }
        let (blinds, before) = {
            let mut scratch = self.session.scratch()?;
            let blinds: Vec<BlindValue> = self.blinds(&admitted, &mut scratch);
            let mut before: Vec<Vec<BlindValue>> = Vec::with_capacity(blinds.len());
            for index in &self.sealer.indexes {
                before.push(index.before(&admitted, &mut scratch).collect());
            }
            (blinds, before)
        };
        let key = schema.stored.key.as_str();
        let id = id.filter(|_| only.is_none_or(|only| only == Taken::Key)).map(|id| match id {
            IdRef::Integer(id) => (key, ValueRef::Integer(id)),
            IdRef::Text(id) => (key, ValueRef::Text(id)),
        });
        let slots = schema.slots.iter().zip(&schema.write.slots);
        let unique = slots.filter(|(slot, from)| {
            let (SlotSource::Column(at) | SlotSource::Blind(at)) = slot.source else {
                return false;
            };
            self.is_unique(**from) && only.is_none_or(|only| only == Taken::Column(at))
        });
        let wanted = unique.flat_map(|(slot, from)| {
            let older: &[BlindValue] = match from {
                From::Index(index) => before.get(*index).map_or(&[], Vec::as_slice),
                _ => &[],
            };
            let now = value_of(*from, &admitted, &blinds);
            let values = std::iter::once(now).chain(older.iter().map(BlindValue::as_ref));
            values.map(|value| (slot.name.as_str(), value))
        });
        let mut found = Vec::new();
        for (name, value) in id.into_iter().chain(wanted).filter(|(_, value)| !value.is_null()) {
            let mine = if self.tenant.is_some() { " AND tenant = ?" } else { "" };
            let sql = format!(
                "SELECT {} FROM {} WHERE {} = ?{mine}",
                quote(key),
                schema.sql.physical,
                quote(name)
            );
            let parameters = [Some(value), self.tenant.map(ValueRef::Text)];
            let parameters: Vec<ValueRef<'_>> = parameters.into_iter().flatten().collect();
            self.session.conn().prepare(&sql)?.each(&parameters, |row| {
                let id = match row.get(0)? {
                    ValueRef::Text(id) => Id::Text(id.to_owned()),
                    _ => Id::Integer(row.integer(0)?),
                };
                if !found.contains(&id) {
                    found.push(id);
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(found)
    }

    fn is_unique(&self, from: From) -> bool {
        let schema = self.schema();
        let position = match from {
            From::Column(position) => Some(position),
            From::Index(index) => schema.write.indexed.get(index).copied(),
            From::Null => None,
        };
        let column = position.and_then(|position| schema.column(position).ok());
        column.and_then(|c| c.column.index.as_ref()).is_some_and(|index| index.unique)
    }
}
