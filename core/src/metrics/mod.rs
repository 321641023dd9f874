//! What this process has done with the vault: counters and latencies, and how they are shown.
//!
//! Every figure is of one process, and of one handle with its clones: a scraper adds up those of all processes. None of
//! it is kept in the file. A child of a fork goes on from the figures of its parent.

mod counters;
mod histogram;
mod prometheus;
mod snapshot;

pub(crate) use counters::{Counter, Counters};
pub use histogram::Histogram;
pub use snapshot::Metrics;
