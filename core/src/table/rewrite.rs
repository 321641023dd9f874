//! Changing rows: every change seals the whole record again.

use std::sync::Arc;

use super::blind::BlindValue;
use super::codec::Opener;
use super::read::key_parameters;
use super::row::RowSet;
use super::schema::{FIRST_SLOT, Schema, Slot, Stored};
use super::write::{Writer, blind, check_key, value_of};
use super::write_plan::From;
use crate::db::SqlRow;
use crate::db::schema::quote;
use crate::error::{Result, fail};
use crate::value::{IdRef, ValueRef};

/// A row as it was read, and the record that it was read from.
pub(crate) struct Current {
    set: RowSet,
    found: Found,
}

/// What a row was read from.
pub(super) struct Found {
    pub(super) layout: u16,
    pub(super) sealed: Vec<u8>,
    /// The values of the blind indexes, where the record has those that it would have now.
    pub(super) blinds: Option<Vec<BlindValue>>,
}

/// One of the rows of a set.
#[derive(Clone, Copy)]
pub(super) struct Old<'r> {
    pub(super) set: &'r RowSet,
    pub(super) at: usize,
    pub(super) found: &'r Found,
}

impl Current {
    /// The value of a column, by position.
    pub(crate) fn get(&self, position: usize) -> ValueRef<'_> {
        self.set.get(0, position + 1)
    }
}

