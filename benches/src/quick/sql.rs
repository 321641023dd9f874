//! SQL: the same statements on a sealed table and on a plain one.

use std::path::Path;

use rusqlite::Connection;
use sealite::{Id, Statement, Unlock, Value, ValueRef};

use super::tables::{remove, some_emails, some_ids};
use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::dataset::{Dataset, id_value, weigh_all};
use crate::measure::{Comparison, Spent, Stopwatch, interleave, interleave_reads};
use crate::plain::{Bound, Plain, value};
use crate::sealed::{Sealed, fresh_key};

pub(super) const INSERT: &str =
    "INSERT INTO users (email, name, address, role, plan) VALUES (?, ?, ?, ?, ?)";
pub(super) const GET: &str = "SELECT * FROM users WHERE id = ?";
pub(super) const FIND: &str = "SELECT * FROM users WHERE email = ?";
pub(super) const SCAN: &str = "SELECT * FROM users ORDER BY id";
pub(super) const SCAN_PLAIN: &str = "SELECT id, plan FROM users ORDER BY id";
const UPDATE: &str = "UPDATE users SET name = ? WHERE id = ?";
const COUNT: &str = "SELECT count(*) FROM users";
/// Rows a transaction.
pub(super) const BATCH: usize = 10_000;
/// Counts a measurement.
const COUNTS: usize = 20;

