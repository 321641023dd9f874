//! From no file to a vault that opens.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::harness::{PASSPHRASE, Run, Scene};

#[test]
fn status_tells_the_four_states() {
    let scene = Scene::new();
    let state = |arguments: &str| {
        let (code, object) = scene.json(arguments);
        assert_eq!(code, 0);
        object["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(state("status v.db"), "absent");
    assert!(!scene.exists("v.db"), "asking creates nothing");
    fs::write(scene.path("v.db"), "").expect("writes");
    assert_eq!(state("status v.db"), "uninitialised");
    scene.run("init v.db --new-key-file key").ok();
    assert_eq!(state("status v.db"), "locked");
    assert_eq!(state("status v.db --key file:key"), "open");
    scene.run("status v.db").ok().says("v.db: locked").says("key");
}

#[test]
fn status_with_a_secret_shows_the_tables() {
    let scene = Scene::with_rows();
    let (_, object) = scene.json("status v.db --key file:key");
    let rows =
        |at: usize| (object["tables"][at]["name"].clone(), object["tables"][at]["rows"].clone());
    assert_eq!(rows(0), (json!("notes"), json!(2)));
    assert_eq!(rows(1), (json!("people"), json!(2)));
    assert_eq!(object["slots"][0]["kind"], "key");
}

#[test]
fn a_vault_opens_with_each_source_of_its_secret() {
    let scene = Scene::with_vault();
    let hex = crate::harness::key_in(&scene.path("key"));
    let with = |arguments: &str, name: &str, value: &str| {
        let mut command = scene.command(arguments);
        Run::of(command.env(name, value).output().expect("runs"))
    };
    with("verify v.db --key env:APP_KEY", "APP_KEY", &hex).ok();
    let folder = scene.path("");
    let folder = folder.to_str().expect("UTF-8");
    with("verify v.db --key credential:key", "CREDENTIALS_DIRECTORY", folder).ok();
    scene.run("verify v.db --key env:SURELY_UNSET").fails(7, "not_found");
    scene.run(&format!("verify v.db --key {hex}")).fails(2, "invalid_input").never_says(&hex);
}

#[test]
fn a_vault_is_made_with_a_passphrase_from_a_file_or_the_standard_input() {
    let scene = Scene::new();
    scene.write("pass", &format!("{PASSPHRASE}\n"), 0o600);
    scene.run("init a.db --passphrase-file pass").ok().never_says(PASSPHRASE);
    scene.run_with("init b.db --passphrase-stdin", &format!("{PASSPHRASE}\r\n")).ok();
    for file in ["a.db", "b.db"] {
        scene.run(&format!("verify {file} --passphrase-file pass")).ok();
        scene.run_with(&format!("verify {file} --passphrase-stdin"), PASSPHRASE).ok();
        scene
            .run_with(&format!("verify {file} --passphrase-stdin"), "another horse entirely\n")
            .fails(3, "wrong_key")
            .never_says("another horse");
    }
    scene.run_with("init c.db --passphrase-stdin", "short\n").fails(7, "weak_key");
    scene.run("init c.db --passphrase-stdin").fails(2, "invalid_input");
    assert!(!scene.exists("c.db"));
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused() {
    let scene = Scene::new();
    scene.write("pass", PASSPHRASE, 0o644);
    scene.run("init v.db --passphrase-file pass").fails(7, "weak_key").says("chmod 600");
    assert!(!scene.exists("v.db"));
}

#[test]
fn initialising_twice_is_refused_and_leaves_no_key_file() {
    let scene = Scene::with_vault();
    let before = fs::read(scene.path("v.db")).expect("reads");
    scene.run("init v.db --new-key-file second").fails(4, "already_initialised");
    assert!(!scene.exists("second"));
    assert_eq!(fs::read(scene.path("v.db")).expect("reads"), before);
    let (code, object) = scene.json("init v.db --new-key-file second");
    assert_eq!((code, &object["error"]["code"]), (4, &json!(2)));
}

#[test]
fn a_database_with_tables_becomes_a_vault_only_where_that_is_said() {
    let scene = Scene::new();
    let raw = rusqlite::Connection::open(scene.path("v.db")).expect("opens");
    raw.execute_batch("CREATE TABLE own (a); INSERT INTO own VALUES (1)").expect("creates");
    drop(raw);
    scene.run("init v.db --new-key-file key").fails(7, "not_a_vault");
    assert!(!scene.exists("key"), "a key of no vault is removed");
    scene.run("init v.db --new-key-file key --existing-database").ok();
    scene.run("verify v.db --key file:key").ok();
}

#[test]
fn what_is_no_vault_is_said_to_be_none() {
    let scene = Scene::new();
    for command in ["verify v.db --key file:key", "slot list v.db", "table list v.db --passphrase"]
    {
        scene.run(command).fails(4, "not_initialised");
    }
    fs::write(
        scene.path("v.db"),
        "this is a text, and long enough to be taken for one".repeat(100),
    )
    .expect("writes");
    scene.run("status v.db").fails(7, "not_a_vault");
    fs::create_dir(scene.path("folder")).expect("creates");
    scene.run("status folder").fails(2, "invalid_input");
}

#[test]
fn of_several_processes_that_create_one_succeeds() {
    for round in 0..5 {
        let scene = Scene::new();
        let start = |number: usize| {
            scene.command(&format!("init v.db --new-key-file key{number}")).spawn().expect("runs")
        };
        let children: Vec<_> = (0..4).map(start).collect();
        let mut winners = Vec::new();
        for (number, child) in children.into_iter().enumerate() {
            let run = Run::of(child.wait_with_output().expect("ends"));
            if run.code == 0 {
                winners.push(number);
            } else {
                run.fails(4, "already_initialised");
                assert!(!scene.exists(&format!("key{number}")), "round {round}");
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        scene.run(&format!("verify v.db --key file:key{}", winners[0])).ok();
    }
}

#[test]
fn a_vault_that_another_process_writes_is_busy() {
    let scene = Scene::with_vault();
    let raw = rusqlite::Connection::open(scene.path("v.db")).expect("opens");
    raw.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let run = scene.run("slot add v.db --key file:key --new-key-file other");
    run.fails(6, "busy");
    assert!(!scene.exists("other"));
    raw.execute_batch("ROLLBACK").expect("unlocks");
    scene.run("slot add v.db --key file:key --new-key-file other").ok();
}

#[test]
fn the_library_runs_without_the_binary() {
    let scene = Scene::with_vault();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let streams = sealite_cli::Streams {
        stdin: &mut std::io::empty(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminals: sealite_cli::Terminals::default(),
    };
    let file = scene.path("v.db");
    let code =
        sealite_cli::run(["sealite", "slot", "list", file.to_str().expect("UTF-8")], streams);
    assert_eq!((code, stderr.len()), (0, 0));
    assert!(String::from_utf8(stdout).expect("UTF-8").starts_with("slot"));
}

#[test]
fn help_gives_the_exit_codes() {
    let output = Command::new(crate::harness::SEALITE).arg("--help").output().expect("runs");
    let help = Run::of(output).ok();
    for line in ["Exit codes:", "1  a check found faults", "6  busy"] {
        help.says(line);
    }
}
