//! SQLite's values as the engine's, and back.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - V1. An [`Args`] or [`Output`] is made in a callback from SQLite's own pointers and does not outlive it.
//! - V2. A value's bytes stand until the value is converted to another type. [`Arg::read`] converts before it borrows,
//!   and one value is read in one type during a callback.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::marker::PhantomData;

use rusqlite::ffi;

use crate::db::{RawValue, utf8};
use crate::error::{Result, err, fail};
use crate::format::context::tag;
use crate::format::payload;
use crate::value::{Type, ValueRef};

/// The arguments of a callback.
pub(super) struct Args<'a> {
    raw: &'a [*mut ffi::sqlite3_value],
}

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Arg<'a> {
    raw: *mut ffi::sqlite3_value,
    lent: PhantomData<&'a ()>,
}

impl Args<'_> {
    /// # Safety
    /// V1, with `count` values at `raw`.
    pub(super) unsafe fn new(count: c_int, raw: *mut *mut ffi::sqlite3_value) -> Self {
        let count = usize::try_from(count).unwrap_or(0);
        if raw.is_null() || count == 0 {
            return Args { raw: &[] };
        }
        // SAFETY: the caller's promise.
        Args { raw: unsafe { std::slice::from_raw_parts(raw, count) } }
    }

    pub(super) fn len(&self) -> usize {
        self.raw.len()
    }

    /// True where one of them is a number.
    pub(super) fn has_number(&self) -> bool {
        self.raw.iter().any(|raw| {
            // SAFETY: V1.
            let kind = unsafe { ffi::sqlite3_value_type(*raw) };
            matches!(kind, ffi::SQLITE_INTEGER | ffi::SQLITE_FLOAT)
        })
    }

    pub(super) fn get(&self, index: usize) -> Result<Arg<'_>> {
        let raw = self.raw.get(index).copied();
        let raw = raw.ok_or_else(|| err!(Internal, "SQLite gives too few values"))?;
        Ok(Arg { raw, lent: PhantomData })
    }
}

impl<'a> Arg<'a> {
    /// True for a column that an UPDATE leaves as it is.
    pub(super) fn is_unchanged(self) -> bool {
        // SAFETY: V1.
        unsafe { ffi::sqlite3_value_nochange(self.raw) != 0 }
    }

    pub(super) fn is_null(self) -> bool {
        // SAFETY: V1.
        unsafe { ffi::sqlite3_value_type(self.raw) == ffi::SQLITE_NULL }
    }

    /// The value under the affinity of a column of that type, as a STRICT table applies it: what can be converted
    /// without loss is, and the rest stays what it is.
    pub(super) fn read(self, kind: Type) -> Result<ValueRef<'a>> {
        // SAFETY: V1.
        let given = unsafe { ffi::sqlite3_value_type(self.raw) };
        let numeric = matches!(kind, Type::Integer | Type::Real | Type::Boolean);
        if given == ffi::SQLITE_TEXT && numeric {
            // SAFETY: V1, V2; SQLite's own rules say which texts are numbers.
            unsafe { ffi::sqlite3_value_numeric_type(self.raw) };
        }
        let number = matches!(given, ffi::SQLITE_INTEGER | ffi::SQLITE_FLOAT);
        if number && matches!(kind, Type::Text | Type::Json) {
            return self.text();
        }
        let value = self.plain()?;
        Ok(match (kind, value) {
            (Type::Integer | Type::Boolean, ValueRef::Real(v)) => {
                whole(v).map_or(value, ValueRef::Integer)
            }
            _ => value,
        })
    }

    /// The value as it is.
    pub(super) fn plain(self) -> Result<ValueRef<'a>> {
        // SAFETY: V1, V2.
        unsafe {
            Ok(match ffi::sqlite3_value_type(self.raw) {
                ffi::SQLITE_INTEGER => ValueRef::Integer(ffi::sqlite3_value_int64(self.raw)),
                ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_value_double(self.raw)),
                ffi::SQLITE_TEXT => return self.text(),
                ffi::SQLITE_BLOB => {
                    let blob = ffi::sqlite3_value_blob(self.raw);
                    ValueRef::Blob(self.bytes(blob.cast()))
                }
                _ => ValueRef::Null,
            })
        }
    }

    /// The value as SQLite writes it.
    fn text(self) -> Result<ValueRef<'a>> {
        // SAFETY: V1, V2.
        let bytes = unsafe {
            let text = ffi::sqlite3_value_text(self.raw);
            self.bytes(text)
        };
        let Some(text) = utf8(bytes) else {
            fail!(TypeMismatch, "a text that is not UTF-8");
        };
        Ok(ValueRef::Text(text))
    }

    /// # Safety
    /// `bytes` is what SQLite has just given for this value.
    unsafe fn bytes(self, bytes: *const u8) -> &'a [u8] {
        // SAFETY: V1, V2; the length belongs to the form that was asked for last.
        unsafe {
            let length = ffi::sqlite3_value_bytes(self.raw);
            match usize::try_from(length) {
                Ok(length) if !bytes.is_null() => std::slice::from_raw_parts(bytes, length),
                _ => &[],
            }
        }
    }
}

