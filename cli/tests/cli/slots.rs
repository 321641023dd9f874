//! Ways to unlock: added, listed, removed.

use std::fs::{self, OpenOptions};
use std::process::Stdio;

use serde_json::json;

use crate::harness::{PASSPHRASE, Run, Scene, key_in};

#[test]
fn every_kind_of_slot_opens_the_vault() {
    let scene = Scene::with_vault();
    let add = |new: &str, stdin: &str| {
        scene.run_with(&format!("slot add v.db --key file:key {new}"), stdin).ok()
    };
    add("--new-key-file second", "").says("Added slot 2: key").says("second");
    assert_eq!(scene.mode("second"), 0o600);
    scene.run("key generate --out third").ok();
    add("--new-key file:third --label third", "").says("Added slot 3: key, third");
    add("--new-passphrase-stdin", &format!("{PASSPHRASE}\n")).never_says(PASSPHRASE);
    scene.write("pass", "a wholly different phrase", 0o600);
    add("--new-passphrase-file pass --label ops", "");
    add("--new-recovery --out code --label safe", "");
    assert_eq!(scene.mode("code"), 0o600);

    for key in ["second", "third"] {
        scene.run(&format!("verify v.db --key file:{key}")).ok();
    }
    scene.run_with("verify v.db --passphrase-stdin", PASSPHRASE).ok();
    scene.run("verify v.db --passphrase-file pass").ok();
    let code = key_in(&scene.path("code"));
    scene.run_with("verify v.db --recovery-stdin", &code.to_lowercase()).ok().never_says(&code);

    let (_, object) = scene.json("slot list v.db");
    let slots = object["slots"].as_array().expect("slots");
    let kinds: Vec<_> = slots.iter().filter_map(|slot| slot["kind"].as_str()).collect();
    assert_eq!(kinds, ["key", "key", "key", "passphrase", "passphrase", "recovery"]);
    assert_eq!(slots[5]["label"], "safe");
    assert!(slots.iter().all(|slot| slot["created_at"].as_i64() > Some(1_700_000_000)));
    scene.run("slot list v.db").ok().says("passphrase").says("safe").says(" UTC");
}

#[test]
fn two_secrets_are_two_lines_of_the_standard_input() {
    let scene = Scene::new();
    scene.run_with("init v.db --passphrase-stdin", PASSPHRASE).ok();
    let lines = format!("{PASSPHRASE}\nthe second phrase of two\n");
    scene.run_with("slot add v.db --passphrase-stdin --new-passphrase-stdin", &lines).ok();
    scene.run_with("verify v.db --passphrase-stdin", "the second phrase of two").ok();
}

#[test]
fn a_recovery_code_is_shown_once_and_kept_nowhere() {
    let scene = Scene::with_vault();
    let run = scene.run("slot add v.db --key file:key --new-recovery --stdout").ok();
    run.says("kept nowhere");
    let code = run.stdout.lines().find_map(|line| line.strip_prefix("Recovery code: "));
    let code = code.expect("a code");
    assert_eq!(run.stdout.matches(code).count(), 1);
    assert!(!run.stderr.contains(code));
    for entry in fs::read_dir(scene.path("")).expect("reads") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("reads");
        assert!(!bytes.windows(code.len()).any(|window| window == code.as_bytes()));
    }
    scene.run_with("verify v.db --recovery-stdin", code).ok();
    let mut wrong = code.to_owned();
    wrong.replace_range(..1, if code.starts_with('A') { "B" } else { "A" });
    scene.run_with("verify v.db --recovery-stdin", &wrong).fails(2, "invalid_input");

    let (_, object) = scene.json("slot add v.db --key file:key --new-recovery --stdout");
    assert_eq!(object["slot"], json!({"id": 3, "kind": "recovery", "label": "recovery"}));
    let code = object["recovery_code"].as_str().expect("a code").to_owned();
    assert!(object["warning"].as_str().expect("a warning").contains("kept nowhere"));
    scene.run_with("verify v.db --recovery-stdin", &code).ok();
}

#[test]
fn a_recovery_code_does_not_end_in_a_pipe_by_accident() {
    let scene = Scene::with_vault();
    scene
        .run("slot add v.db --key file:key --new-recovery")
        .fails(2, "invalid_input")
        .says("--out");
    let (_, object) = scene.json("slot list v.db");
    assert_eq!(object["slots"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_recovery_code_that_does_not_arrive_leaves_no_slot() {
    let scene = Scene::with_vault();
    let full = || OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    for stdout in [Stdio::from(full()), Stdio::from(writer)] {
        let mut command = scene.command("slot add v.db --key file:key --new-recovery --stdout");
        let run = Run::of(command.stdout(stdout).output().expect("runs"));
        assert_eq!(run.code, 7, "{run:?}");
        run.says("no slot was added");
    }
    let (_, object) = scene.json("slot list v.db");
    assert_eq!(object["slots"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_removed_slot_opens_nothing_and_the_last_one_stays() {
    let scene = Scene::with_vault();
    scene.run("slot add v.db --key file:key --new-key-file second").ok();
    let run = scene.run("slot remove v.db 1 --key file:second").ok();
    run.says("Removed slot 1").says("does not take back").says("rotation");
    scene.run("verify v.db --key file:key").fails(3, "wrong_key").says("no key slot");
    scene.run("verify v.db --key file:second").ok();
    scene.run("slot remove v.db 1 --key file:second").fails(7, "not_found");
    scene.run("slot remove v.db 2 --key file:second").fails(7, "last_slot");
    scene.run("slot add v.db --key file:second --new-key file:key").ok();
    let (code, object) = scene.json("slot remove v.db 2 --key file:key");
    assert_eq!((code, &object["removed"]), (0, &json!(2)));
    assert!(object["warning"].as_str().expect("a warning").contains("does not take back"));
}

#[test]
fn slots_change_only_for_who_can_open_the_vault() {
    let scene = Scene::with_vault();
    scene.run("key generate --out wrong").ok();
    scene.run("slot add v.db --key file:wrong --new-key-file mine").fails(3, "wrong_key");
    scene.run("slot remove v.db 1 --key file:wrong").fails(3, "wrong_key");
    assert!(!scene.exists("mine"));
}

#[test]
fn a_label_never_commands_the_terminal() {
    let scene = Scene::with_vault();
    scene.edit("UPDATE sealite_slots SET label = char(27) || '[2J' || char(10) || 'gone'");
    let run = scene.run("slot list v.db").ok();
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    assert_eq!(run.stdout.lines().count(), 2);
    run.says("\\u{1b}[2J\\ngone");
}
