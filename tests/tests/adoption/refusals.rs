//! What stands against an adoption is listed, and nothing is converted.

use rusqlite::Connection;
use sealite::{AdoptionPlan, ErrorKind, Vault};
use sealite_tests::vaults::Home;

use super::world::vault_in;

const SCHEMA: &str = "
    CREATE TABLE parents (code TEXT UNIQUE, id INTEGER PRIMARY KEY);
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT CHECK (length(name) > 1),
        code TEXT REFERENCES parents (code), kind TEXT DEFAULT 'user', age INTEGER, note TEXT);
    CREATE INDEX users_names ON users (name, email);
    CREATE INDEX users_age ON users (age);
    CREATE VIEW mails AS SELECT email FROM users;
    CREATE VIEW ids AS SELECT id FROM users;
    CREATE VIEW everything AS SELECT * FROM users;
    CREATE TRIGGER noted AFTER UPDATE OF note ON users BEGIN SELECT new.note; END;
    CREATE TABLE strict (id INTEGER PRIMARY KEY, secret TEXT) STRICT;
    INSERT INTO parents (code) VALUES ('p');
    INSERT INTO users (email, name, code, age) VALUES ('a@b.c', 'Ada', 'p', 36);";

#[test]
fn what_stands_against_values_is_listed() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    Connection::open(&path).unwrap().execute_batch(SCHEMA).unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    for (column, wanted) in [
        ("users.email: sealed unique email", "view mails"),
        ("users.email: sealed unique email", "view everything"),
        ("users.email: sealed unique email", "users_names"),
        ("users.email: sealed", "say `unique`"),
        ("users.name: sealed", "CHECK"),
        ("users.code: sealed", "foreign key"),
        ("parents.code: sealed unique", "foreign key"),
        ("users.kind: sealed", "default"),
        ("users.age: sealed", "users_age"),
        ("users.note: sealed", "trigger noted"),
        ("users.note: sealed lookup 12", "1024"),
        ("users.id: sealed", "primary key"),
        ("strict.secret: sealed", "STRICT"),
    ] {
        let plan = AdoptionPlan::new().column(column).unwrap().values().source(&path);
        let preview = vault.preview_adoption(&plan).unwrap();
        let refused = preview.tables[0].refused.join("\n");
        assert!(refused.contains(wanted), "{column}: {refused}");
        assert!(!preview.is_possible());
        let error = vault.adopt(&plan, |_| true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{column}");
        assert!(error.message().contains(wanted), "{column}: {error}");
    }
    let plan = AdoptionPlan::new().column("users.note: sealed").unwrap().values().source(&path);
    let preview = vault.preview_adoption(&plan).unwrap();
    assert!(preview.tables[0].kept.contains(&"view ids".to_owned()), "{preview:?}");
}

#[test]
fn what_stands_against_tables_is_listed() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    Connection::open(&path).unwrap().execute_batch(SCHEMA).unwrap();
    let vault = vault_in(&home, &path);
    for (column, wanted) in [
        ("users.email: sealed unique email", "view mails"),
        ("users.email: sealed unique email", "users_names"),
        ("users.name: sealed", "CHECK"),
        ("users.code: sealed", "foreign key"),
        ("users.note: sealed", "trigger noted"),
    ] {
        let plan = AdoptionPlan::new().column(column).unwrap();
        let error = vault.adopt(&plan, |_| true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{column}");
        assert!(error.message().contains(wanted), "{column}: {error}");
    }
    assert!(vault.tables().unwrap().is_empty());
}

#[test]
fn a_table_that_others_refer_to_is_not_removed_from_under_them() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users);",
    )
    .unwrap();
    conn.close().unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = AdoptionPlan::new().column("users.email: sealed").unwrap().source(&path);
    let preview = vault.preview_adoption(&plan.clone().remove_source()).unwrap();
    assert!(preview.tables[0].refused[0].contains("orders"), "{preview:?}");
    assert!(vault.preview_adoption(&plan).unwrap().is_possible());
}

#[test]
fn plans_that_fit_no_way_are_refused() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    Connection::open(&path).unwrap().execute_batch(SCHEMA).unwrap();
    let vault = vault_in(&home, &path);
    let plan = |text: &str| AdoptionPlan::from_toml(text).unwrap();
    let refused = |plan: &AdoptionPlan, kind: ErrorKind| {
        let error = vault.preview_adoption(plan).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    };
    refused(&AdoptionPlan::new(), ErrorKind::InvalidInput);
    refused(&plan("as = 'values'\n[tables.users]\nnote = 'sealed'"), ErrorKind::InvalidInput);
    refused(&plan("remove = true\n[tables.users]\nnote = 'sealed'"), ErrorKind::InvalidInput);
    refused(&plan("[tables.users]\nnote = {is = 'sealed', label = 'x'}"), ErrorKind::InvalidInput);
    refused(&plan("[tables.users]\nnote = {is = 'sealed', when = 'age'}"), ErrorKind::InvalidInput);
    refused(&plan("[tables.users]\nnothing = 'sealed'"), ErrorKind::NotFound);
    refused(&plan("[tables.nowhere]\nnote = 'sealed'"), ErrorKind::NotFound);
    let own = plan("[tables.users]\nnote = 'sealed'").source(&path);
    refused(&own, ErrorKind::InvalidInput);
    refused(&own.source(home.folder().join("none.db")), ErrorKind::NotFound);
}

#[test]
fn a_database_that_another_library_has_open_is_refused() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY, note TEXT)").unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = AdoptionPlan::new().column("users.note: sealed").unwrap().source(&path);
    if cfg!(target_os = "linux") {
        let error = vault.preview_adoption(&plan).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AnotherLibrary);
    }
    drop(conn);
    assert!(vault.preview_adoption(&plan).unwrap().is_possible());
}
