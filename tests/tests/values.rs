//! What is read is what was written: every declared type, every awkward value, every protection.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use proptest::prelude::*;
use sealite::{
    Alteration, Column, ErrorKind, Id, IdRef, Index, Padding, Protection, Row, Table,
    TableDefinition, Type, Value, ValueRef, Vault, values,
};
use sealite_tests::bits::{TYPES, awkward, identical};
use sealite_tests::scratch::Scratch;

const PROTECTIONS: [Protection; 3] =
    [Protection::Plain, Protection::Authenticated, Protection::Sealed];

/// One column for each type and protection.
fn columns() -> Vec<(String, Type, Protection)> {
    let each =
        |kind: Type| PROTECTIONS.map(|how| (format!("{}_{}", kind.name(), how.name()), kind, how));
    TYPES.into_iter().flat_map(each).collect()
}

fn definition(name: &str) -> TableDefinition {
    columns().into_iter().fold(TableDefinition::new(name), |table, (name, kind, how)| {
        table.column(Column::new(name, kind).protection(how))
    })
}

/// Rows that put every awkward value, and NULL, once in every column that takes it.
fn rows() -> Vec<Vec<Value>> {
    let lists: Vec<Vec<Value>> =
        columns().iter().map(|(_, kind, _)| [vec![Value::Null], awkward(*kind)].concat()).collect();
    let most = lists.iter().map(Vec::len).max().unwrap();
    (0..most)
        .map(|at| {
            let offset = |column: usize| (at + column) % lists[column].len();
            (0..lists.len()).map(|column| lists[column][offset(column)].clone()).collect()
        })
        .collect()
}

#[track_caller]
fn assert_row(row: &Row, expected: &[Value]) {
    for (position, ((name, ..), value)) in columns().iter().zip(expected).enumerate() {
        let read = row.get(name).expect("a declared column");
        assert!(identical(read, value.as_ref()), "column {name}, row {:?}", row.id());
        assert!(identical(row.at(position).expect("a position"), value.as_ref()));
    }
}

#[track_caller]
fn assert_table(table: &Table<'_>, ids: &[Id], expected: &[Vec<Value>]) {
    assert_eq!(table.count().unwrap(), ids.len() as u64);
    for (id, values) in ids.iter().zip(expected) {
        let row = table.get(id).expect("the row verifies").expect("the row is there");
        assert_row(&row, values);
        let key = row.key_name().to_owned();
        let found = match id {
            Id::Integer(id) => table.find(&key, *id),
            Id::Text(id) => table.find(&key, id.as_str()),
            _ => unreachable!("two kinds of id"),
        };
        assert_row(&found.unwrap()[0], values);
    }
    let borrowed: Vec<IdRef<'_>> = ids.iter().map(Id::as_ref).collect();
    for (row, values) in table.get_many(&borrowed).unwrap().iter().zip(expected) {
        assert_row(row.as_ref().expect("the row is there"), values);
    }
    let mut seen = 0;
    for row in table.scan().unwrap() {
        let row = row.expect("the row verifies");
        let at = ids.iter().position(|id| id.as_ref() == row.id()).expect("a known id");
        assert_row(&row, &expected[at]);
        seen += 1;
    }
    assert_eq!(seen, ids.len());
}

fn borrow(pairs: &[(String, Value)]) -> Vec<(&str, ValueRef<'_>)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_ref())).collect()
}

