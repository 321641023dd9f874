//! Settings: shown without their secrets, written without an argument that holds one.

use serde_json::json;

use crate::harness::{Run, Scene};

/// A secret that no other text contains.
pub(crate) const SECRET: &str = "Zq7-tangerine-Vx2";
const KEY: &str = "--key file:key";

pub(crate) fn set_secret(scene: &Scene) -> Run {
    scene.run_with(&format!("setting set v.db mail.password --value-stdin {KEY}"), SECRET).ok()
}

#[test]
fn settings_are_listed_with_their_sources_and_secrets_masked() {
    let scene = Scene::with_settings();
    set_secret(&scene).never_says(SECRET);
    scene.run(&format!("setting set v.db mail.host --value mx.example.org {KEY}")).ok();
    let expected = "\
setting        type     source   value
limits.rate    integer  default  30
mail.enabled   boolean  default  false
mail.host      text     vault    mx.example.org
mail.password  text     vault    ********        secret, required, needs a restart
theme          json     unset
";
    assert_eq!(scene.run(&format!("setting list v.db {KEY}")).ok().stdout, expected);
    let run = scene.run(&format!("setting list v.db --category mail {KEY}")).ok();
    run.says("mail.host").never_says("limits.rate").never_says(SECRET);
    let (code, object) = scene.json(&format!("setting list v.db {KEY}"));
    let settings = &object["settings"];
    assert_eq!(code, 0);
    assert_eq!(settings.as_array().map(Vec::len), Some(5));
    assert_eq!((&settings[0]["value"], &settings[1]["value"]), (&json!(30), &json!(false)));
    let password = &settings[3];
    assert_eq!(
        (&password["value"], &password["shown"], &password["secret"], &password["set"]),
        (&json!(null), &json!("********"), &json!(true), &json!(true))
    );
    assert!(!object.to_string().contains(SECRET));
}

#[test]
fn a_vault_without_settings_has_an_empty_list() {
    let scene = Scene::with_vault();
    scene.run(&format!("setting list v.db {KEY}")).ok().says("no settings");
    scene.run(&format!("setting show v.db a.name {KEY}")).fails(7, "not_found");
    scene.run(&format!("setting set v.db a.name --value x {KEY}")).fails(7, "not_found");
    scene.run("setting list v.db").fails(2, "invalid_input").says("--key");
}

#[test]
fn one_setting_is_shown_with_what_is_declared() {
    let scene = Scene::with_settings();
    set_secret(&scene);
    let run = scene.run(&format!("setting show v.db mail.password {KEY}")).ok();
    run.says("value        ********").says("version      1, ").never_says(SECRET);
    run.says("at least 12 characters").says("guarded by   mail.enabled");
    let (_, object) = scene.json(&format!("setting show v.db mail.password {KEY}"));
    let setting = &object["setting"];
    assert_eq!(
        (&setting["source"], &setting["version"], &setting["min_length"], &setting["value"]),
        (&json!("vault"), &json!(1), &json!(12), &json!(null))
    );
    assert_eq!(setting["environment"], "SEALITE_TEST_MAIL_PASSWORD");
}

#[test]
fn a_secret_is_not_taken_from_the_command_line() {
    let scene = Scene::with_settings();
    let command = format!("setting set v.db mail.password --value {SECRET} {KEY}");
    let run = scene.run(&command);
    run.fails(2, "invalid_input").says("--value-stdin").says("history").never_says(SECRET);
    let (code, object) = scene.json(&command);
    assert_eq!((code, object.to_string().contains(SECRET)), (2, false));
    let run = scene.run(&format!("setting show v.db mail.password {KEY}")).ok();
    run.says("(none)");
    scene.run(&format!("setting set v.db mail.password {KEY}")).fails(2, "invalid_input");
    scene
        .run(&format!("setting set v.db theme --value {{}} --value-stdin {KEY}"))
        .fails(2, "invalid_input");
}

