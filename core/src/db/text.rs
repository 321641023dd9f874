//! Texts and bytes in SQLite's memory.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};

/// SQLite's bytes; none where it had no memory for them.
///
/// # Safety
/// `bytes` is null or the start of `length` bytes that live for `'r`.
pub(super) unsafe fn slice<'r>(bytes: *const u8, length: c_int) -> &'r [u8] {
    match usize::try_from(length) {
        // SAFETY: (1) the caller's promise.
        Ok(length) if !bytes.is_null() => unsafe { std::slice::from_raw_parts(bytes, length) },
        _ => &[],
    }
}

/// Bytes as text, where they are UTF-8. Most texts are short and ASCII, which is seen at once.
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    if bytes.is_ascii() {
        // SAFETY: (2) ASCII is UTF-8.
        return Some(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    simdutf8::basic::from_utf8(bytes).ok()
}

/// A text of SQLite's, copied.
///
/// # Safety
/// `raw` is null or a text that stands during the call.
pub(super) unsafe fn text(raw: *const std::ffi::c_char) -> Option<String> {
    // SAFETY: (3) the caller's promise.
    (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned())
}
