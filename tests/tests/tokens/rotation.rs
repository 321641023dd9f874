//! Rotation: one successor within the grace, the end of the family after it.

use std::time::Duration;

use sealite::{ErrorKind, ExposeSecret, TokenKind, TokenRequest, Tokens, Vault};
use sealite_tests::vaults::Home;

use super::{entries, issue, refused};

const GRACE: Duration = Duration::from_secs(30);

fn rotate(tokens: &Tokens<'_>, text: &str) -> sealite::Result<String> {
    let next = tokens.rotate(text, TokenKind::Refresh, GRACE)?;
    Ok(next.text.expose_secret().to_owned())
}

#[test]
fn within_the_grace_the_same_successor_comes_back_and_after_it_the_family_ends() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (first, text) = issue(&tokens, TokenKind::Refresh, "u");
    let start = first.token.created_at();
    let family = first.token.family().unwrap().to_owned();
    assert_eq!(family, first.token.id());
    let access = TokenRequest::new(TokenKind::Session).subject("u").family(&family);
    let access = tokens.issue(&access).unwrap();
    let access = access.text.expose_secret();

    let next = rotate(&tokens, &text).unwrap();
    assert_ne!(next, text);
    vault.set_clock(Some(start + 29_000));
    for _ in 0..3 {
        assert_eq!(rotate(&tokens, &text).unwrap(), next, "the same successor");
    }
    assert_eq!(entries(&vault, "token.rotated"), 1);
    tokens.verify(&text, TokenKind::Refresh).unwrap();
    let third = rotate(&tokens, &next).unwrap();
    let token = tokens.verify(&third, TokenKind::Refresh).unwrap();
    assert_eq!((token.family(), token.subject()), (Some(family.as_str()), Some("u")));

    vault.set_clock(Some(start + 61_000));
    tokens.verify(&third, TokenKind::Refresh).unwrap();
    tokens.verify(access, TokenKind::Session).unwrap();
    refused(&vault, "rotated", || rotate(&tokens, &text));
    assert_eq!(entries(&vault, "token.reuse_detected"), 1);
    for dead in [&text, &next, &third] {
        refused(&vault, "revoked", || rotate(&tokens, dead));
    }
    refused(&vault, "revoked", || tokens.verify(access, TokenKind::Session));
}

#[test]
fn a_rotated_token_that_is_verified_after_its_grace_ends_its_family_too() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (first, text) = issue(&tokens, TokenKind::Refresh, "u");
    let next = rotate(&tokens, &text).unwrap();
    vault.set_clock(Some(first.token.created_at() + 31_000));
    refused(&vault, "rotated", || tokens.verify(&text, TokenKind::Refresh));
    refused(&vault, "revoked", || tokens.verify(&next, TokenKind::Refresh));
}

#[test]
fn a_rotated_key_without_a_family_ends_alone() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let request = TokenRequest::new(TokenKind::ApiKey).scope("read").label("job").data("[1]");
    let first = tokens.issue(&request).unwrap();
    let text = first.text.expose_secret();
    let next = tokens.rotate(text, TokenKind::ApiKey, GRACE).unwrap();
    assert_eq!(next.token.label(), Some("job"));
    assert_eq!(next.token.data(), Some("[1]"));
    assert!(next.token.has_scope("read"));
    let end = tokens.get(first.token.id()).unwrap().rotated_at().unwrap() + 30_000;
    vault.set_clock(Some(end - 1));
    tokens.verify(text, TokenKind::ApiKey).unwrap();
    vault.set_clock(Some(end));
    refused(&vault, "rotated", || tokens.verify(text, TokenKind::ApiKey));
    tokens.verify(next.text.expose_secret(), TokenKind::ApiKey).unwrap();
}

#[test]
fn a_successor_has_everything_that_the_token_was_issued_with() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let request = TokenRequest::new(TokenKind::ApiKey)
        .subject("u")
        .label("job")
        .scope("read")
        .scope("write")
        .limits("30/minute")
        .data("[1]")
        .prefix("acme")
        .idle(Duration::from_secs(86_400))
        .last_used_every(Duration::from_secs(600));
    let first = tokens.issue(&request).unwrap();
    let later = first.token.created_at() + 60_000;
    vault.set_clock(Some(later));
    let next = tokens.rotate(first.text.expose_secret(), TokenKind::ApiKey, GRACE).unwrap();
    let text = next.text.expose_secret();
    assert!(text.starts_with("acme_"));
    let (old, new) = (&first.token, &next.token);
    assert_eq!((new.kind(), new.subject(), new.label()), (old.kind(), Some("u"), Some("job")));
    assert_eq!(new.scopes().collect::<Vec<_>>(), ["read", "write"]);
    assert_eq!((new.limits(), new.data()), (old.limits(), Some("[1]")));
    assert_eq!(new.quota_limits().unwrap().len(), 1);
    assert_eq!((new.prefix(), new.idle_ms()), ("acme", Some(86_400_000)));
    assert_eq!((new.created_at(), new.last_used_at()), (later, None));
    let last = || tokens.get(new.id()).unwrap().last_used_at();
    for (seconds, written) in [(1, 1), (60, 1), (600, 1), (601, 601)] {
        vault.set_clock(Some(later + seconds * 1_000));
        tokens.verify(text, TokenKind::ApiKey).unwrap();
        assert_eq!(last(), Some(later + written * 1_000), "as often as was asked for");
    }
}

