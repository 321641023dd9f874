//! What keys and slots are used for, and by whom.

use std::sync::Arc;
use std::time::SystemTime;

use super::{ACME, active, edit, list, run};
use crate::crypto::mac::MacKey;
use crate::keys::ring::{IndexPlace, Owner, Purpose};
use crate::keys::{KeyState, Pepper, Unlock};
use crate::secret::Secret32;
use crate::table::ReadSession;
use crate::{ErrorKind, Vault};

#[test]
fn a_key_opens_what_is_of_its_own_tenant_and_subject_only() {
    let vault = Vault::in_memory().unwrap();
    let owner = Owner { subject: Some("ada"), ..ACME };
    run(&vault, |session| session.create_key(owner).map(|_| ())).unwrap();
    let session = ReadSession::begin(vault.engine()).unwrap();
    let (conn, ring) = (&session.conn, &session.state.ring);
    let key = ring.active(conn, owner).unwrap().unwrap();
    assert_eq!((key.tenant(), key.subject()), (owner.tenant, owner.subject));
    assert!(ring.opening(conn, key.id(), owner.tenant, owner.subject).is_ok());
    for (tenant, subject) in [
        (owner.tenant, None),
        (owner.tenant, Some("bob")),
        (None, owner.subject),
        (Some("beta"), owner.subject),
        (None, None),
    ] {
        let refused = ring.opening(conn, key.id(), tenant, subject).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed, "{tenant:?} {subject:?}");
        let refused = ring.cached_opening(key.id(), tenant, subject).unwrap();
        assert_eq!(refused.err().unwrap().kind(), ErrorKind::AuthenticationFailed);
    }
}

#[test]
fn a_pepper_is_of_its_own_tenant_and_of_a_token_key_that_is_there() {
    let vault = Vault::in_memory().unwrap();
    let owner = Owner { purpose: Purpose::Token, ..ACME };
    for owner in [owner, ACME] {
        run(&vault, |session| session.create_key(owner).map(|_| ())).unwrap();
    }
    let of = |owner: Owner<'_>, tenant: Option<&str>| {
        let session = ReadSession::begin(vault.engine()).unwrap();
        let key = session.state.ring.active(&session.conn, owner).unwrap().unwrap();
        key.pepper(tenant).map(|pepper| pepper.id).map_err(|error| error.kind())
    };
    let id = active(&vault, owner).unwrap().unwrap();
    assert_eq!(of(owner, Some("acme")), Ok(id));
    assert_eq!(of(owner, Some("beta")), Err(ErrorKind::AuthenticationFailed));
    assert_eq!(of(owner, None), Err(ErrorKind::AuthenticationFailed));
    assert_eq!(of(ACME, Some("acme")), Err(ErrorKind::AuthenticationFailed));
    run(&vault, |session| session.destroy_keys(&[id])).unwrap();
    let session = ReadSession::begin(vault.engine()).unwrap();
    let key = session.state.ring.token_key_of(&session.conn, id).unwrap();
    let refused = key.pepper(Some("acme")).map(|pepper| pepper.id).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::DestroyedKey);
}

#[test]
fn a_successors_secret_is_of_its_pepper_and_of_all_that_it_is_made_of() {
    let pepper = |byte| Pepper::new(1, &Secret32::copy_of(&[byte; 32]));
    let secrets = [
        pepper(1).successor(&[1; 12], &[1; 12], &[1; 32]),
        pepper(2).successor(&[1; 12], &[1; 12], &[1; 32]),
        pepper(1).successor(&[2; 12], &[1; 12], &[1; 32]),
        pepper(1).successor(&[1; 12], &[2; 12], &[1; 32]),
        pepper(1).successor(&[1; 12], &[1; 12], &[2; 32]),
    ];
    assert_eq!(secrets[0], pepper(1).successor(&[1; 12], &[1; 12], &[1; 32]));
    for (at, one) in secrets.iter().enumerate() {
        assert!(secrets[at + 1..].iter().all(|other| other != one), "{at}");
    }
}

#[test]
fn the_keys_of_an_index_are_found_in_memory_once_they_were_looked_up() {
    let vault = Vault::in_memory().unwrap();
    let owner = Owner { purpose: Purpose::Index, ..ACME };
    run(&vault, |session| session.create_key(owner).map(|_| ())).unwrap();
    run(&vault, |session| session.succeed_key(owner)).unwrap();
    let place = IndexPlace::Table(256, 1, 1);
    let session = ReadSession::begin(vault.engine()).unwrap();
    let (conn, ring) = (&session.conn, &session.state.ring);
    assert!(ring.cached_indexes(Some("acme"), &place).is_none());
    let found = ring.indexes(conn, Some("acme"), &place).unwrap();
    let cached = ring.cached_indexes(Some("acme"), &place).unwrap();
    let macs = |keys: &[Arc<MacKey>]| keys.iter().map(|key| key.mac(&[b"x"])).collect::<Vec<_>>();
    assert_eq!(macs(&found), macs(&cached));
    assert_eq!(found.len(), 2);
    assert_ne!(macs(&found)[0], macs(&found)[1]);
    assert!(ring.cached_indexes(Some("acme"), &IndexPlace::Table(256, 1, 2)).is_none());
    assert!(ring.cached_indexes(Some("beta"), &place).is_none());
}

#[test]
fn keys_and_slots_say_when_they_were_made() {
    let seconds = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_secs()).unwrap()
    };
    let before = seconds();
    let vault = Vault::in_memory().unwrap();
    vault.add_recovery_slot("paper").unwrap();
    let (made, slot) = (list(&vault).unwrap()[0].created_at, vault.slots().unwrap()[0].created_at);
    for at in [made, slot] {
        assert!((before..=seconds()).contains(&at));
    }
}

#[test]
fn changes_of_the_master_key_are_counted_up() {
    let vault = Vault::in_memory().unwrap();
    let (_, code) = vault.add_recovery_slot("paper").unwrap();
    let unlock = Unlock::recovery_code(code.reveal()).unwrap();
    for changes in 1..=3 {
        vault.keys().rotate_master(std::slice::from_ref(&unlock), true).unwrap();
        assert_eq!(vault.engine().state().unwrap().ring.master_changes(), changes);
    }
}

#[test]
fn a_slot_whose_row_holds_another_type_in_any_column_is_refused() {
    let names = ["kind", "label", "created_at", "parameters", "sealed"];
    for name in names {
        let vault = Vault::in_memory().unwrap();
        let (kept, code) = vault.add_recovery_slot("paper").unwrap();
        let (edited, other) = vault.add_recovery_slot("paper").unwrap();
        let [unlock, other] =
            [&code, &other].map(|code| Unlock::recovery_code(code.reveal()).unwrap());
        let rotate = |vault: &Vault, unlock| vault.keys().rotate_master(&[unlock], true);
        // A text where a number or bytes stand, and bytes where a text does.
        let value = if name == "label" { "x'00'" } else { "'x'" };
        edit(&vault, &format!("UPDATE sealite_slots SET {name} = {value} WHERE id = {edited}"));
        assert_eq!(vault.slots().unwrap_err().kind(), ErrorKind::AuthenticationFailed, "{name}");
        assert!(rotate(&vault, other).is_err(), "{name}");
        assert!(kept != edited && rotate(&vault, unlock).is_ok() == (name == "kind"), "{name}");
    }
}

#[test]
fn names_of_states_are_the_documented_ones() {
    let states = [KeyState::Active, KeyState::Retired, KeyState::Destroyed];
    assert_eq!(states.map(KeyState::name), ["active", "retired", "destroyed"]);
}
