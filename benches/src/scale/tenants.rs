//! One table of more and more tenants, each with keys of its own, against a plain one with a tenant column.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::{Connection, params};
use sealite::{Column, ExposeSecret, Index, TableDefinition, Unlock, Value, Vault, values};
use serde_json::{Value as Json, json};

use super::{KEY, Options, line, steps, told};
use crate::Outcome;
use crate::measure::{Comparison, Stopwatch, interleave, interleave_reads};
use crate::people::rng::SplitMix64;
use crate::plain::{Bound, set_up};

/// Rows of each tenant.
const ROWS: usize = 10;
/// Look-ups a measurement, each in a tenant at random.
const LOOKUPS: usize = 5_000;
/// Tenants a transaction.
const BATCH: usize = 100;

/// Measures it at each power of ten.
pub(super) fn measure(options: &Options, work: &Path, out: &mut dyn Write) -> Outcome<Json> {
    let mut results = Vec::new();
    for count in steps(1, options.tenants, 10) {
        let folder = tempfile::tempdir_in(work)?;
        results.push(of(count, options.repeats, folder.path(), out)?);
    }
    Ok(Json::Array(results))
}

fn of(count: usize, repeats: usize, folder: &Path, out: &mut dyn Write) -> Outcome<Json> {
    let (plain_path, sealed_path) = (folder.join("plain.db"), folder.join("sealed.db"));
    let names: Vec<String> = (0..count).map(name).collect();
    let key = sealite::generate_key()?;
    let unlock = Unlock::key_text(key.expose_secret())?;
    let vault = Vault::create(&sealed_path, &unlock)?;
    let email = Column::text("email").sealed().not_null().index(Index::unique());
    let table = TableDefinition::new("users").per_tenant().column(email);
    vault.define_table(&table.column(Column::text("name").sealed()))?;
    let conn = Connection::open(&plain_path)?;
    set_up(&conn, "FULL")?;
    conn.execute_batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, email TEXT NOT NULL, name TEXT);
         CREATE UNIQUE INDEX users_by_email ON users (tenant, email);",
    )?;
    let mut pairs = Vec::new();
    for names in names.chunks(BATCH) {
        let watch = Stopwatch::start();
        fill_plain(&conn, names)?;
        let spent = watch.spent();
        let watch = Stopwatch::start();
        fill_sealed(&vault, names)?;
        pairs.push((spent, watch.spent()));
    }
    let insert = Comparison::of(&pairs).ok_or("no batch")?.each(names.len().min(BATCH) * ROWS);
    vault.close();
    let memory = memory(&sealed_path, key.expose_secret(), count)?;
    let vault = Vault::open(&sealed_path, &unlock)?;
    read_each(&vault, count)?;
    let get = reads(&conn, &vault, &names, repeats, true)?;
    let find = reads(&conn, &vault, &names, repeats, false)?;
    vault.close();
    // What the last connection does when it closes is part of both sides.
    drop(conn);
    let open = interleave(
        repeats,
        || {
            let watch = Stopwatch::start();
            for _ in 0..OPENINGS {
                set_up(&Connection::open(&plain_path)?, "FULL")?;
            }
            Ok(watch.spent())
        },
        || {
            let watch = Stopwatch::start();
            for _ in 0..OPENINGS {
                Vault::open(&sealed_path, &unlock)?.close();
            }
            Ok(watch.spent())
        },
    )?;
    let (get, find, open) = (get.each(LOOKUPS), find.each(LOOKUPS), open.each(OPENINGS));
    let all = [("a row of a new tenant", &insert), ("get", &get), ("find", &find), ("open", &open)];
    for (what, measured) in all {
        line(out, count, what, measured)?;
    }
    let [insert, get, find, open] = [insert, get, find, open].map(|measured| told(&measured));
    Ok(
        json!({"count": count, "insert": insert, "get": get, "find": find, "open": open, "memory": memory}),
    )
}

