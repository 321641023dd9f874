//! `sealite token`.

mod change;
mod import;
mod issue;
mod show;

use sealite::{Tenant, Tokens, Vault};

use crate::arguments::{OneToken, Token, TokensOf};
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::unlock;

/// Runs a command on tokens.
pub(super) fn run(command: &Token, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Token::Issue(arguments) => issue::issue(arguments, console),
        Token::List(arguments) => show::list(arguments, console),
        Token::Show(one) => show::show(one, console),
        Token::Revoke(arguments) => change::revoke(arguments, console),
        Token::Rotate(arguments) => issue::rotate(arguments, console),
        Token::Arm { one, reason, valid_for } => change::arm(one, reason, *valid_for, console),
        Token::Disarm(one) => change::disarm(one, console),
        Token::Enable(one) => change::enable(one, console),
        Token::Disable(one) => change::disable(one, console),
        Token::Purge { file, ended_for, open } => change::purge(file, *ended_for, open, console),
        Token::Import(arguments) => import::import(arguments, console),
    }
}

/// What the arguments name: a vault, or one of its tenants.
enum Opened {
    Vault(Vault),
    Tenant(Tenant),
}

impl Opened {
    fn open(of: &TokensOf, console: &mut Console<'_>) -> Result<Self> {
        let vault = unlock::open(&of.file, &of.open, console)?;
        Ok(match &of.tenant {
            Some(tenant) => Opened::Tenant(vault.tenant(tenant)?),
            None => Opened::Vault(vault),
        })
    }

    fn tokens(&self) -> Tokens<'_> {
        match self {
            Opened::Vault(vault) => vault.tokens(),
            Opened::Tenant(tenant) => tenant.tokens(),
        }
    }
}

/// Opens what holds a token, and runs `work` on its tokens.
fn with<T>(
    one: &OneToken,
    console: &mut Console<'_>,
    work: impl FnOnce(&Tokens<'_>, &str) -> sealite::Result<T>,
) -> Result<T> {
    let opened = Opened::open(&one.of, console)?;
    Ok(work(&opened.tokens(), &one.id)?)
}
