//! The life of a vault: its states, what every call says in each, and its slots.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::path::Path;

use sealite::{
    Alteration, Column, ErrorKind, ExposeSecret, Field, Index, PassphraseCost, Protection, Result,
    SlotKind, Status, TableDefinition, Unlock, Vault, generate_key, values,
};
use sealite_tests::bits::hex;
use sealite_tests::vaults::{Home, people, plain};

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Every call of a vault that needs its keys, by name; what each fails with.
fn calls(vault: &Vault, field: Option<&Field>) -> Vec<(&'static str, Option<ErrorKind>)> {
    let definition = TableDefinition::new("calls").column(Column::text("a").sealed());
    let protect = Alteration::Protect("name".into(), Protection::Sealed);
    let people = vault.table_handle("people");
    let passphrase =
        Unlock::passphrase_with("correct horse battery", PassphraseCost::floor()).unwrap();
    let mut outcomes = vec![
        ("define_table", kind(vault.define_table(&definition))),
        ("alter_table", kind(vault.alter_table("people", &protect))),
        ("finish_alteration", kind(vault.finish_alteration("people"))),
        ("drop_table", kind(vault.drop_table("calls"))),
        ("finish_erasure", kind(vault.finish_erasure())),
        ("tables", kind(vault.tables())),
        ("table", kind(vault.table("people"))),
        ("insert", kind(people.insert(values! {"email" => "calls@example.org"}))),
        ("insert_many", kind(people.insert_many(&["email"], [["many@example.org".into()]]))),
        ("get", kind(people.get(1))),
        ("get_many", kind(people.get_many(&[1.into()]))),
        ("find", kind(people.find("email", "ada@example.org"))),
        ("update", kind(people.update(1, values! {"name" => "x"}))),
        ("delete", kind(people.delete(999))),
        ("discard", kind(people.discard(999))),
        ("scan", kind(people.scan())),
        ("count", kind(people.count())),
        ("definition", kind(people.definition())),
        ("transaction", kind(vault.transaction(|_| Ok(())))),
        ("begin", kind(vault.begin())),
        ("snapshot", kind(vault.snapshot())),
        ("execute", kind(vault.execute("CREATE TABLE IF NOT EXISTS own (a)", &[]))),
        ("query", kind(vault.query("SELECT 1", &[]))),
        ("verify", kind(vault.verify(|_| ()))),
        ("add_slot", kind(vault.add_slot("another", &passphrase))),
        ("add_recovery_slot", kind(vault.add_recovery_slot("paper"))),
        ("tenant.begin", kind(vault.tenant("acme").unwrap().begin())),
        ("tenant.snapshot", kind(vault.tenant("acme").unwrap().snapshot())),
    ];
    let own = vault.field("users.email").unwrap();
    for field in [Some(&own), field].into_iter().flatten() {
        outcomes.push(("field.seal", kind(field.seal("x", None))));
        outcomes.push(("field.seal_many", kind(field.seal_many(&[("x".into(), None)]))));
        outcomes.push(("field.index", kind(field.index("x", &Index::unique()))));
    }
    outcomes
}

