//! Plain tables that become sealed ones, and back.

use std::ffi::c_char;

use sealite::Erasure;

use crate::call::call;
use crate::error::sealite_error;
use crate::rows::{Made, sealite_rows};
use crate::status::sealite_status;
use crate::value::sealite_string;
use crate::vault::sealite_vault;

/// Converts a plain table of the file into a sealed one of the same name, with its rows under their ids. `columns` holds
/// `column_count` specifications as sealite_definition_add_column() has them, such as `email sealed unique email`; columns
/// that none names stay plain, and what a specification does not say comes from the table. After a crash at any moment the
/// table is as it was, or sealed; the same call goes on. `erasure_pending` (it may be NULL): see
/// sealite_vault_add_column().
///
/// SEALITE_REFUSED where something of the table can't be kept, with a list; SEALITE_NOT_FOUND; SEALITE_CONFLICT where a value
/// stands twice in a column that is to be unique, or the table is sealed already in another way. The table is as it was
/// then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_protect_table(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    columns: *const sealite_string,
    column_count: usize,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), texts(columns, column_count),
        optional_out(erasure_pending);
        { erasure_pending.set(vault.protect_table(table, &columns)? == Erasure::Pending); }
    )
}

/// Says what sealite_vault_protect_table() would do; nothing is written. Rows: `what` ("column", "kept", "changed" or
/// "obstacle"), `text`. Where there is an obstacle, the table is not converted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_plan_protection(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    columns: *const sealite_string,
    column_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(table, table_length), texts(columns, column_count), out(rows);
        {
            let plan = vault.plan_protection(table, &columns)?;
            let mut made = Made::new(&["what", "text"]);
            for column in plan.definition.columns() {
                made.push(["column".into(), column.specification().into()]);
            }
            let said =
                [("kept", &plan.kept), ("changed", &plan.changed), ("obstacle", &plan.obstacles)];
            for (what, texts) in said {
                for text in texts {
                    made.push([what.into(), text.as_str().into()]);
                }
            }
            rows.give(made.into())?;
        }
    )
}

/// Makes a sealed table plain again, in one transaction: every row is opened, written in clear and read back. Blind indexes
/// become plain ones, which compare byte for byte. Where sealite_vault_protect_table() was interrupted, drops what it has
/// left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_unprotect_table(
    vault: *mut sealite_vault,
    table: *const c_char,
    table_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(table, table_length); { vault.unprotect_table(table)?; })
}
