//! SQL: over the application's own tables, and over the sealed ones, which are virtual tables on every connection.
//!
//! From the top: [`execute`] and [`query`] run a statement within a transaction or snapshot; `face` is what a connection
//! keeps for that; `tables` puts the sealed tables into its temp schema; `abi` is the module that SQLite calls, `table`,
//! `plan`, `cursor` and `update` what it does; `values` and `index_info` are SQLite's structures, safely.

mod abi;
mod cursor;
mod face;
mod index_info;
mod integrity;
mod plan;
mod table;
mod tables;
mod update;
mod values;

use std::ops::ControlFlow;
use std::sync::Arc;

use self::face::{Face, Within};
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
    let mut stmt = entered.checked(session.conn().prepare_application(sql))?;
    // Refused before it runs: a statement that is stopped at its first row has written already.
    if stmt.writes_and_returns() {
        fail!(Sql, "the statement returns rows: use query");
    }
    entered.checked(stmt.execute(parameters))
}

/// Runs a statement that returns rows, in a write transaction.
pub(crate) fn query(session: &Session, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
    rows(Within::Session(session), sql, parameters)
}

/// Runs a query, in a snapshot.
pub(crate) fn read(session: &ReadSession, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
    let state: &Arc<_> = &session.state;
    rows(Within::Snapshot(&session.conn, state), sql, parameters)
}

fn rows(within: Within<'_>, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
    let entered = Face::enter(within)?;
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
    drop(stmt);
    Ok(SqlRows { columns, rows })
}
