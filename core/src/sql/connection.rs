//! A connection for SQL that lives as long as its program wants: autocommit, BEGIN, COMMIT and savepoints in SQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::SqlRows;
use super::connected::Connected;
use super::face::Face;
use super::handle::Statement;
use super::keeper::Inner;
use super::within::Within;
use crate::db::{Interrupter, Keeper, Kept, Locked};
use crate::error::{Result, fail};
use crate::fork::PerProcess;
use crate::table::engine::Engine;
use crate::value::ValueRef;

/// A long-lived connection for SQL: sealed tables are tables on it, and BEGIN, COMMIT, ROLLBACK and savepoints are
/// statements, as with `sqlite3`. Outside of a transaction each statement commits by itself.
///
/// A handle: clones are the same connection. It may be used from many threads, one call at a time. Outside of
/// transactions, and with no statement standing on a row, it outlives a fork: the SQLite connection is closed before and
/// opened anew on both sides, with an empty temp schema ([`Connection::opened`] counts). In use at a fork it stays the
/// parent's, and calls in the child fail as `forked`. A vault in memory has one SQLite connection: between BEGIN and
/// COMMIT nothing else of the vault gets it.
///
/// ```
/// use sealite::{Column, ExposeSecret, TableDefinition, Unlock, Vault};
///
/// # fn main() -> sealite::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("sealite-doc-connection-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let unlock = Unlock::key_text(sealite::generate_key()?.expose_secret())?;
/// let vault = Vault::create(folder.join("app.db"), &unlock)?;
/// vault.define_table(&TableDefinition::new("notes").column(Column::text("body").sealed()))?;
/// let connection = vault.connect()?;
/// connection.execute("BEGIN", &[])?;
/// connection.execute("INSERT INTO notes (body) VALUES (?)", &["first".into()])?;
/// assert_eq!(connection.last_insert_rowid()?, 1);
/// connection.execute("ROLLBACK", &[])?;
/// assert!(connection.query("SELECT body FROM notes", &[])?.rows.is_empty());
/// # vault.close();
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Connection(pub(super) Arc<Shared>);

pub(super) struct Shared {
    /// Before the engine, whose pool it goes back to.
    kept: Kept,
    pub(super) engine: Arc<Engine>,
    /// True while it is inside a transaction, or a statement stands on a row.
    pub(super) busy: AtomicBool,
    pub(super) interrupter: PerProcess<Option<Interrupter>>,
}

impl Connection {
    pub(crate) fn open(engine: &Arc<Engine>) -> Result<Self> {
        engine.state()?;
        let connection = Connection(Arc::new(Shared {
            engine: Arc::clone(engine),
            kept: engine.pool.keep(Box::new(Inner::new(engine)))?,
            busy: AtomicBool::new(false),
            interrupter: PerProcess::default(),
        }));
        connection.with(|_| Ok(()))?;
        Ok(connection)
    }

    /// Prepares one statement.
    ///
    /// # Errors
    /// `sql` for a text that is none or more than one; `not_allowed`, `refused` for what is not for SQL.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'static>> {
        Ok(Statement::connected(self.compile(sql)?))
    }

    /// Runs a statement to its end; the number of rows changed. Rows that it returns are passed over.
    pub fn execute(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
        self.prepare(sql)?.execute(parameters)
    }

    /// Runs a statement and collects its rows.
    pub fn query(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        self.prepare(sql)?.query(parameters)
    }

    /// True between BEGIN and the COMMIT or ROLLBACK that ends it, or the RELEASE of the outermost savepoint.
    pub fn in_transaction(&self) -> Result<bool> {
        let inner = self.lock()?;
        inner.place.as_ref().map_or(Ok(false), |place| place.conn().in_transaction())
    }

    /// The number of rows that the last INSERT, UPDATE or DELETE changed.
    pub fn changes(&self) -> Result<u64> {
        self.with(|inner| {
            let face = Face::of(Within::Host(inner.conn()?, &inner.host))?;
            Ok(u64::try_from(face.counts.changes(face.handle)).unwrap_or_default())
        })
    }

    /// The number of rows changed since the connection was opened.
    pub fn total_changes(&self) -> Result<u64> {
        self.with(|inner| inner.conn()?.changes())
    }

    /// The row id of the last INSERT; 0 before the first.
    pub fn last_insert_rowid(&self) -> Result<i64> {
        self.with(|inner| inner.conn()?.last_insert_rowid())
    }

    /// Makes the statement that runs now, on any thread, fail as `interrupted`.
    pub fn interrupt(&self) {
        let interrupter = self.0.interrupter.read();
        if let Some(interrupter) = &*interrupter {
            interrupter.interrupt();
        }
    }

    /// How often the SQLite connection has been opened: more than once after a fork. What was in the temp schema is gone
    /// then.
    pub fn opened(&self) -> Result<u64> {
        Ok(self.lock()?.opened)
    }

    /// Rolls back what is open and closes. Statements that stand on a row end with their next step.
    pub fn close(&self) {
        let Ok(mut inner) = self.lock() else { return };
        inner.closed = true;
        inner.roll_back();
        inner.close_idle(false);
    }

    pub(super) fn compile(&self, sql: &str) -> Result<Connected> {
        let (key, columns) = self.with(|inner| {
            let prepared = inner.compile(sql)?;
            let columns = Arc::clone(&prepared.columns);
            Ok((inner.take_in(prepared), columns))
        })?;
        Ok(Connected::new(self.clone(), key, sql, columns))
    }

    pub(super) fn lock(&self) -> Result<Locked<'_, Inner>> {
        self.0.kept.lock()
    }

    /// Runs `work` on the open connection.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        let shared = &*self.0;
        // Waits for a fork that is near, and so not under the lock that the fork needs.
        if !shared.busy.load(Ordering::Acquire) {
            shared.engine.pool.check()?;
        }
        let mut inner = self.lock()?;
        if inner.closed {
            fail!(Closed, "the connection has been closed");
        }
        if inner.place.is_none() {
            inner.open(shared)?;
        }
        let done = work(&mut inner);
        let busy = inner.is_busy();
        shared.busy.store(busy, Ordering::Release);
        if !busy {
            inner.give_back();
        }
        done
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}
