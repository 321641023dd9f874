//! Sealed tables.

use rusqlite::Connection;
use rusqlite::types::Value::{Null, Text};
use sealite::{AdoptionPhase, AdoptionPlan, Erasure, ErrorKind, Vault};
use sealite_tests::vaults::{Home, assert_integrity};

use super::world::{PLAN, SECRET, adopt, anywhere, application, fill, rows, sealed_rows, vault_in};

const ALL: &str = "SELECT id, email, name, role, plan FROM users ORDER BY id";
const NOTES: &str = "SELECT id, user_id, body, secret FROM notes ORDER BY id";

#[test]
fn a_database_is_adopted_in_place_with_nothing_left_in_clear() {
    let home = Home::new();
    let path = application(&home, 2_500);
    let (users, notes) = {
        let conn = Connection::open(&path).unwrap();
        (rows(&conn, ALL), rows(&conn, NOTES))
    };
    assert_eq!(anywhere(home.folder(), SECRET), std::slice::from_ref(&path));
    let plan =
        AdoptionPlan::from_toml(&format!("{PLAN}[tables.notes]\nbody = 'sealed'\n")).unwrap();
    let vault = vault_in(&home, &path);
    let preview = vault.preview_adoption(&plan).unwrap();
    assert!(preview.is_possible());
    let [first, second] = &preview.tables[..] else { panic!("{preview:?}") };
    // Parents first, whatever the order of the plan.
    assert_eq!((first.table.as_str(), first.rows), ("users", 2_500));
    assert_eq!((second.table.as_str(), second.rows), ("notes", 5_000));
    assert!(first.bytes > 50_000 && first.bytes_after > first.bytes && !first.time.is_zero());
    assert!(first.kept.iter().any(|kept| kept.contains("users_plan")), "{:?}", first.kept);
    assert!(first.changed.iter().any(|changed| changed.contains("blind")), "{:?}", first.changed);
    // A preview has written nothing.
    assert!(vault.tables().unwrap().is_empty());

    let mut seen = Vec::new();
    let report = vault
        .adopt(&plan, |progress| {
            assert!(progress.done <= progress.total, "{progress:?}");
            seen.push((progress.table.to_owned(), progress.phase));
            true
        })
        .unwrap();
    for phase in [AdoptionPhase::Sealing, AdoptionPhase::Verifying] {
        assert!(seen.contains(&("users".to_owned(), phase)), "{phase:?}");
    }
    assert_eq!(seen.last(), Some(&(String::new(), AdoptionPhase::Erasing)));
    assert_eq!(report.erasure, Erasure::Complete);
    assert_eq!(report.tables.iter().map(|table| table.rows).collect::<Vec<_>>(), [2_500, 5_000]);
    assert_eq!(sealed_rows(&vault, ALL), users);
    assert_eq!(sealed_rows(&vault, NOTES), notes);
    let ada = vault.query(
        "SELECT id FROM users WHERE email = ?",
        &[format!(" u7.{SECRET}@EXAMPLE.ORG").as_str().into()],
    );
    assert_eq!(ada.unwrap().rows.len(), 1);
    let again = vault.execute(
        "INSERT INTO users (email) VALUES (?)",
        &[format!("u9.{SECRET}@example.org").as_str().into()],
    );
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict);
    vault.execute("DELETE FROM users WHERE id = 3", &[]).unwrap();
    assert!(vault.query("SELECT 1 FROM notes WHERE user_id = 3", &[]).unwrap().rows.is_empty());
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    // Once more changes nothing.
    let again = adopt(&vault, &plan);
    assert!(again.tables.iter().all(|table| table.was_done));
    let adopted = vault.audit().tail(10).unwrap();
    assert!(adopted.iter().any(|entry| entry.event() == "table.adopted"));
    vault.close();
    assert_eq!(anywhere(home.folder(), SECRET), [] as [std::path::PathBuf; 0]);
    assert_integrity(&path);
}

#[test]
fn tables_are_copied_into_a_vault_and_the_source_is_left_alone() {
    let home = Home::new();
    let path = application(&home, 1_200);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE VIEW everybody AS SELECT * FROM users;
         CREATE TRIGGER named AFTER INSERT ON users BEGIN SELECT 1; END;",
    )
    .unwrap();
    let (users, notes) = (rows(&conn, ALL), rows(&conn, NOTES));
    let schema = rows(&conn, "SELECT * FROM sqlite_master");
    conn.close().unwrap();
    let before = std::fs::read(&path).unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan =
        AdoptionPlan::from_toml(&format!("{PLAN}[tables.notes]\nbody = 'sealed'\n")).unwrap();
    let report = adopt(&vault, &plan.source(&path));
    assert_eq!(report.tables.iter().map(|table| table.rows).collect::<Vec<_>>(), [1_200, 2_400]);
    assert_eq!(sealed_rows(&vault, ALL), users);
    assert_eq!(sealed_rows(&vault, NOTES), notes);
    // The foreign key came along.
    vault.execute("DELETE FROM users WHERE id = 3", &[]).unwrap();
    assert!(vault.query("SELECT 1 FROM notes WHERE user_id = 3", &[]).unwrap().rows.is_empty());
    vault.close();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(anywhere(home.folder(), SECRET), std::slice::from_ref(&path));
    let conn = Connection::open(&path).unwrap();
    assert_eq!(rows(&conn, "SELECT * FROM sqlite_master"), schema);
}

