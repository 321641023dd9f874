//! The figures at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use super::counters::{Counter, Counters};
use super::histogram::Histogram;
use crate::locked;

/// What this process has done with the vault since the handle was made. The figures are of one process, and of one
/// handle with its clones and tenants; none is a value, a key or a name of a row, table or tenant.
///
/// What the application asked for is counted, not what the engine does for itself, whether or not it succeeded. What
/// was done in a transaction counts even where it is rolled back, except for audit entries.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Since the handle was made.
    pub uptime: Duration,
    /// Rows asked for by id.
    pub gets: u64,
    /// Searches by value.
    pub finds: u64,
    /// Rows inserted: each row of a call for many.
    pub inserts: u64,
    /// Calls that update a row.
    pub updates: u64,
    /// Calls that delete or discard a row.
    pub deletes: u64,
    /// Rows that scans have read.
    pub scan_rows: u64,
    /// Write transactions committed, the engine's own with them.
    pub committed: u64,
    /// Write transactions rolled back.
    pub rolled_back: u64,
    /// Calls that failed because somebody else held the lock for too long.
    pub busy: u64,
    /// Calls that failed because a row, record or field is not what was written.
    pub authentication_failures: u64,
    /// Charges of quotas that went through.
    pub quota_charged: u64,
    /// Charges of quotas that were refused.
    pub quota_refused: u64,
    /// Approvals asked for.
    pub approvals_created: u64,
    /// Approvals given or rejected.
    pub approvals_decided: u64,
    /// Settings given out to the application.
    pub settings_used: u64,
    /// Settings shown to a person.
    pub settings_revealed: u64,
    /// Audit entries committed.
    pub audit_appended: u64,
    /// Audit entries of best effort that were lost.
    pub audit_lost: u64,
    /// Tokens issued, successors with them.
    pub tokens_issued: u64,
    /// Tokens that were verified, and held.
    pub tokens_verified: u64,
    /// Uses taken of tokens that have a number of them, and of break-glass.
    pub tokens_consumed: u64,
    /// What was presented as a token and refused, by reason.
    pub tokens_rejected: Vec<(&'static str, u64)>,
    /// Secrets of this process, of all its vaults, in memory that the system keeps out of its swap and of core dumps:
    /// expanded keys, the secrets that they are derived from, and the keys of MACs.
    pub keys_locked: u64,
    /// As `keys_locked`, of those for which `RLIMIT_MEMLOCK` leaves no room, or that a process has from before a fork.
    pub keys_not_locked: u64,
    /// Gets and searches; one of 64 is measured.
    pub read: Histogram,
    /// Whole write transactions that were committed, with waiting for the lock and what the application did in them.
    pub write: Histogram,
    /// The commit itself.
    pub commit: Histogram,
    /// What the application has counted itself ([`crate::Vault::count`]), by name.
    pub application: BTreeMap<String, u64>,
}

impl Metrics {
    pub(crate) fn of(
        counters: &Counters,
        settings_used: u64,
        tokens_rejected: Vec<(&'static str, u64)>,
    ) -> Self {
        use Counter as C;
        let (keys_locked, keys_not_locked) = locked::counts();
        let get = |counter| counters.get(counter);
        Metrics {
            uptime: counters.start.elapsed(),
            gets: get(C::Get),
            finds: get(C::Find),
            inserts: get(C::Insert),
            updates: get(C::Update),
            deletes: get(C::Delete),
            scan_rows: get(C::ScanRows),
            committed: get(C::Committed),
            rolled_back: get(C::RolledBack),
            busy: get(C::Busy),
            authentication_failures: get(C::AuthenticationFailures),
            quota_charged: get(C::QuotaCharged),
            quota_refused: get(C::QuotaRefused),
            approvals_created: get(C::ApprovalsCreated),
            approvals_decided: get(C::ApprovalsDecided),
            settings_used,
            settings_revealed: get(C::SettingsRevealed),
            audit_appended: get(C::AuditAppended),
            audit_lost: get(C::AuditLost),
            tokens_issued: get(C::TokensIssued),
            tokens_verified: get(C::TokensVerified),
            tokens_consumed: get(C::TokensConsumed),
            tokens_rejected,
            keys_locked,
            keys_not_locked,
            read: counters.read.snapshot(),
            write: counters.write.snapshot(),
            commit: counters.commit.snapshot(),
            application: counters.application(),
        }
    }
}
