//! What can't be provoked through the public calls: keys that succeed each other and are destroyed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod using;

use std::time::Duration;

use super::lifecycle::KeyInfo;
use super::ring::{Owner, Purpose};
use super::rows::{StoredKey, update};
use super::seal::RecordKey;
use super::{KeyState, table_id};
use crate::db::Config;
use crate::table::ReadSession;
use crate::table::session::Session;
use crate::value::ValueRef;
use crate::{ErrorKind, Result, Vault};

const ACME: Owner<'static> = Owner { purpose: Purpose::Data, tenant: Some("acme"), subject: None };

fn run<T>(vault: &Vault, work: impl FnOnce(&Session) -> Result<T>) -> Result<T> {
    Session::run(vault.engine(), work)
}

fn list(vault: &Vault) -> Result<Vec<KeyInfo>> {
    let session = ReadSession::begin(vault.engine()).unwrap();
    session.state.ring.list(&session.conn)
}

/// The row as it is, to be put back later.
fn row(vault: &Vault, id: u32) -> StoredKey {
    let session = ReadSession::begin(vault.engine()).unwrap();
    StoredKey::find(&session.conn, id).unwrap().unwrap()
}

/// As somebody else who writes the file.
fn put_back(vault: &Vault, row: &StoredKey) {
    run(vault, |session| update(session.conn(), row)).unwrap();
}

fn edit(vault: &Vault, sql: &str) {
    run(vault, |session| session.conn().execute(sql, &[]).map(|_| ())).unwrap();
}

/// Forgets every key in memory.
fn next_epoch(vault: &Vault) {
    run(vault, Session::advance).unwrap();
}

fn active(vault: &Vault, owner: Owner<'_>) -> Result<Option<u32>> {
    let session = ReadSession::begin(vault.engine()).unwrap();
    Ok(session.state.ring.active(&session.conn, owner)?.map(|key| key.id()))
}

fn opening(vault: &Vault, id: u32) -> Result<u32> {
    let session = ReadSession::begin(vault.engine()).unwrap();
    let key = session.state.ring.opening(&session.conn, id, Some("acme"), None)?;
    let RecordKey { id, .. } = key.record_key()?;
    Ok(*id)
}

/// A vault with a tenant's key, and two that follow it.
fn with_generations() -> (Vault, [u32; 3]) {
    let vault = Vault::in_memory().unwrap();
    let first = run(&vault, |session| {
        session.create_key(ACME)?;
        Ok(session.state().ring.active(session.conn(), ACME)?.unwrap().id())
    })
    .unwrap();
    let (old, second) = run(&vault, |session| session.succeed_key(ACME)).unwrap();
    assert_eq!(old, first);
    let (old, third) = run(&vault, |session| session.succeed_key(ACME)).unwrap();
    assert_eq!(old, second);
    (vault, [first, second, third])
}

#[test]
fn keys_succeed_each_other_and_the_newest_alone_is_active() {
    let (vault, [first, second, third]) = with_generations();
    assert_eq!(active(&vault, ACME).unwrap(), Some(third));
    for id in [first, second, third] {
        assert_eq!(opening(&vault, id).unwrap(), id);
    }
    let keys = list(&vault).unwrap();
    let ids: Vec<u32> = keys.iter().map(|key| key.id).collect();
    assert_eq!(ids, (1..=ids.len() as u32).collect::<Vec<_>>(), "dense");
    let mine: Vec<_> = keys
        .iter()
        .filter(|key| key.tenant.is_some())
        .map(|key| (key.id, key.generation, key.state))
        .collect();
    let wanted = [
        (first, 1, KeyState::Retired),
        (second, 2, KeyState::Retired),
        (third, 3, KeyState::Active),
    ];
    assert_eq!(mine, wanted);
}

