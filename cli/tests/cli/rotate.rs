//! The keys of a vault, listed, and the master key changed.

use serde_json::json;

use crate::harness::{PASSPHRASE, Scene, key_in};

/// A vault that a key, a passphrase and a recovery code open.
fn scene() -> Scene {
    let scene = Scene::with_rows();
    let add = "slot add v.db --key file:key --new-passphrase-stdin";
    scene.run_with(add, &format!("{PASSPHRASE}\n")).ok();
    scene.run("slot add v.db --key file:key --new-recovery --out code").ok();
    scene
}

#[test]
fn keys_are_listed_without_any_secret() {
    let scene = Scene::with_rows();
    let run = scene.run("key list v.db --key file:key").ok();
    run.says("purpose").says("audit").says("active").never_says(&key_in(&scene.path("key")));
    let (code, object) = scene.json("key list v.db --key file:key");
    let keys = object["keys"].as_array().expect("keys");
    assert_eq!((code, &keys[0]["purpose"], &keys[0]["generation"]), (0, &json!("data"), &json!(1)));
    assert!(keys[0]["tenant"].is_null() && keys.iter().all(|key| key["state"] == "active"));
    assert!(keys.iter().any(|key| key["tenant"].is_string()));
}

#[test]
fn the_master_key_changes_and_every_slot_that_is_kept_opens() {
    let scene = scene();
    let code = key_in(&scene.path("code"));
    let lines = format!("{PASSPHRASE}\n{code}\n");
    let command = "rotate master v.db --key file:key --keep-passphrase-stdin --keep-recovery-stdin";
    let run = scene.run_with(command, &lines).ok();
    run.says("Kept slots: 1, 2, 3").never_says(PASSPHRASE).never_says(&code);
    scene.run("verify v.db --key file:key").ok();
    scene.run_with("verify v.db --passphrase-stdin", PASSPHRASE).ok();
    scene.run_with("verify v.db --recovery-stdin", &code).ok();
    scene.run("audit verify v.db --key file:key").ok();
    scene.run("audit tail v.db --key file:key").ok().says("key.master_rotated");
}

#[test]
fn a_slot_without_its_secret_is_dropped_only_where_that_is_asked_for() {
    let scene = scene();
    let refused = scene.run("rotate master v.db --key file:key");
    assert_eq!(refused.code, 7, "{refused:?}");
    assert!(refused.stderr.contains("2 of 3 slots"), "{refused:?}");
    let wrong = "rotate master v.db --key file:key --keep-passphrase-stdin --drop-others";
    let wrong = scene.run_with(wrong, "another phrase that opens nothing\n");
    assert_eq!(wrong.code, 3, "{wrong:?}");
    scene.run_with("verify v.db --passphrase-stdin", PASSPHRASE).ok();
    let (code, object) = scene.json("rotate master v.db --key file:key --drop-others");
    assert_eq!((code, &object["kept"], &object["dropped"]), (0, &json!([1]), &json!([2, 3])));
    let gone = scene.run_with("verify v.db --passphrase-stdin", PASSPHRASE);
    assert_eq!(gone.code, 3, "{gone:?}");
    scene.run("verify v.db --key file:key").ok();
}
