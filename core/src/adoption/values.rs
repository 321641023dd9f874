//! Single sealed values in the application's own database.

use std::time::Instant;

use super::check::{FieldTable, look};
use super::estimate::{bytes, scaled, scaled_time};
use super::plan::AdoptionPlan;
use super::source::{Database, transaction};
use super::write::Writer;
use super::{AdoptedTable, AdoptionPhase, AdoptionPreview, AdoptionProgress, TablePreview, Watch};
use crate::audit::note;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::erasure::Erasure;
use crate::error::{Result, fail};
use crate::table::session::Session;
use crate::vault::Vault;

/// What is planned for each table.
pub(super) fn preview(vault: &Vault, plan: &AdoptionPlan) -> Result<Vec<TablePreview>> {
    let source = source_of(vault, plan)?;
    let conn = source.reader()?;
    let mut found = Vec::new();
    for planned in &plan.tables {
        let table = look(&conn, planned)?;
        found.push(preview_of(vault, &conn, table)?);
    }
    Ok(found)
}

fn preview_of(vault: &Vault, conn: &Conn, mut table: FieldTable) -> Result<TablePreview> {
    let rows = rows(conn, &table.name)?;
    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
    let bytes = bytes(conn, &table.name, columns)?;
    let began = Instant::now();
    let sampled = Writer::new(vault, conn, &table).sample();
    let took = began.elapsed();
    let (sampled, grown) = sampled.unwrap_or_else(|error| {
        table.refused.push(error.message().to_owned());
        (0, 0)
    });
    let complete = table.adds.is_empty() && table.indexes.is_empty() && table.drops.is_empty();
    Ok(TablePreview {
        done: table.refused.is_empty()
            && complete
            && grown == 0
            && Writer::new(vault, conn, &table).looks_sealed()?,
        table: table.name,
        rows,
        bytes,
        bytes_after: scaled(grown, rows, sampled),
        time: scaled_time(took * 3, rows, sampled),
        kept: table.kept,
        changed: table.changed,
        refused: table.refused,
    })
}

/// Seals them.
pub(super) fn adopt(
    vault: &Vault,
    plan: &AdoptionPlan,
    preview: &AdoptionPreview,
    watch: &Watch<'_>,
) -> Result<(Vec<AdoptedTable>, Erasure)> {
    let source = source_of(vault, plan)?;
    let mut adopted: Vec<AdoptedTable> = preview
        .tables
        .iter()
        .map(|seen| {
            let (table, rows) = (seen.table.clone(), seen.rows);
            AdoptedTable { table, rows, was_done: seen.done, removed: false }
        })
        .collect();
    {
        let conn = source.writer()?;
        for (planned, seen) in plan.tables.iter().zip(&adopted) {
            if !seen.was_done {
                stage(vault, &conn, &look(&conn, planned)?, (seen.rows, watch))?;
            }
        }
        // Two files can't be committed at once: what follows is announced, lest it happen without an entry.
        for (planned, seen) in plan.tables.iter().zip(&adopted) {
            if !seen.was_done {
                audit(vault, "values.adopting", &look(&conn, planned)?)?;
            }
        }
        // All tables at once: the application's program is changed for all of them.
        let placed = transaction(&conn, || {
            let mut placed = Vec::new();
            for (planned, done) in plan.tables.iter().zip(&mut adopted) {
                if !done.was_done {
                    let table = look(&conn, planned)?;
                    done.rows = place(vault, &conn, &table, (done.rows, watch))?;
                    placed.push(table);
                }
            }
            if !placed.is_empty() {
                Database::mark(&conn)?;
            }
            Ok(placed)
        })?;
        for table in &placed {
            audit(vault, "values.adopted", table)?;
        }
    }
    watch(AdoptionProgress { table: "", phase: AdoptionPhase::Erasing, done: 0, total: 0 })?;
    Ok((adopted, source.erase()?))
}

/// Seals every value beside the table, which others go on using.
fn stage(
    vault: &Vault,
    conn: &Conn,
    table: &FieldTable,
    (total, watch): (u64, &Watch<'_>),
) -> Result<()> {
    let mut writer = Writer::new(vault, conn, table);
    transaction(conn, || writer.prepare())?;
    let mut done = writer.prepared()?;
    loop {
        let phase = AdoptionPhase::Sealing;
        watch(AdoptionProgress { table: &table.name, phase, done, total })?;
        let sealed = transaction(conn, || writer.stage())?;
        done += sealed;
        if sealed == 0 {
            return Ok(());
        }
    }
}

/// Puts what was sealed in its place.
fn place(
    vault: &Vault,
    conn: &Conn,
    table: &FieldTable,
    (total, watch): (u64, &Watch<'_>),
) -> Result<u64> {
    // It may have been altered meanwhile.
    if !table.refused.is_empty() {
        fail!(Refused, "table {}: {}", table.name, table.refused.join("; "));
    }
    Writer::new(vault, conn, table).place(&|done| {
        let phase = AdoptionPhase::Verifying;
        watch(AdoptionProgress { table: &table.name, phase, done, total })
    })
}

fn audit(vault: &Vault, event: &str, table: &FieldTable) -> Result<()> {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    Session::run(vault.engine(), |session| {
        let payload = serde_json::json!({"table": table.name, "columns": columns});
        note(session, event, payload)
    })
}

fn source_of(vault: &Vault, plan: &AdoptionPlan) -> Result<Database> {
    match &plan.source {
        Some(path) => Database::open(vault, path),
        None => fail!(InvalidInput, "the plan names no database of the application's"),
    }
}

fn rows(conn: &Conn, table: &str) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM main.{}", quote(table));
    let rows = conn.first(&sql, &[], |row| row.integer(0))?.unwrap_or(0);
    Ok(u64::try_from(rows).unwrap_or(0))
}
