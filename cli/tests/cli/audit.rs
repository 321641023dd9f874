//! The audit trail: shown, verified, exported and shortened.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sealite::Entry;
use serde_json::{Value, json};

use crate::harness::Scene;

const KEY: &str = "--key file:key";
const DAY: i64 = 86_400_000;
/// 2026-03-01T12:00:00Z.
const NOON: i64 = 1_772_366_400_000;

/// A vault with four entries of its own on two days.
fn with_entries() -> Scene {
    let scene = Scene::with_vault();
    append(&scene, NOON, &["user.login", "user.logout"]);
    append(&scene, NOON + DAY, &["user.login", "user.deleted"]);
    scene
}

fn append(scene: &Scene, at: i64, events: &[&str]) {
    let vault = scene.vault();
    vault.set_clock(Some(at));
    for event in events {
        let entry = Entry::new(*event).actor("ada").subject("bob").payload(r#"{"from":"web"}"#);
        vault.audit().append(&entry).expect("appends");
    }
    vault.close();
}

/// Removes an entry as somebody without the engine does.
fn remove(scene: &Scene, entry: i64) {
    scene.edit(&format!("DELETE FROM sealite_audit_sealed WHERE seq = {entry}"));
}

#[allow(clippy::indexing_slicing)]
fn last(scene: &Scene) -> i64 {
    let (_, object) = scene.json(&format!("audit verify v.db {KEY}"));
    object["last"].as_i64().expect("an entry")
}

fn lines(scene: &Scene, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(scene.path(name)).expect("reads");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_last_entries_are_shown() {
    let scene = with_entries();
    let run = scene.run(&format!("audit tail v.db -n 2 {KEY}")).ok();
    assert_eq!(run.stdout.lines().count(), 3, "{run:?}");
    run.says("2026-03-02 12:00:00 UTC  user.login").says("user.deleted").never_says("user.logout");
    let (code, object) = scene.json(&format!("audit tail v.db --lines 1 {KEY}"));
    let event = &object["events"][0];
    assert_eq!((code, &event["event"]), (0, &json!("user.deleted")));
    assert_eq!((&event["actor"], &event["subject"]), (&json!("ada"), &json!("bob")));
    assert_eq!((&event["payload"], &event["tenant"]), (&json!({"from": "web"}), &json!(null)));
    let vault = scene.vault();
    vault.tenant("acme").expect("a tenant").audit().append(&Entry::new("seen")).expect("appends");
    vault.close();
    let (_, object) = scene.json(&format!("audit tail v.db --tenant acme {KEY}"));
    assert_eq!(object["events"].as_array().map(Vec::len), Some(1));
    scene.run(&format!("audit tail v.db --tenant none {KEY}")).ok().says("no entries");
}

#[test]
fn no_text_of_an_entry_commands_the_terminal() {
    let scene = Scene::with_vault();
    let vault = scene.vault();
    vault.audit().append(&Entry::new("a").actor("x\u{1b}[2Jy\nz")).expect("appends");
    vault.close();
    let run = scene.run(&format!("audit tail v.db {KEY}")).ok();
    run.never_says("\u{1b}").says("x\\u{1b}[2Jy\\nz");
}

#[test]
fn a_sound_chain_is_said_to_be_sound() {
    let scene = with_entries();
    scene.run(&format!("audit verify v.db {KEY}")).ok().says("Sound: ").says("checkpoint");
    let (code, object) = scene.json(&format!("audit verify v.db {KEY}"));
    assert_eq!((code, &object["sound"], &object["faults"]), (0, &json!(true), &json!([])));
    assert_eq!((&object["first"], &object["checkpoint"]), (&json!(1), &json!(false)));
}

#[test]
fn an_entry_edited_or_removed_from_outside_is_found() {
    let scene = with_entries();
    let last = last(&scene);
    scene.edit("UPDATE sealite_audit_sealed SET event = 'user.seen' WHERE seq = 2");
    remove(&scene, 3);
    let run = scene.run(&format!("audit verify v.db {KEY}"));
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    run.says("entry 2 was edited, moved or damaged").says("entry 3 is missing").says("NOT sound");
    let (code, object) = scene.json(&format!("audit verify v.db {KEY}"));
    assert_eq!((code, &object["sound"], &object["last"]), (1, &json!(false), &json!(last)));
    assert_eq!(object["faults"][0], json!({"fault": "edited", "from": 2, "to": 2}));
    assert_eq!(object["faults"][1], json!({"fault": "missing", "from": 3, "to": 3}));
    let run = scene.run(&format!("audit retain v.db --through 4 {KEY}"));
    run.fails(5, "authentication_failed").says("nothing was dropped");
}

#[test]
fn a_checkpoint_shows_that_an_older_file_was_put_back() {
    let scene = with_entries();
    let older = fs::read(scene.path("v.db")).expect("reads");
    append(&scene, NOON + DAY, &["user.login"]);
    let run = scene.run(&format!("audit checkpoint v.db {KEY}")).ok();
    scene.write("printed", &run.stdout, 0o644);
    scene.run(&format!("audit checkpoint v.db --out kept {KEY}")).ok().says("kept");
    scene.run(&format!("audit checkpoint v.db --out kept {KEY}")).fails(7, "refused");
    for name in ["printed", "kept"] {
        let verify = format!("audit verify v.db --checkpoint {name} {KEY}");
        scene.run(&verify).ok().never_says("Without a checkpoint");
        scene.run(&format!("{verify} --since")).ok().says("Sound: 1 entry");
    }
    let (_, object) = scene.json(&format!("audit checkpoint v.db {KEY}"));
    assert_eq!(object["seq"], json!(last(&scene)));
    fs::write(scene.path("v.db"), older).expect("writes");
    scene.run(&format!("audit verify v.db {KEY}")).ok();
    let verify = format!("audit verify v.db --checkpoint kept {KEY}");
    let run = scene.run(&verify);
    assert_eq!(run.code, 1, "{run:?}");
    run.says("which the checkpoint names, is not there");
    let (_, object) = scene.json(&verify);
    assert_eq!(object["faults"][0]["fault"], "truncated");
}

#[test]
fn a_checkpoint_of_another_vault_is_refused() {
    let (scene, other) = (with_entries(), with_entries());
    let run = other.run(&format!("audit checkpoint v.db {KEY}")).ok();
    scene.write("kept", &run.stdout, 0o600);
    let verify = format!("audit verify v.db --checkpoint kept {KEY}");
    scene.run(&verify).fails(5, "authentication_failed");
    scene.write("kept", "no checkpoint", 0o600);
    scene.run(&verify).fails(2, "invalid_input");
    scene.run(&format!("audit verify v.db --since {KEY}")).fails(2, "invalid_input");
}

#[test]
fn entries_are_exported_as_json_lines() {
    let scene = with_entries();
    let run = scene.run(&format!("audit export v.db {KEY}")).ok();
    assert_eq!(i64::try_from(run.stdout.lines().count()), Ok(last(&scene)));
    let window = "--from 2026-03-02 --until 2026-03-02T12:00:01Z";
    let run = scene.run(&format!("audit export v.db {window} {KEY}")).ok();
    let events: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 2, "{run:?}");
    assert_eq!((&events[0]["event"], &events[0]["actor"]), (&json!("user.login"), &json!("ada")));
    assert_eq!(events[0]["ts"], "2026-03-02T12:00:00.000Z");
    let (_, object) = scene.json(&format!("audit export v.db {window} --out entries {KEY}"));
    assert_eq!(object, json!({"entries": 2, "file": "entries"}));
    assert_eq!((scene.mode("entries"), lines(&scene, "entries")), (0o600, events));
    scene.run(&format!("audit export v.db --out entries {KEY}")).fails(7, "refused");
    scene.run(&format!("audit export v.db --from yesterday {KEY}")).fails(2, "invalid_input");
    let (code, object) = scene.json(&format!("audit export v.db {KEY}"));
    assert_eq!((code, &object["error"]["name"]), (2, &json!("invalid_input")));
}

#[test]
fn an_export_that_cannot_be_written_is_an_error_and_leaves_no_file() {
    let scene = with_entries();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let mut command = scene.command(&format!("audit export v.db {KEY}"));
    let run = crate::harness::Run::of(command.stdout(full).output().expect("runs"));
    run.fails(7, "full");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = scene.command(&format!("audit export v.db {KEY}"));
    let run = crate::harness::Run::of(command.stdout(writer).output().expect("runs"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    scene.edit("UPDATE sealite_audit_sealed SET event = 'user.seen' WHERE seq = 2");
    let run = scene.run(&format!("audit export v.db --out entries {KEY}"));
    run.fails(5, "authentication_failed");
    assert!(!scene.exists("entries"));
}

#[test]
fn a_daily_export_goes_on_where_it_ended() {
    let scene = with_entries();
    fs::create_dir(scene.path("days")).expect("a folder");
    let export = format!("audit export v.db --daily days {KEY}");
    scene.run(&export).ok().says("in days");
    let (first, second) = ("days/audit-2026-03-01.jsonl", "days/audit-2026-03-02.jsonl");
    assert_eq!((lines(&scene, first).len(), lines(&scene, second).len()), (2, 2));
    assert_eq!(scene.mode(second), 0o600);
    let (_, object) = scene.json(&export);
    assert_eq!(object, json!({"entries": 0, "files": []}));
    append(&scene, NOON + DAY + 1_000, &["user.login"]);
    // What a crash has left of a line.
    let text = fs::read_to_string(scene.path(second)).expect("reads");
    fs::write(scene.path(second), format!("{text}{{\"seq\":9")).expect("writes");
    let (_, object) = scene.json(&export);
    assert_eq!(object, json!({"entries": 1, "files": ["audit-2026-03-02.jsonl"]}));
    assert_eq!((lines(&scene, first).len(), lines(&scene, second).len()), (2, 3));
    // Entries that were dropped stay in the files that have them.
    let dropped = lines(&scene, second)[0]["seq"].as_i64().expect("a number");
    scene.run(&format!("audit retain v.db --through {dropped} {KEY}")).ok();
    scene.run(&export).ok();
    assert_eq!((lines(&scene, first).len(), lines(&scene, second).len()), (2, 3));
}

#[test]
fn a_daily_export_shows_that_an_older_file_was_put_back() {
    let scene = with_entries();
    let older = fs::read(scene.path("v.db")).expect("reads");
    append(&scene, NOON + DAY, &["user.seen", "user.seen"]);
    fs::create_dir(scene.path("days")).expect("a folder");
    let export = format!("audit export v.db --daily days {KEY}");
    scene.run(&export).ok();
    let file = "days/audit-2026-03-02.jsonl";
    let before = lines(&scene, file);
    fs::write(scene.path("v.db"), older).expect("writes");
    // First the entries are fewer than in the file, then others, then more.
    for events in [&[][..], &["forged"], &["forged"], &["forged"]] {
        append(&scene, NOON + DAY, events);
        let run = scene.run(&export);
        run.fails(5, "authentication_failed").says("audit-2026-03-02.jsonl");
        assert_eq!(lines(&scene, file), before);
    }
    let other = with_entries();
    let days = scene.path("days").display().to_string();
    let run = other.run(&format!("audit export v.db --daily {days} {KEY}"));
    run.fails(5, "authentication_failed").says("another vault");
}

#[test]
fn a_daily_export_writes_behind_nothing_else() {
    let scene = with_entries();
    fs::create_dir(scene.path("days")).expect("a folder");
    let export = format!("audit export v.db --daily days {KEY}");
    scene.write("days/audit-2026-03-01.jsonl", "mine\n", 0o600);
    scene.run(&export).fails(7, "refused");
    assert_eq!(fs::read(scene.path("days/audit-2026-03-01.jsonl")).expect("reads"), b"mine\n");
    scene.run(&format!("audit export v.db --daily none {KEY}")).fails(7, "not_found");
    scene.run(&format!("{export} --out x")).fails(2, "invalid_input");
    scene.run(&format!("{export} --from 2026-03-02")).fails(2, "invalid_input");
    fs::set_permissions(scene.path("days"), fs::Permissions::from_mode(0o700)).expect("mode");
}

#[test]
fn the_oldest_entries_are_dropped_and_the_chain_goes_on() {
    let scene = with_entries();
    let last = last(&scene);
    scene.run(&format!("audit retain v.db --through {} {KEY}", last + 1)).fails(7, "not_found");
    let (code, object) = scene.json(&format!("audit retain v.db --through 3 {KEY}"));
    assert_eq!((code, object), (0, json!({"dropped": 3, "from": 1, "through": 3})));
    let (code, object) = scene.json(&format!("audit verify v.db {KEY}"));
    assert_eq!((code, &object["first"], &object["last"]), (0, &json!(4), &json!(last + 1)));
    scene.run(&format!("audit retain v.db --through 3 {KEY}")).fails(7, "not_found");
    scene.run(&format!("audit tail v.db -n 1 {KEY}")).ok().says("audit.retained");
    scene.run(&format!("audit retain v.db {KEY}")).fails(2, "invalid_input").says("--through");
}