#[test]
fn a_secret_comes_from_a_file_that_others_cannot_read() {
    let scene = Scene::with_settings();
    let command = format!("setting set v.db mail.password --value-file secret {KEY}");
    scene.write("secret", &format!("{SECRET}\n"), 0o644);
    scene.run(&command).fails(7, "weak_key").says("chmod 600").never_says(SECRET);
    scene.write("secret", &format!("{SECRET}\n"), 0o600);
    scene.run(&command).ok().says("version 1").says("started anew").never_says(SECRET);
    scene.run(&command).ok().says("nothing was written");
    let run = scene.run(&format!("setting reveal v.db mail.password --stdout --reason test {KEY}"));
    assert_eq!(run.ok().stdout, format!("{SECRET}\n"));
    scene.write("open", "mx.example.org", 0o644);
    scene.run(&format!("setting set v.db mail.host --value-file open {KEY}")).ok();
    scene.run(&format!("setting set v.db mail.host --value-file none {KEY}")).fails(7, "not_found");
}

#[test]
fn passphrase_and_value_share_the_standard_input() {
    let scene = Scene::with_settings();
    let phrase = crate::harness::PASSPHRASE;
    scene.run_with(&format!("slot add v.db {KEY} --new-passphrase-stdin"), phrase).ok();
    let value = "-----BEGIN KEY-----\nMIGH\n-----END KEY-----";
    let command = "setting set v.db mail.password --passphrase-stdin --value-stdin";
    scene.run_with(command, &format!("{phrase}\n{value}\n")).ok().never_says("MIGH");
    let reveal = "setting reveal v.db mail.password --stdout --reason test";
    assert_eq!(scene.run(&format!("{reveal} {KEY}")).ok().stdout, format!("{value}\n"));
    for empty in ["", "\n"] {
        let command = format!("setting set v.db mail.password --value-stdin {KEY}");
        scene.run_with(&command, empty).fails(2, "invalid_input").says("clear");
    }
}

#[test]
fn values_are_read_in_the_type_of_their_setting() {
    let scene = Scene::with_settings();
    for (name, value, expected) in [
        ("limits.rate", "-5", json!(-5)),
        ("mail.enabled", "yes", json!(true)),
        ("theme", "{\"dark\":true}", json!("{\"dark\":true}")),
        ("mail.host", "42", json!("42")),
    ] {
        let (code, object) = scene.json(&format!("setting set v.db {name} --value {value} {KEY}"));
        assert_eq!((code, &object["setting"]["value"]), (0, &expected), "{name}");
        assert_eq!(object["changed"], true);
    }
    for (name, value) in [("limits.rate", "ten"), ("mail.enabled", "maybe"), ("theme", "{")] {
        scene
            .run(&format!("setting set v.db {name} --value {value} {KEY}"))
            .fails(7, "type_mismatch");
    }
}

#[test]
fn a_value_is_cleared_unless_it_is_guarded() {
    let scene = Scene::with_settings();
    set_secret(&scene);
    scene.run(&format!("setting set v.db mail.enabled --value on {KEY}")).ok();
    scene.run(&format!("setting clear v.db mail.password {KEY}")).fails(7, "refused");
    scene.run(&format!("setting set v.db mail.enabled --value off {KEY}")).ok();
    let run = scene.run(&format!("setting clear v.db mail.password --reason over {KEY}")).ok();
    run.says("version 2").says("comes from: unset");
    scene.run(&format!("setting clear v.db mail.password {KEY}")).ok().says("nothing was written");
}

#[test]
fn earlier_values_are_listed_and_taken_again() {
    let scene = Scene::with_settings();
    for host in ["one.example.org", "two.example.org"] {
        let set = format!("setting set v.db mail.host --value {host} --actor ada --reason move");
        scene.run(&format!("{set} {KEY}")).ok();
    }
    let run = scene.run(&format!("setting rollback v.db mail.host 1 --actor bob {KEY}")).ok();
    run.says("Took version 1 again of mail.host: version 3.");
    let run = scene.run(&format!("setting history v.db mail.host {KEY}")).ok();
    run.says("two.example.org").says("version 1 again").says("bob").says("move");
    let (_, object) = scene.json(&format!("setting history v.db mail.host {KEY}"));
    let versions = &object["versions"];
    assert_eq!(versions.as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&versions[2]["shown"], &versions[2]["restored"], &versions[2]["changed_by"]),
        (&json!("one.example.org"), &json!(1), &json!("bob"))
    );
    assert_eq!(versions[0]["reason"], "move");
    scene.run(&format!("setting rollback v.db mail.host 9 {KEY}")).fails(7, "not_found");
    set_secret(&scene);
    let run = scene.run(&format!("setting history v.db mail.password {KEY}")).ok();
    run.says("********").never_says(SECRET);
}

