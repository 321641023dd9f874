//! Forking while the vault is in use: it stays the parent's, with its locks; the child is told.

// A method of a type with a lifetime is not general enough for `with_held`.
#![allow(clippy::redundant_closure_for_method_calls)]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::functions::{Context, FunctionFlags};
use sealite::{Config, Error, ErrorKind, Vault, values};
use sealite_tests::process::{LEAD, fork, listen, staged, tell};
use sealite_tests::vaults::{Home, assert_integrity, insert_rows, open_in_with};

fn assert_refused_as_forked<T>(result: Result<T, Error>) {
    assert_eq!(result.err().expect("refused").kind(), ErrorKind::Forked);
}

/// Asserts that a child which has inherited a connection in use neither uses nor disturbs it, and opens the file anew as any
/// other process does.
fn child_is_refused(vault: &Vault, home: &Home) {
    assert_refused_as_forked(vault.table_handle("people").get(1));
    assert_refused_as_forked(vault.table_handle("people").insert(values! {"email" => "c@x.org"}));
    assert_refused_as_forked(vault.begin());
    assert_refused_as_forked(vault.snapshot());
    assert_refused_as_forked(vault.query("SELECT 1", &[]));
    let mut config = Config::default();
    config.busy_timeout = Duration::from_millis(50);
    let anew = Vault::at_with(home.file(), config).unwrap();
    anew.unlock(&home.unlock()).unwrap();
    let table = anew.table("people").unwrap();
    let rows = table.count().unwrap();
    // Whether the parent has the lock, SQLite tells by the parent's process alone.
    match table.insert(values! {"email" => &format!("{}@anew.example", std::process::id())}) {
        Ok(id) => {
            assert_eq!(table.count().unwrap(), rows + 1);
            table.delete(&id).unwrap();
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{error}"),
    }
    anew.close();
    assert_refused_as_forked(vault.table_handle("people").get(1));
}

/// Another process finds the parent's lock in force, then the parent's rows.
fn outsider(folder: &Path) {
    let vault = open_in_with(folder, Duration::from_millis(50));
    let table = vault.table("people").unwrap();
    while let Some(asked) = listen() {
        match asked.as_str() {
            "write" => match table.insert(values! {"email" => "outsider@example.org"}) {
                Ok(_) => tell("written"),
                Err(error) => tell(error.kind().name()),
            },
            _ => tell(table.count().unwrap()),
        }
    }
}

#[test]
fn fork_beside_a_transaction_leaves_it_to_the_parent() {
    staged("fork_beside_a_transaction_leaves_it_to_the_parent", 60, |stage| {
        if stage.role() == "outsider" {
            return outsider(&stage.path());
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let mut outsider = stage.process("outsider", home.folder());
        let ((in_transaction, wait_for_it), (go_on, told_to)) = (channel(), channel());
        std::thread::scope(|scope| {
            let vault = &vault;
            scope.spawn(move || {
                let transaction = vault.begin().unwrap();
                let table = transaction.table("people").unwrap();
                table.insert(values! {"email" => "first@example.org"}).unwrap();
                in_transaction.send(()).unwrap();
                told_to.recv().unwrap();
                table.insert(values! {"email" => "second@example.org"}).unwrap();
                drop(table);
                transaction.commit().unwrap();
            });
            wait_for_it.recv().unwrap();
            let start = Instant::now();
            let child = fork(|| {
                child_is_refused(vault, &home);
                // An orderly exit: destructors of the C library and of this thread run.
                std::process::exit(0);
            });
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "a fork waits a little, not for the end"
            );
            child.succeed();
            // A handle and vaults that the child drops touch nothing either.
            fork(|| drop(vault.clone())).succeed();

            outsider.say("write");
            assert_eq!(outsider.hear(), "busy", "the parent's lock has survived the children");
            outsider.say("count");
            assert_eq!(outsider.hear(), "0");
            go_on.send(()).unwrap();
        });
        outsider.say("count");
        assert_eq!(outsider.hear(), "2");
        outsider.say("write");
        assert_eq!(outsider.hear(), "written");
        outsider.succeed();
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 3);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    });
}

