//! At a terminal: prompts, progress, and what is not shown there.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{PASSPHRASE, Run, SEALITE, Scene};

/// Runs the binary on a pseudo-terminal and answers its prompts. Python is part of the tool chain: without it the
/// tests fail.
fn at_terminal(scene: &Scene, arguments: &str, steps: &[(&str, &str)]) -> Run {
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/terminal.py");
    let steps: Vec<_> = steps.iter().map(|(prompt, answer)| json!([prompt, answer])).collect();
    let mut command = Command::new("python3");
    command.arg(driver).arg(json!(steps).to_string()).arg(SEALITE);
    command.args(arguments.split_whitespace()).current_dir(scene.path("")).stdin(Stdio::null());
    Run::of(command.output().expect("python3 runs the pseudo-terminal"))
}

#[test]
fn a_passphrase_is_asked_for_and_not_echoed() {
    let scene = Scene::new();
    let twice = [("New passphrase: ", PASSPHRASE), ("The same again: ", PASSPHRASE)];
    let run = at_terminal(&scene, "init v.db --passphrase", &twice).ok();
    run.says("Created the vault v.db").never_says(PASSPHRASE).never_says("horse");
    at_terminal(&scene, "verify v.db --passphrase", &[("Passphrase: ", PASSPHRASE)])
        .ok()
        .says("Sound")
        .never_says("horse");
    let run =
        at_terminal(&scene, "verify v.db --passphrase", &[("Passphrase: ", "not this phrase")]);
    assert_eq!(run.code, 3, "{run:?}");
    run.says("wrong_key").never_says("not this phrase");
    scene.run_with("verify v.db --passphrase-stdin", PASSPHRASE).ok();
}

#[test]
fn two_passphrases_that_differ_make_no_vault() {
    let scene = Scene::new();
    let steps =
        [("New passphrase: ", PASSPHRASE), ("The same again: ", "correct horse battery stable")];
    let run = at_terminal(&scene, "init v.db --passphrase", &steps);
    assert_eq!(run.code, 2, "{run:?}");
    run.says("the two passphrases differ");
    assert!(!scene.exists("v.db"));
    let run = at_terminal(&scene, "init v.db --passphrase", &[("New passphrase: ", "short")]);
    assert_eq!(run.code, 7, "{run:?}");
    run.says("weak_key").never_says("The same again");
}

#[test]
fn a_recovery_code_is_shown_on_the_terminal_and_asked_for_there() {
    let scene = Scene::with_vault();
    let run = at_terminal(&scene, "slot add v.db --key file:key --new-recovery", &[]).ok();
    let code = run.stdout.lines().find_map(|line| line.strip_prefix("Recovery code: "));
    let code = code.expect("a code").trim();
    run.says("kept nowhere");
    at_terminal(&scene, "verify v.db --recovery", &[("Recovery code: ", code)])
        .ok()
        .says("Sound")
        .never_says(code);
}

#[test]
fn a_passphrase_slot_is_added_by_prompts() {
    let scene = Scene::with_vault();
    let twice = [("New passphrase: ", PASSPHRASE), ("The same again: ", PASSPHRASE)];
    at_terminal(&scene, "slot add v.db --key file:key --new-passphrase", &twice)
        .ok()
        .says("Added slot 2: passphrase");
    scene.run_with("verify v.db --passphrase-stdin", PASSPHRASE).ok();
}

#[test]
fn the_value_of_a_setting_is_asked_for_twice_and_not_echoed() {
    let scene = Scene::with_settings();
    let set = "setting set v.db mail.password --prompt --key file:key";
    let differ = [("New value: ", "Zq7-tangerine-Vx2"), ("The same again: ", "Zq7-tangerine-Vx3")];
    let run = at_terminal(&scene, set, &differ);
    assert_eq!(run.code, 2, "{run:?}");
    run.says("the two values differ").never_says("tangerine");
    let twice = [("New value: ", "Zq7-tangerine-Vx2"), ("The same again: ", "Zq7-tangerine-Vx2")];
    at_terminal(&scene, set, &twice).ok().says("version 1").never_says("tangerine");
}

