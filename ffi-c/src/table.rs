//! Sealed tables.

use std::ffi::c_char;

use crate::call::{call, free};
use crate::cursor::{Scan, sealite_cursor};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Source;
use crate::rows::{Made, Rows, sealite_rows};
use crate::status::sealite_status;
use crate::status::{Failure, Result};
use crate::value::{sealite_string, sealite_value};
use crate::values::{pairs, sealite_values};

/// A sealed table, reached through a vault, a tenant, a transaction or a snapshot. On a vault or tenant each call is a
/// transaction of its own, and the handle may be used from any thread.
pub struct sealite_table {
    _opaque: [u8; 0],
}

/// The object.
pub(crate) struct Named {
    pub(crate) source: Source,
    pub(crate) name: String,
}

impl Kind for sealite_table {
    type Object = Named;
}

impl Named {
    pub(crate) fn new(source: Source, name: &str) -> Self {
        Named { source, name: name.to_owned() }
    }

    /// As [`Named::new`], where there is such a table.
    pub(crate) fn checked(source: Source, name: &str) -> Result<Self> {
        source.table(name, |_| Ok(()))?;
        Ok(Self::new(source, name))
    }

    fn with<R>(&self, work: impl FnOnce(&sealite::Table<'_>) -> sealite::Result<R>) -> Result<R> {
        self.source.table(&self.name, |table| Ok(work(table)?))
    }
}

/// Inserts a row. Columns that are not given hold their default or NULL. A column named like the primary key gives the
/// id; without one an integer id is given out that the table has never had. Writes the id of an integer key to `id`, 0
/// of a text key; `id` may be NULL.
///
/// SEALITE_CONFLICT where a unique value or the id is taken, SEALITE_TYPE_MISMATCH where a value does not fit exactly,
/// SEALITE_NOT_FOUND for an unknown column.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_insert(
    table: *mut sealite_table,
    values: *const sealite_values,
    id: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), handle(values), optional_out(id); {
        let made = pairs(&values, |pairs| table.with(|table| table.insert(pairs)))?;
        id.set(made.as_i64().unwrap_or(0));
    })
}

/// Inserts rows, all or none: `row_count` times the values of the `column_count` columns, one row after the other.
/// Writes `row_count` ids to `ids`, 0 for each of a text key; `ids` may be NULL.
///
/// As of sealite_table_insert(); SEALITE_INVALID_INPUT for rows without columns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_insert_many(
    table: *mut sealite_table,
    columns: *const sealite_string,
    column_count: usize,
    values: *const sealite_value,
    row_count: usize,
    ids: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    // What can't be a length at all is refused by `values`.
    let value_count = column_count.checked_mul(row_count).unwrap_or(usize::MAX / 2);
    call!(error;
        handle(table), texts(columns, column_count), values(values, value_count),
        places(ids, row_count);
        {
            if columns.is_empty() {
                return Err(Failure::invalid("rows without columns"));
            }
            let rows = values.chunks_exact(columns.len());
            let made = table.with(|table| table.insert_many(&columns, rows))?;
            for (at, id) in made.iter().enumerate() {
                ids.set(at, id.as_i64().unwrap_or(0));
            }
        }
    )
}

/// Reads the row of that id, verified: `rows` has one row, or is NULL where there is none. Rows: the primary key, then the
/// columns in the order of declaration.
///
/// SEALITE_AUTHENTICATION_FAILED where the row is not what was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_get(
    table: *mut sealite_table,
    id: *const sealite_value,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), id(id), out(rows); {
        if let Some(row) = table.with(|table| table.get(id))? {
            rows.give(Rows::Table(vec![row]))?;
        }
    })
}

/// Reads the rows of those ids, in their order; cheaper than one call for each. Those that are not there are left out, and
/// `present`, an array of `id_count` or NULL, tells which are.
///
/// SEALITE_AUTHENTICATION_FAILED where a row is not what was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_get_many(
    table: *mut sealite_table,
    ids: *const sealite_value,
    id_count: usize,
    present: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), ids(ids, id_count), places(present, id_count), out(rows); {
        let found = table.with(|table| table.get_many(&ids))?;
        for (at, row) in found.iter().enumerate() {
            present.set(at, row.is_some());
        }
        rows.give(Rows::Table(found.into_iter().flatten().collect()))?;
    })
}

/// Reads the rows whose column has that value. A sealed column is found by its blind index, compared in the index's normal
/// form; any other exactly. Rows: as of sealite_table_get(); none where nothing is found.
///
/// SEALITE_NOT_INDEXED for a sealed column without an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_find(
    table: *mut sealite_table,
    column: *const c_char,
    column_length: usize,
    value: *const sealite_value,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), text(column, column_length), value(value), out(rows); {
        rows.give(Rows::Table(table.with(|table| table.find(column, value))?))?;
    })
}

/// As sealite_table_find(), of the first row that is found, in the order of their ids: for a unique column the only one. `rows`
/// has one row, as of sealite_table_get(), or is NULL where there is none.
///
/// SEALITE_NOT_INDEXED for a sealed column without an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_find_one(
    table: *mut sealite_table,
    column: *const c_char,
    column_length: usize,
    value: *const sealite_value,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), text(column, column_length), value(value), out(rows); {
        if let Some(row) = table.with(|table| table.find_one(column, value))? {
            rows.give(Rows::Table(vec![row]))?;
        }
    })
}

/// Changes the given columns of a row and leaves the others, all or nothing. Writes false to `updated` where there is no
/// such row; `updated` may be NULL.
///
/// As of sealite_table_insert(); SEALITE_AUTHENTICATION_FAILED where the row is not what was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_update(
    table: *mut sealite_table,
    id: *const sealite_value,
    values: *const sealite_values,
    updated: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), id(id), handle(values), optional_out(updated); {
        updated.set(pairs(&values, |pairs| table.with(|table| table.update(id, pairs)))?);
    })
}

/// Deletes a row, verified first. Writes false to `deleted` where there is none; `deleted` may be NULL.
///
/// SEALITE_AUTHENTICATION_FAILED where the row is not what was written: see sealite_table_discard().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_delete(
    table: *mut sealite_table,
    id: *const sealite_value,
    deleted: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), id(id), optional_out(deleted); {
        deleted.set(table.with(|table| table.delete(id))?);
    })
}

/// Deletes a row without opening it: for one that fails to authenticate. `deleted` as of sealite_table_delete().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_discard(
    table: *mut sealite_table,
    id: *const sealite_value,
    deleted: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), id(id), optional_out(deleted); {
        deleted.set(table.with(|table| table.discard(id))?);
    })
}

/// Writes the number of rows. Opens none of them.
///
/// SEALITE_NOT_FOUND where there is no such table; SEALITE_LOCKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_count(
    table: *mut sealite_table,
    count: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), out(count); { count.set(table.with(|table| table.count())?); })
}

/// Begins to read every row, in the order of insertion. Of a vault in a file the cursor sees one moment, and holds a
/// connection until it is at its end or freed. Free it with sealite_cursor_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_scan(
    table: *mut sealite_table,
    cursor: *mut *mut sealite_cursor,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), out(cursor); { cursor.give(Scan::begin(&table)?)?; })
}

/// Lists the columns as they are declared now. Rows: `name`, `specification` (see sealite_definition_add_column()).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_columns(
    table: *mut sealite_table,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(table), out(rows); {
        let mut made = Made::new(&["name", "specification"]);
        for column in table.with(|table| table.columns())? {
            made.push([column.name().into(), column.specification().into()]);
        }
        rows.give(made.into())?;
    })
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_table_free(table: *mut sealite_table) {
    free(table);
}
