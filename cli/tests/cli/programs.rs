//! What a program that runs the command line relies on: one object from every command, and the exit codes.

use std::collections::BTreeSet;

use sealite::{ApprovalRequest, Column, TableDefinition, values};
use serde_json::Value;

use crate::harness::{SEALITE, Scene};

const KEY: &str = "--key file:key";

/// Every command that does something, as the help lists them.
fn commands() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let help = std::process::Command::new(SEALITE)
            .args(command.split_whitespace())
            .arg("--help")
            .output()
            .expect("runs");
        let help = String::from_utf8(help.stdout).expect("UTF-8");
        let below: Vec<String> = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| line.starts_with("  "))
            .filter(|line| !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help")
            .map(|name| format!("{command} {name}").trim().to_owned())
            .collect();
        if below.is_empty() {
            found.insert(command);
        }
        open.extend(below);
    }
    found
}

#[test]
fn every_command_answers_with_one_object() {
    let scene = Scene::with_settings();
    let vault = scene.vault();
    let request = ApprovalRequest::new("delete", "{}", "ada");
    let [first, second] = [(); 2].map(|()| vault.approvals().create(&request).expect("a request"));
    let notes =
        TableDefinition::new("notes").subject_is_row().column(Column::text("body").sealed());
    vault.define_table(&notes).expect("a table");
    vault.table("notes").expect("a table").insert(values! {"body" => "x"}).expect("a row");
    let theirs = TableDefinition::new("theirs").per_tenant().column(Column::text("a").sealed());
    vault.define_table(&theirs).expect("a table");
    let acme = vault.tenant("acme").expect("a tenant");
    acme.table("theirs").expect("a table").insert(values! {"a" => "x"}).expect("a row");
    vault.close();
    let plain = rusqlite::Connection::open(scene.path("app.db")).expect("a database");
    plain
        .execute_batch("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
        .expect("a table");
    drop(plain);
    scene.write("plan.toml", "[tables.people]\nemail = 'sealed'\n", 0o600);
    scene.write(
        "hashes.json",
        &format!(r#"[{{"id":"ci","hash":"sha256:{}","enabled":true}}]"#, "ab".repeat(32)),
        0o600,
    );
    scene.run(&format!("token issue v.db --kind break_glass --out token {KEY}")).ok();
    let token = scene.json(&format!("token list v.db {KEY}")).1;
    let token = token.pointer("/tokens/0/id").and_then(Value::as_str).expect("an id").to_owned();
    scene.run(&format!("token issue v.db --kind refresh --out refresh {KEY}")).ok();

    // In an order in which each has what it needs.
    let runs = [
        ("init", "w.db --new-key-file other".to_owned()),
        ("key generate", "--out third".to_owned()),
        ("status", format!("v.db {KEY}")),
        ("slot list", "v.db".to_owned()),
        ("slot add", format!("v.db --new-key file:third {KEY}")),
        ("slot remove", format!("v.db 2 {KEY}")),
        ("table list", format!("v.db {KEY}")),
        ("table describe", format!("v.db {KEY}")),
        ("verify", format!("v.db {KEY}")),
        ("setting list", format!("v.db {KEY}")),
        ("setting set", format!("v.db mail.host --value mx.example.org {KEY}")),
        ("setting show", format!("v.db mail.host {KEY}")),
        ("setting history", format!("v.db mail.host {KEY}")),
        ("setting clear", format!("v.db mail.host {KEY}")),
        ("setting rollback", format!("v.db mail.host 1 {KEY}")),
        ("setting reveal", format!("v.db mail.host --reason test --out revealed {KEY}")),
        ("setting check", format!("v.db {KEY}")),
        ("setting export", format!("v.db --out settings.env {KEY}")),
        ("setting import", format!("v.db settings.env {KEY}")),
        ("token issue", format!("v.db --kind session --out session {KEY}")),
        ("token list", format!("v.db {KEY}")),
        ("token show", format!("v.db {token} {KEY}")),
        ("token arm", format!("v.db {token} --reason test --for 15m {KEY}")),
        ("token disarm", format!("v.db {token} {KEY}")),
        ("token disable", format!("v.db {token} {KEY}")),
        ("token enable", format!("v.db {token} {KEY}")),
        ("token rotate", format!("v.db --token-file refresh --out rotated {KEY}")),
        ("token revoke", format!("v.db {token} {KEY}")),
        ("token purge", format!("v.db --ended-for 90d {KEY}")),
        ("token import", format!("v.db hashes.json --admin-tokens {KEY}")),
        ("approval list", format!("v.db {KEY}")),
        ("approval show", format!("v.db {first} {KEY}")),
        ("approval approve", format!("v.db {first} --approver grace {KEY}")),
        ("approval reject", format!("v.db {second} --approver grace {KEY}")),
        ("quota reset", format!("v.db 192.0.2.1 {KEY}")),
        ("clock accept", format!("v.db {KEY}")),
        ("adopt", format!("app.db --vault v.db --plan plan.toml {KEY}")),
        ("key list", format!("v.db {KEY}")),
        ("rotate master", format!("v.db {KEY}")),
        ("rotate data", format!("v.db {KEY}")),
        ("rotate index", format!("v.db {KEY}")),
        ("rotate token", format!("v.db {KEY}")),
        ("rotate audit", format!("v.db {KEY}")),
        ("rotate all", format!("v.db {KEY}")),
        ("rotate status", format!("v.db {KEY}")),
        ("backup", format!("v.db copy.db {KEY}")),
        ("restore", format!("copy.db again.db {KEY}")),
        ("compact", format!("v.db {KEY}")),
        ("recovery new", format!("v.db --sheet sheet {KEY}")),
        ("subject export", format!("v.db 1 --out subject.json {KEY}")),
        ("subject erase", format!("v.db 1 --yes {KEY}")),
        ("tenant list", format!("v.db {KEY}")),
        ("tenant erase", format!("v.db acme --yes {KEY}")),
        ("audit tail", format!("v.db {KEY}")),
        ("audit verify", format!("v.db {KEY}")),
        ("audit checkpoint", format!("v.db {KEY}")),
        ("audit export", format!("v.db --out log.jsonl {KEY}")),
        ("audit retain", format!("v.db --through 1 {KEY}")),
        ("doctor", format!("v.db {KEY}")),
    ];
    for (command, arguments) in &runs {
        let (code, object) = scene.json(&format!("{command} {arguments}"));
        // A setting that is required is missing.
        let expected = i32::from(*command == "setting check");
        assert_eq!(code, expected, "{command}: {object}");
        assert!(object.as_object().is_some_and(|object| !object.is_empty()), "{command}: {object}");
        assert!(object.get("error").is_none(), "{command}: {object}");
    }
    let tried: BTreeSet<String> = runs.iter().map(|(command, _)| (*command).to_owned()).collect();
    assert_eq!(tried, commands());
}

#[test]
fn a_lock_that_another_process_holds_is_busy() {
    let scene = Scene::with_settings();
    let vault = scene.vault();
    let transaction = vault.begin().expect("a transaction");
    let set = format!("setting set v.db mail.host --value mx.example.org {KEY}");
    scene.run(&set).fails(6, "busy");
    let (code, object) = scene.json(&set);
    assert_eq!((code, object.pointer("/error/name").and_then(Value::as_str)), (6, Some("busy")));
    drop(transaction);
    scene.run(&set).ok();
}