#[test]
fn nothing_but_a_rotated_token_ends_its_family_and_no_transaction_of_a_caller_does() {
    let home = Home::new();
    let vault = home.create();
    let tokens = vault.tokens();
    let (first, text) = issue(&tokens, TokenKind::Refresh, "u");
    let access = TokenRequest::new(TokenKind::Session).family(first.token.id());
    let access = tokens.issue(&access).unwrap();
    tokens.disable(access.token.id()).unwrap();
    refused(&vault, "disabled", || tokens.verify(access.text.expose_secret(), TokenKind::Session));
    let next = rotate(&tokens, &text).unwrap();
    vault.set_clock(Some(first.token.created_at() + 60_000));
    vault
        .transaction(|tx| {
            refused(&vault, "rotated", || tx.tokens().verify(&text, TokenKind::Refresh));
            // Through the vault's own handle it is this thread's transaction all the same.
            refused(&vault, "rotated", || vault.tokens().verify(&text, TokenKind::Refresh));
            Ok(())
        })
        .unwrap();
    tokens.verify(&next, TokenKind::Refresh).unwrap();
    assert_eq!(entries(&vault, "token.reuse_detected"), 0);
    refused(&vault, "rotated", || tokens.verify(&text, TokenKind::Refresh));
    refused(&vault, "revoked", || tokens.verify(&next, TokenKind::Refresh));
    assert_eq!(entries(&vault, "token.reuse_detected"), 1);
}

#[test]
fn successors_live_as_long_again_and_never_beyond_what_was_asked() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let hour = Duration::from_secs(3_600);
    let request = TokenRequest::new(TokenKind::Refresh).expires_in(hour).renew_for(hour * 2);
    let first = tokens.issue(&request).unwrap();
    let start = first.token.created_at();
    vault.set_clock(Some(start + 1_800_000));
    let second = tokens.rotate(first.text.expose_secret(), TokenKind::Refresh, GRACE).unwrap();
    assert_eq!(second.token.expires_at(), Some(start + 5_400_000));
    vault.set_clock(Some(start + 5_000_000));
    let third = tokens.rotate(second.text.expose_secret(), TokenKind::Refresh, GRACE).unwrap();
    assert_eq!(third.token.expires_at(), Some(start + 7_200_000));
}

#[test]
fn what_does_not_hold_is_not_rotated() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (_, text) = issue(&tokens, TokenKind::Refresh, "u");
    refused(&vault, "wrong_kind", || tokens.rotate(&text, TokenKind::Session, GRACE));
    let (_, link) = issue(&tokens, TokenKind::MagicLink, "u");
    refused(&vault, "wrong_kind", || tokens.rotate(&link, TokenKind::MagicLink, GRACE));
    let within = vault.transaction(|tx| tx.tokens().rotate(&text, TokenKind::Refresh, GRACE));
    assert_eq!(within.unwrap_err().kind(), ErrorKind::Refused);
    tokens.revoke_subject("u").unwrap();
    refused(&vault, "subject_revoked", || rotate(&tokens, &text));
    let day = Duration::from_secs(86_400);
    let longer = day + Duration::from_millis(1);
    let long = tokens.rotate(&text, TokenKind::Refresh, longer).unwrap_err();
    assert_eq!(long.kind(), ErrorKind::InvalidInput);
    let (_, text) = issue(&tokens, TokenKind::Refresh, "v");
    tokens.rotate(&text, TokenKind::Refresh, day).unwrap();
}

#[test]
fn of_many_rotations_at_once_all_get_the_same_successor() {
    let home = Home::new();
    let vault = home.create();
    let (_, text) = issue(&vault.tokens(), TokenKind::Refresh, "u");
    let texts: Vec<String> = std::thread::scope(|scope| {
        let one = || rotate(&vault.tokens(), &text).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(texts.iter().all(|text| *text == texts[0]));
    assert_eq!(entries(&vault, "token.rotated"), 1);
}
