//! DDL that names sealed tables: carried out by the engine, or refused with a way out.

#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]
#![allow(clippy::too_many_lines)]

use sealite::{
    Column, Config, ErrorKind, Index, Normaliser, Protection, TableDefinition, Type, Value, Vault,
};
use sealite_tests::scratch::Scratch;

fn vault() -> Vault {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    vault
}

fn users(vault: &Vault) {
    let email = Index::unique().normaliser(Normaliser::Email);
    let users = TableDefinition::new("users")
        .column(Column::text("email").sealed().index(email))
        .column(Column::text("name").sealed())
        .column(Column::text("role").authenticated().default("user"))
        .column(Column::text("plan"));
    vault.define_table(&users).unwrap();
    for (email, plan) in [("ada@example.org", "pro"), ("bob@example.org", "free")] {
        vault
            .execute(
                "INSERT INTO users (email, name, plan) VALUES (?, 'Plainname', ?)",
                &[email.into(), plan.into()],
            )
            .unwrap();
    }
}

fn run(vault: &Vault, sql: &str) {
    vault.execute(sql, &[]).expect(sql);
}

#[track_caller]
fn refused(vault: &Vault, sql: &str, kind: ErrorKind, says: &str) {
    let error = vault.execute(sql, &[]).expect_err(sql);
    assert_eq!(error.kind(), kind, "{sql}: {error}");
    assert!(error.message().contains(says), "{sql}: {error}");
}

fn rows(vault: &Vault, sql: &str) -> Vec<Vec<Value>> {
    vault.query(sql, &[]).expect(sql).rows
}

fn column(vault: &Vault, name: &str) -> Column {
    let table = vault.tables().unwrap().into_iter().find(|table| table.name() == "users").unwrap();
    table.columns().iter().find(|column| column.name() == name).expect(name).clone()
}

fn texts(row: &[Value]) -> Vec<Option<String>> {
    row.iter().map(|value| value.as_ref().as_str().map(str::to_owned)).collect()
}

#[test]
fn a_new_column_is_sealed_unless_the_statement_says_otherwise() {
    let vault = vault();
    run(&vault, "ALTER TABLE users ADD COLUMN phone VARCHAR(20)");
    run(&vault, "ALTER TABLE main.users ADD \"home town\" TEXT NOT NULL DEFAULT ('it''s here');");
    run(&vault, "ALTER TABLE users ADD COLUMN age INTEGER PLAIN DEFAULT -7");
    run(
        &vault,
        "ALTER TABLE users ADD COLUMN level INT AUTHENTICATED NOT NULL DEFAULT 3 -- levels",
    );
    run(&vault, "alter table USERS add column vip BOOLEAN default 0");
    run(&vault, "ALTER TABLE users ADD nick TEXT UNIQUE text");
    for (name, kind, protection) in [
        ("phone", Type::Text, Protection::Sealed),
        ("home town", Type::Text, Protection::Sealed),
        ("age", Type::Integer, Protection::Plain),
        ("level", Type::Integer, Protection::Authenticated),
        ("vip", Type::Boolean, Protection::Sealed),
        ("nick", Type::Text, Protection::Sealed),
    ] {
        let column = column(&vault, name);
        assert_eq!((column.kind(), column.declared_protection()), (kind, protection), "{name}");
    }
    assert!(column(&vault, "nick").declared_index().unwrap().is_unique());
    let found =
        rows(&vault, "SELECT \"home town\", age, level, vip, phone FROM users WHERE id = 1");
    let integer = Value::Integer;
    assert_eq!(
        found[0],
        [Value::Text("it's here".into()), integer(-7), integer(3), integer(0), Value::Null]
    );
    run(&vault, "UPDATE users SET phone = '123', nick = 'A' WHERE id = 1");
    refused(&vault, "UPDATE users SET nick = 'a' WHERE id = 2", ErrorKind::Conflict, "users.nick");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    for (sql, kind, says) in [
        ("ALTER TABLE users ADD COLUMN Phone TEXT", ErrorKind::Conflict, "already"),
        ("ALTER TABLE users ADD COLUMN x TEXT NOT NULL", ErrorKind::InvalidInput, "default"),
        (
            "ALTER TABLE users ADD COLUMN x TEXT DEFAULT CURRENT_TIMESTAMP",
            ErrorKind::InvalidInput,
            "literal",
        ),
        (
            "ALTER TABLE users ADD COLUMN x INTEGER REFERENCES orgs (id)",
            ErrorKind::Refused,
            "REFERENCES",
        ),
        ("ALTER TABLE users ADD COLUMN x TEXT CHECK (x > 'a')", ErrorKind::Refused, "CHECK"),
        ("ALTER TABLE users ADD COLUMN x TEXT COLLATE NOCASE", ErrorKind::Refused, "COLLATE"),
        ("ALTER TABLE users ADD COLUMN x TEXT AS (name)", ErrorKind::Refused, "AS"),
        ("ALTER TABLE users ADD COLUMN x INTEGER PRIMARY KEY", ErrorKind::Refused, "PRIMARY"),
        ("ALTER TABLE users ADD COLUMN x BOOLEAN LOOKUP 2", ErrorKind::Refused, "frequencies"),
        ("ALTER TABLE users ADD COLUMN sealed TEXT", ErrorKind::InvalidInput, "reserved"),
        ("ALTER TABLE users ADD COLUMN", ErrorKind::Sql, "no column"),
        ("ALTER TABLE users FROBNICATE", ErrorKind::Sql, "form"),
    ] {
        refused(&vault, sql, kind, says);
    }
}