/// Writes the rows by each way of writing; the ids and what they hold.
fn write(table: &Table<'_>, key: Option<&str>) -> (Vec<Id>, Vec<Vec<Value>>) {
    let names: Vec<String> = columns().into_iter().map(|(name, ..)| name).collect();
    let all = rows();
    let (mut ids, mut expected) = (Vec::new(), Vec::new());
    let text_id = |way: &str, at: usize| key.map(|_| format!("{way} {at}\u{e9}"));
    let pairs = |row: &[Value], id: Option<&str>| {
        let cells = names.iter().zip(row).map(|(name, value)| (name.clone(), value.clone()));
        let id = id.map(|id| (key.unwrap().to_owned(), Value::Text(id.to_owned())));
        cells.chain(id).collect::<Vec<_>>()
    };
    for (at, row) in all.iter().enumerate() {
        let owned = pairs(row, text_id("insert", at).as_deref());
        ids.push(table.insert(&borrow(&owned)).unwrap());
        expected.push(row.clone());
    }
    let many: Vec<Vec<Value>> = all
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let id = text_id("many", at).map(Value::Text);
            row.iter().cloned().chain(id).collect()
        })
        .collect();
    let many: Vec<Vec<ValueRef<'_>>> =
        many.iter().map(|row| row.iter().map(Value::as_ref).collect()).collect();
    let given: Vec<&str> = names.iter().map(String::as_str).chain(key).collect();
    ids.extend(table.insert_many(&given, &many).unwrap());
    expected.extend(all.iter().cloned());
    // From NULLs to the values; then every row to the values of the next, one column at a time and all at once.
    for (at, row) in all.iter().enumerate() {
        let id = text_id("update", at);
        let empty: Vec<(&str, ValueRef<'_>)> =
            id.iter().map(|id| (key.unwrap(), ValueRef::Text(id))).collect();
        let id = table.insert(&empty).unwrap();
        let owned = pairs(row, None);
        if at % 2 == 0 {
            for (name, value) in &owned {
                assert!(table.update(&id, &[(name, value.as_ref())]).unwrap());
            }
        } else {
            assert!(table.update(&id, &borrow(&owned)).unwrap());
        }
        ids.push(id);
        expected.push(row.clone());
    }
    for at in 0..all.len() {
        let next = &all[(at + 1) % all.len()];
        assert!(table.update(&ids[at], &borrow(&pairs(next, None))).unwrap());
        expected[at].clone_from(next);
    }
    (ids, expected)
}

#[test]
fn every_value_is_read_as_it_was_written_also_after_reopening() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&definition("numbered")).unwrap();
    vault.define_table(&definition("named").text_key("slug").padding(Padding::None)).unwrap();
    vault.define_table(&definition("owned").per_tenant().padding(Padding::Padme)).unwrap();
    vault
        .define_table(&definition("both").per_tenant().text_key("slug").padding(Padding::Block(1)))
        .unwrap();
    let tenant = vault.tenant("acme").unwrap();
    let numbered = write(&vault.table("numbered").unwrap(), None);
    let named = write(&vault.table("named").unwrap(), Some("slug"));
    let owned = write(&tenant.table("owned").unwrap(), None);
    let both = write(&tenant.table("both").unwrap(), Some("slug"));
    let check = |vault: &Vault| {
        let tenant = vault.tenant("acme").unwrap();
        assert_table(&vault.table("numbered").unwrap(), &numbered.0, &numbered.1);
        assert_table(&vault.table("named").unwrap(), &named.0, &named.1);
        assert_table(&tenant.table("owned").unwrap(), &owned.0, &owned.1);
        assert_table(&tenant.table("both").unwrap(), &both.0, &both.1);
        let snapshot = vault.snapshot().unwrap();
        assert_table(&snapshot.table("numbered").unwrap(), &numbered.0, &numbered.1);
        drop(snapshot);
        let transaction = vault.begin().unwrap();
        assert_table(&transaction.table("named").unwrap(), &named.0, &named.1);
        drop(transaction);
        let verification = vault.verify(|_| ()).unwrap();
        assert!(verification.is_sound(), "{verification:?}");
        assert_eq!(verification.tables.len(), 4);
    };
    check(&vault);
    drop(vault);
    check(&scratch.open());
}

