//! The engine's own state: entries of the audit trail, charges of quotas.

#![allow(clippy::cast_possible_wrap)] // counts of thousands

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value as Stored;
use sealite::{Entry, Limit, Unlock, Vault};

use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::measure::{Spent, Stopwatch, interleave};
use crate::plain::set_up;
use crate::sealed::fresh_key;

/// Entries a measurement.
pub(super) const ENTRIES: usize = 10_000;
/// Charges a measurement.
const CHARGES: usize = 5_000;
/// Quota keys that take turns.
const KEYS: usize = 500;
/// A limit that is never reached here, with a window that charges are counted apart in.
const LIMIT: u32 = 1_000_000;

/// Measures both.
pub(super) fn measure(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    audit(options, &work.join("audit"), note)?;
    quota(options, &work.join("quota"), note)
}

fn audit(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    std::fs::create_dir(work)?;
    let trail = Trail::new(work)?;
    let compared = interleave(options.pairs, || trail.insert(), || trail.append())?;
    note(Measured {
        name: "audit_append_vs_insert",
        what: format!(
            "Transaction::audit (event, actor, subject, trace id, a payload of 3 members) inside a transaction of \
             {ENTRIES} entries, without its begin and commit, against a prepared INSERT of the very rows that are \
             stored for them, in a transaction too; entries and rows are made before"
        ),
        comparison: compared.each(ENTRIES),
        unit: Unit::Time,
    })
}

/// A trail, and a plain table of what it stores.
pub(super) struct Trail {
    path: PathBuf,
    unlock: Unlock,
    plain: Connection,
    rows: Vec<Vec<Stored>>,
}

impl Trail {
    pub(super) fn new(work: &Path) -> Outcome<Self> {
        let (path, unlock) = (work.join("sealed.db"), fresh_key()?);
        Vault::create(&path, &unlock)?.close();
        // What a first pass has stored is what the plain side stores.
        append(&path, &unlock)?;
        let rows = stored(&path)?;
        let plain = Connection::open(work.join("plain.db"))?;
        set_up(&plain, "FULL")?;
        plain.execute_batch(
            "CREATE TABLE entries (seq INTEGER PRIMARY KEY, at INTEGER, event TEXT, tenant TEXT, trace_id TEXT,
                                   correlation_id TEXT, digest BLOB, chain BLOB, sealed BLOB)",
        )?;
        Ok(Trail { path, unlock, plain, rows })
    }

    pub(super) fn append(&self) -> Outcome<Spent> {
        append(&self.path, &self.unlock)
    }

    pub(super) fn insert(&self) -> Outcome<Spent> {
        insert(&self.plain, &self.rows)
    }
}

/// Appends in one transaction; what the appending took.
fn append(path: &Path, unlock: &Unlock) -> Outcome<Spent> {
    let vault = Vault::open(path, unlock)?;
    let transaction = vault.begin()?;
    transaction.audit(&entry(0))?;
    // Prepared before, as the plain side's rows are.
    let entries: Vec<Entry> = (1..ENTRIES).map(entry).collect();
    let watch = Stopwatch::start();
    for entry in &entries {
        transaction.audit(entry)?;
    }
    let spent = watch.spent();
    transaction.commit()?;
    vault.close();
    Ok(spent)
}

