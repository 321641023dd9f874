//! A compiled statement, and what runs in its place where SQLite alone would answer wrongly.

use std::sync::Arc;

use super::body::{Body, forget, next};
use super::change;
use super::command::Command;
use super::declare::{DEFINE, declare};
use super::face::{Entered, Face};
use super::statement::{self, Known};
use super::within::Within;
use crate::db::RawStmt;
use crate::db::tokens::{begins_with, tokens};
use crate::error::{Result, err, fail};
use crate::value::{Value, ValueRef};

/// A statement. It borrows nothing: every call says what it runs within.
pub(super) struct Prepared {
    sql: Box<str>,
    body: Body,
    pub(super) columns: Arc<[String]>,
    stands: Stands,
    changes: usize,
    /// True for what `changes()` counts.
    counts: bool,
    ends: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Before,
    OnRow,
    Behind,
}

impl Prepared {
    /// Compiles the one statement of a text.
    pub(super) fn new(within: Within<'_>, sql: &str) -> Result<Self> {
        let ends = ends(sql);
        let entered = if ends { Face::enter_to_end(within)? } else { Face::enter(within)? };
        let known = if ends { Arc::new(Known::Plain) } else { entered.face.known(sql)? };
        let (text, given) = match &*known {
            Known::Nothing => return Ok(Self::with(sql, Body::Nothing, Vec::new())),
            Known::Declares(declaration) => {
                let body = Body::Declare { declaration: Arc::clone(declaration), made: false };
                return Ok(Self::with(sql, body, vec![DEFINE.to_owned()]));
            }
            Known::Schema(change) => {
                let body = Body::Schema(Arc::clone(change));
                return Ok(Self::with(sql, body, Vec::new()));
            }
            Known::Command(command) => {
                let columns = command.column().into_iter().map(str::to_owned).collect();
                let bound = vec![Value::Null; command.parameters()];
                let body = Body::Command { command: Arc::clone(command), bound, row: Vec::new() };
                return Ok(Self::with(sql, body, columns));
            }
            Known::Plain | Known::Checks => (sql, None),
            Known::Instead(text) => (text.as_str(), None),
            Known::Writes { text, given, .. } => {
                (text.as_deref().unwrap_or(sql), Some(Arc::clone(given)))
            }
        };
        let (stmt, tail) = entered.checked(RawStmt::prepare_application(within.conn(), text))?;
        if !tokens(text.get(tail..).unwrap_or_default()).is_empty() {
            fail!(Sql, "more than one statement in one call");
        }
        match &*known {
            Known::Writes { write, .. } if write.runs() => {
                let columns = entered.checked(statement::returned(within.conn(), sql, write))?;
                let names = write.parameters.names.clone();
                let bound = vec![Value::Null; write.parameters.count()];
                let (rows, row) = (Vec::new().into_iter(), Vec::new());
                let body = Body::Returning { known: Arc::clone(&known), bound, rows, row, names };
                Ok(Self::with(sql, body, columns))
            }
            Known::Checks => {
                let columns = stmt.column_names();
                let (rows, row) = (Vec::new().into_iter(), Vec::new());
                Ok(Self::with(sql, Body::Check { rows, row }, columns))
            }
            _ => {
                let columns = stmt.column_names();
                Ok(Self::with(sql, Body::Native { stmt, given }, columns))
            }
        }
    }

    fn with(sql: &str, body: Body, columns: Vec<String>) -> Self {
        let columns = columns.into();
        let counts = begins_with(sql, &["insert", "update", "delete", "replace", "with"]);
        let (stands, ends) = (Stands::Before, ends(sql));
        Prepared { sql: sql.into(), body, columns, stands, changes: 0, counts, ends }
    }

