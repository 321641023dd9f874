//! What is asked for when a token is issued.

use std::fmt;
use std::time::Duration;

use super::kind::TokenKind;
use super::text::is_prefix;
use crate::error::{Result, err, fail};
use crate::quota::Limit;
use crate::secret::WipedText;

/// The longest subject, label or reason, in bytes.
const MAX_TEXT: usize = 256;
/// The most scopes of a token.
const MAX_SCOPES: usize = 64;
/// The longest scope, in bytes.
const MAX_SCOPE: usize = 128;
/// The longest data, in bytes of JSON.
const MAX_DATA: usize = 16 << 10;
/// The longest time in a request: 100 years of 366 days.
const MAX_TIME: Duration = Duration::from_secs(100 * 366 * 86_400);
/// The shortest idle time: the last use is written a tenth of it later at most.
const MIN_IDLE: Duration = Duration::from_secs(10);
/// How often the last use is written, where a request does not say otherwise.
const TOUCH: Duration = Duration::from_secs(60);

/// A token to issue: [`crate::Tokens::issue`]. What is not set has the default of the kind: see [`TokenKind`].
#[derive(Clone)]
pub struct TokenRequest {
    pub(super) kind: TokenKind,
    pub(super) subject: Option<WipedText>,
    pub(super) label: Option<WipedText>,
    pub(super) scopes: Vec<String>,
    pub(super) limits: Option<String>,
    pub(super) data: Option<WipedText>,
    pub(super) prefix: Option<String>,
    pub(super) family: Option<String>,
    pub(super) not_before_in: Option<Duration>,
    pub(super) expires_in: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) renew_for: Option<Duration>,
    pub(super) uses: Option<u32>,
    pub(super) last_used_every: Option<Duration>,
    pub(super) replace_older: bool,
}

impl TokenRequest {
    /// A token of a kind.
    pub fn new(kind: TokenKind) -> Self {
        TokenRequest {
            kind,
            subject: None,
            label: None,
            scopes: Vec::new(),
            limits: None,
            data: None,
            prefix: None,
            family: None,
            not_before_in: None,
            expires_in: kind.default_expiry(),
            idle: None,
            renew_for: None,
            uses: kind.default_uses(),
            last_used_every: None,
            replace_older: false,
        }
    }

    /// Whose it is: an id of the application's, 1 to 256 bytes, compared byte for byte. Sealed; beside it stands a MAC, by
    /// which it is found. Without one [`crate::Tokens::revoke_subject`] does not reach the token.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(WipedText::new(subject));
        self
    }

    /// What people know it by, at most 256 bytes. Sealed.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(WipedText::new(label));
        self
    }

    /// Adds a scope, as RFC 6749 (section 3.3) has them: printable ASCII without spaces, quotation marks and backslashes.
    /// At most 64 of at most 128 bytes. Readable in the file.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Limits of its own, as [`Limit::parse`] reads them. The application charges them: see [`crate::Token::quota_key`].
    #[must_use]
    pub fn limits(mut self, limits: impl Into<String>) -> Self {
        self.limits = Some(limits.into());
        self
    }

    /// What the application wants to know of it, as JSON text of at most 16 KiB. Sealed.
    #[must_use]
    pub fn data(mut self, json: impl Into<String>) -> Self {
        self.data = Some(WipedText::new(json));
        self
    }

    /// What its text begins with.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Puts it into the family of another token ([`crate::Token::family`]): revoked with it.
    #[must_use]
    pub fn family(mut self, family: impl Into<String>) -> Self {
        self.family = Some(family.into());
        self
    }

    /// Makes it valid only after so long.
    #[must_use]
    pub fn not_before_in(mut self, time: Duration) -> Self {
        self.not_before_in = Some(time);
        self
    }

    /// How long it is valid: a millisecond to 100 years.
    #[must_use]
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// Makes it valid until it is revoked.
    #[must_use]
    pub fn never_expires(mut self) -> Self {
        self.expires_in = None;
        self
    }

    /// Ends it when it was not used for so long, at least 10 seconds. As the last use is written down a tenth of that
    /// later at most, it may end so much earlier.
    #[must_use]
    pub fn idle(mut self, time: Duration) -> Self {
        self.idle = Some(time);
        self
    }

    /// Rotation gives no successor that is valid for longer than so long from now.
    #[must_use]
    pub fn renew_for(mut self, time: Duration) -> Self {
        self.renew_for = Some(time);
        self
    }

    /// How often it can be used, by [`crate::Tokens::consume`] alone.
    #[must_use]
    pub fn uses(mut self, uses: u32) -> Self {
        self.uses = Some(uses);
        self
    }

    /// How often the last use is written down, at most: by default every minute, or a tenth of the idle time where that
    /// is less. The idle time's tenth always holds.
    #[must_use]
    pub fn last_used_every(mut self, time: Duration) -> Self {
        self.last_used_every = Some(time);
        self
    }

    /// Revokes what its subject has of this kind.
    #[must_use]
    pub fn replace_older(mut self) -> Self {
        self.replace_older = true;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        check_text("a subject", self.subject.as_deref())?;
        check_text("a label", self.label.as_deref())?;
        check_family(self.family.as_deref())?;
        check_data(self.data.as_deref())?;
        for scope in &self.scopes {
            check_scope(scope)?;
        }
        if self.scopes.len() > MAX_SCOPES {
            fail!(Limit, "a token has at most {MAX_SCOPES} scopes");
        }
        if !is_prefix(self.text_prefix()) {
            fail!(InvalidInput, "a token's text does not begin with such a prefix");
        }
        let times =
            [self.not_before_in, self.expires_in, self.idle, self.renew_for, self.last_used_every];
        for time in times.into_iter().flatten() {
            check_time(time)?;
        }
        if self.idle.is_some_and(|idle| idle < MIN_IDLE) {
            fail!(InvalidInput, "an idle time has at least 10 seconds");
        }
        if self.uses == Some(0) {
            fail!(InvalidInput, "a token without a use is of no use");
        }
        let counted = self.uses.is_some();
        if counted && matches!(self.kind, TokenKind::BreakGlass | TokenKind::Refresh) {
            fail!(
                InvalidInput,
                "a break-glass token has one use an arming, a refresh token is rotated: neither counts uses"
            );
        }
        if self.replace_older && self.subject.is_none() {
            fail!(InvalidInput, "only a subject's tokens can be replaced: give the subject");
        }
        Ok(())
    }

    pub(super) fn text_prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or(self.kind.default_prefix())
    }

    /// The scopes in order, once each, separated by spaces.
    pub(super) fn scope_text(&self) -> String {
        let mut scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.join(" ")
    }

    /// The limits in their own form.
    pub(super) fn limit_text(&self) -> Result<Option<String>> {
        let Some(limits) = &self.limits else { return Ok(None) };
        let limits = Limit::parse(limits)?;
        Ok(Some(limits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
    }

    pub(super) fn touch_ms(&self) -> i64 {
        let wanted = self.last_used_every.unwrap_or(TOUCH);
        millis(self.idle.map_or(wanted, |idle| wanted.min(idle / 10)))
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRequest({})", self.kind.name())
    }
}

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn check_text(what: &str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.is_empty() || text.len() > MAX_TEXT => {
            fail!(InvalidInput, "{what} has 1 to {MAX_TEXT} bytes")
        }
        _ => Ok(()),
    }
}

