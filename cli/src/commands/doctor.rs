//! `sealite doctor`.

use sealite::{Reason, Slot, SlotKind, Vault};
use serde_json::{Value, json};

use super::{audit, slots_json, verify};
use crate::arguments::Doctor;
use crate::failure::{EXIT_FAULTS, Result};
use crate::report::Report;
use crate::streams::Console;
use crate::text::{aligned, counted};
use crate::{text_source, unlock};

/// What came of one check.
struct Check {
    name: &'static str,
    state: State,
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// Worth knowing; nothing is wrong.
    Notice,
    Fault,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Notice => "notice",
            State::Fault => "fault",
        }
    }
}

/// Every check there is, however many of them fail: the first fault is seldom the last.
pub(super) fn doctor(arguments: &Doctor, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open_since(&arguments.file, &arguments.secret, None, console)?;
    let checkpoint = arguments.checkpoint.as_deref().map(text_source::checkpoint).transpose()?;
    let checkpoint = checkpoint.as_deref();
    let slots = vault.slots();
    let mut object = json!({});
    let mut checks = vec![match &slots {
        Ok(slots) => look_at_slots(slots),
        Err(error) => failed("slots", &error.clone().into()),
    }];
    if let (Ok(slots), Value::Object(members)) = (&slots, &mut object) {
        members.insert("slots".to_owned(), slots_json(slots));
    }
    let mut details = String::new();
    look_inside(&vault, &mut checks, &mut details, &mut object, console);
    match audit::walked(&vault, checkpoint, console) {
        Ok(found) => {
            let state = if found.is_sound() { State::Ok } else { State::Fault };
            checks.push(Check { name: "audit", state, detail: audit::summary(&found) });
            details.push_str(&audit::faults_text(&found));
            set(&mut object, "audit", audit::report_json(&found));
        }
        Err(failure) => checks.push(failed("audit", &failure)),
    }
    let health = vault.health();
    let reasons: Vec<&str> = health.reasons.iter().copied().map(Reason::name).collect();
    let detail = match (reasons.is_empty(), &health.error) {
        (true, _) => health.status().to_owned(),
        (false, None) => reasons.join(", "),
        (false, Some(error)) => format!("{}: {error}", reasons.join(", ")),
    };
    let state = if health.ready { State::Ok } else { State::Fault };
    checks.push(Check { name: "health", state, detail });
    set(&mut object, "health", json!({"status": health.status(), "reasons": reasons}));
    Ok(report(&checks, &details, object))
}

fn look_at_slots(slots: &[Slot]) -> Check {
    let kinds: Vec<&str> = slots.iter().map(|slot| slot.kind.name()).collect();
    let mut detail = format!("{}: {}", counted(slots.len() as u64, "slot"), kinds.join(", "));
    let can_recover = slots.iter().any(|slot| slot.kind == SlotKind::Recovery);
    let state = if slots.len() < 2 && !can_recover {
        detail.push_str("; if its secret is lost, so is the vault: add a recovery code");
        State::Notice
    } else {
        State::Ok
    };
    Check { name: "slots", state, detail }
}

/// The records, and SQLite's own check of the file.
fn look_inside(
    vault: &Vault,
    checks: &mut Vec<Check>,
    details: &mut String,
    object: &mut Value,
    console: &Console<'_>,
) {
    let found = match verify::walked(vault, console) {
        Ok(found) => found,
        Err(failure) => {
            checks.push(failed("records", &failure));
            return;
        }
    };
    let rows = found.tables.iter().chain(&found.internal).map(|(_, rows)| rows).sum();
    let opened = format!("{} opened", counted(rows, "row"));
    checks.push(if found.faults.is_empty() {
        Check { name: "records", state: State::Ok, detail: opened }
    } else {
        let faults = counted(found.faults.len() as u64, "row");
        let detail = format!("{opened}, {faults} that can't be");
        Check { name: "records", state: State::Fault, detail }
    });
    checks.push(if found.integrity.is_empty() {
        Check { name: "file", state: State::Ok, detail: "SQLite finds it intact".to_owned() }
    } else {
        let faults = counted(found.integrity.len() as u64, "fault");
        Check { name: "file", state: State::Fault, detail: format!("SQLite finds {faults}") }
    });
    details.push_str(&verify::faults_text(&found));
    set(object, "records", verify::object(&found));
}

fn failed(name: &'static str, failure: &crate::failure::Failure) -> Check {
    Check { name, state: State::Fault, detail: failure.to_string() }
}

fn report(checks: &[Check], details: &str, mut object: Value) -> Report {
    let cells: Vec<[String; 3]> = checks
        .iter()
        .map(|check| [check.name.to_owned(), check.state.name().to_owned(), check.detail.clone()])
        .collect();
    let mut text = aligned(["check", "result", ""], &cells);
    if !details.is_empty() {
        text.push('\n');
        text.push_str(details.trim_start_matches('\n'));
    }
    let faults = checks.iter().filter(|check| check.state == State::Fault).count();
    text.push('\n');
    let outcome = match faults {
        0 => "Nothing is wrong.\n".to_owned(),
        faults => format!("NOT in order: {}.\n", counted(faults as u64, "fault")),
    };
    text.push_str(&outcome);
    let one = |check: &Check| json!({"name": check.name, "result": check.state.name(), "detail": check.detail});
    set(&mut object, "checks", checks.iter().map(one).collect());
    set(&mut object, "ok", json!(faults == 0));
    Report::new(text, object).exit(if faults == 0 { 0 } else { EXIT_FAULTS })
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}
