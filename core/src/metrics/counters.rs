//! The counters of an open vault. Counting is one relaxed addition.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::histogram::Latency;
use super::prometheus::check_name;
use crate::error::{ErrorKind, Result, fail};
use crate::fork::{Inherit, PerProcess};

/// Names of the application's own counters, at most.
const MAX_NAMES: usize = 1_000;
/// One read of so many is measured: asking for the time twice would show in the others.
const READS_A_SAMPLE: u64 = 64;

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum Counter {
    Get,
    Find,
    Insert,
    Update,
    Delete,
    ScanRows,
    Committed,
    RolledBack,
    Busy,
    AuthenticationFailures,
    QuotaCharged,
    QuotaRefused,
    ApprovalsCreated,
    ApprovalsDecided,
    SettingsRevealed,
    AuditAppended,
    AuditLost,
    TokensIssued,
    TokensVerified,
    TokensConsumed,
}

/// The last of [`Counter`], and one.
const COUNTERS: usize = Counter::TokensConsumed as usize + 1;

/// The counters of one handle and its clones.
pub(crate) struct Counters {
    pub(super) start: Instant,
    values: [AtomicU64; COUNTERS],
    pub(super) read: Latency,
    pub(crate) write: Latency,
    pub(crate) commit: Latency,
    application: PerProcess<Named>,
}

type Named = BTreeMap<Box<str>, AtomicU64>;

impl Inherit for Named {
    /// The figures go on.
    fn inherit(parent: Option<&Self>) -> Self {
        let value = |value: &AtomicU64| AtomicU64::new(value.load(Ordering::Relaxed));
        let all = parent.into_iter().flatten();
        all.map(|(name, count)| (name.clone(), value(count))).collect()
    }
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            start: Instant::now(),
            values: Default::default(),
            read: Latency::default(),
            write: Latency::default(),
            commit: Latency::default(),
            application: PerProcess::default(),
        }
    }
}

impl Counters {
    /// Counts; what it was before.
    pub(crate) fn add(&self, counter: Counter, by: u64) -> u64 {
        let value = self.values.get(counter as usize);
        value.map_or(0, |value| value.fetch_add(by, Ordering::Relaxed))
    }

    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.values.get(counter as usize).map_or(0, |value| value.load(Ordering::Relaxed))
    }

    /// Counts a read; when it began, where this is one to be measured.
    pub(crate) fn begin_read(&self, counter: Counter) -> Option<Instant> {
        self.add(counter, 1).is_multiple_of(READS_A_SAMPLE).then(Instant::now)
    }

    pub(crate) fn end_read(&self, began: Option<Instant>) {
        if let Some(began) = began {
            self.read.observe(began.elapsed());
        }
    }

    /// Counts what failed because somebody else held the lock, or because something was edited.
    pub(crate) fn checked<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            match error.kind() {
                ErrorKind::Busy => _ = self.add(Counter::Busy, 1),
                ErrorKind::AuthenticationFailed => {
                    self.add(Counter::AuthenticationFailures, 1);
                }
                _ => {}
            }
        }
        result
    }

    /// Counts for the application, under a name of its own.
    pub(crate) fn count(&self, name: &str, by: u64) -> Result<()> {
        let known = self.application.read();
        if let Some(value) = known.get(name) {
            value.fetch_add(by, Ordering::Relaxed);
            return Ok(());
        }
        drop(known);
        check_name(name)?;
        let mut known = self.application.write();
        if !known.contains_key(name) && known.len() >= MAX_NAMES {
            fail!(Limit, "an application counts under at most {MAX_NAMES} names");
        }
        known.entry(Box::from(name)).or_default().fetch_add(by, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn application(&self) -> BTreeMap<String, u64> {
        let known = self.application.read();
        let value = |value: &AtomicU64| value.load(Ordering::Relaxed);
        known.iter().map(|(name, count)| (name.to_string(), value(count))).collect()
    }
}
