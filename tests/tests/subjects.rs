//! Rows of subjects: each sealed under a key of its subject, on every path that reads or writes them.

#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use sealite::{
    Alteration, Column, ErrorKind, Index, Protection, TableDefinition, Value, Vault, values,
};
use sealite_tests::vaults::{Home, plain};

fn notes() -> TableDefinition {
    let by_user = Index::lookup(10_000);
    TableDefinition::new("notes")
        .column(Column::integer("user_id").authenticated().index(by_user))
        .column(Column::text("slug").sealed().index(Index::unique()))
        .column(Column::text("body").sealed())
        .subject("user_id")
}

fn users() -> TableDefinition {
    TableDefinition::new("users").column(Column::text("name").sealed()).subject_is_row()
}

/// The keys that the records of a table name, by row id.
fn keys(file: &Path, table: &str) -> BTreeMap<i64, u32> {
    let conn = plain(file);
    let mut stmt = conn.prepare(&format!("SELECT id, sealed FROM {table}_sealed")).unwrap();
    let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let key = |record: &[u8]| u32::from_be_bytes(record[3..7].try_into().unwrap());
    rows.map(Result::unwrap).map(|(id, record)| (id, key(&record))).collect()
}

/// Purpose, tenant and subject of the keys, by id.
fn owners(file: &Path) -> BTreeMap<u32, (i64, Option<String>, Option<String>)> {
    let conn = plain(file);
    let mut stmt = conn.prepare("SELECT id, purpose, tenant, subject FROM sealite_keys").unwrap();
    let rows = stmt.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))));
    rows.unwrap().map(Result::unwrap).collect()
}

fn insert(vault: &Vault, user: Option<i64>, slug: &str) -> i64 {
    let body = format!("of {slug}");
    let row = values! {"user_id" => user, "slug" => slug, "body" => body.as_str()};
    vault.table("notes").unwrap().insert(row).unwrap().as_i64().unwrap()
}

fn body(vault: &Vault, id: i64) -> String {
    vault.table("notes").unwrap().get(id).unwrap().unwrap().text("body").unwrap().to_owned()
}

#[test]
fn each_subject_has_a_key_of_its_own_on_every_path() {
    let home = Home::new();
    let vault = home.create();
    vault.define_table(&notes()).unwrap();
    vault.define_table(&users()).unwrap();
    let one = insert(&vault, Some(1), "a");
    let two = insert(&vault, Some(2), "b");
    let nobody = insert(&vault, None, "c");
    let again = insert(&vault, Some(1), "d");
    let table = vault.table("notes").unwrap();
    for (id, slug) in [(one, "a"), (two, "b"), (nobody, "c"), (again, "d")] {
        assert_eq!(body(&vault, id), format!("of {slug}"));
        assert_eq!(table.find_one("slug", slug).unwrap().unwrap().id(), id.into());
    }
    assert_eq!(table.find("user_id", 1).unwrap().len(), 2);
    let scanned: Vec<_> = table.scan().unwrap().map(|row| row.unwrap().id().to_owned()).collect();
    assert_eq!(scanned.len(), 4);
    let sql = "SELECT slug, body FROM notes WHERE user_id = 1 ORDER BY id";
    assert_eq!(vault.query(sql, &[]).unwrap().rows.len(), 2);
    vault.execute("INSERT INTO notes (user_id, slug, body) VALUES (3, 'e', 'x')", &[]).unwrap();
    vault.execute("UPDATE notes SET body = body || '!' WHERE user_id = 1", &[]).unwrap();
    assert_eq!(body(&vault, one), "of a!");
    let user = vault.table("users").unwrap().insert(values! {"id" => 1, "name" => "Ada"}).unwrap();
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    vault.close();

    let (keys_of_notes, users, owners) =
        (keys(&home.file(), "notes"), keys(&home.file(), "users"), owners(&home.file()));
    let subject = |key: u32| owners[&key].2.as_deref();
    assert_eq!(subject(keys_of_notes[&one]), Some("1"));
    assert_eq!(keys_of_notes[&one], keys_of_notes[&again]);
    assert_eq!(subject(keys_of_notes[&two]), Some("2"));
    assert_eq!(subject(keys_of_notes[&nobody]), None);
    assert_eq!(users[&user.as_i64().unwrap()], keys_of_notes[&one], "one key for one subject");
    let own = owners.values().filter(|(_, _, subject)| subject.is_some());
    assert!(own.clone().all(|(purpose, ..)| *purpose == 1), "subjects have data keys only");
    assert_eq!(own.count(), 3);
}

