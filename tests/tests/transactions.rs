//! Transactions and savepoints take back all they did, keys included; ids are never given out twice.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use sealite::{
    Column, Error, ErrorKind, Id, Index, Result, TableDefinition, Unlock, Vault, values,
};
use sealite_tests::process::staged;
use sealite_tests::vaults::{Home, open_in, people};

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn transaction_is_rolled_back_on_error_panic_and_drop() {
    let home = Home::new();
    let vault = home.create();
    vault.execute("CREATE TABLE own (a)", &[]).unwrap();
    let table = vault.table("people").unwrap();
    let write = |transaction: &sealite::Transaction| {
        let people = transaction.table("people")?;
        people.insert(values! {"email" => "ada@example.org"})?;
        assert_eq!(people.count()?, 1);
        assert!(people.find_one("email", "ada@example.org")?.is_some());
        transaction.execute("INSERT INTO own VALUES (1)", &[])?;
        transaction.define_table(&TableDefinition::new("made").column(Column::text("a")))?;
        transaction.table("made")?.insert(values! {"a" => "b"}).map(|_| ())
    };
    let nothing = || {
        assert_eq!(table.count().unwrap(), 0);
        assert!(vault.query("SELECT * FROM own", &[]).unwrap().rows.is_empty());
        assert_eq!(kind(vault.table("made")), Some(ErrorKind::NotFound));
    };
    let failed = vault.transaction(|transaction| {
        write(transaction)?;
        transaction.table("people")?.insert(values! {"email" => "ada@example.org"})
    });
    assert_eq!(kind(failed), Some(ErrorKind::Conflict));
    nothing();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        vault.transaction(|transaction| {
            write(transaction)?;
            std::panic::resume_unwind(Box::new("a panic of the caller's"));
            #[allow(unreachable_code)]
            Ok(())
        })
    }));
    assert!(panicked.is_err());
    nothing();
    let transaction = vault.begin().unwrap();
    write(&transaction).unwrap();
    drop(transaction);
    nothing();
    let transaction = vault.begin().unwrap();
    write(&transaction).unwrap();
    transaction.roll_back().unwrap();
    nothing();
    vault.transaction(write).unwrap();
    assert_eq!(table.count().unwrap(), 1);
    assert_eq!(vault.table("made").unwrap().count().unwrap(), 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn statement_that_fails_leaves_the_rest_of_its_transaction() {
    let vault = Vault::in_memory().unwrap();
    vault.define_table(&people()).unwrap();
    let transaction = vault.begin().unwrap();
    let table = transaction.table("people").unwrap();
    table.insert(values! {"email" => "ada@example.org"}).unwrap();
    assert_eq!(
        kind(table.insert(values! {"email" => "ada@example.org"})),
        Some(ErrorKind::Conflict)
    );
    let rows = [["b@example.org".into()], ["c@example.org".into()], ["ada@example.org".into()]];
    assert_eq!(kind(table.insert_many(&["email"], rows)), Some(ErrorKind::Conflict));
    assert_eq!(table.count().unwrap(), 1, "many rows are inserted together or not at all");
    table.insert(values! {"email" => "b@example.org"}).unwrap();
    drop(table);
    transaction.commit().unwrap();
    assert_eq!(vault.table("people").unwrap().count().unwrap(), 2);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn savepoint_happens_whole_or_not_at_all() {
    let home = Home::new();
    let vault = home.create();
    let notes = TableDefinition::new("notes").per_tenant().column(Column::text("body").sealed());
    vault.define_table(&notes).unwrap();
    let insert = |transaction: &sealite::Transaction, email: &str| {
        transaction.table("people")?.insert(values! {"email" => email})
    };
    let stop = || Err::<(), Error>(Unlock::key(&[]).unwrap_err());
    vault
        .transaction(|transaction| {
            let first = insert(transaction, "first@example.org")?;
            let failed = transaction.savepoint(|inner| {
                insert(inner, "undone@example.org")?;
                inner.tenant_table("new", "notes")?.insert(values! {"body" => "undone"})?;
                inner.savepoint(|innermost| insert(innermost, "deep@example.org"))?;
                inner.define_table(&TableDefinition::new("undone"))?;
                stop()
            });
            assert_eq!(kind(failed), Some(ErrorKind::WeakKey));
            // The tenant's keys have gone with the savepoint: they are made again.
            transaction.tenant_table("new", "notes")?.insert(values! {"body" => "kept"})?;
            transaction.savepoint(|inner| {
                insert(inner, "second@example.org")?;
                let failed = inner.savepoint(|innermost| {
                    insert(innermost, "undone@example.org")?;
                    stop()
                });
                assert!(failed.is_err());
                insert(inner, "third@example.org").map(|_| ())
            })?;
            let last = insert(transaction, "last@example.org")?;
            assert!(last > first);
            Ok(())
        })
        .unwrap();
    drop(vault);
    let vault = home.open();
    let rows = vault.table("people").unwrap().scan().unwrap().map(Result::unwrap);
    let emails: Vec<String> = rows.map(|row| row.text("email").unwrap().to_owned()).collect();
    let expected = ["first", "second", "third", "last"].map(|name| format!("{name}@example.org"));
    assert_eq!(emails, expected);
    let notes = vault.tenant("new").unwrap();
    let bodies = notes.table("notes").unwrap().scan().unwrap().map(Result::unwrap);
    assert_eq!(
        bodies.map(|row| row.text("body").unwrap().to_owned()).collect::<Vec<_>>(),
        ["kept"]
    );
    assert_eq!(kind(vault.table("undone")), Some(ErrorKind::NotFound));
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

fn tenants() -> TableDefinition {
    TableDefinition::new("notes")
        .per_tenant()
        .column(Column::text("body").sealed().index(Index::unique()))
}

#[test]
fn keys_that_were_rolled_back_are_forgotten() {
    staged("keys_that_were_rolled_back_are_forgotten", 60, |stage| {
        let write = |vault: &Vault, body: &str| {
            vault.tenant("acme").unwrap().table("notes").unwrap().insert(values! {"body" => body})
        };
        let found = |vault: &Vault, body: &str| {
            let tenant = vault.tenant("acme").unwrap();
            let row = tenant.table("notes").unwrap().find_one("body", body).unwrap();
            row.unwrap().text("body").unwrap() == body
        };
        if stage.role() == "other" {
            let vault = open_in(&stage.path());
            write(&vault, "of the other process").unwrap();
            assert!(found(&vault, "of the other process"));
            return;
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        vault.define_table(&tenants()).unwrap();
        let acme = vault.tenant("acme").unwrap();
        let field = acme.field("f").unwrap();
        // The first writes of a tenant, in each way to end a transaction without a commit.
        let transaction = acme.begin().unwrap();
        transaction.table("notes").unwrap().insert(values! {"body" => "undone"}).unwrap();
        transaction.roll_back().unwrap();
        let transaction = acme.begin().unwrap();
        transaction.table("notes").unwrap().insert(values! {"body" => "undone"}).unwrap();
        drop(transaction);
        let failed = acme.transaction(|transaction| {
            transaction.table("notes")?.insert(values! {"body" => "undone"})?;
            Unlock::key(&[]).map(|_| ())
        });
        assert!(failed.is_err());

        stage.process("other", home.folder()).succeed();
        assert!(found(&vault, "of the other process"));
        write(&vault, "of the first process").unwrap();
        let sealed = field.seal("x", None).unwrap();
        assert_eq!(kind(write(&vault, "of the other process")), Some(ErrorKind::Conflict));
        drop((field, acme, vault));
        let vault = home.open();
        assert!(found(&vault, "of the first process") && found(&vault, "of the other process"));
        assert!(vault.tenant("acme").unwrap().field("f").unwrap().open(&sealed, None).is_ok());
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    });
}

#[test]
fn ids_are_never_given_out_twice() {
    let home = Home::new();
    let vault = home.create();
    let insert = |vault: &Vault, email: &str| {
        vault.table("people").unwrap().insert(values! {"email" => email}).unwrap().as_i64().unwrap()
    };
    assert_eq!([insert(&vault, "a@x.org"), insert(&vault, "b@x.org")], [1, 2]);
    let table = vault.table("people").unwrap();
    assert!(table.delete(2).unwrap());
    assert_eq!(insert(&vault, "c@x.org"), 3);
    assert!(table.delete(3).unwrap() && table.delete(1).unwrap());
    drop(vault);
    let vault = home.open();
    assert_eq!(
        insert(&vault, "d@x.org"),
        4,
        "also when the table is empty and the vault was closed"
    );
    // An id that the caller chooses raises the mark.
    let table = vault.table("people").unwrap();
    let chosen = table.insert(values! {"id" => 100, "email" => "e@x.org"}).unwrap();
    assert_eq!(chosen, Id::Integer(100));
    assert_eq!(insert(&vault, "f@x.org"), 101);
    for id in [0, -5, 50] {
        let email = format!("chosen{id}@x.org");
        table.insert(values! {"id" => id, "email" => &email}).unwrap();
        assert_eq!(table.get(id).unwrap().unwrap().text("email").unwrap(), email);
    }
    assert_eq!(insert(&vault, "g@x.org"), 102);
    assert!(table.delete(102).unwrap());
    let conflict = table.insert(values! {"id" => 50, "email" => "h@x.org"});
    assert_eq!(kind(conflict), Some(ErrorKind::Conflict));
    let wrong = table.insert(values! {"id" => "fifty", "email" => "h@x.org"});
    assert_eq!(kind(wrong), Some(ErrorKind::TypeMismatch));
    assert_eq!(insert(&vault, "h@x.org"), 103);
    table.insert(values! {"id" => i64::MAX, "email" => "max@x.org"}).unwrap();
    table.insert(values! {"id" => i64::MIN, "email" => "min@x.org"}).unwrap();
    assert_eq!(kind(table.insert(values! {"email" => "none@x.org"})), Some(ErrorKind::Limit));
    assert_eq!(table.scan().unwrap().map(Result::unwrap).count(), 9);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn text_keys_are_compared_byte_for_byte() {
    let home = Home::new();
    let vault = home.create();
    let pages =
        TableDefinition::new("pages").text_key("slug").column(Column::text("body").sealed());
    vault.define_table(&pages).unwrap();
    let table = vault.table("pages").unwrap();
    let longest = "k".repeat(1_000);
    let keys = ["a", "A", "a ", " a", "é", "e\u{301}", "a\0", "a\0b", "1", "01", "🦭", &longest];
    for key in keys {
        let id = table.insert(values! {"slug" => key, "body" => key}).unwrap();
        assert_eq!(id, Id::Text(key.to_owned()));
    }
    for key in keys {
        assert_eq!(table.get(key).unwrap().unwrap().text("body").unwrap(), key);
        let again = table.insert(values! {"slug" => key});
        assert_eq!(kind(again), Some(ErrorKind::Conflict));
    }
    let too_long = "k".repeat(1_001);
    for key in ["", &too_long] {
        assert_eq!(kind(table.insert(values! {"slug" => key})), Some(ErrorKind::Limit));
    }
    assert_eq!(kind(table.insert(values! {"body" => "x"})), Some(ErrorKind::TypeMismatch));
    assert_eq!(kind(table.insert(values! {"slug" => 7})), Some(ErrorKind::TypeMismatch));
    assert_eq!(kind(table.get(7)), Some(ErrorKind::TypeMismatch));
    let renamed = table.update("a", values! {"slug" => "b"});
    assert_eq!(kind(renamed), Some(ErrorKind::InvalidInput));
    assert!(table.delete("a").unwrap());
    assert!(table.get("A").unwrap().is_some() && table.get("a").unwrap().is_none());
    // A text key may come back: the record of the row that is gone does not open in its place, being gone.
    table.insert(values! {"slug" => "a", "body" => "again"}).unwrap();
    drop(vault);
    let vault = home.open();
    assert_eq!(vault.table("pages").unwrap().count().unwrap(), keys.len() as u64);
    assert!(vault.verify(|_| ()).unwrap().is_sound());

    let notes =
        TableDefinition::new("notes").text_key("slug").per_tenant().column(Column::text("body"));
    vault.define_table(&notes).unwrap();
    for tenant in ["one", "two"] {
        let tenant = vault.tenant(tenant).unwrap();
        let table = tenant.table("notes").unwrap();
        table.insert(values! {"slug" => "same", "body" => tenant.name()}).unwrap();
        assert_eq!(table.get("same").unwrap().unwrap().text("body").unwrap(), tenant.name());
        assert_eq!(table.count().unwrap(), 1);
    }
}
