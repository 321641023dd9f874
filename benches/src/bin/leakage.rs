//! Shows what a blind index gives away.

use std::process::ExitCode;

use clap::Parser;
use sealite_benches::leakage::{Options, run};

/// Guesses surnames from the index values of a column: prints a table. The same seed draws the same names; the keys are
/// new each time.
#[derive(Parser)]
#[command(name = "leakage")]
struct Arguments {
    /// Rows of each column
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(100..))]
    rows: u64,
    /// Vaults to take the mean of
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    vaults: u64,
    /// Where the drawing of names begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let Arguments { rows, vaults, seed } = Arguments::parse();
    let options = Options { rows: rows as usize, vaults: vaults as usize, seed };
    match run(&options, &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("leakage: {error}");
            ExitCode::FAILURE
        }
    }
}
