//! Forking: no nonce is used on both sides, nothing is lost, nothing hangs, and it costs little.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use sealite::{Error, ErrorKind, IdRef, Vault, values};
use sealite_tests::process::{LEAD, Stage, fork, listen, staged, system, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{
    Home, assert_distinct_nonces, assert_integrity, insert_rows, nonce, open_in_with, people, plain,
};

fn assert_refused_as_forked<T>(result: Result<T, Error>) {
    assert_eq!(result.err().expect("refused").kind(), ErrorKind::Forked);
}

/// Plain SQLite reads the file in another process; then this one may go on.
fn read_from_outside(stage: &Stage, home: &Home, rows: usize) {
    let mut reader = stage.process("reader", home.file());
    let expected = format!("{rows} rows");
    assert_eq!(reader.hear(), expected);
    reader.succeed();
}

fn reader(file: &Path) {
    let rows: i64 =
        plain(file).query_row("SELECT count(*) FROM people_sealed", [], |row| row.get(0)).unwrap();
    assert!(assert_distinct_nonces(file) as i64 > rows, "the engine's own records count too");
    assert_integrity(file);
    tell(format_args!("{rows} rows"));
}

#[test]
fn parent_and_children_insert_with_distinct_nonces_and_lose_nothing() {
    staged("parent_and_children_insert_with_distinct_nonces_and_lose_nothing", 170, |stage| {
        if stage.role() == "reader" {
            return reader(&stage.path());
        }
        let rows = scaled(2_000, 10_000);
        let home = Home::new();
        let vault = home.create();
        insert_rows(&vault, "before", 100);
        // The last thing before the fork leaves unused nonces in this thread's block.
        let _ = vault.field("warm").unwrap().seal("up", None).unwrap();
        let one = fork(|| insert_rows(&vault, "one", rows));
        let two = fork(|| insert_rows(&vault, "two", rows));
        insert_rows(&vault, "parent", rows);
        one.succeed();
        two.succeed();

        let table = vault.table("people").unwrap();
        assert_eq!(table.count().unwrap(), 3 * rows as u64 + 100);
        for who in ["one", "two", "parent"] {
            for n in 0..rows {
                let email = format!("{who}{n}@example.org");
                assert_eq!(
                    table.find_one("email", &email).unwrap().unwrap().text("name").unwrap(),
                    who
                );
            }
        }
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.close();
        read_from_outside(stage, &home, 3 * rows + 100);
    });
}

#[test]
fn field_seals_on_both_sides_of_a_fork_have_distinct_nonces() {
    staged("field_seals_on_both_sides_of_a_fork_have_distinct_nonces", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        let home = Home::new();
        let vault = home.create();
        let field = vault.field("users.email").unwrap();
        let seal = |count: usize| -> Vec<Vec<u8>> {
            (0..count).map(|_| field.seal("ada@example.org", None).unwrap()).collect()
        };
        let mut all = Vec::new();
        for round in 0..scaled(20, 200) {
            all.extend(seal(30));
            let path = home.folder().join(format!("round{round}"));
            let child = fork(|| {
                let sealed = seal(300);
                assert!(sealed.iter().all(|sealed| field.open(sealed, None).is_ok()));
                std::fs::write(&path, sealed.concat()).unwrap();
            });
            let own = seal(300);
            child.succeed();
            let length = own[0].len();
            let theirs = std::fs::read(&path).unwrap();
            assert_eq!(theirs.len(), 300 * length);
            // What the child has sealed opens in the parent.
            assert!(field.open(&theirs[..length], None).is_ok());
            all.extend(theirs.chunks(length).map(<[u8]>::to_vec));
            all.extend(own);
        }
        let nonces: HashSet<&[u8]> = all.iter().map(|sealed| nonce(sealed)).collect();
        assert_eq!(nonces.len(), all.len());
    });
}

#[test]
fn a_child_may_fork_again() {
    staged("a_child_may_fork_again", 60, |stage| {
        if stage.role() == "reader" {
            return reader(&stage.path());
        }
        let home = Home::new();
        let vault = home.create();
        insert_rows(&vault, "parent", 10);
        fork(|| {
            insert_rows(&vault, "child", 10);
            fork(|| insert_rows(&vault, "grandchild", 10)).succeed();
            assert_eq!(vault.table("people").unwrap().count().unwrap(), 30);
        })
        .succeed();
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 30);
        vault.close();
        read_from_outside(stage, &home, 30);
    });
}

#[test]
fn vault_in_memory_is_an_error_in_the_child_not_an_empty_store() {
    staged("vault_in_memory_is_an_error_in_the_child_not_an_empty_store", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        let vault = Vault::in_memory().unwrap();
        vault.define_table(&people()).unwrap();
        insert_rows(&vault, "row", 10);
        fork(|| {
            assert_refused_as_forked(vault.table_handle("people").count());
            assert_refused_as_forked(vault.table_handle("people").get(1));
            assert_refused_as_forked(vault.define_table(&people()));
            assert_refused_as_forked(vault.query("SELECT 1", &[]));
            // A new one is the child's own.
            let own = Vault::in_memory().unwrap();
            own.define_table(&people()).unwrap();
            insert_rows(&own, "own", 3);
        })
        .succeed();
        insert_rows(&vault, "more", 10);
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 20);
    });
}

