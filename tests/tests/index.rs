//! Blind indexes: what is found, what is unique, what is refused, and what the index values show.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use sealite::{
    Alteration, Column, ErrorKind, Index, Normaliser, Row, Table, TableDefinition, Type, ValueRef,
    Vault, values,
};
use sealite_tests::scratch::Scratch;

fn table_of(vault: &Vault, column: Column) -> Table<'_> {
    vault.define_table(&TableDefinition::new("t").column(column)).unwrap();
    vault.table("t").unwrap()
}

fn text(index: Index) -> Column {
    Column::text("v").sealed().index(index)
}

/// Spellings that a normaliser takes for one another, and some that it keeps apart.
const SPELLINGS: &[(Normaliser, &[&str], &[&str])] = &[
    (Normaliser::Exact, &["Ada"], &["ada", "Ada ", " Ada", "A\u{64}a\u{301}"]),
    (
        Normaliser::Text,
        &[
            "Stra\u{df}e caf\u{e9}",
            "STRASSE CAF\u{c9}",
            "  strasse \t cafe\u{301} ",
            "Stra\u{1e9e}e\u{a0}CAFE\u{301}",
            "\u{ff53}trasse caf\u{e9}",
        ],
        &["strase caf\u{e9}", "strasse cafe", "strassecaf\u{e9}"],
    ),
    (
        Normaliser::Email,
        &[
            "Ada.L\u{f6}ve@B\u{fc}cher.Example",
            " ada.lo\u{308}ve@bu\u{308}cher.example ",
            "ADA.L\u{d6}VE@XN--BCHER-KVA.EXAMPLE",
        ],
        &[
            "ada.love@b\u{fc}cher.example",
            "adal\u{f6}ve@b\u{fc}cher.example",
            "ada.l\u{f6}ve@bucher.example",
        ],
    ),
    (
        Normaliser::Digits,
        &["+49 (30) 123-456", "+4930123456", " + 49 30 12 34 56", "+\u{664}\u{669}30123456"],
        &["0049 30 123456", "4930123456", "+49 30 123457"],
    ),
];

#[test]
fn every_spelling_of_a_normaliser_finds_the_row() {
    for (normaliser, same, other) in SPELLINGS {
        for index in [Index::unique(), Index::lookup(5_000)] {
            let vault = Vault::in_memory().unwrap();
            let table = table_of(&vault, text(index.clone().normaliser(*normaliser)));
            let id = table.insert(values! {"v" => same[0]}).unwrap();
            for spelling in *same {
                let found = table.find("v", *spelling).unwrap();
                assert_eq!(found.len(), 1, "{normaliser:?} {spelling}");
                assert_eq!(found[0].id(), id.as_ref());
                // What is stored is what was written, not its normal form.
                assert_eq!(found[0].text("v").unwrap(), same[0]);
            }
            for spelling in *other {
                assert!(
                    table.find("v", *spelling).unwrap().is_empty(),
                    "{normaliser:?} {spelling}"
                );
            }
        }
    }
}

#[test]
fn a_unique_index_refuses_every_spelling_of_a_taken_value() {
    for (normaliser, same, other) in SPELLINGS {
        let vault = Vault::in_memory().unwrap();
        let table = table_of(&vault, text(Index::unique().normaliser(*normaliser)));
        let first = table.insert(values! {"v" => same[0]}).unwrap();
        for spelling in *same {
            let conflict = table.insert(values! {"v" => *spelling}).unwrap_err();
            assert_eq!(conflict.kind(), ErrorKind::Conflict);
            assert!(conflict.message().contains('v') && !conflict.message().contains("bidx"));
            assert!(!conflict.message().contains(spelling), "{conflict}");
            // The row itself may take another spelling of its own value.
            assert!(table.update(&first, values! {"v" => *spelling}).unwrap());
        }
        for spelling in *other {
            let id = table.insert(values! {"v" => *spelling}).unwrap();
            let conflict = table.update(&id, values! {"v" => same[0]}).unwrap_err();
            assert_eq!(conflict.kind(), ErrorKind::Conflict);
            assert!(table.delete(&id).unwrap());
        }
        // What is deleted is free again.
        assert!(table.delete(&first).unwrap());
        table.insert(values! {"v" => same[0]}).unwrap();
        assert_eq!(table.count().unwrap(), 1);
    }
}

