//! Statements that a program prepares, binds and steps, in the manner of `sqlite3_stmt`.

use super::SqlRows;
use super::connected::Connected;
use super::prepared::Prepared;
use super::within::Within;
use crate::error::{Result, fail};
use crate::value::ValueRef;

/// A statement of a [`crate::Connection`], [`crate::Transaction`] or [`crate::Snapshot`], compiled once and run as often as wanted. Rows come one
/// at a time: memory is bounded whatever the number of rows, but for `RETURNING` on a sealed table, whose rows are
/// kept until they have been stepped through.
///
/// ```
/// use sealite::{Column, TableDefinition, Vault};
///
/// # fn main() -> sealite::Result<()> {
/// let vault = Vault::in_memory()?;
/// vault.define_table(&TableDefinition::new("notes").column(Column::text("body").sealed()))?;
/// vault.transaction(|tx| {
///     let mut insert = tx.prepare("INSERT INTO notes (body) VALUES (?)")?;
///     for body in ["first", "second"] {
///         insert.execute(&[body.into()])?;
///     }
///     Ok(())
/// })?;
/// let snapshot = vault.snapshot()?;
/// let mut select = snapshot.prepare("SELECT id, body FROM notes WHERE id > :after")?;
/// select.bind_name(":after", 1)?;
/// while select.step()? {
///     assert_eq!(select.value(0)?.as_i64(), Some(2));
///     assert_eq!(select.value(1)?.as_str(), Some("second"));
/// }
/// # Ok(())
/// # }
/// ```
pub struct Statement<'c>(Owner<'c>);

enum Owner<'c> {
    Within(Within<'c>, Prepared),
    Connection(Connected),
}

impl<'c> Statement<'c> {
    pub(super) fn within(within: Within<'c>, sql: &str) -> Result<Self> {
        Ok(Self::of(within, Prepared::new(within, sql)?))
    }

    /// A statement that was compiled before.
    pub(super) fn of(within: Within<'c>, prepared: Prepared) -> Self {
        Statement(Owner::Within(within, prepared))
    }

    /// What is left where it borrows from a transaction or snapshot.
    pub(super) fn into_prepared(self) -> Option<Prepared> {
        match self.0 {
            Owner::Within(_, prepared) => Some(prepared),
            Owner::Connection(_) => None,
        }
    }

    pub(super) fn connected(connected: Connected) -> Self {
        Statement(Owner::Connection(connected))
    }

    /// The names of the columns of a row; none where the statement returns no rows.
    pub fn columns(&self) -> &[String] {
        match &self.0 {
            Owner::Within(_, prepared) => &prepared.columns,
            Owner::Connection(connected) => connected.columns(),
        }
    }

    /// The declared type of a result column, counted from 0, that is the column of a table, as `CREATE TABLE` or the
    /// table's definition has it. None for an expression.
    pub fn declared_type(&self, column: usize) -> Option<String> {
        self.look(|prepared| prepared.declared_type(column)).flatten()
    }