#[test]
fn tables_and_columns_are_renamed_and_dropped() {
    let vault = vault();
    run(&vault, "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)");
    run(&vault, "ALTER TABLE users RENAME COLUMN name TO full_name");
    run(&vault, "ALTER TABLE users RENAME plan TO tier");
    run(&vault, "ALTER TABLE users RENAME TO people");
    let found = rows(&vault, "SELECT full_name, tier FROM people WHERE email = 'ADA@example.org'");
    assert_eq!(texts(&found[0]), [Some("Plainname".into()), Some("pro".into())]);
    assert!(vault.query("SELECT 1 FROM users", &[]).is_err());
    refused(&vault, "ALTER TABLE people RENAME COLUMN id TO key", ErrorKind::Refused, "key");
    refused(&vault, "ALTER TABLE people DROP COLUMN id", ErrorKind::Refused, "key");
    refused(&vault, "ALTER TABLE people DROP COLUMN none", ErrorKind::NotFound, "none");
    refused(&vault, "ALTER TABLE notes RENAME TO people", ErrorKind::NotAllowed, "people");
    refused(&vault, "ALTER TABLE people RENAME TO notes", ErrorKind::Conflict, "notes");
    run(&vault, "ALTER TABLE people DROP COLUMN full_name");
    run(&vault, "ALTER TABLE people DROP email");
    assert_eq!(rows(&vault, "SELECT * FROM people")[0].len(), 3);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    run(&vault, "DROP TABLE people");
    assert!(vault.tables().unwrap().is_empty());
    run(&vault, "DROP TABLE IF EXISTS people");
    refused(&vault, "DROP TABLE people", ErrorKind::Sql, "no such table");
    run(&vault, "DROP TABLE notes");
}

#[test]
fn dropped_values_are_in_no_byte_of_the_file() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    run(&vault, "ALTER TABLE users ADD COLUMN town TEXT PLAIN");
    run(&vault, "UPDATE users SET town = 'Plaintown'");
    let held = || {
        let files = std::fs::read_dir(scratch.folder()).unwrap();
        let bytes: Vec<u8> =
            files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        bytes.windows(9).any(|window| window == b"Plaintown")
    };
    assert!(held());
    run(&vault, "ALTER TABLE users DROP COLUMN town");
    assert!(!held());
}

#[test]
fn plain_columns_are_indexed_by_sql_and_found_by_it() {
    let vault = vault();
    let plan = |sql: &str| {
        let found = rows(&vault, &format!("EXPLAIN QUERY PLAN {sql}"));
        found[0][3].as_ref().as_str().unwrap().to_owned()
    };
    let select = "SELECT id FROM users WHERE plan = 'pro'";
    assert!(plan(select).contains("scan"), "{}", plan(select));
    run(&vault, "CREATE INDEX users_plan ON users (plan)");
    run(&vault, "CREATE INDEX IF NOT EXISTS users_plan ON users (plan)");
    refused(&vault, "CREATE INDEX users_plan ON users (plan)", ErrorKind::Sql, "already exists");
    assert!(plan(select).contains("index plan ="), "{}", plan(select));
    assert!(column(&vault, "plan").declared_index().is_some());
    run(&vault, "CREATE INDEX main.\"both\" ON \"users\" (plan, role DESC) WHERE plan IS NOT NULL");
    run(&vault, "CREATE UNIQUE INDEX roles ON users (plan, role)");
    refused(
        &vault,
        "INSERT INTO users (plan) VALUES ('pro')",
        ErrorKind::Conflict,
        "UNIQUE constraint failed: users.plan, users.role",
    );
    run(&vault, "INSERT OR IGNORE INTO users (plan) VALUES ('pro')");
    run(&vault, "DROP INDEX roles");
    run(&vault, "INSERT INTO users (plan) VALUES ('pro')");
    refused(&vault, "CREATE UNIQUE INDEX plans ON users (plan)", ErrorKind::Conflict, "users.plan");
    // A column goes when nothing needs it.
    refused(&vault, "ALTER TABLE users DROP COLUMN plan", ErrorKind::Refused, "both");
    let protect = sealite::Alteration::Protect("plan".into(), Protection::Sealed);
    assert_eq!(vault.alter_table("users", &protect).unwrap_err().kind(), ErrorKind::Refused);
    run(&vault, "DROP INDEX both");
    run(&vault, "DROP INDEX users_plan");
    assert!(column(&vault, "plan").declared_index().is_none());
    assert!(plan(select).contains("scan"), "{}", plan(select));
    run(&vault, "CREATE UNIQUE INDEX ids ON users (id)");
    run(&vault, "ALTER TABLE users DROP COLUMN plan");
    run(&vault, "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)");
    run(&vault, "CREATE INDEX bodies ON notes (body)");
    run(&vault, "DROP INDEX bodies");
    run(&vault, "DROP INDEX IF EXISTS bodies");
    refused(&vault, "DROP INDEX bodies", ErrorKind::Sql, "no such index");
}

