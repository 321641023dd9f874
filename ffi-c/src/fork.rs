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
    sealite::around_fork(ForkHooks { before, parent: after, child: after });
}

fn before() {
    // No thread holds the lock for longer than a look into the table, and none waits for anything while it does.
    if let Some(held) = LOCKED.take() {
        LOCKED.set(Some(held));
    } else {
        LOCKED.set(Some(handles::hold()));
    }
}

fn after() {
    drop(LOCKED.take());
}
