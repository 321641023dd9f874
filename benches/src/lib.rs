//! The data of the benchmarks and the demonstration.
pub mod people;