#[test]
fn outside_the_record_values_keep_their_storage_class() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&definition("t")).unwrap();
    let (ids, expected) = write(&vault.table("t").unwrap(), None);
    vault.close();
    let raw = scratch.raw();
    let mut checked = 0;
    for (position, (name, kind, how)) in columns().iter().enumerate() {
        let there: bool = raw
            .query_row(
                "SELECT count(*) FROM pragma_table_info('t_sealed') WHERE name = ?",
                [name],
                |r| r.get(0),
            )
            .unwrap();
        assert_eq!(there, *how != Protection::Sealed);
        if *how == Protection::Sealed {
            continue;
        }
        for (id, row) in ids.iter().zip(&expected) {
            let sql = format!("SELECT typeof({name}) FROM t_sealed WHERE id = ?");
            let class: String = raw.query_row(&sql, [id.as_i64()], |row| row.get(0)).unwrap();
            let wanted = match (&row[position], kind) {
                (Value::Null, _) => "null",
                (_, Type::Integer | Type::Boolean) => "integer",
                (_, Type::Real) => "real",
                (_, Type::Blob) => "blob",
                _ => "text",
            };
            assert_eq!(class, wanted, "{name}");
            checked += 1;
        }
    }
    assert!(checked > 500);
}

#[test]
fn what_does_not_fit_exactly_is_refused_and_changes_nothing() {
    let vault = Vault::in_memory().unwrap();
    vault.define_table(&definition("t")).unwrap();
    let table = vault.table("t").unwrap();
    let id = table.insert(values! {"text_sealed" => "kept"}).unwrap();
    let wrong: &[(Type, ValueRef<'_>)] = &[
        (Type::Real, ValueRef::Real(f64::NAN)),
        (Type::Real, ValueRef::Real(-f64::NAN)),
        (Type::Real, ValueRef::Integer((1 << 53) + 1)),
        (Type::Real, ValueRef::Integer(i64::MIN)),
        (Type::Real, ValueRef::Text("1.0")),
        (Type::Integer, ValueRef::Real(1.0)),
        (Type::Integer, ValueRef::Text("1")),
        (Type::Integer, ValueRef::Text("1e3")),
        (Type::Integer, ValueRef::Boolean(true)),
        (Type::Text, ValueRef::Integer(1)),
        (Type::Text, ValueRef::Blob(b"a")),
        (Type::Text, ValueRef::Json("\"a\"")),
        (Type::Blob, ValueRef::Text("a")),
        (Type::Boolean, ValueRef::Integer(2)),
        (Type::Boolean, ValueRef::Text("true")),
        (Type::Json, ValueRef::Text("{")),
        (Type::Json, ValueRef::Text("")),
        (Type::Json, ValueRef::Text("{} {}")),
        (Type::Json, ValueRef::Text("NaN")),
        (Type::Json, ValueRef::Integer(1)),
    ];
    for (kind, value) in wrong {
        for how in PROTECTIONS {
            let name = format!("{}_{}", kind.name(), how.name());
            let given = [(name.as_str(), *value)];
            for error in [
                table.insert(&given).map(|_| ()).unwrap_err(),
                table.update(&id, &given).map(|_| ()).unwrap_err(),
                table.insert_many(&[&name], [[ValueRef::Null], [*value]]).map(|_| ()).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::TypeMismatch, "{name} {value:?}: {error}");
            }
        }
    }
    assert_eq!(table.count().unwrap(), 1);
    assert_eq!(table.get(&id).unwrap().unwrap().text("text_sealed").unwrap(), "kept");
}

#[test]
fn exact_conversions_are_made_and_no_others() {
    let vault = Vault::in_memory().unwrap();
    vault.define_table(&definition("t")).unwrap();
    let table = vault.table("t").unwrap();
    for how in PROTECTIONS {
        let name = |kind: Type| format!("{}_{}", kind.name(), how.name());
        let id = table
            .insert(&[
                (&name(Type::Real), ValueRef::Integer(-(1 << 53))),
                (&name(Type::Boolean), ValueRef::Integer(1)),
                (&name(Type::Json), ValueRef::Text(" [ 1 ] ")),
            ])
            .unwrap();
        let row = table.get(&id).unwrap().unwrap();
        let real = row.get(&name(Type::Real)).unwrap();
        assert!(identical(real, ValueRef::Real(-9_007_199_254_740_992.0)));
        assert_eq!(row.get(&name(Type::Boolean)).unwrap(), ValueRef::Boolean(true));
        assert_eq!(row.get(&name(Type::Json)).unwrap(), ValueRef::Json(" [ 1 ] "));
    }
}

