//! Existing databases move in: sealed tables in place and in a vault of their own, single values in the application's file.

#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod crash;
mod full;
mod importers;
mod odd;
mod refusals;
mod tables;
mod values;
mod world;
