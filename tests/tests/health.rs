//! Health: every reason is provoked. Metrics: every counter counts, and the text parses.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp
)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sealite::{
    Alteration, ApprovalRequest, Author, Change, Column, Config, Entry, Erasure, ErrorKind, Limit,
    Protection, Reason, SettingDefinition, TableDefinition, Type, Unlock, Vault, Verdict, values,
};

const KEY: [u8; 32] = *b"\x11\x52\x93\xa4\x15\x06\x77\xe8\x99\x0a\xbb\x2c\xcd\x3e\x4f\x50\
    \x61\xd2\x83\x74\x95\xf6\x17\xb8\x29\x4a\xcb\x6c\x0d\xee\x1f\x90";
/// 2027-01-15, in milliseconds since 1970.
const NOW: i64 = 4_102_444_800_000;
const HOUR: i64 = 3_600_000;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("vault.db")
    }

    fn create(&self) -> Vault {
        let vault = Vault::create(self.file(), &unlock()).unwrap();
        vault
            .define_table(
                &TableDefinition::new("people")
                    .column(Column::text("name").sealed())
                    .column(Column::text("note")),
            )
            .unwrap();
        vault
    }

    fn open(&self) -> Vault {
        Vault::open(self.file(), &unlock()).unwrap()
    }
}

fn unlock() -> Unlock {
    Unlock::key(&KEY).unwrap()
}

fn reasons(vault: &Vault) -> Vec<Reason> {
    let health = vault.health();
    assert_eq!(health.ready, health.reasons.is_empty());
    assert_eq!(health.status(), if health.ready { "ready" } else { "degraded" });
    health.reasons
}

