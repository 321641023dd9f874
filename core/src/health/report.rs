//! What a check of the health finds.

use std::fmt;

use crate::error::{Error, ErrorKind};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Why a vault is not in order. The names are stable and append-only.
        #[non_exhaustive]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The stable name, in snake case. Safe to show to a client.
            pub fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    /// There is no file, or no vault in it yet.
    NotInitialised = "not_initialised";
    /// There is a vault, and this handle holds no key.
    Locked = "locked";
    /// The file can't be read, is damaged or was edited, was removed or replaced while it was open, or this handle is
    /// closed.
    Unreadable = "unreadable";
    /// The file or its folder can't be written by this process.
    ReadOnly = "read_only";
    /// The check itself found no free connection in time.
    Busy = "busy";
    /// Less room is left on the disk than [`crate::Config::disk_reserve`] asks for.
    DiskNearlyFull = "disk_nearly_full";
    /// The end of the audit trail was edited, cut or put together anew.
    AuditBroken = "audit_broken";
    /// Records are still sealed under a key that is retired: they were not sealed anew.
    KeyRetiredInUse = "key_retired_in_use";
    /// The clock shows a time more than 5 seconds before one at which something was written.
    ClockSteppedBack = "clock_stepped_back";
    /// Remnants of plaintext have still to be overwritten: [`crate::Vault::finish_erasure`].
    ErasurePending = "erasure_pending";
}

impl Reason {
    /// True where calls fail for it: reads or writes or both. The others ask for somebody's attention.
    pub fn is_blocking(self) -> bool {
        matches!(
            self,
            Reason::NotInitialised
                | Reason::Locked
                | Reason::Unreadable
                | Reason::ReadOnly
                | Reason::Busy
        )
    }

    pub(super) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotInitialised => Reason::NotInitialised,
            ErrorKind::Locked => Reason::Locked,
            ErrorKind::Busy => Reason::Busy,
            ErrorKind::ReadOnly => Reason::ReadOnly,
            ErrorKind::Full => Reason::DiskNearlyFull,
            _ => Reason::Unreadable,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What [`crate::Vault::health`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// True where nothing is wrong; otherwise the vault is degraded. [`Health::is_usable`] asks for less.
    pub ready: bool,
    /// What is wrong, each once, in the order of [`Reason::ALL`].
    pub reasons: Vec<Reason>,
    /// The error that ended the check early, for a log.
    pub error: Option<Error>,
}

impl Health {
    pub(super) fn new(mut reasons: Vec<Reason>, error: Option<Error>) -> Self {
        reasons.sort_unstable();
        reasons.dedup();
        Health { ready: reasons.is_empty(), reasons, error }
    }

    /// True where reads and writes work, though something may ask for attention.
    pub fn is_usable(&self) -> bool {
        !self.reasons.iter().any(|reason| reason.is_blocking())
    }

    /// `ready` or `degraded`.
    pub fn status(&self) -> &'static str {
        if self.ready { "ready" } else { "degraded" }
    }
}
