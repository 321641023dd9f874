//! `sealite init`.

use sealite::{Config, ErrorKind, Status, Vault};
use serde_json::json;

use crate::arguments::Init;
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::streams::Console;
use crate::text::printable;
use crate::unlock::NewSecret;

pub(super) fn init(arguments: &Init, console: &mut Console<'_>) -> Result<Report> {
    let mut config = Config::default();
    config.existing_database = arguments.existing_database;
    let vault = Vault::at_with(&arguments.file, config)?;
    // Asked first, so that nobody chooses a passphrase for a vault that is there already.
    if vault.status()? == Status::Locked {
        return Err(Failure::new(ErrorKind::AlreadyInitialised, "the vault exists already"));
    }
    let file = arguments.file.display().to_string();
    let mut report = Report::new(
        format!("Created the vault {}.\n", printable(&file)),
        json!({"file": file, "state": Status::Locked.name()}),
    );
    match arguments.first.secret(console)? {
        NewSecret::Known(unlock) => vault.initialise(&unlock)?,
        NewSecret::Recovery => {
            return Err(Failure::usage("a recovery code is added to a vault: slot add"));
        }
        NewSecret::KeyFile(unlock, key_file) => {
            let path = key_file.path().display().to_string();
            match vault.initialise(&unlock) {
                Ok(()) => key_file.keep(),
                Err(error) => {
                    let failure = Failure::from(error);
                    if surely_not_created(failure.kind()) {
                        return Err(failure);
                    }
                    key_file.keep();
                    return Err(failure.and(format_args!("the new key stays in {path}")));
                }
            }
            report.line(&format!(
                "Its key is in {}. Keep a copy elsewhere: without a key nothing opens the vault.",
                printable(&path)
            ));
            report.set("key_file", json!(path));
        }
    }
    report.set("slots", super::slots_json(&vault.slots()?));
    Ok(report)
}

/// Errors after which there is no vault that the new key opens, so that its file is of no use.
fn surely_not_created(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AlreadyInitialised
            | ErrorKind::NotAVault
            | ErrorKind::NewerFormat
            | ErrorKind::AnotherLibrary
    )
}
