//! The demonstration holds, on made-up people and on a database of the user's own, and fails where a plaintext is left.

#![allow(clippy::unwrap_used)] // a failure ends the test

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sealite::Vault;
use sealite_benches::Outcome;
use sealite_benches::demo::{Options, run};
use sealite_benches::people::people;

const PEOPLE: usize = 200;

fn options(folder: &Path) -> Options<'static> {
    Options {
        database: None,
        table: None,
        columns: None,
        people: PEOPLE,
        pairs: 1,
        folder: folder.join("demo"),
        meddle: None,
    }
}

fn shown(options: &Options<'_>) -> (bool, String) {
    let mut out = Vec::new();
    let holds = run(options, &mut out).unwrap();
    (holds, String::from_utf8(out).unwrap())
}

/// The lines of the claims: (those that hold, those that failed).
fn claims(report: &str) -> (usize, usize) {
    let count =
        |mark: &str| report.lines().filter(|line| line.trim_start().starts_with(mark)).count();
    (count("ok  "), count("FAILED  "))
}

#[test]
fn every_claim_holds_on_made_up_people() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let (holds, report) = shown(&options);
    assert!(holds, "{report}");
    assert_eq!(claims(&report), (10, 0), "{report}");
    assert!(report.lines().count() < 60, "{report}");
    for said in
        ["400 of 400 are in the", "0 of 1,", "row 200 of table users is not what was written"]
    {
        assert!(report.contains(said), "{said} in\n{report}");
    }
    // The vault that stays is the one that was shown, and nothing of the work is left beside it.
    let key = sealite::Unlock::key_file(options.folder.join("vault.key")).unwrap();
    let vault = Vault::open(options.folder.join("vault.db"), &key).unwrap();
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    assert_eq!(vault.table("users").unwrap().count().unwrap(), PEOPLE as u64);
    vault.close();
    let mut left: Vec<_> =
        options.folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.retain(|name| {
        !name.to_string_lossy().ends_with("-wal") && !name.to_string_lossy().ends_with("-shm")
    });
    left.sort();
    assert_eq!(left, ["people.db", "vault.db", "vault.key"]);
    // It may be run again over its own files.
    assert!(shown(&options).0);
}

/// Leaves one person's original `value` in clear in the vault's file.
fn planted(value: impl Fn(&sealite_benches::people::Person) -> String) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let person = people(PEOPLE, 1).nth(56).unwrap();
    let value = value(&person);
    let plant = move |vault: &Vault| -> Outcome<()> {
        vault.execute("CREATE TABLE notes (note TEXT)", &[])?;
        vault.execute("INSERT INTO notes VALUES (?)", &[value.as_str().into()])?;
        Ok(())
    };
    shown(&Options { meddle: Some(&plant), ..options(folder.path()) })
}

#[test]
fn planted_plaintext_of_any_sealed_column_fails_the_demonstration() {
    let (holds, report) = planted(|person| format!("call {} back", person.phone));
    assert!(!holds, "{report}");
    // In the copies of the open vault, and in the closed one.
    assert_eq!(claims(&report).1, 2, "{report}");
    assert!(report.contains("2 CLAIMS FAILED"), "{report}");
    assert!(!planted(|person| person.email.clone()).0);
    assert!(!planted(|person| person.email.to_lowercase()).0);
    assert!(!planted(|person| person.address.clone()).0);
    // What was never sealed does not fail it.
    assert!(planted(|_| "nothing that is anybody's".to_owned()).0);
}

#[test]
fn damaged_vault_fails_the_demonstration() {
    let folder = tempfile::tempdir().unwrap();
    let drop_a_row = |vault: &Vault| -> Outcome<()> {
        assert!(vault.table("users")?.delete(77)?);
        Ok(())
    };
    let (holds, report) = shown(&Options { meddle: Some(&drop_a_row), ..options(folder.path()) });
    assert!(!holds, "{report}");
}

/// A database as somebody else might have made it: a text key, duplicates, NULLs, numbers as phones.
fn own_database(folder: &Path) -> PathBuf {
    let path = folder.join("crm.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE TABLE log (line); CREATE TABLE contacts (
             uuid TEXT PRIMARY KEY, contactEmail TEXT, tel INTEGER, lastName TEXT, street TEXT, vip BOOLEAN, score REAL,
             photo BLOB, misc)",
    )
    .unwrap();
    for person in people(PEOPLE, 9) {
        let n = person.id;
        let email = if n % 50 == 0 { "Shared@office.example".to_owned() } else { person.email };
        let name = (n % 7 != 0).then_some(person.name);
        conn.execute(
            "INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, randomblob(20), iif(?, 'x', 5))",
            rusqlite::params![
                format!("c-{n:x}"),
                email,
                5_550_100_000 + n,
                name,
                person.address,
                n % 2,
                f64::from(u32::try_from(n).unwrap()) / 3.0,
                n % 2
            ],
        )
        .unwrap();
    }
    path
}

#[test]
fn every_claim_holds_on_a_database_of_the_users_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = own_database(folder.path());
    let before = std::fs::read(&path).unwrap();
    let own = Options {
        database: Some(path.clone()),
        table: Some("contacts".into()),
        ..options(folder.path())
    };
    let (holds, report) = shown(&own);
    assert!(holds, "{report}");
    assert!(report.lines().count() < 60, "{report}");
    for said in
        ["contactEmail (lookup, email)", "has duplicates", "misc left out", "vip, score, photo"]
    {
        assert!(report.contains(said), "{said} in\n{report}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before, "the user's database was written to");
    // Nobody's data is printed.
    for person in people(PEOPLE, 9) {
        assert!(!report.contains(&person.email) && !report.contains(&person.address), "{report}");
    }
    // The columns may be named instead.
    let columns = Some(vec!["street".to_owned(), "photo".to_owned()]);
    let (holds, report) = shown(&Options { columns, ..own });
    assert!(holds && report.contains("street, photo"), "{report}");
}

#[test]
fn users_database_is_never_taken_for_the_demonstrations_own() {
    let folder = tempfile::tempdir().unwrap();
    let made = options(folder.path());
    assert!(shown(&made).0);
    let path = made.folder.join("people.db");
    let own = Options { database: Some(path.clone()), ..options(folder.path()) };
    let refused = run(&own, &mut Vec::new()).unwrap_err();
    assert!(refused.to_string().contains("own file") && path.exists());
    let absent =
        Options { database: Some(folder.path().join("absent.db")), ..options(folder.path()) };
    assert!(run(&absent, &mut Vec::new()).is_err());
}
