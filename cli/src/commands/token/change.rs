//! The `sealite token` commands that change tokens by their public id, and those that revoke or remove many.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a method is of one lifetime"
)]

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::show::{moment, object};
use super::{Opened, with};
use crate::arguments::{OneToken, OpenWith, TokenRevoke};
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::{counted, printable};
use crate::unlock;

pub(super) fn enable(one: &OneToken, console: &mut Console<'_>) -> Result<Report> {
    let changed = with(one, console, |tokens, id| tokens.enable(id))?;
    Ok(changed_one(one, changed, "Enabled"))
}

pub(super) fn disable(one: &OneToken, console: &mut Console<'_>) -> Result<Report> {
    let changed = with(one, console, |tokens, id| tokens.disable(id))?;
    Ok(changed_one(one, changed, "Disabled"))
}

pub(super) fn disarm(one: &OneToken, console: &mut Console<'_>) -> Result<Report> {
    let changed = with(one, console, |tokens, id| tokens.disarm(id))?;
    Ok(changed_one(one, changed, "Disarmed"))
}

fn changed_one(one: &OneToken, changed: bool, done: &str) -> Report {
    let id = printable(&one.id);
    let text = if changed {
        format!("{done} {id}.\n")
    } else {
        format!("{id} is so already: nothing was written.\n")
    };
    Report::new(text, json!({"id": one.id, "changed": changed}))
}

pub(super) fn arm(
    one: &OneToken,
    reason: &str,
    valid_for: Duration,
    console: &mut Console<'_>,
) -> Result<Report> {
    let token = with(one, console, |tokens, id| tokens.arm(id, reason, valid_for))?;
    let until = token.armed_until().map(moment).unwrap_or_default();
    let text = format!("Armed {} for one use, until {until}.\n", token.id());
    Ok(Report::new(text, json!({"token": object(&token, None)})))
}

pub(super) fn revoke(arguments: &TokenRevoke, console: &mut Console<'_>) -> Result<Report> {
    let opened = Opened::open(&arguments.of, console)?;
    let (tokens, what) = (opened.tokens(), &arguments.what);
    if let Some(id) = &what.id {
        let changed = tokens.revoke(id)?;
        let id = printable(id);
        let text = if changed {
            format!("Revoked {id}.\n")
        } else {
            format!("{id} was revoked already: nothing was written.\n")
        };
        return Ok(Report::new(text, json!({"id": what.id, "changed": changed})));
    }
    let revoked = match (&what.family, &what.subject, arguments.kind) {
        (Some(family), _, _) => tokens.revoke_family(family)?,
        (None, Some(subject), Some(kind)) => {
            tokens.revoke_kind(subject, kind, arguments.keep.as_deref())?
        }
        (None, subject, _) => {
            // The grammar has asked for one of the three.
            tokens.revoke_subject(subject.as_deref().unwrap_or_default())?;
            let text = "Revoked everything that was issued to the subject so far.\n";
            return Ok(Report::new(text, json!({"subject_revoked": true})));
        }
    };
    let text = format!("Revoked {}.\n", counted(revoked, "token"));
    Ok(Report::new(text, json!({"revoked": revoked})))
}

pub(super) fn purge(
    file: &Path,
    ended_for: Duration,
    open: &OpenWith,
    console: &mut Console<'_>,
) -> Result<Report> {
    let purged = unlock::open(file, open, console)?.tokens().purge(ended_for)?;
    let text = format!("Deleted {}.\n", counted(purged, "token"));
    Ok(Report::new(text, json!({"purged": purged})))
}
