//! The free slots of the pages for keys, and how many are in use.

use std::alloc::{Layout, handle_alloc_error};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use once_cell::race::OnceBox;

use super::{PAGE, SIZES, Slot, page};
use crate::fork;

/// The slots of one process.
pub(super) struct Pool {
    /// The fork generation that it belongs to.
    generation: u64,
    free: [Mutex<Vec<Slot>>; SIZES.len()],
    locked: AtomicI64,
    not_locked: AtomicI64,
    /// Of a forked child: a lock of this pool may be held by a thread that it does not have.
    child: OnceBox<Pool>,
}

/// That of the first process.
static POOL: OnceBox<Pool> = OnceBox::new();

impl Pool {
    pub(super) fn new(not_locked: i64) -> Self {
        Pool {
            generation: fork::generation(),
            free: [const { Mutex::new(Vec::new()) }; SIZES.len()],
            locked: AtomicI64::new(0),
            not_locked: AtomicI64::new(not_locked),
            child: OnceBox::new(),
        }
    }

    /// The pool of this process. A child counts what it has from its parent as not locked.
    pub(super) fn current() -> &'static Pool {
        let mut pool = POOL.get_or_init(|| Box::new(Pool::new(0)));
        while !pool.is_current() {
            let (locked, not_locked) = pool.in_use();
            pool = pool.child.get_or_init(|| Box::new(Pool::new(locked + not_locked)));
        }
        pool
    }

    fn is_current(&self) -> bool {
        self.generation == fork::generation()
    }

    /// Slots in use: in locked pages, and in others.
    pub(super) fn in_use(&self) -> (i64, i64) {
        (self.locked.load(Ordering::Relaxed), self.not_locked.load(Ordering::Relaxed))
    }

    pub(super) fn take(&self, class: usize) -> Slot {
        let slot = self.free.get(class).and_then(|free| {
            let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
            if free.is_empty() {
                free.extend(page(class));
            }
            free.pop()
        });
        // A page gives at least one slot of every class that there is.
        let Some(slot) = slot else { handle_alloc_error(Layout::new::<[u8; PAGE]>()) };
        self.count(slot).fetch_add(1, Ordering::Relaxed);
        slot
    }

    pub(super) fn give_back(&self, class: usize, slot: Slot) {
        if !self.is_current() {
            // A parent's page: not used again here.
            Pool::current().not_locked.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        self.count(slot).fetch_sub(1, Ordering::Relaxed);
        if let Some(free) = self.free.get(class) {
            free.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
        }
    }

    fn count(&self, slot: Slot) -> &AtomicI64 {
        if slot.locked { &self.locked } else { &self.not_locked }
    }
}
