//! Looks for differences in time that tell a secret.

use std::process::ExitCode;

use clap::Parser;
use sealite_benches::constant_time::{Options, Verdict, run};

/// A dudect-style test of the comparisons of secrets: prints a table; fails where there is a leak, or where one that is
/// put in is not found.
#[derive(Parser)]
#[command(name = "constant-time")]
struct Arguments {
    /// Measurements of each of the three rounds
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(2_000..))]
    measurements: u64,
    /// Where the order of the classes begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let Arguments { measurements, seed } = Arguments::parse();
    let options = Options { measurements: measurements as usize, seed };
    match run(&options, &mut std::io::stdout()) {
        Ok(Verdict::NothingFound) => ExitCode::SUCCESS,
        Ok(Verdict::NotMeasured | Verdict::Leak) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("constant-time: {error}");
            ExitCode::FAILURE
        }
    }
}
