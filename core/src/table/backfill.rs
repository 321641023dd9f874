//! Moving rows to the current layout, and overwriting what is left of plaintext.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::catalog;
use super::definition::Protection;
use super::engine::{Engine, read_meta};
use super::read::Target;
use super::schema::Schema;
use super::session::Session;
use super::write::Writer;
use crate::db::Pool;
use crate::db::schema::quote;
use crate::error::{Result, fail};
use crate::value::{Id, ValueRef};

/// Rows moved in one transaction: others wait no longer than that.
const BATCH_ROWS: i64 = 500;
/// How often all rows are gone through. After the first time there are none left, but in a damaged file.
const PASSES: usize = 3;

/// Moves every row of a table to its current layout, then lets go of the old ones. Does nothing where there is only
/// one. May be repeated after a crash: what is left to do shows in the rows themselves.
pub(crate) fn complete(engine: &Arc<Engine>, table: &str) -> Result<()> {
    let in_transition = engine.read(|conn, _| {
        // The state in memory may be older than the last alteration.
        let state = engine.refresh(conn)?;
        state.table(table).map(|schema| schema.in_transition())
    })?;
    if !in_transition {
        return Ok(());
    }
    for _ in 0..PASSES {
        let mut from = Some(i64::MIN);
        while let Some(start) = from {
            let started = Instant::now();
            from = Session::run(engine, |session| move_batch(session, table, start))?;
            if from.is_some() && !engine.pool.is_memory() {
                // SQLite has no queue: another process that waits for the lock polls, and must find it free at times.
                std::thread::sleep(started.elapsed() / 4);
            }
        }
        if Session::run(engine, |session| let_go(session, table))? {
            return Ok(());
        }
    }
    fail!(Corrupt, "rows of table {table} can't be moved to its new layout: verify the vault")
}

/// As [`complete`], inside a transaction.
pub(crate) fn complete_within(session: &Session, table: &str) -> Result<()> {
    for _ in 0..PASSES {
        let mut from = Some(i64::MIN);
        while let Some(start) = from {
            from = move_batch(session, table, start)?;
        }
        if let_go(session, table)? {
            return Ok(());
        }
    }
    fail!(Corrupt, "rows of table {table} can't be moved to its new layout: verify the vault")
}

/// Moves some rows; the row id to go on from, or `None` at the end.
fn move_batch(session: &Session, table: &str, from: i64) -> Result<Option<i64>> {
    let state = session.state();
    let schema = state.table(table)?;
    let rows = outdated(session, schema, from, BATCH_ROWS)?;
    let mut writers: HashMap<Option<&str>, Writer<'_>> = HashMap::new();
    for (_, id, tenant) in &rows {
        let tenant = tenant.as_deref();
        let writer = match writers.entry(tenant) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Writer::new(session, Target { name: table, tenant })?)
            }
        };
        writer.update(id.as_ref(), &[], true)?;
    }
    Ok(rows.last().and_then(|(row_id, _, _)| row_id.checked_add(1)))
}

type Outdated = (i64, Id, Option<String>);

/// Rows whose record is not of the current layout; the layout stands in bytes 1 and 2 of a record.
fn outdated(session: &Session, schema: &Schema, from: i64, limit: i64) -> Result<Vec<Outdated>> {
    let stored = &schema.stored;
    let row_id = quote(stored.row_id());
    let tenant = if stored.per_tenant { "tenant" } else { "NULL" };
    let sql = format!(
        "SELECT {row_id}, {}, {tenant} FROM {} WHERE {row_id} >= ?1 AND substr(sealed, 2, 2) IS NOT ?2
         ORDER BY {row_id} LIMIT ?3",
        quote(&stored.key),
        schema.sql.physical
    );
    let layout = schema.write.layout.to_be_bytes();
    let parameters = [ValueRef::Integer(from), ValueRef::Blob(&layout), ValueRef::Integer(limit)];
    let mut rows = Vec::new();
    session.conn().prepare(&sql)?.each(&parameters, |row| {
        let id = match row.get(1)? {
            ValueRef::Text(id) => Id::Text(id.to_owned()),
            _ => Id::Integer(row.integer(1)?),
        };
        rows.push((row.integer(0)?, id, row.get(2)?.as_str().map(str::to_owned)));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// Removes old layouts, columns that are gone and indexes that are retired; false where a row is still of an old one.
fn let_go(session: &Session, table: &str) -> Result<bool> {
    let state = session.state();
    let schema = state.table(table)?;
    if !schema.in_transition() {
        return Ok(true);
    }
    if !outdated(session, schema, i64::MIN, 1)?.is_empty() {
        return Ok(false);
    }
    let mut stored = schema.stored.clone();
    let table = &schema.sql.physical;
    let mut gone = Vec::new();
    for column in &mut stored.columns {
        if column.physical && (column.dropping || column.column.protection == Protection::Sealed) {
            column.physical = false;
            gone.push(column.column.name.clone());
        }
        if let Some(blind) = &mut column.blind {
            blind.building = false;
        }
    }
    if !gone.is_empty() {
        // Marked again: somebody else's erasure may have come between the first mark and the last row moved.
        session.mark_erasure()?;
    }
    gone.extend(stored.retired.drain(..).map(|blind| blind.physical));
    stored.columns.retain(|column| !column.dropping);
    let keep = stored.layouts.pop();
    stored.layouts = keep.into_iter().collect();
    for name in gone {
        session.conn().batch(&format!("ALTER TABLE {table} DROP COLUMN {}", quote(&name)))?;
    }
    catalog::save(session.conn(), &state.ring, &stored)?;
    session.advance().map(|()| true)
}

/// Overwrites what plaintext is left in free pages, page slack and the log, where something was marked. True where it is
/// done; false where a reader held the log back, and it remains to be done.
///
/// VACUUM writes every page anew, and a truncating checkpoint empties the log: `secure_delete` alone leaves remnants.
pub(crate) fn finish_erasure(engine: &Engine) -> Result<bool> {
    let conn = engine.pool.writer()?;
    let pending = read_meta(&conn)?.map_or(0, |meta| meta.erasure_pending);
    if pending == 0 {
        return Ok(true);
    }
    if !engine.pool.vacuum(&conn)? || !Pool::empty_log(&conn)? {
        return Ok(false);
    }
    // What another process has marked since then is still to be done.
    let done = conn.execute(
        "UPDATE sealite_meta SET erasure_pending = 0 WHERE id = 1 AND erasure_pending = ?",
        &[ValueRef::Integer(pending)],
    )?;
    Pool::empty_log(&conn)?;
    Ok(done == 1)
}
