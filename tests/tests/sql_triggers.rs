//! Triggers on a sealed table: those of an application that had them go on, and none shows what is sealed.

#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{ErrorKind, Value, Vault};
use sealite_tests::scratch::Scratch;

const STALE: &str = "CREATE TRIGGER IF NOT EXISTS stale AFTER DELETE ON comments BEGIN
    DELETE FROM threads WHERE id NOT IN (SELECT tid FROM comments); END";

fn comments() -> (Scratch, Vault) {
    let scratch = Scratch::new();
    let vault = scratch.create();
    for sql in [
        "CREATE TABLE threads (id INTEGER PRIMARY KEY, uri TEXT)",
        "CREATE TABLE comments (id INTEGER PRIMARY KEY, tid REFERENCES threads (id), email TEXT, mode INTEGER)",
        "CREATE TABLE log (what TEXT, id INTEGER)",
        "INSERT INTO threads VALUES (1, '/a'), (2, '/b')",
        "INSERT INTO comments VALUES (1, 1, 'ada@example.org', 1), (2, 1, 'bob@example.org', 1), (3, 2, NULL, 2)",
        STALE,
    ] {
        vault.execute(sql, &[]).unwrap();
    }
    (scratch, vault)
}

fn numbers(vault: &Vault, sql: &str) -> Vec<i64> {
    let rows = vault.query(sql, &[]).unwrap().rows;
    rows.iter().map(|row| row[0].as_ref().as_i64().unwrap()).collect()
}

fn refused(vault: &Vault, sql: &str) -> String {
    let error = vault.execute(sql, &[]).expect_err(sql);
    assert_eq!(error.kind(), ErrorKind::Refused, "{sql}: {error}");
    error.message().to_owned()
}

#[test]
fn a_trigger_stays_when_its_table_is_protected_and_unprotected() {
    let (scratch, vault) = comments();
    let words = ["email sealed lookup 5000"];
    let plan = vault.plan_protection("comments", &words).unwrap();
    assert!(
        plan.obstacles.is_empty() && plan.kept.contains(&"trigger stale".to_owned()),
        "{plan:?}"
    );
    let _ = vault.protect_table("comments", &words).unwrap();

    vault.execute("DELETE FROM comments WHERE email = 'ada@example.org'", &[]).unwrap();
    assert_eq!(numbers(&vault, "SELECT id FROM threads"), [1, 2]);
    assert_eq!(vault.execute("DELETE FROM comments WHERE email IS NULL", &[]).unwrap(), 1);
    assert_eq!(numbers(&vault, "SELECT id FROM threads"), [1]);
    // A program makes it again at each start.
    vault.execute(STALE, &[]).unwrap();
    let other = STALE.replace("IF NOT EXISTS ", "");
    assert_eq!(vault.execute(&other, &[]).unwrap_err().kind(), ErrorKind::Sql);

    vault.execute("ALTER TABLE comments RENAME TO answers", &[]).unwrap();
    vault.execute("ALTER TABLE answers RENAME COLUMN tid TO thread", &[]).unwrap();
    assert!(vault.execute("ALTER TABLE answers DROP COLUMN mode", &[]).is_err());
    vault.execute("INSERT INTO threads VALUES (3, '/c')", &[]).unwrap();
    vault.execute("INSERT INTO answers (id, thread) VALUES (9, 1)", &[]).unwrap();
    vault.execute("DELETE FROM answers WHERE id = 9", &[]).unwrap();
    assert_eq!(numbers(&vault, "SELECT id FROM threads"), [1]);

    vault.unprotect_table("answers").unwrap();
    vault.execute("DELETE FROM answers", &[]).unwrap();
    assert_eq!(numbers(&vault, "SELECT id FROM threads"), [] as [i64; 0]);
    vault.close();
    let read = |sql: &str| scratch.raw().query_row(sql, [], |row| row.get::<_, String>(0));
    let kept = read("SELECT sql FROM sqlite_master WHERE type = 'trigger'").unwrap();
    assert!(kept.contains("ON \"answers\"") && !kept.contains("sealed"), "{kept}");
}

#[test]
fn a_host_without_the_engine_runs_it_too() {
    let (scratch, vault) = comments();
    let _ = vault.protect_table("comments", &["email sealed"]).unwrap();
    vault.close();
    let host = scratch.raw();
    host.execute("DELETE FROM comments_sealed WHERE tid = 2", []).unwrap();
    assert_eq!(host.query_row("SELECT count(*) FROM threads", [], |row| row.get(0)), Ok(1));
}