    /// Compiles the text anew, since the tables have changed; what was bound stays.
    pub(super) fn anew(&mut self, within: Within<'_>) -> Result<()> {
        let mut fresh = Prepared::new(within, &self.sql)?;
        let takes_none = self.parameter_count() == 0;
        match (&mut self.body, &mut fresh.body) {
            (Body::Native { stmt: old, .. }, Body::Native { stmt: new, .. }) => {
                old.hand_over(new)?;
            }
            (Body::Returning { bound: old, .. }, Body::Returning { bound: new, .. })
                if old.len() == new.len() =>
            {
                *new = std::mem::take(old);
            }
            _ if takes_none => {}
            _ => fail!(Busy, "the tables have changed under the statement: prepare it again"),
        }
        *self = fresh;
        Ok(())
    }

    pub(super) fn parameter_count(&self) -> usize {
        self.body.parameter_count()
    }

    pub(super) fn parameter_name(&self, index: usize) -> Option<String> {
        self.body.parameter_name(index)
    }

    pub(super) fn parameter_index(&self, name: &str) -> Option<usize> {
        (1..=self.parameter_count()).find(|at| self.parameter_name(*at).as_deref() == Some(name))
    }

    /// True where the statement changes nothing in the file.
    pub(super) fn is_read_only(&self) -> bool {
        self.body.is_read_only()
    }

    /// The declared type of a result column that is a table's column.
    pub(super) fn declared_type(&self, column: usize) -> Option<String> {
        match &self.body {
            Body::Native { stmt, .. } => stmt.declared_type(column),
            _ => None,
        }
    }

    /// The number of rows that the last run has changed; 0 while it still runs.
    pub(super) fn changes(&self) -> usize {
        if self.is_on_row() { 0 } else { self.changes }
    }

    /// True while it stands on a row: SQLite has a transaction open for it.
    pub(super) fn is_on_row(&self) -> bool {
        self.stands == Stands::OnRow
    }

    pub(super) fn bind(&mut self, index: usize, value: ValueRef<'_>) -> Result<()> {
        self.reset();
        let wanted = self.parameter_count();
        match &mut self.body {
            Body::Native { stmt, .. } => stmt.bind(index, value),
            Body::Returning { bound, .. } | Body::Command { bound, .. } => {
                match index.checked_sub(1).and_then(|at| bound.get_mut(at)) {
                    Some(slot) => {
                        slot.wipe();
                        *slot = value.to_owned();
                        Ok(())
                    }
                    None => Err(err!(Sql, "parameter {index} of a statement that takes {wanted}")),
                }
            }
            Body::Nothing | Body::Check { .. } | Body::Schema(_) | Body::Declare { .. } => {
                Err(err!(Sql, "parameter {index} of a statement that takes none"))
            }
        }
    }

    /// Goes to the next row; false at the end.
    pub(super) fn step(&mut self, within: Within<'_>) -> Result<bool> {
        if self.stands == Stands::Behind {
            self.reset();
        }
        let first = self.stands == Stands::Before;
        let entered = match (self.ends, first) {
            (true, _) => Face::enter_to_end(within)?,
            (false, true) => Face::resume(within)?,
            (false, false) => Face::go_on(within)?,
        };
        self.stands = Stands::Behind;
        if first {
            self.changes = 0;
        }
        let writes = !self.is_read_only();
        if first && !matches!(self.body, Body::Command { .. }) {
            within.check_reads(&self.sql, !writes)?;
        }
        if let (true, true, Within::Host(conn, _)) = (first, writes, &within) {
            conn.check_log()?;
        }
        let counts = self.counts && writes;
        if counts && first {
            entered.face.counts.forget();
        }
        let there = match &mut self.body {
            Body::Native { stmt, given } => {
                entered.expect(given.as_ref(), None);
                let authority = &entered.face.authority;
                let stepped = if let Within::Host(..) = within {
                    let _turn = authority.running();
                    stmt.step()
                } else {
                    let _turn = authority.application();
                    stmt.step()
                };
                let stepped = entered.checked(stepped);
                if first && stmt.was_compiled_anew() {
                    self.columns = stmt.column_names().into();
                }
                match stepped {
                    Ok(false) => {
                        self.changes = stmt.changes();
                        // SQLite takes EXPLAIN of a write for one that runs until it is reset.
                        if !self.columns.is_empty() && !stmt.is_read_only() {
                            stmt.reset();
                        }
                    }
                    Ok(true) => {}
                    // One that was busy would stand in the way of every COMMIT until then.
                    Err(_) => stmt.reset(),
                }
                if counts && !matches!(stepped, Ok(true)) {
                    // A commit of its own came before it was counted.
                    entered.face.counts.forget();
                }
                stepped?
            }
            Body::Returning { known, bound, rows, row, .. } => {
                if first {
                    (*rows, self.changes) = run(within, &entered, &self.sql, known, bound)?;
                }
                next(rows, row)
            }
            Body::Check { rows, row } => {
                if first {
                    let found = super::integrity::check(within, &entered, &self.sql, &[])?;
                    *rows = found.rows.into_iter();
                }
                next(rows, row)
            }
            Body::Declare { declaration, made } => {
                if first {
                    let face = entered.face;
                    let work = || declare(within, face, declaration);
                    *made = entered.checked(face.counts.apart(face.handle, work))?;
                }
                first
            }
            Body::Schema(change) => {
                let face = entered.face;
                let work = || change::run(within, &entered, change, &self.sql);
                face.counts.apart(face.handle, work)?;
                false
            }
            Body::Command { command, .. } if first => return Err(command.not_alone()),
            Body::Command { .. } | Body::Nothing => false,
        };
        if there {
            self.stands = Stands::OnRow;
        }
        Ok(there)
    }

