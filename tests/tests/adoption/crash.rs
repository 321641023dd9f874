//! An adoption that is killed at any moment is finished by the same call, with every row as it was, in bounded memory.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;
use sealite::{AdoptionPlan, Erasure, Vault};
use sealite_tests::process::{Stage, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_integrity, open_in, unlock_in};

use super::world::{SECRET, adopt, anywhere, fill, rows, sealed_rows};

const USERS: &str =
    "SELECT id, email, name, role, plan FROM users WHERE id BETWEEN ?1 AND ?1 + 9999 ORDER BY id";
const KILLS: usize = 20;

const TABLES: &str = "
[tables.users]
email = 'sealed unique email'
name = 'sealed'
role = 'authenticated'
[tables.notes]
body = { is = 'sealed', when = 'secret', into = 'secret_body' }
";
const MOVED: &str = "remove = true
[tables.users]
email = 'sealed unique email'
name = 'sealed'
[tables.notes]
body = 'sealed'
";
const VALUES: &str = "as = 'values'
[tables.users]
email = 'sealed unique email'
name = 'sealed'
[tables.notes]
body = { is = 'sealed', when = 'secret' }
";

/// Numbers that are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// In a process of its own: adopts, and tells each step.
fn adopts(folder: &Path, plan: &str) {
    let plan = AdoptionPlan::from_toml(plan).unwrap();
    let plan = if in_place(folder) { plan } else { plan.source(folder.join("app.db")) };
    let vault = open_in(folder);
    let report = vault
        .adopt(&plan, |progress| {
            tell(format_args!("{} {}", progress.phase.name(), progress.table));
            true
        })
        .unwrap();
    assert_eq!(report.erasure, Erasure::Complete);
    tell(format_args!("done {}", peak()));
}

/// The most memory that this process has had, in bytes.
pub(crate) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn in_place(folder: &Path) -> bool {
    !folder.join("app.db").exists()
}

/// Where a process is killed: so many steps after the first that begins so.
fn moments(numbers: &mut Numbers, steps: u64) -> Vec<(&'static str, u64)> {
    let mut moments = Vec::new();
    // Anywhere on the way through: all together they are no whole adoption.
    let mut targets: Vec<u64> = (0..KILLS - 8).map(|_| numbers.below(steps * 9 / 10)).collect();
    targets.sort_unstable();
    let mut last = 0;
    for target in targets {
        moments.push(("", target - last));
        last = target;
    }
    // What can't be taken up in the middle: the comparison, of each table, and the erasure.
    moments.extend((0..2).map(|_| ("verifying users", numbers.below(8))));
    moments.extend((0..3).map(|_| ("verifying notes", numbers.below(8))));
    moments.extend((0..3).map(|_| ("erasing", 0)));
    moments
}

/// Adopts in processes that are killed, and at last in one that is not; after how many steps.
fn killed(stage: &Stage, home: &Home, steps: u64) -> Vec<String> {
    let mut numbers = Numbers(steps);
    let mut killed = Vec::new();
    for (first, more) in moments(&mut numbers, steps) {
        let mut process = stage.process("adopts", home.folder());
        let (mut heard, mut left) = (0, None);
        while left != Some(0) {
            let said = process.hear();
            heard += 1;
            if said.starts_with("done") {
                break;
            }
            left = match left {
                Some(left) => Some(left - 1),
                None => said.starts_with(first).then_some(more),
            };
        }
        // A moment later than a step, and at times in the middle of the next.
        std::thread::sleep(std::time::Duration::from_micros(numbers.below(30_000)));
        process.kill();
        killed.push(format!("{first} {heard}"));
    }
    let mut last = stage.process("adopts", home.folder());
    while !last.hear().starts_with("done") {}
    killed
}