#[test]
fn a_reveal_takes_a_reason_and_a_place_and_is_audited() {
    let scene = Scene::with_settings();
    set_secret(&scene);
    let reveal = format!("setting reveal v.db mail.password {KEY}");
    scene.run(&format!("{reveal} --stdout")).fails(2, "invalid_input").says("--reason");
    let run = scene.run(&format!("{reveal} --reason ticket-7"));
    run.fails(2, "invalid_input").says("no terminal").never_says(SECRET);
    let entries = |name: &str| {
        let (_, object) = scene.json(&format!("audit tail v.db -n 100 {KEY}"));
        let events = object["events"].as_array().expect("entries").clone();
        events.into_iter().filter(|event| event["event"] == name).collect::<Vec<_>>()
    };
    assert_eq!(entries("setting.revealed").len(), 0);
    let run = scene.run(&format!("{reveal} --reason ticket-7 --actor ada --stdout")).ok();
    assert_eq!(run.stdout, format!("{SECRET}\n"));
    let revealed = entries("setting.revealed");
    assert_eq!(revealed.len(), 1);
    assert_eq!(revealed[0]["actor"], "ada");
    assert_eq!(revealed[0]["payload"]["reason"], "ticket-7");
    assert!(!revealed[0].to_string().contains(SECRET));
    // A name that is taken shows nothing, and leaves no entry.
    scene.write("taken", "mine", 0o600);
    scene.run(&format!("{reveal} --reason x --out taken")).fails(7, "refused");
    assert_eq!(entries("setting.revealed").len(), 1);
    scene.run(&format!("{reveal} --reason x --out new")).ok().never_says(SECRET);
    assert_eq!(scene.mode("new"), 0o600);
    let (code, object) = scene.json(&format!("{reveal} --reason x --stdout"));
    let expected = json!({"name": "mail.password", "type": "text", "value": SECRET});
    assert_eq!((code, object), (0, expected));
}

#[test]
fn a_check_names_what_is_missing_or_weak() {
    let scene = Scene::with_settings();
    let check = format!("setting check v.db {KEY}");
    let run = scene.run(&check);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    run.says("mail.password is missing (environment: SEALITE_TEST_MAIL_PASSWORD)");
    run.says("NOT ready: 1 problem.");
    scene.run_with(&format!("setting set v.db mail.password --value-stdin {KEY}"), "short1").ok();
    let (code, object) = scene.json(&format!("{check} theme nothing"));
    assert_eq!((code, &object["ok"]), (1, &json!(false)));
    let problems = object["problems"].as_array().expect("problems");
    let faults: Vec<_> = problems.iter().map(|one| (&one["name"], &one["fault"])).collect();
    assert_eq!(
        faults,
        [
            (&json!("mail.password"), &json!("too_short")),
            (&json!("nothing"), &json!("undefined")),
            (&json!("theme"), &json!("missing")),
        ]
    );
    assert!(!object.to_string().contains("short1"));
    set_secret(&scene);
    scene.run(&check).ok().says("Nothing is missing or weak");
}

#[test]
fn the_environment_counts_where_the_vault_has_nothing() {
    let scene = Scene::with_settings();
    let show = format!("--json setting show v.db mail.host {KEY}");
    let with = |scene: &Scene| {
        let mut command = scene.command(&show);
        command.env("SEALITE_TEST_MAIL_HOST", "env.example.org");
        Run::of(command.output().expect("runs")).ok().object()["setting"].clone()
    };
    assert_eq!(with(&scene)["value"], "env.example.org");
    assert_eq!(with(&scene)["source"], "environment");
    scene.run(&format!("setting set v.db mail.host --value mx.example.org {KEY}")).ok();
    assert_eq!(
        (&with(&scene)["value"], &with(&scene)["source"]),
        (&json!("mx.example.org"), &json!("vault"))
    );
}
