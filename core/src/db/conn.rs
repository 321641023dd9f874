//! A connection and its statements, in the engine's own vocabulary.

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::config::DbConfig;

use super::authority::Authority;
use super::error::Checked;
use super::files::Log;
use super::open::Synchronous;
use super::statements::{SqlRow, Statements, Stmt};
use crate::error::{ErrorKind, Result, err, fail};
use crate::fork;
use crate::value::ValueRef;

/// One SQLite connection. Never used, and never closed, in another process than the one that opened it.
pub(crate) struct Conn {
    raw: Option<rusqlite::Connection>,
    pub(super) statements: Box<Statements>,
    authority: Arc<Authority>,
    generation: u64,
    durability: Cell<Synchronous>,
    /// Whether foreign keys are enforced.
    enforces: Cell<bool>,
    spills: Cell<bool>,
    number: u64,
    /// Its write-ahead log, where it keeps one.
    log: Option<Box<Log>>,
    /// What a layer above keeps with the connection. It goes after the connection has been closed.
    attachment: OnceCell<Box<dyn Any + Send>>,
}

impl Conn {
    /// A connection that was set to that durability.
    pub(super) fn new(
        raw: rusqlite::Connection,
        authority: Arc<Authority>,
        durability: Synchronous,
    ) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Conn {
            raw: Some(raw),
            statements: Box::default(),
            authority,
            generation: fork::generation(),
            durability: Cell::new(durability),
            enforces: Cell::new(true),
            spills: Cell::new(false),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            log: None,
            attachment: OnceCell::new(),
        }
    }

    /// With the log of the file that it has opened.
    pub(super) fn with_log(mut self, log: Log) -> Self {
        self.log = Some(Box::new(log));
        self
    }

    /// Fails where the log that it writes is not the file's any more.
    pub(crate) fn check_log(&self) -> Result<()> {
        self.log.as_ref().map_or(Ok(()), |log| log.check())
    }

    /// What a layer above keeps with the connection, made at its first use. It stays where it is in memory until the
    /// connection has been closed.
    pub(crate) fn attached<T: Any + Send>(
        &self,
        make: impl FnOnce(&Self) -> Result<Box<T>>,
    ) -> Result<&T> {
        if self.attachment.get().is_none() {
            let fresh: Box<dyn Any + Send> = make(self)?;
            let _ = self.attachment.set(fresh);
        }
        let there = self.attachment.get().and_then(|kept| kept.downcast_ref());
        there.ok_or_else(|| err!(Internal, "another thing is attached to the connection"))
    }

    /// Sets when a commit is on the disk, where it is set otherwise. Outside of transactions only.
    pub(super) fn set_durability(&self, durability: Synchronous) -> Result<()> {
        if self.durability.get() != durability {
            self.batch(durability.pragma())?;
            self.durability.set(durability);
        }
        Ok(())
    }

    /// Sets whether foreign keys are enforced, where it is set otherwise. Outside of transactions only.
    pub(super) fn set_enforces(&self, enforces: bool) -> Result<()> {
        if self.enforces.get() != enforces {
            let set = if enforces { "ON" } else { "OFF" };
            self.batch(&format!("PRAGMA foreign_keys = {set}"))?;
            self.enforces.set(enforces);
        }
        Ok(())
    }

    /// Sets whether sorting goes to temporary files, where it is set otherwise: in memory an index takes as much as its rows.
    /// Nothing that is sealed may be sorted then. Outside of transactions only.
    pub(super) fn set_spills(&self, spills: bool) -> Result<()> {
        if self.spills.get() != spills {
            let set = if spills { "FILE" } else { "MEMORY" };
            self.batch(&format!("PRAGMA temp_store = {set}"))?;
            self.spills.set(spills);
        }
        Ok(())
    }

    /// The connection; refused in the child where it was open when the process forked.
    pub(crate) fn raw(&self) -> Result<&rusqlite::Connection> {
        match &self.raw {
            Some(raw) if self.generation == fork::generation() => Ok(raw),
            _ => fail!(
                Forked,
                "the handle was in use when the process forked, and can't be used in the child"
            ),
        }
    }

    /// Lets go of the compiled statements that are kept.
    #[cfg(feature = "loadable")]
    pub(crate) fn forget_statements(&self) -> Result<()> {
        self.raw()?;
        self.statements.clear();
        Ok(())
    }

    /// Closing this connection will not write the log back.
    pub(super) fn keep_log(&self) {
        if let Ok(raw) = self.raw() {
            let _ = raw.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }

    /// An engine statement, from the cache where it is there.
    pub(crate) fn prepare(&self, sql: &str) -> Result<Stmt<'_>> {
        self.raw()?;
        self.statements.get(self, sql, None)
    }

    /// A statement of the application, compiled under the [`Authority`].
    pub(crate) fn prepare_application(&self, sql: &str) -> Result<Stmt<'_>> {
        // SQLite would read the text up to it, and no further.
        if sql.contains('\0') {
            fail!(InvalidInput, "SQL text with a NUL character");
        }
        self.raw()?;
        let _turn = self.authority.application();
        let prepared = self.statements.get(self, sql, Some(self.authority.readable().version()));
        match (prepared, self.authority.reason()) {
            (Err(error), Some(reason)) if error.kind() == ErrorKind::NotAllowed => {
                Err(err!(NotAllowed, "{reason}"))
            }
            (prepared, _) => prepared,
        }
    }

    /// Runs one engine statement; the number of rows it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
        self.prepare(sql)?.execute(parameters)
    }

    /// Runs several engine statements without parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.raw()?.execute_batch(sql).checked()
    }

    /// The first row, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        parameters: &[ValueRef<'_>],
        read: impl FnOnce(&SqlRow<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.prepare(sql)?.first(parameters, read)
    }

    /// This connection's number in the process: none is given out twice.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// This connection's number in the process, and SQLite's counter of what other connections have committed. Two of
    /// them are equal only where nobody else has committed in between.
    pub(crate) fn change_counter(&self) -> Result<(u64, i64)> {
        let version = self.first("PRAGMA data_version", &[], |row| row.integer(0))?;
        Ok((self.number, version.unwrap_or(0)))
    }

    /// Rows that statements of this connection have changed so far.
    pub(crate) fn changes(&self) -> Result<u64> {
        Ok(self.raw()?.total_changes())
    }

    /// True inside a transaction.
    pub(crate) fn in_transaction(&self) -> Result<bool> {
        Ok(!self.raw()?.is_autocommit())
    }

    /// What stops this connection's statement from another thread.
    pub(crate) fn interrupter(&self) -> Result<Interrupter> {
        Ok(Interrupter(self.raw()?.get_interrupt_handle()))
    }

    /// The row id of the last INSERT.
    pub(crate) fn last_insert_rowid(&self) -> Result<i64> {
        Ok(self.raw()?.last_insert_rowid())
    }

    pub(crate) fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }
}

impl Drop for Conn {
    #[allow(clippy::mem_forget)]
    fn drop(&mut self) {
        let statements = self.statements.take();
        if self.generation != fork::generation() {
            // Closing an inherited connection would drop the parent's locks: a child leaves it alone, unclosed.
            std::mem::forget((statements, self.raw.take()));
            return;
        }
        // SQLite closes no connection that has statements.
        drop(statements);
        if self.log.as_ref().is_some_and(|log| !log.is_in_place()) {
            // Closing would remove the log that others write now.
            self.keep_log();
        }
    }
}

/// Stops what a connection runs. It outlives the connection.
pub(crate) struct Interrupter(rusqlite::InterruptHandle);

impl Interrupter {
    pub(crate) fn interrupt(&self) {
        self.0.interrupt();
    }
}
