//! `sealite token list` and `show`.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a method is of one lifetime"
)]

use std::collections::HashSet;

use sealite::{Token, TokenFilter};
use serde_json::{Value, json};

use super::{Opened, with};
use crate::arguments::{OneToken, TokenList};
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::{aligned, date, printable};

pub(super) fn list(arguments: &TokenList, console: &mut Console<'_>) -> Result<Report> {
    let opened = Opened::open(&arguments.of, console)?;
    let tokens = opened.tokens();
    let active = tokens.list(&filter(arguments).active())?;
    let found = if arguments.active { active.clone() } else { tokens.list(&filter(arguments))? };
    let active: HashSet<&str> = active.iter().map(Token::id).collect();
    let cells: Vec<[String; 7]> = found
        .iter()
        .map(|token| {
            [
                token.id().to_owned(),
                token.kind().name().to_owned(),
                token.subject().unwrap_or_default().to_owned(),
                token.label().unwrap_or_default().to_owned(),
                moment(token.created_at()),
                token.expires_at().map_or_else(|| "never".to_owned(), moment),
                state(token, active.contains(token.id())).to_owned(),
            ]
        })
        .collect();
    let text = if cells.is_empty() {
        "no tokens\n".to_owned()
    } else {
        aligned(["id", "kind", "subject", "label", "issued", "expires", "state"], &cells)
    };
    let one = |token: &Token| object(token, Some(active.contains(token.id())));
    Ok(Report::new(text, json!({"tokens": found.iter().map(one).collect::<Value>()})))
}

fn filter(arguments: &TokenList) -> TokenFilter {
    let mut filter = TokenFilter::new().limit(arguments.limit);
    if let Some(subject) = &arguments.subject {
        filter = filter.subject(subject);
    }
    if let Some(kind) = arguments.kind {
        filter = filter.kind(kind);
    }
    if let Some(family) = &arguments.family {
        filter = filter.family(family);
    }
    filter
}

pub(super) fn show(one: &OneToken, console: &mut Console<'_>) -> Result<Report> {
    let token = with(one, console, |tokens, id| tokens.get(id))?;
    Ok(Report::new(described(&token), json!({"token": object(&token, None)})))
}

/// The token as an object; never its secret, nor what the application keeps with it. `active` where that was asked.
pub(super) fn object(token: &Token, active: Option<bool>) -> Value {
    let mut object = json!({
        "id": token.id(),
        "kind": token.kind().name(),
        "subject": token.subject(),
        "label": token.label(),
        "scopes": token.scopes().collect::<Vec<_>>(),
        "limits": token.limits(),
        "prefix": token.prefix(),
        "family": token.family(),
        "enabled": token.enabled(),
        "created_at_ms": token.created_at(),
        "not_before_ms": token.not_before(),
        "expires_at_ms": token.expires_at(),
        "idle_ms": token.idle_ms(),
        "last_used_at_ms": token.last_used_at(),
        "uses_left": token.uses_left(),
        "attempts_left": token.attempts_left(),
        "armed_until_ms": token.armed_until(),
        "armed_reason": token.armed_reason(),
        "rotated_at_ms": token.rotated_at(),
        "successor": token.successor(),
        "revoked_at_ms": token.revoked_at(),
        "imported": token.is_imported(),
    });
    if let (Some(active), Value::Object(members)) = (active, &mut object) {
        members.insert("active".to_owned(), json!(active));
    }
    object
}

/// What a person wants to know first.
fn state(token: &Token, active: bool) -> &'static str {
    if active {
        return "active";
    }
    if token.revoked_at().is_some() {
        "revoked"
    } else if !token.enabled() {
        "disabled"
    } else if token.rotated_at().is_some() {
        "rotated"
    } else if token.uses_left() == Some(0) {
        "used"
    } else {
        // Expired, idle, not yet valid, or its subject was revoked: the times beside it tell.
        "not valid"
    }
}

pub(super) fn described(token: &Token) -> String {
    let scopes = token.scopes().collect::<Vec<_>>().join(" ");
    let armed = token.armed_until().map(|until| {
        format!("until {}: {}", moment(until), printable(token.armed_reason().unwrap_or_default()))
    });
    let rows = [
        ("kind", Some(token.kind().name().to_owned())),
        ("subject", token.subject().map(printable)),
        ("label", token.label().map(printable)),
        ("scopes", Some(scopes).filter(|scopes| !scopes.is_empty())),
        ("limits", token.limits().map(printable)),
        ("family", token.family().map(printable)),
        ("issued", Some(moment(token.created_at()))),
        ("valid from", token.not_before().map(moment)),
        ("expires", Some(token.expires_at().map_or_else(|| "never".to_owned(), moment))),
        ("idle", token.idle_ms().map(|ms| format!("{} s", ms / 1_000))),
        ("last used", token.last_used_at().map(moment)),
        ("uses left", token.uses_left().map(|uses| uses.to_string())),
        ("attempts", token.attempts_left().map(|attempts| attempts.to_string())),
        ("armed", armed),
        ("rotated", token.rotated_at().map(moment)),
        ("successor", token.successor().map(printable)),
        ("revoked", token.revoked_at().map(moment)),
        ("disabled", (!token.enabled()).then(|| "yes".to_owned())),
        ("imported", token.is_imported().then(|| "yes".to_owned())),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let rows = rows.map(|(name, value)| format!("  {name:<12} {value}\n"));
    std::iter::once(format!("{}\n", token.id())).chain(rows).collect()
}

pub(super) fn moment(ms: i64) -> String {
    date(ms.div_euclid(1_000))
}
