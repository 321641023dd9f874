//! SQL on sealed tables within transactions: savepoints, roll-backs, prepared statements, changes of the schema, other
//! processes.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{
    Alteration, Column, ErrorKind, Index, TableDefinition, TokenKind, TokenRequest, Value,
    ValueRef, Vault, values,
};
use sealite_tests::process::{listen, staged, tell};
use sealite_tests::scratch::Scratch;
use sealite_tests::vaults::open_in;

fn notes() -> TableDefinition {
    TableDefinition::new("notes")
        .column(Column::text("title").sealed().not_null().index(Index::unique()))
        .column(Column::text("body").sealed())
        .column(Column::integer("stars").authenticated().default(0))
}

fn integers(vault: &Vault, sql: &str) -> Vec<i64> {
    let rows = vault.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}")).rows;
    rows.into_iter().map(|row| row[0].as_ref().as_i64().unwrap()).collect()
}

#[test]
fn what_is_rolled_back_leaves_no_row_and_no_id() {
    let scratch = Scratch::new();
    for vault in [Vault::in_memory().unwrap(), scratch.create()] {
        vault.define_table(&notes()).unwrap();
        let tx = vault.begin().unwrap();
        tx.execute("INSERT INTO notes (title) VALUES ('a')", &[]).unwrap();
        let savepoint = tx.begin_savepoint().unwrap();
        tx.execute("INSERT INTO notes (title) VALUES ('b'), ('c')", &[]).unwrap();
        tx.execute("UPDATE notes SET body = 'changed'", &[]).unwrap();
        tx.end_savepoint(&savepoint, false).unwrap();
        let failed = tx.execute("INSERT INTO notes (title) VALUES ('d'), ('e'), ('a')", &[]);
        assert_eq!(failed.unwrap_err().message(), "UNIQUE constraint failed: notes.title");
        let id = tx.query("INSERT INTO notes (title) VALUES ('f') RETURNING id", &[]).unwrap();
        assert_eq!(id.rows, [[Value::Integer(2)]]);
        assert!(
            tx.query("SELECT count(*) FROM notes WHERE body IS NOT NULL", &[]).unwrap().rows
                == [[Value::Integer(0)]]
        );
        tx.commit().unwrap();
        let tx = vault.begin().unwrap();
        tx.execute("DELETE FROM notes", &[]).unwrap();
        drop(tx);
        assert_eq!(integers(&vault, "SELECT id FROM notes ORDER BY id"), [1, 2]);
        // The table's own handle and SQL give out ids from one mark.
        assert_eq!(
            vault.table("notes").unwrap().insert(values! {"title" => "g"}).unwrap().as_i64(),
            Some(3)
        );
        vault.execute("INSERT INTO notes (title) VALUES ('h')", &[]).unwrap();
        assert_eq!(integers(&vault, "SELECT max(id) FROM notes"), [4]);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    }
}

#[test]
fn a_savepoint_that_could_not_be_ended_is_still_set() {
    let vault = Vault::in_memory().unwrap();
    vault.execute("CREATE TABLE plain (a INTEGER)", &[]).unwrap();
    let tx = vault.begin().unwrap();
    let savepoint = tx.begin_savepoint().unwrap();
    let mut unfinished = tx.prepare("INSERT INTO plain VALUES (1), (2) RETURNING a").unwrap();
    assert!(unfinished.step().unwrap());
    assert_eq!(tx.end_savepoint(&savepoint, true).unwrap_err().kind(), ErrorKind::Busy);
    drop(unfinished);
    tx.end_savepoint(&savepoint, false).unwrap();
    assert_eq!(tx.end_savepoint(&savepoint, false).unwrap_err().kind(), ErrorKind::Closed);
    tx.execute("INSERT INTO plain VALUES (3)", &[]).unwrap();
    tx.commit().unwrap();
    assert_eq!(integers(&vault, "SELECT a FROM plain"), [3]);
}

