//! SQL over the application's own tables and over sealed ones, a statement a call.

use std::ffi::c_char;
use std::sync::Arc;

use crate::call::call;
use crate::error::sealite_error;
use crate::held::Builder;
use crate::prepared::{Prepared, Preparer};
use crate::rows::{Made, Rows, sealite_rows};
use crate::snapshot::sealite_snapshot;
use crate::status::sealite_status;
use crate::stmt::sealite_stmt;
use crate::transaction::sealite_transaction;
use crate::value::sealite_value;
use crate::vault::sealite_vault;

/// Runs one statement of SQL that returns no rows, in a transaction of its own, and writes the number of rows changed;
/// `changed` may be NULL. The application's own tables and sealed ones alike are tables in it, unless
/// sealite_config_set_sealed_sql() says otherwise.
///
/// SEALITE_SQL where the statement is wrong or returns rows; SEALITE_NOT_ALLOWED for what only the engine may do, such as
/// writing the table that lies under a sealed one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_execute(
    vault: *mut sealite_vault,
    sql: *const c_char,
    sql_length: usize,
    parameters: *const sealite_value,
    parameter_count: usize,
    changed: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(sql, sql_length), values(parameters, parameter_count),
        optional_out(changed);
        { changed.set(vault.execute(sql, &parameters)? as u64); }
    )
}

/// Runs a statement of SQL that returns rows, and reads all of them. Rows: those of the statement.
///
/// SEALITE_SQL where the statement is wrong; the rest as of sealite_vault_execute().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_query(
    vault: *mut sealite_vault,
    sql: *const c_char,
    sql_length: usize,
    parameters: *const sealite_value,
    parameter_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(sql, sql_length), values(parameters, parameter_count), out(rows);
        { rows.give(Rows::from(Made::of_sql(vault.query(sql, &parameters)?)))?; }
    )
}

/// As sealite_vault_execute(), within the transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_execute(
    transaction: *mut sealite_transaction,
    sql: *const c_char,
    sql_length: usize,
    parameters: *const sealite_value,
    parameter_count: usize,
    changed: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(transaction), text(sql, sql_length), values(parameters, parameter_count),
        optional_out(changed);
        {
            let done = transaction.held.with(|open| Ok(open.execute(sql, &parameters)?))?;
            changed.set(done as u64);
        }
    )
}

/// As sealite_vault_query(); it sees what the transaction has written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_query(
    transaction: *mut sealite_transaction,
    sql: *const c_char,
    sql_length: usize,
    parameters: *const sealite_value,
    parameter_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(transaction), text(sql, sql_length), values(parameters, parameter_count), out(rows);
        {
            let found = transaction.held.with(|open| Ok(open.query(sql, &parameters)?))?;
            rows.give(Rows::from(Made::of_sql(found)))?;
        }
    )
}

/// As sealite_vault_query(), as of the snapshot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_snapshot_query(
    snapshot: *mut sealite_snapshot,
    sql: *const c_char,
    sql_length: usize,
    parameters: *const sealite_value,
    parameter_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(snapshot), text(sql, sql_length), values(parameters, parameter_count), out(rows);
        {
            let found = snapshot.with(|view| Ok(view.query(sql, &parameters)?))?;
            rows.give(Rows::from(Made::of_sql(found)))?;
        }
    )
}

/// Prepares the first statement of the text `sql`, to be bound and stepped within `transaction`; it sees what that has
/// written. `stmt` is NULL where only blanks and comments are left; free it with sealite_stmt_free(). Writes to `tail` at
/// which byte the text goes on; with NULL for `tail` the text has to be one statement.
///
/// It ends with the transaction, wherever it stands: every step after sealite_transaction_commit() or
/// sealite_transaction_roll_back() is SEALITE_CLOSED, and it is still to be freed. Its calls and the transaction's take
/// turns; a forked child gets SEALITE_FORKED.
///
/// SEALITE_SQL where the statement is wrong, and, without `tail`, where there is none or more than one; SEALITE_NOT_ALLOWED
/// for BEGIN and COMMIT, for a tenant's transaction, and for what only the engine may do; SEALITE_CLOSED where the
/// transaction has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_prepare(
    transaction: *mut sealite_transaction,
    sql: *const c_char,
    sql_length: usize,
    stmt: *mut *mut sealite_stmt,
    tail: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction), text(sql, sql_length), out(stmt), optional_out(tail); {
        let by = Preparer::Transaction(Arc::clone(&transaction.held));
        let (first, goes_on) = Prepared::of(&by, sql, tail.is_wanted())?;
        if let Some(first) = first {
            stmt.give(Builder::new(first))?;
        }
        tail.set(goes_on);
    })
}

/// As sealite_transaction_prepare(), of a query, as of `snapshot`; `sql`, `stmt` and `tail` as there. It ends with
/// sealite_snapshot_free(). A write fails when it is stepped, as SEALITE_READ_ONLY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_snapshot_prepare(
    snapshot: *mut sealite_snapshot,
    sql: *const c_char,
    sql_length: usize,
    stmt: *mut *mut sealite_stmt,
    tail: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(snapshot), text(sql, sql_length), out(stmt), optional_out(tail); {
        let by = Preparer::Snapshot(Arc::clone(&snapshot));
        let (first, goes_on) = Prepared::of(&by, sql, tail.is_wanted())?;
        if let Some(first) = first {
            stmt.give(Builder::new(first))?;
        }
        tail.set(goes_on);
    })
}
