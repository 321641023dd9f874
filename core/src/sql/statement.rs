//! The statement layer: what SQLite does not do for virtual tables is done here, or refused, never answered wrongly.
//!
//! - DEFAULT: SQLite does not tell a virtual table which columns an INSERT names; the text does.
//! - RETURNING: SQLite evaluates it before the row is written, without its id. Here the statement runs without the clause,
//!   and its expressions are read from the rows that it has written; of a DELETE, from those that it is going to delete.
//! - `ON CONFLICT DO NOTHING` runs as `OR IGNORE` that forgives conflicts with other rows only.
//! - `SELECT count(*) FROM` a sealed table counts the physical one.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::SqlRows;
use super::analysis::{Analysis, Name, Upsert, Verb, Write, analyse};
use super::command::{Command, command};
use super::ddl::{self, Change};
use super::declare::{Declaration, declared};
use super::face::{Entered, Given, Within};
use super::table::shows;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Result, err, fail};
use crate::table::engine::State;
use crate::table::schema::Schema;
use crate::value::{Value, ValueRef};

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
    let mut given = Given {
        table: schema.name().to_lowercase(),
        inserts: write.verb == Verb::Insert,
        named: write.columns.as_ref().map(named),
        target: None,
        nothing: false,
    };
    let end = write.returning.as_ref().map_or(sql.len(), |returning| returning.at);
    let Some(upsert) = &write.upsert else {
        return Ok(((end < sql.len()).then(|| part(sql, 0..end).to_owned()), given));
    };
    check_upsert(write, upsert, schema)?;
    given.nothing = true;
    given.target = upsert.columns.as_ref().and_then(|columns| columns.first().cloned());
    let (verb, clause) = (&write.verb_at, &upsert.clause);
    let (before, after) = (part(sql, 0..verb.end), part(sql, verb.end..clause.start));
    Ok((Some(format!("{before} OR IGNORE{after}")), given))
}

fn check_upsert(write: &Write, upsert: &Upsert, schema: &Schema) -> Result<()> {
    let table = schema.name();
    if !upsert.nothing || write.says_or {
        fail!(
            Refused,
            "on a sealed table only ON CONFLICT DO NOTHING is carried out, and without OR: to change the row that is \
             there, UPDATE it first, and INSERT where nothing changed (table {table})"
        );
    }
    match upsert.columns.as_deref() {
        None => Ok(()),
        Some([column]) if schema.is_unique(column) => Ok(()),
        Some(_) => fail!(
            Sql,
            "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint of table {table}"
        ),
    }
}

/// The names of the columns that a write with RETURNING returns.
pub(super) fn returned(conn: &Conn, sql: &str, write: &Write) -> Result<Vec<String>> {
    let table = quote(&write.name.table);
    let Some(clause) = &write.returning else { fail!(Internal, "a statement without RETURNING") };
    if clause.has_parameters {
        fail!(Refused, "on a sealed table RETURNING takes no parameters (table {table})");
    }
    let expressions = part(sql, clause.expressions.clone());
    // SQLite says whether these expressions can be returned.
    let alias = quote(&write.alias);
    let probe =
        format!("INSERT INTO main.{table} AS {alias} DEFAULT VALUES RETURNING {expressions}");
    Ok(conn.prepare_application(&probe)?.column_names())
}

/// Runs a write with RETURNING: all of it or nothing.
pub(super) fn returning(
    within: Within<'_>,
    entered: &Entered<'_>,
    sql: &str,
    (write, base, given): (&Write, &str, &Arc<Given>),
    parameters: &[ValueRef<'_>],
) -> Result<SqlRows> {
    let Some(clause) = &write.returning else { fail!(Internal, "a statement without RETURNING") };
    let expressions = part(sql, clause.expressions.clone());
    let alias = quote(&write.alias);
    let target = format!("main.{} AS {alias}", quote(&write.name.table));
    within.atomically(|| {
        let conn = within.conn();
        let columns = entered.checked(returned(conn, sql, write))?;
        let rows = if write.verb == Verb::Delete {
            deleted(within, entered, sql, write, clause.at, (&target, expressions), parameters)?
        } else {
            entered.expect(Some(given), true);
            let mut stmt = entered.checked(conn.prepare_application(base))?;
            entered.checked(stmt.execute(parameters))?;
            drop(stmt);
            let select = format!("SELECT {expressions} FROM {target} WHERE {alias}.rowid = ?");
            let mut rows = Vec::new();
            for row in entered.written() {
                rows.extend(select_rows(within, entered, &select, &[row.into()])?);
            }
            rows
        };
        Ok(SqlRows { columns, rows })
    })
}

/// A DELETE with RETURNING: the rows are read, and then they, and no others, are deleted.
fn deleted(
    within: Within<'_>,
    entered: &Entered<'_>,
    sql: &str,
    write: &Write,
    end: usize,
    (target, expressions): (&str, &str),
    parameters: &[ValueRef<'_>],
) -> Result<Vec<Vec<Value>>> {
    let (with, behind) = (part(sql, 0..write.verb_at.start), part(sql, write.target.end..end));
    let alias = quote(&write.alias);
    let select = format!("{with}SELECT {alias}.rowid, {expressions} FROM {target}{behind}");
    let mut rows = select_rows(within, entered, &select, parameters)?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in &mut rows {
        match row.drain(..1).next() {
            Some(Value::Integer(id)) => ids.push(id.to_string()),
            _ => fail!(Internal, "a row without its id"),
        }
    }
    let ids = format!("[{}]", ids.join(","));
    let table = quote(&write.name.table);
    let delete =
        format!("DELETE FROM main.{table} WHERE rowid IN (SELECT value FROM json_each(?))");
    let mut stmt = entered.checked(within.conn().prepare_application(&delete))?;
    if entered.checked(stmt.execute(&[ValueRef::Text(&ids)]))? != rows.len() {
        return Err(err!(Internal, "a DELETE that deleted other rows than it returned"));
    }
    Ok(rows)
}

/// The rows of a statement that returns some.
pub(super) fn select_rows(
    within: Within<'_>,
    entered: &Entered<'_>,
    sql: &str,
    parameters: &[ValueRef<'_>],
) -> Result<Vec<Vec<Value>>> {
    select(within, entered, sql, parameters).map(|found| found.rows)
}

/// As [`select_rows`], with the names of the columns.
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
    let mut rows = Vec::new();
    let done = stmt.each(parameters, |row| {
        let values = (0..columns.len()).map(|at| Ok(row.get(at)?.to_owned()));
        rows.push(values.collect::<Result<Vec<_>>>()?);
        Ok(ControlFlow::Continue(()))
    });
    entered.checked(done)?;
    Ok(SqlRows { columns, rows })
}
