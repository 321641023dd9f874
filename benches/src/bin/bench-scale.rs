//! Measures how times and sizes grow, and writes the results to a file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sealite_benches::Outcome;
use sealite_benches::scale::{KEY, Options, Order, run, serve, tell_memory};

/// Rows, tenants, threads and processes: prints what it measures and writes the results as JSON.
#[derive(Parser)]
#[command(name = "bench-scale")]
struct Arguments {
    /// Rows of the largest table: the sizes are powers of ten from 10,000 on
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Tenants of the largest vault: the numbers are powers of ten from 1 on
    #[arg(long, default_value_t = 10_000)]
    tenants: u64,
    /// Threads and processes at most: the numbers are powers of two from 1 on
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=64))]
    workers: u64,
    /// Repetitions of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    repeats: u64,
    /// The file of the results
    #[arg(long, value_name = "FILE", default_value = "target/bench/scale.json")]
    out: PathBuf,
    /// Work on that file, as one of several processes; the key is in an environment variable
    #[arg(long, hide = true)]
    work_on: Option<PathBuf>,
    #[arg(long, hide = true)]
    writes: bool,
    #[arg(long, hide = true, default_value_t = 0)]
    number: u64,
    /// Tell the memory that so many tenants of that file take
    #[arg(long, hide = true)]
    tenants_of: Option<usize>,
}

fn main() -> ExitCode {
    match begin(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-scale: {error}");
            ExitCode::FAILURE
        }
    }
}

fn begin(arguments: Arguments) -> Outcome<()> {
    let Arguments { rows, tenants, workers, repeats, out, work_on, writes, number, tenants_of } =
        arguments;
    if let Some(path) = work_on {
        let key = std::env::var(KEY).ok();
        if let Some(count) = tenants_of {
            return tell_memory(&path, &key.ok_or("no key")?, count, &mut std::io::stdout());
        }
        let order = Order { path, key, writes, number: number as usize };
        return serve(&order, &mut std::io::stdin().lock(), &mut std::io::stdout());
    }
    let [rows, tenants, workers, repeats] =
        [rows, tenants, workers, repeats].map(|number| number as usize);
    run(&Options { rows, tenants, workers, repeats, out }, &mut std::io::stdout())
}
