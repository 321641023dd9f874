//! SQLite's limits on one connection.

use rusqlite::limits::Limit;

use super::engine::Connection;
use super::error::programming;
use pyo3::PyResult;

const LIMITS: [Limit; 12] = [
    Limit::SQLITE_LIMIT_LENGTH,
    Limit::SQLITE_LIMIT_SQL_LENGTH,
    Limit::SQLITE_LIMIT_COLUMN,
    Limit::SQLITE_LIMIT_EXPR_DEPTH,
    Limit::SQLITE_LIMIT_COMPOUND_SELECT,
    Limit::SQLITE_LIMIT_VDBE_OP,
    Limit::SQLITE_LIMIT_FUNCTION_ARG,
    Limit::SQLITE_LIMIT_ATTACHED,
    Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH,
    Limit::SQLITE_LIMIT_VARIABLE_NUMBER,
    Limit::SQLITE_LIMIT_TRIGGER_DEPTH,
    Limit::SQLITE_LIMIT_WORKER_THREADS,
];

/// The limit of a number.
pub(super) fn limit(category: i32) -> PyResult<Limit> {
    let found = LIMITS.iter().find(|limit| **limit as i32 == category);
    found.copied().ok_or_else(|| programming("'category' is out of bounds"))
}

/// The limit, set to another one where that is not negative; what it was.
pub(super) fn exchange(engine: &Connection, limit: Limit, value: i32) -> sealite::Result<i32> {
    engine.with_raw(|raw| {
        let before = raw.limit(limit).unwrap_or(0);
        if value >= 0 {
            let _ = raw.set_limit(limit, value);
        }
        before
    })
}

/// The longest text of a statement, in bytes.
pub(super) fn sql_length(engine: &Connection) -> sealite::Result<usize> {
    let length = exchange(engine, Limit::SQLITE_LIMIT_SQL_LENGTH, -1)?;
    Ok(usize::try_from(length).unwrap_or(usize::MAX))
}
