//! A write transaction: BEGIN IMMEDIATE, the state that fits it, and what has to happen before it commits.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::engine::{Engine, State};
use super::sequence::Sequences;
use crate::crypto::random;
use crate::db::{Conn, Lease};
use crate::error::{ErrorKind, Result, err, fail};
use crate::format::context::Context;
use crate::keys::ring::{Key, Purpose};
use crate::value::ValueRef;

/// A write transaction. Rolls back when dropped unfinished.
pub(crate) struct Session {
    engine: Arc<Engine>,
    conn: Lease,
    state: RefCell<Arc<State>>,
    sequences: RefCell<Sequences>,
    scratch: RefCell<Scratch>,
    keys_created: Cell<bool>,
    finished: Cell<bool>,
    depth: Cell<u32>,
}

/// Buffers used again and again.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) context: Context,
    pub(crate) record: Vec<u8>,
    pub(crate) text: String,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The normalised form of a sealed value.
        zeroize::Zeroize::zeroize(&mut self.text);
    }
}

impl Session {
    pub(crate) fn begin(engine: &Arc<Engine>) -> Result<Self> {
        engine.state()?;
        let conn = engine.pool.writer()?;
        conn.execute("BEGIN IMMEDIATE", &[])?;
        // From here on the lease rolls back if anything fails.
        let state = engine.refresh(&conn)?;
        Ok(Session {
            engine: Arc::clone(engine),
            conn,
            state: RefCell::new(state),
            sequences: RefCell::default(),
            scratch: RefCell::default(),
            keys_created: Cell::new(false),
            finished: Cell::new(false),
            depth: Cell::new(0),
        })
    }

    /// Runs `work` in a transaction of its own.
    pub(crate) fn run<T>(
        engine: &Arc<Engine>,
        work: impl FnOnce(&Session) -> Result<T>,
    ) -> Result<T> {
        let session = Session::begin(engine)?;
        let result = work(&session)?;
        session.commit()?;
        Ok(result)
    }

    pub(crate) fn conn(&self) -> &Conn {
        &self.conn
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    pub(crate) fn sequences(&self) -> std::cell::RefMut<'_, Sequences> {
        self.sequences.borrow_mut()
    }

    /// The buffers; a nested write to another row is refused rather than mixed up.
    pub(crate) fn scratch(&self) -> Result<std::cell::RefMut<'_, Scratch>> {
        self.scratch
            .try_borrow_mut()
            .map_err(|_| err!(Refused, "a write inside another write of the same transaction"))
    }

    /// The key that seals for a tenant; made here where it is the first use.
    pub(crate) fn sealing_key(&self, state: &State, tenant: Option<&str>) -> Result<Arc<Key>> {
        if let Some(key) = state.ring.sealing(&self.conn, tenant)? {
            return Ok(key);
        }
        self.create_key(state, Purpose::Data, tenant)?;
        let key = state.ring.sealing(&self.conn, tenant)?;
        key.ok_or_else(|| err!(Internal, "a key just made is not there"))
    }

    /// Makes a key; a roll-back will forget it.
    pub(crate) fn create_key(
        &self,
        state: &State,
        purpose: Purpose,
        tenant: Option<&str>,
    ) -> Result<()> {
        self.keys_created.set(true);
        state.ring.create(&self.conn, purpose, tenant)
    }

    /// After a change of the catalog: the next epoch, and the state that belongs to it.
    pub(crate) fn advance(&self) -> Result<()> {
        self.conn.execute("UPDATE sealite_meta SET epoch = epoch + 1 WHERE id = 1", &[])?;
        let epoch = self.state().epoch + 1;
        let fresh = State::load(&self.conn, self.state().ring.renewed(), epoch)?;
        *self.state.borrow_mut() = Arc::new(fresh);
        Ok(())
    }

    /// Runs `work` so that it happens whole or not at all, inside this transaction.
    pub(crate) fn savepoint<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let state = self.state();
        self.sequences().flush(&self.conn, &state.ring)?;
        let depth = self.depth.get() + 1;
        self.conn.execute(&format!("SAVEPOINT s{depth}"), &[])?;
        self.depth.set(depth);
        let result = work();
        self.depth.set(depth - 1);
        if result.is_ok() {
            self.conn.execute(&format!("RELEASE s{depth}"), &[])?;
            return result;
        }
        self.forget_keys();
        *self.state.borrow_mut() = Arc::new(state.with_new_ring());
        self.sequences().forget();
        // Where SQLite has rolled the whole transaction back by itself, there is no savepoint left.
        if self.conn.in_transaction()? {
            self.conn.execute(&format!("ROLLBACK TO s{depth}"), &[])?;
            self.conn.execute(&format!("RELEASE s{depth}"), &[])?;
        }
        result
    }

    fn forget_keys(&self) {
        if self.keys_created.get() {
            self.engine.forget_keys();
        }
    }

    /// Writes the marks and commits.
    pub(crate) fn commit(&self) -> Result<()> {
        self.check_open()?;
        let state = self.state();
        self.sequences().flush(&self.conn, &state.ring)?;
        if let Err(error) = self.conn.execute("COMMIT", &[]) {
            if error.kind() == ErrorKind::Io {
                self.engine.pool.poison();
            }
            return Err(error);
        }
        self.finished.set(true);
        random::discard();
        self.engine.publish(&self.conn, &state);
        Ok(())
    }

    /// Takes everything back.
    pub(crate) fn roll_back(&self) -> Result<()> {
        self.check_open()?;
        self.finished.set(true);
        self.forget_keys();
        random::discard();
        if self.conn.in_transaction()? {
            self.conn.execute("ROLLBACK", &[])?;
        }
        Ok(())
    }

    /// A transaction that has ended, or that SQLite has ended, takes no more work.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.finished.get() {
            fail!(Closed, "the transaction has ended");
        }
        if !self.conn.in_transaction()? {
            fail!(Closed, "SQLite has rolled the transaction back after an earlier error");
        }
        Ok(())
    }

    /// Remembers that remnants of plaintext have still to be overwritten.
    pub(crate) fn mark_erasure(&self) -> Result<()> {
        self.conn.execute(
            "UPDATE sealite_meta SET erasure_pending = ? WHERE id = 1",
            &[ValueRef::Integer(1)],
        )?;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.finished.get() {
            let _ = self.roll_back();
        }
    }
}
