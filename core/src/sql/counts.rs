//! `changes()` and `last_insert_rowid()` as SQL's own last statement left them: while a commit runs the engine writes its
//! marks, which SQLite would count.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_int;

use rusqlite::ffi;

use super::face::Face;
use crate::db::Handle;
use crate::error::Result;

/// What `changes()` answers where SQLite no longer knows.
#[derive(Default)]
pub(super) struct Counts(Cell<Option<i64>>);

impl Counts {
    /// The rows that the last INSERT, UPDATE or DELETE has changed.
    pub(super) fn changes(&self, handle: Handle) -> i64 {
        // SAFETY: the connection is this thread's (F3).
        self.0.get().unwrap_or_else(|| unsafe { ffi::sqlite3_changes64(handle.0.as_ptr()) })
    }

    /// SQLite knows: an INSERT, UPDATE or DELETE begins or has ended.
    pub(super) fn forget(&self) {
        self.0.set(None);
    }

    /// Runs `work`, the engine's own writes, so that nothing of them is to be seen.
    pub(super) fn apart<T>(&self, handle: Handle, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (db, changes) = (handle.0.as_ptr(), self.changes(handle));
        // SAFETY: as in `changes`.
        let last = unsafe { ffi::sqlite3_last_insert_rowid(db) };
        let done = work();
        self.0.set(Some(changes));
        // SAFETY: as in `changes`.
        unsafe { ffi::sqlite3_set_last_insert_rowid(db, last) };
        done
    }
}

/// `changes()` in SQL.
pub(super) unsafe extern "C" fn changes(
    context: *mut ffi::sqlite3_context,
    _count: c_int,
    _values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: M3, M4; nothing here can panic.
    unsafe {
        let face = &*ffi::sqlite3_user_data(context).cast::<Face>();
        ffi::sqlite3_result_int64(context, face.counts.changes(face.handle));
    }
}
