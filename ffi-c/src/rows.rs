//! Results: rows of tables, and everything else that comes in rows.

use std::ffi::c_char;

use sealite::{IdRef, Row, Value, ValueRef};

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::status::sealite_status::{self, SEALITE_NOT_FOUND};
use crate::status::{Failure, Result};
use crate::token::known::{self, Known};
use crate::value::{Wiped, push, sealite_value, start};

/// Rows with named columns: those of a table, and the results of every call that tells more than a number. Which columns
/// there are is said where the rows come from; later versions may add some.
///
/// It does not change, may be read from any thread, and needs neither the vault nor the transaction any more. Wiped by
/// sealite_rows_free().
pub struct sealite_rows {
    _opaque: [u8; 0],
}

/// The object.
pub(crate) enum Rows {
    /// Rows of a table: the primary key, then the columns in the order of declaration.
    Table(Vec<Row>),
    /// Tokens. Most of their values are read when they are asked for: a verification is to cost no more than in Rust.
    Tokens(Vec<Known>),
    /// One, of a verification.
    Token(Known),
    /// Rows of the ABI's own, or of SQL.
    Made(Made),
}

/// Rows that are put together here.
pub(crate) struct Made {
    columns: Vec<String>,
    /// One row after the other.
    cells: Vec<Wiped>,
}

impl Kind for sealite_rows {
    type Object = Rows;
}

impl Made {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Made { columns, cells: Vec::new() }
    }

    /// The rows of a query in SQL.
    pub(crate) fn of_sql(mut found: sealite::SqlRows) -> Self {
        let count = found.rows.iter().map(Vec::len).sum();
        let mut cells = Vec::with_capacity(count);
        cells.extend(found.rows.iter_mut().flatten().map(Wiped::take));
        Made { columns: found.columns, cells }
    }

    /// The rows of a prepared statement, cell by cell.
    pub(crate) fn of_cells(columns: &[String], cells: Vec<Wiped>) -> Self {
        Made { columns: columns.to_vec(), cells }
    }

    /// Adds a row: as many values as there are columns.
    pub(crate) fn push<const N: usize>(&mut self, values: [Value; N]) {
        debug_assert_eq!(N, self.columns.len());
        values.into_iter().for_each(|value| push(&mut self.cells, Wiped(value)));
    }
}

impl From<Made> for Rows {
    fn from(made: Made) -> Self {
        Rows::Made(made)
    }
}

/// A text that may be missing.
pub(crate) fn text_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

/// A number that may be missing.
pub(crate) fn integer_or_null(number: Option<i64>) -> Value {
    number.map_or(Value::Null, Value::Integer)
}

/// A count, which SQLite's integers all hold in practice.
pub(crate) fn count(count: u64) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn no_row() -> Failure {
    Failure::new(SEALITE_NOT_FOUND, "there is no row at this index")
}

fn no_column() -> Failure {
    Failure::new(SEALITE_NOT_FOUND, "the rows have no such column")
}