    /// The number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.look(Prepared::parameter_count).unwrap_or(0)
    }

    /// The name of a parameter, counted from 1, with its `:`, `@`, `$` or `?`; none for a bare `?`.
    pub fn parameter_name(&self, index: usize) -> Option<String> {
        self.look(|prepared| prepared.parameter_name(index)).flatten()
    }

    /// True where the statement changes nothing in the file.
    pub fn is_read_only(&self) -> bool {
        self.look(Prepared::is_read_only).unwrap_or(true)
    }

    /// The number of rows that the last run has changed; 0 while it still runs.
    pub fn changes(&self) -> usize {
        self.look(Prepared::changes).unwrap_or(0)
    }

    /// Binds a parameter, counted from 1, and resets the statement. What is not bound is NULL.
    pub fn bind<'v>(&mut self, index: usize, value: impl Into<ValueRef<'v>>) -> Result<()> {
        let value = value.into();
        self.change(false, |prepared| prepared.bind(index, value))
    }

    /// Binds the parameter of that name, with its `:`, `@` or `$`.
    pub fn bind_name<'v>(&mut self, name: &str, value: impl Into<ValueRef<'v>>) -> Result<()> {
        match self.look(|prepared| prepared.parameter_index(name)).flatten() {
            Some(index) => self.bind(index, value),
            None => fail!(Sql, "the statement has no parameter {name}"),
        }
    }

    /// Binds every parameter, in order.
    pub fn bind_all(&mut self, parameters: &[ValueRef<'_>]) -> Result<()> {
        self.change(true, |prepared| prepared.bind_all(parameters))
    }

    /// Forgets what was bound, and resets the statement.
    pub fn clear_bindings(&mut self) -> Result<()> {
        self.change(true, |prepared| {
            prepared.clear();
            Ok(())
        })
    }

    /// Goes to the next row; false at the end, and for a statement that returns none. The one after the end, or after an
    /// error, begins anew.
    pub fn step(&mut self) -> Result<bool> {
        match &mut self.0 {
            Owner::Within(within, prepared) => {
                if let Within::Session(session) = within {
                    session.check_open()?;
                }
                prepared.step(*within)
            }
            Owner::Connection(connected) => connected.step(),
        }
    }

    /// A column of the row, counted from 0, as one of SQLite's five types.
    ///
    /// # Errors
    /// `sql` where the statement stands on no row or has no such column.
    pub fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        match &self.0 {
            Owner::Within(_, prepared) => prepared.value(column),
            Owner::Connection(connected) => connected.value(column),
        }
    }

    /// Every column of the row, in order, to `take`.
    ///
    /// # Errors
    /// `sql` where the statement stands on no row; what `take` returns.
    pub fn row(&self, mut take: impl FnMut(ValueRef<'_>) -> Result<()>) -> Result<()> {
        let row = |prepared: &Prepared| {
            (0..prepared.columns.len()).try_for_each(|at| take(prepared.value(at)?))
        };
        match &self.0 {
            Owner::Within(_, prepared) => {
                let mut row = row;
                row(prepared)
            }
            Owner::Connection(connected) => connected.look(row)?,
        }
    }

    /// Binds every parameter and runs to the end; the number of rows changed. Rows that it returns are passed over.
    pub fn execute(&mut self, parameters: &[ValueRef<'_>]) -> Result<usize> {
        if let Owner::Connection(connected) = &mut self.0 {
            return connected.execute(parameters);
        }
        self.bind_all(parameters)?;
        while self.step()? {}
        Ok(self.changes())
    }

    /// Binds every parameter and collects the rows.
    pub fn query(&mut self, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        let mut rows = Vec::new();
        if let Owner::Connection(connected) = &mut self.0 {
            let mut values = Vec::new();
            connected.fetch(Some(parameters), usize::MAX, |value| {
                values.push(value.to_owned());
                Ok(())
            })?;
            let columns = self.columns().to_vec();
            let mut values = values.into_iter().peekable();
            while values.peek().is_some() {
                rows.push(values.by_ref().take(columns.len()).collect());
            }
            return Ok(SqlRows { columns, rows });
        }
        self.bind_all(parameters)?;
        while self.step()? {
            let mut values = Vec::with_capacity(self.columns().len());
            self.row(|value| {
                values.push(value.to_owned());
                Ok(())
            })?;
            rows.push(values);
        }
        Ok(SqlRows { columns: self.columns().to_vec(), rows })
    }

    /// Makes the statement ready for another run. What was bound stays.
    pub fn reset(&mut self) {
        match &mut self.0 {
            Owner::Within(_, prepared) => prepared.reset(),
            Owner::Connection(connected) => connected.reset(),
        }
    }

    fn look<T>(&self, look: impl FnOnce(&Prepared) -> T) -> Option<T> {
        match &self.0 {
            Owner::Within(_, prepared) => Some(look(prepared)),
            Owner::Connection(connected) => connected.look(look).ok(),
        }
    }

    fn change<T>(
        &mut self,
        every: bool,
        bind: impl FnOnce(&mut Prepared) -> Result<T>,
    ) -> Result<T> {
        match &mut self.0 {
            Owner::Within(_, prepared) => bind(prepared),
            Owner::Connection(connected) => connected.bind(every, bind),
        }
    }
}

impl std::fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold values.
        write!(f, "Statement({} columns)", self.columns().len())
    }
}
