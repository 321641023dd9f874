//! The two forms of output, and readers that go away.

use std::process::Stdio;

use sealite::ErrorKind;
use serde_json::json;

use crate::harness::{Run, Scene};

#[test]
fn errors_are_objects_with_json() {
    let scene = Scene::new();
    for (arguments, exit, code, name) in [
        ("verify v.db --key file:key", 4, 1, "not_initialised"),
        ("frobnicate", 2, 16, "invalid_input"),
        ("verify", 2, 16, "invalid_input"),
        ("slot", 2, 16, "invalid_input"),
        ("", 2, 16, "invalid_input"),
        ("init v.db --key env:SURELY_UNSET", 7, 18, "not_found"),
    ] {
        let (found, object) = scene.json(arguments);
        let error = &object["error"];
        assert_eq!(found, exit, "{arguments}");
        assert_eq!((&error["code"], &error["name"]), (&json!(code), &json!(name)), "{arguments}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[test]
fn json_may_stand_anywhere() {
    let scene = Scene::with_vault();
    for arguments in ["--json slot list v.db", "slot --json list v.db", "slot list v.db --json"] {
        assert_eq!(scene.run(arguments).ok().object()["slots"][0]["id"], 1);
    }
}

#[test]
fn missing_arguments_are_usage_errors() {
    let scene = Scene::new();
    for arguments in
        ["verify v.db", "init", "slot add v.db --new-recovery", "slot remove v.db --key a:b"]
    {
        scene.run(arguments).fails(2, "invalid_input").says("--help");
    }
    for arguments in ["", "slot", "table", "key"] {
        let run = scene.run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments}");
        run.says("Usage:");
    }
    scene.run("init v.db --new-key-file key --passphrase").fails(2, "invalid_input");
    scene.run("--version").ok().says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_reader_that_has_gone_is_no_panic_and_changes_no_result() {
    let scene = Scene::with_rows();
    let into_nothing = |arguments: &str| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = scene.command(arguments);
        let run = Run::of(command.stdout(Stdio::from(writer)).output().expect("runs"));
        assert_eq!(run.stderr, "", "{arguments}");
        run.code
    };
    for arguments in
        ["--help", "slot list v.db", "verify v.db --key file:key", "--json status v.db"]
    {
        assert_eq!(into_nothing(arguments), 0, "{arguments}");
    }
    assert_eq!(into_nothing("--json verify w.db --key file:key"), 4);
    scene.edit("UPDATE people_sealed SET role = 'admin' WHERE id = 2");
    assert_eq!(into_nothing("verify v.db --key file:key"), 1);
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let scene = Scene::with_vault();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let mut command = scene.command("slot list v.db");
    let run = Run::of(command.stdout(Stdio::from(full)).output().expect("runs"));
    run.fails(7, "full");
}

#[test]
fn no_progress_bar_disturbs_a_program() {
    let scene = Scene::with_rows();
    assert_eq!(scene.run("verify v.db --key file:key").ok().stderr, "");
}

/// The table of `docs/cli.md`.
fn documented() -> Vec<(u8, String)> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
    exit_codes(&std::fs::read_to_string(file).expect("reads"), "| ")
}

/// The lines of a text that begin with `mark`, a digit and a delimiter, without quotes.
fn exit_codes(text: &str, mark: &str) -> Vec<(u8, String)> {
    let line = |line: &str| {
        let (code, meaning) = line.strip_prefix(mark)?.split_once([' ', '|'])?;
        let meaning = meaning.trim_matches(['|', ' ']).replace('`', "");
        Some((code.parse().ok()?, meaning))
    };
    text.lines().filter_map(line).collect()
}

#[test]
fn the_exit_codes_are_those_of_the_documents_and_of_help() {
    let documented = documented();
    assert!(documented.iter().map(|(code, _)| *code).eq(0..=7), "{documented:?}");
    let scene = Scene::new();
    assert_eq!(exit_codes(&scene.run("--help").ok().stdout, "  "), documented);
    assert_eq!(exit_codes(include_str!("../../src/lib.rs"), "//! | "), documented);
    let expected = |kind: ErrorKind| match kind.name() {
        "invalid_input" => 2,
        "wrong_key" | "locked" => 3,
        "not_initialised" | "already_initialised" => 4,
        "authentication_failed" | "corrupt" | "unknown_key" | "rolled_back" => 5,
        "busy" => 6,
        _ => 7,
    };
    for kind in ErrorKind::ALL {
        assert_eq!(sealite_cli::exit_code(*kind), expected(*kind), "{kind:?}");
    }
}
