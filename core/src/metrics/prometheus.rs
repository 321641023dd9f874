//! The text exposition format of Prometheus, version 0.0.4 (`text/plain; version=0.0.4`).

use std::collections::HashSet;
use std::fmt::Write;

use super::histogram::Histogram;
use super::snapshot::Metrics;
use crate::error::{Result, fail};

/// The longest name of a metric, in bytes.
const MAX_NAME: usize = 200;
/// What the engine's own names begin with.
const PREFIX: &str = "sealite_";

/// Checks the name of an application's counter: `[a-zA-Z_:][a-zA-Z0-9_:]*`, and none of the engine's.
pub(super) fn check_name(name: &str) -> Result<()> {
    let mut chars = name.chars();
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    if !chars.next().is_some_and(first) || !chars.all(|c| first(c) || c.is_ascii_digit()) {
        fail!(InvalidInput, "the name of a metric is made of letters, digits, '_' and ':'");
    }
    if name.len() > MAX_NAME {
        fail!(Limit, "the name of a metric has at most {MAX_NAME} bytes");
    }
    if name.starts_with(PREFIX) {
        fail!(InvalidInput, "names that begin with {PREFIX} are the engine's own");
    }
    Ok(())
}

enum Samples<'m> {
    Counter(u64),
    Gauge(f64),
    /// By the value of one label.
    Labelled(&'static str, Vec<(&'static str, u64)>),
    Histogram(&'m Histogram),
}

/// A metric with its help and samples.
struct Family<'m> {
    name: &'m str,
    help: &'static str,
    samples: Samples<'m>,
}

impl Metrics {
    /// The figures as Prometheus reads them. The engine's names begin with `sealite_`; the application's counters have
    /// the names that it gave them.
    pub fn prometheus(&self) -> String {
        text(&self.families())
    }

    /// As [`Metrics::prometheus`], with some of the engine's metrics under other names: pairs of the name wanted and the
    /// engine's, such as `("rate_limited_total", "sealite_quota_refused_total")`.
    ///
    /// # Errors
    /// `invalid_input` for a name that Prometheus does not take, one that the engine does not have, or one that two
    /// metrics would share.
    pub fn prometheus_named(&self, names: &[(&str, &str)]) -> Result<String> {
        let mut families = self.families();
        let mut renamed = HashSet::new();
        for (wanted, ours) in names {
            check_name(wanted)?;
            let own = |family: &&mut Family<'_>| family.name == *ours && ours.starts_with(PREFIX);
            let Some(family) = families.iter_mut().find(own) else {
                fail!(
                    InvalidInput,
                    "the engine has no metric of the name {ours}, or it is given twice"
                );
            };
            family.name = wanted;
            renamed.insert(*wanted);
        }
        let mut seen = HashSet::new();
        if let Some(twice) = families.iter().find(|family| !seen.insert(family.name)) {
            fail!(InvalidInput, "two metrics would have the name {}", twice.name);
        }
        Ok(text(&families))
    }

