//! The grammar of the rotations of `sealite rotate` that go through the records.

use std::path::PathBuf;

use clap::Args;

use super::{OpenWith, RotateMaster};

/// One key of the vault or of a tenant.
#[derive(Args)]
pub(crate) struct RotateKey {
    /// The vault
    pub(crate) file: PathBuf,
    /// The key of this tenant; without it the vault's own
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "destroy")]
    pub(crate) plan: bool,
    /// Destroy the retired keys of a rotation that has finished
    #[arg(long)]
    pub(crate) destroy: bool,
    /// With --destroy, of data and index keys: no single sealed value in another database is under them any more
    #[arg(long, requires = "destroy")]
    pub(crate) fields_resealed: bool,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

/// The pepper of tokens.
#[derive(Args)]
pub(crate) struct RotateToken {
    #[command(flatten)]
    pub(crate) key: RotateKey,
    /// Revoke the tokens that are still under the old pepper
    #[arg(long, conflicts_with = "plan")]
    pub(crate) revoke_left: bool,
}

/// A vault, and how to open it.
#[derive(Args)]
pub(crate) struct RotateVault {
    /// The vault
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

/// The master key, and then every other.
#[derive(Args)]
pub(crate) struct RotateAll {
    #[command(flatten)]
    pub(crate) master: RotateMaster,
}
