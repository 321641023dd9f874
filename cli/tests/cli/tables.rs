//! What is said about tables.

use serde_json::json;

use crate::harness::{SEALED_VALUES, Scene};

#[test]
fn tables_are_listed_with_their_rows() {
    let scene = Scene::with_rows();
    let run = scene.run("table list v.db --key file:key").ok();
    let expected = "table   rows  columns\nnotes   2     1        per tenant\npeople  2     5\n";
    assert_eq!(run.stdout, expected);
    let (_, object) = scene.json("table list v.db --key file:key");
    let people = json!({"name": "people", "rows": 2, "columns": 5, "per_tenant": false});
    assert_eq!(object["tables"][1], people);
}

#[test]
fn a_table_is_described_aligned_and_without_its_values() {
    let scene = Scene::with_rows();
    let run = scene.run("table describe v.db people --key file:key").ok();
    let expected = "\
people: 2 rows, primary key id (integer), padding to multiples of 32 bytes
column   type     protection     null      index
email    text     sealed         not null  blind unique, email, 128 bits
surname  text     sealed                   blind lookup, text, 11 bits
vip      boolean  sealed                   blind lookup, exact, 1 bit, leakage accepted: few of them
role     text     authenticated  not null
plan     text     plain                    unique
";
    assert_eq!(run.stdout, expected);
    let all = scene.run("table describe v.db --key file:key").ok();
    all.says("notes: 2 rows, primary key slug (text), per tenant, padding Padmé");
    for value in SEALED_VALUES {
        all.never_says(value);
    }
}

#[test]
fn a_described_table_is_an_object_with_stable_keys() {
    let scene = Scene::with_rows();
    let (code, object) = scene.json("table describe v.db people --key file:key");
    let table = &object["tables"][0];
    assert_eq!(code, 0);
    assert_eq!(table["key"], json!({"name": "id", "type": "integer"}));
    assert_eq!(table["padding"], json!({"policy": "block", "bytes": 32}));
    assert_eq!(
        table["columns"][0],
        json!({
            "name": "email",
            "type": "text",
            "protection": "sealed",
            "not_null": true,
            "index": {
                "kind": "unique",
                "blind": true,
                "normaliser": "email",
                "bits": 128,
                "accepted_leakage": null,
            },
        })
    );
    assert_eq!(table["columns"][3]["index"], json!(null));
    assert_eq!(table["columns"][4]["index"]["bits"], json!(null));
}

#[test]
fn a_table_that_is_not_there_is_an_error() {
    let scene = Scene::with_vault();
    scene.run("table describe v.db nothing --key file:key").fails(7, "not_found");
    scene.run("table list v.db --key file:key").ok().says("no tables");
    scene.run("table describe v.db --key file:key").ok().says("no tables");
}

#[test]
fn tables_show_only_to_who_can_open_the_vault() {
    let scene = Scene::with_rows();
    scene.run("key generate --out wrong").ok();
    for command in ["table list v.db", "table describe v.db", "verify v.db", "status v.db"] {
        scene
            .run(&format!("{command} --key file:wrong"))
            .fails(3, "wrong_key")
            .never_says("people");
    }
    scene.run("table list v.db").fails(2, "invalid_input").says("--key");
}
