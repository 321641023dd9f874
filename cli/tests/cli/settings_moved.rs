//! Settings of tenants, and settings that go out and come in.

use std::fs;

use serde_json::json;

use crate::harness::Scene;
use crate::settings::{SECRET, set_secret};

const KEY: &str = "--key file:key";

#[test]
fn a_tenant_overrides_and_reveals_only_its_own() {
    let scene = Scene::with_settings();
    set_secret(&scene);
    let acme = format!("--tenant acme {KEY}");
    scene.run(&format!("setting set v.db limits.rate --value 5 {acme}")).ok();
    let (_, object) = scene.json(&format!("setting show v.db limits.rate {acme}"));
    let setting = &object["setting"];
    assert_eq!((&setting["value"], &setting["source"]), (&json!(5), &json!("tenant")));
    let (_, object) = scene.json(&format!("setting show v.db limits.rate {KEY}"));
    assert_eq!(object["setting"]["value"], 30);
    let reveal = format!("setting reveal v.db mail.password --reason x --stdout {acme}");
    scene.run(&reveal).fails(7, "denied").never_says(SECRET);
}

#[test]
fn an_export_holds_secrets_only_where_that_is_said_twice() {
    let scene = Scene::with_settings();
    set_secret(&scene);
    scene.run(&format!("setting set v.db mail.host --value mx.example.org {KEY}")).ok();
    let export = format!("setting export v.db {KEY}");
    let run = scene.run(&export).ok();
    run.says("SEALITE_TEST_MAIL_HOST").says("mx.example.org").never_says(SECRET);
    scene.run(&format!("{export} --include-secrets")).fails(2, "invalid_input").says("--reason");
    let secrets = format!("{export} --include-secrets --reason backup");
    scene.run(&secrets).fails(2, "invalid_input").says("--out").never_says(SECRET);
    scene.run(&format!("{secrets} --out saved")).ok().never_says(SECRET);
    assert_eq!(scene.mode("saved"), 0o600);
    assert!(fs::read_to_string(scene.path("saved")).expect("reads").contains(SECRET));
    scene.run(&format!("{secrets} --out saved")).fails(7, "refused").says("exists");
    scene.run(&format!("{secrets} --stdout")).ok().says(SECRET);
    let (_, object) = scene.json(&format!("audit tail v.db -n 100 {KEY}"));
    let events = object["events"].as_array().expect("entries");
    let exported: Vec<_> =
        events.iter().filter(|event| event["event"] == "setting.exported").collect();
    assert_eq!(exported.len(), 3, "{exported:?}");
    assert!(!object.to_string().contains(SECRET));
}

#[test]
fn what_is_exported_comes_back() {
    for (format, file) in [("env", "saved.env"), ("json", "saved.json")] {
        let scene = Scene::with_settings();
        set_secret(&scene);
        scene.run(&format!("setting set v.db theme --value {{\"dark\":true}} {KEY}")).ok();
        scene.run(&format!("setting set v.db limits.rate --value 7 {KEY}")).ok();
        let secrets = "--include-secrets --reason move";
        let export = format!("setting export v.db --format {format} {secrets} --out {file} {KEY}");
        scene.run(&export).ok();
        for name in ["mail.password", "theme", "limits.rate"] {
            scene.run(&format!("setting clear v.db {name} {KEY}")).ok();
        }
        let run = scene.run(&format!("setting import v.db {file} {KEY}")).ok();
        run.says("Changed 3 settings.").says("mail.password").never_says(SECRET);
        assert_eq!(run.stderr, "");
        let reveal = format!("setting reveal v.db mail.password --reason x --stdout {KEY}");
        assert_eq!(scene.run(&reveal).ok().stdout, format!("{SECRET}\n"));
        let (_, object) = scene.json(&format!("setting show v.db theme {KEY}"));
        assert_eq!(object["setting"]["value"], "{\"dark\":true}");
    }
}

#[test]
fn an_import_is_all_or_nothing_and_names_what_it_does_not_know() {
    let scene = Scene::with_settings();
    let import = format!("setting import v.db - {KEY}");
    let run = scene.run_with(&import, "LIMITS_RATE=9\nOTHER=1\n").ok();
    run.says("Changed 1 setting.").says("OTHER");
    let bad = "SEALITE_TEST_MAIL_HOST=mx.example.org\nLIMITS_RATE=many\n";
    scene.run_with(&import, bad).fails(7, "type_mismatch");
    let (_, object) = scene.json(&format!("setting show v.db mail.host {KEY}"));
    assert_eq!(object["setting"]["set"], false);
    let run = scene.run_with(&format!("{import} --format json"), "{\"limits.rate\": 11}").ok();
    run.says("Changed 1 setting.");
    scene.write("open.env", "LIMITS_RATE=12\n", 0o644);
    let run = scene.run(&format!("setting import v.db open.env {KEY}")).ok();
    assert!(run.stderr.contains("others can read"), "{run:?}");
}
