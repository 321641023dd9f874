//! SQL: over the application's own tables, and over the sealed ones, which are virtual tables on every connection.
//!
//! From the top: [`execute`], [`query`] and [`Statement`] run a statement within a transaction or snapshot, by what
//! `statement` and `analysis` make of its text; `face` is what a connection
//! keeps for that; `tables` registers the sealed tables there; `abi` is the module that SQLite calls, `table`,
//! `plan`, `cursor` and `update` what it does; `values` and `index_info` are SQLite's structures, safely.

mod abi;
mod analysis;
mod body;
mod change;
mod clauses;
mod command;
mod connected;
mod connection;
mod counts;
mod cursor;
mod ddl;
mod declare;
mod extend;
mod face;
#[cfg(feature = "loadable")]
mod guest;
mod handle;
mod held;
mod host;
mod index_info;
mod integrity;
mod keeper;
mod listing;
mod native;
mod owned;
mod parameters;
mod plan;
mod prepared;
mod run;
mod saved;
mod statement;
mod table;
mod tables;
mod update;
mod upsert;
mod values;
mod within;

pub(crate) use self::command::{command, compact, protect_table, unprotect_table};
pub use self::connection::Connection;
#[cfg(feature = "loadable")]
pub use self::guest::{Guest, Lent, VtabConfig};
pub use self::handle::Statement;
pub use self::held::HeldStatement;
pub(crate) use self::held::HeldStatements;
pub use self::owned::OwnedStatement;

use self::face::{Entered, Face};
use self::statement::Known;
use self::within::Within;
use crate::db::tokens;
use crate::error::{Result, fail};
use crate::table::ReadSession;
use crate::table::session::Session;
use crate::value::{Value, ValueRef};

/// The rows of a query in SQL.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, with SQLite's five types of value.
    pub rows: Vec<Vec<Value>>,
}

/// For fuzzing: whatever is made of a text, it is made.
#[cfg(any(test, fuzzing))]
pub(crate) fn survives(sql: &str) {
    let _ = analysis::analyse(sql);
    let _ = command::command(sql);
    let _ = declare::declared(sql);
}

/// True where a statement may have dropped what stood in a sealed table: remnants are overwritten after its transaction.
pub(crate) fn may_erase(sql: &str) -> bool {
    tokens::tokens(sql).first().is_some_and(|first| first.is("ALTER") || first.is("DROP"))
}

/// Runs a statement that returns no rows; the number of rows it changed.
pub(crate) fn execute(session: &Session, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
    let entered = Face::enter(Within::Session(session))?;
    let known = entered.face.known(sql)?;
    let text = match &*known {
        Known::Nothing => return Ok(0),
        Known::Declares(_) => fail!(Sql, "the statement returns rows: use query"),
        Known::Instead(text) => text,
        Known::Command(command) => return Err(command.not_alone()),
        Known::Schema(schema) => {
            change::run(Within::Session(session), &entered, schema, sql)?;
            return Ok(0);
        }
        Known::Writes { write, .. } if write.returning.is_some() => {
            fail!(Sql, "the statement returns rows: use query");
        }
        Known::Writes { write, text, given } if write.runs() => {
            let known = (&**write, text.as_deref().unwrap_or(sql), given);
            let within = Within::Session(session);
            return Ok(statement::run(within, &entered, sql, known, parameters)?.1);
        }
        Known::Writes { text, given, .. } => {
            entered.expect(Some(given), None);
            text.as_deref().unwrap_or(sql)
        }
        _ => sql,
    };
    let mut stmt = entered.checked(session.conn().prepare_application(text))?;
    // Refused before it runs: a statement that is stopped at its first row has written already.
    if stmt.writes_and_returns() {
        fail!(Sql, "the statement returns rows: use query");
    }
    entered.checked(stmt.execute(parameters))
}

/// Runs a statement that returns rows, in a write transaction.
pub(crate) fn query(session: &Session, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
    let entered = Face::enter(Within::Session(session))?;
    let known = entered.face.known(sql)?;
    if let Known::Writes { write, text: Some(text), given } = &*known
        && write.returning.is_some()
    {
        let known = (&**write, text.as_str(), given);
        let within = Within::Session(session);
        return Ok(statement::run(within, &entered, sql, known, parameters)?.0);
    }
    rows(Within::Session(session), &entered, &known, sql, parameters)
}

/// Runs a query, in a snapshot.
pub(crate) fn read(
    session: &ReadSession,
    sql: &str,
    parameters: &[ValueRef<'_>],
) -> Result<SqlRows> {
    let within = Within::Snapshot(&session.conn, &session.state);
    let entered = Face::enter(within)?;
    let known = entered.face.known(sql)?;
    rows(within, &entered, &known, sql, parameters)
}

/// Prepares a statement, in a write transaction.
pub(crate) fn prepare<'s>(session: &'s Session, sql: &str) -> Result<Statement<'s>> {
    Statement::within(Within::Session(session), sql)
}

/// Prepares a query, in a snapshot.
pub(crate) fn prepare_read<'s>(session: &'s ReadSession, sql: &str) -> Result<Statement<'s>> {
    Statement::within(Within::Snapshot(&session.conn, &session.state), sql)
}

fn rows(
    within: Within<'_>,
    entered: &Entered<'_>,
    known: &Known,
    sql: &str,
    parameters: &[ValueRef<'_>],
) -> Result<SqlRows> {
    let text = match known {
        Known::Instead(text) => text,
        Known::Command(command) => return Err(command.not_alone()),
        Known::Schema(change) if !change.may_be_plain() => {
            fail!(Sql, "the statement returns no rows: use execute")
        }
        Known::Checks => return integrity::check(within, entered, sql, parameters),
        Known::Declares(definition) => {
            let made = entered.checked(declare::declare(within, entered.face, definition))?;
            let columns = vec![declare::DEFINE.to_owned()];
            return Ok(SqlRows { columns, rows: vec![vec![Value::Integer(made.into())]] });
        }
        _ => sql,
    };
    statement::select(within, entered, text, parameters)
}
