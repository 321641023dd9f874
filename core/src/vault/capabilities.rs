//! What else a vault keeps: the audit trail, settings, quotas, approvals; its health and its clock.

use super::Vault;
use crate::approval::Approvals;
use crate::audit::{self, Audit};
use crate::error::Result;
use crate::health::{self, Health};
use crate::metrics::Metrics;
use crate::quota::Quotas;
use crate::settings::{self, Settings};
use crate::table::attached::Attachments;
use crate::token::{self, Tokens};

impl Vault {
    /// Sets the clock of this handle and its clones, in milliseconds since 1970, for tests; `None` gives it back to the
    /// system.
    pub fn set_clock(&self, clock_ms: Option<i64>) {
        self.engine.set_clock_ms(clock_ms);
    }

    /// The audit trail.
    pub fn audit(&self) -> Audit {
        Audit::new(&self.engine, None)
    }

    /// Named values of the application, with masked secrets.
    pub fn settings(&self) -> Settings {
        Settings::new(&self.engine, None)
    }

    /// Limits on how often something happens.
    pub fn quotas(&self) -> Quotas {
        Quotas::new(&self.engine, None)
    }

    /// Requests that somebody has to approve.
    pub fn approvals(&self) -> Approvals {
        Approvals::new(&self.engine, None)
    }

    /// Tokens that somebody presents: sessions, API keys, one-time links, break-glass.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens::new(&self.engine, None)
    }

    /// Whether the vault is in order, and if not, why. Never fails, and waits for no writer; the work is bounded, some
    /// milliseconds, and a microsecond or two for each key of the vault. Nothing in it is secret.
    ///
    /// Of the audit trail it walks the entries since the last check, at least the newest 256 and at most 1,024; what it
    /// finds broken stays so in this process until [`Audit::verify`] finds the whole trail sound. Records under retired
    /// keys are looked for some thousand rows at a time.
    pub fn health(&self) -> Health {
        health::check(&self.engine)
    }

    /// What this process has done with the vault: see [`Metrics`].
    pub fn metrics(&self) -> Metrics {
        let settings = self.engine.attached::<settings::Memory>();
        let tokens = self.engine.attached::<token::Memory>();
        Metrics::of(
            &self.engine.counters,
            settings.map_or(0, settings::Memory::all_uses),
            tokens.map_or_else(|_| Vec::new(), token::Memory::rejections),
        )
    }

    /// Adds to a counter of the application's own, which [`Metrics`] shows under that name; `by` may be 0, to show it
    /// before anything has happened. Needs no key.
    ///
    /// # Errors
    /// `invalid_input` for a name that Prometheus does not take or that begins with `sealite_`; `limit` for more than
    /// 1,000 names.
    pub fn count(&self, name: &str, by: u64) -> Result<()> {
        self.engine.counters.count(name, by)
    }

    /// Accepts the system's clock as it is, after it has been set back, or after it has been far ahead: what is written
    /// from now on is compared with the time now. Audited.
    pub fn accept_clock(&self) -> Result<()> {
        health::accept_clock(&self.engine)
    }
}

/// What the capabilities keep in memory with each open vault.
pub(super) fn attachments() -> Attachments {
    Attachments::new(vec![
        Box::new(settings::Memory::default()),
        Box::new(audit::Watch::default()),
        Box::new(health::Memory::default()),
        Box::new(token::Memory::default()),
    ])
}
