//! SQL over the application's own tables and over sealed ones, a statement a call.

use std::ffi::c_char;

use crate::call::call;
use crate::error::sealite_error;
use crate::rows::{Made, Rows, sealite_rows};
use crate::snapshot::sealite_snapshot;
use crate::status::sealite_status;
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
