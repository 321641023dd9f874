//! What holds for tables holds through SQL: edited files are refused, nothing stands in clear anywhere, and a process that
//! is killed, or one of several, loses nothing that was committed.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value as Raw;
use sealite::{Column, Connection, ErrorKind, Index, TableDefinition, Value, Vault};
use sealite_tests::process::{staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::scratch::Scratch;
use sealite_tests::vaults::{Home, assert_integrity, open_in};

fn table(name: &str) -> TableDefinition {
    TableDefinition::new(name)
        .column(Column::text("email").sealed().not_null().index(Index::unique()))
        .column(Column::text("name").sealed())
        .column(Column::text("role").authenticated())
}

fn run(connection: &Connection, sql: &str) -> usize {
    connection.execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn physical_columns(raw: &rusqlite::Connection, table: &str) -> Vec<String> {
    let mut stmt =
        raw.prepare(&format!("SELECT name FROM pragma_table_info('{table}_sealed')")).unwrap();
    let names = stmt.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).filter(|name| name != "id").collect()
}

/// Every way to read and write a table; what each answers is either an error or part of the truth.
fn look(vault: &Vault, name: &str, truth: &[Vec<Value>]) -> usize {
    let connection = vault.connect().unwrap();
    let mut refused = 0;
    for sql in [
        format!("SELECT id, email, name, role FROM {name}"),
        format!("SELECT id, email, name, role FROM {name} WHERE id = 1"),
        format!("SELECT id, email, name, role FROM {name} WHERE email = 'one@example.org'"),
        format!("SELECT id, email, name, role FROM {name} WHERE role = 'role one'"),
        format!("SELECT id, email, name, role FROM {name} WHERE name LIKE '%one' ORDER BY name"),
        format!("UPDATE {name} SET name = name WHERE id = 1 RETURNING id, email, name, role"),
        format!("DELETE FROM {name} WHERE id = 1 RETURNING id, email, name, role"),
    ] {
        run(&connection, "BEGIN");
        match connection.query(&sql, &[]) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{sql}: {error}");
                refused += 1;
            }
            Ok(found) => {
                for row in &found.rows {
                    assert!(truth.contains(row), "{sql} answers what was never written: {row:?}");
                }
            }
        }
        run(&connection, "ROLLBACK");
    }
    refused
}

#[test]
fn an_edited_file_is_refused_through_sql() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let names = ["people", "notes"];
    let mut truths = BTreeMap::new();
    for name in names {
        vault.define_table(&table(name)).unwrap();
        let connection = vault.connect().unwrap();
        for who in ["one", "two", "three"] {
            let sql = format!("INSERT INTO {name} (email, name, role) VALUES (?, ?, ?)");
            let email = format!("{who}@example.org");
            let (person, role) = (format!("{name} {who}"), format!("role {who}"));
            let values = [email.as_str().into(), person.as_str().into(), role.as_str().into()];
            connection.execute(&sql, &values).unwrap();
        }
        let all = connection.query(&format!("SELECT id, email, name, role FROM {name}"), &[]);
        truths.insert(name, all.unwrap().rows);
        assert_eq!(look(&vault, name, &truths[name]), 0);
    }
    let unlock = scratch.unlock();
    vault.close();
    let mut edits = 0;
    for (name, other, other_id) in
        [("people", "people", 2), ("people", "notes", 1), ("notes", "people", 1)]
    {
        let columns = physical_columns(&scratch.raw(), name);
        for column in columns {
            let raw = scratch.raw();
            let read = |table: &str, id: i64| -> Raw {
                let sql = format!("SELECT \"{column}\" FROM {table}_sealed WHERE id = ?");
                raw.query_row(&sql, [id], |row| row.get(0)).unwrap()
            };
            let (own, foreign) = (read(name, 1), read(other, other_id));
            let write = |value: &Raw| {
                let sql = format!("UPDATE {name}_sealed SET \"{column}\" = ? WHERE id = 1");
                raw.execute(&sql, [value])
            };
            // Equal values say nothing, and a unique index keeps out what stands there already.
            if own == foreign || write(&foreign).is_err() {
                continue;
            }
            drop(raw);
            let vault = Vault::open(scratch.path(), &unlock).unwrap();
            assert!(look(&vault, name, &truths[name]) >= 3, "{name}.{column} from {other}");
            vault.close();
            edits += 1;
            let raw = scratch.raw();
            let sql = format!("UPDATE {name}_sealed SET \"{column}\" = ? WHERE id = 1");
            raw.execute(&sql, [&own]).unwrap();
            drop(raw);
            let vault = Vault::open(scratch.path(), &unlock).unwrap();
            assert_eq!(look(&vault, name, &truths[name]), 0);
            vault.close();
        }
    }
    assert!(
        edits >= 6,
        "the record, the index value and the authenticated column were edited: {edits}"
    );
}

