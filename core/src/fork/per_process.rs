//! Locks that no child inherits.

use std::mem::ManuallyDrop;
use std::sync::{
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult,
};

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
    /// Never dropped where a thread of the parent was changing what is behind it.
    lock: ManuallyDrop<RwLock<T>>,
    /// Made without a wait, as `OnceLock` does not: the thread that makes it may be one that the next child does not have.
    child: OnceBox<PerProcess<T>>,
}

impl<T: Inherit> PerProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        let lock = ManuallyDrop::new(RwLock::new(value));
        PerProcess { generation: generation(), lock, child: OnceBox::new() }
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
        let inherited = T::inherit(had(self.lock.try_read()).as_deref());
        let child = self.child.get_or_init(|| Box::new(PerProcess::new(inherited)));
        // What the parent had is no longer needed here. Where a thread of the parent's was reading it, it stays until this
        // goes.
        if let Some(mut parents) = had(self.lock.try_write()) {
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
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // Threads of the parent's that only read have left it whole.
        if self.generation != generation() && had(self.lock.try_read()).is_none() {
            return;
        }
        // SAFETY: (1) it is dropped once, here, and not used again.
        unsafe { ManuallyDrop::drop(&mut self.lock) };
    }
}

/// What was had without a wait, after a panic of a writer too.
fn had<G>(tried: TryLockResult<G>) -> Option<G> {
    match tried {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<T> Inherit for Option<T> {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::mem_forget)]

    use std::sync::Arc;

    use super::*;

    #[derive(Default)]
    struct Content {
        value: u32,
        lost: bool,
        witness: Option<Arc<()>>,
    }

    impl Inherit for Content {
        fn inherit(parent: Option<&Self>) -> Self {
            let value = parent.map_or(0, |parent| parent.value);
            Content { value, lost: parent.is_none(), witness: None }
        }
    }

    /// As a child has it from its parent.
    fn inherited(value: u32, witness: &Arc<()>) -> PerProcess<Content> {
        let witness = Some(Arc::clone(witness));
        PerProcess {
            generation: generation() - 1,
            lock: ManuallyDrop::new(RwLock::new(Content { value, lost: false, witness })),
            child: OnceBox::new(),
        }
    }

    #[test]
    fn a_child_goes_on_with_what_nobody_was_changing_and_wipes_the_parents() {
        let witness = Arc::new(());
        let lock = inherited(7, &witness);
        assert_eq!((lock.read().value, lock.read().lost), (7, false));
        assert!(lock.read().witness.is_none());
        assert_eq!(Arc::strong_count(&witness), 1);
        lock.write().value = 8;
        assert_eq!(lock.read().value, 8);
    }

    #[test]
    fn a_lock_that_a_thread_of_the_parent_held_is_not_waited_for() {
        let witness = Arc::new(());
        let (read, written) = (inherited(7, &witness), inherited(7, &witness));
        std::mem::forget(read.lock.read().unwrap());
        std::mem::forget(written.lock.write().unwrap());
        assert_eq!((read.read().value, read.read().lost), (7, false));
        assert!(written.read().lost);
        read.write().value = 9;
        written.write().value = 9;
        assert_eq!((read.read().value, written.read().value), (9, 9));
    }

    #[test]
    fn what_was_being_changed_is_left_as_it_is_and_the_rest_dropped() {
        for (reads, writes, used, count) in [
            (false, true, false, 2),
            (false, true, true, 2),
            (true, false, false, 1),
            (true, false, true, 1),
            (false, false, false, 1),
        ] {
            let witness = Arc::new(());
            let lock = inherited(7, &witness);
            if writes {
                std::mem::forget(lock.lock.write().unwrap());
            }
            if reads {
                std::mem::forget(lock.lock.read().unwrap());
            }
            if used {
                assert_eq!(lock.read().lost, writes);
            }
            drop(lock);
            assert_eq!(Arc::strong_count(&witness), count, "{reads} {writes} {used}");
        }
    }

    #[test]
    fn what_a_panic_has_left_is_inherited_and_wiped() {
        let witness = Arc::new(());
        let lock = inherited(7, &witness);
        let panics = std::panic::AssertUnwindSafe(|| {
            let _content = lock.lock.write().unwrap();
            panic!("on purpose");
        });
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!((lock.read().value, lock.read().lost), (7, false));
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn threads_of_a_child_that_come_at_once_have_one() {
        for _ in 0..200 {
            let lock = inherited(7, &Arc::new(()));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| lock.write().value += 1);
                }
            });
            assert_eq!((lock.read().value, lock.read().lost), (11, false));
        }
    }
}
