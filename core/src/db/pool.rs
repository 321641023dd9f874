//! The connections of one vault: one writer, several readers, and what a fork means for them.
//!
//! SQLite keeps its lock tables in process memory, and a child inherits a copy that claims locks which the child does
//! not hold. So no connection may be open across a fork: the hook closes the idle ones before it, without a checkpoint,
//! and both sides open new ones when they need them. A connection that is in use at that moment is left to the
//! parent; the child abandons it, and the file, for good.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;

use super::authority::Authority;
use super::conn::Conn;
use super::files::FileId;
use super::open::{Config, Location, Role, open};
use crate::error::{Result, fail};
use crate::fork::{self, Hooks};

/// Idle readers kept open.
const IDLE_READERS: usize = 8;
/// Readers in use at once, a vault.
const MAX_READERS: usize = 64;
/// How long a fork waits for connections in use.
const FORK_PATIENCE: Duration = Duration::from_millis(200);

/// The gates of the process. They are never freed, only used again, so that a fork can hold their locks.
static GATES: Mutex<Vec<&'static Gate>> = Mutex::new(Vec::new());

/// What of a pool the fork hook must reach.
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)]
struct State {
    taken: bool,
    closed: bool,
    abandoned: bool,
    poisoned: bool,
    file: Option<FileId>,
    writer: Option<Conn>,
    readers: Vec<Conn>,
    writer_out: Option<ThreadId>,
    readers_out: Vec<ThreadId>,
    closing: usize,
}

impl State {
    fn in_use(&self) -> bool {
        self.writer_out.is_some() || !self.readers_out.is_empty() || self.closing > 0
    }
}

/// The connections of one vault.
pub(crate) struct Pool {
    gate: &'static Gate,
    location: Location,
    config: Config,
    authority: Arc<Authority>,
}

/// A connection on loan; returned when dropped.
pub(crate) struct Lease {
    conn: Option<Conn>,
    gate: &'static Gate,
    writer: bool,
    thread: ThreadId,
}

impl Pool {
    /// A pool for the file, which need not exist yet. Nothing is opened.
    pub(crate) fn new(location: Location, config: Config) -> Result<Self> {
        static HOOKED: Once = Once::new();
        HOOKED.call_once(|| {
            fork::set_hooks(Hooks { before: before_fork, parent: after_fork, child: in_child });
        });
        let file = match &location {
            Location::File(path) => FileId::of(path),
            Location::Memory => None,
        };
        let gate = Gate::take(file)?;
        Ok(Pool { gate, location, config, authority: Arc::default() })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// True where one connection serves for everything.
    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.location, Location::Memory)
    }

    /// The writer, creating the file where it is missing.
    pub(crate) fn creator(&self) -> Result<Lease> {
        let mut lease = self.reserve_writer()?;
        if lease.conn.is_none() {
            lease.conn = Some(open(&self.location, Role::Creator, &self.config, &self.authority)?);
            self.know_file();
        }
        Ok(lease)
    }

    /// The writer: one at a time, in turn. Waits as long as the configured time-out.
    pub(crate) fn writer(&self) -> Result<Lease> {
        let mut lease = self.reserve_writer()?;
        if lease.conn.is_none() {
            lease.conn = Some(open(&self.location, Role::Writer, &self.config, &self.authority)?);
            self.know_file();
        }
        Ok(lease)
    }

    /// A reader.
    pub(crate) fn reader(&self) -> Result<Lease> {
        if self.is_memory() {
            return self.writer();
        }
        let mut state =
            self.wait(|state| state.readers_out.len() < MAX_READERS, "every reader is in use")?;
        let thread = std::thread::current().id();
        state.readers_out.push(thread);
        let conn = state.readers.pop();
        drop(state);
        let mut lease = Lease { conn, gate: self.gate, writer: false, thread };
        if lease.conn.is_none() {
            lease.conn = Some(open(&self.location, Role::Reader, &self.config, &self.authority)?);
            self.know_file();
        }
        Ok(lease)
    }

    /// Closes everything; what is on loan closes when it comes back.
    pub(crate) fn close(&self) {
        let mut state = self.gate.lock();
        state.closed = true;
        state.closing += 1;
        let conns = (state.writer.take(), std::mem::take(&mut state.readers));
        drop(state);
        // The last connection of a file writes the log back: never under the lock that a fork needs.
        drop(conns);
        self.gate.lock().closing -= 1;
        self.gate.changed.notify_all();
    }

    /// After a failed write to the disk nothing that this process believes about the file can be trusted.
    pub(crate) fn poison(&self) {
        self.gate.lock().poisoned = true;
    }

    fn know_file(&self) {
        if let Location::File(path) = &self.location {
            let file = FileId::of(path);
            self.gate.lock().file = file;
        }
    }

    fn reserve_writer(&self) -> Result<Lease> {
        let thread = std::thread::current().id();
        if self.gate.lock().writer_out == Some(thread) {
            fail!(Busy, "this thread has a transaction open already: use it, or end it first");
        }
        let mut state =
            self.wait(|state| state.writer_out.is_none(), "another thread is writing")?;
        state.writer_out = Some(thread);
        let conn = state.writer.take();
        drop(state);
        Ok(Lease { conn, gate: self.gate, writer: true, thread })
    }

    fn wait(
        &self,
        ready: impl Fn(&State) -> bool,
        why: &str,
    ) -> Result<MutexGuard<'static, State>> {
        let mut state = self.gate.lock();
        let start = Instant::now();
        loop {
            if state.abandoned {
                fail!(
                    Forked,
                    "the vault was in use when the process forked: open it before the fork and leave it idle, or \
                     open it in the child only"
                );
            }
            if state.closed {
                fail!(Closed, "the vault has been closed");
            }
            if state.poisoned {
                fail!(Io, "an earlier write failed on the disk: close the vault and open it again");
            }
            if ready(&state) {
                return Ok(state);
            }
            let Some(left) = self.config.busy_timeout.checked_sub(start.elapsed()) else {
                fail!(Busy, "{why}");
            };
            state = self
                .gate
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
        let mut state = self.gate.lock();
        if !state.in_use() && !state.abandoned {
            *state = State::default();
        }
    }
}

