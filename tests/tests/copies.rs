//! Backup, restore and compaction.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sealite::{
    BackupOptions, BackupProgress, Entry, Erasure, Error, ErrorKind, RestoreOptions, Rotation,
    Unlock, Value, ValueRef, Vault, values,
};
use sealite_tests::process::{Stage, listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_integrity, open_in, people, plain};

/// Puts rows in until the file has some size.
fn fill(vault: &Vault, rows: usize) {
    let table = vault.table("people").unwrap();
    let long = "x".repeat(900);
    for at in (0..rows).step_by(500) {
        let emails: Vec<String> =
            (at..rows.min(at + 500)).map(|n| format!("p{n}@example.org")).collect();
        let batch: Vec<[ValueRef<'_>; 2]> =
            emails.iter().map(|email| [email.into(), (&long).into()]).collect();
        table.insert_many(&["email", "name"], &batch).unwrap();
    }
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind) -> Error {
    let error = result.expect_err("refused");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[test]
fn backup_is_the_vault_at_one_moment_while_others_write() {
    staged("backup_is_the_vault_at_one_moment_while_others_write", 120, |stage| {
        if stage.role() == "writer" {
            return write_until_told(stage);
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        fill(&vault, scaled(10_000, 100_000));
        let count = || vault.table("people").unwrap().count().unwrap();
        let before = count();
        let mut writer = stage.process("writer", home.folder());
        assert_eq!(writer.hear(), "ready");
        let (mut steps, mut total, mut during) = (0, 0, Vec::new());
        let to = home.folder().join("backup.db");
        let report = vault
            .backup_with(&to, &BackupOptions::default(), |progress| {
                if let BackupProgress::Copied(done, all) = progress {
                    // In the middle of the copy others commit: the other process, and this one.
                    writer.say("write");
                    during.push(writer.hear());
                    let email = format!("here{steps}@example.org");
                    vault.table("people").unwrap().insert(values! {"email" => &email}).unwrap();
                    assert!(done <= all && (total == 0 || total == all), "{done} of {all}");
                    total = all;
                    steps += 1;
                }
                true
            })
            .unwrap();
        drop(writer);
        assert!(steps >= 3 && during.iter().all(|line| line == "written"), "{steps} {during:?}");
        // Begun once and never again.
        assert_eq!(steps, total.div_ceil(1024));
        assert_eq!(count(), before + 2 * steps);
        assert!(report.rows.unwrap() > before && report.audit_entries.unwrap() >= 2);
        assert_eq!(report.bytes, std::fs::metadata(&to).unwrap().len());
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        vault.close();
        assert!(!names(home.folder()).iter().any(|name| name.ends_with(".partial")));

        let copy = Vault::open(&to, &home.unlock()).unwrap();
        assert_eq!(copy.table("people").unwrap().count().unwrap(), before);
        // The copy knows what it is, and goes on as a vault of its own.
        let last = copy.audit().tail(1).unwrap();
        assert_eq!(last[0].event(), "vault.backup");
        copy.table("people").unwrap().insert(values! {"email" => "new@example.org"}).unwrap();
        assert!(copy.verify(|_| ()).unwrap().is_sound());
        copy.close();
        assert_integrity(&to);
        tell(format_args!("{before} rows, {total} pages, {steps} steps"));
    });
}

fn write_until_told(stage: &Stage) {
    let vault = open_in(&stage.path());
    let table = vault.table("people").unwrap();
    tell("ready");
    for n in 0.. {
        if listen().is_none() {
            return;
        }
        table.insert(values! {"email" => format!("there{n}@example.org").as_str()}).unwrap();
        tell("written");
    }
}

#[test]
fn nothing_is_overwritten_and_no_foreign_log_is_taken_for_the_copys() {
    let home = Home::new();
    let vault = home.create();
    let place = |name: &str| home.folder().join(name);
    refused(vault.backup(home.file()), ErrorKind::Refused);
    std::fs::write(place("taken.db"), "somebody's").unwrap();
    refused(vault.backup(place("taken.db")), ErrorKind::Refused);
    std::os::unix::fs::symlink(place("nowhere"), place("link.db")).unwrap();
    refused(vault.backup(place("link.db")), ErrorKind::Refused);
    for ending in ["-wal", "-shm", "-journal"] {
        // What was left beside an earlier file of the name.
        std::fs::write(place(&format!("copy{ending}.db{ending}")), "").unwrap();
        refused(vault.backup(place(&format!("copy{ending}.db"))), ErrorKind::Refused);
        // What SQLite would take for a part of the vault.
        refused(vault.backup(place(&format!("vault.db{ending}"))), ErrorKind::Refused);
    }
    refused(vault.backup(place("no/such/folder.db")), ErrorKind::NotFound);
    refused(vault.backup(""), ErrorKind::InvalidInput);
    assert_eq!(std::fs::read(place("taken.db")).unwrap(), b"somebody's");

    vault.backup(place("copy.db")).unwrap();
    let unlock = home.unlock();
    let restore = |to: &str| Vault::restore(place("copy.db"), place(to), &unlock);
    for to in ["vault.db", "taken.db", "link.db", "copy.db", "copy-wal.db"] {
        refused(restore(to), ErrorKind::Refused);
    }
    assert!(!names(home.folder()).iter().any(|name| name.contains(".partial")));
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn backup_that_is_given_up_or_unsound_leaves_nothing() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault, 6_000);
    let place = |name: &str| home.folder().join(name);
    let until: [fn(BackupProgress) -> bool; 4] = [
        |_| false,
        // At its last page, too.
        |at| !matches!(at, BackupProgress::Copied(done, all) if done == all),
        |at| !matches!(at, BackupProgress::Opened(_)),
        |at| !matches!(at, BackupProgress::Audited(_)),
    ];
    for says in until {
        let made = vault.backup_with(place("a.db"), &BackupOptions::default(), says);
        refused(made, ErrorKind::Interrupted);
    }
    vault.close();
    // Somebody edits a row of the vault itself: its copy says so.
    plain(&home.file())
        .execute("UPDATE people_sealed SET role = 'admin' WHERE id = 7", [])
        .unwrap();
    let vault = home.open();
    refused(vault.backup(place("b.db")), ErrorKind::AuthenticationFailed);
    assert_eq!(names(home.folder()), ["vault.db", "vault.db-shm", "vault.db-wal"]);
    // What there is can still be saved.
    let mut options = BackupOptions::default();
    options.verify = false;
    let report = vault.backup_with(place("c.db"), &options, |_| true).unwrap();
    assert_eq!((report.rows, report.audit_entries), (None, None));
    refused(
        Vault::restore(place("c.db"), place("d.db"), &home.unlock()),
        ErrorKind::AuthenticationFailed,
    );
    assert!(!place("d.db").exists());
    vault.close();
    assert_eq!(names(home.folder()), ["c.db", "vault.db"]);
}

#[test]
fn every_unlocking_of_the_moment_opens_the_restored_vault() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault, 40);
    let (_, code) = vault.add_recovery_slot("paper").unwrap();
    let place = |name: &str| home.folder().join(name);
    vault.backup(place("backup.db")).unwrap();
    vault.table("people").unwrap().delete(1).unwrap();
    vault.close();
    let bytes = std::fs::read(place("backup.db")).unwrap();

    let recovery = Unlock::recovery_code(code.reveal()).unwrap();
    for (to, unlock) in [("key.db", home.unlock()), ("code.db", recovery)] {
        let report = Vault::restore(place("backup.db"), place(to), &unlock).unwrap();
        assert!(report.rows.unwrap() > 40);
        assert_eq!(std::fs::metadata(place(to)).unwrap().permissions().mode() & 0o777, 0o600);
        let restored = Vault::open(place(to), &unlock).unwrap();
        assert_eq!(restored.table("people").unwrap().count().unwrap(), 40);
        assert_eq!(restored.audit().tail(1).unwrap()[0].event(), "vault.restored");
        assert!(restored.audit().verify(None).unwrap().is_sound());
        restored.close();
        assert_integrity(&place(to));
    }
    // The backup is as it was, byte for byte.
    assert!(std::fs::read(place("backup.db")).unwrap() == bytes);
    let other = Unlock::key_text(&"4f9c03a1".repeat(8));
    let other =
        other.or_else(|_| Unlock::key(&std::array::from_fn::<u8, 32, _>(|n| (n * n) as u8)));
    refused(
        Vault::restore(place("backup.db"), place("no.db"), &other.unwrap()),
        ErrorKind::WrongKey,
    );
    refused(
        Vault::restore(place("absent.db"), place("no.db"), &home.unlock()),
        ErrorKind::NotInitialised,
    );
    assert!(!place("no.db").exists() && !place("absent.db").exists());
}

