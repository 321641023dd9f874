//! Plain SQL on the same connection: free for the application's own tables, shut out of everything that is sealed,
//! authenticated or the engine's own.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{
    Column, ErrorKind, Index, Normaliser, Result, TableDefinition, Value, ValueRef, Vault, values,
};
use sealite_tests::scratch::{FIRST_TABLE, Scratch};

/// The text of the engine's own statement for a row of `users`; a test of the core holds that it is.
const ENGINE_GET: &str = include_str!("../vectors/get_users.sql");

fn users(vault: &Vault) {
    vault
        .define_table(
            &TableDefinition::new("users")
                .column(
                    Column::text("email")
                        .sealed()
                        .index(Index::unique().normaliser(Normaliser::Email)),
                )
                .column(Column::text("role").authenticated())
                .column(Column::text("plan")),
        )
        .unwrap();
    let users = vault.table("users").unwrap();
    for (email, plan) in [("ada@example.org", "pro"), ("bob@example.org", "free")] {
        users.insert(values! {"email" => email, "role" => "user", "plan" => plan}).unwrap();
    }
}

fn own_tables(vault: &Vault) {
    for sql in [
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER, total INTEGER)",
        "CREATE INDEX orders_user ON orders (user)",
        "INSERT INTO orders (user, total) VALUES (1, 10), (1, 20), (2, 5)",
    ] {
        vault.execute(sql, &[]).unwrap();
    }
}

/// Runs a statement in each way there is.
fn every_way(vault: &Vault, sql: &str, parameters: &[ValueRef<'_>]) -> Vec<Result<()>> {
    let mut results = vec![
        vault.execute(sql, parameters).map(|_| ()),
        vault.query(sql, parameters).map(|_| ()),
        vault.snapshot().unwrap().query(sql, parameters).map(|_| ()),
    ];
    let transaction = vault.begin().unwrap();
    // The engine has compiled its own statements on this connection.
    transaction.table("users").unwrap().get(1).unwrap();
    results.push(transaction.execute(sql, parameters).map(|_| ()));
    results.push(transaction.query(sql, parameters).map(|_| ()));
    results
}

#[track_caller]
fn refused(vault: &Vault, sql: &str) {
    refused_with(vault, sql, &[]);
}

#[track_caller]
fn refused_with(vault: &Vault, sql: &str, parameters: &[ValueRef<'_>]) {
    for result in every_way(vault, sql, parameters) {
        let error = result.expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::NotAllowed, "{sql}: {error}");
    }
}

#[test]
fn sealed_tables_can_not_be_written() {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    let file = Scratch::new();
    let on_disk = file.create();
    users(&on_disk);
    for sql in [
        "INSERT INTO users_sealed (id, plan, sealed) VALUES (9, 'x', x'00')",
        "INSERT INTO users_sealed DEFAULT VALUES",
        "REPLACE INTO users_sealed (id, sealed) VALUES (1, x'00')",
        "UPDATE users_sealed SET plan = 'pro'",
        "UPDATE users_sealed SET role = 'admin' WHERE id = 1",
        "UPDATE \"USERS_Sealed\" SET sealed = x''",
        "UPDATE main.users_sealed SET id = 7 WHERE id = 1",
        "DELETE FROM users_sealed",
        "DELETE FROM users_sealed WHERE id = 1 RETURNING id",
        "WITH x AS (SELECT 1) DELETE FROM users_sealed",
        "DROP TABLE users_sealed",
        "ALTER TABLE users_sealed ADD COLUMN more",
        "ALTER TABLE users_sealed DROP COLUMN plan",
        "ALTER TABLE users_sealed RENAME TO others",
        "ALTER TABLE users_sealed RENAME COLUMN plan TO tariff",
        "CREATE INDEX mine ON users_sealed (plan)",
        "CREATE TRIGGER spy AFTER INSERT ON users_sealed BEGIN SELECT 1; END",
        "CREATE TRIGGER spy AFTER UPDATE OF plan ON users_sealed BEGIN SELECT new.sealed; END",
        "CREATE TEMP TRIGGER spy AFTER INSERT ON users_sealed BEGIN SELECT 1; END",
        "CREATE TABLE \"more_sealed\" (a)",
        "CREATE TEMP TABLE users_sealed (id, sealed)",
        "CREATE VIEW other_sealed AS SELECT 1",
        "CREATE TEMP VIEW users_sealed AS SELECT 1 AS id",
        "CREATE VIRTUAL TABLE mine_sealed USING fts5(a)",
        &format!("DROP INDEX sealite_{FIRST_TABLE}_index_4"),
        "ANALYZE users_sealed",
        "ANALYZE",
    ] {
        refused(&on_disk, sql);
        let error = vault.execute(sql, &[]).expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::NotAllowed, "{sql}: {error}");
    }
    for vault in [&vault, &on_disk] {
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        assert_eq!(vault.table("users").unwrap().count().unwrap(), 2);
        assert_eq!(vault.table("users").unwrap().find("role", "user").unwrap().len(), 2);
    }
}

