//! Files and folders that are not as they should be: a typed error or success, never a panic, and nothing half written.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sealite::{Column, Config, Error, ErrorKind, Status, TableDefinition, Vault, values};
use sealite_tests::vaults::{Home, people, plain};

fn assert_kind<T>(result: Result<T, Error>, kinds: &[ErrorKind]) {
    let error = result.err().expect("refused");
    assert!(kinds.contains(&error.kind()), "{error}");
}

/// Every file of a folder and what it holds.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// Asserts that `work` leaves every byte of the folder as it is.
fn untouched<T>(folder: &Path, work: impl FnOnce() -> T) -> T {
    let before = contents(folder);
    let result = work();
    let after = contents(folder);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "a file has changed");
    result
}

/// Asserts that the file is refused as no vault by every way in, and left as it is.
fn refused_untouched(home: &Home, kinds: &[ErrorKind]) {
    untouched(home.folder(), || {
        assert_kind(Vault::open(home.file(), &home.unlock()), kinds);
        assert_kind(Vault::create(home.file(), &home.unlock()), kinds);
        let vault = Vault::at(home.file()).unwrap();
        assert_kind(vault.status(), kinds);
        assert_kind(vault.slots(), kinds);
    });
}

fn foreign_database(home: &Home, sql: &str) {
    let conn = Connection::open(home.file()).unwrap();
    conn.execute_batch(sql).unwrap();
}

fn existing_allowed(home: &Home) -> Vault {
    let mut config = Config::default();
    config.existing_database = true;
    Vault::at_with(home.file(), config).unwrap()
}

