//! Tokens made elsewhere: they work unchanged, and nothing plain is kept of them.

use sealite::{ErrorKind, LegacyEntry, TokenKind, Vault};
use sealite_tests::bits::hex;
use sealite_tests::vaults::{Home, plain};

use super::{count, entries, refused};

const OLD: &str = "admin-token-of-2019";

fn entry(token: &str) -> LegacyEntry {
    LegacyEntry::from_token(TokenKind::Admin, token).unwrap()
}

#[test]
fn an_imported_token_works_unchanged_and_importing_again_changes_nothing() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    refused(&vault, "unknown", || tokens.verify(OLD, TokenKind::Admin));
    let all = [entry(OLD), entry("another").disabled(), entry(OLD)];
    let done = tokens.import(&all).unwrap();
    assert_eq!((done.imported, done.known), (2, 1));
    let token = tokens.verify(OLD, TokenKind::Admin).unwrap();
    assert!(token.is_imported());
    assert_eq!(token.id(), tokens.verify(OLD, TokenKind::Admin).unwrap().id());
    refused(&vault, "disabled", || tokens.verify("another", TokenKind::Admin));
    refused(&vault, "unknown", || tokens.verify("neither", TokenKind::Admin));
    tokens.revoke(token.id()).unwrap();
    let again = tokens.import(&all).unwrap();
    assert_eq!((again.imported, again.known), (0, 3));
    refused(&vault, "revoked", || tokens.verify(OLD, TokenKind::Admin));
    assert_eq!(entries(&vault, "token.imported"), 2);
    let grace = std::time::Duration::ZERO;
    let valid = entry("third");
    tokens.import(&[valid]).unwrap();
    let rotated = tokens.rotate("third", TokenKind::Admin, grace).unwrap_err();
    assert_eq!(rotated.kind(), ErrorKind::InvalidInput);
}

#[test]
fn what_the_old_store_said_of_a_token_holds_here_and_so_do_the_defaults_of_its_kind() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    // SHA-256 of `one`.
    let file = r#"[{"id": "u1", "name": "Alice", "created": 1700000000,
        "hash": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"}]"#;
    tokens.import(&LegacyEntry::users(file).unwrap()).unwrap();
    let token = tokens.verify("one", TokenKind::User).unwrap();
    assert_eq!((token.subject(), token.label()), (Some("u1"), Some("Alice")));
    assert_eq!((token.created_at(), token.prefix()), (1_700_000_000_000, ""));
    tokens.revoke_subject("u1").unwrap();
    refused(&vault, "subject_revoked", || tokens.verify("one", TokenKind::User));

    let link = LegacyEntry::from_token(TokenKind::Invite, "an old invitation").unwrap();
    tokens.import(&[link]).unwrap();
    refused(&vault, "wrong_kind", || tokens.verify("an old invitation", TokenKind::Invite));
    tokens.consume("an old invitation", TokenKind::Invite).unwrap();
    refused(&vault, "used_up", || tokens.consume("an old invitation", TokenKind::Invite));

    let code = LegacyEntry::from_token(TokenKind::ShortCode, "123456").unwrap();
    let error = tokens.import(&[entry("a good one"), code]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    refused(&vault, "unknown", || tokens.verify("a good one", TokenKind::Admin));
}

#[test]
fn the_first_use_takes_the_hash_of_the_text_in_place_of_the_hash_of_the_hash() {
    let home = Home::new();
    let vault = home.create();
    vault.tokens().import(&[entry(OLD)]).unwrap();
    let record = || -> Vec<u8> {
        plain(&home.file())
            .query_row("SELECT sealed FROM sealite_tokens_sealed", [], |row| row.get(0))
            .unwrap()
    };
    vault.close();
    let before = record();
    let vault = home.open();
    vault.tokens().verify(OLD, TokenKind::Admin).unwrap();
    vault.close();
    let after = record();
    assert_ne!(before, after, "it was sealed anew");
    let vault = home.open();
    vault.tokens().verify(OLD, TokenKind::Admin).unwrap();
    assert_eq!(count(&vault, "wrong_secret"), 0);
    vault.close();
    assert_eq!(record(), after, "and only once");
    // Neither the text nor its hash is anywhere in the file.
    let bytes = std::fs::read(home.file()).unwrap();
    let digest = sha256_of_old();
    for needle in [OLD.as_bytes(), &digest, hex(&digest).as_bytes()] {
        assert!(!bytes.windows(needle.len()).any(|at| at == needle));
    }
}

/// SHA-256 of [`OLD`], as `sha256sum` gives it.
fn sha256_of_old() -> Vec<u8> {
    let text = include_str!("old_token.sha256").trim();
    (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}
