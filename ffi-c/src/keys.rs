//! The keys of a vault.

use sealite::{MasterRotation, Value};

use crate::call::call;
use crate::error::sealite_error;
use crate::rows::{Made, count, sealite_rows, text_or_null};
use crate::status::sealite_status;
use crate::unlock::sealite_unlock;
use crate::vault::sealite_vault;

/// What a new master key has made of the slots.
pub(crate) fn slots(done: &MasterRotation) -> Made {
    let mut made = Made::new(&["slot", "kept"]);
    for (ids, kept) in [(&done.kept, true), (&done.dropped, false)] {
        for id in ids {
            made.push([(*id).into(), kept.into()]);
        }
    }
    made
}

/// Lists all keys that there are and were, in the order of their ids, without any secret. Every row of the table of keys is
/// authenticated, and that none is missing or was put back. Rows: `id`, `purpose` ("data", "index", "audit", "token" or
/// "lookup"), `tenant`, `subject` (NULL for the vault itself, or the tenant as a whole), `generation`, `state` ("active",
/// "retired" or "destroyed"), `created_at`, `changed_at` (seconds since 1970).
///
/// SEALITE_AUTHENTICATION_FAILED where a row was edited, taken away or put back as it once was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_keys_list(
    vault: *mut sealite_vault,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(rows); {
        let columns = ["id", "purpose", "tenant", "subject", "generation", "state", "created_at", "changed_at"];
        let mut made = Made::new(&columns);
        for key in vault.keys().list()? {
            made.push([
                count(key.id.into()),
                key.purpose.name().into(),
                text_or_null(key.tenant.as_deref()),
                text_or_null(key.subject.as_deref()),
                count(key.generation.into()),
                key.state.name().into(),
                Value::Integer(key.created_at),
                Value::Integer(key.changed_at),
            ]);
        }
        rows.give(made.into())?;
    })
}

/// Makes a new master key, and wraps every key, and every slot that one of the secrets opens, under it, in one transaction.
/// Slots that none opens are refused, or dropped where `drop_others` is 1. Other handles go on by the slot that they were
/// unlocked with, or become locked where that was dropped. No row of a table is written: data that was readable with keys
/// that somebody has taken stays readable to them until the data keys are changed too. Audited.
///
/// `keep` holds `keep_count` secrets, which are not taken over. Rows: `slot` (its id), `kept`. `rows` may be NULL.
///
/// SEALITE_WRONG_KEY where a secret opens no slot; SEALITE_REFUSED where a slot is opened by none and `drop_others` is 0;
/// SEALITE_LAST_SLOT without any secret; SEALITE_AUTHENTICATION_FAILED where a key is not what was written. Nothing has
/// changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_keys_rotate_master(
    vault: *mut sealite_vault,
    keep: *const *const sealite_unlock,
    keep_count: usize,
    drop_others: i32,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault),
        handles(keep, keep_count),
        flag(drop_others),
        optional_out(rows);
        {
            let secrets: Vec<sealite::Unlock> = keep.iter().map(|secret| (**secret).clone()).collect();
            let done = vault.keys().rotate_master(&secrets, drop_others)?;
            if rows.is_wanted() {
                rows.give(slots(&done).into())?;
            }
        }
    )
}