#[test]
fn a_savepoint_is_taken_back_though_a_statement_that_writes_stands_on_a_row() {
    let vault = Vault::in_memory().unwrap();
    vault.execute("CREATE TABLE plain (a INTEGER)", &[]).unwrap();
    let tx = vault.begin().unwrap();
    tx.execute("INSERT INTO plain VALUES (0)", &[]).unwrap();
    let outer = tx.begin_savepoint().unwrap();
    tx.execute("INSERT INTO plain VALUES (1)", &[]).unwrap();
    let inner = tx.begin_savepoint().unwrap();
    let mut unfinished = tx.prepare("INSERT INTO plain VALUES (2), (3) RETURNING a").unwrap();
    assert!(unfinished.step().unwrap());
    tx.end_savepoint(&inner, false).unwrap();
    assert_eq!(tx.end_savepoint(&inner, false).unwrap_err().kind(), ErrorKind::Closed);
    drop(unfinished);
    // The next ones are its own, whatever SQLite still has of the one before.
    for (value, keep) in [(4, true), (5, false)] {
        let next = tx.begin_savepoint().unwrap();
        tx.execute("INSERT INTO plain VALUES (?)", &[value.into()]).unwrap();
        tx.end_savepoint(&next, keep).unwrap();
    }
    tx.end_savepoint(&outer, true).unwrap();
    tx.commit().unwrap();
    assert_eq!(integers(&vault, "SELECT a FROM plain ORDER BY a"), [0, 1, 4]);
}

#[test]
// The path of a method of `Statement<'_>` is of one lifetime only.
#[allow(clippy::redundant_closure_for_method_calls)]
fn what_cannot_be_kept_is_taken_back_alone() {
    let vault = Vault::in_memory().unwrap();
    vault.execute("CREATE TABLE plain (a INTEGER)", &[]).unwrap();
    let tx = vault.begin().unwrap();
    tx.execute("INSERT INTO plain VALUES (1)", &[]).unwrap();
    let (held, _) = tx.hold("INSERT INTO plain VALUES (2), (3) RETURNING a").unwrap();
    let held = held.unwrap();
    let failed = tx.savepoint(|tx| tx.with_held(held, |held| held.step()));
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Busy);
    // Nothing is begun meanwhile, and nothing is lost by it.
    assert!(tx.with_held(held, |held| held.step()).unwrap());
    let early = tx.tokens().issue(&TokenRequest::new(TokenKind::ApiKey));
    assert_eq!(early.unwrap_err().kind(), ErrorKind::Busy);
    tx.let_go(held);
    tx.tokens().issue(&TokenRequest::new(TokenKind::ApiKey)).unwrap();
    tx.commit().unwrap();
    assert_eq!(integers(&vault, "SELECT a FROM plain"), [1]);
}

#[test]
fn a_transaction_that_sqlite_rolled_back_is_rolled_back_without_an_error() {
    let vault = Vault::in_memory().unwrap();
    vault.execute("CREATE TABLE plain (a INTEGER UNIQUE)", &[]).unwrap();
    let before = vault.metrics().rolled_back;
    let undone = || {
        let tx = vault.begin().unwrap();
        tx.execute("INSERT INTO plain VALUES (1)", &[]).unwrap();
        tx.execute("INSERT OR ROLLBACK INTO plain VALUES (1)", &[]).unwrap_err();
        assert_eq!(tx.execute("SELECT 1", &[]).unwrap_err().kind(), ErrorKind::Closed);
        tx
    };
    undone().roll_back().unwrap();
    assert_eq!(vault.metrics().rolled_back, before + 1);
    drop(undone());
    assert_eq!(vault.metrics().rolled_back, before + 2);
    assert_eq!(integers(&vault, "SELECT count(*) FROM plain"), [0]);
}

#[test]
fn a_statement_that_still_runs_tells_no_changes() {
    let vault = Vault::in_memory().unwrap();
    vault.define_table(&notes()).unwrap();
    vault.execute("CREATE TABLE plain (title TEXT)", &[]).unwrap();
    for table in ["plain", "notes"] {
        let tx = vault.begin().unwrap();
        let sql = format!("INSERT INTO {table} (title) VALUES (?1), (?1 || 'x') RETURNING title");
        let mut insert = tx.prepare(&sql).unwrap();
        for title in ["a", "b"] {
            insert.bind(1, title).unwrap();
            for _ in 0..2 {
                assert!(insert.step().unwrap());
                assert_eq!(insert.changes(), 0, "{table} {title}");
            }
            assert!(!insert.step().unwrap());
            assert_eq!(insert.changes(), 2, "{table} {title}");
        }
    }
}

