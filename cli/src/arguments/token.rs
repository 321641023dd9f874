//! The grammar of `sealite token`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use sealite::TokenKind;

use super::{OpenWith, Shown};
use crate::text::length;

#[derive(Subcommand)]
pub(crate) enum Token {
    /// Issue a token; its text is given out this once
    Issue(Box<TokenIssue>),
    /// List tokens, the newest first; never their secrets
    List(TokenList),
    /// Show what is known of one token
    Show(OneToken),
    /// Revoke for good: one token, a family, or what a subject has
    Revoke(TokenRevoke),
    /// Give a token a successor, whose text is given out this once
    Rotate(TokenRotate),
    /// Arm a break-glass token for one use. Takes a reason, and is audited
    Arm {
        #[command(flatten)]
        one: OneToken,
        /// Why, for the audit trail
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// For how long: 15m, 2h
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        valid_for: Duration,
    },
    /// Take an arming back
    Disarm(OneToken),
    /// Make a disabled token usable again
    Enable(OneToken),
    /// Make a token unusable until it is enabled again
    Disable(OneToken),
    /// Delete tokens that expired, were revoked or used up so long ago, those of every tenant too
    Purge {
        /// The vault
        file: PathBuf,
        /// How long ago they ended: 90d
        #[arg(long, value_name = "TIME", value_parser = length)]
        ended_for: Duration,
        #[command(flatten)]
        open: OpenWith,
    },
    /// Take over tokens that were kept elsewhere as SHA-256, all or none. They go on to work
    Import(TokenImport),
}

/// The tokens of a vault, or of one of its tenants.
#[derive(Args)]
pub(crate) struct TokensOf {
    /// The vault
    pub(crate) file: PathBuf,
    /// The tokens of a tenant, and no others
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    #[command(flatten)]
    pub(crate) open: OpenWith,
}

#[derive(Args)]
pub(crate) struct OneToken {
    #[command(flatten)]
    pub(crate) of: TokensOf,
    /// The token's public id, as `token list` shows it
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct TokenIssue {
    #[command(flatten)]
    pub(crate) of: TokensOf,
    /// What it is for
    #[arg(long, value_name = "KIND", value_parser = kind(true))]
    pub(crate) kind: TokenKind,
    /// Whose it is: an id of the application's
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// What people know it by
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    /// A scope; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Limits of its own: "30/minute; 1000/day"
    #[arg(long, value_name = "LIMITS")]
    pub(crate) limits: Option<String>,
    /// What its text begins with, in place of the kind's prefix
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
    /// The family that it joins
    #[arg(long, value_name = "ID")]
    pub(crate) family: Option<String>,
    /// How long it is valid (30s, 15m, 12h, 7d), in place of the kind's time
    #[arg(long, value_name = "TIME", value_parser = length, conflicts_with = "never_expires")]
    pub(crate) expires: Option<Duration>,
    /// Make it valid until it is revoked
    #[arg(long)]
    pub(crate) never_expires: bool,
    /// From when on it is valid: in 30s, 15m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(crate) not_before: Option<Duration>,
    /// End it when it was not used for so long
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(crate) idle: Option<Duration>,
    /// Rotation does not extend it beyond so long from now
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(crate) renew_for: Option<Duration>,
    /// How often it can be used
    #[arg(long, value_name = "COUNT")]
    pub(crate) uses: Option<u32>,
    /// Revoke what the subject has of this kind
    #[arg(long, requires = "subject")]
    pub(crate) replace_older: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Args)]
pub(crate) struct TokenList {
    #[command(flatten)]
    pub(crate) of: TokensOf,
    /// Only those of a subject
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// Only those of a kind
    #[arg(long, value_name = "KIND", value_parser = kind(false))]
    pub(crate) kind: Option<TokenKind>,
    /// Only those of a family
    #[arg(long, value_name = "ID")]
    pub(crate) family: Option<String>,
    /// Only those that can still be used
    #[arg(long)]
    pub(crate) active: bool,
    /// At most so many
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 1_000)]
    pub(crate) limit: usize,
}

#[derive(Args)]
pub(crate) struct TokenRevoke {
    #[command(flatten)]
    pub(crate) of: TokensOf,
    #[command(flatten)]
    pub(crate) what: Revoked,
    /// With --subject: only what it has of a kind
    #[arg(long, value_name = "KIND", value_parser = kind(false), requires = "subject")]
    pub(crate) kind: Option<TokenKind>,
    /// With --subject and --kind: the token to be left
    #[arg(long, value_name = "ID", requires = "kind")]
    pub(crate) keep: Option<String>,
}

/// What is to be revoked.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Revoked {
    /// The token's public id, as `token list` shows it
    pub(crate) id: Option<String>,
    /// Everything that was issued to a subject so far, of every kind
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// Every token of a family
    #[arg(long, value_name = "ID")]
    pub(crate) family: Option<String>,
}

#[derive(Args)]
pub(crate) struct TokenRotate {
    #[command(flatten)]
    pub(crate) of: TokensOf,
    #[command(flatten)]
    pub(crate) token: PresentedToken,
    /// For how long the old one still holds; presented later, it revokes its family
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "30s")]
    pub(crate) grace: Duration,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// Where the text of a token comes from.
#[derive(Args)]
#[group(required = true, multiple = false)]
#[allow(clippy::struct_field_names, reason = "the names of the options")]
pub(crate) struct PresentedToken {
    /// The token in a file that others can't read
    #[arg(long, value_name = "PATH", help_heading = "The token")]
    pub(crate) token_file: Option<PathBuf>,
    /// The token, the rest of the standard input
    #[arg(long, help_heading = "The token")]
    pub(crate) token_stdin: bool,
    /// The token, asked for on the terminal
    #[arg(long, help_heading = "The token")]
    pub(crate) prompt: bool,
}

#[derive(Args)]
pub(crate) struct TokenImport {
    #[command(flatten)]
    pub(crate) of: TokensOf,
    /// The file to read; `-` for the rest of the standard input
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) form: ImportForm,
}

/// What a file of tokens holds.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ImportForm {
    /// It holds admin tokens, in JSON
    #[arg(long)]
    pub(crate) admin_tokens: bool,
    /// It holds users with their tokens, in JSON
    #[arg(long)]
    pub(crate) users: bool,
    /// It holds one SHA-256 in hexadecimal digits, of a token of this kind
    #[arg(long, value_name = "KIND", value_parser = kind(true))]
    pub(crate) hash: Option<TokenKind>,
}

/// Reads the name of a kind; short codes are issued by the application alone.
fn kind(issued: bool) -> impl TypedValueParser<Value = TokenKind> {
    let kinds = TokenKind::ALL.iter();
    let kinds = kinds.filter(move |kind| !issued || **kind != TokenKind::ShortCode);
    let names: Vec<&'static str> = kinds.map(|kind| kind.name()).collect();
    PossibleValuesParser::new(names)
        .try_map(|name| TokenKind::from_name(&name).ok_or("not a kind of tokens"))
}
