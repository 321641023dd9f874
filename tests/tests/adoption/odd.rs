//! Databases of every kind: adopted as they are, or refused by name with nothing changed.

use std::path::Path;

use rusqlite::Connection;
use sealite::{AdoptionPlan, Config, ErrorKind, Vault};
use sealite_tests::vaults::Home;

use super::world::vault_in;

/// What becomes of a table of single values, and of a sealed table: done, or refused with these words.
type Case = (&'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const CASES: &[Case] = &[
    (
        "null and empty",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
         INSERT INTO users VALUES (1, 'a@b.example'), (2, NULL), (3, '');",
        "users.email: sealed",
        None,
        None,
    ),
    (
        "generated columns",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, low TEXT GENERATED ALWAYS AS (lower(email)));
         INSERT INTO users (email) VALUES ('A@b.example');",
        "users.email: sealed",
        Some("generated columns"),
        Some("generated columns"),
    ),
    (
        "without row ids",
        "CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT) WITHOUT ROWID;
         INSERT INTO users VALUES ('x', 'A@b.example');",
        "users.email: sealed",
        Some("without row ids"),
        None,
    ),
    (
        "keys that are NULL",
        "CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT);
         INSERT INTO users VALUES (NULL, 'a'), (NULL, 'b'), ('x', 'c');",
        "users.email: sealed",
        None,
        Some("holds values that are not text"),
    ),
    (
        "a key of two columns",
        "CREATE TABLE users (a INTEGER, b INTEGER, email TEXT, PRIMARY KEY (a, b));
         INSERT INTO users VALUES (1, 2, 'A@b.example');",
        "users.email: sealed",
        None,
        Some("no key of one column"),
    ),
    (
        "no key",
        "CREATE TABLE users (email TEXT); INSERT INTO users VALUES ('A@b.example');",
        "users.email: sealed",
        None,
        Some("no key of one column"),
    ),
    (
        "STRICT",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT) STRICT;
         INSERT INTO users VALUES (1, 'A@b.example');",
        "users.email: sealed",
        Some("STRICT"),
        None,
    ),
    (
        "a collation of its own",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE);
         INSERT INTO users VALUES (1, 'A@b.example');",
        "users.email: sealed unique",
        Some("`unique email`"),
        Some("its own collation"),
    ),
    (
        "a collation that the index has",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE);
         INSERT INTO users VALUES (1, 'A@b.example');",
        "users.email: sealed unique email",
        None,
        None,
    ),
    (
        "a key that compares in its own way",
        "CREATE TABLE users (id TEXT COLLATE NOCASE PRIMARY KEY, email TEXT);
         INSERT INTO users VALUES ('A', 'A@b.example');",
        "users.email: sealed",
        None,
        Some("does not compare byte for byte"),
    ),
    (
        "text that is not UTF-8",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
         INSERT INTO users VALUES (1, 'a'), (2, CAST(x'fffe41' AS TEXT));",
        "users.email: sealed",
        Some("users.email of row 2 is a text that is not UTF-8"),
        Some("column email of row 2 holds a text that is not UTF-8"),
    ),
    (
        "a text with a NUL",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
         INSERT INTO users VALUES (1, 'a' || char(0) || 'b');",
        "users.email: sealed",
        None,
        None,
    ),
    (
        "UTF-16",
        "PRAGMA encoding = 'UTF-16le';
         CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
         INSERT INTO users VALUES (1, 'Ä@b.example'), (2, NULL);",
        "users.email: sealed unique email",
        None,
        None,
    ),
    (
        "blobs among texts",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, x'0102');",
        "users.email: sealed",
        Some("is not text"),
        Some("not text"),
    ),
    (
        "numbers among texts",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email); INSERT INTO users VALUES (1, 5), (2, 'x');",
        "users.email: sealed",
        Some("is not text"),
        Some("not text"),
    ),
    (
        "the ends of the keys",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
         INSERT INTO users VALUES (-9223372036854775808, 'x'), (0, 'y'), (9223372036854775807, 'z');",
        "users.email: sealed",
        None,
        None,
    ),
    (
        "names with signs",
        "CREATE TABLE \"my users\"\"x\" (id INTEGER PRIMARY KEY, \"e mail\" TEXT);
         INSERT INTO \"my users\"\"x\" VALUES (1, 'x');",
        "my users\"x.e mail: sealed",
        None,
        None,
    ),
    (
        "a virtual table",
        "CREATE VIRTUAL TABLE users USING fts5(email); INSERT INTO users VALUES ('x');",
        "users.email: sealed",
        Some("virtual"),
        Some("virtual"),
    ),
    (
        "a view",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT); CREATE VIEW users AS SELECT * FROM people;",
        "users.email: sealed",
        Some("there is no table users"),
        Some("there is no table users"),
    ),
];

