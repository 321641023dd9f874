//! The index values that stand for a value: as it is made now, and as it was before a rotation of the index key. Every
//! look-up and every check of a unique value asks for all of them.

use super::blind::BlindValue;
use super::engine::State;
use super::schema::{Schema, SlotSource, StoredColumn};
use super::sealer::BlindIndex;
use super::session::Scratch;
use super::write::{Taken, Writer};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Error, Result, err};
use crate::index::normalise::Normaliser;
use crate::keys::ring::IndexPlace;
use crate::value::{IdRef, ValueRef};

/// SQLite's extended code of a unique value that is taken.
const CONSTRAINT_UNIQUE: i32 = 2067;

/// The index values that stand for a value in a column with a blind index, the newest first. Empty where nothing was ever
/// indexed; NULL has one, NULL.
pub(crate) fn standing(
    conn: &Conn,
    state: &State,
    schema: &Schema,
    tenant: Option<&str>,
    column: &StoredColumn,
    value: ValueRef<'_>,
) -> Result<Vec<BlindValue>> {
    let Some(blind) = &column.blind else {
        return Err(err!(Internal, "a column without a blind index"));
    };
    let place = IndexPlace::Table(schema.stored.id, blind.id, blind.generation);
    let macs = state.ring.indexes(conn, tenant, &place)?;
    let normaliser = normaliser(column);
    let mut scratch = zeroize::Zeroizing::new(String::new());
    let one = |mac| BlindValue::of(mac, blind.bits, normaliser, value, &mut scratch);
    let values = macs.iter().map(|mac| &**mac).map(one);
    Ok(if value.is_null() { values.take(1).collect() } else { values.collect() })
}

/// How the values of a column are compared.
pub(crate) fn normaliser(column: &StoredColumn) -> Normaliser {
    column.column.index.as_ref().map_or(Normaliser::Exact, |index| index.normaliser)
}

impl BlindIndex {
    /// The values that rows from before a rotation have in the place of this one.
    pub(super) fn before<'v>(
        &'v self,
        values: &'v [ValueRef<'v>],
        scratch: &'v mut Scratch,
    ) -> impl Iterator<Item = BlindValue> + 'v {
        let value = values.get(self.position).copied().unwrap_or(ValueRef::Null);
        let older = self.older.iter().filter(move |_| !value.is_null());
        older.map(move |mac| {
            BlindValue::of(mac, self.bits, self.normaliser, value, &mut scratch.text)
        })
    }
}

impl Writer<'_> {
    /// Refuses a unique value that a row has which still stands under a key from before a rotation: SQLite compares only
    /// what stands under one key. `own` is the row that is written over.
    pub(super) fn check_before(
        &self,
        own: Option<IdRef<'_>>,
        values: &[ValueRef<'_>],
        scratch: &mut Scratch,
        is_new: impl Fn(usize) -> bool,
    ) -> Result<()> {
        for index in &self.sealer.indexes {
            if !index.unique || index.older.is_empty() || !is_new(index.position) {
                continue;
            }
            let before: Vec<BlindValue> = index.before(values, scratch).collect();
            for value in before {
                if self.stands_elsewhere(own, index, value)? {
                    return Err(self.taken_before(index));
                }
            }
        }
        Ok(())
    }

    /// The index values that a row with these values has when it is written now.
    pub(super) fn blinds_now(&self, values: &[ValueRef<'_>]) -> Result<Vec<BlindValue>> {
        let mut scratch = self.session.scratch()?;
        Ok(self.blinds(values, &mut scratch))
    }

    fn stands_elsewhere(
        &self,
        own: Option<IdRef<'_>>,
        index: &BlindIndex,
        value: BlindValue,
    ) -> Result<bool> {
        let schema = self.schema();
        let Some(slot) = index.slot(schema) else { return Ok(false) };
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = ?1",
            quote(&schema.stored.key),
            schema.sql.physical,
            quote(slot)
        );
        let found = self.session.conn().first(&sql, &[value.as_ref()], |row| {
            let is_own = match (row.get(0)?, own) {
                (ValueRef::Integer(id), Some(IdRef::Integer(own))) => id == own,
                (ValueRef::Text(id), Some(IdRef::Text(own))) => id == own,
                _ => false,
            };
            Ok(!is_own)
        })?;
        Ok(found.unwrap_or(false))
    }

    fn taken_before(&self, index: &BlindIndex) -> Error {
        let schema = self.schema();
        let at = schema.active.get(index.position).copied().unwrap_or_default();
        self.note_taken(Taken::Column(at));
        let column = schema.column(index.position).map_or("", |c| c.column.name.as_str());
        let table = schema.name();
        err!(Conflict, "table {table} has a row with this {column} already")
            .with_sqlite_code(CONSTRAINT_UNIQUE)
    }
}

impl BlindIndex {
    /// The physical column of the index.
    pub(super) fn slot<'s>(&self, schema: &'s Schema) -> Option<&'s str> {
        let at = schema.active.get(self.position)?;
        let mut slots = schema.slots.iter();
        let slot = slots.find(|slot| slot.source == SlotSource::Blind(*at))?;
        Some(&slot.name)
    }
}
