//! The grammar of `sealite subject` and `sealite tenant`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OpenWith;

#[derive(Subcommand)]
pub(crate) enum Subject {
    /// Write everything that a subject has as JSON: rows, tokens, approvals, audit entries. Audited
    Export(SubjectExport),
    /// Delete the rows, tokens and approvals of subjects, and destroy their keys. Audited
    Erase(SubjectErase),
}

/// A subject of a vault, or of one of its tenants.
#[derive(Args)]
pub(crate) struct OneSubject {
    /// The vault
    pub(crate) file: PathBuf,
    /// The subject, as the column that names it has it
    pub(crate) subject: String,
    /// The tenant whose subject it is
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Args)]
pub(crate) struct SubjectExport {
    #[command(flatten)]
    pub(crate) of: OneSubject,
    /// The new file to write to, for its owner alone
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct SubjectErase {
    /// The vault
    pub(crate) file: PathBuf,
    /// The subjects, as the column that names them has them. The file is rewritten once for all
    #[arg(required = true)]
    pub(crate) subjects: Vec<String>,
    /// The tenant whose subjects they are
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) open: OpenWith,
    /// Really: nothing brings it back
    #[arg(long, required = true)]
    pub(crate) yes: bool,
}

#[derive(Subcommand)]
pub(crate) enum Tenant {
    /// List the tenants, the erased ones, too
    List {
        /// The vault
        file: PathBuf,
        #[command(flatten)]
        open: OpenWith,
    },
    /// Delete everything that is a tenant's, and destroy its keys; its audit entries stay. Audited
    Erase(TenantErase),
}

#[derive(Args)]
pub(crate) struct TenantErase {
    /// The vault
    pub(crate) file: PathBuf,
    /// The tenant
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) open: OpenWith,
    /// Really: nothing brings it back
    #[arg(long, required = true)]
    pub(crate) yes: bool,
}
