//! Tokens: their text, CSRF tokens that are derived from a session, and the entries of files that others kept.

// The store of the tokens calls these.
#![allow(dead_code)]

pub(crate) mod csrf;
pub(crate) mod legacy;
pub(crate) mod text;

pub use legacy::LegacyEntry;
pub use text::{TOKEN_PATTERN, is_token_text};

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TokenKind {
    /// An administrator's.
    Admin,
    /// A user's.
    User,
    /// For an emergency.
    BreakGlass,
}
