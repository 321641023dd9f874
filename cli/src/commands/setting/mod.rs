//! `sealite setting`.

mod show;
mod transfer;
mod write;

use std::env;

use sealite::{Author, Settings, ValueRef, Vault};
use serde_json::{Value, json};

use crate::arguments::{self, Scope, Setting};
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::streams::Console;
use crate::unlock;

/// Runs a command on settings.
pub(super) fn run(command: &Setting, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Setting::List { scope, category } => show::list(scope, category.as_deref(), console),
        Setting::Show(named) => show::show(named, console),
        Setting::Set(arguments) => write::set(arguments, console),
        Setting::Clear { named, author } => write::clear(named, author, console),
        Setting::Reveal { named, author, shown } => show::reveal(named, author, shown, console),
        Setting::History(named) => show::history(named, console),
        Setting::Rollback { named, to, author } => write::roll_back(named, *to, author, console),
        Setting::Check { scope, names } => show::check(scope, names, console),
        Setting::Export(arguments) => transfer::export(arguments, console),
        Setting::Import(arguments) => transfer::import(arguments, console),
    }
}

/// The settings that the arguments name.
fn open(scope: &Scope, console: &mut Console<'_>) -> Result<Settings> {
    let vault: Vault = unlock::open(&scope.file, &scope.open, console)?;
    Ok(match &scope.tenant {
        Some(tenant) => vault.tenant(tenant)?.settings(),
        None => vault.settings(),
    })
}

fn author(given: &arguments::Author) -> Author {
    author_of(given.actor.as_deref(), given.reason.as_deref())
}

/// Where no actor is given: who the environment says the user is, marked as a claim of the command line.
fn author_of(actor: Option<&str>, reason: Option<&str>) -> Author {
    let user = || ["USER", "LOGNAME"].iter().find_map(|name| env::var(name).ok());
    let author = match (actor, user()) {
        (Some(actor), _) => Author::new(actor),
        (None, Some(user)) if !user.is_empty() => Author::new(format!("cli:{user}")),
        (None, _) => Author::new("cli"),
    };
    match reason {
        Some(reason) => author.reason(reason),
        None => author,
    }
}

/// A value as an object has it; JSON stays the text that it is, byte for byte.
fn typed(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(value) => json!(value),
        ValueRef::Real(value) => json!(value),
        ValueRef::Boolean(value) => json!(value),
        ValueRef::Text(value) | ValueRef::Json(value) => json!(value),
        _ => Value::Null,
    }
}

/// Refuses to write a secret to a stream of which nobody has said that it may have it.
fn check_destination(given: bool, what: &str) -> Result<()> {
    if given {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the standard output is no terminal, and {what} would end in it: write to a file with --out, or insist with \
         --stdout"
    )))
}
