//! Moving rows to the current layout, and overwriting what is left of plaintext.

use std::sync::Arc;
use std::time::Instant;

use super::catalog;
use super::definition::Protection;
use super::engine::{Engine, read_meta};
use super::reseal::{Outdated, first, reseal};
use super::session::Session;
use crate::db::Pool;
use crate::db::schema::quote;
use crate::error::{Result, fail};
use crate::value::ValueRef;

/// How often all rows are gone through. After the first time there are none left, but in a damaged file.
const PASSES: usize = 3;

/// Moves every row of a table to its current layout, then lets go of the old ones. Does nothing where there is only
/// one. May be repeated after a crash: what is left to do shows in the rows themselves.
pub(crate) fn complete(engine: &Arc<Engine>, table: &str) -> Result<()> {
    let in_transition = engine.read(|conn, _| {
        // The state in memory may be older than the last alteration.
        let state = engine.catch_up(conn)?;
        state.table(table).map(|schema| schema.in_transition())
    })?;
    if !in_transition {
        return Ok(());
    }
    for _ in 0..PASSES {
        let mut from = Some(i64::MIN);
        while let Some(start) = from {
            let started = Instant::now();
            from = Session::run(engine, |session| {
                reseal(session, table, Outdated::Layout, start).map(|batch| batch.next)
            })?;
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
            from = reseal(session, table, Outdated::Layout, start)?.next;
        }
        if let_go(session, table)? {
            return Ok(());
        }
    }
    fail!(Corrupt, "rows of table {table} can't be moved to its new layout: verify the vault")
}

/// Removes old layouts, columns that are gone and indexes that are retired; false where a row is still of an old one.
fn let_go(session: &Session, table: &str) -> Result<bool> {
    let state = session.state();
    let schema = state.table(table)?;
    if !schema.in_transition() {
        return Ok(true);
    }
    if first(session.conn(), &state, schema, Outdated::Layout, i64::MIN)?.is_some() {
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
    stored.forget(|column| column.dropping);
    let keep = stored.layouts.pop();
    stored.layouts = keep.into_iter().collect();
    for name in gone {
        session.conn().batch(&format!("ALTER TABLE {table} DROP COLUMN {}", quote(&name)))?;
    }
    catalog::save(session.conn(), &state.ring, &stored)?;
    session.advance().map(|()| true)
}

/// Overwrites what is left in free pages, page slack and the log, where something was marked; where nothing was, only empties
/// the log. True where it is done; false where a reader held the log back, and it remains to be done.
///
/// VACUUM writes every page anew, and a truncating checkpoint empties the log: `secure_delete` alone leaves remnants.
pub(crate) fn finish_erasure(engine: &Engine) -> Result<bool> {
    let conn = engine.pool.writer()?;
    let pending = read_meta(&conn)?.map_or(0, |meta| meta.erasure_pending);
    if pending == 0 {
        return Pool::empty_log(&conn);
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
