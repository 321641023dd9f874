//! Statements that are held without a borrow of their connection, for cursors that live between two calls of SQLite.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - R1. `RawStmt::raw` is a statement that `sqlite3_prepare_v3` gave, finalised once, on drop. SQLite closes no
//!   connection that has statements (`sqlite3_close` answers BUSY), so the connection is there for as long as it.
//! - R2. A connection is used by one thread at a time, and its statements by the same one: `Conn` and `RawStmt` are not
//!   `Sync`, and who sends one to another thread sends both.
//! - R3. What SQLite lends (a column's bytes) holds until the next step, reset or drop, which all take `&mut self`.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};

use rusqlite::ffi;

use super::conn::{Conn, SqlRow};
use super::error::from_code;
use crate::error::{ErrorKind, Result, err, fail};
use crate::value::ValueRef;

/// The connection, for what SQLite offers in C only.
#[derive(Clone, Copy)]
pub(crate) struct Handle(pub(crate) NonNull<ffi::sqlite3>);

/// A compiled statement.
pub(crate) struct RawStmt {
    raw: NonNull<ffi::sqlite3_stmt>,
}

// SAFETY: R2.
unsafe impl Send for RawStmt {}

impl Handle {
    pub(crate) fn of(conn: &Conn) -> Result<Self> {
        // SAFETY: the handle is used on the connection's own thread and closed by nobody here (R2).
        let raw = unsafe { conn.raw()?.handle() };
        NonNull::new(raw).map(Handle).ok_or_else(|| err!(Internal, "a connection without a handle"))
    }
}

/// A connection of somebody else's, who goes on using and closes it.
///
/// # Safety
/// It lives as long as what is returned, and one thread at a time uses both (R2).
#[cfg(feature = "loadable")]
pub(crate) unsafe fn borrowed(Handle(db): Handle, config: &super::Config) -> Result<Conn> {
    // SAFETY: the caller's promise.
    let raw = unsafe { rusqlite::Connection::from_handle(db.as_ptr()) };
    super::open::guest(raw.map_err(super::error::from_sqlite)?, config)
}

impl RawStmt {
    /// Compiles one engine statement, to be kept.
    pub(crate) fn prepare(conn: &Conn, sql: &str) -> Result<Self> {
        Ok(Self::compile(conn, sql)?.0)
    }

    /// Compiles the first of an application's statements, under the [`super::Authority`]; where the text goes on.
    pub(crate) fn prepare_application(conn: &Conn, sql: &str) -> Result<(Self, usize)> {
        if sql.contains('\0') {
            fail!(InvalidInput, "SQL text with a NUL character");
        }
        let _turn = conn.authority().application();
        let compiled = Self::compile(conn, sql);
        match (compiled, conn.authority().reason()) {
            (Err(error), Some(reason)) if error.kind() == ErrorKind::NotAllowed => {
                Err(err!(NotAllowed, "{reason}"))
            }
            (compiled, _) => compiled,
        }
    }

