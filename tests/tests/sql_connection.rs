//! A long-lived connection: autocommit, BEGIN and COMMIT in SQL, statements that outlive transactions, several of them at
//! once, and forks.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::time::Duration;

use sealite::{
    Alteration, Column, Connection, ErrorKind, Index, TableDefinition, Value, ValueRef, Vault,
    values,
};
use sealite_tests::process::{fork, staged};
use sealite_tests::scratch::Scratch;
use sealite_tests::vaults::Home;

fn notes() -> TableDefinition {
    TableDefinition::new("notes")
        .column(Column::text("title").sealed().not_null().index(Index::unique()))
        .column(Column::text("body").sealed())
        .column(Column::integer("stars").authenticated().default(0))
}

fn run(connection: &Connection, sql: &str) -> usize {
    connection.execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn titles(connection: &Connection) -> Vec<String> {
    let rows = connection.query("SELECT title FROM notes ORDER BY id", &[]).unwrap().rows;
    rows.into_iter().map(|row| row[0].as_ref().as_str().unwrap().to_owned()).collect()
}

fn on_each(work: impl Fn(&Vault)) {
    let scratch = Scratch::new();
    for vault in [Vault::in_memory().unwrap(), scratch.create()] {
        vault.define_table(&notes()).unwrap();
        work(&vault);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    }
}

#[test]
fn statements_commit_by_themselves() {
    on_each(|vault| {
        let connection = vault.connect().unwrap();
        assert_eq!(run(&connection, "INSERT INTO notes (title) VALUES ('a'), ('b')"), 2);
        assert!(!connection.in_transaction().unwrap());
        assert_eq!(connection.last_insert_rowid().unwrap(), 2);
        assert_eq!(connection.changes().unwrap(), 2);
        assert_eq!(vault.table("notes").unwrap().count().unwrap(), 2);
        // One mark of ids for every way to write.
        let id = vault.table("notes").unwrap().insert(values! {"title" => "c"}).unwrap();
        assert_eq!(id.as_i64(), Some(3));
        assert_eq!(run(&connection, "INSERT INTO notes (title) VALUES ('d')"), 1);
        assert_eq!(connection.last_insert_rowid().unwrap(), 4);
        let failed = connection.execute("INSERT INTO notes (title) VALUES ('e'), ('a')", &[]);
        assert_eq!(failed.unwrap_err().message(), "UNIQUE constraint failed: notes.title");
        let id = connection.query("INSERT INTO notes (title) VALUES ('f') RETURNING id", &[]);
        assert_eq!(id.unwrap().rows, [[Value::Integer(5)]]);
        assert_eq!(titles(&connection), ["a", "b", "c", "d", "f"]);
        assert_eq!(run(&connection, "UPDATE notes SET stars = 5 WHERE title = 'b'"), 1);
        assert_eq!(run(&connection, "DELETE FROM notes WHERE stars = 5"), 1);
        assert_eq!(titles(&connection), ["a", "c", "d", "f"]);
    });
}

#[test]
fn counts_are_those_of_the_last_statement_also_behind_a_commit() {
    on_each(|vault| {
        let connection = vault.connect().unwrap();
        let counts = || {
            let sql = "SELECT changes(), last_insert_rowid()";
            let row = connection.query(sql, &[]).unwrap().rows.remove(0);
            let changes = i64::try_from(connection.changes().unwrap()).unwrap();
            assert_eq!(row[0].as_ref().as_i64(), Some(changes));
            assert_eq!(row[1].as_ref().as_i64(), Some(connection.last_insert_rowid().unwrap()));
            (row[0].as_ref().as_i64().unwrap(), row[1].as_ref().as_i64().unwrap())
        };
        run(&connection, "BEGIN");
        run(&connection, "INSERT INTO notes (id, title) VALUES (7, 'a'), (8, 'b'), (9, 'c')");
        run(&connection, "COMMIT");
        assert_eq!(counts(), (3, 9));
        run(&connection, "BEGIN IMMEDIATE");
        run(&connection, "UPDATE notes SET stars = 1 WHERE id < 9");
        run(&connection, "COMMIT");
        assert_eq!(counts(), (2, 9));
        run(&connection, "UPDATE notes SET stars = 1 WHERE id = 100");
        assert_eq!(counts(), (0, 9));
        let upsert = "INSERT INTO notes (title) VALUES ('a'), ('z') ON CONFLICT (title) DO UPDATE SET stars = 2";
        assert_eq!(run(&connection, upsert), 2);
        assert_eq!(counts(), (2, 11));
        run(&connection, "SELECT sealite_define_table('other', 'a text sealed')");
        assert_eq!(counts(), (2, 11));
        run(&connection, "DELETE FROM notes");
        assert_eq!(counts(), (4, 11));
    });
}

#[test]
fn what_or_fail_leaves_stays_in_autocommit_too() {
    on_each(|vault| {
        let connection = vault.connect().unwrap();
        let sql = "INSERT OR FAIL INTO notes (title) VALUES ('a'), ('a'), ('b') RETURNING id";
        let failed = connection.query(sql, &[]).unwrap_err();
        assert_eq!(failed.message(), "UNIQUE constraint failed: notes.title");
        assert!(!connection.in_transaction().unwrap());
        assert_eq!(titles(&connection), ["a"]);
        let sql = "INSERT INTO notes (title) VALUES ('c'), ('a') RETURNING id";
        connection.query(sql, &[]).unwrap_err();
        assert_eq!(titles(&connection), ["a"]);
    });
}

#[test]
fn transactions_and_savepoints_are_statements() {
    on_each(|vault| {
        let connection = vault.connect().unwrap();
        run(&connection, "BEGIN");
        assert!(connection.in_transaction().unwrap());
        run(&connection, "INSERT INTO notes (title) VALUES ('lost')");
        assert_eq!(titles(&connection), ["lost"]);
        run(&connection, "ROLLBACK");
        assert!(titles(&connection).is_empty());
        // An id that was rolled back is given out again, as SQLite's own are.
        run(&connection, "SAVEPOINT outer_one");
        run(&connection, "INSERT INTO notes (title) VALUES ('a')");
        assert_eq!(connection.last_insert_rowid().unwrap(), 1);
        run(&connection, "SAVEPOINT inner_one");
        run(&connection, "INSERT INTO notes (title) VALUES ('b'), ('c')");
        run(&connection, "ROLLBACK TO inner_one");
        let id = connection.query("INSERT INTO notes (title) VALUES ('d') RETURNING id", &[]);
        assert_eq!(id.unwrap().rows, [[Value::Integer(2)]]);
        run(&connection, "RELEASE outer_one");
        assert!(!connection.in_transaction().unwrap());
        assert_eq!(titles(&connection), ["a", "d"]);
        // A savepoint from before the first write.
        run(&connection, "BEGIN");
        run(&connection, "SAVEPOINT first");
        assert_eq!(titles(&connection).len(), 2);
        run(&connection, "INSERT INTO notes (title) VALUES ('e')");
        run(&connection, "ROLLBACK TO first");
        run(&connection, "INSERT INTO notes (title) VALUES ('g')");
        assert_eq!(connection.last_insert_rowid().unwrap(), 3);
        run(&connection, "COMMIT");
        assert_eq!(titles(&connection), ["a", "d", "g"]);
        for wrong in ["COMMIT", "ROLLBACK", "RELEASE nothing"] {
            assert_eq!(connection.execute(wrong, &[]).unwrap_err().kind(), ErrorKind::Sql);
        }
    });
}

#[test]
fn ids_given_out_behind_a_savepoint_go_with_it() {
    on_each(|vault| {
        vault
            .define_table(&TableDefinition::new("other").column(Column::text("a").sealed()))
            .unwrap();
        let connection = vault.connect().unwrap();
        run(&connection, "INSERT INTO notes (title) VALUES ('taken')");
        run(&connection, "INSERT INTO other (a) VALUES ('x')");
        let first = [
            "INSERT INTO notes (title) VALUES ('a'), ('b') RETURNING id",
            "INSERT INTO notes (title) VALUES ('a'), ('taken')",
            "INSERT OR IGNORE INTO notes (title) VALUES ('a'), ('taken')",
            "UPDATE notes SET stars = 1 WHERE id = 5",
        ];
        // Another table may join the transaction before or behind, or have joined it without a row.
        let others = [
            [None, None],
            [Some("INSERT INTO other (a) VALUES ('y')"), None],
            [Some("UPDATE other SET a = 'z' WHERE id = 5"), None],
            [None, Some("UPDATE other SET a = 'z' WHERE id = 1")],
        ];
        for first in first {
            for [before, behind] in others {
                run(&connection, "BEGIN");
                before.map(|sql| run(&connection, sql));
                run(&connection, "SAVEPOINT one");
                let _ = connection.query(first, &[]);
                run(&connection, "INSERT INTO notes (title) VALUES ('c')");
                behind.map(|sql| run(&connection, sql));
                run(&connection, "ROLLBACK TO one");
                run(&connection, "INSERT INTO notes (title) VALUES ('d')");
                assert_eq!(
                    connection.last_insert_rowid().unwrap(),
                    2,
                    "{first} {before:?} {behind:?}"
                );
                run(&connection, "SAVEPOINT two");
                run(&connection, "INSERT INTO notes (title) VALUES ('e')");
                run(&connection, "ROLLBACK TO two");
                run(&connection, "INSERT INTO notes (title) VALUES ('f')");
                assert_eq!(
                    connection.last_insert_rowid().unwrap(),
                    3,
                    "{first} {before:?} {behind:?}"
                );
                run(&connection, "ROLLBACK");
            }
        }
    });
}

#[test]
fn a_statement_outlives_transactions_and_changes_of_the_tables() {
    on_each(|vault| {
        let connection = vault.connect().unwrap();
        let mut insert =
            connection.prepare("INSERT INTO notes (title, body) VALUES (?1, ?2)").unwrap();
        let mut all = connection.prepare("SELECT * FROM notes WHERE title = ?").unwrap();
        insert.execute(&["a".into(), "one".into()]).unwrap();
        run(&connection, "BEGIN");
        insert.execute(&["b".into(), "two".into()]).unwrap();
        run(&connection, "COMMIT");
        assert_eq!(all.query(&["b".into()]).unwrap().rows[0].len(), 4);
        // Bound before, run after: the table has another column, with a default, by then.
        insert.bind_all(&["c".into(), "three".into()]).unwrap();
        all.bind(1, "c").unwrap();
        let added = Column::text("mood").sealed().not_null().default("calm");
        let _ = vault.alter_table("notes", &Alteration::AddColumn(added)).unwrap();
        assert!(!insert.step().unwrap());
        assert!(all.step().unwrap());
        assert_eq!(all.columns(), ["id", "title", "body", "stars", "mood"]);
        assert_eq!(all.value(4).unwrap(), ValueRef::Text("calm"));
        assert_eq!(insert.changes(), 1);
        assert!(!all.step().unwrap());
        // A table that another handle makes is there at once.
        vault
            .define_table(&TableDefinition::new("more").column(Column::text("x").sealed()))
            .unwrap();
        run(&connection, "INSERT INTO more (x) VALUES ('y')");
    });
}

#[test]
fn a_planted_table_is_not_reached_by_a_statement_compiled_before() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    let connection = vault.connect().unwrap();
    let mut insert = connection.prepare("INSERT INTO notes (title) VALUES (?)").unwrap();
    let mut read = connection.prepare("SELECT title FROM notes").unwrap();
    insert.execute(&["mine".into()]).unwrap();
    assert_eq!(read.query(&[]).unwrap().rows.len(), 1);
    let planted = format!(
        "import sqlite3\nc = sqlite3.connect({:?})\nc.execute('CREATE TABLE notes (id, title, body, stars)')\n\
         c.execute(\"INSERT INTO notes VALUES (1, 'forged', '', 0)\")\nc.commit()",
        scratch.path()
    );
    let python = std::env::var("SEALITE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let status = std::process::Command::new(python).args(["-c", &planted]).status().unwrap();
    assert!(status.success());
    assert_eq!(insert.execute(&["secret".into()]).unwrap_err().kind(), ErrorKind::NotAllowed);
    assert_eq!(read.query(&[]).unwrap_err().kind(), ErrorKind::NotAllowed);
    run(&connection, "DROP TABLE IF EXISTS main.missing");
    drop((insert, read, connection));
    vault.close();
    let bytes = std::fs::read(scratch.path()).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"secret"));
}

