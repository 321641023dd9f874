//! Statements that a program prepares, binds and steps, in the manner of `sqlite3_stmt`.

use std::sync::Arc;

use super::SqlRows;
use super::face::{Face, Given, Within};
use super::statement::{self, Known};
use super::tokens::tokens;
use crate::db::RawStmt;
use crate::error::{Result, err, fail};
use crate::value::{Value, ValueRef};

/// A statement of a [`crate::Transaction`] or [`crate::Snapshot`], compiled once and run as often as wanted. Rows come one
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
pub struct Statement<'c> {
    within: Within<'c>,
    body: Body,
    columns: Vec<String>,
    stands: Stands,
}

enum Body {
    /// SQLite runs it.
    Native { stmt: RawStmt, given: Option<Arc<Given>> },
    /// A write with RETURNING on a sealed table: it runs whole at the first step.
    Returning {
        sql: String,
        known: Arc<Known>,
        bound: Vec<Value>,
        rows: std::vec::IntoIter<Vec<Value>>,
        row: Vec<Value>,
        changes: usize,
        names: Vec<Option<String>>,
    },
    /// There is nothing to do.
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Before,
    OnRow,
    Behind,
}

impl<'c> Statement<'c> {
    pub(super) fn prepare(within: Within<'c>, sql: &str) -> Result<Self> {
        let entered = Face::enter(within)?;
        let known = entered.face.known(sql)?;
        let (text, given) = match &*known {
            Known::Nothing => {
                let (columns, stands) = (Vec::new(), Stands::Before);
                return Ok(Statement { within, body: Body::Nothing, columns, stands });
            }
            Known::Checks => fail!(Refused, "integrity_check is not prepared: use query"),
            Known::Plain => (sql, None),
            Known::Instead(text) => (text.as_str(), None),
            Known::Writes { text, given, .. } => {
                (text.as_deref().unwrap_or(sql), Some(Arc::clone(given)))
            }
        };
        let (stmt, tail) = entered.checked(RawStmt::prepare_application(within.conn(), text))?;
        if !tokens(text.get(tail..).unwrap_or_default()).is_empty() {
            fail!(Sql, "more than one statement in one call");
        }
        let mut columns = stmt.column_names();
        let mut body = Body::Native { stmt, given };
        if let Known::Writes { write, .. } = &*known
            && write.runs()
        {
            columns = entered.checked(statement::returned(within.conn(), sql, write))?;
            let names = write.parameters.names.clone();
            let bound = vec![Value::Null; write.parameters.count()];
            let (rows, row) = (Vec::new().into_iter(), Vec::new());
            let (sql, known) = (sql.to_owned(), Arc::clone(&known));
            body = Body::Returning { sql, known, bound, rows, row, changes: 0, names };
        }
        Ok(Statement { within, body, columns, stands: Stands::Before })
    }

    /// The names of the columns of a row; none where the statement returns no rows.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of parameters.
    pub fn parameter_count(&self) -> usize {
        match &self.body {
            Body::Native { stmt, .. } => stmt.parameter_count(),
            Body::Returning { bound, .. } => bound.len(),
            Body::Nothing => 0,
        }
    }

