//! The C ABI: calls with valid and invalid arguments, by the driver of `ffi-c/tests/random_calls.rs`.

#![no_main]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "../../ffi-c/tests/support/calls.rs"]
mod calls;
#[path = "../../ffi-c/tests/support/random/mod.rs"]
mod random;

libfuzzer_sys::fuzz_target!(|data: &[u8]| random::run(data));
