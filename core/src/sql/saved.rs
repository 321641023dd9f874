//! What a transaction remembers at the savepoints that SQLite sets, which it tells the tables of.

use std::cell::{Cell, RefCell};
use std::ffi::c_int;

use super::face::Face;
use crate::table::savepoint::Memory;

/// The savepoints of a connection's transaction, the innermost last.
#[derive(Default)]
pub(super) struct Saved {
    memories: RefCell<Vec<(c_int, Memory)>>,
    /// True from when a table joins the transaction until it is written: SQLite then names the innermost savepoint to it,
    /// which may have been set long before.
    joins: Cell<bool>,
}

impl Saved {
    /// A table joins the transaction of a host.
    pub(super) fn join(&self) {
        self.joins.set(true);
    }

    /// The table that joined has been told of the savepoint, if there is one.
    pub(super) fn joined(&self) {
        self.joins.set(false);
    }

    /// SQLite lets go of the savepoints from that number on.
    pub(super) fn release(&self, number: c_int) {
        self.memories.borrow_mut().retain(|(saved, _)| *saved < number);
    }

    /// The transaction is over.
    pub(super) fn end(&self) {
        self.joined();
        self.memories.borrow_mut().clear();
    }
}

impl Face {
    /// SQLite sets a savepoint of that number, or names it to a table that joins the transaction behind it.
    pub(super) fn save(&self, number: c_int) {
        // Tables that were there have been told when it was set. Where none was, nothing had been written.
        if self.saved.joins.take() {
            return;
        }
        let mut memories = self.saved.memories.borrow_mut();
        // Every table is told; the first one counts.
        if let Some(session) = self.session()
            && memories.last().is_none_or(|(last, _)| *last < number)
        {
            memories.push((number, session.remember()));
        }
    }

    /// SQLite goes back to the savepoint of that number.
    pub(super) fn go_back(&self, number: c_int) {
        let mut memories = self.saved.memories.borrow_mut();
        memories.retain(|(saved, _)| *saved <= number);
        let Some(session) = self.session() else { return };
        match (memories.last(), self.host()) {
            (Some((last, memory)), _) if *last == number => session.recall(memory),
            (_, Some(host)) => host.recall_first(),
            _ => {}
        }
    }
}
