//! The grammar of the command line. No option takes a secret.

mod adopt;
mod approval;
mod audit;
mod copy;
mod erasure;
mod rotate;
mod rotation;
mod setting;
mod token;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::failure::EXIT_CODES;
pub(crate) use adopt::Adopt;
pub(crate) use approval::{Approval, Clock, Decide, Quota};
pub(crate) use audit::{Audit, AuditExport, AuditTail, AuditVerify, Doctor};
pub(crate) use copy::{Backup, Compact, Recovery, RecoveryNew, Restore};
pub(crate) use erasure::{Subject, SubjectErase, SubjectExport, Tenant, TenantErase};
pub(crate) use rotate::{Rotate, RotateMaster};
pub(crate) use rotation::{RotateAll, RotateKey, RotateToken, RotateVault};
pub(crate) use setting::{
    Author, Format, Named, NamedReason, NewValue, Scope, Setting, SettingExport, SettingImport,
    SettingSet,
};
pub(crate) use token::{
    OneToken, PresentedToken, Token, TokenImport, TokenIssue, TokenList, TokenRevoke, TokenRotate,
    TokensOf,
};

/// Keeps keys and personal data sealed in one SQLite file.
#[derive(Parser)]
#[command(name = "sealite", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Write one JSON object to the standard output, errors included
    #[arg(long, global = true)]
    #[allow(
        dead_code,
        reason = "looked for before parsing: an error in the arguments is JSON, too"
    )]
    json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a vault with its first slot
    Init(Init),
    /// Show the state of a vault and its slots; with a secret, check that it opens
    Status(Status),
    /// The ways to unlock a vault
    #[command(subcommand)]
    Slot(Slot),
    /// Seal the data of an existing database, by a plan
    Adopt(Adopt),
    /// The sealed tables
    #[command(subcommand)]
    Table(Table),
    /// Open every record, and report each that was edited or damaged
    Verify(Verify),
    /// Copy a vault, in use, into a new file, and check the copy
    Backup(Backup),
    /// Make a vault from a backup, once the backup is checked
    Restore(Restore),
    /// Write the file anew without its free pages
    Compact(Compact),
    /// Recovery codes
    #[command(subcommand)]
    Recovery(Recovery),
    /// The settings of the application
    #[command(subcommand)]
    Setting(Setting),
    /// Tokens: sessions, API keys, links, break-glass
    #[command(subcommand)]
    Token(Token),
    /// Requests for approval
    #[command(subcommand)]
    Approval(Approval),
    /// Limits on how often something happens
    #[command(subcommand)]
    Quota(Quota),
    /// The audit trail
    #[command(subcommand)]
    Audit(Audit),
    /// Check everything: slots, records, the file, the audit trail, its state
    Doctor(Doctor),
    /// The clock that expiry goes by
    #[command(subcommand)]
    Clock(Clock),
    /// What belongs to one subject: a user, a device
    #[command(subcommand)]
    Subject(Subject),
    /// The tenants
    #[command(subcommand)]
    Tenant(Tenant),
    /// Keys
    #[command(subcommand)]
    Key(Key),
    /// New keys in the place of old ones
    #[command(subcommand)]
    Rotate(Rotate),
}

#[derive(Args)]
pub(crate) struct Init {
    /// The vault
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) first: FirstSlot,
    /// Allow a SQLite database that has tables of its own already
    #[arg(long)]
    pub(crate) existing_database: bool,
}

#[derive(Args)]
#[command(mut_group("Secret", |group| group.required(false)))]
pub(crate) struct Status {
    /// The vault
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) secret: Option<Secret>,
    /// Refuse an older file that was put back: a checkpoint of the audit trail that was kept outside, or a file with one
    #[arg(long, value_name = "CHECKPOINT", requires = "Secret")]
    pub(crate) checkpoint: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Slot {
    /// List the slots
    List {
        /// The vault
        file: PathBuf,
    },
    /// Add a slot: a key, a passphrase or a recovery code
    Add(SlotAdd),
    /// Remove a slot. What its holder has seen is not taken back: that takes new keys
    Remove(SlotRemove),
}

#[derive(Args)]
pub(crate) struct SlotAdd {
    /// The vault
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenWith,
    #[command(flatten)]
    pub(crate) new: NewSlot,
    /// What the slot is called in lists; its kind where none is given
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Args)]
pub(crate) struct SlotRemove {
    /// The vault
    pub(crate) file: PathBuf,
    /// The slot's number, as `slot list` shows it
    pub(crate) id: i64,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Subcommand)]
