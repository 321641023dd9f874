//! What transactions, connections and handles must not see of each other.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sealite::{
    Alteration, Column, Config, Erasure, ErrorKind, Index, Padding, Protection, Result,
    TableDefinition, Value, Vault, values,
};
use sealite_tests::vaults::Home;

fn define(vault: &Vault) {
    let users = TableDefinition::new("users")
        .column(Column::text("name").sealed().index(Index::unique()))
        .column(Column::text("role").authenticated())
        .column(Column::text("plan"));
    let notes = TableDefinition::new("notes").per_tenant().column(Column::text("body").sealed());
    vault.define_table(&users).unwrap();
    vault.define_table(&notes).unwrap();
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn a_key_that_sqlite_rolled_back_seals_nothing_more() {
    let home = Home::new();
    let vault = home.create();
    define(&vault);
    vault.execute("CREATE TABLE own (a UNIQUE)", &[]).unwrap();
    vault.execute("INSERT INTO own VALUES (1)", &[]).unwrap();
    let rolled_back = vault.transaction(|transaction| {
        transaction.tenant_table("acme", "notes")?.insert(values! {"body" => "first"})?;
        transaction.execute("INSERT OR ROLLBACK INTO own VALUES (1)", &[])
    });
    assert_eq!(kind(rolled_back), Some(ErrorKind::Conflict));
    let acme = vault.tenant("acme").unwrap();
    let id = acme.table("notes").unwrap().insert(values! {"body" => "second"}).unwrap();
    vault.close();
    let acme = home.open().tenant("acme").unwrap();
    let row = acme.table("notes").unwrap().get(&id).unwrap().unwrap();
    assert_eq!(row.text("body").unwrap(), "second");
}

#[test]
fn a_key_not_yet_committed_seals_nothing_outside_its_transaction() {
    let home = Home::new();
    let mut config = Config::default();
    config.busy_timeout = Duration::from_millis(50);
    let vault = Vault::at_with(home.file(), config).unwrap();
    vault.initialise(&home.unlock()).unwrap();
    define(&vault);
    let transaction = vault.begin().unwrap();
    let notes = transaction.tenant_table("acme", "notes").unwrap();
    notes.insert(values! {"body" => "first"}).unwrap();
    let field = vault.tenant("acme").unwrap().field("users.email").unwrap();
    let early = std::thread::scope(|scope| scope.spawn(|| field.seal("x", None)).join().unwrap());
    assert_eq!(kind(early), Some(ErrorKind::Busy));
    transaction.roll_back().unwrap();
    let sealed = field.seal("x", None).unwrap();
    vault.close();
    let field = home.open().tenant("acme").unwrap().field("users.email").unwrap();
    assert_eq!(field.open(&sealed, None).unwrap(), Value::Text("x".into()));
}

#[test]
fn a_savepoint_ends_in_its_own_transaction_only() {
    let vault = Vault::in_memory().unwrap();
    let first = vault.begin().unwrap();
    let stranger = first.begin_savepoint().unwrap();
    drop(first);
    let second = vault.begin().unwrap();
    let own = second.begin_savepoint().unwrap();
    assert_eq!(kind(second.end_savepoint(&stranger, false)), Some(ErrorKind::Closed));
    second.end_savepoint(&own, true).unwrap();
}

#[test]
fn a_default_of_another_spelling_is_sealed_in_the_columns_own_type() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    let users = vault.table("users").unwrap();
    users.insert(values! {"name" => "Ada"}).unwrap();
    for (column, default) in [
        (Column::boolean("active").default(1i64), Value::Boolean(true)),
        (Column::json("extra").default("{}"), Value::Json("{}".into())),
        (Column::real("score").default(2i64), Value::Real(2.0)),
    ] {
        for protection in [Protection::Plain, Protection::Authenticated, Protection::Sealed] {
            let name = format!("{}_{}", column.name(), protection.name());
            let column = Column::parse(&column.specification().replacen(column.name(), &name, 1));
            let column = column.unwrap().protection(protection);
            assert!(vault.alter_table("users", &Alteration::AddColumn(column)).is_ok());
            let row = users.get(1).unwrap().unwrap();
            assert_eq!(row.get(&name).unwrap().to_owned(), default, "{name}");
        }
    }
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn a_default_can_not_stand_in_many_rows_of_a_unique_column() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    for name in ["Ada", "Grace"] {
        vault.table("users").unwrap().insert(values! {"name" => name}).unwrap();
    }
    let column = Column::text("badge").sealed().index(Index::unique()).default("none");
    let added = vault.alter_table("users", &Alteration::AddColumn(column));
    assert_eq!(kind(added), Some(ErrorKind::InvalidInput));
    let renamed = Alteration::RenameTable("Users".into());
    assert!(vault.alter_table("users", &renamed).is_ok(), "the table is not left half altered");
}