#[test]
fn what_the_file_does_not_show_is_not_indexed_by_sql() {
    let vault = vault();
    for (sql, kind, says) in [
        ("CREATE INDEX i ON users (email)", ErrorKind::Refused, "blind index"),
        ("CREATE UNIQUE INDEX i ON users (plan, lower(name))", ErrorKind::Refused, "blind index"),
        ("CREATE INDEX i ON users (plan) WHERE name > 'a'", ErrorKind::Refused, "blind index"),
        ("CREATE INDEX i ON users (sealed)", ErrorKind::NotFound, "no column sealed"),
        ("CREATE INDEX i ON users (\"email_bidx\")", ErrorKind::NotFound, "no column email_bidx"),
        ("CREATE INDEX i ON users (nothing)", ErrorKind::Sql, ""),
        ("CREATE INDEX sealite_i ON users (plan)", ErrorKind::NotAllowed, "engine"),
        ("CREATE INDEX i ON users_sealed (plan)", ErrorKind::NotAllowed, ""),
        ("CREATE INDEX temp.i ON users (plan)", ErrorKind::Sql, ""),
        (
            "CREATE TRIGGER t BEFORE INSERT ON users BEGIN SELECT 1; END",
            ErrorKind::Refused,
            "neither AFTER",
        ),
        ("ALTER TABLE users_sealed ADD COLUMN x", ErrorKind::NotAllowed, ""),
        ("DROP TABLE users_sealed", ErrorKind::NotAllowed, ""),
    ] {
        let error = vault.execute(sql, &[]).expect_err(sql);
        assert!(error.message().contains(says), "{sql}: {error}");
        assert!(
            error.kind() == kind || kind == ErrorKind::NotAllowed && error.kind() == ErrorKind::Sql,
            "{sql}: {error:?}"
        );
    }
    let own = rows(
        &vault,
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'users_sealed'",
    );
    let name = own[0][0].as_ref().as_str().unwrap();
    refused(&vault, &format!("DROP INDEX {name}"), ErrorKind::NotAllowed, "alter_table");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn plain_tables_refer_to_sealed_ones_and_follow_them() {
    let vault = vault();
    run(
        &vault,
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE)",
    );
    run(
        &vault,
        "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, user INTEGER, FOREIGN KEY (user) REFERENCES \"Users\" ON DELETE SET NULL)",
    );
    run(&vault, "CREATE TABLE tags (id INTEGER PRIMARY KEY)");
    run(&vault, "ALTER TABLE tags ADD COLUMN user INTEGER REFERENCES users");
    for table in ["orders", "notes", "tags"] {
        for user in [1, 2] {
            vault
                .execute(&format!("INSERT INTO {table} (user) VALUES (?)"), &[user.into()])
                .unwrap();
        }
        let sql = format!("INSERT INTO {table} (user) VALUES (77)");
        refused(&vault, &sql, ErrorKind::Conflict, "FOREIGN KEY");
    }
    refused(&vault, "DELETE FROM users WHERE id = 1", ErrorKind::Conflict, "FOREIGN KEY");
    assert_eq!(rows(&vault, "SELECT * FROM orders").len(), 2);
    run(&vault, "DELETE FROM tags");
    run(&vault, "DELETE FROM users WHERE id = 1");
    assert_eq!(rows(&vault, "SELECT * FROM orders"), [[Value::Integer(2), Value::Integer(2)]]);
    assert_eq!(
        rows(&vault, "SELECT user FROM notes ORDER BY id"),
        [[Value::Null], [Value::Integer(2)]]
    );
    run(&vault, "ALTER TABLE users RENAME TO people");
    refused(&vault, "INSERT INTO orders (user) VALUES (1)", ErrorKind::Conflict, "FOREIGN KEY");
    run(&vault, "DELETE FROM people");
    assert!(rows(&vault, "SELECT * FROM orders").is_empty());
    for sql in [
        "CREATE TABLE x (id INTEGER PRIMARY KEY, mail TEXT REFERENCES people (email))",
        "CREATE TABLE x (id INTEGER PRIMARY KEY, plan TEXT REFERENCES people (plan))",
        "CREATE TABLE x (id INTEGER PRIMARY KEY, role TEXT REFERENCES people (role))",
    ] {
        refused(&vault, sql, ErrorKind::Refused, "refer to its key, id");
    }
}

