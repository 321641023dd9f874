//! Damaged files: whatever is cut off or flipped, what is returned is what was written, or an error.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::collections::BTreeMap;

use sealite::{Alteration, Error, ErrorKind, IdRef, Vault, values};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_integrity, people};

/// A closed vault of 60 people, and what they are.
fn populated(home: &Home) -> BTreeMap<i64, (String, String, String)> {
    let vault = home.create();
    let table = vault.table("people").unwrap();
    let mut rows = BTreeMap::new();
    for n in 0..60 {
        let (email, name) = (format!("p{n}@example.org"), "n".repeat(20 * n));
        let role = if n % 3 == 0 { "admin" } else { "user" };
        let row = values! {"email" => &email, "name" => &name, "role" => role};
        rows.insert(table.insert(row).unwrap().as_i64().unwrap(), (email, name, role.to_owned()));
    }
    rows
}

/// What a damaged vault may say.
const DAMAGE: &[ErrorKind] = &[
    ErrorKind::NotAVault,
    ErrorKind::Corrupt,
    ErrorKind::NotInitialised,
    ErrorKind::NewerFormat,
    ErrorKind::WrongKey,
    ErrorKind::AuthenticationFailed,
    ErrorKind::UnknownKey,
    ErrorKind::DestroyedKey,
    ErrorKind::NotFound,
    ErrorKind::NotIndexed,
    ErrorKind::Sql,
    ErrorKind::Io,
    ErrorKind::Conflict,
    ErrorKind::Full,
    ErrorKind::ReadOnly,
    ErrorKind::Limit,
    ErrorKind::Definition,
];

/// Uses a damaged vault in every way: what it returns is what was written, or an error. True where nothing was noticed.
fn survive(home: &Home, rows: &BTreeMap<i64, (String, String, String)>) -> bool {
    let mut noticed = false;
    let mut check = |result: Result<(), Error>| {
        if let Err(error) = result {
            assert!(DAMAGE.contains(&error.kind()), "{error}");
            noticed = true;
        }
    };
    let vault = match Vault::open(home.file(), &home.unlock()) {
        Ok(vault) => vault,
        Err(error) => {
            check(Err(error));
            return !noticed;
        }
    };
    let fits = |row: &sealite::Row| {
        let IdRef::Integer(id) = row.id() else { panic!("an integer key") };
        let read = ["email", "name", "role"].map(|column| row.text(column).unwrap());
        let (email, name, role) = &rows[&id];
        assert_eq!(read, [email, name, role]);
    };
    check(vault.define_table(&people()).map(|_| ()));
    let table = vault.table_handle("people");
    let mut found = 0;
    match table.scan() {
        Ok(scan) => {
            for row in scan {
                found += usize::from(row.is_ok());
                check(row.map(|row| fits(&row)));
            }
        }
        Err(error) => check(Err(error)),
    }
    for id in rows.keys().step_by(7) {
        check(table.get(*id).map(|row| row.iter().for_each(fits)));
        let (email, ..) = &rows[id];
        check(table.find("email", email).map(|found| found.iter().for_each(fits)));
    }
    match vault.verify(|_| ()) {
        Ok(verification) => noticed |= !verification.is_sound(),
        Err(error) => check(Err(error)),
    }
    let mut check = |result: Result<(), Error>| {
        if let Err(error) = result {
            assert!(DAMAGE.contains(&error.kind()), "{error}");
            noticed = true;
        }
    };
    check(table.insert(values! {"email" => "new@example.org"}).map(|_| ()));
    check(table.update(8, values! {"name" => "changed"}).map(|_| ()));
    check(table.delete(15).map(|_| ()));
    check(vault.alter_table("people", &Alteration::DropIndex("email".into())).map(|_| ()));
    vault.close();
    !noticed && found == rows.len()
}

#[test]
fn file_cut_short_at_any_length_is_an_error_and_no_wrong_value() {
    let home = Home::new();
    let rows = populated(&home);
    let whole = std::fs::read(home.file()).unwrap();
    let mut lengths: Vec<usize> = vec![1, 15, 16, 20, 99, 100, 101, 511, 512, 4_095, 4_096, 4_097];
    lengths.extend((0..whole.len()).step_by(whole.len() / scaled(60, 2_000)));
    for length in lengths {
        let copy = Home::new_with_key_of(&home);
        std::fs::write(copy.file(), &whole[..length]).unwrap();
        assert!(!survive(&copy, &rows), "cut to {length} of {} unnoticed", whole.len());
    }
}

#[test]
fn flipped_bits_are_an_error_and_no_wrong_value() {
    let home = Home::new();
    let rows = populated(&home);
    let whole = std::fs::read(home.file()).unwrap();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 11).unwrap() % below
    };
    let rounds = scaled(250, 5_000);
    let mut noticed = 0;
    for round in 0..rounds {
        let mut bytes = whole.clone();
        // One bit, one byte, or a stretch; the first pages as often as all others.
        let area = if round % 2 == 0 { bytes.len() } else { 8 * 4_096 };
        let (at, count) = (random(area), [1, 1, 1, 40][round % 4]);
        for byte in bytes.iter_mut().skip(at).take(count) {
            *byte ^= if round % 3 == 0 { 1 << random(8) } else { random(255) as u8 + 1 };
        }
        let copy = Home::new_with_key_of(&home);
        std::fs::write(copy.file(), bytes).unwrap();
        noticed += usize::from(!survive(&copy, &rows));
    }
    // The others fell on free space.
    assert!(noticed > rounds / 4, "{noticed} of {rounds}");
}

#[test]
fn log_cut_short_gives_a_prefix_of_the_commits() {
    let home = Home::new();
    let vault = home.create();
    vault.close();
    let vault = home.open();
    for n in 0..30 {
        let email = format!("p{n}@example.org");
        vault.table("people").unwrap().insert(values! {"email" => &email}).unwrap();
    }
    // The copies are made by another process: closing the file here would drop the vault's locks.
    let copy = Home::new_with_key_of(&home);
    for name in ["vault.db", "vault.db-wal"] {
        let (from, to) = (home.folder().join(name), copy.folder().join(name));
        assert!(std::process::Command::new("cp").arg(from).arg(to).status().unwrap().success());
    }
    vault.close();
    let (file, log) = (copy.file(), copy.folder().join("vault.db-wal"));
    let (main, whole) = (std::fs::read(&file).unwrap(), std::fs::read(&log).unwrap());
    let mut counts = Vec::new();
    for cut in 0..=scaled(40, 400) {
        let length = whole.len() * cut / scaled(40, 400);
        let copy = Home::new_with_key_of(&home);
        std::fs::write(copy.file(), &main).unwrap();
        std::fs::write(copy.folder().join("vault.db-wal"), &whole[..length]).unwrap();
        let vault = copy.open();
        let mut emails = vault.table("people").unwrap().scan().unwrap();
        let mut count = 0;
        while let Some(row) = emails.next().transpose().unwrap() {
            assert_eq!(row.text("email").unwrap(), format!("p{count}@example.org"));
            count += 1;
        }
        drop(emails);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
        vault.close();
        assert_integrity(&copy.file());
        counts.push(count);
    }
    assert_eq!((counts[0], counts[counts.len() - 1]), (0, 30));
    assert!(counts.is_sorted());
}