/// Measures the statements that issue 5 names.
pub(super) fn measure(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    let data = Dataset::people(options.rows);
    let unlock = fresh_key()?;
    let (plain_path, sealed_path) = (work.join("sql-plain.db"), work.join("sql-sealed.db"));
    let time = |name, what: &str, comparison: Comparison, count| Measured {
        name,
        what: what.into(),
        comparison: comparison.each(count),
        unit: Unit::Time,
    };
    let inserted = insert(options, &data, &unlock, &plain_path, &sealed_path)?;
    let what = "INSERT of one row by a prepared statement, transactions of 10,000";
    note(time("sql_insert_vs_plain", what, inserted, options.rows))?;

    let plain = Plain::open(&plain_path, &data)?;
    let sealed = Sealed::open(&sealed_path, &unlock, &data)?;
    let conn = plain.connection();
    let ids = some_ids(&data);
    let keys: Vec<ValueRef<'_>> = ids.iter().map(|id| id_value(id.as_ref())).collect();
    let emails = some_emails(&data)?;
    let rows = options.rows;
    let reads: [(&str, &str, &[ValueRef<'_>], &str, usize); 4] = [
        ("sql_get_vs_plain", GET, &keys, "SELECT * by a random id", keys.len()),
        ("sql_find_vs_plain", FIND, &emails, "SELECT * by a random e-mail address", emails.len()),
        ("sql_scan_vs_plain", SCAN, &[ValueRef::Null], "SELECT * of every row, per row", rows),
        (
            "sql_scan_plain_columns_vs_plain",
            SCAN_PLAIN,
            &[ValueRef::Null],
            "SELECT of the key and a plain column of every row, per row",
            rows,
        ),
    ];
    for (name, sql, wanted, what, count) in reads {
        let read = interleave_reads(
            options.pairs,
            || read_in_transaction(conn, sql, wanted),
            || read_in_snapshot(&sealed, sql, wanted),
        )?;
        let what = format!("{what}; a prepared statement in one read transaction on both sides");
        note(time(name, &what, read, count))?;
    }
    let get = interleave_reads(
        options.pairs,
        || read_plain(conn, GET, &keys),
        || {
            let mut sum = 0_u64;
            for key in &keys {
                let found = sealed.vault().query(GET, &[*key])?;
                for row in &found.rows {
                    sum = sum.wrapping_add(weigh_all(row.iter().map(Value::as_ref)));
                }
            }
            Ok(sum)
        },
    )?;
    let what =
        "SELECT * by a random id, each in a transaction of its own; plain: a prepared statement";
    note(time("sql_get_alone_vs_plain", what, get, keys.len()))?;
    let counted = interleave_reads(
        options.pairs,
        || {
            let mut sum = 0_u64;
            for _ in 0..COUNTS {
                sum += read_plain(conn, COUNT, &[ValueRef::Null])?;
            }
            Ok(sum)
        },
        || {
            let mut sum = 0_u64;
            for _ in 0..COUNTS {
                let found = sealed.vault().query(COUNT, &[])?;
                for row in &found.rows {
                    sum += weigh_all(row.iter().map(Value::as_ref));
                }
            }
            Ok(sum)
        },
    )?;
    note(time("sql_count_vs_plain", "SELECT count(*)", counted, COUNTS))?;
    // Another name in each pair: where a row is what it was, SQLite leaves the page alone.
    let (mut for_plain, mut for_sealed) = (names(), names());
    let updated = interleave(
        options.pairs,
        || update_plain(conn, &ids, &for_plain.next().unwrap_or_default()),
        || update_sealed(&sealed, &ids, &for_sealed.next().unwrap_or_default()),
    )?;
    let what =
        "UPDATE of a sealed column by a random id, a prepared statement, transactions of 10,000";
    note(time("sql_update_vs_plain", what, updated, ids.len()))?;
    sealed.close();
    Ok(())
}

fn names() -> impl Iterator<Item = String> {
    (10..).map(|pair| format!("Another Name {pair}"))
}

fn insert(
    options: &Options,
    data: &Dataset,
    unlock: &Unlock,
    plain_path: &Path,
    sealed_path: &Path,
) -> Outcome<Comparison> {
    interleave(
        options.pairs,
        || {
            remove(plain_path)?;
            let plain = Plain::create(plain_path, data)?;
            let watch = Stopwatch::start();
            insert_plain(plain.connection(), data)?;
            let spent = watch.spent();
            plain.checkpoint()?;
            Ok(spent)
        },
        || {
            remove(sealed_path)?;
            let sealed = Sealed::create(sealed_path, unlock, data)?;
            let watch = Stopwatch::start();
            insert_sealed(&sealed, data)?;
            let spent = watch.spent();
            sealed.close();
            Ok(spent)
        },
    )
}

pub(super) fn insert_plain(conn: &Connection, data: &Dataset) -> Outcome<()> {
    let mut stmt = conn.prepare(INSERT)?;
    for rows in data.rows.chunks(BATCH) {
        let transaction = conn.unchecked_transaction()?;
        for row in rows {
            for (at, value) in row.iter().enumerate() {
                stmt.raw_bind_parameter(at + 1, Bound(value.as_ref()))?;
            }
            stmt.raw_execute()?;
        }
        transaction.commit()?;
    }
    Ok(())
}

pub(super) fn insert_sealed(sealed: &Sealed, data: &Dataset) -> Outcome<()> {
    for rows in data.rows.chunks(BATCH) {
        sealed.vault().transaction(|tx| {
            let mut stmt = tx.prepare(INSERT)?;
            for row in rows {
                for (at, value) in row.iter().enumerate() {
                    stmt.bind(at + 1, value)?;
                }
                stmt.step()?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

pub(super) fn read_in_transaction(
    conn: &Connection,
    sql: &str,
    wanted: &[ValueRef<'_>],
) -> Outcome<u64> {
    let transaction = conn.unchecked_transaction()?;
    let sum = read_plain(&transaction, sql, wanted)?;
    transaction.commit()?;
    Ok(sum)
}

pub(super) fn read_in_snapshot(
    sealed: &Sealed,
    sql: &str,
    wanted: &[ValueRef<'_>],
) -> Outcome<u64> {
    let snapshot = sealed.vault().snapshot()?;
    let mut stmt = snapshot.prepare(sql)?;
    read_sealed(&mut stmt, wanted)
}

fn read_plain(conn: &Connection, sql: &str, wanted: &[ValueRef<'_>]) -> Outcome<u64> {
    let mut stmt = conn.prepare(sql)?;
    let width = stmt.column_count();
    let takes = stmt.parameter_count() > 0;
    let (mut sum, mut owned) = (0_u64, Vec::with_capacity(width));
    for wanted in wanted {
        if takes {
            stmt.raw_bind_parameter(1, Bound(*wanted))?;
        }
        let mut rows = stmt.raw_query();
        while let Some(row) = rows.next()? {
            owned.clear();
            for at in 0..width {
                owned.push(value(row.get_ref(at)?)?);
            }
            sum = sum.wrapping_add(weigh_all(owned.iter().map(Value::as_ref)));
        }
    }
    Ok(sum)
}

fn read_sealed(stmt: &mut Statement<'_>, wanted: &[ValueRef<'_>]) -> Outcome<u64> {
    let width = stmt.columns().len();
    let takes = stmt.parameter_count() > 0;
    let (mut sum, mut owned) = (0_u64, Vec::with_capacity(width));
    for wanted in wanted {
        if takes {
            stmt.bind(1, *wanted)?;
        }
        while stmt.step()? {
            owned.clear();
            for at in 0..width {
                owned.push(stmt.value(at)?.to_owned());
            }
            sum = sum.wrapping_add(weigh_all(owned.iter().map(Value::as_ref)));
        }
    }
    Ok(sum)
}

pub(super) fn update_plain(conn: &Connection, ids: &[Id], name: &str) -> Outcome<Spent> {
    let mut stmt = conn.prepare(UPDATE)?;
    let watch = Stopwatch::start();
    for ids in ids.chunks(BATCH) {
        let transaction = conn.unchecked_transaction()?;
        for id in ids {
            stmt.raw_bind_parameter(1, Bound(ValueRef::Text(name)))?;
            stmt.raw_bind_parameter(2, Bound(id_value(id.as_ref())))?;
            stmt.raw_execute()?;
        }
        transaction.commit()?;
    }
    Ok(watch.spent())
}

pub(super) fn update_sealed(sealed: &Sealed, ids: &[Id], name: &str) -> Outcome<Spent> {
    let watch = Stopwatch::start();
    for ids in ids.chunks(BATCH) {
        sealed.vault().transaction(|tx| {
            let mut stmt = tx.prepare(UPDATE)?;
            for id in ids {
                stmt.bind(1, name)?;
                stmt.bind(2, id_value(id.as_ref()))?;
                stmt.step()?;
            }
            Ok(())
        })?;
    }
    Ok(watch.spent())
}
