//! Plain tables that become sealed ones in place, and back: what is kept, what is refused, and what a crash leaves.

#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]
#![allow(clippy::too_many_lines)]

use sealite::Protection::{Authenticated, Plain, Sealed};
use sealite::{Column, ErrorKind, IdRef, Protection, Type, Value, Vault, values};
use sealite_tests::scratch::Scratch;

const USERS: &str = "
    CREATE TABLE orgs (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        email VARCHAR(120) NOT NULL UNIQUE,
        name TEXT,
        role TEXT DEFAULT 'user',
        plan TEXT NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'pro')),
        org INTEGER REFERENCES orgs (id) ON DELETE CASCADE,
        boss INTEGER REFERENCES users (id) ON DELETE SET NULL,
        active BOOLEAN DEFAULT '1',
        score NUMERIC,
        joined DATETIME,
        CONSTRAINT seat UNIQUE (org, plan, boss)
    );
    CREATE INDEX users_plan ON users (plan);
    CREATE INDEX users_open ON users (joined DESC) WHERE active;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users ON DELETE SET NULL);
    INSERT INTO orgs VALUES (1, 'one'), (2, 'two');";

const WORDS: &[&str] = &["email sealed unique email", "name sealed", "role authenticated"];

fn fill(vault: &Vault, rows: i64) {
    vault.transaction(|tx| {
        for n in 1..=rows {
            let email = format!("{n}@Example.org");
            let name = if n % 5 == 0 { None } else { Some(format!("Secretname {n}")) };
            let name = name.as_deref().into();
            tx.execute(
                "INSERT INTO users (email, name, org, boss, score, joined) VALUES (?, ?, ?, ?, ?, ?)",
                &[email.as_str().into(), name, (n % 2 + 1).into(), (n > 1).then_some(n - 1).into(), (f64::from(i32::try_from(n).unwrap()) + 0.25).into(), "2024-01-01 10:00".into()],
            )?;
            tx.execute("INSERT INTO orders (user) VALUES (?)", &[n.into()])?;
            tx.execute("INSERT INTO notes (user) VALUES (?)", &[n.into()])?;
        }
        Ok(())
    })
    .unwrap();
}

fn batch(vault: &Vault, sql: &str) {
    for statement in sql.split(";\n") {
        vault.execute(statement.trim().trim_end_matches(';'), &[]).expect(statement);
    }
}

fn users(rows: i64) -> (Scratch, Vault) {
    let scratch = Scratch::new();
    let vault = scratch.create();
    batch(&vault, USERS.trim());
    fill(&vault, rows);
    (scratch, vault)
}

fn rows(vault: &Vault, sql: &str) -> Vec<Vec<Value>> {
    vault.query(sql, &[]).expect(sql).rows
}

fn count(vault: &Vault, sql: &str) -> i64 {
    rows(vault, sql)[0][0].as_ref().as_i64().unwrap()
}

const ALL: &str = "SELECT * FROM users ORDER BY id";