#[test]
fn fork_inside_a_transaction_leaves_it_to_the_parent() {
    staged("fork_inside_a_transaction_leaves_it_to_the_parent", 60, |stage| {
        if stage.role() == "outsider" {
            return outsider(&stage.path());
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let mut outsider = stage.process("outsider", home.folder());
        let transaction = vault.begin().unwrap();
        let table = transaction.table("people").unwrap();
        table.insert(values! {"email" => "first@example.org"}).unwrap();
        let start = Instant::now();
        let child = fork(|| {
            assert_refused_as_forked(table.insert(values! {"email" => "child@example.org"}));
            assert_refused_as_forked(table.get(1));
            assert_refused_as_forked(table.scan().map(|_| ()));
            assert_refused_as_forked(transaction.execute("CREATE TABLE t (a)", &[]));
            child_is_refused(&vault, &home);
        });
        assert!(start.elapsed() < Duration::from_secs(2), "nobody waits for itself");
        child.succeed();
        let inherited = vault.begin().map(drop).expect_err("one transaction a thread");
        assert_eq!(inherited.kind(), ErrorKind::Busy);

        outsider.say("write");
        assert_eq!(outsider.hear(), "busy", "the parent's lock has survived the child");
        table.insert(values! {"email" => "second@example.org"}).unwrap();
        drop(table);
        // This child ends the transaction that it has inherited, in both ways.
        transaction.commit().unwrap();
        for commits in [true, false] {
            let transaction = vault.begin().unwrap();
            transaction
                .table("people")
                .unwrap()
                .insert(values! {"email" => "third@x.org"})
                .unwrap();
            let mut held = Some(transaction);
            fork(|| {
                let inherited = held.take().unwrap();
                assert_refused_as_forked(if commits {
                    inherited.commit()
                } else {
                    inherited.roll_back()
                });
            })
            .succeed();
            outsider.say("write");
            assert_eq!(outsider.hear(), "busy");
            held.take().unwrap().roll_back().unwrap();
        }
        outsider.say("count");
        assert_eq!(outsider.hear(), "2");
        outsider.succeed();
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    });
}

#[test]
fn fork_inside_a_scan_and_a_snapshot_leaves_them_to_the_parent() {
    staged("fork_inside_a_scan_and_a_snapshot_leaves_them_to_the_parent", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        let home = Home::new();
        let vault = home.create();
        insert_rows(&vault, "row", 1_000);
        let snapshot = vault.snapshot().unwrap();
        let table = vault.table("people").unwrap();
        let mut scan = table.scan().unwrap();
        for _ in 0..10 {
            scan.next().unwrap().unwrap();
        }
        let sql = "SELECT email FROM people ORDER BY id";
        let mut begun = Some(snapshot.prepare(sql).unwrap());
        let fresh = snapshot.prepare("SELECT count(*) FROM people").unwrap();
        let mut fresh = Some(fresh);
        let held = snapshot.hold("SELECT id FROM people").unwrap().0.unwrap();
        for _ in 0..10 {
            assert!(begun.as_mut().unwrap().step().unwrap());
            assert!(snapshot.with_held(held, |statement| statement.step()).unwrap());
        }
        fork(|| {
            // Ending them must not touch the parent's file either.
            for mut statement in [begun.take().unwrap(), fresh.take().unwrap()] {
                assert_refused_as_forked(statement.step());
                statement.reset();
                assert_refused_as_forked(statement.step());
                assert_refused_as_forked(statement.query(&[]));
            }
            assert_refused_as_forked(snapshot.with_held(held, |statement| statement.step()));
            assert_refused_as_forked(snapshot.query(sql, &[]));
            assert_refused_as_forked(snapshot.prepare(sql));
            assert_refused_as_forked(snapshot.table("people").and_then(|table| table.get(1)));
            // Rows read ahead may still come; the end must not look like the end of the table.
            let rest: Vec<_> = scan.by_ref().collect();
            assert_eq!(rest.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Forked);
            child_is_refused(&vault, &home);
        })
        .succeed();
        table.delete(1).unwrap();
        assert!(snapshot.table("people").unwrap().get(1).unwrap().is_some());
        assert_eq!(scan.map(Result::unwrap).count(), 990);
        let mut begun = begun.take().unwrap();
        let mut left = 0;
        while begun.step().unwrap() {
            left += 1;
        }
        assert_eq!(left, 990);
        assert_eq!(
            fresh.take().unwrap().query(&[]).unwrap().rows[0][0].as_ref().as_i64(),
            Some(1_000)
        );
    });
}

/// Forks in a callback. The child comes back from it, as a program's mistake would; the parent waits, and tells how it
/// ended.
fn fork_that_comes_back() -> Option<ExitStatus> {
    // SAFETY: the child goes on with ordinary Rust code, which ends it: that is what is under test.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork failed");
    if child == 0 {
        return None;
    }
    let mut status = 0;
    // SAFETY: the status is written to a variable of this frame.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    Some(ExitStatus::from_raw(status))
}