#[test]
fn a_secret_setting_is_shown_to_who_sits_at_the_terminal() {
    let scene = Scene::with_settings();
    let set = "setting set v.db mail.password --value-stdin --key file:key";
    scene.run_with(set, "line one\n\u{1b}[2Jline two").ok();
    let reveal = "setting reveal v.db mail.password --reason test --key file:key";
    let run = at_terminal(&scene, reveal, &[]).ok();
    assert_eq!(run.stdout, "line one\r\n\\u{1b}[2Jline two\r\n");
    let secrets = "setting export v.db --include-secrets --reason test --key file:key";
    at_terminal(&scene, secrets, &[]).ok().says("line one");
}

#[test]
fn a_key_is_shown_on_a_terminal_only_where_that_is_said() {
    let scene = Scene::new();
    let run = at_terminal(&scene, "key generate", &[]);
    assert_eq!(run.code, 2, "{run:?}");
    run.says("--stdout");
    let run = at_terminal(&scene, "key generate --stdout", &[]).ok();
    assert_eq!(run.stdout.trim().len(), 64);
}

#[test]
fn a_token_is_shown_once_to_who_sits_at_the_terminal_and_asked_for_there() {
    let scene = Scene::with_vault();
    let run = at_terminal(&scene, "token issue v.db --kind refresh --key file:key", &[]).ok();
    let text = run.stdout.lines().find_map(|line| line.strip_prefix("Token: "));
    let text = text.expect("a token").trim();
    run.says("shown this once");
    let rotate = "token rotate v.db --prompt --key file:key --out new";
    at_terminal(&scene, rotate, &[("Token: ", text)]).ok().says("successor").never_says(text);
    assert!(scene.exists("new"));
}

#[test]
fn without_a_terminal_a_prompt_is_an_error_that_names_the_ways_out() {
    let scene = Scene::with_vault();
    let output = Command::new("setsid")
        .args(["--wait", SEALITE, "verify", "v.db", "--passphrase"])
        .current_dir(scene.path(""))
        .stdin(Stdio::null())
        .output()
        .expect("setsid runs");
    let run = Run::of(output);
    assert_eq!(run.code, 7, "{run:?}");
    run.says("no terminal to ask on").says("standard input");
}

#[test]
fn a_long_check_shows_its_progress_on_a_terminal() {
    let scene = Scene::with_rows();
    let run = at_terminal(&scene, "verify v.db --key file:key", &[]).ok();
    run.says("/4 rows").says("Sound");
    let run = at_terminal(&scene, "--json verify v.db --key file:key", &[]).ok();
    run.never_says("rows,").says("\"sound\":true");
    let run = at_terminal(&scene, "audit verify v.db --key file:key", &[]).ok();
    run.says("entries of the audit trail").says("Sound");
    let run = at_terminal(&scene, "audit export v.db --key file:key --out log.jsonl", &[]).ok();
    run.says("entries of the audit trail").says("Wrote ");
    let run = at_terminal(&scene, "audit export v.db --key file:key", &[]).ok();
    run.never_says("entries of the audit trail");
}

#[test]
fn copies_rotations_and_adoptions_show_their_progress_on_a_terminal() {
    let scene = Scene::with_rows();
    let shown =
        |arguments: &str| at_terminal(&scene, &format!("{arguments} --key file:key"), &[]).ok();
    shown("doctor v.db").says("/4 rows").says("entries of the audit trail");
    shown("backup v.db copy.db").says("copying").says(" pages").says("rows opened");
    shown("restore copy.db new.db").says("copying").says(" pages").says("of the audit trail");
    shown("rotate data v.db").says("records, ").says("finished");
    shown("rotate all v.db").says("records, ").says("under a new master key");
    let conn = rusqlite::Connection::open(scene.path("app.db")).expect("opens");
    conn.execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users (email) VALUES ('a')")
        .expect("a database");
    drop(conn);
    let adopt = "adopt app.db --vault v.db --values --column users.email:sealed";
    shown(adopt).says("sealing users").says("/1 rows").says("Adopted.");
    let programs = at_terminal(&scene, "--json backup v.db third.db --key file:key", &[]).ok();
    programs.never_says("copying").says("\"rows\":");
}
