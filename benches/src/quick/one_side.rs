//! One side of one ratio, again and again: for a profiler, which can't tell two sides apart.

use std::io::Write;
use std::path::Path;

use sealite::ValueRef;

use super::tables::{remove, some_emails, some_ids};
use super::{rotation, sql, state};
use crate::Outcome;
use crate::dataset::{Dataset, id_value};
use crate::measure::{Spent, Stopwatch};
use crate::plain::Plain;
use crate::sealed::{Sealed, fresh_key};

/// What can be run alone.
pub const OPERATIONS: [&str; 12] = [
    "insert",
    "get",
    "find",
    "scan",
    "audit",
    "reseal",
    "sql_insert",
    "sql_get",
    "sql_find",
    "sql_scan",
    "sql_scan_plain_columns",
    "sql_update",
];

/// Runs an operation on one side `rounds` times, in a folder that is empty, and prints the time that one of it takes.
///
/// # Errors
/// Where the operation is unknown, and whatever the work fails with.
pub fn run(
    operation: &str,
    sealed: bool,
    rows: usize,
    rounds: usize,
    work: &Path,
    out: &mut dyn Write,
) -> Outcome<()> {
    let data = Dataset::people(rows);
    let unlock = fresh_key()?;
    let (names, values) = (data.insert_names(), data.insert_rows());
    let path = work.join("one-side.db");
    let ids = some_ids(&data);
    let keys: Vec<ValueRef<'_>> = ids.iter().map(|id| id_value(id.as_ref())).collect();
    let emails = some_emails(&data)?;
    let everything = [ValueRef::Null];
    let mut spent = Vec::with_capacity(rounds);
    let wanted = match operation {
        "sql_get" => Some((sql::GET, keys.as_slice())),
        "sql_find" => Some((sql::FIND, emails.as_slice())),
        "sql_scan" => Some((sql::SCAN, everything.as_slice())),
        "sql_scan_plain_columns" => Some((sql::SCAN_PLAIN, everything.as_slice())),
        _ => None,
    };
    let mut count = rows;
    match operation {
        "insert" | "sql_insert" => {
            for _ in 0..rounds {
                spent.push(insert(operation, sealed, &data, &path)?);
            }
        }
        "audit" => {
            count = state::ENTRIES;
            let side = state::Trail::new(work)?;
            for _ in 0..rounds {
                spent.push(if sealed { side.append()? } else { side.insert()? });
            }
        }
        "reseal" => {
            let mut sides = rotation::Sides::new(&data, work)?;
            for _ in 0..rounds {
                spent.push(if sealed { sides.reseal()? } else { sides.update()? });
            }
        }
        _ => {
            let (plain, vault) = if sealed {
                let table = Sealed::create(&path, &unlock, &data)?;
                table.insert(&names, &values, sql::BATCH)?;
                (None, Some(table))
            } else {
                let table = Plain::create(&path, &data)?;
                table.insert(&names, &values, sql::BATCH)?;
                table.checkpoint()?;
                (Some(table), None)
            };
            if !matches!(operation, "scan" | "sql_scan" | "sql_scan_plain_columns") {
                count = ids.len();
            }
            for round in 0..rounds {
                let name = format!("Another Name {}", round + 10);
                spent.push(match (&plain, &vault, operation) {
                    (Some(plain), _, "sql_update") => {
                        sql::update_plain(plain.connection(), &ids, &name)?
                    }
                    (_, Some(sealed), "sql_update") => sql::update_sealed(sealed, &ids, &name)?,
                    (Some(plain), ..) => timed(&mut || {
                        match (wanted, operation) {
                            (Some((text, wanted)), _) => {
                                sql::read_in_transaction(plain.connection(), text, wanted)?
                            }
                            (_, "get") => plain.get(&ids)?,
                            (_, "find") => plain.find("email", &emails)?,
                            (_, "scan") => plain.scan()?,
                            _ => return Err(unknown(operation)),
                        };
                        Ok(())
                    })?,
                    (None, Some(sealed), _) => timed(&mut || {
                        match (wanted, operation) {
                            (Some((text, wanted)), _) => {
                                sql::read_in_snapshot(sealed, text, wanted)?
                            }
                            (_, "get") => sealed.get(&ids)?,
                            (_, "find") => sealed.find("email", &emails)?,
                            (_, "scan") => sealed.scan()?,
                            _ => return Err(unknown(operation)),
                        };
                        Ok(())
                    })?,
                    (None, None, _) => return Err(unknown(operation)),
                });
            }
        }
    }
    report(operation, sealed, count, &spent, out)
}

fn timed(work: &mut dyn FnMut() -> Outcome<()>) -> Outcome<Spent> {
    let watch = Stopwatch::start();
    work()?;
    Ok(watch.spent())
}

/// Fills a fresh database.
fn insert(operation: &str, sealed: bool, data: &Dataset, path: &Path) -> Outcome<Spent> {
    let (names, values) = (data.insert_names(), data.insert_rows());
    remove(path)?;
    if sealed {
        let table = Sealed::create(path, &fresh_key()?, data)?;
        let spent = timed(&mut || match operation {
            "insert" => table.insert(&names, &values, sql::BATCH),
            _ => sql::insert_sealed(&table, data),
        })?;
        table.close();
        Ok(spent)
    } else {
        let table = Plain::create(path, data)?;
        let spent = timed(&mut || match operation {
            "insert" => table.insert(&names, &values, sql::BATCH),
            _ => sql::insert_plain(table.connection(), data),
        })?;
        table.checkpoint()?;
        Ok(spent)
    }
}

fn unknown(operation: &str) -> Box<dyn std::error::Error> {
    format!("{operation} can't be run alone: one of {}", OPERATIONS.join(", ")).into()
}

/// The least of the rounds: what disturbs one only adds to it.
fn report(
    operation: &str,
    sealed: bool,
    count: usize,
    spent: &[Spent],
    out: &mut dyn Write,
) -> Outcome<()> {
    let each = |time: std::time::Duration| time.as_nanos() / count as u128;
    let wall = spent.iter().map(|spent| spent.wall).min().map_or(0, each);
    let cpu = spent.iter().filter_map(|spent| spent.cpu).min().map_or(0, each);
    let side = if sealed { "sealed" } else { "plain" };
    writeln!(out, "{operation} {side}: {wall} ns, CPU {cpu} ns, the best of {}", spent.len())?;
    Ok(())
}
