//! Reading arguments. Each function gets the call's scope, the argument's name, and the argument.

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::sync::Arc;

use sealite::{IdRef, Type, ValueRef};

use crate::call::Scope;
use crate::handles::{self, Kind};
use crate::progress::{sealite_phase, sealite_progress};
use crate::status::sealite_status::SEALITE_LIMIT;
use crate::status::{Failure, Result};
use crate::value::{self, sealite_string, sealite_type, sealite_value};

/// In the place of a length: the text ends with its first NUL.
pub(crate) const SEALITE_NTS: usize = usize::MAX;

/// The object of a handle.
pub(crate) fn handle<K: Kind>(
    scope: &Scope,
    name: &str,
    handle: *const K,
) -> Result<Arc<K::Object>> {
    scope.note(handle.addr());
    handles::get(handle, name)
}

/// The object of a handle, or nothing for NULL.
pub(crate) fn optional_handle<K: Kind>(
    scope: &Scope,
    name: &str,
    handle: *const K,
) -> Result<Option<Arc<K::Object>>> {
    if handle.is_null() { Ok(None) } else { self::handle(scope, name, handle).map(Some) }
}

/// The objects of an array of handles.
pub(crate) unsafe fn handles<K: Kind>(
    scope: &Scope,
    name: &str,
    data: *const *const K,
    length: usize,
) -> Result<Vec<Arc<K::Object>>> {
    // SAFETY: (1).
    let all = unsafe { array(scope, name, data, length) }?;
    all.iter().map(|one| handle(scope, name, *one)).collect()
}

/// A number.
#[allow(clippy::unnecessary_wraps, reason = "as of every other kind of argument")]
pub(crate) fn plain<T>(_: &Scope, _: &str, number: T) -> Result<T> {
    Ok(number)
}

/// A number that means yes or no.
pub(crate) fn flag(_: &Scope, name: &str, flag: i32) -> Result<bool> {
    match flag {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Failure::invalid(format!("the argument {name} is neither 0 nor 1"))),
    }
}

/// A type.
pub(crate) fn kind_of_value(_: &Scope, name: &str, number: i32) -> Result<Type> {
    use sealite_type::*;
    let kinds = [
        (SEALITE_INTEGER, Type::Integer),
        (SEALITE_REAL, Type::Real),
        (SEALITE_TEXT, Type::Text),
        (SEALITE_BLOB, Type::Blob),
        (SEALITE_BOOLEAN, Type::Boolean),
        (SEALITE_JSON, Type::Json),
    ];
    let found = kinds.iter().find(|(code, _)| *code as i32 == number);
    found.map(|(_, kind)| *kind).ok_or_else(|| no_choice(name))
}

/// A function of the caller's that hears how far a call is.
pub(crate) struct Progress<'s> {
    function: sealite_progress,
    context: *mut c_void,
    scope: PhantomData<&'s Scope>,
}

impl Progress<'_> {
    /// Tells it; false where it stops the work.
    pub(crate) fn goes_on(&self, phase: sealite_phase, what: &str, done: u64, total: u64) -> bool {
        let Some(function) = self.function else { return true };
        let (data, length) = (value::start(what.as_bytes()), what.len());
        // SAFETY: (4).
        unsafe { function(self.context, phase as i32, data, length, done, total) == 0 }
    }
}

/// Such a function, or none for NULL.
#[allow(clippy::unnecessary_wraps, reason = "as of every other kind of argument")]
pub(crate) fn progress<'s>(
    _: &'s Scope,
    _: &str,
    function: sealite_progress,
    context: *mut c_void,
) -> Result<Progress<'s>> {
    Ok(Progress { function, context, scope: PhantomData })
}

/// One of the choices that stand in the order of their numbers, from 0.
pub(crate) fn choice<T: Copy>(_: &Scope, name: &str, number: i32, of: &[T]) -> Result<T> {
    let chosen = usize::try_from(number).ok().and_then(|number| of.get(number));
    chosen.copied().ok_or_else(|| no_choice(name))
}

/// A choice, or nothing for NULL.
pub(crate) unsafe fn optional_choice<T: Copy>(
    scope: &Scope,
    name: &str,
    number: *const i32,
    of: &[T],
) -> Result<Option<T>> {
    // SAFETY: (1).
    let number = unsafe { optional_number(scope, name, number) }?;
    number.map(|number| choice(scope, name, number, of)).transpose()
}

fn no_choice(name: &str) -> Failure {
    Failure::invalid(format!("the argument {name} is a number that stands for no choice"))
}

/// Bytes that must be there.
pub(crate) unsafe fn bytes<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const c_void,
    length: usize,
) -> Result<&'s [u8]> {
    // SAFETY: (1).
    unsafe { array(scope, name, data.cast::<u8>(), length) }
}

