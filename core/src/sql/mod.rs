//! SQL: over the application's own tables, and over the sealed ones, which are virtual tables on every connection.
//!
//! From the top: [`execute`], [`query`] and [`Statement`] run a statement within a transaction or snapshot, by what
//! `statement` and `analysis` make of its text; `face` is what a connection
//! keeps for that; `tables` registers the sealed tables there; `abi` is the module that SQLite calls, `table`,
//! `plan`, `cursor` and `update` what it does; `values` and `index_info` are SQLite's structures, safely.

mod abi;
mod analysis;
mod clauses;
mod connected;
mod connection;
mod cursor;
mod face;
mod handle;
mod host;
mod index_info;
mod integrity;
mod keeper;
mod native;
mod parameters;
mod plan;
mod prepared;
mod run;
mod statement;
mod table;
mod tables;
mod tokens;
mod update;
mod upsert;
mod values;

pub use self::connection::Connection;
pub use self::handle::Statement;

use self::face::{Entered, Face, Within};
use self::statement::Known;
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

/// Runs a statement that returns no rows; the number of rows it changed.
pub(crate) fn execute(session: &Session, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
    let entered = Face::enter(Within::Session(session))?;
    let known = entered.face.known(sql)?;
    let text = match &*known {
        Known::Nothing => return Ok(0),
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
        Known::Checks => return integrity::check(within, entered, sql, parameters),
        _ => sql,
    };
    statement::select(within, entered, text, parameters)
}
