//! The table of handles. What C holds is a number in the form of a pointer: 24 bits of generation above 24 bits of
//! place. It is looked up and never dereferenced, so that a handle that was freed, one of another kind and any other
//! pointer are told apart from one that is good. An object that is freed while another thread uses it lives on until
//! that call ends.

use std::any::Any;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use crate::status::sealite_status::{
    SEALITE_CLOSED, SEALITE_FORKED, SEALITE_INTERNAL, SEALITE_LIMIT,
};
use crate::status::{Failure, Result};

/// A kind of handle: its type in the header, and the object that it stands for.
pub(crate) trait Kind {
    /// What the handle stands for.
    type Object: Any + Send + Sync;
}

const PLACE_BITS: u32 = 24;
const LAST_PLACE: usize = (1 << PLACE_BITS) - 1;
const LAST_GENERATION: u32 = (1 << 24) - 1;

struct Slot {
    /// Counts the handles that this place has had, from 1: no number is ever given out twice.
    generation: u32,
    object: Option<Arc<dyn Any + Send + Sync>>,
    poisoned: bool,
}

struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    live: usize,
}

static TABLE: RwLock<Table> = RwLock::new(Table { slots: Vec::new(), free: Vec::new(), live: 0 });

fn write() -> RwLockWriteGuard<'static, Table> {
    TABLE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses a child in which the lock may be one that nobody opens.
fn check() -> Result<()> {
    if sealite::fork_is_lost() {
        let message =
            "not everything was in order when the process forked: this child can't use vaults";
        return Err(Failure::new(SEALITE_FORKED, message));
    }
    Ok(())
}

fn number(place: usize, generation: u32) -> usize {
    ((generation as usize) << PLACE_BITS) | place
}

fn place_of(number: usize) -> (usize, usize) {
    (number & LAST_PLACE, number >> PLACE_BITS)
}

/// A new handle for the object.
pub(crate) fn insert<K: Kind>(object: K::Object) -> Result<*mut K> {
    check()?;
    let object: Arc<dyn Any + Send + Sync> = Arc::new(object);
    let mut table = write();
    #[cfg(test)]
    if !room::take() {
        return Err(full());
    }
    let place = match table.free.pop() {
        Some(place) => place as usize,
        None if table.slots.len() <= LAST_PLACE => {
            table.slots.push(Slot { generation: 0, object: None, poisoned: false });
            table.slots.len() - 1
        }
        None => {
            drop(table);
            return Err(full());
        }
    };
    table.live += 1;
    let Some(slot) = table.slots.get_mut(place) else { return Err(Failure::internal()) };
    slot.generation += 1;
    slot.object = Some(object);
    slot.poisoned = false;
    Ok(std::ptr::without_provenance_mut(number(place, slot.generation)))
}

fn full() -> Failure {
    Failure::new(SEALITE_LIMIT, "too many handles that are not freed")
}

/// The object of a handle. `name` is that of the argument.
pub(crate) fn get<K: Kind>(handle: *const K, name: &str) -> Result<Arc<K::Object>> {
    if handle.is_null() {
        return Err(Failure::invalid(format!("the argument {name} is NULL")));
    }
    check()?;
    let (place, generation) = place_of(handle.addr());
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    let slot = table.slots.get(place).filter(|slot| slot.generation as usize == generation);
    let Some(Slot { object: Some(object), poisoned, .. }) = slot else {
        drop(table);
        let message = format!("the argument {name} is no handle, or one that was freed");
        return Err(Failure::new(SEALITE_CLOSED, message));
    };
    if *poisoned {
        drop(table);
        let message = format!("an earlier call on {name} failed inside the engine: free it");
        return Err(Failure::new(SEALITE_INTERNAL, message));
    }
    let object = Arc::clone(object);
    drop(table);
    object
        .downcast()
        .map_err(|_| Failure::invalid(format!("the argument {name} is a handle of another kind")))
}

/// Frees a handle. NULL, a handle of another kind and what is no handle are left alone.
pub(crate) fn remove<K: Kind>(handle: *mut K) {
    if check().is_err() {
        return;
    }
    let (place, generation) = place_of(handle.addr());
    let mut table = write();
    let Some(slot) = table.slots.get_mut(place) else { return };
    let is_kind = slot.object.as_ref().is_some_and(|object| object.is::<K::Object>());
    if slot.generation as usize != generation || !is_kind {
        return;
    }
    let object = slot.object.take();
    // A place whose numbers are used up is never used again.
    if slot.generation < LAST_GENERATION {
        table.free.push(place as u32);
    }
    table.live -= 1;
    #[cfg(test)]
    room::give_back();
    drop(table);
    // Closing a vault takes its time: not under the lock.
    drop(object);
}

/// Makes every later call on the handle fail.
pub(crate) fn poison(number: usize) {
    if check().is_err() {
        return;
    }
    let (place, generation) = place_of(number);
    if let Some(slot) = write().slots.get_mut(place)
        && slot.generation as usize == generation
    {
        slot.poisoned = true;
    }
}

/// How many handles are not freed; 0 where that can't be told.
pub(crate) fn live() -> usize {
    if check().is_err() {
        return 0;
    }
    TABLE.read().unwrap_or_else(PoisonError::into_inner).live
}

/// The lock, for a fork.
pub(crate) struct Held(
    #[allow(dead_code, reason = "held, not read")] RwLockWriteGuard<'static, Table>,
);

/// Keeps every other thread out of the table.
pub(crate) fn hold() -> Held {
    Held(write())
}

/// A table that is full for the thread of a test: 16 million handles take more memory than a test has.
#[cfg(test)]
pub(crate) mod room {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<usize> = const { Cell::new(usize::MAX / 2) };
    }

    /// Handles that this thread may still make.
    pub(crate) fn set(left: usize) {
        LEFT.set(left);
    }

    pub(crate) fn left() -> usize {
        LEFT.get()
    }

    pub(super) fn take() -> bool {
        let left = LEFT.get().checked_sub(1);
        LEFT.set(left.unwrap_or(0));
        left.is_some()
    }

    pub(super) fn give_back() {
        LEFT.set(LEFT.get() + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::Builder;
    use crate::values::{Given, sealite_values};

    #[test]
    fn no_number_is_given_out_twice_and_a_used_up_place_is_left() {
        let first = insert::<sealite_values>(Builder::new(Given::default())).unwrap();
        let (place, _) = place_of(first.addr());
        remove(first);
        write().slots[place].generation = LAST_GENERATION - 1;
        // Other tests take places too: those they have are kept until this one's comes up.
        let mut kept = Vec::new();
        let last = loop {
            let handle = insert::<sealite_values>(Builder::new(Given::default())).unwrap();
            if place_of(handle.addr()).0 == place {
                break handle;
            }
            kept.push(handle);
        };
        assert_eq!(place_of(last.addr()).1, LAST_GENERATION as usize);
        remove(last);
        assert!(!write().free.contains(&(place as u32)));
        assert!(get(last, "values").is_err());
        kept.into_iter().for_each(remove);
    }
}
