//! Health and metrics: whether the vault can be used, and what this process has done with it.
//!
//! Every figure is of one process, and of one handle with its clones: a scraper adds up those of all processes. None of
//! it is kept in the file. A child of a fork goes on from the figures of its parent.

mod check;
mod clock;
mod counters;
mod histogram;
mod keys;
mod metrics;
mod prometheus;
mod report;

pub(crate) use check::{Memory, check};
pub(crate) use clock::accept_clock;
pub(crate) use counters::{Counter, Counters};
pub use histogram::Histogram;
pub use metrics::Metrics;
pub use report::{Health, Reason};

#[cfg(test)]
mod tests;