    /// True where remnants of what it has dropped may be left.
    pub(super) fn may_erase(&self) -> bool {
        matches!(&self.body, Body::Schema(change) if change.erases())
    }

    /// The command that is to run, and its parameters; none where the statement is another, or has run.
    pub(super) fn command(&self) -> Option<(&Command, &[Value])> {
        match &self.body {
            Body::Command { command, bound, .. } if self.stands != Stands::OnRow => {
                Some((command, bound))
            }
            _ => None,
        }
    }

    /// The command has run, with that for its one row, where it has one. Whether it stands on it.
    pub(super) fn answer(&mut self, answer: Vec<Value>) -> bool {
        let Body::Command { row, .. } = &mut self.body else { return false };
        forget(row);
        self.stands = if answer.is_empty() { Stands::Behind } else { Stands::OnRow };
        *row = answer;
        self.is_on_row()
    }

    /// A column of the row, counted from 0.
    pub(super) fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        if self.stands != Stands::OnRow || column >= self.columns.len() {
            fail!(
                Sql,
                "there is no column {column}: the statement has {}, or stands on no row",
                self.columns.len()
            );
        }
        match &self.body {
            Body::Native { stmt, .. } => stmt.row().get(column),
            Body::Returning { row, .. } | Body::Check { row, .. } | Body::Command { row, .. } => {
                Ok(row.get(column).map_or(ValueRef::Null, Value::as_ref))
            }
            Body::Declare { made, .. } => Ok(ValueRef::Integer(i64::from(*made))),
            Body::Nothing | Body::Schema(_) => Ok(ValueRef::Null),
        }
    }

    /// Makes the statement ready for another run. What was bound stays.
    pub(super) fn reset(&mut self) {
        if self.stands == Stands::Before {
            return;
        }
        self.stands = Stands::Before;
        self.body.reset();
    }

    /// Forgets what was bound.
    pub(super) fn clear(&mut self) {
        self.reset();
        self.body.clear();
    }
}

/// True for what ends a transaction, or goes back in it.
fn ends(sql: &str) -> bool {
    begins_with(sql, &["commit", "end", "rollback", "release"])
}

fn run(
    within: Within<'_>,
    entered: &Entered<'_>,
    sql: &str,
    known: &Known,
    bound: &[Value],
) -> Result<(std::vec::IntoIter<Vec<Value>>, usize)> {
    let Known::Writes { write, text, given } = known else {
        fail!(Internal, "a statement that SQLite runs by itself");
    };
    let bound: Vec<ValueRef<'_>> = bound.iter().map(Value::as_ref).collect();
    let known = (&**write, text.as_deref().unwrap_or(sql), given);
    let (found, changed) = statement::run(within, entered, sql, known, &bound)?;
    Ok((found.rows.into_iter(), changed))
}
