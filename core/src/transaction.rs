//! Transactions and snapshots, as a program holds them.

use std::sync::Arc;

use crate::audit::{Entry, append_for, note};
use crate::error::{Result, fail};
use crate::sql::{self, HeldStatement, HeldStatements, SqlRows, Statement};
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
    /// Before the session, whose connection they are of.
    held: HeldStatements,
    session: Session,
    tenant: Option<Arc<str>>,
}

impl Transaction {
    pub(crate) fn begin(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Result<Self> {
        Ok(Transaction { held: HeldStatements::new(), session: Session::begin(engine)?, tenant })
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

    /// As [`Transaction::prepare`], of the first statement of a text, for callers that can't borrow from the transaction: it
    /// holds the statement until [`Transaction::let_go`], or its own end. Says at which byte the text goes on; none where
    /// only blanks and comments are left.
    ///
    /// ```
    /// use sealite::{HeldStatement, Transaction, Vault};
    ///
    /// /// What a binding to another language keeps: no lifetime in it.
    /// struct Work {
    ///     transaction: Transaction,
    ///     insert: HeldStatement,
    /// }
    ///
    /// # fn main() -> sealite::Result<()> {
    /// let vault = Vault::in_memory()?;
    /// vault.execute("CREATE TABLE visits (page TEXT)", &[])?;
    /// let transaction = vault.begin()?;
    /// let (Some(insert), _) = transaction.hold("INSERT INTO visits VALUES (?)")? else { return Ok(()) };
    /// let work = Work { transaction, insert };
    /// work.transaction.with_held(work.insert, |insert| insert.execute(&["/pricing".into()]))?;
    /// work.transaction.commit()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As of [`Transaction::prepare`].
    pub fn hold(&self, sql: &str) -> Result<(Option<HeldStatement>, usize)> {
        self.check_root("run plain SQL")?;
        self.session.check_open()?;
        self.held.prepare(&self.session, sql)
    }

    /// Works with a statement that the transaction holds.
    ///
    /// # Errors
    /// `closed` for one that it does not hold, or that is being worked with; what `work` returns.
    pub fn with_held<T>(
        &self,
        statement: HeldStatement,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        self.held.with(&self.session, statement, work)
    }

    /// Ends a statement that the transaction holds; one that is being worked with, when that is done.
    pub fn let_go(&self, statement: HeldStatement) {
        self.held.remove(statement);
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
        drop(self.held);
        self.session.commit()
    }

    /// Takes everything back; fine where SQLite has done so by itself, as after a full disk.
    pub fn roll_back(self) -> Result<()> {
        drop(self.held);
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
    /// Before the session, whose connection they are of.
    held: HeldStatements,
    session: ReadSession,
    tenant: Option<Arc<str>>,
}

impl Snapshot {
    pub(crate) fn begin(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Result<Self> {
        Ok(Snapshot { held: HeldStatements::new(), session: ReadSession::begin(engine)?, tenant })
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
        self.check_root()?;
        sql::prepare_read(&self.session, sql)
    }

    /// As [`Transaction::hold`], of a query, as of the snapshot.
    pub fn hold(&self, sql: &str) -> Result<(Option<HeldStatement>, usize)> {
        self.check_root()?;
        self.held.prepare_read(&self.session, sql)
    }

    /// Works with a statement that the snapshot holds.
    ///
    /// # Errors
    /// As of [`Transaction::with_held`].
    pub fn with_held<T>(
        &self,
        statement: HeldStatement,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        self.held.with_read(&self.session, statement, work)
    }

    /// Ends a statement that the snapshot holds; one that is being worked with, when that is done.
    pub fn let_go(&self, statement: HeldStatement) {
        self.held.remove(statement);
    }

    /// Runs a query in SQL, as of the snapshot.
    pub fn query(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        self.check_root()?;
        sql::read(&self.session, sql, parameters)
    }

    fn check_root(&self) -> Result<()> {
        match &self.tenant {
            None => Ok(()),
            Some(_) => fail!(NotAllowed, "a tenant's snapshot can't run plain SQL"),
        }
    }
}

/// Declares a table, and records it where that creates the table.
pub(crate) fn define_table(session: &Session, definition: &TableDefinition) -> Result<bool> {
    let created = define::define(session, definition)?;
    if created {
        note(session, "table.defined", serde_json::json!({"table": definition.name()}))?;
    }
    Ok(created)
}
