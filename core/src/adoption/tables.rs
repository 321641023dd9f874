//! Sealed tables: in place, or copied from the application's database into the vault.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::changes::TableChanges;
use super::plan::{AdoptionPlan, TablePlan};
use super::source::{Database, transaction};
use super::{
    AdoptedTable, AdoptionPhase, AdoptionPreview, AdoptionProgress, TablePreview, Watch, estimate,
};
use crate::audit::note;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::erasure::Erasure;
use crate::error::{Result, fail};
use crate::table::Column;
use crate::table::protect::{self, Elsewhere, Job};
use crate::table::session::Session;
use crate::vault::Vault;

/// What is planned for each table, those first that others refer to.
pub(super) fn preview(vault: &Vault, plan: &AdoptionPlan) -> Result<Vec<TablePreview>> {
    let source = source_of(vault, plan)?;
    let held = source.as_ref().map(Database::reader).transpose()?;
    let tables = in_order(vault, plan, held.as_deref())?;
    let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
    let mut found = Vec::new();
    for table in &tables {
        if vault.tables()?.iter().any(|there| there.name.eq_ignore_ascii_case(&table.name)) {
            let refused = match held.as_deref() {
                Some(conn) if plan.removes => users(conn, &table.name, &names)?,
                _ => Vec::new(),
            };
            found.push(TablePreview { refused, ..done(vault, table)? });
            continue;
        }
        let changes = read(vault, held.as_deref(), |conn| TableChanges::new(conn, table))?;
        let drops = plan.removes;
        let elsewhere = held.as_deref().map(|conn| Elsewhere { conn, coming: &names, drops });
        let job = Job::of(&table.name, wanted(table))?.elsewhere(elsewhere).changes(&changes);
        let mut planned = protect::planned(vault.engine(), &job)?;
        let estimate = read(vault, held.as_deref(), |conn| estimate::table(conn, &job, &planned));
        let estimate = estimate.unwrap_or_else(|error| {
            planned.obstacles.push(error.message().to_owned());
            estimate::Estimate::default()
        });
        found.push(TablePreview {
            table: planned.definition.name.clone(),
            done: false,
            rows: planned.rows,
            bytes: estimate.bytes,
            bytes_after: estimate.bytes_after,
            time: estimate.time,
            kept: planned.kept,
            changed: planned.changed,
            refused: planned.obstacles,
        });
    }
    Ok(found)
}

/// A table that was converted before; an error where it was in another way.
fn done(vault: &Vault, table: &TablePlan) -> Result<TablePreview> {
    protect::is_done(vault.engine(), &Job::of(&table.name, wanted(table))?)?;
    Ok(TablePreview {
        table: table.name.clone(),
        done: true,
        rows: rows(vault, &table.name)?,
        bytes: 0,
        bytes_after: 0,
        time: std::time::Duration::ZERO,
        kept: Vec::new(),
        changed: Vec::new(),
        refused: Vec::new(),
    })
}

/// What uses a table that is to be removed, where it is still there.
fn users(conn: &Conn, table: &str, names: &[String]) -> Result<Vec<String>> {
    let Some(plain) = protect::plain::read(conn, table)? else { return Ok(Vec::new()) };
    let stays = |child: &&protect::plain::Child| {
        !names.iter().any(|name| name.eq_ignore_ascii_case(&child.table))
    };
    let children = plain.children.iter().filter(stays);
    let children =
        children.map(|child| format!("the foreign key of table {} refers to it", child.table));
    let dependents = plain
        .dependents
        .iter()
        .map(|dependent| format!("{} uses it: drop it first", dependent.what));
    Ok(children.chain(dependents).collect())
}

/// Converts them.
pub(super) fn adopt(
    vault: &Vault,
    plan: &AdoptionPlan,
    preview: &AdoptionPreview,
    watch: &Watch<'_>,
) -> Result<(Vec<AdoptedTable>, Erasure)> {
    let mut adopted = Vec::new();
    {
        let source = source_of(vault, plan)?;
        let held = source.as_ref().map(Database::reader).transpose()?;
        let tables = in_order(vault, plan, held.as_deref())?;
        let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        for (table, seen) in tables.iter().zip(&preview.tables) {
            if !seen.done {
                let drops = plan.removes;
                let elsewhere =
                    held.as_deref().map(|conn| Elsewhere { conn, coming: &names, drops });
                convert(vault, table, elsewhere, (seen.rows, watch))?;
            }
            adopted.push(AdoptedTable {
                table: seen.table.clone(),
                rows: rows(vault, &table.name)?,
                was_done: seen.done,
                removed: false,
            });
        }
    }
    if plan.removes {
        remove(vault, plan, &mut adopted, watch)?;
    }
    watch(AdoptionProgress { table: "", phase: AdoptionPhase::Erasing, done: 0, total: 0 })?;
    let erasure = match (&plan.source, plan.removes) {
        (Some(path), true) => Database::open(vault, path)?.erase()?,
        _ => vault.finish_erasure()?,
    };
    Ok((adopted, erasure))
}

