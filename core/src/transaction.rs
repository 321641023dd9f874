//! Transactions and snapshots, as a program holds them.

use std::sync::Arc;

use crate::audit::{Entry, append_for, note};
use crate::error::{Result, fail};
use crate::sql::{self, SqlRows, Statement};
use crate::table::definition::{TableDefinition, check_tenant};
use crate::table::engine::Engine;
use crate::table::savepoint;
use crate::table::session::Session;
use crate::table::{ReadSession, Source, Table, define};
use crate::token::Tokens;
use crate::value::ValueRef;

/// A write transaction: what is done in it is committed together or not at all. It belongs to one thread at a time
/// (`Send`, not `Sync`), and is rolled back when dropped without [`Transaction::commit`].
pub struct Transaction {
    session: Session,
    tenant: Option<Arc<str>>,
}

impl Transaction {
    pub(crate) fn begin(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Result<Self> {
        Ok(Transaction { session: Session::begin(engine)?, tenant })
    }

    /// Runs `work` and commits; where it fails or panics, dropping the transaction rolls it back.
    pub(crate) fn run<T>(self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        let result = work(&self)?;
        self.commit()?;
        Ok(result)
    }

    /// A table, within the transaction.
    pub fn table<'a>(&'a self, name: &'a str) -> Result<Table<'a>> {
        Table::new(Source::Session(&self.session), name, self.tenant.clone()).checked()
    }

    /// A table of a tenant, within the transaction. A tenant's own transaction reaches no other.
    pub fn tenant_table<'a>(&'a self, tenant: &str, name: &'a str) -> Result<Table<'a>> {
        check_tenant(tenant)?;
        self.check_root("reach another tenant")?;
        Table::new(Source::Session(&self.session), name, Some(Arc::from(tenant))).checked()
    }

    /// As [`crate::Vault::define_table`], within the transaction.
    pub fn define_table(&self, definition: &TableDefinition) -> Result<bool> {
        self.check_root("define tables")?;
        self.session.check_open()?;
        self.session.savepoint(|| define_table(&self.session, definition))
    }

    /// Runs one statement of SQL that returns no rows; the number of rows changed.
    pub fn execute(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
        self.check_root("run plain SQL")?;
        self.session.check_open()?;
        sql::execute(&self.session, sql, parameters)
    }

    /// Runs a statement that returns rows, a query or a write with RETURNING; it sees what the transaction has written.
    pub fn query(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        self.check_root("run plain SQL")?;
        self.session.check_open()?;
        sql::query(&self.session, sql, parameters)
    }

    /// Prepares one statement, to be bound and stepped. It sees what the transaction has written.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        self.check_root("run plain SQL")?;
        self.session.check_open()?;
        sql::prepare(&self.session, sql)
    }

    /// Appends an audit entry in this transaction: the change that it records happens only with it. Its place in the
    /// chain.
    pub fn audit(&self, entry: &Entry) -> Result<i64> {
        let tenant = self.tenant.as_deref().or(entry.tenant.as_deref());
        append_for(&self.session, entry, tenant)
    }

    /// Tokens, within the transaction: what is issued, used or revoked is so where it commits.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens::within(&self.session, self.tenant.clone())
    }

    /// Runs `work` so that it happens whole or not at all, whatever becomes of the rest of the transaction.
    pub fn savepoint<T>(&self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        self.session.check_open()?;
        self.session.savepoint(|| work(self))
    }

    /// Sets a savepoint, for callers that can't pass the work to [`Transaction::savepoint`]. What is not ended ends with
    /// the transaction.
    pub fn begin_savepoint(&self) -> Result<Savepoint> {
        self.session.check_open()?;
        Ok(Savepoint(self.session.begin_savepoint()?))
    }

    /// Ends a savepoint of this transaction, and those set after it: keeps what was done since, or takes it back. One that
    /// could not be ended is still set.
    ///
    /// # Errors
    /// `closed` where it has ended, by itself or with one set before it; `busy` where it is to be kept and a statement that
    /// writes has not been stepped to its end.
    pub fn end_savepoint(&self, savepoint: &Savepoint, keep: bool) -> Result<()> {
        let Savepoint(savepoint) = savepoint;
        if keep {
            self.session.check_open()?;
            return self.session.release(savepoint);
        }
        self.session.roll_back_to(savepoint)
    }

    /// Commits. On an error nothing was committed; after an `io` error, whether it was shows when the vault is opened again.
    pub fn commit(self) -> Result<()> {
        self.session.commit()
    }

    /// Takes everything back.
    pub fn roll_back(self) -> Result<()> {
        self.session.roll_back()
    }

    fn check_root(&self, what: &str) -> Result<()> {
        match &self.tenant {
            None => Ok(()),
            Some(_) => fail!(NotAllowed, "a tenant's transaction can't {what}"),
        }
    }
}

/// A place in a transaction to go back to: see [`Transaction::begin_savepoint`].
pub struct Savepoint(savepoint::Savepoint);

/// A view of the vault at one moment. It reads only, holds a connection until it is dropped, and holds back the
/// write-ahead log while it lives: keep it short.
pub struct Snapshot {
    session: ReadSession,
    tenant: Option<Arc<str>>,
}

impl Snapshot {
    pub(crate) fn begin(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Result<Self> {
        Ok(Snapshot { session: ReadSession::begin(engine)?, tenant })
    }

    /// A table, as it was when the snapshot was taken.
    pub fn table<'a>(&'a self, name: &'a str) -> Result<Table<'a>> {
        Table::new(Source::Snapshot(&self.session), name, self.tenant.clone()).checked()
    }

    /// A table of a tenant. A tenant's own snapshot reaches no other.
    pub fn tenant_table<'a>(&'a self, tenant: &str, name: &'a str) -> Result<Table<'a>> {
        check_tenant(tenant)?;
        if self.tenant.is_some() {
            fail!(NotAllowed, "a tenant's snapshot can't reach another tenant");
        }
        Table::new(Source::Snapshot(&self.session), name, Some(Arc::from(tenant))).checked()
    }

    /// Prepares a query, to be bound and stepped, as of the snapshot.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        if self.tenant.is_some() {
            fail!(NotAllowed, "a tenant's snapshot can't run plain SQL");
        }
        sql::prepare_read(&self.session, sql)
    }

    /// Runs a query in SQL, as of the snapshot.
    pub fn query(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        if self.tenant.is_some() {
            fail!(NotAllowed, "a tenant's snapshot can't run plain SQL");
        }
        sql::read(&self.session, sql, parameters)
    }
}

/// Declares a table, and records it where that creates the table.
pub(crate) fn define_table(session: &Session, definition: &TableDefinition) -> Result<bool> {
    let created = define::define(session, definition)?;
    if created {
        note(session, "table.defined", &serde_json::json!({"table": definition.name()}))?;
    }
    Ok(created)
}
