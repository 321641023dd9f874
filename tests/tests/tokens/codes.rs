//! Short codes: few digits, few attempts.

use std::time::Duration;

use sealite::{CodeRequest, ErrorKind, ExposeSecret, TokenKind, Vault};

use super::{entries, issue, refused};

#[test]
fn a_code_is_accepted_once_and_only_under_its_id() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let request = CodeRequest::new("u").label("log-in").data(r#"{"ip":1}"#).attempts(10);
    let request = request.expires_in(Duration::from_secs(86_400));
    for digits in [6, 10] {
        let issued = tokens.issue_code(&request.clone().digits(digits)).unwrap();
        let code = issued.code.expose_secret();
        assert_eq!(code.len(), usize::from(digits));
        assert!(code.bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(format!("{issued:?}"), format!("IssuedCode({})", issued.token.id()));
        refused(&vault, "unknown", || tokens.verify_code(&"0".repeat(24), code));
        refused(&vault, "malformed", || tokens.verify_code("", code));
        let token = tokens.verify_code(issued.token.id(), code).unwrap();
        assert_eq!((token.subject(), token.label()), (Some("u"), Some("log-in")));
        assert_eq!((token.data(), token.attempts_left()), (Some(r#"{"ip":1}"#), Some(9)));
        assert_eq!(token.expires_at(), Some(token.created_at() + 86_400_000));
        refused(&vault, "used_up", || tokens.verify_code(issued.token.id(), code));
    }
}

#[test]
fn every_wrong_attempt_counts_and_the_last_ends_the_code() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let issued = tokens.issue_code(&CodeRequest::new("u").attempts(3)).unwrap();
    let (id, code) = (issued.token.id(), issued.code.expose_secret());
    let wrong = if code == "123456" { "123457" } else { "123456" };
    let texts = [wrong, "", "12345678901234567890"];
    for (left, text) in [2, 1, 0].into_iter().zip(texts) {
        refused(&vault, "wrong_secret", || tokens.verify_code(id, text));
        assert_eq!(tokens.get(id).unwrap().attempts_left(), Some(left));
    }
    refused(&vault, "attempts", || tokens.verify_code(id, code));
    assert_eq!(entries(&vault, "token.code_failed"), 3);
}

#[test]
fn a_transaction_can_not_give_an_attempt_back() {
    let vault = Vault::in_memory().unwrap();
    let issued = vault.tokens().issue_code(&CodeRequest::new("u")).unwrap();
    let (id, code) = (issued.token.id(), issued.code.expose_secret());
    let transaction = vault.begin().unwrap();
    for tokens in [transaction.tokens(), vault.tokens()] {
        let error = tokens.verify_code(id, code).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        let error = tokens.issue_code(&CodeRequest::new("u")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
    }
    transaction.roll_back().unwrap();
    assert_eq!(vault.tokens().get(id).unwrap().attempts_left(), Some(5));
    vault.tokens().verify_code(id, code).unwrap();
}

#[test]
fn a_newer_code_cancels_the_older_one_and_time_ends_both() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let first = tokens.issue_code(&CodeRequest::new("u")).unwrap();
    let second = tokens.issue_code(&CodeRequest::new("u")).unwrap();
    let third = tokens.issue_code(&CodeRequest::new("u").keep_older()).unwrap();
    refused(&vault, "revoked", || tokens.verify_code(first.token.id(), first.code.expose_secret()));
    tokens.verify_code(third.token.id(), third.code.expose_secret()).unwrap();
    vault.set_clock(Some(second.token.created_at() + 600_000));
    refused(&vault, "expired", || {
        tokens.verify_code(second.token.id(), second.code.expose_secret())
    });
    let (other, text) = issue(&tokens, TokenKind::Session, "u");
    refused(&vault, "wrong_kind", || tokens.verify_code(other.token.id(), &text));
    tokens.revoke_subject("u").unwrap();
}

#[test]
fn codes_out_of_bounds_are_refused() {
    let vault = Vault::in_memory().unwrap();
    let new = || CodeRequest::new("u");
    let day = Duration::from_millis(86_400_001);
    for bad in [
        CodeRequest::new(""),
        new().digits(5),
        new().digits(11),
        new().attempts(0),
        new().attempts(11),
        new().expires_in(day),
        new().expires_in(Duration::ZERO),
        new().data("{"),
    ] {
        let error = vault.tokens().issue_code(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
