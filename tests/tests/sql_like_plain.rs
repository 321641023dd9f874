//! The same statements on a sealed table and on a plain STRICT one with an AUTOINCREMENT key: the same rows, counts, ids
//! and errors.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{Column, Error, Index, Result, TableDefinition, Transaction, Value, Vault};
use sealite_tests::scratch::Scratch;

const SEALED: &str = "people";
const PLAIN: &str = "folk";

/// A vault with both tables, and plain tables to join with.
fn prepare(vault: &Vault) {
    vault
        .define_table(
            &TableDefinition::new(SEALED)
                .column(Column::text("email").sealed().not_null().index(Index::unique()))
                .column(Column::text("name").sealed())
                .column(Column::integer("age").sealed())
                .column(Column::real("score").sealed())
                .column(Column::blob("photo").sealed())
                .column(Column::text("city").sealed().index(Index::lookup(100_000)))
                .column(Column::text("role").authenticated().not_null().default("user"))
                .column(Column::integer("rank").authenticated().index(Index::lookup(10_000)))
                .column(Column::text("plan").index(Index::lookup(5000)))
                .column(Column::text("code").index(Index::unique())),
        )
        .unwrap();
    for sql in [
        "CREATE TABLE folk (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, name TEXT, age INTEGER,
         score REAL, photo BLOB, city TEXT, role TEXT NOT NULL DEFAULT 'user', rank INTEGER, plan TEXT,
         code TEXT UNIQUE) STRICT",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, who INTEGER, total INTEGER, note TEXT)",
        "INSERT INTO orders (who, total, note) VALUES (1, 10, 'a'), (1, 20, 'b'), (2, 5, 'c'), (7, 1, 'd'), (NULL, 2, 'e')",
    ] {
        vault.execute(sql, &[]).unwrap();
    }
}

/// What a statement does: its rows or the number of rows changed, then `changes()` and `last_insert_rowid()`.
fn outcome(
    tx: &Transaction,
    sql: &str,
    table: &str,
) -> std::result::Result<Vec<Vec<Value>>, String> {
    let sql = sql.replace("{t}", table);
    let head = sql.trim_start().to_uppercase();
    let returns = ["SELECT", "VALUES"].iter().any(|verb| head.starts_with(verb))
        || head.contains("RETURNING")
        || head.starts_with("WITH") && !head.contains("INSERT") && !head.contains("UPDATE");
    let run = || -> Result<Vec<Vec<Value>>> {
        if returns {
            return Ok(tx.query(&sql, &[])?.rows);
        }
        let changed = tx.execute(&sql, &[])?;
        let counts = tx.query("SELECT changes(), last_insert_rowid()", &[])?.rows;
        Ok([vec![vec![Value::Integer(i64::try_from(changed).unwrap())]], counts].concat())
    };
    run().map_err(|error: Error| {
        let message = error.message().replace(table, "{t}");
        format!("{:?} {message}", error.sqlite_code())
    })
}

