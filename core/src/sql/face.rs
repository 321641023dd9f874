//! What a connection keeps for the SQL face: the step that runs now, and what its callbacks have to say.
//!
//! SQLite calls the module back while a statement is compiled or runs, and only then. [`Face::enter`] marks that time and
//! says on which connection, in which state and transaction it is; nothing of it is kept beyond.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - F1. A face stays where it is until its connection has been closed (`Conn::attached`), so the module's pointer to it
//!   holds for every callback.
//! - F2. The pointers of `Now` come from references that [`Entered`] borrows for as long as they stand there, and are
//!   used by callbacks alone, which end before it does.
//! - F3. A connection, and so its face, is used by one thread at a time, and changes threads only while `now` is empty.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use super::command::command;
use super::counts::Counts;
use super::host::Host;
use super::run::Run;
use super::saved::Saved;
use super::statement::{Known, know};
use super::tables::{Synced, sync};
use super::update::Mode;
use super::upsert::Clause;
use super::within::Within;
use crate::db::{Authority, Conn, Handle};
use crate::error::{Error, Result, err, fail};
use crate::table::engine::State;
use crate::table::session::Session;

/// Texts that a connection remembers.
const MAX_KNOWN: usize = 128;

/// What belongs to one connection.
pub(super) struct Face {
    pub(super) handle: Handle,
    pub(super) authority: Arc<Authority>,
    now: RefCell<Option<Now>>,
    /// What a callback has failed with: SQLite carries only a number and a text.
    failure: RefCell<Option<Error>>,
    pub(super) synced: RefCell<Synced>,
    /// What the text of the running statement says of its INSERT.
    given: RefCell<Option<Arc<Given>>>,
    /// Texts that have run, until the tables change.
    pub(super) known: RefCell<HashMap<Box<str>, Arc<Known>>>,
    /// What the running write does for each row.
    run: RefCell<Option<Rc<Run>>>,
    writing: Cell<bool>,
    /// True where the constraint that has just failed is none of uniqueness.
    no_clash: Cell<bool>,
    pub(super) saved: Saved,
    pub(super) counts: Counts,
    /// True on a connection of somebody else's: `now` stays, and the text is that of the running statement.
    #[cfg(feature = "loadable")]
    is_guest: Cell<bool>,
}

/// A table's way to its connection's face.
pub(super) struct FaceRef(NonNull<Face>);

impl FaceRef {
    pub(super) fn new(face: &Face) -> Self {
        FaceRef(NonNull::from(face))
    }

    pub(super) fn get(&self) -> &Face {
        // SAFETY: F1: SQLite lets go of a table before its connection is closed.
        unsafe { self.0.as_ref() }
    }
}

// SAFETY: F3; while `now` is empty a face holds nothing that belongs to a thread.
unsafe impl Send for Face {}

/// What the text of a write says.
pub(super) struct Given {
    /// The table, in lower case.
    pub(super) table: String,
    /// True for an INSERT.
    pub(super) inserts: bool,
    /// For each column whether the INSERT names it; `None` where it names none, so all.
    pub(super) named: Option<Vec<bool>>,
    /// `ON CONFLICT`: what happens where a row conflicts; any other failure is one.
    pub(super) upsert: Vec<Clause>,
}

struct Now {
    conn: NonNull<Conn>,
    place: Place,
}

/// Where the state of a step is.
enum Place {
    Session(NonNull<Session>),
    Snapshot(NonNull<Arc<State>>),
    Host(NonNull<Host>),
}

/// The step that runs.
pub(super) struct Step<'n> {
    pub(super) conn: &'n Conn,
    pub(super) session: Option<&'n Session>,
    pub(super) state: Arc<State>,
}

/// While it lives, the module's callbacks know where they are.
pub(super) struct Entered<'f> {
    pub(super) face: &'f Face,
    before: Option<Now>,
}

