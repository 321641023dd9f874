//! Keys that change all the time, and processes that go on through it: whoever opens, reads or writes notices nothing.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::Duration;

use sealite::{Entry, ErrorKind, ExposeSecret, Rotation, TokenKind, TokenRequest, Vault, values};
use sealite_tests::process::{Process, Stage, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, open_in_with, unlock_in};

const PATIENCE: Duration = Duration::from_secs(60);
const ROWS: i64 = 40;

fn email(number: i64) -> String {
    format!("person{number}@example.org")
}

/// Runs until the file `stop` is there; how often.
fn until_stopped(stage: &Stage, mut work: impl FnMut(i64)) {
    let stop = stage.path().join("stop");
    let mut rounds = 0;
    tell("ready");
    while !stop.exists() {
        work(rounds);
        rounds += 1;
    }
    tell(rounds);
}

fn assert_whole(vault: &Vault, number: i64) {
    let people = vault.table("people").unwrap();
    let found = people.find_one("email", email(number).as_str()).unwrap().expect("a person");
    assert_eq!(found.text("name").unwrap(), "before");
    let row = people.get(number + 1).unwrap().expect("a row");
    assert_eq!(row.text("email").unwrap(), email(number));
}

/// Opens the vault anew each time.
fn opener(stage: &Stage) {
    until_stopped(stage, |round| {
        let vault = Vault::open(stage.path().join("vault.db"), &unlock_in(&stage.path()))
            .unwrap_or_else(|error| panic!("open: {:?}: {error}", error.kind()));
        assert_whole(&vault, round % ROWS);
        vault.close();
    });
}

/// Reads by every way over one handle.
fn reader(stage: &Stage) {
    let vault = open_in_with(&stage.path(), PATIENCE);
    let token = std::fs::read_to_string(stage.path().join("token")).unwrap();
    let field = vault.field("note").unwrap();
    let sealed = std::fs::read(stage.path().join("sealed")).unwrap();
    until_stopped(stage, |round| {
        let number = round % ROWS;
        assert_whole(&vault, number);
        match round % 6 {
            0 => {
                let sql = "SELECT name FROM people WHERE email = ?";
                let found = vault.query(sql, &[email(number).as_str().into()]).unwrap();
                assert_eq!(found.rows.len(), 1);
            }
            1 => {
                let rows = vault.table("people").unwrap().scan().unwrap();
                assert!(rows.map(Result::unwrap).count() >= usize::try_from(ROWS).unwrap());
            }
            2 => {
                let snapshot = vault.snapshot().unwrap();
                assert!(snapshot.table("people").unwrap().get(number + 1).unwrap().is_some());
            }
            3 => assert!(vault.keys().list().unwrap().len() >= 3),
            4 => assert_eq!(field.open(&sealed, None).unwrap(), "sealed".into()),
            _ => _ = vault.tokens().verify(&token, TokenKind::Session).unwrap(),
        }
    });
}

/// Writes over one handle.
fn writer(stage: &Stage) {
    let vault = open_in_with(&stage.path(), PATIENCE);
    let people = vault.table("people").unwrap();
    until_stopped(stage, |round| {
        // SQLite has no queue: who waits for the lock polls, and must find it free at times.
        std::thread::sleep(Duration::from_millis(5));
        let busy = |error: &sealite::Error| error.kind() == ErrorKind::Busy;
        let new = format!("w{round}@example.org");
        let row = values! {"email" => &new};
        match round % 4 {
            0 => match people.insert(row) {
                Ok(id) => assert!(people.get(&id).unwrap().is_some()),
                Err(error) => assert!(busy(&error), "{:?}: {error}", error.kind()),
            },
            1 => {
                let written = people.update(round % ROWS + 1, values! {"note" => "n"});
                assert!(written.unwrap_or_else(|error| busy(&error)));
            }
            2 => {
                let duplicate = people.insert(values! {"email" => email(round % ROWS).as_str()});
                let error = duplicate.unwrap_err();
                assert!(error.kind() == ErrorKind::Conflict || busy(&error), "{error}");
            }
            _ => {
                if let Err(error) = vault.audit().append(&Entry::new("written")) {
                    assert!(busy(&error), "{:?}: {error}", error.kind());
                }
            }
        }
    });
}

#[test]
fn whoever_opens_reads_or_writes_notices_no_change_of_keys() {
    staged(
        "whoever_opens_reads_or_writes_notices_no_change_of_keys",
        scaled(240, 1_200),
        |stage| {
            match stage.role() {
                "opener" => return opener(stage),
                "reader" => return reader(stage),
                "writer" => return writer(stage),
                _ => {}
            }
            let home = Home::new();
            home.share_key();
            let vault = home.create();
            for number in 0..ROWS {
                let email = email(number);
                let row = values! {"email" => &email, "name" => "before"};
                vault.table("people").unwrap().insert(row).unwrap();
            }
            let session = TokenRequest::new(TokenKind::Session).subject("ada");
            let session = vault.tokens().issue(&session).unwrap();
            std::fs::write(home.folder().join("token"), session.text.expose_secret()).unwrap();
            let sealed = vault.field("note").unwrap().seal("sealed", None).unwrap();
            std::fs::write(home.folder().join("sealed"), sealed).unwrap();
            let vault = open_in_with(home.folder(), PATIENCE);
            let start = |role: &str| stage.process(role, home.folder());
            let mut others = ["opener", "reader", "reader", "writer"].map(start);
            for other in &mut others {
                assert_eq!(other.hear(), "ready");
            }
            let keys = vault.keys();
            for round in 0..scaled(100, 10_000) {
                keys.rotate_master(&[home.unlock()], false).unwrap();
                match round % 4 {
                    0 => _ = keys.run(&Rotation::data(None), |_| ()).unwrap(),
                    1 => _ = keys.run(&Rotation::index(None), |_| ()).unwrap(),
                    2 => _ = keys.begin(&Rotation::audit()).unwrap(),
                    _ => _ = keys.run(&Rotation::token(None), |_| ()).unwrap(),
                }
            }
            std::fs::write(home.folder().join("stop"), "").unwrap();
            for (role, other) in ["opener", "reader", "reader", "writer"].iter().zip(&mut others) {
                tell(format_args!("{role} {:?}", other.rest()));
            }
            others.iter_mut().for_each(Process::succeed);
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            assert!(vault.audit().verify(None).unwrap().is_sound());
        },
    );
}