#[test]
fn a_destroyed_key_opens_nothing_and_its_row_holds_nothing() {
    let (vault, [first, second, third]) = with_generations();
    let before = row(&vault, first).sealed.len();
    run(&vault, |session| session.destroy_keys(&[first])).unwrap();
    assert_eq!(opening(&vault, first).unwrap_err().kind(), ErrorKind::DestroyedKey);
    assert!(row(&vault, first).sealed.len() + 32 <= before);
    assert_eq!(opening(&vault, second).unwrap(), second);
    assert_eq!(opening(&vault, third).unwrap(), third);
    assert_eq!(list(&vault).unwrap()[first as usize - 1].state, KeyState::Destroyed);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn a_destroyed_key_put_back_is_refused_by_the_floor() {
    let (vault, [first, second, _]) = with_generations();
    let old = row(&vault, first);
    run(&vault, |session| session.destroy_keys(&[first])).unwrap();
    put_back(&vault, &old);
    next_epoch(&vault);
    assert_eq!(opening(&vault, first).unwrap_err().kind(), ErrorKind::AuthenticationFailed);
    assert_eq!(opening(&vault, second).unwrap(), second);
}

#[test]
fn any_row_put_back_as_it_was_is_found_by_the_list() {
    let (vault, [first, second, third]) = with_generations();
    let (was, newest) = (row(&vault, first), row(&vault, third));
    run(&vault, |session| session.destroy_keys(&[first, second, third])).unwrap();
    assert!(list(&vault).is_ok() && vault.health().ready);
    for old in [&was, &newest] {
        let now = row(&vault, old.attributes.id);
        put_back(&vault, old);
        assert_eq!(list(&vault).unwrap_err().kind(), ErrorKind::AuthenticationFailed);
        assert!(!vault.health().ready);
        assert!(!vault.verify(|_| ()).unwrap().is_sound());
        put_back(&vault, &now);
        assert!(list(&vault).is_ok() && vault.health().ready);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    }
}

#[test]
fn a_hidden_key_is_not_taken_for_none() {
    let (vault, [_, _, third]) = with_generations();
    let hidden = [
        format!("UPDATE sealite_keys SET tenant = 'other' WHERE id = {third}"),
        format!("UPDATE sealite_keys SET state = 2 WHERE id = {third}"),
        format!("UPDATE sealite_keys SET purpose = 2 WHERE id = {third}"),
        format!("UPDATE sealite_keys SET subject = 's' WHERE id = {third}"),
        "UPDATE sealite_keys SET tenant = 'other' WHERE tenant = 'acme'".to_owned(),
        format!("DELETE FROM sealite_keys WHERE id = {third}"),
        "DELETE FROM sealite_keys WHERE tenant = 'acme'".to_owned(),
    ];
    for edited in hidden {
        for learnt in [true, false] {
            let vault = Vault::in_memory().unwrap();
            run(&vault, |session| session.create_key(ACME)).unwrap();
            run(&vault, |session| session.succeed_key(ACME)).unwrap();
            run(&vault, |session| session.succeed_key(ACME)).unwrap();
            if learnt {
                assert_eq!(active(&vault, Owner { tenant: Some("none"), ..ACME }).unwrap(), None);
            }
            edit(&vault, &edited);
            next_epoch(&vault);
            let refused = active(&vault, ACME).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "{edited}, {learnt}");
            assert!(run(&vault, |session| session.create_key(ACME)).is_err(), "{edited}");
            assert!(list(&vault).is_err());
        }
    }
    assert_eq!(active(&vault, ACME).unwrap(), Some(third));
}

#[test]
fn the_list_itself_can_be_neither_edited_nor_put_back_behind_a_new_key() {
    let vault = Vault::in_memory().unwrap();
    let read = |vault: &Vault| {
        let session = ReadSession::begin(vault.engine()).unwrap();
        let sql = "SELECT keys FROM sealite_meta";
        session.conn.first(sql, &[], |row| Ok(row.blob(0)?.to_vec())).unwrap().unwrap()
    };
    let old = read(&vault);
    run(&vault, |session| session.create_key(ACME)).unwrap();
    let now = read(&vault);
    let set = |list: &[u8]| {
        let sql = "UPDATE sealite_meta SET keys = ?";
        run(&vault, |session| session.conn().execute(sql, &[ValueRef::Blob(list)])).unwrap();
    };
    let mut edited = now.clone();
    edited[40] ^= 1;
    for list in [&old[..], &edited, &[]] {
        set(list);
        let other = Owner { tenant: Some("other"), ..ACME };
        assert_eq!(active(&vault, other).unwrap_err().kind(), ErrorKind::AuthenticationFailed);
        assert!(!vault.health().ready);
    }
    set(&now);
    assert!(vault.health().ready);
    assert_eq!(table_id::KEYS, 2);
}

