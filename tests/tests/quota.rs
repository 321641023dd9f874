//! Quotas over processes, restarts, kills, clocks, tenants and edits from outside.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_wrap
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sealite::{ErrorKind, Limit, Unlock, Vault};

const KEY: [u8; 32] = *b"\x11\x52\x93\xa4\x15\x06\x77\xe8\x99\x0a\xbb\x2c\xcd\x3e\x4f\x50\
    \x61\xd2\x83\x74\x95\xf6\x17\xb8\x29\x4a\xcb\x6c\x0d\xee\x1f\x90";
/// 2027-01-15, in milliseconds since 1970.
const NOW: i64 = 4_102_444_800_000;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("vault.db")
    }

    fn create(&self) -> Vault {
        Vault::create(self.file(), &Unlock::key(&KEY).unwrap()).unwrap()
    }

    fn open(&self) -> Vault {
        open(&self.file())
    }

    /// The lengths of all files of the vault, closed.
    fn size(&self) -> u64 {
        std::fs::metadata(self.file()).unwrap().len()
    }

    fn outside(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }
}

fn open(file: &Path) -> Vault {
    Vault::open(file, &Unlock::key(&KEY).unwrap()).unwrap()
}

/// Runs this very test in another process, which finds its part in the environment.
fn part(test: &str, part: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("SEALITE_PART", part)
        .env("SEALITE_PART_FILE", file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

fn my_part() -> Option<(String, PathBuf)> {
    let part = std::env::var("SEALITE_PART").ok()?;
    Some((part, std::env::var_os("SEALITE_PART_FILE").unwrap().into()))
}

fn scaled(quick: usize, full: usize) -> usize {
    if std::env::var_os("SEALITE_TEST_FULL").is_some_and(|v| v == "1") { full } else { quick }
}

fn sliding(count: u32, ms: u64) -> Limit {
    Limit::sliding(count, Duration::from_millis(ms)).unwrap()
}

fn micros() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

#[test]
fn eight_processes_on_one_key_never_pass_more_than_the_limit_in_any_window() {
    let limits = [sliding(15, 200), sliding(50, 1_000)];
    if let Some((name, file)) = my_part() {
        let quotas = open(&file).quotas();
        // Each adds a byte for what has passed; all stop when that is enough to prove something.
        let (shared, mut log) = (file.with_extension("passed"), String::new());
        let passed = || std::fs::metadata(&shared).map_or(0, |about| about.len());
        let mut sign = std::fs::File::options().append(true).create(true).open(&shared).unwrap();
        while passed() < scaled(200, 1_000) as u64 {
            let before = micros();
            match quotas.check_and_charge("203.0.113.7", &limits, 1) {
                Ok(decision) if decision.allowed => {
                    writeln!(log, "{before} {}", micros()).unwrap();
                    sign.write_all(b".").unwrap();
                }
                Ok(decision) => assert!(decision.retry_after > Duration::ZERO),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{error}"),
            }
        }
        std::fs::write(file.with_extension(name), log).unwrap();
        return;
    }
    let home = Home::new();
    drop(home.create());
    let test = "eight_processes_on_one_key_never_pass_more_than_the_limit_in_any_window";
    let children: Vec<Child> =
        (0..8).map(|n| part(test, &format!("log{n}"), &home.file())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut passed = Vec::new();
    for n in 0..8 {
        let log = std::fs::read_to_string(home.file().with_extension(format!("log{n}"))).unwrap();
        for line in log.lines() {
            let (before, after) = line.split_once(' ').unwrap();
            passed.push((before.parse::<u128>().unwrap(), after.parse::<u128>().unwrap()));
        }
    }
    assert!(passed.len() >= scaled(200, 1_000), "{} passed", passed.len());
    for limit in limits {
        for (start, _) in &passed {
            // The clock of quotas counts whole milliseconds.
            let end = start + limit.window().as_micros() - 1_000;
            let within = passed.iter().filter(|(before, after)| before >= start && *after < end);
            assert!(within.count() <= limit.count() as usize, "{limit}");
        }
    }
}

#[test]
fn killing_a_process_loses_at_most_the_charge_it_was_in() {
    let limits = [sliding(1_000_000, 86_400_000)];
    if let Some((_, file)) = my_part() {
        let quotas = open(&file).quotas();
        let mut log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file.with_extension("log"))
            .unwrap();
        loop {
            quotas.check_and_charge("job", &limits, 1).unwrap();
            log.write_all(b".").unwrap();
        }
    }
    let home = Home::new();
    drop(home.create());
    let log = home.file().with_extension("log");
    let logged = || std::fs::metadata(&log).map_or(0, |about| about.len());
    let kills = scaled(12, 100) as u64;
    for n in 0..kills {
        let before = logged();
        let mut child =
            part("killing_a_process_loses_at_most_the_charge_it_was_in", "charge", &home.file());
        while logged() < before + 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(n * 397 % 5_000));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let left = home.open().quotas().peek("job", &limits).unwrap().remaining;
    let used = 1_000_000 - u64::from(left);
    assert!(used >= logged(), "{used} are kept of {} that were told", logged());
    assert!(used <= logged() + kills, "{used} are kept of {}", logged());
}

#[test]
fn many_distinct_keys_stay_below_the_stated_bound_and_are_cleaned_up() {
    let keys = scaled(20_000, 1_000_000);
    // As the documentation of Quotas states it, and 128 KiB for the vault itself.
    let bound = 256 * keys as u64 + 128 * 1024;
    let limits = Limit::parse("30/minute").unwrap();
    let home = Home::new();
    let vault = home.create();
    let rows = || -> usize {
        let sql = "SELECT count(*) FROM sealite_quotas_sealed";
        home.outside().query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize
    };
    let chunk = (keys / 400).max(1);
    let charge_all = |vault: &Vault, round: &str, at: i64| {
        let quotas = vault.quotas();
        let mut left = if round == "first" { 0 } else { rows() };
        for n in 0..keys {
            // All of one round within a quarter of a minute.
            vault.set_clock(Some(at + (n * 15_000 / keys) as i64));
            let key = format!("login:{round}:198.51.100.{n}");
            assert!(quotas.check_and_charge(&key, &limits, 1).unwrap().allowed);
            // Nobody pays for the cleaning: a charge adds a row and removes four at most.
            if n % chunk == chunk - 1 {
                let now = rows();
                assert!(now + 3 * chunk >= left, "{left} rows, {chunk} charges later {now}");
                left = now;
            }
        }
    };
    charge_all(&vault, "first", NOW);
    vault.close();
    assert!(home.size() < bound, "{} bytes for {keys} keys", home.size());

    // Everything of the first round is over: the second finds its room, and nobody pays for it in one call.
    let vault = home.open();
    charge_all(&vault, "second", NOW + 120_000);
    vault.close();
    assert!(home.size() < bound, "{} bytes after a second round", home.size());
    assert_eq!(rows(), keys, "the rows of the first round have gone");

    let vault = home.open();
    vault.set_clock(Some(NOW + 300_000));
    assert_eq!(vault.quotas().sweep().unwrap(), keys as u64);
    assert_eq!(vault.quotas().sweep().unwrap(), 0);
    vault.close();
    assert_eq!(rows(), 0);
}

#[test]
fn keys_with_full_windows_stay_below_the_stated_bound() {
    let (keys, limits) = (scaled(300, 3_000), [sliding(1_000_000, 3_600_000)]);
    let home = Home::new();
    let vault = home.create();
    let quotas = vault.quotas();
    for n in 0..80 {
        vault.set_clock(Some(NOW + n * 59_999));
        for key in 0..keys {
            quotas.check_and_charge(&key.to_string(), &limits, 999).unwrap();
        }
    }
    vault.close();
    let bound = 512 * keys as u64 + 128 * 1024;
    assert!(home.size() < bound, "{} bytes for {keys} keys", home.size());
}

#[test]
fn limits_survive_a_restart() {
    let limits = Limit::parse("3/minute; 100/day").unwrap();
    let home = Home::new();
    let vault = home.create();
    for left in [2, 1, 0] {
        let decision = vault.quotas().check_and_charge("a", &limits, 1).unwrap();
        assert_eq!((decision.allowed, decision.remaining), (true, left));
    }
    drop(vault);
    let quotas = home.open().quotas();
    let refused = quotas.check_and_charge("a", &limits, 1).unwrap();
    assert!(!refused.allowed && refused.limit == 0);
    assert!(refused.retry_after > Duration::from_secs(50));
    assert!(quotas.check_and_charge("b", &limits, 3).unwrap().allowed);
}

#[test]
fn charges_are_counted_whatever_the_clock_shows() {
    let limits = [Limit::fixed(3, Duration::from_secs(86_400)).unwrap()];
    // The last clock at which a window still has an end.
    let last = i64::MAX - 2 * 86_400_000;
    for clock in [i64::MIN, i64::MIN + 1, -1, 0, 1, last] {
        let vault = Vault::in_memory().unwrap();
        vault.set_clock(Some(clock));
        for left in [2, 1, 0] {
            let decision = vault.quotas().check_and_charge("a", &limits, 1).unwrap();
            assert_eq!((decision.allowed, decision.remaining), (true, left), "at {clock}");
        }
        assert!(!vault.quotas().peek("a", &limits).unwrap().allowed, "at {clock}");
        // Beyond it there is an answer, too.
        vault.set_clock(Some(i64::MAX));
        vault.quotas().check_and_charge("a", &limits, 1).unwrap();
    }
}

#[test]
fn clock_that_is_set_to_the_beginning_of_1970_is_not_the_systems() {
    let vault = Vault::in_memory().unwrap();
    let seen = || {
        vault.audit().append(&sealite::Entry::new("user.login")).unwrap();
        vault.audit().tail(1).unwrap()[0].at()
    };
    vault.set_clock(Some(0));
    assert_eq!(seen(), 0);
    vault.set_clock(None);
    assert!(seen() > NOW / 4);
}

#[test]
fn a_clock_set_back_between_two_processes_gives_nothing_back() {
    let limits = Limit::parse("5/minute").unwrap();
    let home = Home::new();
    let vault = home.create();
    vault.set_clock(Some(NOW));
    assert!(vault.quotas().check_and_charge("a", &limits, 5).unwrap().allowed);
    drop(vault);
    let hour = 3_600_000;
    let vault = home.open();
    vault.set_clock(Some(NOW - hour));
    let quotas = vault.quotas();
    let refused = quotas.peek("a", &limits).unwrap();
    assert!(!refused.allowed);
    assert_eq!(refused.retry_after, Duration::from_secs(60), "for its window, not for the hour");
    vault.set_clock(Some(NOW - hour + 59_999));
    assert!(!quotas.check_and_charge("a", &limits, 1).unwrap().allowed);
    vault.set_clock(Some(NOW - hour + 60_000));
    assert!(quotas.check_and_charge("a", &limits, 5).unwrap().allowed);
}

#[test]
fn tenants_and_the_vault_count_apart() {
    let limits = Limit::parse("2/hour").unwrap();
    let home = Home::new();
    let vault = home.create();
    let (acme, beta) = (vault.tenant("acme").unwrap(), vault.tenant("beta").unwrap());
    assert!(acme.quotas().check_and_charge("ada", &limits, 2).unwrap().allowed);
    assert!(!acme.quotas().peek("ada", &limits).unwrap().allowed);
    assert_eq!(beta.quotas().peek("ada", &limits).unwrap().remaining, 2);
    assert!(beta.quotas().check_and_charge("ada", &limits, 1).unwrap().allowed);
    assert!(vault.quotas().check_and_charge("ada", &limits, 1).unwrap().allowed);
    assert!(!beta.quotas().reset("nobody").unwrap());
    assert!(beta.quotas().reset("ada").unwrap());
    assert_eq!(beta.quotas().peek("ada", &limits).unwrap().remaining, 2);
    assert!(!acme.quotas().check_and_charge("ada", &limits, 1).unwrap().allowed);
    assert_eq!(vault.quotas().peek("ada", &limits).unwrap().remaining, 1);
}

#[test]
fn a_key_stands_nowhere_in_the_file() {
    let home = Home::new();
    let vault = home.create();
    let key = "login:ada.lovelace@example.org";
    vault.quotas().check_and_charge(key, &Limit::parse("9/day").unwrap(), 1).unwrap();
    for entry in std::fs::read_dir(home.0.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for part in ["lovelace", "login:"] {
            assert!(!bytes.windows(part.len()).any(|window| window == part.as_bytes()));
        }
    }
}

#[test]
fn a_row_edited_or_exchanged_from_outside_is_refused_and_stops_no_other_key() {
    let limits = Limit::parse("2/minute").unwrap();
    for edit in [
        "UPDATE sealite_quotas_sealed SET expires = 1 WHERE sealite_rowid = 1",
        "UPDATE sealite_quotas_sealed SET expires = expires + 1 WHERE sealite_rowid = 1",
        "UPDATE sealite_quotas_sealed SET sealed = (SELECT sealed FROM sealite_quotas_sealed WHERE sealite_rowid = 2),
             expires = (SELECT expires FROM sealite_quotas_sealed WHERE sealite_rowid = 2) WHERE sealite_rowid = 1",
        "UPDATE sealite_quotas_sealed SET sealed = x'00' WHERE sealite_rowid = 1",
    ] {
        let home = Home::new();
        let vault = home.create();
        vault.set_clock(Some(NOW));
        vault.quotas().check_and_charge("full", &limits, 2).unwrap();
        vault.quotas().check_and_charge("other", &limits, 1).unwrap();
        vault.close();
        assert_eq!(home.outside().execute(edit, []).unwrap(), 1);

        let vault = home.open();
        vault.set_clock(Some(NOW));
        let quotas = vault.quotas();
        for result in [
            quotas.check_and_charge("full", &limits, 1),
            quotas.peek("full", &limits),
            quotas.charge_failure("full", &limits),
        ] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::AuthenticationFailed, "{edit}");
        }
        assert!(quotas.check_and_charge("other", &limits, 1).unwrap().allowed);
        assert_eq!(quotas.sweep().unwrap(), 0);
        let still = quotas.check_and_charge("full", &limits, 1);
        assert_eq!(still.unwrap_err().kind(), ErrorKind::AuthenticationFailed, "{edit}");
    }
}

