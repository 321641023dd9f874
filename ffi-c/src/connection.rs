//! Connections for SQL.

use std::ffi::c_char;

use sealite::Connection;

use crate::call::{call, free, quietly};
use crate::error::sealite_error;
use crate::handles::{self, Kind};
use crate::held::Builder;
use crate::prepared::{Prepared, Preparer};
use crate::rows::{Made, Rows, sealite_rows};
use crate::status::sealite_status;
use crate::stmt::sealite_stmt;
use crate::value::sealite_value;
use crate::vault::sealite_vault;

/// A long-lived connection for SQL, as `sqlite3` has it: outside of BEGIN and COMMIT each statement commits by itself. The
/// application's own tables and sealed ones alike are tables on it, unless sealite_config_set_sealed_sql() says otherwise.
///
/// It may be used from any thread: calls take turns. It outlives a fork where it is outside of a transaction and none of
/// its statements stands on a row; else it stays the parent's, and the child gets SEALITE_FORKED. A vault in memory has
/// one SQLite connection: between BEGIN and COMMIT nothing else of the vault gets it.
pub struct sealite_connection {
    _opaque: [u8; 0],
}

impl Kind for sealite_connection {
    type Object = Connection;
}

/// Opens a connection for SQL to the vault; several may be open at once. Free it with sealite_connection_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_connect(
    vault: *mut sealite_vault,
    connection: *mut *mut sealite_connection,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(connection); { connection.give(vault.connect()?)?; })
}

/// Prepares the first statement of a text, to be bound and stepped. Writes to `tail` at which byte the text goes on; `stmt`
/// is NULL where only blanks and comments are left. With NULL for `tail` the text has to be one statement. Free it with
/// sealite_stmt_free().
///
/// SEALITE_SQL where the statement is wrong, and, without `tail`, where there is none or more than one;
/// SEALITE_NOT_ALLOWED for what only the engine may do, such as writing the table that lies under a sealed one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_prepare(
    connection: *mut sealite_connection,
    sql: *const c_char,
    sql_length: usize,
    stmt: *mut *mut sealite_stmt,
    tail: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection), text(sql, sql_length), out(stmt), optional_out(tail); {
        let by = Preparer::Connection((*connection).clone());
        let (first, goes_on) = Prepared::of(&by, sql, tail.is_wanted())?;
        if let Some(first) = first {
            stmt.give(Builder::new(first))?;
        }
        tail.set(goes_on);
    })
}

/// Runs one statement to its end, BEGIN and COMMIT among them, and writes the number of rows changed; `changed` may be
/// NULL. Rows that it returns are passed over.
///
/// SEALITE_SQL where the statement is wrong; SEALITE_CLOSED after sealite_connection_close(); SEALITE_INTERRUPTED after
/// sealite_connection_interrupt(); SEALITE_BUSY where another writes; SEALITE_CONFLICT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_execute(
    connection: *mut sealite_connection,
    sql: *const c_char,
    sql_length: usize,
    parameters: *const sealite_value,
    parameter_count: usize,
    changed: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(connection), text(sql, sql_length), values(parameters, parameter_count),
        optional_out(changed);
        { changed.set(connection.execute(sql, &parameters)? as u64); }
    )
}

/// Runs one statement and reads all of its rows. Rows: those of the statement.
///
/// SEALITE_SQL where the statement is wrong; the rest as of sealite_connection_execute().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_query(
    connection: *mut sealite_connection,
    sql: *const c_char,
    sql_length: usize,
    parameters: *const sealite_value,
    parameter_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(connection), text(sql, sql_length), values(parameters, parameter_count), out(rows);
        { rows.give(Rows::from(Made::of_sql(connection.query(sql, &parameters)?)))?; }
    )
}

/// Writes true to `within` between BEGIN and the COMMIT or ROLLBACK that ends it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_in_transaction(
    connection: *mut sealite_connection,
    within: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection), out(within); { within.set(connection.in_transaction()?); })
}

/// Writes how many rows the last INSERT, UPDATE or DELETE has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_changes(
    connection: *mut sealite_connection,
    changes: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection), out(changes); { changes.set(connection.changes()?); })
}

/// Writes how many rows were changed since the connection was opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_total_changes(
    connection: *mut sealite_connection,
    changes: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection), out(changes); { changes.set(connection.total_changes()?); })
}

/// Writes the row id of the last INSERT; 0 before the first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_last_insert_rowid(
    connection: *mut sealite_connection,
    id: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection), out(id); { id.set(connection.last_insert_rowid()?); })
}

/// Writes how often the SQLite connection under it has been opened: more than once after a fork. What was in the temp
/// schema is gone then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_opened(
    connection: *mut sealite_connection,
    times: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection), out(times); { times.set(connection.opened()?); })
}

/// Makes the statement that runs now, on whatever thread, fail with SEALITE_INTERRUPTED. Does not wait for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_interrupt(
    connection: *mut sealite_connection,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection); { connection.interrupt(); })
}

/// Rolls back what is open and closes: calls on it and its statements fail with SEALITE_CLOSED from then on. The handle
/// is still to be freed. Waits for a call that runs on it on another thread: sealite_connection_interrupt() ends that
/// early.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_close(
    connection: *mut sealite_connection,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(connection); { connection.close(); })
}

/// Closes the connection, as sealite_connection_close() does, and frees it. Its statements are still to be freed. NULL is
/// fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_connection_free(connection: *mut sealite_connection) {
    // The statements made from it may live on: its transaction must not live on with them.
    let held = quietly(None, || Ok(Some(handles::get(connection, "connection")?)));
    free(connection);
    if let Some(held) = held {
        quietly((), || {
            held.close();
            Ok(())
        });
    }
}
