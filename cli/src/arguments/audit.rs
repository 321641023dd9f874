//! The grammar of `sealite audit` and `sealite doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{OpenWith, Secret};

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Show the last entries
    Tail(AuditTail),
    /// Walk the chain: edits, removals and reordering; with a checkpoint, a tail that was cut off, too
    Verify(AuditVerify),
    /// Write entries as JSON Lines
    Export(AuditExport),
    /// Write how far the chain goes: a short text to keep outside the file. It is no secret
    Checkpoint {
        /// The vault
        file: PathBuf,
        /// Write the checkpoint to a new file
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
        #[command(flatten)]
        open: OpenWith,
    },
    /// Drop the oldest entries, once the whole chain is verified. Export them before
    Retain {
        /// The vault
        file: PathBuf,
        /// The last entry to drop
        #[arg(long, value_name = "SEQ")]
        through: i64,
        #[command(flatten)]
        open: OpenWith,
    },
}

#[derive(Args)]
pub(crate) struct AuditTail {
    /// The vault
    pub(crate) file: PathBuf,
    /// How many entries
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    pub(crate) lines: u32,
    /// Only entries of a tenant
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Args)]
pub(crate) struct AuditVerify {
    /// The vault
    pub(crate) file: PathBuf,
    /// A checkpoint made before, or a file with one
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) checkpoint: Option<String>,
    /// Walk only what came after the checkpoint
    #[arg(long, requires = "checkpoint")]
    pub(crate) since: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args)]
pub(crate) struct AuditExport {
    /// The vault
    pub(crate) file: PathBuf,
    /// Write to a new file for its owner alone; to the standard output where none is given
    #[arg(long, value_name = "PATH", conflicts_with = "daily")]
    pub(crate) out: Option<PathBuf>,
    /// Write one file a day (UTC) in a folder, audit-2026-01-31.jsonl. A file that is there goes on behind its last entry
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["from", "until", "tenant"])]
    pub(crate) daily: Option<PathBuf>,
    /// From this time on (UTC): 2026-01-31 or 2026-01-31T23:59:59Z
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Before this time (UTC)
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only entries of a tenant
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// The vault
    pub(crate) file: PathBuf,
    /// A checkpoint of the audit trail made before, or a file with one
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) checkpoint: Option<String>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}