const MARK: &[u8] = b"Clear-Qx7zPv";

/// No file of SQLite's temporary ones is open, be it unlinked.
fn assert_no_temporary_file() {
    for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
        if let Ok(target) = std::fs::read_link(entry.unwrap().path()) {
            let name = target.to_string_lossy().into_owned();
            assert!(!name.contains("etilqs"), "{name}");
        }
    }
}

fn assert_nowhere(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(MARK.len()).any(|window| window == MARK), "{}", path.display());
        }
    }
}

#[test]
fn sorters_journals_and_failed_statements_leave_nothing_in_clear() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&table("people")).unwrap();
    let connection = vault.connect().unwrap();
    run(&connection, "CREATE TABLE own (n INTEGER)");
    let rows = scaled(3_000, 20_000);
    run(&connection, "BEGIN");
    let mark = std::str::from_utf8(MARK).unwrap();
    let mut insert =
        connection.prepare("INSERT INTO people (email, name, role) VALUES (?1, ?2, 'r')").unwrap();
    for n in 0..rows {
        let email = format!("{mark}-{n}@example.org");
        let name = format!("{mark} {}", "long ".repeat(40 + n % 7));
        insert.execute(&[email.as_str().into(), name.as_str().into()]).unwrap();
    }
    assert_nowhere(scratch.folder());
    run(&connection, "COMMIT");
    for sql in [
        "SELECT * FROM people ORDER BY name, email DESC",
        "SELECT name, count(*), group_concat(email) FROM people GROUP BY name ORDER BY 2",
        "SELECT DISTINCT name FROM people UNION SELECT email FROM people",
        "SELECT a.email FROM people a JOIN people b ON a.name = b.name AND a.id = b.id + 7",
        "WITH x AS MATERIALIZED (SELECT email AS e FROM people) SELECT e FROM x ORDER BY e DESC",
        "SELECT email, row_number() OVER (PARTITION BY name ORDER BY email) FROM people",
    ] {
        let mut stmt = connection.prepare(sql).unwrap();
        assert!(stmt.step().unwrap(), "{sql}");
        assert_no_temporary_file();
        assert_nowhere(scratch.folder());
        while stmt.step().unwrap() {}
    }
    // A statement that fails at its last row was undone from a journal.
    let failed = connection.execute("UPDATE people SET email = 'same@example.org'", &[]);
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Conflict);
    assert_no_temporary_file();
    for refused in [
        "INSERT INTO own SELECT email FROM people",
        "CREATE TABLE copy AS SELECT email FROM people",
    ] {
        assert_eq!(connection.execute(refused, &[]).unwrap_err().kind(), ErrorKind::NotAllowed);
    }
    run(&connection, "UPDATE people SET name = name || '!' WHERE id % 2 = 0");
    run(&connection, "CREATE TEMP TABLE kept AS SELECT email FROM people");
    run(&connection, "DELETE FROM people WHERE id % 3 = 0");
    assert_no_temporary_file();
    assert_nowhere(scratch.folder());
    drop(insert);
    connection.close();
    vault.close();
    assert_nowhere(scratch.folder());
}

