//! The fork guard: one at-fork hook for the process, a generation that tells a child from its parent, what has to be put
//! in order around a fork, and locks that no child inherits ([`PerProcess`]).
//!
//! `pthread_atfork` runs for `fork(2)` through the C library (and so for Python's `os.fork`), not for
//! `posix_spawn`, `vfork` and `system(3)`, which replace the process image before any code of ours could run.
//!
//! A child has one thread, whatever its parent's others were doing, so nothing here is made behind a `Once`: a child whose
//! parent was at it would wait for ever.

mod per_process;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use once_cell::race::OnceBox;

pub(crate) use self::per_process::{Inherit, PerProcess};
use crate::error::{Result, fail};

static GENERATION: AtomicU64 = AtomicU64::new(NONE);
/// The hook is not there yet.
const NONE: u64 = 0;
/// The system had no memory for the hook: the process id, asked for each time, stands in for the generation.
const UNGUARDED: u64 = 1;
/// The generation of the process that has installed the hook.
const FIRST: u64 = 2;

/// The process that has a thread installing the hook, or 0.
static INSTALLER: AtomicU32 = AtomicU32::new(0);
/// The child whose hooks have run: they are installed twice where a fork came in between.
static CHILD: AtomicU32 = AtomicU32::new(0);
/// Whether this is a child whose parent could not put everything in order in time.
static LOST: AtomicBool = AtomicBool::new(false);
/// In the order in which they run before a fork; after it, the other way round.
static HOOKS: [OnceBox<ForkHooks>; 2] = [const { OnceBox::new() }; 2];

/// As the system numbers devices.
#[cfg(not(feature = "loadable"))]
pub(crate) type Device = libc::dev_t;

/// What runs around a fork, in the thread that forks: it waits for no thread without end.
pub struct ForkHooks {
    /// In the parent, before.
    pub before: fn(),
    /// In the parent, after.
    pub parent: fn(),
    /// In the child, after; the generation has advanced already.
    pub child: fn(),
}

/// Whose hooks they are.
#[derive(Clone, Copy)]
pub(crate) enum Hooked {
    Connections = 0,
    Face = 1,
}

/// A number that differs between a process and its forked child. What was made under another generation (buffered
/// random bytes, open connections) must not be used. Installs the hook on first use.
#[inline]
pub(crate) fn generation() -> u64 {
    match GENERATION.load(Ordering::Relaxed) {
        generation @ FIRST.. => generation,
        _ => installed(),
    }
}

/// How many forks lie between the process that has installed the hook and this one.
#[cfg(not(feature = "loadable"))]
pub(crate) fn depth() -> u64 {
    generation().saturating_sub(FIRST)
}

/// Sets hooks, once for each who has some.
pub(crate) fn set_hooks(whose: Hooked, hooks: ForkHooks) {
    if let Some(place) = HOOKS.get(whose as usize)
        && place.get().is_none()
    {
        let _ = place.set(Box::new(hooks));
    }
    generation();
}

/// For a face that has locks of its own: runs its hooks next to the fork itself, when the engine's connections have come
/// to rest.
#[doc(hidden)]
pub fn around_fork(hooks: ForkHooks) {
    set_hooks(Hooked::Face, hooks);
}

/// As the engine's own: for a face that has something which no child may use.
#[doc(hidden)]
#[must_use]
pub fn fork_generation() -> u64 {
    generation()
}

/// In the child: a lock of the whole process could not be had before the fork, and may be one that nobody opens.
pub(crate) fn lose() {
    LOST.store(true, Ordering::Relaxed);
}

pub(crate) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Refuses what needs a lock that a fork has lost.
pub(crate) fn check() -> Result<()> {
    if is_lost() {
        fail!(
            Forked,
            "a thread of the parent held up the fork for seconds: this process can't use vaults, its children neither"
        );
    }
    Ok(())
}

#[cold]
fn installed() -> u64 {
    install();
    match GENERATION.load(Ordering::Relaxed) {
        UNGUARDED => u64::from(std::process::id()),
        generation => generation,
    }
}

#[allow(unsafe_code)]
fn install() {
    let me = std::process::id();
    loop {
        if GENERATION.load(Ordering::Acquire) != NONE {
            return;
        }
        let at_it = INSTALLER.load(Ordering::Acquire);
        if at_it == me {
            std::thread::yield_now();
        } else if INSTALLER.compare_exchange(at_it, me, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            // Nobody was, or a thread of the parent's, which may have come to its end.
            break;
        }
    }
    // SAFETY: (1) the three functions are `extern "C"`, take nothing and never unwind: what they call is panic-free by
    // construction and guarded by `catch_unwind`. (2) They live as long as the process.
    let refused = unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
    let generation = if refused == 0 { FIRST } else { UNGUARDED };
    GENERATION.store(generation, Ordering::Release);
}

extern "C" fn before() {
    for hooks in &HOOKS {
        run(hooks, |hooks| (hooks.before)());
    }
}

extern "C" fn parent() {
    for hooks in HOOKS.iter().rev() {
        run(hooks, |hooks| (hooks.parent)());
    }
}

extern "C" fn child() {
    let me = std::process::id();
    if CHILD.swap(me, Ordering::Relaxed) == me {
        return;
    }
    if GENERATION.load(Ordering::Relaxed) >= FIRST {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    for hooks in HOOKS.iter().rev() {
        run(hooks, |hooks| (hooks.child)());
    }
}

fn run(hooks: &OnceBox<ForkHooks>, call: fn(&ForkHooks)) {
    if let Some(hooks) = hooks.get() {
        let _ = std::panic::catch_unwind(|| call(hooks));
    }
}
