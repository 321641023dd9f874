//! What a face of this workspace sets up on SQLite's own connection: functions and collations of its language, and a look
//! at what runs.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - P1. SQLite has a pointer to a [`Watch`] only while that stands in its keeper's `watch`: it is set when a connection is
//!   taken, and taken away before the connection is given back, or the watch replaced. An own connection is closed before.
//! - P2. SQLite calls it while a statement of the connection runs, under the keeper's lock, and then nobody else reaches it.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use rusqlite::ffi;

use super::connection::Connection;
use crate::db::{Conn, Handle};
use crate::error::Result;
use crate::fork;

/// Is called every so many instructions of SQLite's virtual machine; true stops the statement.
pub(super) struct Watch {
    every: c_int,
    call: Box<dyn FnMut() -> bool + Send>,
}

impl Connection {
    /// Sets something up on SQLite's connection, now and whenever it is opened anew. Functions and collations call what is the
    /// program's by [`crate::called_back`].
    #[doc(hidden)]
    pub fn on_open(&self, setup: impl Fn(&rusqlite::Connection) + Send + 'static) -> Result<()> {
        self.with(|inner| {
            let setup = move |conn: &Conn| {
                setup(conn.raw()?);
                Ok(())
            };
            setup(inner.conn()?)?;
            inner.setups.push(Box::new(setup));
            Ok(())
        })
    }

    /// Works on SQLite's connection, once.
    #[doc(hidden)]
    pub fn with_raw<T>(&self, work: impl FnOnce(&rusqlite::Connection) -> T) -> Result<T> {
        self.with(|inner| Ok(work(inner.conn()?.raw()?)))
    }

    /// Has a function called every so many instructions while a statement runs; true stops the statement, which fails as
    /// `interrupted`.
    #[doc(hidden)]
    pub fn set_watch(&self, every: u16, call: impl FnMut() -> bool + Send + 'static) -> Result<()> {
        self.with(|inner| {
            let watch = Box::new(Watch { every: c_int::from(every), call: Box::new(call) });
            let before = inner.watch.replace(watch);
            let done = inner.set_watch();
            drop(before);
            done
        })
    }
}

/// Has SQLite call the watch; none takes the one away that is there.
pub(super) fn watch(conn: &Conn, watch: Option<&mut Watch>) -> Result<()> {
    let Handle(db) = Handle::of(conn)?;
    // SAFETY: P1.
    unsafe {
        match watch {
            Some(watch) => {
                let every = watch.every;
                let watch = ptr::from_mut(watch).cast();
                ffi::sqlite3_progress_handler(db.as_ptr(), every, Some(look), watch);
            }
            None => ffi::sqlite3_progress_handler(db.as_ptr(), 0, None, ptr::null_mut()),
        }
    }
    Ok(())
}

extern "C" fn look(watch: *mut c_void) -> c_int {
    // SAFETY: P1, P2.
    let watch = unsafe { &mut *watch.cast::<Watch>() };
    // A panic must not cross into C; it stops the statement.
    let call = || catch_unwind(AssertUnwindSafe(|| (watch.call)()));
    c_int::from(fork::called_back(call).unwrap_or(true))
}
