//! The grammar of `sealite approval`, `sealite quota` and `sealite clock`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{OpenWith, Scope};

#[derive(Subcommand)]
pub(crate) enum Approval {
    /// List the requests that wait for a decision
    List {
        #[command(flatten)]
        of: Scope,
        /// Only those that concern this subject
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// Only those of this session of the application's
        #[arg(long, value_name = "ID")]
        session: Option<String>,
    },
    /// Show what is known of one request
    Show(OneRequest),
    /// Approve a request: what it asks for may then be executed once. Audited
    Approve(Decide),
    /// Reject a request. Audited
    Reject(Decide),
}

#[derive(Args)]
pub(crate) struct OneRequest {
    #[command(flatten)]
    pub(crate) of: Scope,
    /// The request's id, as `approval list` shows it
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    pub(crate) one: OneRequest,
    /// Who decides, by the name that the application knows: it is compared with who asked
    #[arg(long, value_name = "NAME")]
    pub(crate) approver: String,
    /// In what role, where the request says which may decide
    #[arg(long, value_name = "NAME")]
    pub(crate) role: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Quota {
    /// Forget what a key has used up: whoever was locked out by mistake may try again
    Reset {
        #[command(flatten)]
        of: Scope,
        /// What is limited by, as the application gives it: an address, a name
        #[arg(value_name = "KEY")]
        whose: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Clock {
    /// Take the system's clock as right, after it was far ahead or was set back. Audited
    Accept {
        /// The vault
        file: PathBuf,
        #[command(flatten)]
        open: OpenWith,
    },
}
