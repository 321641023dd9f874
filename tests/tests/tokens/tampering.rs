//! What is edited in the file is refused, not believed.

use std::time::Duration;

use rusqlite::Connection;
use sealite::{ErrorKind, ExposeSecret, TokenKind, TokenRequest, Vault};
use sealite_tests::vaults::{Home, plain};

use super::{count, issue};

/// Edits the file of a closed vault, opens it and presents the token.
fn after(
    home: &Home,
    edit: impl FnOnce(&Connection),
    present: impl FnOnce(&Vault) -> sealite::Result<()>,
) -> u64 {
    let copy = Home::new_with_key_of(home);
    std::fs::copy(home.file(), copy.file()).unwrap();
    let conn = plain(&copy.file());
    edit(&conn);
    drop(conn);
    let vault = copy.open();
    let error = present(&vault).expect_err("an edited token");
    assert_eq!(error.kind(), ErrorKind::TokenRejected, "{error}");
    let tampered = count(&vault, "tampered");
    vault.close();
    tampered
}

#[test]
fn every_edited_column_that_decides_is_refused_as_tampered() {
    let home = Home::new();
    let vault = home.create();
    let request = TokenRequest::new(TokenKind::Invite)
        .subject("u")
        .scope("read")
        .uses(3)
        .expires_in(Duration::from_secs(600));
    let issued = vault.tokens().issue(&request).unwrap();
    let other = issue(&vault.tokens(), TokenKind::Session, "v").0;
    let text = issued.text.expose_secret().to_owned();
    let (id, other) = (issued.token.id().to_owned(), other.token.id().to_owned());
    vault.tokens().disable(&id).unwrap();
    vault.close();
    for set in [
        "enabled = 1",
        "scopes = 'read write'",
        "uses_left = 30",
        "expires_at = expires_at + 1",
        "expires_at = NULL",
        "not_before = 1",
        "kind = 'admin'",
        "epoch = epoch + 1",
        "epoch = NULL",
        "owner = NULL",
        "owner = (SELECT o.owner FROM sealite_tokens_sealed o WHERE o.kind = 'session')",
        "family = id",
        "armed_until = 9223372036854775807",
        "ended_at = NULL",
        "sealed = (SELECT o.sealed FROM sealite_tokens_sealed o WHERE o.kind = 'session')",
        "sealed = x'00'",
        "sealed = NULL",
        "enabled = 'yes'",
        "scopes = x'ff'",
    ] {
        let sql = format!("UPDATE sealite_tokens_sealed SET {set} WHERE id = ?1");
        let tampered = after(
            &home,
            |conn| assert_eq!(conn.execute(&sql, [&id]).unwrap_or(1), 1),
            |vault| vault.tokens().consume(&text, TokenKind::Invite).map(|_| ()),
        );
        if set != "sealed = NULL" {
            assert_eq!(tampered, 1, "{set}");
        }
    }
    // One row's text under another row's id.
    let tampered = after(
        &home,
        |conn| {
            conn.execute("DELETE FROM sealite_tokens_sealed WHERE id = ?1", [&id]).unwrap();
            let sql = "UPDATE sealite_tokens_sealed SET id = ?1 WHERE id = ?2";
            conn.execute(sql, [&id, &other]).unwrap();
        },
        |vault| vault.tokens().peek(&text, TokenKind::Invite).map(|_| ()),
    );
    assert_eq!(tampered, 1);
}

#[test]
fn a_revoked_subject_is_not_revived_by_an_edit_of_its_row() {
    let home = Home::new();
    let vault = home.create();
    let (_, text) = issue(&vault.tokens(), TokenKind::Session, "u");
    let (_, other) = issue(&vault.tokens(), TokenKind::Session, "v");
    vault.tokens().revoke_subject("u").unwrap();
    vault.close();
    for (edit, tampered) in [
        ("UPDATE sealite_token_subjects_sealed SET epoch = 1", 1),
        ("UPDATE sealite_token_subjects_sealed SET epoch = epoch - 1", 1),
        ("DELETE FROM sealite_token_subjects_sealed", 1),
        (
            "UPDATE sealite_token_subjects_sealed SET (epoch, sealed) =
             (SELECT o.epoch, o.sealed FROM sealite_token_subjects_sealed o ORDER BY o.epoch LIMIT 1)",
            1,
        ),
        ("UPDATE sealite_token_subjects_sealed SET sealed = x''", 1),
        ("SELECT 1", 0),
    ] {
        let found = after(
            &home,
            |conn| conn.execute_batch(edit).unwrap(),
            |vault| vault.tokens().verify(&text, TokenKind::Session).map(|_| ()),
        );
        assert_eq!(found, tampered, "{edit}");
    }
    let vault = home.open();
    vault.tokens().verify(&other, TokenKind::Session).unwrap();
}

