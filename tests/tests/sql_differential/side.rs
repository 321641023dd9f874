//! The sealed side of a pair: a transaction of the vault's, or a connection on which SQL itself begins and ends it.

use sealite::{Connection, ErrorKind, Result, Savepoint, SqlRows, Transaction, ValueRef, Vault};

use super::pair::Statement;

/// How the statements reach the vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Through {
    Transactions,
    /// Transactions on a connection.
    Connection,
    /// A connection, each statement for itself.
    Autocommit,
}

/// Where statements run.
pub(crate) enum Side {
    Transaction(Box<Transaction>, Vec<Savepoint>),
    Connection(Connection),
}

impl Side {
    pub(crate) fn begin(vault: &Vault, connection: Option<&Connection>, through: Through) -> Self {
        match connection {
            Some(connection) => {
                if through == Through::Connection {
                    connection.execute("BEGIN", &[]).unwrap();
                }
                Side::Connection(connection.clone())
            }
            None => Side::Transaction(Box::new(vault.begin().unwrap()), Vec::new()),
        }
    }

    pub(crate) fn query(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        match self {
            Side::Transaction(tx, _) => tx.query(sql, parameters),
            Side::Connection(connection) => connection.query(sql, parameters),
        }
    }

    pub(crate) fn execute(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
        match self {
            Side::Transaction(tx, _) => tx.execute(sql, parameters),
            Side::Connection(connection) => connection.execute(sql, parameters),
        }
    }

    /// As [`Side::query`], by way of a prepared statement.
    pub(crate) fn query_prepared(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        match self {
            Side::Transaction(tx, _) => tx.prepare(sql)?.query(parameters),
            Side::Connection(connection) => connection.prepare(sql)?.query(parameters),
        }
    }

    /// As [`Side::execute`], by way of a prepared statement.
    pub(crate) fn execute_prepared(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
        match self {
            Side::Transaction(tx, _) => tx.prepare(sql)?.execute(parameters),
            Side::Connection(connection) => connection.prepare(sql)?.execute(parameters),
        }
    }

    pub(crate) fn save(&mut self, name: &str) {
        match self {
            Side::Transaction(tx, savepoints) => savepoints.push(tx.begin_savepoint().unwrap()),
            Side::Connection(connection) => {
                connection.execute(&format!("SAVEPOINT {name}"), &[]).unwrap();
            }
        }
    }

    /// Ends the innermost savepoint.
    pub(crate) fn release(&mut self, name: &str, keep: bool) {
        match self {
            Side::Transaction(tx, savepoints) => {
                tx.end_savepoint(&savepoints.pop().unwrap(), keep).unwrap();
            }
            Side::Connection(connection) => {
                if !keep {
                    connection.execute(&format!("ROLLBACK TO {name}"), &[]).unwrap();
                }
                connection.execute(&format!("RELEASE {name}"), &[]).unwrap();
            }
        }
    }

    pub(crate) fn end(self, keep: bool) {
        match self {
            Side::Transaction(tx, _) if keep => tx.commit().unwrap(),
            Side::Transaction(tx, _) => tx.roll_back().unwrap(),
            Side::Connection(connection) => {
                connection.execute(if keep { "COMMIT" } else { "ROLLBACK" }, &[]).unwrap();
            }
        }
    }

    /// A statement has ended the transaction.
    pub(crate) fn assert_ended(&self) {
        match self {
            Side::Transaction(tx, _) => {
                let closed = tx.execute("DELETE FROM orders WHERE id = -1", &[]).unwrap_err();
                assert_eq!(closed.kind(), ErrorKind::Closed);
            }
            Side::Connection(connection) => assert!(!connection.in_transaction().unwrap()),
        }
    }

    /// Runs the statement; its rows, or the counts that `counts` asks for.
    pub(crate) fn run(
        &self,
        statement: &Statement,
        parameters: &[ValueRef<'_>],
        counts: &str,
    ) -> Result<SqlRows> {
        let sql = statement.sql.as_str();
        match (statement.prepared, statement.returns) {
            (false, true) => self.query(sql, parameters),
            (true, true) => self.query_prepared(sql, parameters),
            (prepared, false) => {
                let changed = if prepared {
                    self.execute_prepared(sql, parameters)?
                } else {
                    self.execute(sql, parameters)?
                };
                let counts = self.query(counts, &[])?;
                let said = counts.rows[0][0].as_ref().as_i64();
                assert_eq!(said, i64::try_from(changed).ok(), "{sql}");
                Ok(counts)
            }
        }
    }
}
