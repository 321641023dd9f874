//! The audit trail: whatever is done to the file from outside shows.

#![allow(clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sealite::{Alteration, Column, ExposeSecret, Index, TableDefinition};
use sealite::{AuditFault, Entry, ExportOptions, Result, Unlock, Vault, generate_key, values};
use sealite_tests::scale::is_full;

const PHYSICAL: &str = "sealite_audit_sealed";

struct Trail {
    _folder: tempfile::TempDir,
    path: PathBuf,
    unlock: Unlock,
    checkpoint: String,
    entries: i64,
}

/// A closed vault whose trail has that many entries.
fn trail(entries: i64) -> Trail {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("audit.db");
    let key = generate_key().expect("key");
    let unlock = Unlock::key_text(key.expose_secret()).expect("key");
    let vault = Vault::create(&path, &unlock).expect("vault");
    vault
        .transaction(|tx| {
            for number in 2..=entries {
                let entry = Entry::new("user.changed")
                    .actor(format!("admin-{}", number % 3))
                    .payload(format!("{{\"number\":{number}}}"));
                assert_eq!(tx.audit(&entry)?, number);
            }
            Ok(())
        })
        .expect("entries");
    let checkpoint = vault.audit().checkpoint().expect("checkpoint").text().to_owned();
    vault.close();
    let raw = Connection::open(&path).expect("raw");
    raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpoint");
    raw.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).expect("journal");
    Trail { _folder: folder, path, unlock, checkpoint, entries }
}

/// The faults after an edit of a copy of the file, without and with the checkpoint.
fn after(trail: &Trail, sql: &str) -> [Vec<AuditFault>; 2] {
    let copy = trail.path.with_extension("copy");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", copy.display()));
    }
    std::fs::copy(&trail.path, &copy).expect("copy");
    let raw = Connection::open(&copy).expect("raw");
    raw.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    drop(raw);
    let vault = Vault::open(&copy, &trail.unlock).expect("open");
    let faults = |checkpoint| match vault.audit().verify(checkpoint) {
        Ok(report) => report.faults,
        Err(error) => panic!("{sql}: {error}"),
    };
    [faults(None), faults(Some(&trail.checkpoint))]
}

fn assert_detected(trail: &Trail, sql: &str) {
    for faults in after(trail, sql) {
        assert!(!faults.is_empty(), "not detected: {sql}");
    }
}

#[test]
fn an_untouched_trail_is_sound() {
    let trail = trail(32);
    assert_eq!(after(&trail, "SELECT 1"), [vec![], vec![]]);
}

#[test]
fn every_edit_of_one_entry_of_32_is_detected() {
    let trail = trail(32);
    for seq in 1..=trail.entries {
        for change in [
            "at = at + 1",
            "event = 'user.loved'",
            "tenant = 'acme'",
            "trace_id = ''",
            "correlation_id = 'x'",
            "digest = zeroblob(32)",
            "chain = zeroblob(32)",
            "sealed = CAST(substr(sealed, 1, length(sealed) - 1) || iif(substr(sealed, -1) = x'00', x'01', x'00') AS BLOB)",
        ] {
            assert_detected(&trail, &format!("UPDATE {PHYSICAL} SET {change} WHERE seq = {seq}"));
        }
    }
}

#[test]
fn every_removal_and_truncation_of_32_is_detected() {
    let trail = trail(32);
    for seq in 1..=trail.entries {
        assert_detected(&trail, &format!("DELETE FROM {PHYSICAL} WHERE seq = {seq}"));
        assert_detected(&trail, &format!("DELETE FROM {PHYSICAL} WHERE seq >= {seq}"));
    }
}