#[test]
fn an_erased_tenant_gets_no_key_again_and_an_erased_subject_neither() {
    let (vault, ids) = with_generations();
    let ada = Owner { subject: Some("ada"), ..ACME };
    let bob = Owner { subject: Some("bob"), ..ACME };
    run(&vault, |session| session.create_key(ada).map(|_| ())).unwrap();
    run(&vault, |session| session.create_key(bob).map(|_| ())).unwrap();
    let refused = |owner| {
        let made = run(&vault, |session| session.create_key(owner).map(|_| ()));
        assert_eq!(made.unwrap_err().kind(), ErrorKind::DestroyedKey);
        assert_eq!(active(&vault, owner).unwrap(), None);
    };
    let key = active(&vault, ada).unwrap().unwrap();
    run(&vault, |session| session.destroy_keys(&[key])).unwrap();
    refused(ada);
    assert!(active(&vault, bob).unwrap().is_some());
    run(&vault, |session| session.destroy_keys(&ids)).unwrap();
    refused(ACME);
    // Of the whole tenant: nothing of it is made anew.
    for purpose in Purpose::ALL {
        let owner = Owner::of(purpose, Some("acme"));
        let made = run(&vault, |session| session.create_key(owner).map(|_| ()));
        assert_eq!(made.unwrap_err().kind(), ErrorKind::DestroyedKey);
    }
    let carol = Owner { subject: Some("carol"), ..ACME };
    assert!(run(&vault, |session| session.create_key(carol).map(|_| ())).is_err());
}

#[test]
fn what_a_roll_back_takes_back_is_known_to_nobody() {
    let vault = Vault::in_memory().unwrap();
    let failed = run(&vault, |session| {
        session.create_key(ACME)?;
        let other = Owner { tenant: Some("other"), ..ACME };
        assert!(session.state().ring.active(session.conn(), other)?.is_none(), "walks");
        assert!(session.state().ring.active(session.conn(), ACME)?.is_some());
        Err::<(), _>(crate::error::err!(Refused, "taken back"))
    });
    assert!(failed.is_err());
    assert_eq!(active(&vault, ACME).unwrap(), None);
    // The id goes to another owner: what was learnt of it before must not count.
    let beta = Owner { tenant: Some("beta"), ..ACME };
    run(&vault, |session| session.create_key(beta).map(|_| ())).unwrap();
    assert_eq!(active(&vault, ACME).unwrap(), None);
    edit(&vault, "UPDATE sealite_keys SET tenant = 'x' WHERE tenant = 'beta'");
    next_epoch(&vault);
    assert_eq!(active(&vault, beta).unwrap_err().kind(), ErrorKind::AuthenticationFailed);
}

#[test]
fn a_row_that_goes_while_the_vault_is_open_is_not_taken_for_none() {
    // Nothing is kept in memory but who owns which key.
    let config = Config { key_age: Duration::ZERO, ..Config::default() };
    let vault = Vault::in_memory_with(config).unwrap();
    run(&vault, |session| session.create_key(ACME)).unwrap();
    assert_eq!(active(&vault, Owner { tenant: Some("none"), ..ACME }).unwrap(), None);
    edit(&vault, "DELETE FROM sealite_keys WHERE tenant = 'acme'");
    let refused = active(&vault, ACME).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
}

#[test]
fn keys_of_several_owners_destroyed_at_once_each_raise_their_floor() {
    let vault = Vault::in_memory().unwrap();
    let owners = [ACME, Owner { tenant: Some("beta"), ..ACME }];
    let mut first = Vec::new();
    for owner in owners {
        run(&vault, |session| session.create_key(owner).map(|_| ())).unwrap();
        first.push(run(&vault, |session| session.succeed_key(owner)).unwrap().0);
    }
    let rows: Vec<_> = first.iter().map(|id| row(&vault, *id)).collect();
    run(&vault, |session| session.destroy_keys(&first)).unwrap();
    for row in &rows {
        put_back(&vault, row);
    }
    next_epoch(&vault);
    for (id, owner) in first.iter().zip(owners) {
        let session = ReadSession::begin(vault.engine()).unwrap();
        let opened = session.state.ring.opening(&session.conn, *id, owner.tenant, None);
        assert_eq!(opened.err().unwrap().kind(), ErrorKind::AuthenticationFailed);
    }
}
