//! What a handle of a prepared statement stands for.

use std::sync::Arc;

use sealite::{
    Connection, HeldStatement, OwnedStatement, Snapshot, Statement, Transaction, Value, ValueRef,
};

use crate::held::Held;
use crate::rows::Made;
use crate::status::sealite_status::SEALITE_SQL;
use crate::status::{Failure, Result};
use crate::value::{Wiped, push};

/// The object. What was bound and the row are kept here, wiped when they go: C has no part in what SQLite lends.
pub(crate) struct Prepared {
    through: Through,
    columns: Arc<[String]>,
    /// The names of the parameters.
    parameters: Vec<Option<String>>,
    is_read_only: bool,
    changes: usize,
    bound: Vec<Wiped>,
    /// None where it stands on no row.
    row: Option<Vec<Wiped>>,
    /// True where the next step is the first of a run.
    fresh: bool,
}

/// What statements are prepared by.
#[derive(Clone)]
pub(crate) enum Preparer {
    Connection(Connection),
    Transaction(Arc<Held<Transaction>>),
    Snapshot(Arc<Held<Snapshot>>),
}

/// Where the statement is. A transaction or snapshot holds its own: they end with it.
enum Through {
    Connection(OwnedStatement),
    Transaction(Arc<Held<Transaction>>, HeldStatement),
    Snapshot(Arc<Held<Snapshot>>, HeldStatement),
}

impl Preparer {
    fn prepare(&self, sql: &str) -> Result<(Option<Through>, usize)> {
        Ok(match self {
            Preparer::Connection(connection) => {
                let (found, tail) = connection.prepare_owned(sql)?;
                (found.map(Through::Connection), tail)
            }
            Preparer::Transaction(held) => {
                let (found, tail) = held.with(|transaction| Ok(transaction.hold(sql)?))?;
                (found.map(|found| Through::Transaction(Arc::clone(held), found)), tail)
            }
            Preparer::Snapshot(held) => {
                let (found, tail) = held.with(|snapshot| Ok(snapshot.hold(sql)?))?;
                (found.map(|found| Through::Snapshot(Arc::clone(held), found)), tail)
            }
        })
    }
}

impl Through {
    /// Works with a statement that a transaction or snapshot holds.
    fn held<T>(&self, work: impl FnOnce(&mut Statement<'_>) -> sealite::Result<T>) -> Result<T> {
        match self {
            Through::Connection(_) => Err(Failure::internal()),
            Through::Transaction(held, statement) => {
                held.with(|transaction| Ok(transaction.with_held(*statement, work)?))
            }
            Through::Snapshot(held, statement) => {
                held.with(|snapshot| Ok(snapshot.with_held(*statement, work)?))
            }
        }
    }
}

impl Drop for Through {
    fn drop(&mut self) {
        // What has ended has let go of it already, and a child leaves it to its parent.
        let _ = match self {
            Through::Connection(_) => Ok(()),
            Through::Transaction(held, statement) => held.with(|transaction| {
                transaction.let_go(*statement);
                Ok(())
            }),
            Through::Snapshot(held, statement) => held.with(|snapshot| {
                snapshot.let_go(*statement);
                Ok(())
            }),
        };
    }
}

impl Prepared {
    /// The first statement of a text, and where that goes on.
    pub(crate) fn first(by: &Preparer, sql: &str) -> Result<(Option<Self>, usize)> {
        let (found, tail) = by.prepare(sql)?;
        Ok((found.map(Self::new).transpose()?, tail))
    }

    /// The one statement of a text.
    pub(crate) fn only(by: &Preparer, sql: &str) -> Result<Self> {
        let (first, mut tail) = by.prepare(sql)?;
        let wrong = |message| Failure::new(SEALITE_SQL, message);
        while let Some(rest) = sql.get(tail..).filter(|rest| !rest.is_empty()) {
            match by.prepare(rest) {
                Ok((None, more)) if more > 0 => tail += more,
                _ => return Err(wrong("more than one statement in one call")),
            }
        }
        Self::new(first.ok_or_else(|| wrong("no statement"))?)
    }

