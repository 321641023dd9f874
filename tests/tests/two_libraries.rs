//! Two SQLite libraries in one process: a file that other code of the process has open is refused, because closing it
//! there would drop our locks.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]
#![cfg(target_os = "linux")]

use std::fs::File;

use sealite::{Error, ErrorKind, Status, Vault, values};
use sealite_tests::process::{LEAD, fork, listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, people};

fn assert_refused<T>(result: Result<T, Error>) {
    let error = result.err().expect("refused");
    assert_eq!(error.kind(), ErrorKind::AnotherLibrary, "{error}");
    // The message says what is wrong, what would happen, and what to do.
    for part in ["another SQLite library", "locks", "Close it"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn file_with_a_foreign_descriptor_is_refused_until_it_is_closed() {
    let home = Home::new();
    home.create().close();
    let foreign = File::open(home.file()).unwrap();
    assert_refused(Vault::open(home.file(), &home.unlock()));
    assert_refused(Vault::at(home.file()));
    assert_refused(Vault::create(home.file(), &home.unlock()));
    drop(foreign);
    let vault = home.open();
    vault.table("people").unwrap().insert(values! {"email" => "ada@example.org"}).unwrap();
}

#[test]
fn descriptor_under_another_name_is_found() {
    let home = Home::new();
    home.create().close();
    let hard = home.folder().join("hard");
    let soft = home.folder().join("soft");
    std::fs::hard_link(home.file(), &hard).unwrap();
    std::os::unix::fs::symlink(home.file(), &soft).unwrap();
    for name in [&hard, &soft] {
        let foreign = File::open(name).unwrap();
        assert_refused(Vault::open(home.file(), &home.unlock()));
        drop(foreign);
    }
    let writable = File::options().write(true).open(home.file()).unwrap();
    assert_refused(Vault::open(home.file(), &home.unlock()));
    drop(writable);
    let mapped_by_nobody = File::open(home.folder()).unwrap();
    home.open();
    drop(mapped_by_nobody);
}

#[test]
fn descriptor_opened_before_the_first_connection_is_found() {
    let home = Home::new();
    home.create().close();
    // The handle was made first; it has opened nothing yet.
    let vault = Vault::at(home.file()).unwrap();
    let foreign = File::open(home.file()).unwrap();
    assert_refused(vault.unlock(&home.unlock()));
    assert_refused(vault.status());
    drop(foreign);
    assert_eq!(vault.status().unwrap(), Status::Locked);
    vault.unlock(&home.unlock()).unwrap();

    let fresh = Home::new();
    let vault = Vault::at(fresh.file()).unwrap();
    let foreign = File::create(fresh.file()).unwrap();
    assert_refused(vault.initialise(&fresh.unlock()));
    drop(foreign);
    vault.initialise(&fresh.unlock()).unwrap();
}

#[test]
fn closed_handle_hides_no_foreign_descriptor() {
    let home = Home::new();
    let first = home.create();
    first.close();
    let foreign = File::open(home.file()).unwrap();
    assert_refused(Vault::open(home.file(), &home.unlock()));
    drop(foreign);
    // A snapshot that outlives its vault keeps a connection, and gives it up at its end.
    let second = home.open();
    let snapshot = second.snapshot().unwrap();
    drop(second);
    assert_eq!(snapshot.table("people").unwrap().count().unwrap(), 0);
    drop(snapshot);
    let foreign = File::open(home.file()).unwrap();
    assert_refused(Vault::open(home.file(), &home.unlock()));
    drop(foreign);
    home.open();
    drop(first);
}

#[test]
fn vault_that_is_open_twice_by_us_is_fine() {
    let home = Home::new();
    let first = home.create();
    let second = home.open();
    let third = Vault::at(home.file()).unwrap();
    assert_eq!(third.status().unwrap(), Status::Locked);
    let id = first.table("people").unwrap().insert(values! {"email" => "ada@example.org"}).unwrap();
    assert!(second.table("people").unwrap().get(&id).unwrap().is_some());
    first.close();
    second.table("people").unwrap().delete(&id).unwrap();
    drop((second, third));
    assert_eq!(home.open().table("people").unwrap().count().unwrap(), 0);
}

#[test]
fn threads_that_race_to_create_one_file_are_no_second_library() {
    for _ in 0..scaled(100, 1_000) {
        let home = Home::new();
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let create = || Vault::create(home.file(), &home.unlock()).map_err(|e| e.kind());
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for kind in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(*kind, ErrorKind::AlreadyInitialised);
        }
        home.open().define_table(&people()).unwrap();
    }
}

#[test]
fn holds_file_tells_whether_a_vault_of_this_process_has_it() {
    let home = Home::new();
    assert!(!Vault::holds_file(home.file()));
    let vault = home.create();
    assert!(Vault::holds_file(home.file()));
    let link = home.folder().join("link");
    std::os::unix::fs::symlink(home.file(), &link).unwrap();
    assert!(Vault::holds_file(&link));
    assert!(!Vault::holds_file(home.folder().join("other.db")));
    let clone = vault.clone();
    drop(vault);
    assert!(Vault::holds_file(home.file()));
    clone.close();
    assert!(!Vault::holds_file(home.file()));
    drop(clone);
    let vault = home.open();
    assert!(Vault::holds_file(home.file()));
    drop(vault);
    assert!(!Vault::holds_file(home.file()));
}

#[test]
fn descriptor_of_another_process_does_not_matter() {
    staged("descriptor_of_another_process_does_not_matter", 60, |stage| {
        if stage.role() == "holder" {
            let _foreign = File::open(stage.path()).unwrap();
            tell("held");
            listen();
            return;
        }
        assert_eq!(stage.role(), LEAD);
        let home = Home::new();
        home.create().close();
        let mut holder = stage.process("holder", home.file());
        assert_eq!(holder.hear(), "held");
        home.open();
        holder.say("end");
        holder.succeed();
    });
}

#[test]
fn descriptor_is_found_again_after_a_fork_has_closed_the_connections() {
    staged("descriptor_is_found_again_after_a_fork_has_closed_the_connections", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        let home = Home::new();
        let vault = home.create();
        fork(|| {
            let foreign = File::open(home.file()).unwrap();
            assert_refused(vault.table_handle("people").count());
            drop(foreign);
            assert_eq!(vault.table("people").unwrap().count().unwrap(), 0);
        })
        .succeed();
        let foreign = File::open(home.file()).unwrap();
        assert_refused(vault.table_handle("people").count());
        drop(foreign);
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 0);
    });
}

