//! Whether a token holds: what the caller accepts, and every reason for which one is refused.

use super::definition::column;
use super::issued::Token;
use super::kind::TokenKind;
use crate::error::{Result, err};

/// What the caller accepts: kinds, and scopes that the token must have.
///
/// ```
/// use sealite::{TokenCheck, TokenKind};
///
/// let check = TokenCheck::kind(TokenKind::Session).or(TokenKind::ApiKey).scope("orders:read");
/// # let _ = check;
/// ```
#[derive(Clone, Debug)]
pub struct TokenCheck {
    kinds: u16,
    scopes: Vec<String>,
}

impl TokenCheck {
    /// Tokens of a kind.
    pub fn kind(kind: TokenKind) -> Self {
        TokenCheck { kinds: kind.bit(), scopes: Vec::new() }
    }

    /// Tokens of another kind, too.
    #[must_use]
    pub fn or(mut self, kind: TokenKind) -> Self {
        self.kinds |= kind.bit();
        self
    }

    /// Only tokens with this scope, and all others that are asked for.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// # Errors
    /// `denied` for a token that lacks a scope.
    pub(super) fn check_scopes(&self, token: &Token) -> Result<()> {
        if self.scopes.iter().all(|scope| token.has_scope(scope)) {
            return Ok(());
        }
        Err(err!(Denied, "the token does not have the scope that this takes"))
    }
}

impl From<TokenKind> for TokenCheck {
    fn from(kind: TokenKind) -> Self {
        TokenCheck::kind(kind)
    }
}

impl From<&[TokenKind]> for TokenCheck {
    fn from(kinds: &[TokenKind]) -> Self {
        let kinds = kinds.iter().fold(0, |bits, kind| bits | kind.bit());
        TokenCheck { kinds, scopes: Vec::new() }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a token was refused. Nobody outside learns it: it goes to the metrics, and to the audit trail.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Rejection { $($(#[$doc])* $variant,)* }

        impl Rejection {
            /// Their names, in the order of the counters.
            pub(crate) const NAMES: &'static [&'static str] = &[$($name,)*];
        }
    };
}

reasons! {
    /// No text of a token, or a wrong checksum.
    Malformed = "malformed",
    /// No token of this id.
    Unknown = "unknown",
    WrongSecret = "wrong_secret",
    /// A kind that the caller does not accept, or not for this.
    WrongKind = "wrong_kind",
    Disabled = "disabled",
    NotYetValid = "not_yet_valid",
    Expired = "expired",
    Idle = "idle",
    UsedUp = "used_up",
    /// By itself, with its kind or its family.
    Revoked = "revoked",
    SubjectRevoked = "subject_revoked",
    /// A successor has taken its place, and the grace is over.
    Rotated = "rotated",
    NotArmed = "not_armed",
    /// No attempt is left, of a short code.
    Attempts = "attempts",
    /// The row, or what it names, is not what was written.
    Tampered = "tampered",
}

impl Rejection {
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or_default()
    }

    /// True where somebody who holds the token should not be using it any more: worth an entry in the trail.
    pub(super) fn is_noteworthy(self) -> bool {
        use Rejection as R;
        matches!(
            self,
            R::WrongKind
                | R::Disabled
                | R::UsedUp
                | R::Revoked
                | R::SubjectRevoked
                | R::Rotated
                | R::NotArmed
        )
    }

    /// True where a clock that is set back could revive the token.
    pub(super) fn is_of_time(self) -> bool {
        matches!(self, Rejection::Expired | Rejection::Idle)
    }
}

/// What a token is presented for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Verify,
    Peek,
    Consume,
    /// A rotated token is told apart by the caller.
    Rotate,
    Code,
}

/// Why the token does not hold, if it does not. `epoch` is its subject's.
pub(super) fn refusal(
    token: &Token,
    epoch: Option<i64>,
    now: i64,
    purpose: Purpose,
) -> Option<Rejection> {
    use Rejection as R;
    if let Some(refused) = standing(token, epoch, now) {
        return Some(refused);
    }
    let rotated = token.rotated_at().is_some();
    let in_grace = token.integer(column::GRACE_UNTIL).is_some_and(|until| now < until);
    if rotated && !in_grace && purpose != Purpose::Rotate {
        return Some(R::Rotated);
    }
    let counted = token.at(column::USES_LEFT).as_i64();
    let glass = token.kind() == TokenKind::BreakGlass;
    let code = token.kind() == TokenKind::ShortCode;
    match purpose {
        Purpose::Code if !code => Some(R::WrongKind),
        Purpose::Code => match (counted, token.attempts_left()) {
            (Some(1..), Some(1..)) => None,
            (Some(1..), _) => Some(R::Attempts),
            _ => Some(R::UsedUp),
        },
        _ if code => Some(R::WrongKind),
        Purpose::Verify | Purpose::Rotate if counted.is_some() || glass => Some(R::WrongKind),
        Purpose::Verify | Purpose::Rotate => None,
        Purpose::Consume if glass => {
            let armed = token.armed_until().is_some_and(|until| now < until);
            (!armed).then_some(R::NotArmed)
        }
        Purpose::Peek | Purpose::Consume => match counted {
            Some(1..) => None,
            Some(_) => Some(R::UsedUp),
            None => Some(R::WrongKind),
        },
    }
}

/// Why the token does not hold for anything.
pub(super) fn standing(token: &Token, epoch: Option<i64>, now: i64) -> Option<Rejection> {
    use Rejection as R;
    if token.text(column::OWNER).is_some() {
        // Every subject has a row from its first token on, and its epoch only advances.
        match (token.integer(column::EPOCH), epoch) {
            (Some(own), Some(epoch)) if own == epoch => {}
            (Some(own), Some(epoch)) if own < epoch => return Some(R::SubjectRevoked),
            _ => return Some(R::Tampered),
        }
    }
    if TokenKind::from_name(token.text(column::KIND).unwrap_or_default()).is_none() {
        return Some(R::WrongKind);
    }
    if token.revoked_at().is_some() {
        return Some(R::Revoked);
    }
    if !token.enabled() {
        return Some(R::Disabled);
    }
    if token.not_before().is_some_and(|from| now < from) {
        return Some(R::NotYetValid);
    }
    if token.expires_at().is_some_and(|until| now >= until) {
        return Some(R::Expired);
    }
    let last = token.last_used_at().unwrap_or_default().max(token.created_at());
    if token.idle_ms().is_some_and(|idle| now.saturating_sub(last) >= idle) {
        return Some(R::Idle);
    }
    None
}

impl TokenCheck {
    /// Whether the caller accepts the token's kind.
    pub(super) fn accepts(&self, token: &Token) -> bool {
        self.kinds & token.kind().bit() != 0
    }
}
