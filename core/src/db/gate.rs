//! What a fork means for the connections of this process, and who else may open their files.
//!
//! SQLite keeps its lock tables in process memory, and a child inherits a copy that claims locks which the child does
//! not hold. So no connection may be open across a fork: the hook closes the idle ones before it, without a checkpoint,
//! and both sides open new ones when they need them. A connection that is in use at that moment is left to the
//! parent; the child abandons it, and the vault with it, for good. Its SQLite does not find the file among those that its
//! parent had open (`library.rs`), so that it can open the file anew.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use super::conn::Conn;
use super::files::FileId;
use super::kept::{ThroughFork, address};
use super::library::{Mutexes, SEPARATES, leave_files_to_the_parent};
use crate::error::{Result, fail};
use crate::fork;

/// How long a fork waits for connections in use.
const FORK_PATIENCE: Duration = Duration::from_millis(200);
/// How long it waits for the locks of the whole process, once that time is spent. They are held for a few steps only; a
/// child whose parent could not have one of them can't use vaults.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// The gates of the process. They are never freed, only used again, so that a fork can hold their locks.
static GATES: Mutex<Vec<&'static Gate>> = Mutex::new(Vec::new());

/// The gates of the process, locked.
pub(super) fn gates() -> Result<MutexGuard<'static, Vec<&'static Gate>>> {
    fork::check()?;
    Ok(GATES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What of a pool the fork hook must reach.
pub(super) struct Gate {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct State {
    pub(super) taken: bool,
    pub(super) closed: bool,
    pub(super) abandoned: bool,
    pub(super) poisoned: bool,
    /// The pool has gone before a connection on loan came back.
    pub(super) orphaned: bool,
    pub(super) path: Option<PathBuf>,
    pub(super) file: Option<FileId>,
    pub(super) writer: Option<Conn>,
    /// The idle ones, each with the thread that had it last.
    pub(super) readers: Vec<(ThreadId, Conn)>,
    pub(super) writer_out: Option<ThreadId>,
    pub(super) readers_out: Vec<ThreadId>,
    pub(super) closing: usize,
    /// Connections that programs keep open.
    pub(super) kept: usize,
    /// Threads that wait for a change.
    pub(super) waiting: usize,
    /// A fork is near: until then no thread gets a connection that holds none.
    pub(super) forking: Option<Instant>,
}

impl State {
    pub(super) fn in_use(&self) -> bool {
        self.on_loan() > 0 || self.closing > 0
    }

    /// An idle reader: the one that this thread had before, whose pages lie in its processor's cache, or else the last.
    pub(super) fn idle_reader(&mut self, thread: ThreadId) -> Option<Conn> {
        let own = self.readers.iter().rposition(|(last, _)| *last == thread);
        let at = own.or(self.readers.len().checked_sub(1))?;
        Some(self.readers.remove(at).1)
    }

    pub(super) fn on_loan(&self) -> usize {
        usize::from(self.writer_out.is_some()) + self.readers_out.len()
    }

    /// Fails where everything here is the parent's.
    pub(super) fn check_process(&self) -> Result<()> {
        if self.abandoned {
            fail!(
                Forked,
                "the vault was in use when the process forked, and is the parent's: open its file anew"
            );
        }
        Ok(())
    }

    /// True where connections are open, not counting so many that are on loan and yet to be opened.
    pub(super) fn has_open(&self, unopened: usize) -> bool {
        let idle = self.writer.is_some() || !self.readers.is_empty();
        idle || self.on_loan() + self.kept > unopened || self.closing > 0
    }

    /// True where the gate is for that file; by its path while the file is being made.
    pub(super) fn concerns(&self, path: &Path, file: FileId) -> bool {
        match self.file {
            Some(own) => own == file,
            None => self.path.as_deref() == Some(path),
        }
    }

    /// Frees the gate for another pool, once nothing of the last one is left.
    pub(super) fn release(&mut self) {
        if self.orphaned && !self.in_use() && self.kept == 0 && !self.abandoned {
            *self = State::default();
        }
    }

    /// What stands for each gate where its own lock may be one that nobody opens. Each call leaves a little memory behind.
    #[cold]
    fn lost() -> MutexGuard<'static, State> {
        let lost = State { taken: true, abandoned: true, ..State::default() };
        let lock: &'static Mutex<State> = Box::leak(Box::new(Mutex::new(lost)));
        lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True where the thread has a connection on loan.
    pub(super) fn serves(&self, thread: ThreadId) -> bool {
        self.writer_out == Some(thread) || self.readers_out.contains(&thread)
    }

    /// How long this thread has to wait because a fork is near. One that has a connection must be able to finish.
    pub(super) fn until_fork(&self) -> Option<Duration> {
        let left = self.forking?.checked_duration_since(Instant::now())?;
        (!self.serves(std::thread::current().id())).then_some(left)
    }
}

impl Gate {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        if fork::is_lost() {
            return State::lost();
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free gate for a file, or a new one. Refuses a file that another library of this process has open.
    pub(super) fn take(path: Option<&Path>) -> Result<&'static Gate> {
        let mut gates = gates()?;
        let file = path.and_then(FileId::of);
        if let (Some(path), Some(file)) = (path, file) {
            check_alone(&gates, None, path, file)?;
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
        state.path = path.map(Path::to_owned);
        state.file = file;
        drop(state);
        Ok(gate)
    }

    /// Waits for a change, at most so long.
    pub(super) fn wait<'g>(
        &'g self,
        mut state: MutexGuard<'g, State>,
        patience: Duration,
    ) -> MutexGuard<'g, State> {
        state.waiting += 1;
        let waited = self.changed.wait_timeout(state, patience);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        // A gate that was freed meanwhile counts anew.
        state.waiting = state.waiting.saturating_sub(1);
        state
    }

    /// Waits until no connection is in use, and not for what this thread holds itself.
    pub(super) fn drained<'g>(
        &'g self,
        mut state: MutexGuard<'g, State>,
        me: ThreadId,
        deadline: Instant,
    ) -> MutexGuard<'g, State> {
        while state.file.is_some() && state.in_use() && !state.abandoned && !state.serves(me) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            state = self.wait(state, left);
        }
        state
    }

    /// True where a pool of this process has the file.
    pub(super) fn holds(file: FileId) -> bool {
        gates().is_ok_and(|gates| {
            gates.iter().any(|gate| {
                let state = gate.lock();
                state.taken && (!state.closed || state.in_use()) && state.file == Some(file)
            })
        })
    }
}