#[test]
fn triggers_are_made_and_dropped_on_a_sealed_table() {
    let (_scratch, vault) = comments();
    vault.execute("DROP TRIGGER stale", &[]).unwrap();
    let _ = vault
        .protect_table("comments", &["email sealed lookup 5000", "mode authenticated"])
        .unwrap();
    let made = "CREATE TRIGGER made AFTER INSERT ON main.comments WHEN new.tid = 2 BEGIN
        INSERT INTO log VALUES ('made', new.id); END";
    vault.execute(made, &[]).unwrap();
    vault.execute("CREATE TRIGGER gone AFTER DELETE ON comments BEGIN INSERT INTO log VALUES ('gone', old.id); END", &[])
        .unwrap();
    // The statement reads what is sealed, and its trigger writes a plain table.
    let sql = "INSERT INTO comments (id, tid, email) SELECT id + 10, 2, email FROM comments WHERE email = ?";
    assert_eq!(vault.execute(sql, &["ada@example.org".into()]).unwrap(), 1);
    vault.execute("DELETE FROM comments WHERE email = ?", &["ada@example.org".into()]).unwrap();
    assert_eq!(numbers(&vault, "SELECT id FROM log ORDER BY rowid"), [11, 1, 11]);
    vault.execute("DROP TRIGGER made", &[]).unwrap();
    vault.execute("DROP TRIGGER IF EXISTS gone", &[]).unwrap();
    vault.execute("DROP TRIGGER IF EXISTS gone", &[]).unwrap();
    vault.execute("DELETE FROM comments", &[]).unwrap();
    assert_eq!(numbers(&vault, "SELECT count(*) FROM log"), [3]);
}

#[test]
fn what_a_trigger_writes_goes_with_the_statement() {
    let (_scratch, vault) = comments();
    let _ = vault.protect_table("comments", &["email sealed unique"]).unwrap();
    vault
        .execute("CREATE TRIGGER made AFTER INSERT ON comments BEGIN INSERT INTO log VALUES ('x', new.id); END", &[])
        .unwrap();
    let twice =
        "INSERT INTO comments (id, email) VALUES (7, 'new@example.org'), (8, 'ada@example.org')";
    assert_eq!(vault.execute(twice, &[]).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(vault.query("SELECT * FROM log", &[]).unwrap().rows.len(), 0);
    assert_eq!(
        vault.query("SELECT count(*) FROM comments", &[]).unwrap().rows,
        [[Value::Integer(3)]]
    );
}

#[test]
fn a_trigger_that_could_see_or_stop_a_sealed_row_is_refused() {
    let (_scratch, vault) = comments();
    let _ = vault.protect_table("comments", &["email sealed", "mode authenticated"]).unwrap();
    for (sql, says) in [
        ("BEFORE DELETE ON comments BEGIN SELECT 1; END", "neither AFTER"),
        ("AFTER UPDATE ON comments BEGIN SELECT 1; END", "neither AFTER"),
        ("AFTER INSERT ON comments BEGIN INSERT INTO log VALUES (new.email, 1); END", "email"),
        ("AFTER INSERT ON comments WHEN new.mode = 1 BEGIN SELECT 1; END", "mode"),
        ("AFTER INSERT ON comments BEGIN UPDATE comments SET tid = 1; END", "writes the table"),
        ("AFTER INSERT ON comments BEGIN UPDATE comments_sealed SET tid = 1; END", "can't do that"),
        (
            "AFTER INSERT ON comments BEGIN INSERT INTO log SELECT sealed, 1 FROM comments; END",
            "can't do that",
        ),
        ("AFTER INSERT ON comments BEGIN INSERT INTO log SELECT * FROM comments; END", "has a *"),
        ("AFTER INSERT ON comments BEGIN DELETE FROM sealite_keys; END", "can't do that"),
        (
            "AFTER INSERT ON comments BEGIN INSERT INTO log VALUES (new.absent, 1); END",
            "can't do that",
        ),
    ] {
        let message = refused(&vault, &format!("CREATE TRIGGER t {sql}"));
        assert!(message.contains(says), "{sql}: {message}");
        assert_eq!(vault.execute("INSERT INTO comments (tid) VALUES (1)", &[]).unwrap(), 1);
    }
}
