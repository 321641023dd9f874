//! Statements that a transaction or snapshot holds itself, for programs that can't borrow from it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::handle::Statement;
use super::prepared::Prepared;
use super::within::Within;
use crate::db::tokens::{first_statement, is_blank};
use crate::error::{Result, err};
use crate::fork;
use crate::table::ReadSession;
use crate::table::session::Session;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A statement that a [`crate::Transaction`] or [`crate::Snapshot`] holds: of no other in the process, and gone with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HeldStatement(u64);

/// The statements of one transaction or snapshot. They go before its connection does.
pub(crate) struct HeldStatements {
    /// None in the place of one that is being worked with.
    all: RefCell<BTreeMap<u64, Option<Prepared>>>,
    made_in: u64,
}

impl HeldStatements {
    pub(crate) fn new() -> Self {
        HeldStatements { all: RefCell::default(), made_in: fork::generation() }
    }

    /// Prepares the first statement of a text; where the text goes on.
    pub(crate) fn prepare(
        &self,
        session: &Session,
        sql: &str,
    ) -> Result<(Option<HeldStatement>, usize)> {
        self.take_in(Within::Session(session), sql)
    }

    pub(crate) fn prepare_read(
        &self,
        session: &ReadSession,
        sql: &str,
    ) -> Result<(Option<HeldStatement>, usize)> {
        self.take_in(Within::Snapshot(&session.conn, &session.state), sql)
    }

    /// Works with a statement. It can't be reached through itself meanwhile.
    pub(crate) fn with<T>(
        &self,
        session: &Session,
        statement: HeldStatement,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        self.lend(Within::Session(session), statement, work)
    }

    pub(crate) fn with_read<T>(
        &self,
        session: &ReadSession,
        statement: HeldStatement,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        self.lend(Within::Snapshot(&session.conn, &session.state), statement, work)
    }

    pub(crate) fn remove(&self, HeldStatement(number): HeldStatement) {
        let statement = self.all.borrow_mut().remove(&number).flatten();
        self.end(statement);
    }

    #[allow(clippy::mem_forget)]
    fn end<T>(&self, statements: T) {
        // In a child they are the parent's, as their connection is.
        if self.made_in != fork::generation() {
            std::mem::forget(statements);
        }
    }

    fn take_in(&self, within: Within<'_>, sql: &str) -> Result<(Option<HeldStatement>, usize)> {
        let end = first_statement(sql);
        let first = sql.get(..end).unwrap_or_default();
        if is_blank(first) {
            return Ok((None, end));
        }
        let prepared = Prepared::new(within, first)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.all.borrow_mut().insert(number, Some(prepared));
        Ok((Some(HeldStatement(number)), end))
    }

    fn lend<T>(
        &self,
        within: Within<'_>,
        HeldStatement(number): HeldStatement,
        work: impl FnOnce(&mut Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        let found = self.all.borrow_mut().get_mut(&number).and_then(Option::take);
        let gone = || err!(Closed, "the statement has ended, or is another transaction's");
        let mut statement = Statement::of(within, found.ok_or_else(gone)?);
        let done = work(&mut statement);
        let prepared = statement.into_prepared();
        if let Some(place) = self.all.borrow_mut().get_mut(&number) {
            *place = prepared;
            return done;
        }
        // It was let go of meanwhile.
        self.end(prepared);
        done
    }
}

impl Drop for HeldStatements {
    fn drop(&mut self) {
        self.end(self.all.take());
    }
}

#[cfg(test)]
#[allow(clippy::redundant_closure_for_method_calls)]
// The path of a method of `Statement<'_>` is of one lifetime only.
mod tests {
    use crate::Vault;
    use crate::error::ErrorKind;

