//! Tokens: issued once to a terminal or a file, administered by their ids, and never shown again.

use std::fs;

use sealite::{ErrorKind, TokenKind};
use serde_json::Value;

use crate::harness::{Run, Scene};

const KEY: &str = "--key file:key";

/// Issues into a file; the id.
fn issue(scene: &Scene, options: &str, file: &str) -> String {
    let (code, object) = scene.json(&format!("token issue v.db {options} --out {file} {KEY}"));
    assert_eq!(code, 0, "{object}");
    object.pointer("/token/id").and_then(Value::as_str).expect("an id").to_owned()
}

fn text_in(scene: &Scene, file: &str) -> String {
    fs::read_to_string(scene.path(file)).expect("a token").trim_end().to_owned()
}

/// Whether the token in the file holds.
fn holds(scene: &Scene, file: &str, kind: TokenKind) -> bool {
    let vault = scene.vault();
    let verified = vault.tokens().verify(&text_in(scene, file), kind);
    vault.close();
    match verified {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::TokenRejected);
            false
        }
    }
}

#[test]
fn a_token_goes_to_a_new_file_for_its_owner_alone() {
    let scene = Scene::with_vault();
    let command =
        format!("token issue v.db --kind api_key --subject ci --scope read --out t {KEY}");
    let run = scene.run(&command).ok();
    let text = text_in(&scene, "t");
    run.says("Issued ").says("Its text is in t").never_says(&text);
    assert_eq!(scene.mode("t"), 0o600);
    assert!(text.starts_with("slkey_"));
    assert!(holds(&scene, "t", TokenKind::ApiKey));
    scene.run(&command).fails(7, "refused").says("exists");
    let (_, object) = scene.json(&format!("token list v.db {KEY}"));
    assert_eq!(object["tokens"].as_array().map(Vec::len), Some(1), "none was issued for nothing");
    assert!(!object.to_string().contains(&text));
}

#[test]
fn a_token_does_not_end_in_a_pipe_unless_somebody_insists() {
    let scene = Scene::with_vault();
    let issue = format!("token issue v.db --kind session {KEY}");
    scene.run(&issue).fails(2, "invalid_input").says("--out").says("--stdout");
    scene.run(&format!("token list v.db {KEY}")).ok().says("no tokens");
    let run = scene.run(&format!("{issue} --stdout")).ok();
    run.says("Token: slses_").says("shown this once");
    let (_, object) = scene.json(&format!("{issue} --stdout"));
    assert!(object["text"].as_str().is_some_and(|text| text.starts_with("slses_")));
}

#[test]
fn a_token_that_does_not_arrive_is_revoked_again() {
    let scene = Scene::with_vault();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let mut command = scene.command(&format!("token issue v.db --kind session --stdout {KEY}"));
    let run = Run::of(command.stdout(full).output().expect("runs"));
    assert_eq!(run.code, 7, "{run:?}");
    run.says("was revoked again").never_says("slses_");
    scene.run(&format!("token list v.db {KEY}")).ok().says("revoked");
    scene.run(&format!("token list v.db --active {KEY}")).ok().says("no tokens");
}

#[test]
fn what_is_asked_for_is_what_is_issued() {
    let scene = Scene::with_vault();
    let options = "--kind api_key --subject ci --label builds --scope write --scope read --limits 30/minute \
                   --expires 7d --idle 12h --prefix acme_key";
    let id = issue(&scene, options, "t");
    assert!(text_in(&scene, "t").starts_with("acme_key_"));
    let (_, object) = scene.json(&format!("token show v.db {id} {KEY}"));
    let token = &object["token"];
    let time = |name: &str| token[name].as_i64().expect("a time");
    assert_eq!(time("expires_at_ms") - time("created_at_ms"), 7 * 86_400_000);
    assert_eq!(time("idle_ms"), 12 * 3_600_000);
    assert_eq!(token["scopes"], serde_json::json!(["read", "write"]));
    assert_eq!((&token["subject"], &token["label"]), (&"ci".into(), &"builds".into()));
    let run = scene.run(&format!("token show v.db {id} {KEY}")).ok();
    run.says(&id).says("builds").says("read write").says("30").never_says(&text_in(&scene, "t"));
    let never = issue(&scene, "--kind session --never-expires", "n");
    let (_, object) = scene.json(&format!("token show v.db {never} {KEY}"));
    assert_eq!(object["token"]["expires_at_ms"], Value::Null);
    for wrong in ["--expires soon", "--expires 7", "--kind none", "--kind short_code", "--uses 0"] {
        let run = scene.run(&format!("token issue v.db --kind invite {wrong} --out x {KEY}"));
        assert_eq!(run.code, 2, "{wrong}: {run:?}");
        assert!(!scene.exists("x"), "{wrong}");
    }
}

