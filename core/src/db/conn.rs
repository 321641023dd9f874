//! A connection and its statements, in the engine's own vocabulary.

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef as Raw};
use rusqlite::{CachedStatement, ToSql};

use super::authority::Authority;
use super::error::Checked;
use super::files::Log;
use super::open::Synchronous;
use super::raw::RawStmt;
use crate::error::{ErrorKind, Result, err, fail};
use crate::fork;
use crate::value::ValueRef;

/// The application's statements are cached under their text, this, and the version of what they may read, the engine's
/// under their text alone, so that neither is ever served to the other, nor what was compiled under other rights. The statement ends before it: ALTER TABLE keeps a
/// column's text up to its end.
const APPLICATION_MARK: &str = "\n;-- application";

/// One SQLite connection. Never used, and never closed, in another process than the one that opened it.
pub(crate) struct Conn {
    raw: Option<rusqlite::Connection>,
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
        self.raw()?.flush_prepared_statement_cache();
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
        let raw = self.raw()?.prepare_cached(sql).checked()?;
        Ok(Stmt { raw, authority: None })
    }

    /// A statement of the application, compiled under the [`Authority`].
    pub(crate) fn prepare_application(&self, sql: &str) -> Result<Stmt<'_>> {
        // SQLite would read the text up to it, and no further.
        if sql.contains('\0') {
            fail!(InvalidInput, "SQL text with a NUL character");
        }
        let marked = format!("{sql}{APPLICATION_MARK} {}", self.authority.readable().version());
        let _turn = self.authority.application();
        let prepared = self.raw()?.prepare_cached(&marked).checked();
        match (prepared, self.authority.reason()) {
            (Err(error), Some(reason)) if error.kind() == ErrorKind::NotAllowed => {
                Err(err!(NotAllowed, "{reason}"))
            }
            (prepared, _) => Ok(Stmt { raw: prepared?, authority: Some(&self.authority) }),
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
        // Closing an inherited connection would drop the parent's locks: a child leaves it alone, unclosed.
        if self.generation != fork::generation() {
            std::mem::forget(self.raw.take());
        } else if self.log.as_ref().is_some_and(|log| !log.is_in_place()) {
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

/// A compiled statement. Returns to the connection's cache when dropped.
pub(crate) struct Stmt<'c> {
    raw: CachedStatement<'c>,
    authority: Option<&'c Authority>,
}

impl Stmt<'_> {
    /// Binds one parameter, counted from 1.
    pub(crate) fn bind(&mut self, index: usize, value: ValueRef<'_>) -> Result<()> {
        self.raw.raw_bind_parameter(index, Bound(value)).checked()
    }

    fn bind_all(&mut self, parameters: &[ValueRef<'_>]) -> Result<()> {
        let wanted = self.raw.parameter_count();
        if wanted != parameters.len() {
            fail!(Sql, "{} parameters for a statement that takes {wanted}", parameters.len());
        }
        for (index, value) in parameters.iter().enumerate() {
            self.bind(index + 1, *value)?;
        }
        Ok(())
    }

    /// Runs to the end; the number of rows changed.
    pub(crate) fn execute(&mut self, parameters: &[ValueRef<'_>]) -> Result<usize> {
        self.bind_all(parameters)?;
        self.execute_bound()
    }

    /// Runs to the end with the parameters bound before; the number of rows changed.
    pub(crate) fn execute_bound(&mut self) -> Result<usize> {
        let _turn = self.authority.map(Authority::application);
        self.raw.raw_execute().checked()
    }

    /// The first row, if there is one.
    pub(crate) fn first<T>(
        &mut self,
        parameters: &[ValueRef<'_>],
        read: impl FnOnce(&SqlRow<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.bind_all(parameters)?;
        let turn = self.authority.map(Authority::application);
        let mut rows = self.raw.raw_query();
        let row = rows.next().checked()?;
        drop(turn);
        row.map(|row| read(&SqlRow(Source::Cached(row)))).transpose()
    }

    /// Every row in turn, until `read` says stop.
    pub(crate) fn each(
        &mut self,
        parameters: &[ValueRef<'_>],
        mut read: impl FnMut(&SqlRow<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.bind_all(parameters)?;
        let authority = self.authority;
        let mut rows = self.raw.raw_query();
        loop {
            let turn = authority.map(Authority::application);
            let Some(row) = rows.next().checked()? else { return Ok(()) };
            drop(turn);
            if read(&SqlRow(Source::Cached(row)))?.is_break() {
                return Ok(());
            }
        }
    }

    /// True where the statement both writes and returns rows.
    pub(crate) fn writes_and_returns(&self) -> bool {
        self.raw.column_count() > 0 && !self.raw.readonly()
    }

    /// The number of the result's columns.
    pub(crate) fn column_count(&self) -> usize {
        self.raw.column_count()
    }

    /// The names of the result's columns.
    pub(crate) fn column_names(&self) -> Vec<String> {
        self.raw.column_names().map(str::to_owned).collect()
    }
}

/// A row that SQLite stands on.
pub(crate) struct SqlRow<'r>(Source<'r>);

enum Source<'r> {
    Cached(&'r rusqlite::Row<'r>),
    Raw(&'r RawStmt),
}

impl<'r> SqlRow<'r> {
    pub(super) fn raw(stmt: &'r RawStmt) -> Self {
        SqlRow(Source::Raw(stmt))
    }

    /// A column, counted from 0, as one of SQLite's five types.
    pub(crate) fn get(&self, index: usize) -> Result<ValueRef<'r>> {
        Ok(match self.get_unchecked_text(index)? {
            (ValueRef::Blob(v), true) => ValueRef::Text(
                std::str::from_utf8(v).map_err(|_| err!(Corrupt, "text that is not UTF-8"))?,
            ),
            (value, _) => value,
        })
    }

    /// A column as one of SQLite's five types, a text unchecked as a blob: for what is only authenticated here. True for
    /// a text.
    pub(crate) fn get_unchecked_text(&self, index: usize) -> Result<(ValueRef<'r>, bool)> {
        let row = match self.0 {
            Source::Cached(row) => row,
            Source::Raw(stmt) => return Ok(stmt.column(index)),
        };
        Ok(match row.get_ref(index).checked()? {
            Raw::Null => (ValueRef::Null, false),
            Raw::Integer(v) => (ValueRef::Integer(v), false),
            Raw::Real(v) => (ValueRef::Real(v), false),
            Raw::Blob(v) => (ValueRef::Blob(v), false),
            Raw::Text(v) => (ValueRef::Blob(v), true),
        })
    }

    pub(crate) fn integer(&self, index: usize) -> Result<i64> {
        self.get(index)?.as_i64().ok_or_else(|| unexpected("an integer"))
    }

    pub(crate) fn text(&self, index: usize) -> Result<&'r str> {
        self.get(index)?.as_str().ok_or_else(|| unexpected("text"))
    }

    pub(crate) fn blob(&self, index: usize) -> Result<&'r [u8]> {
        self.get(index)?.as_bytes().ok_or_else(|| unexpected("a blob"))
    }
}

fn unexpected(wanted: &str) -> crate::Error {
    err!(Corrupt, "a column of the engine's tables is not {wanted}")
}

struct Bound<'a>(ValueRef<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            ValueRef::Null => Raw::Null,
            ValueRef::Integer(v) => Raw::Integer(v),
            ValueRef::Real(v) => Raw::Real(v),
            ValueRef::Text(v) | ValueRef::Json(v) => Raw::Text(v.as_bytes()),
            ValueRef::Blob(v) => Raw::Blob(v),
            ValueRef::Boolean(v) => Raw::Integer(i64::from(v)),
        }))
    }
}
