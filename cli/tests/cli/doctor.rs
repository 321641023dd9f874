//! Every check at once.

use serde_json::{Value, json};

use crate::harness::{SEALED_VALUES, Scene};

const DOCTOR: &str = "doctor v.db --key file:key";

fn result<'a>(object: &'a Value, check: &str) -> &'a Value {
    let checks = object["checks"].as_array().expect("checks");
    &checks.iter().find(|one| one["name"] == check).expect("the check")["result"]
}

#[test]
fn a_vault_in_order_is_said_to_be_so() {
    let scene = Scene::with_rows();
    let run = scene.run(DOCTOR).ok();
    run.says("Nothing is wrong.").says("add a recovery code");
    let (code, object) = scene.json(DOCTOR);
    assert_eq!((code, &object["ok"]), (0, &json!(true)));
    assert_eq!(result(&object, "slots"), "notice");
    for check in ["records", "file", "audit", "health"] {
        assert_eq!(result(&object, check), "ok", "{check}");
    }
    assert_eq!(object["health"], json!({"status": "ready", "reasons": []}));
    assert_eq!(object["slots"][0]["kind"], "key");
    assert_eq!(
        (&object["audit"]["sound"], &object["records"]["sound"]),
        (&json!(true), &json!(true))
    );
    scene.run("slot add v.db --key file:key --new-recovery --out code").ok();
    let (_, object) = scene.json(DOCTOR);
    assert_eq!(result(&object, "slots"), "ok");
}

#[test]
fn faults_of_rows_and_of_the_trail_are_found_together() {
    let scene = Scene::with_rows();
    scene.edit("UPDATE people_sealed SET role = 'admin' WHERE id = 2");
    scene.edit("UPDATE sealite_audit_sealed SET event = 'other' WHERE seq = 1");
    let run = scene.run(DOCTOR);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    run.says("people").says("entry 1 was edited").says("NOT in order: ");
    for value in SEALED_VALUES {
        run.never_says(value);
    }
    let (code, object) = scene.json(DOCTOR);
    assert_eq!((code, &object["ok"]), (1, &json!(false)));
    assert_eq!(
        (result(&object, "records"), result(&object, "audit")),
        (&json!("fault"), &json!("fault"))
    );
    assert_eq!(result(&object, "file"), "ok");
}

#[test]
fn a_trail_that_was_cut_at_its_end_degrades_the_health() {
    let scene = Scene::with_rows();
    let cut =
        "DELETE FROM sealite_audit_sealed WHERE seq = (SELECT max(seq) FROM sealite_audit_sealed)";
    scene.edit(cut);
    let (code, object) = scene.json(DOCTOR);
    assert_eq!((code, &object["health"]["status"]), (1, &json!("degraded")));
    assert_eq!(object["health"]["reasons"], json!(["audit_broken"]));
    assert_eq!(result(&object, "audit"), "fault");
}

#[test]
fn a_checkpoint_is_compared_and_a_wrong_key_is_told() {
    let scene = Scene::with_rows();
    let older = std::fs::read(scene.path("v.db")).expect("reads");
    scene.run("slot add v.db --key file:key --new-recovery --out code").ok();
    scene.run("audit checkpoint v.db --out kept --key file:key").ok();
    scene.run(&format!("{DOCTOR} --checkpoint kept")).ok();
    std::fs::write(scene.path("v.db"), older).expect("writes");
    scene.run(DOCTOR).ok();
    let run = scene.run(&format!("{DOCTOR} --checkpoint kept"));
    assert_eq!(run.code, 1, "{run:?}");
    run.says("which the checkpoint names, is not there");
    scene.run("key generate --out wrong").ok();
    scene.run("doctor v.db --key file:wrong").fails(3, "wrong_key");
    scene.run("doctor none.db --key file:key").fails(4, "not_initialised");
    scene.run("doctor v.db").fails(2, "invalid_input").says("--key");
}
