//! Bytes that the engine gives out.

use std::ffi::c_void;

use zeroize::Zeroizing;

use crate::call::{free, quietly};
use crate::handles::{self, Kind};

/// Bytes that the engine has made: a sealed value, a code, an export. They are followed by a NUL that does not count, so
/// that a text among them can be used as one of C's. Wiped by sealite_bytes_free().
pub struct sealite_bytes {
    _opaque: [u8; 0],
}

/// A boxed slice: nothing behind its end has ever held a part of it.
pub(crate) struct Bytes(Zeroizing<Box<[u8]>>);

impl Kind for sealite_bytes {
    type Object = Bytes;
}

impl Bytes {
    /// Copies the bytes.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        let mut copy = Vec::with_capacity(bytes.len() + 1);
        copy.extend_from_slice(bytes);
        copy.push(0);
        Bytes(Zeroizing::new(copy.into_boxed_slice()))
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.split_last().map_or(&[], |(_, bytes)| bytes)
    }
}

/// The first of the bytes; NULL for NULL or what are no bytes. They live as long as the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_bytes_data(bytes: *const sealite_bytes) -> *const c_void {
    quietly(std::ptr::null(), || Ok(handles::get(bytes, "bytes")?.as_slice().as_ptr().cast()))
}

/// How many bytes there are, without the NUL behind them; 0 for NULL or what are no bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_bytes_length(bytes: *const sealite_bytes) -> usize {
    quietly(0, || Ok(handles::get(bytes, "bytes")?.as_slice().len()))
}

/// Overwrites the bytes with zeros and frees them. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_bytes_free(bytes: *mut sealite_bytes) {
    free(bytes);
}
