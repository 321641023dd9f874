//! Memory for keys: wiped when they go, and, where the system allows, kept out of its swap and out of core dumps.
//!
//! A page is locked as a whole (`mlock`), so keys share pages of their own, in slots of a few sizes. How much a process
//! may lock is limited (`RLIMIT_MEMLOCK`); what does not fit works as well and is counted ([`counts`]). A lock is not
//! inherited: a forked child has a pool of its own, and counts what it has from its parent as not locked.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice::from_raw_parts_mut;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use zeroize::Zeroize;

use crate::fork;

/// A multiple of it is locked whatever the system's own page is.
const PAGE: usize = 4096;
/// The sizes of slots, in bytes; each is a multiple of 64 and divides a page.
const SIZES: [usize; 4] = [64, 256, 512, 1024];

/// A value in locked memory, as a `Box` holds one. Wiped on drop.
pub(crate) struct Locked<T> {
    slot: Slot,
    at: NonNull<T>,
    class: usize,
    pool: &'static Pool,
}

#[derive(Clone, Copy)]
struct Slot {
    start: NonNull<u8>,
    locked: bool,
}

/// The free slots of a process, and how many are in use.
struct Pool {
    /// The fork generation that it belongs to.
    generation: OnceLock<u64>,
    free: [Mutex<Vec<Slot>>; SIZES.len()],
    locked: AtomicI64,
    not_locked: AtomicI64,
    /// Of a forked child: a lock of this pool may be held by a thread that it does not have.
    child: OnceLock<Box<Pool>>,
}

static POOL: Pool = Pool::new(0);

/// How many secrets of this process are in locked memory, and how many are not.
pub(crate) fn counts() -> (u64, u64) {
    let pool = Pool::current();
    let count = |of: &AtomicI64| u64::try_from(of.load(Ordering::Relaxed)).unwrap_or(0);
    (count(&pool.locked), count(&pool.not_locked))
}

#[allow(unsafe_code)]
impl<T> Locked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self::new_in(Pool::current(), value)
    }

    fn new_in(pool: &'static Pool, value: T) -> Self {
        const {
            assert!(size_of::<T>() <= SIZES[SIZES.len() - 1] && align_of::<T>() <= SIZES[0]);
        }
        let class =
            SIZES.iter().position(|size| size_of::<T>() <= *size).unwrap_or(SIZES.len() - 1);
        let slot = pool.take(class);
        let at = slot.start.cast::<T>();
        // SAFETY: (1) the slot is at least as long as T and aligned to 64 bytes, both checked above, and in use by this
        // value alone until it is given back.
        unsafe { at.write(value) };
        Locked { slot, at, class, pool }
    }
}

// SAFETY: (2) as a Box: the value is owned, and reached through the references below only.
#[allow(unsafe_code)]
unsafe impl<T: Send> Send for Locked<T> {}
// SAFETY: (2)
#[allow(unsafe_code)]
unsafe impl<T: Sync> Sync for Locked<T> {}
// SAFETY: (3) an address without an owner; who takes it from the list owns it. Pages are never given back.
#[allow(unsafe_code)]
unsafe impl Send for Slot {}

#[allow(unsafe_code)]
impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: (1) written in `new_in`, and dropped in `drop` only.
        unsafe { self.at.as_ref() }
    }
}

#[allow(unsafe_code)]
impl<T> DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: (1), and the borrow is exclusive.
        unsafe { self.at.as_mut() }
    }
}

#[allow(unsafe_code)]
impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        let size = SIZES.get(self.class).copied().unwrap_or(size_of::<T>());
        // SAFETY: (1) the value is dropped once, here, and not touched again; then its slot is bytes of any content.
        let bytes = unsafe {
            self.at.drop_in_place();
            from_raw_parts_mut(self.slot.start.as_ptr().cast::<MaybeUninit<u8>>(), size)
        };
        bytes.zeroize();
        self.pool.give_back(self.class, self.slot);
    }
}