#[test]
fn sealed_and_authenticated_columns_can_not_be_read() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    own_tables(&vault);
    for sql in [
        "SELECT sealed FROM users_sealed",
        "SELECT * FROM users_sealed",
        "SELECT role FROM users_sealed",
        "SELECT ROLE FROM USERS_SEALED",
        "SELECT email_bidx FROM users_sealed",
        "SELECT id FROM users_sealed WHERE role = 'user'",
        "SELECT id FROM users_sealed ORDER BY email_bidx",
        "SELECT count(*) FROM users_sealed WHERE sealed IS NOT NULL",
        "SELECT length(sealed) FROM users_sealed",
        "SELECT max(role) FROM users_sealed",
        "SELECT u.role FROM orders o JOIN users_sealed u ON u.id = o.user",
        "SELECT total FROM orders WHERE EXISTS (SELECT 1 FROM users_sealed WHERE role = 'user')",
        "SELECT plan FROM users_sealed UNION SELECT role FROM users_sealed",
        "WITH u AS (SELECT * FROM users_sealed) SELECT plan FROM u",
        "SELECT group_concat(role) OVER () FROM users_sealed",
        "SELECT (SELECT role FROM users_sealed WHERE id = 1)",
        "SELECT typeof(users_sealed.role) FROM users_sealed",
        "EXPLAIN SELECT sealed FROM users_sealed",
        "SELECT id FROM users_sealed GROUP BY role",
        "SELECT total FROM orders JOIN users_sealed USING (id) WHERE sealed > x'00'",
    ] {
        refused(&vault, sql);
    }
    for sql in [
        "INSERT INTO orders (user) SELECT role FROM users_sealed",
        "UPDATE orders SET total = (SELECT email_bidx FROM users_sealed WHERE id = user)",
        "CREATE TABLE copy AS SELECT sealed FROM users_sealed",
        "DELETE FROM orders WHERE user IN (SELECT id FROM users_sealed WHERE role = 'user')",
    ] {
        refused(&vault, sql);
    }
}