#[track_caller]
fn refused(vault: &Vault, table: &str, words: &[&str], kind: ErrorKind, says: &[&str]) {
    let before = rows(vault, &format!("SELECT * FROM {table}"));
    let error = vault.protect_table(table, words).expect_err("refused");
    assert_eq!(error.kind(), kind, "{error}");
    for part in says {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    assert!(vault.tables().unwrap().is_empty());
    assert_eq!(rows(vault, &format!("SELECT * FROM {table}")), before);
    assert_eq!(
        count(vault, "SELECT count(*) FROM sqlite_master WHERE name LIKE '%_sealed'"),
        1,
        "the trail's"
    );
}

#[test]
fn a_table_is_converted_with_its_rows_ids_indexes_constraints_and_foreign_keys() {
    let (scratch, vault) = users(1_203);
    vault.execute("DELETE FROM users WHERE id = 1203", &[]).unwrap();
    let before = rows(&vault, ALL);
    let plan = vault.plan_protection("users", WORDS).unwrap();
    assert_eq!(plan.obstacles, [] as [String; 0]);
    assert_eq!(plan.rows, 1_202);
    let kinds: Vec<Type> = plan.definition.columns().iter().map(Column::kind).collect();
    assert_eq!(kinds[5..], [Type::Integer, Type::Boolean, Type::Real, Type::Text]);
    let _ = vault.protect_table("Users", WORDS).unwrap();
    assert!(rows(&vault, ALL) == before);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    let definition = &vault.tables().unwrap()[0];
    assert_eq!(definition.name(), "users");
    let protections: Vec<Protection> =
        definition.columns().iter().map(Column::declared_protection).collect();
    assert_eq!(protections[..4], [Sealed, Sealed, Authenticated, Plain]);

    // Ids are not given out twice, and defaults and constraints are what they were.
    let insert =
        "INSERT INTO users (email) VALUES ('new@example.org') RETURNING id, role, plan, active";
    let found = vault.transaction(|tx| tx.query(insert, &[])).unwrap();
    assert_eq!(
        found.rows[0],
        [
            Value::Integer(1_204),
            Value::Text("user".into()),
            Value::Text("free".into()),
            Value::Integer(1)
        ]
    );
    for (sql, kind) in [
        ("INSERT INTO users (email) VALUES (' NEW@example.org')", ErrorKind::Conflict),
        ("INSERT INTO users (email) VALUES (NULL)", ErrorKind::Conflict),
        ("INSERT INTO users (email, plan) VALUES ('x@example.org', 'gold')", ErrorKind::Conflict),
        ("INSERT INTO users (email, org) VALUES ('x@example.org', 99)", ErrorKind::Conflict),
        (
            "INSERT INTO users (email, org, boss) VALUES ('x@example.org', 2, 1200)",
            ErrorKind::Conflict,
        ),
        ("INSERT INTO orders (user) VALUES (99999)", ErrorKind::Conflict),
    ] {
        assert_eq!(vault.execute(sql, &[]).expect_err(sql).kind(), kind, "{sql}");
    }
    // Foreign keys act, to it and from it.
    vault.execute("DELETE FROM users WHERE id = 7", &[]).unwrap();
    assert_eq!(count(&vault, "SELECT count(*) FROM orders WHERE user = 7"), 0);
    assert_eq!(count(&vault, "SELECT count(*) FROM notes WHERE user IS NULL"), 2);
    assert_eq!(count(&vault, "SELECT count(*) FROM users WHERE id = 8 AND boss IS NULL"), 1);
    vault.execute("DELETE FROM orgs WHERE id = 1", &[]).unwrap();
    assert_eq!(count(&vault, "SELECT count(*) FROM users WHERE id <= 1203"), 600);
    assert_eq!(count(&vault, "SELECT count(*) FROM orders"), 600);
    assert_eq!(rows(&vault, "PRAGMA foreign_key_check"), [] as [Vec<Value>; 0]);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    let plan = rows(&vault, "EXPLAIN QUERY PLAN SELECT id FROM users WHERE plan = 'free'");
    assert!(format!("{:?}", plan[0][3].as_ref().as_str()).contains("index plan ="), "{plan:?}");
    let indexes =
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name GLOB 'users*' ORDER BY 1";
    assert_eq!(rows(&vault, indexes).len(), 2);
    vault.close();
    drop(scratch);
}

#[test]
fn a_converted_table_becomes_plain_again() {
    let (_scratch, vault) = users(700);
    let before = rows(&vault, ALL);
    let _ = vault.protect_table("users", WORDS).unwrap();
    vault.unprotect_table("users").unwrap();
    assert!(vault.tables().unwrap().is_empty());
    assert!(rows(&vault, ALL) == before);
    let insert =
        "INSERT INTO users (email) VALUES ('new@example.org') RETURNING id, role, plan, active";
    let found = vault.transaction(|tx| tx.query(insert, &[])).unwrap();
    assert_eq!(found.rows[0][0], Value::Integer(701));
    assert_eq!(found.rows[0][2], Value::Text("free".into()));
    for sql in [
        "INSERT INTO users (email) VALUES ('new@example.org')",
        "INSERT INTO users (email, plan) VALUES ('x@example.org', 'gold')",
        "INSERT INTO users (email, org) VALUES ('x@example.org', 99)",
    ] {
        assert_eq!(vault.execute(sql, &[]).expect_err(sql).kind(), ErrorKind::Conflict, "{sql}");
    }
    vault.execute("DELETE FROM users WHERE id = 7", &[]).unwrap();
    assert_eq!(count(&vault, "SELECT count(*) FROM orders WHERE user = 7"), 0);
    vault.execute("DELETE FROM orgs WHERE id = 1", &[]).unwrap();
    assert_eq!(rows(&vault, "PRAGMA foreign_key_check"), [] as [Vec<Value>; 0]);
    let indexes =
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name GLOB 'users*' ORDER BY 1";
    assert_eq!(rows(&vault, indexes).len(), 2);
    // And there again.
    let now = rows(&vault, ALL);
    let _ = vault.protect_table("users", WORDS).unwrap();
    assert!(rows(&vault, ALL) == now);
}

#[test]
fn nothing_that_was_sealed_is_left_in_the_file_or_its_log() {
    let (scratch, vault) = users(2_000);
    let held = || {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(scratch.folder()).unwrap() {
            bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        bytes.windows(10).filter(|window| *window == b"Secretname").count()
    };
    assert!(held() > 1_000);
    let erasure = vault.protect_table("users", WORDS).unwrap();
    assert_eq!(erasure, sealite::Erasure::Complete);
    assert_eq!(held(), 0);
}

#[test]
fn text_keys_and_tables_without_row_ids_are_converted() {
    let vault = Vault::in_memory().unwrap();
    vault
        .execute(
            "CREATE TABLE pages (slug TEXT PRIMARY KEY, body TEXT, data JSON) WITHOUT ROWID",
            &[],
        )
        .unwrap();
    vault
        .execute(
            "CREATE TABLE links (id INTEGER PRIMARY KEY, page TEXT REFERENCES pages (slug))",
            &[],
        )
        .unwrap();
    vault.execute("INSERT INTO pages VALUES ('b', 'B', '[1]'), ('a', 'A', NULL)", &[]).unwrap();
    vault.execute("INSERT INTO links (page) VALUES ('a')", &[]).unwrap();
    let _ = vault.protect_table("pages", &["body sealed"]).unwrap();
    assert_eq!(rows(&vault, "SELECT slug, body FROM pages ORDER BY slug").len(), 2);
    let table = vault.table("pages").unwrap();
    assert_eq!(table.get(IdRef::Text("a")).unwrap().unwrap().text("body").unwrap(), "A");
    assert_eq!(
        vault.execute("DELETE FROM pages WHERE slug = 'a'", &[]).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(
        vault.execute("INSERT INTO links (page) VALUES ('c')", &[]).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    table.insert(values! {"slug" => "c", "body" => "C"}).unwrap();
    vault.execute("INSERT INTO links (page) VALUES ('c')", &[]).unwrap();
    vault.unprotect_table("pages").unwrap();
    assert_eq!(rows(&vault, "SELECT body FROM pages ORDER BY slug").len(), 3);
    assert_eq!(
        vault.execute("DELETE FROM pages WHERE slug = 'a'", &[]).unwrap_err().kind(),
        ErrorKind::Conflict
    );
}

#[test]
fn a_plain_unique_column_is_referred_to_as_before() {
    let vault = Vault::in_memory().unwrap();
    for sql in [
        "CREATE TABLE codes (id INTEGER PRIMARY KEY, code TEXT UNIQUE, number INTEGER, secret TEXT)",
        "CREATE UNIQUE INDEX numbers ON codes (number)",
        "CREATE TABLE uses (id INTEGER PRIMARY KEY, code TEXT REFERENCES codes (code) ON UPDATE CASCADE, number REFERENCES codes (number))",
        "INSERT INTO codes (code, number, secret) VALUES ('a', 1, 'x'), ('b', 2, 'y')",
        "INSERT INTO uses (code, number) VALUES ('a', 2)",
    ] {
        vault.execute(sql, &[]).unwrap();
    }
    let _ = vault.protect_table("codes", &["secret sealed"]).unwrap();
    vault.execute("UPDATE codes SET code = 'c' WHERE code = 'a'", &[]).unwrap();
    assert_eq!(rows(&vault, "SELECT code FROM uses"), [[Value::Text("c".into())]]);
    for sql in [
        "INSERT INTO uses (code) VALUES ('a')",
        "INSERT INTO uses (number) VALUES (3)",
        "DELETE FROM codes WHERE id = 2",
        "INSERT INTO codes (number) VALUES (2)",
    ] {
        assert_eq!(vault.execute(sql, &[]).expect_err(sql).kind(), ErrorKind::Conflict, "{sql}");
    }
    vault.unprotect_table("codes").unwrap();
    let error = vault.execute("DELETE FROM codes WHERE id = 2", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[test]
fn columns_keep_their_order_wherever_the_key_stands() {
    let scratch = Scratch::new();
    let vault = scratch.create();
    let now = |sql: &str| rows(&vault, sql);
    for (key, ids) in [("INTEGER", ["7", "8", "9"]), ("TEXT", ["'g'", "'h'", "'i'"])] {
        let [first, second, third] = ids;
        for sql in [
            &format!("CREATE TABLE t (a INTEGER, b TEXT UNIQUE, k {key} PRIMARY KEY, c TEXT)"),
            &format!("INSERT INTO t VALUES (1, 'b', {first}, 'c'), (2, 'x', {second}, 'y')"),
        ] {
            vault.execute(sql, &[]).unwrap();
        }
        let before = now("SELECT * FROM t ORDER BY a");
        let _ = vault.protect_table("t", &["b sealed", "c sealed"]).unwrap();
        assert_eq!(now("SELECT * FROM t ORDER BY a"), before);
        assert_eq!(now(&format!("SELECT a FROM t WHERE k = {second}")), [[Value::Integer(2)]]);
        assert_eq!(now("SELECT a FROM t WHERE b = 'x'"), [[Value::Integer(2)]]);
        assert_eq!(now("SELECT a FROM t ORDER BY k DESC")[0], [Value::Integer(2)]);
        let names = now("SELECT name FROM pragma_table_info('t')");
        assert_eq!(names, ["a", "b", "k", "c"].map(|name| [Value::Text(name.into())]));
        vault.execute(&format!("INSERT INTO t VALUES (3, 'd', {third}, 'e')"), &[]).unwrap();
        assert_eq!(now("SELECT * FROM t WHERE a = 3")[0][3], Value::Text("e".into()));
        let sql = format!(
            "INSERT INTO t VALUES (4, 'd', {third}, 'f') ON CONFLICT (b) DO UPDATE SET c = excluded.c"
        );
        vault.execute(&sql, &[]).unwrap();
        vault.execute("UPDATE t SET a = a + 10, c = c || '!' WHERE b = 'b'", &[]).unwrap();
        let sql = "SELECT a, b, c FROM t WHERE a IN (3, 11) ORDER BY a";
        let text = |text: &str| Value::Text(text.into());
        let expected = [
            [Value::Integer(3), text("d"), text("f")],
            [Value::Integer(11), text("b"), text("c!")],
        ];
        assert_eq!(now(sql), expected);
        // A column that goes, plain or sealed, and one that comes.
        for sql in [
            "ALTER TABLE t ADD COLUMN z TEXT",
            "ALTER TABLE t DROP COLUMN a",
            "ALTER TABLE t DROP COLUMN b",
            "UPDATE t SET z = 'z'",
        ] {
            vault.execute(sql, &[]).unwrap();
        }
        let names = now("SELECT name FROM pragma_table_info('t')");
        assert_eq!(names, ["k", "c", "z"].map(|name| [text(name)]));
        let after = now("SELECT * FROM t ORDER BY k");
        assert_eq!(after[0][1..], [text("c!"), text("z")]);
        vault.unprotect_table("t").unwrap();
        assert_eq!(now("SELECT * FROM t ORDER BY k"), after);
        vault.execute("DROP TABLE t", &[]).unwrap();
    }
}

#[test]
fn what_can_not_be_kept_is_listed_and_nothing_is_changed() {
    let (_scratch, vault) = users(3);
    for (ddl, words, says) in [
        ("CREATE VIEW v AS SELECT email FROM users", WORDS, "view v"),
        ("CREATE TRIGGER t BEFORE INSERT ON users BEGIN SELECT 1; END", WORDS, "trigger t"),
        (
            "CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM users; END",
            WORDS,
            "trigger t",
        ),
        ("CREATE INDEX i ON users (name)", WORDS, "lookup N"),
        ("CREATE INDEX i ON users (plan, name)", WORDS, "index i uses a sealed column"),
        (
            "CREATE INDEX i ON users (plan) WHERE name IS NULL",
            WORDS,
            "index i uses a sealed column",
        ),
        ("CREATE INDEX i ON users (lower(name))", WORDS, "index i uses a sealed column"),
        (
            "CREATE TABLE i (id INTEGER PRIMARY KEY, user REFERENCES users (email))",
            WORDS,
            "refers to email",
        ),
        ("CREATE TABLE i (a)", &["email sealed lookup 5000", "name sealed"], "say `unique`"),
        ("CREATE TABLE i (a)", &["org sealed"], "foreign key (org)"),
        ("CREATE TABLE i (a)", &["plan sealed"], "CHECK"),
        ("CREATE TABLE i (a)", &["joined integer sealed"], "3 values that are not integer"),
    ] {
        vault.execute(ddl, &[]).unwrap();
        let plan = vault.plan_protection("users", words).unwrap();
        assert!(plan.obstacles.iter().any(|obstacle| obstacle.contains(says)), "{ddl}: {plan:?}");
        refused(&vault, "users", words, ErrorKind::Refused, &[says]);
        let kind = ddl.split_whitespace().nth(1).unwrap();
        let name = ddl.split_whitespace().nth(2).unwrap();
        vault.execute(&format!("DROP {kind} {name}"), &[]).unwrap();
    }
    for (words, kind) in [
        (&["nothing sealed"] as &[&str], ErrorKind::NotFound),
        (&["id sealed"], ErrorKind::InvalidInput),
        (&["email sealed", "Email sealed"], ErrorKind::InvalidInput),
        (&["email"], ErrorKind::InvalidInput),
        (&[], ErrorKind::InvalidInput),
        (&["email frobnicated"], ErrorKind::InvalidInput),
    ] {
        refused(&vault, "users", words, kind, &[]);
    }
    assert_eq!(vault.protect_table("none", WORDS).unwrap_err().kind(), ErrorKind::NotFound);
    for (ddl, says) in [
        ("CREATE TABLE t (a TEXT, b TEXT)", "no key of one column"),
        ("CREATE TABLE t (a INTEGER, b TEXT, PRIMARY KEY (a, b))", "no key of one column"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT COLLATE NOCASE)", "compares by NOCASE"),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, c TEXT COLLATE NOCASE)",
            "compares by NOCASE",
        ),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, c AS (b || 'x'))", "generated"),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, c DATETIME DEFAULT CURRENT_TIMESTAMP)",
            "default null",
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT UNIQUE ON CONFLICT IGNORE)",
            "ON CONFLICT",
        ),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, c INTEGER CHECK (c > '3'))", "CHECK"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, sealed TEXT)", "reserved"),
        ("CREATE VIRTUAL TABLE t USING fts5 (b)", "virtual"),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, c INTEGER NOT NULL REFERENCES orgs ON DELETE SET NULL)",
            "NULL",
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, c INTEGER REFERENCES orgs ON DELETE SET DEFAULT)",
            "default",
        ),
    ] {
        let Ok(_) = vault.execute(ddl, &[]) else { continue };
        refused(&vault, "t", &["b sealed"], ErrorKind::Refused, &[says]);
        vault.execute("DROP TABLE t", &[]).unwrap();
    }
    let text = "b sealed unique text";
    vault
        .execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT COLLATE NOCASE UNIQUE)", &[])
        .unwrap();
    let _ = vault.protect_table("t", &[text]).unwrap();
}