/// Every table and its rows, as the application sees them.
fn content(path: &Path) -> Vec<String> {
    let conn = Connection::open(path).unwrap();
    let mut said = Vec::new();
    let sql = "SELECT coalesce(sql, name) FROM sqlite_master WHERE name NOT LIKE 'sealite%' ORDER BY name";
    let mut stmt = conn.prepare(sql).unwrap();
    said.extend(stmt.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    let table = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%users%' AND sql NOT LIKE '%VIRTUAL%'";
    for name in conn.prepare(table).unwrap().query_map([], |row| row.get::<_, String>(0)).unwrap() {
        let name = name.unwrap();
        if name.starts_with("sealite") || name.starts_with("users_") {
            continue;
        }
        let sql = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
        let mut stmt = conn.prepare(&sql).unwrap();
        let columns = stmt.column_count();
        let mut rows = stmt.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            said.extend((0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())));
        }
    }
    said
}

fn play(case: &Case, in_place: bool, values: bool) {
    let (name, sql, column, of_values, of_tables) = case;
    let refused = if values { of_values } else { of_tables };
    let home = Home::new();
    let path = home.folder().join("app.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let vault = if in_place {
        vault_in(&home, &path)
    } else {
        Vault::at_with(home.file(), Config::default())
            .and_then(|v| v.initialise(&home.unlock()).map(|()| v))
            .unwrap()
    };
    let before = (!in_place).then(|| content(&path));
    let mut plan = AdoptionPlan::new().column(column).unwrap();
    plan = if in_place { plan } else { plan.source(&path) };
    plan = if values { plan.values() } else { plan };
    let done = vault.adopt(&plan, |_| true);
    match (done, refused) {
        (Ok(_), None) => assert!(vault.verify(|_| ()).unwrap().is_sound(), "{name}"),
        (Err(error), Some(words)) => {
            assert!(error.message().contains(words), "{name}: {error}");
            assert!(
                matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound),
                "{name}: {error}"
            );
            assert!(vault.tables().unwrap().is_empty(), "{name}");
            if let Some(before) = before {
                assert_eq!(content(&path), before, "{name}");
            }
        }
        (done, _) => panic!("{name}: {done:?}"),
    }
}

#[test]
fn odd_databases_give_sealed_values_or_say_why_not() {
    for case in CASES {
        play(case, false, true);
    }
}

#[test]
fn odd_databases_are_copied_into_a_vault_or_say_why_not() {
    for case in CASES {
        play(case, false, false);
    }
}

#[test]
fn odd_databases_become_vaults_or_say_why_not() {
    for case in CASES {
        play(case, true, false);
    }
}

#[test]
fn what_another_program_writes_meanwhile_is_waited_for_and_then_refused_as_busy() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    let sql = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, 'x');";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let before = content(&path);
    let mut config = Config::default();
    config.busy_timeout = std::time::Duration::from_millis(50);
    let vault = Vault::at_with(home.file(), config).unwrap();
    vault.initialise(&home.unlock()).unwrap();
    let plan = AdoptionPlan::new().column("users.email: sealed").unwrap().values().source(&path);
    // Another process: in this one no other library may have the file open.
    let script = "import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()
c.execute('ROLLBACK')
c.close()";
    let mut holder = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(holder.stdout.take().unwrap()),
        &mut said,
    )
    .unwrap();
    let error = vault.adopt(&plan, |_| true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert!(error.message().contains("another program"), "{error}");
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    assert_eq!(content(&path), before);
    assert_eq!(vault.adopt(&plan, |_| true).unwrap().tables[0].rows, 1);
}

#[test]
fn memory_does_not_grow_with_the_length_of_rows() {
    use sealite_tests::process::{staged, tell};
    staged("odd::memory_does_not_grow_with_the_length_of_rows", 120, |_| {
        let home = Home::new();
        let path = home.folder().join("app.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
             WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)
             INSERT INTO users SELECT i, hex(zeroblob(500000)) || i FROM n;",
        )
        .unwrap();
        conn.close().unwrap();
        let vault = Vault::create(home.file(), &home.unlock()).unwrap();
        let plan =
            AdoptionPlan::new().column("users.email: sealed").unwrap().values().source(&path);
        let before = super::crash::peak();
        assert_eq!(vault.adopt(&plan, |_| true).unwrap().tables[0].rows, 100);
        let grown = super::crash::peak().saturating_sub(before);
        tell(format_args!("100 rows of 1 MB: {} KiB more", grown / 1024));
        assert!(grown < 48 << 20, "{grown} bytes more");
    });
}