/// Changes the file from outside, while the vault is idle.
fn edit(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Writes the log back, so that every page is in the file.
fn settle(file: &Path) {
    let raw = Connection::open(file).unwrap();
    raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

#[test]
fn a_sound_vault_is_ready() {
    let home = Home::new();
    let vault = home.create();
    assert_eq!(reasons(&vault), []);
    assert!(vault.health().is_usable() && vault.health().error.is_none());
    assert_eq!(reasons(&Vault::in_memory().unwrap()), []);
    // Another transaction that writes does not hold the check up, nor fail it.
    let transaction = home.open().begin().unwrap();
    assert_eq!(reasons(&vault), []);
    drop(transaction);
    // The check gives its connections back.
    for _ in 0..200 {
        assert_eq!(reasons(&vault), []);
    }
}

#[test]
fn names_are_stable() {
    let names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(
        names,
        [
            "not_initialised",
            "locked",
            "unreadable",
            "read_only",
            "busy",
            "disk_nearly_full",
            "audit_broken",
            "key_retired_in_use",
            "clock_stepped_back",
            "erasure_pending"
        ]
    );
    assert_eq!(Reason::ReadOnly.to_string(), "read_only");
    assert!(Reason::Locked.is_blocking() && !Reason::ErasurePending.is_blocking());
}

#[test]
fn a_vault_that_is_not_there_is_not_initialised() {
    let home = Home::new();
    let vault = Vault::at(home.file()).unwrap();
    assert_eq!(reasons(&vault), [Reason::NotInitialised]);
    assert!(!home.file().exists(), "a check creates nothing");
    std::fs::write(home.file(), b"").unwrap();
    assert_eq!(reasons(&vault), [Reason::NotInitialised]);
    vault.initialise(&unlock()).unwrap();
    assert_eq!(reasons(&vault), []);
}

#[test]
fn a_vault_without_its_key_is_locked() {
    let home = Home::new();
    let vault = home.create();
    vault.lock();
    assert_eq!(reasons(&vault), [Reason::Locked]);
    assert!(!vault.health().is_usable());
    assert_eq!(reasons(&Vault::at(home.file()).unwrap()), [Reason::Locked]);
    vault.unlock(&unlock()).unwrap();
    assert_eq!(reasons(&vault), []);
    vault.close();
    assert_eq!(reasons(&vault), [Reason::Unreadable]);
    assert_eq!(vault.health().error.unwrap().kind(), ErrorKind::Closed);
}

#[test]
fn a_file_that_is_damaged_or_gone_is_unreadable() {
    use std::os::unix::fs::FileExt;
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 6] = [
        ("a torn header", |file| {
            std::fs::File::options()
                .write(true)
                .open(file)
                .unwrap()
                .write_at(&[b'x'; 100], 0)
                .unwrap();
        }),
        ("cut to nothing", |file| {
            std::fs::File::options().write(true).open(file).unwrap().set_len(0).unwrap();
        }),
        ("removed", |file| std::fs::remove_file(file).unwrap()),
        ("replaced by another vault", |file| {
            std::fs::remove_file(file).unwrap();
            Vault::create(file, &unlock()).unwrap().close();
        }),
        ("a catalog that was edited", |file| {
            edit(
                file,
                "UPDATE sealite_catalog SET sealed =
                     CAST(substr(sealed, 1, length(sealed) - 1) || iif(substr(sealed, -1) = x'00', x'01', x'00') AS BLOB)",
            );
        }),
        ("the mark of the clock edited", |file| {
            edit(
                file,
                "UPDATE sealite_sequences SET sealed = zeroblob(length(sealed)) WHERE id = 5",
            );
        }),
    ];
    for (what, damage) in damages {
        let home = Home::new();
        home.create().close();
        settle(&home.file());
        let vault = home.open();
        assert_eq!(reasons(&vault), [], "{what}");
        damage(&home.file());
        assert_eq!(reasons(&vault), [Reason::Unreadable], "{what}");
        assert!(!vault.health().is_usable());
    }
}

#[test]
fn an_edited_clock_mark_stops_nobody_from_writing() {
    let home = Home::new();
    home.create().close();
    let vault = home.open();
    edit(&home.file(), "UPDATE sealite_sequences SET sealed = x'00' WHERE id = 5");
    vault.table("people").unwrap().insert(values! {"name" => "Ada"}).unwrap();
    assert_eq!(reasons(&vault), [Reason::Unreadable]);
}

/// As root everything can be written: the test goes on in a process of another user then.
#[test]
fn a_file_or_folder_without_leave_to_write_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if rustix_free_uid() == 0 {
        let name = "a_file_or_folder_without_leave_to_write_is_read_only";
        let copy = tempfile::tempdir().unwrap();
        let binary = copy.path().join("test");
        std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
        for path in [copy.path(), &binary] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let mut command = std::process::Command::new(&binary);
        command.args(["--exact", name, "--nocapture"]).env("TMPDIR", "/tmp").current_dir("/");
        let output = command.uid(65_534).gid(65_534).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let home = Home::new();
    let vault = home.create();
    mode(&home.file(), 0o400);
    assert_eq!(reasons(&vault), [Reason::ReadOnly]);
    mode(&home.file(), 0o600);
    assert_eq!(reasons(&vault), []);
    mode(home.0.path(), 0o500);
    assert_eq!(reasons(&vault), [Reason::ReadOnly]);
    mode(home.0.path(), 0o700);
    vault.close();
    // One that could never be written: nothing is known of it but that.
    mode(&home.file(), 0o400);
    let found = reasons(&Vault::at(home.file()).unwrap());
    assert!(found.contains(&Reason::ReadOnly) && found.contains(&Reason::Locked), "{found:?}");
}

#[allow(unsafe_code)]
fn rustix_free_uid() -> u32 {
    // SAFETY: takes nothing and always succeeds.
    unsafe { libc::geteuid() }
}

#[test]
fn a_disk_with_less_room_than_asked_for_is_nearly_full() {
    let home = Home::new();
    home.create().close();
    let with = |reserve| {
        let mut config = Config::default();
        config.disk_reserve = reserve;
        let vault = Vault::at_with(home.file(), config).unwrap();
        vault.unlock(&unlock()).unwrap();
        let health = vault.health();
        assert!(health.is_usable());
        health.reasons
    };
    assert_eq!(with(Some(u64::MAX)), [Reason::DiskNearlyFull]);
    assert_eq!(with(Some(0)), []);
    assert_eq!(with(None), []);
}

#[test]
fn edits_of_the_end_of_the_trail_break_it_until_it_is_found_sound() {
    let home = Home::new();
    let vault = home.create();
    for number in 0..300 {
        vault.audit().append(&Entry::new("user.changed").actor(format!("admin-{number}"))).unwrap();
    }
    let last = vault.audit().tail(1).unwrap()[0].seq();
    vault.close();
    settle(&home.file());
    for known in [false, true] {
        for change in [
            "UPDATE sealite_audit_sealed SET event = 'user.loved' WHERE seq = {last}",
            "UPDATE sealite_audit_sealed SET at = at + 1 WHERE seq = {last} - 100",
            "UPDATE sealite_audit_sealed SET chain = zeroblob(32) WHERE seq = {last} - 3",
            "DELETE FROM sealite_audit_sealed WHERE seq = {last}",
            "DELETE FROM sealite_audit_sealed WHERE seq > {last} - 20",
            "DELETE FROM sealite_audit_sealed WHERE seq = {last} - 7",
            "INSERT INTO sealite_audit_sealed SELECT {last} + 1, at, event, tenant, trace_id,
                 correlation_id, digest, chain, \"key\", owner, sealed FROM sealite_audit_sealed WHERE seq = {last}",
        ] {
            let copy = Home::new();
            std::fs::copy(home.file(), copy.file()).unwrap();
            let vault = copy.open();
            if known {
                assert_eq!(reasons(&vault), [], "{change}");
            }
            let change = change.replace("{last}", &last.to_string());
            edit(&copy.file(), &change);
            assert_eq!(reasons(&vault), [Reason::AuditBroken], "{known} {change}");
            assert!(vault.health().is_usable());
            // The same entry put back shows only to a verification of the whole.
            vault.close();
            let vault = copy.open();
            assert_eq!(reasons(&vault), [Reason::AuditBroken], "{change}");
            assert!(!vault.audit().verify(None).unwrap().is_sound());
        }
    }
    let vault = home.open();
    edit(&home.file(), &format!("UPDATE sealite_audit_sealed SET at = at + 1 WHERE seq = {last}"));
    assert_eq!(reasons(&vault), [Reason::AuditBroken]);
    edit(&home.file(), &format!("UPDATE sealite_audit_sealed SET at = at - 1 WHERE seq = {last}"));
    assert_eq!(reasons(&vault), [Reason::AuditBroken], "somebody should look at it");
    assert!(vault.audit().verify(None).unwrap().is_sound());
    assert_eq!(reasons(&vault), []);
}

#[test]
fn a_trail_that_grows_or_is_retained_stays_sound() {
    let home = Home::new();
    let vault = home.create();
    for round in 0..4 {
        vault
            .transaction(|tx| (0..700).try_for_each(|_| tx.audit(&Entry::new("tick")).map(|_| ())))
            .unwrap();
        assert_eq!(reasons(&vault), [], "{round}");
        let last = vault.audit().tail(1).unwrap()[0].seq();
        vault.audit().retain_after(last - 10).unwrap();
        assert_eq!(reasons(&vault), [], "{round}");
    }
    let last = vault.audit().tail(1).unwrap()[0].seq();
    vault.audit().retain_after(last).unwrap();
    assert_eq!(reasons(&vault), []);
    assert_eq!(reasons(&home.open()), []);
}

#[test]
fn an_older_file_put_back_under_an_open_vault_is_noticed() {
    let home = Home::new();
    let vault = home.create();
    vault.close();
    settle(&home.file());
    let older = std::fs::read(home.file()).unwrap();
    let vault = home.open();
    vault.audit().append(&Entry::new("later")).unwrap();
    assert_eq!(reasons(&vault), []);
    settle(&home.file());
    std::fs::write(home.file(), older).unwrap();
    assert!(!vault.health().ready);
}

#[test]
fn a_clock_that_was_set_back_is_noticed_also_after_a_restart() {
    let home = Home::new();
    let vault = home.create();
    vault.set_clock(Some(NOW));
    // No entry of the audit trail tells this time: it is saved with the row.
    vault.table("people").unwrap().insert(values! {"name" => "Ada"}).unwrap();
    vault.set_clock(Some(NOW - 4_000));
    assert_eq!(reasons(&vault), [], "time servers correct clocks");
    vault.set_clock(Some(NOW - HOUR));
    assert_eq!(reasons(&vault), [Reason::ClockSteppedBack]);
    assert!(vault.health().is_usable());
    let other = home.open();
    other.set_clock(Some(NOW - HOUR));
    assert_eq!(reasons(&other), [Reason::ClockSteppedBack]);
    other.table("people").unwrap().insert(values! {"name" => "Grace"}).unwrap();
    assert_eq!(reasons(&other), [Reason::ClockSteppedBack], "writing does not lower the mark");
    other.set_clock(Some(NOW + 1));
    assert_eq!(reasons(&other), []);
    // Accepted in one handle, it is accepted in all.
    other.set_clock(Some(NOW - HOUR));
    other.accept_clock().unwrap();
    assert_eq!(reasons(&other), []);
    assert_eq!(reasons(&vault), []);
    assert_eq!(other.audit().tail(1).unwrap()[0].event(), "clock.accepted");
    assert_eq!(reasons(&other), []);
}

#[test]
fn the_time_is_saved_at_most_once_a_minute() {
    let home = Home::new();
    let vault = home.create();
    let saved = || {
        let raw = Connection::open(home.file()).unwrap();
        let sql = "SELECT sealed FROM sealite_sequences WHERE id = 5";
        raw.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).unwrap()
    };
    let write = |at| {
        vault.set_clock(Some(at));
        vault.table("people").unwrap().insert(values! {"name" => "Ada"}).unwrap();
        saved()
    };
    let first = write(NOW);
    assert_eq!(write(NOW + 59_000), first);
    let second = write(NOW + 60_000);
    assert_ne!(second, first);
    vault.set_clock(Some(NOW + HOUR));
    assert!(
        vault.table("people").unwrap().update(99, values! {"name" => "nobody"}).is_ok_and(|b| !b)
    );
    assert_eq!(saved(), second, "a transaction that writes nothing saves nothing");
}

