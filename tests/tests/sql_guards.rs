//! What SQL must not do with sealed tables: return what was edited, leak into plain tables, be taken in by planted names,
//! views and triggers, or walk where walking is off.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{
    Column, Config, ErrorKind, Index, Normaliser, SealedSql, TableDefinition, Value, Vault, values,
};
use sealite_tests::scratch::{Scratch, config};

fn users(vault: &Vault) {
    vault
        .define_table(
            &TableDefinition::new("users")
                .column(
                    Column::text("email")
                        .sealed()
                        .index(Index::unique().normaliser(Normaliser::Email)),
                )
                .column(Column::text("name").sealed())
                .column(Column::text("role").authenticated().index(Index::lookup(2000)))
                .column(Column::text("plan").index(Index::lookup(2000))),
        )
        .unwrap();
    let users = vault.table("users").unwrap();
    for (email, name) in
        [("ada@example.org", "Ada"), ("bob@example.org", "Bob"), ("cyd@example.org", "Cyd")]
    {
        users
            .insert(values! {"email" => email, "name" => name, "role" => "user", "plan" => "pro"})
            .unwrap();
    }
    vault.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)", &[]).unwrap();
}

/// A vault on disk with the table, edited from outside.
fn edited(sql: &str) -> (Scratch, Vault) {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    vault.close();
    scratch.raw().execute_batch(sql).unwrap();
    let vault = scratch.open();
    (scratch, vault)
}

#[track_caller]
fn refused(vault: &Vault, sql: &str, kind: ErrorKind) {
    let head = sql.split_whitespace().next().unwrap();
    let result = match head {
        "SELECT" | "PRAGMA" | "WITH" => vault.query(sql, &[]).map(|_| ()),
        _ => vault.execute(sql, &[]).map(|_| ()),
    };
    let error = result.expect_err(sql);
    assert_eq!(error.kind(), kind, "{sql}: {error}");
}

#[test]
fn an_edited_row_is_refused_however_it_is_read() {
    let (_scratch, vault) = edited("UPDATE users_sealed SET role = 'admin' WHERE id = 2");
    for sql in [
        "SELECT name FROM users WHERE id = 2",
        "SELECT role FROM users WHERE id = 2",
        "SELECT id FROM users WHERE role = 'admin'",
        "SELECT id FROM users WHERE role > 'a'",
        "SELECT id FROM users ORDER BY role",
        "SELECT min(role) FROM users",
        "SELECT count(*) FROM users WHERE role = 'admin'",
        "SELECT id FROM users WHERE email = 'bob@example.org'",
        "SELECT * FROM users",
        "SELECT n.id FROM users u LEFT JOIN notes n ON n.body = u.role",
        "UPDATE users SET name = 'Eve' WHERE id = 2",
        "UPDATE users SET plan = 'free' WHERE id = 2",
        "DELETE FROM users WHERE id = 2",
        "DELETE FROM users",
    ] {
        refused(&vault, sql, ErrorKind::AuthenticationFailed);
    }
    // Rows that were not edited read on, and what needs no record opens none.
    assert_eq!(vault.query("SELECT name FROM users WHERE id = 1", &[]).unwrap().rows.len(), 1);
    assert_eq!(vault.query("SELECT id, plan FROM users", &[]).unwrap().rows.len(), 3);
    let wrong = [[Value::Text("table users: rows that are not what was written: 1".into())]];
    assert_eq!(vault.query("PRAGMA integrity_check", &[]).unwrap().rows, wrong);
    assert_eq!(vault.query("PRAGMA main.integrity_check('users')", &[]).unwrap().rows, wrong);
    let sound = [[Value::Text("ok".into())]];
    assert_eq!(vault.query("PRAGMA integrity_check(notes)", &[]).unwrap().rows, sound);
}

