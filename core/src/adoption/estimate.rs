//! What an adoption will take, measured on a sample.

use std::time::{Duration, Instant};

use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::Result;
use crate::table::ProtectionPlan;
use crate::table::protect::{Job, sample};
use crate::vault::Vault;

/// For a whole table.
#[derive(Default)]
pub(super) struct Estimate {
    pub(super) bytes: u64,
    pub(super) bytes_after: u64,
    pub(super) time: Duration,
}

/// Every row is opened once more to be compared, which takes about as long as sealing it.
const PASSES: u32 = 2;

/// Seals the first rows of a table in a vault in memory. `conn` is of the file of the plain table.
pub(super) fn table(conn: &Conn, job: &Job<'_>, planned: &ProtectionPlan) -> Result<Estimate> {
    let definition = &planned.definition;
    let columns = definition.columns.iter().map(|column| job.origin(&column.name).to_owned());
    let bytes = bytes(conn, &definition.name, columns.collect())?;
    if planned.rows == 0 || !planned.obstacles.is_empty() {
        return Ok(Estimate { bytes, ..Estimate::default() });
    }
    let vault = Vault::in_memory()?;
    let engine = vault.engine();
    let before = size(&vault)?;
    let began = Instant::now();
    let rows = sample(engine, (job, conn), definition)?;
    let took = began.elapsed();
    let rows = u64::try_from(rows).unwrap_or(0);
    let grown = size(&vault)?.saturating_sub(before);
    Ok(Estimate {
        bytes,
        bytes_after: scaled(grown, planned.rows, rows),
        time: scaled_time(took * PASSES, planned.rows, rows),
    })
}

/// What all rows take, of which so many take so much.
pub(super) fn scaled(some: u64, all: u64, rows: u64) -> u64 {
    let whole = u128::from(some) * u128::from(all) / u128::from(rows.max(1));
    u64::try_from(whole).unwrap_or(u64::MAX)
}

pub(super) fn scaled_time(some: Duration, all: u64, rows: u64) -> Duration {
    let nanoseconds = u64::try_from(some.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(scaled(nanoseconds, all, rows))
}

/// Bytes of the values of a table.
pub(super) fn bytes(conn: &Conn, table: &str, mut columns: Vec<String>) -> Result<u64> {
    columns.sort();
    columns.dedup();
    let lengths: Vec<String> = columns
        .iter()
        .map(|column| format!("coalesce(total(length(CAST({} AS BLOB))), 0)", quote(column)))
        .collect();
    let sql = format!("SELECT CAST({} AS INTEGER) FROM main.{}", lengths.join(" + "), quote(table));
    let bytes = conn.first(&sql, &[], |row| row.integer(0))?;
    Ok(u64::try_from(bytes.unwrap_or(0)).unwrap_or(0))
}

fn size(vault: &Vault) -> Result<u64> {
    vault.engine().read(|conn, _| {
        let number =
            |sql: &str| conn.first(sql, &[], |row| row.integer(0)).map(Option::unwrap_or_default);
        let bytes = number("PRAGMA page_count")?.saturating_mul(number("PRAGMA page_size")?);
        Ok(u64::try_from(bytes).unwrap_or(0))
    })
}