#[test]
fn an_erasure_that_is_pending_is_told() {
    let home = Home::new();
    let vault = home.create();
    vault.table("people").unwrap().insert(values! {"note" => "in clear"}).unwrap();
    let other = home.open();
    let reader = other.snapshot().unwrap();
    assert_eq!(reader.table("people").unwrap().count().unwrap(), 1);
    let protect = Alteration::Protect("note".into(), Protection::Sealed);
    assert_eq!(vault.alter_table("people", &protect).unwrap(), Erasure::Pending);
    assert_eq!(reasons(&vault), [Reason::ErasurePending]);
    drop(reader);
    assert_eq!(vault.finish_erasure().unwrap(), Erasure::Complete);
    assert_eq!(reasons(&vault), []);
}

#[test]
fn counters_count_under_threads() {
    const THREADS: u64 = 4;
    const EACH: u64 = 250;
    let home = Home::new();
    home.create().close();
    let mut config = sealite::Config::default();
    // A busy machine keeps whoever waits for the lock waiting.
    config.busy_timeout = std::time::Duration::from_secs(120);
    let vault = Vault::at_with(home.file(), config).unwrap();
    vault.unlock(&unlock()).unwrap();
    let before = vault.metrics();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for number in 0..EACH {
                    let people = vault.table("people").unwrap();
                    let id = people.insert(values! {"name" => "Ada", "note" => "n"}).unwrap();
                    people.get(&id).unwrap().unwrap();
                    people.get_many(&[id.as_ref(), id.as_ref()]).unwrap();
                    if number % 50 == 0 {
                        people.find("note", "n").unwrap();
                    }
                    people.update(&id, values! {"note" => "m"}).unwrap();
                    vault.count("requests_total", 2).unwrap();
                }
            });
        }
    });
    let after = vault.metrics();
    let all = THREADS * EACH;
    assert_eq!(after.inserts - before.inserts, all);
    assert_eq!(after.gets - before.gets, 3 * all);
    assert_eq!(after.finds - before.finds, all / 50);
    assert_eq!(after.updates - before.updates, all);
    assert_eq!(after.committed - before.committed, 2 * all);
    assert_eq!(after.application["requests_total"], 2 * all);
    assert_eq!(after.write.count, after.committed);
    assert_eq!(after.commit.count, after.committed);
    assert!(after.commit.sum <= after.write.sum);
    let measured = after.read.count - before.read.count;
    assert!((1..=all + all / 50).contains(&measured), "{measured}");
    assert!(after.uptime > before.uptime);
}

