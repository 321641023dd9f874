//! Single sealed values, for a database of the application's own.

use std::ffi::{c_char, c_void};

use sealite::{Field, Value, ValueRef};

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{call, free};
use crate::definition::{PADDINGS, padding};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::output::Out;
use crate::rows::{Made, sealite_rows};
use crate::schema::index;
use crate::status::sealite_status;
use crate::status::{Failure, Result};
use crate::tenant::{self, sealite_tenant};
use crate::value::{Wiped, sealite_value};
use crate::vault::sealite_vault;

/// A kind of value, such as `users.email`, that is sealed one by one and kept elsewhere. What is sealed under one name,
/// tenant and record id opens only under the same. It may be used from any thread.
pub struct sealite_field {
    _opaque: [u8; 0],
}

impl Kind for sealite_field {
    type Object = Field;
}

/// Gives a value out: what it points to lies in `memory`.
pub(crate) fn give(
    given: ValueRef<'_>,
    value: &Out<'_, sealite_value>,
    memory: &Out<'_, *mut sealite_bytes>,
) -> Result<()> {
    let bytes = match given {
        ValueRef::Text(text) | ValueRef::Json(text) => text.as_bytes(),
        ValueRef::Blob(bytes) => bytes,
        _ => &[],
    };
    let copy = Bytes::copy_of(bytes);
    let mut shown = sealite_value::of(given)?;
    if !shown.data.is_null() {
        shown.data = copy.as_slice().as_ptr().cast();
    }
    memory.give(copy)?;
    value.set(shown);
    Ok(())
}

/// Makes a handle to a field of the vault. Free it with sealite_field_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_field(
    vault: *mut sealite_vault,
    name: *const c_char,
    name_length: usize,
    field: *mut *mut sealite_field,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(name, name_length), out(field); {
        field.give(vault.field(name)?)?;
    })
}

/// Makes a handle to a field of the tenant. Free it with sealite_field_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_field(
    tenant: *mut sealite_tenant,
    name: *const c_char,
    name_length: usize,
    field: *mut *mut sealite_field,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), text(name, name_length), out(field); {
        field.give(tenant::of(&tenant)?.field(name)?)?;
    })
}

/// Makes a handle to the same field that pads what it seals in another way: a sealite_padding, and for
/// SEALITE_PADDING_BLOCK the bytes of a block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_padded(
    field: *const sealite_field,
    kind: i32,
    block: u32,
    padded: *mut *mut sealite_field,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(field), choice(kind, &PADDINGS), plain(block), out(padded); {
        let padding = padding(kind, block)?;
        if matches!(padding, sealite::Padding::Block(0 | u16::MAX)) {
            return Err(Failure::invalid("a padding block has 1 to 65,534 bytes"));
        }
        padded.give((*field).clone().padding(padding))?;
    })
}

/// Seals a value: a record of at least 79 bytes. NULL is sealed too, and hidden. `record` is the id of the row that will
/// hold it, or NULL: given, nobody can move the value to another row. Free what is sealed with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_seal(
    field: *const sealite_field,
    value: *const sealite_value,
    record: *const sealite_value,
    sealed: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(field), value(value), optional_id(record), out(sealed); {
        sealed.give(Bytes::copy_of(&field.seal(value, record)?))?;
    })
}

/// Seals many values. `records` has as many ids, or is NULL. Rows: `sealed`, in the order of the values.
///
/// SEALITE_LOCKED; SEALITE_INVALID_INPUT as of sealite_field_seal().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_seal_many(
    field: *const sealite_field,
    values: *const sealite_value,
    records: *const sealite_value,
    count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    let record_count = if records.is_null() { 0 } else { count };
    call!(error;
        handle(field), values(values, count), ids(records, record_count), out(rows);
        {
            let pairs: Vec<_> =
                values.iter().enumerate().map(|(at, v)| (*v, records.get(at).copied())).collect();
            let mut made = Made::new(&["sealed"]);
            for sealed in field.seal_many(&pairs)? {
                made.push([Value::Blob(sealed)]);
            }
            rows.give(made.into())?;
        }
    )
}

