//! A plain table becomes a sealed one, and a sealed one plain again.
//!
//! The way there: a sealed table is made under an internal name, rows are copied into it in batches while others go on
//! reading and writing the plain one, and one last transaction compares every row, drops the plain table and gives the
//! sealed one its name. Until then the plain table is the table. What a crash leaves is the half-filled copy: the next call
//! goes on with it.
//!
//! `job` says what is asked for; `plain`, `written` and `triggers` read what there is, `kinds` gives it types, `plan` and
//! `references` say what becomes of it; `copy` moves rows, `swap` is the last transaction, `unprotect` the way back.

mod copy;
mod job;
pub(crate) mod kinds;
pub(crate) mod plain;
mod plan;
mod references;
mod swap;
pub(crate) mod triggers;
mod unprotect;
mod used;
pub(crate) mod written;

use std::sync::Arc;

pub(crate) use self::copy::{is_equal, sample};
pub(crate) use self::job::{Changes, Elsewhere, Job, Phase, Split};
use self::plan::Plan;
pub(crate) use self::unprotect::unprotect;
pub(crate) use self::used::{check_unused, index_of};
pub(crate) use self::written::on_table;
use super::definition::{TableDefinition, check_table_name};
use super::engine::{Engine, State};
use super::session::Session;
use super::subject::same_subject;
use crate::db::Conn;
use crate::error::{ErrorKind, Result, err, fail};

/// What [`crate::Vault::protect_table`] would do.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct ProtectionPlan {
    /// The table as it would be declared afterwards.
    pub definition: TableDefinition,
    /// The number of rows to seal.
    pub rows: u64,
    /// Indexes, foreign keys, constraints and triggers that go on as they are.
    pub kept: Vec<String>,
    /// What becomes another thing: types, indexes that become blind ones.
    pub changed: Vec<String>,
    /// What stands against it. Where this is not empty, the table is not converted.
    pub obstacles: Vec<String>,
}

/// Says what converting the table would do; nothing is written.
pub(crate) fn planned(engine: &Engine, job: &Job<'_>) -> Result<ProtectionPlan> {
    engine.read(|conn, _| {
        let state = engine.catch_up(conn)?;
        let (source, plan) = look(conn, &state, job)?;
        let rows = plain::rows(job.elsewhere.map_or(conn, |e| e.conn), &source.name)?;
        Ok(ProtectionPlan {
            definition: plan.definition,
            rows: u64::try_from(rows).unwrap_or(0),
            kept: plan.kept,
            changed: plan.changed,
            obstacles: plan.obstacles,
        })
    })
}

/// Converts the table, or goes on where a call before was interrupted. `note` records it in the transaction that decides.
pub(crate) fn protect(
    engine: &Arc<Engine>,
    job: &Job<'_>,
    note: &dyn Fn(&Session, &str) -> Result<()>,
) -> Result<()> {
    if is_done(engine, job)? {
        return Ok(());
    }
    let done = copy::copy(engine, job)
        .and_then(|()| Session::replace(engine, |session| swap::swap(session, job, note)));
    match done {
        Ok(()) => Ok(()),
        // Another process has been at it too, and was the first.
        Err(error) => {
            use ErrorKind::{Conflict, Limit, Refused, TypeMismatch};
            if is_done(engine, job).is_ok_and(|done| done) {
                return Ok(());
            }
            if matches!(error.kind(), Conflict | TypeMismatch | Refused | Limit) {
                Session::run(engine, |session| copy::discard(session, job.table).map(|_| ()))?;
            }
            Err(error)
        }
    }
}

/// True where the table is sealed already, and not weaker than the words say.
pub(crate) fn is_done(engine: &Arc<Engine>, job: &Job<'_>) -> Result<bool> {
    let state = engine.read(|conn, _| engine.catch_up(conn))?;
    let table = job.table;
    let Ok(schema) = state.table(table) else { return Ok(false) };
    let splits = job.changes.splits().iter().map(|split| &split.into);
    for column in job.wanted.iter().map(|(column, _)| column).chain(splits) {
        let there = schema.position(&column.name).and_then(|position| schema.column(position));
        let holds = there.is_ok_and(|there| {
            there.column.protection >= column.protection
                && (column.index.is_none() || there.column.index == column.index)
        });
        if !holds {
            fail!(
                Conflict,
                "table {table} is sealed already, and column {} in another way: alter_table changes it",
                column.name
            );
        }
    }
    let declared = TableDefinition { subject: job.subject.clone(), ..schema.definition() };
    if job.subject.is_some() && !same_subject(&schema.definition(), &declared) {
        fail!(Conflict, "table {table} is sealed already, and its rows are not those subjects'");
    }
    Ok(true)
}

/// The plain table as it is, and what becomes of it. `conn` is of the vault's file.
fn look(conn: &Conn, state: &State, job: &Job<'_>) -> Result<(plain::Plain, Plan)> {
    let table = job.table;
    if state.table(table).is_ok() {
        fail!(Conflict, "table {table} is sealed already");
    }
    let there = job.elsewhere.map_or(conn, |elsewhere| elsewhere.conn);
    let source = plain::read(there, table)?;
    let source = source.ok_or_else(|| err!(NotFound, "there is no table {table}"))?;
    check_table_name(&source.name)?;
    let mut plan = plan::plan(there, &source, job)?;
    let physical = super::schema::physical_name(&source.name);
    let mut in_the_way = vec![physical];
    if job.elsewhere.is_some() {
        plan.find_parents(conn, state, job)?;
        in_the_way.push(source.name.clone());
    }
    for name in in_the_way {
        if plain::read(conn, &name)?.is_some() {
            plan.obstacles.push(format!("a table {name} stands in the way"));
        }
    }
    if let Err(error) = plan.definition.check() {
        plan.obstacles.push(error.message().to_owned());
    }
    Ok((source, plan))
}

/// The internal name of a table that is being filled.
fn staged_name(table: &str) -> String {
    format!("sealite_staged_{}", table.to_lowercase())
}
