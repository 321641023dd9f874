//! `sealite audit`.

mod export;

use std::path::Path;

use indicatif::ProgressBar;
use sealite::{AuditFault, AuditReport, ErrorKind, Event, Vault};
use serde_json::{Value, json};

use crate::arguments::{Audit, AuditTail, AuditVerify, OpenWith};
use crate::failure::{EXIT_FAULTS, Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::{aligned, counted, date, printable};
use crate::text_source::checkpoint as checkpoint_of;
use crate::unlock;

/// What a chain can't show by itself.
const NO_CHECKPOINT: &str =
    "Without a checkpoint kept outside, an older file put back whole is not found.";

/// Runs a command on the audit trail.
pub(super) fn run(command: &Audit, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Audit::Tail(arguments) => tail(arguments, console),
        Audit::Verify(arguments) => verify(arguments, console),
        Audit::Export(arguments) => export::export(arguments, console),
        Audit::Checkpoint { file, out, open } => checkpoint(file, out.as_deref(), open, console),
        Audit::Retain { file, through, open } => retain(file, *through, open, console),
    }
}

fn tail(arguments: &AuditTail, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    let audit = match &arguments.tenant {
        Some(tenant) => vault.tenant(tenant)?.audit(),
        None => vault.audit(),
    };
    let events = audit.tail(arguments.lines as usize)?;
    let cells: Vec<[String; 7]> = events
        .iter()
        .map(|event| {
            let text = |text: Option<&str>| text.unwrap_or("").to_owned();
            [
                event.seq().to_string(),
                date(event.at().div_euclid(1_000)),
                event.event().to_owned(),
                text(event.actor()),
                text(event.subject()),
                text(event.tenant()),
                text(event.payload()),
            ]
        })
        .collect();
    let headings = ["seq", "time", "event", "actor", "subject", "tenant", "payload"];
    let text = if cells.is_empty() { "no entries\n".to_owned() } else { aligned(headings, &cells) };
    Ok(Report::new(text, json!({"events": events.iter().map(object).collect::<Value>()})))
}

fn object(event: &Event) -> Value {
    // What can't be read again is shown as the text that it is.
    let payload = event
        .payload()
        .map(|payload| serde_json::from_str(payload).unwrap_or_else(|_| json!(payload)));
    json!({
        "seq": event.seq(),
        "at_ms": event.at(),
        "event": event.event(),
        "actor": event.actor(),
        "tenant": event.tenant(),
        "subject": event.subject(),
        "trace_id": event.trace_id(),
        "correlation_id": event.correlation_id(),
        "payload": payload,
    })
}

fn verify(arguments: &AuditVerify, console: &mut Console<'_>) -> Result<Report> {
    // Opened whatever it lacks: what the checkpoint finds is for the report.
    let vault = unlock::open_since(&arguments.file, &arguments.secret, None, console)?;
    let checkpoint = arguments.checkpoint.as_deref().map(checkpoint_of).transpose()?;
    let checkpoint = checkpoint.as_deref();
    let found = match checkpoint {
        Some(checkpoint) if arguments.since => vault.audit().verify_since(checkpoint)?,
        _ => walked(&vault, checkpoint, console)?,
    };
    let mut text = faults_text(&found);
    text.push_str(&summary(&found));
    text.push('\n');
    if found.is_sound() && checkpoint.is_none() {
        text.push_str(NO_CHECKPOINT);
        text.push('\n');
    }
    let mut report = Report::new(text, report_json(&found));
    report.set("checkpoint", json!(checkpoint.is_some()));
    Ok(report.exit(if found.is_sound() { 0 } else { EXIT_FAULTS }))
}

/// The whole chain, with its progress on a terminal.
pub(super) fn walked(
    vault: &Vault,
    checkpoint: Option<&str>,
    console: &Console<'_>,
) -> Result<AuditReport> {
    let bar = progress(console);
    let found = vault.audit().verify_with_progress(checkpoint, |entries| bar.set_position(entries));
    bar.finish_and_clear();
    Ok(found?)
}

/// The number of entries so far, on a terminal.
fn progress(console: &Console<'_>) -> ProgressBar {
    console.progress(None, "{spinner} {human_pos} entries of the audit trail")
}

