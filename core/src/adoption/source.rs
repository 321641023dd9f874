//! A database of the application's, opened by the engine's own SQLite and left as it is but for what is asked for.

use std::path::Path;

use crate::db::schema::quote;
use crate::db::{Conn, Lease, Pool};
use crate::erasure::Erasure;
use crate::error::{ErrorKind, Result, err, fail};
use crate::vault::Vault;

/// The database.
pub(super) struct Database {
    pool: Pool,
}

/// Stands in the file from the transaction that removes what was in clear until that is overwritten.
const PENDING: &str = "sealite_pending";

impl Database {
    /// Refuses the vault's own file, and what is no SQLite database.
    pub(super) fn open(vault: &Vault, path: &Path) -> Result<Self> {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        if vault.path().is_some_and(|own| real(own).is_some() && real(own) == real(path)) {
            fail!(
                InvalidInput,
                "the database is the vault's own file: its tables are adopted in place"
            );
        }
        let Ok(path) = std::path::absolute(path) else {
            fail!(InvalidInput, "an empty path names no file");
        };
        let pool = Pool::foreign(&path)?;
        pool.reader()?.first("SELECT count(*) FROM main.sqlite_master", &[], |_| Ok(()))?;
        Ok(Database { pool })
    }

    pub(super) fn reader(&self) -> Result<Lease> {
        self.pool.reader()
    }

    /// A connection that writes. Foreign keys are not enforced and triggers do not fire on it.
    pub(super) fn writer(&self) -> Result<Lease> {
        self.pool.replacing_writer()
    }

    /// In a transaction that removes something: says that it is still to be overwritten.
    pub(super) fn mark(conn: &Conn) -> Result<()> {
        conn.batch(&format!("CREATE TABLE IF NOT EXISTS main.{} (id)", quote(PENDING)))
    }

    /// True where a transaction has removed something that is still to be overwritten.
    pub(super) fn is_marked(conn: &Conn) -> Result<bool> {
        let sql = "SELECT 1 FROM main.sqlite_master WHERE name = ?";
        Ok(conn.first(sql, &[PENDING.into()], |_| Ok(()))?.is_some())
    }

    /// Overwrites it, where there is something.
    pub(super) fn erase(&self) -> Result<Erasure> {
        let conn = self.writer()?;
        if !Self::is_marked(&conn)? {
            return Ok(Erasure::Complete);
        }
        if !self.pool.vacuum(&conn)? || !Pool::empty_log(&conn)? {
            return Ok(Erasure::Pending);
        }
        conn.batch(&format!("DROP TABLE main.{}", quote(PENDING)))?;
        let _ = Pool::empty_log(&conn)?;
        Ok(Erasure::Complete)
    }
}

/// Runs `work` in a transaction that locks the file from its beginning; taken back where it fails.
pub(super) fn transaction<T>(conn: &Conn, work: impl FnOnce() -> Result<T>) -> Result<T> {
    conn.execute("BEGIN IMMEDIATE", &[]).map_err(|error| match error.kind() {
        ErrorKind::Busy => err!(
            Busy,
            "another program is writing to the application's database: stop it, and call again"
        ),
        _ => error,
    })?;
    match work() {
        Ok(done) => {
            conn.execute("COMMIT", &[])?;
            Ok(done)
        }
        Err(error) => {
            if conn.in_transaction()? {
                conn.execute("ROLLBACK", &[])?;
            }
            Err(error)
        }
    }
}
