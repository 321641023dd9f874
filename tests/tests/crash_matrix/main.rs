//! The crash matrix: each operation that writes is stopped at every write and sync in turn, by a kill, a power cut, a
//! failing call and a full disk. Afterwards the state is the one before or the one after, every record opens, and the
//! audit trail verifies; after a fault that the process survives, the same call goes through.
//!
//! `make test` takes a sample of the events, a full run all of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod adopting;
mod operations;
mod picture;

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use sealite::{ErrorKind, ExposeSecret, Vault};
use sealite_tests::faults::{Fault, arm, disarm, shim};
use sealite_tests::process::{Stage, fork, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::unlock_in;

use operations::{OPERATIONS, Operation, Scene};
use picture::{NONE, picture};

/// 2100-01-01, in milliseconds since 1970: the clock of every vault here.
pub(crate) const NOW: i64 = 4_102_444_800_000;

#[test]
fn stopped_anywhere_an_operation_is_done_or_not_begun() {
    staged("stopped_anywhere_an_operation_is_done_or_not_begun", scaled(240, 9_000), |stage| {
        if stage.role() == "driver" {
            return drive(stage);
        }
        let memory = memory();
        let folder = memory.path();
        let key = sealite::generate_key().unwrap();
        std::fs::write(folder.join("key"), key.expose_secret()).unwrap();
        let shim = shim(folder);
        let mut driver = stage.process_by(
            |command| {
                // VACUUM's temporary file is one more to fail.
                command.env("LD_PRELOAD", &shim).env("SQLITE_TMPDIR", folder.join("work"));
            },
            "driver",
            folder,
        );
        let lines = driver.rest();
        let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
        driver.succeed();
    });
}

/// What a power cut does to plain SQLite at each event: how many leave neither the old rows nor the new ones.
fn torn(folder: &Path, synchronous: &str) -> usize {
    let file = folder.join("plain.db");
    let open = || {
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.pragma_update(None, "synchronous", synchronous).unwrap();
        conn
    };
    let prepare = || {
        for name in ["plain.db", "plain.db-journal"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        open()
            .execute_batch(
                "CREATE TABLE t (n INTEGER, pad BLOB);
                 WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 40)
                 INSERT INTO t SELECT 0, randomblob(1500) FROM c",
            )
            .unwrap();
    };
    let change = |conn: rusqlite::Connection| {
        let _ = conn.execute_batch("UPDATE t SET n = 1, pad = zeroblob(1500)");
        drop(conn);
    };
    prepare();
    let conn = open();
    arm(folder, Fault::None, 0, 0);
    change(conn);
    let events = disarm();
    assert!(events > 20, "{events}");
    let sound = |at: usize| {
        prepare();
        let child = fork(|| {
            let conn = open();
            arm(folder, Fault::PowerCut, at, at as u64);
            change(conn);
        });
        assert_eq!(child.end().signal(), Some(libc::SIGKILL));
        let whole = "SELECT count(*) = 40 AND min(n) = max(n) AND (SELECT * FROM pragma_integrity_check) = 'ok' FROM t";
        open().query_row(whole, [], |row| row.get(0)).unwrap_or(false)
    };
    (1..=events).filter(|at| !sound(*at)).count()
}

#[test]
fn power_cut_tears_what_is_not_synced_and_nothing_else() {
    staged("power_cut_tears_what_is_not_synced_and_nothing_else", 120, |stage| {
        if stage.role() == "driver" {
            let folder = stage.path();
            tell(format_args!("{} {}", torn(&folder, "OFF"), torn(&folder, "FULL")));
            return;
        }
        let memory = memory();
        let shim = shim(memory.path());
        let mut driver = stage.process_by(
            |command| _ = command.env("LD_PRELOAD", &shim),
            "driver",
            memory.path(),
        );
        let line = driver.hear();
        driver.succeed();
        let (off, full) = line.split_once(' ').unwrap();
        // The shim loses what may be lost, so that the matrix could find it.
        assert!(off.parse::<usize>().unwrap() > 5 && full == "0", "{line}");
        tell(format_args!("torn without syncs {off}, with syncs {full}"));
    });
}

/// A folder in memory, where there can be one: what a disk would do is what the faults do.
fn memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// What was counted of one fault.
#[derive(Default)]
struct Tally {
    points: usize,
    before: usize,
    after: usize,
}

fn drive(stage: &Stage) {
    let folder = stage.path();
    let base = folder.join("base");
    std::fs::create_dir(&base).unwrap();
    std::fs::copy(folder.join("key"), base.join("key")).unwrap();
    operations::prepare(&base);
    let only = std::env::var("SEALITE_TEST_OPERATION").ok();
    let mut totals = Fault::ALL.map(|_| Tally::default());
    for (number, operation) in OPERATIONS.iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != operation.name) {
            continue;
        }
        let matrix = Matrix::new(&folder, &base, operation);
        for (fault, total) in Fault::ALL.into_iter().zip(&mut totals) {
            let events = matrix.events(fault);
            // Another place of the sample for each operation and fault.
            let step = scaled(11, 1);
            let first = 1 + (number * 3 + fault as usize * 2) % step;
            let points: Vec<usize> = (first..=events).step_by(step).collect();
            let mut tally = Tally::default();
            for at in points {
                let done =
                    if fault.is_fatal() { matrix.stop(fault, at) } else { matrix.fail(fault, at) };
                tally.points += 1;
                tally.before += usize::from(!done);
                tally.after += usize::from(done);
            }
            total.points += tally.points;
            total.before += tally.before;
            total.after += tally.after;
            if scaled(only.is_some(), true) {
                tell(format_args!(
                    "{} {fault:?}: {} of {events} events; before {}, after {}",
                    operation.name, tally.points, tally.before, tally.after
                ));
            }
        }
    }
    for (fault, total) in Fault::ALL.into_iter().zip(&totals) {
        let Tally { points, before, after } = total;
        tell(format_args!("all {fault:?}: {points} events; before {before}, after {after}"));
        // Both must have been seen, or the matrix stops nothing.
        assert!(only.is_some() || (*before > 0 && *after > 0), "{fault:?}");
    }
}