/// A vault with which everything that is counted has happened.
fn lived(home: &Home) -> Vault {
    let vault = home.create();
    let people = vault.table("people").unwrap();
    let id = people.insert(values! {"name" => "CANARY-NAME", "note" => "CANARY-NOTE"}).unwrap();
    people.insert_many(&["name"], (0..10).map(|_| ["CANARY-NAME".into()])).unwrap();
    assert_eq!(people.scan().unwrap().count(), 11);
    people.delete(&id).unwrap();
    vault.begin().unwrap().roll_back().unwrap();

    let limits = Limit::parse("1/minute").unwrap();
    assert!(vault.quotas().check_and_charge("CANARY-KEY", &limits, 1).unwrap().allowed);
    assert!(!vault.quotas().check_and_charge("CANARY-KEY", &limits, 1).unwrap().allowed);
    vault.quotas().peek("CANARY-KEY", &limits).unwrap();

    let request = ApprovalRequest::new("delete", "{}", "CANARY-REQUESTER");
    let id = vault.approvals().create(&request).unwrap();
    vault.approvals().decide(&id, "CANARY-APPROVER", None, Verdict::Approve, None).unwrap();

    let author = Author::new("CANARY-ACTOR").reason("a test");
    let setting = SettingDefinition::new("smtp.password", Type::Text).secret();
    vault.settings().define(&setting).unwrap();
    vault.settings().write("smtp.password", Change::set("CANARY-SECRET"), &author).unwrap();
    vault.settings().use_value("smtp.password").unwrap();
    vault.settings().use_value("smtp.password").unwrap();
    vault.settings().reveal("smtp.password", &author).unwrap();

    vault.audit().append_best_effort(&Entry::new("x").payload("not JSON"));
    let tx = vault.begin().unwrap();
    let undone = tx.savepoint(|tx| {
        tx.audit(&Entry::new("never"))?;
        tx.execute("no SQL", &[])
    });
    assert!(undone.is_err());
    tx.audit(&Entry::new("kept")).unwrap();
    tx.commit().unwrap();

    let file = home.file();
    edit(&file, "UPDATE people_sealed SET sealed = zeroblob(length(sealed)) WHERE id = 2");
    assert_eq!(people.get(2).unwrap_err().kind(), ErrorKind::AuthenticationFailed);
    assert!(people.update(2, values! {"name" => "x"}).is_err());
    assert!(vault.transaction(|tx| tx.table("people")?.get(2)).is_err());
    assert!(vault.snapshot().unwrap().table("people").unwrap().get(2).is_err());
    assert!(people.scan().unwrap().any(|row| row.is_err()));
    let field = vault.field("f").unwrap();
    let mut sealed = field.seal("CANARY-FIELD", None).unwrap();
    sealed[40] ^= 1;
    assert_eq!(field.open(&sealed, None).unwrap_err().kind(), ErrorKind::AuthenticationFailed);

    let tx = vault.begin().unwrap();
    assert_eq!(people.insert(values! {"name" => "x"}).unwrap_err().kind(), ErrorKind::Busy);
    drop(tx);
    vault.count("admin_requests_total", 3).unwrap();
    vault
}

