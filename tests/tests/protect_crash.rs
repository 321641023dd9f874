//! A conversion that is killed: the table is as it was, or sealed, with every row; the same call goes on.

#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]
#![allow(clippy::too_many_lines)]

use std::path::Path;
use std::time::{Duration, Instant};

use sealite::{Value, Vault};
use sealite_tests::process::{staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_integrity, open_in};

const WORDS: &[&str] = &["email sealed unique email", "name sealed", "role authenticated"];
const ROWS: i64 = 3_000;

fn plain(vault: &Vault) {
    for sql in [
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT, role TEXT DEFAULT 'user')",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users (id) ON DELETE CASCADE)",
        "CREATE INDEX users_role ON users (role)",
    ] {
        vault.execute(sql, &[]).unwrap();
    }
    vault
        .transaction(|tx| {
            for n in 1..=ROWS {
                let (email, name) = (format!("{n}@secret.example"), format!("Secretname {n}"));
                let values = [email.as_str().into(), name.as_str().into()];
                tx.execute("INSERT INTO users (email, name) VALUES (?, ?)", &values)?;
                tx.execute("INSERT INTO orders (user) VALUES (?)", &[n.into()])?;
            }
            Ok(())
        })
        .unwrap();
}

fn all(vault: &Vault) -> [Vec<Vec<Value>>; 2] {
    ["SELECT * FROM users ORDER BY id", "SELECT * FROM orders ORDER BY id"]
        .map(|sql| vault.query(sql, &[]).unwrap().rows)
}

fn holds(folder: &Path, what: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(what.len()).any(|window| window == what)
    })
}

fn sealed(vault: &Vault) -> bool {
    vault.tables().unwrap().iter().any(|table| table.name() == "users")
}

#[test]
fn a_killed_conversion_loses_nothing_and_is_finished_by_the_same_call() {
    let test = "a_killed_conversion_loses_nothing_and_is_finished_by_the_same_call";
    staged(test, scaled(150, 900), |stage| {
        if stage.role() == "converter" {
            let vault = open_in(&stage.path());
            tell("ready");
            let _ = vault.protect_table("users", WORDS).unwrap();
            tell("done");
            return;
        }
        if stage.role() == "back" {
            let vault = open_in(&stage.path());
            tell("ready");
            vault.unprotect_table("users").unwrap();
            tell("done");
            return;
        }
        let rounds = scaled(8_u32, 60);
        let mut ends = [0; 2];
        let mut lasts = Duration::ZERO;
        // The first round is not cut short, and says how long a conversion takes.
        for round in 0..=rounds {
            let home = Home::new();
            home.share_key();
            let vault = home.create();
            plain(&vault);
            let before = all(&vault);
            vault.close();
            let mut converter = stage.process("converter", home.folder());
            assert_eq!(converter.hear(), "ready");
            let started = Instant::now();
            if round == 0 {
                assert_eq!(converter.hear(), "done");
                lasts = started.elapsed();
            } else {
                std::thread::sleep(lasts * round / rounds);
                converter.kill();
            }
            drop(converter);
            let vault = home.open();
            ends[usize::from(sealed(&vault))] += 1;
            assert!(all(&vault) == before, "round {round}");
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            let erasure = vault.protect_table("users", WORDS).unwrap();
            assert_eq!(erasure, sealite::Erasure::Complete);
            assert!(sealed(&vault) && all(&vault) == before, "round {round}");
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            assert!(
                !holds(home.folder(), b"secret.example") && !holds(home.folder(), b"Secretname")
            );
            vault.close();
            assert_integrity(&home.file());
            let mut back = stage.process("back", home.folder());
            assert_eq!(back.hear(), "ready");
            std::thread::sleep(lasts * round / rounds / 2);
            back.kill();
            drop(back);
            let vault = home.open();
            assert!(all(&vault) == before, "round {round}");
            if sealed(&vault) {
                vault.unprotect_table("users").unwrap();
            }
            assert!(all(&vault) == before, "round {round}");
            vault.execute("DELETE FROM users WHERE id = 5", &[]).unwrap();
            assert!(
                vault.query("SELECT 1 FROM orders WHERE user = 5", &[]).unwrap().rows.is_empty()
            );
            vault.close();
            assert_integrity(&home.file());
        }
        tell(format_args!("{lasts:?}; plain, sealed after the kill: {ends:?}"));
    });
}
