//! Copies that other processes make of a vault in use.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use sealite::{Unlock, Vault, values};
use sealite_tests::vaults::{Home, plain};

/// Runs Python with its own SQLite library in another process.
fn python(folder: &std::path::Path, program: &str) {
    let python = std::env::var("SEALITE_PYTHON").unwrap_or_else(|_| "python3".into());
    let ran = Command::new(python).args(["-c", program]).current_dir(folder).output();
    let ran = ran.expect("Python runs: it is needed here");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

fn copies_hold_all_and_take_writes(program: &str) {
    let home = Home::new();
    let vault = home.create();
    let people = vault.table("people").unwrap();
    for n in 0..100 {
        people.insert(values! {"email" => format!("p{n}@example.org").as_str()}).unwrap();
    }
    python(home.folder(), program);
    people.insert(values! {"email" => "later@example.org"}).unwrap();
    vault.close();

    let file = home.folder().join("copy.db");
    let unlock: Unlock = home.unlock();
    let copy = Vault::open(&file, &unlock).unwrap();
    assert!(copy.verify(|_| ()).unwrap().is_sound());
    let people = copy.table("people").unwrap();
    assert_eq!(people.count().unwrap(), 100);
    people.insert(values! {"email" => "new@example.org"}).unwrap();
    // A reader does not keep a writer out.
    let snapshot = copy.snapshot().unwrap();
    people.insert(values! {"email" => "newer@example.org"}).unwrap();
    assert_eq!(snapshot.table("people").unwrap().count().unwrap(), 101);
    drop(snapshot);
    copy.close();
    let mode: String = plain(&file).query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn an_online_backup_is_a_whole_vault() {
    copies_hold_all_and_take_writes(
        "import sqlite3; a = sqlite3.connect('vault.db'); b = sqlite3.connect('copy.db'); a.backup(b); b.close()",
    );
}

#[test]
fn a_vacuumed_copy_is_a_whole_vault_and_is_write_ahead_again() {
    copies_hold_all_and_take_writes(
        "import sqlite3; sqlite3.connect('vault.db').execute(\"VACUUM INTO 'copy.db'\")",
    );
}