impl std::ops::Deref for Lease {
    type Target = Conn;

    #[allow(clippy::expect_used)]
    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("a lease is handed out with a connection")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        if self.writer {
            state.writer_out = None;
        } else if let Some(at) = state.readers_out.iter().position(|t| *t == self.thread) {
            state.readers_out.swap_remove(at);
        }
        // One that comes back inside a transaction was left there by a panic.
        let healthy = |conn: &Conn| match conn.in_transaction() {
            Ok(true) => conn.batch("ROLLBACK").is_ok(),
            Ok(false) => true,
            Err(_) => false,
        };
        if let Some(conn) = self.conn.take().filter(|conn| healthy(conn) && !state.closed) {
            if self.writer {
                state.writer = Some(conn);
            } else if state.readers.len() < IDLE_READERS {
                state.readers.push(conn);
            }
        }
        drop(state);
        self.gate.changed.notify_all();
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free gate for a file, or a new one. Refuses a file that another library of this process has open, and one
    /// that a fork left in use.
    fn take(file: Option<FileId>) -> Result<&'static Gate> {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = file {
            let mut ours = false;
            for gate in gates.iter() {
                let state = gate.lock();
                let same = state.taken && state.file == Some(file);
                if same && state.abandoned {
                    fail!(
                        Forked,
                        "the file was in use when the process forked: this process can't open it safely"
                    );
                }
                ours |= same;
            }
            if !ours && file.has_descriptor() {
                fail!(
                    AnotherLibrary,
                    "other code in this process has the file open, perhaps another SQLite library such as Python's \
                     sqlite3. Two of them in one process drop each other's locks and corrupt the file. Close it \
                     there first, and use one library only"
                );
            }
        }
        let free = gates.iter().copied().find(|gate| !gate.lock().taken);
        let gate = free.unwrap_or_else(|| {
            let gate: &'static Gate =
                Box::leak(Box::new(Gate { state: Mutex::default(), changed: Condvar::new() }));
            gates.push(gate);
            gate
        });
        let mut state = gate.lock();
        state.taken = true;
        state.file = file;
        drop(state);
        Ok(gate)
    }

    /// True where a pool of this process has the file.
    pub(super) fn holds(file: FileId) -> bool {
        let gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        gates.iter().any(|gate| {
            let state = gate.lock();
            state.taken && !state.closed && state.file == Some(file)
        })
    }
}

type Held<T> = MutexGuard<'static, T>;
type HeldThroughFork = (Option<Held<Vec<&'static Gate>>>, Vec<Held<State>>);

thread_local! {
    /// The locks that the forking thread holds through the fork, so that neither side inherits one that nobody opens.
    static THROUGH_FORK: RefCell<HeldThroughFork> = const { RefCell::new((None, Vec::new())) };
}

/// In the parent, before: waits a little for connections in use, closes the idle ones and holds every lock. Nothing
/// here waits without end: a lock that cannot be had in time is left.
fn before_fork() {
    let deadline = Instant::now() + FORK_PATIENCE;
    let Some(gates) = try_lock(&GATES, deadline) else { return };
    let me = std::thread::current().id();
    let mut held = Vec::with_capacity(gates.len());
    for gate in gates.iter() {
        let Some(mut state) = try_lock(&gate.state, deadline) else { continue };
        let mine = |state: &State| state.writer_out == Some(me) || state.readers_out.contains(&me);
        while state.file.is_some() && state.in_use() && !mine(&state) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            let waited = gate.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.file.is_some() {
            for conn in state.writer.take().into_iter().chain(std::mem::take(&mut state.readers)) {
                if let Ok(raw) = conn.raw() {
                    // A checkpoint here would make a program that forks often write the whole log each time.
                    let _ = raw.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
                }
            }
        }
        held.push(state);
    }
    THROUGH_FORK.with(|slot| *slot.borrow_mut() = (Some(gates), held));
}

fn after_fork() {
    THROUGH_FORK.with(|slot| {
        let (gates, held) = std::mem::take(&mut *slot.borrow_mut());
        drop(held);
        drop(gates);
    });
}

/// In the child: what was in use belongs to the parent.
fn in_child() {
    THROUGH_FORK.with(|slot| {
        for state in &mut slot.borrow_mut().1 {
            // A vault in memory that has been opened is abandoned too: a new connection would be an empty store.
            state.abandoned |= state.in_use() || state.writer.is_some();
        }
    });
    after_fork();
}

fn try_lock<T>(lock: &'static Mutex<T>, deadline: Instant) -> Option<MutexGuard<'static, T>> {
    loop {
        match lock.try_lock() {
            Ok(guard) => return Some(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_micros(100));
            }
            Err(std::sync::TryLockError::WouldBlock) => return None,
        }
    }
}
