//! `SELECT sealite_define_table(…)` and `sealite_tables()`: tables declared and listed in SQL.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{Column, Connection, ErrorKind, Result, TableDefinition, Value, Vault};
use sealite_tests::scratch::Scratch;

const USERS: &str = "SELECT sealite_define_table('users', 'email text sealed not null unique email', \
                     'name text sealed', 'plan text default ''free''')";

fn one(connection: &Connection, sql: &str) -> Result<Value> {
    Ok(connection.query(sql, &[])?.rows[0][0].clone())
}

fn names(connection: &Connection) -> Vec<Value> {
    let sql = "SELECT value ->> 'name' FROM json_each(sealite_tables())";
    connection.query(sql, &[]).expect(sql).rows.into_iter().map(|mut row| row.remove(0)).collect()
}

fn with_vaults(test: impl Fn(&Vault)) {
    test(&Vault::in_memory().expect("a vault"));
    let scratch = Scratch::new();
    test(&scratch.create());
}

#[test]
fn a_declared_table_is_there_for_every_connection() {
    with_vaults(|vault| {
        let (first, second) = (vault.connect().unwrap(), vault.connect().unwrap());
        assert_eq!(names(&second), []);
        assert_eq!(one(&first, USERS).unwrap(), Value::Integer(1));
        assert_eq!(one(&first, USERS).unwrap(), Value::Integer(0));
        let insert = "INSERT INTO users (email) VALUES (?) RETURNING id, plan";
        let row = second.query(insert, &["ada@example.org".into()]).unwrap().rows.remove(0);
        assert_eq!(row, [Value::Integer(1), Value::Text("free".into())]);
        let found = "SELECT id FROM users WHERE email = 'ADA@example.org'";
        assert_eq!(one(&first, found).unwrap(), Value::Integer(1));
        assert!(vault.table("users").is_ok());
    });
}

#[test]
fn a_declaration_is_part_of_the_transaction() {
    with_vaults(|vault| {
        let connection = vault.connect().unwrap();
        for end in ["ROLLBACK", "COMMIT"] {
            connection.execute("BEGIN", &[]).unwrap();
            connection
                .execute("CREATE TABLE IF NOT EXISTS plain (id INTEGER PRIMARY KEY)", &[])
                .unwrap();
            assert_eq!(one(&connection, USERS).unwrap(), Value::Integer(1));
            connection.execute("INSERT INTO users (email) VALUES ('a@b.example')", &[]).unwrap();
            assert_eq!(one(&connection, "SELECT count(*) FROM users").unwrap(), Value::Integer(1));
            assert_eq!(names(&connection).len(), 1);
            connection.execute(end, &[]).unwrap();
            let there = end == "COMMIT";
            assert_eq!(names(&connection).len(), usize::from(there), "{end}");
            assert_eq!(vault.table("users").is_ok(), there);
            assert_eq!(connection.query("SELECT email FROM users", &[]).is_ok(), there);
        }
    });
}

#[test]
fn a_savepoint_takes_a_declaration_back() {
    with_vaults(|vault| {
        let connection = vault.connect().unwrap();
        connection.execute("BEGIN", &[]).unwrap();
        one(&connection, USERS).unwrap();
        connection.execute("SAVEPOINT a", &[]).unwrap();
        one(&connection, "SELECT sealite_define_table('notes', 'body sealed')").unwrap();
        connection.execute("INSERT INTO notes (body) VALUES ('x')", &[]).unwrap();
        connection.execute("INSERT INTO users (email) VALUES ('a@b.example')", &[]).unwrap();
        assert_eq!(names(&connection).len(), 2);
        connection.execute("ROLLBACK TO a", &[]).unwrap();
        assert_eq!(names(&connection), [Value::Text("users".into())]);
        connection.execute("INSERT INTO users (email) VALUES ('c@d.example')", &[]).unwrap();
        connection.execute("COMMIT", &[]).unwrap();
        assert_eq!(names(&connection), [Value::Text("users".into())]);
        assert_eq!(
            one(&connection, "SELECT email FROM users").unwrap(),
            Value::Text("c@d.example".into())
        );
        let (other, sql) = (vault.connect().unwrap(), "SELECT count(*) FROM users");
        assert_eq!(one(&other, sql).unwrap(), Value::Integer(1));
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    });
}

#[test]
fn what_can_not_be_declared_is_refused_and_leaves_nothing() {
    with_vaults(|vault| {
        let connection = vault.connect().unwrap();
        for (sql, kind) in [
            ("SELECT sealite_define_table('a', 'b frobnicated')", ErrorKind::InvalidInput),
            ("SELECT sealite_define_table('a', 'b sealed lookup 2')", ErrorKind::Refused),
            ("SELECT 1, sealite_define_table('a')", ErrorKind::Refused),
            ("SELECT sealite_define_table('a', ?)", ErrorKind::Refused),
        ] {
            assert_eq!(connection.query(sql, &[]).unwrap_err().kind(), kind, "{sql}");
        }
        assert!(connection.query("SELECT sealite_define_table('sealite_x', 'a')", &[]).is_err());
        assert_eq!(vault.query(USERS, &[]).unwrap_err().kind(), ErrorKind::ReadOnly);
        assert_eq!(names(&connection), []);
        // The connection goes on.
        connection.execute("BEGIN", &[]).unwrap();
        assert!(
            connection.query("SELECT sealite_define_table('a', 'b sealed lookup 2')", &[]).is_err()
        );
        one(&connection, USERS).unwrap();
        connection.execute("COMMIT", &[]).unwrap();
        connection.execute("INSERT INTO users (email) VALUES ('a@b.example')", &[]).unwrap();
    });
}

