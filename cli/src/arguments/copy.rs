//! The grammar of `sealite backup`, `restore`, `compact` and `recovery`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OpenWith;

#[derive(Args)]
pub(crate) struct Backup {
    /// The vault, which may be in use
    pub(crate) file: PathBuf,
    /// The new file, which must not exist
    pub(crate) to: PathBuf,
    /// Don't open the copy's records and walk its audit trail: for a vault that is damaged already
    #[arg(long)]
    pub(crate) unchecked: bool,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// The backup. It stays as it is
    pub(crate) backup: PathBuf,
    /// The new vault, which must not exist
    pub(crate) to: PathBuf,
    /// Do all of it and keep nothing. The new vault's name may be taken then
    #[arg(long)]
    pub(crate) drill: bool,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Args)]
pub(crate) struct Compact {
    /// The vault
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Subcommand)]
pub(crate) enum Recovery {
    /// Add a recovery code, on a sheet to print
    New(RecoveryNew),
}

#[derive(Args)]
pub(crate) struct RecoveryNew {
    /// The vault
    pub(crate) file: PathBuf,
    /// Write the sheet to a new file for its owner alone; - for the standard output, as for a printer: | lp
    #[arg(long, value_name = "PATH")]
    pub(crate) sheet: PathBuf,
    /// What the slot is called in lists, and on the sheet: where the paper will be
    #[arg(long, value_name = "LABEL", default_value = "recovery")]
    pub(crate) label: String,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}
