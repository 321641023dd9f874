//! An application's database, and what is expected of it afterwards.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;
use sealite::{AdoptionPlan, AdoptionReport, Config, Vault};
use sealite_tests::vaults::Home;

/// Stands in every value that is to be sealed.
pub(crate) const SECRET: &str = "Zk7qWvXp";

pub(crate) const PLAN: &str = "
[tables.users]
email = 'sealed unique email'
name = 'sealed'
role = 'authenticated'
";

/// The application's database in the folder of a home, with so many users and two notes each.
pub(crate) fn application(home: &Home, users: i64) -> PathBuf {
    let path = home.folder().join("app.db");
    fill(&path, users);
    path
}

pub(crate) fn fill(path: &Path, users: i64) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT,
             role TEXT DEFAULT 'user', plan TEXT);
         CREATE INDEX users_plan ON users (plan);
         CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
             body TEXT, secret BOOLEAN);",
    )
    .unwrap();
    conn.execute_batch("BEGIN").unwrap();
    {
        let mut user = conn.prepare("INSERT INTO users VALUES (?, ?, ?, 'user', ?)").unwrap();
        let mut note =
            conn.prepare("INSERT INTO notes (user_id, body, secret) VALUES (?, ?, ?)").unwrap();
        for n in 1..=users {
            let name = (n % 7 != 0).then(|| format!("Name {SECRET} {n}"));
            user.execute((n, format!("U{n}.{SECRET}@Example.org"), name, format!("plan{}", n % 3)))
                .unwrap();
            note.execute((n, format!("private {SECRET} {n}"), 1)).unwrap();
            note.execute((n, format!("public {n}"), 0)).unwrap();
        }
    }
    conn.execute_batch("COMMIT").unwrap();
}

/// A vault with the key of a home, added to the application's database.
pub(crate) fn vault_in(home: &Home, path: &Path) -> Vault {
    let mut config = Config::default();
    config.existing_database = true;
    let vault = Vault::at_with(path, config).unwrap();
    vault.initialise(&home.unlock()).unwrap();
    vault
}

/// Everything that a table holds, as SQLite has it.
pub(crate) fn rows(conn: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut stmt = conn.prepare(sql).unwrap();
    let columns = stmt.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
    stmt.query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// The same, as the engine has it.
pub(crate) fn sealed_rows(vault: &Vault, sql: &str) -> Vec<Vec<Value>> {
    let value = |value: &sealite::Value| match value.as_ref() {
        sealite::ValueRef::Null => Value::Null,
        sealite::ValueRef::Integer(v) => Value::Integer(v),
        sealite::ValueRef::Real(v) => Value::Real(v),
        sealite::ValueRef::Blob(v) => Value::Blob(v.to_vec()),
        other => Value::Text(other.as_str().unwrap().to_owned()),
    };
    let rows = vault.query(sql, &[]).unwrap().rows;
    rows.iter().map(|row| row.iter().map(value).collect()).collect()
}

pub(crate) fn adopt(vault: &Vault, plan: &AdoptionPlan) -> AdoptionReport {
    vault.adopt(plan, |_| true).unwrap()
}

/// True where a text stands in a file of the folder, or one of its logs; compared without case.
pub(crate) fn anywhere(folder: &Path, what: &str) -> Vec<PathBuf> {
    let what = what.to_ascii_lowercase();
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
        let first = what.as_bytes()[0];
        let holds = (0..bytes.len().saturating_sub(what.len() - 1))
            .any(|at| bytes[at] == first && bytes[at..].starts_with(what.as_bytes()));
        if holds {
            found.push(path);
        }
    }
    found
}