#[test]
fn child_that_comes_back_from_a_callback_ends_before_it_touches_the_parents_file() {
    staged(
        "child_that_comes_back_from_a_callback_ends_before_it_touches_the_parents_file",
        60,
        |stage| {
            assert_eq!(stage.role(), LEAD);
            let home = Home::new();
            let vault = home.create();
            insert_rows(&vault, "row", 10);
            vault.execute("CREATE TABLE counted (n INTEGER)", &[]).unwrap();
            vault.execute("INSERT INTO counted VALUES (0)", &[]).unwrap();
            let ended = Arc::new(Mutex::new(Vec::new()));
            let connection = vault.connect().unwrap();
            let told = Arc::clone(&ended);
            connection
                .on_open(move |raw| {
                    let told = Arc::clone(&told);
                    let flags = FunctionFlags::SQLITE_UTF8;
                    raw.create_scalar_function("forks", 1, flags, move |context| {
                        sealite::called_back(|| {
                            told.lock().unwrap().extend(fork_that_comes_back());
                            context.get::<i64>(0)
                        })
                    })
                    .unwrap();
                    raw.create_scalar_function("panics", 0, flags, |_| {
                        sealite::called_back(|| {
                            // Only the child's own end is of interest.
                            let status = fork_that_comes_back().expect("the child panics");
                            Ok(status.code().map(i64::from))
                        })
                    })
                    .unwrap();
                })
                .unwrap();
            // A write that commits by itself, one in a transaction, and a query.
            connection.execute("UPDATE counted SET n = n + forks(1)", &[]).unwrap();
            connection.execute("BEGIN", &[]).unwrap();
            connection.execute("UPDATE counted SET n = n + forks(1)", &[]).unwrap();
            connection.execute("COMMIT", &[]).unwrap();
            let rows = connection.query("SELECT forks(id) FROM people LIMIT 2", &[]).unwrap().rows;
            assert_eq!(rows.len(), 2);
            let rows = connection.query("SELECT panics()", &[]).unwrap().rows;
            assert_eq!(rows[0][0].as_ref().as_i64(), Some(70));
            // What looks at a statement while it runs.
            let told = Arc::clone(&ended);
            let mut looked = false;
            connection
                .set_watch(1, move || {
                    if !looked {
                        looked = true;
                        told.lock().unwrap().extend(fork_that_comes_back());
                    }
                    false
                })
                .unwrap();
            let counted = connection.query("SELECT n FROM counted", &[]).unwrap();
            assert_eq!(counted.rows[0][0].as_ref().as_i64(), Some(2));
            let codes: Vec<_> = ended.lock().unwrap().iter().map(ExitStatus::code).collect();
            assert_eq!(codes, [Some(70); 5]);
            drop(connection);
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            vault.close();
            assert_integrity(&home.file());
        },
    );
}

#[test]
fn vault_that_a_statements_own_function_closes_is_closed_and_nobody_waits() {
    staged("vault_that_a_statements_own_function_closes_is_closed_and_nobody_waits", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        let home = Home::new();
        let vault = home.create();
        let connection = vault.connect().unwrap();
        let both = (vault.clone(), connection.clone());
        let setup = move |raw: &rusqlite::Connection| {
            let both = AssertUnwindSafe(both.clone());
            let closes = move |_: &Context<'_>| {
                let AssertUnwindSafe((vault, own)) = &both;
                let refused = own.query("SELECT 1", &[]).map(|_| ()).expect_err("its own");
                assert_eq!(refused.kind(), ErrorKind::Busy);
                vault.close();
                Ok(7)
            };
            let flags = FunctionFlags::SQLITE_UTF8;
            raw.create_scalar_function("closes", 0, flags, closes).unwrap();
        };
        connection.on_open(setup).unwrap();
        // The statement itself ends at its first row: the vault is closed.
        for sql in ["SELECT closes()", "SELECT 1"] {
            let refused = connection.query(sql, &[]).map(|_| ()).expect_err("closed");
            assert_eq!(refused.kind(), ErrorKind::Closed);
        }
        // Nothing is left open.
        assert!(!Vault::holds_file(home.file()));
        let again = home.open();
        again.close();
    });
}

#[test]
fn large_transaction_survives_a_child_that_drops_its_copy() {
    staged("large_transaction_survives_a_child_that_drops_its_copy", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        let home = Home::new();
        let vault = home.create();
        let big = "x".repeat(1 << 20);
        for round in 0..2 {
            let transaction = vault.begin().unwrap();
            // More than SQLite keeps in memory: pages that nobody has committed lie in the log, and in its shared index.
            for n in 0..15 {
                let email = format!("{round}.{n}@example.org");
                let row = values! {"email" => &email, "note" => &big};
                transaction.table("people").unwrap().insert(row).unwrap();
            }
            let mut held = Some(transaction);
            fork(|| drop(held.take())).succeed();
            let transaction = held.take().unwrap();
            let table = transaction.table("people").unwrap();
            assert_eq!(table.scan().unwrap().map(Result::unwrap).count(), 15 * (round + 1));
            table.update(1, values! {"name" => "after"}).unwrap();
            drop(table);
            transaction.commit().unwrap();
        }
        assert_eq!(vault.table("people").unwrap().count().unwrap(), 30);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.close();
        assert_integrity(&home.file());
    });
}
