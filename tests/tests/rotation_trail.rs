//! Rotation of the audit key and of the pepper of tokens: the chain goes on, and tokens hold.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::ops::ControlFlow;
use std::time::Duration;

use sealite::{
    AuditFault, CodeRequest, Entry, ErrorKind, ExportOptions, ExposeSecret, LegacyEntry, Rotation,
    RotationState, SecretString, TokenKind, TokenRequest, Tokens, Vault,
};
use sealite_tests::scratch::Scratch;

fn append(vault: &Vault, count: i64) {
    for number in 0..count {
        vault
            .audit()
            .append(&Entry::new("work.done").payload(format!("{{\"n\":{number}}}")))
            .unwrap();
    }
}

fn kind<T>(result: sealite::Result<T>) -> ErrorKind {
    result.err().expect("refused").kind()
}

#[test]
fn the_chain_verifies_over_any_number_of_audit_keys() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let other = scratch.open();
    let (audit, keys) = (vault.audit(), vault.keys());
    let mut checkpoints = vec![audit.checkpoint().unwrap()];
    for round in 0..4 {
        append(&vault, 3);
        append(&other, 3);
        checkpoints.push(audit.checkpoint().unwrap());
        let done = keys.run(&Rotation::audit(), |_| ()).unwrap();
        assert_eq!(done.state, RotationState::Finished);
        assert!(other.health().reasons.is_empty(), "{round}");
        checkpoints.push(other.audit().checkpoint().unwrap());
    }
    append(&other, 2);
    let mut used: Vec<String> = checkpoints.iter().map(|c| c.text()[..43].to_owned()).collect();
    used.dedup();
    assert!(used.len() > 4, "checkpoints name the keys that they are under");
    for vault in [&vault, &other, &scratch.open()] {
        for checkpoint in &checkpoints {
            assert!(vault.audit().verify(Some(checkpoint.text())).unwrap().is_sound());
            assert!(vault.audit().verify_since(checkpoint.text()).unwrap().is_sound());
        }
        let report = vault.audit().verify(None).unwrap();
        assert!(report.is_sound() && report.entries == 1 + 4 * 8 + 2, "{report:?}");
    }
    let mut lines = Vec::new();
    assert_eq!(audit.export(&mut lines, &ExportOptions::default()).unwrap(), 35);
    assert_eq!(audit.tail(1).unwrap()[0].event(), "work.done");
    assert!(vault.health().reasons.is_empty());
    // What was signed is verified by its key for good.
    assert_eq!(kind(keys.destroy_retired(&Rotation::audit(), true)), ErrorKind::Refused);

    // Retention cuts inside the time of an older key.
    assert_eq!(audit.retain_after(9).unwrap(), 9);
    assert!(audit.verify(None).unwrap().is_sound());
    for checkpoint in &checkpoints {
        assert!(audit.verify(Some(checkpoint.text())).unwrap().is_sound(), "{checkpoint:?}");
    }
    keys.run(&Rotation::audit(), |_| ()).unwrap();
    assert!(vault.audit().verify(None).unwrap().is_sound());
    vault.close();
    other.close();
    let raw = scratch.raw();
    raw.execute("UPDATE sealite_audit_sealed SET at = at + 1 WHERE seq = 20", []).unwrap();
    raw.close().unwrap();
    let report = scratch.open().audit().verify(None).unwrap();
    assert_eq!(report.faults, [AuditFault::Edited(20)]);
}

#[test]
fn a_checkpoint_of_another_vault_or_of_a_key_that_is_not_there_is_refused() {
    let (scratch, elsewhere) = (Scratch::new(), Scratch::new());
    let (vault, other) = (scratch.create(), elsewhere.create());
    let foreign = other.audit().checkpoint().unwrap();
    assert_eq!(kind(vault.audit().verify(Some(foreign.text()))), ErrorKind::AuthenticationFailed);
    other.keys().run(&Rotation::audit(), |_| ()).unwrap();
    let foreign = other.audit().checkpoint().unwrap();
    assert_eq!(foreign.text().len(), 150);
    assert_eq!(kind(vault.audit().verify(Some(foreign.text()))), ErrorKind::AuthenticationFailed);
}

