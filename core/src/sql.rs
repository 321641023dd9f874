//! Plain SQL over the application's own tables in the same file.

use std::ops::ControlFlow;

use crate::db::Conn;
use crate::error::{Result, fail};
use crate::value::{Value, ValueRef};

/// The rows of a query in plain SQL.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, with SQLite's five types of value.
    pub rows: Vec<Vec<Value>>,
}

pub(crate) fn execute(conn: &Conn, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
    let mut stmt = conn.prepare_application(sql)?;
    // Refused before it runs: a statement that is stopped at its first row has written already.
    if stmt.writes_and_returns() {
        fail!(Sql, "the statement returns rows: use query");
    }
    stmt.execute(parameters)
}

pub(crate) fn query(conn: &Conn, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
    let mut stmt = conn.prepare_application(sql)?;
    let columns = stmt.column_names();
    if columns.is_empty() {
        fail!(Sql, "the statement returns no rows: use execute");
    }
    let mut rows = Vec::new();
    stmt.each(parameters, |row| {
        let values = (0..columns.len()).map(|at| Ok(row.get(at)?.to_owned()));
        rows.push(values.collect::<Result<Vec<_>>>()?);
        Ok(ControlFlow::Continue(()))
    })?;
    drop(stmt);
    Ok(SqlRows { columns, rows })
}
