//! A plain table becomes a sealed one, and a sealed one plain again.
//!
//! The way there: a sealed table is made under an internal name, rows are copied into it in batches while others go on
//! reading and writing the plain one, and one last transaction compares every row, drops the plain table and gives the
//! sealed one its name. Until then the plain table is the table. What a crash leaves is the half-filled copy: the next call
//! goes on with it.
//!
//! `plain`, `written` and `triggers` read what there is, `kinds` gives it types, `plan` says what becomes of it; `copy` moves rows,
//! `swap` is the last transaction, `unprotect` the way back.

mod copy;
pub(crate) mod kinds;
mod plain;
mod plan;
mod swap;
pub(crate) mod triggers;
mod unprotect;
mod used;
pub(crate) mod written;

use std::sync::Arc;

use self::plan::{Plan, Words};
pub(crate) use self::unprotect::unprotect;
pub(crate) use self::used::{check_unused, index_of};
pub(crate) use self::written::on_table;
use super::definition::{Column, TableDefinition, check_own, check_table_name};
use super::engine::{Engine, State};
use super::session::Session;
use super::subject::{same_subject, subject_words};
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
pub(crate) fn planned(engine: &Engine, table: &str, words: &[&str]) -> Result<ProtectionPlan> {
    let wanted = wanted(table, words)?;
    engine.read(|conn, _| {
        let state = engine.refresh(conn)?;
        let (source, plan) = look(conn, &state, table, &wanted)?;
        let rows = plain::rows(conn, &source.name)?;
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
    table: &str,
    words: &[&str],
    note: &dyn Fn(&Session, &str) -> Result<()>,
) -> Result<()> {
    let wanted = wanted(table, words)?;
    if is_done(engine, table, &wanted)? {
        return Ok(());
    }
    let done = copy::copy(engine, table, &wanted).and_then(|()| {
        Session::replace(engine, |session| swap::swap(session, table, &wanted, note))
    });
    match done {
        Ok(()) => Ok(()),
        // Another process has been at it too, and was the first.
        Err(error) => {
            use ErrorKind::{Conflict, Limit, Refused, TypeMismatch};
            if is_done(engine, table, &wanted).is_ok_and(|done| done) {
                return Ok(());
            }
            if matches!(error.kind(), Conflict | TypeMismatch | Refused | Limit) {
                Session::run(engine, |session| copy::discard(session, table).map(|_| ()))?;
            }
            Err(error)
        }
    }
}

/// True where the table is sealed already, and not weaker than the words say.
fn is_done(engine: &Arc<Engine>, table: &str, wanted: &Words) -> Result<bool> {
    let state = engine.read(|conn, _| engine.refresh(conn))?;
    let Ok(schema) = state.table(table) else { return Ok(false) };
    for (column, _) in &wanted.columns {
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
    let declared = TableDefinition { subject: wanted.subject.clone(), ..schema.definition() };
    if wanted.subject.is_some() && !same_subject(&schema.definition(), &declared) {
        fail!(Conflict, "table {table} is sealed already, and its rows are not those subjects'");
    }
    Ok(true)
}

fn wanted(table: &str, words: &[&str]) -> Result<Words> {
    check_own(table)?;
    check_table_name(table)?;
    let mut found = Words { columns: Vec::new(), subject: None };
    for words in words {
        match subject_words(words)? {
            None => found.columns.push(Column::parse_typed(words)?),
            subject => found.subject = subject,
        }
    }
    Ok(found)
}

/// The plain table as it is, and what becomes of it.
fn look(conn: &Conn, state: &State, table: &str, wanted: &Words) -> Result<(plain::Plain, Plan)> {
    if state.table(table).is_ok() {
        fail!(Conflict, "table {table} is sealed already");
    }
    let source = plain::read(conn, table)?;
    let source = source.ok_or_else(|| err!(NotFound, "there is no table {table}"))?;
    check_table_name(&source.name)?;
    let mut plan = plan::plan(conn, &source, wanted)?;
    let physical = super::schema::physical_name(&source.name);
    if plain::read(conn, &physical)?.is_some() {
        plan.obstacles.push(format!("a table {physical} stands in the way"));
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
