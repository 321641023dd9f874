//! `sealite verify`.

use indicatif::ProgressBar;
use sealite::{Error, Fault, Id, Vault, Verification};
use serde_json::{Value, json};

use super::table;
use crate::arguments::Verify;
use crate::failure::{EXIT_FAULTS, Result};
use crate::report::Report;
use crate::streams::Console;
use crate::text::{aligned, counted, printable};
use crate::unlock;

/// Opening records can't show it: a row, or the whole file, as it was before, is authentic.
const NOT_FOUND_HERE: &str =
    "A row that was removed whole, or put back as it was before, is not found this way.";

pub(super) fn verify(arguments: &Verify, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    let found = walked(&vault, console)?;
    let exit = if found.is_sound() { 0 } else { EXIT_FAULTS };
    Ok(Report::new(text(&found), object(&found)).exit(exit))
}

/// Opens every record, with the progress on a terminal.
pub(super) fn walked(vault: &Vault, console: &Console<'_>) -> Result<Verification> {
    let bar = progress(vault, console);
    let found = vault.verify(|rows| bar.set_position(rows));
    bar.finish_and_clear();
    Ok(found?)
}

fn progress(vault: &Vault, console: &Console<'_>) -> ProgressBar {
    if !console.shows_progress() {
        return ProgressBar::hidden();
    }
    // A count that fails makes a bar without an end; what is wrong is for the check to say.
    let counts = vault.tables().ok().map(|tables| {
        tables.iter().map(|definition| table::rows(vault, definition).unwrap_or(0)).sum()
    });
    console.progress(counts, "{bar:40} {human_pos}/{human_len} rows, {eta} left")
}

fn text(found: &Verification) -> String {
    let mut text = String::new();
    if found.tables.is_empty() {
        text.push_str("no tables\n");
    } else {
        text.push_str(&aligned(["table", "rows opened"], &cells(&found.tables)));
    }
    if !found.internal.is_empty() {
        text.push('\n');
        text.push_str(&aligned(["the vault's own", "rows opened"], &cells(&found.internal)));
    }
    text.push_str(&faults_text(found));
    text.push('\n');
    if found.is_sound() {
        text.push_str("Sound: every record opens. ");
        text.push_str(NOT_FOUND_HERE);
        text.push('\n');
    } else {
        let faults = found.faults.len() + usize::from(found.keys.is_some()) + found.integrity.len();
        text.push_str("NOT sound: ");
        text.push_str(&counted(faults as u64, "fault"));
        text.push_str(".\n");
    }
    text
}

fn cells(opened: &[(String, u64)]) -> Vec<[String; 2]> {
    opened.iter().map(|(name, rows)| [name.clone(), rows.to_string()]).collect()
}

/// What was found, a table each for rows and for the file; nothing where all is sound.
pub(super) fn faults_text(found: &Verification) -> String {
    let mut text = String::new();
    if !found.faults.is_empty() {
        let rows: Vec<[String; 4]> = found
            .faults
            .iter()
            .map(|fault| {
                let tenant = fault.tenant.clone().unwrap_or_default();
                [
                    fault.table.clone(),
                    tenant,
                    id_text(&fault.id),
                    fault.error.kind().name().to_owned(),
                ]
            })
            .collect();
        text.push_str("\nRows that do not open:\n");
        text.push_str(&aligned(["table", "tenant", "id", "error"], &rows));
    }
    if let Some(error) = &found.keys {
        text.push_str("\nThe table of keys:\n");
        text.push_str(&printable(&error.to_string()));
        text.push('\n');
    }
    if !found.integrity.is_empty() {
        text.push_str("\nSQLite's integrity check:\n");
        for line in &found.integrity {
            text.push_str(&printable(line));
            text.push('\n');
        }
    }
    text
}

pub(super) fn object(found: &Verification) -> Value {
    let table = |(name, rows): &(String, u64)| json!({"name": name, "rows": rows});
    let fault = |fault: &Fault| {
        json!({
            "table": fault.table,
            "tenant": fault.tenant,
            "id": match &fault.id {
                Id::Integer(id) => json!(id),
                Id::Text(id) => json!(id),
                other => json!(id_text(other)),
            },
            "error": error_object(&fault.error),
        })
    };
    json!({
        "sound": found.is_sound(),
        "tables": found.tables.iter().map(table).collect::<Value>(),
        "internal": found.internal.iter().map(table).collect::<Value>(),
        "faults": found.faults.iter().map(fault).collect::<Value>(),
        "keys": found.keys.as_ref().map(error_object),
        "integrity": found.integrity,
    })
}

fn error_object(error: &Error) -> Value {
    json!({"code": error.code(), "name": error.kind().name(), "message": error.message()})
}

fn id_text(id: &Id) -> String {
    match id {
        Id::Integer(id) => id.to_string(),
        Id::Text(id) => id.clone(),
        _ => String::new(),
    }
}