#[test]
fn every_call_in_every_state_has_a_typed_outcome() {
    let home = Home::new();
    let unlock = home.unlock();
    let all = |vault: &Vault, field: Option<&Field>, expected: Option<ErrorKind>| {
        for (name, outcome) in calls(vault, field) {
            assert_eq!(outcome, expected, "{name}");
        }
    };

    let vault = Vault::at(home.file()).unwrap();
    assert_eq!(vault.status().unwrap(), Status::Absent);
    all(&vault, None, Some(ErrorKind::NotInitialised));
    assert_eq!(kind(vault.unlock(&unlock)), Some(ErrorKind::NotInitialised));
    assert_eq!(kind(vault.slots()), Some(ErrorKind::NotInitialised));
    assert_eq!(kind(vault.remove_slot(1)), Some(ErrorKind::NotInitialised));
    assert!(!home.file().exists(), "asking creates nothing");

    std::fs::write(home.file(), b"").unwrap();
    assert_eq!(vault.status().unwrap(), Status::Uninitialised);
    all(&vault, None, Some(ErrorKind::NotInitialised));
    assert_eq!(kind(vault.unlock(&unlock)), Some(ErrorKind::NotInitialised));
    assert_eq!(kind(vault.slots()), Some(ErrorKind::NotInitialised));
    assert_eq!(std::fs::metadata(home.file()).unwrap().len(), 0, "asking writes nothing");

    vault.initialise(&unlock).unwrap();
    assert_eq!(vault.status().unwrap(), Status::Open);
    assert_eq!(kind(vault.initialise(&unlock)), Some(ErrorKind::AlreadyInitialised));
    vault.define_table(&people()).unwrap();
    vault.table("people").unwrap().insert(values! {"email" => "ada@example.org"}).unwrap();
    let field = vault.field("users.email").unwrap();
    let sealed = field.seal("ada@example.org", None).unwrap();
    all(&vault, Some(&field), None);

    vault.lock();
    assert_eq!(vault.status().unwrap(), Status::Locked);
    all(&vault, Some(&field), Some(ErrorKind::Locked));
    assert_eq!(kind(field.open(&sealed, None)), Some(ErrorKind::Locked));
    assert_eq!(kind(vault.remove_slot(1)), Some(ErrorKind::Locked));
    assert_eq!(kind(vault.initialise(&unlock)), Some(ErrorKind::AlreadyInitialised));
    assert_eq!(kind(Vault::create(home.file(), &unlock)), Some(ErrorKind::AlreadyInitialised));
    assert_eq!(vault.slots().unwrap().len(), 3, "slots are listed without a key");
    vault.lock();

    vault.unlock(&unlock).unwrap();
    assert_eq!(vault.status().unwrap(), Status::Open);
    vault.unlock(&unlock).unwrap();
    assert!(field.open(&sealed, None).is_ok());
    assert!(vault.table("people").unwrap().get(1).unwrap().is_some());

    let clone = vault.clone();
    vault.close();
    for vault in [&vault, &clone] {
        all(vault, Some(&field), Some(ErrorKind::Closed));
        assert_eq!(kind(vault.status()), Some(ErrorKind::Closed));
        assert_eq!(kind(vault.unlock(&unlock)), Some(ErrorKind::Closed));
        assert_eq!(kind(vault.initialise(&unlock)), Some(ErrorKind::Closed));
        assert_eq!(kind(vault.slots()), Some(ErrorKind::Closed));
        assert_eq!(kind(vault.remove_slot(1)), Some(ErrorKind::Closed));
        vault.close();
        vault.lock();
    }
    assert!(home.open().verify(|_| ()).unwrap().is_sound());
}

#[test]
fn names_of_the_states_are_the_documented_ones() {
    let names =
        [Status::Absent, Status::Uninitialised, Status::Locked, Status::Open].map(Status::name);
    assert_eq!(names, ["absent", "uninitialised", "locked", "open"]);
}

#[test]
fn transaction_goes_on_through_lock_and_close() {
    for close in [false, true] {
        let home = Home::new();
        let vault = home.create();
        let transaction = vault.begin().unwrap();
        let table = transaction.table("people").unwrap();
        table.insert(values! {"email" => "one@example.org"}).unwrap();
        if close {
            vault.close();
        } else {
            vault.lock();
        }
        table.insert(values! {"email" => "two@example.org"}).unwrap();
        drop(table);
        transaction.commit().unwrap();
        let expected = if close { ErrorKind::Closed } else { ErrorKind::Locked };
        assert_eq!(kind(vault.begin()), Some(expected));
        drop(vault);
        assert_eq!(home.open().table("people").unwrap().count().unwrap(), 2);
    }
}

fn cheap(passphrase: &str) -> Unlock {
    Unlock::passphrase_with(passphrase, PassphraseCost::floor()).unwrap()
}

#[test]
fn any_slot_opens_the_vault_and_a_removed_one_does_not() {
    let home = Home::new();
    let vault = home.create();
    vault.table("people").unwrap().insert(values! {"email" => "ada@example.org"}).unwrap();
    let (_, recovery) = vault.add_recovery_slot("on paper").unwrap();
    let second_key = Unlock::key_text(generate_key().unwrap().expose_secret()).unwrap();
    let second = vault.add_slot("second key", &second_key).unwrap();
    vault.add_slot("operator", &cheap("correct horse battery")).unwrap();
    let slots = vault.slots().unwrap();
    let listed: Vec<_> = slots.iter().map(|slot| (slot.kind, slot.label.as_str())).collect();
    let expected = [
        (SlotKind::Key, "key"),
        (SlotKind::Recovery, "on paper"),
        (SlotKind::Key, "second key"),
        (SlotKind::Passphrase, "operator"),
    ];
    assert_eq!(listed, expected);

    let code = recovery.reveal().to_owned();
    let spelled = code.to_lowercase().replace('-', " ");
    let ways = [
        home.unlock(),
        second_key.clone(),
        cheap("correct horse battery"),
        Unlock::recovery_code(&code).unwrap(),
        Unlock::recovery_code(&spelled).unwrap(),
    ];
    for way in &ways {
        let opened = Vault::open(home.file(), way).unwrap();
        assert!(
            opened.table("people").unwrap().find_one("email", "ADA@example.org").unwrap().is_some()
        );
    }

    vault.remove_slot(second).unwrap();
    assert_eq!(kind(Vault::open(home.file(), &second_key)), Some(ErrorKind::WrongKey));
    assert_eq!(kind(vault.remove_slot(second)), Some(ErrorKind::NotFound));
    assert_eq!(kind(vault.remove_slot(-1)), Some(ErrorKind::NotFound));
    for slot in vault.slots().unwrap().iter().skip(1) {
        vault.remove_slot(slot.id).unwrap();
    }
    let last = vault.slots().unwrap()[0].id;
    assert_eq!(kind(vault.remove_slot(last)), Some(ErrorKind::LastSlot));
    for way in &ways[1..] {
        assert_eq!(kind(Vault::open(home.file(), way)), Some(ErrorKind::WrongKey));
    }
    home.open();
    // The id of a removed slot is not given to another.
    let next = vault.add_slot("next", &second_key).unwrap();
    assert!(next > slots.iter().map(|slot| slot.id).max().unwrap());
    assert!(Vault::open(home.file(), &second_key).is_ok());
}

