//! Tenants: other keys, other index values, and no way from one to the next.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeSet;

use sealite::{Column, ErrorKind, Id, IdRef, Index, Normaliser, TableDefinition, Vault, values};
use sealite_tests::scratch::Scratch;

fn define(vault: &Vault) {
    let email = Column::text("email").sealed().index(Index::unique().normaliser(Normaliser::Email));
    let people = TableDefinition::new("people")
        .per_tenant()
        .column(email)
        .column(Column::text("role").authenticated())
        .column(Column::text("badge").authenticated().index(Index::unique()))
        .column(Column::text("room").index(Index::unique()));
    vault.define_table(&people).unwrap();
    let notes = TableDefinition::new("notes").per_tenant().text_key("slug");
    vault.define_table(&notes.column(Column::text("body").sealed())).unwrap();
    vault.define_table(&TableDefinition::new("shared").column(Column::text("a").sealed())).unwrap();
}

#[test]
fn a_tenant_sees_its_own_rows_and_no_others() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    define(&vault);
    let (acme, beta) = (vault.tenant("acme").unwrap(), vault.tenant("beta").unwrap());
    let row = |who: &str| {
        let tenant = vault.tenant(who).unwrap();
        let people = tenant.table("people").unwrap();
        people.insert(
            values! {"email" => "ada@example.org", "role" => who, "badge" => "1", "room" => "1"},
        )
    };
    // What is unique is unique within a tenant.
    let (mine, theirs) = (row("acme").unwrap(), row("beta").unwrap());
    assert_eq!(row("acme").unwrap_err().kind(), ErrorKind::Conflict);
    assert_ne!(mine, theirs, "ids are given out once, over all tenants");
    let check = |acme: &sealite::Tenant| {
        let people = acme.table("people").unwrap();
        for column in ["email", "badge", "room"] {
            let value = if column == "email" { "ADA@example.org" } else { "1" };
            let found = people.find(column, value).unwrap();
            assert_eq!(
                found.iter().map(sealite::Row::id).collect::<Vec<_>>(),
                [mine.as_ref()],
                "{column}"
            );
        }
        assert!(people.get(&theirs).unwrap().is_none());
        assert!(people.find("id", theirs.as_i64().unwrap()).unwrap().is_empty());
        assert!(people.find("role", "beta").unwrap().is_empty());
        assert_eq!(people.count().unwrap(), 1);
        assert_eq!(people.scan().unwrap().count(), 1);
        let many = people.get_many(&[mine.as_ref(), theirs.as_ref()]).unwrap();
        assert!(many[0].is_some() && many[1].is_none());
        assert!(!people.update(&theirs, values! {"role" => "stolen"}).unwrap());
        assert!(!people.delete(&theirs).unwrap());
        assert!(!people.discard(&theirs).unwrap());
    };
    check(&acme);
    let text_key = |tenant: &sealite::Tenant, body: &str| {
        tenant.table("notes").unwrap().insert(values! {"slug" => "page", "body" => body})
    };
    text_key(&acme, "ours").unwrap();
    text_key(&beta, "theirs").unwrap();
    assert_eq!(text_key(&acme, "again").unwrap_err().kind(), ErrorKind::Conflict);
    let read = |tenant: &sealite::Tenant| {
        let row = tenant.table("notes").unwrap().get("page").unwrap().unwrap();
        row.text("body").unwrap().to_owned()
    };
    assert_eq!((read(&acme), read(&beta)), ("ours".to_owned(), "theirs".to_owned()));
    assert!(acme.table("notes").unwrap().delete("page").unwrap());
    assert_eq!(read(&beta), "theirs");
    vault.close();
    let vault = scratch.open();
    check(&vault.tenant("acme").unwrap());
    assert_eq!(vault.tenant("beta").unwrap().table("people").unwrap().count().unwrap(), 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn a_table_of_tenants_is_reached_through_a_tenant_only() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    assert_eq!(vault.table("people").map(|_| ()).unwrap_err().kind(), ErrorKind::InvalidInput);
    let acme = vault.tenant("acme").unwrap();
    assert_eq!(acme.table("shared").map(|_| ()).unwrap_err().kind(), ErrorKind::NotFound);
    let transaction = acme.begin().unwrap();
    let refused = [
        transaction.tenant_table("beta", "people").map(|_| ()),
        transaction.define_table(&TableDefinition::new("more")).map(|_| ()),
        transaction.execute("SELECT 1", &[]).map(|_| ()),
        transaction.query("SELECT 1", &[]).map(|_| ()),
    ];
    for result in refused {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::NotAllowed);
    }
    assert_eq!(transaction.table("shared").map(|_| ()).unwrap_err().kind(), ErrorKind::NotFound);
    drop(transaction);
    let snapshot = acme.snapshot().unwrap();
    let refused = snapshot.tenant_table("beta", "people").map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotAllowed);
}

