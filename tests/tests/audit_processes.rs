//! The audit trail when processes are killed, disks are full, and trails are long.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::similar_names, clippy::implicit_clone)]
#![allow(clippy::naive_bytecount)]

use std::io::{Result as IoResult, Write};
use std::path::Path;
use std::time::Duration;

use sealite::{Entry, ErrorKind, ExportOptions, Vault, values};
use sealite_tests::process::{limit_file_size, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_integrity, open_in};

/// Appends without end: alone, in transactions with changes, rolled back, and with old entries dropped now and then.
/// Tells of each entry after its commit.
fn appender(folder: &Path) {
    let vault = open_in(folder);
    let round = std::process::id();
    tell("ready");
    for n in 0_u64.. {
        let entry = Entry::new("tested").actor("writer").payload(format!("{{\"n\":{n}}}"));
        let seq = match n % 4 {
            0 => vault.audit().append(&entry).unwrap(),
            1 => vault
                .transaction(|tx| {
                    let email = format!("{n}.{round}@example.org");
                    tx.table("people")?.insert(values! {"email" => &email})?;
                    (0..n % 13).try_for_each(|_| tx.audit(&entry).map(|_| ()))?;
                    tx.audit(&Entry::new("person.added").subject(email))
                })
                .unwrap(),
            2 => {
                let transaction = vault.begin().unwrap();
                transaction.audit(&Entry::new("never")).unwrap();
                transaction.roll_back().unwrap();
                continue;
            }
            _ => {
                let last = vault.audit().append(&entry).unwrap();
                if n % 8 == 7 && last > 60 {
                    vault.audit().retain_after(last - 40).unwrap();
                }
                last
            }
        };
        tell(seq);
    }
}

#[test]
fn a_kill_at_any_moment_leaves_a_chain_that_verifies() {
    const TEST: &str = "a_kill_at_any_moment_leaves_a_chain_that_verifies";
    let rounds = scaled(20_u32, 200);
    staged(TEST, scaled(120, 900), |stage| {
        if stage.role() == "appender" {
            return appender(&stage.path());
        }
        let home = Home::new();
        home.share_key();
        home.create().close();
        let (mut checkpoint, mut last) = (None::<String>, 0);
        for round in 0..rounds {
            let mut appender = stage.process("appender", home.folder());
            assert_eq!(appender.hear(), "ready");
            // Moments between 0 and 120 ms that lie in no step with the writing.
            std::thread::sleep(Duration::from_micros(u64::from(round * 7_919 % 120_011)));
            appender.kill();
            let told = appender.rest().iter().map(|line| line.parse::<i64>().unwrap()).max();
            let vault = home.open();
            let report = vault.audit().verify(checkpoint.as_deref()).unwrap();
            assert!(report.is_sound(), "round {round}: {report:?}");
            last = last.max(told.unwrap_or(0));
            assert!(report.last.unwrap() >= last, "an entry that was committed is lost");
            let events = vault.audit().tail(10_000).unwrap();
            assert!(events.iter().all(|event| event.event() != "never"));
            // A change and its entry are there together: each person has one, dropped or not.
            let added = events.iter().filter(|event| event.event() == "person.added").count();
            assert!(added as u64 <= vault.table("people").unwrap().count().unwrap());
            checkpoint = Some(vault.audit().checkpoint().unwrap().text().to_owned());
            vault.close();
            assert_integrity(&home.file());
        }
        assert!(last > 100, "the processes have been at work: {last}");
        let first = home.open().audit().verify(None).unwrap().first;
        assert!(first > Some(1), "old entries were dropped, too");
        tell(format_args!("{rounds} kills, {last} entries"));
    });
}

