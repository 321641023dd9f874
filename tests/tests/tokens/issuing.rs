//! What is issued, and what each kind is accepted for.

use std::collections::HashSet;
use std::time::Duration;

use sealite::{
    CodeRequest, ErrorKind, ExposeSecret, TokenCheck, TokenFilter, TokenKind, TokenRequest, Vault,
};
use sealite_tests::vaults::{Home, plain};

use super::{KINDS, entries, issue, refused};

#[test]
fn a_token_is_accepted_for_its_own_kind_and_no_other() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    for kind in KINDS.iter().copied() {
        let (issued, text) = issue(&tokens, kind, "u");
        if kind == TokenKind::BreakGlass {
            tokens.arm(issued.token.id(), "a drill", Duration::from_secs(60)).unwrap();
        }
        for other in KINDS.iter().copied().filter(|other| *other != kind) {
            refused(&vault, "wrong_kind", || tokens.verify(&text, other));
            refused(&vault, "wrong_kind", || tokens.consume(&text, other));
        }
        let once = kind.default_uses().is_some() || kind == TokenKind::BreakGlass;
        if once {
            refused(&vault, "wrong_kind", || tokens.verify(&text, kind));
            assert_eq!(tokens.consume(&text, kind).unwrap().kind(), kind);
        } else {
            assert_eq!(tokens.verify(&text, kind).unwrap().kind(), kind);
            refused(&vault, "wrong_kind", || tokens.consume(&text, kind));
        }
    }
}