/// The integer that a double is.
fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let fits = value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value);
    fits.then_some(value as i64)
}

/// Where a column's value goes.
pub(super) struct Output {
    raw: *mut ffi::sqlite3_context,
}

impl Output {
    /// # Safety
    /// V1.
    pub(super) unsafe fn new(raw: *mut ffi::sqlite3_context) -> Self {
        Output { raw }
    }

    /// True where an UPDATE asks for a column that it does not change: no answer says so.
    pub(super) fn is_unchanged(&self) -> bool {
        // SAFETY: V1.
        unsafe { ffi::sqlite3_vtab_nochange(self.raw) != 0 }
    }

    /// Gives a column of another statement's row as it stands there, copied.
    pub(super) fn pass(&self, value: &RawValue<'_>) {
        // SAFETY: V1; the value is one of the same connection's.
        unsafe { ffi::sqlite3_result_value(self.raw, value.raw) };
    }

    fn set_text(&self, text: &[u8]) {
        // SAFETY: V1; pointer and length are those of a slice, which SQLite copies before it returns.
        unsafe {
            ffi::sqlite3_result_text64(
                self.raw,
                text.as_ptr().cast(),
                text.len() as u64,
                ffi::SQLITE_TRANSIENT(),
                ffi::SQLITE_UTF8 as u8,
            );
        }
    }

    /// Gives a value of a record by its tag and bytes, copied: SQLite does not ask whether a text is UTF-8.
    pub(super) fn set_tagged(&self, of: u8, bytes: &[u8]) -> Result<()> {
        match of {
            tag::TEXT | tag::JSON => self.set_text(bytes),
            _ => {
                let damaged =
                    |_| err!(Corrupt, "a record that opens has a payload that doesn't read");
                self.set(payload::value(of, bytes).map_err(damaged)?);
            }
        }
        Ok(())
    }

    /// Gives the value, copied.
    pub(super) fn set(&self, value: ValueRef<'_>) {
        let copied = ffi::SQLITE_TRANSIENT();
        // SAFETY: V1; pointer and length are those of a slice, which SQLite copies before it returns.
        unsafe {
            match value {
                ValueRef::Null => ffi::sqlite3_result_null(self.raw),
                ValueRef::Integer(v) => ffi::sqlite3_result_int64(self.raw, v),
                ValueRef::Boolean(v) => ffi::sqlite3_result_int64(self.raw, i64::from(v)),
                ValueRef::Real(v) => ffi::sqlite3_result_double(self.raw, v),
                ValueRef::Text(v) | ValueRef::Json(v) => self.set_text(v.as_bytes()),
                ValueRef::Blob([]) => ffi::sqlite3_result_zeroblob(self.raw, 0),
                ValueRef::Blob(v) => {
                    ffi::sqlite3_result_blob64(self.raw, v.as_ptr().cast(), v.len() as u64, copied);
                }
            }
        }
    }
}
