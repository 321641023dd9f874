//! Sealing rows anew, a batch at a time: to the current layout, or under new keys.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::buffers::Buffers;
use super::codec::Opener;
use super::engine::State;
use super::read::Target;
use super::rewrite::{Found, Old};
use super::row::RowSet;
use super::schema::Schema;
use super::session::Session;
use super::subject::Whose;
use super::write::Writer;
use crate::db::schema::quote;
use crate::db::{Conn, SqlRow};
use crate::error::{Result, err};
use crate::format::record::Record;
use crate::keys::ring::{Owner, Purpose};
use crate::keys::seal::forged;
use crate::value::ValueRef;

/// Rows moved in one transaction, at most: others wait no longer than that.
pub(crate) const BATCH_ROWS: i64 = 500;
/// Bytes of values and records held at a time; a batch ends with the row that goes beyond.
const BATCH_BYTES: usize = 1 << 20;

/// Which rows are to be sealed anew.
#[derive(Clone, Copy)]
pub(crate) enum Outdated<'a> {
    /// Those whose record is not of the current layout.
    Layout,
    /// Those of one tenant, or of tables without, whose record is under a key older than `since`.
    Key { tenant: Option<&'a str>, since: u32 },
    /// Those as well, and those whose index values are not of the active index key: every row is opened to see.
    Index { tenant: Option<&'a str>, since: u32 },
}

/// What came of a batch.
pub(crate) struct Batch {
    /// Rows that were sealed anew.
    pub(crate) moved: u64,
    /// Rows that were looked at. The database itself passes over others.
    pub(crate) seen: u64,
    /// The row id to go on from; `None` at the end.
    pub(crate) next: Option<i64>,
}

/// Seals the next rows of a table anew, from a row id on. A row that is not what was written ends it with its error.
pub(crate) fn reseal(
    session: &Session,
    table: &str,
    outdated: Outdated<'_>,
    from: i64,
) -> Result<Batch> {
    let state = session.state();
    let schema = Arc::clone(state.table(table)?);
    let rows = Rows::read(session, &schema, outdated, from)?;
    if let Outdated::Key { since, .. } | Outdated::Index { since, .. } = outdated {
        rows.renew_owners(session, since)?;
    }
    let mut moved = 0;
    let mut writer: Option<(Option<&str>, Writer<'_>)> = None;
    for (at, row) in rows.old.iter().enumerate() {
        let tenant = row.tenant.as_deref();
        let there = match writer.take() {
            Some((of, there)) if of == tenant => there,
            _ => Writer::new(session, Target { name: table, tenant })?,
        };
        if !outdated.is_done(&row.found, &there) || rows.stands_under_older(at, row, &there)? {
            let old = Old { set: &rows.set, at, found: &row.found };
            there.rewrite_old(rows.set.id(at), old, &[], None)?;
            moved += 1;
        }
        writer = Some((tenant, there));
    }
    let seen = rows.old.len() as u64;
    let next = rows.last.and_then(|row| row.checked_add(1));
    Ok(Batch { moved, seen, next })
}

/// The row id of the first row, from a row id on, that [`reseal`] would look at.
pub(crate) fn first(
    conn: &Conn,
    state: &State,
    schema: &Schema,
    outdated: Outdated<'_>,
    from: i64,
) -> Result<Option<i64>> {
    let mut mine = Mine::new(conn, state, schema, outdated);
    if mine.is_some() {
        let mut found = None;
        each_key(conn, schema, outdated, from, |row, key| {
            if mine.has(key)? {
                found = Some(row);
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        return Ok(found);
    }
    let condition = Condition::new(schema, outdated);
    let row_id = quote(schema.stored.row_id());
    let (table, condition_sql) = (&schema.sql.physical, &condition.sql);
    let sql = format!("SELECT {row_id} FROM {table}{condition_sql} ORDER BY {row_id} LIMIT 1");
    conn.first(&sql, &condition.parameters(from), |row| row.integer(0))
}

/// The greatest row id of a table.
pub(crate) fn last(conn: &Conn, schema: &Schema) -> Result<i64> {
    let row_id = quote(schema.stored.row_id());
    let sql = format!("SELECT max({row_id}) FROM {}", schema.sql.physical);
    let last = conn.first(&sql, &[], |row| Ok(row.get(0)?.as_i64()))?;
    Ok(last.flatten().unwrap_or(i64::MIN))
}

/// How many rows [`reseal`] would look at.
pub(crate) fn count(
    conn: &Conn,
    state: &State,
    schema: &Schema,
    outdated: Outdated<'_>,
) -> Result<u64> {
    let mut mine = Mine::new(conn, state, schema, outdated);
    if mine.is_some() {
        let mut count = 0;
        each_key(conn, schema, outdated, i64::MIN, |_, key| {
            count += u64::from(mine.has(key)?);
            Ok(ControlFlow::Continue(()))
        })?;
        return Ok(count);
    }
    let condition = Condition::new(schema, outdated);
    let sql = format!("SELECT count(*) FROM {}{}", schema.sql.physical, condition.sql);
    let count = conn.first(&sql, &condition.parameters(i64::MIN), |row| row.integer(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// The row ids, from one on, and the keys of the records that the database itself finds.
fn each_key(
    conn: &Conn,
    schema: &Schema,
    outdated: Outdated<'_>,
    from: i64,
    mut look: impl FnMut(i64, u32) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let condition = Condition::new(schema, outdated);
    let row_id = quote(schema.stored.row_id());
    let (table, condition_sql) = (&schema.sql.physical, &condition.sql);
    let sql = format!(
        "SELECT {row_id}, substr(sealed, 4, 4) FROM {table}{condition_sql} ORDER BY {row_id}"
    );
    conn.prepare(&sql)?.each(&condition.parameters(from), |row| {
        let key = row.get(1)?.as_bytes().and_then(|id| id.try_into().ok());
        look(row.integer(0)?, key.map_or(0, u32::from_be_bytes))
    })
}

/// Whose records a rotation concerns, in a table that does not say it outside of them: those of its tenant's keys that are not
/// destroyed. Others are passed over.
struct Mine<'a> {
    within: Option<(&'a Conn, &'a State, Option<&'a str>)>,
    known: BTreeMap<u32, bool>,
}

impl<'a> Mine<'a> {
    fn new(conn: &'a Conn, state: &'a State, schema: &Schema, outdated: Outdated<'a>) -> Self {
        let within = match outdated {
            Outdated::Key { tenant, .. } if schema.stored.subject == Some(Whose::Key) => {
                Some((conn, state, tenant))
            }
            _ => None,
        };
        Mine { within, known: BTreeMap::new() }
    }

    fn is_some(&self) -> bool {
        self.within.is_some()
    }

    fn has(&mut self, id: u32) -> Result<bool> {
        let Some((conn, state, tenant)) = self.within else { return Ok(true) };
        if let Some(known) = self.known.get(&id) {
            return Ok(*known);
        }
        let key = state.ring.data_key(conn, id)?;
        let has = key.tenant() == tenant && !key.is_destroyed();
        self.known.insert(id, has);
        Ok(has)
    }
}

/// The ids of the keys that the records of a table name.
pub(crate) fn keys_used(conn: &Conn, physical: &str) -> Result<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    let sql = format!("SELECT DISTINCT substr(sealed, 4, 4) FROM {physical}");
    conn.prepare(&sql)?.each(&[], |row| {
        let id = row.get(0)?.as_bytes().and_then(|id| id.try_into().ok());
        found.extend(id.map(u32::from_be_bytes));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

struct Rows {
    set: RowSet,
    old: Vec<OldRow>,
    /// The last row that was looked at, be it passed over.
    last: Option<i64>,
}

struct OldRow {
    tenant: Option<String>,
    found: Found,
}

impl Rows {
    fn read(
        session: &Session,
        schema: &Arc<Schema>,
        outdated: Outdated<'_>,
        from: i64,
    ) -> Result<Self> {
        let (conn, state) = (session.conn(), session.state());
        let condition = Condition::new(schema, outdated);
        let last = 3 + schema.slots.len();
        let columns = schema.sql.select.strip_suffix(&format!(" FROM {}", schema.sql.physical));
        let columns = columns.ok_or_else(|| err!(Internal, "a SELECT without its table"))?;
        let tenant = if schema.stored.per_tenant { "tenant" } else { "NULL" };
        let row_id = quote(schema.stored.row_id());
        // The limit stands in the text: SQLite compiles a statement again whenever a bound one is bound anew.
        let sql = format!(
            "{columns}, {tenant} FROM {}{} ORDER BY {row_id} LIMIT {BATCH_ROWS}",
            schema.sql.physical, condition.sql
        );
        let mut mine = Mine::new(conn, &state, schema, outdated);
        let mut rows = Rows { set: RowSet::new(Arc::clone(schema)), old: Vec::new(), last: None };
        let mut buffers: Option<(Option<String>, Buffers)> = None;
        let mut held = 0;
        conn.prepare(&sql)?.each(&condition.parameters(from), |row| {
            rows.last = Some(row.integer(0)?);
            if mine.is_some() && !mine.has(key_named(row)?)? {
                return Ok(ControlFlow::Continue(()));
            }
            let tenant = row.get(last)?.as_str().map(str::to_owned);
            // A key that was kept is one of the same tenant's.
            let kept = match buffers.take() {
                Some((of, kept)) if of == tenant => kept,
                _ => Buffers::take(),
            };
            let mut opener = Opener::with(kept, conn, &state.ring, schema, tenant.as_deref());
            let layout = opener.open(row, None, &mut rows.set);
            buffers = Some((tenant.clone(), opener.into_buffers()));
            let found = Found::of(row, schema, layout?)?;
            held += found.sealed.len();
            rows.old.push(OldRow { tenant, found });
            let full = held + rows.set.bytes_held() >= BATCH_BYTES;
            Ok(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(rows)
    }

    /// Gives a new data key to each subject whose active one is older than `since`.
    fn renew_owners(&self, session: &Session, since: u32) -> Result<()> {
        let (conn, state) = (session.conn(), session.state());
        let ids = self.old.iter().filter_map(|row| row.found.key_id());
        let ids: BTreeSet<u32> = ids.filter(|id| *id < since).collect();
        let mut owners = Vec::new();
        for id in ids {
            let key = state.ring.data_key(conn, id)?;
            let Some(subject) = key.subject() else { continue };
            let owner = Owner { subject: Some(subject), ..Owner::of(Purpose::Data, key.tenant()) };
            let active = state.ring.active(conn, owner)?;
            if active.is_some_and(|active| active.id() < since) {
                owners.push((key.tenant().map(str::to_owned), subject.to_owned()));
            }
        }
        session.succeed_subjects(&owners)
    }

    /// True where an index value of the row is not the one that a write would give it now.
    fn stands_under_older(&self, at: usize, row: &OldRow, writer: &Writer<'_>) -> Result<bool> {
        if !writer.sealer().has_older_indexes() {
            return Ok(false);
        }
        let values: Vec<ValueRef<'_>> =
            (1..=writer.schema().active.len()).map(|position| self.set.get(at, position)).collect();
        Ok(row.found.blinds.as_ref() != Some(&writer.blinds_now(&values)?))
    }
}

impl Outdated<'_> {
    /// True where the record says so by itself.
    fn is_done(self, found: &Found, writer: &Writer<'_>) -> bool {
        match self {
            Outdated::Layout => found.layout == writer.schema().write.layout,
            Outdated::Key { since, .. } => found.key_id().is_some_and(|id| id >= since),
            Outdated::Index { since, .. } => {
                found.key_id().is_some_and(|id| id >= since)
                    && found.layout == writer.schema().write.layout
            }
        }
    }
}

impl Found {
    /// The id of the key, which stands in bytes 4 to 7 of the record.
    pub(super) fn key_id(&self) -> Option<u32> {
        Record::parse(&self.sealed).ok().map(|record| record.key_id)
    }
}

/// The key that a row's record names.
fn key_named(row: &SqlRow<'_>) -> Result<u32> {
    let record = row.blob(2).ok().and_then(|record| Record::parse(record).ok());
    record.map(|record| record.key_id).ok_or_else(|| forged("a record"))
}

/// The rows that are looked at, as a condition in SQL.
struct Condition<'a> {
    sql: String,
    tenant: Option<&'a str>,
    bytes: Vec<u8>,
}

impl<'a> Condition<'a> {
    fn new(schema: &Schema, outdated: Outdated<'a>) -> Self {
        let row_id = quote(schema.stored.row_id());
        let (tenant, bytes, condition) = match outdated {
            Outdated::Layout => {
                let layout = schema.write.layout.to_be_bytes().to_vec();
                (None, layout, "substr(sealed, 2, 2) IS NOT ?2")
            }
            // Every record there is: or, whether an index value is of the active key only the opened row says.
            Outdated::Key { tenant, since: u32::MAX } | Outdated::Index { tenant, .. } => {
                (tenant, Vec::new(), "?2 IS NOT NULL")
            }
            Outdated::Key { tenant, since } => {
                (tenant, since.to_be_bytes().to_vec(), "substr(sealed, 4, 4) < ?2")
            }
        };
        let tenant = tenant.filter(|_| schema.stored.per_tenant);
        let mine = if tenant.is_some() { " AND tenant = ?3" } else { "" };
        Condition { sql: format!(" WHERE {row_id} >= ?1 AND {condition}{mine}"), tenant, bytes }
    }

    fn parameters(&self, from: i64) -> Vec<ValueRef<'_>> {
        let mut parameters = vec![ValueRef::Integer(from), ValueRef::Blob(&self.bytes)];
        parameters.extend(self.tenant.map(ValueRef::Text));
        parameters
    }
}
