//! Single sealed values for a database of somebody else: bound to field, tenant, record and vault.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeSet;

use sealite::{
    Column, ErrorKind, Field, IdRef, Index, Normaliser, Padding, TableDefinition, Value, ValueRef,
    Vault, generate_key, values,
};
use sealite_tests::bits::{TYPES, awkward, identical};
use sealite_tests::scratch::Scratch;
use sealite_tests::vaults::Home;

/// Every way to say where a value belongs.
fn contexts(vaults: &[Vault]) -> Vec<(Field, Option<IdRef<'_>>)> {
    let records = [
        None,
        Some(IdRef::Integer(0)),
        Some(IdRef::Integer(1)),
        Some(IdRef::Integer(-1)),
        Some(IdRef::Text("")),
        Some(IdRef::Text("1")),
        Some(IdRef::Text("\0\0\0\0\0\0\0\u{1}")),
    ];
    let mut all = Vec::new();
    for vault in vaults {
        for name in ["users.email", "users.phone", "users.emai", "l"] {
            for tenant in [None, Some("acme"), Some("l"), Some("beta")] {
                let field = match tenant {
                    None => vault.field(name).unwrap(),
                    Some(tenant) => vault.tenant(tenant).unwrap().field(name).unwrap(),
                };
                all.extend(records.map(|record| (field.clone(), record)));
            }
        }
    }
    all
}

#[test]
fn a_value_opens_only_where_it_was_sealed() {
    let vaults = [Vault::in_memory().unwrap(), Vault::in_memory().unwrap()];
    let contexts = contexts(&vaults);
    let sealed: Vec<Vec<u8>> =
        contexts.iter().map(|(field, record)| field.seal("the value", *record).unwrap()).collect();
    let mut refusals = 0;
    for (at, value) in sealed.iter().enumerate() {
        for (other, (field, record)) in contexts.iter().enumerate() {
            let opened = field.open(value, *record);
            if at == other {
                assert!(opened.unwrap() == Value::Text("the value".into()));
                continue;
            }
            let error = opened.map(|_| ()).unwrap_err();
            // A vault of its own may not have a key of that number.
            let kinds = [ErrorKind::AuthenticationFailed, ErrorKind::UnknownKey];
            assert!(kinds.contains(&error.kind()), "{at} under {other}: {error}");
            let same_vault = (at < contexts.len() / 2) == (other < contexts.len() / 2);
            if same_vault {
                assert_eq!(error.kind(), ErrorKind::AuthenticationFailed);
            }
            refusals += 1;
        }
    }
    assert_eq!(refusals, contexts.len() * (contexts.len() - 1));
}

#[test]
fn every_value_comes_back_as_it_was_sealed() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let mut sealed = Vec::new();
    for padding in [Padding::None, Padding::default(), Padding::Padme, Padding::Block(1000)] {
        let field = vault.field("any").unwrap().padding(padding);
        for value in TYPES.into_iter().flat_map(awkward).chain([Value::Null]) {
            let bytes = field.seal(value.as_ref(), None).unwrap();
            assert!(bytes.len() >= 79);
            if let Padding::Block(block) = padding {
                assert_eq!((bytes.len() - 79) % usize::from(block), 0);
            }
            sealed.push((value, bytes));
        }
        let nan = field.seal(f64::NAN, None).unwrap_err();
        assert_eq!(nan.kind(), ErrorKind::TypeMismatch);
    }
    vault.close();
    let vault = scratch.open();
    let field = vault.field("any").unwrap();
    for (value, bytes) in &sealed {
        let opened = field.open(bytes, None).unwrap();
        assert!(identical(opened.as_ref(), value.as_ref()), "{value:?}");
    }
    let lengths = |value: ValueRef<'_>| field.seal(value, None).unwrap().len();
    assert_eq!(lengths(ValueRef::Null), lengths(ValueRef::Text("hidden")), "NULL is hidden");
}

#[test]
fn every_bit_of_a_sealed_value_is_authenticated() {
    let vault = Vault::in_memory().unwrap();
    let field = vault.field("f").unwrap();
    let sealed = field.seal("value", Some(IdRef::Text("x"))).unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut other = sealed.clone();
            other[at] ^= 1 << bit;
            let error = field.open(&other, Some(IdRef::Text("x"))).map(|_| ()).unwrap_err();
            // Two of the vault's keys are those of its indexes and its audit trail, which open nothing; there are no others.
            let key = u32::from_be_bytes(other[3..7].try_into().unwrap());
            let unknown = !(1..=3).contains(&key);
            let wanted =
                if unknown { ErrorKind::UnknownKey } else { ErrorKind::AuthenticationFailed };
            assert_eq!(error.kind(), wanted, "byte {at}, bit {bit}");
        }
    }
    for length in 0..sealed.len() {
        let error = field.open(&sealed[..length], Some(IdRef::Text("x"))).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthenticationFailed);
    }
    let longer = [sealed, vec![0]].concat();
    assert!(field.open(&longer, Some(IdRef::Text("x"))).is_err());
    assert!(field.open(&[], None).is_err());
}

