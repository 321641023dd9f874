//! A write transaction: BEGIN IMMEDIATE, the state that fits it, and what has to happen before it commits.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::attached::Kept;
use super::engine::{Engine, State};
use super::sequence::Sequences;
use crate::crypto::random;
use crate::db::{Conn, Lease, Pool};
use crate::error::{ErrorKind, Result, err, fail};
use crate::format::context::Context;
use crate::keys::ring::{Key, Purpose};
use crate::metrics::{Counter, Counters};

/// A write transaction. Rolls back when dropped unfinished.
pub(crate) struct Session {
    engine: Arc<Engine>,
    conn: Lease,
    state: RefCell<Arc<State>>,
    sequences: RefCell<Sequences>,
    scratch: RefCell<Scratch>,
    /// What capabilities keep for the rest of the transaction.
    kept: Kept,
    own_ring: Cell<bool>,
    finished: Cell<bool>,
    /// The savepoints that are open, the innermost last.
    savepoints: RefCell<Vec<u64>>,
    /// When the lock was asked for.
    began: Instant,
    /// The connection's count of changed rows at the beginning.
    changes: u64,
    /// Audit entries that go with this transaction.
    audited: Cell<u64>,
}

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
        Self::begin_with(engine, Pool::writer)
    }

    /// As [`Session::begin`], for a transaction that need not survive a power cut, only the end of the process.
    pub(crate) fn begin_light(engine: &Arc<Engine>) -> Result<Self> {
        Self::begin_with(engine, Pool::light_writer)
    }

    /// As [`Session::run`], for a transaction that replaces a table: foreign keys are not enforced in it.
    pub(crate) fn replace<T>(
        engine: &Arc<Engine>,
        work: impl FnOnce(&Session) -> Result<T>,
    ) -> Result<T> {
        let session = Session::begin_with(engine, Pool::replacing_writer)?;
        let result = engine.counters.checked(work(&session))?;
        session.commit()?;
        Ok(result)
    }

    fn begin_with(engine: &Arc<Engine>, writer: fn(&Pool) -> Result<Lease>) -> Result<Self> {
        engine.counters.checked(Self::begin_on(engine, writer))
    }

    fn begin_on(engine: &Arc<Engine>, writer: fn(&Pool) -> Result<Lease>) -> Result<Self> {
        engine.state()?;
        let began = Instant::now();
        let conn = writer(&engine.pool)?;
        conn.execute("BEGIN IMMEDIATE", &[])?;
        Self::over(engine, conn, began)
    }

    /// Goes on with a transaction that has begun on the connection. The lease rolls back if anything fails.
    pub(crate) fn over(engine: &Arc<Engine>, conn: Lease, began: Instant) -> Result<Self> {
        let state = engine.refresh(&conn)?;
        let changes = conn.changes()?;
        Ok(Session {
            engine: Arc::clone(engine),
            conn,
            state: RefCell::new(state),
            sequences: RefCell::default(),
            scratch: RefCell::default(),
            kept: Kept::default(),
            own_ring: Cell::new(false),
            finished: Cell::new(false),
            savepoints: RefCell::default(),
            began,
            changes,
            audited: Cell::new(0),
        })
    }

    /// Runs `work` in a transaction of its own.
    pub(crate) fn run<T>(
        engine: &Arc<Engine>,
        work: impl FnOnce(&Session) -> Result<T>,
    ) -> Result<T> {
        let session = Session::begin(engine)?;
        let result = engine.counters.checked(work(&session))?;
        session.commit()?;
        Ok(result)
    }

    /// As [`Session::run`], light, for work that can as well be done later: not done where another thread is writing.
    pub(crate) fn in_passing(
        engine: &Arc<Engine>,
        work: impl FnOnce(&Session) -> Result<()>,
    ) -> Result<()> {
        if engine.pool.is_writing() {
            return Ok(());
        }
        let session = Session::begin_light(engine)?;
        work(&session)?;
        session.commit()
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn conn(&self) -> &Conn {
        &self.conn
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    pub(crate) fn sequences(&self) -> RefMut<'_, Sequences> {
        self.sequences.borrow_mut()
    }

    /// What a capability keeps for the rest of this transaction. Forgotten when any savepoint is taken back.
    pub(crate) fn kept<T: Any + Send>(
        &self,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<RefMut<'_, T>> {
        self.kept.get(make)
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.engine.counters
    }

    /// Takes note of an audit entry that this transaction has appended.
    pub(crate) fn note_audited(&self) {
        self.audited.set(self.audited.get() + 1);
    }

    /// The next row id of a table.
    pub(crate) fn next_id(&self, state: &State, table: &str) -> Result<i64> {
        let id = state.table(table)?.stored.id;
        self.sequences().next(&self.conn, &state.ring, id)
    }

    /// The vault's clock, in milliseconds since 1970.
    pub(crate) fn clock_ms(&self) -> i64 {
        self.engine.clock_ms()
    }

    /// The buffers; a nested write to another row is refused rather than mixed up.
    pub(crate) fn scratch(&self) -> Result<RefMut<'_, Scratch>> {
        self.scratch
            .try_borrow_mut()
            .map_err(|_| err!(Refused, "a write inside another write of the same transaction"))
    }

    /// The key that seals for a tenant, made here where it is the first use, and the state that knows it.
    pub(crate) fn sealing_key(&self, tenant: Option<&str>) -> Result<(Arc<State>, Arc<Key>)> {
        let mut state = self.state();
        let mut key = state.ring.sealing(&self.conn, tenant)?;
        if key.is_none() {
            state = self.create_key(Purpose::Data, tenant)?;
            key = state.ring.sealing(&self.conn, tenant)?;
        }
        let key = key.ok_or_else(|| err!(Internal, "a key just made is not there"))?;
        Ok((state, key))
    }

    /// Makes a key; the state that knows it. From here on the transaction has a ring of its own, so that a key that a
    /// roll-back can still take back seals nothing outside of it.
    pub(crate) fn create_key(&self, purpose: Purpose, tenant: Option<&str>) -> Result<Arc<State>> {
        if !self.own_ring.replace(true) {
            let own = self.state().with_new_ring();
            *self.state.borrow_mut() = Arc::new(own);
        }
        let state = self.state();
        state.ring.create(&self.conn, purpose, tenant)?;
        Ok(state)
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
        let mut undo = Undo { session: self, savepoint: Some(self.begin_savepoint()?) };
        let result = work()?;
        if let Some(savepoint) = undo.savepoint.take() {
            self.release(&savepoint)?;
        }
        Ok(result)
    }

    pub(crate) fn begin_savepoint(&self) -> Result<Savepoint> {
        let state = self.state();
        self.sequences().flush(&self.conn, &state.ring)?;
        let depth = self.savepoints.borrow().len();
        self.conn.execute(&format!("SAVEPOINT s{depth}"), &[])?;
        let number = NEXT_SAVEPOINT.fetch_add(1, Ordering::Relaxed);
        self.savepoints.borrow_mut().push(number);
        Ok(Savepoint { number, state, audited: self.audited.get() })
    }

    /// Keeps what was done since the savepoint.
    pub(crate) fn release(&self, savepoint: &Savepoint) -> Result<()> {
        let depth = self.end(savepoint)?;
        self.conn.execute(&format!("RELEASE s{depth}"), &[])?;
        Ok(())
    }

    /// Takes back what was done since the savepoint.
    pub(crate) fn roll_back_to(&self, savepoint: &Savepoint) -> Result<()> {
        let depth = self.end(savepoint)?;
        *self.state.borrow_mut() = Arc::new(savepoint.state.with_new_ring());
        self.own_ring.set(true);
        self.sequences().forget();
        self.kept.forget();
        self.audited.set(savepoint.audited);
        // Where SQLite has rolled the whole transaction back by itself, there is no savepoint left.
        if self.conn.in_transaction()? {
            self.conn.execute(&format!("ROLLBACK TO s{depth}"), &[])?;
            self.conn.execute(&format!("RELEASE s{depth}"), &[])?;
        }
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

    /// A savepoint ends once, in its own transaction, and those inside it with it. Its depth.
    fn end(&self, savepoint: &Savepoint) -> Result<usize> {
        let mut open = self.savepoints.borrow_mut();
        let Some(depth) = open.iter().position(|number| *number == savepoint.number) else {
            fail!(Closed, "the savepoint has ended, or is another transaction's");
        };
        open.truncate(depth);
        Ok(depth)
    }

    /// Writes the marks and commits.
    pub(crate) fn commit(&self) -> Result<()> {
        self.check_open()?;
        let state = self.state();
        let (now, clock) = (self.clock_ms(), &self.engine.clock);
        let writes = self.conn.changes()? != self.changes;
        let saved = if writes {
            Some(clock.save(&self.conn, &state, &mut self.sequences(), now)?)
        } else {
            None
        };
        self.sequences().flush(&self.conn, &state.ring)?;
        let counters = &self.engine.counters;
        let committing = Instant::now();
        if let Err(error) = self.conn.execute("COMMIT", &[]) {
            if error.kind() == ErrorKind::Io {
                self.engine.pool.poison();
            }
            return counters.checked(Err(error));
        }
        self.finished.set(true);
        let end = Instant::now();
        counters.commit.observe(end.duration_since(committing));
        counters.write.observe(end.duration_since(self.began));
        counters.add(Counter::Committed, 1);
        counters.add(Counter::AuditAppended, self.audited.get());
        if let Some(saved) = saved {
            clock.committed(saved, now);
        }
        random::discard();
        self.engine.publish(&self.conn, &state);
        Ok(())
    }

    /// Takes everything back.
    pub(crate) fn roll_back(&self) -> Result<()> {
        self.check_open()?;
        self.finished.set(true);
        self.engine.counters.add(Counter::RolledBack, 1);
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
            "UPDATE sealite_meta SET erasure_pending = erasure_pending + 1 WHERE id = 1",
            &[],
        )?;
        Ok(())
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

impl Drop for Session {
    fn drop(&mut self) {
        if !self.finished.get() {
            let _ = self.roll_back();
        }
    }
}
