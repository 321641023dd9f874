//! Reading: by key, by value, in order, and counting.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::codec::{Opener, row_key_owned};
use super::engine::{Engine, State};
use super::row::{Row, RowSet};
use super::schema::Schema;
use crate::db::schema::quote;
use crate::db::{Conn, Lease};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::metrics::{Counter, Counters};
use crate::value::{Id, IdRef, ValueRef};

/// A batch ends after this many bytes of values.
const BATCH_BYTES: usize = 1 << 20;

/// A table, and for whom.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) name: &'a str,
    pub(crate) tenant: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// The schema. A table of tenants is reached through a tenant only, any other table never through one.
    pub(crate) fn schema<'s>(&self, state: &'s State) -> Result<&'s Arc<Schema>> {
        let schema = state.table(self.name)?;
        match (schema.stored.per_tenant, self.tenant) {
            (true, None) => {
                fail!(InvalidInput, "table {} is per tenant: reach it through a tenant", self.name)
            }
            (false, Some(_)) => fail!(NotFound, "there is no table {} of tenants", self.name),
            _ => Ok(schema),
        }
    }

    pub(super) fn opener(
        &self,
        conn: &'a Conn,
        state: &'a State,
        schema: &'a Arc<Schema>,
    ) -> Opener<'a> {
        Opener::new(conn, &state.ring, schema, self.tenant).reading_erased()
    }
}

