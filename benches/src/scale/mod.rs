//! How times and sizes grow with rows, tenants, threads and processes: `make bench-scale`.

#![allow(clippy::cast_possible_wrap)] // of counts far below 2^63

mod crowd;
mod rows;
mod tenants;
mod work;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

pub use tenants::tell_memory;
pub use work::{Order, serve};

use crate::Outcome;
use crate::measure::{Comparison, SHA256_LIMIT, sha256_nanoseconds_a_byte};
use crate::units;

/// What a process gets its key by.
pub const KEY: &str = "SEALITE_BENCH_KEY";

/// How far to go, and where the results go.
pub struct Options {
    /// Rows of the largest table; the sizes are powers of ten from 10,000 on.
    pub rows: usize,
    /// Tenants of the largest vault; the numbers are powers of ten from 1 on.
    pub tenants: usize,
    /// Threads and processes at most; the numbers are powers of two from 1 on.
    pub workers: usize,
    /// Repetitions of each measurement.
    pub repeats: usize,
    /// The file of the results.
    pub out: PathBuf,
}

/// Measures everything, tells what it does, and writes the file.
///
/// # Errors
/// Where SHA-256 is too slow for the figures to mean anything, before anything is measured.
pub fn run(options: &Options, out: &mut dyn Write) -> Outcome<()> {
    let sha = sha256_nanoseconds_a_byte();
    if sha > SHA256_LIMIT {
        return Err(format!(
            "SHA-256 takes {sha:.2} ns a byte here, more than {SHA256_LIMIT}: not reporting"
        )
        .into());
    }
    let folder = options.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Beside the results, on a disk: a temporary folder in memory would make commits free.
    let work = tempfile::tempdir_in(folder)?;
    let mut results = Map::new();
    results.insert("repeats".into(), json!(options.repeats));
    results.insert("rows".into(), rows::measure(options, work.path(), out)?);
    results.insert("tenants".into(), tenants::measure(options, work.path(), out)?);
    results.insert("crowd".into(), crowd::measure(options, work.path(), out)?);
    std::fs::write(&options.out, serde_json::to_string_pretty(&results)? + "\n")?;
    writeln!(out, "\nwritten to {}", options.out.display())?;
    Ok(())
}

/// The numbers from `first` to `last`, each so many times the one before.
fn steps(first: usize, last: usize, times: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(first), move |number| number.checked_mul(times))
        .take_while(move |number| *number <= last)
}

/// A comparison for the file, in seconds.
fn told(comparison: &Comparison) -> Value {
    let (low, high) = comparison.spread;
    json!({
        "plain": comparison.plain.as_secs_f64(),
        "sealed": comparison.sealed.as_secs_f64(),
        "ratio": comparison.ratio,
        "spread": [low, high],
    })
}

/// A line for whoever waits.
fn line(out: &mut dyn Write, count: usize, what: &str, comparison: &Comparison) -> Outcome<()> {
    writeln!(
        out,
        "{:>12} {what:<28}{:>12}{:>12}{:>8.2}",
        units::grouped(count as u64),
        units::time(comparison.plain),
        units::time(comparison.sealed),
        comparison.ratio
    )?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_up_to_the_largest() {
        assert_eq!(steps(10_000, 1_000_000, 10).collect::<Vec<_>>(), [10_000, 100_000, 1_000_000]);
        assert_eq!(steps(1, 8, 2).collect::<Vec<_>>(), [1, 2, 4, 8]);
        assert_eq!(steps(1, 9, 10).collect::<Vec<_>>(), [1]);
        assert_eq!(steps(10, 9, 10).count(), 0);
    }
}
