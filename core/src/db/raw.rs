//! Statements that are held without a borrow of their connection, for cursors that live between two calls of SQLite.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - R1. `RawStmt::raw` is a statement that `sqlite3_prepare_v3` gave, finalised once, on drop. SQLite closes no
//!   connection that has statements (`sqlite3_close` answers BUSY), so the connection is there for as long as it.
//! - R2. A connection is used by one thread at a time, and its statements by the same one: `Conn` and `RawStmt` are not
//!   `Sync`, and who sends one to another thread sends both.
//! - R3. What SQLite lends (a column's bytes) holds until the next step, reset or drop, which all take `&mut self`.
//! - R4. What is lent to a statement is unbound again before the call ends that lent it ([`Lent`]).

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use rusqlite::ffi;

use super::conn::Conn;
use super::error::from_code;
use super::statements::SqlRow;
use super::text::{slice, text};
use crate::error::{ErrorKind, Result, err, fail};
use crate::fork;
use crate::value::ValueRef;

/// The connection, for what SQLite offers in C only.
#[derive(Clone, Copy)]
pub(crate) struct Handle(pub(crate) NonNull<ffi::sqlite3>);

/// A compiled statement.
pub(crate) struct RawStmt {
    raw: NonNull<ffi::sqlite3_stmt>,
    /// The generation whose connection it is of.
    made_in: u64,
}

// SAFETY: R2.
unsafe impl Send for RawStmt {}

/// A value of a row, as SQLite holds it.
pub(crate) struct RawValue<'r> {
    pub(crate) raw: *mut ffi::sqlite3_value,
    lent: PhantomData<&'r RawStmt>,
}

/// A statement to which values are lent.
struct Lent<'s>(&'s mut RawStmt);

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.reset();
        self.0.clear();
    }
}

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

    /// Compiles the only statement of a text; none where it holds none.
    pub(super) fn only(conn: &Conn, sql: &str) -> Result<Option<Self>> {
        let (stmt, tail) = Self::first(conn, sql)?;
        let rest = sql.get(tail..).unwrap_or_default();
        if stmt.is_some() && !rest.is_empty() && Self::first(conn, rest)?.0.is_some() {
            fail!(Sql, "more than one statement in one call");
        }
        Ok(stmt)
    }

    fn compile(conn: &Conn, sql: &str) -> Result<(Self, usize)> {
        match Self::first(conn, sql)? {
            (Some(stmt), tail) => Ok((stmt, tail)),
            (None, _) => Err(err!(Sql, "the text holds no statement")),
        }
    }

    /// Compiles the first statement of a text; where the text goes on.
    fn first(conn: &Conn, sql: &str) -> Result<(Option<Self>, usize)> {
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
        if code != ffi::SQLITE_OK {
            // SAFETY: R2.
            return Err(unsafe { failure(db.as_ptr(), code) });
        }
        let stmt = NonNull::new(raw).map(|raw| RawStmt { raw, made_in: fork::generation() });
        Ok((stmt, usize::try_from(tail).unwrap_or(0)))
    }

    /// Binds one parameter, counted from 1. The value is copied.
    pub(crate) fn bind(&mut self, index: usize, value: ValueRef<'_>) -> Result<()> {
        self.bind_as(index, value, ffi::SQLITE_TRANSIENT())
    }

    /// As [`RawStmt::bind`]; copied where `kind` says so, else lent (R4).
    fn bind_as(
        &mut self,
        index: usize,
        value: ValueRef<'_>,
        kind: ffi::sqlite3_destructor_type,
    ) -> Result<()> {
        let stmt = self.raw.as_ptr();
        let Ok(index) = c_int::try_from(index) else { fail!(Sql, "too many parameters") };
        // SAFETY: R1; pointer and length are those of a slice, which SQLite copies before it returns, or R4.
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
                    kind,
                    ffi::SQLITE_UTF8 as u8,
                ),
                // A null pointer would bind NULL.
                ValueRef::Blob([]) => ffi::sqlite3_bind_zeroblob(stmt, index, 0),
                ValueRef::Blob(v) => ffi::sqlite3_bind_blob64(
                    stmt,
                    index,
                    v.as_ptr().cast::<c_void>(),
                    v.len() as u64,
                    kind,
                ),
            }
        };
        self.checked(code)
    }

    /// Goes to the next row; false at the end.
    pub(crate) fn step(&mut self) -> Result<bool> {
        if self.is_the_parents() {
            fail!(
                Forked,
                "the statement was there when the process forked, and can't be used in the child"
            );
        }
        // SAFETY: R1, R2.
        match unsafe { ffi::sqlite3_step(self.raw.as_ptr()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(self.failed(code)),
        }
    }

    /// Makes the statement ready for another run.
    pub(crate) fn reset(&mut self) {
        if self.is_the_parents() {
            return;
        }
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
        SqlRow::new(self)
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
        let value = self.raw_value(index).raw;
        // SAFETY: R1, R2, R3: the bytes are borrowed from `self`, and the value is read in its own type.
        unsafe {
            match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_INTEGER => (ValueRef::Integer(ffi::sqlite3_value_int64(value)), false),
                ffi::SQLITE_FLOAT => (ValueRef::Real(ffi::sqlite3_value_double(value)), false),
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_value_text(value);
                    let length = ffi::sqlite3_value_bytes(value);
                    (ValueRef::Blob(slice(text, length)), true)
                }
                ffi::SQLITE_BLOB => {
                    let blob = ffi::sqlite3_value_blob(value);
                    let length = ffi::sqlite3_value_bytes(value);
                    (ValueRef::Blob(slice(blob.cast(), length)), false)
                }
                _ => (ValueRef::Null, false),
            }
        }
    }

    /// A column of the row, counted from 0, as SQLite holds it.
    pub(crate) fn raw_value(&self, index: usize) -> RawValue<'_> {
        let index = c_int::try_from(index).unwrap_or(c_int::MAX);
        // SAFETY: R1, R2, R3. SQLite answers a column that is not there with a NULL of its own.
        let raw = unsafe { ffi::sqlite3_column_value(self.raw.as_ptr(), index) };
        RawValue { raw, lent: PhantomData }
    }

    /// The number of the result's columns.
    pub(super) fn column_count(&self) -> usize {
        // SAFETY: R1, R2.
        usize::try_from(unsafe { ffi::sqlite3_column_count(self.raw.as_ptr()) }).unwrap_or(0)
    }

    /// Runs `work` with every parameter bound to a value that SQLite does not copy, and makes the statement ready again.
    pub(super) fn with<T>(
        &mut self,
        parameters: &[ValueRef<'_>],
        work: impl FnOnce(&mut RawStmt) -> Result<T>,
    ) -> Result<T> {
        let wanted = self.parameter_count();
        if wanted != parameters.len() {
            fail!(Sql, "{} parameters for a statement that takes {wanted}", parameters.len());
        }
        // Takes back what is lent, be it in a panic (R4).
        let lent = Lent(self);
        for (index, value) in parameters.iter().enumerate() {
            lent.0.bind_as(index + 1, *value, ffi::SQLITE_STATIC())?;
        }
        work(lent.0)
    }

    /// True in a child, where ending the statement would read, write or unlock the parent's file.
    fn is_the_parents(&self) -> bool {
        self.made_in != fork::generation()
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
        if self.is_the_parents() {
            return;
        }
        // SAFETY: R1: nobody else finalises it.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
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
