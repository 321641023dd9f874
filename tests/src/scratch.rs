//! A folder of its own with one vault in it, and the file as somebody sees it who has no key.

#![allow(clippy::expect_used, clippy::missing_panics_doc)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use sealite::{Config, ExposeSecret, SecretString, Synchronous, Unlock, Vault, generate_key};
use tempfile::TempDir;

/// The catalog's id of the first table that a program declares: 256 is the audit trail's, made with the vault.
pub const FIRST_TABLE: i64 = 257;

/// A folder with a vault. Removed when dropped.
pub struct Scratch {
    folder: TempDir,
    key: SecretString,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// An empty folder and a random key.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        Scratch { folder, key: generate_key().expect("a key") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the vault is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("vault.db")
    }

    /// The key, as 64 hexadecimal digits.
    pub fn key(&self) -> &str {
        self.key.expose_secret()
    }

    /// What opens the vault.
    pub fn unlock(&self) -> Unlock {
        Unlock::key_text(self.key()).expect("a generated key")
    }

    /// Creates the vault.
    pub fn create(&self) -> Vault {
        create(&self.path(), &self.unlock())
    }

    /// Opens the vault, which must open.
    pub fn open(&self) -> Vault {
        self.try_open().expect("the vault opens")
    }

    /// Opens the vault, which may be refused.
    pub fn try_open(&self) -> sealite::Result<Vault> {
        open(&self.path(), &self.unlock())
    }

    /// The closed file through plain SQLite. Close every vault first: two handles of one process are not an attacker.
    pub fn raw(&self) -> Connection {
        raw(&self.path())
    }
}

/// As the tests use SQLite: no waiting for the disk.
pub fn config() -> Config {
    let mut config = Config::default();
    config.synchronous = Synchronous::Normal;
    config.busy_timeout = Duration::from_secs(10);
    config
}

/// Creates a vault.
pub fn create(path: &Path, unlock: &Unlock) -> Vault {
    let vault = Vault::at_with(path, config()).expect("a handle");
    vault.initialise(unlock).expect("a new vault");
    vault
}

/// Opens a vault.
///
/// # Errors
/// Whatever the vault refuses with.
pub fn open(path: &Path, unlock: &Unlock) -> sealite::Result<Vault> {
    let vault = Vault::at_with(path, config())?;
    vault.unlock(unlock)?;
    Ok(vault)
}

/// A file through plain SQLite, without waiting for the disk.
pub fn raw(path: &Path) -> Connection {
    let conn = Connection::open(path).expect("SQLite opens the file");
    conn.execute_batch("PRAGMA synchronous = OFF").expect("a pragma");
    conn
}
