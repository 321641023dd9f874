//! Versions.

use std::ffi::{CStr, c_char};

use crate::handles;

/// The version of the library that is linked, such as "0.1.0". Static. SEALITE_VERSION is the header's.
#[unsafe(no_mangle)]
pub extern "C" fn sealite_version() -> *const c_char {
    const VERSION: &[u8] = concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes();
    CStr::from_bytes_with_nul(VERSION).map_or(c"".as_ptr(), CStr::as_ptr)
}

/// The version of the library that is linked as a number: major * 1,000,000 + minor * 1,000 + patch. At least as great as
/// SEALITE_VERSION_NUMBER where everything that the header names is there.
#[unsafe(no_mangle)]
pub extern "C" fn sealite_version_number() -> u32 {
    [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ]
    .iter()
    .fold(0, |number, part| number * 1_000 + part.parse().unwrap_or(0))
}

/// How many handles of this process have not been freed: for tests that look for leaks.
#[unsafe(no_mangle)]
pub extern "C" fn sealite_handles_live() -> usize {
    crate::call::quietly(0, || Ok(handles::live()))
}
