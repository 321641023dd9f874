//! What can't be provoked through the public calls.

#![allow(clippy::unwrap_used)]

use crate::keys::ring::{Owner, Purpose as KeyPurpose};
use crate::secret::ExposeSecret;
use crate::table::session::Session;
use crate::token::check::{Purpose, Rejection, refusal};
use crate::token::definition::column;
use crate::token::presented::Presented;
use crate::token::text::{format, parse};
use crate::{CodeRequest, ErrorKind, LegacyEntry, TokenKind, TokenRequest, Vault};

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

    Session::run(vault.engine(), |session| session.succeed_key(Owner::of(KeyPurpose::Token, None)))
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

/// Somebody who knows a public id, from a log or a list, and makes a text around it that has every digit of the form.
#[test]
fn a_text_with_the_right_id_and_another_secret_or_prefix_is_refused() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let issued = tokens.issue(&TokenRequest::new(TokenKind::Session).subject("ada")).unwrap();
    let invite = tokens.issue(&TokenRequest::new(TokenKind::Invite)).unwrap();
    let wrong = || {
        let counts = vault.metrics().tokens_rejected;
        counts.iter().find(|(reason, _)| *reason == "wrong_secret").unwrap().1
    };
    for (issued, kind) in [(&issued, TokenKind::Session), (&invite, TokenKind::Invite)] {
        let text = issued.text.expose_secret();
        let good = parse(text).unwrap();
        let mut secrets = vec![[0; 32], [0xff; 32]];
        secrets.extend([0, 31].map(|at: usize| {
            let mut near = *good.secret;
            near[at] ^= 1;
            near
        }));
        let mut forged: Vec<_> =
            secrets.iter().map(|secret| format(good.prefix, &good.id, secret)).collect();
        forged.push(format("other", &good.id, &good.secret));
        for text in forged {
            let text = text.expose_secret();
            let before = wrong();
            for answer in [
                tokens.verify(text, kind),
                tokens.peek(text, kind),
                tokens.consume(text, kind),
                tokens.rotate(text, kind, std::time::Duration::ZERO).map(|issued| issued.token),
            ] {
                assert_eq!(answer.unwrap_err().kind(), ErrorKind::TokenRejected);
            }
            assert_eq!(wrong(), before + 4);
        }
    }
    tokens.verify(issued.text.expose_secret(), TokenKind::Session).unwrap();
    tokens.consume(invite.text.expose_secret(), TokenKind::Invite).unwrap();
}

#[test]
fn a_text_that_is_too_long_or_has_the_form_of_a_token_is_not_looked_up() {
    let foreign = |text: &str| matches!(Presented::read(text), Some(Presented::Foreign(..)));
    let long = "x".repeat(1_024);
    let (hex, words) = ("0123456789abcdef".repeat(6), "of-old_".repeat(12));
    for text in ["x", "admin", &long, &hex, &words] {
        assert!(foreign(text), "{text}");
    }
    let shaped = format("slses", &[1; 12], &[2; 32]);
    let (shaped, longer) = (shaped.expose_secret(), format!("{long}x"));
    let misspelt = format!("{}0", &shaped[..shaped.len() - 1]);
    for text in ["", &longer, &misspelt] {
        assert!(Presented::read(text).is_none(), "{text}");
    }
    assert!(matches!(Presented::read(shaped), Some(Presented::Ours(_))));
}

#[test]
fn an_imported_token_has_the_hash_of_its_text_from_its_first_use_on() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let entry = |text| LegacyEntry::from_token(TokenKind::Admin, text).unwrap();
    tokens.import(&[entry("an old token")]).unwrap();
    let scheme = || {
        let all = tokens.list(&crate::TokenFilter::new()).unwrap();
        all[0].integer(column::SCHEME)
    };
    assert_eq!(scheme(), Some(2));
    for _ in 0..2 {
        tokens.verify("an old token", TokenKind::Admin).unwrap();
        assert_eq!(scheme(), Some(3));
    }
}

#[test]
fn a_short_code_holds_for_nothing_but_its_own_check() {
    let vault = Vault::in_memory().unwrap();
    let issued = vault.tokens().issue_code(&CodeRequest::new("ada")).unwrap();
    let token = &issued.token;
    let epoch = token.integer(column::EPOCH);
    let refused = |purpose| refusal(token, epoch, token.created_at(), purpose).map(Rejection::name);
    for purpose in [Purpose::Verify, Purpose::Peek, Purpose::Consume, Purpose::Rotate] {
        assert_eq!(refused(purpose), Some("wrong_kind"));
    }
    assert_eq!(refused(Purpose::Code), None);
    let used = vault.tokens().verify_code(token.id(), issued.code.expose_secret()).unwrap();
    assert_eq!(used.uses_left(), Some(0));
}

#[test]
fn a_token_has_the_scopes_that_it_was_issued_with_and_no_other() {
    let vault = Vault::in_memory().unwrap();
    let request = TokenRequest::new(TokenKind::ApiKey);
    assert_eq!(vault.tokens().issue(&request).unwrap().token.scopes().count(), 0);
    let request = request.scope("orders:write").scope("orders:read").scope("orders:write");
    let token = vault.tokens().issue(&request).unwrap().token;
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["orders:read", "orders:write"]);
    assert!(token.has_scope("orders:write") && !token.has_scope("orders") && !token.has_scope(""));
}

#[test]
fn revoking_a_kind_is_in_the_trail_where_it_has_revoked_something() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let recorded = || {
        let entries = vault.audit().tail(100).unwrap();
        entries.iter().filter(|entry| entry.event() == "token.kind_revoked").count()
    };
    assert_eq!(tokens.revoke_kind("ada", TokenKind::Session, None).unwrap(), 0);
    assert_eq!(recorded(), 0);
    let session = TokenRequest::new(TokenKind::Session).subject("ada");
    let _ = (tokens.issue(&session).unwrap(), tokens.issue(&session).unwrap());
    assert_eq!(tokens.revoke_kind("ada", TokenKind::Session, None).unwrap(), 2);
    assert_eq!(recorded(), 1);
    assert_eq!(tokens.revoke_kind("ada", TokenKind::Session, None).unwrap(), 0);
    assert_eq!(recorded(), 1);
}