#[test]
fn what_is_issued_reads_back() {
    let vault = Vault::in_memory().unwrap();
    let request = TokenRequest::new(TokenKind::ApiKey)
        .subject("service-7")
        .label("nightly job")
        .scope("orders:read")
        .scope("orders:write")
        .scope("orders:read")
        .limits("30/minute, 1000 per day")
        .data(r#"{"team":"ops"}"#)
        .prefix("acmekey")
        .expires_in(Duration::from_secs(3_600));
    let issued = vault.tokens().issue(&request).unwrap();
    let text = issued.text.expose_secret();
    assert!(text.starts_with("acmekey_"));
    let token = vault.tokens().verify(text, TokenKind::ApiKey).unwrap();
    assert_eq!(token.id(), issued.token.id());
    assert_eq!(token.id().len(), 24);
    assert_eq!(token.subject(), Some("service-7"));
    assert_eq!(token.label(), Some("nightly job"));
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["orders:read", "orders:write"]);
    assert!(token.has_scope("orders:write") && !token.has_scope("orders"));
    assert_eq!(token.data(), Some(r#"{"team":"ops"}"#));
    assert_eq!(token.expires_at(), Some(token.created_at() + 3_600_000));
    assert_eq!(token.quota_limits().unwrap().len(), 2);
    assert_eq!(token.prefix(), "acmekey");
    assert_eq!(token.quota_key(), format!("token:{}", token.id()));
    assert!(!token.is_imported() && token.enabled());
    let decision =
        vault.quotas().check_and_charge(&token.quota_key(), &token.quota_limits().unwrap(), 1);
    assert!(decision.unwrap().allowed);
    assert_eq!(entries(&vault, "token.issued"), 1);
}

#[test]
fn a_missing_scope_is_denied_and_not_a_rejection() {
    let vault = Vault::in_memory().unwrap();
    let request = TokenRequest::new(TokenKind::ApiKey).scope("read");
    let text = vault.tokens().issue(&request).unwrap().text;
    let check = |scope: &str| TokenCheck::kind(TokenKind::ApiKey).scope("read").scope(scope);
    vault.tokens().verify(text.expose_secret(), check("read")).unwrap();
    let denied = vault.tokens().verify(text.expose_secret(), check("write")).unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
}

#[test]
fn nothing_that_is_issued_shows_its_secret() {
    let vault = Vault::in_memory().unwrap();
    let (issued, text) = issue(&vault.tokens(), TokenKind::Session, "ada@example.org");
    let secret = &text[text.len() - 60..];
    let shown = format!("{issued:?} {:?} {:?}", issued.token, vault.tokens());
    assert!(!shown.contains(secret) && !shown.contains("ada@"), "{shown}");
    let tail = vault.audit().tail(100).unwrap();
    assert!(tail.iter().all(|entry| !entry.payload().unwrap_or_default().contains(secret)));
    // What a log is to show is there: the kind, and the id that names it.
    let id = issued.token.id();
    assert_eq!(format!("{issued:?}"), format!("IssuedToken(session, {id})"));
    assert_eq!(format!("{:?}", issued.token), format!("Token(session, {id})"));
    assert_eq!(format!("{:?}", vault.tokens()), "Tokens");
    let request = TokenRequest::new(TokenKind::Session).subject("ada@example.org").data("7");
    assert_eq!(format!("{request:?}"), "TokenRequest(session)");
    let request = CodeRequest::new("ada@example.org").label("ada@example.org");
    assert_eq!(format!("{request:?}"), "CodeRequest(6 digits)");
}

#[test]
fn a_check_accepts_every_kind_that_it_names_and_no_other() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (_, session) = issue(&tokens, TokenKind::Session, "u");
    let (_, key) = issue(&tokens, TokenKind::ApiKey, "u");
    let (_, admin) = issue(&tokens, TokenKind::Admin, "u");
    let either = TokenCheck::kind(TokenKind::Session).or(TokenKind::ApiKey).or(TokenKind::Session);
    let kinds = [TokenKind::Session, TokenKind::ApiKey, TokenKind::Session];
    for check in [either, TokenCheck::from(kinds.as_slice())] {
        tokens.verify(&session, check.clone()).unwrap();
        tokens.verify(&key, check.clone()).unwrap();
        refused(&vault, "wrong_kind", || tokens.verify(&admin, check.clone()));
    }
    let none: &[TokenKind] = &[];
    refused(&vault, "wrong_kind", || tokens.verify(&session, none));
}

#[test]
fn every_call_is_counted() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let counts = || {
        let metrics = vault.metrics();
        (metrics.tokens_issued, metrics.tokens_verified, metrics.tokens_consumed)
    };
    let (_, session) = issue(&tokens, TokenKind::Refresh, "u");
    let (_, link) = issue(&tokens, TokenKind::MagicLink, "u");
    assert_eq!(counts(), (2, 0, 0));
    tokens.verify(&session, TokenKind::Refresh).unwrap();
    tokens.peek(&link, TokenKind::MagicLink).unwrap();
    assert_eq!(counts(), (2, 1, 0));
    tokens.consume(&link, TokenKind::MagicLink).unwrap();
    assert_eq!(counts(), (2, 1, 1));
    tokens.rotate(&session, TokenKind::Refresh, Duration::ZERO).unwrap();
    let code = tokens.issue_code(&CodeRequest::new("u")).unwrap();
    assert_eq!(counts(), (4, 1, 1));
    tokens.verify_code(code.token.id(), code.code.expose_secret()).unwrap();
    assert!(tokens.verify(&link, TokenKind::MagicLink).is_err());
    assert_eq!(counts(), (4, 1, 2));
}

#[test]
fn a_locked_vault_says_so_and_rejects_no_token() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (issued, session) = issue(&tokens, TokenKind::Session, "u");
    let rejected = || vault.metrics().tokens_rejected;
    let before = rejected();
    vault.lock();
    for answer in [
        tokens.verify(&session, TokenKind::Session),
        tokens.peek(&session, TokenKind::Session),
        tokens.consume(&session, TokenKind::Session),
        tokens.verify_code(issued.token.id(), "123456"),
        tokens.get(issued.token.id()),
    ] {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Locked);
    }
    assert_eq!(rejected(), before);
}

