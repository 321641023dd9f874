//! What holds for whatever the parsers inside are given. Compiled for fuzzing (`--cfg fuzzing`) and for tests only: the
//! targets of `fuzz/` look for inputs for which it does not hold, and the tests here replay those that are kept.

#![allow(missing_docs, clippy::expect_used, clippy::missing_panics_doc)]

mod bytes;
mod files;
#[cfg(test)]
mod tests;
mod text;

pub use bytes::{catalog, context, payload, quota_usage, record, slot, value};
pub use files::{canonical, dotenv, imported_value, merge_patch, setting_import, setting_text};
pub use text::{audit_line, checkpoint, csrf, key_reference, normaliser, secret_text, sql};
