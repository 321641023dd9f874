//! Writing rows: each is sealed whole.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::blind::BlindValue;
use super::owner::Owner;
use super::read::Target;
use super::schema::{Schema, SlotSource};
use super::sealer::{BlindIndex, Sealer};
use super::session::{Scratch, Session};
use super::write_plan::From;
use crate::db::Stmt;
use crate::error::{Error, ErrorKind, Result, err, fail};
use crate::format::context::Place;
use crate::format::payload::put_column;
use crate::keys::ring::Key;
use crate::keys::seal::{Shape, seal};
use crate::value::{Id, IdRef, ValueRef};

/// SQLite's limit of a value, and so of a record.
const MAX_VALUE: usize = 1_000_000_000;

/// Writes rows of one table for one tenant.
pub(crate) struct Writer<'s> {
    pub(super) session: &'s Session,
    pub(super) tenant: Option<&'s str>,
    pub(super) sealer: Arc<Sealer>,
    /// What the last write found taken.
    taken: Cell<Option<Taken>>,
    /// The INSERT, kept compiled while rows follow one another.
    insert: RefCell<Option<Stmt<'s>>>,
    /// Whose the rows are, in a table that does not say it outside of the record.
    pub(super) under: Option<Arc<Key>>,
}

/// What two rows may not both have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Key,
    /// The unique column at a position in `Stored::columns`.
    Column(usize),
}

impl<'s> Writer<'s> {
    pub(crate) fn new(session: &'s Session, target: Target<'s>) -> Result<Self> {
        session.check_open()?;
        let sealer = Arc::new(Sealer::new(session, target)?);
        Ok(Writer { tenant: target.tenant, ..Self::over(session, &sealer) })
    }

    /// Goes on with the sealer of another writer of the same table, without a tenant, in the same transaction.
    pub(crate) fn over(session: &'s Session, sealer: &Arc<Sealer>) -> Self {
        let sealer = Arc::clone(sealer);
        let (taken, insert) = (Cell::new(None), RefCell::new(None));
        Writer { session, tenant: None, sealer, taken, insert, under: None }
    }