#[test]
fn a_batch_is_as_good_as_single_calls() {
    let vault = Vault::in_memory().unwrap();
    for field in [vault.field("f").unwrap(), vault.tenant("acme").unwrap().field("f").unwrap()] {
        let names: Vec<String> = (0..500).map(|n| format!("name {n}")).collect();
        let given: Vec<(ValueRef<'_>, Option<IdRef<'_>>)> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.into(), (at % 3 != 0).then(|| IdRef::Text(name))))
            .collect();
        let sealed = field.seal_many(&given).unwrap();
        let distinct: BTreeSet<&[u8]> = sealed.iter().map(|bytes| &bytes[7..31]).collect();
        assert_eq!(distinct.len(), 500, "a nonce of its own for each");
        let pairs: Vec<(&[u8], Option<IdRef<'_>>)> =
            sealed.iter().zip(&given).map(|(bytes, (_, id))| (bytes.as_slice(), *id)).collect();
        let opened = field.open_many(&pairs).unwrap();
        for ((bytes, (value, id)), opened) in sealed.iter().zip(&given).zip(&opened) {
            assert!(opened.as_ref() == *value);
            assert!(field.open(bytes, *id).unwrap().as_ref() == *value);
        }
        let single = field.seal(given[7].0, given[7].1).unwrap();
        assert!(field.open_many(&[(&single, given[7].1)]).unwrap()[0].as_ref() == given[7].0);
        assert_eq!(single.len(), sealed[7].len());
        // One bad value fails the batch.
        let mut bad = pairs.clone();
        bad[250].1 = Some(IdRef::Text("another"));
        assert_eq!(
            field.open_many(&bad).map(|_| ()).unwrap_err().kind(),
            ErrorKind::AuthenticationFailed
        );
        for index in [Index::unique(), Index::lookup(5_000).normaliser(Normaliser::Text)] {
            let values: Vec<ValueRef<'_>> = given.iter().map(|(value, _)| *value).collect();
            let many = field.index_many(&values, &index).unwrap();
            for (value, indexed) in values.iter().zip(&many) {
                assert!(field.index(*value, &index).unwrap() == *indexed);
            }
        }
        assert!(field.seal_many(&[]).unwrap().is_empty());
        assert!(field.open_many(&[]).unwrap().is_empty());
        assert!(field.index_many(&[], &Index::unique()).unwrap().is_empty());
    }
}

#[test]
fn indexes_are_equal_across_normal_forms_and_after_reopening() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let index = Index::unique().normaliser(Normaliser::Email);
    let of = |vault: &Vault, text: &str| {
        vault.field("users.email").unwrap().index(text, &index).unwrap()
    };
    let first = of(&vault, "Ada@B\u{fc}cher.example");
    assert!(matches!(&first, Value::Blob(bytes) if bytes.len() == 16));
    for same in [" ada@bu\u{308}cher.EXAMPLE ", "ADA@xn--bcher-kva.example"] {
        assert!(of(&vault, same) == first, "{same}");
    }
    assert!(of(&vault, "bob@b\u{fc}cher.example") != first);
    // Another field, another normaliser, another kind of index: other values.
    let exact = vault
        .field("users.email")
        .unwrap()
        .index("Ada@B\u{fc}cher.example", &Index::unique())
        .unwrap();
    assert!(exact != first);
    assert!(
        vault.field("users.mail").unwrap().index("Ada@B\u{fc}cher.example", &index).unwrap()
            != first
    );
    let null = vault.field("users.email").unwrap().index(ValueRef::Null, &index).unwrap();
    assert!(null == Value::Null);
    let lookup = Index::lookup(5_000);
    let number = vault.field("users.email").unwrap().index("x", &lookup).unwrap();
    assert!(matches!(number, Value::Integer(0..=1023)), "at most 10 bits");
    vault.close();
    let vault = scratch.open();
    assert!(of(&vault, "ADA@xn--bcher-kva.example") == first);
}

#[test]
fn the_rules_of_an_index_hold_for_fields() {
    let vault = Vault::in_memory().unwrap();
    let field = vault.field("f").unwrap();
    let kind = |value: ValueRef<'_>, index: &Index| {
        field.index(value, index).map(|_| ()).unwrap_err().kind()
    };
    assert_eq!(kind("x".into(), &Index::lookup(1_023)), ErrorKind::Refused);
    assert_eq!(kind(true.into(), &Index::unique()), ErrorKind::Refused);
    assert_eq!(kind(1.0.into(), &Index::unique()), ErrorKind::InvalidInput);
    let email = Index::unique().normaliser(Normaliser::Email);
    assert_eq!(kind(1.into(), &email), ErrorKind::TypeMismatch);
    assert!(field.index(true, &Index::unique().accept_leakage("two values")).is_ok());
    // The type is part of what is indexed.
    let unique = Index::unique();
    let (text, blob) = (field.index("1", &unique).unwrap(), field.index(b"1", &unique).unwrap());
    assert!(text != blob && blob != field.index(1, &unique).unwrap());
}