#[test]
fn connections_wait_for_each_other_and_lose_nothing() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    std::thread::scope(|scope| {
        for who in 0..4 {
            let vault = &vault;
            scope.spawn(move || {
                let connection = vault.connect().unwrap();
                for n in 0..50 {
                    let title = format!("{who}-{n}");
                    if n % 2 == 0 {
                        let sql = "INSERT INTO notes (title) VALUES (?)";
                        connection.execute(sql, &[title.as_str().into()]).unwrap();
                    } else if n % 3 == 0 {
                        vault.table("notes").unwrap().insert(values! {"title" => &title}).unwrap();
                    } else {
                        run(&connection, "BEGIN IMMEDIATE");
                        let sql = "INSERT INTO notes (title) VALUES (?) RETURNING id";
                        connection.query(sql, &[title.as_str().into()]).unwrap();
                        run(&connection, "COMMIT");
                    }
                }
            });
        }
    });
    let connection = vault.connect().unwrap();
    assert_eq!(titles(&connection).len(), 200);
    let count = connection.query("SELECT count(*), count(DISTINCT id), max(id) FROM notes", &[]);
    assert_eq!(count.unwrap().rows[0], [200, 200, 200].map(Value::Integer));
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

/// A connection that has met another's lock is as it was before, and goes on.
#[test]
fn what_was_busy_leaves_no_transaction_behind() {
    let scratch = Scratch::new();
    let mut config = sealite_tests::scratch::config();
    config.busy_timeout = Duration::ZERO;
    let vault = Vault::at_with(scratch.path(), config).unwrap();
    vault.initialise(&scratch.unlock()).unwrap();
    vault.define_table(&notes()).unwrap();
    vault.execute("CREATE TABLE plain (x)", &[]).unwrap();
    let (one, other) = (vault.connect().unwrap(), vault.connect().unwrap());
    for sql in ["INSERT INTO plain VALUES (1)", "INSERT INTO notes (title) VALUES ('a')"] {
        let mut insert = one.prepare(sql).unwrap();
        run(&other, "BEGIN IMMEDIATE");
        for _ in 0..2 {
            assert_eq!(insert.execute(&[]).unwrap_err().kind(), ErrorKind::Busy);
            assert_eq!(run(&one, "SELECT 1"), 0);
            assert!(!one.in_transaction().unwrap());
        }
        run(&other, "ROLLBACK");
        assert_eq!(insert.execute(&[]).unwrap(), 1);
    }
    // Nor does one that is prepared while another stands on a row that it has written.
    let mut insert = one.prepare("INSERT INTO plain VALUES (2), (3) RETURNING x").unwrap();
    assert!(insert.step().unwrap());
    run(&one, "SELECT 1");
    assert!(insert.step().unwrap() && !insert.step().unwrap());
    assert!(!one.in_transaction().unwrap());
    assert_eq!(
        other.query("SELECT count(*) FROM plain", &[]).unwrap().rows[0][0],
        Value::Integer(3)
    );
    // A lock does not outlive its connection, whatever the vault is.
    run(&one, "BEGIN IMMEDIATE");
    vault.lock();
    one.close();
    vault.unlock(&scratch.unlock()).unwrap();
    assert_eq!(run(&other, "INSERT INTO plain VALUES (4)"), 1);
}

