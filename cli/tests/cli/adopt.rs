//! Existing databases move in, from the shell.

use serde_json::{Value, json};

use crate::harness::Scene;

/// An application's database, and a plan.
fn scene() -> Scene {
    let scene = Scene::with_vault();
    let conn = rusqlite::Connection::open(scene.path("app.db")).expect("opens");
    conn.execute_batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, plan TEXT);
         CREATE INDEX users_plan ON users (plan);
         CREATE VIEW names AS SELECT name FROM users;
         INSERT INTO users (email, name, plan) VALUES ('ada@example.org', 'Lovelace', 'pro'),
             ('bob@example.org', NULL, 'free');",
    )
    .expect("a database");
    drop(conn);
    std::fs::write(scene.path("plan.toml"), "[tables.users]\nemail = 'sealed unique email'\n")
        .expect("a plan");
    scene
}

fn emails(scene: &Scene, file: &str) -> String {
    let conn = rusqlite::Connection::open(scene.path(file)).expect("opens");
    let sql = "SELECT group_concat(typeof(email)) FROM users";
    conn.query_row(sql, [], |row| row.get(0)).expect("a row")
}

#[test]
fn a_dry_run_shows_what_is_handled_and_refused_and_writes_nothing() {
    let scene = scene();
    let run = "adopt app.db --vault v.db --plan plan.toml --values --key file:key --dry-run";
    scene
        .run(run)
        .ok()
        .says("users: 2 rows")
        .says("handled: email holds sealed values")
        .says("Nothing stands against it");
    let (code, object) = scene.json(&format!("{run} --column users.name:sealed"));
    assert_eq!((code, object.get("possible")), (1, Some(&json!(false))));
    let refused = object.pointer("/tables/0/refused/0").and_then(Value::as_str).expect("a reason");
    assert!(refused.contains("view names"), "{refused}");
    let real = run.replace(" --dry-run", " --column users.name:sealed");
    scene.run(&real).fails(7, "refused");
    assert_eq!(emails(&scene, "app.db"), "text,text");
}

#[test]
fn values_are_sealed_in_the_database() {
    let scene = scene();
    let run = "adopt app.db --vault v.db --plan plan.toml --values --key file:key";
    scene.run(run).ok().says("users: 2 rows, sealed and compared").says("Adopted.");
    assert_eq!(emails(&scene, "app.db"), "blob,blob");
    let (code, object) = scene.json(run);
    assert_eq!((code, object.pointer("/tables/0/was_done")), (0, Some(&json!(true))));
    assert_eq!(object.get("erasure"), Some(&json!("complete")));
    let vault = scene.vault();
    let field = vault.field("users.email").expect("a field");
    let conn = rusqlite::Connection::open(scene.path("app.db")).expect("opens");
    let sealed: Vec<u8> = conn
        .query_row("SELECT email FROM users WHERE id = 1", [], |row| row.get(0))
        .expect("a row");
    let opened = field.open(&sealed, None).expect("opens");
    assert_eq!(opened.as_ref().as_str(), Some("ada@example.org"));
}

#[test]
fn tables_are_copied_or_moved_into_a_vault() {
    let scene = scene();
    let run = "adopt app.db --vault v.db --plan plan.toml --key file:key";
    scene.run(run).ok().says("sealed and compared");
    assert_eq!(emails(&scene, "app.db"), "text,text");
    // What still uses the table keeps it from being removed.
    scene.run(&format!("{run} --remove")).fails(7, "refused");
    let conn = rusqlite::Connection::open(scene.path("app.db")).expect("opens");
    conn.execute_batch("DROP VIEW names").expect("drops");
    drop(conn);
    scene.run(&format!("{run} --remove")).ok().says("removed from the database");
    scene.run("table describe v.db users --key file:key").ok().says("blind unique, email");
    let bytes = std::fs::read(scene.path("app.db")).expect("reads");
    assert!(!bytes.windows(8).any(|window| window == b"Lovelace"));
}

#[test]
fn a_database_becomes_a_vault_and_its_tables_sealed() {
    let scene = scene();
    let conn = rusqlite::Connection::open(scene.path("app.db")).expect("opens");
    conn.execute_batch("DROP VIEW names").expect("drops");
    drop(conn);
    scene.run("init app.db --existing-database --key file:key").ok();
    scene
        .run("adopt app.db --column users.email:sealed,unique,email --key file:key")
        .ok()
        .says("users: 2 rows, sealed and compared");
    scene.run("verify app.db --key file:key").ok();
}

#[test]
fn what_fits_not_together_is_a_usage_error() {
    let scene = scene();
    scene.run("adopt app.db --vault v.db --key file:key").fails(2, "invalid_input");
    scene.run("adopt app.db --plan plan.toml --values --key file:key").fails(2, "invalid_input");
    scene
        .run("adopt app.db --vault v.db --column users:sealed --key file:key")
        .fails(2, "invalid_input");
    scene.run("adopt app.db --vault v.db --plan none.toml --key file:key").fails(7, "not_found");
}
