//! What stands behind a compiled statement: its parameters and rows, which are wiped when it is done with them.

use std::sync::Arc;

use super::command::Command;
use super::ddl::Change;
use super::declare::Declaration;
use super::face::Given;
use super::statement::Known;
use crate::db::RawStmt;
use crate::value::Value;

pub(super) enum Body {
    /// SQLite runs it.
    Native { stmt: RawStmt, given: Option<Arc<Given>> },
    /// A write of a sealed table that does more than SQLite by itself: it runs whole at the first step.
    Returning {
        known: Arc<Known>,
        bound: Vec<Value>,
        rows: std::vec::IntoIter<Vec<Value>>,
        row: Vec<Value>,
        names: Vec<Option<String>>,
    },
    /// A check of the file: it runs whole at the first step.
    Check { rows: std::vec::IntoIter<Vec<Value>>, row: Vec<Value> },
    /// It declares a table, at the first step.
    Declare { declaration: Arc<Declaration>, made: bool },
    /// A change of the schema around a sealed table.
    Schema(Arc<Change>),
    /// What takes transactions of its own: a connection runs it outside of one.
    Command { command: Arc<Command>, bound: Vec<Value>, row: Vec<Value> },
    /// There is nothing to do.
    Nothing,
}

impl Body {
    /// The number of parameters.
    pub(super) fn parameter_count(&self) -> usize {
        match self {
            Body::Native { stmt, .. } => stmt.parameter_count(),
            Body::Returning { bound, .. } | Body::Command { bound, .. } => bound.len(),
            Body::Nothing | Body::Check { .. } | Body::Schema(_) | Body::Declare { .. } => 0,
        }
    }

    /// The name of a parameter, counted from 1.
    pub(super) fn parameter_name(&self, index: usize) -> Option<String> {
        match self {
            Body::Native { stmt, .. } => stmt.parameter_name(index),
            Body::Returning { names, .. } => names.get(index.checked_sub(1)?)?.clone(),
            Body::Nothing
            | Body::Check { .. }
            | Body::Schema(_)
            | Body::Command { .. }
            | Body::Declare { .. } => None,
        }
    }

    /// True where the statement changes nothing in the file.
    pub(super) fn is_read_only(&self) -> bool {
        match self {
            Body::Native { stmt, .. } => stmt.is_read_only(),
            Body::Returning { .. }
            | Body::Schema(_)
            | Body::Command { .. }
            | Body::Declare { .. } => false,
            Body::Nothing | Body::Check { .. } => true,
        }
    }

    /// Ends a run: its rows are forgotten.
    pub(super) fn reset(&mut self) {
        match self {
            Body::Native { stmt, .. } => stmt.reset(),
            Body::Returning { rows, row, .. } | Body::Check { rows, row } => {
                wipe(rows.as_mut_slice().iter_mut().flatten());
                *rows = Vec::new().into_iter();
                forget(row);
            }
            Body::Command { row, .. } => forget(row),
            Body::Nothing | Body::Schema(_) | Body::Declare { .. } => {}
        }
    }

    /// Forgets what was bound.
    pub(super) fn clear(&mut self) {
        match self {
            Body::Native { stmt, .. } => stmt.clear(),
            Body::Returning { bound, .. } | Body::Command { bound, .. } => {
                wipe(bound.iter_mut());
                bound.fill(Value::Null);
            }
            Body::Nothing | Body::Check { .. } | Body::Schema(_) | Body::Declare { .. } => {}
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        match self {
            Body::Returning { bound, rows, row, .. } => {
                wipe(rows.as_mut_slice().iter_mut().flatten().chain(bound).chain(row));
            }
            Body::Check { rows, row } => {
                wipe(rows.as_mut_slice().iter_mut().flatten().chain(row));
            }
            Body::Command { bound, row, .. } => wipe(bound.iter_mut().chain(row)),
            Body::Native { .. } | Body::Declare { .. } | Body::Schema(_) | Body::Nothing => {}
        }
    }
}

fn wipe<'v>(values: impl IntoIterator<Item = &'v mut Value>) {
    values.into_iter().for_each(Value::wipe);
}

/// Wipes a row and empties it.
pub(super) fn forget(row: &mut Vec<Value>) {
    wipe(row.iter_mut());
    row.clear();
}

/// Goes to the next row; false where there is none.
pub(super) fn next(rows: &mut std::vec::IntoIter<Vec<Value>>, row: &mut Vec<Value>) -> bool {
    wipe(row.iter_mut());
    *row = rows.next().unwrap_or_default();
    !row.is_empty()
}
