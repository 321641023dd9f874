//! Tokens that an application kept by itself, as plain SHA-256 of their text: read here, and nothing is stored yet.

mod created;
mod json;
mod shapes;
#[cfg(test)]
mod tests;

use std::fmt;

use super::TokenKind;
use super::presented::Presented;
use crate::error::{Result, fail};

/// A token of a store from before, to be imported: it goes on to work unchanged. The token itself is not known, only its hash,
/// and what the old store said of it.
///
/// ```
/// use sealite::{LegacyEntry, TokenKind};
///
/// # fn main() -> sealite::Result<()> {
/// let file = r#"{"ops": {"hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
///                        "breakglass": true, "created": 1700000000, "enabled": true}}"#;
/// let entries = LegacyEntry::admin_tokens(file)?;
/// assert_eq!(entries[0].kind(), TokenKind::BreakGlass);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct LegacyEntry {
    pub(crate) kind: TokenKind,
    /// SHA-256 of the token's text.
    pub(crate) hash: [u8; 32],
    /// Whose it is.
    pub(crate) subject: Option<String>,
    /// For people.
    pub(crate) label: Option<String>,
    pub(crate) enabled: bool,
    /// Milliseconds since 1970.
    pub(crate) created_at: Option<i64>,
}

impl LegacyEntry {
    /// A token of which the SHA-256 is known: 64 hexadecimal digits in either case, with or without `sha256:` before them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] for anything else.
    pub fn from_hash(kind: TokenKind, hash: &str) -> Result<Self> {
        match parse_hash(hash) {
            Some(hash) => Ok(Self::new(kind, hash)),
            None => fail!(
                InvalidInput,
                "a SHA-256 hash is 64 hexadecimal digits, with or without sha256: before them"
            ),
        }
    }

    /// A token that is known in clear, such as one from an environment variable. It is hashed at once and not kept.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] for what no vault would take for a token made elsewhere: an empty text, one of more
    /// than 1,024 bytes, and one in the form of this engine's own tokens.
    pub fn from_token(kind: TokenKind, token: &str) -> Result<Self> {
        match Presented::read(token) {
            Some(Presented::Foreign(_, hash)) => Ok(Self::new(kind, hash)),
            _ => fail!(
                InvalidInput,
                "a token made elsewhere has 1 to 1,024 bytes, and not the form of this engine's own"
            ),
        }
    }

    /// The entries of a file of admin tokens, in JSON: a list of `{"id", "hash", "enabled", "breakglass", ...}`, the same under
    /// `"tokens"`, or an object that gives such an entry, or a hash alone, for each id. The id becomes subject and label; an
    /// entry with `breakglass` is of the kind [`TokenKind::BreakGlass`] and never an admin token.
    ///
    /// # Errors
    /// The file is refused whole, and no message shows anything of it: [`crate::ErrorKind::Corrupt`] where it is not one complete
    /// JSON text; [`crate::ErrorKind::InvalidInput`] where an entry has a field or a form that is not known, a name stands twice in
    /// an object, or two entries of one token differ; [`crate::ErrorKind::Limit`] above 16 MiB.
    pub fn admin_tokens(json: &str) -> Result<Vec<Self>> {
        shapes::read(json, shapes::Owner::Admin)
    }

    /// The entries of a file of users' tokens, in JSON: a list of `{"id", "name", "hash", "enabled", "created"}`, an object that
    /// gives `{"hash", "created", "type"}` for each id, or one whose names are the tokens themselves, in clear: these are hashed at
    /// once and kept nowhere, and their entries have no subject. An id or a name that shows its own token is dropped, too.
    ///
    /// # Errors
    /// As [`LegacyEntry::admin_tokens`].
    pub fn users(json: &str) -> Result<Vec<Self>> {
        shapes::read(json, shapes::Owner::User)
    }

    /// Says whose it is.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Gives it a label, for people.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Imports it disabled: it is refused until it is enabled.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// What it is for.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    fn new(kind: TokenKind, hash: [u8; 32]) -> Self {
        LegacyEntry { kind, hash, subject: None, label: None, enabled: true, created_at: None }
    }
}

/// The hash of a token that is easily guessed is nearly the token: it is not shown, and neither is a person.
impl fmt::Debug for LegacyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyEntry")
            .field("kind", &self.kind)
            .field("enabled", &self.enabled)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let mut hash = [0; 32];
    let decoded = base16ct::mixed::decode(digits, &mut hash).map(<[u8]>::len);
    (decoded == Ok(hash.len())).then_some(hash)
}
