//! Settings: their declaration, a set of changes, and the handle.

pub mod change;
pub mod definition;
pub mod handle;
pub mod transfer;