/// Refuses a file that another library of this process has open, and one that is the parent's where SQLite would find it
/// among its own. `asking` has a connection on loan that is yet to be opened.
pub(super) fn check_alone(
    gates: &[&'static Gate],
    asking: Option<&'static Gate>,
    path: &Path,
    file: FileId,
) -> Result<()> {
    let mut ours = false;
    for gate in gates.iter().copied() {
        let state = gate.lock();
        if !state.taken || !state.concerns(path, file) {
            continue;
        }
        if !SEPARATES {
            state.check_process()?;
        }
        let asks = asking.is_some_and(|asking| std::ptr::eq(asking, gate));
        // What was abandoned stays open.
        ours |= state.abandoned || state.has_open(usize::from(asks));
    }
    // As an extension the engine is a guest of the one library that there is.
    if !cfg!(feature = "loadable") && !ours && file.has_descriptor() {
        fail!(
            AnotherLibrary,
            "other code in this process has the file open, perhaps another SQLite library such as Python's sqlite3. \
             Two of them in one process drop each other's locks and corrupt the file. Close it there first, and use \
             one library only"
        );
    }
    Ok(())
}

type Held<T> = MutexGuard<'static, T>;

/// The locks that the forking thread holds through the fork, so that neither side inherits one that nobody opens. They go
/// in this order.
#[derive(Default)]
struct HeldThroughFork {
    /// SQLite's own, which are taken last: nothing is asked of it while they are held.
    library: Option<Mutexes>,
    /// Each gate's address and state.
    states: Vec<(usize, Held<State>)>,
    gates: Option<Held<Vec<&'static Gate>>>,
    slots: ThroughFork,
}

thread_local! {
    static THROUGH_FORK: RefCell<Option<HeldThroughFork>> = const { RefCell::new(None) };
}

/// In the parent, before: waits a little for connections in use, closes the idle ones and holds every lock. Nothing
/// here waits without end: a lock that cannot be had in time is left, and the child lost.
pub(super) fn before_fork() {
    // While the thread's locals are being destroyed nothing can be held through the fork: then the child is lost.
    let is_held = THROUGH_FORK.try_with(|held| held.borrow().is_some());
    if fork::is_lost() || is_held.unwrap_or(true) {
        return;
    }
    let deadline = Instant::now() + FORK_PATIENCE;
    let latest = deadline + LOCK_PATIENCE;
    // First the slots, whose users take the gates' locks.
    let slots = ThroughFork::hold(deadline, latest);
    let gates = try_lock(&GATES, latest);
    let me = std::thread::current().id();
    let mut states = Vec::new();
    for gate in gates.iter().flat_map(|gates| gates.iter().copied()) {
        let Some(mut state) = try_lock(&gate.state, latest) else { continue };
        state = gate.drained(state, me, deadline);
        if state.file.is_some() {
            let readers = std::mem::take(&mut state.readers).into_iter().map(|(_, conn)| conn);
            for conn in state.writer.take().into_iter().chain(readers) {
                // A checkpoint here would make a program that forks often write the whole log each time.
                conn.keep_log();
            }
        }
        states.push((address(gate), state));
    }
    let library = Mutexes::hold(latest);
    let held = HeldThroughFork { library, states, gates, slots };
    let _ = THROUGH_FORK.try_with(|place| place.replace(Some(held)));
}

/// Before a fork, for a program whose threads can't go on once the forking thread is inside `fork`, as under Python's
/// global interpreter lock: waits at most 200 ms for the connections that other threads use, and holds new work back
/// until the fork is done (400 ms at most). The at-fork hook does the rest.
pub fn prepare_fork() {
    if fork::is_lost() {
        return;
    }
    let deadline = Instant::now() + FORK_PATIENCE;
    let Some(gates) = try_lock(&GATES, deadline).map(|gates| gates.clone()) else { return };
    let me = std::thread::current().id();
    for gate in &gates {
        gate.lock().forking = Some(deadline + FORK_PATIENCE);
    }
    for gate in gates {
        drop(gate.drained(gate.lock(), me, deadline));
    }
}

pub(super) fn after_fork() {
    let Ok(Some(held)) = THROUGH_FORK.try_with(RefCell::take) else { return };
    let HeldThroughFork { library, mut states, gates, slots } = held;
    drop(library);
    for (_, state) in &mut states {
        state.forking = None;
    }
    drop(states);
    drop(slots);
    for gate in gates.iter().flat_map(|gates| gates.iter()) {
        gate.changed.notify_all();
    }
}

/// In the child: what was in use belongs to the parent. False where a lock of the whole process was not held.
pub(super) fn in_child() -> bool {
    let whole = THROUGH_FORK.try_with(|held| {
        let mut held = held.borrow_mut();
        let Some(held) = &mut *held else { return false };
        let lost = held.slots.take_over();
        for (gate, state) in &mut held.states {
            // A vault in memory that has been opened is abandoned too: a new connection would be an empty store.
            let kept = state.kept > 0 || lost.contains(gate);
            state.abandoned |= state.in_use() || state.writer.is_some() || kept;
            // Those that waited are not here.
            state.waiting = 0;
        }
        held.is_whole()
    });
    after_fork();
    whole.unwrap_or(false) && leave_files_to_the_parent()
}

impl HeldThroughFork {
    /// True where no lock of the whole process is missing.
    fn is_whole(&self) -> bool {
        let all = self.gates.as_ref().is_some_and(|gates| gates.len() == self.states.len());
        all && self.library.is_some() && self.slots.is_whole()
    }
}

pub(super) fn try_lock<T: ?Sized>(
    lock: &'static Mutex<T>,
    deadline: Instant,
) -> Option<MutexGuard<'static, T>> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::db::{Config, Location, Pool};

    #[test]
    fn a_thread_gets_the_reader_back_that_it_had() {
        let path = std::env::temp_dir().join(format!("sealite-gate-{}.db", std::process::id()));
        let pool = Pool::new(Location::File(path.clone()), Config::default()).unwrap();
        drop(pool.creator().unwrap());
        let own = pool.reader().unwrap();
        let number = own.number();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let other = pool.reader().unwrap();
                (other.number(), other)
            });
            let (others, other) = other.join().unwrap();
            assert_ne!(others, number);
            // The other's comes back last.
            drop(own);
            drop(other);
        });
        for _ in 0..3 {
            assert_eq!(pool.reader().unwrap().number(), number);
        }
        drop(pool);
        std::fs::remove_file(path).unwrap();
    }
}
