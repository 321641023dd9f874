//! A connection on which SQL itself begins and ends the transactions: the state that fits what a statement sees, and the
//! engine's share in a transaction that writes sealed tables.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - H1. A [`Hosted`] lives in a session of its host, and the host lets go of that before its connection is closed or
//!   moves ([`Host::forget`]).
//! - H2. A session stays where it is until `xCommit` or `xRollback`, which SQLite calls while no other callback runs.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};

use rusqlite::ffi;

use super::native::data_version;
use crate::db::{Conn, Handle};
use crate::error::{Error, Result};
use crate::table::engine::{Engine, State};
use crate::table::savepoint::Memory;
use crate::table::session::{Marks, Session};

/// What a connection has for its transactions.
pub(super) struct Host {
    pub(super) engine: Arc<Engine>,
    session: RefCell<Option<Box<Writing>>>,
    /// The state that was current last. Weak: nothing here keeps keys.
    seen: RefCell<Weak<State>>,
    /// SQLite's counter of changes to the file then.
    data: Cell<Option<u32>>,
}

struct Writing {
    session: Session,
    /// As it was when the transaction first wrote a sealed table.
    first: Memory,
    marks: RefCell<Option<Marks>>,
}

/// A host's connection, for its session.
struct Hosted(NonNull<Conn>);

// SAFETY: H1; host, connection and session are used by one thread at a time, and move together.
unsafe impl Send for Hosted {}

impl Deref for Hosted {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        // SAFETY: H1.
        unsafe { self.0.as_ref() }
    }
}

impl Host {
    pub(super) fn new(engine: &Arc<Engine>) -> Self {
        Host {
            engine: Arc::clone(engine),
            session: RefCell::default(),
            seen: RefCell::default(),
            data: Cell::default(),
        }
    }

    /// The state that fits what the connection sees now.
    pub(super) fn state(&self, handle: Handle, conn: &Conn) -> Result<Arc<State>> {
        if let Some(session) = self.session() {
            return Ok(session.state());
        }
        let data = data_version(handle);
        let seen = self.seen.borrow().upgrade();
        if let Some(seen) = seen
            && data.is_some()
            && data == self.data.get()
            && self.engine.is_open()
        {
            return Ok(seen);
        }
        let _turn = conn.authority().engine();
        let state = self.engine.refresh(conn)?;
        // Reading may have shown what the counter had yet to count.
        self.data.set(data_version(handle));
        *self.seen.borrow_mut() = Arc::downgrade(&state);
        Ok(state)
    }

    /// The session of the transaction that runs, where it has written a sealed table.
    pub(super) fn session(&self) -> Option<&Session> {
        let writing = self.session.borrow();
        // SAFETY: H2: the box stays where it is.
        writing.as_ref().map(|writing| unsafe { NonNull::from(&writing.session).as_ref() })
    }

    /// `xBegin`: the transaction is about to write its first sealed row; SQLite has the lock.
    pub(super) fn begin(&self, conn: &Conn) -> Result<()> {
        if self.session.borrow().is_some() {
            return Ok(());
        }
        let _turn = conn.authority().engine();
        let session = Session::hosted(&self.engine, Box::new(Hosted(NonNull::from(conn))))?;
        let (first, marks) = (session.remember(), RefCell::default());
        *self.session.borrow_mut() = Some(Box::new(Writing { session, first, marks }));
        Ok(())
    }

    /// `xSync`: the transaction is about to commit.
    pub(super) fn sync(&self, conn: &Conn) -> Result<()> {
        let _turn = conn.authority().engine();
        if let Some(writing) = &*self.session.borrow() {
            *writing.marks.borrow_mut() = Some(writing.session.before_commit()?);
        }
        Ok(())
    }

    /// `xCommit`: it has committed.
    pub(super) fn commit(&self) {
        let Some(writing) = self.session.take() else { return };
        match &*writing.marks.borrow() {
            Some(marks) => writing.session.committed(marks),
            None => writing.session.ended(),
        }
    }

    /// `xRollback`: it has been taken back.
    pub(super) fn roll_back(&self) {
        self.forget();
    }

    /// SQLite has gone back to a savepoint from before the first write.
    pub(super) fn recall_first(&self) {
        if let Some(writing) = &*self.session.borrow() {
            writing.session.recall(&writing.first);
        }
    }

    /// Runs `work`, which changes more than rows, so that it happens whole or not at all. The transaction has a session
    /// then; a sealed table that `work` writes, be it no row, learns how the transaction ends.
    pub(super) fn changes<T>(&self, conn: &Conn, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let fresh = self.session.borrow().is_none();
        let done = one(conn, true, || {
            {
                // The lock comes first: what is read then is what is written over.
                let _turn = conn.authority().engine();
                conn.execute("UPDATE sealite_meta SET epoch = epoch WHERE id = 1", &[])?;
            }
            self.begin(conn)?;
            work()
        });
        if done.is_err() && fresh {
            self.forget();
        }
        done
    }

    /// Lets go of the session.
    pub(super) fn forget(&self) {
        if let Some(writing) = self.session.take() {
            writing.session.ended();
        }
    }
}

/// Runs `work`, one write, in a transaction of its own where there is none; if `whole`, all of it or nothing.
pub(super) fn one<T>(conn: &Conn, whole: bool, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (begin, keep, undo) = match (conn.in_transaction()?, whole) {
        (true, false) => return work(),
        (true, true) => (
            "SAVEPOINT sealite_whole",
            "RELEASE sealite_whole",
            "ROLLBACK TO sealite_whole; RELEASE sealite_whole",
        ),
        (false, _) => ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"),
    };
    let engine = |sql| {
        let _turn = conn.authority().engine();
        conn.batch(sql)
    };
    engine(begin)?;
    let done = match work() {
        Ok(done) => engine(keep).map(|()| done),
        // What a constraint leaves of a statement, as OR FAIL does, stays.
        Err(error) if !whole && is_constraint(&error) && conn.in_transaction()? => {
            engine(keep).and(Err(error))
        }
        Err(error) => Err(error),
    };
    if done.is_err() && conn.in_transaction()? {
        engine(undo)?;
    }
    done
}

fn is_constraint(error: &Error) -> bool {
    error.sqlite_code().is_some_and(|code| code & 0xff == ffi::SQLITE_CONSTRAINT)
}
