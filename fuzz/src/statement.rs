//! SQL by anybody on sealed tables: whatever it says, it is carried out or refused, and rolled back nothing of it is left.

use std::str;

use sealite::{Column, ErrorKind, Index, TableDefinition, Value, Vault, values};

thread_local! {
    static VAULT: Vault = people();
}

/// A sealed table with an index, a plain one beside it, and some rows.
fn people() -> Vault {
    let vault = Vault::in_memory().expect("a vault");
    let definition = TableDefinition::new("people")
        .column(Column::text("mail").sealed().not_null().index(Index::unique()))
        .column(Column::text("name").sealed())
        .column(Column::integer("level").authenticated())
        .column(Column::text("note"));
    vault.define_table(&definition).expect("a table");
    vault.execute("CREATE TABLE log (line TEXT)", &[]).expect("a table");
    for mail in ["ada@example.org", "bob@example.org", "eve@example.org"] {
        let row = values! {"mail" => mail, "name" => "a name", "level" => 1, "note" => "plain"};
        vault.table("people").and_then(|table| table.insert(row)).expect("a row");
    }
    vault
}

/// Prepares the statement, runs it where that can't take long, and rolls back.
pub fn statement(data: &[u8]) {
    let Ok(sql) = str::from_utf8(data) else { return };
    VAULT.with(|vault| {
        let transaction = vault.begin().expect("a transaction");
        let prepared = transaction.prepare(sql).map(|statement| {
            let _ = (statement.parameter_count(), statement.is_read_only());
        });
        if prepared.is_ok() && !ENDLESS.iter().any(|word| sql.to_lowercase().contains(word)) {
            refused_at_most(transaction.query(sql, &[]).map(drop));
        }
        refused_at_most(prepared);
        drop(transaction);
        assert_eq!(vault.table("people").and_then(|table| table.count()).expect("a count"), 3);
        let lines = vault.query("SELECT count(*) FROM log", &[]).expect("a count");
        assert!(lines.rows == [[Value::Integer(0)]]);
    });
}

fn refused_at_most(done: sealite::Result<()>) {
    if let Err(error) = done {
        let faults = [ErrorKind::Internal, ErrorKind::Corrupt, ErrorKind::AuthenticationFailed];
        assert!(!faults.contains(&error.kind()), "{error}");
    }
}

/// What may take any time or memory, and what reaches other files.
const ENDLESS: [&str; 8] =
    ["with", "blob", "printf", "format", "attach", "vacuum", "replace(", "hex"];