impl Writer<'_> {
    /// Changes columns of a row; false where there is none. With `force` the row is sealed again even where nothing
    /// changes.
    pub(crate) fn update(
        &self,
        id: IdRef<'_>,
        changes: &[(usize, ValueRef<'_>)],
        force: bool,
    ) -> Result<bool> {
        let Some(current) = self.current(id)? else { return Ok(false) };
        if !changes.is_empty() || force {
            self.rewrite(id, &current, changes, None)?;
        }
        Ok(true)
    }

    /// The row as it is, verified, for [`Writer::rewrite`] to change in the same transaction.
    pub(crate) fn current(&self, id: IdRef<'_>) -> Result<Option<Current>> {
        let conn = self.session.conn();
        let schema = self.schema();
        let mut set = RowSet::new(Arc::clone(schema));
        let state = self.session.state();
        // Not the sealer's: a key of this very transaction belongs into no other ring than its own.
        let mut opener = Opener::new(conn, &state.ring, schema, self.tenant);
        let (parameters, count) = key_parameters(schema, id, self.tenant)?;
        let parameters = parameters.get(..count).unwrap_or(&[]);
        let found = conn.prepare(&schema.sql.get)?.first(parameters, |row| {
            let layout = opener.open(row, Some(id), &mut set)?;
            Found::of(row, schema, layout)
        })?;
        Ok(found.map(|found| Current { set, found }))
    }

    /// Changes columns of a row that was read in this transaction, perhaps its key too, and seals it again.
    pub(crate) fn rewrite(
        &self,
        id: IdRef<'_>,
        current: &Current,
        changes: &[(usize, ValueRef<'_>)],
        new_id: Option<IdRef<'_>>,
    ) -> Result<()> {
        let Current { set, found } = current;
        self.rewrite_old(id, Old { set, at: 0, found }, changes, new_id)
    }

    /// As [`Writer::rewrite`].
    pub(super) fn rewrite_old(
        &self,
        id: IdRef<'_>,
        old: Old<'_>,
        changes: &[(usize, ValueRef<'_>)],
        new_id: Option<IdRef<'_>>,
    ) -> Result<()> {
        let (conn, schema) = (self.session.conn(), self.schema());
        let Found { layout, sealed, blinds: there } = old.found;
        let (parameters, count) = key_parameters(schema, id, self.tenant)?;
        let parameters = parameters.get(..count).unwrap_or(&[]);
        let mut values: Vec<ValueRef<'_>> =
            (1..=schema.active.len()).map(|position| old.set.get(old.at, position)).collect();
        for (position, value) in changes {
            let admitted = self.admit(&schema.column(*position)?.column, *value)?;
            if let Some(slot) = values.get_mut(*position) {
                *slot = admitted;
            }
        }
        let owner =
            self.owner_again(new_id.unwrap_or(id), &values, old.found.key_id().unwrap_or(0))?;
        let touched = |position: usize| changes.iter().any(|(at, _)| *at == position);
        let mut scratch = self.session.scratch()?;
        let blinds = match there {
            // What the record was opened with holds for what has not changed, but where the index key has.
            Some(there) => {
                let indexes = self.sealer.indexes.iter().zip(there);
                let fresh = indexes.map(|(index, there)| {
                    if touched(index.position) || !index.older.is_empty() {
                        blind(index, &values, &mut scratch)
                    } else {
                        *there
                    }
                });
                fresh.collect()
            }
            None => self.blinds(&values, &mut scratch),
        };
        self.check_before(Some(id), &values, &mut scratch, touched)?;
        check_key(new_id.unwrap_or(id))?;
        self.seal(new_id.unwrap_or(id), &owner, &values, &blinds, &mut scratch)?;
        let plan = &schema.write;
        let to_set: Vec<usize> = (0..plan.slots.len())
            .filter(|slot| {
                *layout != plan.layout
                    || match plan.slots.get(*slot) {
                        Some(From::Column(position)) => touched(*position),
                        Some(From::Index(index)) => {
                            let there = there.as_ref().and_then(|there| there.get(*index));
                            there != blinds.get(*index)
                        }
                        _ => false,
                    }
            })
            .collect();
        let mut bound = Vec::with_capacity(to_set.len() + 5);
        bound.push(ValueRef::Blob(&scratch.record));
        if let Some(new_id) = new_id {
            let (new_key, _) = key_parameters(schema, new_id, None)?;
            bound.push(new_key.first().copied().unwrap_or(ValueRef::Null));
        }
        for slot in &to_set {
            let from = plan.slots.get(*slot).copied().unwrap_or(From::Null);
            bound.push(value_of(from, &values, &blinds));
        }
        bound.push(ValueRef::Blob(sealed));
        bound.extend_from_slice(parameters);
        let done = if to_set.is_empty() && new_id.is_none() {
            conn.execute(&schema.sql.reseal, &bound)
        } else {
            conn.execute(
                &update_sql(&schema.stored, &schema.slots, &to_set, new_id.is_some()),
                &bound,
            )
        };
        match done {
            Ok(1) => {}
            // The row was read in this very transaction.
            Ok(_) => fail!(Internal, "a row changed between its reading and its writing"),
            Err(error) => return Err(self.logical(error, true)),
        }
        match new_id {
            Some(IdRef::Integer(id)) => {
                self.session.sequences().note(conn, self.sealer.ring(), schema.stored.id, id)
            }
            _ => Ok(()),
        }
    }
}

impl Found {
    /// What a row, opened, was read from.
    pub(super) fn of(row: &SqlRow<'_>, schema: &Schema, layout: u16) -> Result<Self> {
        let blinds = if layout == schema.write.layout { blinds_of(row, schema)? } else { None };
        Ok(Found { layout, sealed: row.blob(2)?.to_vec(), blinds })
    }
}

/// The values of the blind indexes as they stand in a row that has been opened.
fn blinds_of(row: &SqlRow<'_>, schema: &Schema) -> Result<Option<Vec<BlindValue>>> {
    let plan = &schema.write;
    let mut found = vec![None; plan.indexed.len()];
    for (slot, from) in plan.slots.iter().enumerate() {
        if let From::Index(index) = from
            && let Some(there) = found.get_mut(*index)
        {
            *there = BlindValue::stored(row.get(FIRST_SLOT + slot)?);
        }
    }
    Ok(found.into_iter().collect())
}

/// The UPDATE of a row, if it still is what was read: the record, the key if `sets_key`, and slots.
pub(super) fn update_sql(
    stored: &Stored,
    slots: &[Slot],
    to_set: &[usize],
    sets_key: bool,
) -> String {
    let key = quote(&stored.key);
    let mut sql = format!("UPDATE {} SET sealed = ?", quote(&stored.physical()));
    if sets_key {
        sql.push_str(", ");
        sql.push_str(&key);
        sql.push_str(" = ?");
    }
    for slot in to_set.iter().filter_map(|slot| slots.get(*slot)) {
        sql.push_str(", ");
        sql.push_str(&quote(&slot.name));
        sql.push_str(" = ?");
    }
    sql.push_str(" WHERE sealed = ? AND ");
    sql.push_str(&key);
    sql.push_str(" = ?");
    if stored.per_tenant {
        sql.push_str(" AND tenant = ?");
    }
    sql
}