#[test]
fn a_plain_table_is_not_declared_over() {
    with_vaults(|vault| {
        let connection = vault.connect().unwrap();
        connection.execute("CREATE TABLE Users (id INTEGER PRIMARY KEY, email TEXT)", &[]).unwrap();
        connection.execute("INSERT INTO users (email) VALUES ('a@b.example')", &[]).unwrap();
        connection.execute("CREATE VIEW seen AS SELECT 1 AS a", &[]).unwrap();
        let definition = |name| TableDefinition::new(name).column(Column::text("email").sealed());
        for refused in [
            vault.define_table(&definition("users")).map(drop),
            vault.transaction(|tx| tx.define_table(&definition("USERS"))).map(drop),
            vault.define_table(&definition("users").per_tenant()).map(drop),
            connection.query(USERS, &[]).map(drop),
        ] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Definition);
            assert!(
                refused.message().contains("protect_table")
                    && refused.message().contains("sealite_protect")
            );
        }
        assert_eq!(
            vault.define_table(&definition("seen")).unwrap_err().kind(),
            ErrorKind::Definition
        );
        assert_eq!(names(&connection), []);
        assert_eq!(
            one(&connection, "SELECT email FROM users").unwrap(),
            Value::Text("a@b.example".into())
        );
        // The way that the message names.
        vault.query("SELECT sealite_protect('users', 'email sealed')", &[]).unwrap();
        assert!(!vault.define_table(&definition("users")).unwrap());
        assert_eq!(
            one(&connection, "SELECT email FROM users").unwrap(),
            Value::Text("a@b.example".into())
        );
    });
}

#[test]
fn the_list_says_what_was_declared() {
    let vault = Vault::in_memory().unwrap();
    vault
        .transaction(|tx| {
            tx.query("SELECT sealite_define_table('notes', 'slug text primary key', 'with padding 64', 'a text sealed unique email', 'n integer authenticated not null default 3')", &[])
        })
        .unwrap();
    let list = vault.query("SELECT sealite_tables()", &[]).unwrap().rows.remove(0).remove(0);
    let found: serde_json::Value = serde_json::from_str(list.as_ref().as_str().unwrap()).unwrap();
    let wanted = serde_json::json!([{
        "name": "notes", "physical": "notes_sealed", "key": "slug", "key_type": "text", "columns_before_key": 0, "padding": 64, "subject": null,
        "columns": [
            {"name": "a", "type": "text", "protection": "sealed", "not_null": false, "default": null,
             "index": "unique email", "specification": "a text sealed unique email"},
            {"name": "n", "type": "integer", "protection": "authenticated", "not_null": true, "default": "3",
             "index": null, "specification": "n integer authenticated not null default 3"},
        ],
    }]);
    assert_eq!(found, wanted);
}

#[test]
fn foreign_keys_of_a_sealed_table_hold() {
    with_vaults(|vault| {
        let connection = vault.connect().unwrap();
        connection.execute("CREATE TABLE teams (id INTEGER PRIMARY KEY)", &[]).unwrap();
        let people = "SELECT sealite_define_table('people', 'name sealed', 'team integer', 'boss integer', \
                      'foreign key (team) references teams (id) on delete cascade', 'FOREIGN KEY(boss) REFERENCES people (id)')";
        one(&connection, people).unwrap();
        let pets = "SELECT sealite_define_table('pets', 'name sealed', 'owner integer', 'foreign key (owner) references people')";
        one(&connection, pets).unwrap();
        connection.execute("INSERT INTO teams VALUES (1)", &[]).unwrap();
        connection.execute("INSERT INTO people (name, team) VALUES ('a', 1)", &[]).unwrap();
        connection
            .execute("INSERT INTO people (name, team, boss) VALUES ('b', 1, 1)", &[])
            .unwrap();
        connection.execute("INSERT INTO pets (name, owner) VALUES ('c', 2)", &[]).unwrap();
        for sql in [
            "INSERT INTO people (name, team) VALUES ('a', 2)",
            "INSERT INTO people (name, boss) VALUES ('a', 9)",
            "INSERT INTO pets (name, owner) VALUES ('a', 9)",
            "DELETE FROM people WHERE id = 1",
        ] {
            let refused = connection.execute(sql, &[]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Conflict, "{sql}: {refused}");
        }
        connection.execute("DELETE FROM pets", &[]).unwrap();
        connection.execute("DELETE FROM teams", &[]).unwrap();
        assert_eq!(one(&connection, "SELECT count(*) FROM people").unwrap(), Value::Integer(0));
    });
}
