//! Keys and the files that hold them.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{Scene, key_in};

#[test]
fn a_new_key_goes_to_a_file_for_its_owner_alone() {
    let scene = Scene::new();
    let run = scene.run("key generate --out key").ok();
    let key = key_in(&scene.path("key"));
    assert_eq!(scene.mode("key"), 0o600);
    assert!(key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit()));
    run.never_says(&key).says("--key file:key");
    scene.run("init v.db --key file:key").ok().never_says(&key);
    scene.run("verify v.db --key file:key").ok();
    let (code, object) = scene.json("key generate --out second");
    assert_eq!((code, object["key_file"].as_str()), (0, Some("second")));
}

#[test]
fn a_new_key_goes_to_a_pipe() {
    let scene = Scene::new();
    let first = scene.run("key generate").ok().stdout;
    let second = scene.run("key generate --stdout").ok().stdout;
    assert!(first.trim().len() == 64 && second.trim().len() == 64 && first != second);
    let (_, object) = scene.json("key generate");
    assert_eq!(object["key"].as_str().map(str::len), Some(64));
}

#[test]
fn no_file_is_ever_overwritten() {
    let scene = Scene::with_vault();
    scene.write("taken", "precious", 0o600);
    symlink(scene.path("nowhere"), scene.path("link")).expect("links");
    for command in [
        "key generate --out taken",
        "key generate --out link",
        "init w.db --new-key-file taken",
        "slot add v.db --key file:key --new-key-file taken",
        "slot add v.db --key file:key --new-recovery --out taken",
        "slot add v.db --key file:key --new-recovery --out link",
    ] {
        scene.run(command).fails(7, "refused").says("not overwritten");
    }
    assert_eq!(fs::read_to_string(scene.path("taken")).expect("reads"), "precious");
    assert!(!scene.exists("nowhere") && !scene.exists("w.db"));
    let (_, object) = scene.json("slot list v.db");
    assert_eq!(object["slots"].as_array().map(Vec::len), Some(1), "no slot was added");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let scene = Scene::with_vault();
    let key = key_in(&scene.path("key"));
    scene.write("open", &key, 0o640);
    scene.run("verify v.db --key file:open").fails(7, "weak_key").never_says(&key);
    scene.write("zero", &"0".repeat(64), 0o600);
    scene.run("init w.db --key file:zero").fails(7, "weak_key");
    assert!(!scene.exists("w.db"));
}

#[test]
fn a_key_file_in_a_folder_that_is_not_there_is_an_error() {
    let scene = Scene::new();
    scene.run("key generate --out none/key").fails(7, "not_found");
    scene.run("init v.db --new-key-file none/key").fails(7, "not_found");
    assert!(!scene.exists("v.db"));
}