#[test]
fn a_charge_inside_a_transaction_is_refused_and_a_roll_back_keeps_those_made_before() {
    let limits = Limit::parse("5/minute").unwrap();
    let home = Home::new();
    let vault = home.create();
    let quotas = vault.quotas();
    quotas.check_and_charge("a", &limits, 1).unwrap();
    let transaction = vault.begin().unwrap();
    for result in [quotas.check_and_charge("a", &limits, 1), quotas.charge_failure("a", &limits)] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Refused);
    }
    assert_eq!(quotas.peek("a", &limits).unwrap().remaining, 4);
    transaction.roll_back().unwrap();
    assert_eq!(quotas.check_and_charge("a", &limits, 1).unwrap().remaining, 3);
}

#[test]
fn other_transactions_keep_their_durability() {
    let home = Home::new();
    let vault = home.create();
    let level = || {
        let transaction = vault.begin().unwrap();
        let rows = transaction.query("PRAGMA synchronous", &[]).unwrap();
        rows.rows[0][0].as_ref().as_i64().unwrap()
    };
    assert_eq!(level(), 2, "FULL");
    for _ in 0..3 {
        let limits = Limit::parse("5/minute").unwrap();
        vault.quotas().check_and_charge("a", &limits, 1).unwrap();
        assert_eq!(level(), 2, "FULL");
    }
}

