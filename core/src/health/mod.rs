//! Health: whether the vault can be used, and what stands in the way.

mod check;
mod clock;
mod keys;
mod report;

pub(crate) use check::{Memory, check};
pub(crate) use clock::accept_clock;
pub use report::{Health, Reason};

#[cfg(test)]
mod tests;
