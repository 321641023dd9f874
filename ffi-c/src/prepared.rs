//! What a handle of a prepared statement stands for.

use sealite::{Connection, OwnedStatement, Value, ValueRef};

use crate::rows::Made;
use crate::status::sealite_status::SEALITE_SQL;
use crate::status::{Failure, Result};
use crate::value::{Wiped, push};

/// The object. What was bound and the row are kept here, wiped when they go: C has no part in what SQLite lends.
pub(crate) struct Prepared {
    statement: OwnedStatement,
    /// The names of the parameters.
    parameters: Vec<Option<String>>,
    bound: Vec<Wiped>,
    /// None where it stands on no row.
    row: Option<Vec<Wiped>>,
    /// True where the next step is the first of a run.
    fresh: bool,
}

impl Prepared {
    /// The first statement of a text, and where that goes on.
    pub(crate) fn first(connection: &Connection, sql: &str) -> Result<(Option<Self>, usize)> {
        let (statement, tail) = connection.prepare_owned(sql)?;
        Ok((statement.map(Self::new), tail))
    }

    /// The one statement of a text.
    pub(crate) fn only(connection: &Connection, sql: &str) -> Result<Self> {
        let (first, mut tail) = connection.prepare_owned(sql)?;
        let wrong = |message| Failure::new(SEALITE_SQL, message);
        while let Some(rest) = sql.get(tail..).filter(|rest| !rest.is_empty()) {
            match connection.prepare_owned(rest) {
                Ok((None, more)) if more > 0 => tail += more,
                _ => return Err(wrong("more than one statement in one call")),
            }
        }
        first.map(Self::new).ok_or_else(|| wrong("no statement"))
    }

    fn new(statement: OwnedStatement) -> Self {
        let parameters = statement.parameters();
        let bound = parameters.iter().map(|_| Wiped(Value::Null)).collect();
        Prepared { statement, parameters, bound, row: None, fresh: true }
    }

    pub(crate) fn reset(&mut self) {
        self.row = None;
        self.fresh = true;
        self.statement.reset();
    }

    pub(crate) fn bind(&mut self, index: usize, value: ValueRef<'_>) -> Result<()> {
        self.reset();
        let takes = self.bound.len();
        let slot = index.checked_sub(1).and_then(|at| self.bound.get_mut(at));
        let none = || format!("parameter {index} of a statement that takes {takes}");
        *slot.ok_or_else(|| Failure::new(SEALITE_SQL, none()))? = Wiped(value.to_owned());
        Ok(())
    }

    pub(crate) fn bind_name(&mut self, name: &str, value: ValueRef<'_>) -> Result<()> {
        let known = self.parameters.iter().position(|known| known.as_deref() == Some(name));
        let none = || Failure::new(SEALITE_SQL, "the statement has no parameter of this name");
        self.bind(known.ok_or_else(none)? + 1, value)
    }

    pub(crate) fn bind_all(&mut self, values: &[ValueRef<'_>]) -> Result<()> {
        self.reset();
        if values.len() != self.bound.len() {
            let (given, takes) = (values.len(), self.bound.len());
            let message = format!("{given} parameters for a statement that takes {takes}");
            return Err(Failure::new(SEALITE_SQL, message));
        }
        self.bound = values.iter().map(|value| Wiped((*value).to_owned())).collect();
        Ok(())
    }

    /// Gives up to so many rows, each as its cells, to `take`; false at the end.
    fn fetch(
        &mut self,
        rows: usize,
        mut take: impl FnMut(ValueRef<'_>) -> sealite::Result<()>,
    ) -> Result<bool> {
        self.row = None;
        let more = if std::mem::replace(&mut self.fresh, true) {
            let bound: Vec<ValueRef<'_>> =
                self.bound.iter().map(|value| value.0.as_ref()).collect();
            self.statement.run(&bound, rows, &mut take)?
        } else {
            self.statement.fetch(rows, &mut take)?
        };
        self.fresh = !more;
        Ok(more)
    }

    pub(crate) fn step(&mut self) -> Result<bool> {
        let mut row = Vec::with_capacity(self.columns().len());
        let there = self.fetch(1, |value| {
            push(&mut row, Wiped(value.to_owned()));
            Ok(())
        })?;
        self.row = there.then_some(row);
        Ok(there)
    }

    pub(crate) fn value(&self, position: usize) -> Result<ValueRef<'_>> {
        let none = || Failure::new(SEALITE_SQL, "the statement stands on no row");
        let row = self.row.as_ref().ok_or_else(none)?;
        row.get(position).map(|value| value.0.as_ref()).ok_or_else(no_column)
    }

    pub(crate) fn execute(&mut self, values: &[ValueRef<'_>]) -> Result<u64> {
        self.bind_all(values)?;
        while self.fetch(usize::MAX, |_| Ok(()))? {}
        Ok(self.statement.changes() as u64)
    }

    pub(crate) fn query(&mut self, values: &[ValueRef<'_>]) -> Result<Made> {
        self.bind_all(values)?;
        let mut cells = Vec::new();
        let mut take = |value: ValueRef<'_>| {
            push(&mut cells, Wiped(value.to_owned()));
            Ok(())
        };
        while self.fetch(usize::MAX, &mut take)? {}
        Ok(Made::of_cells(self.statement.columns(), cells))
    }

    pub(crate) fn columns(&self) -> &[String] {
        self.statement.columns()
    }

    pub(crate) fn declared_type(&self, column: usize) -> Option<String> {
        self.statement.declared_type(column)
    }

    pub(crate) fn parameters(&self) -> &[Option<String>] {
        &self.parameters
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.statement.is_read_only()
    }

    pub(crate) fn changes(&self) -> usize {
        self.statement.changes()
    }
}

pub(crate) fn no_column() -> Failure {
    Failure::new(SEALITE_SQL, "the statement has no such column")
}
