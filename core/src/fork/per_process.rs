//! Locks that no child inherits.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use once_cell::race::OnceBox;

use super::generation;

/// What the child of a fork makes of what its parent had.
pub(crate) trait Inherit: Default {
    /// The child's own, from the parent's as it stood at the fork; `None` where a thread was changing it at that moment.
    fn inherit(_parent: Option<&Self>) -> Self {
        Self::default()
    }
}

/// A lock of which each process has its own. A thread that a child does not have may have held the parent's when the
/// process forked: the child never waits for it, and makes what is behind its own by [`Inherit::inherit`].
pub(crate) struct PerProcess<T: Inherit> {
    generation: u64,
    lock: RwLock<T>,
    /// Made without a wait, as `OnceLock` does not: the thread that makes it may be one that the next child does not have.
    child: OnceBox<PerProcess<T>>,
}

impl<T: Inherit> PerProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        PerProcess { generation: generation(), lock: RwLock::new(value), child: OnceBox::new() }
    }

    /// For reading. After a panic of a writer too.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.current().lock.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For writing.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.current().lock.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn current(&self) -> &Self {
        let now = generation();
        if self.generation == now { self } else { self.of_child(now) }
    }

    #[cold]
    fn of_child(&self, now: u64) -> &Self {
        let mut of = self;
        while of.generation != now {
            of = match of.child.get() {
                Some(child) => child,
                None => of.make_child(),
            };
        }
        of
    }

    /// Two threads may make one at the same time, and the first gives it: none takes anything away before.
    fn make_child(&self) -> &Self {
        let inherited = T::inherit(self.lock.try_read().ok().as_deref());
        let child = self.child.get_or_init(|| Box::new(PerProcess::new(inherited)));
        // What the parent had is no longer needed here.
        if let Ok(mut parents) = self.lock.try_write() {
            drop(std::mem::take(&mut *parents));
        }
        child
    }
}

impl<T: Inherit> Default for PerProcess<T> {
    fn default() -> Self {
        PerProcess::new(T::default())
    }
}

impl<T: Inherit> Drop for PerProcess<T> {
    #[allow(clippy::mem_forget)]
    fn drop(&mut self) {
        if self.generation != generation() && self.lock.try_write().is_err() {
            // A thread that this process does not have was in the midst of it.
            let parents = self.lock.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(std::mem::take(parents));
        }
    }
}

impl<T> Inherit for Option<T> {}
