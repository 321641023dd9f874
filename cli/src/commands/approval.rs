//! `sealite approval`, `sealite quota` and `sealite clock`.

use sealite::{Approvals, Quotas, Verdict};
use serde_json::{Value, json};

use crate::arguments::{Approval, Clock, Decide, Quota, Scope};
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::{aligned, date, printable};
use crate::unlock;

/// Runs a command on requests for approval.
pub(super) fn run(command: &Approval, console: &mut Console<'_>) -> Result<Report> {
    match command {
        Approval::List { of, subject, session } => {
            let found =
                approvals(of, console)?.list_pending(subject.as_deref(), session.as_deref())?;
            Ok(Report::new(
                listed(&found),
                json!({"approvals": found.iter().map(object).collect::<Value>()}),
            ))
        }
        Approval::Show(one) => Ok(report(&approvals(&one.of, console)?.get(&one.id)?)),
        Approval::Approve(decide) => decided(decide, Verdict::Approve, console),
        Approval::Reject(decide) => decided(decide, Verdict::Reject, console),
    }
}

/// Runs a command on quotas.
pub(super) fn quota(command: &Quota, console: &mut Console<'_>) -> Result<Report> {
    let Quota::Reset { of, whose } = command;
    let forgotten = quotas(of, console)?.reset(whose)?;
    let text = if forgotten { "Forgotten.\n" } else { "Nothing was used by this key.\n" };
    Ok(Report::new(text, json!({"forgotten": forgotten})))
}

/// Runs a command on the clock.
pub(super) fn clock(command: &Clock, console: &mut Console<'_>) -> Result<Report> {
    let Clock::Accept { file, open } = command;
    unlock::open(file, open, console)?.accept_clock()?;
    Ok(Report::new("The system's clock is accepted as it is.\n", json!({"accepted": true})))
}

fn approvals(of: &Scope, console: &mut Console<'_>) -> Result<Approvals> {
    let vault = unlock::open(&of.file, &of.open, console)?;
    Ok(match &of.tenant {
        Some(tenant) => vault.tenant(tenant)?.approvals(),
        None => vault.approvals(),
    })
}

fn quotas(of: &Scope, console: &mut Console<'_>) -> Result<Quotas> {
    let vault = unlock::open(&of.file, &of.open, console)?;
    Ok(match &of.tenant {
        Some(tenant) => vault.tenant(tenant)?.quotas(),
        None => vault.quotas(),
    })
}

fn decided(decide: &Decide, verdict: Verdict, console: &mut Console<'_>) -> Result<Report> {
    let (role, reason) = (decide.role.as_deref(), decide.reason.as_deref());
    let approvals = approvals(&decide.one.of, console)?;
    Ok(report(&approvals.decide(&decide.one.id, &decide.approver, role, verdict, reason)?))
}

fn report(approval: &sealite::Approval) -> Report {
    Report::new(described(approval), json!({"approval": object(approval)}))
}

fn listed(found: &[sealite::Approval]) -> String {
    if found.is_empty() {
        return "no request waits\n".to_owned();
    }
    let cells: Vec<[String; 5]> = found
        .iter()
        .map(|approval| {
            [
                approval.id.clone(),
                approval.action.clone(),
                approval.requester.clone(),
                approval.subject.clone().unwrap_or_default(),
                moment(approval.expires_at),
            ]
        })
        .collect();
    aligned(["id", "action", "requester", "subject", "expires"], &cells)
}

fn object(approval: &sealite::Approval) -> Value {
    json!({
        "id": approval.id,
        "action": approval.action,
        "payload_hash": approval.payload_hash_hex(),
        "requester": approval.requester,
        "subject": approval.subject,
        "session": approval.session,
        "state": approval.state.name(),
        "exclude_requester": approval.exclude_requester,
        "allowed_roles": approval.allowed_roles,
        "created_at_ms": approval.created_at,
        "expires_at_ms": approval.expires_at,
        "approver": approval.approver,
        "role": approval.role,
        "reason": approval.reason,
        "decided_at_ms": approval.decided_at,
        "executed_at_ms": approval.executed_at,
    })
}

fn described(approval: &sealite::Approval) -> String {
    let text = |text: &Option<String>| text.as_deref().map(printable);
    let roles = printable(&approval.allowed_roles.join(" "));
    let rows = [
        ("state", Some(approval.state.name().to_owned())),
        ("action", Some(printable(&approval.action))),
        // To be compared with what the application shows: the payload itself is not kept.
        ("payload", Some(format!("SHA-256 {}", approval.payload_hash_hex()))),
        ("requester", Some(printable(&approval.requester))),
        ("subject", text(&approval.subject)),
        ("session", text(&approval.session)),
        ("roles", Some(roles).filter(|roles| !roles.is_empty())),
        ("asked", Some(moment(approval.created_at))),
        ("expires", Some(moment(approval.expires_at))),
        ("approver", text(&approval.approver)),
        ("role", text(&approval.role)),
        ("reason", text(&approval.reason)),
        ("decided", approval.decided_at.map(moment)),
        ("executed", approval.executed_at.map(moment)),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let rows = rows.map(|(name, value)| format!("  {name:<12} {value}\n"));
    std::iter::once(format!("{}\n", approval.id)).chain(rows).collect()
}

fn moment(ms: i64) -> String {
    date(ms.div_euclid(1_000))
}
