//! Single sealed values in the application's own database.

use rusqlite::Connection;
use rusqlite::types::Value;
use sealite::{AdoptionPlan, Erasure, ErrorKind, Index, Normaliser, Vault};
use sealite_tests::vaults::{Home, assert_integrity};

use super::world::{SECRET, adopt, anywhere, application, rows};

const PLAN: &str = "as = 'values'
[tables.users]
email = 'sealed unique email'
name = { is = 'sealed', bind_row = true, label = 'people.name' }
";

const ALL: &str = "SELECT id, email, name, role, plan FROM users ORDER BY id";

#[test]
fn values_are_sealed_in_place_with_their_blind_indexes() {
    let home = Home::new();
    let path = application(&home, 2_500);
    let conn = Connection::open(&path).unwrap();
    let (before, notes) = (rows(&conn, ALL), rows(&conn, "SELECT * FROM notes"));
    conn.close().unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = AdoptionPlan::from_toml(PLAN).unwrap().source(&path);
    let preview = vault.preview_adoption(&plan).unwrap();
    assert!(preview.is_possible(), "{preview:?}");
    assert!(!preview.tables[0].done && preview.tables[0].bytes_after > 0);
    let report = adopt(&vault, &plan);
    assert_eq!((report.tables[0].rows, report.erasure), (2_500, Erasure::Complete));
    assert_eq!(anywhere(home.folder(), SECRET), std::slice::from_ref(&path), "the notes");

    let (email, name) = (vault.field("users.email").unwrap(), vault.field("people.name").unwrap());
    let conn = Connection::open(&path).unwrap();
    let mut after = rows(&conn, ALL);
    let text = |opened: sealite::Value| Value::Text(opened.as_ref().as_str().unwrap().to_owned());
    for row in &mut after {
        let Value::Integer(id) = row[0] else { panic!() };
        let Value::Blob(sealed) = &row[1] else { panic!("{id}") };
        row[1] = text(email.open(sealed, None).unwrap());
        if let Value::Blob(sealed) = &row[2] {
            assert!(
                name.open(sealed, None).is_err()
                    && name.open(sealed, Some((id + 1).into())).is_err()
            );
            row[2] = text(name.open(sealed, Some(id.into())).unwrap());
        }
    }
    assert_eq!(after, before);
    assert_eq!(rows(&conn, "SELECT * FROM notes"), notes);
    let index = Index::unique().normaliser(Normaliser::Email);
    let blind = email.index(format!("u77.{SECRET}@example.ORG").as_str(), &index).unwrap();
    let found: i64 = conn
        .query_row(
            "SELECT id FROM users WHERE email_bidx = ?",
            [blind.as_ref().as_bytes().unwrap()],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(found, 77);
    let plan_of = "EXPLAIN QUERY PLAN SELECT id FROM users WHERE email_bidx = x'00'";
    assert!(format!("{:?}", rows(&conn, plan_of)).contains("ix_users_email_bidx"));
    let twice = conn.execute(
        "INSERT INTO users (email, email_bidx) VALUES (x'01', (SELECT email_bidx FROM users WHERE id = 3))",
        [],
    );
    assert!(twice.is_err());
    conn.close().unwrap();

    let again = adopt(&vault, &plan);
    assert!(again.tables[0].was_done);
    vault.close();
    assert_integrity(&path);
}

#[test]
fn only_rows_with_their_switch_on_are_sealed_and_later_ones_on_the_next_call() {
    let home = Home::new();
    let path = application(&home, 300);
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = "as = 'values'\n[tables.notes]\nbody = { is = 'sealed', when = 'secret' }";
    let plan = AdoptionPlan::from_toml(plan).unwrap().source(&path);
    let states = "SELECT DISTINCT secret, typeof(body) FROM notes ORDER BY 1";
    let state = |path: &std::path::Path| {
        let conn = Connection::open(path).unwrap();
        format!("{:?}", rows(&conn, states))
    };
    adopt(&vault, &plan);
    assert_eq!(state(&path), r#"[[Integer(0), Text("text")], [Integer(1), Text("blob")]]"#);
    let conn = Connection::open(&path).unwrap();
    conn.execute("UPDATE notes SET secret = 1", []).unwrap();
    conn.close().unwrap();
    let report = adopt(&vault, &plan);
    assert!(!report.tables[0].was_done);
    assert_eq!(state(&path), r#"[[Integer(1), Text("blob")]]"#);
    let field = vault.field("notes.body").unwrap();
    let conn = Connection::open(&path).unwrap();
    for row in rows(&conn, "SELECT body FROM notes") {
        let Value::Blob(sealed) = &row[0] else { panic!() };
        let opened = field.open(sealed, None).unwrap();
        assert!(opened.as_ref().as_str().unwrap().starts_with('p'));
    }
    drop(conn);
    assert_eq!(anywhere(home.folder(), "public 17"), [] as [std::path::PathBuf; 0]);
}

#[test]
fn values_of_tenants_are_sealed_for_them() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE TABLE users (id TEXT PRIMARY KEY, tenant_id INTEGER NOT NULL, email TEXT);
         INSERT INTO users VALUES ('a', 1, 'x@example.org'), ('b', 2, 'x@example.org'), ('c', 2, NULL);",
    )
    .unwrap();
    conn.close().unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = "as = 'values'\n[tables.users]\nemail = { is = 'sealed unique email', tenant = 'tenant_id' }";
    adopt(&vault, &AdoptionPlan::from_toml(plan).unwrap().source(&path));
    let conn = Connection::open(&path).unwrap();
    let found = rows(&conn, "SELECT email, email_bidx FROM users ORDER BY id");
    assert_eq!(found[2], [Value::Null, Value::Null]);
    assert_ne!(found[0][1], found[1][1]);
    for (row, own, other) in [(&found[0], "1", "2"), (&found[1], "2", "1")] {
        let Value::Blob(sealed) = &row[0] else { panic!() };
        let open = |tenant: &str| {
            vault.tenant(tenant).unwrap().field("users.email").unwrap().open(sealed, None)
        };
        assert_eq!(open(own).unwrap().as_ref().as_str(), Some("x@example.org"));
        assert!(open(other).is_err());
    }
}

#[test]
fn a_value_that_stands_twice_changes_nothing() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
         INSERT INTO users (email) VALUES ('ada@example.org'), ('Ada@Example.ORG');",
    )
    .unwrap();
    conn.close().unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = "as = 'values'\n[tables.users]\nemail = 'sealed unique email'";
    let plan = AdoptionPlan::from_toml(plan).unwrap().source(&path);
    let error = vault.adopt(&plan, |_| true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!error.to_string().to_lowercase().contains("ada"));
    let conn = Connection::open(&path).unwrap();
    assert_eq!(
        format!("{:?}", rows(&conn, "SELECT typeof(email) FROM users LIMIT 1")),
        r#"[[Text("text")]]"#
    );
    assert_eq!(rows(&conn, "SELECT name FROM pragma_table_info('users')").len(), 2);
}

#[test]
fn an_application_in_a_rollback_journal_keeps_its_mode() {
    let home = Home::new();
    let path = application(&home, 200);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    conn.close().unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = AdoptionPlan::from_toml(
        "as = 'values'\n[tables.users]\nemail = 'sealed unique email'\nname = 'sealed'\n[tables.notes]\nbody = 'sealed'",
    );
    adopt(&vault, &plan.unwrap().source(&path));
    assert_eq!(anywhere(home.folder(), SECRET), [] as [std::path::PathBuf; 0]);
    let conn = Connection::open(&path).unwrap();
    assert_eq!(format!("{:?}", rows(&conn, "PRAGMA journal_mode")), r#"[[Text("delete")]]"#);
}
