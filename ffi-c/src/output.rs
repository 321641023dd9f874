//! Writing results. An out-parameter is cleared before anything is done, so that it has a meaning after a failure too.

use std::marker::PhantomData;

use crate::call::Scope;
use crate::handles::{self, Kind};
use crate::status::sealite_status::SEALITE_LIMIT;
use crate::status::{Failure, Result};

/// Where a result goes: nowhere, where the caller has passed NULL for one that it may leave out.
pub(crate) struct Out<'s, T> {
    place: *mut T,
    scope: PhantomData<&'s Scope>,
}

impl<T> Out<'_, T> {
    /// False where the caller has left it out.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.place.is_null()
    }

    /// Writes the result.
    pub(crate) fn set(&self, result: T) {
        if !self.place.is_null() {
            // SAFETY: (1): not NULL, and found aligned when this was made.
            unsafe { self.place.write(result) };
        }
    }
}

impl<K: Kind> Out<'_, *mut K> {
    /// Makes a handle and writes it, where it is wanted.
    pub(crate) fn give(&self, object: K::Object) -> Result<()> {
        self.give_with(object, || Ok(()))
    }

    /// Makes a handle, where it is wanted, and writes it once what is done or given out beside it has succeeded too.
    pub(crate) fn give_with(
        &self,
        object: K::Object,
        beside: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if !self.is_wanted() {
            return beside();
        }
        let handle = handles::insert(object)?;
        if let Err(failure) = beside() {
            handles::remove::<K>(handle);
            return Err(failure);
        }
        self.set(handle);
        Ok(())
    }
}

/// A result that is written to a place given.
pub(crate) unsafe fn out<'s, T: Cleared>(
    scope: &'s Scope,
    name: &str,
    place: *mut T,
) -> Result<Out<'s, T>> {
    if place.is_null() {
        return Err(Failure::invalid(format!("the argument {name} is NULL")));
    }
    // SAFETY: (1).
    unsafe { optional_out(scope, name, place) }
}

/// A result that the caller may leave out.
pub(crate) unsafe fn optional_out<'s, T: Cleared>(
    _: &'s Scope,
    name: &str,
    place: *mut T,
) -> Result<Out<'s, T>> {
    if !place.is_aligned() {
        return Err(Failure::invalid(format!("the argument {name} is not aligned")));
    }
    let out = Out { place, scope: PhantomData };
    out.set(T::CLEARED);
    Ok(out)
}

/// What an out-parameter holds after a failure.
pub(crate) trait Cleared: Sized {
    /// 0, false or NULL.
    const CLEARED: Self;
}

impl<T> Cleared for *mut T {
    const CLEARED: Self = std::ptr::null_mut();
}

impl<T> Cleared for *const T {
    const CLEARED: Self = std::ptr::null();
}

macro_rules! cleared {
    ($($number:ty = $zero:expr),*) => { $(impl Cleared for $number { const CLEARED: Self = $zero; })* };
}
cleared! { bool = false, i32 = 0, u32 = 0, i64 = 0, u64 = 0, usize = 0 }

/// An array that results are written to, or nowhere.
pub(crate) struct Places<'s, T> {
    start: *mut T,
    count: usize,
    scope: PhantomData<&'s Scope>,
}

impl<T> Places<'_, T> {
    /// Writes one result.
    pub(crate) fn set(&self, at: usize, result: T) {
        if at < self.count && !self.start.is_null() {
            // SAFETY: (1): not NULL, found aligned when this was made, and within the array.
            unsafe { self.start.add(at).write(result) };
        }
    }
}

/// An array of results that has to be there.
pub(crate) unsafe fn needed_places<'s, T: Cleared>(
    scope: &'s Scope,
    name: &str,
    start: *mut T,
    count: usize,
) -> Result<Places<'s, T>> {
    if start.is_null() && count > 0 {
        return Err(Failure::invalid(format!("the argument {name} is NULL")));
    }
    // SAFETY: (1).
    unsafe { places(scope, name, start, count) }
}

/// An array of results that the caller may leave out.
pub(crate) unsafe fn places<'s, T: Cleared>(
    _: &'s Scope,
    name: &str,
    start: *mut T,
    count: usize,
) -> Result<Places<'s, T>> {
    if !start.is_aligned() {
        return Err(Failure::invalid(format!("the argument {name} is not aligned")));
    }
    if count.checked_mul(size_of::<T>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        let message = format!("the argument {name} is longer than memory");
        return Err(Failure::new(SEALITE_LIMIT, message));
    }
    let places = Places { start, count, scope: PhantomData };
    // Of a place that is left out only the count has been looked at.
    let cleared = if start.is_null() { 0 } else { count };
    for at in 0..cleared {
        places.set(at, T::CLEARED);
    }
    Ok(places)
}
