//! What an erasure, or its completion, leaves in the file, its log and the index of the log.

use std::time::Duration;

use sealite::{
    Column, Config, Entry, Erasure, ErrorKind, Index, TableDefinition, Value, Vault, values,
};
use sealite_tests::vaults::{Home, plain};

use super::{fill, holds, holds_any};

/// A table of subjects with a plain and an authenticated column beside the record.
fn define(vault: &Vault) {
    let definition = TableDefinition::new("visits")
        .column(Column::integer("user_id").authenticated().index(Index::lookup(5_000)))
        .column(Column::text("city"))
        .column(Column::text("device").authenticated())
        .column(Column::text("note").sealed())
        .subject("user_id");
    vault.define_table(&definition).unwrap();
}

/// A value that is found nowhere by chance.
fn value(what: &str, user: i64, n: usize) -> String {
    format!("{what} of {user} number {n:04}")
}

/// Fills the table, changes every row of it twice and deletes some: values stand in the log, in free pages and in pages' slack.
fn churn(vault: &Vault, rows: usize) {
    let table = vault.table("visits").unwrap();
    for user in 1..=3 {
        for n in 0..rows {
            let (city, device) = (value("city", user, n), value("device", user, n));
            let row = values! {
                "user_id" => user, "city" => city.as_str(), "device" => device.as_str(), "note" => "x"
            };
            let id = table.insert(row).unwrap();
            for what in ["moved", "again"] {
                let (city, device) = (value(what, user, n), value("other", user, n));
                let row = values! {"city" => city.as_str(), "device" => device.as_str()};
                table.update(&id, row).unwrap();
            }
            if n % 5 == 0 {
                table.delete(&id).unwrap();
            }
        }
    }
}

fn traces(user: i64, rows: usize) -> Vec<String> {
    let whats = ["city", "device", "moved", "again", "other"];
    (0..rows).flat_map(|n| whats.map(|what| value(what, user, n))).collect()
}

#[test]
fn plain_and_authenticated_values_of_an_erased_subject_are_in_no_file() {
    let home = Home::new();
    let vault = home.create();
    define(&vault);
    churn(&vault, 60);
    let all = traces(2, 60);
    let bytes = || all.iter().map(String::as_bytes);
    assert!(bytes().filter(|trace| holds(home.folder(), trace)).count() > 60);
    let receipt = vault.erase_subject(None, "2").unwrap();
    assert_eq!(receipt.erasure(), Erasure::Complete);
    // With the vault open, beside its log and the log's index.
    assert!(!holds_any(home.folder(), bytes()));
    assert!(holds(home.folder(), value("again", 1, 7).as_bytes()));
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn many_subjects_cost_one_rewrite_of_the_file() {
    let home = Home::new();
    let vault = home.create();
    define(&vault);
    fill(&vault);
    churn(&vault, 10);
    for user in 10..40 {
        vault.table("visits").unwrap().insert(values! {"user_id" => user, "note" => "x"}).unwrap();
    }
    // What the first erasure defines is there.
    let first = vault.erase_subject(None, "39").unwrap();
    // SQLite counts each VACUUM, as each change of the schema.
    let rewrites = || {
        let found = vault.query("PRAGMA schema_version", &[]).unwrap().rows;
        let Value::Integer(count) = found[0][0] else { panic!("no count") };
        count
    };
    let before = rewrites();
    let names: Vec<String> = (10..39).map(|user| user.to_string()).chain(["2".into()]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let receipts = vault.erase_subjects(None, &names).unwrap();
    assert_eq!(rewrites(), before + 1);
    assert_eq!(receipts.len(), names.len());
    for (receipt, name) in receipts.iter().zip(&names) {
        assert_eq!((receipt.subject(), receipt.erasure()), (Some(*name), Erasure::Complete));
        assert_eq!(&vault.verify_receipt(receipt.text()).unwrap(), receipt);
    }
    assert_eq!(receipts.last().unwrap().rows(), 9 + 8);
    let all = traces(2, 10);
    assert!(!holds_any(home.folder(), all.iter().map(String::as_bytes)));
    // Of those that are erased it gives the receipts again, and rewrites nothing.
    assert_eq!(vault.erase_subjects(None, &names).unwrap(), receipts);
    assert_eq!(rewrites(), before + 1);
    assert_eq!(vault.erase_subject(None, "39").unwrap().text(), first.text());
    assert!(vault.erase_subjects(None, &[]).unwrap().is_empty());
}

#[test]
fn a_subject_that_can_not_be_erased_ends_the_call_behind_those_before_it() {
    let home = Home::new();
    let vault = home.create();
    define(&vault);
    churn(&vault, 10);
    let error = vault.erase_subjects(None, &["1", "nobody", "3"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let left = vault.query("SELECT DISTINCT user_id FROM visits ORDER BY 1", &[]).unwrap().rows;
    assert_eq!(left, [[Value::Integer(2)], [Value::Integer(3)]]);
    // What was erased is overwritten all the same.
    assert!(!holds_any(home.folder(), traces(1, 10).iter().map(String::as_bytes)));
    let receipts = vault.erase_subjects(None, &["1", "3"]).unwrap();
    assert_eq!(receipts.iter().map(sealite::ErasureReceipt::rows).collect::<Vec<_>>(), [8, 8]);
}

#[test]
fn where_nothing_is_marked_completion_empties_the_log_or_says_that_it_did_not() {
    let home = Home::new();
    home.create().close();
    let mut config = Config::default();
    config.busy_timeout = Duration::from_millis(200);
    let vault = Vault::at_with(home.file(), config).unwrap();
    vault.unlock(&home.unlock()).unwrap();
    vault.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, city TEXT)", &[]).unwrap();
    vault.execute("INSERT INTO plain (city) VALUES ('a city that was')", &[]).unwrap();
    let log = || std::fs::metadata(home.folder().join("vault.db-wal")).map_or(0, |log| log.len());
    let reader = home.open();
    let snapshot = reader.snapshot().unwrap();
    snapshot.query("SELECT * FROM plain", &[]).unwrap();
    vault.execute("UPDATE plain SET city = 'a city that is'", &[]).unwrap();
    assert!(log() > 0);
    assert_eq!(vault.finish_erasure().unwrap(), Erasure::Pending);
    drop(snapshot);
    assert_eq!(vault.finish_erasure().unwrap(), Erasure::Complete);
    assert_eq!(log(), 0);
    assert!(!holds(home.folder(), b"a city that was"));
    assert!(holds(home.folder(), b"a city that is"));
    vault.audit().append(&Entry::new("goes.on")).unwrap();
    reader.close();
    vault.close();
    assert_eq!(
        plain(&home.file()).query_row("SELECT count(*) FROM plain", [], |r| r.get(0)),
        Ok(1)
    );
}