    /// Binds a parameter, counted from 1, and resets the statement. What is not bound is NULL.
    pub fn bind<'v>(&mut self, index: usize, value: impl Into<ValueRef<'v>>) -> Result<()> {
        self.reset();
        let wanted = self.parameter_count();
        match &mut self.body {
            Body::Native { stmt, .. } => stmt.bind(index, value.into()),
            Body::Returning { bound, .. } => {
                match index.checked_sub(1).and_then(|at| bound.get_mut(at)) {
                    Some(slot) => {
                        *slot = value.into().to_owned();
                        Ok(())
                    }
                    None => Err(err!(Sql, "parameter {index} of a statement that takes {wanted}")),
                }
            }
            Body::Nothing => Err(err!(Sql, "parameter {index} of a statement that takes none")),
        }
    }

    /// Binds the parameter of that name, with its `:`, `@` or `$`.
    pub fn bind_name<'v>(&mut self, name: &str, value: impl Into<ValueRef<'v>>) -> Result<()> {
        let index = match &self.body {
            Body::Native { stmt, .. } => stmt.parameter_index(name),
            Body::Returning { names, .. } => {
                names.iter().position(|known| known.as_deref() == Some(name)).map(|at| at + 1)
            }
            Body::Nothing => None,
        };
        match index {
            Some(index) => self.bind(index, value),
            None => fail!(Sql, "the statement has no parameter {name}"),
        }
    }

    /// Binds every parameter, in order.
    pub fn bind_all(&mut self, parameters: &[ValueRef<'_>]) -> Result<()> {
        let wanted = self.parameter_count();
        if parameters.len() != wanted {
            fail!(Sql, "{} parameters for a statement that takes {wanted}", parameters.len());
        }
        for (at, value) in parameters.iter().enumerate() {
            self.bind(at + 1, *value)?;
        }
        Ok(())
    }

    /// Goes to the next row; false at the end, and for a statement that returns none. The one after the end, or after an
    /// error, begins anew.
    pub fn step(&mut self) -> Result<bool> {
        if self.stands == Stands::Behind {
            self.reset();
        }
        if let Within::Session(session) = self.within {
            session.check_open()?;
        }
        let entered = Face::resume(self.within)?;
        self.stands = Stands::Behind;
        let there = match &mut self.body {
            Body::Native { stmt, given } => {
                entered.expect(given.as_ref(), None);
                let _turn = entered.face.authority.application();
                entered.checked(stmt.step())?
            }
            Body::Returning { sql, known, bound, rows, row, changes, .. } => {
                if rows.len() == 0 && row.is_empty() {
                    let (
                        Within::Session(session),
                        Known::Writes { write, text: Some(text), given },
                    ) = (self.within, &**known)
                    else {
                        fail!(ReadOnly, "a sealed table is written in a write transaction only");
                    };
                    let bound: Vec<ValueRef<'_>> = bound.iter().map(Value::as_ref).collect();
                    let known = (&**write, text.as_str(), given);
                    let found;
                    (found, *changes) = statement::run(session, &entered, sql, known, &bound)?;
                    *rows = found.rows.into_iter();
                }
                match rows.next() {
                    Some(next) => {
                        *row = next;
                        true
                    }
                    None => false,
                }
            }
            Body::Nothing => false,
        };
        if there {
            self.stands = Stands::OnRow;
        }
        Ok(there)
    }

    /// A column of the row, counted from 0, as one of SQLite's five types.
    ///
    /// # Errors
    /// `sql` where the statement stands on no row or has no such column.
    pub fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        if self.stands != Stands::OnRow || column >= self.columns.len() {
            fail!(
                Sql,
                "there is no column {column}: the statement has {}, or stands on no row",
                self.columns.len()
            );
        }
        match &self.body {
            Body::Native { stmt, .. } => stmt.row().get(column),
            Body::Returning { row, .. } => {
                Ok(row.get(column).map_or(ValueRef::Null, Value::as_ref))
            }
            Body::Nothing => Ok(ValueRef::Null),
        }
    }

    /// Binds every parameter and runs to the end; the number of rows changed. Rows that it returns are passed over.
    pub fn execute(&mut self, parameters: &[ValueRef<'_>]) -> Result<usize> {
        self.bind_all(parameters)?;
        while self.step()? {}
        Ok(match &self.body {
            Body::Native { stmt, .. } => stmt.changes(),
            Body::Returning { changes, .. } => *changes,
            Body::Nothing => 0,
        })
    }

    /// Binds every parameter and collects the rows.
    pub fn query(&mut self, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        self.bind_all(parameters)?;
        let mut rows = Vec::new();
        while self.step()? {
            let values = (0..self.columns.len()).map(|at| Ok(self.value(at)?.to_owned()));
            rows.push(values.collect::<Result<Vec<_>>>()?);
        }
        Ok(SqlRows { columns: self.columns.clone(), rows })
    }

    /// Makes the statement ready for another run. What was bound stays.
    pub fn reset(&mut self) {
        if self.stands == Stands::Before {
            return;
        }
        self.stands = Stands::Before;
        match &mut self.body {
            Body::Native { stmt, .. } => stmt.reset(),
            Body::Returning { rows, row, .. } => {
                *rows = Vec::new().into_iter();
                row.clear();
            }
            Body::Nothing => {}
        }
    }
}

impl std::fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold values.
        write!(f, "Statement({} columns)", self.columns.len())
    }
}
