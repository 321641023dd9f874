//! The grammar of `sealite rotate`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::{OpenWith, RotateAll, RotateKey, RotateToken, RotateVault};

#[derive(Subcommand)]
pub(crate) enum Rotate {
    /// Make a new master key. Takes the secret of every slot that is to stay: the one that opens the vault, and those of the
    /// options --keep-…; each may be given several times
    Master(RotateMaster),
    /// Make a new data key of the vault or a tenant, and seal every record anew under it. Goes on where it was interrupted
    Data(RotateKey),
    /// Make a new index key of the vault or a tenant, and every blind index value anew under it
    Index(RotateKey),
    /// Make a new pepper of the tokens of the vault or a tenant; each is hashed anew when it is next presented
    Token(RotateToken),
    /// Make a new key of the audit trail, which goes on
    Audit(RotateVault),
    /// Make a new master key, and then every other key anew. Takes the secret of every slot that is to stay, as master does
    All(RotateAll),
    /// Show how the last rotation of each key stands
    Status(RotateVault),
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
