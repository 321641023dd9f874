//! Expiry, idle time and last use follow a clock that never goes back.

use std::time::Duration;

use sealite::{ExposeSecret, TokenKind, TokenRequest, Vault};
use sealite_tests::vaults::{Home, plain};

use super::{entries, issue, refused};

#[test]
fn a_token_holds_from_its_first_to_its_last_millisecond() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let request = TokenRequest::new(TokenKind::Session)
        .not_before_in(Duration::from_secs(10))
        .expires_in(Duration::from_secs(60));
    let issued = tokens.issue(&request).unwrap();
    let (start, text) = (issued.token.created_at(), issued.text.expose_secret());
    let verify = || tokens.verify(text, TokenKind::Session);
    refused(&vault, "not_yet_valid", verify);
    vault.set_clock(Some(start + 9_999));
    refused(&vault, "not_yet_valid", verify);
    vault.set_clock(Some(start + 10_000));
    verify().unwrap();
    vault.set_clock(Some(start + 59_999));
    verify().unwrap();
    vault.set_clock(Some(start + 60_000));
    refused(&vault, "expired", verify);
}

#[test]
fn a_clock_that_steps_back_revives_nothing() {
    let home = Home::new();
    let vault = home.create();
    let request = TokenRequest::new(TokenKind::Session).expires_in(Duration::from_secs(600));
    let seen = vault.tokens().issue(&request).unwrap();
    let unseen = vault.tokens().issue(&request).unwrap();
    let start = seen.token.created_at();
    vault.set_clock(Some(start + 700_000));
    refused(&vault, "expired", || {
        vault.tokens().verify(seen.text.expose_secret(), TokenKind::Session)
    });
    for clock in [start + 1_000, start - 1_000_000] {
        vault.set_clock(Some(clock));
        for issued in [&seen, &unseen] {
            let text = issued.text.expose_secret();
            refused(&vault, "expired", || vault.tokens().verify(text, TokenKind::Session));
        }
    }
    vault.close();
    // The time is in the file: another process knows it, too.
    let vault = home.open();
    vault.set_clock(Some(start + 1_000));
    refused(&vault, "expired", || {
        vault.tokens().verify(unseen.text.expose_secret(), TokenKind::Session)
    });
    // Until somebody says that the clock is right.
    vault.accept_clock().unwrap();
    vault.tokens().verify(unseen.text.expose_secret(), TokenKind::Session).unwrap();
}

#[test]
fn what_time_ends_raises_the_clock_once_a_minute_and_leaves_no_entry() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let request = TokenRequest::new(TokenKind::Session);
    let ended = tokens.issue(&request.clone().expires_in(Duration::from_secs(60))).unwrap();
    let early = tokens.issue(&request.not_before_in(Duration::from_secs(3_600))).unwrap();
    let start = ended.token.created_at();
    let committed = || vault.metrics().committed;
    let mut before = committed();
    for (seconds, writes) in [(70, 1), (71, 0), (129, 0), (130, 1), (140, 0)] {
        vault.set_clock(Some(start + seconds * 1_000));
        refused(&vault, "expired", || {
            tokens.verify(ended.text.expose_secret(), TokenKind::Session)
        });
        assert_eq!(committed(), before + writes, "after {seconds} seconds");
        before = committed();
    }
    // Nor is anything written for one that is too early: a later clock does not end it.
    vault.set_clock(Some(start + 300_000));
    refused(&vault, "not_yet_valid", || {
        tokens.verify(early.text.expose_secret(), TokenKind::Session)
    });
    assert_eq!(committed(), before);
    assert_eq!(entries(&vault, "token.rejected"), 0);
}

#[test]
fn an_unused_session_ends_and_a_used_one_goes_on() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let request = TokenRequest::new(TokenKind::Session).idle(Duration::from_secs(100));
    let (used, unused) = (tokens.issue(&request).unwrap(), tokens.issue(&request).unwrap());
    let start = used.token.created_at();
    for seconds in [50, 100, 150, 249] {
        vault.set_clock(Some(start + seconds * 1_000));
        tokens.verify(used.text.expose_secret(), TokenKind::Session).unwrap();
    }
    refused(&vault, "idle", || tokens.verify(unused.text.expose_secret(), TokenKind::Session));
    vault.set_clock(Some(start + 349_000));
    refused(&vault, "idle", || tokens.verify(used.text.expose_secret(), TokenKind::Session));
}

#[test]
fn the_last_use_is_written_once_in_its_interval_and_nothing_else_is() {
    let home = Home::new();
    let vault = home.create();
    let (issued, text) = issue(&vault.tokens(), TokenKind::Session, "u");
    let (id, start) = (issued.token.id(), issued.token.created_at());
    let committed = || vault.metrics().committed;
    let last = || vault.tokens().get(id).unwrap().last_used_at();
    assert_eq!(last(), None);
    vault.set_clock(Some(start + 1_000));
    vault.tokens().verify(&text, TokenKind::Session).unwrap();
    assert_eq!(last(), Some(start + 1_000));
    let before = committed();
    for ms in 0..100 {
        vault.set_clock(Some(start + 1_001 + ms * 500));
        vault.tokens().verify(&text, TokenKind::Session).unwrap();
    }
    assert_eq!(committed(), before, "a token that holds costs no write");
    assert_eq!(last(), Some(start + 1_000));
    vault.set_clock(Some(start + 61_000));
    vault.tokens().verify(&text, TokenKind::Session).unwrap();
    assert_eq!(last(), Some(start + 61_000));
    assert_eq!(committed(), before + 1);
    let file = home.file();
    vault.close();
    let rows: i64 = plain(&file)
        .query_row("SELECT count(*) FROM sealite_tokens_sealed", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_verification_does_not_wait_for_somebody_who_writes() {
    let home = Home::new();
    let vault = home.create();
    let (_, text) = issue(&vault.tokens(), TokenKind::Session, "u");
    let transaction = vault.begin().unwrap();
    std::thread::scope(|scope| {
        let verify = || vault.tokens().verify(&text, TokenKind::Session).map(|_| ());
        scope.spawn(verify).join().unwrap().unwrap();
    });
    vault.tokens().verify(&text, TokenKind::Session).unwrap();
    transaction.commit().unwrap();
}
