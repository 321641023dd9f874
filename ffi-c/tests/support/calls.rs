//! Calling the exported functions from Rust.

// Each test uses a part of it.
#![allow(dead_code)]

use std::ptr::null_mut;

use sealite_ffi::status::sealite_status;
use sealite_ffi::unlock::{sealite_unlock, sealite_unlock_key_text};
use sealite_ffi::value::{sealite_type, sealite_value};
use sealite_ffi::vault::{sealite_vault, sealite_vault_create};
use sealite_ffi::{error, rows};

/// A text as C passes it.
macro_rules! t {
    ($text:expr) => {{
        let text: &str = $text;
        (text.as_ptr().cast::<std::ffi::c_char>(), text.len())
    }};
}

/// Calls an exported function: texts are given as `[text]`, the error object last is added and freed.
macro_rules! ffi {
    ($function:path; $($argument:tt)*) => { ffi!(@ $function; (); $($argument)*) };
    (@ $function:path; ($($done:tt)*); [$text:expr], $($rest:tt)*) => {
        ffi!(@ $function; ($($done)* t!($text).0, t!($text).1,); $($rest)*)
    };
    (@ $function:path; ($($done:tt)*); [$text:expr]) => {
        ffi!(@ $function; ($($done)* t!($text).0, t!($text).1,);)
    };
    (@ $function:path; ($($done:tt)*); $value:expr, $($rest:tt)*) => {
        ffi!(@ $function; ($($done)* $value,); $($rest)*)
    };
    (@ $function:path; ($($done:tt)*); $value:expr) => {
        ffi!(@ $function; ($($done)* $value,);)
    };
    (@ $function:path; ($($done:tt)*);) => {{
        let mut error = std::ptr::null_mut();
        // SAFETY: (1) the arguments are this test's own, or such as the library has to refuse.
        let status = unsafe { $function($($done)* &raw mut error) };
        $crate::support::calls::checked(status, error)
    }};
}

/// Checks that the error object agrees with the status, and frees it.
pub(crate) fn checked(status: sealite_status, error: *mut error::sealite_error) -> sealite_status {
    assert_eq!(error.is_null(), status == sealite_status::SEALITE_OK);
    if !error.is_null() {
        // SAFETY: (1) just made by the library.
        unsafe {
            assert_eq!(error::sealite_error_status(error), status);
            error::sealite_error_free(error);
        }
    }
    status
}

pub(crate) const KEY: &str = "3a9107fe5c28b3604de2198f74c50bd62ea95381f7166bcc409d35ea0278b15f";

pub(crate) fn unlock(key: &str) -> *mut sealite_unlock {
    let mut unlock = null_mut();
    assert_eq!(ffi!(sealite_unlock_key_text; [key], &raw mut unlock), sealite_status::SEALITE_OK);
    unlock
}

pub(crate) fn create(path: &std::path::Path, unlock: *const sealite_unlock) -> *mut sealite_vault {
    let mut vault = null_mut();
    let path = path.to_str().unwrap();
    let status = ffi!(sealite_vault_create; [path], unlock, std::ptr::null(), &raw mut vault);
    assert_eq!(status, sealite_status::SEALITE_OK);
    vault
}

pub(crate) fn integer(integer: i64) -> sealite_value {
    sealite_value {
        kind: sealite_type::SEALITE_INTEGER as i32,
        integer,
        real: 0.0,
        data: std::ptr::null(),
        length: 0,
    }
}

pub(crate) fn text(text: &str) -> sealite_value {
    sealite_value {
        kind: sealite_type::SEALITE_TEXT as i32,
        integer: 0,
        real: 0.0,
        data: text.as_ptr().cast(),
        length: text.len(),
    }
}

/// The bytes that a value points to.
pub(crate) fn bytes(value: &sealite_value) -> Vec<u8> {
    if value.length == 0 {
        return Vec::new();
    }
    // SAFETY: (1) the library has written pointer and length, and the owner has not been freed.
    unsafe { std::slice::from_raw_parts(value.data.cast::<u8>(), value.length) }.to_vec()
}

pub(crate) fn cell(rows: *const rows::sealite_rows, index: usize, column: &str) -> sealite_value {
    let mut value = integer(0);
    let status = ffi!(rows::sealite_rows_value; rows, index, [column], &raw mut value);
    assert_eq!(status, sealite_status::SEALITE_OK, "{column}");
    value
}

pub(crate) fn string(rows: *const rows::sealite_rows, index: usize, column: &str) -> String {
    String::from_utf8(bytes(&cell(rows, index, column))).unwrap()
}