    fn compile(conn: &Conn, sql: &str) -> Result<(Self, usize)> {
        let Handle(db) = Handle::of(conn)?;
        let Ok(length) = c_int::try_from(sql.len()) else { fail!(Limit, "SQL text too long") };
        let (mut raw, mut tail) = (ptr::null_mut(), ptr::null());
        let start = sql.as_ptr().cast();
        // SAFETY: the text is `length` bytes, and the tail points into it.
        let (code, tail) = unsafe {
            let code = ffi::sqlite3_prepare_v3(
                db.as_ptr(),
                start,
                length,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &raw mut raw,
                &raw mut tail,
            );
            (code, if tail.is_null() { 0 } else { tail.offset_from(start) })
        };
        match NonNull::new(raw) {
            Some(raw) if code == ffi::SQLITE_OK => {
                Ok((RawStmt { raw }, usize::try_from(tail).unwrap_or(0)))
            }
            None if code == ffi::SQLITE_OK => Err(err!(Sql, "the text holds no statement")),
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

    /// The names of the columns.
    pub(crate) fn column_names(&self) -> Vec<String> {
        let stmt = self.raw.as_ptr();
        // SAFETY: R1, R2; a name is a text until it is asked for again, or null where memory is short.
        unsafe {
            (0..ffi::sqlite3_column_count(stmt))
                .map(|at| text(ffi::sqlite3_column_name(stmt, at)).unwrap_or_default())
                .collect()
        }
    }

    /// True where SQLite has compiled the statement anew since this was asked last: its columns may be others.
    pub(crate) fn was_compiled_anew(&self) -> bool {
        // SAFETY: R1, R2.
        unsafe {
            ffi::sqlite3_stmt_status(self.raw.as_ptr(), ffi::SQLITE_STMTSTATUS_REPREPARE, 1) > 0
        }
    }

    /// The number of parameters.
    pub(crate) fn parameter_count(&self) -> usize {
        // SAFETY: R1, R2.
        usize::try_from(unsafe { ffi::sqlite3_bind_parameter_count(self.raw.as_ptr()) })
            .unwrap_or(0)
    }

    /// The name of a parameter, counted from 1, where it has one.
    pub(crate) fn parameter_name(&self, index: usize) -> Option<String> {
        let index = c_int::try_from(index).ok()?;
        // SAFETY: R1, R2; the name stands as long as the statement.
        unsafe { text(ffi::sqlite3_bind_parameter_name(self.raw.as_ptr(), index)) }
    }

    /// The number of rows that the statement, if it writes, has just changed.
    pub(crate) fn changes(&self) -> usize {
        let stmt = self.raw.as_ptr();
        // SAFETY: R1, R2.
        let changes = unsafe {
            match ffi::sqlite3_stmt_readonly(stmt) {
                0 => ffi::sqlite3_changes64(ffi::sqlite3_db_handle(stmt)),
                _ => 0,
            }
        };
        usize::try_from(changes).unwrap_or(0)
    }

    /// True where the statement changes nothing in the file.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: R1, R2.
        unsafe { ffi::sqlite3_stmt_readonly(self.raw.as_ptr()) != 0 }
    }

    /// The declared type of a result column, counted from 0.
    pub(crate) fn declared_type(&self, column: usize) -> Option<String> {
        let column = c_int::try_from(column).ok()?;
        // SAFETY: R1, R2; the text stands until the statement is compiled anew. A column that is not there has none.
        unsafe { text(ffi::sqlite3_column_decltype(self.raw.as_ptr(), column)) }
    }

    /// Gives another statement of the same connection what was bound.
    pub(crate) fn hand_over(&mut self, to: &mut RawStmt) -> Result<()> {
        if self.parameter_count() != to.parameter_count() {
            fail!(Busy, "the tables have changed under the statement: prepare it again");
        }
        // Not among what SQLite lends to an extension.
        #[cfg(feature = "loadable")]
        if self.parameter_count() > 0 {
            fail!(Busy, "the tables have changed under the statement: prepare it again");
        }
        #[cfg(not(feature = "loadable"))]
        {
            // SAFETY: R1, R2: both are of one connection.
            let code =
                unsafe { ffi::sqlite3_transfer_bindings(self.raw.as_ptr(), to.raw.as_ptr()) };
            to.checked(code)?;
        }
        Ok(())
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

/// A text of SQLite's, copied.
///
/// # Safety
/// `raw` is null or a text that stands during the call.
unsafe fn text(raw: *const std::ffi::c_char) -> Option<String> {
    // SAFETY: the caller's promise.
    (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned())
}

/// What the connection says of its last failure.
///
/// # Safety
/// `db` is an open connection that this thread uses.
unsafe fn failure(db: *mut ffi::sqlite3, code: c_int) -> crate::Error {
    // SAFETY: the caller's promise; the message is copied before anything else is called.
    let (extended, message) =
        unsafe { (ffi::sqlite3_extended_errcode(db), text(ffi::sqlite3_errmsg(db))) };
    let code = if extended & 0xff == code & 0xff { extended } else { code };
    from_code(code, message.as_deref())
}
