//! The ways to unlock a vault.

use std::ffi::c_char;

use sealite::{ExposeSecret, Value};

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::call;
use crate::error::sealite_error;
use crate::rows::{Made, sealite_rows};
use crate::status::sealite_status;
use crate::unlock::sealite_unlock;
use crate::vault::sealite_vault;

/// Lists the ways to unlock, in the order of their ids. Needs no key. Rows: `id`, `kind` ("key", "passphrase" or
/// "recovery"), `label`, `created_at` (seconds since 1970).
///
/// SEALITE_NOT_INITIALISED without a vault; SEALITE_CORRUPT where a slot is damaged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_slots(
    vault: *mut sealite_vault,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(rows); {
        let mut made = Made::new(&["id", "kind", "label", "created_at"]);
        for slot in vault.slots()? {
            let created_at = Value::Integer(slot.created_at);
            made.push([slot.id.into(), slot.kind.name().into(), slot.label.into(), created_at]);
        }
        rows.give(made.into())?;
    })
}

/// Adds a way to unlock, and writes its id. `id` may be NULL.
///
/// SEALITE_LOCKED while there is no key in memory; SEALITE_INVALID_INPUT for a label that is too long; SEALITE_BUSY
/// where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_add_slot(
    vault: *mut sealite_vault,
    label: *const c_char,
    label_length: usize,
    unlock: *const sealite_unlock,
    id: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(label, label_length), handle(unlock), optional_out(id); {
        id.set(vault.add_slot(label, &unlock)?);
    })
}

/// Adds a recovery code, writes the slot's id, and reveals the code, which is kept nowhere: print it and lock it away.
/// `id` may be NULL. Free the code with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_add_recovery_slot_reveal(
    vault: *mut sealite_vault,
    label: *const c_char,
    label_length: usize,
    id: *mut i64,
    code: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(label, label_length), optional_out(id), out(code); {
        let (slot, revealed) = vault.add_recovery_slot(label)?;
        code.give(Bytes::copy_of(revealed.reveal().as_bytes()))?;
        id.set(slot);
    })
}

/// As sealite_vault_add_recovery_slot_reveal(), and reveals a page to be printed, in plain text of at most 70 columns: which
/// vault the code opens, the code on a line of its own, and what to do with it. Free the sheet with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_add_recovery_sheet_reveal(
    vault: *mut sealite_vault,
    label: *const c_char,
    label_length: usize,
    id: *mut i64,
    sheet: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(label, label_length), optional_out(id), out(sheet); {
        let (slot, revealed) = vault.add_recovery_slot(label)?;
        sheet.give(Bytes::copy_of(revealed.sheet().expose_secret().as_bytes()))?;
        id.set(slot);
    })
}

/// Removes a way to unlock. Whoever has had the secret may have kept the master key, or an old copy of the file: this
/// takes back neither.
///
/// SEALITE_LAST_SLOT for the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_remove_slot(
    vault: *mut sealite_vault,
    id: i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), plain(id); { vault.remove_slot(id)?; })
}