#[test]
fn an_audit_key_is_rotated_inside_a_transaction_with_entries_before_and_behind() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let (keys, audit) = (vault.keys(), vault.audit());
    keys.begin(&Rotation::data(None)).unwrap();
    keys.begin(&Rotation::audit()).unwrap();
    append(&vault, 600);
    while keys.step(&Rotation::data(None)).unwrap().state == RotationState::Running {
        assert!(audit.verify(None).unwrap().is_sound());
    }
    let mut events = Vec::new();
    audit
        .each(&ExportOptions::default(), |event| {
            events.push(event.event().to_owned());
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(events[1..4], ["key.rotated", "key.retired", "key.rotated"]);
    assert_eq!(events.last().unwrap(), "key.rotation_finished");
    assert!(audit.verify(None).unwrap().is_sound());
}

struct Issued {
    session: SecretString,
    key: SecretString,
    refresh: SecretString,
    link: SecretString,
    code: (String, SecretString),
}

fn issue(tokens: &Tokens<'_>, subject: &str) -> Issued {
    let text = |kind| tokens.issue(&TokenRequest::new(kind).subject(subject)).unwrap().text;
    let code = tokens.issue_code(&CodeRequest::new(subject)).unwrap();
    Issued {
        session: text(TokenKind::Session),
        key: text(TokenKind::ApiKey),
        refresh: text(TokenKind::Refresh),
        link: text(TokenKind::MagicLink),
        code: (code.token.id().to_owned(), code.code),
    }
}

/// What the trail says of tokens that were revoked together.
fn revocations(vault: &Vault) -> Vec<String> {
    let tail = vault.audit().tail(1_000).unwrap();
    let of = tail.iter().filter(|entry| entry.event() == "token.kind_revoked");
    of.map(|entry| entry.payload().unwrap().to_owned()).collect()
}

#[test]
fn tokens_hold_across_peppers_and_are_hashed_anew_when_presented() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let acme = vault.tenant("acme").unwrap();
    for (tenant, tokens) in [(None, vault.tokens()), (Some("acme"), acme.tokens())] {
        let old = issue(&tokens, "ada");
        let imported = "an old admin token, made elsewhere";
        let entry = LegacyEntry::from_token(TokenKind::Admin, imported).unwrap();
        tokens.import(&[entry]).unwrap();
        let (keys, rotation) = (vault.keys(), Rotation::token(tenant));
        let plan = keys.plan(&rotation).unwrap();
        assert_eq!(plan.records, 6, "{plan:?}");
        let table = if tenant.is_none() { "sealite_tokens" } else { "sealite_tenant_tokens" };
        assert_eq!(plan.tables, [(table.to_owned(), 6)]);

        // Rotated before, with its successor still to be given out again.
        let grace = Duration::from_secs(60);
        let chain = tokens.issue(&TokenRequest::new(TokenKind::Refresh).subject("bob")).unwrap();
        let next = tokens.rotate(chain.text.expose_secret(), TokenKind::Refresh, grace).unwrap();

        let begun = keys.begin(&rotation).unwrap();
        assert_eq!((begun.state, begun.left), (RotationState::Waiting, 8));
        assert_eq!(keys.run(&rotation, |_| ()).unwrap().state, RotationState::Waiting);
        assert_eq!(kind(keys.destroy_retired(&rotation, true)), ErrorKind::Refused);
        let left = || keys.status(&rotation).unwrap().unwrap().left;

        let young = issue(&tokens, "eve");
        assert_eq!(left(), 8);
        let again = tokens.rotate(chain.text.expose_secret(), TokenKind::Refresh, grace).unwrap();
        assert_eq!(again.text.expose_secret(), next.text.expose_secret());
        assert_eq!(left(), 8);
        for issued in [&young, &old, &old] {
            tokens.verify(issued.session.expose_secret(), TokenKind::Session).unwrap();
            tokens.verify(issued.key.expose_secret(), TokenKind::ApiKey).unwrap();
        }
        assert_eq!(left(), 6);
        for _ in 0..2 {
            tokens.verify(imported, TokenKind::Admin).unwrap();
        }
        assert_eq!(left(), 5);
        tokens.consume(old.link.expose_secret(), TokenKind::MagicLink).unwrap();
        assert_eq!(
            kind(tokens.consume(old.link.expose_secret(), TokenKind::MagicLink)),
            ErrorKind::TokenRejected
        );
        assert_eq!(left(), 4);
        // A refresh token moves with its rotation; the successor is the same afterwards.
        let first = tokens.rotate(old.refresh.expose_secret(), TokenKind::Refresh, grace).unwrap();
        let same = tokens.rotate(old.refresh.expose_secret(), TokenKind::Refresh, grace).unwrap();
        assert_eq!(first.text.expose_secret(), same.text.expose_secret());
        tokens.verify(first.text.expose_secret(), TokenKind::Refresh).unwrap();
        tokens.verify(next.text.expose_secret(), TokenKind::Refresh).unwrap();
        assert_eq!(left(), 2);
        // A code is guessed wrong under its own pepper, and right.
        assert_eq!(kind(tokens.verify_code(&old.code.0, "none")), ErrorKind::TokenRejected);
        tokens.verify_code(&old.code.0, old.code.1.expose_secret()).unwrap();

        // Who can't wait for what nobody presents.
        let waiting = left();
        assert!((1..=2).contains(&waiting), "{waiting}");
        let before = revocations(&vault).len();
        assert_eq!(vault.keys().revoke_left(tenant).unwrap(), waiting);
        assert_eq!(left(), 0);
        assert_eq!(vault.keys().revoke_left(tenant).unwrap(), 0);
        let noted = revocations(&vault);
        assert_eq!(noted.len(), before + 1, "one entry for what was revoked, and none for nothing");
        let count = format!("\"count\":{waiting}");
        assert!(noted.iter().any(|payload| payload.contains(&count)), "{noted:?}");
        assert_eq!(keys.run(&rotation, |_| ()).unwrap().state, RotationState::Finished);
        let destroyed = keys.destroy_retired(&rotation, true).unwrap().0;
        assert_eq!(destroyed, [begun.old_key]);
        for issued in [&young, &old] {
            tokens.verify(issued.session.expose_secret(), TokenKind::Session).unwrap();
            tokens.verify(issued.key.expose_secret(), TokenKind::ApiKey).unwrap();
        }
        tokens.verify(imported, TokenKind::Admin).unwrap();
        tokens.verify(first.text.expose_secret(), TokenKind::Refresh).unwrap();
        assert_eq!(
            kind(tokens.verify(chain.text.expose_secret(), TokenKind::Refresh)),
            ErrorKind::TokenRejected
        );
        assert_eq!(
            kind(tokens.verify_code(&old.code.0, old.code.1.expose_secret())),
            ErrorKind::TokenRejected
        );
        // Of the index key they never knew: subjects and tokens made elsewhere are found by a key that stays.
        if tenant.is_none() {
            keys.run(&Rotation::index(tenant), |_| ()).unwrap();
            let _ = keys.destroy_retired(&Rotation::index(tenant), true).unwrap();
        }
        tokens.verify(imported, TokenKind::Admin).unwrap();
        tokens.revoke_subject("eve").unwrap();
        assert_eq!(
            kind(tokens.verify(young.key.expose_secret(), TokenKind::ApiKey)),
            ErrorKind::TokenRejected
        );
    }
    assert!(vault.audit().verify(None).unwrap().is_sound());
}

#[test]
fn a_handle_that_only_verifies_learns_of_the_pepper_and_hashes_anew() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let issued =
        vault.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("ada")).unwrap();
    let other = scratch.open();
    let text = issued.text.expose_secret();
    for _ in 0..3 {
        other.tokens().verify(text, TokenKind::Session).unwrap();
    }
    let (keys, rotation) = (vault.keys(), Rotation::token(None));
    keys.begin(&rotation).unwrap();
    // The other handle asks the file ten times a second.
    let mut left = 1;
    for _ in 0..1_000 {
        other.tokens().verify(text, TokenKind::Session).unwrap();
        left = keys.status(&rotation).unwrap().unwrap().left;
        if left == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(left, 0);
}
