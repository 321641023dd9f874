//! What this process has done with a vault, as rows.

use std::time::Duration;

use sealite::{Histogram, Metrics, Value};

use crate::call::call;
use crate::error::sealite_error;
use crate::rows::{Made, count, sealite_rows};
use crate::status::sealite_status;
use crate::vault::sealite_vault;

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

macro_rules! counts {
    ($figures:ident, $add:ident; $($name:ident),*) => { $($add(stringify!($name), None, $figures.$name);)* };
}

fn rows_of(figures: &Metrics) -> Made {
    let mut made = Made::new(&["name", "label", "value"]);
    let mut add = |name: &str, label: Option<String>, value: u64| {
        made.push([name.into(), label.map_or(Value::Null, Value::from), count(value)]);
    };
    add("uptime_ms", None, u64::try_from(figures.uptime.as_millis()).unwrap_or(u64::MAX));
    counts!(figures, add;
        gets, finds, inserts, updates, deletes, scan_rows, committed, rolled_back, busy,
        authentication_failures, quota_charged, quota_refused, approvals_created, approvals_decided,
        settings_used, settings_revealed, audit_appended, audit_lost, tokens_issued, tokens_verified,
        tokens_consumed, keys_locked, keys_not_locked);
    for (reason, tokens) in &figures.tokens_rejected {
        add("tokens_rejected", Some((*reason).to_owned()), *tokens);
    }
    let times = [("read", &figures.read), ("write", &figures.write), ("commit", &figures.commit)];
    for (name, Histogram { buckets, count, sum, .. }) in times {
        add(&format!("{name}_count"), None, *count);
        add(&format!("{name}_ns"), None, nanoseconds(*sum));
        for (bound, calls) in buckets {
            add(&format!("{name}_bucket"), Some(nanoseconds(*bound).to_string()), *calls);
        }
    }
    for (name, counted) in &figures.application {
        add("application", Some(name.clone()), *counted);
    }
    made
}

/// Reads the figures of sealite_vault_metrics() of `vault` one by one, for a program that shows them otherwise than
/// Prometheus reads them. Needs no key. `rows`, free it with sealite_rows_free(): `name`, `label`, `value`. `name` is
/// "uptime_ms", "gets", "finds", "inserts", "updates", "deletes", "scan_rows", "committed", "rolled_back", "busy",
/// "authentication_failures", "quota_charged", "quota_refused", "approvals_created", "approvals_decided", "settings_used",
/// "settings_revealed", "audit_appended", "audit_lost", "tokens_issued", "tokens_verified", "tokens_consumed",
/// "keys_locked", "keys_not_locked"; "tokens_rejected" with the reason as `label`; for each of "read", "write" and "commit"
/// as NAME "NAME_count" (calls that were measured), "NAME_ns" (their time in nanoseconds) and "NAME_bucket" (how many took
/// at most as many nanoseconds as `label` says); "application" with a name of sealite_vault_count() as `label`. `label` is
/// SEALITE_NULL otherwise. Later versions may add rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_metrics_rows(
    vault: *mut sealite_vault,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(rows); { rows.give(rows_of(&vault.metrics()).into())?; })
}
