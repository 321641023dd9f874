//! Rows whose time has come.

use std::ops::ControlFlow;

use super::engine::State;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Result, err};
use crate::value::{Id, ValueRef};

/// The tenants and ids of at most `limit` rows whose `column` is at most `until`, the earliest first. They are what the
/// file says: whoever acts on one opens the row, and so verifies it.
pub(crate) fn due(
    conn: &Conn,
    state: &State,
    table: &str,
    column: &str,
    until: i64,
    limit: usize,
) -> Result<Vec<(Option<String>, Id)>> {
    due_of(conn, state, table, column, until, None, limit)
}

/// As [`due`], of one tenant alone where one is given.
pub(crate) fn due_of(
    conn: &Conn,
    state: &State,
    table: &str,
    column: &str,
    until: i64,
    of: Option<&str>,
    limit: usize,
) -> Result<Vec<(Option<String>, Id)>> {
    let schema = state.table(table)?;
    let (key, column) = (quote(&schema.stored.key), quote(column));
    let tenant = if schema.stored.per_tenant { "tenant" } else { "NULL" };
    let mine = if of.is_some() { " AND tenant = ?2" } else { "" };
    let parameters = [ValueRef::Integer(until), ValueRef::from(of)];
    let parameters = parameters.get(..1 + usize::from(of.is_some())).unwrap_or(&[]);
    // The limit stands in the text: SQLite compiles a statement again whenever a bound one is bound anew.
    let sql = format!(
        "SELECT {key}, {tenant} FROM {} WHERE {column} <= ?1{mine} ORDER BY {column} LIMIT {limit}",
        schema.sql.physical
    );
    let mut found = Vec::new();
    conn.prepare(&sql)?.each(parameters, |row| {
        let id = match row.get(0)? {
            ValueRef::Integer(id) => Id::Integer(id),
            ValueRef::Text(id) => Id::Text(id.to_owned()),
            _ => return Err(err!(Corrupt, "a primary key of an impossible type")),
        };
        found.push((row.get(1)?.as_str().map(str::to_owned), id));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
