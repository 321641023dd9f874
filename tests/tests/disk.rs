//! Disks that do not take what is written: read-only files and folders, full disks.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sealite::{
    Alteration, Erasure, Error, ErrorKind, ExposeSecret, Protection, Result, Status, ValueRef,
    Vault, values,
};
use sealite_tests::disk;
use sealite_tests::process::{drop_privileges, limit_file_size, staged, tell};
use sealite_tests::vaults::{Home, assert_integrity, open_in, people, unlock_in};

fn assert_kind<T>(result: std::result::Result<T, Error>, kinds: &[ErrorKind]) {
    let error = result.err().expect("refused");
    assert!(kinds.contains(&error.kind()), "{error}");
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A vault of ten people in a folder that anybody can enter, with these modes.
fn home_with_modes(file: u32, folder: u32) -> Home {
    let home = Home::new();
    let vault = home.create();
    for n in 0..10 {
        let email = format!("p{n}@example.org");
        vault.table("people").unwrap().insert(values! {"email" => &email}).unwrap();
    }
    vault.close();
    home.share_key();
    set_mode(&home.folder().join("key"), 0o644);
    set_mode(&home.file(), file);
    set_mode(home.folder(), folder);
    home
}

/// Proves that the modes are in force: as a privileged user they would not be.
fn assert_modes_count(folder: &Path, file_writable: bool, folder_writable: bool) {
    let path = CString::new(folder.join("vault.db").as_os_str().as_bytes()).unwrap();
    let may_write = |path: &CString| {
        // SAFETY: the argument is a NUL-terminated string that outlives the call.
        unsafe { libc::access(path.as_ptr(), libc::W_OK) == 0 }
    };
    assert_eq!(may_write(&path), file_writable);
    assert_eq!(may_write(&CString::new(folder.as_os_str().as_bytes()).unwrap()), folder_writable);
    assert_eq!(std::fs::write(folder.join("probe"), "x").is_ok(), folder_writable);
    let _ = std::fs::remove_file(folder.join("probe"));
}

/// Uses a vault that can't be written: what fails has a type.
fn use_read_only(folder: &Path) {
    let kinds = &[ErrorKind::ReadOnly, ErrorKind::Io];
    match Vault::open(folder.join("vault.db"), &unlock_in(folder)) {
        // Without its log and index SQLite can't read a vault in a folder where it can make neither.
        Err(error) => assert!(kinds.contains(&error.kind()), "{error}"),
        Ok(vault) => {
            let table = vault.table("people").unwrap();
            assert_eq!(table.count().unwrap(), 10);
            assert!(table.find_one("email", "P3@example.org").unwrap().is_some());
            assert_kind(table.insert(values! {"email" => "new@example.org"}), kinds);
            assert_kind(vault.begin().and_then(|t| t.execute("CREATE TABLE t (a)", &[])), kinds);
            assert_kind(vault.add_recovery_slot("paper").map(|_| ()), kinds);
            assert!(vault.verify(|_| ()).unwrap().is_sound());
        }
    }
    let create = Vault::create(folder.join("new.db"), &unlock_in(folder));
    assert_kind(create, kinds);
    assert!(!folder.join("new.db").exists());
}

#[test]
fn read_only_files_and_folders_are_typed_errors() {
    staged("read_only_files_and_folders_are_typed_errors", 60, |stage| match stage.role() {
        "file" => {
            drop_privileges();
            assert_modes_count(&stage.path(), false, true);
            let folder = stage.path();
            let open = Vault::open(folder.join("vault.db"), &unlock_in(&folder));
            read_or_refuse(open);
        }
        "folder" => {
            drop_privileges();
            assert_modes_count(&stage.path(), true, false);
            use_read_only(&stage.path());
        }
        "both" => {
            drop_privileges();
            assert_modes_count(&stage.path(), false, false);
            use_read_only(&stage.path());
        }
        _ => {
            for (role, file, folder) in
                [("file", 0o444, 0o777), ("folder", 0o666, 0o555), ("both", 0o444, 0o555)]
            {
                let home = home_with_modes(file, folder);
                let before = std::fs::read(home.file()).unwrap();
                stage.process(role, home.folder()).succeed();
                assert!(std::fs::read(home.file()).unwrap() == before, "{role}");
                set_mode(home.folder(), 0o700);
                set_mode(&home.file(), 0o600);
                let vault = home.open();
                assert_eq!(vault.table("people").unwrap().count().unwrap(), 10);
                assert!(vault.verify(|_| ()).unwrap().is_sound());
            }
        }
    });
}

fn read_or_refuse(opened: Result<Vault>) {
    let kinds = &[ErrorKind::ReadOnly, ErrorKind::Io];
    match opened {
        Err(error) => assert!(kinds.contains(&error.kind()), "{error}"),
        Ok(vault) => {
            let table = vault.table("people").unwrap();
            assert_eq!(table.count().unwrap(), 10);
            assert_kind(table.insert(values! {"email" => "new@example.org"}), kinds);
            assert_kind(table.delete(1), kinds);
            assert_eq!(table.count().unwrap(), 10);
        }
    }
}

/// Fills the disk through the vault, in transactions of two rows; the number of rows that were committed.
fn fill(vault: &Vault, kinds: &[ErrorKind]) -> u64 {
    let table = vault.table("people").unwrap();
    let long = "x".repeat(20_000);
    let mut count = table.count().unwrap();
    // Addresses that no earlier call has used.
    for n in (count..).take(100_000) {
        let emails = [format!("{n}a@example.org"), format!("{n}b@example.org")];
        let rows: Vec<[ValueRef<'_>; 2]> =
            emails.iter().map(|email| [email.into(), (&long).into()]).collect();
        match table.insert_many(&["email", "name"], &rows) {
            Ok(_) => count += 2,
            Err(error) => {
                assert!(kinds.contains(&error.kind()), "{error}");
                return count;
            }
        }
    }
    panic!("the disk is never full");
}

/// What must hold once there is space again.
fn recovered(folder: &Path, count: u64) {
    let vault = open_in(folder);
    let table = vault.table("people").unwrap();
    assert_eq!(table.count().unwrap(), count, "what was committed is there, and nothing else");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    table.insert(values! {"email" => "after@example.org"}).unwrap();
    vault.close();
    assert_integrity(&folder.join("vault.db"));
}

#[test]
fn write_that_the_disk_refuses_leaves_no_trace() {
    staged("write_that_the_disk_refuses_leaves_no_trace", 60, |stage| {
        if stage.role() == "limited" {
            return limited(&stage.path());
        }
        let home = Home::new();
        home.share_key();
        home.create().close();
        stage.process("limited", home.folder()).succeed();
        assert!(home.open().verify(|_| ()).unwrap().is_sound());
    });
}

/// A limit on the size of a file stands in for a disk that refuses to write: it needs no privilege.
fn limited(folder: &Path) {
    let kinds = &[ErrorKind::Io, ErrorKind::Full];
    limit_file_size(Some(700_000));
    std::fs::write(folder.join("probe"), vec![0; 800_000]).expect_err("the limit is in force");
    std::fs::remove_file(folder.join("probe")).unwrap();
    let vault = open_in(folder);
    let count = fill(&vault, kinds);
    assert!(count > 2);
    // Reading goes on, or says why not.
    if let Err(error) = vault.table("people").unwrap().get(1) {
        assert!(kinds.contains(&error.kind()), "{error}");
    }
    drop(vault);
    limit_file_size(None);
    recovered(folder, count);

    // A new vault needs more than this: nothing that looks like one is left.
    limit_file_size(Some(9_000));
    let fresh = folder.join("fresh.db");
    assert_kind(Vault::create(&fresh, &unlock_in(folder)), kinds);
    limit_file_size(None);
    let vault = Vault::at(&fresh).unwrap();
    assert!(matches!(vault.status().unwrap(), Status::Absent | Status::Uninitialised));
    vault.initialise(&unlock_in(folder)).unwrap();
    vault.define_table(&people()).unwrap();
}

#[test]
fn full_disk_is_told_and_the_vault_goes_on_when_there_is_space() {
    staged("full_disk_is_told_and_the_vault_goes_on_when_there_is_space", 60, |stage| {
        if stage.role() == "small" {
            return small_disk(&stage.path());
        }
        let home = Home::new();
        stage.process("small", home.folder()).succeed();
    });
}

const SMALL: usize = 2 << 20;

fn small_disk(folder: &Path) {
    if !disk::mount(folder, SMALL) {
        // Nobody may mount here: what a full disk can do is then held by the limit on the size of a file alone.
        assert!(limits_size(), "neither a small disk nor a limit can be had");
        return tell("no small disk can be mounted here");
    }
    let kinds = &[ErrorKind::Full];
    let key = sealite::generate_key().unwrap();
    std::fs::write(folder.join("key"), key.expose_secret()).unwrap();
    let ballast = folder.join("ballast");
    let fill_up = |spare: usize| {
        std::fs::write(&ballast, vec![1; disk::free(folder).saturating_sub(spare)]).unwrap();
    };

    fill_up(20_000);
    let create = Vault::create(folder.join("vault.db"), &unlock_in(folder));
    assert_kind(create, &[ErrorKind::Full, ErrorKind::Io]);
    std::fs::remove_file(&ballast).unwrap();
    let vault = Vault::create(folder.join("vault.db"), &unlock_in(folder)).unwrap();
    vault.define_table(&people()).unwrap();

    let mut count = fill(&vault, kinds);
    assert!(count > 2);
    // The same handle goes on when there is space, without being opened again.
    disk::resize(folder, 2 * SMALL);
    vault.table("people").unwrap().insert(values! {"email" => "space@example.org"}).unwrap();
    count = fill(&vault, kinds).max(count + 1);
    // A close that can't write the log back loses nothing.
    drop(vault);
    let vault = open_in(folder);
    assert_eq!(vault.table("people").unwrap().count().unwrap(), count);
    // To delete takes space first; whichever way that ends, it ends whole.
    for id in 1..=20 {
        match vault.table("people").unwrap().delete(id) {
            Ok(deleted) => count -= u64::from(deleted),
            Err(error) => assert!(kinds.contains(&error.kind()), "{error}"),
        }
    }
    assert_eq!(vault.table("people").unwrap().count().unwrap(), count);
    drop(vault);
    disk::resize(folder, 8 * SMALL);
    recovered(folder, count);

    // An alteration that runs out of space is finished when there is some.
    let vault = open_in(folder);
    fill_up(300_000);
    let protect = Alteration::Protect("name".into(), Protection::Authenticated);
    assert_kind(vault.alter_table("people", &protect).map(|_| ()), kinds);
    let rows = || {
        let table = vault.table("people").unwrap();
        let names = table.scan().unwrap().map(|row| row.unwrap().get("name").unwrap().to_owned());
        names.filter(|name| !name.as_ref().is_null()).count() as u64
    };
    assert_eq!(rows() + 2, count + 1);
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(vault.finish_alteration("people").unwrap(), Erasure::Complete);
    let columns = vault.table("people").unwrap().columns().unwrap();
    assert_eq!(columns[1].declared_protection(), Protection::Authenticated);
    assert_eq!(rows() + 2, count + 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

fn limits_size() -> bool {
    limit_file_size(Some(10));
    let probe = std::env::temp_dir().join(format!("sealite-probe-{}", std::process::id()));
    let refused = std::fs::write(&probe, [0; 20]).is_err();
    let _ = std::fs::remove_file(probe);
    limit_file_size(None);
    refused
}