#[test]
fn null_missing_and_empty_are_three_things() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let define = PROTECTIONS.iter().fold(TableDefinition::new("t"), |table, how| {
        table
            .column(Column::text(format!("text_{}", how.name())).protection(*how).default("given"))
            .column(Column::blob(format!("blob_{}", how.name())).protection(*how))
    });
    vault.define_table(&define).unwrap();
    let table = vault.table("t").unwrap();
    let missing = table.insert(&[]).unwrap();
    let null = table
        .insert(&PROTECTIONS.map(|how| {
            (["text_plain", "text_authenticated", "text_sealed"][how as usize], ValueRef::Null)
        }))
        .unwrap();
    let empty = table
        .insert(values! {
            "text_plain" => "", "text_authenticated" => "", "text_sealed" => "",
            "blob_plain" => b"", "blob_authenticated" => b"", "blob_sealed" => b"",
        })
        .unwrap();
    vault.close();
    let vault = scratch.open();
    let table = vault.table("t").unwrap();
    for how in PROTECTIONS {
        let get = |id: &Id, kind: &str| {
            let row = table.get(id).unwrap().unwrap();
            row.get(&format!("{kind}_{}", how.name())).unwrap().to_owned()
        };
        assert_eq!(get(&missing, "text"), Value::Text("given".into()));
        assert_eq!(get(&null, "text"), Value::Null);
        assert_eq!(get(&empty, "text"), Value::Text(String::new()));
        assert_eq!(get(&missing, "blob"), Value::Null);
        assert_eq!(get(&empty, "blob"), Value::Blob(vec![]));
    }
    let refused = table.insert(values! {"text_sealed" => None::<&str>, "text_nowhere" => 1});
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_column_added_later_gives_its_default_exactly() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&TableDefinition::new("t").column(Column::text("first").sealed())).unwrap();
    let id = vault.table("t").unwrap().insert(values! {"first" => "x"}).unwrap();
    let mut expected = Vec::new();
    for kind in TYPES {
        // Sealed and authenticated defaults stand in the catalog, plain ones in SQL text too: each has its own path.
        for how in PROTECTIONS {
            for (at, value) in awkward(kind).into_iter().enumerate() {
                if matches!(&value, Value::Text(v) if v.len() > 1000)
                    || matches!(&value, Value::Blob(v) if v.len() > 1000)
                {
                    continue;
                }
                // One alteration rewrites the table: the protections other than plain take a sample.
                if how != Protection::Plain && at % 5 != 1 {
                    continue;
                }
                let name = format!("{}_{}_{at}", kind.name(), how.name());
                let column = Column::new(&name, kind).protection(how).default(value.clone());
                let _ = vault
                    .alter_table("t", &Alteration::AddColumn(column))
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                expected.push((name, value));
            }
        }
    }
    let check = |vault: &Vault| {
        let row = vault.table("t").unwrap().get(&id).unwrap().unwrap();
        for (name, value) in &expected {
            let read = row.get(name).unwrap();
            assert!(identical(read, value.as_ref()), "{name}: {read:?} for {value:?}");
        }
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    };
    check(&vault);
    vault.close();
    let vault = scratch.open();
    check(&vault);
    // What was a default is written out when the row is.
    vault.table("t").unwrap().update(&id, values! {"first" => "y"}).unwrap();
    check(&vault);
    let next = vault.table("t").unwrap().insert(&[]).unwrap();
    let row = vault.table("t").unwrap().get(&next).unwrap().unwrap();
    for (name, value) in &expected {
        assert!(identical(row.get(name).unwrap(), value.as_ref()), "{name}");
    }
}

