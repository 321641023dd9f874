//! Backups, restorations, compaction, recovery sheets.

use std::fs::{self, OpenOptions};

use serde_json::json;

use crate::harness::{Run, SEALED_VALUES, Scene};

#[test]
fn a_backup_is_restored_and_opens() {
    let scene = Scene::with_rows();
    let run = scene.run("backup v.db copy.db --key file:key").ok();
    run.says("copy.db holds the vault").says("rows opened").says("of the audit trail walked");
    assert_eq!(scene.mode("copy.db"), 0o600);
    scene.run("verify copy.db --key file:key").ok();
    let run = scene.run("restore copy.db new.db --key file:key").ok();
    run.says("new.db is the restored vault").says("without a checkpoint");
    scene.run("verify new.db --key file:key").ok().says("people");
    scene.run("audit tail new.db --key file:key").ok().says("vault.backup").says("vault.restored");
    for value in SEALED_VALUES {
        run.never_says(value);
    }
    let (code, object) = scene.json("backup v.db again.db --key file:key");
    assert_eq!((code, &object["file"]), (0, &json!("again.db")));
    assert_eq!(object["bytes"], json!(fs::metadata(scene.path("again.db")).expect("a file").len()));
    assert!(object["rows"].as_u64() > Some(4) && object["audit_entries"].as_u64() > Some(2));
}

#[test]
fn nothing_is_overwritten() {
    let scene = Scene::with_rows();
    scene.write("taken", "somebody's", 0o600);
    for to in ["taken", "v.db"] {
        scene.run(&format!("backup v.db {to} --key file:key")).fails(7, "refused");
    }
    scene.run("backup v.db copy.db --key file:key").ok();
    for to in ["taken", "v.db", "copy.db"] {
        scene.run(&format!("restore copy.db {to} --key file:key")).fails(7, "refused");
    }
    assert_eq!(fs::read(scene.path("taken")).expect("reads"), b"somebody's");
    scene.run("restore absent.db new.db --key file:key").fails(4, "not_initialised");
    scene.run("key generate --out wrong").ok();
    scene.run("restore copy.db new.db --key file:wrong").fails(3, "wrong_key");
    assert!(!scene.exists("new.db") && !scene.exists("absent.db"));
}

#[test]
fn a_drill_keeps_nothing_and_finds_what_a_restoration_would() {
    let scene = Scene::with_rows();
    scene.run("audit checkpoint v.db --key file:key --out early").ok();
    scene.run("backup v.db copy.db --key file:key").ok();
    let drill = "restore copy.db v.db --drill --key file:key";
    scene.run(drill).ok().says("can be restored").says("Nothing was kept");
    scene.run(&format!("{drill} --checkpoint early")).ok();
    scene.run("slot add v.db --key file:key --new-key-file second").ok();
    scene.run("audit checkpoint v.db --key file:key --out late").ok();
    scene.run(&format!("{drill} --checkpoint late")).fails(7, "refused").says("older");
    let (code, object) = scene.json(drill);
    assert_eq!((code, &object["drill"]), (0, &json!(true)));

    // The backup is damaged: the drill says so, and so does a restoration.
    fs::rename(scene.path("v.db"), scene.path("kept.db")).expect("renames");
    fs::rename(scene.path("copy.db"), scene.path("v.db")).expect("renames");
    scene.flip("people_sealed", 40);
    for to in ["new.db", "new.db --drill"] {
        let run = scene.run(&format!("restore v.db {to} --key file:key"));
        run.fails(5, "authentication_failed").says("rows of the copy that do not open: 1");
    }
    assert!(!scene.exists("new.db"));
    // Of a damaged vault there is a copy only where that is said.
    scene.run("backup v.db copy.db --key file:key").fails(5, "authentication_failed");
    scene.run("backup v.db copy.db --unchecked --key file:key").ok().says("not checked");
}

#[test]
fn compaction_says_what_it_gained() {
    let scene = Scene::with_rows();
    let vault = scene.vault();
    vault.execute("CREATE TABLE own (text TEXT)", &[]).expect("a table");
    let many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500)
                INSERT INTO own SELECT hex(randomblob(500)) FROM c";
    vault.execute(many, &[]).expect("rows");
    vault.execute("DELETE FROM own", &[]).expect("no rows");
    vault.close();
    let (code, object) = scene.json("compact v.db --key file:key");
    assert_eq!((code, &object["erasure"]), (0, &json!("complete")));
    assert!(object["before"].as_u64() > object["after"].as_u64().map(|after| after * 2));
    scene.run("compact v.db --key file:key").ok().says("bytes before");
    scene.run("verify v.db --key file:key").ok();
}

#[test]
fn a_recovery_sheet_holds_the_code_and_nothing_of_it_stays() {
    let scene = Scene::with_vault();
    let run = scene.run("recovery new v.db --sheet sheet.txt --label safe --key file:key").ok();
    run.says("Added slot 2: recovery, safe").says("sheet.txt").says("kept nowhere else");
    assert_eq!(scene.mode("sheet.txt"), 0o600);
    let sheet = fs::read_to_string(scene.path("sheet.txt")).expect("a sheet");
    let code = code_of(&sheet);
    run.never_says(&code);
    scene.run_with("verify v.db --recovery-stdin", &code).ok();
    scene.run("recovery new v.db --sheet sheet.txt --key file:key").fails(7, "refused");

    let run = scene.run("recovery new v.db --sheet - --key file:key").ok();
    assert!(run.stdout.starts_with("SEALITE RECOVERY SHEET\n"), "{run:?}");
    scene.run_with("verify v.db --recovery-stdin", &code_of(&run.stdout)).ok();
    let (_, object) = scene.json("recovery new v.db --sheet - --key file:key");
    assert_eq!(object["slot"]["id"], json!(4));
    let sheet = object["sheet"].as_str().expect("a sheet");
    scene.run_with("verify v.db --recovery-stdin", &code_of(sheet)).ok();

    let full = OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let mut command = scene.command("recovery new v.db --sheet - --key file:key");
    let run = Run::of(command.stdout(full).output().expect("runs"));
    run.says("no slot was added");
    let (_, object) = scene.json("slot list v.db");
    assert_eq!(object["slots"].as_array().map(Vec::len), Some(4));
}

/// The line that is a code.
fn code_of(sheet: &str) -> String {
    let mut lines = sheet
        .lines()
        .map(str::trim)
        .filter(|line| line.len() == 44 && line.split('-').count() == 9);
    let code = lines.next().expect("a code").to_owned();
    assert_eq!(lines.next(), None);
    code
}