/// An array; NULL for one of length 0.
pub(crate) unsafe fn array<'s, T>(
    _: &'s Scope,
    name: &str,
    data: *const T,
    length: usize,
) -> Result<&'s [T]> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::invalid(format!("the argument {name} is NULL")));
    }
    if !data.is_aligned() {
        return Err(Failure::invalid(format!("the argument {name} is not aligned")));
    }
    if length.checked_mul(size_of::<T>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        let message = format!("the argument {name} is longer than memory");
        return Err(Failure::new(SEALITE_LIMIT, message));
    }
    // SAFETY: (1), (2): not NULL, aligned, and no longer than an object can be.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// A text in whatever encoding.
pub(crate) unsafe fn octets<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const c_char,
    length: usize,
) -> Result<&'s [u8]> {
    if length != SEALITE_NTS {
        // SAFETY: (1).
        return unsafe { array(scope, name, data.cast::<u8>(), length) };
    }
    if data.is_null() {
        return Err(Failure::invalid(format!("the argument {name} is NULL")));
    }
    // SAFETY: (1), (2): not NULL, and the caller has said that a NUL ends it.
    Ok(unsafe { std::ffi::CStr::from_ptr(data) }.to_bytes())
}

/// A text.
pub(crate) unsafe fn text<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const c_char,
    length: usize,
) -> Result<&'s str> {
    // SAFETY: (1).
    let bytes = unsafe { octets(scope, name, data, length) }?;
    std::str::from_utf8(bytes)
        .map_err(|_| Failure::invalid(format!("the argument {name} is not UTF-8")))
}

/// What somebody presents as a secret. What is not UTF-8 is none, and becomes the empty text, which is none either.
pub(crate) unsafe fn presented<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const c_char,
    length: usize,
) -> Result<&'s str> {
    // SAFETY: (1).
    let bytes = unsafe { octets(scope, name, data, length) }?;
    Ok(std::str::from_utf8(bytes).unwrap_or_default())
}

/// A text, or nothing for NULL.
pub(crate) unsafe fn optional_text<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const c_char,
    length: usize,
) -> Result<Option<&'s str>> {
    if data.is_null() && matches!(length, 0 | SEALITE_NTS) {
        return Ok(None);
    }
    // SAFETY: (1).
    unsafe { text(scope, name, data, length) }.map(Some)
}

/// Texts.
pub(crate) unsafe fn texts<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const sealite_string,
    length: usize,
) -> Result<Vec<&'s str>> {
    // SAFETY: (1).
    let strings = unsafe { array(scope, name, data, length) }?;
    // SAFETY: (1).
    let one = |string: &sealite_string| unsafe { text(scope, name, string.data, string.length) };
    strings.iter().map(one).collect()
}

/// What a pointer points to, or nothing for NULL.
pub(crate) unsafe fn optional_number<T: Copy>(
    scope: &Scope,
    name: &str,
    data: *const T,
) -> Result<Option<T>> {
    // SAFETY: (1).
    let number = unsafe { array(scope, name, data, usize::from(!data.is_null())) }?;
    Ok(number.first().copied())
}

/// A value.
pub(crate) unsafe fn value<'s>(
    scope: &'s Scope,
    name: &str,
    value: *const sealite_value,
) -> Result<ValueRef<'s>> {
    // SAFETY: (1).
    let given = unsafe { array(scope, name, value, 1) }?;
    // SAFETY: (1).
    unsafe { given.first().map_or(Ok(ValueRef::Null), |given| given.read(scope, name)) }
}

/// Values.
pub(crate) unsafe fn values<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const sealite_value,
    length: usize,
) -> Result<Vec<ValueRef<'s>>> {
    // SAFETY: (1).
    let given = unsafe { array(scope, name, data, length) }?;
    // SAFETY: (1).
    given.iter().map(|value| unsafe { value.read(scope, name) }).collect()
}

/// The id of a row.
pub(crate) unsafe fn id<'s>(
    scope: &'s Scope,
    name: &str,
    id: *const sealite_value,
) -> Result<IdRef<'s>> {
    // SAFETY: (1).
    id_of(name, unsafe { value(scope, name, id) }?)
}

/// The id of a row, or nothing for NULL.
pub(crate) unsafe fn optional_id<'s>(
    scope: &'s Scope,
    name: &str,
    id: *const sealite_value,
) -> Result<Option<IdRef<'s>>> {
    // SAFETY: (1).
    if id.is_null() { Ok(None) } else { unsafe { self::id(scope, name, id) }.map(Some) }
}

/// Ids of rows.
pub(crate) unsafe fn ids<'s>(
    scope: &'s Scope,
    name: &str,
    data: *const sealite_value,
    length: usize,
) -> Result<Vec<IdRef<'s>>> {
    // SAFETY: (1).
    let given = unsafe { values(scope, name, data, length) }?;
    given.into_iter().map(|value| id_of(name, value)).collect()
}

fn id_of<'s>(name: &str, value: ValueRef<'s>) -> Result<IdRef<'s>> {
    match value {
        ValueRef::Integer(id) => Ok(IdRef::Integer(id)),
        ValueRef::Text(id) => Ok(IdRef::Text(id)),
        _ => Err(Failure::invalid(format!("the argument {name}: an id is an integer or a text"))),
    }
}