#[test]
fn one_transaction_of_the_vault_spans_tenants_and_commits_whole() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    let work = |fail: bool| {
        vault.transaction(|tx| {
            for tenant in ["acme", "beta", "gamma"] {
                tx.tenant_table(tenant, "people")?.insert(values! {"email" => "a@b.example"})?;
            }
            tx.table("shared")?.insert(values! {"a" => "x"})?;
            if fail {
                tx.table("shared")?.insert(values! {"nowhere" => 1})?;
            }
            Ok(())
        })
    };
    let count =
        |tenant: &str| vault.tenant(tenant).unwrap().table("people").unwrap().count().unwrap();
    // The keys that it makes are taken back with it, and made again.
    for _ in 0..2 {
        assert_eq!(work(true).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!((count("acme"), count("gamma")), (0, 0));
    }
    work(false).unwrap();
    assert_eq!((count("acme"), count("beta"), count("gamma")), (1, 1, 1));
    let found = vault.tenant("gamma").unwrap();
    assert_eq!(found.table("people").unwrap().find("email", "A@B.example").unwrap().len(), 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn each_tenant_has_keys_of_its_own() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    define(&vault);
    for tenant in ["acme", "beta"] {
        let tenant = vault.tenant(tenant).unwrap();
        for number in 0..3 {
            let email = format!("{number}@example.org");
            tenant.table("people").unwrap().insert(values! {"email" => &email}).unwrap();
        }
    }
    vault.close();
    let raw = scratch.raw();
    let mut stmt =
        raw.prepare("SELECT tenant, substr(sealed, 4, 4), email_bidx FROM people_sealed").unwrap();
    let rows: Vec<(String, Vec<u8>, Vec<u8>)> = stmt
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let keys = |tenant: &str| -> BTreeSet<Vec<u8>> {
        rows.iter().filter(|row| row.0 == tenant).map(|row| row.1.clone()).collect()
    };
    assert_eq!((keys("acme").len(), keys("beta").len()), (1, 1));
    assert!(keys("acme").is_disjoint(&keys("beta")));
    let indexes: BTreeSet<_> = rows.iter().map(|row| row.2.clone()).collect();
    assert_eq!(indexes.len(), 6, "the same e-mail of two tenants has two index values");
}

#[test]
fn a_tenants_fields_open_for_that_tenant_only() {
    let vault = Vault::in_memory().unwrap();
    let field = |tenant: &str| vault.tenant(tenant).unwrap().field("users.email").unwrap();
    let sealed = field("acme").seal("a@b.example", Some(IdRef::Integer(1))).unwrap();
    assert!(field("acme").open(&sealed, Some(IdRef::Integer(1))).is_ok());
    for other in [field("beta"), field("ACME"), vault.field("users.email").unwrap()] {
        let refused = other.open(&sealed, Some(IdRef::Integer(1))).map(|_| ()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AuthenticationFailed);
    }
    let index = Index::unique().normaliser(Normaliser::Email);
    let of = |tenant: &str| field(tenant).index("a@b.example", &index).unwrap();
    assert!(of("acme") == of("acme") && of("acme") != of("beta"));
}

#[test]
fn names_of_tenants_are_kept_apart_byte_for_byte() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    let names = [
        "a",
        "A",
        "a ",
        " a",
        "\u{e9}",
        "e\u{301}",
        "1",
        "1.0",
        "NULL",
        "'",
        "\"",
        "%",
        "\u{1f600}",
    ];
    for name in names {
        let tenant = vault.tenant(name).unwrap();
        assert_eq!(tenant.name(), name);
        tenant
            .table("people")
            .unwrap()
            .insert(values! {"email" => "x@y.example", "role" => name})
            .unwrap();
    }
    for name in names {
        let tenant = vault.tenant(name).unwrap();
        let people = tenant.table("people").unwrap();
        let found = people.find("email", "x@y.example").unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].text("role").unwrap(), name);
        assert_eq!(people.count().unwrap(), 1);
    }
    let long = "n".repeat(256);
    for bad in ["", "a\0b", long.as_str()] {
        assert_eq!(vault.tenant(bad).map(|_| ()).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert!(vault.tenant(&long[..255]).is_ok());
    let report = vault.verify(|_| ()).unwrap();
    assert!(report.is_sound());
    assert!(report.tables.contains(&("people".to_owned(), names.len() as u64)));
}

#[test]
fn a_tenant_without_keys_finds_nothing_and_makes_none() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    define(&vault);
    let nobody = vault.tenant("nobody").unwrap();
    let people = nobody.table("people").unwrap();
    assert!(people.find("email", "a@b.example").unwrap().is_empty());
    assert!(people.get(1).unwrap().is_none());
    assert_eq!(people.count().unwrap(), 0);
    assert!(!people.delete(1).unwrap());
    drop(people);
    vault.close();
    let keys: i64 =
        scratch.raw().query_row("SELECT count(*) FROM sealite_keys", [], |row| row.get(0)).unwrap();
    assert_eq!(keys, 3, "the vault's own data, index and audit key");
}

#[test]
fn ids_chosen_by_one_tenant_are_taken_for_all() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    let insert = |tenant: &str, id: i64| {
        let tenant = vault.tenant(tenant).unwrap();
        tenant.table("people").unwrap().insert(values! {"id" => id})
    };
    assert_eq!(insert("acme", 40).unwrap(), Id::Integer(40));
    assert_eq!(insert("beta", 40).unwrap_err().kind(), ErrorKind::Conflict);
    let next = vault.tenant("beta").unwrap().table("people").unwrap().insert(&[]).unwrap();
    assert_eq!(next, Id::Integer(41));
}