/// The parameters of a keyed statement: the id, and the tenant where the table has tenants.
pub(crate) fn key_parameters<'v>(
    schema: &Schema,
    id: IdRef<'v>,
    tenant: Option<&'v str>,
) -> Result<([ValueRef<'v>; 2], usize)> {
    let id = match (id, schema.stored.text_key) {
        (IdRef::Integer(id), false) => ValueRef::Integer(id),
        (IdRef::Text(id), true) => ValueRef::Text(id),
        (_, true) => fail!(TypeMismatch, "table {} has a text key", schema.name()),
        (_, false) => fail!(TypeMismatch, "table {} has an integer key", schema.name()),
    };
    Ok(([id, ValueRef::from(tenant)], if tenant.is_some() { 2 } else { 1 }))
}

/// The row of that id, if there is one, added to the set.
pub(super) fn get_into(
    conn: &Conn,
    schema: &Schema,
    opener: &mut Opener<'_>,
    tenant: Option<&str>,
    id: IdRef<'_>,
    set: &mut RowSet,
) -> Result<Option<u16>> {
    let (parameters, count) = key_parameters(schema, id, tenant)?;
    let mut stmt = conn.prepare(&schema.sql.get)?;
    stmt.first(parameters.get(..count).unwrap_or(&[]), |row| opener.open(row, Some(id), set))
}

/// The row of that id as a set of one, and its layout.
pub(crate) fn get_one(
    conn: &Conn,
    state: &State,
    target: Target<'_>,
    id: IdRef<'_>,
) -> Result<Option<(RowSet, u16)>> {
    let schema = target.schema(state)?;
    let mut set = RowSet::new(Arc::clone(schema));
    let mut opener = target.opener(conn, state, schema);
    let found = get_into(conn, schema, &mut opener, target.tenant, id, &mut set)?;
    Ok(found.map(|layout| (set, layout)))
}

/// The rows of those ids, in their order; `None` for each that is not there.
pub(crate) fn get_many(
    conn: &Conn,
    state: &State,
    target: Target<'_>,
    ids: &[IdRef<'_>],
) -> Result<Vec<Option<Row>>> {
    let schema = target.schema(state)?;
    let mut set = RowSet::new(Arc::clone(schema));
    let mut opener = target.opener(conn, state, schema);
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let there = get_into(conn, schema, &mut opener, target.tenant, *id, &mut set)?;
        found.push(there.map(|_| set.len() - 1));
    }
    drop(opener);
    let set = Arc::new(set);
    Ok(found.into_iter().map(|at| at.map(|index| Row::new(Arc::clone(&set), index))).collect())
}

/// The row with the greatest row id.
pub(crate) fn last_row(conn: &Conn, state: &State, target: Target<'_>) -> Result<Option<Row>> {
    let schema = target.schema(state)?;
    let mut set = RowSet::new(Arc::clone(schema));
    let mut opener = target.opener(conn, state, schema);
    let row_id = quote(schema.stored.row_id());
    let sql = format!("{} ORDER BY {row_id} DESC LIMIT 1", schema.sql.select);
    conn.prepare(&sql)?.first(&[], |row| opener.open(row, None, &mut set).map(|_| ()))?;
    drop(opener);
    Ok((set.len() > 0).then(|| Row::new(Arc::new(set), 0)))
}

/// How many rows there are. Opens none.
pub(crate) fn count(conn: &Conn, state: &State, target: Target<'_>) -> Result<u64> {
    let schema = target.schema(state)?;
    let parameters = [ValueRef::from(target.tenant)];
    let given = usize::from(target.tenant.is_some());
    let count = conn
        .first(&schema.sql.count, parameters.get(..given).unwrap_or(&[]), |row| row.integer(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// The next rows from a row id on, and the row id of the last. Rows that do not open go to `refused`, or end the batch
/// with their error where there is nobody to take them.
pub(crate) fn batch(
    conn: &Conn,
    state: &State,
    target: Target<'_>,
    from: i64,
    refused: &mut Option<&mut dyn FnMut(Id, Error)>,
) -> Result<(RowSet, Option<i64>)> {
    let schema = target.schema(state)?;
    let mut set = RowSet::new(Arc::clone(schema));
    let mut opener = target.opener(conn, state, schema);
    let parameters = [ValueRef::Integer(from), ValueRef::from(target.tenant)];
    let given = 1 + usize::from(target.tenant.is_some());
    let mut last = None;
    conn.prepare(&schema.sql.scan)?.each(parameters.get(..given).unwrap_or(&[]), |row| {
        match (opener.open(row, None, &mut set), &mut *refused) {
            (Ok(_), _) => {}
            (Err(error), Some(take)) if is_row_fault(error.kind()) => {
                let id = row_key_owned(row, schema).or_else(|_| row.integer(0).map(Id::Integer))?;
                take(id, error);
            }
            (Err(error), _) => return Err(error),
        }
        last = Some(row.integer(0)?);
        let full = set.bytes_held() >= BATCH_BYTES;
        Ok(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok((set, last))
}

/// Errors of one row rather than of the vault.
fn is_row_fault(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AuthenticationFailed
            | ErrorKind::UnknownKey
            | ErrorKind::DestroyedKey
            | ErrorKind::Corrupt
    )
}

/// A place in a table that is read a batch at a time: see [`crate::Table::next_rows`].
#[derive(Clone, Debug)]
pub struct Cursor {
    /// The row id from which to go on; none at the end.
    pub(super) from: Option<i64>,
}

impl Default for Cursor {
    /// Before the first row.
    fn default() -> Self {
        Cursor { from: Some(i64::MIN) }
    }
}

/// The rows of a table in the order in which they were inserted. Memory is bounded: one batch of at most 256 rows, or
/// the first of them that exceeds 1 MiB.
///
/// A scan of a vault in a file sees one moment: what is written meanwhile does not show. It holds a connection until it
/// is dropped. A scan of a vault in memory sees each batch at its own moment.
pub struct Scan<'a> {
    source: ScanSource<'a>,
    table: String,
    tenant: Option<String>,
    from: Option<i64>,
    set: Arc<RowSet>,
    at: usize,
    counters: Option<Arc<Counters>>,
}

/// Where the batches of a scan come from.
pub(crate) enum ScanSource<'a> {
    /// A snapshot of its own.
    Own(Lease, Arc<State>),
    /// A caller's transaction or snapshot.
    Lent(&'a Conn, Arc<State>),
    /// Each batch anew.
    Engine(&'a Arc<Engine>),
}

impl<'a> Scan<'a> {
    pub(crate) fn new(source: ScanSource<'a>, target: Target<'_>, state: &State) -> Result<Self> {
        let schema = target.schema(state)?;
        Ok(Scan {
            source,
            table: target.name.to_owned(),
            tenant: target.tenant.map(str::to_owned),
            from: Some(i64::MIN),
            set: Arc::new(RowSet::new(Arc::clone(schema))),
            at: 0,
            counters: None,
        })
    }

    /// Counts the rows from now on.
    pub(crate) fn counted(mut self, counters: &Arc<Counters>) -> Self {
        self.counters = Some(Arc::clone(counters));
        self
    }

    /// The next rows together; `None` at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Arc<RowSet>>> {
        let Some(from) = self.from else { return Ok(None) };
        let target = Target { name: &self.table, tenant: self.tenant.as_deref() };
        // An error ends the scan: it never goes on behind a row that it could not give.
        self.from = None;
        let counters = self.counters.as_ref();
        let checked = |read| match counters {
            Some(counters) => counters.checked(read),
            None => read,
        };
        let (set, last) = match &self.source {
            ScanSource::Own(conn, state) => checked(batch(conn, state, target, from, &mut None))?,
            ScanSource::Lent(conn, state) => checked(batch(conn, state, target, from, &mut None))?,
            ScanSource::Engine(engine) => {
                engine.read(|conn, state| batch(conn, state, target, from, &mut None))?
            }
        };
        if let Some(counters) = counters {
            counters.add(Counter::ScanRows, set.len() as u64);
        }
        self.from = last.and_then(|last| last.checked_add(1));
        Ok(last.map(|_| Arc::new(set)))
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at >= self.set.len() {
            match self.next_batch() {
                Ok(Some(set)) => (self.set, self.at) = (set, 0),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        self.at += 1;
        Some(Ok(Row::new(Arc::clone(&self.set), self.at - 1)))
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        if let ScanSource::Own(conn, _) = &self.source {
            let _ = conn.execute("COMMIT", &[]);
        }
    }
}