    #[test]
    fn held_statement_runs_within_its_transaction_and_ends_with_it() -> crate::Result<()> {
        let vault = Vault::in_memory()?;
        vault.execute("CREATE TABLE visits (page TEXT)", &[])?;
        let transaction = vault.begin()?;
        let (insert, end) = transaction.hold("INSERT INTO visits VALUES (?); SELECT 1")?;
        let insert = insert.expect("a statement");
        assert_eq!(end, "INSERT INTO visits VALUES (?);".len());
        for page in ["/", "/pricing"] {
            let run = |held: &mut crate::Statement<'_>| held.execute(&[page.into()]);
            assert_eq!(transaction.with_held(insert, run)?, 1);
        }
        let (select, _) = transaction.hold("SELECT page FROM visits ORDER BY page")?;
        let select = select.expect("a statement");
        assert!(transaction.with_held(select, |held| held.step())?);
        let page = |held: &mut crate::Statement<'_>| Ok(held.value(0)?.as_str() == Some("/"));
        assert!(transaction.with_held(select, page)?);
        // It stands on a row: the commit does not wait for it.
        transaction.commit()?;

        let next = vault.begin()?;
        let error = next.with_held(insert, |held| held.step()).expect_err("another transaction's");
        assert_eq!(error.kind(), ErrorKind::Closed);
        drop(next);

        let snapshot = vault.snapshot()?;
        let (count, _) = snapshot.hold("SELECT count(*) FROM visits")?;
        let count = count.expect("a statement");
        assert!(snapshot.with_held(count, |held| held.step())?);
        let two = |held: &mut crate::Statement<'_>| Ok(held.value(0)?.as_i64() == Some(2));
        assert!(snapshot.with_held(count, two)?);
        snapshot.let_go(count);
        let error = snapshot.with_held(count, |held| held.step()).expect_err("let go of");
        assert_eq!(error.kind(), ErrorKind::Closed);
        Ok(())
    }

    #[test]
    fn statement_let_go_of_while_it_is_worked_with_ends_then() -> crate::Result<()> {
        let vault = Vault::in_memory()?;
        let snapshot = vault.snapshot()?;
        let (one, _) = snapshot.hold("SELECT 1")?;
        let one = one.expect("a statement");
        let there = snapshot.with_held(one, |held| {
            snapshot.let_go(one);
            held.step()
        })?;
        assert!(there);
        let error = snapshot.with_held(one, |held| held.step()).expect_err("let go of");
        assert_eq!(error.kind(), ErrorKind::Closed);
        Ok(())
    }

    #[test]
    fn snapshot_of_a_vault_in_memory_writes_nothing_either() -> crate::Result<()> {
        let vault = Vault::in_memory()?;
        let notes =
            crate::TableDefinition::new("notes").column(crate::Column::text("body").sealed());
        vault.define_table(&notes)?;
        vault.execute("CREATE TABLE visits (page TEXT)", &[])?;
        let read_only = |error: crate::Error| assert_eq!(error.kind(), ErrorKind::ReadOnly);
        let write = "INSERT INTO visits VALUES ('/') RETURNING page";
        read_only(vault.query(write, &[]).expect_err("a write"));
        let snapshot = vault.snapshot()?;
        read_only(snapshot.query(write, &[]).expect_err("a write"));
        for write in [
            write,
            "INSERT INTO visits VALUES ('/')",
            "DELETE FROM notes",
            "CREATE TABLE t (x)",
            "PRAGMA user_version = 5",
            "PRAGMA user_version(5)",
            "PRAGMA optimize",
            "; pragma main.\"Optimize\"(-1)",
            "PRAGMA incremental_vacuum",
        ] {
            let mut prepared = snapshot.prepare(write)?;
            read_only(prepared.step().expect_err(write));
            assert!(snapshot.query(write, &[]).is_err(), "{write}");
        }
        for read in [
            "EXPLAIN INSERT INTO visits VALUES ('/')",
            "PRAGMA table_info(visits)",
            "PRAGMA user_version",
            "PRAGMA journal_mode",
            "PRAGMA integrity_check",
        ] {
            assert!(snapshot.prepare(read)?.step()?, "{read}");
        }
        drop(snapshot);
        let found = vault.query("SELECT count(*) FROM visits", &[])?;
        assert_eq!(found.rows.first().and_then(|row| row.first()?.as_ref().as_i64()), Some(0));
        let found = vault.query("PRAGMA user_version", &[])?;
        assert_eq!(found.rows.first().and_then(|row| row.first()?.as_ref().as_i64()), Some(0));
        Ok(())
    }
}