#[test]
fn views_and_triggers_of_the_application_reach_no_further() {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    own_tables(&vault);
    // Declaring them may succeed: what counts is what they read and write.
    for sql in [
        "CREATE VIEW spy AS SELECT sealed, role FROM users_sealed",
        "CREATE VIEW keys AS SELECT * FROM sealite_keys",
        "CREATE TRIGGER peep AFTER INSERT ON orders BEGIN UPDATE users_sealed SET plan = 'pro'; END",
    ] {
        let _ = vault.execute(sql, &[]);
    }
    for sql in ["SELECT * FROM spy", "SELECT count(role) FROM spy", "SELECT * FROM keys"] {
        let error = vault.query(sql, &[]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotAllowed | ErrorKind::Sql), "{sql}: {error}");
    }
    let fired = vault.execute("INSERT INTO orders (user, total) VALUES (2, 1)", &[]).unwrap_err();
    assert_eq!(fired.kind(), ErrorKind::NotAllowed, "{fired}");
    vault.execute("DROP TRIGGER peep", &[]).unwrap();
    let bob = vault.table("users").unwrap().get(2).unwrap().unwrap();
    assert_eq!(bob.text("plan").unwrap(), "free");
    // A view of plain columns is as good as the columns.
    vault.execute("CREATE VIEW plans AS SELECT id, plan FROM users_sealed", &[]).unwrap();
    assert_eq!(vault.query("SELECT plan FROM plans ORDER BY id", &[]).unwrap().rows.len(), 2);
    // A foreign key into a sealed table cascades into the application's table when the engine deletes.
    vault
        .execute(
            "CREATE TABLE sessions (user INTEGER REFERENCES users_sealed (id) ON DELETE CASCADE)",
            &[],
        )
        .unwrap();
    vault.execute("INSERT INTO sessions VALUES (1), (2)", &[]).unwrap();
    assert!(vault.table("users").unwrap().delete(1).unwrap());
    let left = vault.query("SELECT user FROM sessions", &[]).unwrap();
    assert_eq!(left.rows, [[Value::Integer(2)]]);
}

#[test]
fn the_engines_own_tables_are_out_of_reach() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    for table in
        ["sealite_meta", "sealite_slots", "sealite_keys", "sealite_catalog", "sealite_sequences"]
    {
        refused(&vault, &format!("SELECT * FROM {table}"));
        refused(&vault, &format!("SELECT id FROM main.{}", table.to_uppercase()));
        refused(&vault, &format!("SELECT count(id) FROM {table}"));
        refused(&vault, &format!("DELETE FROM {table}"));
        refused(&vault, &format!("DROP TABLE {table}"));
        refused(&vault, &format!("UPDATE {table} SET id = 3"));
        refused(&vault, &format!("ALTER TABLE {table} ADD COLUMN more"));
        refused(&vault, &format!("CREATE TEMP TABLE {table} (id)"));
        refused(&vault, &format!("CREATE INDEX mine ON {table} (id)"));
    }
    refused(&vault, "CREATE TABLE sealite_mine (a)");
    refused(&vault, "CREATE TABLE \"SEALITE_mine\" (a)");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn the_schema_table_can_not_be_written() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    for sql in [
        "UPDATE sqlite_master SET sql = 'CREATE TABLE users_sealed (a)' WHERE name = 'users_sealed'",
        "DELETE FROM sqlite_master",
        "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, '')",
        "DROP TABLE sqlite_master",
    ] {
        for result in every_way(&vault, sql, &[]) {
            let error = result.expect_err(sql);
            assert!(
                matches!(error.kind(), ErrorKind::NotAllowed | ErrorKind::Sql),
                "{sql}: {error}"
            );
        }
    }
    assert!(vault.query("SELECT * FROM sqlite_dbpage", &[]).is_err());
    assert!(vault.query("SELECT data FROM sqlite_dbpage('main')", &[]).is_err());
}