pub(super) fn check_time(time: Duration) -> Result<()> {
    if time.as_millis() == 0 || time > MAX_TIME {
        fail!(InvalidInput, "a time of a token is between a millisecond and 100 years");
    }
    Ok(())
}

pub(super) fn check_data(json: Option<&str>) -> Result<()> {
    let Some(json) = json else { return Ok(()) };
    if json.len() > MAX_DATA {
        fail!(Limit, "the data of a token have at most {MAX_DATA} bytes");
    }
    serde_json::from_str::<serde::de::IgnoredAny>(json)
        .map(|_| ())
        .map_err(|_| err!(InvalidInput, "the data of a token are not JSON text"))
}

fn check_family(family: Option<&str>) -> Result<()> {
    match family {
        Some(family) if super::issued::id_bytes(family).is_none() => {
            fail!(InvalidInput, "a family is named by the id of a token")
        }
        _ => Ok(()),
    }
}

pub(super) fn check_scope(scope: &str) -> Result<()> {
    let printable = |b: u8| (0x21..=0x7e).contains(&b) && b != b'"' && b != b'\\';
    if scope.is_empty() || scope.len() > MAX_SCOPE || !scope.bytes().all(printable) {
        fail!(
            InvalidInput,
            "a scope has 1 to {MAX_SCOPE} printable ASCII characters without space, quotation mark and backslash"
        );
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn session() -> TokenRequest {
        TokenRequest::new(TokenKind::Session)
    }

    fn scopes(count: usize) -> TokenRequest {
        (0..count).fold(session(), |request, number| request.scope(format!("s{number}")))
    }

    fn json(len: usize) -> String {
        format!("\"{}\"", "x".repeat(len - 2))
    }

    #[test]
    fn requests_are_taken_up_to_their_bounds() {
        let text = "x".repeat(256);
        for good in [
            session().subject(&text),
            session().label(&text),
            session().scope("!"),
            session().scope("~".repeat(128)),
            scopes(64),
            session().data(json(16_384)),
            session().expires_in(Duration::from_millis(1)),
            session().expires_in(Duration::from_secs(3_162_240_000)),
            session().idle(Duration::from_secs(10)),
            session().uses(1),
        ] {
            good.check().unwrap();
        }
    }

    #[test]
    fn requests_beyond_their_bounds_are_refused() {
        let text = "x".repeat(257);
        for (bad, kind) in [
            (session().subject(&text), ErrorKind::InvalidInput),
            (session().label(&text), ErrorKind::InvalidInput),
            (session().scope("~".repeat(129)), ErrorKind::InvalidInput),
            (session().scope("\x7f"), ErrorKind::InvalidInput),
            (scopes(65), ErrorKind::Limit),
            (session().data(json(16_385)), ErrorKind::Limit),
            (session().expires_in(Duration::from_micros(999)), ErrorKind::InvalidInput),
            (
                session().expires_in(Duration::from_millis(3_162_240_000_001)),
                ErrorKind::InvalidInput,
            ),
            (session().idle(Duration::from_millis(9_999)), ErrorKind::InvalidInput),
            (session().uses(0), ErrorKind::InvalidInput),
        ] {
            assert_eq!(bad.check().unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn the_last_use_is_written_often_enough_for_the_idle_time() {
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
        for (request, touch_ms) in [
            (session(), 60_000),
            (session().last_used_every(hour), 3_600_000),
            (session().idle(minute), 6_000),
            (session().idle(minute).last_used_every(hour), 6_000),
            (session().idle(hour).last_used_every(minute), 60_000),
        ] {
            assert_eq!(request.touch_ms(), touch_ms);
        }
    }
}
