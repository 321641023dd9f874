//! The audit trail: an entry to append, and the handle.

pub mod entry;
pub mod handle;
pub mod trace;