#[test]
fn one_connection_serves_many_threads() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    let connection = vault.connect().unwrap();
    std::thread::scope(|scope| {
        for who in 0..8 {
            let connection = connection.clone();
            scope.spawn(move || {
                let mut insert =
                    connection.prepare("INSERT INTO notes (title) VALUES (?)").unwrap();
                let mut find =
                    connection.prepare("SELECT title FROM notes WHERE title = ?").unwrap();
                for n in 0..50 {
                    let title = format!("{who}-{n}");
                    insert.execute(&[title.as_str().into()]).unwrap();
                    find.bind(1, title.as_str()).unwrap();
                    assert!(find.step().unwrap());
                    assert_eq!(find.value(0).unwrap().as_str(), Some(title.as_str()));
                }
            });
        }
    });
    assert_eq!(titles(&connection).len(), 400);
}

#[test]
fn closed_locked_and_interrupted_say_so() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    let connection = vault.connect().unwrap();
    run(&connection, "INSERT INTO notes (title) VALUES ('a'), ('b')");
    let mut read = connection.prepare("SELECT title FROM notes").unwrap();
    assert!(read.step().unwrap());
    run(&connection, "BEGIN");
    run(&connection, "INSERT INTO notes (title) VALUES ('c')");
    connection.close();
    // What is lent stays until the statement moves on.
    assert_eq!(read.step().unwrap_err().kind(), ErrorKind::Closed);
    drop(read);
    assert_eq!(connection.execute("SELECT 1", &[]).unwrap_err().kind(), ErrorKind::Closed);

    let other = vault.connect().unwrap();
    assert_eq!(titles(&other), ["a", "b"]);
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let interrupted = std::thread::scope(|scope| {
        let running = scope.spawn(|| other.query(endless, &[]));
        while !running.is_finished() {
            other.interrupt();
            std::thread::sleep(Duration::from_millis(1));
        }
        running.join().unwrap()
    });
    assert_eq!(interrupted.unwrap_err().kind(), ErrorKind::Interrupted);
    vault.lock();
    assert_eq!(other.query("SELECT title FROM notes", &[]).unwrap_err().kind(), ErrorKind::Locked);
    vault.unlock(&scratch.unlock()).unwrap();
    assert_eq!(titles(&other), ["a", "b"]);
    vault.close();
    assert_eq!(other.query("SELECT 1", &[]).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn an_idle_connection_works_on_both_sides_of_a_fork() {
    staged("an_idle_connection_works_on_both_sides_of_a_fork", 120, |_| {
        let home = Home::new();
        let vault = home.create();
        vault.define_table(&notes()).unwrap();
        let connection = vault.connect().unwrap();
        let mut insert = connection.prepare("INSERT INTO notes (title) VALUES (?)").unwrap();
        insert.execute(&["before".into()]).unwrap();
        let mut pair = connection.prepare("SELECT ?1, ?2").unwrap();
        pair.bind_all(&[1.into(), 2.into()]).unwrap();
        let mut none = connection.prepare("SELECT 1").unwrap();
        none.reset();
        let child = fork(|| {
            assert_eq!(connection.opened().unwrap(), 1);
            // What was bound before is never taken for NULL.
            pair.reset();
            for refused in [pair.step().map(drop), pair.step().map(drop), pair.bind(2, 3)] {
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::Closed);
            }
            pair.clear_bindings().unwrap();
            pair.bind(1, 4).unwrap();
            pair.bind(2, 5).unwrap();
            assert!(pair.step().unwrap() && pair.value(1).unwrap() == ValueRef::Integer(5));
            pair.reset();
            assert!(none.step().unwrap() && !none.step().unwrap());
            for n in 0..50 {
                insert.execute(&[format!("child {n}").as_str().into()]).unwrap();
            }
            assert_eq!(connection.opened().unwrap(), 2);
        });
        let mut insert = connection.prepare("INSERT INTO notes (title) VALUES (?)").unwrap();
        for n in 0..50 {
            insert.execute(&[format!("parent {n}").as_str().into()]).unwrap();
        }
        child.succeed();
        assert_eq!(titles(&connection).len(), 101);
        assert!(vault.verify(|_| ()).unwrap().is_sound());
    });
}

