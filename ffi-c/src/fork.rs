//! What a forked child must know: that it is one, and that the table of handles is whole.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::handles::{self, Held};

static GENERATION: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The table's lock, while this thread forks.
    static LOCKED: Cell<Option<Held>> = const { Cell::new(None) };
}

/// A number that differs between a process and its forked child.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Sets the hooks. Called before the engine sets its own: hooks run in the reverse order before a fork, so that the
/// engine has put its connections in order by then, which other threads may need the table for.
pub(crate) fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // SAFETY: (4) the three functions below.
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
    });
}

extern "C" fn before() {
    // No thread holds the lock for longer than a look into the table, and none waits for anything while it does.
    quietly(|| LOCKED.set(Some(handles::hold())));
}

extern "C" fn parent() {
    quietly(|| drop(LOCKED.take()));
}

extern "C" fn child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    quietly(|| drop(LOCKED.take()));
}

fn quietly(work: impl FnOnce() + std::panic::UnwindSafe) {
    let _ = std::panic::catch_unwind(work);
}