#[test]
fn a_swapped_record_or_index_value_is_refused() {
    for sql in [
        "UPDATE users_sealed SET sealed = (SELECT sealed FROM users_sealed WHERE id = 1) WHERE id = 2",
        "UPDATE users_sealed SET email_bidx = NULL WHERE id = 3;
         UPDATE users_sealed SET email_bidx = (SELECT email_bidx FROM users_sealed WHERE id = 1) WHERE id = 2
         AND NOT EXISTS (SELECT 1 FROM users_sealed WHERE id = 9);",
        "UPDATE users_sealed SET id = 77 WHERE id = 2",
    ] {
        let scratch = Scratch::new();
        let vault = scratch.create();
        users(&vault);
        vault.close();
        if scratch.raw().execute_batch(sql).is_err() {
            continue;
        }
        let vault = scratch.open();
        refused(&vault, "SELECT name FROM users", ErrorKind::AuthenticationFailed);
    }
}

#[test]
fn a_planted_table_of_the_same_name_is_not_taken_for_the_sealed_one() {
    let (_scratch, vault) = edited(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email, name, role, plan); INSERT INTO users VALUES (1, 'x', 'x', 'admin', 'x')",
    );
    for sql in [
        "SELECT role FROM users WHERE id = 1",
        "SELECT count(*) FROM users WHERE id",
        "INSERT INTO users (email) VALUES ('eve@example.org')",
        "UPDATE users SET name = 'Eve'",
        "INSERT INTO main.users (email) VALUES ('eve@example.org')",
        "ALTER TABLE users ADD COLUMN more",
        "CREATE INDEX i ON users (plan)",
    ] {
        refused(&vault, sql, ErrorKind::NotAllowed);
    }
    assert_eq!(vault.table("users").unwrap().count().unwrap(), 3);
    vault.execute("DROP TABLE users", &[]).unwrap();
    let found = vault.query("SELECT role FROM users WHERE id = 1", &[]).unwrap();
    assert_eq!(found.rows, [[Value::Text("user".into())]]);
}

#[test]
fn a_name_of_a_sealed_table_can_not_be_taken() {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    for sql in [
        "CREATE TABLE users (id)",
        "CREATE TEMP TABLE users (id)",
        "CREATE TABLE Users AS SELECT 1",
        "CREATE VIEW users AS SELECT 1",
        "CREATE TEMP VIEW users AS SELECT 1",
        "ALTER TABLE notes RENAME TO users",
        "ALTER TABLE notes RENAME TO \"USERS\"",
    ] {
        refused(&vault, sql, ErrorKind::NotAllowed);
    }
    // An application that makes its tables where they are missing finds this one there.
    assert_eq!(vault.execute("CREATE TABLE IF NOT EXISTS users (id INTEGER)", &[]).unwrap(), 0);
    for sql in [
        "DROP VIEW users",
        "ALTER TABLE users RENAME TO notes",
        "CREATE INDEX i ON users (name)",
        "CREATE TRIGGER t BEFORE INSERT ON users BEGIN SELECT 1; END",
    ] {
        assert!(vault.execute(sql, &[]).is_err(), "{sql}");
    }
    assert_eq!(vault.query("SELECT count(*) FROM users", &[]).unwrap().rows, [[Value::Integer(3)]]);
}