/// That the row of a subject is an old one, the row alone can't show; that it is older than a token of the subject, the
/// token does.
#[test]
fn a_subjects_old_row_put_back_ends_what_was_issued_since() {
    let home = Home::new();
    let vault = home.create();
    issue(&vault.tokens(), TokenKind::Session, "u");
    vault.close();
    let old: (i64, Vec<u8>) = plain(&home.file())
        .query_row("SELECT epoch, sealed FROM sealite_token_subjects_sealed", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let vault = home.open();
    vault.tokens().revoke_subject("u").unwrap();
    let (_, text) = issue(&vault.tokens(), TokenKind::Session, "u");
    vault.close();
    let sql = "UPDATE sealite_token_subjects_sealed SET epoch = ?1, sealed = ?2";
    let tampered = after(
        &home,
        |conn| assert_eq!(conn.execute(sql, rusqlite::params![old.0, old.1]).unwrap(), 1),
        |vault| vault.tokens().verify(&text, TokenKind::Session).map(|_| ()),
    );
    assert_eq!(tampered, 1);
}

#[test]
fn a_removed_token_key_or_another_tenants_row_opens_nothing() {
    let home = Home::new();
    let vault = home.create();
    let (issued, text) = issue(&vault.tokens(), TokenKind::Session, "u");
    let acme = vault.tenant("acme").unwrap();
    let (_, acmes) = issue(&acme.tokens(), TokenKind::Session, "u");
    vault.tenant("beta").unwrap().tokens().revoke_subject("u").unwrap();
    issue(&vault.tenant("beta").unwrap().tokens(), TokenKind::Session, "u");
    let id = issued.token.id().to_owned();
    vault.close();
    let tampered = after(
        &home,
        |conn| {
            conn.execute("DELETE FROM sealite_keys WHERE purpose = 4 AND tenant IS NULL", [])
                .unwrap();
        },
        |vault| vault.tokens().verify(&text, TokenKind::Session).map(|_| ()),
    );
    assert_eq!(tampered, 1, "a token key that is gone, of token {id}");
    let tampered = after(
        &home,
        |conn| {
            let sql =
                "UPDATE sealite_tenant_tokens_sealed SET tenant = 'beta' WHERE tenant = 'acme'";
            assert_eq!(conn.execute(sql, []).unwrap(), 1);
        },
        |vault| {
            let beta = vault.tenant("beta").unwrap();
            beta.tokens().verify(&acmes, TokenKind::Session).map(|_| ())
        },
    );
    assert_eq!(tampered, 1);
}

/// The clock's mark can be removed, so an edited one is no better, and must not keep everybody out either.
#[test]
fn an_edited_mark_of_the_clock_stops_no_token_and_is_reported() {
    const CLOCK: i64 = 5;
    let home = Home::new();
    let vault = home.create();
    let request = TokenRequest::new(TokenKind::Session).expires_in(Duration::from_secs(60));
    let ended = vault.tokens().issue(&request).unwrap();
    let (_, text) = issue(&vault.tokens(), TokenKind::Session, "u");
    // Presented when it has expired, which writes the mark.
    vault.set_clock(Some(ended.token.created_at() + 60_000));
    assert!(vault.tokens().verify(ended.text.expose_secret(), TokenKind::Session).is_err());
    vault.close();
    let sql = "UPDATE sealite_sequences SET sealed = x'00' WHERE id = ?1";
    assert_eq!(plain(&home.file()).execute(sql, [CLOCK]).unwrap(), 1);
    let vault = home.open();
    vault.tokens().verify(&text, TokenKind::Session).unwrap();
    issue(&vault.tokens(), TokenKind::Session, "u");
    assert_eq!(vault.tokens().list(&sealite::TokenFilter::new()).unwrap().len(), 3);
    let error = vault.health().error.expect("reported");
    assert_eq!(error.kind(), ErrorKind::AuthenticationFailed);
}
