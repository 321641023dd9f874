//! The tables of a vault, and changing them.

use std::ffi::c_char;

use sealite::{Alteration, Column, Erasure, Index, Padding, Protection, Value, Vault};

use crate::call::call;
use crate::definition::sealite_definition;
use crate::error::sealite_error;
use crate::output::Out;
use crate::rows::{Made, sealite_rows, text_or_null};
use crate::status::sealite_status;
use crate::status::{Failure, Result};
use crate::vault::sealite_vault;

/// How a column is kept.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_protection {
    /// An ordinary SQL column, not protected.
    SEALITE_PLAIN = 0,
    /// Readable in the file, and bound to the row: an edit from outside is refused when the row is read.
    SEALITE_AUTHENTICATED = 1,
    /// Only inside the sealed record.
    SEALITE_SEALED = 2,
}

const PROTECTIONS: [Protection; 3] =
    [Protection::Plain, Protection::Authenticated, Protection::Sealed];

/// An index from its specification.
pub(crate) fn index(specification: &str) -> Result<Index> {
    let whole = Column::parse(&format!("value {specification}"))?;
    match whole.declared_index() {
        Some(index) if whole == Column::text("value").index(index.clone()) => Ok(index.clone()),
        _ => Err(Failure::invalid(
            "an index is written: unique or lookup COUNT, a normaliser, accept leakage 'REASON'",
        )),
    }
}

/// Says whether remnants of plaintext have still to be overwritten.
fn tell(pending: &Out<'_, bool>, erasure: Erasure) {
    pending.set(erasure == Erasure::Pending);
}

/// Changes a table, and says so where the change can leave remnants.
fn alter(
    vault: &Vault,
    table: &str,
    change: &Alteration,
    pending: Option<&Out<'_, bool>>,
) -> Result<()> {
    let erasure = vault.alter_table(table, change)?;
    if let Some(pending) = pending {
        tell(pending, erasure);
    }
    Ok(())
}

/// Declares a table: creates it, or checks that what is stored is no weaker than what is declared. Writes true to
/// `created` where it was created; `created` may be NULL.
///
/// SEALITE_DEFINITION where the stored table lacks a column, has another type, a weaker protection or no such index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_define_table(
    vault: *mut sealite_vault,
    definition: *const sealite_definition,
    created: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), handle(definition), optional_out(created); {
        created.set(vault.define_table(&definition.built()?)?);
    })
}

/// Lists the sealed tables, in the order of their names. Rows: `name`, `key`, `text_key`, `per_tenant`, `padding` ("none",
/// "block" or "padme"), `block`, `subject` (the column that says whose a row is).
///
/// SEALITE_LOCKED while there is no key in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_tables(
    vault: *mut sealite_vault,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(rows); {
        let columns = ["name", "key", "text_key", "per_tenant", "padding", "block", "subject"];
        let mut made = Made::new(&columns);
        for table in vault.tables()? {
            let (padding, block) = match table.declared_padding() {
                Padding::None => ("none", Value::Null),
                Padding::Block(block) => ("block", Value::Integer(i64::from(block))),
                Padding::Padme => ("padme", Value::Null),
                _ => return Err(Failure::internal()),
            };
            made.push([
                table.name().into(),
                table.key_name().into(),
                table.has_text_key().into(),
                table.is_per_tenant().into(),
                padding.into(),
                block,
                text_or_null(table.declared_subject()),
            ]);
        }
        rows.give(made.into())?;
    })
}

/// Adds a column, from its specification: see sealite_definition_add_column(). The rows that are there have its default.
///
/// This and the following calls change a table while others use it, and move its rows in batches. What a crash interrupts,
/// the next call finishes first. `erasure_pending` (it may be NULL) tells whether a reader kept remnants of plaintext from
/// being overwritten: then call sealite_vault_finish_erasure() later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_add_column(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    specification: *const c_char,
    specification_length: usize,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), text(specification, specification_length),
        optional_out(erasure_pending);
        {
            let change = Alteration::AddColumn(Column::parse(specification)?);
            alter(&vault, table, &change, Some(&erasure_pending))?;
        }
    )
}

