//! What can't be provoked through the public calls.

#![allow(clippy::unwrap_used)]

use crate::keys::ring::{Owner, Purpose};
use crate::secret::ExposeSecret;
use crate::table::session::Session;
use crate::token::definition::column;
use crate::{ErrorKind, TokenKind, TokenRequest, Vault};

/// The id of the key that hashes what is issued now.
fn key_in_use(vault: &Vault) -> u32 {
    Session::run(vault.engine(), |session| {
        let key = session.state().ring.token_key(session.conn(), None)?;
        Ok(key.unwrap().pepper(None)?.id)
    })
    .unwrap()
}

#[test]
fn a_new_pepper_invalidates_nothing_and_hashes_what_is_issued_from_then_on() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let session = TokenRequest::new(TokenKind::Session).subject("ada");
    let invite = TokenRequest::new(TokenKind::Invite);
    let (old, once) = (tokens.issue(&session).unwrap(), tokens.issue(&invite).unwrap());
    let first = key_in_use(&vault);

    Session::run(vault.engine(), |session| session.succeed_key(Owner::of(Purpose::Token, None)))
        .unwrap();
    let second = key_in_use(&vault);
    assert_ne!(first, second);

    let new = tokens.issue(&session).unwrap();
    for (issued, key) in [(&old, first), (&new, second)] {
        let token = tokens.verify(issued.text.expose_secret(), TokenKind::Session).unwrap();
        assert_eq!(token.integer(column::KEY), Some(i64::from(key)));
    }
    tokens.consume(once.text.expose_secret(), TokenKind::Invite).unwrap();
    // A successor is under the key in use, whatever the token's own was.
    let grace = std::time::Duration::from_secs(60);
    let next = tokens.rotate(old.text.expose_secret(), TokenKind::Session, grace).unwrap();
    let again = tokens.rotate(old.text.expose_secret(), TokenKind::Session, grace).unwrap();
    assert_eq!(next.text.expose_secret(), again.text.expose_secret());
    let next = tokens.verify(next.text.expose_secret(), TokenKind::Session).unwrap();
    assert_eq!(next.integer(column::KEY), Some(i64::from(second)));
    tokens.revoke_subject("ada").unwrap();
    for issued in [&old, &new, &again] {
        let refused = tokens.verify(issued.text.expose_secret(), TokenKind::Session).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TokenRejected);
    }
}