#[test]
fn a_connection_in_use_stays_the_parents() {
    staged("a_connection_in_use_stays_the_parents", 120, |_| {
        let home = Home::new();
        let vault = home.create();
        vault.define_table(&notes()).unwrap();
        let connection = vault.connect().unwrap();
        run(&connection, "BEGIN IMMEDIATE");
        run(&connection, "INSERT INTO notes (title) VALUES ('parent')");
        let child = fork(|| {
            for refused in [
                connection.execute("COMMIT", &[]).map(drop),
                vault.connect().map(drop),
                vault.table("notes").and_then(|table| table.count()).map(drop),
            ] {
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::Forked);
            }
        });
        child.succeed();
        run(&connection, "COMMIT");
        assert_eq!(titles(&connection), ["parent"]);
    });
}

#[test]
fn parameters_of_like_and_limit_are_bound_as_any() {
    on_each(|vault| {
        let connection = vault.connect().unwrap();
        run(&connection, "INSERT INTO notes (title) VALUES ('a'), ('b'), ('ab')");
        let like = "SELECT title FROM notes WHERE title LIKE ? ORDER BY title LIMIT ? OFFSET ?";
        let mut select = connection.prepare(like).unwrap();
        for (pattern, found) in [("a%", 2), ("%b", 2), ("c%", 0)] {
            let rows = select.query(&[pattern.into(), 5.into(), 0.into()]).expect(pattern).rows;
            assert_eq!(rows.len(), found, "{pattern}");
        }
    });
}

