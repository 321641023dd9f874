//! Prepared statements.

use std::ffi::c_char;

use sealite::ValueRef;

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::prepared::{Prepared, no_column};
use crate::rows::{Made, Rows, sealite_rows, text_or_null};
use crate::status::sealite_status;
use crate::value::{sealite_value, start};

/// A statement of a connection, a transaction or a snapshot, compiled once and run as often as wanted. Rows come one at a
/// time: memory is bounded whatever their number, but for RETURNING on a sealed table, whose rows are kept until they have
/// been stepped through.
///
/// Not for two threads at once (SEALITE_BUSY). What a value of its row points to lives until the statement is next stepped,
/// reset, bound or freed. What it belongs to may be closed or ended before it: a step is SEALITE_CLOSED then, and it is
/// still to be freed.
pub struct sealite_stmt {
    _opaque: [u8; 0],
}

impl Kind for sealite_stmt {
    type Object = Builder<Prepared>;
}

/// Lists the columns of its rows; none where it returns no rows. Rows: `name`, `declared_type` (of a column of a table, as
/// its declaration has it; SEALITE_NULL of an expression).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_columns(
    stmt: *mut sealite_stmt,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), out(rows); {
        let mut made = Made::new(&["name", "declared_type"]);
        stmt.with(|stmt| {
            for (at, name) in stmt.columns().iter().enumerate() {
                let declared = stmt.declared_type(at);
                made.push([name.as_str().into(), text_or_null(declared.as_deref())]);
            }
            Ok(())
        })?;
        rows.give(made.into())?;
    })
}

/// Lists its parameters, in order. Rows: `name` (with its `:`, `@`, `$` or `?`; SEALITE_NULL of a bare `?`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_parameters(
    stmt: *mut sealite_stmt,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), out(rows); {
        let mut made = Made::new(&["name"]);
        stmt.with(|stmt| {
            for name in stmt.parameters() {
                made.push([text_or_null(name.as_deref())]);
            }
            Ok(())
        })?;
        rows.give(made.into())?;
    })
}

/// Writes how many columns its rows have; 0 where it returns no rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_column_count(
    stmt: *mut sealite_stmt,
    count: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), out(count); {
        count.set(stmt.with(|stmt| Ok(stmt.columns().len()))?);
    })
}

/// Writes the name of the column at `position`, counted from 0. It is not ended by a NUL, and lives until the statement is
/// next stepped, executed, queried or freed: one that finds the table changed has its columns anew.
///
/// SEALITE_SQL where there is no such column.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_column_name(
    stmt: *mut sealite_stmt,
    position: usize,
    name: *mut *const c_char,
    name_length: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), plain(position), out(name), out(name_length); {
        stmt.with(|stmt| {
            let found = stmt.columns().get(position).ok_or_else(no_column)?;
            name.set(start(found.as_bytes()));
            name_length.set(found.len());
            Ok(())
        })?;
    })
}

/// Writes true to `is` where it changes nothing in the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_is_read_only(
    stmt: *mut sealite_stmt,
    is: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), out(is); { is.set(stmt.with(|stmt| Ok(stmt.is_read_only()))?); })
}

/// Binds the parameter at `index`, counted from 1, and resets the statement. The value is copied. What is not bound is
/// NULL.
///
/// SEALITE_SQL where there is no such parameter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_bind(
    stmt: *mut sealite_stmt,
    index: usize,
    value: *const sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), plain(index), value(value); {
        stmt.with(|stmt| stmt.bind(index, value))?;
    })
}

/// As sealite_stmt_bind(), by the name of the parameter, with its `:`, `@` or `$`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_bind_name(
    stmt: *mut sealite_stmt,
    name: *const c_char,
    name_length: usize,
    value: *const sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), text(name, name_length), value(value); {
        stmt.with(|stmt| stmt.bind_name(name, value))?;
    })
}

/// Binds every parameter, in order, and resets the statement.
///
/// SEALITE_SQL where `value_count` is not how many it takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_bind_all(
    stmt: *mut sealite_stmt,
    values: *const sealite_value,
    value_count: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), values(values, value_count); {
        stmt.with(|stmt| stmt.bind_all(&values))?;
    })
}

/// Makes every parameter NULL again, and resets the statement.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_clear_bindings(
    stmt: *mut sealite_stmt,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt); {
        stmt.with(|stmt| {
            let nulls = vec![ValueRef::Null; stmt.parameters().len()];
            stmt.bind_all(&nulls)
        })?;
    })
}

/// Goes to the next row: writes true to `row` where there is one, false at the end and for a statement that returns none.
/// The step after the end, or after a failure, begins anew.
///
/// SEALITE_INTERRUPTED after sealite_connection_interrupt(); SEALITE_BUSY where another connection writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_step(
    stmt: *mut sealite_stmt,
    row: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), out(row); { row.set(stmt.with(Prepared::step)?); })
}

/// Writes the value of the column at `position`, counted from 0, in the row that the statement stands on, as one of SQLite's
/// types: SEALITE_NULL, SEALITE_INTEGER, SEALITE_REAL, SEALITE_TEXT or SEALITE_BLOB. What it points to lives until the
/// statement is next stepped, reset, bound or freed.
///
/// SEALITE_SQL where it stands on no row or has no such column.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_value(
    stmt: *mut sealite_stmt,
    position: usize,
    value: *mut sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), plain(position), out(value); {
        value.set(stmt.with(|stmt| sealite_value::of(stmt.value(position)?))?);
    })
}

/// As sealite_stmt_value(), of the first `count` columns in one call, to the array `values`; all or none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_read(
    stmt: *mut sealite_stmt,
    values: *mut sealite_value,
    count: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), needed_places(values, count); {
        stmt.with(|stmt| {
            if let Some(last) = count.checked_sub(1) {
                stmt.value(last)?;
            }
            for position in 0..count {
                values.set(position, sealite_value::of(stmt.value(position)?)?);
            }
            Ok(())
        })?;
    })
}

/// Makes the statement ready for another run, and lets go of the locks that it holds. What was bound stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_reset(
    stmt: *mut sealite_stmt,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt); {
        stmt.with(|stmt| {
            stmt.reset();
            Ok(())
        })?;
    })
}

/// Binds every parameter and runs to the end, and writes the number of rows changed; `changed` may be NULL. Rows that it
/// returns are passed over.
///
/// SEALITE_SQL where `value_count` is not how many it takes; the rest as of sealite_stmt_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_execute(
    stmt: *mut sealite_stmt,
    values: *const sealite_value,
    value_count: usize,
    changed: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), values(values, value_count), optional_out(changed); {
        changed.set(stmt.with(|stmt| stmt.execute(&values))?);
    })
}

/// Binds every parameter and reads all rows. Rows: those of the statement.
///
/// SEALITE_SQL where `value_count` is not how many it takes; the rest as of sealite_stmt_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_query(
    stmt: *mut sealite_stmt,
    values: *const sealite_value,
    value_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), values(values, value_count), out(rows); {
        rows.give(Rows::from(stmt.with(|stmt| stmt.query(&values))?))?;
    })
}

/// Writes how many rows its last run has changed; 0 while it still runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_changes(
    stmt: *mut sealite_stmt,
    changes: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(stmt), out(changes); {
        changes.set(stmt.with(|stmt| Ok(stmt.changes()))? as u64);
    })
}

/// Frees the statement, wherever it stands. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_stmt_free(stmt: *mut sealite_stmt) {
    free(stmt);
}
