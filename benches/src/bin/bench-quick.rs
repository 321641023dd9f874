//! Measures the ratios and writes them to a file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sealite_benches::quick::{Options, run};

/// Sealed against plain: prints a table and writes the ratios as JSON.
#[derive(Parser)]
#[command(name = "bench-quick")]
struct Arguments {
    /// Rows of the table
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    rows: u64,
    /// Interleaved pairs of each measurement
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// An interpreter with the wheel installed: measures from Python as well
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Measure one part only
    #[arg(long, value_parser = ["tables", "values", "state", "tokens", "sql", "c", "open", "rotation"])]
    only: Option<String>,
    /// A document: the rows of its table that begin with a ratio's name get median and spread
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// The file of the ratios
    #[arg(long, value_name = "FILE", default_value = "target/bench/ratios.json")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { rows, pairs, python, only, table, out } = Arguments::parse();
    let options = Options { rows: rows as usize, pairs: pairs as usize, out, python, table, only };
    match run(&options, &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-quick: {error}");
            ExitCode::FAILURE
        }
    }
}