fn entry(number: usize) -> Entry {
    Entry::new("user.changed")
        .actor("admin@example.org")
        .subject(format!("user-{number}"))
        .trace_id("4bf92f3577b34da6a3ce929d0e0e4736")
        .payload(r#"{"field":"email","from":"form","ok":true}"#)
}

/// The rows that the trail consists of, as they stand in the file.
fn stored(path: &Path) -> Outcome<Vec<Vec<Stored>>> {
    let conn = Connection::open(path)?;
    let mut select = conn.prepare(
        "SELECT seq, at, event, tenant, trace_id, correlation_id, digest, chain, sealed FROM sealite_audit_sealed
         ORDER BY seq DESC LIMIT ?",
    )?;
    let count = i64::try_from(ENTRIES - 1)?;
    let rows = select.query_map([count], |row| (0..9).map(|at| row.get(at)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn insert(conn: &Connection, rows: &[Vec<Stored>]) -> Outcome<Spent> {
    // Each pass goes on behind the last, as the trail does.
    let last: i64 =
        conn.query_row("SELECT coalesce(max(seq), 0) FROM entries", [], |row| row.get(0))?;
    let transaction = conn.unchecked_transaction()?;
    let mut insert = conn.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    let watch = Stopwatch::start();
    for (seq, row) in (last + 1..).zip(rows) {
        insert.raw_bind_parameter(1, seq)?;
        for (at, value) in row.iter().enumerate().skip(1) {
            insert.raw_bind_parameter(at + 1, value)?;
        }
        insert.raw_execute()?;
    }
    let spent = watch.spent();
    drop(insert);
    transaction.commit()?;
    Ok(spent)
}

fn quota(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    std::fs::create_dir(work)?;
    let vault = Vault::create(work.join("sealed.db"), &fresh_key()?)?;
    let quotas = vault.quotas();
    let limits = [Limit::sliding(LIMIT, Duration::from_secs(60))?];
    let keys: Vec<String> = (0..KEYS).map(|number| format!("login:198.51.100.{number}")).collect();
    let charge = || {
        let watch = Stopwatch::start();
        for key in keys.iter().cycle().take(CHARGES) {
            if !quotas.check_and_charge(key, &limits, 1)?.allowed {
                return Err("a limit was reached".into());
            }
        }
        Ok(watch.spent())
    };
    let plain = Connection::open(work.join("plain.db"))?;
    set_up(&plain, "NORMAL")?;
    plain.execute_batch(
        "CREATE TABLE quotas (key TEXT PRIMARY KEY, used INTEGER, expires INTEGER)",
    )?;
    for key in &keys {
        plain.execute("INSERT INTO quotas VALUES (?, 0, 0)", [key])?;
    }
    let mut update = plain
        .prepare("UPDATE quotas SET used = used + 1, expires = ?2 WHERE key = ?1 AND used < ?3")?;
    let mut update = || {
        let watch = Stopwatch::start();
        for (number, key) in (0_i64..).zip(keys.iter().cycle().take(CHARGES)) {
            if update.execute((key, number, LIMIT))? != 1 {
                return Err("a limit was reached".into());
            }
        }
        Ok(watch.spent())
    };
    // Rows that do not exist yet are another measurement.
    charge()?;
    let compared = interleave(options.pairs, &mut update, charge)?;
    note(Measured {
        name: "quota_charge_vs_update",
        what: format!(
            "check_and_charge under one sliding limit, {KEYS} keys in turn, each a transaction of its own, against a \
             prepared UPDATE of a counter by its key, each a transaction of its own; synchronous=NORMAL on both sides"
        ),
        comparison: compared.each(CHARGES),
        unit: Unit::Time,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn both_are_measured_and_the_plain_side_stores_what_the_trail_stores() {
        let work = tempfile::tempdir().unwrap();
        let options = Options {
            rows: 1,
            pairs: 1,
            out: work.path().join("ratios.json"),
            python: None,
            table: None,
            only: None,
        };
        let mut names = Vec::new();
        measure(&options, work.path(), &mut |one| {
            names.push(one.name);
            Ok(())
        })
        .unwrap();
        assert_eq!(names, ["audit_append_vs_insert", "quota_charge_vs_update"]);
        let conn = Connection::open(work.path().join("audit/plain.db")).unwrap();
        let bytes = |conn: &Connection, table: &str| -> i64 {
            let sql =
                format!("SELECT sum(length(sealed) + length(chain)) FROM {table} WHERE seq > 100");
            conn.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert!(bytes(&conn, "entries") > (i64::try_from(ENTRIES).unwrap() - 200) * 200);
    }
}
