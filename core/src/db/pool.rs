//! The connections of one vault: one writer, several readers.

use std::path::Path;
use std::sync::{Arc, MutexGuard};
use std::thread::ThreadId;
use std::time::Instant;

use super::authority::Readable;
use super::conn::Conn;
use super::files::{FileId, log_of};
use super::gate::{Gate, State, after_fork, before_fork, check_alone, gates, in_child};
use super::kept::{self, Keeper, Kept, Own};
use super::open::{Config, Location, Role, Synchronous, open};
use crate::error::{ErrorKind, Result, fail};
use crate::fork::{self, ForkHooks, Hooked};

/// Idle readers kept open.
const IDLE_READERS: usize = 8;
/// Readers in use at once, a vault.
const MAX_READERS: usize = 64;
/// SQLite's codes where there is no folder for temporary files.
const CANTOPEN: i32 = 14;
const IOERR_GETTEMPPATH: i32 = 6410;

/// The connections of one vault.
pub(crate) struct Pool {
    gate: &'static Gate,
    location: Location,
    config: Config,
    readable: Arc<Readable>,
    /// What its writers are.
    writers: Role,
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
        let hooks = ForkHooks { before: before_fork, parent: after_fork, child: in_child };
        fork::set_hooks(Hooked::Connections, hooks);
        let path = match &location {
            Location::File(path) => Some(path.as_path()),
            Location::Memory => None,
        };
        let gate = Gate::take(path)?;
        Ok(Pool { gate, location, config, readable: Arc::default(), writers: Role::Writer })
    }

    /// A pool for a database of the application's, which must exist. It stays as it is but for what is written.
    pub(crate) fn foreign(path: &Path) -> Result<Self> {
        if !path.is_file() {
            fail!(NotFound, "there is no database {}", path.display());
        }
        let mut pool = Pool::new(Location::File(path.to_owned()), Config::default())?;
        pool.writers = Role::Foreign;
        Ok(pool)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// The size of the file and its log; 0 in memory.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        let Location::File(path) = &self.location else { return 0 };
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |about| about.len());
        size(path) + size(&log_of(path))
    }

    /// True where one connection serves for everything.
    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.location, Location::Memory)
    }

    /// The writer, creating the file where it is missing.
    pub(crate) fn creator(&self) -> Result<Lease> {
        let mut lease = self.reserve_writer()?;
        if lease.conn.is_none() {
            lease.conn = Some(self.open(Role::Creator)?);
        }
        lease.set_durability(self.config.synchronous)?;
        Ok(lease)
    }

    /// The writer: one at a time, in turn. Waits as long as the configured time-out.
    pub(crate) fn writer(&self) -> Result<Lease> {
        self.writer_with(self.config.synchronous, true)
    }

    /// The writer for transactions that need not survive a power cut, only the end of the process.
    pub(crate) fn light_writer(&self) -> Result<Lease> {
        self.writer_with(Synchronous::Normal, true)
    }

    /// The writer for a transaction that replaces a table: foreign keys are not enforced, so that none of what refers to
    /// the old one goes with it, and what sorts the rows of an index does so in temporary files.
    pub(crate) fn replacing_writer(&self) -> Result<Lease> {
        self.writer_with(self.config.synchronous, false)
    }

    /// Every writer is handed out as it was asked for, whatever it was used for before.
    fn writer_with(&self, durability: Synchronous, enforces: bool) -> Result<Lease> {
        let mut lease = self.reserve_writer()?;
        if lease.conn.is_none() {
            lease.conn = Some(self.open(self.writers)?);
        }
        lease.check_log()?;
        lease.set_durability(durability)?;
        lease.set_enforces(enforces)?;
        lease.set_spills(!enforces && !self.is_memory())?;
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
        let conn = state.idle_reader(thread);
        drop(state);
        let mut lease = Lease { conn, gate: self.gate, writer: false, thread };
        if lease.conn.is_none() {
            lease.conn = Some(self.open(Role::Reader)?);
        }
        Ok(lease)
    }

    /// A reader that was opened just now, in place of an idle one: it has read nothing of the file yet.
    pub(crate) fn fresh_reader(&self) -> Result<Lease> {
        if self.is_memory() {
            return self.writer();
        }
        let mut state =
            self.wait(|state| state.readers_out.len() < MAX_READERS, "every reader is in use")?;
        let thread = std::thread::current().id();
        state.readers_out.push(thread);
        drop(state);
        let mut lease = Lease { conn: None, gate: self.gate, writer: false, thread };
        lease.conn = Some(self.open(Role::Reader)?);
        let replaced = self.gate.lock().idle_reader(thread);
        drop(replaced);
        Ok(lease)
    }

    /// Gives a keeper a place where a fork finds it.
    pub(crate) fn keep(&self, keeper: Box<dyn Keeper>) -> Result<Kept> {
        Kept::new(self.gate, keeper)
    }

    /// A connection for a keeper, which reads and writes. Not of a vault in memory, which has one connection.
    pub(crate) fn own(&self) -> Result<Own> {
        let own = Own::reserve(self.gate);
        let role = if self.writers == Role::Writer { Role::Own } else { self.writers };
        Ok(own.with(self.open(role)?))
    }

    /// Writes the file anew, so that nothing is left of what was deleted. False where somebody else holds the lock.
    pub(crate) fn vacuum(&self, conn: &Conn) -> Result<bool> {
        conn.batch("PRAGMA shrink_memory")?;
        let done = if self.is_memory() { conn.batch("VACUUM") } else { rewrite(&*self.own()?) };
        match done {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Busy => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes the log back and empties it. False where somebody else is in the way.
    pub(crate) fn empty_log(conn: &Conn) -> Result<bool> {
        let busy = conn.first("PRAGMA wal_checkpoint(TRUNCATE)", &[], |row| row.integer(0));
        match busy {
            Ok(busy) => Ok(busy.is_none_or(|busy| busy == 0)),
            Err(error) if error.kind() == ErrorKind::Busy => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Fails where the pool gives out no connection; waits while a fork is near.
    pub(crate) fn check(&self) -> Result<()> {
        self.wait(|_| true, "").map(drop)
    }

    /// Fails in a child where the vault is the parent's.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.gate.lock().check_process()
    }

    /// True where the file was there when this pool last opened it, or was made.
    pub(crate) fn knows_file(&self) -> bool {
        self.gate.lock().file.is_some()
    }

    /// True where the path still names the file that this pool opened last.
    pub(crate) fn is_same_file(&self) -> bool {
        match &self.location {
            Location::File(path) => self.gate.lock().file == FileId::of(path),
            Location::Memory => true,
        }
    }

    /// Closes everything; what is on loan closes when it comes back.
    pub(crate) fn close(&self) {
        let mut state = self.gate.lock();
        state.closed = true;
        state.closing += 1;
        let conns = (state.writer.take(), std::mem::take(&mut state.readers));
        drop(state);
        // The last connection of a file writes the log back: never under the lock that a fork needs.
        kept::close_idle(self.gate);
        drop(conns);
        self.gate.lock().closing -= 1;
        self.gate.changed.notify_all();
    }

    /// After a failed write to the disk nothing that this process believes about the file can be trusted.
    pub(crate) fn poison(&self) {
        self.gate.lock().poisoned = true;
    }

    /// True where this thread has a write transaction of this vault open.
    pub(crate) fn writes_here(&self) -> bool {
        self.gate.lock().writer_out == Some(std::thread::current().id())
    }

    /// True where a thread of this process has a write transaction of this vault open.
    pub(crate) fn is_writing(&self) -> bool {
        self.gate.lock().writer_out.is_some()
    }

    fn open(&self, role: Role) -> Result<Conn> {
        let Location::File(path) = &self.location else {
            return open(&self.location, role, &self.config, &self.readable);
        };
        if let Some(file) = FileId::of(path) {
            // Somebody else may have opened the file since the vault was, or since its last connection closed.
            let gates = gates()?;
            check_alone(&gates, Some(self.gate), path, file)?;
        }
        let conn = open(&self.location, role, &self.config, &self.readable)?;
        let file = FileId::of(path);
        let mut state = self.gate.lock();
        state.file = file;
        // Beside one whose log is gone, it would read that one's index of a log and its own log.
        let readers = state.readers.iter().map(|(_, conn)| conn);
        state.writer.iter().chain(readers).try_for_each(Conn::check_log)?;
        drop(state);
        Ok(conn)
    }

    fn reserve_writer(&self) -> Result<Lease> {
        let thread = std::thread::current().id();
        let state = self.gate.lock();
        if state.writer_out == Some(thread) && !state.abandoned {
            fail!(Busy, "this thread has a transaction open already: use it, or end it first");
        }
        drop(state);
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
        let mut start = None;
        loop {
            state.check_process()?;
            if state.closed {
                fail!(Closed, "the vault has been closed");
            }
            if state.poisoned {
                fail!(Io, "an earlier write failed on the disk: close the vault and open it again");
            }
            let forking = state.until_fork();
            if forking.is_none() && ready(&state) {
                return Ok(state);
            }
            // The fork's time is not charged to the caller.
            let waited = start.get_or_insert_with(Instant::now).elapsed();
            let unspent = self.config.busy_timeout.checked_sub(waited);
            let Some(left) = forking.or(unspent) else {
                fail!(Busy, "{why}");
            };
            state = self.gate.wait(state, left);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
        let mut state = self.gate.lock();
        state.orphaned = true;
        state.release();
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
        // One that comes back inside a transaction was left there by a panic.
        let healthy = |conn: &Conn| match conn.in_transaction() {
            Ok(true) => conn.batch("ROLLBACK").is_ok(),
            Ok(false) => true,
            Err(_) => false,
        };
        let mut conn = self.conn.take();
        let healthy = conn.as_ref().is_some_and(healthy);
        let mut state = self.gate.lock();
        if healthy && !state.closed {
            if self.writer {
                state.writer = conn.take();
            } else if state.readers.len() < IDLE_READERS {
                state.readers.extend(conn.take().map(|conn| (self.thread, conn)));
            }
        }
        if conn.is_some() {
            // Closing may write the log back: outside the lock that a fork needs, and on loan until it is done.
            drop(state);
            drop(conn);
            state = self.gate.lock();
        }
        if self.writer {
            state.writer_out = None;
        } else if let Some(at) = state.readers_out.iter().position(|t| *t == self.thread) {
            state.readers_out.swap_remove(at);
        }
        state.release();
        let awaited = state.waiting > 0;
        drop(state);
        // Waking nobody is a system call all the same.
        if awaited {
            self.gate.changed.notify_all();
        }
    }
}

/// VACUUM on a connection of its own, whose copy of the file goes to a temporary file: in memory it would take as much as
/// the file. SQLite unlinks that file as soon as it is open, and holds the same sealed pages in it. Where no folder takes
/// one, it is done in memory.
fn rewrite(conn: &Conn) -> Result<()> {
    // Page by page from one end to the other: a cache gains nothing.
    conn.batch("PRAGMA temp_store = FILE; PRAGMA cache_size = -1024")?;
    match conn.batch("VACUUM") {
        Err(error) if matches!(error.sqlite_code(), Some(CANTOPEN | IOERR_GETTEMPPATH)) => {
            conn.batch("PRAGMA temp_store = MEMORY; VACUUM")
        }
        done => done,
    }
}