#[test]
fn a_log_that_is_lost_with_the_locks_is_noticed_before_anything_is_written() {
    let test = "a_log_that_is_lost_with_the_locks_is_noticed_before_anything_is_written";
    staged(test, scaled(60, 120), |stage| {
        if stage.role() == "other" {
            let vault = sealite_tests::vaults::open_in(&stage.path());
            let email = format!("{}@example.org", std::process::id());
            vault.table("people").unwrap().insert(values! {"email" => &email}).unwrap();
            tell("written");
            assert_eq!(listen().as_deref(), Some("end"));
            return;
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let people = vault.table("people").unwrap();
        people.insert(values! {"email" => "ada@example.org"}).unwrap();
        let connection = vault.connect().unwrap();
        connection.execute("CREATE TABLE own (a)", &[]).unwrap();
        let mut other = stage.process("other", home.folder());
        assert_eq!(other.hear(), "written");
        // As a program does that copies the files by itself: the locks of this process are gone.
        for file in std::fs::read_dir(home.folder()).unwrap() {
            drop(std::fs::read(file.unwrap().path()).unwrap());
        }
        other.say("end");
        // It takes itself for the last one that has the file open, and removes the log.
        other.succeed();
        let lost = |what: &str, result: Result<(), Error>| {
            let error = result.expect_err(what);
            assert_eq!(error.kind(), ErrorKind::AnotherLibrary, "{error}");
            assert!(error.message().contains("log was taken away"), "{error}");
        };
        for _ in 0..2 {
            lost("insert", people.insert(values! {"email" => "lost@example.org"}).map(drop));
            lost("SQL", connection.execute("INSERT INTO own VALUES (1)", &[]).map(drop));
            lost("compact", vault.compact().map(drop));
        }
        // Another process writes meanwhile, and is killed: what it has committed is in its log alone.
        let mut next = stage.process("other", home.folder());
        assert_eq!(next.hear(), "written");
        next.kill();
        drop((connection, people));
        vault.close();
        let vault = home.open();
        let emails = |vault: &Vault| vault.table("people").unwrap().count().unwrap();
        assert_eq!(emails(&vault), 3);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.table("people").unwrap().insert(values! {"email" => "last@example.org"}).unwrap();
    });
}
