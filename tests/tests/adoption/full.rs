//! A disk that is full: told as that, with every row as it was, and the same call goes on when there is space.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sealite::ExposeSecret;
use sealite::{AdoptionPlan, Erasure, ErrorKind, Vault};
use sealite_tests::disk;
use sealite_tests::process::{staged, tell};
use sealite_tests::vaults::{Home, unlock_in};

use super::world::{PLAN, SECRET, anywhere, fill, rows};

const USERS: i64 = 3_000;
const SMALL: usize = 2 << 20;

#[test]
fn a_full_disk_changes_nothing_and_the_same_call_goes_on_with_more_space() {
    let test = "full::a_full_disk_changes_nothing_and_the_same_call_goes_on_with_more_space";
    staged(test, 120, |stage| {
        if stage.role() == "small" {
            let folder = stage.path();
            if !disk::mount(&folder, SMALL) {
                return tell("no small disk can be mounted here");
            }
            return small(&folder);
        }
        let home = Home::new();
        stage.process("small", home.folder()).succeed();
    });
}

fn small(folder: &Path) {
    // The mount hides what was in the folder.
    let key = sealite::generate_key().unwrap();
    std::fs::write(folder.join("key"), key.expose_secret()).unwrap();
    let path = folder.join("app.db");
    fill(&path, USERS);
    Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    let sql = "SELECT id, email, name, role, plan FROM users ORDER BY id";
    let before = rows(&Connection::open(&path).unwrap(), sql);
    let vault = Vault::create(folder.join("vault.db"), &unlock_in(folder)).unwrap();
    let plan = AdoptionPlan::from_toml(PLAN.replace("role = 'authenticated'", "").as_str());
    let plan = plan.unwrap().values().source(&path);
    let mut space = SMALL;
    let mut refused = 0;
    let report = loop {
        match vault.adopt(&plan, |_| true) {
            Ok(report) => break report,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Full | ErrorKind::Io), "{error}");
                refused += 1;
                assert!(refused < 40, "{error}");
            }
        }
        space += SMALL / 2;
        disk::resize(folder, space);
    };
    tell(format_args!("refused {refused} times, done with {} KiB", space / 1024));
    assert!(refused > 0);
    assert_eq!(report.erasure, Erasure::Complete);
    let [email, name] = ["users.email", "users.name"].map(|label| vault.field(label).unwrap());
    let mut after = rows(&Connection::open(&path).unwrap(), sql);
    for row in &mut after {
        for (at, field) in [(1, &email), (2, &name)] {
            if let rusqlite::types::Value::Blob(sealed) = &row[at] {
                let text = field.open(sealed, None).unwrap().as_ref().as_str().unwrap().to_owned();
                row[at] = rusqlite::types::Value::Text(text);
            }
        }
    }
    assert!(after == before);
    drop(vault);
    // The notes stay in clear, and say so.
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("UPDATE notes SET body = ''; VACUUM").unwrap();
    drop(conn);
    assert_eq!(anywhere(folder, SECRET), [] as [PathBuf; 0]);
}
