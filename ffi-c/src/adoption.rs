//! Existing databases that move in.

use std::ffi::{c_char, c_void};

use sealite::{
    AdoptionPhase, AdoptionPlan, AdoptionPreview, AdoptionReport, Erasure, TablePreview, Value,
};

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::progress::{sealite_phase, sealite_progress};
use crate::rows::{Made, count, sealite_rows};
use crate::status::sealite_status;
use crate::vault::sealite_vault;

/// What becomes of an existing database: which columns of which tables are sealed, and how. Not for two threads at once
/// (SEALITE_BUSY).
pub struct sealite_adoption {
    _opaque: [u8; 0],
}

impl Kind for sealite_adoption {
    type Object = Builder<AdoptionPlan>;
}

/// Makes a plan from the text of a plan file (TOML, as docs/adopt.md describes it), or an empty one for NULL. The keys that it
/// refers to are read at once. Free it with sealite_adoption_free().
///
/// SEALITE_INVALID_INPUT for what is not understood, a misspelt word too; SEALITE_WEAK_KEY, SEALITE_NOT_FOUND and others for a
/// key that can't be had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_adoption_create(
    plan: *const c_char,
    plan_length: usize,
    adoption: *mut *mut sealite_adoption,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; optional_text(plan, plan_length), out(adoption); {
        let plan = plan.map_or_else(|| Ok(AdoptionPlan::new()), AdoptionPlan::from_toml)?;
        adoption.give(Builder::new(plan))?;
    })
}

/// Adds a column, such as `users.email: sealed, unique email`: behind the colon stands what sealite_definition_add_column()
/// takes behind a name.
///
/// SEALITE_INVALID_INPUT for another form, and for a column that is in the plan already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_adoption_add_column(
    adoption: *mut sealite_adoption,
    column: *const c_char,
    column_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(adoption), text(column, column_length); {
        adoption.with(|plan| {
            *plan = plan.clone().column(column)?;
            Ok(())
        })?;
    })
}

/// Names the application's own database, where it is not the vault's file: its tables are copied into the vault, or, after
/// sealite_adoption_set_values(), its values are sealed in place. No other SQLite library of this process may have it open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_adoption_set_source(
    adoption: *mut sealite_adoption,
    path: *const c_char,
    path_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(adoption), text(path, path_length); {
        adoption.step(|plan| plan.source(path))?;
    })
}

/// Seals single values in the application's own database, as sealite_field does, in place of making sealed tables.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_adoption_set_values(
    adoption: *mut sealite_adoption,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(adoption); { adoption.step(AdoptionPlan::values)?; })
}

/// Drops the tables from the application's own database once the vault has them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_adoption_set_remove_source(
    adoption: *mut sealite_adoption,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(adoption); { adoption.step(AdoptionPlan::remove_source)?; })
}

/// Frees the plan. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_adoption_free(adoption: *mut sealite_adoption) {
    free(adoption);
}

const PREVIEW: [&str; 8] =
    ["table", "what", "text", "done", "rows", "bytes", "bytes_after", "estimate_ms"];

fn preview(found: &AdoptionPreview) -> Made {
    let mut made = Made::new(&PREVIEW);
    for table in &found.tables {
        let TablePreview { kept, changed, refused, .. } = table;
        let estimate = i64::try_from(table.time.as_millis()).unwrap_or(i64::MAX);
        made.push([
            table.table.as_str().into(),
            "table".into(),
            Value::Null,
            table.done.into(),
            count(table.rows),
            count(table.bytes),
            count(table.bytes_after),
            estimate.into(),
        ]);
        for (what, texts) in [("kept", kept), ("changed", changed), ("refused", refused)] {
            for text in texts {
                let said = (table.table.as_str().into(), what.into(), text.as_str().into());
                let none = || Value::Null;
                made.push([said.0, said.1, said.2, none(), none(), none(), none(), none()]);
            }
        }
    }
    made
}

/// Says what sealite_vault_adopt() would do: reads the tables, and writes nothing. Rows: for each table one with `what`
/// "table", `done` (an earlier call has converted it), `rows`, `bytes` (of the values as they are), `bytes_after` and
/// `estimate_ms` (estimated from a sample of rows); then one for each thing that stays as it is ("kept"), becomes another
/// ("changed") or stands against it ("refused"), with its `text`. `possible` is whether nothing stands against it; it may be
/// NULL.
///
/// SEALITE_NOT_FOUND for a database, table or column that is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_preview_adoption(
    vault: *mut sealite_vault,
    adoption: *const sealite_adoption,
    possible: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), handle(adoption), optional_out(possible), out(rows); {
        let found = vault.preview_adoption(&adoption.built()?)?;
        rows.give(preview(&found).into())?;
        possible.set(found.is_possible());
    })
}

fn report(done: &AdoptionReport) -> Made {
    let time = i64::try_from(done.time.as_millis()).unwrap_or(i64::MAX);
    let mut made = Made::new(&["table", "rows", "was_done", "removed", "time_ms"]);
    for table in &done.tables {
        made.push([
            table.table.as_str().into(),
            count(table.rows),
            table.was_done.into(),
            table.removed.into(),
            time.into(),
        ]);
    }
    made
}

/// Adopts an existing database: seals what the plan names, opens and compares every row with what it was, and only then
/// removes what was in clear; the file is written anew and its log emptied. After a crash at any moment the same call goes on.
/// Memory is bounded; the disk needs room for the file once more. `progress` may be NULL; `context` is handed to it; its phases are
/// SEALITE_PHASE_SEALING, SEALITE_PHASE_VERIFYING and SEALITE_PHASE_ERASING, with the name of the table.
/// `erasure_pending` (it may be NULL) is true where a reader held the log back: the same call finishes it. Rows: one for each
/// table, `table`, `rows`, `was_done` (by an earlier call), `removed` (from the application's database), `time_ms` (of
/// the whole call, in each); `rows` may be NULL.
///
/// SEALITE_REFUSED with a list where something stands against it; SEALITE_AUTHENTICATION_FAILED for a value that another key
/// has encrypted; SEALITE_CONFLICT where a value stands twice in a column that is to be unique; SEALITE_TYPE_MISMATCH;
/// SEALITE_INTERRUPTED where `progress` has stopped it; SEALITE_ANOTHER_LIBRARY; SEALITE_FULL. Tables that were not finished
/// are as they were then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_adopt(
    vault: *mut sealite_vault,
    adoption: *const sealite_adoption,
    progress: sealite_progress,
    context: *mut c_void,
    erasure_pending: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    use sealite_phase::*;
    call!(error;
        handle(vault), handle(adoption), progress(progress, context),
        optional_out(erasure_pending), optional_out(rows);
        {
            let done = vault.adopt(&adoption.built()?, |seen| {
                let phase = match seen.phase {
                    AdoptionPhase::Verifying => SEALITE_PHASE_VERIFYING,
                    AdoptionPhase::Erasing => SEALITE_PHASE_ERASING,
                    _ => SEALITE_PHASE_SEALING,
                };
                progress.goes_on(phase, seen.table, seen.done, seen.total)
            })?;
            if rows.is_wanted() {
                rows.give(report(&done).into())?;
            }
            erasure_pending.set(done.erasure == Erasure::Pending);
        }
    )
}