/// Drops a column.
///
/// SEALITE_NOT_FOUND where there is no such table or column; SEALITE_LOCKED; SEALITE_BUSY where another writes;
/// SEALITE_NOT_ALLOWED for a table of the engine's own. SEALITE_INVALID_INPUT for the column that says whose a row is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_drop_column(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    column: *const c_char,
    column_length: usize,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), text(column, column_length),
        optional_out(erasure_pending);
        { alter(&vault, table, &Alteration::DropColumn(column.to_owned()), Some(&erasure_pending))?; }
    )
}

/// Renames a column. `column` becomes `to`.
///
/// SEALITE_NOT_FOUND where there is no such table or column; SEALITE_CONFLICT where `to` is taken; SEALITE_INVALID_INPUT where it is no name;
/// SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_rename_column(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    column: *const c_char,
    column_length: usize,
    to: *const c_char,
    to_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), text(column, column_length),
        text(to, to_length);
        {
            let change = Alteration::RenameColumn(column.to_owned(), to.to_owned());
            alter(&vault, table, &change, None)?;
        }
    )
}

/// Renames a table. `table` becomes `to`.
///
/// SEALITE_NOT_FOUND where there is no such table; SEALITE_CONFLICT where `to` is taken; SEALITE_INVALID_INPUT where it
/// is no name; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_rename_table(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    to: *const c_char,
    to_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), text(to, to_length);
        { alter(&vault, table, &Alteration::RenameTable(to.to_owned()), None)?; }
    )
}

/// Changes how a column is kept, a sealite_protection, and moves the values that are there.
///
/// SEALITE_NOT_FOUND where there is no such table or column; SEALITE_INVALID_INPUT for the column that says whose a row
/// is; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_protect_column(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    column: *const c_char,
    column_length: usize,
    protection: i32,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), text(column, column_length),
        choice(protection, &PROTECTIONS), optional_out(erasure_pending);
        {
            let change = Alteration::Protect(column.to_owned(), protection);
            alter(&vault, table, &change, Some(&erasure_pending))?;
        }
    )
}

/// Adds an index to a column: `unique email`, `lookup 5000 text`.
///
/// SEALITE_NOT_FOUND where there is no such table or column; SEALITE_CONFLICT where the column holds a value twice and
/// `index` is unique: there is no index then; SEALITE_INVALID_INPUT where `index` is no such text; SEALITE_LOCKED;
/// SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_add_index(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    column: *const c_char,
    column_length: usize,
    index: *const c_char,
    index_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), text(column, column_length),
        text(index, index_length);
        {
            let change = Alteration::AddIndex(column.to_owned(), self::index(index)?);
            alter(&vault, table, &change, None)?;
        }
    )
}

/// Drops the index of a column.
///
/// SEALITE_NOT_FOUND where there is no such table or column; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_drop_index(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    column: *const c_char,
    column_length: usize,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), text(column, column_length),
        optional_out(erasure_pending);
        { alter(&vault, table, &Alteration::DropIndex(column.to_owned()), Some(&erasure_pending))?; }
    )
}

/// Drops a table with all its rows.
///
/// SEALITE_NOT_FOUND where there is no such table; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_drop_table(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(table, table_length), optional_out(erasure_pending); {
        tell(&erasure_pending, vault.drop_table(table)?);
    })
}

/// Finishes an alteration of the table that was interrupted.
///
/// SEALITE_NOT_FOUND where there is no such table; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_finish_alteration(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(table, table_length), optional_out(erasure_pending); {
        tell(&erasure_pending, vault.finish_alteration(table)?);
    })
}

/// Overwrites what remnants of plaintext an alteration has left, where that is still to be done. Rewrites the file: its
/// cost is that of the whole file.
///
/// `erasure_pending` (it may be NULL) is true where a reader, or another process that writes, is in the way: nothing
/// was lost, call it again. SEALITE_LOCKED; SEALITE_BUSY; SEALITE_FULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_finish_erasure(
    vault: *mut sealite_vault,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), optional_out(erasure_pending); {
        tell(&erasure_pending, vault.finish_erasure()?);
    })
}