struct Before {
    users: i64,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

/// A home with the application's database in it, as its vault or beside it; and a copy to compare with.
fn prepared(users: i64, in_place: bool) -> (Home, Before) {
    let home = Home::new();
    home.share_key();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("before.db");
    fill(&file, users);
    Connection::open(&file).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    start(&home, &file, in_place);
    (home, Before { users, file, _folder: folder })
}

fn start(home: &Home, file: &Path, in_place: bool) {
    let path = if in_place { home.file() } else { home.folder().join("app.db") };
    std::fs::copy(file, path).unwrap();
    let mut config = sealite::Config::default();
    config.existing_database = true;
    let vault = Vault::at_with(home.file(), config).unwrap();
    vault.initialise(&unlock_in(home.folder())).unwrap();
}

/// How many steps an adoption takes that nobody kills, and the most memory of it.
fn whole(stage: &Stage, before: &Before, in_place: bool) -> (u64, u64) {
    let home = Home::new();
    home.share_key();
    start(&home, &before.file, in_place);
    let mut process = stage.process("adopts", home.folder());
    let mut steps = 0;
    loop {
        let said = process.hear();
        if let Some(peak) = said.strip_prefix("done ") {
            return (steps, peak.parse().unwrap());
        }
        steps += 1;
    }
}

/// Compares every row with the copy; `read` gives those of the adopted side, ten thousand from an id on.
fn compare(before: &Before, mut read: impl FnMut(i64) -> [Vec<Vec<Value>>; 2]) {
    let conn = Connection::open(&before.file).unwrap();
    let notes =
        "SELECT id, user_id, body, secret FROM notes WHERE id BETWEEN ?1 AND ?1 + 9999 ORDER BY id";
    let mut compared = 0;
    for from in (1..=before.users * 2).step_by(10_000) {
        let wanted = [USERS, notes].map(|sql| rows(&conn, &sql.replace("?1", &from.to_string())));
        compared += wanted.iter().map(Vec::len).sum::<usize>();
        assert!(read(from) == wanted, "rows from {from} on");
    }
    assert_eq!(compared, usize::try_from(before.users * 3).unwrap());
}

/// More than the engine needs for itself, and far less than the rows take.
fn assert_bounded(peak: u64, small: u64) {
    let grown = peak.saturating_sub(small);
    tell(format_args!(
        "memory: {} KiB for few rows, {} KiB more for all",
        small / 1024,
        grown / 1024
    ));
    assert!(grown < 32 << 20, "{grown} bytes more than for few rows");
}

fn play(test: &'static str, plan: &'static str, in_place: bool, check: fn(&Home, &Before)) {
    staged(test, scaled(300, 3_600), |stage| {
        if stage.role() == "adopts" {
            return adopts(&stage.path(), plan);
        }
        // A third of all rows are users; the others are their notes.
        let users = scaled(50_000, 1_000_000) / 3;
        let (_home, few) = prepared(100, in_place);
        let (_, small) = whole(stage, &few, in_place);
        let (home, before) = prepared(users, in_place);
        let started = std::time::Instant::now();
        let (steps, peak) = whole(stage, &before, in_place);
        tell(format_args!("{} rows in {:?}, {steps} steps", users * 3, started.elapsed()));
        assert_bounded(peak, small);
        let moments = killed(stage, &home, steps);
        tell(format_args!("killed after steps: {}", moments.join(",")));
        assert_eq!(moments.len(), KILLS);
        check(&home, &before);
        assert_eq!(anywhere(home.folder(), SECRET), [] as [PathBuf; 0]);
        assert_integrity(&home.file());
    });
}

#[test]
fn a_killed_adoption_in_place_ends_equal_to_the_original() {
    let test = "crash::a_killed_adoption_in_place_ends_equal_to_the_original";
    play(test, TABLES, true, |home, before| {
        let vault = home.open();
        let notes = "SELECT id, user_id, coalesce(secret_body, body), secret FROM notes
                     WHERE id BETWEEN ?1 AND ?1 + 9999 ORDER BY id";
        compare(before, |from| {
            [USERS, notes].map(|sql| sealed_rows(&vault, &sql.replace("?1", &from.to_string())))
        });
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.close();
    });
}

#[test]
fn a_killed_move_into_a_vault_ends_equal_to_the_original() {
    let test = "crash::a_killed_move_into_a_vault_ends_equal_to_the_original";
    play(test, MOVED, false, |home, before| {
        let vault = home.open();
        let notes = "SELECT id, user_id, body, secret FROM notes WHERE id BETWEEN ?1 AND ?1 + 9999 ORDER BY id";
        compare(before, |from| {
            [USERS, notes].map(|sql| sealed_rows(&vault, &sql.replace("?1", &from.to_string())))
        });
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.close();
        let conn = Connection::open(home.folder().join("app.db")).unwrap();
        assert!(rows(&conn, "SELECT name FROM sqlite_master").is_empty());
    });
}

#[test]
fn a_killed_sealing_of_values_ends_equal_to_the_original() {
    let test = "crash::a_killed_sealing_of_values_ends_equal_to_the_original";
    play(test, VALUES, false, |home, before| {
        let vault = home.open();
        let [email, name, body] =
            ["users.email", "users.name", "notes.body"].map(|label| vault.field(label).unwrap());
        let conn = Connection::open(home.folder().join("app.db")).unwrap();
        let notes = "SELECT id, user_id, body, secret FROM notes WHERE id BETWEEN ?1 AND ?1 + 9999 ORDER BY id";
        compare(before, |from| {
            let mut found =
                [USERS, notes].map(|sql| rows(&conn, &sql.replace("?1", &from.to_string())));
            for (table, column, field) in [(0, 1, &email), (0, 2, &name), (1, 2, &body)] {
                for row in &mut found[table] {
                    if let Value::Blob(sealed) = &row[column] {
                        let opened = field.open(sealed, None).unwrap();
                        row[column] = Value::Text(opened.as_ref().as_str().unwrap().to_owned());
                    }
                }
            }
            found
        });
        let plain = "SELECT 1 FROM users WHERE typeof(email) <> 'blob' OR email_bidx IS NULL";
        assert!(rows(&conn, plain).is_empty());
        drop(conn);
        assert_integrity(&home.folder().join("app.db"));
        let again = AdoptionPlan::from_toml(VALUES).unwrap().source(home.folder().join("app.db"));
        let again = adopt(&vault, &again);
        assert!(again.tables.iter().all(|table| table.was_done));
        vault.close();
    });
}