#[test]
fn a_padding_that_the_catalog_can_not_tell_is_refused() {
    let vault = Vault::in_memory().unwrap();
    for block in [0, u16::MAX] {
        let table = TableDefinition::new("t").padding(Padding::Block(block));
        assert_eq!(kind(vault.define_table(&table)), Some(ErrorKind::InvalidInput));
    }
}

#[test]
fn a_column_named_like_sqlites_row_id_is_refused() {
    let vault = Vault::in_memory().unwrap();
    for name in ["rowid", "OID", "_rowid_"] {
        let table = TableDefinition::new("t").column(Column::text(name));
        assert_eq!(kind(vault.define_table(&table)), Some(ErrorKind::InvalidInput), "{name}");
    }
}

#[test]
fn erasures_of_two_handles_leave_nothing_of_either() {
    const ROWS: usize = 300;
    let home = Home::new();
    let vault = home.create();
    vault
        .define_table(
            &TableDefinition::new("t").column(Column::text("a")).column(Column::text("b")),
        )
        .unwrap();
    let rows = (0..ROWS).map(|_| ["CANARY-A".into(), "CANARY-B".into()]);
    vault.table("t").unwrap().insert_many(&["a", "b"], rows).unwrap();
    let other = home.open();
    let snapshot = other.snapshot().unwrap();
    let protect = |column: &str| Alteration::Protect(column.into(), Protection::Sealed);
    assert_eq!(vault.alter_table("t", &protect("a")).unwrap(), Erasure::Pending);
    drop(snapshot);
    std::thread::scope(|scope| {
        scope.spawn(|| other.alter_table("t", &protect("b")).map(|_| ()).unwrap());
        let _ = vault.finish_erasure().unwrap();
    });
    assert_eq!(vault.finish_erasure().unwrap(), Erasure::Complete);
    drop((vault, other));
    for entry in std::fs::read_dir(home.folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"CANARY-"));
    }
}

#[test]
fn a_trigger_that_the_engine_sets_off_has_the_rights_of_plain_sql() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    let users = vault.table("users").unwrap();
    let id = users.insert(values! {"name" => "Ada", "role" => "user"}).unwrap();
    for sql in [
        "CREATE TABLE leak (x)",
        "CREATE TABLE child (u REFERENCES users_sealed (id) ON DELETE CASCADE)",
        "CREATE TRIGGER t AFTER DELETE ON child BEGIN
             INSERT INTO leak SELECT sealed FROM users_sealed; END",
        "INSERT INTO child VALUES (1)",
    ] {
        vault.execute(sql, &[]).unwrap();
    }
    assert_eq!(kind(users.delete(&id)), Some(ErrorKind::NotAllowed));
    assert_eq!(vault.query("SELECT x FROM leak", &[]).unwrap().rows.len(), 0);
    vault.execute("DROP TRIGGER t", &[]).unwrap();
    assert!(users.delete(&id).unwrap());
    assert_eq!(vault.query("SELECT u FROM child", &[]).unwrap().rows.len(), 0);
}

#[test]
fn a_temporary_table_never_stands_before_a_sealed_one() {
    let vault = Vault::in_memory().unwrap();
    define(&vault);
    vault.execute("CREATE TEMP TABLE mine (id INTEGER PRIMARY KEY, sealed)", &[]).unwrap();
    let renamed = vault.execute("ALTER TABLE mine RENAME TO users_sealed", &[]);
    assert_eq!(kind(renamed), Some(ErrorKind::NotAllowed));
}

