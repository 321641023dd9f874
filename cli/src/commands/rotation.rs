//! `sealite rotate data`, `index`, `token`, `audit`, `all` and `status`.

use std::fmt::Write as _;

use indicatif::ProgressBar;
use sealite::{Keys, Rotation, RotationKind, RotationState, RotationStatus};
use serde_json::{Value, json};

use super::rotate;
use crate::arguments::{Rotate, RotateAll, RotateKey, RotateToken, RotateVault};
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::{aligned, counted, date};
use crate::unlock;

const DESTROY: &str = "the old key still opens what was sealed under it: destroy it with --destroy, once copies and single \
     values elsewhere need it no more";

/// Runs one of them.
pub(super) fn command(command: &Rotate, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Rotate::Master(arguments) => rotate::master(arguments, console),
        Rotate::Data(arguments) => key(RotationKind::Data, arguments, console),
        Rotate::Index(arguments) => key(RotationKind::Index, arguments, console),
        Rotate::Token(arguments) => token(arguments, console),
        Rotate::Audit(arguments) => audit(arguments, console),
        Rotate::All(arguments) => all(arguments, console),
        Rotate::Status(arguments) => status(arguments, console),
    }
}

/// Plans, runs, or destroys what a run has retired.
fn key(kind: RotationKind, arguments: &RotateKey, console: &mut Console<'_>) -> Result<Report> {
    let keys = unlock::open(&arguments.file, &arguments.open, console)?.keys();
    let rotation = Rotation::new(kind, arguments.tenant.as_deref());
    if arguments.plan {
        return plan(&keys, &rotation);
    }
    if arguments.destroy {
        let (ids, erasure) = keys.destroy_retired(&rotation, arguments.fields_resealed)?;
        let destroyed = counted(ids.len() as u64, "key");
        let text = format!("{destroyed} destroyed, erasure {}\n", erasure.name());
        return Ok(Report::new(text, json!({"destroyed": ids, "erasure": erasure.name()})));
    }
    let status = run(&keys, &rotation, console)?;
    let report = Report::new(line(&status), object(&status));
    let leaves = status.state == RotationState::Finished && kind != RotationKind::Audit;
    Ok(if leaves { report.warn(DESTROY) } else { report })
}

/// As [`key`], of tokens.
fn token(arguments: &RotateToken, console: &mut Console<'_>) -> Result<Report> {
    if !arguments.revoke_left {
        return key(RotationKind::Token, &arguments.key, console);
    }
    let keys = unlock::open(&arguments.key.file, &arguments.key.open, console)?.keys();
    let revoked = keys.revoke_left(arguments.key.tenant.as_deref())?;
    let text = format!("{} revoked\n", counted(revoked, "token"));
    Ok(Report::new(text, json!({"revoked": revoked})))
}

fn audit(arguments: &RotateVault, console: &mut Console<'_>) -> Result<Report> {
    let keys = unlock::open(&arguments.file, &arguments.open, console)?.keys();
    let status = keys.run(&Rotation::audit(), |_| ())?;
    Ok(Report::new(line(&status), object(&status)))
}

fn status(arguments: &RotateVault, console: &mut Console<'_>) -> Result<Report> {
    let keys = unlock::open(&arguments.file, &arguments.open, console)?.keys();
    let all = keys.rotations()?;
    let cells = |status: &RotationStatus| {
        [
            status.rotation.kind().name().to_owned(),
            status.rotation.tenant().unwrap_or_default().to_owned(),
            status.state.name().to_owned(),
            format!("{} of {}", status.done, status.total),
            status.left.to_string(),
            status.remaining.map(|time| format!("{} s", time.as_secs())).unwrap_or_default(),
            date(status.started_at / 1_000),
        ]
    };
    let heads = ["key", "tenant", "state", "done", "tokens left", "to go", "begun"];
    let rows: Vec<_> = all.iter().map(cells).collect();
    let text = if rows.is_empty() { "no rotation yet\n".to_owned() } else { aligned(heads, &rows) };
    Ok(Report::new(text, json!({"rotations": all.iter().map(object).collect::<Value>()})))
}

fn all(arguments: &RotateAll, console: &mut Console<'_>) -> Result<Report> {
    let master = &arguments.master;
    let vault = unlock::existing(&master.file, master.open.checkpoint.as_deref())?;
    let first = unlock::secret_of(&master.open.secret, console)?;
    let mut keep = vec![first.clone()];
    keep.extend(unlock::kept(master, console)?);
    vault.unlock(&first)?;
    let bar = progress(console);
    let done = vault.keys().rotate_all(&keep, master.drop_others, |status| show(&bar, status));
    bar.finish_and_clear();
    let (master, rotations) = done?;
    let mut text =
        format!("{} wrapped under a new master key\n", counted(master.keys.into(), "key"));
    for status in &rotations {
        text.push_str(&line(status));
    }
    let object = json!({
        "kept": master.kept,
        "dropped": master.dropped,
        "rotations": rotations.iter().map(object).collect::<Value>(),
    });
    Ok(Report::new(text, object).warn(DESTROY))
}

fn plan(keys: &Keys, rotation: &Rotation) -> Result<Report> {
    let plan = keys.plan(rotation)?;
    let rows: Vec<[String; 2]> =
        plan.tables.iter().map(|(table, count)| [table.clone(), count.to_string()]).collect();
    let mut text = aligned(["table", "records"], &rows);
    let _ = writeln!(
        text,
        "{} under key {}, about {} s",
        counted(plan.records, "record"),
        plan.key,
        plan.estimate.as_secs()
    );
    let tables: serde_json::Map<String, Value> =
        plan.tables.iter().map(|(table, count)| (table.clone(), (*count).into())).collect();
    let object = json!({
        "key": plan.key,
        "records": plan.records,
        "tables": tables,
        "estimate_ms": u64::try_from(plan.estimate.as_millis()).unwrap_or(u64::MAX),
    });
    Ok(Report::new(text, object))
}

fn run(keys: &Keys, rotation: &Rotation, console: &Console<'_>) -> Result<RotationStatus> {
    let bar = progress(console);
    let done = keys.run(rotation, |status| show(&bar, status));
    bar.finish_and_clear();
    Ok(done?)
}

fn progress(console: &Console<'_>) -> ProgressBar {
    console.progress(Some(0), "{bar:40} {human_pos}/{human_len} records, {eta} left")
}

fn show(bar: &ProgressBar, status: &RotationStatus) {
    bar.set_length(status.total.max(status.done));
    bar.set_position(status.done);
}

fn line(status: &RotationStatus) -> String {
    let kind = status.rotation.kind().name();
    let whose = status.rotation.tenant().map(|name| format!(" of {name}")).unwrap_or_default();
    let what = match (status.state, status.rotation.kind()) {
        (RotationState::Waiting, _) => {
            format!("{} left under the old one", counted(status.left, "token"))
        }
        (_, RotationKind::Audit) => "the trail goes on".to_owned(),
        (_, RotationKind::Token) => "no token is left under the old one".to_owned(),
        _ => format!("{} sealed anew", counted(status.moved, "record")),
    };
    format!("{kind} key{whose}: {}, {what}\n", status.state.name())
}

fn object(status: &RotationStatus) -> Value {
    json!({
        "kind": status.rotation.kind().name(),
        "tenant": status.rotation.tenant(),
        "state": status.state.name(),
        "old_key": status.old_key,
        "new_key": status.new_key,
        "done": status.done,
        "total": status.total,
        "moved": status.moved,
        "left": status.left,
        "started_at": status.started_at,
        "finished_at": status.finished_at,
        "remaining_ms": status.remaining.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
    })
}