#[test]
fn every_swap_and_insertion_of_32_is_detected() {
    let trail = trail(32);
    for a in 1..=trail.entries {
        let b = a % trail.entries + 1;
        assert_detected(
            &trail,
            &format!(
                "UPDATE {PHYSICAL} SET seq = -1 WHERE seq = {a}; UPDATE {PHYSICAL} SET seq = {a} WHERE seq = {b};
                 UPDATE {PHYSICAL} SET seq = {b} WHERE seq = -1"
            ),
        );
        assert_detected(
            &trail,
            &format!(
                "CREATE TEMP TABLE t AS SELECT * FROM {PHYSICAL} WHERE seq = {a}; UPDATE t SET seq = {};
                 INSERT INTO {PHYSICAL} SELECT * FROM t",
                trail.entries + 1
            ),
        );
        // In front, and between two others, all behind it moved by one.
        for at in [0, -1, b] {
            assert_detected(
                &trail,
                &format!(
                    "CREATE TEMP TABLE t AS SELECT * FROM {PHYSICAL} WHERE seq = {a}; UPDATE t SET seq = {at};
                     UPDATE {PHYSICAL} SET seq = -10 - seq WHERE seq >= {at};
                     UPDATE {PHYSICAL} SET seq = -9 - seq WHERE seq <= -10;
                     INSERT INTO {PHYSICAL} SELECT * FROM t"
                ),
            );
        }
    }
}

#[test]
fn every_removal_and_truncation_of_1000_is_detected() {
    let trail = trail(1_000);
    // Each needs a copy of the file and two walks: a sample, unless the tests run unscaled.
    let step = if is_full() { 1 } else { 37 };
    for seq in (1..=trail.entries).step_by(step) {
        assert_detected(&trail, &format!("DELETE FROM {PHYSICAL} WHERE seq = {seq}"));
        assert_detected(&trail, &format!("DELETE FROM {PHYSICAL} WHERE seq >= {seq}"));
    }
}

/// Numbers that are the same for ever (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// A bit of a blob flipped, a text or number replaced, or two entries' columns exchanged; as SQL, and what undoes it.
    fn change(&mut self, raw: &Connection, entries: u64) -> (String, String) {
        let seq = self.below(entries) + 1;
        let blob = |column: &str, seq: u64| -> Vec<u8> {
            let sql = format!("SELECT {column} FROM {PHYSICAL} WHERE seq = {seq}");
            raw.query_row(&sql, [], |row| row.get(0)).expect("a blob")
        };
        let set = |column: &str, seq: u64, value: &[u8]| {
            let hex = sealite_tests::bits::hex(value);
            format!("UPDATE {PHYSICAL} SET {column} = x'{hex}' WHERE seq = {seq}")
        };
        let column = ["sealed", "digest", "chain"][self.below(3) as usize];
        match self.below(4) {
            0 | 1 => {
                let other = (seq + self.below(entries - 1)) % entries + 1;
                assert_ne!(seq, other);
                // The whole of the two entries changes places, or one column of theirs.
                let columns = if self.below(2) == 0 {
                    vec!["sealed", "digest", "chain"]
                } else {
                    vec![column]
                };
                let (mut there, mut back) = (Vec::new(), Vec::new());
                for column in columns {
                    let (one, two) = (blob(column, seq), blob(column, other));
                    there.extend([set(column, seq, &two), set(column, other, &one)]);
                    back.extend([set(column, seq, &one), set(column, other, &two)]);
                }
                (there.join(";"), back.join(";"))
            }
            2 => {
                let old = blob(column, seq);
                let mut new = old.clone();
                let bit = self.below(new.len() as u64 * 8) as usize;
                new[bit / 8] ^= 1 << (bit % 8);
                (set(column, seq, &new), set(column, seq, &old))
            }
            _ => {
                let by = self.below(1_000_000) + 1;
                let change = |to: &str| format!("UPDATE {PHYSICAL} SET {to} WHERE seq = {seq}");
                let sql = format!("SELECT event FROM {PHYSICAL} WHERE seq = {seq}");
                let event: String = raw.query_row(&sql, [], |row| row.get(0)).expect("a name");
                match self.below(3) {
                    0 => (change(&format!("at = at + {by}")), change(&format!("at = at - {by}"))),
                    1 => {
                        (change(&format!("event = 'e{by}'")), change(&format!("event = '{event}'")))
                    }
                    _ => (change(&format!("tenant = 't{by}'")), change("tenant = NULL")),
                }
            }
        }
    }
}