#[test]
fn everything_is_counted_once() {
    let home = Home::new();
    let vault = lived(&home);
    let found = vault.metrics();
    assert_eq!((found.inserts, found.deletes, found.updates), (12, 1, 1));
    assert_eq!((found.gets, found.scan_rows), (3, 11));
    assert_eq!((found.quota_charged, found.quota_refused), (1, 1));
    assert_eq!((found.approvals_created, found.approvals_decided), (1, 1));
    assert_eq!((found.settings_used, found.settings_revealed), (2, 1));
    assert_eq!(found.authentication_failures, 6);
    assert_eq!((found.busy, found.audit_lost), (1, 1));
    // Every entry that is there, and none that was taken back.
    let entries = vault.audit().verify(None).unwrap().entries;
    assert_eq!(found.audit_appended, entries);
    // The explicit one; of quotas the first, which made the table, and the refused charge; the lost entry, the failed
    // update, the failed transaction, the dropped one.
    assert_eq!(found.rolled_back, 7);
    assert_eq!(home.open().metrics().inserts, 0, "of one handle");
    assert_eq!(vault.clone().metrics().inserts, 12, "and its clones");
}

/// Metric types, and samples by name and labels, of text in the exposition format 0.0.4.
fn parse(text: &str) -> (BTreeMap<String, String>, HashMap<String, f64>) {
    let (mut types, mut samples) = (BTreeMap::new(), HashMap::new());
    let mut family = String::new();
    let mut helped = String::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(!help.is_empty() && !help.contains('\\'));
            name.clone_into(&mut helped);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
            assert_eq!(helped, name);
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} twice");
            name.clone_into(&mut family);
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            let name = series.split('{').next().unwrap();
            let mut chars = name.chars();
            assert!(chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':'));
            assert!(chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':'), "{name}");
            let suffix = name.strip_prefix(&family).expect("of the family announced");
            let histogram = types[&family] == "histogram";
            let suffixes: &[&str] = if histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&suffix), "{series}");
            if let Some(labels) = series[name.len()..].strip_prefix('{') {
                let (label, value) = labels.strip_suffix("\"}").unwrap().split_once("=\"").unwrap();
                assert!(label.chars().all(|c| c.is_ascii_lowercase()));
                assert!(!value.contains(['"', '\\', '\n']));
            }
            let value: f64 = value.parse().expect("a number");
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} twice");
        }
    }
    (types, samples)
}

