//! Revoked is revoked: in every process, through every kind, for good.

use std::time::Duration;

use sealite::{ErrorKind, TokenKind, TokenRequest, Vault};
use sealite_tests::process::{listen, staged, tell};
use sealite_tests::vaults::{Home, open_in};

use super::{KINDS, entries, issue, refused};

#[test]
fn a_revoked_subject_has_no_valid_token_and_a_new_log_in_revives_none() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let mut old = Vec::new();
    for kind in KINDS.iter().copied() {
        let (issued, text) = issue(&tokens, kind, "u");
        if kind == TokenKind::BreakGlass {
            tokens.arm(issued.token.id(), "a drill", Duration::from_secs(60)).unwrap();
        }
        old.push((kind, text));
    }
    let (_, others) = issue(&tokens, TokenKind::Session, "v");
    tokens.revoke_subject("u").unwrap();
    let all_refused = || {
        for (kind, text) in &old {
            let once = kind.default_uses().is_some() || *kind == TokenKind::BreakGlass;
            refused(&vault, "subject_revoked", || {
                if once { tokens.consume(text, *kind) } else { tokens.verify(text, *kind) }
            });
        }
    };
    all_refused();
    let (_, new) = issue(&tokens, TokenKind::Session, "u");
    tokens.verify(&new, TokenKind::Session).unwrap();
    all_refused();
    tokens.verify(&others, TokenKind::Session).unwrap();
    tokens.revoke_subject("u").unwrap();
    refused(&vault, "subject_revoked", || tokens.verify(&new, TokenKind::Session));
    all_refused();
    assert_eq!(entries(&vault, "token.subject_revoked"), 2);
}

#[test]
fn one_a_kind_or_a_family_is_revoked_alone() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (first, first_text) = issue(&tokens, TokenKind::Session, "u");
    let (second, second_text) = issue(&tokens, TokenKind::Session, "u");
    let (_, third_text) = issue(&tokens, TokenKind::Session, "u");
    let (_, key) = issue(&tokens, TokenKind::ApiKey, "u");
    assert!(tokens.revoke(first.token.id()).unwrap());
    assert!(!tokens.revoke(first.token.id()).unwrap(), "it is already");
    refused(&vault, "revoked", || tokens.verify(&first_text, TokenKind::Session));
    let kept = Some(second.token.id());
    assert_eq!(tokens.revoke_kind("u", TokenKind::Session, kept).unwrap(), 1);
    assert_eq!(tokens.revoke_kind("u", TokenKind::Session, kept).unwrap(), 0, "they are already");
    assert_eq!(entries(&vault, "token.kind_revoked"), 1);
    refused(&vault, "revoked", || tokens.verify(&third_text, TokenKind::Session));
    tokens.verify(&second_text, TokenKind::Session).unwrap();
    tokens.verify(&key, TokenKind::ApiKey).unwrap();

    let (refresh, refresh_text) = issue(&tokens, TokenKind::Refresh, "u");
    let family = refresh.token.family().unwrap();
    let access = TokenRequest::new(TokenKind::Session).subject("u").family(family);
    let access = tokens.issue(&access).unwrap();
    assert_eq!(tokens.revoke_family(family).unwrap(), 2);
    assert_eq!(tokens.revoke_family(family).unwrap(), 0, "they are already");
    assert_eq!(entries(&vault, "token.family_revoked"), 1);
    refused(&vault, "revoked", || tokens.verify(&refresh_text, TokenKind::Refresh));
    let gone = TokenRequest::new(TokenKind::Session).subject("u").family(family);
    assert_eq!(tokens.issue(&gone).unwrap_err().kind(), ErrorKind::NotFound);
    drop(access);
    let nobody = "0".repeat(24);
    assert_eq!(tokens.revoke(&nobody).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(tokens.revoke("").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_disabled_token_is_refused_until_it_is_enabled() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (issued, text) = issue(&tokens, TokenKind::Admin, "u");
    assert!(tokens.disable(issued.token.id()).unwrap());
    assert!(!tokens.disable(issued.token.id()).unwrap());
    refused(&vault, "disabled", || tokens.verify(&text, TokenKind::Admin));
    assert!(tokens.enable(issued.token.id()).unwrap());
    tokens.verify(&text, TokenKind::Admin).unwrap();
}

#[test]
fn issuing_anew_can_cancel_what_is_still_out() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (_, first) = issue(&tokens, TokenKind::Reset, "u");
    let (_, session) = issue(&tokens, TokenKind::Session, "u");
    let (_, others) = issue(&tokens, TokenKind::Reset, "v");
    let request = TokenRequest::new(TokenKind::Reset).subject("u").replace_older();
    tokens.issue(&request).unwrap();
    refused(&vault, "revoked", || tokens.consume(&first, TokenKind::Reset));
    tokens.verify(&session, TokenKind::Session).unwrap();
    tokens.consume(&others, TokenKind::Reset).unwrap();
}

#[test]
fn whoever_goes_on_with_a_revoked_token_is_in_the_trail_once_a_minute() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (issued, text) = issue(&tokens, TokenKind::Session, "u");
    tokens.revoke(issued.token.id()).unwrap();
    for _ in 0..5 {
        refused(&vault, "revoked", || tokens.verify(&text, TokenKind::Session));
    }
    assert_eq!(entries(&vault, "token.rejected"), 1);
    let tail = vault.audit().tail(1).unwrap();
    assert!(tail[0].payload().unwrap().contains("\"reason\":\"revoked\""));
    assert_eq!(tail[0].subject(), Some("u"));
    vault.set_clock(Some(issued.token.created_at() + 120_000));
    refused(&vault, "revoked", || tokens.verify(&text, TokenKind::Session));
    assert_eq!(entries(&vault, "token.rejected"), 2);
    // What nobody who holds a token has presented leaves no entry.
    let altered = text.replace("slses_", "slapi_");
    assert!(tokens.verify(&altered, TokenKind::Session).is_err());
    assert_eq!(entries(&vault, "token.rejected"), 2);
}

#[test]
fn a_revocation_holds_in_every_process_with_its_next_verification() {
    const TEST: &str = "revocation::a_revocation_holds_in_every_process_with_its_next_verification";
    staged(TEST, 120, |stage| {
        if stage.role() == "server" {
            let vault = open_in(&stage.path());
            while let Some(line) = listen() {
                let (kind, text) = line.split_once(' ').unwrap();
                let kind = TokenKind::from_name(kind).unwrap();
                tell(if vault.tokens().verify(text, kind).is_ok() { "valid" } else { "refused" });
            }
            return;
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let mut servers: Vec<_> = (0..3).map(|_| stage.process("server", home.folder())).collect();
        let mut ask = |kind: TokenKind, text: &str, expected: &str| {
            for server in &mut servers {
                server.say(&format!("{} {text}", kind.name()));
                assert_eq!(server.hear(), expected);
            }
        };
        let kinds = [TokenKind::Session, TokenKind::Refresh, TokenKind::ApiKey];
        for _ in 0..5 {
            let texts = kinds.map(|kind| (kind, issue(&vault.tokens(), kind, "u").1));
            for (kind, text) in &texts {
                ask(*kind, text, "valid");
            }
            vault.tokens().revoke_subject("u").unwrap();
            for (kind, text) in &texts {
                ask(*kind, text, "refused");
            }
            let (issued, text) = issue(&vault.tokens(), TokenKind::Session, "u");
            ask(TokenKind::Session, &text, "valid");
            vault.tokens().revoke(issued.token.id()).unwrap();
            ask(TokenKind::Session, &text, "refused");
        }
    });
}
