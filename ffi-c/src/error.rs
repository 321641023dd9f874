//! Error objects.

use std::ffi::{CStr, CString, c_char};

use crate::call::{free, quietly};
use crate::handles::{self, Kind};
use crate::status::{Failure, sealite_status};

/// What went wrong, beside the status: a short message that is safe to log. It names tables, columns and files, never a
/// value, a key or a secret. Free it with sealite_error_free().
pub struct sealite_error {
    _opaque: [u8; 0],
}

/// The object.
pub(crate) struct Problem {
    status: sealite_status,
    message: CString,
    sqlite_code: i32,
}

impl Kind for sealite_error {
    type Object = Problem;
}

/// Says that there is no error.
pub(crate) fn clear(error: *mut *mut sealite_error) {
    put(error, std::ptr::null_mut());
}

/// Makes the error object, where the caller wants one. A place that it can't be written to gets none, which would be lost.
pub(crate) fn give(error: *mut *mut sealite_error, failure: &Failure) {
    if error.is_null() || !error.is_aligned() {
        return;
    }
    put(error, std::ptr::null_mut());
    let message = failure.message.replace('\0', " ");
    let problem = Problem {
        status: failure.status,
        message: CString::new(message).unwrap_or_default(),
        sqlite_code: failure.sqlite_code.unwrap_or(0),
    };
    put(error, handles::insert(problem).unwrap_or(std::ptr::null_mut()));
}

fn put(place: *mut *mut sealite_error, error: *mut sealite_error) {
    if !place.is_null() && place.is_aligned() {
        // SAFETY: (1): neither NULL nor misaligned.
        unsafe { place.write(error) };
    }
}

/// The status that the failed call returned; SEALITE_INVALID_INPUT for NULL or what is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_error_status(error: *const sealite_error) -> sealite_status {
    quietly(sealite_status::SEALITE_INVALID_INPUT, || Ok(handles::get(error, "error")?.status))
}

/// The message, ended by a NUL, in UTF-8; an empty text for NULL or what is no error. It lives as long as the error
/// object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_error_message(error: *const sealite_error) -> *const c_char {
    const NONE: &CStr = c"";
    quietly(NONE.as_ptr(), || Ok(handles::get(error, "error")?.message.as_ptr()))
}

/// SQLite's extended result code, where SQLite reported the error; else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_error_sqlite_code(error: *const sealite_error) -> i32 {
    quietly(0, || Ok(handles::get(error, "error")?.sqlite_code))
}

/// Frees the error. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_error_free(error: *mut sealite_error) {
    free(error);
}

/// The stable name of a status, in snake case, such as "not_found"; "ok" for SEALITE_OK, "unknown" for a number that
/// this version does not have. Static.
#[unsafe(no_mangle)]
pub extern "C" fn sealite_status_name(status: i32) -> *const c_char {
    sealite_status::name(status).as_ptr()
}
