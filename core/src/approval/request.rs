//! What is asked for, and what has become of it.

use std::fmt;
use std::time::Duration;

use crate::error::{Result, fail};
use crate::secret::WipedText;

/// The longest action, name, role or id of a session, in bytes.
const MAX_TEXT: usize = 256;
/// The longest reason, in bytes.
pub(super) const MAX_REASON: usize = 4_096;
/// The most roles that a policy names.
const MAX_ROLES: usize = 64;
/// The longest time until a request expires: 366 days.
const MAX_EXPIRY: Duration = Duration::from_secs(366 * 86_400);
/// How long a request can still be read after its end, where it doesn't say otherwise: 30 days.
const DEFAULT_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// The longest of these times: 3,660 days.
const MAX_KEPT: Duration = Duration::from_secs(3_660 * 86_400);

/// A request for approval. By default it expires after an hour, and anybody but the requester may decide it.
#[derive(Clone)]
pub struct ApprovalRequest {
    pub(super) action: String,
    pub(super) payload: WipedText,
    pub(super) requester: String,
    pub(super) subject: Option<WipedText>,
    pub(super) session: Option<WipedText>,
    pub(super) expires_in: Duration,
    pub(super) keep_for: Duration,
    pub(super) exclude_requester: bool,
    pub(super) allowed_roles: Vec<String>,
}

impl ApprovalRequest {
    /// A request of `requester` for an action with a payload, as JSON text. Of the payload only its hash is kept:
    /// SHA-256 of its canonical form (RFC 8785), so that neither the order of its keys nor white space matters.
    pub fn new(
        action: impl Into<String>,
        payload_json: impl Into<String>,
        requester: impl Into<String>,
    ) -> Self {
        ApprovalRequest {
            action: action.into(),
            payload: WipedText::new(payload_json),
            requester: requester.into(),
            subject: None,
            session: None,
            expires_in: Duration::from_secs(3_600),
            keep_for: DEFAULT_KEPT,
            exclude_requester: true,
            allowed_roles: Vec::new(),
        }
    }

    /// Whom or what it concerns.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(WipedText::new(subject));
        self
    }

    /// The session that it belongs to.
    #[must_use]
    pub fn session(mut self, session: impl Into<String>) -> Self {
        self.session = Some(WipedText::new(session));
        self
    }

    /// How long it can be decided, and once approved executed: a millisecond to 366 days.
    #[must_use]
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = expires_in;
        self
    }

    /// How long the request can still be read once it was rejected, executed, or has expired: up to 3,660 days, by
    /// default 30. Then it is removed, and unknown; what has become of it stays in the audit trail.
    #[must_use]
    pub fn keep_for(mut self, keep_for: Duration) -> Self {
        self.keep_for = keep_for;
        self
    }

    /// Lets the requester decide, too.
    #[must_use]
    pub fn requester_may_decide(mut self) -> Self {
        self.exclude_requester = false;
        self
    }

    /// Adds a role to those that may decide; without one any role may.
    #[must_use]
    pub fn allowed_role(mut self, role: impl Into<String>) -> Self {
        self.allowed_roles.push(role.into());
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        check_text("an action", Some(&self.action))?;
        check_text("a requester", Some(&self.requester))?;
        check_text("a subject", self.subject.as_deref())?;
        check_text("a session", self.session.as_deref())?;
        for role in &self.allowed_roles {
            check_text("a role", Some(role))?;
        }
        if self.allowed_roles.len() > MAX_ROLES {
            fail!(Limit, "a policy names at most {MAX_ROLES} roles");
        }
        if self.expires_in.as_millis() == 0 || self.expires_in > MAX_EXPIRY {
            fail!(InvalidInput, "a request expires after a millisecond to 366 days");
        }
        if self.keep_for > MAX_KEPT {
            fail!(InvalidInput, "a request is kept for at most 3,660 days after its end");
        }
        Ok(())
    }
}

impl fmt::Debug for ApprovalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApprovalRequest({})", self.action)
    }
}

pub(super) fn check_text(what: &str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.is_empty() || text.len() > MAX_TEXT => {
            fail!(InvalidInput, "{what} has 1 to {MAX_TEXT} bytes")
        }
        _ => Ok(()),
    }
}

/// What somebody decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The action may be executed, once.
    Approve,
    /// It may not.
    Reject,
}

/// How far a request has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ApprovalState {
    /// Nobody has decided yet.
    Pending,
    /// Approved, and not yet executed.
    Approved,
    /// Rejected.
    Rejected,
    /// Approved, and its execution has been claimed.
    Executed,
    /// Neither decided nor, if approved, executed in time.
    Expired,
}

impl ApprovalState {
    const ALL: [ApprovalState; 5] = [
        ApprovalState::Pending,
        ApprovalState::Approved,
        ApprovalState::Rejected,
        ApprovalState::Executed,
        ApprovalState::Expired,
    ];

    /// The stable name: `pending`, `approved`, `rejected`, `executed` or `expired`.
    pub fn name(self) -> &'static str {
        match self {
            ApprovalState::Pending => "pending",
            ApprovalState::Approved => "approved",
            ApprovalState::Rejected => "rejected",
            ApprovalState::Executed => "executed",
            ApprovalState::Expired => "expired",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// True where time can still end it.
    pub(super) fn is_open(self) -> bool {
        matches!(self, ApprovalState::Pending | ApprovalState::Approved)
    }
}

/// A request as it is kept. Times are in milliseconds since 1970.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approval {
    /// 128 random bits in base32 (RFC 4648, lower case, without padding).
    pub id: String,
    /// What is to be done.
    pub action: String,
    /// SHA-256 of the payload's canonical form (RFC 8785).
    pub payload_hash: [u8; 32],
    /// Who asked.
    pub requester: String,
    /// Whom or what it concerns.
    pub subject: Option<String>,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// How far it has come.
    pub state: ApprovalState,
    /// Whether the requester is kept from deciding.
    pub exclude_requester: bool,
    /// The roles that may decide; empty where any may.
    pub allowed_roles: Vec<String>,
    /// When it was asked for.
    pub created_at: i64,
    /// From when on it can be neither decided nor executed.
    pub expires_at: i64,
    /// How long it can still be read after its end, in milliseconds.
    pub keep_ms: i64,
    /// When time does something to it: when it expires, and once its state is final, when it is removed.
    pub(super) due: i64,
    /// Who decided.
    pub approver: Option<String>,
    /// In what role.
    pub role: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When it was decided.
    pub decided_at: Option<i64>,
    /// When its execution was claimed.
    pub executed_at: Option<i64>,
}

impl Approval {
    /// The payload's hash in lower-case hex.
    pub fn payload_hash_hex(&self) -> String {
        base16ct::lower::encode_string(&self.payload_hash)
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Approval({}, {})", self.id, self.state.name())
    }
}