#[test]
fn slots_are_limited_and_their_labels_checked() {
    let vault = Vault::in_memory().unwrap();
    for n in 1..64 {
        vault.add_slot(&format!("slot {n}"), &other_key()).unwrap();
    }
    assert_eq!(kind(vault.add_slot("one more", &other_key())), Some(ErrorKind::Limit));
    assert_eq!(vault.slots().unwrap().len(), 64);
    for label in ["x".repeat(201), "a\nb".to_owned(), "a\0b".to_owned()] {
        assert_eq!(kind(vault.add_slot(&label, &other_key())), Some(ErrorKind::InvalidInput));
    }
}

fn other_key() -> Unlock {
    Unlock::key_text(generate_key().unwrap().expose_secret()).unwrap()
}

#[test]
fn wrong_key_is_told_from_a_damaged_slot() {
    let home = Home::new();
    let vault = home.create();
    vault.add_slot("operator", &cheap("correct horse battery")).unwrap();
    let (_, code) = vault.add_recovery_slot("paper").unwrap();
    vault.close();
    let recovery = Unlock::recovery_code(code.reveal()).unwrap();
    let ways = [(1, home.unlock()), (2, cheap("correct horse battery")), (3, recovery)];
    let (_, stranger) = Vault::in_memory().unwrap().add_recovery_slot("x").unwrap();
    let wrong = [
        other_key(),
        cheap("correct horse batterz"),
        Unlock::recovery_code(stranger.reveal()).unwrap(),
    ];
    for way in &wrong {
        let error = Vault::open(home.file(), way).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey);
    }
    let whole = std::fs::read(home.file()).unwrap();
    let damages = [
        // Header, nonce, ciphertext, tag.
        ("sealed = flip(sealed, 0)", ErrorKind::AuthenticationFailed),
        ("sealed = flip(sealed, 8)", ErrorKind::WrongKey),
        ("sealed = flip(sealed, 40)", ErrorKind::AuthenticationFailed),
        ("sealed = flip(sealed, length(sealed) - 33)", ErrorKind::AuthenticationFailed),
        ("label = label || '.'", ErrorKind::AuthenticationFailed),
        ("created_at = created_at + 1", ErrorKind::AuthenticationFailed),
        ("sealed = x'00'", ErrorKind::AuthenticationFailed),
        ("parameters = x'00'", ErrorKind::AuthenticationFailed),
        ("id = id + 20", ErrorKind::AuthenticationFailed),
        // Who changes the commitment, or the nonce that it is made with, changes which key the slot is for.
        ("sealed = flip(sealed, length(sealed) - 1)", ErrorKind::WrongKey),
    ];
    for (id, way) in &ways {
        for (damage, expected) in damages {
            damage_slot(&home.file(), *id, damage);
            let error = Vault::open(home.file(), way).unwrap_err();
            assert_eq!(error.kind(), expected, "slot {id}, {damage}: {error}");
            // The other slots still open.
            for (other, way) in &ways {
                assert_eq!(Vault::open(home.file(), way).is_ok(), other != id);
            }
            std::fs::write(home.file(), &whole).unwrap();
        }
    }
}

/// Changes a slot in SQL. `flip(blob, at)` is the blob with a bit of that byte changed.
fn damage_slot(file: &Path, id: i64, change: &str) {
    let conn = plain(file);
    let sealed: Vec<u8> = conn
        .query_row("SELECT sealed FROM sealite_slots WHERE id = ?", [id], |row| row.get(0))
        .unwrap();
    let change = match change.strip_prefix("sealed = flip(sealed, ") {
        Some(at) => {
            let at = at.trim_end_matches(')');
            let at = match at.strip_prefix("length(sealed) - ") {
                Some(back) => sealed.len() - back.parse::<usize>().unwrap(),
                None => at.parse().unwrap(),
            };
            let mut flipped = sealed;
            flipped[at] ^= 4;
            format!("sealed = x'{}'", hex(&flipped))
        }
        None => change.to_owned(),
    };
    let sql = format!("UPDATE sealite_slots SET {change} WHERE id = {id}");
    assert_eq!(conn.execute(&sql, []).unwrap(), 1);
}