#[test]
fn nulls_are_neither_equal_nor_found_by_a_value() {
    for index in [Index::unique(), Index::lookup(5_000)] {
        let vault = Vault::in_memory().unwrap();
        let table = table_of(&vault, text(index));
        for _ in 0..3 {
            table.insert(values! {"v" => None::<&str>}).unwrap();
        }
        table.insert(values! {"v" => ""}).unwrap();
        assert_eq!(table.find("v", "").unwrap().len(), 1);
        assert_eq!(table.find("v", "NULL").unwrap().len(), 0);
        let nulls = table.find("v", ValueRef::Null).unwrap();
        assert_eq!(nulls.len(), 3);
        assert!(nulls.iter().all(|row| row.get("v").unwrap().is_null()));
    }
}

#[test]
fn a_lookup_filters_the_values_that_share_an_index_value() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    // One bit: half of all values share each index value.
    let column = text(Index::lookup(2).accept_leakage("a test of false positives"));
    let table = table_of(&vault, column);
    let rows: Vec<[ValueRef<'_>; 1]> = Vec::new();
    assert!(table.insert_many(&["v"], &rows).unwrap().is_empty());
    let names: Vec<String> = (0..300).map(|n| format!("value {}", n / 2)).collect();
    let rows: Vec<[ValueRef<'_>; 1]> = names.iter().map(|name| [name.into()]).collect();
    table.insert_many(&["v"], &rows).unwrap();
    for n in 0..150 {
        let wanted = format!("value {n}");
        let found = table.find("v", &wanted).unwrap();
        assert_eq!(found.len(), 2, "{wanted}");
        assert!(found.iter().all(|row| row.text("v").unwrap() == wanted));
    }
    assert!(table.find("v", "value 150").unwrap().is_empty());
    vault.close();
    let raw = scratch.raw();
    let distinct: i64 =
        raw.query_row("SELECT count(DISTINCT v_bidx) FROM t_sealed", [], |row| row.get(0)).unwrap();
    assert_eq!(distinct, 2, "the bit is one");
}

#[test]
fn a_lookup_keeps_as_few_bits_as_planned_and_a_unique_index_128() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault
        .define_table(
            &TableDefinition::new("t")
                .column(Column::text("a").sealed().index(Index::unique()))
                .column(Column::text("b").sealed().index(Index::lookup(100_000))),
        )
        .unwrap();
    let names: Vec<String> = (0..2_000).map(|n| format!("name {n}")).collect();
    let rows: Vec<[ValueRef<'_>; 2]> = names.iter().map(|n| [n.into(), n.into()]).collect();
    vault.table("t").unwrap().insert_many(&["a", "b"], &rows).unwrap();
    vault.close();
    let raw = scratch.raw();
    let (longest, shortest, largest, distinct): (i64, i64, i64, i64) = raw
        .query_row(
            "SELECT max(length(a_bidx)), min(length(a_bidx)), max(b_bidx), count(DISTINCT b_bidx)
             FROM t_sealed",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!((longest, shortest), (16, 16));
    // 12 bits for 100,000 values.
    assert!(largest < 1 << 12 && largest > 1 << 11, "{largest}");
    assert!(distinct < 1_700 && distinct > 1_400, "{distinct} of 2,000 values in 4,096 places");
}

#[test]
fn an_index_that_would_give_its_values_away_is_refused() {
    let vault = Vault::in_memory().unwrap();
    let refused: &[(Column, ErrorKind)] = &[
        (text(Index::lookup(1_023)), ErrorKind::Refused),
        (text(Index::lookup(0)), ErrorKind::Refused),
        (Column::boolean("v").sealed().index(Index::lookup(1 << 20)), ErrorKind::Refused),
        (Column::boolean("v").sealed().index(Index::unique()), ErrorKind::Refused),
        (Column::real("v").sealed().index(Index::unique()), ErrorKind::InvalidInput),
        (Column::json("v").sealed().index(Index::unique()), ErrorKind::InvalidInput),
        (
            Column::integer("v").sealed().index(Index::unique().normaliser(Normaliser::Text)),
            ErrorKind::InvalidInput,
        ),
        (
            Column::text("v").index(Index::unique().normaliser(Normaliser::Text)),
            ErrorKind::InvalidInput,
        ),
    ];
    for (column, kind) in refused {
        let definition = TableDefinition::new("t").column(column.clone());
        let error = vault.define_table(&definition).unwrap_err();
        assert_eq!(error.kind(), *kind, "{}: {error}", column.specification());
    }
    vault.define_table(&TableDefinition::new("t").column(Column::boolean("v").sealed())).unwrap();
    let add = |index: Index| vault.alter_table("t", &Alteration::AddIndex("v".into(), index));
    assert_eq!(add(Index::lookup(2)).unwrap_err().kind(), ErrorKind::Refused);
    let _ = add(Index::lookup(2).accept_leakage("it is printed on the badge")).unwrap();
    // The reason is kept, and asked for no more.
    let kept = vault.table("t").unwrap().columns().unwrap();
    assert!(kept[0].specification().contains("accept leakage 'it is printed on the badge'"));
    let table = vault.table("t").unwrap();
    table.insert(values! {"v" => true}).unwrap();
    table.insert(values! {"v" => false}).unwrap();
    assert_eq!(table.find("v", true).unwrap().len(), 1);
}

#[test]
fn a_search_on_a_sealed_column_without_an_index_is_an_error() {
    let vault = Vault::in_memory().unwrap();
    let table = table_of(&vault, Column::text("v").sealed());
    for found in [table.find("v", "x"), table.find("v", ValueRef::Null)] {
        assert_eq!(found.map(|rows| rows.len()).unwrap_err().kind(), ErrorKind::NotIndexed);
    }
    assert_eq!(table.find("w", "x").map(|_| ()).unwrap_err().kind(), ErrorKind::NotFound);
    let _ = vault.alter_table("t", &Alteration::AddIndex("v".into(), Index::unique())).unwrap();
    assert!(table.find("v", "x").unwrap().is_empty());
    let _ = vault.alter_table("t", &Alteration::DropIndex("v".into())).unwrap();
    assert_eq!(table.find("v", "x").map(|_| ()).unwrap_err().kind(), ErrorKind::NotIndexed);
}

#[test]
fn a_search_for_a_value_of_another_type_is_an_error() {
    let vault = Vault::in_memory().unwrap();
    let table = table_of(&vault, text(Index::unique()));
    for wrong in [ValueRef::Integer(1), ValueRef::Blob(b"x"), ValueRef::Boolean(true)] {
        assert_eq!(table.find("v", wrong).map(|_| ()).unwrap_err().kind(), ErrorKind::TypeMismatch);
    }
}

#[test]
fn every_indexable_type_is_found() {
    let vault = Vault::in_memory().unwrap();
    let values: &[(Type, &[ValueRef<'_>])] = &[
        (Type::Integer, &[ValueRef::Integer(0), ValueRef::Integer(1), ValueRef::Integer(i64::MIN)]),
        (Type::Text, &[ValueRef::Text(""), ValueRef::Text("1"), ValueRef::Text("\0")]),
        (Type::Blob, &[ValueRef::Blob(b""), ValueRef::Blob(b"1"), ValueRef::Blob(b"\0")]),
    ];
    for (kind, values) in values {
        for index in [Index::unique(), Index::lookup(2_000)] {
            let name = format!("{}_{}", kind.name(), index.is_unique());
            let column = Column::new("v", *kind).sealed().index(index);
            vault.define_table(&TableDefinition::new(&name).column(column)).unwrap();
            let table = vault.table(&name).unwrap();
            for value in *values {
                table.insert(&[("v", *value)]).unwrap();
            }
            for value in *values {
                let found = table.find("v", *value).unwrap();
                assert_eq!(found.len(), 1, "{name} {value:?}");
                assert_eq!(found[0].get("v").unwrap(), *value);
            }
        }
    }
}

#[test]
fn equal_values_of_other_columns_tables_tenants_and_vaults_share_no_index_value() {
    let mut seen: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    for number in 0..2 {
        let scratch = Scratch::new();
        let vault = scratch.create();
        for name in ["one", "two"] {
            let unique = || Column::text("a").sealed().index(Index::unique());
            let definition = TableDefinition::new(name)
                .column(unique())
                .column(Column::text("b").sealed().index(Index::unique()));
            vault.define_table(&definition).unwrap();
            vault.table(name).unwrap().insert(values! {"a" => "same", "b" => "same"}).unwrap();
            let tenants =
                TableDefinition::new(format!("{name}_of_tenants")).column(unique()).per_tenant();
            vault.define_table(&tenants).unwrap();
            for tenant in ["acme", "beta"] {
                let tenant = vault.tenant(tenant).unwrap();
                tenant.table(tenants.name()).unwrap().insert(values! {"a" => "same"}).unwrap();
            }
        }
        vault.close();
        let raw = scratch.raw();
        for sql in [
            "SELECT a_bidx FROM one_sealed",
            "SELECT b_bidx FROM one_sealed",
            "SELECT a_bidx FROM two_sealed",
            "SELECT b_bidx FROM two_sealed",
            "SELECT a_bidx FROM one_of_tenants_sealed",
            "SELECT a_bidx FROM two_of_tenants_sealed",
        ] {
            let mut stmt = raw.prepare(sql).unwrap();
            let found = stmt.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
            for value in found.map(Result::unwrap) {
                let place = format!("{sql} of vault {number}");
                assert_eq!(value.len(), 16);
                let before = seen.insert(value, place.clone());
                assert!(before.is_none(), "{place} and {before:?}");
            }
        }
    }
    assert_eq!(seen.len(), 16);
}

#[test]
fn the_index_follows_every_write() {
    let vault = Vault::in_memory().unwrap();
    let table = table_of(&vault, text(Index::lookup(5_000).normaliser(Normaliser::Text)));
    let mut model: BTreeMap<i64, Option<String>> = BTreeMap::new();
    let mut state = 7u64;
    for step in 0..400 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let pick = (state >> 33) % 9;
        let value = if pick == 8 { None } else { Some(format!("Name {}", pick % 5)) };
        let given = [("v", ValueRef::from(value.as_ref()))];
        let known: Vec<i64> = model.keys().copied().collect();
        match (step % 4, known.get((state >> 40) as usize % known.len().max(1))) {
            (0 | 1, _) | (_, None) => {
                let id = table.insert(&given).unwrap().as_i64().unwrap();
                model.insert(id, value);
            }
            (2, Some(id)) => {
                assert!(table.update(*id, &given).unwrap());
                model.insert(*id, value);
            }
            (_, Some(id)) => {
                assert!(table.delete(*id).unwrap());
                model.remove(id);
            }
        }
    }
    for n in 0..5 {
        let wanted = format!("Name {n}");
        let found = table.find("v", format!(" NAME  {n}").as_str()).unwrap();
        let ids: BTreeSet<i64> = found
            .iter()
            .map(|row: &Row| match row.id() {
                sealite::IdRef::Integer(id) => id,
                _ => unreachable!("an integer key"),
            })
            .collect();
        let expected: BTreeSet<i64> =
            model.iter().filter(|(_, v)| v.as_ref() == Some(&wanted)).map(|(id, _)| *id).collect();
        assert_eq!(ids, expected, "{wanted}");
        assert!(!ids.is_empty());
    }
}

#[test]
fn normalisers_give_what_the_vectors_say() {
    // Of the vectors only equality shows from outside: what has the same normal form is the same to an index.
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/normaliser.json")).unwrap();
    let vault = Vault::in_memory().unwrap();
    let field = vault.field("normalised").unwrap();
    let mut count = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let name = vector["normaliser"].as_str().unwrap();
        let normaliser = Normaliser::from_name(name).unwrap();
        let index = Index::unique().normaliser(normaliser);
        let of = |key: &str| field.index(vector[key].as_str().unwrap(), &index).unwrap();
        assert!(of("input") == of("output"), "{vector}");
        count += 1;
    }
    assert!(count > 40);
}
