//! What `verify` finds, and how damage is told from a wrong key.

use std::fs;

use serde_json::json;

use crate::harness::{SEALED_VALUES, Scene};

#[test]
fn a_sound_vault_is_said_to_be_sound() {
    let scene = Scene::with_rows();
    scene
        .run("verify v.db --key file:key")
        .ok()
        .says("people  2")
        .says("sealite_audit  ")
        .says("Sound");
    let (code, object) = scene.json("verify v.db --key file:key");
    let tables = json!([{"name": "notes", "rows": 2}, {"name": "people", "rows": 2}]);
    // The engine's own tables are opened, too.
    let internal = json!([{"name": "sealite_audit", "rows": 3}]);
    assert_eq!(code, 0);
    let sound = json!({
        "sound": true, "tables": tables, "internal": internal, "faults": [], "integrity": [],
        "keys": null
    });
    assert_eq!(object, sound);
}

#[test]
fn a_row_edited_from_outside_is_found() {
    let scene = Scene::with_rows();
    scene.edit("UPDATE people_sealed SET role = 'admin' WHERE id = 2");
    let run = scene.run("verify v.db --key file:key");
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    run.says("NOT sound: 1 fault.").says("people          2   authentication_failed");
    for value in SEALED_VALUES {
        run.never_says(value);
    }
    let (code, object) = scene.json("verify v.db --key file:key");
    assert_eq!((code, &object["sound"]), (1, &json!(false)));
    let fault = &object["faults"][0];
    assert_eq!(object["faults"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&fault["table"], &fault["tenant"], &fault["id"]),
        (&json!("people"), &json!(null), &json!(2))
    );
    assert_eq!(fault["error"]["name"], "authentication_failed");
    assert_eq!(fault["error"]["code"], 5);
    assert_eq!(object["tables"][1], json!({"name": "people", "rows": 1}));
}

#[test]
fn a_row_moved_to_another_tenant_is_found() {
    let scene = Scene::with_rows();
    scene.edit("DELETE FROM notes_sealed WHERE tenant = 'beta'");
    scene.edit("UPDATE notes_sealed SET tenant = 'beta'");
    let (code, object) = scene.json("verify v.db --key file:key");
    let fault = &object["faults"][0];
    assert_eq!(code, 1);
    assert_eq!((&fault["tenant"], &fault["id"]), (&json!("beta"), &json!("first")));
}

#[test]
fn damage_is_told_from_a_wrong_key() {
    let scene = Scene::with_vault();
    scene.run("key generate --out wrong").ok();
    scene.run("verify v.db --key file:wrong").fails(3, "wrong_key").says("no key slot");
    // The first byte of the ciphertext, behind the header: the commitment still fits, the content does not.
    scene.flip("sealite_slots", 31);
    let run = scene.run("verify v.db --key file:key");
    assert_eq!(run.code, 5, "{run:?}");
    run.never_says("wrong_key");
    let (code, object) = scene.json("verify v.db --key file:key");
    assert_eq!((code, &object["error"]["name"]), (5, &json!("authentication_failed")));
    scene.run("verify v.db --key file:wrong").fails(3, "wrong_key");
}

#[test]
fn an_edited_catalog_is_damage() {
    let scene = Scene::with_rows();
    scene.flip("sealite_catalog", 31);
    let run = scene.run("table list v.db --key file:key");
    assert_eq!(run.code, 5, "{run:?}");
}

#[test]
fn damaged_pages_are_reported_and_never_a_panic() {
    let scene = Scene::with_rows();
    let sound = fs::read(scene.path("v.db")).expect("reads");
    let mut found = 0;
    for page in 1..sound.len() / 4_096 {
        let mut bytes = sound.clone();
        bytes[page * 4_096..(page + 1) * 4_096].fill(0xa5);
        fs::write(scene.path("v.db"), &bytes).expect("writes");
        let run = scene.run("verify v.db --key file:key");
        assert!([0, 1, 3, 5, 7].contains(&run.code), "page {page}: {run:?}");
        run.never_says("panicked");
        found += usize::from(run.code != 0);
    }
    assert!(found > 5, "{found}");
}
