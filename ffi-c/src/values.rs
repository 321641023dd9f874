//! The row builder.

use std::ffi::c_char;

use sealite::ValueRef;

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::Result;
use crate::status::sealite_status;
use crate::value::{Wiped, push, sealite_value};

/// Column names and values, to insert or update a row with. Not for two threads at once (SEALITE_BUSY). Wiped by
/// sealite_values_free().
pub struct sealite_values {
    _opaque: [u8; 0],
}

pub(crate) type Pairs = Builder<Given>;

/// The object.
#[derive(Default)]
pub(crate) struct Given {
    columns: Vec<String>,
    /// As many.
    cells: Vec<Wiped>,
}

impl Kind for sealite_values {
    type Object = Pairs;
}

/// Runs `work` on the values as the engine takes them.
pub(crate) fn pairs<R>(
    values: &Pairs,
    work: impl FnOnce(&[(&str, ValueRef<'_>)]) -> Result<R>,
) -> Result<R> {
    values.with(|held| {
        let values = held.cells.iter().map(|value| value.0.as_ref());
        let pairs: Vec<_> = held.columns.iter().map(String::as_str).zip(values).collect();
        work(&pairs)
    })
}

/// Makes an empty row builder. Free it with sealite_values_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_values_create(
    values: *mut *mut sealite_values,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(values); { values.give(Builder::new(Given::default()))?; })
}

/// Sets the value of a column, in place of one that was set before. Name and value are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_values_set(
    values: *mut sealite_values,
    column: *const c_char,
    column_length: usize,
    value: *const sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(values), text(column, column_length), value(value); {
        let value = Wiped(value.to_owned());
        values.with(|held| {
            let Given { columns, cells } = held;
            let known = columns.iter().position(|name| name == column);
            match known.and_then(|at| cells.get_mut(at)) {
                Some(cell) => *cell = value,
                None => {
                    columns.push(column.to_owned());
                    push(cells, value);
                }
            }
            Ok(())
        })?;
    })
}

/// Wipes what was set, for the next row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_values_clear(
    values: *mut sealite_values,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(values); {
        values.with(|held| {
            held.columns.clear();
            held.cells.clear();
            Ok(())
        })?;
    })
}

/// Wipes and frees the builder. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_values_free(values: *mut sealite_values) {
    free(values);
}