#[test]
fn a_list_tells_what_can_still_be_used() {
    let scene = Scene::with_vault();
    let kept = issue(&scene, "--kind session --subject ada", "a");
    let gone = issue(&scene, "--kind session --subject ada", "b");
    let other = issue(&scene, "--kind admin --subject bob", "c");
    scene.run(&format!("token revoke v.db {gone} {KEY}")).ok().says("Revoked");
    scene.run(&format!("token revoke v.db {gone} {KEY}")).ok().says("nothing was written");
    let run = scene.run(&format!("token list v.db --subject ada {KEY}")).ok();
    run.says(&kept).says("active").says(&gone).says("revoked").never_says(&other);
    let run = scene.run(&format!("token list v.db --active {KEY}")).ok();
    run.says(&kept).says(&other).never_says(&gone);
    scene.run(&format!("token list v.db --kind admin {KEY}")).ok().says(&other).never_says(&kept);
    scene.run(&format!("token show v.db {} {KEY}", "0".repeat(24))).fails(7, "not_found");
}

#[test]
fn a_subject_loses_everything_or_all_but_one() {
    let scene = Scene::with_vault();
    let kept = issue(&scene, "--kind session --subject ada", "a");
    issue(&scene, "--kind session --subject ada", "b");
    issue(&scene, "--kind api_key --subject ada", "c");
    let but_one = format!("token revoke v.db --subject ada --kind session --keep {kept} {KEY}");
    scene.run(&but_one).ok().says("Revoked 1 token.");
    assert!(holds(&scene, "a", TokenKind::Session) && !holds(&scene, "b", TokenKind::Session));
    scene.run(&format!("token revoke v.db --subject ada {KEY}")).ok().says("everything");
    assert!(!holds(&scene, "a", TokenKind::Session) && !holds(&scene, "c", TokenKind::ApiKey));
    scene.run(&format!("token list v.db --subject ada --active {KEY}")).ok().says("no tokens");
    for wrong in ["", "--subject ada --family x", "--kind session", "0 --subject ada"] {
        let run = scene.run(&format!("token revoke v.db {wrong} {KEY}"));
        run.fails(2, "invalid_input");
    }
}

#[test]
fn a_disabled_token_is_refused_until_it_is_enabled() {
    let scene = Scene::with_vault();
    let id = issue(&scene, "--kind admin", "t");
    let run = |verb: &str| -> Run { scene.run(&format!("token {verb} v.db {id} {KEY}")).ok() };
    run("disable").says("Disabled");
    run("disable").says("nothing was written");
    assert!(!holds(&scene, "t", TokenKind::Admin));
    run("enable").says("Enabled");
    assert!(holds(&scene, "t", TokenKind::Admin));
}

#[test]
fn break_glass_is_armed_with_a_reason_for_one_use() {
    let scene = Scene::with_vault();
    let id = issue(&scene, "--kind break_glass", "t");
    let arm = format!("token arm v.db {id} --for 15m {KEY}");
    scene.run(&arm).fails(2, "invalid_input").says("--reason");
    let use_it = || {
        let vault = scene.vault();
        let used = vault.tokens().consume(&text_in(&scene, "t"), TokenKind::BreakGlass);
        vault.close();
        used.is_ok()
    };
    assert!(!use_it());
    scene.run(&format!("{arm} --reason outage")).ok().says("Armed").says("until");
    assert!(use_it() && !use_it());
    scene.run(&format!("{arm} --reason outage")).ok();
    scene.run(&format!("token disarm v.db {id} {KEY}")).ok().says("Disarmed");
    assert!(!use_it());
    scene.run(&format!("audit tail v.db -n 20 {KEY}")).ok().says("token.break_glass_used");
}

