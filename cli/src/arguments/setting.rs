//! The grammar of `sealite setting`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{OpenWith, Shown};

#[derive(Subcommand)]
pub(crate) enum Setting {
    /// List the settings and where their values come from; secrets as a mask
    List {
        #[command(flatten)]
        scope: Scope,
        /// Only those of a category
        #[arg(long, value_name = "LABEL")]
        category: Option<String>,
    },
    /// Show one setting with what is declared about it; a secret as a mask
    Show(Named),
    /// Set a value. One that is secret comes by --prompt, --value-file or --value-stdin
    Set(SettingSet),
    /// Take a value away: the environment's or the default holds then
    Clear {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        author: Author,
    },
    /// Show a value to a person, secret or not. Takes a reason, and is audited
    Reveal {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        author: NamedReason,
        #[command(flatten)]
        shown: Shown,
    },
    /// List the values that a setting has had; secrets as a mask
    History(Named),
    /// Set the value of an earlier version again
    Rollback {
        #[command(flatten)]
        named: Named,
        /// The version, as `setting history` shows it
        #[arg(value_name = "VERSION")]
        to: i64,
        #[command(flatten)]
        author: Author,
    },
    /// Check that settings are there, long enough and not well known, as at start-up
    Check {
        #[command(flatten)]
        scope: Scope,
        /// Settings to check besides those declared as required
        names: Vec<String>,
    },
    /// Write what the vault, or tenant, holds itself as .env or JSON. Audited
    Export(SettingExport),
    /// Set what a .env or JSON file names, all or nothing; the rest stays. Audited
    Import(SettingImport),
}

/// The settings of a vault, or of one of its tenants.
#[derive(Args)]
pub(crate) struct Scope {
    /// The vault
    pub(crate) file: PathBuf,
    /// The settings as they hold for a tenant
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Args)]
pub(crate) struct Named {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// The setting
    pub(crate) name: String,
}

/// Who makes a change.
#[derive(Args)]
pub(crate) struct Author {
    /// Who acts, for the audit trail; the user's name where none is given
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Who makes what takes a reason.
#[derive(Args)]
pub(crate) struct NamedReason {
    /// Who acts, for the audit trail; the user's name where none is given
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Args)]
pub(crate) struct SettingSet {
    #[command(flatten)]
    pub(crate) named: Named,
    #[command(flatten)]
    pub(crate) value: NewValue,
    #[command(flatten)]
    pub(crate) author: Author,
}

/// Where a value comes from.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct NewValue {
    /// The value of a setting that is not secret: others see it in the list of processes
    #[arg(long, value_name = "PLAIN", allow_negative_numbers = true, help_heading = "The value")]
    pub(crate) value: Option<String>,
    /// The content of a file, without the line end it may close with
    #[arg(long, value_name = "PATH", help_heading = "The value")]
    pub(crate) value_file: Option<PathBuf>,
    /// The rest of the standard input, without the line end it may close with
    #[arg(long, help_heading = "The value")]
    pub(crate) value_stdin: bool,
    /// A value asked for twice on the terminal
    #[arg(long, help_heading = "The value")]
    pub(crate) prompt: bool,
}

/// The forms in which settings are exported and imported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines of NAME=value
    Env,
    /// One object of names and values
    Json,
}

#[derive(Args)]
pub(crate) struct SettingExport {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// What is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "env")]
    pub(crate) format: Format,
    /// Write secrets, too. Takes a reason, and --out or --stdout
    #[arg(long, requires = "reason")]
    pub(crate) include_secrets: bool,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Args)]
pub(crate) struct SettingImport {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// The file to read; `-` for the rest of the standard input
    pub(crate) from: PathBuf,
    /// What it holds; JSON where its name ends with .json, else .env
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
    #[command(flatten)]
    pub(crate) author: Author,
}