#[test]
fn pragmas_that_keep_the_file_safe_can_not_be_changed() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    for pragma in [
        "secure_delete = OFF",
        "secure_delete(0)",
        "main.secure_delete = FAST",
        "journal_mode = DELETE",
        "journal_mode(memory)",
        "temp_store = FILE",
        "temp_store_directory = '/tmp'",
        "writable_schema = ON",
        "synchronous = OFF",
        "main.synchronous = 0",
        "foreign_keys = OFF",
        "trusted_schema = ON",
        "cell_size_check = OFF",
        "query_only = ON",
        "ignore_check_constraints = ON",
        "locking_mode = EXCLUSIVE",
        "application_id = 9",
        "schema_version = 9",
        "page_size = 512",
        "auto_vacuum = FULL",
        "wal_autocheckpoint = 0",
        "wal_checkpoint(TRUNCATE)",
        "mmap_size = 1000000",
        "max_page_count = 1",
        "legacy_alter_table = ON",
        "busy_timeout = 0",
        "SECURE_DELETE = off",
    ] {
        refused(&vault, &format!("PRAGMA {pragma}"));
        refused(&vault, &format!("  /* a comment */ pragma {pragma} -- another"));
    }
    let read = |sql: &str| vault.query(sql, &[]).unwrap().rows[0][0].clone();
    assert_eq!(read("PRAGMA secure_delete"), Value::Integer(1));
    assert_eq!(read("PRAGMA journal_mode"), Value::Text("wal".into()));
    assert_eq!(read("PRAGMA temp_store"), Value::Integer(2));
    assert_eq!(read("PRAGMA foreign_keys"), Value::Integer(1));
    // The application's own number for its schema.
    vault.execute("PRAGMA user_version = 9", &[]).unwrap();
    assert_eq!(read("PRAGMA user_version"), Value::Integer(9));
    let columns = vault.query("PRAGMA table_info(orders)", &[]).unwrap();
    assert!(columns.rows.is_empty());
}

#[test]
fn statistics_show_no_index_value() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    own_tables(&vault);
    refused(&vault, "ANALYZE");
    refused(&vault, "ANALYZE main");
    refused(&vault, "ANALYZE users_sealed");
    refused(&vault, "ANALYZE sealite_keys");
    // By the name of an index SQLite asks for the table behind it.
    let analyze = format!("ANALYZE sealite_{FIRST_TABLE}_index_4");
    let error = vault.execute(&analyze, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAllowed, "{error}");
    vault.execute("ANALYZE orders", &[]).unwrap();
    for sql in ["PRAGMA optimize", "PRAGMA optimize(0x10002)", "PRAGMA optimize(-1)"] {
        let _ = vault.query(sql, &[]);
        let _ = vault.execute(sql, &[]);
    }
    vault.close();
    let raw = scratch.raw();
    let analysed = |condition: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM sqlite_stat1 WHERE {condition}");
        raw.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert!(analysed("tbl = 'orders'") > 0);
    assert_eq!(analysed("tbl LIKE '%sealed' OR tbl LIKE 'sealite%'"), 0);
}

#[test]
fn transactions_and_other_files_are_the_engines_business() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    let other = scratch.folder().join("other.db");
    let into = format!("VACUUM INTO '{}'", other.display());
    for sql in [
        "BEGIN",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT mine",
        "RELEASE s1",
        "ROLLBACK TO s1",
        "ATTACH 'file::memory:?cache=shared' AS other",
        "ATTACH ':memory:' AS other",
        "DETACH main",
    ] {
        refused(&vault, sql);
    }
    refused(&vault, &format!("ATTACH '{}' AS other", other.display()));
    for result in every_way(&vault, &into, &[]) {
        assert!(result.is_err());
    }
    assert!(!other.exists());
    assert!(vault.query("SELECT load_extension('x')", &[]).is_err());
    // Inside a transaction nothing of this ends it.
    let transaction = vault.begin().unwrap();
    transaction.table("users").unwrap().insert(values! {"email" => "eve@example.org"}).unwrap();
    assert!(transaction.execute("COMMIT", &[]).is_err());
    assert!(transaction.execute("ROLLBACK", &[]).is_err());
    drop(transaction);
    assert_eq!(vault.table("users").unwrap().count().unwrap(), 2);
}

#[test]
fn the_text_of_an_engine_statement_is_not_served_from_the_cache() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    let one = [ValueRef::Integer(1)];
    for text in [ENGINE_GET, ENGINE_GET.trim(), &format!("{}\n-- application", ENGINE_GET.trim())] {
        for _ in 0..3 {
            assert!(vault.table("users").unwrap().get(1).unwrap().is_some());
            refused_with(&vault, text, &one);
        }
    }
    // And the other way round: what the application compiled serves no engine.
    let snapshot = vault.snapshot().unwrap();
    assert!(snapshot.query(ENGINE_GET, &one).is_err());
    assert!(snapshot.table("users").unwrap().get(1).unwrap().is_some());
    assert!(snapshot.query(ENGINE_GET, &one).is_err());
}