#[test]
fn forking_among_busy_threads_never_hangs() {
    staged("forking_among_busy_threads_never_hangs", 150, |stage| {
        if stage.role() == "reader" {
            return reader(&stage.path());
        }
        let home = Home::new();
        let vault = home.create();
        insert_rows(&vault, "start", 200);
        let (stop, inserted) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut usable = 0;
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (vault, stop, inserted) = (&vault, &stop, &inserted);
                scope.spawn(move || {
                    let mut n = 0;
                    while !stop.load(Ordering::Relaxed) {
                        n += 1;
                        if thread < 2 {
                            insert_rows(vault, &format!("t{thread}n{n}x"), 1);
                            inserted.fetch_add(1, Ordering::Relaxed);
                        } else if thread < 5 {
                            let ids: Vec<IdRef<'_>> = (1..50).map(IdRef::Integer).collect();
                            let snapshot = vault.snapshot().unwrap();
                            let rows = snapshot.table("people").unwrap().get_many(&ids).unwrap();
                            assert!(rows.iter().all(Option::is_some));
                        } else {
                            let table = vault.table("people").unwrap();
                            assert!(table.scan().unwrap().all(|row| row.is_ok()));
                        }
                    }
                });
            }
            for round in 0..scaled(50, 300) {
                let path = home.folder().join("usable");
                fork(|| match vault.table_handle("people").get(1) {
                    // Nothing was in use at that moment: the child has a vault.
                    Ok(row) => {
                        assert!(row.is_some());
                        std::fs::write(&path, "yes").unwrap();
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Forked, "round {round}: {error}");
                        let anew = Vault::open(home.file(), &home.unlock()).unwrap();
                        assert!(anew.table("people").unwrap().get(1).unwrap().is_some());
                    }
                })
                .succeed();
                usable += usize::from(std::fs::remove_file(&path).is_ok());
            }
            stop.store(true, Ordering::Relaxed);
        });
        let inserted = inserted.load(Ordering::Relaxed) + 200;
        assert!(inserted > 200, "the threads have been at work");
        tell(format_args!("{inserted} rows, {usable} children had a vault"));
        assert_eq!(vault.table("people").unwrap().count().unwrap(), inserted);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.close();
        read_from_outside(stage, &home, usize::try_from(inserted).unwrap());
    });
}

/// The lengths of the file and its log, and what the file holds.
fn on_disk(home: &Home) -> (u64, Vec<u8>) {
    let log = std::fs::metadata(home.folder().join("vault.db-wal")).unwrap().len();
    // The reading process is another one: closing the file here would drop the vault's locks.
    let copy = std::process::Command::new("cat").arg(home.file()).output().unwrap();
    (log, copy.stdout)
}

#[test]
fn a_fork_writes_no_checkpoint_and_stays_cheap() {
    staged("a_fork_writes_no_checkpoint_and_stays_cheap", 120, |stage| {
        if stage.role() == "holder" {
            let vault = open_in_with(&stage.path(), Duration::from_secs(5));
            let _snapshot = vault.snapshot().unwrap();
            tell("held");
            listen();
            return;
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        // A reader holds the log back, and is killed: a log of 10 MB stays.
        let mut holder = stage.process("holder", home.folder());
        holder.hear();
        let big = "x".repeat(1 << 20);
        let table = vault.table("people").unwrap();
        for n in 0..10 {
            let email = format!("big{n}@example.org");
            table.insert(values! {"email" => &email, "note" => &big}).unwrap();
        }
        holder.kill();
        let before = on_disk(&home);
        assert!(before.0 > 10 << 20, "the log has {} bytes", before.0);

        let rounds = 200;
        let start = Instant::now();
        for _ in 0..rounds {
            fork(|| ()).succeed();
        }
        let bare = start.elapsed() / rounds;
        let start = Instant::now();
        for _ in 0..rounds {
            fork(|| ()).succeed();
            assert!(table.get(1).unwrap().is_some());
        }
        let used = start.elapsed() / rounds;
        assert!(on_disk(&home) == before, "a fork has changed the file or its log");
        tell(format_args!("a fork: {bare:?}; with the vault read after each: {used:?}"));
        // One that waited for somebody would take 200 ms; the rest is what a busy machine may need.
        assert!(bare < Duration::from_millis(150), "an idle vault makes a fork cost {bare:?}");
        assert!(used < Duration::from_secs(1), "reopening after a fork costs {used:?}");
    });
}

#[test]
fn system_and_spawn_are_no_forks() {
    staged("system_and_spawn_are_no_forks", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        let home = Home::new();
        let vault = home.create();
        insert_rows(&vault, "row", 10);
        let ((in_transaction, wait_for_it), (stop, told_to)) = (channel(), channel::<()>());
        std::thread::scope(|scope| {
            let vault = &vault;
            scope.spawn(move || {
                let _transaction = vault.begin().unwrap();
                in_transaction.send(()).unwrap();
                let _ = told_to.recv();
            });
            wait_for_it.recv().unwrap();
            // With a transaction open, a fork would wait 200 ms for it each time.
            let mut least = Duration::MAX;
            for _ in 0..25 {
                let start = Instant::now();
                system(c"true");
                assert!(std::process::Command::new("true").status().unwrap().success());
                assert!(vault.table("people").unwrap().get(1).unwrap().is_some());
                least = least.min(start.elapsed());
            }
            assert!(least < Duration::from_millis(200), "{least:?}");
            drop(stop);
        });
        insert_rows(&vault, "more", 10);
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 20);
    });
}
