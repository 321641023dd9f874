//! Values, columns and names at and beyond the limits.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use sealite::{
    Alteration, Column, Error, ErrorKind, Index, TableDefinition, Value, ValueRef, Vault, values,
};
use sealite_tests::vaults::{Home, people};

fn assert_kind<T>(result: Result<T, Error>, kinds: &[ErrorKind]) {
    let error = result.err().expect("refused");
    assert!(kinds.contains(&error.kind()), "{error}");
}

#[test]
fn values_of_no_bytes_and_of_a_hundred_megabytes_come_back() {
    let home = Home::new();
    let vault = home.create();
    let definition = TableDefinition::new("files")
        .column(Column::blob("sealed_part").sealed())
        .column(Column::blob("bound").authenticated())
        .column(Column::text("words").sealed());
    vault.define_table(&definition).unwrap();
    let table = vault.table("files").unwrap();
    let empty = table
        .insert(values! {"sealed_part" => b"".as_slice(), "bound" => b"".as_slice(), "words" => ""})
        .unwrap();
    let row = table.get(&empty).unwrap().unwrap();
    assert_eq!(row.get("sealed_part").unwrap(), ValueRef::Blob(b""));
    assert_eq!(row.get("bound").unwrap(), ValueRef::Blob(b""));
    assert_eq!(row.get("words").unwrap(), ValueRef::Text(""));

    let big: Vec<u8> = (0..100_000_000_u32).map(|n| (n >> 3) as u8 ^ n as u8).collect();
    let id = table.insert(values! {"sealed_part" => &big}).unwrap();
    assert!(table.get(&id).unwrap().unwrap().get("sealed_part").unwrap() == ValueRef::Blob(&big));
    table.update(&id, values! {"sealed_part" => None::<&str>, "bound" => &big}).unwrap();
    assert!(table.get(&id).unwrap().unwrap().get("bound").unwrap() == ValueRef::Blob(&big));
    let field = vault.field("files").unwrap();
    let sealed = field.seal(&big, None).unwrap();
    assert!(field.open(&sealed, None).unwrap() == Value::Blob(big));
    assert!(table.delete(&id).unwrap());

    // More than SQLite can hold: the memory is never touched.
    let too_big = vec![0_u8; 1_000_000_001];
    for column in ["sealed_part", "bound"] {
        assert_kind(table.insert(values! {column => &too_big}), &[ErrorKind::Limit]);
        assert_kind(table.update(&empty, values! {column => &too_big}), &[ErrorKind::Limit]);
    }
    assert_eq!(table.count().unwrap(), 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn two_thousand_columns_are_stored_or_refused_whole() {
    let home = Home::new();
    let vault = home.create();
    let wide = |column: fn(String) -> Column| {
        (0..2_000).fold(TableDefinition::new("wide"), |t, n| t.column(column(format!("c{n}"))))
    };
    let values: Vec<String> = (0..2_000).map(|n| format!("value {n}")).collect();
    let names: Vec<String> = (0..2_000).map(|n| format!("c{n}")).collect();
    let pairs: Vec<(&str, ValueRef<'_>)> =
        names.iter().zip(&values).map(|(name, value)| (name.as_str(), value.into())).collect();

    let unique = |name: String| Column::text(name).sealed().index(Index::unique());
    let kinds = &[ErrorKind::Limit, ErrorKind::Sql, ErrorKind::InvalidInput];
    for column in
        [Column::text as fn(String) -> Column, |name| Column::text(name).authenticated(), unique]
    {
        match vault.define_table(&wide(column)) {
            Ok(_) => {
                let id = vault.table("wide").unwrap().insert(&pairs).unwrap();
                assert!(vault.table("wide").unwrap().get(&id).unwrap().is_some());
                let _ = vault.drop_table("wide").unwrap();
            }
            Err(error) => assert!(kinds.contains(&error.kind()), "{error}"),
        }
        assert_kind(vault.table("wide").map(|_| ()), &[ErrorKind::NotFound]);
        assert_eq!(vault.tables().unwrap().len(), 1);
    }
    vault.define_table(&wide(|name| Column::text(name).sealed())).unwrap();
    let table = vault.table("wide").unwrap();
    let id = table.insert(&pairs).unwrap();
    table.update(&id, &[("c1999", "changed".into())]).unwrap();
    drop(vault);
    let vault = home.open();
    let row = vault.table("wide").unwrap().get(&id).unwrap().unwrap();
    for (n, value) in values.iter().enumerate().take(1_999) {
        assert_eq!(row.text(&format!("c{n}")).unwrap(), value);
    }
    assert_eq!(row.text("c1999").unwrap(), "changed");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn bad_names_are_refused_everywhere() {
    let vault = Vault::in_memory().unwrap();
    let long = "x".repeat(129);
    let bad = [
        "",
        &long,
        "a\0b",
        "line\nbreak",
        "sealed",
        "Sealed",
        "sealite_rowid",
        "a_bidx",
        "A_BIDX_7",
    ];
    let kinds = &[ErrorKind::InvalidInput];
    for name in bad {
        let table = TableDefinition::new("t").column(Column::text(name).sealed());
        assert_kind(vault.define_table(&table), kinds);
        assert_kind(vault.define_table(&TableDefinition::new("t").integer_key(name)), kinds);
        assert_kind(vault.define_table(&TableDefinition::new("t").text_key(name)), kinds);
    }
    for name in ["", &long, "a\0b", "sealite_x", "Sealite_X", "sqlite_x", "a_sealed", "A_SEALED"] {
        assert_kind(vault.define_table(&TableDefinition::new(name)), kinds);
    }
    for (one, other) in
        [("name", "name"), ("name", "NAME"), ("äpfel", "Äpfel"), ("id", "other"), ("ID", "x")]
    {
        let twice = TableDefinition::new("t").column(Column::text(one)).column(Column::text(other));
        assert_kind(vault.define_table(&twice), kinds);
    }
    let tenant = TableDefinition::new("t").per_tenant().column(Column::text("Tenant"));
    assert_kind(vault.define_table(&tenant), kinds);
    for name in ["", &long, "a\0b"] {
        assert_kind(vault.field(name).map(|_| ()), kinds);
    }
    for name in ["", &"x".repeat(256), "a\0b"] {
        assert_kind(vault.tenant(name), kinds);
    }
    assert!(vault.tables().unwrap().is_empty());

    vault.define_table(&people()).unwrap();
    for name in bad {
        let column = Column::text(name).sealed();
        assert_kind(vault.alter_table("people", &Alteration::AddColumn(column)).map(|_| ()), kinds);
        let rename = Alteration::RenameColumn("name".into(), name.into());
        assert_kind(vault.alter_table("people", &rename).map(|_| ()), kinds);
    }
    for name in ["", &long, "a\0b", "sealite_x", "sqlite_x", "a_sealed"] {
        let rename = Alteration::RenameTable(name.into());
        assert_kind(vault.alter_table("people", &rename).map(|_| ()), kinds);
    }
    assert_eq!(vault.table("people").unwrap().definition().unwrap(), people());
}

#[test]
fn odd_names_are_names() {
    let longest = "x".repeat(128);
    let odd = [
        "select",
        "a b",
        "it's",
        "quo\"ted",
        "semi;colon",
        "]",
        "*",
        "?1",
        ":a",
        "--",
        "/*",
        "naïve",
        "名前",
        "🦭",
        "tenant",
        "value",
        &longest,
    ];
    let home = Home::new();
    let vault = home.create();
    for (n, name) in odd.into_iter().enumerate() {
        let protections =
            [Column::text("x"), Column::text("x").authenticated(), Column::text("x").sealed()];
        let mut definition = TableDefinition::new(name);
        for (p, column) in protections.iter().enumerate() {
            let column_name = if p == n % 3 { name.to_owned() } else { format!("other{p}") };
            let column = Column::text(column_name).protection(column.declared_protection());
            definition = definition.column(column.index(Index::unique()));
        }
        vault.define_table(&definition).unwrap();
        let table = vault.table(name).unwrap();
        let id = table.insert(values! {name => "one", "ID" => 70}).unwrap();
        table.update(&id, values! {name => "two"}).unwrap();
        assert_eq!(table.find_one(name, "two").unwrap().unwrap().text(name).unwrap(), "two");
        assert_kind(table.insert(values! {name => "two"}), &[ErrorKind::Conflict]);
        let key =
            TableDefinition::new(format!("k{n}")).text_key(name).column(Column::text("v").sealed());
        vault.define_table(&key).unwrap();
        let keyed = format!("k{n}");
        let keyed = vault.table(&keyed).unwrap();
        keyed.insert(values! {name => name, "v" => name}).unwrap();
        assert_eq!(keyed.get(name).unwrap().unwrap().text("v").unwrap(), name);
    }
    drop(vault);
    assert!(home.open().verify(|_| ()).unwrap().is_sound());
}