#[test]
fn neither_the_secret_nor_the_subject_is_in_the_file() {
    let home = Home::new();
    let vault = home.create();
    let mut texts = Vec::new();
    for kind in KINDS.iter().copied() {
        texts.push(issue(&vault.tokens(), kind, "ada@example.org").1);
    }
    vault.close();
    let bytes = std::fs::read(home.file()).unwrap();
    let holds = |needle: &str| bytes.windows(needle.len()).any(|at| at == needle.as_bytes());
    assert!(!holds("ada@example.org"));
    for text in texts {
        assert!(!holds(&text) && !holds(&text[text.len() - 40..]), "a token's text is in the file");
    }
    let owners: HashSet<String> = plain(&home.file())
        .prepare("SELECT owner FROM sealite_tokens_sealed")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(owners.len(), 1, "one subject, under one MAC");
}

#[test]
fn requests_out_of_bounds_are_refused() {
    let vault = Vault::in_memory().unwrap();
    let session = || TokenRequest::new(TokenKind::Session);
    let long = "x".repeat(257);
    for bad in [
        session().subject(""),
        session().subject(&long),
        session().label(&long),
        session().scope(""),
        session().scope("two words"),
        session().scope("quote\""),
        session().scope("é"),
        session().limits("often"),
        session().data("{"),
        session().prefix("Upper"),
        session().prefix(""),
        session().family("no id"),
        session().expires_in(Duration::ZERO),
        session().expires_in(Duration::MAX),
        session().idle(Duration::from_secs(9)),
        session().uses(0),
        session().replace_older(),
        TokenRequest::new(TokenKind::BreakGlass).uses(1),
        TokenRequest::new(TokenKind::Refresh).uses(1),
        TokenRequest::new(TokenKind::ShortCode).subject("u"),
    ] {
        let error = vault.tokens().issue(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    let error = vault.tokens().issue(&session().data(format!("\"{}\"", "x".repeat(1 << 14))));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Limit);
    let mut many = session();
    for scope in 0..65 {
        many = many.scope(format!("s{scope}"));
    }
    assert_eq!(vault.tokens().issue(&many).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn a_tenant_reaches_no_token_but_its_own() {
    let vault = Vault::in_memory().unwrap();
    let (acme, beta) = (vault.tenant("acme").unwrap(), vault.tenant("beta").unwrap());
    let (issued, text) = issue(&acme.tokens(), TokenKind::Session, "u");
    let id = issued.token.id();
    assert!(acme.tokens().verify(&text, TokenKind::Session).is_ok());
    for other in [vault.tokens(), beta.tokens()] {
        refused(&vault, "unknown", || other.verify(&text, TokenKind::Session));
        assert_eq!(other.get(id).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(other.revoke(id).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(other.revoke_family(id).unwrap(), 0);
        other.revoke_subject("u").unwrap();
        assert!(other.list(&TokenFilter::new()).unwrap().is_empty());
    }
    assert!(acme.tokens().verify(&text, TokenKind::Session).is_ok());
    beta.transaction(|tx| {
        assert!(tx.tokens().verify(&text, TokenKind::Session).is_err());
        Ok(())
    })
    .unwrap();
    acme.transaction(|tx| tx.tokens().revoke(id).map(|_| ())).unwrap();
    refused(&vault, "revoked", || acme.tokens().verify(&text, TokenKind::Session));
}

#[test]
fn what_is_issued_in_a_transaction_is_there_when_it_commits() {
    let vault = Vault::in_memory().unwrap();
    let mut lost = String::new();
    let rolled_back: sealite::Result<()> = vault.transaction(|tx| {
        lost = issue(&tx.tokens(), TokenKind::Session, "u").1;
        tx.tokens().verify(&lost, TokenKind::Session)?;
        tx.execute("no SQL", &[]).map(|_| ())
    });
    assert!(rolled_back.is_err());
    refused(&vault, "unknown", || vault.tokens().verify(&lost, TokenKind::Session));
    let kept = vault.transaction(|tx| Ok(issue(&tx.tokens(), TokenKind::Session, "u").1)).unwrap();
    vault.tokens().verify(&kept, TokenKind::Session).unwrap();
}