    /// The first statement, and where the text goes on where that is `wanted`, or else the only one.
    pub(crate) fn of(by: &Preparer, sql: &str, wanted: bool) -> Result<(Option<Self>, usize)> {
        if wanted { Self::first(by, sql) } else { Ok((Some(Self::only(by, sql)?), sql.len())) }
    }

    fn new(through: Through) -> Result<Self> {
        let (columns, parameters, is_read_only) = match &through {
            Through::Connection(statement) => {
                let columns = Arc::clone(statement.columns());
                (columns, statement.parameters(), statement.is_read_only())
            }
            held => held.held(|statement| {
                let names =
                    (1..=statement.parameter_count()).map(|at| statement.parameter_name(at));
                Ok((statement.columns().into(), names.collect(), statement.is_read_only()))
            })?,
        };
        let bound = parameters.iter().map(|_| Wiped(Value::Null)).collect();
        let (row, fresh, changes) = (None, true, 0);
        Ok(Prepared { through, columns, parameters, is_read_only, changes, bound, row, fresh })
    }

    pub(crate) fn reset(&mut self) {
        self.row = None;
        let is_idle = std::mem::replace(&mut self.fresh, true);
        match &mut self.through {
            Through::Connection(statement) => statement.reset(),
            _ if is_idle => {}
            // Where it has gone, the next step says so.
            held => {
                let _ = held.held(|statement| {
                    statement.reset();
                    Ok(())
                });
            }
        }
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
        let begins = std::mem::replace(&mut self.fresh, true);
        if begins {
            self.changes = 0;
        }
        let bound: Vec<ValueRef<'_>> = self.bound.iter().map(|value| value.0.as_ref()).collect();
        let bound = begins.then_some(bound.as_slice());
        let more = match &mut self.through {
            Through::Connection(statement) => {
                let more = match bound {
                    Some(bound) => statement.run(bound, rows, &mut take)?,
                    None => statement.fetch(rows, &mut take)?,
                };
                self.columns = Arc::clone(statement.columns());
                if !more {
                    self.changes = statement.changes();
                }
                more
            }
            held => {
                let known = &mut self.columns;
                let (more, changes) = held.held(|statement| {
                    let more = advance(statement, bound, rows, &mut take)?;
                    if known[..] != *statement.columns() {
                        *known = statement.columns().into();
                    }
                    Ok((more, statement.changes()))
                })?;
                self.changes = changes;
                more
            }
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
        Ok(self.changes as u64)
    }

    pub(crate) fn query(&mut self, values: &[ValueRef<'_>]) -> Result<Made> {
        self.bind_all(values)?;
        let mut cells = Vec::new();
        let mut take = |value: ValueRef<'_>| {
            push(&mut cells, Wiped(value.to_owned()));
            Ok(())
        };
        while self.fetch(usize::MAX, &mut take)? {}
        Ok(Made::of_cells(&self.columns, cells))
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn declared_type(&self, column: usize) -> Option<String> {
        match &self.through {
            Through::Connection(statement) => statement.declared_type(column),
            held => held.held(|statement| Ok(statement.declared_type(column))).ok().flatten(),
        }
    }

    pub(crate) fn parameters(&self) -> &[Option<String>] {
        &self.parameters
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    pub(crate) fn changes(&self) -> usize {
        self.changes
    }
}

/// Goes on by up to so many rows, after binding where something is `bound`; false at the end.
fn advance(
    statement: &mut Statement<'_>,
    bound: Option<&[ValueRef<'_>]>,
    rows: usize,
    take: &mut dyn FnMut(ValueRef<'_>) -> sealite::Result<()>,
) -> sealite::Result<bool> {
    if let Some(bound) = bound {
        statement.bind_all(bound)?;
    }
    for _ in 0..rows {
        if !statement.step()? {
            return Ok(false);
        }
        statement.row(&mut *take)?;
    }
    Ok(true)
}

pub(crate) fn no_column() -> Failure {
    Failure::new(SEALITE_SQL, "the statement has no such column")
}
