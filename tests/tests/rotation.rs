//! Rotation in one process: everything stays readable and found, nothing stays under the old key, which is then refused.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value as Sql;
use sealite::{
    ApprovalRequest, Author, Change, Column, Entry, ErrorKind, Index, KeyPurpose, KeyState, Limit,
    Rotation, RotationKind, RotationState, RotationStatus, SettingDefinition, TableDefinition,
    TokenKind, TokenRequest, Type, Value, ValueRef, Vault, values,
};
use sealite_tests::scratch::Scratch;
use sealite_tests::vaults::plain;
use sealite_tests::world::World;

/// Something of every kind that a vault keeps.
fn fill(vault: &Vault) {
    let key = SettingDefinition::new("smtp.password", Type::Text).secret();
    vault.settings().define(&key).unwrap();
    vault
        .settings()
        .write("smtp.password", Change::Set("swordfish".into()), &Author::new("ada"))
        .unwrap();
    vault.tokens().issue(&TokenRequest::new(TokenKind::ApiKey).subject("ada")).unwrap();
    vault.tokens().issue_code(&sealite::CodeRequest::new("ada")).unwrap();
    let limit = Limit::sliding(5, Duration::from_secs(60)).unwrap();
    vault.quotas().check_and_charge("198.51.100.7", &[limit], 1).unwrap();
    vault.approvals().create(&ApprovalRequest::new("pay", "{}", "ada")).unwrap();
    for number in 0..700 {
        vault.audit().append(&Entry::new("filled").payload(format!("{{\"n\":{number}}}"))).unwrap();
    }
    let acme = vault.tenant("acme").unwrap();
    acme.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("bob")).unwrap();
    acme.field("notes").unwrap().seal("a note", None).unwrap();
}

/// The keys that the records of the closed file are under, by table.
fn keys_used(file: &Path) -> BTreeSet<(String, u32)> {
    let conn = plain(file);
    let mut names = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%sealed BLOB%'")
        .unwrap();
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut used = BTreeSet::new();
    for name in names {
        if matches!(name.as_str(), "sealite_keys" | "sealite_slots") {
            continue;
        }
        let mut stmt = conn.prepare(&format!("SELECT sealed FROM \"{name}\"")).unwrap();
        for record in stmt.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap() {
            let id = u32::from_be_bytes(record.unwrap()[3..7].try_into().unwrap());
            used.insert((name.clone(), id));
        }
    }
    used
}

fn active(vault: &Vault, purpose: KeyPurpose, tenant: Option<&str>) -> u32 {
    let keys = vault.keys().list().unwrap();
    let mut found = keys.iter().filter(|key| {
        key.purpose == purpose && key.tenant.as_deref() == tenant && key.state == KeyState::Active
    });
    found.next().unwrap().id
}

fn kind<T>(result: sealite::Result<T>) -> ErrorKind {
    result.err().expect("refused").kind()
}

#[test]
fn nothing_stays_under_the_old_data_key_and_everything_is_readable_at_every_step() {
    let world = World::default();
    let vault = world.scratch.open();
    fill(&vault);
    let keys = vault.keys();
    for tenant in [None, Some("acme")] {
        let rotation = Rotation::data(tenant);
        let old = active(&vault, KeyPurpose::Data, tenant);
        let plan = keys.plan(&rotation).unwrap();
        assert!(plan.key == old && plan.records > 0, "{plan:?}");
        assert_eq!(plan.records, plan.tables.iter().map(|(_, count)| count).sum::<u64>());
        assert_eq!(kind(keys.step(&rotation)), ErrorKind::NotFound);
        let begun = keys.begin(&rotation).unwrap();
        assert_eq!((begun.old_key, begun.total, begun.done), (old, plan.records, 0));
        assert_eq!(kind(keys.begin(&rotation)), ErrorKind::Conflict);
        assert_eq!(kind(keys.destroy_retired(&rotation, true)), ErrorKind::Refused);
        let mut steps = 0;
        while keys.status(&rotation).unwrap().unwrap().state == RotationState::Running {
            world.check_open(&vault, "during");
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            let now = keys.step(&rotation).unwrap();
            assert!(now.state == RotationState::Finished || now.new_key == begun.new_key);
            steps += 1;
            assert!(steps < 200);
        }
        let done = keys.status(&rotation).unwrap().unwrap();
        // What is written meanwhile is sealed anew by that.
        assert!(plan.records.abs_diff(done.moved) <= 10, "{done:?}");
        assert!(done.finished_at.is_some() && done.remaining == Some(Duration::ZERO));
        assert_eq!(keys.step(&rotation).unwrap(), done);
    }
    let retired: Vec<u32> = keys
        .list()
        .unwrap()
        .iter()
        .filter(|key| key.state == KeyState::Retired)
        .map(|key| key.id)
        .collect();
    assert_eq!(retired.len(), 2);
    vault.close();
    let used = keys_used(&world.scratch.path());
    assert!(used.iter().all(|(_, id)| !retired.contains(id)), "{used:?}");
    assert!(used.len() > 15, "{used:?}");

    let vault = world.scratch.open();
    let keys = vault.keys();
    assert_eq!(kind(keys.destroy_retired(&Rotation::data(None), false)), ErrorKind::Refused);
    let mut destroyed = keys.destroy_retired(&Rotation::data(None), true).unwrap().0;
    destroyed.extend(keys.destroy_retired(&Rotation::data(Some("acme")), true).unwrap().0);
    assert_eq!(destroyed, retired);
    assert!(keys.destroy_retired(&Rotation::data(None), true).unwrap().0.is_empty());
    world.check_open(&vault, "after");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert!(vault.audit().verify(None).unwrap().is_sound());
    let rotations = keys.rotations().unwrap();
    assert_eq!(rotations.len(), 2);
    assert!(rotations.iter().all(|one| one.rotation.kind() == RotationKind::Data));
}

