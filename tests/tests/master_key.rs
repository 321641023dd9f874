//! Changing the master key: whole or not at all, and every other handle goes on or is locked.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;
use std::time::{Duration, Instant};

use sealite::{ErrorKind, PassphraseCost, Status, Unlock, Vault, values};
use sealite_tests::process::{listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::scratch::Scratch;
use sealite_tests::vaults::{Home, assert_distinct_nonces, open_in, people, unlock_in};

const PASSPHRASE: &str = "a passphrase of a test";

fn passphrase() -> Unlock {
    Unlock::passphrase_with(PASSPHRASE, PassphraseCost::floor()).unwrap()
}

fn other_key() -> Unlock {
    Unlock::key_text("8d0c3a5be1972f46c1d08ab4f3527e9960b1d47ae5822c3f901b6ed8a7f45c13").unwrap()
}

/// The wrapped keys, slots and list, as they stand in the file.
fn wrapped(scratch: &Scratch) -> Vec<Vec<u8>> {
    let raw = scratch.raw();
    let sql = "SELECT sealed FROM sealite_keys UNION ALL SELECT sealed FROM sealite_slots
               UNION ALL SELECT keys FROM sealite_meta";
    let mut stmt = raw.prepare(sql).unwrap();
    stmt.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// A vault with a row, a tenant, and a slot of each kind; the recovery code's secret.
fn filled(scratch: &Scratch) -> (Vault, Unlock) {
    let vault = scratch.create();
    vault.define_table(&people()).unwrap();
    vault.table("people").unwrap().insert(values! {"email" => "ada@example.org"}).unwrap();
    vault.tenant("acme").unwrap().field("note").unwrap().seal("x", None).unwrap();
    vault.add_slot("pass", &passphrase()).unwrap();
    let (_, code) = vault.add_recovery_slot("paper").unwrap();
    let code = Unlock::recovery_code(code.reveal()).unwrap();
    (vault, code)
}

fn ada(vault: &Vault) {
    let table = vault.table("people").unwrap();
    assert_eq!(table.find("email", "ADA@example.org").unwrap().len(), 1);
}

#[test]
fn every_slot_that_stays_opens_and_everything_is_wrapped_anew() {
    let scratch = Scratch::new();
    let (vault, code) = filled(&scratch);
    let before = wrapped(&scratch);
    let slots = vault.slots().unwrap();
    let secrets = [scratch.unlock(), passphrase(), code.clone()];
    let done = vault.keys().rotate_master(&secrets, false).unwrap();
    assert_eq!((done.kept, done.dropped), (vec![1, 2, 3], vec![]));
    assert_eq!(done.keys as usize, vault.keys().list().unwrap().len());
    assert_eq!(vault.slots().unwrap(), slots, "ids, kinds, labels and times stay");
    let after = wrapped(&scratch);
    assert_eq!(before.len(), after.len());
    assert!(before.iter().all(|record| !after.contains(record)));
    // The one that has changed it goes on.
    ada(&vault);
    vault.table("people").unwrap().insert(values! {"email" => "bob@example.org"}).unwrap();
    vault.add_slot("another", &other_key()).unwrap();
    assert!(vault.verify(|_| ()).unwrap().is_sound() && vault.health().ready);
    vault.close();
    for secret in [scratch.unlock(), passphrase(), code, other_key()] {
        let vault = Vault::open(scratch.path(), &secret).unwrap();
        ada(&vault);
        let entries = vault.audit().verify(None).unwrap();
        assert!(entries.is_sound());
    }
    assert_distinct_nonces(&scratch.path());
}

#[test]
fn a_slot_that_was_dropped_opens_nothing_not_even_with_its_old_row_put_back() {
    let scratch = Scratch::new();
    let (vault, _) = filled(&scratch);
    let old: (Vec<u8>, Vec<u8>) = scratch
        .raw()
        .query_row("SELECT parameters, sealed FROM sealite_slots WHERE id = 2", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let created: i64 = scratch
        .raw()
        .query_row("SELECT created_at FROM sealite_slots WHERE id = 2", [], |row| row.get(0))
        .unwrap();
    let done = vault.keys().rotate_master(&[scratch.unlock()], true).unwrap();
    assert_eq!((done.kept, done.dropped), (vec![1], vec![2, 3]));
    assert_eq!(vault.slots().unwrap().len(), 1);
    vault.close();
    let refused = Vault::open(scratch.path(), &passphrase()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongKey);
    let sql = "INSERT INTO sealite_slots (id, kind, label, created_at, parameters, sealed)
               VALUES (2, 2, 'pass', ?, ?, ?)";
    scratch.raw().execute(sql, rusqlite::params![created, old.0, old.1]).unwrap();
    let refused = Vault::open(scratch.path(), &passphrase()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
    ada(&scratch.open());
}

#[test]
fn nothing_changes_where_a_secret_or_a_slot_is_wanting() {
    let scratch = Scratch::new();
    let (vault, code) = filled(&scratch);
    let before = wrapped(&scratch);
    let keys = vault.keys();
    let wrong = keys.rotate_master(&[scratch.unlock(), code.clone(), other_key()], true);
    let wrong = wrong.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::WrongKey);
    assert!(wrong.message().starts_with("secret 3 of 3: no key slot"), "{wrong}");
    let lost = keys.rotate_master(&[scratch.unlock(), code], false).unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Refused);
    assert!(lost.message().contains("slot 2 (passphrase, \"pass\")"), "{lost}");
    for drop_others in [true, false] {
        let none = keys.rotate_master(&[], drop_others).unwrap_err();
        assert_eq!(none.kind(), ErrorKind::LastSlot);
    }
    assert_eq!(wrapped(&scratch), before);
    // Nor where a key has been edited.
    let id = i64::try_from(vault.keys().list().unwrap().len()).unwrap();
    scratch
        .raw()
        .execute("UPDATE sealite_keys SET changed_at = changed_at + 1 WHERE id = ?", [id])
        .unwrap();
    let before = wrapped(&scratch);
    let edited = keys.rotate_master(&[scratch.unlock()], true).unwrap_err();
    assert_eq!(edited.kind(), ErrorKind::AuthenticationFailed);
    assert_eq!(wrapped(&scratch), before);
}

#[test]
fn other_handles_of_the_process_go_on_by_their_own_slot_or_are_locked() {
    let scratch = Scratch::new();
    let (vault, code) = filled(&scratch);
    let by_passphrase = Vault::open(scratch.path(), &passphrase()).unwrap();
    let by_code = Vault::open(scratch.path(), &code).unwrap();
    let snapshot = by_passphrase.snapshot().unwrap();
    let done = vault.keys().rotate_master(&[scratch.unlock(), code.clone()], true).unwrap();
    assert_eq!(done.dropped, [2]);
    // A moment that was begun before goes on to its end.
    assert_eq!(snapshot.table("people").unwrap().count().unwrap(), 1);
    drop(snapshot);
    by_code.table("people").unwrap().insert(values! {"email" => "c@example.org"}).unwrap();
    ada(&by_code);
    by_code.tenant("new").unwrap().field("note").unwrap().seal("x", None).unwrap();
    let locked = by_passphrase.transaction(|_| Ok(())).unwrap_err();
    assert_eq!(locked.kind(), ErrorKind::Locked);
    assert!(locked.message().contains("master key has been changed"), "{locked}");
    assert_eq!(by_passphrase.status().unwrap(), Status::Locked);
    assert_eq!(by_passphrase.table("people").map(|_| ()).unwrap_err().kind(), ErrorKind::Locked);
    by_passphrase.unlock(&code).unwrap();
    ada(&by_passphrase);
    // Whoever drops the slot that it was opened with goes on by one that stays.
    let done = vault.keys().rotate_master(std::slice::from_ref(&code), true).unwrap();
    assert_eq!(done.dropped, [1]);
    ada(&vault);
    by_code.keys().rotate_master(&[code], false).unwrap();
    vault.table("people").unwrap().insert(values! {"email" => "d@example.org"}).unwrap();
    for vault in [&vault, &by_code, &by_passphrase] {
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    }
}

/// Reads and writes, and says what came of it, once for each line.
fn worker(unlock: &Unlock, file: &Path) {
    let vault = Vault::open(file, unlock).unwrap();
    let table = vault.table_handle("people");
    tell("ready");
    while let Some(email) = listen() {
        let inserted = table.insert(values! {"email" => email.as_str()}).map(|_| ());
        let read = vault.snapshot().and_then(|now| now.table("people")?.count().map(|_| ()));
        match (inserted, read) {
            (Ok(()), Ok(())) => tell("ok"),
            (Err(one), Err(two)) if one.kind() == two.kind() => tell(one.kind().name()),
            (one, two) => tell(format_args!("{one:?} {two:?}")),
        }
    }
}

#[test]
fn other_processes_go_on_by_their_own_slot_or_are_locked() {
    staged("other_processes_go_on_by_their_own_slot_or_are_locked", 120, |stage| {
        match stage.role() {
            "key" => return worker(&unlock_in(stage.path().parent().unwrap()), &stage.path()),
            "passphrase" => return worker(&passphrase(), &stage.path()),
            _ => {}
        }
        let home = Home::new();
        let vault = home.create();
        vault.add_slot("pass", &passphrase()).unwrap();
        home.share_key();
        let mut key = stage.process("key", home.file());
        let mut pass = stage.process("passphrase", home.file());
        for process in [&mut key, &mut pass] {
            assert_eq!(process.hear(), "ready");
        }
        let mut number = 0;
        let mut all = |expected: [&str; 2]| {
            for (process, expected) in [&mut key, &mut pass].into_iter().zip(expected) {
                number += 1;
                process.say(&format!("{number}@example.org"));
                assert_eq!(process.hear(), expected);
            }
        };
        all(["ok", "ok"]);
        vault.keys().rotate_master(&[home.unlock(), passphrase()], false).unwrap();
        all(["ok", "ok"]);
        vault.keys().rotate_master(&[home.unlock()], true).unwrap();
        all(["ok", "locked"]);
        vault.keys().rotate_master(&[home.unlock()], false).unwrap();
        all(["ok", "locked"]);
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 6);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        key.succeed();
        pass.succeed();
    });
}

#[test]
fn a_change_that_is_killed_happens_whole_or_not_at_all() {
    staged("a_change_that_is_killed_happens_whole_or_not_at_all", 170, |stage| {
        if stage.role() == "rotator" {
            let vault = open_in(&stage.path());
            let secrets = [unlock_in(&stage.path()), other_key()];
            tell("ready");
            loop {
                vault.keys().rotate_master(&secrets, false).unwrap();
                tell("done");
            }
        }
        let home = Home::new();
        let vault = home.create();
        vault.add_slot("other", &other_key()).unwrap();
        home.share_key();
        let names: Vec<String> = (0..scaled(150, 2_000)).map(|n| format!("tenant{n}")).collect();
        vault
            .transaction(|tx| {
                let table = tx.table("people")?;
                table.insert(values! {"email" => "ada@example.org"}).map(|_| ())
            })
            .unwrap();
        for name in &names {
            vault.tenant(name).unwrap().field("note").unwrap().seal("x", None).unwrap();
        }
        let sealed = vault.tenant(&names[0]).unwrap().field("note").unwrap().seal("kept", None);
        let sealed = sealed.unwrap();
        vault.close();
        let mut finished = 0;
        for round in 0..scaled(12, 200_u32) {
            let mut rotator = stage.process("rotator", home.folder());
            assert_eq!(rotator.hear(), "ready");
            // At any point of the first change or of a later one.
            std::thread::sleep(Duration::from_micros(u64::from(round % 12) * 1_500));
            rotator.kill();
            finished += rotator.rest().len();
            let vault = home.open();
            ada(&vault);
            let note = vault.tenant(&names[0]).unwrap().field("note").unwrap();
            assert_eq!(note.open(&sealed, None).unwrap(), "kept".into());
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            // The vault's own three, and of each tenant one for data and one for indexes.
            assert_eq!(vault.keys().list().unwrap().len(), 3 + 2 * names.len());
            vault.close();
            drop(Vault::open(home.file(), &other_key()).unwrap());
        }
        tell(format_args!("{finished} changes had finished"));
    });
}

#[test]
fn twenty_thousand_keys_are_wrapped_again_in_one_transaction() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let definition =
        sealite::TableDefinition::new("t").per_tenant().column(sealite::Column::text("a").sealed());
    vault.define_table(&definition).unwrap();
    vault
        .transaction(|tx| {
            (0..10_000).try_for_each(|n| {
                let table = tx.tenant_table(&format!("tenant{n}"), "t")?;
                table.insert(values! {"a" => "x"}).map(|_| ())
            })
        })
        .unwrap();
    let began = Instant::now();
    let done = vault.keys().rotate_master(&[scratch.unlock()], false).unwrap();
    let took = began.elapsed();
    assert_eq!(done.keys, 20_003);
    eprintln!("20,003 keys wrapped again in {took:?}");
    vault.close();
    let vault = scratch.open();
    assert_eq!(vault.keys().list().unwrap().len(), 20_003);
    let row = vault.tenant("tenant9999").unwrap().table("t").unwrap().scan().unwrap().next();
    assert_eq!(row.unwrap().unwrap().text("a").unwrap(), "x");
}
