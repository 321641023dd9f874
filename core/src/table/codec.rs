//! Between a row of the physical table and its values: opening with everything beside the record authenticated.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::buffers::Buffers;
use super::row::RowSet;
use super::schema::{FIRST_SLOT, Outside, Plan, Schema};
use super::subject::{Whose, subject_of};
use crate::db::{Conn, SqlRow};
use crate::error::{Error, Result, err};
use crate::format::context::Place;
use crate::format::payload::Columns;
use crate::format::record::Record;
use crate::keys::ring::{Key, Ring};
use crate::keys::seal::open;
use crate::secret::make_room;
use crate::value::{Id, IdRef, Type, ValueRef};

/// Where a value of an opened row is.
pub(crate) enum Spot {
    Null,
    /// In the slot of the physical row.
    Slot(usize),
    /// The column's default.
    Default,
    /// In the opened payload: its tag, and its bytes.
    Payload(u8, Range<usize>),
}

/// Opens rows of one table for one tenant.
pub(crate) struct Opener<'a> {
    conn: &'a Conn,
    ring: &'a Ring,
    schema: &'a Arc<Schema>,
    tenant: Option<&'a str>,
    buffers: Buffers,
    /// Result columns before those of the row.
    shift: usize,
    /// True where rows of erased subjects read as what stands beside their records.
    reads_erased: bool,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(
        conn: &'a Conn,
        ring: &'a Ring,
        schema: &'a Arc<Schema>,
        tenant: Option<&'a str>,
    ) -> Self {
        Self::with(Buffers::take(), conn, ring, schema, tenant)
    }

    /// As [`Opener::new`], with what an opener of the same ring has kept.
    pub(crate) fn with(
        buffers: Buffers,
        conn: &'a Conn,
        ring: &'a Ring,
        schema: &'a Arc<Schema>,
        tenant: Option<&'a str>,
    ) -> Self {
        Opener { conn, ring, schema, tenant, buffers, shift: 0, reads_erased: false }
    }

    /// For another opener, later.
    pub(crate) fn into_buffers(self) -> Buffers {
        self.buffers
    }

    /// From here on a row whose subject has been erased is read, in a table that says inside the record only whose a row
    /// is: as what stands beside its record, which the caller has to authenticate by other means.
    pub(crate) fn reading_erased(mut self) -> Self {
        self.reads_erased = self.schema.stored.subject == Some(Whose::Key);
        self
    }

    /// For rows whose columns stand behind so many others in the result.
    pub(crate) fn shifted(mut self, shift: usize) -> Self {
        self.shift = shift;
        self
    }

    /// Opens the row and adds it to the set. `asked` is the id that the caller looked for: it, not what the row says,
    /// goes into the associated data. On an error the set is as it was.
    pub(crate) fn open(
        &mut self,
        row: &SqlRow<'_>,
        asked: Option<IdRef<'_>>,
        set: &mut RowSet,
    ) -> Result<u16> {
        let mark = set.mark();
        let opened = self.open_record(row, asked).and_then(|(id, plan)| {
            set.reserve(self.buffers.payload.len());
            self.fill(row, id, plan, set)?;
            Ok(plan.layout)
        });
        if opened.is_err() {
            set.take_back(mark);
        }
        opened
    }

    /// Opens the row and says where each of its values is, by position. What is in the record is in the buffers' payload.
    pub(crate) fn open_in_place(
        &mut self,
        row: &SqlRow<'_>,
        asked: Option<IdRef<'_>>,
        spots: &mut Vec<Spot>,
    ) -> Result<()> {
        spots.clear();
        let (_, plan) = self.open_record(row, asked)?;
        spots.extend(plan.outside.iter().map(|outside| match outside {
            Outside::Payload => Spot::Null,
            Outside::Slot(slot) => Spot::Slot(*slot),
            Outside::Default => Spot::Default,
        }));
        let mut columns = Columns::new(&self.buffers.payload);
        let mut expected = plan.sealed.iter();
        while let Some((column, tag, range)) = columns.next_place().map_err(|_| damaged())? {
            let position = expect(&mut expected, column)?;
            if let Some(spot) = position.and_then(|position| spots.get_mut(position)) {
                *spot = Spot::Payload(tag, range);
            }
        }
        Ok(())
    }

    /// Opens the row's record into the buffers; the row's id, and the plan of its layout.
    fn open_record<'r>(
        &mut self,
        row: &SqlRow<'r>,
        asked: Option<IdRef<'r>>,
    ) -> Result<(IdRef<'r>, &'a Plan)> {
        let schema = self.schema;
        let stored = &schema.stored;
        let id = match asked {
            Some(id) => id,
            // A key of another type can't be what was sealed.
            None => row_key(row, schema).map_err(|_| self.refused(IdRef::Text("")))?,
        };
        let sealed = row.blob(2 + self.shift).map_err(|_| self.refused(id))?;
        let record = Record::parse(sealed).map_err(|_| self.refused(id))?;
        let plan = schema.plan(record.layout).ok_or_else(|| self.refused(id))?;
        let (key, subject) = match &plan.subject {
            None => (self.take_key(record.key_id, None)?, None),
            Some(whose) => self.take_key_of(record.key_id, whose, id, row)?,
        };
        if self.reads_erased && key.is_destroyed() {
            self.buffers.payload.clear();
            return Ok((id, plan));
        }
        let place = Place {
            vault: self.ring.vault(),
            table: stored.id,
            field: None,
            record: Some(id),
            tenant: self.tenant,
            subject: subject.as_deref(),
        };
        let first = FIRST_SLOT + self.shift;
        let Buffers { context, payload, last } = &mut self.buffers;
        payload.clear();
        make_room(payload, record.ciphertext.len());
        let opened = open(payload, context, key.record_key()?, &record, &place, |context| {
            for (column, slot, kind) in &plan.authenticated {
                // A text is authenticated as its bytes: whether they are UTF-8 is asked once, where it is read. A value
                // of an unexpected type can't be what was sealed: the tag says so.
                match row.get_unchecked_text(first + slot) {
                    (ValueRef::Blob(text), true) => {
                        context.text_column(*column, *kind == Some(Type::Json), text);
                    }
                    (value, _) => context.column(*column, typed(value, *kind)),
                }
            }
        });
        *last = Some((record.key_id, key));
        if opened.is_err() {
            return Err(self.refused(id));
        }
        Ok((id, plan))
    }

    /// Adds the cells of the row whose payload has been opened.
    fn fill(&self, row: &SqlRow<'_>, id: IdRef<'_>, plan: &Plan, set: &mut RowSet) -> Result<()> {
        set.push(match id {
            IdRef::Integer(id) => ValueRef::Integer(id),
            IdRef::Text(id) => ValueRef::Text(id),
        });
        for (position, outside) in plan.outside.iter().enumerate() {
            set.push(match outside {
                Outside::Payload => ValueRef::Null,
                Outside::Slot(slot) => {
                    let kind = self.schema.column(position)?.column.kind;
                    typed(row.get(FIRST_SLOT + self.shift + slot)?, Some(kind))
                }
                Outside::Default => {
                    let default = self.schema.column(position)?.column.default.as_ref();
                    default.map_or(ValueRef::Null, |value| value.as_ref())
                }
            });
        }
        let mut columns = Columns::new(&self.buffers.payload);
        let mut expected = plan.sealed.iter();
        while let Some((column, value)) = columns.next().map_err(|_| damaged())? {
            if let Some(position) = expect(&mut expected, column)? {
                set.set(position + 1, value);
            }
        }
        Ok(())
    }

    /// The key of that id, taken out of its place: [`Opener::open_into`] puts it back.
    fn take_key(&mut self, id: u32, subject: Option<&str>) -> Result<Arc<Key>> {
        match self.buffers.last.take() {
            Some((last, key)) if last == id && key.subject() == subject => Ok(key),
            _ => self.ring.opening(self.conn, id, self.tenant, subject),
        }
    }

    /// As [`Opener::take_key`], in a table whose rows have subjects; the row's subject with it.
    fn take_key_of<'r>(
        &mut self,
        key: u32,
        whose: &Whose<usize>,
        id: IdRef<'r>,
        row: &SqlRow<'r>,
    ) -> Result<(Arc<Key>, Option<Cow<'r, str>>)> {
        let named = match whose {
            Whose::Row => match id {
                IdRef::Integer(id) => ValueRef::Integer(id),
                IdRef::Text(id) => ValueRef::Text(id),
            },
            Whose::Column(slot) => {
                row.get(FIRST_SLOT + self.shift + slot).map_err(|_| self.refused(id))?
            }
            Whose::Key => {
                let key = self.ring.data_key(self.conn, key)?;
                let subject = key.subject().map(|subject| Cow::Owned(subject.to_owned()));
                let is_own = subject.is_some() || key.tenant() == self.tenant;
                if is_own && !self.reads_erased {
                    self.ring.opening(self.conn, key.id(), key.tenant(), key.subject())?;
                }
                return if is_own { Ok((key, subject)) } else { Err(self.refused(id)) };
            }
        };
        let subject = subject_of(named).map_err(|_| self.refused(id))?;
        Ok((self.take_key(key, subject.as_deref())?, subject))
    }

    fn refused(&self, id: IdRef<'_>) -> Error {
        let table = self.schema.name();
        match id {
            IdRef::Integer(id) => {
                err!(AuthenticationFailed, "row {id} of table {table} is not what was written")
            }
            IdRef::Text(_) => {
                err!(AuthenticationFailed, "a row of table {table} is not what was written")
            }
        }
    }
}