    pub(crate) fn sealer(&self) -> &Arc<Sealer> {
        &self.sealer
    }

    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.sealer.schema
    }

    /// What the write that has just failed as a conflict found taken.
    pub(crate) fn taken(&self) -> Option<Taken> {
        self.taken.get()
    }

    pub(super) fn note_taken(&self, taken: Taken) {
        self.taken.set(Some(taken));
    }

    /// Inserts a row. `values` stand by position; what was not given holds the default.
    pub(crate) fn insert(&self, id: Option<IdRef<'_>>, values: &[ValueRef<'_>]) -> Result<Id> {
        let mut admitted = Vec::with_capacity(values.len());
        for (column, value) in self.schema().columns().zip(values) {
            admitted.push(self.admit(&column.column, *value)?);
        }
        self.insert_admitted(id, &admitted)
    }

    /// As [`Writer::insert`], for values that are known to be of the types declared, and not too long.
    pub(crate) fn insert_admitted(
        &self,
        id: Option<IdRef<'_>>,
        values: &[ValueRef<'_>],
    ) -> Result<Id> {
        let Sealer { state, schema, .. } = &*self.sealer;
        let (conn, ring, table) = (self.session.conn(), &state.ring, schema.stored.id);
        let row_id = match (id, schema.stored.text_key) {
            (Some(IdRef::Integer(id)), false) => id,
            (None, false) | (Some(IdRef::Text(_)), true) => {
                self.session.sequences().ahead(conn, ring, table)?
            }
            (_, true) => {
                fail!(TypeMismatch, "table {} has a text key, to be given", schema.name())
            }
            (_, false) => fail!(TypeMismatch, "table {} has an integer key", schema.name()),
        };
        let place_id = match id {
            Some(id) => id,
            None => IdRef::Integer(row_id),
        };
        check_key(place_id)?;
        let owner = self.owner(place_id, values)?;
        let mut scratch = self.session.scratch()?;
        let blinds = self.blinds(values, &mut scratch);
        self.check_before(None, values, &mut scratch, |_| true)?;
        self.seal(place_id, &owner, values, &blinds, &mut scratch)?;
        let mut kept = self.insert.borrow_mut();
        let stmt = match &mut *kept {
            Some(stmt) => stmt,
            None => kept.insert(conn.prepare(&schema.sql.insert)?),
        };
        let mut bound = Vec::with_capacity(schema.write.slots.len() + 4);
        bound.push(ValueRef::Integer(row_id));
        if let IdRef::Text(text) = place_id {
            bound.push(ValueRef::Text(text));
        }
        bound.extend(self.tenant.map(ValueRef::Text));
        bound.push(ValueRef::Blob(&scratch.record));
        bound.extend(schema.write.slots.iter().map(|from| value_of(*from, values, &blinds)));
        let given = id.is_some() && !schema.stored.text_key;
        match stmt.execute(&bound) {
            Ok(1) => {}
            Ok(_) => fail!(Internal, "an insert that inserted nothing"),
            Err(error) => return Err(self.logical(error, given)),
        }
        // Only now: a row that could not be written leaves no gap.
        self.session.sequences().note(conn, ring, table, row_id)?;
        Ok(place_id.to_owned())
    }

    /// The value as the column's declared type; an error where it does not fit.
    pub(super) fn admit<'v>(
        &self,
        column: &super::definition::Column,
        value: ValueRef<'v>,
    ) -> Result<ValueRef<'v>> {
        let name = &column.name;
        let value = column.kind.admit(value, name)?;
        if column.not_null && value.is_null() {
            fail!(
                TypeMismatch,
                "column {name} of table {} may not be NULL",
                self.sealer.schema.name()
            );
        }
        let length = match value {
            ValueRef::Text(v) | ValueRef::Json(v) => v.len(),
            ValueRef::Blob(v) => v.len(),
            _ => 0,
        };
        if length > MAX_VALUE {
            fail!(Limit, "column {name}: a value has at most {MAX_VALUE} bytes");
        }
        Ok(value)
    }

    pub(super) fn blinds(&self, values: &[ValueRef<'_>], scratch: &mut Scratch) -> Vec<BlindValue> {
        self.sealer.indexes.iter().map(|index| blind(index, values, scratch)).collect()
    }

    pub(super) fn seal(
        &self,
        id: IdRef<'_>,
        owner: &Owner<'_>,
        values: &[ValueRef<'_>],
        blinds: &[BlindValue],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let place = Place {
            vault: self.sealer.state.ring.vault(),
            table: self.sealer.schema.stored.id,
            field: None,
            record: Some(id),
            tenant: self.tenant,
            subject: owner.subject(),
        };
        let plan = &self.sealer.schema.write;
        let Scratch { context, record, .. } = scratch;
        seal(
            record,
            context,
            owner.key().unwrap_or(&self.sealer.key).record_key()?,
            Shape { layout: plan.layout, padding: self.sealer.schema.stored.padding },
            &place,
            |context| {
                for (id, from) in &plan.authenticated {
                    context.column(*id, value_of(*from, values, blinds));
                }
            },
            |out| {
                for (id, position) in &plan.sealed {
                    let value = values.get(*position).copied().unwrap_or(ValueRef::Null);
                    put_column(out, *id, value);
                }
            },
        )
    }

    /// A constraint's message in the names that the program declared.
    pub(super) fn logical(&self, error: Error, id_given: bool) -> Error {
        if error.kind() != ErrorKind::Conflict {
            return error;
        }
        let code = error.sqlite_code().unwrap_or_default();
        let table = self.sealer.schema.name();
        let Some((_, columns)) = error.message().split_once("UNIQUE constraint failed: ") else {
            return error;
        };
        let physical = self.sealer.schema.stored.physical();
        let named =
            columns.split(", ").filter_map(|name| name.strip_prefix(&physical)?.strip_prefix('.'));
        let named: Vec<&str> = named.filter(|name| *name != "tenant").collect();
        let row_id = named.contains(&self.sealer.schema.stored.row_id());
        if row_id && !id_given {
            return err!(
                Corrupt,
                "the high-water mark of table {table} lies behind the ids given out: an older one was put back"
            );
        }
        if named.len() > 1 {
            // A constraint that came with the table, over several plain columns.
            let columns: Vec<String> = named.iter().map(|name| format!("{table}.{name}")).collect();
            return err!(Conflict, "UNIQUE constraint failed: {}", columns.join(", "))
                .with_sqlite_code(code);
        }
        let mut slots = self.sealer.schema.slots.iter();
        let slot = slots.find(|slot| named.contains(&slot.name.as_str()));
        let taken = match slot.map(|slot| slot.source) {
            Some(SlotSource::Column(at) | SlotSource::Blind(at)) => Taken::Column(at),
            _ => Taken::Key,
        };
        self.taken.set(Some(taken));
        let stored = &self.sealer.schema.stored;
        let column = match taken {
            Taken::Column(at) => stored.columns.get(at).map(|c| c.column.name.as_str()),
            Taken::Key => None,
        };
        let column = column.unwrap_or(&stored.key);
        err!(Conflict, "table {table} has a row with this {column} already").with_sqlite_code(code)
    }
}

/// A text key's length; an integer is any.
pub(super) fn check_key(id: IdRef<'_>) -> Result<()> {
    match id {
        IdRef::Text(text) if text.is_empty() || text.len() > 1_000 => {
            fail!(Limit, "a text key has 1 to 1,000 bytes")
        }
        _ => Ok(()),
    }
}

pub(super) fn blind(
    index: &BlindIndex,
    values: &[ValueRef<'_>],
    scratch: &mut Scratch,
) -> BlindValue {
    let value = values.get(index.position).copied().unwrap_or(ValueRef::Null);
    BlindValue::of(&index.mac, index.bits, index.normaliser, value, &mut scratch.text)
}

pub(super) fn value_of<'v>(
    from: From,
    values: &[ValueRef<'v>],
    blinds: &'v [BlindValue],
) -> ValueRef<'v> {
    match from {
        From::Column(position) => values.get(position).copied().unwrap_or(ValueRef::Null),
        From::Index(index) => blinds.get(index).map_or(ValueRef::Null, BlindValue::as_ref),
        From::Null => ValueRef::Null,
    }
}
