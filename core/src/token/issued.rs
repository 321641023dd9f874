//! What is known of a token.

use std::fmt;

use super::definition::column;
use super::kind::TokenKind;
use crate::error::Result;
use crate::quota::Limit;
use crate::secret::SecretString;
use crate::table::Row;
use crate::value::{IdRef, ValueRef};

/// A token, read and verified; never its secret. Times are in milliseconds since 1970.
#[derive(Clone)]
pub struct Token {
    row: Row,
}

/// A token just issued.
pub struct IssuedToken {
    /// What is known of it.
    pub token: Token,
    /// Its text, given out this once.
    pub text: SecretString,
}

impl Token {
    pub(super) fn new(row: Row) -> Self {
        Token { row }
    }

    /// The public id: 24 lower-case hex digits. Names the token, and opens nothing.
    pub fn id(&self) -> &str {
        match self.row.id() {
            IdRef::Text(id) => id,
            IdRef::Integer(_) => "",
        }
    }

    /// What it is for.
    pub fn kind(&self) -> TokenKind {
        let name = self.text(column::KIND).unwrap_or_default();
        // A name that this version does not know is accepted by no check.
        TokenKind::from_name(name).unwrap_or(TokenKind::ShortCode)
    }

    /// Whose it is.
    pub fn subject(&self) -> Option<&str> {
        self.text(column::SUBJECT)
    }

    /// What people know it by.
    pub fn label(&self) -> Option<&str> {
        self.text(column::LABEL)
    }

    /// The scopes, in the order of their bytes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.text(column::SCOPES).unwrap_or_default().split(' ').filter(|scope| !scope.is_empty())
    }

    /// True where it has the scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|has| has == scope)
    }

    /// Limits of its own, as text.
    pub fn limits(&self) -> Option<&str> {
        self.text(column::LIMITS)
    }

    /// The key under which [`crate::Quotas::check_and_charge`] counts its uses: `token:` and the id.
    pub fn quota_key(&self) -> String {
        format!("token:{}", self.id())
    }

    /// Limits of its own, to be charged; empty where it has none.
    ///
    /// # Errors
    /// `invalid_input` where this version does not read them.
    pub fn quota_limits(&self) -> Result<Vec<Limit>> {
        self.limits().map_or(Ok(Vec::new()), Limit::parse)
    }

    /// What the application keeps with it, as JSON text.
    pub fn data(&self) -> Option<&str> {
        self.text(column::DATA)
    }

    /// What its text begins with; empty for a short code, and for a token made elsewhere.
    pub fn prefix(&self) -> &str {
        self.text(column::PREFIX).unwrap_or_default()
    }

    /// The family that it is revoked with: the id of the first token in it.
    pub fn family(&self) -> Option<&str> {
        self.text(column::FAMILY)
    }

    /// False where it is disabled.
    pub fn enabled(&self) -> bool {
        self.at(column::ENABLED).as_bool() == Some(true)
    }

    /// When it was issued.
    pub fn created_at(&self) -> i64 {
        self.integer(column::CREATED_AT).unwrap_or_default()
    }

    /// From when on it is valid.
    pub fn not_before(&self) -> Option<i64> {
        self.integer(column::NOT_BEFORE)
    }

    /// From when on it is not valid any more.
    pub fn expires_at(&self) -> Option<i64> {
        self.integer(column::EXPIRES_AT)
    }

    /// For how many milliseconds it may stay unused.
    pub fn idle_ms(&self) -> Option<i64> {
        self.integer(column::IDLE_MS)
    }

    /// When it was last used, as far as it is written down: see [`crate::TokenRequest::last_used_every`].
    pub fn last_used_at(&self) -> Option<i64> {
        self.integer(column::LAST_USED_AT)
    }

    /// How often it can still be used; `None` for any number of times.
    pub fn uses_left(&self) -> Option<u32> {
        self.count(column::USES_LEFT)
    }

    /// How many attempts are left, of a short code.
    pub fn attempts_left(&self) -> Option<u32> {
        self.count(column::ATTEMPTS_LEFT)
    }

    /// Until when a break-glass token is armed; `None` where it is not, or was used.
    pub fn armed_until(&self) -> Option<i64> {
        self.integer(column::ARMED_UNTIL)
    }

    /// Why it was armed last.
    pub fn armed_reason(&self) -> Option<&str> {
        self.text(column::ARMED_REASON)
    }

    /// When a successor took its place.
    pub fn rotated_at(&self) -> Option<i64> {
        self.integer(column::ROTATED_AT)
    }

    /// The id of its successor.
    pub fn successor(&self) -> Option<&str> {
        self.text(column::SUCCESSOR)
    }

    /// When it was revoked by itself, with its kind or with its family. Of a token whose subject was revoked it says
    /// nothing.
    pub fn revoked_at(&self) -> Option<i64> {
        self.integer(column::REVOKED_AT)
    }

    /// True for a token that was made elsewhere, and imported.
    pub fn is_imported(&self) -> bool {
        matches!(self.integer(column::SCHEME), Some(2 | 3))
    }

    pub(super) fn at(&self, position: usize) -> ValueRef<'_> {
        self.row.at(position).unwrap_or(ValueRef::Null)
    }

    pub(super) fn text(&self, position: usize) -> Option<&str> {
        self.at(position).as_str()
    }

    pub(super) fn integer(&self, position: usize) -> Option<i64> {
        self.at(position).as_i64()
    }

    fn count(&self, position: usize) -> Option<u32> {
        self.integer(position).map(|count| u32::try_from(count).unwrap_or(0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, {})", self.kind().name(), self.id())
    }
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedToken({}, {})", self.token.kind().name(), self.token.id())
    }
}

/// A public id as text.
pub(super) fn id_text(id: &[u8; 12]) -> String {
    base16ct::lower::encode_string(id)
}

/// The bytes of a public id; `None` where the text is none.
pub(super) fn id_bytes(text: &str) -> Option<[u8; 12]> {
    let mut id = [0; 12];
    let decoded = base16ct::lower::decode(text, &mut id).ok()?;
    (decoded.len() == 12).then_some(id)
}
