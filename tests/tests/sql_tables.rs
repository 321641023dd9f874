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

#[test]
fn text_keys_json_and_booleans_keep_their_ways() {
    let vault = Vault::in_memory().unwrap();
    vault
        .define_table(
            &TableDefinition::new("pages")
                .text_key("slug")
                .column(Column::json("meta").sealed())
                .column(Column::boolean("live").sealed().not_null().default(true))
                .column(Column::boolean("shown").authenticated())
                .column(Column::text("tag").sealed().index(Index::unique())),
        )
        .unwrap();
    let insert =
        "INSERT INTO pages (slug, meta, shown) VALUES ('a', '{\"n\": 1}', 1), ('b', NULL, 0)";
    assert_eq!(vault.execute(insert, &[]).unwrap(), 2);
    let row = vault.table("pages").unwrap().get("a").unwrap().unwrap();
    assert_eq!(row.get("live").unwrap().as_bool(), Some(true));
    assert_eq!(row.get("meta").unwrap().as_str(), Some("{\"n\": 1}"));
    let one = |sql: &str| table(&vault, sql)[0][0].clone();
    assert_eq!(one("SELECT meta ->> 'n' FROM pages WHERE slug = 'a'"), Value::Integer(1));
    assert_eq!(
        one("SELECT typeof(live) || live FROM pages WHERE slug = 'b'"),
        Value::Text("integer1".into())
    );
    assert_eq!(one("SELECT count(*) FROM pages WHERE live AND NOT shown"), Value::Integer(1));
    assert_eq!(
        one("SELECT group_concat(slug) FROM (SELECT slug FROM pages ORDER BY slug DESC)"),
        Value::Text("b,a".into())
    );
    assert!(table(&vault, "SELECT 1 FROM pages WHERE slug = 'A'").is_empty());
    assert_eq!(
        vault.execute("UPDATE pages SET meta = '[]', tag = slug WHERE slug > 'a'", &[]).unwrap(),
        1
    );
    assert_eq!(
        vault.execute("UPDATE pages SET slug = slug, live = 0 WHERE tag = 'b'", &[]).unwrap(),
        1
    );
    assert_eq!(
        vault.execute("INSERT OR REPLACE INTO pages (slug, tag) VALUES ('a', 'b')", &[]).unwrap(),
        1
    );
    assert_eq!(
        table(&vault, "SELECT slug, tag, live FROM pages"),
        [[Value::Text("a".into()), Value::Text("b".into()), Value::Integer(1)]]
    );
    let tx = vault.begin().unwrap();
    let gone = tx.query("DELETE FROM pages RETURNING slug, meta", &[]).unwrap();
    assert_eq!(gone.rows, [[Value::Text("a".into()), Value::Null]]);
    tx.commit().unwrap();
    for (sql, kind, message) in [
        (
            "INSERT INTO pages (slug) VALUES (NULL)",
            ErrorKind::Conflict,
            "NOT NULL constraint failed: pages.slug",
        ),
        (
            "INSERT INTO pages (tag) VALUES ('x')",
            ErrorKind::Conflict,
            "NOT NULL constraint failed: pages.slug",
        ),
        (
            "INSERT INTO pages (slug, live) VALUES ('c', 2)",
            ErrorKind::TypeMismatch,
            "cannot store INT value in BOOLEAN column pages.live",
        ),
        (
            "INSERT INTO pages (slug, meta) VALUES ('c', '{')",
            ErrorKind::TypeMismatch,
            "column meta: not JSON text",
        ),
        (
            "INSERT INTO pages (rowid, slug) VALUES (5, 'c')",
            ErrorKind::Refused,
            "the row id of table pages is the engine's own",
        ),
    ] {
        let error = vault.execute(sql, &[]).unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message), "{sql}");
    }
    vault.execute("INSERT INTO pages (slug) VALUES ('c')", &[]).unwrap();
    let same = vault.execute("INSERT INTO pages (slug) VALUES ('c')", &[]).unwrap_err();
    assert_eq!(same.message(), "UNIQUE constraint failed: pages.slug");
    let long = vault.execute("UPDATE pages SET slug = ?", &["x".repeat(1001).as_str().into()]);
    assert_eq!(long.unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(vault.execute("UPDATE pages SET slug = 'd'", &[]).unwrap(), 1);
    let moved = table(&vault, "SELECT slug, tag FROM pages WHERE slug = 'd'");
    assert_eq!(moved, [[Value::Text("d".into()), Value::Null]]);
    let upsert = "INSERT INTO pages (slug, tag) VALUES ('d', ?1) ON CONFLICT (slug) DO UPDATE
                  SET tag = excluded.tag || '/' || excluded.slug || ?2";
    assert_eq!(vault.execute(upsert, &["t".into(), "!".into()]).unwrap(), 1);
    assert_eq!(table(&vault, "SELECT tag FROM pages"), [[Value::Text("t/d!".into())]]);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn rows_of_two_layouts_read_alike() {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    fill(&vault);
    for alteration in [
        sealite::Alteration::AddColumn(Column::text("note").sealed().default("none")),
        sealite::Alteration::Protect("plan".into(), sealite::Protection::Authenticated),
        sealite::Alteration::AddIndex("name".into(), Index::unique()),
    ] {
        let _ = vault.alter_table("users", &alteration).unwrap();
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(
            table(&vault, "SELECT name, plan FROM users WHERE plan = 'free' ORDER BY id"),
            [[text("Bob"), text("free")], [text("Cyd"), text("free")]]
        );
        let same = vault.execute("UPDATE users SET age = age WHERE name = 'Ada'", &[]).unwrap();
        assert_eq!(same, 1);
        assert_eq!(
            table(&vault, "SELECT count(note) FROM users WHERE note = 'none'"),
            [[Value::Integer(3)]]
        );
    }
    assert_eq!(
        vault
            .execute("INSERT INTO users (email, name) VALUES ('x', 'Ada')", &[])
            .unwrap_err()
            .kind(),
        ErrorKind::Conflict
    );
}

#[test]
fn tables_of_tenants_and_of_the_engine_are_not_shown() {
    let vault = Vault::in_memory().unwrap();
    vault
        .define_table(&TableDefinition::new("mine").per_tenant().column(Column::text("a").sealed()))
        .unwrap();
    for name in ["mine", "sealite_settings", "sealite_audit"] {
        let error = vault.query(&format!("SELECT * FROM {name}"), &[]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Sql | ErrorKind::NotAllowed), "{name}: {error}");
    }
}
