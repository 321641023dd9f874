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
/// Whether this is a child whose parent could not put everything in order in time, or one that has not yet done so itself.
static LOST: AtomicBool = AtomicBool::new(false);
/// In the order in which they run before a fork; after it, the other way round.
static HOOKS: [OnceBox<ForkHooks>; 2] = [const { OnceBox::new() }; 2];

/// What the system tells of a file, and its number of a device.
#[cfg(not(feature = "loadable"))]
pub(crate) type About = libc::stat;
#[cfg(not(feature = "loadable"))]
pub(crate) type Device = libc::dev_t;

/// What runs around a fork, in the thread that forks: it waits for no thread without end.
pub struct ForkHooks {
    /// In the parent, before.
    pub before: fn(),
    /// In the parent, after.
    pub parent: fn(),
    /// In the child, after; the generation has advanced already. False where something is not in order, and the child must
    /// not use vaults.
    pub child: fn() -> bool,
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

/// How a child ends that comes back from a callback: `EX_SOFTWARE`.
const CAME_BACK: libc::c_int = 70;

/// Runs what SQLite, in the midst of a statement, calls of a program's. A child that was forked in it must not come back:
/// SQLite would go on with the parent's transaction, and whatever the callback returned it would read, write or roll back
/// the parent's file. There is no other way out of it, so such a child ends here, with exit status 70.
#[doc(hidden)]
#[inline]
pub fn called_back<T>(work: impl FnOnce() -> T) -> T {
    // By a panic too.
    let _came_back = CalledIn(generation());
    work()
}

/// The generation in which a callback was called.
struct CalledIn(u64);

impl Drop for CalledIn {
    #[inline]
    fn drop(&mut self) {
        if self.0 != generation() {
            leave();
        }
    }
}

#[cold]
#[allow(unsafe_code)]
fn leave() -> ! {
    let why = "sealite: a child that was forked in a function that SQL calls came back from it; it may only exec or _exit\n";
    // Not by `eprintln!`, whose lock may be one that nobody opens.
    // SAFETY: (3) a slice of that length is written, and the process ends.
    unsafe {
        libc::write(libc::STDERR_FILENO, why.as_ptr().cast(), why.len());
        libc::_exit(CAME_BACK)
    }
}

/// True in a child that can't use vaults: a lock of the whole process could not be had before the fork, and may be one
/// that nobody opens.
#[doc(hidden)]
#[must_use]
pub fn is_lost() -> bool {
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
    // A child of this moment has set it before.
    let _ = GENERATION.compare_exchange(NONE, generation, Ordering::Release, Ordering::Relaxed);
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
    // Until everything is in order, and for good where one of the hooks fails.
    let was_lost = LOST.swap(true, Ordering::Relaxed);
    GENERATION.store(next(GENERATION.load(Ordering::Relaxed)), Ordering::Relaxed);
    let mut whole = !was_lost;
    for hooks in HOOKS.iter().rev() {
        whole &= hooks.get().is_none() || run(hooks, |hooks| (hooks.child)()) == Some(true);
    }
    if whole {
        LOST.store(false, Ordering::Relaxed);
    }
}

/// The generation of a child. Where the thread that installs the hook has yet to note that it is there, nothing was made
/// under any generation, and the child must not install it again.
fn next(generation: u64) -> u64 {
    if generation < FIRST { FIRST } else { generation + 1 }
}

/// What the hook has to say; `None` where there is none, or it panics.
fn run<T>(hooks: &OnceBox<ForkHooks>, call: fn(&ForkHooks) -> T) -> Option<T> {
    hooks.get().and_then(|hooks| std::panic::catch_unwind(|| call(hooks)).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_child_has_a_generation_of_its_own_and_none_installs_the_hook_again() {
        assert_eq!(next(NONE), FIRST);
        assert_eq!((next(FIRST), next(FIRST + 1)), (FIRST + 1, FIRST + 2));
    }

    #[test]
    fn a_hook_that_panics_has_nothing_to_say() {
        let hooks = OnceBox::new();
        assert_eq!(run(&hooks, |hooks| (hooks.child)()), None);
        let set =
            hooks.set(Box::new(ForkHooks { before: || (), parent: || (), child: || panic!() }));
        assert!(set.is_ok());
        assert_eq!(run(&hooks, |hooks| (hooks.child)()), None);
    }
}