#[test]
fn a_transaction_that_makes_the_first_key_and_goes_back_leaves_nothing_unreadable() {
    let vault = Vault::in_memory().unwrap();
    let tx = vault.begin().unwrap();
    tx.define_table(&notes()).unwrap();
    tx.execute("INSERT INTO notes (title) VALUES ('a')", &[]).unwrap();
    let savepoint = tx.begin_savepoint().unwrap();
    tx.define_table(&TableDefinition::new("later").column(Column::text("a").sealed())).unwrap();
    tx.execute("INSERT INTO later (a) VALUES ('x')", &[]).unwrap();
    tx.end_savepoint(&savepoint, false).unwrap();
    assert_eq!(tx.query("SELECT * FROM later", &[]).unwrap_err().kind(), ErrorKind::Sql);
    tx.execute("INSERT INTO notes (title) VALUES ('b')", &[]).unwrap();
    tx.roll_back().unwrap();
    assert!(vault.query("SELECT * FROM notes", &[]).is_err());
    vault.define_table(&notes()).unwrap();
    vault.execute("INSERT INTO notes (title) VALUES ('a')", &[]).unwrap();
    assert_eq!(integers(&vault, "SELECT id FROM notes"), [1]);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn a_prepared_statement_streams_and_runs_again() {
    let scratch = Scratch::new();
    for vault in [Vault::in_memory().unwrap(), scratch.create()] {
        vault.define_table(&notes()).unwrap();
        vault
            .transaction(|tx| {
                let mut insert =
                    tx.prepare("INSERT INTO notes (title, stars) VALUES (:title, :stars)")?;
                assert_eq!((insert.parameter_count(), insert.columns().len()), (2, 0));
                for n in 0..600_i64 {
                    insert.bind_name(":title", &format!("note {n}"))?;
                    insert.bind_name(":stars", n % 5)?;
                    assert!(!insert.step()?);
                }
                assert_eq!(insert.execute(&["last".into(), ValueRef::Null])?, 1);
                assert_eq!(insert.bind_name(":none", 1).unwrap_err().kind(), ErrorKind::Sql);
                assert_eq!(insert.bind(3, 1).unwrap_err().kind(), ErrorKind::Sql);
                // A streaming read and a write side by side.
                let mut select =
                    tx.prepare("SELECT id, title FROM notes WHERE stars = ? ORDER BY id")?;
                select.bind(1, 4)?;
                let mut update =
                    tx.prepare("UPDATE notes SET body = ? WHERE id = ? RETURNING body")?;
                let mut seen = 0;
                while select.step()? {
                    let title = select.value(1)?.as_str().unwrap().to_owned();
                    let id = select.value(0)?;
                    update.bind_all(&[ValueRef::Text(&title), id])?;
                    assert!(update.step()?);
                    assert_eq!(update.value(0)?.as_str(), Some(title.as_str()));
                    assert!(!update.step()?);
                    seen += 1;
                }
                assert_eq!(seen, 120);
                assert_eq!(select.value(0).unwrap_err().kind(), ErrorKind::Sql);
                assert_eq!(select.query(&[1.into()])?.rows.len(), 120);
                assert_eq!(tx.prepare("SELECT 1; SELECT 2").unwrap_err().kind(), ErrorKind::Sql);
                assert_eq!(tx.prepare("  -- nothing").unwrap_err().kind(), ErrorKind::Sql);
                assert!(tx.prepare("SELECT 1 ; -- done").is_ok());
                assert_eq!(tx.prepare("COMMIT").unwrap_err().kind(), ErrorKind::NotAllowed);
                assert_eq!(
                    tx.prepare("SELECT sealed FROM notes_sealed").unwrap_err().kind(),
                    ErrorKind::NotAllowed
                );
                Ok(())
            })
            .unwrap();
        let same = "SELECT count(*) FROM notes WHERE body = title";
        assert_eq!(integers(&vault, same), [120]);
        let snapshot = vault.snapshot().unwrap();
        let mut write = snapshot.prepare("UPDATE notes SET body = 'x' RETURNING id").unwrap();
        assert_eq!(write.step().unwrap_err().kind(), ErrorKind::ReadOnly);
        drop(write);
        let read = snapshot.prepare("DELETE FROM notes").and_then(|mut delete| delete.execute(&[]));
        assert_eq!(read.unwrap_err().kind(), ErrorKind::ReadOnly);
    }
}

#[test]
fn an_altered_table_is_seen_as_it_is_now() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    vault.execute("INSERT INTO notes (title, body) VALUES ('a', 'text')", &[]).unwrap();
    let select = "SELECT * FROM notes";
    let names = |vault: &Vault| vault.query(select, &[]).unwrap().columns;
    assert_eq!(names(&vault), ["id", "title", "body", "stars"]);
    let other = scratch.open();
    let _ = other
        .alter_table("notes", &Alteration::AddColumn(Column::text("tag").sealed().default("none")))
        .unwrap();
    assert_eq!(names(&vault), ["id", "title", "body", "stars", "tag"]);
    let _ = other
        .alter_table("notes", &Alteration::RenameColumn("body".into(), "text".into()))
        .unwrap();
    assert_eq!(names(&vault), ["id", "title", "text", "stars", "tag"]);
    vault.execute("UPDATE notes SET tag = text", &[]).unwrap();
    let _ = other.alter_table("notes", &Alteration::DropColumn("text".into())).unwrap();
    let row = vault.query(select, &[]).unwrap().rows;
    assert_eq!(row[0][3], Value::Text("text".into()));
    let _ = other.alter_table("notes", &Alteration::RenameTable("jottings".into())).unwrap();
    assert_eq!(vault.query(select, &[]).unwrap_err().kind(), ErrorKind::Sql);
    assert_eq!(vault.query("SELECT tag FROM jottings", &[]).unwrap().rows.len(), 1);
    let _ = other.drop_table("jottings").unwrap();
    assert_eq!(vault.query("SELECT tag FROM jottings", &[]).unwrap_err().kind(), ErrorKind::Sql);
}

