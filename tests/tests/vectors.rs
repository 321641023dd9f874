//! The format is what docs/format.md says: a reader that was written from that page alone opens the frozen vectors and the
//! rows of a vault that was made just now.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use sealite::{
    Alteration, Column, Id, Index, Padding, Protection, TableDefinition, Value, ValueRef, Vault,
    values,
};
use sealite_tests::bits::{TYPES, awkward, hex};
use sealite_tests::scratch::Scratch;
use sealite_tests::world::World;
use serde_json::{Value as Json, json};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs the reference reader with a Python that has `cryptography`.
fn reader(arguments: &[&str]) -> Output {
    static USABLE: OnceLock<bool> = OnceLock::new();
    let python = std::env::var("SEALITE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let check = || Command::new(&python).args(["-c", "import cryptography"]).output();
    assert!(
        USABLE.get_or_init(|| check().is_ok_and(|output| output.status.success())),
        "the reference reader needs a Python with the package `cryptography`: {python} has none. \
         Install it, or name another Python in SEALITE_PYTHON."
    );
    Command::new(&python)
        .arg("-B")
        .arg(here("reference/open_record.py"))
        .args(arguments)
        .output()
        .expect("the reference reader runs")
}

#[track_caller]
fn rows(path: &Path, key: &str, table: &str, tenant: Option<&str>, ids: &[Id]) -> Vec<Json> {
    let path = path.to_str().unwrap();
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let mut arguments = vec!["rows", path, key, table];
    arguments.extend(tenant.iter().flat_map(|tenant| ["--tenant", tenant]));
    arguments.extend(ids.iter().map(String::as_str));
    let output = reader(&arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A value as the reference reader prints it.
fn shown(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => json!({"null": null}),
        ValueRef::Integer(v) => json!({"integer": v.to_string()}),
        ValueRef::Real(v) => json!({"real": hex(&v.to_bits().to_be_bytes())}),
        ValueRef::Text(v) => json!({"text": v}),
        ValueRef::Blob(v) => json!({"blob": hex(v)}),
        ValueRef::Boolean(v) => json!({"boolean": v}),
        ValueRef::Json(v) => json!({"json": v}),
        _ => unreachable!("seven kinds of value"),
    }
}

#[test]
fn the_reference_reader_opens_the_frozen_vectors() {
    let file = here("vectors/record.json");
    let output = reader(&["vectors", file.to_str().unwrap()]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "36 known answers hold");
    // It is not content with anything: one digit of each part, changed.
    let text = std::fs::read_to_string(&file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for part in ["aad", "sealed", "key", "payload", "derived", "normal"] {
        let start = text.rfind(&format!("\"{part}\": \"")).unwrap() + part.len() + 5;
        let mut other = text.clone();
        let digit = if &text[start..=start] == "0" { "1" } else { "0" };
        other.replace_range(start..=start, digit);
        let bad = folder.path().join("bad.json");
        std::fs::write(&bad, other).unwrap();
        assert!(!reader(&["vectors", bad.to_str().unwrap()]).status.success(), "{part}");
    }
}

#[test]
fn the_reference_reader_opens_rows_of_every_kind_of_table() {
    let world = World::default();
    world.edit(|_| ());
    let mut groups: Vec<(String, Option<String>)> = Vec::new();
    for place in world.rows.keys() {
        let group = (place.table.clone(), place.tenant.clone());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    assert_eq!(groups.len(), 7);
    for (table, tenant) in groups {
        let here =
            |place: &&sealite_tests::world::Place| place.table == table && place.tenant == tenant;
        let places: Vec<_> = world.rows.keys().filter(here).collect();
        let ids: Vec<Id> = places.iter().map(|place| place.id.clone()).collect();
        let read =
            rows(&world.scratch.path(), world.scratch.key(), &table, tenant.as_deref(), &ids);
        for (place, row) in places.iter().zip(&read) {
            let expected: serde_json::Map<String, Json> = world.rows[*place]
                .iter()
                .map(|(name, value)| (name.clone(), shown(value.as_ref())))
                .collect();
            assert_eq!(row, &Json::Object(expected), "{place:?}");
        }
    }
}

#[test]
fn the_reference_reader_opens_every_value_under_every_protection_and_padding() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let protections = [Protection::Plain, Protection::Authenticated, Protection::Sealed];
    let paddings = [Padding::None, Padding::Block(1), Padding::default(), Padding::Padme];
    let mut tables = Vec::new();
    for (number, padding) in paddings.into_iter().enumerate() {
        let name = format!("caf\u{e9} {number}");
        let mut definition = TableDefinition::new(&name).padding(padding);
        for kind in TYPES {
            for how in protections {
                let column = format!("{} {}", kind.name(), how.name());
                definition = definition.column(Column::new(column, kind).protection(how));
            }
        }
        vault.define_table(&definition).unwrap();
        let lists = TYPES.map(awkward);
        let longest = lists.iter().map(Vec::len).max().unwrap();
        let mut expected = Vec::new();
        let mut ids = Vec::new();
        for at in 0..longest {
            let mut row: Vec<(String, Value)> = Vec::new();
            for (kind, list) in TYPES.iter().zip(&lists) {
                for how in protections {
                    let value = list.get(at).cloned().unwrap_or(Value::Null);
                    row.push((format!("{} {}", kind.name(), how.name()), value));
                }
            }
            let pairs: Vec<_> = row.iter().map(|(n, v)| (n.as_str(), v.as_ref())).collect();
            ids.push(vault.table(&name).unwrap().insert(&pairs).unwrap());
            expected.push(row);
        }
        tables.push((name, ids, expected));
    }
    vault.close();
    for (name, ids, expected) in tables {
        let read = rows(&scratch.path(), scratch.key(), &name, None, &ids);
        for (row, expected) in read.iter().zip(&expected) {
            for (column, value) in expected {
                assert_eq!(row[column], shown(value.as_ref()), "{name}: {column}");
            }
        }
        assert_eq!(read.len(), expected.len());
    }
}

#[test]
fn the_reference_reader_follows_alterations() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let definition = TableDefinition::new("t")
        .column(Column::text("a").sealed().index(Index::unique()))
        .column(Column::text("b").authenticated())
        .column(Column::text("c"));
    vault.define_table(&definition).unwrap();
    let id =
        vault.table("t").unwrap().insert(values! {"a" => "1", "b" => "2", "c" => "3"}).unwrap();
    let read = |vault: Vault| {
        vault.close();
        drop(vault);
        let row =
            rows(&scratch.path(), scratch.key(), "t", None, std::slice::from_ref(&id)).remove(0);
        let vault = scratch.open();
        let table = vault.table("t").unwrap();
        let expected: serde_json::Map<String, Json> = table
            .get(&id)
            .unwrap()
            .unwrap()
            .columns()
            .map(|(name, value)| (name.to_owned(), shown(value)))
            .collect();
        assert_eq!(row, Json::Object(expected));
        drop(table);
        vault
    };
    let mut vault = read(vault);
    let sealed = |name: &str| Column::text(name).sealed().default("given later");
    for alteration in [
        Alteration::AddColumn(sealed("d")),
        Alteration::AddColumn(Column::real("e").default(1.5)),
        Alteration::Protect("c".into(), Protection::Sealed),
        Alteration::Protect("a".into(), Protection::Authenticated),
        Alteration::RenameColumn("b".into(), "bee".into()),
        Alteration::DropIndex("a".into()),
        Alteration::AddIndex("c".into(), Index::lookup(5_000)),
        Alteration::DropColumn("d".into()),
    ] {
        let _ = vault.alter_table("t", &alteration).unwrap();
        vault = read(vault);
    }
}

#[test]
fn the_reference_reader_refuses_what_the_engine_refuses() {
    let world = World::default();
    let refused = |key: &str, table: &str, tenant: Option<&str>, id: &str| {
        let path = world.scratch.path();
        let mut arguments = vec!["rows", path.to_str().unwrap(), key, table];
        arguments.extend(tenant.iter().flat_map(|tenant| ["--tenant", tenant]));
        arguments.push(id);
        let output = reader(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains("refused: "), "{errors}");
    };
    let key = world.scratch.key();
    for sql in [
        "UPDATE users_sealed SET role = 'root' WHERE id = 1",
        "UPDATE users_sealed SET email_bidx = NULL WHERE id = 1",
        "UPDATE users_sealed SET sealed = (SELECT u.sealed FROM users_sealed u WHERE u.id = 2) WHERE id = 1",
        "UPDATE users_sealed SET sealed = x'01' WHERE id = 1",
        "UPDATE sealite_keys SET generation = 2 WHERE id = 1",
        "UPDATE sealite_slots SET label = 'x'",
    ] {
        world.edit_sql(sql, &[]);
        refused(key, "users", None, "1");
    }
    world.edit(|_| ());
    refused(&"12".repeat(32), "users", None, "1");
    refused(key, "users", None, "99");
    refused(key, "clients", Some("beta"), "1");
    world.edit_sql("UPDATE clients_sealed SET tenant = 'beta', code = NULL WHERE id = 1", &[]);
    refused(key, "clients", Some("beta"), "1");
}

#[test]
fn the_format_page_names_every_label_and_every_stored_table() {
    let page = std::fs::read_to_string(here("../docs/format.md")).expect("docs/format.md");
    for label in [
        "sealite/record/1",
        "sealite/recovery-code/1",
        "sealite/v1/slot/key",
        "sealite/v1/slot/recovery",
        "sealite/v1/slot/passphrase",
        "sealite/v1/wrap",
        "sealite/v1/blind-index/table",
        "sealite/v1/blind-index/field",
        "sealite_meta",
        "sealite_slots",
        "sealite_keys",
        "sealite_catalog",
        "sealite_sequences",
        "KC-XAES-256-GCM",
        "0x5365616C",
        "Upgrade promise",
    ] {
        assert!(page.contains(label), "docs/format.md does not name {label}");
    }
    // Every label of the source stands on the page.
    let folder = here("../core/src");
    let mut labels = 0;
    for file in ["keys/label.rs", "format/context.rs", "format/secret_text.rs", "token/csrf.rs"] {
        let source = std::fs::read_to_string(folder.join(file)).unwrap();
        for part in source.split("b\"sealite/").skip(1) {
            let label = format!("sealite/{}", part.split('"').next().unwrap());
            assert!(page.contains(&label), "docs/format.md does not name {label}");
            labels += 1;
        }
    }
    assert_eq!(labels, 17);
}

#[test]
fn the_reference_agrees_with_the_frozen_vectors_of_the_audit_chain() {
    let check = |file: &Path| {
        let python = std::env::var("SEALITE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        Command::new(python)
            .arg("-B")
            .arg(here("reference/audit.py"))
            .arg("check")
            .arg(file)
            .output()
            .expect("Python runs")
    };
    let file = here("vectors/audit.json");
    let output = check(&file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "13 known answers hold");
    // It is not content with anything: one digit of each part, changed.
    let text = std::fs::read_to_string(&file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for part in ["vault", "salt", "digest", "chain", "checkpoint"] {
        let start = text.rfind(&format!("\"{part}\": \"")).unwrap() + part.len() + 5;
        let other = if text[start..].starts_with('0') { "1" } else { "0" };
        let mut altered = text.clone();
        altered.replace_range(start..=start, other);
        let bad = folder.path().join("bad.json");
        std::fs::write(&bad, altered).unwrap();
        assert!(!check(&bad).status.success(), "{part}");
    }
}