#[test]
fn seeded_edits_and_swaps_in_1000_are_detected_with_and_without_reopening() {
    let trail = trail(1_000);
    let copy = trail.path.with_extension("open");
    std::fs::copy(&trail.path, &copy).expect("copy");
    let raw = Connection::open(&copy).expect("raw");
    let mut draw = Draw(1);
    let changes = if is_full() { 1_000 } else { 60 };
    let changes: Vec<_> =
        (0..changes).map(|_| draw.change(&raw, trail.entries.cast_unsigned())).collect();
    drop(raw);
    let vault = Vault::open(&copy, &trail.unlock).expect("open");
    let sound = |checkpoint| vault.audit().verify(checkpoint).expect("verify").is_sound();
    let edit = |sql: &str| {
        let raw = Connection::open(&copy).expect("raw");
        raw.execute_batch(&format!("BEGIN; {sql}; COMMIT")).expect("an edit");
    };
    for (there, back) in &changes {
        edit(there);
        for checkpoint in [None, Some(trail.checkpoint.as_str())] {
            assert!(!sound(checkpoint), "not detected in the open vault: {there}");
        }
        edit(back);
        assert_detected(&trail, there);
    }
    assert!(sound(Some(&trail.checkpoint)), "every edit was undone");
}

#[test]
fn an_older_file_put_back_is_detected_with_the_checkpoint_only() {
    let trail = trail(8);
    let older = std::fs::read(&trail.path).expect("read");
    let vault = Vault::open(&trail.path, &trail.unlock).expect("open");
    vault.audit().append(&Entry::new("later")).expect("append");
    let checkpoint = vault.audit().checkpoint().expect("checkpoint");
    vault.close();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", trail.path.display()));
    }
    std::fs::write(&trail.path, older).expect("write");
    let vault = Vault::open(&trail.path, &trail.unlock).expect("open");
    assert!(vault.audit().verify(None).expect("verify").is_sound());
    let report = vault.audit().verify(Some(checkpoint.text())).expect("verify");
    assert_eq!(report.faults, [AuditFault::Truncated(9)]);
}

#[test]
fn a_checkpoint_of_another_vault_or_altered_is_refused() {
    let (one, other) = (trail(2), trail(2));
    let vault = Vault::open(&one.path, &one.unlock).expect("open");
    let refused = |text: &str| vault.audit().verify(Some(text)).expect_err("refused").kind().name();
    assert_eq!(refused(&other.checkpoint), "authentication_failed");
    assert_eq!(refused("sealite-audit-1.AAAA"), "invalid_input");
    let mut altered = one.checkpoint.clone();
    let at = altered.len() - 5;
    let new = if altered.as_bytes()[at] == b'A' { "B" } else { "A" };
    altered.replace_range(at..=at, new);
    assert_eq!(refused(&altered), "authentication_failed");
}

#[test]
fn a_change_and_its_entry_happen_together_or_not_at_all() -> Result<()> {
    let vault = Vault::in_memory()?;
    vault.define_table(&TableDefinition::new("users").column(Column::text("name").sealed()))?;
    let before = vault.audit().checkpoint()?.seq();
    let failed = vault.transaction(|tx| {
        tx.table("users")?.insert(values! {"name" => "Ada"})?;
        // Too long for an entry: the change must go with it.
        tx.audit(&Entry::new("e".repeat(1_000)))?;
        Ok(())
    });
    assert_eq!(failed.expect_err("too long").kind().name(), "limit");
    assert_eq!((vault.table("users")?.count()?, vault.audit().checkpoint()?.seq()), (0, before));
    vault.transaction(|tx| {
        tx.audit(&Entry::new("kept"))?;
        let undone = tx.savepoint(|tx| {
            tx.audit(&Entry::new("undone"))?;
            tx.table("nowhere").map(|_| ())
        });
        assert!(undone.is_err());
        tx.audit(&Entry::new("kept too")).map(|_| ())
    })?;
    let names: Vec<_> = vault.audit().tail(2)?.iter().map(|e| e.event().to_owned()).collect();
    assert_eq!(names, ["kept", "kept too"]);
    assert!(vault.audit().verify(None)?.is_sound());
    Ok(())
}

