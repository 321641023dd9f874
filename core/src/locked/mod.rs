//! Memory for keys: wiped when they go, and, where the system allows, kept out of its swap and out of core dumps.
//!
//! A page is locked as a whole (`mlock`), so keys share pages of their own, in slots of a few sizes. How much a process
//! may lock is limited (`RLIMIT_MEMLOCK`); what does not fit works as well and is counted ([`counts`]). A lock is not
//! inherited: a forked child has a pool of its own, and counts what it has from its parent as not locked.

mod pool;

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice::from_raw_parts_mut;

use zeroize::Zeroize;

use self::pool::Pool;

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

/// How many secrets of this process are in locked memory, and how many are not.
pub(crate) fn counts() -> (u64, u64) {
    let (locked, not_locked) = Pool::current().in_use();
    (u64::try_from(locked).unwrap_or(0), u64::try_from(not_locked).unwrap_or(0))
}

#[allow(unsafe_code)]
impl<T> Locked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self::new_in(Pool::current(), value)
    }

    fn new_in(pool: &'static Pool, value: T) -> Self {
        const {
            let [smallest, _, _, largest] = SIZES;
            assert!(size_of::<T>() <= largest && align_of::<T>() <= smallest);
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
        Box::leak(Box::new(Pool::new(0)))
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
        let used = |pool: &Pool| pool.in_use().0 + pool.in_use().1;
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