/// `Sound: 3 entries, 1 to 3.`
pub(super) fn summary(found: &AuditReport) -> String {
    let entries = counted_entries(found.entries);
    let range = match (found.first, found.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    if found.is_sound() {
        format!("Sound: {entries}{range}.")
    } else {
        format!("NOT sound: {} in {entries}{range}.", counted(found.faults.len() as u64, "fault"))
    }
}

fn counted_entries(entries: u64) -> String {
    if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") }
}

pub(super) fn faults_text(found: &AuditReport) -> String {
    let mut text = String::new();
    for fault in &found.faults {
        let (_, from, to) = parts(fault);
        let line = match fault {
            AuditFault::Edited(_) => format!("entry {from} was edited, moved or damaged"),
            AuditFault::Missing(..) if from == to => format!("entry {from} is missing"),
            AuditFault::Missing(..) => format!("entries {from} to {to} are missing"),
            AuditFault::Broken(_) => format!("entry {from} does not continue the one before it"),
            AuditFault::Truncated(_) => {
                format!(
                    "entry {from}, which the checkpoint names, is not there: the tail was cut off, or an older file put back"
                )
            }
            AuditFault::Replaced(_) => {
                format!("entry {from} is not the one that the checkpoint was made of")
            }
            _ => format!("entry {from}"),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

pub(super) fn report_json(found: &AuditReport) -> Value {
    let fault = |fault: &AuditFault| {
        let (name, from, to) = parts(fault);
        json!({"fault": name, "from": from, "to": to})
    };
    json!({
        "sound": found.is_sound(),
        "entries": found.entries,
        "first": found.first,
        "last": found.last,
        "faults": found.faults.iter().map(fault).collect::<Value>(),
    })
}

/// The stable name of a fault, and the entries that it concerns.
fn parts(fault: &AuditFault) -> (&'static str, i64, i64) {
    match *fault {
        AuditFault::Edited(seq) => ("edited", seq, seq),
        AuditFault::Missing(from, to) => ("missing", from, to),
        AuditFault::Broken(seq) => ("broken", seq, seq),
        AuditFault::Truncated(seq) => ("truncated", seq, seq),
        AuditFault::Replaced(seq) => ("replaced", seq, seq),
        _ => ("unknown", 0, 0),
    }
}

fn checkpoint(
    file: &Path,
    out: Option<&Path>,
    open: &OpenWith,
    console: &mut Console<'_>,
) -> Result<Report> {
    let vault = unlock::open(file, open, console)?;
    let out = out.map(SecretFile::create).transpose()?;
    let checkpoint = vault.audit().checkpoint()?;
    let (text, seq, at) = (checkpoint.text(), checkpoint.seq(), checkpoint.at());
    let mut report =
        Report::new(format!("{text}\n"), json!({"checkpoint": text, "seq": seq, "at_ms": at}));
    if let Some(mut out) = out {
        out.write(text)?;
        let path = out.path().display().to_string();
        out.keep();
        report.text = format!(
            "The checkpoint, up to entry {seq}, is in {}: keep it away from the vault.\n",
            printable(&path)
        );
        report.set("file", json!(path));
    }
    Ok(report)
}

/// Drops entries, a bounded number in each transaction. A chain that is not sound is left as it is: what shows that
/// would go with its beginning.
fn retain(file: &Path, through: i64, open: &OpenWith, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(file, open, console)?;
    let found = walked(&vault, None, console)?;
    if !found.is_sound() {
        return Err(Failure::new(
            ErrorKind::AuthenticationFailed,
            "the audit trail is not sound, and nothing was dropped: see sealite audit verify",
        ));
    }
    let Some((first, last)) = found.first.zip(found.last) else {
        return Err(Failure::new(ErrorKind::NotFound, "the audit trail has no entries"));
    };
    if !(first..=last).contains(&through) {
        return Err(Failure::new(
            ErrorKind::NotFound,
            format!("the audit trail has entries {first} to {last}, and not {through}"),
        ));
    }
    let audit = vault.audit();
    let mut dropped = first - 1;
    while dropped < through {
        let reached = audit.retain_after(through)?;
        if reached <= dropped {
            return Err(Failure::new(ErrorKind::Internal, "the audit trail gets no shorter"));
        }
        dropped = reached;
    }
    let count = u64::try_from(through - first + 1).unwrap_or(0);
    let text = format!("Dropped {}, {first} to {through}.\n", counted_entries(count));
    Ok(Report::new(text, json!({"dropped": count, "from": first, "through": through})))
}