#[test]
fn names_of_fields_are_checked() {
    let vault = Vault::in_memory().unwrap();
    let long = "n".repeat(129);
    for bad in ["", "a\0b", "a\nb", long.as_str()] {
        assert_eq!(vault.field(bad).map(|_| ()).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert!(vault.field(&long[..128]).is_ok());
    assert!(vault.field("caf\u{e9} \u{1f600}").is_ok());
}

#[test]
fn a_field_outlives_the_handle_and_is_locked_with_the_vault() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let field = vault.field("f").unwrap();
    let sealed = field.seal("x", None).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (field, sealed) = (field.clone(), sealed.clone());
            std::thread::spawn(move || {
                for _ in 0..200 {
                    assert!(field.open(&sealed, None).unwrap() == Value::Text("x".into()));
                    field.seal("y", None).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    vault.lock();
    for error in [
        field.seal("x", None).map(|_| ()).unwrap_err(),
        field.open(&sealed, None).map(|_| ()).unwrap_err(),
        field.index("x", &Index::unique()).map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Locked);
    }
    vault.unlock(&scratch.unlock()).unwrap();
    assert!(field.open(&sealed, None).is_ok());
    // A key that opens nothing here.
    let other =
        sealite::Unlock::key_text(sealite::ExposeSecret::expose_secret(&generate_key().unwrap()))
            .unwrap();
    vault.lock();
    assert_eq!(vault.unlock(&other).unwrap_err().kind(), ErrorKind::WrongKey);
    assert_eq!(field.open(&sealed, None).map(|_| ()).unwrap_err().kind(), ErrorKind::Locked);
}

#[test]
fn what_comes_from_memory_is_what_the_file_would_give() {
    let vault = Vault::in_memory().unwrap();
    let field = vault.field("users.email").unwrap();
    let record = Some(IdRef::Integer(7));
    let sealed = field.seal("x", record).unwrap();
    let from_memory = field.seal_from_memory("y", record).unwrap().unwrap();
    assert_eq!(field.open(&from_memory, record).unwrap(), Value::Text("y".into()));
    #[allow(clippy::redundant_closure_for_method_calls)] // the method is not general enough
    let opened = field.open_from_memory(&sealed, record, |value| value.to_owned());
    assert_eq!(opened.unwrap().unwrap(), Value::Text("x".into()));
    let nan = field.seal_from_memory(f64::NAN, record).unwrap().unwrap_err();
    assert_eq!(nan.kind(), ErrorKind::TypeMismatch);
    let other = vault.tenant("acme").unwrap().field("users.email").unwrap();
    let elsewhere = vault.field("users.name").unwrap();
    for (field, record) in [(&field, None), (&elsewhere, record), (&other, record)] {
        let refused = field.open_from_memory(&sealed, record, |_| ()).unwrap().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
    }
    let refused = field.open_from_memory(&sealed[1..], record, |_| ()).unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
    // A tenant's first use makes its key, the second reads it.
    for _ in 0..2 {
        assert!(other.seal_from_memory("x", None).is_none());
        other.seal("x", None).unwrap();
    }
    assert!(other.seal_from_memory("x", None).is_some());
    vault.lock();
    assert!(field.seal_from_memory("x", record).is_none());
    assert!(field.open_from_memory(&sealed, record, |_| ()).is_none());
}

#[test]
fn a_tenant_s_first_value_is_refused_within_a_transaction_and_no_key_is_lost_with_it() {
    let home = Home::new();
    let vault = home.create();
    let field = vault.tenant("acme").unwrap().field("f").unwrap();
    let index = Index::unique();
    let before = vault.keys().list().unwrap().len();
    vault
        .transaction(|_| {
            for refused in [
                field.seal("x", None).map(|_| ()),
                field.seal_many(&[("x".into(), None)]).map(|_| ()),
                field.index("x", &index).map(|_| ()),
            ] {
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
            }
            // The vault's own keys are as old as the vault.
            let own = vault.field("f").unwrap();
            let sealed = own.seal("x", None)?;
            assert!(own.open(&sealed, None)? == Value::from("x"));
            own.index("x", &index).map(|_| ())
        })
        .unwrap();
    assert_eq!(vault.keys().list().unwrap().len(), before);
    // What a transaction that is rolled back has made a key for is not sealed under that.
    let notes = TableDefinition::new("notes").per_tenant().column(Column::text("a").sealed());
    vault.define_table(&notes).unwrap();
    let rolled_back = vault.transaction(|tx| {
        tx.tenant_table("acme", "notes")?.insert(values! {"a" => "x"})?;
        assert_eq!(field.seal("x", None).unwrap_err().kind(), ErrorKind::Refused);
        tx.table("nothing").map(|_| ())
    });
    assert_eq!(rolled_back.unwrap_err().kind(), ErrorKind::NotFound);
    // Once before the transaction, as the error says.
    field.seal("", None).unwrap();
    let transaction = vault.begin().unwrap();
    let (sealed, indexed) =
        (field.seal("kept", None).unwrap(), field.index("kept", &index).unwrap());
    transaction.roll_back().unwrap();
    assert!(field.open(&sealed, None).unwrap() == Value::from("kept"));
    assert!(field.index("kept", &index).unwrap() == indexed);
}