#[test]
fn retention_keeps_the_chain_whole_and_shows_what_is_put_back() -> Result<()> {
    let trail = trail(40);
    let vault = Vault::open(&trail.path, &trail.unlock)?;
    assert_eq!(vault.audit().retain_after(30)?, 30);
    assert!(vault.audit().verify(None)?.is_sound());
    assert!(vault.audit().verify(Some(&trail.checkpoint))?.is_sound());
    let report = vault.audit().verify(None)?;
    assert_eq!((report.first, report.last), (Some(31), Some(41)));
    vault.close();
    let raw = Connection::open(&trail.path).expect("raw");
    raw.execute_batch(&format!("DELETE FROM {PHYSICAL} WHERE seq = 31")).expect("edit");
    drop(raw);
    let vault = Vault::open(&trail.path, &trail.unlock)?;
    assert_eq!(vault.audit().verify(None)?.faults, [AuditFault::Missing(31, 31)]);
    Ok(())
}

#[test]
fn a_dropped_range_is_closed_by_a_checkpoint_and_an_edited_one_is_kept() -> Result<()> {
    let trail = trail(40);
    let vault = Vault::open(&trail.path, &trail.unlock)?;
    assert_eq!(vault.audit().retain_after(10)?, 10);
    let recorded = vault.audit().tail(1)?.remove(0);
    let payload: serde_json::Value =
        serde_json::from_str(recorded.payload().expect("a payload")).expect("JSON");
    assert_eq!((&payload["from"], &payload["through"]), (&1.into(), &10.into()));
    let closing = payload["checkpoint"].as_str().expect("a checkpoint");
    assert!(vault.audit().verify(Some(closing))?.is_sound());
    for edit in [
        format!("UPDATE {PHYSICAL} SET at = at + 1 WHERE seq = 15"),
        format!("DELETE FROM {PHYSICAL} WHERE seq = 11"),
        format!("DELETE FROM {PHYSICAL} WHERE seq = 20"),
    ] {
        vault.close();
        let copy = trail.path.with_extension("copy");
        std::fs::copy(&trail.path, &copy).expect("copy");
        Connection::open(&copy).expect("raw").execute_batch(&edit).expect("edit");
        let edited = Vault::open(&copy, &trail.unlock)?;
        let refused = edited.audit().retain_after(20).expect_err("refused").kind().name();
        assert_eq!(refused, "authentication_failed", "{edit}");
        assert!(!edited.audit().verify(None)?.is_sound(), "what shows it is still there");
        edited.close();
    }
    let vault = Vault::open(&trail.path, &trail.unlock)?;
    let beyond = vault.audit().retain_after(42).expect_err("the trail ends before");
    assert_eq!(beyond.kind().name(), "not_found");
    assert!(vault.audit().verify(None)?.is_sound());
    Ok(())
}

#[test]
fn changes_of_tables_are_recorded_in_the_transactions_that_make_them() -> Result<()> {
    let vault = Vault::in_memory()?;
    let users = TableDefinition::new("users").column(Column::text("name").sealed());
    let undone = vault.transaction(|tx| {
        assert!(tx.define_table(&users)?);
        tx.table("nowhere").map(|_| ())
    });
    assert!(undone.is_err());
    vault.transaction(|tx| tx.define_table(&users).map(|_| ()))?;
    vault.transaction(|tx| tx.define_table(&users).map(|_| ()))?;
    for name in ["Ada", "Ada"] {
        vault.table("users")?.insert(values! {"name" => name})?;
    }
    let _ = vault.alter_table("users", &Alteration::AddColumn(Column::text("town").sealed()))?;
    let unique = Alteration::AddIndex("name".into(), Index::unique());
    assert!(vault.alter_table("users", &unique).is_err(), "a name stands twice");
    assert!(vault.alter_table("users", &Alteration::DropColumn("none".into())).is_err());
    let _ = vault.drop_table("users")?;
    let said: Vec<_> = vault
        .audit()
        .tail(9)?
        .iter()
        .map(|event| {
            let payload: serde_json::Value =
                serde_json::from_str(event.payload().unwrap_or("null")).expect("JSON");
            format!("{} {}", event.event(), payload["change"].as_str().unwrap_or(""))
        })
        .collect();
    assert_eq!(
        said,
        [
            "vault.initialised ",
            "table.defined ",
            "table.altered add column town",
            "table.altered add index on name",
            "table.altered take back index on name",
            "table.dropped ",
        ]
    );
    Ok(())
}

