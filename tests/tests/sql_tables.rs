//! Sealed tables as ordinary SQL tables: reading and writing them in SQL gives what a plain STRICT table gives.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{Column, ErrorKind, Index, Normaliser, TableDefinition, Value, Vault, values};
use sealite_tests::scratch::Scratch;

fn users(vault: &Vault) {
    vault
        .define_table(
            &TableDefinition::new("users")
                .column(
                    Column::text("email")
                        .sealed()
                        .not_null()
                        .index(Index::unique().normaliser(Normaliser::Email)),
                )
                .column(Column::text("name").sealed())
                .column(Column::integer("age").sealed())
                .column(Column::text("role").authenticated().not_null().default("user"))
                .column(Column::text("plan").index(Index::lookup(5000))),
        )
        .unwrap();
}

fn fill(vault: &Vault) {
    for sql in [
        "INSERT INTO users (email, name, age, plan) VALUES
             ('ada@example.org', 'Ada', 36, 'pro'), ('bob@example.org', 'Bob', NULL, 'free'),
             ('cyd@example.org', 'Cyd', 51, 'free')",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER, total INTEGER)",
        "INSERT INTO orders (user, total) VALUES (1, 10), (1, 20), (2, 5)",
    ] {
        vault.execute(sql, &[]).unwrap();
    }
}

fn table(vault: &Vault, sql: &str) -> Vec<Vec<Value>> {
    vault.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

#[test]
fn what_sql_writes_the_records_hold() {
    let scratch = Scratch::new();
    for vault in [Vault::in_memory().unwrap(), scratch.create()] {
        users(&vault);
        fill(&vault);
        let handle = vault.table("users").unwrap();
        let ada = handle.find_one("email", "ADA@example.org").unwrap().unwrap();
        assert_eq!(ada.text("name").unwrap(), "Ada");
        assert_eq!(ada.text("role").unwrap(), "user");
        handle.insert(values! {"email" => "eve@example.org", "name" => "Eve"}).unwrap();
        let found = table(&vault, "SELECT id, name, age FROM users ORDER BY id DESC LIMIT 2");
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(
            found,
            [
                vec![Value::Integer(4), text("Eve"), Value::Null],
                vec![Value::Integer(3), text("Cyd"), Value::Integer(51)],
            ]
        );
        let changed = vault.execute("UPDATE users SET age = age + 1 WHERE age > 30", &[]).unwrap();
        assert_eq!(changed, 2);
        assert_eq!(table(&vault, "SELECT sum(age) FROM users"), [[Value::Integer(89)]]);
        assert_eq!(
            vault.execute("DELETE FROM users WHERE email = 'Bob@Example.org'", &[]).unwrap(),
            1
        );
        assert_eq!(table(&vault, "SELECT count(*) FROM users"), [[Value::Integer(3)]]);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        let error =
            vault.execute("INSERT INTO users (email) VALUES ('ada@EXAMPLE.org')", &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.message(), "UNIQUE constraint failed: users.email");
    }
}
