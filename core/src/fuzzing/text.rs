//! Texts that people keep: keys, codes, checkpoints, what indexes look for, and statements.

use crate::audit::checkpoint::Checkpoint;
use crate::audit::daily;
use crate::audit::keys::Keys;
use crate::db::tokens::{first_statement, is_blank, tokens};
use crate::error::{ErrorKind, Result, fail};
use crate::format::secret_text::{format_key, format_recovery, parse_key, parse_recovery};
use crate::index::normalise::Normaliser;
use crate::keys::{AuditKey, Unlock};
use crate::secret::Secret32;
use crate::sql;
use crate::table::protect::triggers;
use crate::token::{csrf, text};

/// What a key or a recovery code is read as, its own text is read as.
pub fn secret_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = parse_key(text) {
        assert_eq!(parse_key(&format_key(&key)).ok(), Some(key));
    }
    if let Ok(bits) = parse_recovery(text) {
        assert_eq!(parse_recovery(&format_recovery(&bits)).ok(), Some(bits));
    }
}

/// Whatever a key is referred to by, the answer is a key or one of few errors, and a key itself is no reference.
pub fn key_reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Files of the machine that this runs on are none of its business.
    if text.starts_with("file:") || text.contains('\0') {
        return;
    }
    match Unlock::reference(text) {
        Ok(_) => assert!(text.contains(':')),
        Err(error) => assert!(matches!(
            error.kind(),
            ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::WeakKey | ErrorKind::Io
        )),
    }
}

/// A text that this vault has not made is no checkpoint.
pub fn checkpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Checkpoint::read(&VAULT, text, audit_keys) {
        Ok(read) => {
            let keys = audit_keys(AUDIT_KEY).expect("the one that there is");
            let made = Checkpoint::make(&keys, &VAULT, read.seq(), read.at(), read.link);
            assert_eq!(made.text(), text.trim());
        }
        Err(error) => assert!(matches!(
            error.kind(),
            ErrorKind::InvalidInput | ErrorKind::AuthenticationFailed | ErrorKind::RolledBack
        )),
    }
}

/// The audit keys of a vault that has one.
pub(super) fn audit_keys(id: u32) -> Result<Keys> {
    if id != AUDIT_KEY {
        fail!(UnknownKey, "there is no such key");
    }
    Ok(Keys::new(&AuditKey { id, generation: 1, secret: Secret32::copy_of(&[7; 32]) }))
}

pub(super) const AUDIT_KEY: u32 = 3;
pub(super) const VAULT: [u8; 16] = [9; 16];

/// A last line of an export is one, or is refused.
pub fn audit_line(data: &[u8]) {
    daily::survives(data);
}

/// A CSRF token of a session has one form.
pub fn csrf(data: &[u8]) {
    let Ok(presented) = std::str::from_utf8(data) else { return };
    let session = text::parse(SESSION).expect("a token");
    if csrf::matches(&session, presented) {
        assert_eq!(presented.len(), 86);
        let end = presented.len() - 1;
        assert!(!csrf::matches(&session, presented.get(..end).unwrap_or_default()));
        assert!(!csrf::matches(&session, &format!("{presented}A")));
    }
}

const SESSION: &str = "slses_1MQPiAB4wPzjIvV41XDeYM2BggfbE1oADU2oEsxP67SuHKeUIAbVQZCIwKyR0dIVd9";

/// The normal form of a normal form is itself.
pub fn normaliser(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for normaliser in [Normaliser::Exact, Normaliser::Text, Normaliser::Email, Normaliser::Digits] {
        let (mut one, mut two) = (String::new(), "what was there before".to_owned());
        let normal = normaliser.normalise(text, &mut one);
        assert_eq!(normaliser.normalise(normal, &mut two), normal, "{}", normaliser.name());
    }
}

/// The tokens of a statement are parts of it, in their order, and finding its clauses ends.
pub fn sql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut end = 0;
    for token in tokens(text) {
        assert!(token.at >= end && !token.text.is_empty());
        assert_eq!(text.get(token.at..token.end()), Some(token.text));
        let _ = token.name();
        end = token.end();
    }
    let first = first_statement(text);
    assert!(text.is_char_boundary(first));
    assert!(text.get(..first).is_some_and(|first| tokens(first).len() <= tokens(text).len()));
    let _ = is_blank(text);
    sql::survives(text);
    triggers::survives(text);
}
