//! The demonstration.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sealite_benches::demo::{Options, run};

/// Moves an application's people into a vault, and shows what holds then.
#[derive(Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Your own SQLite database; it is only read. Without it, people are made up
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// The table, where the database has several
    #[arg(long, value_name = "NAME", requires = "db")]
    table: Option<String>,
    /// The columns to seal; without it they are guessed by their names
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// How many people to make up
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(2..=10_000_000))]
    people: u64,
    /// Interleaved pairs of the timings
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// The folder where the vault stays
    #[arg(long, value_name = "FOLDER", default_value = "target/demo")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { db, table, columns, people, pairs, out } = Arguments::parse();
    let options = Options {
        database: db,
        table,
        columns,
        people: people as usize,
        pairs: pairs as usize,
        folder: out,
        meddle: None,
    };
    match run(&options, &mut std::io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}