    fn families(&self) -> Vec<Family<'_>> {
        use Samples as S;
        let family = |name, help, samples| Family { name, help, samples };
        let requests = vec![
            ("get", self.gets),
            ("find", self.finds),
            ("insert", self.inserts),
            ("update", self.updates),
            ("delete", self.deletes),
        ];
        let outcomes = vec![("committed", self.committed), ("rolled_back", self.rolled_back)];
        let count = |name, help, value| family(name, help, S::Counter(value));
        let gauge = |number: u64| u32::try_from(number).map_or(f64::INFINITY, f64::from);
        let (uptime, handle) =
            (self.uptime.as_secs_f64(), "Time since the vault's handle was made.");
        let mut families = vec![
            family("sealite_uptime_seconds", handle, S::Gauge(uptime)),
            family(
                "sealite_keys_locked",
                "Secrets of the process in memory that is kept out of swap.",
                S::Gauge(gauge(self.keys_locked)),
            ),
            family(
                "sealite_keys_not_locked",
                "Secrets of the process in memory that the limit on locked memory leaves to swap.",
                S::Gauge(gauge(self.keys_not_locked)),
            ),
            family(
                "sealite_requests_total",
                "Rows asked for, by operation.",
                S::Labelled("operation", requests),
            ),
            count("sealite_scan_rows_total", "Rows that scans have read.", self.scan_rows),
            family(
                "sealite_transactions_total",
                "Write transactions, by outcome.",
                S::Labelled("outcome", outcomes),
            ),
            count("sealite_busy_total", "Calls that failed because the lock was held.", self.busy),
            count(
                "sealite_authentication_failures_total",
                "Calls that failed because a row or field is not what was written.",
                self.authentication_failures,
            ),
        ];
        families.extend(self.state_families());
        families.push(family(
            "sealite_tokens_rejected_total",
            "What was presented as a token and refused, by reason.",
            S::Labelled("reason", self.tokens_rejected.clone()),
        ));
        families.extend([
            family(
                "sealite_read_duration_seconds",
                "Duration of gets and searches, measured for one of 64.",
                S::Histogram(&self.read),
            ),
            family(
                "sealite_write_duration_seconds",
                "Duration of committed write transactions, with waiting for the lock.",
                S::Histogram(&self.write),
            ),
            family(
                "sealite_commit_duration_seconds",
                "Duration of commits.",
                S::Histogram(&self.commit),
            ),
        ]);
        let own = self.application.iter();
        families.extend(
            own.map(|(name, count)| {
                family(name, "Counted by the application.", S::Counter(*count))
            }),
        );
        families
    }

    /// Of quotas, approvals, settings, the audit trail and tokens.
    fn state_families(&self) -> [Family<'_>; 11] {
        [
            (
                "sealite_quota_charged_total",
                "Charges of quotas that went through.",
                self.quota_charged,
            ),
            (
                "sealite_quota_refused_total",
                "Charges of quotas that were refused.",
                self.quota_refused,
            ),
            ("sealite_approvals_created_total", "Approvals asked for.", self.approvals_created),
            (
                "sealite_approvals_decided_total",
                "Approvals given or rejected.",
                self.approvals_decided,
            ),
            (
                "sealite_settings_used_total",
                "Settings given out to the application.",
                self.settings_used,
            ),
            (
                "sealite_settings_revealed_total",
                "Settings shown to a person.",
                self.settings_revealed,
            ),
            ("sealite_audit_appended_total", "Audit entries committed.", self.audit_appended),
            (
                "sealite_audit_lost_total",
                "Audit entries of best effort that were lost.",
                self.audit_lost,
            ),
            (
                "sealite_tokens_issued_total",
                "Tokens issued, successors with them.",
                self.tokens_issued,
            ),
            (
                "sealite_tokens_verified_total",
                "Tokens that were verified, and held.",
                self.tokens_verified,
            ),
            (
                "sealite_tokens_consumed_total",
                "Uses taken of tokens that have a number of them.",
                self.tokens_consumed,
            ),
        ]
        .map(|(name, help, value)| Family { name, help, samples: Samples::Counter(value) })
    }
}

fn text(families: &[Family<'_>]) -> String {
    let mut out = String::with_capacity(8 << 10);
    for family in families {
        // Writing to a string does not fail.
        let _ = write_family(&mut out, family);
    }
    out
}

fn write_family(out: &mut String, family: &Family<'_>) -> std::fmt::Result {
    let Family { name, help, samples } = family;
    let kind = match samples {
        Samples::Counter(_) | Samples::Labelled(..) => "counter",
        Samples::Gauge(_) => "gauge",
        Samples::Histogram(_) => "histogram",
    };
    writeln!(out, "# HELP {name} {help}")?;
    writeln!(out, "# TYPE {name} {kind}")?;
    match samples {
        Samples::Counter(value) => writeln!(out, "{name} {value}"),
        Samples::Gauge(value) => writeln!(out, "{name} {value}"),
        Samples::Labelled(label, values) => values
            .iter()
            .try_for_each(|(at, value)| writeln!(out, "{name}{{{label}=\"{at}\"}} {value}")),
        Samples::Histogram(histogram) => {
            for (bound, count) in &histogram.buckets {
                writeln!(out, "{name}_bucket{{le=\"{}\"}} {count}", bound.as_secs_f64())?;
            }
            let Histogram { count, sum, .. } = histogram;
            writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}")?;
            writeln!(out, "{name}_sum {}", sum.as_secs_f64())?;
            writeln!(out, "{name}_count {count}")
        }
    }
}