fn of_id(id: IdRef<'_>) -> Result<ValueRef<'_>> {
    match id {
        IdRef::Integer(id) => Ok(ValueRef::Integer(id)),
        IdRef::Text(id) => Ok(ValueRef::Text(id)),
        _ => Err(Failure::internal()),
    }
}

impl Rows {
    fn count(&self) -> usize {
        match self {
            Rows::Table(rows) => rows.len(),
            Rows::Tokens(tokens) => tokens.len(),
            Rows::Token(_) => 1,
            Rows::Made(made) => made.cells.len().checked_div(made.columns.len()).unwrap_or(0),
        }
    }

    fn width(&self) -> usize {
        match self {
            Rows::Table(rows) => rows.first().map_or(0, |row| row.len() + 1),
            Rows::Tokens(_) | Rows::Token(_) => known::COLUMNS.len(),
            Rows::Made(made) => made.columns.len(),
        }
    }

    fn column(&self, position: usize) -> Option<&str> {
        match self {
            Rows::Table(rows) => match position.checked_sub(1) {
                None => rows.first().map(Row::key_name),
                Some(at) => rows.first()?.columns().nth(at).map(|(name, _)| name),
            },
            Rows::Tokens(_) | Rows::Token(_) => known::COLUMNS.get(position).copied(),
            Rows::Made(made) => made.columns.get(position).map(String::as_str),
        }
    }

    fn at(&self, index: usize, position: usize) -> Result<ValueRef<'_>> {
        match self {
            Rows::Table(rows) => {
                let row = rows.get(index).ok_or_else(no_row)?;
                match position.checked_sub(1) {
                    None => of_id(row.id()),
                    Some(at) => row.at(at).ok_or_else(no_column),
                }
            }
            Rows::Tokens(tokens) => {
                tokens.get(index).ok_or_else(no_row)?.at(position).ok_or_else(no_column)
            }
            Rows::Token(token) if index == 0 => token.at(position).ok_or_else(no_column),
            Rows::Token(_) => Err(no_row()),
            Rows::Made(made) => {
                if position >= made.columns.len() {
                    return Err(no_column());
                }
                let place =
                    index.checked_mul(made.columns.len()).and_then(|at| at.checked_add(position));
                let cell = place.and_then(|place| made.cells.get(place)).ok_or_else(no_row)?;
                Ok(cell.0.as_ref())
            }
        }
    }

    fn named(&self, index: usize, column: &str) -> Result<ValueRef<'_>> {
        match self {
            Rows::Table(rows) => Ok(rows.get(index).ok_or_else(no_row)?.get(column)?),
            Rows::Tokens(_) | Rows::Token(_) => {
                let position = known::COLUMNS.iter().position(|name| *name == column);
                self.at(index, position.ok_or_else(no_column)?)
            }
            Rows::Made(made) => {
                let position = made.columns.iter().position(|name| name == column);
                self.at(index, position.ok_or_else(no_column)?)
            }
        }
    }
}

/// Writes how many rows there are to `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rows_count(
    rows: *const sealite_rows,
    count: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(rows), out(count); { count.set(rows.count()); })
}

/// Writes how many columns each row has to `count`: 0 where there is no row of a table. Of a table's rows the first
/// column is the primary key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rows_columns(
    rows: *const sealite_rows,
    count: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(rows), out(count); { count.set(rows.width()); })
}

/// Writes the name of the column at `position`, counted from 0. It is not ended by a NUL, and lives as long as the rows.
///
/// SEALITE_NOT_FOUND where there is no such column.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rows_column_name(
    rows: *const sealite_rows,
    position: usize,
    name: *mut *const c_char,
    name_length: *mut usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(rows), plain(position), out(name), out(name_length); {
        let found = rows.column(position).ok_or_else(no_column)?;
        name.set(start(found.as_bytes()));
        name_length.set(found.len());
    })
}

/// Writes the value of the named column in the row at `index`, counted from 0, to `value`. What it points to lives as
/// long as the rows.
///
/// SEALITE_NOT_FOUND where there is no such row or column.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rows_value(
    rows: *const sealite_rows,
    index: usize,
    column: *const c_char,
    column_length: usize,
    value: *mut sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(rows), plain(index), text(column, column_length), out(value); {
        value.set(sealite_value::of(rows.named(index, column)?)?);
    })
}

/// As sealite_rows_value(), by the position of the column.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rows_value_at(
    rows: *const sealite_rows,
    index: usize,
    position: usize,
    value: *mut sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(rows), plain(index), plain(position), out(value); {
        value.set(sealite_value::of(rows.at(index, position)?)?);
    })
}

/// Writes the first `count` values of the row at `index` to the array `values`, in the order of the columns: one call in
/// the place of one for each. What they point to lives as long as the rows.
///
/// SEALITE_NOT_FOUND where there is no such row, or it has fewer columns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rows_read(
    rows: *const sealite_rows,
    index: usize,
    values: *mut sealite_value,
    count: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(rows), plain(index), needed_places(values, count); {
        // All or nothing.
        if let Some(last) = count.checked_sub(1) {
            rows.at(index, last)?;
        }
        for position in 0..count {
            values.set(position, sealite_value::of(rows.at(index, position)?)?);
        }
    })
}

/// Wipes and frees the rows; pointers read from them are void from then on. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rows_free(rows: *mut sealite_rows) {
    free(rows);
}
