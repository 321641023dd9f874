//! Statements that are held without a borrow of their connection, for cursors that live between two calls of SQLite.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - R1. `RawStmt::raw` is a statement that `sqlite3_prepare_v3` gave, finalised once, on drop. SQLite closes no
//!   connection that has statements (`sqlite3_close` answers BUSY), so the connection is there for as long as it.
//! - R2. A connection is used by one thread at a time: `Conn` is not `Sync`, and a `RawStmt` is not `Send`.
//! - R3. What SQLite lends (a column's bytes) holds until the next step, reset or drop, which all take `&mut self`.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};

use rusqlite::ffi;

use super::conn::{Conn, SqlRow};
use super::error::from_code;
use crate::error::{Result, err, fail};
use crate::value::ValueRef;

/// The connection, for what SQLite offers in C only.
#[derive(Clone, Copy)]
pub(crate) struct Handle(pub(crate) NonNull<ffi::sqlite3>);

/// A compiled statement.
pub(crate) struct RawStmt {
    raw: NonNull<ffi::sqlite3_stmt>,
}

impl Handle {
    pub(crate) fn of(conn: &Conn) -> Result<Self> {
        // SAFETY: the handle is used on the connection's own thread and closed by nobody here (R2).
        let raw = unsafe { conn.raw()?.handle() };
        NonNull::new(raw).map(Handle).ok_or_else(|| err!(Internal, "a connection without a handle"))
    }
}

