//! CSRF tokens of a session.

use sealite::{ErrorKind, TokenKind, Vault};

use super::{issue, refused};

#[test]
fn a_csrf_token_holds_for_its_own_session_and_no_other() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (_, mine) = issue(&tokens, TokenKind::Session, "u");
    let (_, other) = issue(&tokens, TokenKind::Session, "u");
    let (first, second) = (tokens.csrf(&mine).unwrap(), tokens.csrf(&mine).unwrap());
    assert_ne!(first, second, "another one with each call");
    for csrf in [&first, &second] {
        assert_eq!(csrf.len(), 86);
        assert!(tokens.check_csrf(&mine, csrf));
        assert!(!tokens.check_csrf(&other, csrf));
    }
    assert!(!tokens.check_csrf(&mine, &tokens.csrf(&other).unwrap()));
    for bad in ["", "xyzzy", &mine, &first[1..], &format!("{first}A")] {
        assert!(!tokens.check_csrf(&mine, bad), "{bad}");
    }
}

#[test]
fn what_is_no_session_has_no_csrf_token() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (_, session) = issue(&tokens, TokenKind::Session, "u");
    let csrf = tokens.csrf(&session).unwrap();
    for bad in ["", "session", &session[1..], &session.to_uppercase()] {
        refused(&vault, "malformed", || tokens.csrf(bad));
        assert!(!tokens.check_csrf(bad, &csrf), "{bad}");
    }
    // Nothing is looked up: a locked vault gives one, and whoever has verified the session first has been refused.
    vault.lock();
    assert!(tokens.check_csrf(&session, &csrf));
    let locked = tokens.verify(&session, TokenKind::Session).unwrap_err();
    assert_eq!(locked.kind(), ErrorKind::Locked);
}