#[test]
fn a_locked_vault_holds_nobody_in_a_transaction() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    let connection = vault.connect().unwrap();
    run(&connection, "CREATE TABLE plain (a)");
    let plain = "INSERT INTO plain VALUES (1)";
    let sealed = "INSERT INTO notes (title) VALUES ('a')";
    let ends: [(&[&str], bool); 5] = [
        (&["ROLLBACK"], false),
        (&["COMMIT"], true),
        (&["end"], true),
        (&["SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "COMMIT"], true),
        (&["/* way out */ rollback transaction;"], false),
    ];
    for writes in [plain, sealed] {
        for (ends, keeps) in ends {
            run(&connection, "BEGIN");
            run(&connection, writes);
            let (saves, ends) = match ends {
                [save @ "SAVEPOINT s", ends @ ..] => (Some(*save), ends),
                ends => (None, ends),
            };
            saves.map(|sql| run(&connection, sql));
            vault.lock();
            // Only what has written a sealed table has the keys that it took, to its end.
            let read = connection.query("SELECT count(*) FROM notes WHERE title = 'a'", &[]);
            if writes == plain {
                assert_eq!(read.unwrap_err().kind(), ErrorKind::Locked);
                assert_eq!(connection.execute(plain, &[]).unwrap_err().kind(), ErrorKind::Locked);
            } else {
                assert_eq!(read.unwrap().rows, [[Value::Integer(1)]]);
            }
            for sql in ends {
                run(&connection, sql);
            }
            assert!(!connection.in_transaction().unwrap());
            let locked = connection.query("SELECT title FROM notes", &[]).unwrap_err();
            assert_eq!(locked.kind(), ErrorKind::Locked, "{writes} {ends:?}");
            vault.unlock(&scratch.unlock()).unwrap();
            let table = if writes == plain { "plain" } else { "notes" };
            let count = connection.query(&format!("SELECT count(*) FROM {table}"), &[]).unwrap();
            assert_eq!(count.rows, [[Value::Integer(keeps.into())]], "{writes} {ends:?}");
            run(&connection, &format!("DELETE FROM {table}"));
        }
    }
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn an_explained_write_is_over_when_it_has_been_read() {
    on_each(|vault| {
        let connection = vault.connect().unwrap();
        for write in [
            "INSERT INTO notes (title) VALUES ('a')",
            "INSERT INTO notes (title) VALUES ('a') RETURNING id",
            "UPDATE notes SET stars = 2",
            "DELETE FROM notes",
        ] {
            for explain in ["EXPLAIN", "EXPLAIN QUERY PLAN"] {
                let mut explained = connection.prepare(&format!("{explain} {write}")).unwrap();
                while explained.step().unwrap() {}
                run(&connection, "BEGIN");
                run(&connection, "INSERT INTO notes (title) VALUES ('b')");
                run(&connection, "COMMIT");
                run(&connection, "DELETE FROM notes");
            }
        }
    });
}

#[test]
fn vacuum_is_the_vaults_compact() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    vault.define_table(&notes()).unwrap();
    let connection = vault.connect().unwrap();
    run(&connection, "CREATE TABLE plain (a)");
    let pages = || {
        let pages = connection.query("PRAGMA page_count", &[]).unwrap().rows;
        pages[0][0].as_ref().as_i64().unwrap()
    };
    for sql in ["VACUUM", " /* all */ vacuum main ;"] {
        run(
            &connection,
            "INSERT INTO plain WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500)
             SELECT 'remnant' || randomblob(2000) FROM n",
        );
        run(&connection, "DELETE FROM plain");
        let before = pages();
        assert_eq!(run(&connection, sql), 0);
        assert!(pages() < before / 2, "{sql}");
        let bytes = std::fs::read(scratch.path()).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"remnant"));
    }
    vault.execute("VACUUM", &[]).unwrap();
    assert_eq!(vault.finish_erasure().unwrap(), sealite::Erasure::Complete);
    assert_eq!(vault.query("VACUUM", &[]).unwrap_err().kind(), ErrorKind::Sql);
    run(&connection, "BEGIN");
    let inside = connection.execute("VACUUM", &[]).unwrap_err();
    assert_eq!(inside.message(), "cannot VACUUM from within a transaction");
    run(&connection, "ROLLBACK");
    let inside = vault.transaction(|tx| tx.execute("VACUUM", &[])).unwrap_err();
    assert_eq!(inside.kind(), ErrorKind::Sql);
    let mut stmt = connection.prepare("SELECT 1 FROM sqlite_master").unwrap();
    assert!(stmt.step().unwrap());
    assert!(connection.execute("VACUUM", &[]).is_err());
    drop(stmt);
    let into = connection.execute("VACUUM INTO 'copy.db'", &[]).unwrap_err();
    assert_eq!(into.kind(), ErrorKind::Refused);
    assert!(into.message().contains("backup"), "{into}");
    let memory = Vault::in_memory().unwrap();
    run(&memory.connect().unwrap(), "VACUUM");
}