impl Face {
    /// Begins a step on the connection. Its sealed tables are those of the state then.
    pub(super) fn enter(within: Within<'_>) -> Result<Entered<'_>> {
        let entered = Self::begin(within)?;
        sync(entered.face, within.conn(), &within.state(entered.face.handle)?)?;
        Ok(entered)
    }

    /// Begins another step in the same transaction or snapshot: nobody else has changed anything since.
    pub(super) fn resume(within: Within<'_>) -> Result<Entered<'_>> {
        let entered = Self::begin(within)?;
        let face = entered.face;
        if !within.is(face.handle, |state| face.synced.borrow().is_of(state))? {
            sync(face, within.conn(), &within.state(face.handle)?)?;
        }
        Ok(entered)
    }

    /// Begins a step that ends the transaction, or goes back in it. It names no table and takes no key: there is a way out of
    /// a transaction though the vault has been locked meanwhile.
    pub(super) fn enter_to_end(within: Within<'_>) -> Result<Entered<'_>> {
        Self::begin(within)
    }

    /// Goes on with a step that stands on a row: its statement has the tables that it began with.
    pub(super) fn go_on(within: Within<'_>) -> Result<Entered<'_>> {
        let entered = Self::begin(within)?;
        within.check(entered.face.handle)?;
        Ok(entered)
    }

    fn begin(within: Within<'_>) -> Result<Entered<'_>> {
        let conn = within.conn();
        // Before anything of it is used: in a child it may be the parent's.
        conn.raw()?;
        let face = Self::of(within)?;
        let place = match within {
            Within::Session(session) => {
                // Its marks are written when it ends, and then nobody asks.
                face.counts.forget();
                Place::Session(NonNull::from(session))
            }
            Within::Snapshot(_, state) => Place::Snapshot(NonNull::from(state)),
            Within::Host(_, host) => Place::Host(NonNull::from(host)),
        };
        let before = face.now.replace(Some(Now { conn: NonNull::from(conn), place }));
        face.failure.take();
        Ok(Entered { face, before })
    }

    /// The face of the connection, made at its first use.
    pub(super) fn of(within: Within<'_>) -> Result<&Face> {
        within.conn().attached(|conn| Ok(Box::new(Face::new(conn)?)))
    }

    /// Makes every callback from now on a step of that host. Connection and host go with the face (G1).
    #[cfg(feature = "loadable")]
    pub(super) fn stay(&self, conn: &Conn, host: &Host) {
        let place = Place::Host(NonNull::from(host));
        self.now.replace(Some(Now { conn: NonNull::from(conn), place }));
        self.is_guest.set(true);
    }

    #[cfg(feature = "loadable")]
    pub(super) fn is_guest(&self) -> bool {
        self.is_guest.get()
    }

    fn new(conn: &Conn) -> Result<Self> {
        Ok(Face {
            handle: Handle::of(conn)?,
            authority: Arc::clone(conn.authority()),
            now: RefCell::default(),
            failure: RefCell::default(),
            synced: RefCell::default(),
            given: RefCell::default(),
            known: RefCell::default(),
            run: RefCell::default(),
            writing: Cell::default(),
            no_clash: Cell::default(),
            saved: Saved::default(),
            counts: Counts::default(),
            #[cfg(feature = "loadable")]
            is_guest: Cell::default(),
        })
    }

    /// Where a callback is.
    pub(super) fn step(&self) -> Result<Step<'_>> {
        let now = self.now.borrow();
        let Some(now) = &*now else {
            fail!(NotAllowed, "a sealed table is reached through the engine's SQL only");
        };
        // SAFETY: F2.
        let conn = unsafe { now.conn.as_ref() };
        // SAFETY: F2.
        let (session, state) = unsafe {
            match now.place {
                Place::Session(session) => {
                    let session = session.as_ref();
                    (Some(session), session.state())
                }
                Place::Snapshot(state) => (None, Arc::clone(state.as_ref())),
                Place::Host(host) => {
                    let host = host.as_ref();
                    (host.session(), host.state(self.handle, conn)?)
                }
            }
        };
        Ok(Step { conn, session, state })
    }

    /// The session of the step, where it may write.
    pub(super) fn session(&self) -> Option<&Session> {
        match self.now.borrow().as_ref()?.place {
            // SAFETY: F2.
            Place::Session(session) => Some(unsafe { session.as_ref() }),
            // SAFETY: F2.
            Place::Host(host) => unsafe { host.as_ref() }.session(),
            Place::Snapshot(_) => None,
        }
    }

    /// The host of the step, where SQL itself ends the transaction.
    pub(super) fn host(&self) -> Option<&Host> {
        match &*self.now.borrow() {
            // SAFETY: F2.
            Some(Now { place: Place::Host(host), .. }) => Some(unsafe { host.as_ref() }),
            _ => None,
        }
    }

    /// The connection that the step runs on.
    pub(super) fn conn(&self) -> Result<&Conn> {
        match &*self.now.borrow() {
            // SAFETY: F2.
            Some(now) => Ok(unsafe { now.conn.as_ref() }),
            None => {
                Err(err!(NotAllowed, "a sealed table is reached through the engine's SQL only"))
            }
        }
    }

    /// Keeps what a callback has failed with, for [`Entered::failure`].
    pub(super) fn fail(&self, error: Error) {
        *self.failure.borrow_mut() = Some(error);
    }

    /// The write that fails now clashes with no other row.
    pub(super) fn is_no_clash(&self) {
        self.no_clash.set(true);
    }

    /// True where SQLite must not take a failed constraint for a row to be left out: `ON CONFLICT` runs as `OR IGNORE`,
    /// which would forgive more.
    pub(super) fn stops(&self) -> bool {
        self.no_clash.take() && self.is_upsert()
    }

    /// True where the row whose write has just failed is left out, and the statement goes on.
    pub(super) fn forgives(&self, mode: Mode) -> bool {
        mode == Mode::Ignore && !(self.is_upsert() && self.no_clash.get())
    }

    fn is_upsert(&self) -> bool {
        self.given.borrow().as_ref().is_some_and(|given| !given.upsert.is_empty())
    }

    /// What the text of the running statement says of its write to that table (in lower case).
    pub(super) fn given(&self, table: &str) -> Option<Arc<Given>> {
        #[cfg(feature = "loadable")]
        if self.is_guest.get() {
            return self.given_by_statement(table);
        }
        let given = self.given.borrow();
        given.as_ref().filter(|given| given.inserts && given.table == table).map(Arc::clone)
    }

    /// What is known of a statement by its text, under the tables of the step.
    pub(super) fn known(&self, sql: &str) -> Result<Arc<Known>> {
        if let Some(known) = self.known.borrow().get(sql) {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(if self.authority.shows {
            know(sql, &self.step()?.state)?
        } else {
            command(sql)?.map_or(Known::Plain, |command| Known::Command(Arc::new(command)))
        });
        let mut kept = self.known.borrow_mut();
        if kept.len() >= MAX_KNOWN {
            kept.clear();
        }
        kept.insert(sql.into(), Arc::clone(&known));
        Ok(known)
    }

    /// What the running write does for each row.
    pub(super) fn run(&self) -> Option<Rc<Run>> {
        self.run.borrow().as_ref().map(Rc::clone)
    }

    /// The result, with the error of the callback that failed in place of SQLite's words for it.
    pub(super) fn checked<T>(&self, result: Result<T>) -> Result<T> {
        let failure = self.failure.take();
        result.map_err(|error| failure.unwrap_or(error))
    }

    /// One write at a time: a trigger that a write sets off writes no sealed table.
    pub(super) fn write<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.saved.joined();
        if self.writing.replace(true) {
            fail!(Refused, "a trigger writes a sealed table while another write sets it off");
        }
        let _writing = Writing(&self.writing);
        work()
    }

    /// A write that another one makes of its own.
    pub(super) fn within_write<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.writing.replace(false);
        let done = work();
        self.writing.set(before);
        done
    }
}

impl Entered<'_> {
    /// Tells the callbacks what the statement's text says.
    pub(super) fn expect(&self, given: Option<&Arc<Given>>, run: Option<&Rc<Run>>) {
        *self.face.given.borrow_mut() = given.map(Arc::clone);
        *self.face.run.borrow_mut() = run.map(Rc::clone);
    }

    /// As [`Face::checked`].
    pub(super) fn checked<T>(&self, result: Result<T>) -> Result<T> {
        self.face.checked(result)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.face.now.borrow_mut() = self.before.take();
        self.face.given.take();
        self.face.run.take();
    }
}

/// Ends a write when dropped, be it by a panic.
struct Writing<'f>(&'f Cell<bool>);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The error for a panic that was caught on its way into C.
pub(super) fn panicked() -> Error {
    err!(Internal, "the engine has met a fault of its own in a sealed table")
}
