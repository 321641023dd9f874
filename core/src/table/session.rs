//! A write transaction: BEGIN IMMEDIATE, the state that fits it, and what has to happen before it commits.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use super::attached::Kept;
use super::engine::{Engine, State};
use super::sequence::Sequences;
use crate::crypto::random;
use crate::db::{Conn, Lease, Pool};
use crate::error::{ErrorKind, Result, err, fail};
use crate::format::context::Context;
use crate::keys::ring::Ring;
use crate::metrics::{Counter, Counters};

/// A write transaction. Rolls back when dropped unfinished.
pub(crate) struct Session {
    engine: Arc<Engine>,
    conn: On,
    pub(super) state: RefCell<Arc<State>>,
    sequences: RefCell<Sequences>,
    scratch: RefCell<Scratch>,
    /// What capabilities keep for the rest of the transaction.
    pub(super) kept: Kept,
    pub(super) own_ring: Cell<bool>,
    finished: Cell<bool>,
    /// The savepoints that are open, the innermost last.
    pub(super) savepoints: RefCell<Vec<u64>>,
    /// When the lock was asked for.
    began: Instant,
    /// The connection's count of changed rows at the beginning.
    changes: u64,
    /// Audit entries that go with this transaction.
    pub(super) audited: Cell<u64>,
}

/// What a transaction runs on.
enum On {
    /// A connection of its own, until it ends.
    Lease(Lease),
    /// Somebody else's connection: SQL begins and ends the transaction there.
    Host(Box<dyn Deref<Target = Conn> + Send>),
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
        Self::on(engine, On::Lease(conn), began)
    }

    /// The transaction that has begun on somebody else's connection, and that ends there: [`Session::before_commit`] and
    /// then [`Session::committed`], or [`Session::ended`].
    pub(crate) fn hosted(
        engine: &Arc<Engine>,
        conn: Box<dyn Deref<Target = Conn> + Send>,
    ) -> Result<Self> {
        Self::on(engine, On::Host(conn), Instant::now())
    }

    fn on(engine: &Arc<Engine>, on: On, began: Instant) -> Result<Self> {
        let conn = on.conn();
        let (state, changes) = (engine.refresh(conn)?, conn.changes()?);
        Ok(Session {
            engine: Arc::clone(engine),
            conn: on,
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
        self.conn.conn()
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    /// The state, for a look at it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Arc<State>) -> T) -> T {
        look(&self.state.borrow())
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
        self.sequences().next(self.conn(), &state.ring, id)
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

    /// Refuses a subject that has been erased, where rows have subjects at all.
    pub(crate) fn check_subject(&self, tenant: Option<&str>, subject: &str) -> Result<()> {
        let state = self.state();
        if !state.has_subjects() {
            return Ok(());
        }
        state.ring.check_subject(self.conn(), tenant, subject)
    }

    /// The state with a ring of this transaction's own.
    pub(super) fn own_ring(&self) -> Arc<State> {
        if !self.own_ring.replace(true) {
            let own = self.state().with_new_ring();
            *self.state.borrow_mut() = Arc::new(own);
        }
        self.state()
    }

    /// After a change of the catalog or of keys: the next epoch, and the state that belongs to it.
    pub(crate) fn advance(&self) -> Result<()> {
        self.advance_with(&self.state().ring)
    }

    pub(super) fn advance_with(&self, ring: &Ring) -> Result<()> {
        self.conn().execute("UPDATE sealite_meta SET epoch = epoch + 1 WHERE id = 1", &[])?;
        let epoch = self.state().epoch + 1;
        let fresh = State::load(self.conn(), ring.renewed(self.own_ring.get()), epoch)?;
        *self.state.borrow_mut() = Arc::new(fresh);
        Ok(())
    }

    /// Writes the marks and commits.
    pub(crate) fn commit(&self) -> Result<()> {
        self.check_open()?;
        let marks = self.before_commit()?;
        if let Err(error) = self.conn().execute("COMMIT", &[]) {
            if error.kind() == ErrorKind::Io {
                self.engine.pool.poison();
            }
            return self.engine.counters.checked(Err(error));
        }
        self.committed(&marks);
        Ok(())
    }

    /// Writes the marks.
    pub(crate) fn before_commit(&self) -> Result<Marks> {
        let (state, conn) = (self.state(), self.conn());
        let (now, clock) = (self.clock_ms(), &self.engine.clock);
        let writes = conn.changes()? != self.changes;
        let saved =
            if writes { Some(clock.save(conn, &state, &mut self.sequences(), now)?) } else { None };
        self.sequences().flush(conn, &state.ring)?;
        Ok(Marks { saved, now, committing: Instant::now() })
    }

    /// Everything is on the disk.
    pub(crate) fn committed(&self, marks: &Marks) {
        self.finished.set(true);
        let (counters, end) = (&self.engine.counters, Instant::now());
        counters.commit.observe(end.duration_since(marks.committing));
        counters.write.observe(end.duration_since(self.began));
        counters.add(Counter::Committed, 1);
        counters.add(Counter::AuditAppended, self.audited.get());
        if let Some(saved) = marks.saved {
            self.engine.clock.committed(saved, marks.now);
        }
        random::discard();
        self.engine.publish(self.conn(), &self.state());
    }

    /// Everything has been taken back.
    pub(crate) fn ended(&self) {
        if !self.finished.replace(true) {
            self.engine.counters.add(Counter::RolledBack, 1);
            random::discard();
        }
    }

    /// Takes everything back, also where SQLite has done so by itself.
    pub(crate) fn roll_back(&self) -> Result<()> {
        if self.finished.get() {
            fail!(Closed, "the transaction has ended");
        }
        self.ended();
        if matches!(self.conn, On::Lease(_)) && self.conn().in_transaction()? {
            self.conn().execute("ROLLBACK", &[])?;
        }
        Ok(())
    }

    /// A transaction that has ended, or that SQLite has ended, takes no more work.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.finished.get() {
            fail!(Closed, "the transaction has ended");
        }
        // A statement alone is a transaction that SQLite does not call one.
        if matches!(self.conn, On::Lease(_)) && !self.conn().in_transaction()? {
            fail!(Closed, "SQLite has rolled the transaction back after an earlier error");
        }
        Ok(())
    }

    /// Remembers that remnants of plaintext have still to be overwritten.
    pub(crate) fn mark_erasure(&self) -> Result<()> {
        self.conn().execute(
            "UPDATE sealite_meta SET erasure_pending = erasure_pending + 1 WHERE id = 1",
            &[],
        )?;
        Ok(())
    }
}

/// What goes from [`Session::before_commit`] to [`Session::committed`].
pub(crate) struct Marks {
    /// The clock's mark, where it was looked at.
    saved: Option<i64>,
    now: i64,
    committing: Instant,
}

impl On {
    fn conn(&self) -> &Conn {
        match self {
            On::Lease(conn) => conn,
            On::Host(conn) => conn,
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