#[test]
fn a_reference_to_a_text_key_names_it() {
    let vault = Vault::in_memory().unwrap();
    vault
        .define_table(
            &TableDefinition::new("pages").text_key("slug").column(Column::text("body").sealed()),
        )
        .unwrap();
    run(
        &vault,
        "CREATE TABLE links (id INTEGER PRIMARY KEY, page TEXT REFERENCES pages ON DELETE CASCADE)",
    );
    run(&vault, "INSERT INTO pages (slug, body) VALUES ('a', 'A')");
    run(&vault, "INSERT INTO links (page) VALUES ('a')");
    refused(&vault, "INSERT INTO links (page) VALUES ('b')", ErrorKind::Conflict, "FOREIGN KEY");
    run(&vault, "DELETE FROM pages");
    assert!(rows(&vault, "SELECT * FROM links").is_empty());
}

#[test]
fn ddl_belongs_to_its_transaction() {
    let vault = vault();
    let done: sealite::Result<()> = vault.transaction(|tx| {
        tx.execute("ALTER TABLE users ADD COLUMN phone TEXT", &[])?;
        tx.execute("UPDATE users SET phone = '1'", &[])?;
        tx.execute("ALTER TABLE users DROP COLUMN name", &[])?;
        tx.execute("CREATE INDEX i ON users (plan)", &[])?;
        tx.execute("ALTER TABLE users RENAME TO people", &[])?;
        assert_eq!(tx.query("SELECT phone FROM people", &[])?.rows.len(), 2);
        tx.execute("DROP TABLE people", &[])?;
        Err(tx.execute("SELECT FROM", &[]).unwrap_err())
    });
    assert!(done.is_err());
    assert_eq!(
        rows(&vault, "SELECT name, plan FROM users WHERE email = 'ada@example.org'").len(),
        1
    );
    vault
        .transaction(|tx| {
            tx.execute("ALTER TABLE users ADD COLUMN phone TEXT DEFAULT 'x'", &[])?;
            assert!(tx.execute("ALTER TABLE users ADD COLUMN phone TEXT", &[]).is_err());
            tx.execute("ALTER TABLE users DROP COLUMN name", &[])?;
            tx.execute("CREATE UNIQUE INDEX i ON users (plan)", &[])
        })
        .unwrap();
    assert_eq!(
        rows(&vault, "SELECT phone, plan FROM users WHERE email = 'ada@example.org'").len(),
        1
    );
    refused(&vault, "INSERT INTO users (plan) VALUES ('pro')", ErrorKind::Conflict, "users.plan");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn protecting_is_a_statement_of_its_own() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    run(
        &vault,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, plan TEXT)",
    );
    run(&vault, "INSERT INTO users (email, name) VALUES ('ada@example.org', 'Ada')");
    for sql in [
        "SELECT sealite_protect('users', 'name sealed') WHERE 1",
        "SELECT sealite_protect('users', name) FROM users",
        "INSERT INTO users (name) SELECT sealite_unprotect('users')",
    ] {
        assert_eq!(vault.query(sql, &[]).unwrap_err().kind(), ErrorKind::Refused, "{sql}");
    }
    vault
        .transaction(|tx| {
            let error =
                tx.query("SELECT sealite_protect('users', 'name sealed')", &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            Ok(())
        })
        .unwrap();
    let snapshot = vault.snapshot().unwrap();
    assert!(snapshot.query("SELECT sealite_protect('users', 'name sealed')", &[]).is_err());
    drop(snapshot);
    let sql = "SELECT sealite_protect('users', 'email sealed unique email', ?);";
    let done = vault.query(sql, &["name sealed".into()]).unwrap();
    assert_eq!(done.columns, ["sealite_protect"]);
    assert_eq!(done.rows, [[Value::Text("complete".into())]]);
    assert_eq!(rows(&vault, "SELECT name FROM users WHERE email = 'ADA@example.org'").len(), 1);
    assert_eq!(vault.tables().unwrap().len(), 1);
    assert_eq!(vault.query(sql, &[]).unwrap_err().kind(), ErrorKind::Sql);
    assert_eq!(
        vault.query("SELECT sealite_protect('users', 'plan sealed')", &[]).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(
        vault.query("SELECT sealite_protect('none', 'plan sealed')", &[]).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    vault.execute("SELECT sealite_unprotect('users')", &[]).unwrap();
    assert!(vault.tables().unwrap().is_empty());
    assert_eq!(rows(&vault, "SELECT name FROM users WHERE email = 'ada@example.org'").len(), 1);
}

#[test]
fn ddl_is_off_where_sealed_tables_are() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    vault.close();
    let mut config: Config = sealite_tests::scratch::config();
    config.sealed_sql = sealite::SealedSql::Off;
    let vault = Vault::at_with(scratch.path(), config).unwrap();
    vault.unlock(&scratch.unlock()).unwrap();
    for sql in [
        "ALTER TABLE users ADD COLUMN x TEXT",
        "DROP TABLE users",
        "CREATE INDEX i ON users (plan)",
    ] {
        assert!(vault.execute(sql, &[]).is_err(), "{sql}");
    }
    let sql = "SELECT sealite_unprotect('users')";
    assert_eq!(vault.query(sql, &[]).unwrap_err().kind(), ErrorKind::NotAllowed);
    assert_eq!(vault.tables().unwrap().len(), 1);
}

#[test]
fn ddl_on_a_long_lived_connection_commits_by_itself_or_with_its_transaction() {
    for memory in [true, false] {
        let scratch = Scratch::new();
        let vault = if memory { Vault::in_memory().unwrap() } else { scratch.create() };
        users(&vault);
        let connection = vault.connect().unwrap();
        let run = |sql: &str| connection.execute(sql, &[]).expect(sql);
        let rows = |sql: &str| connection.query(sql, &[]).expect(sql).rows;
        run("ALTER TABLE users ADD COLUMN phone TEXT DEFAULT 'x'");
        run(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users ON DELETE CASCADE)",
        );
        run("INSERT INTO orders (user) VALUES (1)");
        assert_eq!(rows("SELECT phone FROM users").len(), 2);
        run("BEGIN");
        run("ALTER TABLE users RENAME TO people");
        run("CREATE INDEX i ON people (plan)");
        run("UPDATE people SET phone = 'y'");
        run("ALTER TABLE people DROP COLUMN name");
        assert_eq!(rows("SELECT phone FROM people WHERE phone = 'y'").len(), 2);
        run("ROLLBACK");
        assert_eq!(rows("SELECT name FROM users WHERE phone = 'x'").len(), 2);
        run("BEGIN");
        run("DROP TABLE users");
        run("ROLLBACK");
        run("BEGIN");
        run("INSERT INTO users (email) VALUES ('new@example.org')");
        run("SAVEPOINT one");
        run("ALTER TABLE users DROP COLUMN phone");
        run("ROLLBACK TO one");
        run("ALTER TABLE users DROP COLUMN name");
        let error = connection.query("SELECT sealite_unprotect('users')", &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        run("COMMIT");
        assert_eq!(rows("SELECT phone FROM users WHERE email = 'NEW@example.org'").len(), 1);
        assert!(connection.query("SELECT name FROM users", &[]).is_err());
        run("DELETE FROM users WHERE id = 1");
        assert!(rows("SELECT * FROM orders").is_empty());
        assert!(connection.execute("INSERT INTO orders (user) VALUES (1)", &[]).is_err());
        let done = connection.query("SELECT sealite_unprotect(?)", &["users".into()]).unwrap();
        assert_eq!(done.rows, [[Value::Text("complete".into())]]);
        assert!(vault.tables().unwrap().is_empty());
        assert_eq!(rows("SELECT phone FROM users ORDER BY id").len(), 2);
        run("SELECT sealite_protect('users', 'email sealed unique email', 'phone sealed')");
        assert_eq!(vault.tables().unwrap().len(), 1);
        assert_eq!(rows("SELECT phone FROM users WHERE email = 'NEW@example.org'").len(), 1);
        run("DROP TABLE orders");
        run("DROP TABLE users");
        assert!(vault.tables().unwrap().is_empty());
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    }
}