#[test]
fn a_statement_allowed_once_is_checked_again_after_a_change_of_the_schema() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    let read = "SELECT plan FROM users_sealed WHERE id = 1";
    assert_eq!(vault.query(read, &[]).unwrap().rows, [[Value::Text("pro".into())]]);
    let protect = |how| sealite::Alteration::Protect("plan".into(), how);
    let _ = vault.alter_table("users", &protect(sealite::Protection::Authenticated)).unwrap();
    refused(&vault, read);
    let _ = vault.alter_table("users", &protect(sealite::Protection::Plain)).unwrap();
    assert_eq!(vault.query(read, &[]).unwrap().rows, [[Value::Text("pro".into())]]);
    let _ = vault.alter_table("users", &protect(sealite::Protection::Sealed)).unwrap();
    let error = vault.query(read, &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotAllowed | ErrorKind::Sql), "{error}");
}

#[test]
fn own_tables_join_plain_columns_and_commit_with_the_transaction() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    users(&vault);
    own_tables(&vault);
    let joined = "SELECT u.plan, sum(o.total) FROM users_sealed u JOIN orders o ON o.user = u.id
                  GROUP BY u.id ORDER BY u.id";
    let rows = vault.query(joined, &[]).unwrap();
    assert_eq!(rows.columns, ["plan", "sum(o.total)"]);
    assert_eq!(
        rows.rows,
        [
            [Value::Text("pro".into()), Value::Integer(30)],
            [Value::Text("free".into()), Value::Integer(5)]
        ]
    );
    assert_eq!(
        vault.query("SELECT count(*) FROM users_sealed", &[]).unwrap().rows,
        [[Value::Integer(2)]]
    );
    assert_eq!(vault.query("SELECT rowid FROM users_sealed", &[]).unwrap().rows.len(), 2);
    let work = |fail: bool| {
        vault.transaction(|tx| {
            let id = tx
                .table("users")?
                .insert(values! {"email" => "new@example.org", "plan" => "new"})?;
            let id = id.as_i64().unwrap();
            tx.execute("INSERT INTO orders (user, total) VALUES (?, 99)", &[id.into()])?;
            let seen = tx.query(
                "SELECT u.plan FROM orders o JOIN users_sealed u ON u.id = o.user WHERE total = 99",
                &[],
            )?;
            assert_eq!(seen.rows, [[Value::Text("new".into())]]);
            if fail { tx.execute("INSERT INTO orders (id) VALUES (1)", &[]) } else { Ok(1) }
        })
    };
    let count = || {
        vault.query("SELECT count(*) FROM orders WHERE total = 99", &[]).unwrap().rows[0][0].clone()
    };
    assert_eq!(work(true).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!((count(), vault.table("users").unwrap().count().unwrap()), (Value::Integer(0), 2));
    work(false).unwrap();
    assert_eq!((count(), vault.table("users").unwrap().count().unwrap()), (Value::Integer(1), 3));
}

