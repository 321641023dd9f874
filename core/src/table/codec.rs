//! Between a row of the physical table and its values: opening with everything beside the record authenticated.

use std::ops::Range;
use std::sync::Arc;

use super::row::{Cell, RowSet};
use super::schema::{FIRST_SLOT, Outside, Plan, Schema};
use crate::db::{Conn, SqlRow};
use crate::error::{Error, Result, err};
use crate::format::context::{Context, Place};
use crate::format::payload::Columns;
use crate::format::record::Record;
use crate::keys::ring::{Key, Ring};
use crate::keys::seal::open;
use crate::value::{Id, IdRef, Type, ValueRef};

/// Opens rows of one table for one tenant. Keeps the buffers and the last key.
pub(crate) struct Opener<'a> {
    conn: &'a Conn,
    ring: &'a Ring,
    schema: &'a Arc<Schema>,
    tenant: Option<&'a str>,
    context: Context,
    last: Option<(u32, Arc<Key>)>,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(
        conn: &'a Conn,
        ring: &'a Ring,
        schema: &'a Arc<Schema>,
        tenant: Option<&'a str>,
    ) -> Self {
        Opener { conn, ring, schema, tenant, context: Context::default(), last: None }
    }

    /// Opens the row and adds it to the set. `asked` is the id that the caller looked for: it, not what the row says,
    /// goes into the associated data. On an error the set is as it was.
    pub(crate) fn open(
        &mut self,
        row: &SqlRow<'_>,
        asked: Option<IdRef<'_>>,
        set: &mut RowSet,
    ) -> Result<u16> {
        let (cells, buffer) = (set.cells.len(), set.buffer.len());
        let opened = self.open_into(row, asked, set);
        if opened.is_err() {
            set.truncate(cells, buffer);
        }
        opened
    }

    fn open_into(
        &mut self,
        row: &SqlRow<'_>,
        asked: Option<IdRef<'_>>,
        set: &mut RowSet,
    ) -> Result<u16> {
        let schema = self.schema;
        let stored = &schema.stored;
        let id = match asked {
            Some(id) => id,
            None => row_key(row, schema)?,
        };
        let ValueRef::Blob(sealed) = row.get(2)? else { return Err(self.refused(id)) };
        let record = Record::parse(sealed).map_err(|_| self.refused(id))?;
        let plan = schema.plan(record.layout).ok_or_else(|| self.refused(id))?;
        let key = self.key(record.key_id)?;
        let place = Place {
            vault: self.ring.vault(),
            table: stored.id,
            field: None,
            record: Some(id),
            tenant: self.tenant,
            subject: None,
        };
        // An authenticated value of an unexpected type can't be what was sealed: the tag says so.
        let mut unreadable = None;
        let start = set.buffer.len();
        let opened = open(
            &mut set.buffer,
            &mut self.context,
            key.record_key()?,
            &record,
            &place,
            |context| {
                for (column, slot, kind) in &plan.authenticated {
                    match row.get(FIRST_SLOT + slot) {
                        Ok(value) => context.column(*column, typed(value, *kind)),
                        Err(error) => unreadable = Some(error),
                    }
                }
            },
        );
        if opened.is_err() || unreadable.is_some() {
            return Err(self.refused(id));
        }
        let payload = start..set.buffer.len();
        self.cells(row, id, plan, payload, set)?;
        Ok(record.layout)
    }

    /// Adds the cells of a row whose payload is that range of the set's buffer.
    fn cells(
        &mut self,
        row: &SqlRow<'_>,
        id: IdRef<'_>,
        plan: &Plan,
        payload: Range<usize>,
        set: &mut RowSet,
    ) -> Result<()> {
        set.push(match id {
            IdRef::Integer(id) => ValueRef::Integer(id),
            IdRef::Text(id) => ValueRef::Text(id),
        });
        let first = set.cells.len();
        for (position, outside) in plan.outside.iter().enumerate() {
            let cell = match outside {
                Outside::Payload => Cell::NULL,
                Outside::Slot(slot) => {
                    let kind = self.schema.column(position)?.column.kind;
                    set.keep(typed(row.get(FIRST_SLOT + slot)?, Some(kind)))
                }
                Outside::Default => {
                    let default = self.schema.column(position)?.column.default.as_ref();
                    set.keep(default.map_or(ValueRef::Null, |value| value.as_ref()))
                }
            };
            set.cells.push(cell);
        }
        let RowSet { cells, buffer, .. } = set;
        let start = payload.start;
        let payload = buffer.get(payload).unwrap_or(&[]);
        let damaged = || err!(Corrupt, "a record that opens has a payload that doesn't read");
        let mut columns = Columns::new(payload);
        let mut expected = plan.sealed.iter();
        while let Some((column, value)) = columns.next().map_err(|_| damaged())? {
            let (_, position) = expected.find(|(id, _)| *id == column).ok_or_else(damaged)?;
            if let Some(position) = position
                && let Some(cell) = cells.get_mut(first + position)
            {
                *cell = Cell::at(value, start + offset(payload, value));
            }
        }
        Ok(())
    }

    fn key(&mut self, id: u32) -> Result<Arc<Key>> {
        if let Some((last, key)) = &self.last
            && *last == id
        {
            return Ok(Arc::clone(key));
        }
        let key = self.ring.opening(self.conn, id, self.tenant)?;
        self.last = Some((id, Arc::clone(&key)));
        Ok(key)
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

/// Where the bytes of a value lie in the payload that it was read from.
fn offset(payload: &[u8], value: ValueRef<'_>) -> usize {
    let bytes = match value {
        ValueRef::Text(v) | ValueRef::Json(v) => v.as_bytes(),
        ValueRef::Blob(v) => v,
        _ => return 0,
    };
    bytes.as_ptr().addr().saturating_sub(payload.as_ptr().addr())
}