#[test]
fn file_that_is_no_database_is_refused() {
    let noise: Vec<u8> =
        (0..50_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let almost = [b"SQLite format 3\0".as_slice(), &noise].concat();
    // SQLite itself takes a file of one byte for an empty one.
    for bytes in
        [b"xy".as_slice(), b"email,name\nada@example.org,Ada\n", &noise[..100], &noise, &almost]
    {
        let home = Home::new();
        std::fs::write(home.file(), bytes).unwrap();
        refused_untouched(&home, &[ErrorKind::NotAVault]);
        untouched(home.folder(), || {
            let existing = existing_allowed(&home).initialise(&home.unlock());
            assert_kind(existing, &[ErrorKind::NotAVault]);
        });
    }
}

#[test]
fn database_of_another_program_is_refused_and_left_as_it_is() {
    let home = Home::new();
    foreign_database(
        &home,
        "PRAGMA application_id = 77; CREATE TABLE t (a); INSERT INTO t VALUES (1)",
    );
    refused_untouched(&home, &[ErrorKind::NotAVault]);
    untouched(home.folder(), || {
        let existing = existing_allowed(&home).initialise(&home.unlock());
        assert_kind(existing, &[ErrorKind::NotAVault]);
    });
    // One that is marked and empty.
    let home = Home::new();
    foreign_database(&home, "PRAGMA application_id = 77");
    refused_untouched(&home, &[ErrorKind::NotAVault]);
}

#[test]
fn database_without_a_mark_gets_a_vault_only_where_that_is_allowed() {
    let home = Home::new();
    foreign_database(&home, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    untouched(home.folder(), || {
        assert_eq!(Vault::at(home.file()).unwrap().status().unwrap(), Status::Uninitialised);
        let create = Vault::create(home.file(), &home.unlock());
        assert!(create.as_ref().unwrap_err().message().contains("existing_database"));
        assert_kind(create, &[ErrorKind::NotAVault]);
        assert_kind(Vault::open(home.file(), &home.unlock()), &[ErrorKind::NotInitialised]);
    });
    let vault = existing_allowed(&home);
    vault.initialise(&home.unlock()).unwrap();
    vault.define_table(&people()).unwrap();
    vault.execute("INSERT INTO t VALUES (3)", &[]).unwrap();
    let sum = vault.query("SELECT sum(a) FROM t", &[]).unwrap();
    assert_eq!(sum.rows[0][0].as_ref().as_i64(), Some(6));
    vault.close();
    assert_eq!(home.open().tables().unwrap().len(), 1);
}

#[test]
fn table_of_the_application_with_an_engine_name_is_a_typed_error() {
    let home = Home::new();
    foreign_database(&home, "CREATE TABLE people_sealed (a); INSERT INTO people_sealed VALUES (1)");
    let vault = existing_allowed(&home);
    vault.initialise(&home.unlock()).unwrap();
    assert_kind(vault.define_table(&people()), &[ErrorKind::Sql, ErrorKind::Conflict]);
    assert!(vault.tables().unwrap().is_empty());
    let other = TableDefinition::new("others").column(Column::text("a").sealed());
    vault.define_table(&other).unwrap();
    vault.table("others").unwrap().insert(values! {"a" => "b"}).unwrap();
    vault.close();
    let kept: i64 =
        plain(&home.file()).query_row("SELECT a FROM people_sealed", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn imitation_of_a_vault_is_refused() {
    for sql in [
        "CREATE TABLE sealite_meta (id)",
        "CREATE TABLE sealite_meta (id INTEGER PRIMARY KEY, format, vault, epoch, erasure_pending);
         INSERT INTO sealite_meta VALUES (1, 1, zeroblob(16), 1, 0)",
        "PRAGMA application_id = 1399152492",
        "PRAGMA application_id = 1399152492; CREATE TABLE sealite_meta (a)",
    ] {
        let home = Home::new();
        foreign_database(&home, sql);
        refused_untouched(&home, &[ErrorKind::Corrupt, ErrorKind::Sql, ErrorKind::NotAVault]);
    }
}

#[test]
fn newer_format_is_told_and_left_as_it_is() {
    let home = Home::new();
    home.create().close();
    plain(&home.file()).execute_batch("UPDATE sealite_meta SET format = 2").unwrap();
    refused_untouched(&home, &[ErrorKind::NewerFormat]);
    plain(&home.file()).execute_batch("UPDATE sealite_meta SET format = 1").unwrap();
    home.open();
}

#[test]
fn empty_file_takes_a_vault_and_is_closed_to_others() {
    let home = Home::new();
    std::fs::write(home.file(), b"").unwrap();
    std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let vault = Vault::at(home.file()).unwrap();
    untouched(home.folder(), || {
        assert_eq!(vault.status().unwrap(), Status::Uninitialised);
        assert_kind(vault.unlock(&home.unlock()), &[ErrorKind::NotInitialised]);
    });
    vault.initialise(&home.unlock()).unwrap();
    let mode = std::fs::metadata(home.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn folder_in_place_of_the_file_or_none_at_all_is_a_typed_error() {
    let home = Home::new();
    let unlock = home.unlock();
    for path in [home.folder().to_owned(), PathBuf::from("/")] {
        let kinds = &[ErrorKind::InvalidInput];
        assert_kind(Vault::open(&path, &unlock), kinds);
        assert_kind(Vault::create(&path, &unlock), kinds);
        assert_kind(Vault::at(&path).unwrap().status(), kinds);
    }
    std::fs::write(home.folder().join("file"), "x").unwrap();
    for path in [home.folder().join("none/vault.db"), home.folder().join("file/vault.db")] {
        assert_eq!(Vault::at(&path).unwrap().status().unwrap(), Status::Absent);
        assert_kind(Vault::open(&path, &unlock), &[ErrorKind::NotInitialised]);
        assert_kind(Vault::create(&path, &unlock), &[ErrorKind::Io]);
        assert!(!path.exists());
    }
    assert_kind(Vault::at(""), &[ErrorKind::InvalidInput]);
    let inner_nul = PathBuf::from("/tmp/a\0b");
    assert_kind(Vault::create(&inner_nul, &unlock), &[ErrorKind::InvalidInput, ErrorKind::Io]);
    let long = home.folder().join("x".repeat(5_000));
    assert_kind(Vault::create(&long, &unlock), &[ErrorKind::InvalidInput, ErrorKind::Io]);
    let fifo = std::process::Command::new("mkfifo").arg(home.folder().join("fifo")).status();
    assert!(fifo.unwrap().success());
    for path in [home.folder().join("fifo"), PathBuf::from("/dev/full"), PathBuf::from("/dev/zero")]
    {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_kind(Vault::create(&path, &unlock), &[ErrorKind::InvalidInput]);
        assert_kind(Vault::open(&path, &unlock), &[ErrorKind::InvalidInput]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode(), mode);
    }
}

#[test]
fn path_that_is_not_utf8_works() {
    let home = Home::new();
    let path = home.folder().join(std::ffi::OsStr::from_bytes(b"caf\xe9 \xff\xfe.db"));
    let vault = Vault::create(&path, &home.unlock()).unwrap();
    vault.define_table(&people()).unwrap();
    vault.table("people").unwrap().insert(values! {"email" => "ada@example.org"}).unwrap();
    assert_eq!(vault.path(), Some(path.as_path()));
    assert!(Vault::holds_file(&path));
    drop(vault);
    assert_eq!(
        Vault::open(&path, &home.unlock()).unwrap().table("people").unwrap().count().unwrap(),
        1
    );
}