#[test]
fn the_text_is_what_prometheus_reads() {
    let home = Home::new();
    let vault = lived(&home);
    let found = vault.metrics();
    let (types, samples) = parse(&found.prometheus());
    for (name, kind) in &types {
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        assert!(name.starts_with("sealite_") || name == "admin_requests_total", "{name}");
    }
    assert_eq!(samples[r#"sealite_requests_total{operation="insert"}"#], 12.0);
    assert_eq!(samples[r#"sealite_transactions_total{outcome="rolled_back"}"#], 7.0);
    assert_eq!(samples["sealite_quota_refused_total"], 1.0);
    assert_eq!(samples["sealite_audit_lost_total"], 1.0);
    assert_eq!(samples["admin_requests_total"], 3.0);
    assert!(samples["sealite_uptime_seconds"] > 0.0);
    for kind in ["read", "write", "commit"] {
        let name = format!("sealite_{kind}_duration_seconds");
        let mut buckets: Vec<(f64, f64)> = samples
            .iter()
            .filter_map(|(series, value)| {
                let bound = series.strip_prefix(&format!("{name}_bucket{{le=\""))?;
                Some((bound.strip_suffix("\"}")?.parse().ok()?, *value))
            })
            .collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(buckets.len(), 26);
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        let count = samples[&format!("{name}_count")];
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)));
        assert!(count >= 1.0 && samples[&format!("{name}_sum")] > 0.0);
    }
}

#[test]
fn c_the_names_that_are_charted_already_are_available() {
    let home = Home::new();
    let vault = lived(&home);
    for name in [
        "requests_total",
        "admin_actions_total",
        "errors_total",
        "breakglass_used_total",
        "token_rotations_total",
    ] {
        vault.count(name, 0).unwrap();
    }
    let names = [
        ("rate_limited_total", "sealite_quota_refused_total"),
        ("uptime_seconds", "sealite_uptime_seconds"),
    ];
    let (types, samples) = parse(&vault.metrics().prometheus_named(&names).unwrap());
    for name in [
        "requests_total",
        "admin_requests_total",
        "admin_actions_total",
        "errors_total",
        "rate_limited_total",
        "breakglass_used_total",
        "token_rotations_total",
    ] {
        assert_eq!(types[name], "counter");
        assert!(samples.contains_key(name), "{name}");
    }
    assert_eq!(types["uptime_seconds"], "gauge");
    assert_eq!(samples["rate_limited_total"], 1.0);
    assert!(!types.contains_key("sealite_uptime_seconds"));
    assert!(types.contains_key("sealite_requests_total"), "what is not named stays");
}

#[test]
fn names_that_prometheus_would_refuse_are_refused() {
    let vault = Vault::in_memory().unwrap();
    for name in ["", "1a", "a-b", "a b", "ä", "a\n", "sealite_mine_total", "a{b=\"c\"}"] {
        assert_eq!(vault.count(name, 1).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
    }
    for number in 0..1_000 {
        vault.count(&format!("n{number}_total"), 1).unwrap();
    }
    assert_eq!(vault.count("one_more_total", 1).unwrap_err().kind(), ErrorKind::Limit);
    vault.count("n7_total", 1).unwrap();
    let metrics = vault.metrics();
    assert_eq!(metrics.application["n7_total"], 2);
    for names in [
        [("busy_total", "sealite_nothing"), ("x", "sealite_busy_total")],
        [("x", "sealite_uptime_seconds"), ("x", "sealite_busy_total")],
        [("n7_total", "sealite_uptime_seconds"), ("x", "sealite_busy_total")],
        [("x y", "sealite_uptime_seconds"), ("x", "sealite_busy_total")],
        [("x", "n7_total"), ("y", "sealite_busy_total")],
        [("x", "sealite_busy_total"), ("y", "sealite_busy_total")],
    ] {
        let error = metrics.prometheus_named(&names).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{names:?}");
    }
}

#[test]
fn no_output_holds_a_secret_a_name_or_a_path() {
    let home = Home::new();
    let vault = lived(&home);
    edit(&home.file(), "UPDATE sealite_catalog SET sealed = x'00'");
    let (health, metrics) = (vault.health(), vault.metrics());
    assert!(health.error.is_some());
    for text in [format!("{health:?}"), format!("{metrics:?}"), metrics.prometheus()] {
        for secret in ["CANARY", "smtp", "people", home.0.path().to_str().unwrap(), "\\x11"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
