//! The data, the stores and the measuring of the benchmarks and the demonstration.
//!
//! Every comparison is of the engine with `rusqlite` on plain rows: the same columns, pragmas and
//! indexes, and the same work for whoever reads the rows.

#![allow(clippy::cast_precision_loss)] // of nanoseconds and bytes, to be shown with three digits

pub mod constant_time;
pub mod dataset;
pub mod demo;
pub mod leakage;
pub mod measure;
pub mod people;
pub mod plain;
pub mod quick;
pub mod scale;
pub mod sealed;
pub mod units;

/// The result of whatever may fail here. Nobody tells the errors apart: they are shown.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