#[test]
fn a_locked_vault_answers_no_sql() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    vault.execute("INSERT INTO notes (title) VALUES ('a')", &[]).unwrap();
    assert_eq!(integers(&vault, "SELECT count(title) FROM notes"), [1]);
    vault.lock();
    assert_eq!(vault.query("SELECT title FROM notes", &[]).unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(vault.execute("DELETE FROM notes", &[]).unwrap_err().kind(), ErrorKind::Locked);
    vault.unlock(&scratch.unlock()).unwrap();
    assert_eq!(integers(&vault, "SELECT count(title) FROM notes"), [1]);
}

#[test]
fn two_processes_write_one_table_by_sql() {
    const ROUNDS: i64 = 40;
    staged("two_processes_write_one_table_by_sql", 120, |stage| match stage.role() {
        "lead" => {
            let home = sealite_tests::vaults::Home::new();
            home.share_key();
            let vault = home.create();
            vault.define_table(&notes()).unwrap();
            let mut writers = ["a", "b"].map(|name| stage.process(name, home.folder()));
            for writer in &mut writers {
                assert_eq!(writer.hear(), "ready");
            }
            for writer in &mut writers {
                writer.say("go");
            }
            for writer in &mut writers {
                writer.succeed();
            }
            let ids = integers(&vault, "SELECT id FROM notes ORDER BY id");
            let count = usize::try_from(2 * ROUNDS).unwrap();
            assert_eq!(ids.len(), count);
            assert_eq!(integers(&vault, "SELECT count(DISTINCT title) FROM notes"), [2 * ROUNDS]);
            assert_eq!(integers(&vault, "SELECT sum(stars) FROM notes"), [2 * ROUNDS]);
            assert!(vault.verify(|_| ()).unwrap().is_sound());
        }
        name => {
            let vault = open_in(&stage.path());
            tell("ready");
            assert_eq!(listen().as_deref(), Some("go"));
            for n in 0..ROUNDS {
                vault
                    .transaction(|tx| {
                        let title = format!("{name} {n}");
                        let insert = "INSERT INTO notes (title) VALUES (?) RETURNING id";
                        let id = tx.query(insert, &[ValueRef::Text(&title)])?.rows[0][0].clone();
                        tx.execute(
                            "UPDATE notes SET stars = stars + 1 WHERE id = ?",
                            &[id.as_ref()],
                        )?;
                        Ok(())
                    })
                    .unwrap();
            }
        }
    });
}

