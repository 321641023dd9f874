//! Tokens made elsewhere.

use super::kind::TokenKind;

/// A token made elsewhere, by its hash.
#[derive(Clone)]
pub struct LegacyEntry {
    pub(crate) kind: TokenKind,
    /// SHA-256 of its text.
    pub(crate) hash: [u8; 32],
    pub(crate) subject: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) created_at: Option<i64>,
}

impl LegacyEntry {
    /// The entry of a token.
    pub fn from_token(kind: TokenKind, token: &str) -> crate::error::Result<Self> {
        let hash = crate::crypto::mac::sha256(&[token.as_bytes()]);
        Ok(LegacyEntry { kind, hash, subject: None, label: None, enabled: true, created_at: None })
    }

    /// Not to be used until it is enabled.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }
}