#[test]
fn drill_does_all_of_a_restoration_and_keeps_nothing() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault, 40);
    let place = |name: &str| home.folder().join(name);
    vault.backup(place("backup.db")).unwrap();
    let mut options = RestoreOptions::default();
    options.drill = true;
    let mut seen = [false; 3];
    let report = Vault::restore_with(
        place("backup.db"),
        home.file(),
        &home.unlock(),
        &options,
        |progress| {
            match progress {
                BackupProgress::Copied(..) => seen[0] = true,
                BackupProgress::Opened(_) => seen[1] = true,
                _ => seen[2] = true,
            }
            true
        },
    );
    assert!(report.unwrap().rows.unwrap() > 40);
    assert_eq!(seen, [true; 3]);
    vault.close();
    assert_eq!(names(home.folder()), ["backup.db", "vault.db"]);

    // One byte of one record: the drill tells.
    let raw = plain(&place("backup.db"));
    raw.execute("UPDATE people_sealed SET sealed = substr(sealed, 1, 60) || x'00' || substr(sealed, 62) WHERE id = 3", [])
        .unwrap();
    drop(raw);
    let drilled =
        Vault::restore_with(place("backup.db"), home.file(), &home.unlock(), &options, |_| true);
    refused(drilled, ErrorKind::AuthenticationFailed);
    assert_eq!(names(home.folder()), ["backup.db", "vault.db"]);
}