impl Pool {
    const fn new(not_locked: i64) -> Self {
        Pool {
            generation: OnceLock::new(),
            free: [const { Mutex::new(Vec::new()) }; SIZES.len()],
            locked: AtomicI64::new(0),
            not_locked: AtomicI64::new(not_locked),
            child: OnceLock::new(),
        }
    }

    /// The pool of this process.
    fn current() -> &'static Pool {
        let now = fork::generation();
        let mut pool = &POOL;
        while *pool.generation.get_or_init(|| now) != now {
            let used = |of: &AtomicI64| of.load(Ordering::Relaxed);
            let inherited = used(&pool.locked) + used(&pool.not_locked);
            pool = pool.child.get_or_init(|| Box::new(Pool::new(inherited)));
        }
        pool
    }

    fn take(&self, class: usize) -> Slot {
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

    fn give_back(&self, class: usize, slot: Slot) {
        if self.generation.get() != Some(&fork::generation()) {
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

/// The slots of a new page, locked where that is allowed.
#[allow(unsafe_code)]
fn page(class: usize) -> impl Iterator<Item = Slot> {
    let layout = Layout::from_size_align(PAGE, PAGE).unwrap_or(Layout::new::<[u8; PAGE]>());
    // SAFETY: (4) the layout has a size.
    let Some(start) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
        handle_alloc_error(layout)
    };
    let locked = lock(start);
    let size = SIZES.get(class).copied().unwrap_or(PAGE);
    (0..PAGE / size).map(move |at| {
        // SAFETY: (5) within the page.
        Slot { start: unsafe { start.add(at * size) }, locked }
    })
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn lock(page: NonNull<u8>) -> bool {
    let at = page.as_ptr().cast();
    // SAFETY: (6) the page is this module's own, and neither call changes what stands in it.
    unsafe {
        #[cfg(target_os = "linux")]
        let _ = rustix::mm::madvise(at, PAGE, rustix::mm::Advice::LinuxDontDump);
        rustix::mm::mlock(at, PAGE).is_ok()
    }
}

#[cfg(not(unix))]
fn lock(_page: NonNull<u8>) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> &'static Pool {
        let pool: &'static Pool = Box::leak(Box::new(Pool::new(0)));
        assert_eq!(pool.generation.get_or_init(fork::generation), &fork::generation());
        pool
    }

    /// What stands in a slot that nobody uses.
    #[allow(unsafe_code)]
    fn bytes<const N: usize>(slot: Slot) -> [u8; N] {
        // SAFETY: (1) the slot is free, its pool this test's own, and its bytes have been written.
        unsafe { slot.start.cast::<[u8; N]>().read() }
    }

    #[test]
    fn a_value_is_wiped_when_it_goes_and_its_slot_used_again() {
        let pool = pool();
        let first = Locked::new_in(pool, [0xA5_u8; 1000]);
        let slot = first.slot;
        assert_eq!(bytes::<1000>(slot), [0xA5; 1000]);
        drop(first);
        assert_eq!(bytes::<1000>(slot), [0; 1000]);
    }

    #[test]
    fn slots_do_not_overlap_and_are_aligned() {
        let pool = pool();
        let all: Vec<Locked<[u64; 8]>> =
            (0..1_000_u64).map(|n| Locked::new_in(pool, [n; 8])).collect();
        for (n, value) in all.iter().enumerate() {
            assert_eq!(**value, [n as u64; 8]);
            assert_eq!(value.slot.start.as_ptr() as usize % SIZES[0], 0);
        }
        let used = |pool: &Pool| {
            pool.locked.load(Ordering::Relaxed) + pool.not_locked.load(Ordering::Relaxed)
        };
        assert_eq!(used(pool), 1_000);
        drop(all);
        assert_eq!(used(pool), 0);
    }

    #[test]
    fn keys_of_the_process_are_counted() {
        let key = crate::secret::Secret32::zeroed();
        let (locked, not_locked) = counts();
        assert!(locked + not_locked >= 1);
        drop(key);
    }
}