#[test]
fn a_rotated_token_comes_from_a_file_or_the_standard_input() {
    let scene = Scene::with_vault();
    issue(&scene, "--kind refresh --subject ada", "old");
    let rotate = format!("token rotate v.db --grace 1h {KEY}");
    scene.run(&format!("{rotate} --token-file old --out new")).ok().says("successor");
    assert_eq!(scene.mode("new"), 0o600);
    let old = text_in(&scene, "old");
    // Within the grace the same successor comes back.
    let run = scene.run_with(&format!("{rotate} --token-stdin --stdout"), &old).ok();
    run.says(&text_in(&scene, "new")).never_says(&old);
    assert!(holds(&scene, "new", TokenKind::Refresh));
    scene.write("open", &old, 0o644);
    scene
        .run(&format!("{rotate} --token-file open --out x"))
        .fails(7, "weak_key")
        .says("chmod 600");
    let run = scene.run_with(&format!("{rotate} --token-stdin --out x"), "no token");
    run.fails(7, "token_rejected");
    scene.run_with(&format!("{rotate} --token-stdin --out x"), "\n").fails(2, "invalid_input");
    scene.run(&format!("{rotate} --out x")).fails(2, "invalid_input");
    assert!(!scene.exists("x"), "no file is left of what failed");
}

#[test]
fn a_tenant_has_tokens_of_its_own() {
    let scene = Scene::with_vault();
    let id = issue(&scene, "--kind session --tenant acme", "t");
    assert!(!holds(&scene, "t", TokenKind::Session));
    scene.run(&format!("token show v.db {id} {KEY}")).fails(7, "not_found");
    scene.run(&format!("token show v.db {id} --tenant beta {KEY}")).fails(7, "not_found");
    scene.run(&format!("token show v.db {id} --tenant acme {KEY}")).ok().says(&id);
}

#[test]
fn what_has_ended_is_purged_and_nothing_else() {
    let scene = Scene::with_vault();
    let kept = issue(&scene, "--kind session", "a");
    let gone = issue(&scene, "--kind session --tenant acme", "b");
    scene.run(&format!("token revoke v.db {gone} --tenant acme {KEY}")).ok();
    scene.run(&format!("token purge v.db --ended-for 1d {KEY}")).ok().says("Deleted 0 tokens.");
    scene.run(&format!("token purge v.db --ended-for 0s {KEY}")).ok().says("Deleted 1 token.");
    scene.run(&format!("token show v.db {gone} --tenant acme {KEY}")).fails(7, "not_found");
    scene.run(&format!("token show v.db {kept} {KEY}")).ok();
}

/// SHA-256 of "correct horse battery staple".
const HASH: &str = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";
const TOKEN: &str = "correct horse battery staple";

#[test]
fn tokens_from_before_are_imported_once_and_work() {
    let scene = Scene::with_vault();
    let file = format!(r#"{{"tokens":[{{"id":"ops","hash":"sha256:{HASH}","enabled":true}}]}}"#);
    scene.write("admin.json", &file, 0o600);
    let import = format!("token import v.db admin.json --admin-tokens {KEY}");
    scene.run(&import).ok().says("Imported 1 token, knew 0 tokens").never_says(HASH);
    scene.run(&import).ok().says("Imported 0 tokens, knew 1 token");
    let vault = scene.vault();
    assert!(vault.tokens().verify(TOKEN, TokenKind::Admin).is_ok());
    vault.close();
    let hash = format!("token import v.db - --hash user {KEY}");
    scene.run_with(&hash, &format!("{HASH}\n")).ok().never_says(HASH);
    scene.run(&format!("token import v.db admin.json {KEY}")).fails(2, "invalid_input");
}

#[test]
fn a_torn_or_unknown_file_of_tokens_is_refused_whole() {
    let scene = Scene::with_vault();
    let good = format!(r#"{{"ops":"{HASH}"}}"#);
    scene.write("torn", &good[..good.len() - 1], 0o600);
    let import = |file: &str| scene.run(&format!("token import v.db {file} --admin-tokens {KEY}"));
    import("torn").fails(5, "corrupt").never_says(HASH);
    scene.write("odd", &format!(r#"{{"ops":"{HASH}","x":{{"unknown":1}}}}"#), 0o600);
    import("odd").fails(2, "invalid_input").never_says(HASH);
    import("none").fails(7, "not_found");
    scene.run(&format!("token list v.db {KEY}")).ok().says("no tokens");
}