#[test]
fn backup_older_than_the_checkpoint_is_not_restored() {
    let home = Home::new();
    let vault = home.create();
    let place = |name: &str| home.folder().join(name);
    let early = vault.audit().checkpoint().unwrap().text().to_owned();
    vault.backup(place("backup.db")).unwrap();
    vault.audit().append(&Entry::new("after")).unwrap();
    let late = vault.audit().checkpoint().unwrap().text().to_owned();
    let restore = |to: &str, checkpoint: String| {
        let mut options = RestoreOptions::default();
        options.checkpoint = Some(checkpoint);
        Vault::restore_with(place("backup.db"), place(to), &home.unlock(), &options, |_| true)
    };
    vault.keys().begin(&Rotation::audit()).unwrap();
    let latest = vault.audit().checkpoint().unwrap().text().to_owned();
    for checkpoint in [&late, &latest] {
        refused(restore("late.db", checkpoint.clone()), ErrorKind::Refused);
        assert!(!place("late.db").exists());
    }
    restore("early.db", early).unwrap();
    // Without one nothing tells that it is old.
    Vault::restore(place("backup.db"), place("any.db"), &home.unlock()).unwrap();
    refused(restore("bad.db", format!("{late}x")), ErrorKind::InvalidInput);
}

#[test]
fn raw_copy_of_a_vault_in_use_is_restored_with_its_log() {
    let home = Home::new();
    let vault = home.create();
    fill(&vault, 40);
    let place = |name: &str| home.folder().join(name);
    // A machine that stopped: the file, and commits that are in the log alone.
    let copied = std::process::Command::new("cp")
        .args(["vault.db", "raw.db"])
        .current_dir(home.folder())
        .status();
    assert!(copied.unwrap().success());
    let copied = std::process::Command::new("cp")
        .args(["vault.db-wal", "raw.db-wal"])
        .current_dir(home.folder())
        .status();
    assert!(copied.unwrap().success());
    vault.close();
    Vault::restore(place("raw.db"), place("new.db"), &home.unlock()).unwrap();
    let restored = Vault::open(place("new.db"), &home.unlock()).unwrap();
    assert_eq!(restored.table("people").unwrap().count().unwrap(), 40);
}

