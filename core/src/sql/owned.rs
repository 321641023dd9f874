//! A statement that changes threads with its owner.

use std::sync::Arc;

use super::connected::Connected;
use super::prepared::Prepared;
use crate::db::tokens::{first_statement, is_blank};
use crate::error::{Result, fail};
use crate::sql::Connection;
use crate::value::ValueRef;

/// A statement of a [`Connection`], as [`crate::Statement`] is one, for a program that moves it between threads. Its calls
/// are few and whole: each takes the connection's lock once.
pub struct OwnedStatement(Connected);

impl Connection {
    /// Prepares the first statement of a text, and says at which byte the text goes on; none where only blanks and comments
    /// are left.
    ///
    /// # Errors
    /// As [`Connection::prepare`].
    pub fn prepare_owned(&self, sql: &str) -> Result<(Option<OwnedStatement>, usize)> {
        let end = first_statement(sql);
        let first = sql.get(..end).unwrap_or_default();
        if is_blank(first) {
            return Ok((None, end));
        }
        Ok((Some(OwnedStatement(self.compile(first)?)), end))
    }
}

impl OwnedStatement {
    /// The names of the columns of a row; none where the statement returns no rows. Others, after a first row was
    /// fetched, where the tables have changed since the statement was prepared.
    pub fn columns(&self) -> &Arc<[String]> {
        self.0.shared_columns()
    }

    /// The declared type of a result column, as [`crate::Statement::declared_type`] says it.
    pub fn declared_type(&self, column: usize) -> Option<String> {
        self.0.look(|prepared| prepared.declared_type(column)).ok().flatten()
    }

    /// The names of the parameters, in order, with their `:`, `@`, `$` or `?`; none for a bare `?`.
    pub fn parameters(&self) -> Vec<Option<String>> {
        let names = |prepared: &Prepared| {
            (1..=prepared.parameter_count()).map(|at| prepared.parameter_name(at)).collect()
        };
        self.0.look(names).unwrap_or_default()
    }

    /// True where the statement changes nothing in the file.
    pub fn is_read_only(&self) -> bool {
        self.0.look(Prepared::is_read_only).unwrap_or(true)
    }

    /// The number of rows that the last run has changed; 0 while it still runs.
    pub fn changes(&self) -> usize {
        self.0.look(Prepared::changes).unwrap_or(0)
    }

    /// Binds every parameter, in order, and goes to the first rows: as [`OwnedStatement::fetch`].
    pub fn run(
        &mut self,
        parameters: &[ValueRef<'_>],
        rows: usize,
        take: impl FnMut(ValueRef<'_>) -> Result<()>,
    ) -> Result<bool> {
        self.0.fetch(Some(parameters), rows, take)
    }

    /// Goes on by up to so many rows, every column of each, in order, to `take`; false at the end.
    ///
    /// # Errors
    /// What stopped the statement, or `take`; what was taken before stands.
    pub fn fetch(
        &mut self,
        rows: usize,
        take: impl FnMut(ValueRef<'_>) -> Result<()>,
    ) -> Result<bool> {
        self.0.fetch(None, rows, take)
    }

    /// Runs so many times, each with the next of the parameters that stand one after another; the number of rows that each
    /// run has changed to `done`. True where one returned a row: it stands there, and the others have not run.
    ///
    /// # Errors
    /// What stopped a run. Those before it stand, as the transaction has it.
    pub fn run_each(
        &mut self,
        parameters: &[ValueRef<'_>],
        runs: usize,
        done: impl FnMut(usize),
    ) -> Result<bool> {
        self.0.run_each(parameters, runs, done)
    }

    /// Makes the statement ready for another run. What was bound stays.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

impl Prepared {
    /// Binds every parameter, in order.
    pub(super) fn bind_all(&mut self, parameters: &[ValueRef<'_>]) -> Result<()> {
        let wanted = self.parameter_count();
        if parameters.len() != wanted {
            fail!(Sql, "{} parameters for a statement that takes {wanted}", parameters.len());
        }
        parameters.iter().enumerate().try_for_each(|(at, value)| self.bind(at + 1, *value))
    }
}

impl std::fmt::Debug for OwnedStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold values.
        write!(f, "OwnedStatement({} columns)", self.columns().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_and_owned_statements_change_threads() {
        fn moves<T: Send>() {}
        moves::<Connection>();
        moves::<OwnedStatement>();
    }
}