#[test]
fn rate_limits_count_failed_attempts_and_a_blocked_attempt_costs_nothing_more() {
    let limits = Limit::parse("3/minute").unwrap();
    let vault = Vault::in_memory().unwrap();
    let quotas = vault.quotas();
    vault.set_clock(Some(NOW));
    for _ in 0..3 {
        assert!(quotas.peek("admin:192.0.2.1", &limits).unwrap().allowed);
        quotas.charge_failure("admin:192.0.2.1", &limits).unwrap();
    }
    for later in [1, 20_000, 59_999] {
        vault.set_clock(Some(NOW + later));
        let blocked = quotas.peek("admin:192.0.2.1", &limits).unwrap();
        assert!(!blocked.allowed);
        assert_eq!(blocked.retry_after.as_millis() as i64, 60_000 - later);
        assert!(!quotas.check_and_charge("admin:192.0.2.1", &limits, 1).unwrap().allowed);
    }
    vault.set_clock(Some(NOW + 60_000));
    assert!(quotas.check_and_charge("admin:192.0.2.1", &limits, 3).unwrap().allowed);
}

#[test]
fn what_can_never_be_allowed_is_an_error_and_not_a_refusal() {
    let vault = Vault::in_memory().unwrap();
    let quotas = vault.quotas();
    let limits = Limit::parse("3/minute").unwrap();
    let many = vec![limits[0]; 9];
    for (result, kind) in [
        (quotas.check_and_charge("", &limits, 1), ErrorKind::InvalidInput),
        (quotas.check_and_charge("a", &[], 1), ErrorKind::InvalidInput),
        (quotas.check_and_charge("a", &limits, 0), ErrorKind::InvalidInput),
        (quotas.check_and_charge("a", &limits, 4), ErrorKind::InvalidInput),
        (quotas.peek("a", &many), ErrorKind::Limit),
    ] {
        assert_eq!(result.unwrap_err().kind(), kind);
    }
    vault.lock();
    assert_eq!(quotas.peek("a", &limits).unwrap_err().kind(), ErrorKind::Locked);
}
