//! Values as C sees them.

use std::ffi::{c_char, c_void};

use sealite::{Value, ValueRef};
use zeroize::Zeroize;

use crate::call::Scope;
use crate::input;
use crate::output::Cleared;
use crate::status::{Failure, Result};

/// What a value is.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum sealite_type {
    /// No value. Distinct from an empty text and from a column that was not given.
    SEALITE_NULL = 0,
    /// A signed 64-bit integer, in `integer`.
    SEALITE_INTEGER = 1,
    /// An IEEE 754 double, in `real`; NaN is refused.
    SEALITE_REAL = 2,
    /// UTF-8 text, `length` bytes at `data`; NULs are allowed inside.
    SEALITE_TEXT = 3,
    /// Bytes, `length` of them at `data`.
    SEALITE_BLOB = 4,
    /// 0 or 1, in `integer`.
    SEALITE_BOOLEAN = 5,
    /// JSON text (RFC 8259), `length` bytes at `data`, kept byte for byte.
    SEALITE_JSON = 6,
}

/// A value, or the id of a row (an integer or a text). What `kind` does not use is ignored on the way in, and 0 or NULL
/// on the way out.
///
/// On the way in `data` is borrowed for the call; on the way out it belongs to the object that the value was read from.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sealite_value {
    /// A sealite_type.
    pub kind: i32,
    /// Of SEALITE_INTEGER and SEALITE_BOOLEAN.
    pub integer: i64,
    /// Of SEALITE_REAL.
    pub real: f64,
    /// Of SEALITE_TEXT, SEALITE_BLOB and SEALITE_JSON. On the way out it is not ended by a NUL.
    pub data: *const c_void,
    /// The bytes at `data`; on the way in SEALITE_NTS for a text that ends with its first NUL.
    pub length: usize,
}

/// A text in an array of texts.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sealite_string {
    /// UTF-8.
    pub data: *const c_char,
    /// In bytes, or SEALITE_NTS.
    pub length: usize,
}

impl Cleared for sealite_value {
    const CLEARED: Self = sealite_value {
        kind: sealite_type::SEALITE_NULL as i32,
        integer: 0,
        real: 0.0,
        data: std::ptr::null(),
        length: 0,
    };
}

/// Where bytes begin that are given out. An empty Vec lies at an address that is no memory, which some callers (Go's
/// runtime) take for a fault.
pub(crate) fn start<T>(bytes: &[u8]) -> *const T {
    static EMPTY: [u8; 1] = [0];
    if bytes.is_empty() { EMPTY.as_ptr().cast() } else { bytes.as_ptr().cast() }
}

impl sealite_value {
    /// Reads the value that C has given.
    pub(crate) unsafe fn read<'s>(&self, scope: &'s Scope, name: &str) -> Result<ValueRef<'s>> {
        // SAFETY: (1), (2).
        let text = || unsafe { input::text(scope, name, self.data.cast(), self.length) };
        Ok(match self.kind {
            0 => ValueRef::Null,
            1 => ValueRef::Integer(self.integer),
            2 => ValueRef::Real(self.real),
            3 => ValueRef::Text(text()?),
            // SAFETY: (1), (2).
            4 => ValueRef::Blob(unsafe { input::bytes(scope, name, self.data, self.length) }?),
            5 if matches!(self.integer, 0 | 1) => ValueRef::Boolean(self.integer == 1),
            5 => return Err(Failure::invalid(format!("{name}: a boolean is 0 or 1"))),
            6 => ValueRef::Json(text()?),
            _ => return Err(Failure::invalid(format!("{name}: a value of no kind that there is"))),
        })
    }

    /// The value, pointing into what it was borrowed from.
    pub(crate) fn of(value: ValueRef<'_>) -> Result<Self> {
        use sealite_type::*;
        let held = |kind: sealite_type, integer| sealite_value {
            kind: kind as i32,
            integer,
            ..sealite_value::CLEARED
        };
        let lying = |kind: sealite_type, bytes: &[u8]| sealite_value {
            kind: kind as i32,
            data: start(bytes),
            length: bytes.len(),
            ..sealite_value::CLEARED
        };
        Ok(match value {
            ValueRef::Null => sealite_value::CLEARED,
            ValueRef::Integer(v) => held(SEALITE_INTEGER, v),
            ValueRef::Real(v) => sealite_value { real: v, ..held(SEALITE_REAL, 0) },
            ValueRef::Text(v) => lying(SEALITE_TEXT, v.as_bytes()),
            ValueRef::Blob(v) => lying(SEALITE_BLOB, v),
            ValueRef::Boolean(v) => held(SEALITE_BOOLEAN, i64::from(v)),
            ValueRef::Json(v) => lying(SEALITE_JSON, v.as_bytes()),
            _ => return Err(Failure::internal()),
        })
    }
}

/// Adds a value. Where that takes a larger array, the old one is wiped: numbers lie in it.
pub(crate) fn push(values: &mut Vec<Wiped>, value: Wiped) {
    if values.len() == values.capacity() {
        let mut larger = Vec::with_capacity(values.capacity().saturating_mul(2).max(8));
        larger.extend(values.iter_mut().map(|old| Wiped::take(&mut old.0)));
        *values = larger;
    }
    values.push(value);
}

/// A value of the engine's, wiped when it goes.
pub(crate) struct Wiped(pub(crate) Value);

impl Wiped {
    /// Takes the value and leaves nothing of it.
    pub(crate) fn take(place: &mut Value) -> Self {
        let taken = Wiped(std::mem::replace(place, Value::Integer(0)));
        if let Value::Integer(left) = place {
            left.zeroize();
        }
        taken
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        match &mut self.0 {
            Value::Text(v) | Value::Json(v) => v.zeroize(),
            Value::Blob(v) => v.zeroize(),
            Value::Integer(v) => v.zeroize(),
            Value::Real(v) => v.zeroize(),
            Value::Boolean(v) => v.zeroize(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_added_in_order_whatever_room_there_is() {
        let mut values = Vec::new();
        for number in 0..100_i64 {
            push(&mut values, Wiped(Value::Integer(number)));
        }
        let numbers: Vec<_> = values.iter().filter_map(|value| value.0.as_ref().as_i64()).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        let mut left = Value::Real(1.5);
        assert_eq!(Wiped::take(&mut left).0, Value::Real(1.5));
        assert_eq!(left, Value::Integer(0));
    }

    #[test]
    fn empty_text_or_blob_points_to_memory() {
        for empty in [ValueRef::Text(&String::new()), ValueRef::Blob(&Vec::new())] {
            let shown = sealite_value::of(empty).unwrap();
            assert_eq!(shown.length, 0);
            assert!(shown.data.addr() >= 4_096, "{:p} is no memory", shown.data);
        }
    }
}