/// Opens a sealed value. `value` points into `memory`, which is to be freed with sealite_bytes_free().
///
/// SEALITE_AUTHENTICATION_FAILED where it was sealed for another field, tenant or record, or altered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_open(
    field: *const sealite_field,
    sealed: *const c_void,
    sealed_length: usize,
    record: *const sealite_value,
    value: *mut sealite_value,
    memory: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(field), bytes(sealed, sealed_length), optional_id(record), out(value), out(memory);
        {
            let opened = Wiped(field.open(sealed, record)?);
            give(opened.0.as_ref(), &value, &memory)?;
        }
    )
}

/// Opens many sealed values, given as SEALITE_BLOB. `records` has as many ids, or is NULL. The first that does not open
/// fails the call. Rows: `value`, in their order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_open_many(
    field: *const sealite_field,
    sealed: *const sealite_value,
    records: *const sealite_value,
    count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    let record_count = if records.is_null() { 0 } else { count };
    call!(error;
        handle(field), values(sealed, count), ids(records, record_count), out(rows);
        {
            let pairs = sealed.iter().enumerate().map(|(at, value)| {
                value.as_bytes().map(|bytes| (bytes, records.get(at).copied()))
            });
            let pairs: Option<Vec<_>> = pairs.collect();
            let pairs = pairs.ok_or_else(|| Failure::invalid("what is sealed is a blob"))?;
            let mut made = Made::new(&["value"]);
            for opened in field.open_many(&pairs)? {
                made.push([opened]);
            }
            rows.give(made.into())?;
        }
    )
}

/// Makes the blind index of a value, to be kept in a column of its own and compared for equality: 16 bytes for `unique`,
/// an integer for `lookup COUNT`, NULL for NULL. `index` is the index's specification, such as `unique email`. `indexed`
/// points into `memory`, which is to be freed with sealite_bytes_free().
///
/// SEALITE_REFUSED for a look-up over fewer than 1,024 different values, unless the leakage is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_index(
    field: *const sealite_field,
    value: *const sealite_value,
    index: *const c_char,
    index_length: usize,
    indexed: *mut sealite_value,
    memory: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(field), value(value), text(index, index_length), out(indexed), out(memory);
        {
            let index = self::index(index)?;
            let made = Wiped(field.index(value, &index)?);
            give(made.0.as_ref(), &indexed, &memory)?;
        }
    )
}

/// As sealite_field_index() of `field`, of the `value_count` values at `values`. `index` is the index's specification.
/// `rows`, free it with sealite_rows_free(): `index`, in the order of `values`.
///
/// SEALITE_REFUSED as there; the first value that has no index fails the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_index_many(
    field: *const sealite_field,
    values: *const sealite_value,
    value_count: usize,
    index: *const c_char,
    index_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(field), values(values, value_count), text(index, index_length), out(rows);
        {
            let index = self::index(index)?;
            let mut made = Made::new(&["index"]);
            for one in field.index_many(&values, &index)? {
                made.push([one]);
            }
            rows.give(made.into())?;
        }
    )
}

/// Makes every blind index that stands for a value: that of sealite_field_index() first and then, until the index keys that a
/// rotation has retired are destroyed, those under them. A look-up asks for all. Rows: `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_index_values(
    field: *const sealite_field,
    value: *const sealite_value,
    index: *const c_char,
    index_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(field), value(value), text(index, index_length), out(rows); {
        let index = self::index(index)?;
        let mut made = Made::new(&["index"]);
        for one in field.index_values(value, &index)? {
            made.push([one]);
        }
        rows.give(made.into())?;
    })
}

/// Seals a value anew where it is under a key that a rotation has retired; `fresh` is set to NULL where it is not. Free what
/// is sealed with sealite_bytes_free().
///
/// SEALITE_AUTHENTICATION_FAILED where it was sealed for another field, tenant or record, or altered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_reseal(
    field: *const sealite_field,
    sealed: *const c_void,
    sealed_length: usize,
    record: *const sealite_value,
    fresh: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(field), bytes(sealed, sealed_length), optional_id(record), out(fresh);
        {
            if let Some(sealed) = field.reseal(sealed, record)? {
                fresh.give(Bytes::copy_of(&sealed))?;
            }
        }
    )
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_field_free(field: *mut sealite_field) {
    free(field);
}
