//! The grammar of `sealite rotate`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::OpenWith;

#[derive(Subcommand)]
pub(crate) enum Rotate {
    /// Make a new master key. Takes the secret of every slot that is to stay: the one that opens the vault, and those of the
    /// options --keep-…; each may be given several times
    Master(RotateMaster),
}

#[derive(Args)]
pub(crate) struct RotateMaster {
    /// The vault
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenWith,
    /// Keep the slot of this key: env:VARIABLE, file:PATH, credential:NAME (systemd) or docker:NAME
    #[arg(long, value_name = "REFERENCE", help_heading = "Slots to keep")]
    pub(crate) keep_key: Vec<String>,
    /// Keep the slot of a passphrase, asked for on the terminal
    #[arg(long, action = ArgAction::Count, help_heading = "Slots to keep")]
    pub(crate) keep_passphrase: u8,
    /// Keep the slot of the passphrase in a file that others can't read
    #[arg(long, value_name = "PATH", help_heading = "Slots to keep")]
    pub(crate) keep_passphrase_file: Vec<PathBuf>,
    /// Keep the slot of a passphrase, the next line of the standard input
    #[arg(long, action = ArgAction::Count, help_heading = "Slots to keep")]
    pub(crate) keep_passphrase_stdin: u8,
    /// Keep the slot of a recovery code, asked for on the terminal
    #[arg(long, action = ArgAction::Count, help_heading = "Slots to keep")]
    pub(crate) keep_recovery: u8,
    /// Keep the slot of a recovery code, the next line of the standard input
    #[arg(long, action = ArgAction::Count, help_heading = "Slots to keep")]
    pub(crate) keep_recovery_stdin: u8,
    /// Drop the slots that none of these secrets opens; without it they are refused
    #[arg(long)]
    pub(crate) drop_others: bool,
}