#[test]
fn a_row_that_changes_its_subject_changes_its_key() {
    let home = Home::new();
    let vault = home.create();
    vault.define_table(&notes()).unwrap();
    let id = insert(&vault, Some(1), "a");
    let first = insert(&vault, Some(2), "b");
    vault.close();
    for (to, by_sql) in [(Some(2), false), (Some(9), true), (None, false), (Some(1), true)] {
        let vault = home.open();
        if by_sql {
            vault
                .execute("UPDATE notes SET user_id = ? WHERE id = ?", &[to.into(), id.into()])
                .unwrap();
        } else {
            assert!(vault.table("notes").unwrap().update(id, values! {"user_id" => to}).unwrap());
        }
        assert_eq!(body(&vault, id), "of a");
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.close();
        let (keys, owners) = (keys(&home.file(), "notes"), owners(&home.file()));
        assert_eq!(owners[&keys[&id]].2, to.map(|to: i64| to.to_string()));
        assert_eq!(owners[&keys[&first]].2.as_deref(), Some("2"));
    }
}

#[test]
fn a_row_whose_subject_was_edited_is_refused() {
    let home = Home::new();
    let vault = home.create();
    vault.define_table(&notes()).unwrap();
    let (one, two) = (insert(&vault, Some(1), "a"), insert(&vault, Some(2), "b"));
    vault.close();
    let set = |value: &str| {
        let sql = format!("UPDATE notes_sealed SET user_id = {value} WHERE id = ?");
        plain(&home.file()).execute(&sql, [one]).unwrap();
    };
    for value in ["2", "NULL", "'1'", "1.5", "x'31'", "77"] {
        set(value);
        let vault = home.open();
        let error = vault.table("notes").unwrap().get(one).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{value}");
        let faults = vault.verify(|_| ()).unwrap().faults;
        assert_eq!(faults.len(), 1, "{value}");
        vault.close();
    }
    set("1");
    // The other subject's whole record in its place.
    let sql = "UPDATE notes_sealed SET sealed = (SELECT sealed FROM notes_sealed WHERE id = ?2) WHERE id = ?1";
    plain(&home.file()).execute(sql, [one, two]).unwrap();
    let vault = home.open();
    let error = vault.table("notes").unwrap().get(one).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthenticationFailed);
    assert_eq!(body(&vault, two), "of b");
}

#[test]
fn the_same_subject_of_two_tenants_has_two_keys() {
    let home = Home::new();
    let vault = home.create();
    vault.define_table(&notes().per_tenant()).unwrap();
    for tenant in ["a", "b"] {
        let table = vault.tenant(tenant).unwrap();
        let row = values! {"user_id" => 7, "slug" => "x", "body" => tenant};
        table.table("notes").unwrap().insert(row).unwrap();
    }
    vault.close();
    let owners = owners(&home.file());
    let of_seven: Vec<_> =
        owners.values().filter(|(_, _, s)| s.as_deref() == Some("7")).map(|(_, t, _)| t).collect();
    assert_eq!(of_seven, [&Some("a".to_owned()), &Some("b".to_owned())]);
    // Neither opens the other's rows, whatever the file says.
    plain(&home.file())
        .execute("UPDATE notes_sealed SET tenant = 'b' WHERE tenant = 'a'", [])
        .unwrap();
    let vault = home.open();
    let found = vault.tenant("b").unwrap().table("notes").unwrap().find("user_id", 7);
    assert_eq!(found.unwrap_err().kind(), ErrorKind::AuthenticationFailed);
}