#[test]
fn values_that_stand_twice_in_the_indexed_form_are_refused_and_nothing_is_left_behind() {
    let (_scratch, vault) = users(600);
    vault.execute("INSERT INTO users (email) VALUES ('300@example.ORG')", &[]).unwrap();
    refused(&vault, "users", WORDS, ErrorKind::Conflict, &["twice"]);
    vault.execute("DELETE FROM users WHERE id = 300", &[]).unwrap();
    let _ = vault.protect_table("users", WORDS).unwrap();
    assert_eq!(count(&vault, "SELECT count(*) FROM users"), 600);
}

#[test]
fn a_conversion_is_asked_for_again_in_vain_or_refused_where_it_differs() {
    let (_scratch, vault) = users(3);
    let _ = vault.protect_table("users", WORDS).unwrap();
    let _ = vault.protect_table("users", WORDS).unwrap();
    let _ = vault.protect_table("users", &["role plain", "name authenticated"]).unwrap();
    let error = vault.protect_table("users", &["plan sealed"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(vault.plan_protection("users", WORDS).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(vault.unprotect_table("orders").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(vault.protect_table("sealite_meta", WORDS).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn what_others_write_meanwhile_is_sealed_too() {
    let (_scratch, vault) = users(4_000);
    let writer = vault.clone();
    let (start, begun) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        begun.recv().unwrap();
        for n in 0..400_i64 {
            let (id, email) = (n * 7 + 2, format!("late{n}@example.org"));
            let email = email.as_str();
            writer
                .execute("UPDATE users SET name = 'Secretname new' WHERE id = ?", &[id.into()])
                .unwrap();
            writer
                .execute("INSERT INTO users (email, name) VALUES (?, 'late')", &[email.into()])
                .unwrap();
            if n % 3 == 0 {
                // A unique value goes from one row to another that may have been copied already.
                writer
                    .transaction(|tx| {
                        tx.execute(
                            "UPDATE users SET email = 'x' || id WHERE id = ?",
                            &[(id + 1).into()],
                        )?;
                        tx.execute(
                            "UPDATE users SET email = ? WHERE id = 1",
                            &[format!("{}@Example.org", id + 1).as_str().into()],
                        )
                    })
                    .unwrap();
                writer
                    .execute("UPDATE users SET email = '1@example.org' WHERE id = 1", &[])
                    .unwrap();
                writer.execute("DELETE FROM users WHERE id = ?", &[(id + 2).into()]).unwrap();
            }
        }
    });
    start.send(()).unwrap();
    let _ = vault.protect_table("users", WORDS).unwrap();
    thread.join().unwrap();
    assert_eq!(count(&vault, "SELECT count(*) FROM users WHERE name = 'late'"), 400);
    assert_eq!(count(&vault, "SELECT count(*) FROM users WHERE name = 'Secretname new'"), 400);
    assert_eq!(count(&vault, "SELECT count(*) FROM users"), 4_000 + 400 - 134);
    assert_eq!(rows(&vault, "PRAGMA foreign_key_check"), [] as [Vec<Value>; 0]);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}