#[test]
fn an_old_key_that_is_put_back_is_refused() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&sealite_tests::vaults::people()).unwrap();
    let people = vault.table("people").unwrap();
    let id = people.insert(values! {"email" => "ada@example.org", "name" => "Ada"}).unwrap();
    let row = |scratch: &Scratch, sql: &str| -> Vec<Sql> {
        scratch
            .raw()
            .query_row(sql, [], |row| {
                (0..).map_while(|at| row.get::<_, Sql>(at).ok()).map(Ok).collect()
            })
            .unwrap()
    };
    vault.close();
    let before = row(&scratch, "SELECT * FROM sealite_keys WHERE id = 1");
    let record = row(&scratch, "SELECT sealed FROM people_sealed");

    let vault = scratch.open();
    let rotation = Rotation::data(None);
    vault.keys().run(&rotation, |_| ()).unwrap();
    let _ = vault.keys().destroy_retired(&rotation, true).unwrap();
    assert_eq!(
        vault.table("people").unwrap().get(&id).unwrap().unwrap().text("name").unwrap(),
        "Ada"
    );
    vault.close();

    // The record alone: its key is destroyed.
    scratch
        .raw()
        .execute("UPDATE people_sealed SET sealed = ?", rusqlite::params_from_iter(&record))
        .unwrap();
    let vault = scratch.open();
    assert_eq!(kind(vault.table("people").unwrap().get(&id)), ErrorKind::DestroyedKey);
    vault.close();
    // With its key's row, as it was.
    let marks = vec!["?"; before.len()].join(", ");
    let sql = format!("INSERT OR REPLACE INTO sealite_keys VALUES ({marks})");
    scratch.raw().execute(&sql, rusqlite::params_from_iter(&before)).unwrap();
    let vault = scratch.open();
    assert_eq!(kind(vault.table("people").unwrap().get(&id)), ErrorKind::AuthenticationFailed);
    assert_eq!(kind(vault.keys().list()), ErrorKind::AuthenticationFailed);
    assert_eq!(kind(vault.keys().begin(&rotation)), ErrorKind::AuthenticationFailed);
}