pub(crate) enum Table {
    /// List the tables and how many rows they have
    List {
        /// The vault
        file: PathBuf,
        #[command(flatten)]
        open: OpenWith,
    },
    /// Show columns, types, protections and indexes
    Describe {
        /// The vault
        file: PathBuf,
        /// The table; all of them where none is given
        table: Option<String>,
        #[command(flatten)]
        open: OpenWith,
    },
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The vault
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Subcommand)]
pub(crate) enum Key {
    /// Make a random 32-byte key, written as 64 hexadecimal digits
    Generate {
        #[command(flatten)]
        shown: Shown,
    },
    /// List the keys of a vault, without any secret
    List {
        /// The vault
        file: PathBuf,
        #[command(flatten)]
        open: OpenWith,
    },
}

/// How to open a vault, and how far it must reach.
#[derive(Args)]
pub(crate) struct OpenWith {
    #[command(flatten)]
    pub(crate) secret: Secret,
    /// Refuse an older file that was put back: a checkpoint of the audit trail that was kept outside, or a file with one
    #[arg(long, value_name = "CHECKPOINT", help_heading = "How to open the vault")]
    pub(crate) checkpoint: Option<String>,
}

/// What opens a vault.
#[derive(Args)]
#[group(required = true, multiple = false)]
#[allow(clippy::struct_excessive_bools, reason = "a flag each, of which one is given")]
pub(crate) struct Secret {
    /// Open with a key: env:VARIABLE, file:PATH, credential:NAME (systemd) or docker:NAME
    #[arg(long, value_name = "REFERENCE", help_heading = "How to open the vault")]
    pub(crate) key: Option<String>,
    /// Open with a passphrase, asked for on the terminal
    #[arg(long, help_heading = "How to open the vault")]
    pub(crate) passphrase: bool,
    /// Open with the passphrase in a file that others can't read
    #[arg(long, value_name = "PATH", help_heading = "How to open the vault")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Open with a passphrase, the next line of the standard input
    #[arg(long, help_heading = "How to open the vault")]
    pub(crate) passphrase_stdin: bool,
    /// Open with a recovery code, asked for on the terminal
    #[arg(long, help_heading = "How to open the vault")]
    pub(crate) recovery: bool,
    /// Open with a recovery code, the next line of the standard input
    #[arg(long, help_heading = "How to open the vault")]
    pub(crate) recovery_stdin: bool,
}

/// The first slot of a new vault.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct FirstSlot {
    /// A key that exists: env:VARIABLE, file:PATH, credential:NAME (systemd) or docker:NAME
    #[arg(long, value_name = "REFERENCE", help_heading = "What will open the vault")]
    pub(crate) key: Option<String>,
    /// A new key, in a new file for its owner alone
    #[arg(long, value_name = "PATH", help_heading = "What will open the vault")]
    pub(crate) new_key_file: Option<PathBuf>,
    /// A passphrase, asked for twice on the terminal
    #[arg(long, help_heading = "What will open the vault")]
    pub(crate) passphrase: bool,
    /// The passphrase in a file that others can't read
    #[arg(long, value_name = "PATH", help_heading = "What will open the vault")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// A passphrase, the next line of the standard input
    #[arg(long, help_heading = "What will open the vault")]
    pub(crate) passphrase_stdin: bool,
}

/// A slot to add.
#[derive(Args)]
#[group(required = true, multiple = false)]
#[allow(clippy::struct_field_names, reason = "the names of the options")]
pub(crate) struct NewSlot {
    /// A key that exists: env:VARIABLE, file:PATH, credential:NAME (systemd) or docker:NAME
    #[arg(long, value_name = "REFERENCE", help_heading = "What to add")]
    pub(crate) new_key: Option<String>,
    /// A new key, in a new file for its owner alone
    #[arg(long, value_name = "PATH", help_heading = "What to add")]
    pub(crate) new_key_file: Option<PathBuf>,
    /// A passphrase, asked for twice on the terminal
    #[arg(long, help_heading = "What to add")]
    pub(crate) new_passphrase: bool,
    /// The passphrase in a file that others can't read
    #[arg(long, value_name = "PATH", help_heading = "What to add")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    /// A passphrase, the next line of the standard input
    #[arg(long, help_heading = "What to add")]
    pub(crate) new_passphrase_stdin: bool,
    /// A recovery code, made here and shown once
    #[arg(long, help_heading = "What to add")]
    pub(crate) new_recovery: bool,
}

/// Where a secret that is made here goes.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct Shown {
    /// Write the new secret to a new file for its owner alone
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Write the new secret to the standard output, whatever that is
    #[arg(long)]
    pub(crate) stdout: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }
}
