//! `sealite slot list`, `add` and `remove`.

use std::path::Path;

use sealite::{ErrorKind, SlotKind, Unlock, Vault};
use serde_json::json;

use super::{slots_json, slots_text};
use crate::arguments::{Shown, SlotAdd, SlotRemove};
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::printable;
use crate::unlock::{self, NewSecret};

const NOT_TAKEN_BACK: &str = "removing a slot does not take back what its holder has seen: whoever had the secret may \
     have kept the master key, or a copy of the file. Only new master and data keys (rotation) end that";
const SHOWN_ONCE: &str =
    "the recovery code is shown this once and kept nowhere: write it down and lock it away";

pub(super) fn list(file: &Path) -> Result<Report> {
    let slots = unlock::existing(file, None)?.slots()?;
    Ok(Report::new(slots_text(&slots), json!({"slots": slots_json(&slots)})))
}

pub(super) fn add(arguments: &SlotAdd, console: &mut Console<'_>) -> Result<Report> {
    let shown = &arguments.shown;
    if arguments.new.new_recovery {
        if shown.out.is_none() && !shown.stdout && !console.stdout_is_terminal() {
            return Err(Failure::usage(
                "the standard output is no terminal, and the recovery code would end in it: write the code to a \
                 file with --out, or insist with --stdout",
            ));
        }
    } else if shown.out.is_some() || shown.stdout {
        return Err(Failure::usage("--out and --stdout are for --new-recovery"));
    }
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    let label = |kind: SlotKind| arguments.label.as_deref().unwrap_or(kind.name()).to_owned();
    match arguments.new.secret(console)? {
        NewSecret::Recovery => add_recovery(&vault, &label(SlotKind::Recovery), shown, console),
        NewSecret::Known(unlock) => added(&vault, &label(unlock.kind()), &unlock),
        NewSecret::KeyFile(unlock, key_file) => {
            let path = key_file.path().display().to_string();
            let mut report = match added(&vault, &label(unlock.kind()), &unlock) {
                Ok(report) => report,
                Err(failure) if failure.kind() == ErrorKind::Io => {
                    // The slot may be on the disk all the same.
                    key_file.keep();
                    return Err(failure.and(format_args!("the new key stays in {path}")));
                }
                Err(failure) => return Err(failure),
            };
            key_file.keep();
            report.line(&format!("Its key is in {}.", printable(&path)));
            report.set("key_file", json!(path));
            Ok(report)
        }
    }
}

fn added(vault: &Vault, label: &str, unlock: &Unlock) -> Result<Report> {
    let id = vault.add_slot(label, unlock)?;
    Ok(about(id, unlock.kind(), label))
}

pub(super) fn about(id: i64, kind: SlotKind, label: &str) -> Report {
    let kind = kind.name();
    Report::new(
        format!("Added slot {id}: {kind}, {}.\n", printable(label)),
        json!({"slot": {"id": id, "kind": kind, "label": label}}),
    )
}

/// A code that nobody has got opens nothing and must not stay: the slot is removed again where it does not arrive.
fn add_recovery(
    vault: &Vault,
    label: &str,
    shown: &Shown,
    console: &mut Console<'_>,
) -> Result<Report> {
    // Made before the slot, so that a name that is taken leaves nothing behind.
    let file = shown.out.as_deref().map(SecretFile::create).transpose()?;
    let (id, code) = vault.add_recovery_slot(label)?;
    let mut report = about(id, SlotKind::Recovery, label);
    let delivered = if let Some(mut file) = file {
        let path = file.path().display().to_string();
        report.line(&format!("The recovery code is in {}.", printable(&path)));
        report.set("recovery_code_file", json!(path));
        file.write(code.reveal()).map(|()| {
            file.keep();
            report.warn("the recovery code is kept nowhere else: move it away from this machine")
        })
    } else {
        report.line(&format!("Recovery code: {}", code.reveal()));
        report.set("recovery_code", json!(code.reveal()));
        let report = report.warn(SHOWN_ONCE);
        console
            .deliver(&report)
            .map(|()| Report::delivered())
            .map_err(|error| Failure::io("the recovery code can't be written", &error))
    };
    delivered.map_err(|failure| undelivered(vault, id, failure))
}

/// Takes back the slot of a code that did not arrive; the failure of the delivery.
pub(super) fn undelivered(vault: &Vault, id: i64, failure: Failure) -> Failure {
    match vault.remove_slot(id) {
        Ok(()) => failure.and("no slot was added"),
        Err(_) => failure.and(format_args!("slot {id} has a code that nobody knows: remove it")),
    }
}

pub(super) fn remove(arguments: &SlotRemove, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    vault.remove_slot(arguments.id)?;
    let text = format!("Removed slot {}.\n", arguments.id);
    Ok(Report::new(text, json!({"removed": arguments.id})).warn(NOT_TAKEN_BACK))
}