#[test]
fn a_process_killed_while_it_writes_by_sql_leaves_whole_transactions() {
    staged("a_process_killed_while_it_writes_by_sql_leaves_whole_transactions", 120, |stage| {
        if stage.role() == "lead" {
            let home = sealite_tests::vaults::Home::new();
            home.share_key();
            home.create().define_table(&notes()).unwrap();
            for round in 0..3_i64 {
                let mut writer = stage.process("writer", home.folder());
                let mut told = Vec::new();
                while told.len() < 5 {
                    told.push(writer.hear().parse::<i64>().unwrap());
                }
                writer.kill();
                told.extend(writer.rest().iter().filter_map(|line| line.parse::<i64>().ok()));
                let vault = home.open();
                for id in told {
                    let found = format!("SELECT stars FROM notes WHERE id = {id}");
                    assert_eq!(integers(&vault, &found), [3], "round {round}");
                }
                // Each transaction inserts three rows and changes them all.
                assert_eq!(integers(&vault, "SELECT count(*) % 3 FROM notes"), [0]);
                assert_eq!(integers(&vault, "SELECT count(*) FROM notes WHERE stars <> 3"), [0]);
                assert!(vault.verify(|_| ()).unwrap().is_sound());
                vault.close();
            }
            return;
        }
        let vault = open_in(&stage.path());
        let process = std::process::id();
        for n in 0.. {
            let last = vault
                .transaction(|tx| {
                    let mut insert =
                        tx.prepare("INSERT INTO notes (title) VALUES (?) RETURNING id")?;
                    let mut last = 0;
                    for part in 0..3 {
                        let title = format!("{process} {n} {part}");
                        last = insert.query(&[ValueRef::Text(&title)])?.rows[0][0]
                            .as_ref()
                            .as_i64()
                            .unwrap();
                    }
                    drop(insert);
                    tx.execute("UPDATE notes SET stars = 3 WHERE id > ?", &[(last - 3).into()])?;
                    Ok(last)
                })
                .unwrap();
            tell(last);
        }
    });
}

#[test]
fn what_sql_sorts_groups_and_deletes_stands_in_no_file() {
    const MARK: &str = "Secret-Zk7qWvXp";
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    let found = |at: &str| {
        for entry in std::fs::read_dir(scratch.folder()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let there = bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes());
            assert!(!there, "{at}");
        }
    };
    vault
        .transaction(|tx| {
            let mut insert = tx.prepare("INSERT INTO notes (title, body) VALUES (?, ?)")?;
            for n in 0..400 {
                let (title, body) = (format!("{MARK} {}", n * 7919 % 401), format!("{MARK} {n}"));
                insert.execute(&[ValueRef::Text(&title), ValueRef::Text(&body.repeat(8))])?;
            }
            Ok(())
        })
        .unwrap();
    found("after INSERT");
    for sql in [
        "SELECT title FROM notes ORDER BY body DESC",
        "SELECT DISTINCT body FROM notes",
        "SELECT title, count(*) FROM notes GROUP BY title, body ORDER BY body",
        "WITH t AS MATERIALIZED (SELECT title, body FROM notes) SELECT * FROM t a JOIN t b ON a.body = b.body",
        "SELECT a.id FROM notes a JOIN notes b ON a.body = b.body ORDER BY a.title",
    ] {
        assert_eq!(vault.query(sql, &[]).unwrap().rows.len(), 400, "{sql}");
        found(sql);
    }
    vault.execute("UPDATE notes SET body = body || title WHERE id % 2 = 0", &[]).unwrap();
    let failed = vault.execute("UPDATE notes SET title = 'same'", &[]).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Conflict);
    vault.execute("DELETE FROM notes WHERE body LIKE '%1%'", &[]).unwrap();
    found("after UPDATE and DELETE");
    vault.close();
    found("after closing");
}