fn convert(
    vault: &Vault,
    table: &TablePlan,
    elsewhere: Option<Elsewhere<'_>>,
    (total, watch): (u64, &Watch<'_>),
) -> Result<()> {
    let held = elsewhere.map(|elsewhere| elsewhere.conn);
    let changes = read(vault, held, |conn| TableChanges::new(conn, table))?;
    let seen = |phase: protect::Phase, done| {
        watch(AdoptionProgress { table: &table.name, phase: phase.into(), done, total })
    };
    let job = Job::of(&table.name, wanted(table))?;
    let job = job.elsewhere(elsewhere).changes(&changes).watch(&seen);
    let columns: Vec<String> =
        table.columns.iter().map(|planned| planned.target().specification()).collect();
    protect::protect(vault.engine(), &job, &|session, name| {
        note(session, "table.adopted", serde_json::json!({"table": name, "columns": columns}))
    })
}

/// Drops the tables from the application's database, those first that refer to others. Every row is compared once more: it may
/// be long since they were copied.
fn remove(
    vault: &Vault,
    plan: &AdoptionPlan,
    adopted: &mut [AdoptedTable],
    watch: &Watch<'_>,
) -> Result<()> {
    let Some(path) = &plan.source else { return Ok(()) };
    let source = Database::open(vault, path)?;
    let conn = source.writer()?;
    transaction(&conn, || {
        for done in adopted.iter_mut().rev() {
            let Some(table) = plan.tables.iter().find(|t| t.name.eq_ignore_ascii_case(&done.table))
            else {
                continue;
            };
            if !is_there(&conn, &table.name)? {
                continue;
            }
            let changes = TableChanges::new(&conn, table)?;
            let total = done.rows;
            let seen = |phase: protect::Phase, done| {
                watch(AdoptionProgress { table: &table.name, phase: phase.into(), done, total })
            };
            let elsewhere = Elsewhere { conn: &conn, coming: &[], drops: true };
            let job = Job::of(&table.name, wanted(table))?
                .elsewhere(Some(elsewhere))
                .changes(&changes)
                .watch(&seen);
            if !Session::run(vault.engine(), |session| protect::is_equal(session, &job))? {
                fail!(
                    Refused,
                    "table {} is no longer what was copied: it is not removed",
                    table.name
                );
            }
            // The rows first: of what DROP TABLE deletes by itself SQLite keeps a copy in memory.
            let name = quote(&table.name);
            conn.batch(&format!("DELETE FROM main.{name}; DROP TABLE main.{name};"))?;
            done.removed = true;
        }
        if adopted.iter().any(|table| table.removed) { Database::mark(&conn) } else { Ok(()) }
    })
}

/// The application's database, where it is another file than the vault's.
fn source_of(vault: &Vault, plan: &AdoptionPlan) -> Result<Option<Database>> {
    plan.source.as_ref().map(|path| Database::open(vault, path)).transpose()
}

/// Reads where the plain tables are.
fn read<T>(
    vault: &Vault,
    held: Option<&Conn>,
    mut work: impl FnMut(&Conn) -> Result<T>,
) -> Result<T> {
    match held {
        Some(conn) => work(conn),
        None => vault.engine().read(|conn, _| work(conn)),
    }
}

/// What becomes of the columns that stay one.
fn wanted(table: &TablePlan) -> Vec<(Column, bool)> {
    let whole = table.columns.iter().filter(|planned| planned.into.is_none());
    whole.map(|planned| (planned.column.clone(), planned.typed)).collect()
}

/// The tables of the plan, those first that others refer to.
fn in_order<'p>(
    vault: &Vault,
    plan: &'p AdoptionPlan,
    held: Option<&Conn>,
) -> Result<Vec<&'p TablePlan>> {
    let mut waiting: Vec<&TablePlan> = plan.tables.iter().collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let names: HashSet<String> = waiting.iter().map(|t| t.name.to_lowercase()).collect();
        let mut later = Vec::new();
        for table in &waiting {
            let waits = read(vault, held, |conn| waits(conn, &table.name, &names))?;
            if waits { later.push(*table) } else { ordered.push(*table) }
        }
        if later.len() == waiting.len() {
            // They refer to each other in a circle.
            if plan.source.is_some() {
                fail!(
                    Refused,
                    "tables that refer to each other in a circle are adopted in place only"
                );
            }
            ordered.append(&mut later);
        }
        waiting = later;
    }
    Ok(ordered)
}

/// True where the table refers to another of these, whose names are in lower case.
fn waits(conn: &Conn, table: &str, names: &HashSet<String>) -> Result<bool> {
    let mut waits = false;
    let sql = "SELECT \"table\" FROM pragma_foreign_key_list(?)";
    conn.prepare(sql)?.each(&[table.into()], |row| {
        let parent = row.text(0)?.to_lowercase();
        waits |= parent != table.to_lowercase() && names.contains(&parent);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(waits)
}

fn is_there(conn: &Conn, table: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE";
    Ok(conn.first(sql, &[table.into()], |_| Ok(()))?.is_some())
}

fn rows(vault: &Vault, table: &str) -> Result<u64> {
    vault.table(table)?.count()
}
