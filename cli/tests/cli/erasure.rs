//! Subjects and tenants, from the shell.

use sealite::{Column, TableDefinition, values};
use serde_json::Value;

use crate::harness::Scene;

const KEY: &str = "--key file:key";

fn scene() -> Scene {
    let scene = Scene::with_vault();
    let vault = scene.vault();
    let notes = TableDefinition::new("notes")
        .column(Column::integer("user_id").authenticated())
        .column(Column::text("body").sealed())
        .subject("user_id");
    vault.define_table(&notes).expect("a table");
    let theirs = TableDefinition::new("theirs").per_tenant().column(Column::text("a").sealed());
    vault.define_table(&theirs).expect("a table");
    for user in 1..=3 {
        let row = values! {"user_id" => user, "body" => "hers"};
        vault.table("notes").expect("a table").insert(row).expect("a row");
    }
    for name in ["acme", "globex"] {
        let tenant = vault.tenant(name).expect("a tenant");
        tenant.table("theirs").expect("a table").insert(values! {"a" => name}).expect("a row");
    }
    vault.close();
    scene
}

#[test]
fn a_subject_is_exported_and_erased() {
    let scene = scene();
    let export = format!("subject export v.db 2 --out 2.json {KEY}");
    scene.run(&export).ok().says("1 row").says("2.json");
    let (code, _) = scene.json(&export);
    assert_ne!(code, 0, "a file that is there is not overwritten");
    // Not by a slip.
    scene.run(&format!("subject erase v.db 2 {KEY}")).fails(2, "invalid_input");
    let (code, erased) = scene.json(&format!("subject erase v.db 2 --yes {KEY}"));
    assert_eq!(code, 0, "{erased}");
    let erased = &erased["receipts"][0];
    assert_eq!(erased["rows"], 1);
    assert_eq!(erased["erasure"], "complete");
    assert!(erased["receipt"].as_str().expect("a text").starts_with("sealite-erasure-1."));
    let vault = scene.vault();
    assert!(vault.verify_receipt(erased["receipt"].as_str().expect("a text")).is_ok());
    vault.close();
    scene.run(&format!("subject export v.db 2 --out again.json {KEY}")).fails(7, "destroyed_key");
    scene.run(&format!("subject erase v.db 77 --yes {KEY}")).fails(7, "not_found");
    scene.run(&format!("audit tail v.db {KEY}")).ok().says("subject.erased");
}

#[test]
fn several_subjects_are_erased_by_one_command() {
    let scene = scene();
    let (code, erased) = scene.json(&format!("subject erase v.db 1 3 --yes {KEY}"));
    assert_eq!(code, 0, "{erased}");
    let receipts = erased["receipts"].as_array().expect("a list");
    let subjects: Vec<_> = receipts.iter().map(|receipt| receipt["subject"].as_str()).collect();
    assert_eq!(subjects, [Some("1"), Some("3")]);
    assert!(receipts.iter().all(|receipt| receipt["erasure"] == "complete"));
    let vault = scene.vault();
    assert_eq!(vault.table("notes").expect("a table").count().expect("a count"), 1);
    vault.close();
    scene.run(&format!("subject erase v.db --yes {KEY}")).fails(2, "invalid_input");
}

#[test]
fn tenants_are_listed_and_erased() {
    let scene = scene();
    scene.run(&format!("tenant list v.db {KEY}")).ok().says("acme").says("globex");
    scene.run(&format!("tenant erase v.db acme --yes {KEY}")).ok().says("Erased: 1 row");
    let (_, listed) = scene.json(&format!("tenant list v.db {KEY}"));
    let erased = |at: &str| listed.pointer(at).map(Value::is_null);
    assert_eq!(erased("/tenants/0/erased_at"), Some(false));
    assert_eq!(erased("/tenants/1/erased_at"), Some(true));
}
