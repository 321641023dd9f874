//! What is issued, and what each kind is accepted for.

use std::collections::HashSet;
use std::time::Duration;

use sealite::{ErrorKind, ExposeSecret, TokenCheck, TokenFilter, TokenKind, TokenRequest, Vault};
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

#[test]
fn lists_and_purges_go_by_what_has_ended() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let start = issue(&tokens, TokenKind::ApiKey, "u").0.token.created_at();
    let (session, _) = issue(&tokens, TokenKind::Session, "u");
    issue(&tokens, TokenKind::Session, "v");
    let (link, text) = issue(&tokens, TokenKind::MagicLink, "u");
    tokens.consume(&text, TokenKind::MagicLink).unwrap();
    tokens.revoke(session.token.id()).unwrap();
    let count = |filter: TokenFilter| tokens.list(&filter).unwrap().len();
    assert_eq!(count(TokenFilter::new()), 4);
    assert_eq!(count(TokenFilter::new().subject("u")), 3);
    assert_eq!(count(TokenFilter::new().subject("nobody")), 0);
    assert_eq!(count(TokenFilter::new().kind(TokenKind::Session)), 2);
    assert_eq!(count(TokenFilter::new().active()), 2);
    assert_eq!(count(TokenFilter::new().limit(1)), 1);
    tokens.revoke_subject("v").unwrap();
    assert_eq!(count(TokenFilter::new().active()), 1);
    vault.set_clock(Some(start + 3_600_000));
    assert_eq!(tokens.purge(Duration::from_secs(3_500)).unwrap(), 1, "the revoked session");
    assert_eq!(
        tokens.purge(Duration::from_secs(60)).unwrap(),
        1,
        "the link, 15 minutes after its issue"
    );
    assert_eq!(tokens.get(link.token.id()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(count(TokenFilter::new()), 2);
    let (acme, beta) = (vault.tenant("acme").unwrap(), vault.tenant("beta").unwrap());
    for tenant in [&acme, &beta] {
        let (issued, _) = issue(&tenant.tokens(), TokenKind::Session, "u");
        tenant.tokens().revoke(issued.token.id()).unwrap();
    }
    vault.set_clock(Some(start + 7_200_000));
    assert_eq!(acme.tokens().purge(Duration::from_secs(1)).unwrap(), 1, "a tenant's own");
    assert_eq!(tokens.purge(Duration::from_secs(1)).unwrap(), 1, "and of every tenant");
}
