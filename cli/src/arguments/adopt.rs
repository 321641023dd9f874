//! `sealite adopt`.

use std::path::PathBuf;

use clap::Args;

use super::OpenWith;

#[derive(Args)]
#[command(after_help = ADOPT_HELP)]
pub(crate) struct Adopt {
    /// The application's database. Without --vault it holds the vault, too (init --existing-database)
    pub(crate) database: PathBuf,
    /// The vault, where it is another file: tables are copied into it, and the database stays as it is
    #[arg(long, value_name = "FILE")]
    pub(crate) vault: Option<PathBuf>,
    /// The plan: a file of TOML
    #[arg(long, value_name = "FILE", required_unless_present = "columns")]
    pub(crate) plan: Option<PathBuf>,
    /// A column, beside the plan's or instead of it: 'users.email: sealed, unique email'
    #[arg(long = "column", value_name = "TABLE.COLUMN: WORDS")]
    pub(crate) columns: Vec<String>,
    /// Seal single values in the database, for sealite.sqlalchemy and fields, and make no sealed tables
    #[arg(long, requires = "vault", conflicts_with = "remove")]
    pub(crate) values: bool,
    /// Drop the tables from the database once the vault has them, and overwrite what was there
    #[arg(long, requires = "vault")]
    pub(crate) remove: bool,
    /// Show what would be done, and what stands against it; write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

const ADOPT_HELP: &str = "\
Every row is opened and compared with what it was before anything in clear is removed. Where it is interrupted, at any
moment, the same command goes on. Stop the application meanwhile, and keep a backup until it runs again.";
