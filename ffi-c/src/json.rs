//! Canonical JSON.

use std::ffi::c_char;

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::call;
use crate::error::sealite_error;
use crate::status::sealite_status;

/// Makes the canonical form of JSON text (RFC 8785): one text for everything that means the same, to full depth; what to hash,
/// sign or compare. Free it with sealite_bytes_free().
///
/// SEALITE_INVALID_INPUT for what is no JSON text, is more than 128 deep, or has no one meaning (RFC 7493): a name twice in an
/// object, or an integer that no double holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_canonical_json(
    json: *const c_char,
    json_length: usize,
    canonical: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(json, json_length), out(canonical); {
        canonical.give(Bytes::copy_of(sealite::canonical_json(json)?.as_bytes()))?;
    })
}