#[test]
fn sealed_values_do_not_flow_into_plain_tables_unless_that_is_allowed() {
    let flows = [
        "INSERT INTO notes (body) SELECT name FROM users",
        "CREATE TABLE copy AS SELECT email FROM users",
        "UPDATE notes SET body = (SELECT name FROM users WHERE users.id = notes.id)",
        "UPDATE notes SET body = u.name FROM users u WHERE u.id = notes.id",
        "REPLACE INTO notes SELECT id, upper(name) FROM users",
        "WITH n AS (SELECT name FROM users) INSERT INTO notes (body) SELECT name FROM n",
    ];
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    for _ in 0..2 {
        for sql in flows {
            let error = vault.execute(sql, &[]).expect_err(sql);
            assert_eq!(error.kind(), ErrorKind::NotAllowed, "{sql}: {error}");
            assert!(error.message().contains("sealed_to_plain"), "{error}");
        }
    }
    assert!(vault.query("SELECT * FROM notes", &[]).unwrap().rows.is_empty());
    // What is readable in the file anyway, and what stays in memory, may flow.
    for sql in [
        "INSERT INTO notes (body) SELECT plan FROM users WHERE id = 1",
        "INSERT INTO notes (body) SELECT role FROM users WHERE id = 1",
        "DELETE FROM notes WHERE id IN (SELECT id FROM users WHERE name = 'Ada')",
        "INSERT INTO users (email, name) SELECT 'x' || email, name FROM users",
        "CREATE TEMP TABLE mine AS SELECT name FROM users",
    ] {
        vault.execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let scratch = Scratch::new();
    let mut config: Config = config();
    config.sealed_to_plain = true;
    let vault = Vault::at_with(scratch.path(), config).unwrap();
    vault.initialise(&scratch.unlock()).unwrap();
    users(&vault);
    for sql in flows {
        vault.execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[test]
fn a_view_or_trigger_in_the_file_reaches_no_sealed_table() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    // Made by the application, or put there by somebody else.
    vault.execute("CREATE VIEW names AS SELECT name FROM users", &[]).unwrap();
    let leak =
        "CREATE TRIGGER leak AFTER INSERT ON notes BEGIN UPDATE users SET role = 'admin'; END";
    scratch.raw().execute_batch(leak).unwrap();
    assert!(vault.query("SELECT * FROM names", &[]).is_err());
    assert!(vault.execute("INSERT INTO notes (body) VALUES ('x')", &[]).is_err());
    vault.execute("DROP TRIGGER leak", &[]).unwrap();
    // A view of the application's own session may read.
    let tx = vault.begin().unwrap();
    tx.execute("CREATE TEMP VIEW names2 AS SELECT name FROM users", &[]).unwrap();
    assert_eq!(tx.query("SELECT * FROM names2", &[]).unwrap().rows.len(), 3);
    assert_eq!(tx.query("SELECT count(*) FROM users", &[]).unwrap().rows, [[Value::Integer(3)]]);
}

/// Otherwise every statement that sets it off would fail, long after.
#[test]
fn a_trigger_that_uses_a_sealed_table_is_refused_where_it_is_made() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    let connection = vault.connect().unwrap();
    for kind in ["TRIGGER", "TRIGGER IF NOT EXISTS", "TEMP TRIGGER", "TEMPORARY TRIGGER"] {
        for body in [
            "AFTER INSERT ON notes BEGIN UPDATE users SET role = 'admin'; END",
            "BEFORE DELETE ON main.notes BEGIN DELETE FROM main.\"USERS\"; END",
            "AFTER UPDATE OF body ON notes BEGIN INSERT INTO users (name) VALUES (new.body); END",
            "AFTER INSERT ON notes WHEN EXISTS (SELECT 1 FROM users) BEGIN SELECT 1; END",
            "AFTER INSERT ON notes BEGIN UPDATE notes SET body = (SELECT name FROM users); END",
        ] {
            let sql = format!("CREATE {kind} t {body}");
            refused(&vault, &sql, ErrorKind::Refused);
            let error = connection.execute(&sql, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{sql}: {error}");
            assert!(error.message().to_lowercase().contains("sealed table users"), "{error}");
        }
    }
    assert_eq!(vault.execute("INSERT INTO notes (body) VALUES ('x')", &[]).unwrap(), 1);
    // A column of that name is none.
    vault.execute("CREATE TABLE counts (users INTEGER)", &[]).unwrap();
    vault.execute("INSERT INTO counts VALUES (0)", &[]).unwrap();
    let counting = "CREATE TRIGGER counting AFTER INSERT ON notes BEGIN UPDATE counts SET users = users + 1; END";
    vault.execute(counting, &[]).unwrap();
    vault.execute("INSERT INTO notes (body) VALUES ('y')", &[]).unwrap();
    assert_eq!(vault.query("SELECT users FROM counts", &[]).unwrap().rows, [[Value::Integer(1)]]);
}

#[test]
fn where_walks_are_off_a_statement_without_an_index_is_refused() {
    let scratch = Scratch::new();
    let mut config: Config = config();
    config.sealed_sql = SealedSql::Indexed;
    let vault = Vault::at_with(scratch.path(), config).unwrap();
    vault.initialise(&scratch.unlock()).unwrap();
    users(&vault);
    for sql in [
        "SELECT id FROM users WHERE name = 'Ada'",
        "SELECT id FROM users WHERE lower(email) = 'ada@example.org'",
        "SELECT id FROM users WHERE email LIKE 'ada%'",
        "SELECT count(name) FROM users",
        "UPDATE users SET plan = 'free' WHERE name = 'Ada'",
        "DELETE FROM users WHERE name = 'Ada'",
    ] {
        refused(&vault, sql, ErrorKind::NotIndexed);
    }
    for sql in [
        "SELECT name FROM users WHERE id IN (1, 2)",
        "SELECT name FROM users WHERE email = 'ada@example.org'",
        "SELECT name FROM users WHERE role = 'user' AND name LIKE 'A%'",
        "SELECT id, plan FROM users",
        "SELECT count(*) FROM users",
        "SELECT id FROM users WHERE plan = 'pro' ORDER BY id DESC",
    ] {
        vault.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[test]
fn where_sealed_tables_are_off_in_sql_they_are_not_there() {
    let scratch = Scratch::new();
    let mut config: Config = config();
    config.sealed_sql = SealedSql::Off;
    let vault = Vault::at_with(scratch.path(), config).unwrap();
    vault.initialise(&scratch.unlock()).unwrap();
    users(&vault);
    for sql in [
        "SELECT name FROM users",
        "SELECT count(*) FROM users",
        "INSERT INTO users (email) VALUES ('x')",
        "INSERT INTO users (email) VALUES ('x') ON CONFLICT DO NOTHING",
        "DELETE FROM users",
    ] {
        refused(&vault, sql, ErrorKind::Sql);
    }
    refused(&vault, "CREATE TABLE users (id)", ErrorKind::NotAllowed);
    assert_eq!(vault.query("SELECT plan FROM users_sealed", &[]).unwrap().rows.len(), 3);
}

#[test]
fn the_plan_says_how_rows_are_found() {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    for (sql, wanted) in [
        ("SELECT name FROM users WHERE id = 1", "key id ="),
        ("SELECT name FROM users WHERE rowid = 1", "key id ="),
        ("SELECT name FROM users WHERE id > 1", "key id >"),
        ("SELECT name FROM users WHERE email = 'x'", "blind index email ="),
        ("SELECT name FROM users WHERE email IN ('x', 'y')", "blind index email ="),
        ("SELECT name FROM users WHERE role = 'x'", "index role ="),
        ("SELECT name FROM users WHERE plan = 'x' AND name = 'y'", "index plan ="),
        ("SELECT name FROM users WHERE plan > 'x' AND plan < 'z'", "index plan > and <"),
        ("SELECT name FROM users WHERE name = 'Ada'", "scan"),
        ("SELECT name FROM users WHERE email LIKE 'a%'", "scan"),
        ("SELECT plan FROM users", "scan, no record opened"),
        ("SELECT plan FROM users WHERE id = 1", "key id =, no record opened"),
        ("SELECT name FROM users ORDER BY id DESC LIMIT 1", "scan, order by id desc"),
        ("SELECT id FROM users ORDER BY plan LIMIT 1", "scan, order by plan, no record opened"),
    ] {
        let plan = vault.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[]).unwrap();
        let text = plan.rows[0].last().unwrap().as_ref().as_str().unwrap_or_default().to_owned();
        assert!(text.ends_with(&format!(":{wanted}")), "{sql}: {text}");
    }
}

#[test]
fn a_normalised_column_compares_as_its_index_does() {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    let ids = |sql: &str| {
        let found = vault.query(sql, &[]).unwrap().rows;
        found.into_iter().map(|row| row[0].as_ref().as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids("SELECT id FROM users WHERE email = ' ADA@Example.ORG'"), [1]);
    assert_eq!(
        ids(
            "SELECT id FROM users WHERE email IN ('ADA@example.org', 'BOB@example.org') ORDER BY id"
        ),
        [1, 2]
    );
    assert_eq!(
        ids("SELECT id FROM users WHERE email = 'ADA@Example.ORG' COLLATE BINARY"),
        [0_i64; 0]
    );
    assert_eq!(ids("SELECT id FROM users WHERE email = 'ada@example.org' COLLATE BINARY"), [1]);
    assert_eq!(
        ids("SELECT id FROM users WHERE +email = 'ADA@example.org' COLLATE sealite_email"),
        [1]
    );
    assert_eq!(ids("SELECT count(DISTINCT email) FROM users"), [3]);
}
