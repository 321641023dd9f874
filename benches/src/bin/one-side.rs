//! One side of one ratio, again and again, for a profiler: `perf record target/release/one-side sql_scan sealed`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sealite_benches::Outcome;
use sealite_benches::quick::one_side::{OPERATIONS, run};

/// Runs one side of one ratio and prints the time of one operation
#[derive(Parser)]
#[command(name = "one-side")]
struct Arguments {
    /// What to run
    #[arg(value_parser = OPERATIONS)]
    operation: String,
    /// On which side
    #[arg(value_parser = ["plain", "sealed"])]
    side: String,
    /// Rows of the table
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    rows: u64,
    /// How often
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Where the databases are made, and removed again: on a disk
    #[arg(long, value_name = "FOLDER", default_value = "target")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match measured(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("one-side: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured(arguments: &Arguments) -> Outcome<()> {
    let work = tempfile::tempdir_in(&arguments.folder)?;
    let (rows, rounds) = (arguments.rows as usize, arguments.rounds as usize);
    let sealed = arguments.side == "sealed";
    run(&arguments.operation, sealed, rows, rounds, work.path(), &mut std::io::stdout())
}
