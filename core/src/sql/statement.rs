//! The statement layer: what SQLite does not do for virtual tables is done here, or refused, never answered wrongly.
//!
//! - DEFAULT: SQLite does not tell a virtual table which columns an INSERT names; the text does.
//! - RETURNING: SQLite evaluates it before the row is written, without its id. Here the statement runs without the clause,
//!   and its expressions are read from each row when it has been written; of a DELETE, before it goes.
//! - `ON CONFLICT` runs as `OR IGNORE` that forgives conflicts with other rows only, and updates those rows.
//! - `UPDATE … FROM` runs in a savepoint: SQLite does not see to it that one on a virtual table which fails leaves nothing.
//! - `SELECT count(*) FROM` a sealed table counts the physical one.

use std::ops::{ControlFlow, Range};
use std::rc::Rc;
use std::sync::Arc;

use super::SqlRows;
use super::analysis::{Analysis, Name, Verb, Write, analyse};
use super::command::{Command, command};
use super::ddl::{self, Change};
use super::declare::{Declaration, declared};
use super::face::{Entered, Given};
use super::run::Run;
use super::table::shows;
use super::upsert;
use super::within::Within;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Result, fail};
use crate::table::engine::State;
use crate::table::schema::Schema;
use crate::value::ValueRef;

/// What is known of a statement before it is compiled.
pub(super) enum Known {
    /// It is SQLite's alone.
    Plain,
    /// It does nothing: the table that it would make is there.
    Nothing,
    /// It checks the file.
    Checks,
    /// Another text says the same.
    Instead(String),
    /// It declares a table.
    Declares(Arc<Declaration>),
    /// It takes transactions of its own.
    Command(Arc<Command>),
    /// It changes the schema around a sealed table.
    Schema(Arc<Change>),
    /// It writes a sealed table.
    Writes { write: Box<Write>, text: Option<String>, given: Arc<Given> },
}

/// Reads a statement's text, under the tables of a state.
pub(super) fn know(sql: &str, state: &State) -> Result<Known> {
    if let Some(definition) = declared(sql)? {
        return Ok(Known::Declares(Arc::new(definition)));
    }
    if let Some(command) = command(sql)? {
        return Ok(Known::Command(Arc::new(command)));
    }
    if let Some(known) = ddl::know(sql, state)? {
        return Ok(known);
    }
    Ok(match analyse(sql) {
        Analysis::Count { table, at } => match sealed(state, &table) {
            Some(schema) => {
                let (before, after) = (part(sql, 0..at.start), part(sql, at.end..sql.len()));
                Known::Instead(format!("{before}main.{}{after}", schema.sql.physical))
            }
            None => Known::Plain,
        },
        Analysis::CreateIfMissing { table } if sealed(state, &table).is_some() => Known::Nothing,
        Analysis::Check => Known::Checks,
        Analysis::Rename { to } if state.table(&to).is_ok() => {
            fail!(NotAllowed, "{to} is the name of a sealed table")
        }
        Analysis::Write(write) => match sealed(state, &write.name) {
            Some(schema) => {
                let (text, given) = base(sql, &write, schema)?;
                Known::Writes { write: Box::new(write), text, given: Arc::new(given) }
            }
            None => Known::Plain,
        },
        _ => Known::Plain,
    })
}

/// The sealed table that a statement means by a name, where it is one.
pub(super) fn sealed<'s>(state: &'s State, name: &Name) -> Option<&'s Arc<Schema>> {
    let schema = name.schema.as_deref();
    if schema.is_some_and(|schema| !schema.eq_ignore_ascii_case("main")) {
        return None;
    }
    state.table(&name.table).ok().filter(|schema| shows(schema))
}

fn part(sql: &str, range: Range<usize>) -> &str {
    sql.get(range).unwrap_or_default()
}

/// The text to run in place of a write, where it is another, and what to tell the table of it.
fn base(sql: &str, write: &Write, schema: &Schema) -> Result<(Option<String>, Given)> {
    let named = |columns: &Vec<String>| {
        let is_named = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
        schema.columns().map(|column| is_named(&column.column.name)).collect()
    };
    let given = Given {
        table: schema.name().to_lowercase(),
        inserts: write.verb == Verb::Insert,
        named: write.columns.as_ref().map(named),
        upsert: upsert::clauses(sql, write, schema)?,
    };
    let end = write.returning.as_ref().map_or(sql.len(), |returning| returning.at);
    let Some((upsert, _)) = &write.upsert else {
        return Ok(((end < sql.len()).then(|| part(sql, 0..end).to_owned()), given));
    };
    let verb = &write.verb_at;
    let (before, after) = (part(sql, 0..verb.end), part(sql, verb.end..*upsert));
    Ok((Some(format!("{before} OR IGNORE{after}")), given))
}

/// The names of the columns that a write with RETURNING returns.
pub(super) fn returned(conn: &Conn, sql: &str, write: &Write) -> Result<Vec<String>> {
    let table = quote(&write.name.table);
    let Some(clause) = &write.returning else { return Ok(Vec::new()) };
    let expressions = part(sql, clause.expressions.clone());
    // SQLite says whether these expressions can be returned.
    let alias = quote(&write.alias);
    let probe =
        format!("INSERT INTO main.{table} AS {alias} DEFAULT VALUES RETURNING {expressions}");
    Ok(conn.prepare_application(&probe)?.column_names())
}

/// Runs a write that does more than SQLite does by itself: the rows it returns, and how many it changed.
pub(super) fn run(
    within: Within<'_>,
    entered: &Entered<'_>,
    sql: &str,
    (write, base, given): (&Write, &str, &Arc<Given>),
    parameters: &[ValueRef<'_>],
) -> Result<(SqlRows, usize)> {
    let conn = within.conn();
    let columns = entered.checked(returned(conn, sql, write))?;
    for update in given.upsert.iter().filter_map(|clause| clause.update.as_ref()) {
        // What is wrong with it is said before anything is written.
        entered.checked(conn.prepare_application(update))?;
    }
    let run = Rc::new(Run::new(sql, write, parameters)?);
    entered.expect(Some(given), Some(&run));
    let ends = [
        write.returning.as_ref().map(|clause| clause.at),
        write.upsert.as_ref().map(|(at, _)| *at),
    ];
    let end = ends.into_iter().flatten().min().unwrap_or(write.end);
    let bound = parameters.get(..write.parameters.count_before(end)).unwrap_or(parameters);
    let changed = within.one(write.joins, || {
        let mut stmt = entered.checked(conn.prepare_application(base))?;
        entered.checked(stmt.execute(bound))
    })?;
    Ok((SqlRows { columns, rows: run.rows() }, changed))
}

/// The rows of a statement that returns some, with the names of the columns.
pub(super) fn select(
    within: Within<'_>,
    entered: &Entered<'_>,
    sql: &str,
    parameters: &[ValueRef<'_>],
) -> Result<SqlRows> {
    let mut stmt = entered.checked(within.conn().prepare_application(sql))?;
    let columns = stmt.column_names();
    if columns.is_empty() {
        fail!(Sql, "the statement returns no rows: use execute");
    }
    within.check_reads(sql, !stmt.writes_and_returns())?;
    let mut rows = Vec::new();
    let done = stmt.each(parameters, |row| {
        let values = (0..columns.len()).map(|at| Ok(row.get(at)?.to_owned()));
        rows.push(values.collect::<Result<Vec<_>>>()?);
        Ok(ControlFlow::Continue(()))
    });
    entered.checked(done)?;
    Ok(SqlRows { columns, rows })
}
