//! Savepoints: those that the engine sets, and what it remembers at those that SQLite sets by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::engine::State;
use super::sequence::Sequences;
use super::session::Session;
use crate::error::{ErrorKind, Result, err};

static NEXT_SAVEPOINT: AtomicU64 = AtomicU64::new(0);

/// Where a transaction can be taken back to.
pub(crate) struct Savepoint {
    /// Of no other savepoint in the process.
    number: u64,
    state: Arc<State>,
    audited: u64,
}

/// What a transaction has in memory, for the savepoints that SQLite sets by itself.
pub(crate) struct Memory {
    state: Arc<State>,
    sequences: Sequences,
    audited: u64,
}

impl Session {
    /// Runs `work` so that it happens whole or not at all, inside this transaction.
    pub(crate) fn savepoint<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut undo = Undo { session: self, savepoint: Some(self.begin_savepoint()?) };
        let result = work()?;
        if let Some(savepoint) = &undo.savepoint {
            self.release(savepoint)?;
        }
        undo.savepoint = None;
        Ok(result)
    }

    pub(crate) fn begin_savepoint(&self) -> Result<Savepoint> {
        let state = self.state();
        self.sequences().flush(self.conn(), &state.ring)?;
        let depth = self.savepoints.borrow().len();
        self.conn().execute(&format!("SAVEPOINT s{depth}"), &[])?;
        let number = NEXT_SAVEPOINT.fetch_add(1, Ordering::Relaxed);
        self.savepoints.borrow_mut().push(number);
        Ok(Savepoint { number, state, audited: self.audited.get() })
    }

    /// Keeps what was done since the savepoint.
    pub(crate) fn release(&self, savepoint: &Savepoint) -> Result<()> {
        let depth = self.depth(savepoint)?;
        self.conn().execute(&format!("RELEASE s{depth}"), &[])?;
        self.end(depth);
        Ok(())
    }

    /// Takes back what was done since the savepoint.
    pub(crate) fn roll_back_to(&self, savepoint: &Savepoint) -> Result<()> {
        let depth = self.depth(savepoint)?;
        *self.state.borrow_mut() = Arc::new(savepoint.state.with_new_ring());
        self.own_ring.set(true);
        self.sequences().forget();
        self.kept.forget();
        self.audited.set(savepoint.audited);
        // Where SQLite has rolled the whole transaction back by itself, there is no savepoint left.
        if self.conn().in_transaction()? {
            self.conn().execute(&format!("ROLLBACK TO s{depth}"), &[])?;
            match self.conn().execute(&format!("RELEASE s{depth}"), &[]) {
                // A statement that writes stands on a row. What is left is empty: a later one of its name comes first, and
                // the end of what is around it ends it.
                Err(error) if error.kind() == ErrorKind::Busy => {}
                released => drop(released?),
            }
        }
        self.end(depth);
        Ok(())
    }

    /// What [`Session::recall`] goes back to.
    pub(crate) fn remember(&self) -> Memory {
        let (state, sequences) = (self.state(), self.sequences().clone());
        Memory { state, sequences, audited: self.audited.get() }
    }

    /// After SQLite has gone back to a savepoint of its own: as it was then, with a ring that knows no key made since.
    pub(crate) fn recall(&self, memory: &Memory) {
        *self.state.borrow_mut() = Arc::new(memory.state.with_new_ring());
        self.own_ring.set(true);
        *self.sequences() = memory.sequences.clone();
        self.kept.forget();
        self.audited.set(memory.audited);
    }

    /// How many savepoints it stands in.
    fn depth(&self, savepoint: &Savepoint) -> Result<usize> {
        let open = self.savepoints.borrow();
        let place = open.iter().position(|number| *number == savepoint.number);
        place.ok_or_else(|| err!(Closed, "the savepoint has ended, or is another transaction's"))
    }

    /// A savepoint has ended, and those inside it with it.
    fn end(&self, depth: usize) {
        self.savepoints.borrow_mut().truncate(depth);
    }
}

/// Takes a savepoint back on the way out, be it by an error or by a panic that somebody catches.
struct Undo<'s> {
    session: &'s Session,
    savepoint: Option<Savepoint>,
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some(savepoint) = self.savepoint.take()
            && self.session.roll_back_to(&savepoint).is_err()
        {
            // What can't be taken back alone must not be committed with the rest.
            let _ = self.session.roll_back();
        }
    }
}
