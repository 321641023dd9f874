//! Vaults to test with, and their files as anyone can read them: through plain SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc
)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use sealite::{
    Column, Config, ErrorKind, ExposeSecret, Index, Normaliser, SecretString, TableDefinition,
    Unlock, ValueRef, Vault,
};

/// A folder that is removed at the end, and the key of the vault in it.
pub struct Home {
    folder: tempfile::TempDir,
    key: SecretString,
}

impl Home {
    /// A new folder and a new key.
    pub fn new() -> Self {
        Home { folder: tempfile::tempdir().unwrap(), key: sealite::generate_key().unwrap() }
    }

    /// A new folder, for copies of another's vault.
    pub fn new_with_key_of(other: &Home) -> Self {
        Home { folder: tempfile::tempdir().unwrap(), key: other.key.clone() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The vault's file.
    pub fn file(&self) -> PathBuf {
        self.folder().join("vault.db")
    }

    /// The key.
    pub fn unlock(&self) -> Unlock {
        Unlock::key_text(self.key.expose_secret()).unwrap()
    }

    /// A new vault with the table [`people`].
    pub fn create(&self) -> Vault {
        let vault = Vault::create(self.file(), &self.unlock()).unwrap();
        vault.define_table(&people()).unwrap();
        vault
    }

    /// The vault, opened again.
    pub fn open(&self) -> Vault {
        Vault::open(self.file(), &self.unlock()).unwrap()
    }

    /// Leaves the key in the folder for other processes: see [`unlock_in`].
    pub fn share_key(&self) {
        std::fs::write(self.folder().join("key"), self.key.expose_secret()).unwrap();
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// The key that [`Home::share_key`] has left in a folder.
pub fn unlock_in(folder: &Path) -> Unlock {
    Unlock::key_text(std::fs::read_to_string(folder.join("key")).unwrap().trim()).unwrap()
}

/// Opens the vault of a [`Home`] in another process.
pub fn open_in(folder: &Path) -> Vault {
    Vault::open(folder.join("vault.db"), &unlock_in(folder)).unwrap()
}

/// As [`open_in`], with a time-out for locks.
pub fn open_in_with(folder: &Path, busy_timeout: std::time::Duration) -> Vault {
    let mut config = Config::default();
    config.busy_timeout = busy_timeout;
    let vault = Vault::at_with(folder.join("vault.db"), config).unwrap();
    vault.unlock(&unlock_in(folder)).unwrap();
    vault
}

/// A table with each protection: `email` sealed and unique, `name` sealed, `role` authenticated, `note` plain.
pub fn people() -> TableDefinition {
    let unique = Index::unique().normaliser(Normaliser::Email);
    TableDefinition::new("people")
        .column(Column::text("email").sealed().not_null().index(unique))
        .column(Column::text("name").sealed())
        .column(Column::text("role").authenticated().default("user"))
        .column(Column::text("note"))
}

/// The file through plain SQLite, for reading. Not while this process has the vault open.
pub fn plain(file: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags).unwrap()
}

/// Every record in the file, of every table.
pub fn records(file: &Path) -> Vec<Vec<u8>> {
    let conn = plain(file);
    let mut names = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%sealed%'")
        .unwrap();
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found = Vec::new();
    for name in names {
        let mut stmt = conn.prepare(&format!("SELECT sealed FROM \"{name}\"")).unwrap();
        found.extend(stmt.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap));
    }
    found
}

/// The nonce of a record: bytes 7 to 30.
pub fn nonce(record: &[u8]) -> &[u8] {
    record.get(7..31).expect("a record has a nonce")
}

/// Asserts that no two records of the file have the same nonce; the number of records.
pub fn assert_distinct_nonces(file: &Path) -> usize {
    let records = records(file);
    let nonces: HashSet<&[u8]> = records.iter().map(|record| nonce(record)).collect();
    assert_eq!(nonces.len(), records.len(), "a nonce occurs twice");
    records.len()
}

/// Asserts that SQLite finds the file whole.
pub fn assert_integrity(file: &Path) {
    let check: String =
        plain(file).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

/// Runs a write until it is not busy; how often it was.
pub fn patiently<T>(busy: &mut u64, mut work: impl FnMut() -> sealite::Result<T>) -> T {
    loop {
        match work() {
            Ok(done) => return done,
            Err(error) if error.kind() == ErrorKind::Busy => *busy += 1,
            Err(error) => panic!("no error other than busy: {error}"),
        }
    }
}

/// Inserts rows in transactions of different sizes; where another process writes too long, again.
pub fn insert_rows(vault: &Vault, who: &str, rows: usize) {
    let table = vault.table("people").unwrap();
    let mut done = 0;
    while done < rows {
        let count = [1, 7, 100][done % 3].min(rows - done);
        let emails: Vec<String> =
            (done..done + count).map(|n| format!("{who}{n}@example.org")).collect();
        let batch: Vec<[ValueRef<'_>; 2]> =
            emails.iter().map(|email| [email.into(), who.into()]).collect();
        match table.insert_many(&["email", "name"], &batch) {
            Ok(_) => done += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{error}"),
        }
    }
}