#[test]
fn compaction_gives_space_back_and_loses_nothing() {
    let home = Home::new();
    let vault = home.create();
    vault.execute("CREATE TABLE own (text TEXT)", &[]).unwrap();
    fill(&vault, 4_000);
    vault.execute("INSERT INTO own VALUES ('canary-of-a-deleted-row')", &[]).unwrap();
    vault.execute("CREATE TEMP TABLE scratch (n)", &[]).unwrap();
    vault.execute("DELETE FROM own", &[]).unwrap();
    for id in 101..=4_000 {
        vault.table("people").unwrap().delete(id).unwrap();
    }
    let done = vault.compact().unwrap();
    assert_eq!(done.erasure, Erasure::Complete);
    assert!(done.after * 4 < done.before, "{done:?}");
    assert_eq!(std::fs::metadata(home.folder().join("vault.db-wal")).unwrap().len(), 0);
    // What a program keeps on the connection stays.
    vault.execute("INSERT INTO scratch VALUES (1)", &[]).unwrap();
    assert_eq!(vault.table("people").unwrap().count().unwrap(), 100);
    assert_eq!(vault.query("SELECT count(*) FROM own", &[]).unwrap().rows[0][0], Value::Integer(0));
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert_eq!(vault.audit().tail(1).unwrap()[0].event(), "vault.compacted");
    vault.close();
    assert_integrity(&home.file());
    let bytes = std::fs::read(home.file()).unwrap();
    let canary = b"canary-of-a-deleted-row";
    assert!(!bytes.windows(canary.len()).any(|window| window == canary));
    let memory = Vault::in_memory().unwrap();
    assert_eq!(memory.compact().unwrap().before, 0);
}

#[test]
fn compaction_that_a_reader_holds_back_is_pending() {
    let home = Home::new();
    let vault = home.create();
    let snapshot = vault.snapshot().unwrap();
    assert_eq!(vault.compact().unwrap().erasure, Erasure::Pending);
    assert_eq!(vault.health().reasons, [sealite::Reason::ErasurePending]);
    drop(snapshot);
    assert_eq!(vault.finish_erasure().unwrap(), Erasure::Complete);
    vault.define_table(&people()).unwrap();
}

/// Kilobytes of memory that are the process's own.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn copies_and_compaction_take_memory_that_does_not_grow_with_the_file() {
    staged("copies_and_compaction_take_memory_that_does_not_grow_with_the_file", 300, |stage| {
        if stage.role() == "memory" {
            return measure(&stage.path());
        }
        let home = Home::new();
        home.share_key();
        home.create().close();
        let mut process = stage.process("memory", home.folder());
        while let Some(line) = process.hear_within(std::time::Duration::from_secs(240)) {
            tell(line);
        }
        process.succeed();
    });
}

fn measure(folder: &Path) {
    let vault = open_in(folder);
    // The application's own rows: what is measured is the file's size, not the sealing.
    vault.execute("CREATE TABLE own (n INTEGER PRIMARY KEY, bytes BLOB)", &[]).unwrap();
    let megabytes = scaled(60_i64, 200);
    for _ in 0..megabytes {
        let rows = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1024)
                    INSERT INTO own (bytes) SELECT randomblob(980) FROM c";
        vault.execute(rows, &[]).unwrap();
    }
    let peak_during = |work: &mut dyn FnMut()| {
        let before = anonymous();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                let mut peak = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    peak = anonymous().max(peak);
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                peak
            });
            work();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            watch.join().unwrap().saturating_sub(before) / 1024
        })
    };
    let backup = peak_during(&mut || {
        vault.backup(folder.join("copy.db")).unwrap();
    });
    let compaction = peak_during(&mut || {
        assert_eq!(vault.compact().unwrap().erasure, Erasure::Complete);
    });
    tell(format_args!(
        "a file of {megabytes} MiB: backup {backup} MiB, compaction {compaction} MiB more at most"
    ));
    assert!(backup < 24 && compaction < 24, "{backup} and {compaction} MiB");
}
