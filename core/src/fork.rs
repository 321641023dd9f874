//! The fork guard: one at-fork hook for the process, a generation that tells a child from its parent, and the list of
//! what has to be put in order before a fork and after it.
//!
//! `pthread_atfork` runs for `fork(2)` through the C library (and so for Python's `os.fork`), not for
//! `posix_spawn`, `vfork` and `system(3)`, which replace the process image before any code of ours could run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(1);
/// The system had no memory for the hook: the process id, asked for each time, stands in for the generation.
const UNGUARDED: u64 = 0;
static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// What runs around a fork, in the thread that forks.
pub(crate) struct Hooks {
    /// In the parent, before.
    pub(crate) before: fn(),
    /// In the parent, after.
    pub(crate) parent: fn(),
    /// In the child, after; the generation has advanced already.
    pub(crate) child: fn(),
}

/// A number that differs between a process and its forked child. What was made under another generation (buffered
/// random bytes, open connections) must not be used. Installs the hook on first use.
pub(crate) fn generation() -> u64 {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(install);
    match GENERATION.load(Ordering::Relaxed) {
        UNGUARDED => u64::from(std::process::id()),
        generation => generation,
    }
}

/// Sets the hooks that the connection pool needs. The first call wins; there is one pool module.
pub(crate) fn set_hooks(hooks: Hooks) {
    let _ = HOOKS.set(hooks);
    generation();
}

#[allow(unsafe_code)]
fn install() {
    // SAFETY: (1) the three functions are `extern "C"`, take nothing and never unwind: what they call is panic-free by
    // construction and guarded by `catch_unwind`. (2) They live as long as the process.
    let refused = unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
    if refused != 0 {
        GENERATION.store(UNGUARDED, Ordering::Relaxed);
    }
}

extern "C" fn before() {
    run(|hooks| (hooks.before)());
}

extern "C" fn parent() {
    run(|hooks| (hooks.parent)());
}

extern "C" fn child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    run(|hooks| (hooks.child)());
}

fn run(call: fn(&Hooks)) {
    if let Some(hooks) = HOOKS.get() {
        let _ = std::panic::catch_unwind(|| call(hooks));
    }
}
