//! The host's connection, as the functions on it reach it.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - D1. A function's closure goes when its connection is closed, and runs on the thread that uses the connection; so does
//!   everything that it holds.
//! - D2. A pointer can't be made in SQL text, only bound, by code in the process. What it binds as a `sealite_key` is
//!   the structure that docs/extension.md shows, which stands, with its bytes, while the statement runs.

#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::api::VTAB_CONFIG;
use rusqlite::functions::Context;
use rusqlite::{Connection, ffi};
use sealite::{Guest, Unlock, Vault};

/// A connection of the host.
#[derive(Clone, Copy)]
pub(super) struct Db(*mut ffi::sqlite3);

// SAFETY: D1.
unsafe impl Send for Db {}
// SAFETY: D1.
unsafe impl Sync for Db {}

impl Db {
    pub(super) fn of(connection: &Connection) -> Self {
        // SAFETY: D1.
        Db(unsafe { connection.handle() })
    }

    /// The file of the main database; none in memory.
    pub(super) fn path(self) -> Option<PathBuf> {
        // SAFETY: D1; SQLite's text stands as long as the database is attached.
        unsafe {
            let name = ffi::sqlite3_db_filename(self.0, c"main".as_ptr());
            if name.is_null() {
                return None;
            }
            let bytes = CStr::from_ptr(name).to_bytes();
            (!bytes.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(bytes)))
        }
    }
}

/// A key, as a program binds a pointer to it.
#[repr(C)]
struct Key {
    bytes: *const u8,
    length: usize,
}

/// The key that the function's first argument, a NULL in SQL, points to; none where it is a NULL and nothing more.
pub(super) fn bound_key(context: &Context<'_>) -> Option<sealite::Result<Unlock>> {
    // SAFETY: D2.
    let key = unsafe { context.get_pointer::<Key>(0, c"sealite_key") }?;
    if key.bytes.is_null() {
        return Some(Unlock::key(&[]));
    }
    // The engine takes 32 bytes: it looks at no more than it takes to refuse others.
    // SAFETY: D2.
    Some(Unlock::key(unsafe { std::slice::from_raw_parts(key.bytes, key.length.min(33)) }))
}

/// Makes the vault's sealed tables known on the connection.
pub(super) fn attach(vault: &Vault, db: Db) -> sealite::Result<Option<Guest>> {
    let Some(config) = VTAB_CONFIG.get().copied() else { return Ok(None) };
    // SAFETY: D1.
    unsafe { Guest::new(&vault.lend()?, db.0.cast(), config) }.map(Some)
}
