//! `sealite status`.

use sealite::{Status as State, Vault};
use serde_json::json;

use super::{slots_json, slots_text, table};
use crate::arguments::Status;
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::printable;
use crate::unlock;

/// A file without a vault is a state, not an error, unless a secret is to open it.
pub(super) fn status(arguments: &Status, console: &mut Console<'_>) -> Result<Report> {
    let checkpoint = arguments.checkpoint.as_deref();
    let vault = match &arguments.secret {
        Some(with) => unlock::open_since(&arguments.file, with, checkpoint, console)?,
        None => Vault::at(&arguments.file)?,
    };
    let state = vault.status()?;
    let file = arguments.file.display().to_string();
    let text = format!("{}: {}\n", printable(&file), meaning(state));
    let mut report = Report::new(text, json!({"file": file, "state": state.name()}));
    if matches!(state, State::Locked | State::Open) {
        let slots = vault.slots()?;
        report.text.push_str(&slots_text(&slots));
        report.set("slots", slots_json(&slots));
    }
    if state == State::Open {
        let tables = table::overview(&vault)?;
        report.text.push_str(&table::overview_text(&tables));
        report.set("tables", table::overview_json(&tables));
    }
    Ok(report)
}

fn meaning(state: State) -> &'static str {
    match state {
        State::Absent => "absent (there is no such file)",
        State::Uninitialised => "uninitialised (the file holds no vault yet)",
        State::Locked => "locked (a vault; give a secret to see that it opens)",
        State::Open => "open (the secret opens the vault)",
        _ => state.name(),
    }
}
