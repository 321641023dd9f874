//! Sealed tables on a connection of somebody else's SQLite, into which the engine was loaded as an extension.
//!
//! There is no statement layer and no authorizer here: what the statement says is read from SQLite's running statement.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - G1. The caller of [`Guest::new`] promises that the connection lives as long as the guest, that one thread at a time
//!   uses both, and that the guest goes when the connection is closed at the latest.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::Arc;

use rusqlite::ffi;

use super::face::{Face, Given};
use super::host::Host;
use super::native::VTAB_CONFIG;
use super::statement::Known;
use super::tables::{sync, unregister_all};
use super::within::Within;
use crate::db::{Conn, Handle, borrowed};
use crate::error::{Result, err, fail};
use crate::table::engine::Engine;

/// The sealed tables of a vault on a connection of the host's.
pub struct Guest {
    /// Before the connection, which its sessions are on.
    host: Box<Host>,
    conn: Box<Conn>,
}

/// `sqlite3_vtab_config`, as SQLite gives it to an extension.
pub type VtabConfig = unsafe extern "C" fn(*mut c_void, c_int, ...) -> c_int;

/// An open vault, for [`Guest::new`].
pub struct Lent(Arc<Engine>);

impl Lent {
    pub(crate) fn new(engine: &Arc<Engine>) -> Self {
        Lent(Arc::clone(engine))
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lent")
    }
}

// SAFETY: G1.
unsafe impl Send for Guest {}

impl Guest {
    /// For the connection `db`, on which [`Guest::refresh`] makes the tables known: a `sqlite3` that has the vault's
    /// file open as `main`.
    ///
    /// # Safety
    /// The connection lives as long as the guest, one thread at a time uses both, and the guest goes when the connection
    /// is closed at the latest.
    pub unsafe fn new(
        Lent(engine): &Lent,
        db: *mut c_void,
        vtab_config: VtabConfig,
    ) -> Result<Self> {
        let _ = VTAB_CONFIG.set(vtab_config);
        let db = NonNull::new(db.cast()).ok_or_else(|| err!(InvalidInput, "no connection"))?;
        // SAFETY: G1.
        let conn = Box::new(unsafe { borrowed(Handle(db), engine.pool.config()) }?);
        let guest = Guest { host: Box::new(Host::new(engine)), conn };
        guest.face()?.stay(&guest.conn, &guest.host);
        Ok(guest)
    }

    /// Makes the tables those of the vault now; their number. Not while a statement reads one of them.
    ///
    /// # Errors
    /// `not_allowed` where a plain table or view in the file has the name of a sealed one: SQLite would reach that one.
    pub fn refresh(&self) -> Result<usize> {
        let face = self.face()?;
        let state = self.host.state(face.handle, &self.conn)?;
        let synced = sync(face, &self.conn, &state);
        self.conn.forget_statements()?;
        synced?;
        match self.conn.authority().clash() {
            Some(name) => fail!(
                NotAllowed,
                "the file has a plain table or view named {name} beside the sealed table of that name: drop it first"
            ),
            None => Ok(face.synced.borrow().count()),
        }
    }

    /// Takes the tables away again. Statements on them fail from now on.
    pub fn withdraw(&self) -> Result<()> {
        unregister_all(self.face()?)?;
        self.conn.forget_statements()
    }

    fn face(&self) -> Result<&Face> {
        Face::of(Within::Host(&self.conn, &self.host))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.host.forget();
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guest")
    }
}

impl Face {
    /// What the text of the statement that runs on the connection says of its INSERT into that table; none where it has
    /// RETURNING, which SQLite would answer without the row's id.
    pub(super) fn given_by_statement(&self, table: &str) -> Option<Arc<Given>> {
        running_writes(self.handle).iter().find_map(|sql| match &*self.known(sql).ok()? {
            Known::Writes { write, given, .. }
                if write.returning.is_none() && given.inserts && given.table == table =>
            {
                Some(Arc::clone(given))
            }
            _ => None,
        })
    }
}

/// The texts of the connection's statements that write and have begun.
fn running_writes(Handle(db): Handle) -> Vec<String> {
    let mut found = Vec::new();
    let mut stmt = std::ptr::null_mut();
    loop {
        // SAFETY: G1; the statements are the connection's own, and a text stands as long as its statement.
        unsafe {
            stmt = ffi::sqlite3_next_stmt(db.as_ptr(), stmt);
            if stmt.is_null() {
                return found;
            }
            let sql = ffi::sqlite3_sql(stmt);
            if ffi::sqlite3_stmt_busy(stmt) != 0
                && ffi::sqlite3_stmt_readonly(stmt) == 0
                && !sql.is_null()
            {
                found.push(std::ffi::CStr::from_ptr(sql).to_string_lossy().into_owned());
            }
        }
    }
}