/// One operation, and the vault that it begins with.
struct Matrix<'a> {
    work: PathBuf,
    base: PathBuf,
    operation: &'a Operation,
    before: String,
    after: String,
}

impl<'a> Matrix<'a> {
    fn new(folder: &Path, base: &'a Path, operation: &'a Operation) -> Self {
        let work = folder.join("work");
        let empty = String::new();
        let base = base.to_owned();
        let mut matrix = Matrix { work, base, operation, before: empty.clone(), after: empty };
        matrix.reset();
        if let Some(prepare) = operation.prepare {
            let scene = matrix.open();
            prepare(&scene);
            scene.vault.close();
            matrix.base = folder.join(operation.name);
            std::fs::rename(&matrix.work, &matrix.base).unwrap();
            matrix.reset();
        }
        matrix.before = picture(&matrix.work);
        let scene = matrix.open();
        (operation.run)(&scene).unwrap_or_else(|error| panic!("{}: {error}", operation.name));
        scene.vault.close();
        matrix.after = picture(&matrix.work);
        assert_ne!(matrix.before, matrix.after, "{}: its work shows", operation.name);
        matrix
    }

    /// Puts everything back as it was before the operation.
    fn reset(&self) {
        let _ = std::fs::remove_dir_all(&self.work);
        std::fs::create_dir(&self.work).unwrap();
        for entry in std::fs::read_dir(&self.base).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), self.work.join(entry.file_name())).unwrap();
        }
        if self.operation.creates {
            std::fs::remove_file(self.work.join("vault.db")).unwrap();
        }
    }

    fn open(&self) -> Scene {
        let vault = Vault::at(self.work.join("vault.db")).unwrap();
        vault.set_clock(Some(NOW));
        if !self.operation.creates {
            vault.unlock(&unlock_in(&self.work)).unwrap();
        }
        Scene { vault, folder: self.work.clone() }
    }

    /// How many events there are, the closing of the vault included where the process ends with it.
    fn events(&self, fault: Fault) -> usize {
        self.reset();
        let scene = self.open();
        let counted =
            if fault == Fault::Full { (Fault::Full, usize::MAX >> 1) } else { (Fault::None, 0) };
        arm(&self.work, counted.0, counted.1, 0);
        (self.operation.run)(&scene).unwrap();
        if fault.is_fatal() {
            scene.vault.close();
        }
        disarm()
    }

    /// Where the fault is: for the messages.
    fn at(&self, fault: Fault, at: usize) -> String {
        format!("{}, {fault:?} at event {at}", self.operation.name)
    }

    /// The process stops at that event; true where the operation was done.
    fn stop(&self, fault: Fault, at: usize) -> bool {
        let what = self.at(fault, at);
        self.reset();
        let child = fork(|| {
            let scene = self.open();
            arm(&self.work, fault, at, at as u64);
            let _ = (self.operation.run)(&scene);
            scene.vault.close();
            disarm();
        });
        let status = child.end();
        // The events of two runs may differ by one or two: then it went through.
        assert!(status.signal() == Some(libc::SIGKILL) || status.success(), "{what}: {status}");
        if fault == Fault::PowerCut {
            // It was memory.
            let _ = std::fs::remove_file(self.work.join("vault.db-shm"));
        }
        let found = self.found(&what);
        (self.operation.check)(&self.work, found, &what);
        if !found {
            self.repeat(&what);
        }
        self.finish(&what);
        found
    }

    /// The call fails at that event, and the process goes on; true where it was done all the same.
    fn fail(&self, fault: Fault, at: usize) -> bool {
        let what = self.at(fault, at);
        self.reset();
        let outcome = self.work.join("outcome");
        let child = fork(|| {
            let scene = self.open();
            arm(&self.work, fault, at, at as u64);
            let tried = (self.operation.run)(&scene);
            disarm();
            let found = self.found(&what);
            (self.operation.check)(&self.work, found, &what);
            match tried {
                Ok(()) => {
                    assert!(
                        found || self.operation.in_passing,
                        "{what}: success, and nothing done"
                    );
                }
                Err(error) => {
                    let expected = matches!(error.kind(), ErrorKind::Io | ErrorKind::Full);
                    assert!(expected, "{what}: {error}");
                    if !found {
                        self.again(scene, &what);
                    }
                }
            }
            self.finish(&what);
            std::fs::write(&outcome, [u8::from(found)]).unwrap();
        });
        let status = child.end();
        assert!(status.success(), "{what}: {status}");
        std::fs::read(outcome).unwrap() == [1]
    }

    /// True for the state after the operation, false for the one before.
    fn found(&self, what: &str) -> bool {
        let found = picture(&self.work);
        assert!(
            found == self.before || found == self.after,
            "{what}: neither before nor after:\n{}",
            picture::difference(&found, &self.before, &self.after)
        );
        found == self.after
    }

    /// The same handle again; where an earlier failure at the commit has closed it, another one.
    fn again(&self, scene: Scene, what: &str) {
        match (self.operation.run)(&scene) {
            Ok(()) => assert!(self.found(what), "{what}: repeated, and not done"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Io, "{what}: repeated: {error}");
                drop(scene);
                self.repeat(what);
            }
        }
    }

    fn repeat(&self, what: &str) {
        let scene = self.open();
        (self.operation.run)(&scene).unwrap_or_else(|error| panic!("{what}: repeated: {error}"));
        scene.vault.close();
        assert!(self.found(what), "{what}: repeated, and not done");
    }

    /// What a stopped operation has left to be done is done, and changes nothing that shows.
    fn finish(&self, what: &str) {
        if let Some(finish) = self.operation.finish {
            let scene = self.open();
            finish(&scene).unwrap_or_else(|error| panic!("{what}: finishing: {error}"));
            scene.vault.close();
            assert!(self.found(what), "{what}: finished, and not done");
        }
        assert_ne!(picture(&self.work), NONE, "{what}");
    }
}