/// Look-ups by every way, and refusals of what is taken, while rows stand under two index keys.
#[test]
fn every_look_up_finds_and_every_duplicate_is_refused_across_index_keys() {
    let world = World::default();
    let vault = world.scratch.open();
    let more = 1_200;
    let users = vault.table("users").unwrap();
    let acme = vault.tenant("acme").unwrap();
    let clients = acme.table("clients").unwrap();
    for table in [&users, &clients] {
        let emails: Vec<String> = (0..more).map(|n| format!("more{n}@example.org")).collect();
        let surnames: Vec<String> = (0..more).map(|n| format!("More {}", n % 40)).collect();
        let rows: Vec<[ValueRef<'_>; 2]> =
            emails.iter().zip(&surnames).map(|(e, s)| [e.into(), s.into()]).collect();
        table.insert_many(&["email", "surname"], &rows).unwrap();
    }
    let keys = vault.keys();
    let check = |what: &str| {
        for (table, name) in [(&users, "users"), (&clients, "clients")] {
            for n in [0, 499, 500, 777, more - 1] {
                let email = format!("MORE{n}@example.org");
                let found = table.find_one("email", email.as_str()).unwrap();
                assert!(found.is_some(), "{what}: {name} {n}");
                let again = table.insert(values! {"email" => email.as_str()});
                assert_eq!(kind(again), ErrorKind::Conflict, "{what}: {name} {n}");
                let other = table.find_one("email", "person1@example.org").unwrap().unwrap();
                let taken = table.update(other.id(), values! {"email" => email.as_str()});
                assert_eq!(kind(taken), ErrorKind::Conflict, "{what}: {name} {n}");
                // Its own address in another spelling is nobody else's.
                let own = found.unwrap();
                assert!(table.update(own.id(), values! {"email" => email.as_str()}).unwrap());
            }
            assert_eq!(table.find("surname", "more 7").unwrap().len(), 30, "{what}: {name}");
            assert!(table.find("email", "nobody@example.org").unwrap().is_empty());
        }
        let count = |sql: &str| {
            let rows = vault.query(sql, &[]).unwrap();
            rows.rows[0][0].as_ref().as_i64().unwrap()
        };
        assert_eq!(
            count("SELECT count(*) FROM users WHERE email = 'more499@example.org'"),
            1,
            "{what}"
        );
        assert_eq!(
            count(
                "SELECT count(*) FROM users WHERE email IN ('more1@example.org', 'more1100@example.org', 'x@y.org')"
            ),
            2
        );
        assert_eq!(count("SELECT count(*) FROM users WHERE surname = 'MORE 7'"), 30, "{what}");
        let insert = "INSERT INTO users (email) VALUES ('more3@example.org')";
        assert_eq!(kind(vault.execute(insert, &[])), ErrorKind::Conflict, "{what}");
        let nothing = format!("{insert} ON CONFLICT (email) DO NOTHING");
        assert_eq!(vault.execute(&nothing, &[]).unwrap(), 0, "{what}");
        let or_ignore = insert.replace("INSERT", "INSERT OR IGNORE");
        assert_eq!(vault.execute(&or_ignore, &[]).unwrap(), 0, "{what}");
        let upsert = format!("{insert} ON CONFLICT (email) DO UPDATE SET plan = 'pro'");
        assert_eq!(vault.execute(&upsert, &[]).unwrap(), 1, "{what}");
        let replace =
            "REPLACE INTO users (email, surname) VALUES ('more1150@example.org', 'More 30')";
        assert_eq!(vault.execute(replace, &[]).unwrap(), 1, "{what}");
        assert_eq!(users.count().unwrap(), u64::try_from(more).unwrap() + 3, "{what}");
    };
    check("before");
    for rotation in [Rotation::index(None), Rotation::index(Some("acme"))] {
        keys.begin(&rotation).unwrap();
        let mut steps = 0;
        check("begun");
        while keys.step(&rotation).unwrap().state == RotationState::Running {
            steps += 1;
            check(&format!("{rotation:?} {steps}"));
            assert!(steps < 100);
        }
        assert!(steps > 2);
        check("finished");
        let destroyed = keys.destroy_retired(&rotation, true).unwrap().0;
        assert_eq!(destroyed.len(), 1);
        check("destroyed");
    }
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn an_index_key_is_not_destroyed_while_rows_stand_under_it() {
    let world = World::default();
    let vault = world.scratch.open();
    let (keys, rotation) = (vault.keys(), Rotation::index(None));
    keys.begin(&rotation).unwrap();
    assert_eq!(kind(keys.destroy_retired(&rotation, true)), ErrorKind::Refused);
    keys.run(&rotation, |_| ()).unwrap();
    // Another one begins: what was retired twice is destroyed only when both are done.
    keys.begin(&rotation).unwrap();
    world.check_open(&vault, "twice");
    assert_eq!(kind(keys.destroy_retired(&rotation, true)), ErrorKind::Refused);
    keys.run(&rotation, |_| ()).unwrap();
    assert_eq!(keys.destroy_retired(&rotation, true).unwrap().0.len(), 2);
    world.check_open(&vault, "done");
}

#[test]
fn fields_open_and_are_found_across_keys_and_are_sealed_anew_one_by_one() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let other = scratch.open();
    let field = vault.field("users.email").unwrap();
    let elsewhere = other.field("users.email").unwrap();
    let unique = Index::unique();
    let sealed = field.seal("ada@example.org", None).unwrap();
    let index = field.index("ada@example.org", &unique).unwrap();
    assert_eq!(elsewhere.seal("x", None).unwrap()[3..7], sealed[3..7]);
    assert_eq!(field.reseal(&sealed, None).unwrap(), None);
    let keys = vault.keys();
    let (data, blind) = (Rotation::data(None), Rotation::index(None));
    keys.run(&data, |_| ()).unwrap();
    keys.run(&blind, |_| ()).unwrap();

    assert_eq!(field.open(&sealed, None).unwrap(), Value::Text("ada@example.org".into()));
    let fresh = field.reseal(&sealed, None).unwrap().unwrap();
    assert_ne!(fresh[3..7], sealed[3..7]);
    assert_eq!(field.open(&fresh, None).unwrap(), Value::Text("ada@example.org".into()));
    let values = field.index_values("ada@example.org", &unique).unwrap();
    assert!(values.len() == 2 && values[1] == index && values[0] != index);
    assert_eq!(field.index("ada@example.org", &unique).unwrap(), values[0]);
    assert_eq!(field.index_values(ValueRef::Null, &unique).unwrap(), [Value::Null]);

    // Another handle learns of the keys by itself, and before they are destroyed.
    assert_eq!(kind(keys.destroy_retired(&data, false)), ErrorKind::Refused);
    let _ = keys.destroy_retired(&data, true).unwrap();
    let _ = keys.destroy_retired(&blind, true).unwrap();
    for _ in 0..100 {
        let sealed = match elsewhere.seal_from_memory("x", None) {
            Some(sealed) => sealed.unwrap(),
            None => elsewhere.seal("x", None).unwrap(),
        };
        assert_eq!(sealed[3..7], fresh[3..7]);
    }
    assert_eq!(elsewhere.index_values("ada@example.org", &unique).unwrap(), values[..1]);
    assert_eq!(kind(elsewhere.open(&sealed, None)), ErrorKind::DestroyedKey);
    assert_eq!(kind(field.open(&sealed, None)), ErrorKind::DestroyedKey);
}

#[test]
fn a_rotation_needs_a_key_and_a_sound_table() {
    let world = World::default();
    let vault = world.scratch.open();
    let keys = vault.keys();
    assert_eq!(kind(keys.plan(&Rotation::data(Some("nobody")))), ErrorKind::NotFound);
    assert_eq!(kind(keys.begin(&Rotation::token(None))), ErrorKind::NotFound);
    assert_eq!(kind(keys.begin(&Rotation::data(Some("")))), ErrorKind::InvalidInput);
    assert_eq!(keys.status(&Rotation::data(None)).unwrap(), None);
    assert_eq!(keys.revoke_left(None).unwrap(), 0);
    vault.close();
    // A row that was edited stops the rotation, is named, and is removed.
    world.scratch.raw().execute("UPDATE users_sealed SET role = 'root' WHERE id = 2", []).unwrap();
    let vault = world.scratch.open();
    let (keys, rotation) = (vault.keys(), Rotation::data(None));
    let refused = keys.run(&rotation, |_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
    assert!(refused.message().contains("row 2 of table users"), "{refused}");
    assert_eq!(kind(keys.destroy_retired(&rotation, true)), ErrorKind::Refused);
    assert!(vault.table("users").unwrap().discard(2).unwrap());
    assert_eq!(keys.run(&rotation, |_| ()).unwrap().state, RotationState::Finished);
    assert_eq!(keys.destroy_retired(&rotation, true).unwrap().0, [1]);
}

#[test]
fn rotation_of_everything_stops_where_it_is_told_to_and_goes_on() {
    let world = World::default();
    let vault = world.scratch.open();
    fill(&vault);
    let keys = vault.keys();
    let unlock = world.scratch.unlock();
    let stops = |status: &RotationStatus| status.rotation.kind() != RotationKind::Index;
    let (master, done, all) = keys.rotate_all_while(&[unlock], false, stops).unwrap();
    assert!(!all);
    // The master key and the audit key are done, and the first index key has begun.
    assert_eq!((master.kept.len(), done.len()), (1, 2));
    let states: Vec<RotationState> = done.iter().map(|status| status.state).collect();
    assert_eq!(states, [RotationState::Finished, RotationState::Running]);
    for status in keys.rotations().unwrap() {
        if status.state == RotationState::Running {
            let done = keys.run(&status.rotation, |_| ()).unwrap();
            assert_eq!(done.state, RotationState::Finished);
        }
    }
    world.check_open(&vault, "stopped and gone on with");
}

#[test]
fn a_no_to_the_end_of_the_last_key_stops_no_rotation_of_everything() {
    let world = World::default();
    let vault = world.scratch.open();
    fill(&vault);
    let (keys, unlock) = (vault.keys(), [world.scratch.unlock()]);
    let (_, all) = keys.rotate_all(&unlock, false, |_| ()).unwrap();
    let mut ended = 0;
    let mut goes_on_to = |last: usize| {
        ended = 0;
        let go_on = |status: &RotationStatus| {
            ended += usize::from(status.state != RotationState::Running);
            ended < last
        };
        keys.rotate_all_while(&unlock, false, go_on).unwrap()
    };
    let (_, done, is_all) = goes_on_to(all.len());
    assert!(is_all && done.len() == all.len());
    let (_, done, is_all) = goes_on_to(1);
    assert!(!is_all && done.len() == 1 && done[0].state == RotationState::Finished, "{done:?}");
}

#[test]
fn everything_is_rotated_at_once_and_nothing_stays_under_any_old_key() {
    let world = World::default();
    let vault = world.scratch.open();
    fill(&vault);
    let keys = vault.keys();
    let before: Vec<u32> = keys.list().unwrap().iter().map(|key| key.id).collect();
    let mut told = 0;
    let (master, done) = keys.rotate_all(&[world.scratch.unlock()], false, |_| told += 1).unwrap();
    assert_eq!((master.kept.len(), master.dropped.len()), (1, 0));
    assert!(told > done.len());
    for status in &done {
        let waits = status.rotation.kind() == RotationKind::Token;
        let state = if waits { RotationState::Waiting } else { RotationState::Finished };
        assert_eq!(status.state, state, "{status:?}");
    }
    // One pass serves the data and the index key: what it has moved the other finds done.
    let of = |rotation: &Rotation| done.iter().find(|status| &status.rotation == rotation).unwrap();
    let (index, data) = (of(&Rotation::index(None)), of(&Rotation::data(None)));
    assert!(index.moved >= 5 && data.done < data.total, "{index:?} {data:?}");
    world.check_open(&vault, "rotated");
    for tenant in [None, Some("acme"), Some("beta")] {
        for kind in [RotationKind::Data, RotationKind::Index, RotationKind::Token] {
            let rotation = Rotation::new(kind, tenant);
            keys.revoke_left(tenant).unwrap();
            if keys.status(&rotation).unwrap().is_some() {
                keys.step(&rotation).unwrap();
                assert_eq!(
                    keys.destroy_retired(&rotation, true).unwrap().0.len(),
                    1,
                    "{rotation:?}"
                );
            }
        }
    }
    let destroyed: Vec<u32> = keys
        .list()
        .unwrap()
        .iter()
        .filter(|key| key.state == KeyState::Destroyed)
        .map(|key| key.id)
        .collect();
    assert!(destroyed.len() >= 8 && destroyed.iter().all(|id| before.contains(id)));
    world.check_open(&vault, "destroyed");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert!(vault.audit().verify(None).unwrap().is_sound());
    vault.close();
    let used = keys_used(&world.scratch.path());
    assert!(used.iter().all(|(_, id)| !before.contains(id)), "{used:?}");
}

#[test]
fn subjects_keys_are_rotated_with_those_of_their_tenant_and_erased_ones_stay_erased() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let notes = TableDefinition::new("notes")
        .column(Column::text("owner").authenticated().not_null())
        .column(Column::text("body").sealed().not_null())
        .subject("owner");
    vault.define_table(&notes).unwrap();
    let notes = vault.table("notes").unwrap();
    for number in 0..60 {
        let owner = format!("person{}", number % 3);
        notes.insert(values! {"owner" => &owner, "body" => "text"}).unwrap();
        vault.audit().append(&Entry::new("wrote").subject(&owner)).unwrap();
    }
    let _ = vault.erase_subject(None, "person2").unwrap();
    let (keys, rotation) = (vault.keys(), Rotation::data(None));
    let before = keys.list().unwrap();
    for _ in 0..2 {
        let done = keys.run(&rotation, |_| ()).unwrap();
        assert_eq!(done.state, RotationState::Finished);
        assert!(keys.destroy_retired(&rotation, true).unwrap().0.len() == 3);
        assert_eq!(notes.count().unwrap(), 40);
        for row in notes.scan().unwrap() {
            assert_eq!(row.unwrap().text("body").unwrap(), "text");
        }
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        assert!(vault.audit().verify(None).unwrap().is_sound());
    }
    let after = keys.list().unwrap();
    assert_eq!(after.len(), before.len() + 6);
    assert_eq!(
        kind(notes.insert(values! {"owner" => "person2", "body" => "x"})),
        ErrorKind::DestroyedKey
    );
    let active = after.iter().filter(|key| key.state == KeyState::Active && key.subject.is_some());
    assert_eq!(active.count(), 2);
}