#[test]
fn a_change_whose_entry_finds_no_space_leaves_no_trace() {
    staged("a_change_whose_entry_finds_no_space_leaves_no_trace", 60, |stage| {
        if stage.role() == "limited" {
            return limited(&stage.path());
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        vault.execute("CREATE TABLE own (n INTEGER)", &[]).unwrap();
        vault.close();
        stage.process("limited", home.folder()).succeed();
        assert_integrity(&home.file());
    });
}

/// A limit on the size of a file stands in for a full disk: it needs no privilege.
fn limited(folder: &Path) {
    let long = format!("\"{}\"", "x".repeat(900_000));
    // Entries that go to the disk while they are appended, and ones that only the commit writes.
    for (payload, entries) in [(long.as_str(), 40), ("\"short\"", 4_000)] {
        let vault = open_in(folder);
        let before = vault.audit().checkpoint().unwrap();
        let counts = |vault: &Vault| {
            let own = vault.query("SELECT count(*) FROM own", &[]).unwrap();
            (vault.table("people").unwrap().count().unwrap(), own.rows[0][0].clone())
        };
        let counted = counts(&vault);
        limit_file_size(Some(600_000));
        let (mut changed, mut appended) = (false, 0);
        let failed = vault.transaction(|tx| {
            tx.table("people")?.insert(values! {"email" => "trace@example.org"})?;
            tx.execute("INSERT INTO own (n) VALUES (1)", &[])?;
            changed = true;
            for _ in 0..entries {
                tx.audit(&Entry::new("person.added").payload(payload))?;
                appended += 1;
            }
            Ok(())
        });
        let kind = failed.expect_err("there is no space").kind();
        assert!([ErrorKind::Io, ErrorKind::Full].contains(&kind), "{kind:?}");
        assert!(changed, "the change itself had gone through");
        assert_eq!(appended < entries, payload == long, "which step failed: {appended}");
        drop(vault);
        limit_file_size(None);
        let vault = open_in(folder);
        assert_eq!(counts(&vault), counted, "the change went with its entry");
        assert!(
            vault.table("people").unwrap().find("email", "trace@example.org").unwrap().is_empty()
        );
        assert_eq!(vault.audit().checkpoint().unwrap().seq(), before.seq());
        assert!(vault.audit().verify(Some(before.text())).unwrap().is_sound());
        vault.audit().append(&Entry::new("space.again")).unwrap();
        assert!(vault.audit().verify(Some(before.text())).unwrap().is_sound());
    }
}

/// Counts the lines that an export writes, and sees on the way how much memory is taken.
#[derive(Default)]
struct Lines {
    count: u64,
    most: Most,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        // An export writes in blocks.
        self.count += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.most.look();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

/// The most anonymous memory that this process was seen to have, in KiB. What the kernel maps of files, the program among
/// them, is not counted: how much of that is resident depends on the page cache, and on who else presses upon it.
#[derive(Default)]
struct Most(u64);

impl Most {
    fn look(&mut self) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        self.0 = self.0.max(line.trim().trim_end_matches(" kB").parse().unwrap());
    }
}

fn grow(vault: &Vault, entries: i64) {
    let last = vault.audit().checkpoint().unwrap().seq();
    vault
        .transaction(|tx| {
            for n in last..entries {
                let payload = format!("{{\"field\":\"email\",\"n\":{n}}}");
                tx.audit(&Entry::new("user.changed").actor("admin").payload(payload))?;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(vault.audit().checkpoint().unwrap().seq(), entries);
}

#[test]
fn verify_and_export_of_a_long_trail_take_no_more_memory() {
    const TEST: &str = "verify_and_export_of_a_long_trail_take_no_more_memory";
    // Each is more than the pages that a connection keeps.
    let sizes = [30_000, scaled(100_000, 1_000_000)];
    staged(TEST, scaled(180, 1_800), |stage| match stage.role() {
        "walk" => {
            let vault = open_in(&stage.path());
            let mut lines = Lines::default();
            let look = |_| lines.most.look();
            let report = vault.audit().verify_with_progress(None, look).unwrap();
            assert!(report.is_sound());
            let exported = vault.audit().export(&mut lines, &ExportOptions::default()).unwrap();
            assert_eq!((exported, lines.count), (report.entries, report.entries));
            lines.most.look();
            tell(lines.most.0);
        }
        "hoard" => {
            let vault = open_in(&stage.path());
            let all = vault.audit().tail(usize::MAX).unwrap();
            assert!(all.len() >= 10_000);
            let mut most = Most::default();
            most.look();
            tell(most.0);
        }
        _ => {
            let home = Home::new();
            home.share_key();
            let vault = home.create();
            let mut most = Vec::new();
            for entries in sizes {
                grow(&vault, entries);
                let mut walker = stage.process("walk", home.folder());
                most.push(walker.hear().parse::<u64>().unwrap());
                walker.succeed();
            }
            let mut hoarder = stage.process("hoard", home.folder());
            let all: u64 = hoarder.hear().parse().unwrap();
            hoarder.succeed();
            tell(format_args!("{most:?} KiB for {sizes:?} entries, {all} KiB for all at once"));
            assert!(most[1] < most[0] + 2_048, "memory grows with the trail: {most:?} KiB");
            assert!(all > most[1] + 8_192, "the measurement sees memory that is taken");
        }
    });
}