#[test]
fn a_tenant_sees_its_own_entries_only() -> Result<()> {
    let vault = Vault::in_memory()?;
    vault.tenant("acme")?.audit().append(&Entry::new("a"))?;
    vault.tenant("beta")?.audit().append(&Entry::new("b"))?;
    let seen = |name: &str| -> Result<Vec<String>> {
        Ok(vault.tenant(name)?.audit().tail(9)?.iter().map(|e| e.event().to_owned()).collect())
    };
    assert_eq!((seen("acme")?, seen("beta")?), (vec!["a".to_owned()], vec!["b".to_owned()]));
    Ok(())
}

#[test]
fn the_tail_is_read_from_the_end_and_nothing_before_it() -> Result<()> {
    let trail = trail(3_000);
    let vault = Vault::open(&trail.path, &trail.unlock)?;
    vault.tenant("acme")?.audit().append(&Entry::new("a"))?;
    for _ in 0..600 {
        vault.audit().append(&Entry::new("other"))?;
    }
    vault.tenant("acme")?.audit().append(&Entry::new("b"))?;
    let last = 3_602;
    let seqs = |count| -> Result<Vec<i64>> {
        Ok(vault.audit().tail(count)?.iter().map(sealite::Event::seq).collect())
    };
    assert_eq!(seqs(0)?, [0; 0]);
    for count in [1, 2, 255, 256, 257, 1_025, 3_601, 3_602, 9_999, usize::MAX] {
        let given = i64::try_from(count).unwrap_or(last).min(last);
        assert_eq!(seqs(count)?, (last - given + 1..=last).collect::<Vec<_>>());
    }
    let acme = vault.tenant("acme")?.audit();
    let of_acme = |count| -> Result<Vec<i64>> {
        Ok(acme.tail(count)?.iter().map(sealite::Event::seq).collect())
    };
    assert_eq!(
        (of_acme(1)?, of_acme(2)?, of_acme(3)?),
        (vec![last], vec![3_001, last], vec![3_001, last])
    );
    // What does not open is not in the way where it is not asked for.
    let raw = Connection::open(&trail.path).expect("raw");
    raw.execute_batch(&format!("UPDATE {PHYSICAL} SET event = 'x' WHERE seq = 1000"))
        .expect("edit");
    drop(raw);
    assert_eq!(seqs(1_000)?.len(), 1_000);
    assert_eq!(of_acme(2)?, [3_001, last]);
    let error = seqs(2_700).expect_err("entry 1,000 is among them");
    assert_eq!(error.kind().name(), "authentication_failed");
    let raw = Connection::open(&trail.path).expect("raw");
    raw.execute_batch(&format!("UPDATE {PHYSICAL} SET event = 'user.changed' WHERE seq = 1000"))
        .expect("edit");
    drop(raw);
    // After retention the trail begins later.
    assert_eq!(vault.audit().retain_after(3_500)?, 3_500);
    assert_eq!(seqs(9_999)?, (3_501..=last + 1).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn a_daily_export_continues_its_files_and_no_others() -> Result<()> {
    const DAY: i64 = 86_400_000;
    let trail = trail(1);
    let older = std::fs::read(&trail.path).expect("read");
    let folder = tempfile::tempdir().expect("folder");
    let append = |vault: &Vault, at: i64, event: &str| {
        vault.set_clock(Some(at));
        vault.audit().append(&Entry::new(event)).expect("append");
    };
    let export = |vault: &Vault, options: &ExportOptions| -> Result<Vec<(String, u64)>> {
        let name = |path: PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
        let files = vault.audit().export_daily(folder.path(), options)?;
        Ok(files.into_iter().map(|(path, lines)| (name(path), lines)).collect())
    };
    // From 2000-01-01 on, so that the trail's own first entry is in none of the files.
    let start = 946_684_800_000;
    let mut options = ExportOptions::default();
    options.until_ms = Some(start + 9 * DAY);
    let (one, two) = ("audit-2000-01-01.jsonl".to_owned(), "audit-2000-01-02.jsonl".to_owned());
    let vault = Vault::open(&trail.path, &trail.unlock)?;
    append(&vault, start, "first");
    append(&vault, start + DAY, "second");
    append(&vault, start + DAY - 1, "the clock was set back");
    assert_eq!(export(&vault, &options)?, [(one.clone(), 2), (two.clone(), 1)]);
    assert_eq!(export(&vault, &options)?, []);
    append(&vault, start + DAY + 1, "third");
    let torn = folder.path().join(&two);
    let text = std::fs::read_to_string(&torn).expect("read");
    std::fs::write(&torn, format!("{text}{{\"seq\":9")).expect("write");
    assert_eq!(export(&vault, &options)?, [(two.clone(), 1)]);
    assert_eq!(std::fs::read_to_string(&torn).expect("read").lines().count(), 2);
    // A narrower export says nothing of entries that it does not ask for.
    options.until_ms = Some(start + DAY + 1);
    assert_eq!(export(&vault, &options)?, []);
    options.until_ms = Some(start + 9 * DAY);
    // What was dropped stays; that it was dropped is new.
    assert_eq!(vault.audit().retain_after(4)?, 4);
    assert_eq!(export(&vault, &options)?, [(two.clone(), 1)]);
    vault.close();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", trail.path.display()));
    }
    std::fs::write(&trail.path, older).expect("write");
    let vault = Vault::open(&trail.path, &trail.unlock)?;
    let kind = || export(&vault, &options).expect_err("refused").kind().name();
    for _ in 0..4 {
        append(&vault, start + DAY, "another");
        assert_eq!(kind(), "authentication_failed");
    }
    assert_eq!(std::fs::read_to_string(&torn).expect("read").lines().count(), 3);
    for foreign in ["mine\n", "mine", "{}\nmine", "{\"seq\":1}\n"] {
        std::fs::write(&torn, foreign).expect("write");
        assert_eq!(kind(), "refused");
        assert_eq!(std::fs::read_to_string(&torn).expect("read"), foreign);
    }
    let missing = vault.audit().export_daily(folder.path().join("none"), &options);
    assert_eq!(missing.expect_err("no folder").kind().name(), "not_found");
    Ok(())
}

#[test]
fn an_export_is_json_lines_with_canonical_payloads_and_the_engine_records_its_own_acts()
-> Result<()> {
    let vault = Vault::in_memory()?;
    vault.define_table(&TableDefinition::new("users").column(Column::text("name").sealed()))?;
    let slot = vault.add_recovery_slot("paper")?.0;
    vault.remove_slot(slot)?;
    let nested = "{\"b\": {\"z\": [1.0, {\"y\": 1, \"x\": 2}]}, \"a\": \"\\u00e9\"}";
    vault.audit().append(&Entry::new("signed").trace_id("t-1").payload(nested))?;
    let mut out = Vec::new();
    assert_eq!(vault.audit().export(&mut out, &ExportOptions::default())?, 5);
    let text = String::from_utf8(out).expect("UTF-8");
    let events: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().expect("name")).collect();
    assert_eq!(
        names,
        ["vault.initialised", "table.defined", "slot.added", "slot.removed", "signed"]
    );
    assert_eq!(events[4]["trace_id"], "t-1");
    let signed = vault.audit().tail(1)?;
    assert_eq!(signed[0].payload(), Some("{\"a\":\"é\",\"b\":{\"z\":[1,{\"x\":2,\"y\":1}]}}"));
    Ok(())
}

#[test]
fn actor_subject_and_payload_are_in_no_byte_of_the_file() {
    let trail = trail(3);
    let vault = Vault::open(&trail.path, &trail.unlock).expect("open");
    let entry = Entry::new("control.event")
        .actor("CANARY-actor")
        .subject("CANARY-subject")
        .payload("\"CANARY-payload\"");
    vault.audit().append(&entry).expect("append");
    let files = |path: &Path| -> Vec<u8> {
        ["", "-wal", "-shm"]
            .iter()
            .flat_map(|s| std::fs::read(format!("{}{s}", path.display())).unwrap_or_default())
            .collect()
    };
    let bytes = files(&trail.path);
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"control.event"), "the search finds what is there in clear");
    assert!(!has(b"CANARY"));
}