#[test]
fn what_can_not_name_a_subject_is_refused_with_the_reason() {
    let vault = Vault::in_memory().unwrap();
    let with = |column: Column| TableDefinition::new("t").column(column).subject("s");
    for (definition, kind, word) in [
        (with(Column::text("s").sealed()), ErrorKind::Definition, "not sealed"),
        (with(Column::text("s")), ErrorKind::Definition, "plain"),
        (with(Column::blob("s").authenticated()), ErrorKind::Definition, "integer or text"),
        (with(Column::boolean("s").authenticated()), ErrorKind::Definition, "integer or text"),
        (TableDefinition::new("t").subject("s"), ErrorKind::NotFound, "no column s"),
    ] {
        let error = vault.define_table(&definition).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(word), "{error}");
    }
    vault.define_table(&with(Column::text("s").authenticated())).unwrap();
    let table = vault.table("t").unwrap();
    for bad in ["", "a\0b", &"x".repeat(1_001)] {
        let error = table.insert(values! {"s" => bad}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    table.insert(values! {"s" => "x".repeat(1_000).as_str()}).unwrap();
    // The column stays what it is.
    for change in [
        Alteration::DropColumn("s".into()),
        Alteration::Protect("s".into(), Protection::Sealed),
        Alteration::Protect("s".into(), Protection::Plain),
    ] {
        assert_eq!(vault.alter_table("t", &change).unwrap_err().kind(), ErrorKind::Refused);
    }
    let _ = vault.alter_table("t", &Alteration::RenameColumn("s".into(), "who".into())).unwrap();
    assert_eq!(vault.table("t").unwrap().definition().unwrap().declared_subject(), Some("who"));
    vault.table("t").unwrap().insert(values! {"who" => "a"}).unwrap();
}

#[test]
fn a_declaration_with_subjects_is_not_met_by_a_table_without() {
    let vault = Vault::in_memory().unwrap();
    let bare = || TableDefinition::new("notes").column(Column::integer("user_id").authenticated());
    vault.define_table(&bare()).unwrap();
    let declared = vault.define_table(&bare().subject("user_id"));
    assert_eq!(declared.unwrap_err().kind(), ErrorKind::Definition);
    let other = |name: &str| bare().column(Column::integer("other").authenticated()).subject(name);
    vault.drop_table("notes").map(|_| ()).unwrap();
    assert!(vault.define_table(&other("user_id")).unwrap());
    assert!(!vault.define_table(&other("USER_ID")).unwrap());
    assert_eq!(vault.define_table(&other("other")).unwrap_err().kind(), ErrorKind::Definition);
    assert_eq!(vault.define_table(&other("id")).unwrap_err().kind(), ErrorKind::Definition);
}

#[test]
fn sql_and_conversions_declare_subjects_and_backfills_keep_them() {
    let home = Home::new();
    let vault = home.create();
    let sql = "SELECT sealite_define_table('a', 'user_id integer authenticated', 'body sealed', \
               'with subject user_id')";
    vault.query(sql, &[]).or_else(|_| vault.transaction(|tx| tx.query(sql, &[]))).unwrap();
    let declared = vault.table("a").unwrap().definition().unwrap();
    assert_eq!(declared.declared_subject(), Some("user_id"));

    vault.execute("CREATE TABLE p (id INTEGER PRIMARY KEY, owner TEXT, body TEXT)", &[]).unwrap();
    for n in 0..30 {
        let owner = format!("u{}", n % 3);
        let values = [owner.as_str().into(), "text".into()];
        vault.execute("INSERT INTO p (owner, body) VALUES (?, ?)", &values).unwrap();
    }
    let words = ["owner authenticated", "body sealed", "with subject owner"];
    let _ = vault.protect_table("p", &words).unwrap();
    let _ = vault.protect_table("p", &words).unwrap();
    let other = ["owner authenticated", "body sealed", "with subject row"];
    assert_eq!(vault.protect_table("p", &other).unwrap_err().kind(), ErrorKind::Conflict);
    let protect = Alteration::AddColumn(Column::text("more").sealed().default("x"));
    let _ = vault.alter_table("p", &protect).unwrap();
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    vault.close();
    let (keys_of_p, owners) = (keys(&home.file(), "p"), owners(&home.file()));
    for (id, key) in &keys_of_p {
        assert_eq!(owners[key].2, Some(format!("u{}", (id - 1) % 3)));
    }
    let vault = home.open();
    vault.unprotect_table("p").unwrap();
    let rows = vault.query("SELECT count(*) FROM p WHERE body = 'text'", &[]).unwrap().rows;
    assert_eq!(rows, [[Value::Integer(30)]]);
}

#[test]
fn a_key_of_a_subject_that_is_rolled_back_is_in_no_ring() {
    let home = Home::new();
    let vault = home.create();
    vault.define_table(&notes()).unwrap();
    let table = vault.table("notes").unwrap();
    for round in 0..3 {
        let tx = vault.begin().unwrap();
        let notes = tx.table("notes").unwrap();
        let slug = format!("gone{round}");
        let row = values! {"user_id" => 5, "slug" => slug.as_str(), "body" => "x"};
        let id = notes.insert(row).unwrap();
        assert!(notes.get(&id).unwrap().is_some());
        assert!(notes.update(&id, values! {"body" => "y"}).unwrap());
        tx.roll_back().unwrap();
        // Another subject is given the same key id.
        let kept = insert(&vault, Some(100 + round), &format!("kept{round}"));
        assert_eq!(body(&vault, kept), format!("of kept{round}"));
    }
    assert_eq!(table.count().unwrap(), 3);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}
