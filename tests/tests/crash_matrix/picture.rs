//! Everything that shows of a vault, as text: two states are the same where their pictures are.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use sealite::{
    ExportOptions, IdRef, Limit, Row, Status, Table, TableDefinition, TokenFilter, ValueRef, Vault,
};
use sealite_tests::vaults::unlock_in;

use super::{NOW, adopting};

/// The picture of a file without a vault.
pub(crate) const NONE: &str = "no vault\n";

/// Opens the vault of the folder, which must be sound: every record opens, the trail verifies, SQLite finds the file whole.
pub(crate) fn picture(folder: &Path) -> String {
    let vault = Vault::at(folder.join("vault.db")).unwrap();
    match vault.status().unwrap() {
        Status::Absent | Status::Uninitialised => return NONE.to_owned(),
        _ => {}
    }
    vault.unlock(&unlock_in(folder)).unwrap();
    vault.set_clock(Some(NOW));
    let verification = vault.verify(|_| ()).unwrap();
    assert!(verification.is_sound(), "{verification:?}");
    let trail = vault.audit().verify(None).unwrap();
    assert!(trail.is_sound(), "{trail:?}");
    let mut out = String::new();
    tables(&vault, &mut out);
    adopting::values(&vault, folder, &mut out);
    kept(&vault, &mut out);
    trail_of(&vault, &mut out);
    vault.close();
    out
}

/// Lines that only one of the states has.
pub(crate) fn difference(found: &str, before: &str, after: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (found, before, after) = (lines(found), lines(before), lines(after));
    let mut out = String::new();
    for (name, other) in [("before", &before), ("after", &after)] {
        for line in found.difference(other) {
            let _ = writeln!(out, "+ against {name}: {line}");
        }
        for line in other.difference(&found) {
            let _ = writeln!(out, "- against {name}: {line}");
        }
    }
    out
}

fn tables(vault: &Vault, out: &mut String) {
    for definition in vault.tables().unwrap() {
        let _ = writeln!(out, "table {} {:?}", definition.name(), definition.columns());
        if definition.is_per_tenant() {
            for tenant in ["acme", "beta"] {
                let tenant = vault.tenant(tenant).unwrap();
                rows(&tenant.table(definition.name()).unwrap(), &definition, tenant.name(), out);
            }
        } else {
            rows(&vault.table(definition.name()).unwrap(), &definition, "", out);
        }
    }
    // Plain or sealed, SQL shows it.
    let own = vault.query("SELECT id, email, role FROM own ORDER BY id", &[]);
    for row in own.map(|own| own.rows).unwrap_or_default() {
        let cells: Vec<String> = row.iter().map(|value| cell(value.as_ref())).collect();
        let _ = writeln!(out, "own {}", cells.join(" "));
    }
}

fn rows(table: &Table<'_>, definition: &TableDefinition, tenant: &str, out: &mut String) {
    let mut lines: Vec<String> = table.scan().unwrap().map(|row| line(&row.unwrap())).collect();
    lines.sort();
    for line in lines {
        let _ = writeln!(out, "{} {tenant} {line}", definition.name());
    }
}

fn line(row: &Row) -> String {
    let id = match row.id() {
        IdRef::Integer(id) => id.to_string(),
        IdRef::Text(id) => id.to_owned(),
        _ => String::new(),
    };
    let cells: Vec<String> =
        row.columns().map(|(name, value)| format!("{name}={}", cell(value))).collect();
    format!("{id}: {}", cells.join(" "))
}

fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Text(text) => text.to_owned(),
        ValueRef::Null => "NULL".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Settings, tokens, quotas, approvals, slots. Ids and secrets are random, and left out.
fn kept(vault: &Vault, out: &mut String) {
    for setting in vault.settings().list(None).unwrap() {
        let (name, shown) = (setting.name(), setting.shown());
        let _ = writeln!(out, "setting {name} {shown:?} version {}", setting.version());
    }
    let mut lines = Vec::new();
    for token in vault.tokens().list(&TokenFilter::new()).unwrap() {
        lines.push(format!(
            "token {} {:?} {:?} enabled {} uses {:?} armed {:?} rotated {:?} revoked {:?} last {:?}",
            token.kind().name(),
            token.label(),
            token.subject(),
            token.enabled(),
            token.uses_left(),
            token.armed_until(),
            token.rotated_at(),
            token.revoked_at(),
            token.last_used_at(),
        ));
    }
    for approval in vault.approvals().list_pending(None, None).unwrap() {
        lines.push(format!("approval {} by {}", approval.action, approval.requester));
    }
    lines.sort();
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
    let limits = Limit::parse("10/hour").unwrap();
    let left = vault.quotas().peek("somebody", &limits).unwrap();
    let _ = writeln!(out, "quota {}", left.remaining);
    for key in vault.keys().list().unwrap() {
        let (purpose, tenant, subject) = (key.purpose.name(), &key.tenant, &key.subject);
        let (generation, state) = (key.generation, key.state.name());
        let _ = writeln!(out, "key {purpose} {tenant:?} {subject:?} {generation} {state}");
    }
    for slot in vault.slots().unwrap() {
        let _ = writeln!(out, "slot {} {}", slot.kind.name(), slot.label);
    }
}

fn trail_of(vault: &Vault, out: &mut String) {
    let mut entries = Vec::new();
    let all = ExportOptions::default();
    vault
        .audit()
        .each(&all, |event| {
            // Those stand beside what happens in another file: before it, and after it.
            if !event.event().starts_with("values.adopt") {
                entries.push(format!(
                    "entry {} {} {:?}",
                    event.seq(),
                    event.event(),
                    event.actor()
                ));
            }
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .unwrap();
    for entry in entries {
        let _ = writeln!(out, "{entry}");
    }
}