/// Runs the statements on both tables, each in a transaction of its own, and compares after each.
fn same(vault: &Vault, statements: &[&str]) {
    for sql in statements {
        let both = [SEALED, PLAIN].map(|table| {
            let tx = vault.begin().unwrap();
            // Both begin with the same last id.
            tx.execute("INSERT INTO orders (id) VALUES (999)", &[]).unwrap();
            tx.execute("DELETE FROM orders WHERE id = 999", &[]).unwrap();
            let outcome = outcome(&tx, sql, table);
            tx.commit().unwrap();
            outcome
        });
        assert!(
            both[0] == both[1],
            "{sql}\nsealed: {}\nplain:  {}",
            show(&both[0]),
            show(&both[1])
        );
        let all = [SEALED, PLAIN].map(|table| {
            vault.query(&format!("SELECT * FROM {table} ORDER BY id"), &[]).unwrap().rows
        });
        assert!(all[0] == all[1], "{sql}\nleaves\n{}\n{}", rows(&all[0]), rows(&all[1]));
    }
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

fn show(outcome: &std::result::Result<Vec<Vec<Value>>, String>) -> String {
    match outcome {
        Ok(found) => rows(found),
        Err(error) => error.clone(),
    }
}

/// The values of a test are nobody's: unlike their `Debug`, this shows them.
fn rows(rows: &[Vec<Value>]) -> String {
    let value = |value: &Value| match value {
        Value::Integer(v) => v.to_string(),
        Value::Real(v) => format!("{v:?}"),
        Value::Text(v) => format!("'{v}'"),
        Value::Blob(v) => format!("x{v:?}"),
        _ => "NULL".to_owned(),
    };
    let row = |row: &Vec<Value>| row.iter().map(value).collect::<Vec<_>>().join(" | ");
    rows.iter().map(row).collect::<Vec<_>>().join("\n        ")
}

const ROWS: &str =
    "INSERT INTO {t} (email, name, age, score, photo, city, role, rank, plan, code) VALUES
    ('ada@x.org', 'Ada', 36, 1.5, x'00ff', 'London', 'admin', 3, 'pro', 'A'),
    ('bob@x.org', 'Bob', NULL, -0.0, x'', 'Paris', 'user', 1, 'free', 'B'),
    ('cyd@x.org', NULL, 51, 1e300, NULL, 'London', 'user', 2, 'free', NULL),
    ('dan@x.org', 'dan', -5, NULL, x'0102', NULL, 'user', NULL, NULL, NULL),
    ('eve@x.org', 'Eve', 9223372036854775807, 2.0, NULL, 'Rome', 'user', 1, 'pro', 'E')";

fn with_rows(vault: &Vault, statements: &[&str]) {
    prepare(vault);
    same(vault, &[ROWS]);
    same(vault, statements);
}

#[test]
fn queries_give_the_same_rows() {
    with_rows(
        &Vault::in_memory().unwrap(),
        &[
            "SELECT * FROM {t}",
            "SELECT rowid, _rowid_, oid FROM {t} ORDER BY rowid",
            "SELECT name, email FROM {t} WHERE id = 2",
            "SELECT name FROM {t} WHERE id = '2'",
            "SELECT name FROM {t} WHERE id = 2.0",
            "SELECT name FROM {t} WHERE id = 2.5",
            "SELECT name FROM {t} WHERE id = 'x'",
            "SELECT name FROM {t} WHERE id = NULL",
            "SELECT name FROM {t} WHERE id IS NULL",
            "SELECT name FROM {t} WHERE id IN (1, 3, '4', 99, NULL)",
            "SELECT name FROM {t} WHERE id > 2 AND id <= 4",
            "SELECT name FROM {t} WHERE id BETWEEN '2' AND 3.5 ORDER BY id DESC",
            "SELECT name FROM {t} WHERE id > 'a'",
            "SELECT name FROM {t} WHERE id < 'a' ORDER BY id",
            "SELECT id FROM {t} WHERE email = 'ada@x.org'",
            "SELECT id FROM {t} WHERE email = 'ADA@x.org'",
            "SELECT id FROM {t} WHERE email = 'ADA@x.org' COLLATE NOCASE",
            "SELECT id FROM {t} WHERE email IS 'bob@x.org'",
            "SELECT id FROM {t} WHERE email IN ('bob@x.org', 'eve@x.org', 'none', NULL) ORDER BY id",
            "SELECT id FROM {t} WHERE email = x'6164614078'",
            "SELECT id FROM {t} WHERE city = 'London' ORDER BY id",
            "SELECT id FROM {t} WHERE city IS NULL",
            "SELECT id FROM {t} WHERE city IS NOT 'London' ORDER BY id",
            "SELECT id FROM {t} WHERE city = 5",
            "SELECT id FROM {t} WHERE name LIKE 'a%'",
            "SELECT id FROM {t} WHERE name GLOB '[A-B]*' ORDER BY id",
            "SELECT id FROM {t} WHERE lower(name) = 'dan'",
            "SELECT id FROM {t} WHERE age = '36'",
            "SELECT id FROM {t} WHERE age > 36 ORDER BY age DESC",
            "SELECT id FROM {t} WHERE age IS NULL OR age < 0 ORDER BY id",
            "SELECT id, typeof(age), typeof(score), typeof(photo), typeof(name) FROM {t}",
            "SELECT id FROM {t} WHERE score = 2",
            "SELECT id FROM {t} WHERE score = '1.5'",
            "SELECT id FROM {t} WHERE photo = x'00ff'",
            "SELECT id FROM {t} WHERE plan = 'free' ORDER BY id",
            "SELECT id FROM {t} WHERE plan IS NULL",
            "SELECT id FROM {t} WHERE plan > 'free'",
            "SELECT id FROM {t} WHERE plan >= 'a' AND plan < 'g' ORDER BY id",
            "SELECT id, plan FROM {t} ORDER BY plan, id",
            "SELECT plan FROM {t} ORDER BY plan DESC",
            "SELECT rank FROM {t} ORDER BY rank",
            "SELECT id FROM {t} WHERE rank = 1 ORDER BY id",
            "SELECT id FROM {t} WHERE rank >= '2' ORDER BY id",
            "SELECT id FROM {t} WHERE rank IN (1, 2) AND plan = 'free' ORDER BY id",
            "SELECT id FROM {t} WHERE code = 'A' OR email = 'eve@x.org' ORDER BY id",
            "SELECT id FROM {t} WHERE role = 'admin'",
            "SELECT count(*), count(age), sum(rank), avg(score), min(name), max(email), total(age) FROM {t}",
            "SELECT count(*) FROM {t}",
            "SELECT count(*) AS n FROM {t} WHERE plan = 'free'",
            "SELECT DISTINCT city FROM {t} ORDER BY city",
            "SELECT city, count(*), group_concat(name) FROM {t} GROUP BY city HAVING count(*) > 1",
            "SELECT plan, max(age) FROM {t} GROUP BY plan ORDER BY 1",
            "SELECT p.name, o.total FROM {t} p JOIN orders o ON o.who = p.id ORDER BY o.id",
            "SELECT p.name, o.total FROM orders o LEFT JOIN {t} p ON p.id = o.who ORDER BY o.id",
            "SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.city = b.city AND a.id < b.id",
            "SELECT a.id, b.id FROM {t} a JOIN {t} b USING (email) ORDER BY 1",
            "SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM {t} WHERE id = o.who) ORDER BY 1",
            "SELECT id FROM {t} WHERE id IN (SELECT who FROM orders WHERE total > 5)",
            "SELECT (SELECT name FROM {t} WHERE id = o.who) FROM orders o ORDER BY o.id",
            "WITH old AS (SELECT * FROM {t} WHERE age > 30) SELECT id, name FROM old ORDER BY age",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT name FROM n JOIN {t} ON id = i ORDER BY i",
            "SELECT id FROM {t} UNION SELECT who FROM orders ORDER BY 1",
            "SELECT name FROM {t} EXCEPT SELECT 'Ada' ORDER BY 1",
            "SELECT id, row_number() OVER (PARTITION BY plan ORDER BY email DESC) FROM {t} ORDER BY id",
            "SELECT id FROM {t} ORDER BY name COLLATE NOCASE, id LIMIT 2 OFFSET 1",
            "SELECT id FROM {t} ORDER BY id DESC LIMIT 2 OFFSET 1",
            "SELECT max(id), min(id) FROM {t}",
            "SELECT max(rank) FROM {t}",
            "SELECT email || name FROM {t} WHERE (id, email) = (1, 'ada@x.org')",
            "SELECT nothing FROM {t}",
            "SELECT id FROM {t} WHERE nothing = 1",
            "SELECT id FROM {t} ORDER BY length(email), id",
            "SELECT hex(photo), quote(name) FROM {t} ORDER BY id",
            "SELECT CASE WHEN age > 40 THEN 'old' ELSE role END FROM {t} ORDER BY id",
        ],
    );
}

#[test]
fn writes_leave_the_same_rows_counts_and_ids() {
    with_rows(
        &Scratch::new().create(),
        &[
            "INSERT INTO {t} (email) VALUES ('fay@x.org')",
            "INSERT INTO {t} (id, email) VALUES (40, 'gus@x.org')",
            "INSERT INTO {t} (email, id) VALUES ('hal@x.org', NULL)",
            "INSERT INTO {t} (id, email) VALUES ('50', 'ian@x.org')",
            "INSERT INTO {t} (rowid, email) VALUES (60, 'jan@x.org')",
            "INSERT INTO {t} (email, role) VALUES ('kay@x.org', NULL)",
            "INSERT INTO {t} (email, role) VALUES ('kay@x.org', 'admin')",
            "INSERT INTO {t} DEFAULT VALUES",
            "INSERT INTO {t} (name) VALUES ('nobody')",
            "INSERT INTO {t} (email, age) VALUES ('lea@x.org', '42')",
            "INSERT INTO {t} (email, age) VALUES ('mae@x.org', 42.0)",
            "INSERT INTO {t} (email, age) VALUES ('ned@x.org', 42.5)",
            "INSERT INTO {t} (email, age) VALUES ('ned@x.org', 'x')",
            "INSERT INTO {t} (email, age) VALUES ('ned@x.org', x'00')",
            "INSERT INTO {t} (email, score) VALUES ('ola@x.org', 7)",
            "INSERT INTO {t} (email, score) VALUES ('pam@x.org', ' 7.25 ')",
            "INSERT INTO {t} (email, name) VALUES ('qas@x.org', 12)",
            "INSERT INTO {t} (email, name) VALUES ('ray@x.org', 1.25)",
            "INSERT INTO {t} (email, name) VALUES ('sue@x.org', x'41')",
            "INSERT INTO {t} (email, photo) VALUES ('tim@x.org', 'text')",
            "INSERT INTO {t} (email) VALUES ('ada@x.org')",
            "INSERT INTO {t} (email) VALUES ('uma@x.org'), ('ada@x.org')",
            "INSERT INTO {t} (id, email) VALUES (1, 'vic@x.org')",
            "INSERT INTO {t} (email, code) VALUES ('wes@x.org', 'A')",
            "INSERT OR IGNORE INTO {t} (email, name) VALUES ('ada@x.org', 'no'), ('xia@x.org', 'yes'), (NULL, 'no')",
            "INSERT INTO {t} (email) VALUES ('yan@x.org')",
            "INSERT OR IGNORE INTO {t} (id, email) VALUES (1, 'zoe@x.org')",
            "INSERT OR FAIL INTO {t} (email) VALUES ('fa1@x.org'), ('ada@x.org'), ('fa2@x.org')",
            "INSERT OR ABORT INTO {t} (email) VALUES ('ab1@x.org'), ('ada@x.org')",
            "INSERT OR REPLACE INTO {t} (email, name, code) VALUES ('bob@x.org', 'Bob II', 'A')",
            "REPLACE INTO {t} (id, email, role) VALUES (3, 'cyd2@x.org', NULL)",
            "REPLACE INTO {t} (id, email) VALUES (3, NULL)",
            "REPLACE INTO {t} (email, name) VALUES ('new@x.org', 'New')",
            "UPDATE {t} SET name = 'Ada II' WHERE id = 4",
            "UPDATE {t} SET name = upper(name), age = age + 1 WHERE age < 100",
            "UPDATE {t} SET role = 'none' WHERE id = 12345",
            "UPDATE {t} SET role = NULL WHERE id = 4",
            "UPDATE {t} SET email = 'cyd2@x.org' WHERE id = 4",
            "UPDATE OR IGNORE {t} SET email = 'cyd2@x.org' WHERE id > 2",
            "UPDATE OR REPLACE {t} SET email = 'cyd2@x.org' WHERE id = 4",
            "UPDATE {t} SET email = email || '.uk'",
            "UPDATE {t} SET plan = 'free', rank = id",
            "UPDATE {t} SET age = 'x' WHERE id = 4",
            "UPDATE {t} SET city = o.note FROM orders o WHERE o.who = {t}.id AND o.id = 3",
            "UPDATE {t} SET id = id WHERE id = 4",
            "INSERT INTO {t} (email, name) SELECT note || '@y.org', total FROM orders",
            "INSERT INTO {t} (email, name) SELECT email || '2', name FROM {t} WHERE id < 6",
            "WITH w(a) AS (VALUES ('w1@x.org'), ('w2@x.org')) INSERT INTO {t} (email) SELECT a FROM w",
            "DELETE FROM {t} WHERE id = 4",
            "DELETE FROM {t} WHERE email LIKE '%@y.org'",
            "DELETE FROM {t} WHERE id IN (SELECT who FROM orders)",
            "INSERT INTO {t} (email) VALUES ('last@x.org')",
            "DELETE FROM {t}",
            "INSERT INTO {t} (email) VALUES ('more@x.org')",
        ],
    );
}

#[test]
fn returning_gives_what_was_written() {
    with_rows(
        &Vault::in_memory().unwrap(),
        &[
            "INSERT INTO {t} (email) VALUES ('fay@x.org') RETURNING id",
            "INSERT INTO {t} (email) VALUES ('gus@x.org') RETURNING *",
            "INSERT INTO {t} (email, age) VALUES ('hal@x.org', '5'), ('ian@x.org', 6) RETURNING rowid, typeof(age), age + 1 AS n, role",
            "INSERT INTO {t} AS u (email) VALUES ('jan@x.org') RETURNING u.id, u.email || '!'",
            "INSERT INTO {t} (email) VALUES ('kay@x.org'), ('ada@x.org') RETURNING id",
            "INSERT OR IGNORE INTO {t} (email) VALUES ('lea@x.org'), ('ada@x.org') RETURNING id",
            "INSERT OR REPLACE INTO {t} (email, name) VALUES ('ada@x.org', 'Ada II') RETURNING id, name",
            "INSERT INTO {t} (email) SELECT note || '@z.org' FROM orders WHERE id < 3 RETURNING id, email",
            "INSERT INTO {t} (email) VALUES ('mae@x.org') RETURNING count(*)",
            "INSERT INTO {t} (email) VALUES ('mae@x.org') RETURNING nothing",
            "UPDATE {t} SET name = 'x', age = 1 WHERE id = 2 RETURNING id, name, age, email",
            "UPDATE {t} AS u SET rank = 9 WHERE u.id < 4 RETURNING u.id, rank",
            "UPDATE {t} SET rank = 9 WHERE id = 77 RETURNING id",
            "UPDATE {t} SET rank = 9 RETURNING count(*)",
            "DELETE FROM {t} WHERE id = 2 RETURNING *",
            "DELETE FROM {t} WHERE email LIKE '%@z.org' RETURNING id, upper(email)",
            "DELETE FROM {t} WHERE id = 77 RETURNING id",
            "WITH w AS (SELECT 3 AS a) DELETE FROM {t} WHERE id IN (SELECT a FROM w) RETURNING id, name",
        ],
    );
}

#[test]
fn a_conflict_that_is_to_do_nothing_does_nothing() {
    with_rows(
        &Vault::in_memory().unwrap(),
        &[
            "INSERT INTO {t} (email) VALUES ('ada@x.org') ON CONFLICT DO NOTHING",
            "INSERT INTO {t} (email) VALUES ('fay@x.org') ON CONFLICT DO NOTHING",
            "INSERT INTO {t} (email) VALUES ('ada@x.org'), ('gus@x.org') ON CONFLICT (email) DO NOTHING",
            "INSERT INTO {t} (email, code) VALUES ('hal@x.org', 'A') ON CONFLICT (email) DO NOTHING",
            "INSERT INTO {t} (email, code) VALUES ('hal@x.org', 'A') ON CONFLICT (code) DO NOTHING",
            "INSERT INTO {t} (id, email) VALUES (1, 'ian@x.org') ON CONFLICT (id) DO NOTHING",
            "INSERT INTO {t} (email) VALUES (NULL) ON CONFLICT DO NOTHING",
            "INSERT INTO {t} (email, age) VALUES ('jan@x.org', 'x') ON CONFLICT DO NOTHING",
            "INSERT INTO {t} (email) VALUES ('ada@x.org'), ('kay@x.org') ON CONFLICT DO NOTHING RETURNING id, email",
            "INSERT INTO {t} (email) VALUES ('after@x.org')",
        ],
    );
}

#[test]
fn a_conflict_updates_the_row_in_the_way() {
    with_rows(
        &Vault::in_memory().unwrap(),
        &[
            "INSERT INTO {t} (email, name) VALUES ('ada@x.org', 'Ada II') ON CONFLICT (email) DO UPDATE SET name = excluded.name",
            "INSERT INTO {t} (email, name, age) VALUES ('bob@x.org', 'Rob', 7), ('fay@x.org', 'Fay', 8), ('fay@x.org', 'Fey', 9) ON CONFLICT (email) DO UPDATE SET name = name || '/' || excluded.name, age = coalesce(age, 0) + excluded.age RETURNING id, name, age",
            "INSERT INTO {t} (email, age) VALUES ('ada@x.org', 99) ON CONFLICT (email) DO UPDATE SET age = excluded.age WHERE {t}.age > excluded.age",
            "INSERT INTO {t} (email, age) VALUES ('gus@x.org', 1) ON CONFLICT (email) DO UPDATE SET age = 2",
            "INSERT INTO {t} AS u (email, code) VALUES ('ada@x.org', 'Z') ON CONFLICT (email) DO UPDATE SET (code, plan) = (excluded.code, (SELECT max(note) FROM orders WHERE who = u.id))",
            "INSERT INTO {t} (email, code) VALUES ('hal@x.org', 'B') ON CONFLICT (email) DO UPDATE SET code = 'Q'",
            "INSERT INTO {t} (email, code) VALUES ('ada@x.org', 'B') ON CONFLICT (email) DO UPDATE SET code = excluded.code",
            "INSERT INTO {t} (email, code) VALUES ('ian@x.org', 'E') ON CONFLICT (email) DO NOTHING ON CONFLICT (code) DO UPDATE SET name = excluded.email",
            "INSERT INTO {t} (id, email) VALUES (1, 'jan@x.org') ON CONFLICT (id) DO UPDATE SET email = excluded.email",
            "INSERT INTO {t} (email) VALUES ('bob@x.org') ON CONFLICT DO UPDATE SET name = excluded.role",
            "INSERT INTO {t} (email) VALUES ('bob@x.org') ON CONFLICT (email) DO UPDATE SET email = NULL",
            "INSERT INTO {t} (email) VALUES ('bob@x.org') ON CONFLICT (email) DO UPDATE SET age = 'x'",
            "INSERT INTO {t} (email) VALUES ('bob@x.org') ON CONFLICT (email) DO UPDATE SET name = excluded.missing",
            "INSERT INTO {t} (email) VALUES ('new@x.org') ON CONFLICT (email) DO UPDATE SET nothing = 1",
            "INSERT INTO {t} (email) VALUES ('new@x.org') ON CONFLICT (name) DO UPDATE SET name = 1",
            "INSERT INTO {t} (email) SELECT email FROM {t} WHERE true ON CONFLICT (email) DO UPDATE SET rank = id",
            "INSERT INTO {t} (email) VALUES ('after@x.org')",
        ],
    );
}

#[test]
fn a_key_changes_as_another_column_does() {
    with_rows(
        &Scratch::new().create(),
        &[
            "UPDATE {t} SET id = 3 WHERE id = 3",
            "UPDATE {t} SET id = 30, name = 'thirty' WHERE id = 3 RETURNING id, name, email",
            "SELECT name FROM {t} WHERE id = 30",
            "SELECT name FROM {t} WHERE email = 'cyd@x.org'",
            "UPDATE {t} SET rowid = '3' WHERE id = 30",
            "UPDATE {t} SET id = 1 WHERE id = 2",
            "UPDATE OR IGNORE {t} SET id = 1 WHERE id = 2",
            "UPDATE {t} SET id = 2, email = 'bob@x.org' WHERE id = 1",
            "UPDATE {t} SET id = NULL WHERE id = 2",
            "UPDATE {t} SET id = 'x' WHERE id = 2",
            "UPDATE {t} SET id = id + 100",
            "UPDATE OR REPLACE {t} SET id = 101 WHERE id = 102",
        ],
    );
}