#[test]
fn messages_carry_no_literal() {
    let vault = Vault::in_memory().unwrap();
    users(&vault);
    own_tables(&vault);
    vault
        .execute(
            "CREATE TABLE strict (a INTEGER, b TEXT UNIQUE CHECK (length(b) < 50)) STRICT",
            &[],
        )
        .unwrap();
    vault.execute("INSERT INTO strict VALUES (1, 'canary')", &[]).unwrap();
    for sql in [
        "SELECT * FROM orders WHERE user = 'canary' 'canary'",
        "SELECT 'canary",
        "SELECT x'canary'",
        "SELECT * FROM orders WHERE user = \"canary\"",
        "SELECT * FROM orders WHERE \"canary\" = 1",
        "SELECT 1 'canary' 'canary'",
        "SELECT * FROM orders WHERE user = 1 'canary' AND",
        "INSERT INTO strict VALUES ('canary', 'b')",
        "INSERT INTO strict VALUES (1, 'canary')",
        "INSERT INTO strict VALUES (1, 'canary' || hex(zeroblob(100)))",
        "SELECT json_extract('canary', '$.a')",
        "SELECT json_extract('{}', 'canary')",
        "SELECT json('{\"a\": canary}')",
        "SELECT '{}' ->> '$[canary'",
        "SELECT 4111111111111111 4111111111111111",
        "SELECT 1 4111111111111111",
        "SELECT 4111111111111111canary",
        "SELECT 1.5e4111111111111111x",
        "SELECT 'x' LIKE 'y' ESCAPE 'canary'",
        "SELECT abs(-9223372036854775808), 'canary'",
        "SELECT zeroblob(4111111111111111)",
        "SELECT printf('%.*c', 4111111111111111, 'canary')",
        "SELECT * FROM orders LIMIT 'canary'",
        "SELECT CAST('canary' AS INTEGER) +",
        "INSERT INTO orders (id) VALUES ('canary')",
        "SELECT ?9999999 'canary'",
        "SELECT 1; SELECT 'canary'",
        "SELECT strftime('%canary', 'canary') FROM 'canary' 'canary' 'x'",
        "SELECT date('canary') COLLATE 'canary'",
    ] {
        let parameters: &[ValueRef<'_>] = &[];
        for result in [
            vault.query(sql, parameters).map(|rows| rows.rows.len()),
            vault.execute(sql, parameters),
        ] {
            let Err(error) = result else { continue };
            for text in [error.to_string(), format!("{error:?}"), error.message().to_owned()] {
                assert!(!text.contains("canary") && !text.contains("411111"), "{sql}: {text}");
            }
        }
    }
    // Values that are bound show even less.
    let bound = [ValueRef::Text("canary"), ValueRef::Text("canary")];
    for sql in ["INSERT INTO strict VALUES (?, ?)", "SELECT json_extract(?, ?)", "SELECT ? FROM"] {
        let error = vault.query(sql, &bound).map(|_| ()).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{sql}: {error}");
    }
}

#[test]
fn each_call_runs_one_statement_of_the_right_kind() {
    let vault = Vault::in_memory().unwrap();
    own_tables(&vault);
    for (sql, parameters) in [
        ("SELECT 1; DELETE FROM orders", &[][..]),
        ("DELETE FROM orders; SELECT 1", &[]),
        ("", &[]),
        ("-- nothing", &[]),
        ("SELECT ?", &[]),
        ("SELECT ?", &[ValueRef::Integer(1), ValueRef::Integer(2)]),
        ("SELEC 1", &[]),
        ("SELECT * FROM nowhere", &[]),
    ] {
        let error = vault.query(sql, parameters).expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::Sql, "{sql}: {error}");
    }
    let wrong_call = vault.query("DELETE FROM orders", &[]).unwrap_err();
    assert!(matches!(wrong_call.kind(), ErrorKind::Sql | ErrorKind::ReadOnly), "{wrong_call}");
    assert_eq!(
        vault.execute("INSERT INTO orders (user) VALUES (9) RETURNING id", &[]).unwrap_err().kind(),
        ErrorKind::Sql
    );
    let nul = vault.query("SELECT 1\0", &[]).unwrap_err();
    assert_eq!(nul.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        vault.query("SELECT count(*) FROM orders", &[]).unwrap().rows,
        [[Value::Integer(3)]]
    );
}

#[test]
fn a_tenants_handle_runs_no_plain_sql() {
    let vault = Vault::in_memory().unwrap();
    let tenant = vault.tenant("acme").unwrap();
    let error = tenant.transaction(|tx| tx.execute("CREATE TABLE t (a)", &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAllowed);
    let error = tenant.transaction(|tx| tx.query("SELECT 1", &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAllowed);
    let error = tenant.snapshot().unwrap().query("SELECT 1", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAllowed);
}