#[test]
fn tables_that_are_removed_from_the_source_leave_nothing_there() {
    let home = Home::new();
    let path = application(&home, 1_200);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE plain (a TEXT); INSERT INTO plain VALUES ('stays');").unwrap();
    let (users, notes) = (rows(&conn, ALL), rows(&conn, NOTES));
    conn.close().unwrap();
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let text = format!("remove = true\n{PLAN}[tables.notes]\nbody = 'sealed'\n");
    let plan = AdoptionPlan::from_toml(&text).unwrap().source(&path);
    let report = adopt(&vault, &plan);
    assert!(report.tables.iter().all(|table| table.removed));
    assert_eq!(report.erasure, Erasure::Complete);
    assert_eq!(sealed_rows(&vault, ALL), users);
    assert_eq!(sealed_rows(&vault, NOTES), notes);
    vault.close();
    assert_eq!(anywhere(home.folder(), SECRET), [] as [std::path::PathBuf; 0]);
    let conn = Connection::open(&path).unwrap();
    let left = rows(&conn, "SELECT name FROM sqlite_master");
    assert_eq!(left, [["plain".to_owned().into()]]);
    assert_eq!(rows(&conn, "SELECT a FROM plain"), [["stays".to_owned().into()]]);
    drop(conn);
    assert_integrity(&path);
}

#[test]
fn a_source_that_has_changed_since_is_not_removed() {
    let home = Home::new();
    let path = application(&home, 40);
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let text = format!("{PLAN}[tables.notes]\nbody = 'sealed'\n");
    let plan = AdoptionPlan::from_toml(&text).unwrap().source(&path);
    adopt(&vault, &plan);
    vault.execute("UPDATE users SET name = 'changed' WHERE id = 5", &[]).unwrap();
    let error = vault.adopt(&plan.clone().remove_source(), |_| true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("users"), "{error}");
    let conn = Connection::open(&path).unwrap();
    assert_eq!(rows(&conn, ALL).len(), 40);
    assert_eq!(rows(&conn, NOTES).len(), 80);
}

#[test]
fn a_foreign_key_to_what_stays_is_let_go_and_said() {
    let home = Home::new();
    let path = application(&home, 30);
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    let plan = AdoptionPlan::new().column("notes.body: sealed").unwrap().source(&path);
    let preview = vault.preview_adoption(&plan).unwrap();
    let changed = &preview.tables[0].changed;
    assert!(changed.iter().any(|text| text.contains("users stays")), "{changed:?}");
    adopt(&vault, &plan);
    assert_eq!(sealed_rows(&vault, NOTES).len(), 60);
    vault.execute("INSERT INTO notes (user_id, body) VALUES (99, 'x')", &[]).unwrap();
}

#[test]
fn rows_with_their_switch_on_move_to_a_sealed_column_and_others_stay_in_clear() {
    let home = Home::new();
    let path = application(&home, 600);
    let conn = Connection::open(&path).unwrap();
    let before = rows(&conn, NOTES);
    conn.close().unwrap();
    let vault = vault_in(&home, &path);
    let plan = AdoptionPlan::from_toml(
        "[tables.notes]\nbody = { is = 'sealed', when = 'secret', into = 'sealed_body' }\n\
         [tables.users]\nemail = 'sealed unique email'\nname = 'sealed'\n",
    )
    .unwrap();
    adopt(&vault, &plan);
    let after = "SELECT id, user_id, coalesce(sealed_body, body), secret FROM notes ORDER BY id";
    assert_eq!(sealed_rows(&vault, after), before);
    let odd = "SELECT 1 FROM notes WHERE (secret = 1) <> (body IS NULL) OR (secret = 1) <> (sealed_body IS NOT NULL)";
    assert!(vault.query(odd, &[]).unwrap().rows.is_empty());
    vault.close();
    assert_eq!(anywhere(home.folder(), SECRET), [] as [std::path::PathBuf; 0]);
    assert_eq!(anywhere(home.folder(), "public 17"), [path]);
}

#[test]
fn a_switch_may_stand_in_another_table() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(&format!(
        "CREATE TABLE fields (id INTEGER PRIMARY KEY, name TEXT, encrypt TEXT);
         INSERT INTO fields VALUES (1, 'phone', 'yes'), (2, 'nickname', 'no');
         CREATE TABLE entries (id INTEGER PRIMARY KEY, user INTEGER, field INTEGER REFERENCES fields, value TEXT);
         INSERT INTO entries (user, field, value) VALUES (1, 1, '{SECRET}1'), (1, 2, 'Countess'), (2, 1, NULL);"
    ))
    .unwrap();
    conn.close().unwrap();
    let vault = vault_in(&home, &path);
    let plan = AdoptionPlan::from_toml(
        "[tables.entries]\nvalue = { is = 'sealed', when = 'field -> fields.encrypt', into = 'secret' }",
    )
    .unwrap();
    adopt(&vault, &plan);
    let found = sealed_rows(&vault, "SELECT value, secret FROM entries ORDER BY id");
    let text = |text: &str| Text(text.to_owned());
    assert_eq!(
        found,
        [[Null, text(&format!("{SECRET}1"))], [text("Countess"), Null], [Null, Null]]
    );
    vault.close();
    assert_eq!(anywhere(home.folder(), SECRET), [] as [std::path::PathBuf; 0]);
}

#[test]
fn an_adoption_that_is_stopped_goes_on_where_it_was() {
    let home = Home::new();
    let path = home.folder().join("app.db");
    fill(&path, 3_000);
    let vault = vault_in(&home, &path);
    let plan = AdoptionPlan::from_toml(PLAN).unwrap();
    let error = vault.adopt(&plan, |progress| progress.done < 1_000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(vault.tables().unwrap().is_empty());
    let mut first = None;
    vault
        .adopt(&plan, |progress| {
            first.get_or_insert(progress.done);
            true
        })
        .unwrap();
    assert!(first.unwrap() >= 1_000, "{first:?}");
    assert_eq!(sealed_rows(&vault, ALL).len(), 3_000);
}
