//! What a forked child must know: that it is one, and that the table of handles is whole.

use std::cell::Cell;

use sealite::ForkHooks;

use crate::handles::{self, Held};

thread_local! {
    /// The table's lock, while this thread forks.
    static LOCKED: Cell<Option<Held>> = const { Cell::new(None) };
}

/// A number that differs between a process and its forked child.
pub(crate) fn generation() -> u64 {
    sealite::fork_generation()
}

/// Sets the hooks. Before a fork they run behind the engine's own, which waits for connections that other threads may
/// need the table for.
pub(crate) fn install() {
    sealite::around_fork(ForkHooks { before, parent, child });
}

fn before() {
    if sealite::fork_is_lost() {
        return;
    }
    // No thread holds the lock for longer than a look into the table, and none waits for anything while it does. Where the
    // thread's locals are being destroyed it can't be kept, and the child is lost.
    let _ = LOCKED.try_with(|locked| {
        let held = locked.take().unwrap_or_else(handles::hold);
        locked.set(Some(held));
    });
}

fn parent() {
    release();
}

/// False where the lock was not held.
fn child() -> bool {
    release()
}

fn release() -> bool {
    LOCKED.try_with(Cell::take).is_ok_and(|held| held.is_some())
}