/// The active position of a column of the payload; none for one that is going. What is `expected` comes in this order.
fn expect(
    expected: &mut std::slice::Iter<'_, (u32, Option<usize>)>,
    column: u32,
) -> Result<Option<usize>> {
    let found = expected.find(|(id, _)| *id == column);
    found.map(|(_, position)| *position).ok_or_else(damaged)
}

fn damaged() -> Error {
    err!(Corrupt, "a record that opens has a payload that doesn't read")
}

/// The key of the row as the file says it.
pub(crate) fn row_key<'r>(row: &SqlRow<'r>, schema: &Schema) -> Result<IdRef<'r>> {
    if schema.stored.text_key {
        Ok(IdRef::Text(row.text(1)?))
    } else {
        Ok(IdRef::Integer(row.integer(1)?))
    }
}

/// The key of the row as the file says it, to name a row that does not open.
pub(crate) fn row_key_owned(row: &SqlRow<'_>, schema: &Schema) -> Result<Id> {
    row_key(row, schema).map(IdRef::to_owned)
}

/// What SQLite keeps of a typed value, back to that type. What does not fit stays as it is.
pub(crate) fn typed(value: ValueRef<'_>, kind: Option<Type>) -> ValueRef<'_> {
    match (kind, value) {
        (Some(Type::Boolean), ValueRef::Integer(v @ (0 | 1))) => ValueRef::Boolean(v == 1),
        (Some(Type::Json), ValueRef::Text(v)) => ValueRef::Json(v),
        _ => value,
    }
}