#[test]
fn a_statement_refused_for_its_rows_has_written_nothing() {
    let vault = Vault::in_memory().unwrap();
    vault.execute("CREATE TABLE own (a)", &[]).unwrap();
    let transaction = vault.begin().unwrap();
    let refused = transaction.execute("INSERT INTO own VALUES (1) RETURNING a", &[]);
    assert_eq!(kind(refused), Some(ErrorKind::Sql));
    assert!(transaction.query("SELECT a FROM own", &[]).unwrap().rows.is_empty());
}

#[test]
fn a_compiled_statement_does_not_outlive_the_right_to_read() {
    let home = Home::new();
    let vault = home.create();
    define(&vault);
    let plan = || vault.query("SELECT plan FROM users_sealed", &[]);
    assert!(plan().is_ok());
    let protect = Alteration::Protect("plan".into(), Protection::Authenticated);
    assert!(vault.alter_table("users", &protect).is_ok());
    assert_eq!(kind(plan()), Some(ErrorKind::NotAllowed));
}

#[test]
fn plain_sql_of_many_threads_never_has_the_rights_of_the_engine() {
    let home = Home::new();
    let vault = home.create();
    define(&vault);
    vault.table("users").unwrap().insert(values! {"name" => "Ada"}).unwrap();
    let end = Instant::now() + Duration::from_millis(700);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let vault = &vault;
            scope.spawn(move || {
                let mut number = 0;
                while Instant::now() < end {
                    number += 1;
                    let sql = format!("SELECT sealed, {number} FROM users_sealed -- {thread}");
                    assert_eq!(kind(vault.query(&sql, &[])), Some(ErrorKind::NotAllowed));
                    assert!(vault.table("users").unwrap().find("plan", "none").is_ok());
                }
            });
        }
    });
}

#[test]
fn a_handle_with_an_old_schema_finds_all_rows_or_fails() {
    const ROWS: usize = 1_200;
    let home = Home::new();
    let vault = home.create();
    define(&vault);
    let names: Vec<String> = (0..ROWS).map(|n| format!("n{n}")).collect();
    let rows = names.iter().map(|name| [name.as_str().into(), "free".into()]);
    vault.table("users").unwrap().insert_many(&["name", "plan"], rows).unwrap();
    let other = home.open();
    assert_eq!(other.table("users").unwrap().find("plan", "free").unwrap().len(), ROWS);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let users = other.table("users").unwrap();
            while !done.load(Ordering::Relaxed) {
                for (column, value, count) in [("plan", "free", ROWS), ("name", "n1199", 1)] {
                    match users.find(column, value) {
                        Ok(found) => assert_eq!(found.len(), count, "{column}"),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::NotIndexed, "{error}"),
                    }
                }
            }
        });
        for alteration in [
            Alteration::Protect("plan".into(), Protection::Sealed),
            Alteration::DropIndex("name".into()),
            Alteration::AddIndex("name".into(), Index::unique()),
            Alteration::Protect("plan".into(), Protection::Plain),
        ] {
            assert!(vault.alter_table("users", &alteration).is_ok());
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_closed_vault_says_that_it_is_closed() {
    let home = Home::new();
    let vault = home.create();
    vault.close();
    assert_eq!(kind(vault.table("people").map(|_| ())), Some(ErrorKind::Closed));
}

#[test]
fn no_time_out_is_too_long() {
    let home = Home::new();
    let mut config = Config::default();
    config.busy_timeout = Duration::MAX;
    let vault = Vault::at_with(home.file(), config).unwrap();
    vault.initialise(&home.unlock()).unwrap();
    assert_eq!(vault.tables().unwrap().len(), 0);
}

#[test]
fn a_file_is_held_while_a_snapshot_outlives_its_vault() {
    let home = Home::new();
    let vault = home.create();
    let snapshot = vault.snapshot().unwrap();
    drop(vault);
    assert!(Vault::holds_file(home.file()));
    assert_eq!(snapshot.table("people").unwrap().count().unwrap(), 0);
    drop(snapshot);
    assert!(!Vault::holds_file(home.file()));
}