/// Writes without end by SQL, and tells of each commit after it has returned.
fn writer(folder: &Path) {
    let vault = open_in(folder);
    let connection = vault.connect().unwrap();
    let round = std::process::id();
    tell("ready");
    for n in 0_i64.. {
        let email = format!("{n}.{round}@example.org");
        if n % 3 == 0 {
            let sql = "INSERT INTO visitors (email, name) VALUES (?, 'one') RETURNING id";
            connection.query(sql, &[email.as_str().into()]).unwrap();
            tell(format_args!("+{email}"));
            continue;
        }
        run(&connection, "BEGIN");
        let emails: Vec<String> = (0..10).map(|part| format!("{part}.{email}")).collect();
        for email in &emails {
            let sql = "INSERT INTO visitors (email, name) VALUES (?, 'many')";
            connection.execute(sql, &[email.as_str().into()]).unwrap();
        }
        run(&connection, "SAVEPOINT s");
        run(&connection, "UPDATE visitors SET name = 'lost' WHERE id < 5");
        run(&connection, "ROLLBACK TO s");
        if n % 3 == 1 {
            run(&connection, "COMMIT");
            for email in &emails {
                tell(format_args!("+{email}"));
            }
        } else {
            run(&connection, "ROLLBACK");
        }
    }
}

#[test]
fn a_killed_writer_of_sql_loses_nothing_that_was_committed() {
    staged("a_killed_writer_of_sql_loses_nothing_that_was_committed", 170, |stage| {
        if stage.role() == "writer" {
            return writer(&stage.path());
        }
        let home = Home::new();
        let vault = home.create();
        home.share_key();
        vault.define_table(&table("visitors")).unwrap();
        vault.close();
        let mut told = Vec::new();
        for round in 0..scaled(4, 25) {
            // Two at once: they take turns at the lock.
            let mut writers =
                [stage.process("writer", home.folder()), stage.process("writer", home.folder())];
            for process in &mut writers {
                assert_eq!(process.hear(), "ready");
            }
            for _ in 0..5 + 7 * round {
                let line = writers[0].hear();
                told.push(line);
            }
            for process in &mut writers {
                process.kill();
                told.extend(process.rest());
            }
            let vault = home.open();
            let connection = vault.connect().unwrap();
            for line in &told {
                let Some(email) = line.strip_prefix('+') else { continue };
                let sql = "SELECT name FROM visitors WHERE email = ?";
                let found = connection.query(sql, &[email.into()]).unwrap().rows;
                assert_eq!(found.len(), 1, "{email} was committed");
                assert_ne!(found[0][0], Value::Text("lost".to_owned()));
            }
            let all =
                connection.query("SELECT email FROM visitors WHERE name = 'many'", &[]).unwrap();
            // Whole transactions, told or not.
            assert_eq!(all.rows.len() % 10, 0);
            drop(connection);
            assert!(vault.verify(|_| ()).unwrap().is_sound());
            vault.close();
        }
        assert!(told.len() > 20);
        assert_integrity(&home.file());
    });
}

#[test]
fn a_busy_file_is_waited_for_and_then_said_to_be_busy() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&table("people")).unwrap();
    let (one, two) = (vault.connect().unwrap(), vault.connect().unwrap());
    run(&two, "PRAGMA busy_timeout = 50");
    run(&one, "BEGIN IMMEDIATE");
    run(&one, "INSERT INTO people (email) VALUES ('one')");
    let insert = "INSERT INTO people (email) VALUES ('two')";
    assert_eq!(two.execute(insert, &[]).unwrap_err().kind(), ErrorKind::Busy);
    run(&two, "BEGIN");
    assert_eq!(two.query("SELECT email FROM people", &[]).unwrap().rows.len(), 0);
    run(&one, "COMMIT");
    // Its snapshot is older than what it would write over.
    assert_eq!(two.execute(insert, &[]).unwrap_err().kind(), ErrorKind::Busy);
    run(&two, "ROLLBACK");
    run(&two, "PRAGMA busy_timeout = 60000");
    std::thread::scope(|scope| {
        run(&one, "BEGIN IMMEDIATE");
        let waiting = scope.spawn(|| two.execute(insert, &[]));
        std::thread::sleep(Duration::from_millis(20));
        run(&one, "COMMIT");
        assert_eq!(waiting.join().unwrap().unwrap(), 1);
    });
}
