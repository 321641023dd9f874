//! Tokens: what each kind takes, what refuses it, and that whatever is presented gets one answer.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod clock;
mod codes;
mod forms;
mod import;
mod issuing;
mod lists;
mod one_shot;
mod revocation;
mod rotation;
mod tampering;
mod texts;

use sealite::{
    ErrorKind, ExposeSecret, IssuedToken, Result, TokenKind, TokenRequest, Tokens, Vault,
};

const KINDS: &[TokenKind] = &[
    TokenKind::Admin,
    TokenKind::User,
    TokenKind::ApiKey,
    TokenKind::BreakGlass,
    TokenKind::MagicLink,
    TokenKind::Reset,
    TokenKind::Invite,
    TokenKind::Session,
    TokenKind::Refresh,
];

/// A token of a kind for a subject; it, and its text.
fn issue(tokens: &Tokens<'_>, kind: TokenKind, subject: &str) -> (IssuedToken, String) {
    let issued = tokens.issue(&TokenRequest::new(kind).subject(subject)).unwrap();
    let text = issued.text.expose_secret().to_owned();
    (issued, text)
}

/// Asserts that the call was refused with the one public answer, and why, as the metrics count it.
#[track_caller]
fn refused<T: std::fmt::Debug>(vault: &Vault, why: &str, call: impl FnOnce() -> Result<T>) {
    let before = count(vault, why);
    let error = call().expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::TokenRejected, "{error}");
    assert_eq!(error.to_string(), "token_rejected: the token is not valid");
    assert_eq!(
        count(vault, why),
        before + 1,
        "refused as {why}: {:?}",
        vault.metrics().tokens_rejected
    );
}

/// How often a token was refused for that reason.
fn count(vault: &Vault, why: &str) -> u64 {
    let rejected = vault.metrics().tokens_rejected;
    rejected.iter().find(|(reason, _)| *reason == why).expect("a reason").1
}

/// The newest entries of the trail under that name.
fn entries(vault: &Vault, event: &str) -> usize {
    let tail = vault.audit().tail(10_000).unwrap();
    tail.iter().filter(|entry| entry.event() == event).count()
}