#[test]
fn a_plain_default_of_any_double_is_exact() {
    let vault = Vault::in_memory().unwrap();
    vault.define_table(&TableDefinition::new("t").column(Column::text("first").sealed())).unwrap();
    let id = vault.table("t").unwrap().insert(&[]).unwrap();
    let mut state = 1u64;
    let mut expected = Vec::new();
    while expected.len() < 300 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(state ^ state >> 31);
        if double.is_nan() {
            continue;
        }
        let name = format!("c{}", expected.len());
        let column = Column::real(&name).default(double);
        let _ = vault.alter_table("t", &Alteration::AddColumn(column)).unwrap();
        expected.push((name, double));
    }
    let row = vault.table("t").unwrap().get(&id).unwrap().unwrap();
    for (name, double) in expected {
        let read = row.get(&name).unwrap();
        assert!(identical(read, ValueRef::Real(double)), "{double:e} reads as {:?}", read.as_f64());
    }
}

#[test]
fn indexed_values_are_found_exactly() {
    let vault = Vault::in_memory().unwrap();
    for kind in [Type::Integer, Type::Text, Type::Blob] {
        let name = format!("t_{}", kind.name());
        let names = ["plainly", "authentic", "hidden"];
        let column = |how: Protection| {
            Column::new(names[how as usize], kind).protection(how).index(Index::unique())
        };
        let define = PROTECTIONS
            .into_iter()
            .fold(TableDefinition::new(&name), |table, how| table.column(column(how)));
        vault.define_table(&define).unwrap();
        let table = vault.table(&name).unwrap();
        for value in awkward(kind) {
            let given = names.map(|name| (name, value.as_ref()));
            let id = table.insert(&given).unwrap();
            assert_eq!(table.insert(&given).unwrap_err().kind(), ErrorKind::Conflict);
            for name in names {
                let found = table.find(name, value.as_ref()).unwrap();
                let ids: Vec<_> = found.iter().map(Row::id).collect();
                assert_eq!(ids, [id.as_ref()], "{name} {value:?}");
            }
        }
    }
}

fn any_value(kind: Type) -> BoxedStrategy<Value> {
    let some = match kind {
        Type::Integer => any::<i64>().prop_map(Value::Integer).boxed(),
        Type::Real => any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter("NaN is refused", |v| !v.is_nan())
            .prop_map(Value::Real)
            .boxed(),
        Type::Blob => any::<Vec<u8>>().prop_map(Value::Blob).boxed(),
        Type::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Type::Json => any::<i64>().prop_map(|v| Value::Json(format!(" [{v} ]"))).boxed(),
        _ => any::<String>().prop_map(Value::Text).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 5 => some].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_row_is_read_as_it_was_written(
        row in columns().into_iter().map(|(_, kind, _)| any_value(kind)).collect::<Vec<_>>(),
        next in columns().into_iter().map(|(_, kind, _)| any_value(kind)).collect::<Vec<_>>(),
        touched in any::<u32>(),
    ) {
        let vault = Vault::in_memory().unwrap();
        vault.define_table(&definition("t")).unwrap();
        let table = vault.table("t").unwrap();
        let names: Vec<String> = columns().into_iter().map(|(name, ..)| name).collect();
        let pairs: Vec<(&str, ValueRef<'_>)> =
            names.iter().zip(&row).map(|(name, value)| (name.as_str(), value.as_ref())).collect();
        let id = table.insert(&pairs).unwrap();
        assert_row(&table.get(&id).unwrap().unwrap(), &row);
        let mut expected = row.clone();
        let changes: Vec<(&str, ValueRef<'_>)> = (0..names.len())
            .filter(|at| touched >> at & 1 == 1)
            .map(|at| {
                expected[at].clone_from(&next[at]);
                (names[at].as_str(), next[at].as_ref())
            })
            .collect();
        table.update(&id, &changes).unwrap();
        assert_row(&table.get(&id).unwrap().unwrap(), &expected);
    }
}