impl RawStmt {
    /// Compiles one statement, to be kept.
    pub(crate) fn prepare(conn: &Conn, sql: &str) -> Result<Self> {
        let Handle(db) = Handle::of(conn)?;
        let Ok(length) = c_int::try_from(sql.len()) else { fail!(Limit, "SQL text too long") };
        let mut raw = ptr::null_mut();
        // SAFETY: the text is `length` bytes; no tail is asked for.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                db.as_ptr(),
                sql.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &raw mut raw,
                ptr::null_mut(),
            )
        };
        match NonNull::new(raw) {
            Some(raw) if code == ffi::SQLITE_OK => Ok(RawStmt { raw }),
            // SAFETY: R2.
            _ => Err(unsafe { failure(db.as_ptr(), code) }),
        }
    }

    /// Binds one parameter, counted from 1. The value is copied.
    pub(crate) fn bind(&mut self, index: usize, value: ValueRef<'_>) -> Result<()> {
        let stmt = self.raw.as_ptr();
        let Ok(index) = c_int::try_from(index) else { fail!(Sql, "too many parameters") };
        let copied = ffi::SQLITE_TRANSIENT();
        // SAFETY: R1; pointer and length are those of a slice, and SQLite copies it before it returns.
        let code = unsafe {
            match value {
                ValueRef::Null => ffi::sqlite3_bind_null(stmt, index),
                ValueRef::Integer(v) => ffi::sqlite3_bind_int64(stmt, index, v),
                ValueRef::Boolean(v) => ffi::sqlite3_bind_int64(stmt, index, i64::from(v)),
                ValueRef::Real(v) => ffi::sqlite3_bind_double(stmt, index, v),
                ValueRef::Text(v) | ValueRef::Json(v) => ffi::sqlite3_bind_text64(
                    stmt,
                    index,
                    v.as_ptr().cast(),
                    v.len() as u64,
                    copied,
                    ffi::SQLITE_UTF8 as u8,
                ),
                // A null pointer would bind NULL.
                ValueRef::Blob([]) => ffi::sqlite3_bind_zeroblob(stmt, index, 0),
                ValueRef::Blob(v) => ffi::sqlite3_bind_blob64(
                    stmt,
                    index,
                    v.as_ptr().cast::<c_void>(),
                    v.len() as u64,
                    copied,
                ),
            }
        };
        self.checked(code)
    }

    /// Goes to the next row; false at the end.
    pub(crate) fn step(&mut self) -> Result<bool> {
        // SAFETY: R1, R2.
        match unsafe { ffi::sqlite3_step(self.raw.as_ptr()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(self.failed(code)),
        }
    }

    /// Makes the statement ready for another run.
    pub(crate) fn reset(&mut self) {
        // SAFETY: R1, R2. What the last step has failed with was reported by it.
        unsafe { ffi::sqlite3_reset(self.raw.as_ptr()) };
    }

    /// Forgets what was bound.
    pub(crate) fn clear(&mut self) {
        // SAFETY: R1, R2.
        unsafe { ffi::sqlite3_clear_bindings(self.raw.as_ptr()) };
    }

    /// The row that the last step went to.
    pub(crate) fn row(&self) -> SqlRow<'_> {
        SqlRow::raw(self)
    }

    /// The number of columns of a row.
    pub(crate) fn width(&self) -> usize {
        // SAFETY: R1, R2.
        usize::try_from(unsafe { ffi::sqlite3_column_count(self.raw.as_ptr()) }).unwrap_or(0)
    }

    /// A column of the row, counted from 0; a text comes as its bytes, and `true`.
    pub(super) fn column(&self, index: usize) -> (ValueRef<'_>, bool) {
        let stmt = self.raw.as_ptr();
        let Ok(index) = c_int::try_from(index) else { return (ValueRef::Null, false) };
        // SAFETY: R1, R3: the bytes are borrowed from `self`. SQLite answers a column that is not there with NULL.
        unsafe {
            match ffi::sqlite3_column_type(stmt, index) {
                ffi::SQLITE_INTEGER => {
                    (ValueRef::Integer(ffi::sqlite3_column_int64(stmt, index)), false)
                }
                ffi::SQLITE_FLOAT => {
                    (ValueRef::Real(ffi::sqlite3_column_double(stmt, index)), false)
                }
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_column_text(stmt, index);
                    let length = ffi::sqlite3_column_bytes(stmt, index);
                    (ValueRef::Blob(slice(text, length)), true)
                }
                ffi::SQLITE_BLOB => {
                    let blob = ffi::sqlite3_column_blob(stmt, index);
                    let length = ffi::sqlite3_column_bytes(stmt, index);
                    (ValueRef::Blob(slice(blob.cast(), length)), false)
                }
                _ => (ValueRef::Null, false),
            }
        }
    }

    fn checked(&self, code: c_int) -> Result<()> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(self.failed(code)) }
    }

    fn failed(&self, code: c_int) -> crate::Error {
        // SAFETY: R1, R2.
        unsafe { failure(ffi::sqlite3_db_handle(self.raw.as_ptr()), code) }
    }
}

impl Drop for RawStmt {
    fn drop(&mut self) {
        // SAFETY: R1: nobody else finalises it.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}

/// SQLite's bytes; none where it had no memory for them.
///
/// # Safety
/// `bytes` is null or the start of `length` bytes that live for `'r`.
unsafe fn slice<'r>(bytes: *const u8, length: c_int) -> &'r [u8] {
    match usize::try_from(length) {
        // SAFETY: the caller's promise.
        Ok(length) if !bytes.is_null() => unsafe { std::slice::from_raw_parts(bytes, length) },
        _ => &[],
    }
}

/// What the connection says of its last failure.
///
/// # Safety
/// `db` is an open connection that this thread uses.
unsafe fn failure(db: *mut ffi::sqlite3, code: c_int) -> crate::Error {
    // SAFETY: the caller's promise; the message is copied before anything else is called.
    let (extended, message) = unsafe {
        let message = ffi::sqlite3_errmsg(db);
        let message = (!message.is_null()).then(|| CStr::from_ptr(message).to_string_lossy());
        (ffi::sqlite3_extended_errcode(db), message.map(std::borrow::Cow::into_owned))
    };
    let code = if extended & 0xff == code & 0xff { extended } else { code };
    from_code(code, message.as_deref())
}