/// Rows of tenants at random, by id or by e-mail.
fn reads(
    conn: &Connection,
    vault: &Vault,
    names: &[String],
    repeats: usize,
    by_id: bool,
) -> Outcome<Comparison> {
    let below = (names.len() * ROWS) as u64;
    let place = |number| SplitMix64::for_item(5, number).below(below) as usize;
    let places: Vec<usize> = (1..=LOOKUPS as u64).map(place).collect();
    let wanted = |at: usize| {
        if by_id { Value::from(at as i64 + 1) } else { Value::from(address(at % ROWS)) }
    };
    let column = if by_id { "id" } else { "email" };
    interleave_reads(
        repeats,
        || {
            let sql = format!("SELECT email, name FROM users WHERE tenant = ? AND {column} = ?");
            let mut stmt = conn.prepare(&sql)?;
            let mut read = |at: usize| -> Outcome<u64> {
                let wanted = wanted(at);
                let found = (names.get(at / ROWS), Bound(wanted.as_ref()));
                Ok(stmt.query_row(found, |row| {
                    Ok(weight(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?))
                })?)
            };
            places.iter().try_fold(0, |sum, at| Ok(sum + read(*at)?))
        },
        || {
            let read = |at: usize| -> Outcome<u64> {
                let tenant = vault.tenant(names.get(at / ROWS).ok_or("no such tenant")?)?;
                let table = tenant.table("users")?;
                let row = if by_id {
                    table.get(at as i64 + 1)?
                } else {
                    table.find_one("email", wanted(at).as_ref())?
                };
                Ok(weigh(&row.ok_or("a row is missing")?))
            };
            places.iter().try_fold(0, |sum, at| Ok(sum + read(*at)?))
        },
    )
}

/// Openings a measurement.
const OPENINGS: usize = 20;

fn fill_plain(conn: &Connection, names: &[String]) -> Outcome<()> {
    let transaction = conn.unchecked_transaction()?;
    let mut stmt = conn.prepare("INSERT INTO users (tenant, email, name) VALUES (?, ?, ?)")?;
    for name in names {
        for row in 0..ROWS {
            stmt.execute(params![name, address(row), "Ada Lovelace"])?;
        }
    }
    drop(stmt);
    Ok(transaction.commit()?)
}

fn fill_sealed(vault: &Vault, names: &[String]) -> Outcome<()> {
    Ok(vault.transaction(|tx| {
        for name in names {
            let table = tx.tenant_table(name, "users")?;
            for row in 0..ROWS {
                table.insert(values! {"email" => &address(row), "name" => "Ada Lovelace"})?;
            }
        }
        Ok(())
    })?)
}

fn address(row: usize) -> String {
    format!("person{row}@mail.example")
}

fn weigh(row: &sealite::Row) -> u64 {
    let text = |at| row.at(at).and_then(sealite::ValueRef::as_str).unwrap_or_default();
    weight(text(0), text(1))
}

fn weight(email: &str, name: &str) -> u64 {
    (email.len() + name.len()) as u64
}

/// Reads a row of every tenant: its keys are there from then on, as far as the cache of keys goes.
fn read_each(vault: &Vault, count: usize) -> Outcome<()> {
    for at in 0..count {
        let id = (at * ROWS + 1) as i64;
        vault.tenant(&name(at))?.table("users")?.get(id)?.ok_or("a row is missing")?;
    }
    Ok(())
}

fn name(number: usize) -> String {
    format!("tenant-{number}")
}

/// What a process grows by when it opens the file and reads in every tenant. In one that does nothing else: where much was
/// freed before, what is taken again doesn't show.
fn memory(path: &Path, key: &str, count: usize) -> Outcome<u64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--work-on").arg(path).arg("--tenants-of").arg(count.to_string());
    let output = command.env(KEY, key).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("a process that reads in every tenant failed".into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The process started for this: opens the file, reads in so many tenants, and writes how many bytes it took.
///
/// # Errors
/// Where the file can't be opened or read, or the system doesn't tell.
pub fn tell_memory(path: &Path, key: &str, count: usize, out: &mut dyn Write) -> Outcome<()> {
    let before = anonymous()?;
    let vault = Vault::open(path, &Unlock::key_text(key)?)?;
    read_each(&vault, count)?;
    writeln!(out, "{}", anonymous()?.saturating_sub(before))?;
    Ok(())
}

/// Bytes of this process in memory that no file stands behind.
fn anonymous() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no RssAnon")?;
    Ok(kib.trim().parse::<u64>()? * 1_024)
}
