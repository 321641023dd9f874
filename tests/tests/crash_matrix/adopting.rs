//! The database of an application beside the vault, and what shows of it.

use std::fmt::Write;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sealite::{AdoptionPlan, IdRef, Result, Vault};

use sealite_tests::vaults::unlock_in;

use super::operations::Scene;

const ROWS: i64 = 5;

pub(crate) fn application(scene: &Scene) {
    let conn = Connection::open(scene.folder.join("app.db")).unwrap();
    let create = "CREATE TABLE clients (id INTEGER PRIMARY KEY, email TEXT UNIQUE, plan TEXT)";
    conn.execute(create, []).unwrap();
    for id in 1..=ROWS {
        let email = format!("client{id}@example.org");
        conn.execute("INSERT INTO clients VALUES (?, ?, 'pro')", (id, email)).unwrap();
    }
}

fn plan(scene: &Scene) -> Result<AdoptionPlan> {
    let plan = AdoptionPlan::new().column("clients.email: sealed, unique email")?;
    Ok(plan.source(scene.folder.join("app.db")))
}

/// The application's table moves into the vault.
pub(crate) fn adopt_tables(scene: &Scene) -> Result<()> {
    scene.vault.adopt(&plan(scene)?.remove_source(), |_| true).map(drop)
}

/// Its values are sealed where they are.
pub(crate) fn adopt_values(scene: &Scene) -> Result<()> {
    scene.vault.adopt(&plan(scene)?.values(), |_| true).map(drop)
}

fn is_there(conn: &Connection) -> bool {
    conn.table_exists(None, "clients").unwrap()
}

/// The rows are in the application's database, or in the vault.
pub(crate) fn is_nowhere_lost(folder: &Path, found: bool, what: &str) {
    let conn = Connection::open(folder.join("app.db")).unwrap();
    if !is_there(&conn) {
        return assert!(found, "{what}: the table is gone");
    }
    let count: i64 = conn.query_row("SELECT count(*) FROM clients", [], |row| row.get(0)).unwrap();
    assert_eq!(count, ROWS, "{what}");
}

/// No value was sealed without an entry.
pub(crate) fn is_announced(folder: &Path, found: bool, what: &str) {
    let vault = Vault::open(folder.join("vault.db"), &unlock_in(folder)).unwrap();
    let entries = vault.audit().tail(1_000).unwrap();
    let announced = entries.iter().any(|entry| entry.event() == "values.adopting");
    assert!(announced || !found, "{what}: values were sealed without an entry");
    vault.close();
}

/// The sealed values of the application's database, opened.
pub(crate) fn values(vault: &Vault, folder: &Path, out: &mut String) {
    let file = folder.join("app.db");
    if !file.exists() {
        return;
    }
    let conn = Connection::open(file).unwrap();
    if !is_there(&conn) {
        return;
    }
    let field = vault.field("clients.email").unwrap();
    let mut stmt = conn.prepare("SELECT id, email, plan FROM clients ORDER BY id").unwrap();
    let mut rows = stmt.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (id, plan): (i64, String) = (row.get(0).unwrap(), row.get(2).unwrap());
        let ValueRef::Blob(sealed) = row.get_ref(1).unwrap() else { continue };
        let opened = field.open(sealed, Some(IdRef::Integer(id)));
        let opened = opened.or_else(|_| field.open(sealed, None)).unwrap();
        let _ = writeln!(out, "client {id} {opened:?} {plan}");
    }
}
