//! Rotation of every key but the master key.

use std::ffi::c_char;

use sealite::{MasterRotation, Rotation, RotationKind, RotationStatus, Value};

use crate::call::call;
use crate::error::sealite_error;
use crate::keys;
use crate::output::Out;
use crate::rows::{Made, count, integer_or_null, sealite_rows, text_or_null};
use crate::status::Result;
use crate::status::sealite_status;
use crate::unlock::sealite_unlock;
use crate::vault::sealite_vault;

/// Which key a rotation replaces.
#[repr(i32)]
#[derive(Clone, Copy, Debug)]
pub enum sealite_rotation {
    /// The key that records are sealed under, and those of the subjects that own rows.
    SEALITE_ROTATION_DATA = 0,
    /// The key that the values of blind indexes are made with.
    SEALITE_ROTATION_INDEX = 1,
    /// The pepper of tokens.
    SEALITE_ROTATION_TOKEN = 2,
    /// The key of the audit trail. It is the vault's own, whichever tenant is named.
    SEALITE_ROTATION_AUDIT = 3,
}

/// In the order of their numbers.
pub(crate) const KINDS: &[RotationKind] =
    &[RotationKind::Data, RotationKind::Index, RotationKind::Token, RotationKind::Audit];

const COLUMNS: [&str; 12] = [
    "kind",
    "tenant",
    "state",
    "old_key",
    "new_key",
    "done",
    "total",
    "moved",
    "left",
    "started_at",
    "finished_at",
    "remaining_ms",
];

fn push(made: &mut Made, status: &RotationStatus) {
    made.push([
        status.rotation.kind().name().into(),
        text_or_null(status.rotation.tenant()),
        status.state.name().into(),
        count(status.old_key.into()),
        count(status.new_key.into()),
        count(status.done),
        count(status.total),
        count(status.moved),
        count(status.left),
        Value::Integer(status.started_at),
        integer_or_null(status.finished_at),
        integer_or_null(status.remaining.and_then(|time| i64::try_from(time.as_millis()).ok())),
    ]);
}

/// Gives the state of one rotation, where it is wanted.
pub(crate) fn give(rows: &Out<'_, *mut sealite_rows>, status: &RotationStatus) -> Result<()> {
    if !rows.is_wanted() {
        return Ok(());
    }
    let mut made = Made::new(&COLUMNS);
    push(&mut made, status);
    rows.give(made.into())
}

/// Gives what has become of the master key, and the state of each rotation, where they are wanted: both or neither.
pub(crate) fn give_all(
    slots: &Out<'_, *mut sealite_rows>,
    rows: &Out<'_, *mut sealite_rows>,
    master: &MasterRotation,
    all: &[RotationStatus],
) -> Result<()> {
    let mut made = Made::new(&COLUMNS);
    for status in all {
        push(&mut made, status);
    }
    slots.give_with(keys::slots(master).into(), || rows.give(made.into()))
}

/// Says what a rotation would do, and writes nothing. `kind` is a sealite_rotation, `tenant` NULL for the vault's own key. Rows:
/// one for each table with something to do, `table`, `records`; and one with NULL for all, in which `key` is the id of the
/// key that is active now and `estimate_ms` about how long it takes.
///
/// SEALITE_NOT_FOUND for a tenant that has no such key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_plan(
    vault: *mut sealite_vault,
    kind: i32,
    tenant: *const c_char,
    tenant_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), choice(kind, KINDS), optional_text(tenant, tenant_length), out(rows);
        {
            let plan = vault.keys().plan(&Rotation::new(kind, tenant))?;
            let mut made = Made::new(&["table", "records", "key", "estimate_ms"]);
            for (table, records) in &plan.tables {
                made.push([table.as_str().into(), count(*records), Value::Null, Value::Null]);
            }
            let estimate = i64::try_from(plan.estimate.as_millis()).unwrap_or(i64::MAX);
            made.push([Value::Null, count(plan.records), count(plan.key.into()), estimate.into()]);
            rows.give(made.into())?;
        }
    )
}

/// Makes the new key, and begins to bring everything under it. From here on every process writes under it; what is there opens
/// under the one before, and sealite_rotation_step() moves it. An audit key needs no more. Audited. Rows: one, as of
/// sealite_rotation_status(); `rows` may be NULL.
///
/// SEALITE_CONFLICT where a rotation of this key has begun and not finished; SEALITE_NOT_FOUND for a tenant that has no such
/// key; SEALITE_AUTHENTICATION_FAILED where the table of keys is not what was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_begin(
    vault: *mut sealite_vault,
    kind: i32,
    tenant: *const c_char,
    tenant_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), choice(kind, KINDS), optional_text(tenant, tenant_length), optional_out(rows);
        {
            let status = vault.keys().begin(&Rotation::new(kind, tenant))?;
            give(&rows, &status)?;
        }
    )
}

/// Seals the next records anew, at most 500 and some 1 MiB, in one transaction: a program that is killed loses nothing, and
/// any other goes on. Call it until `state` is no more "running", with pauses in which others write. Rows: one, as of
/// sealite_rotation_status(); `rows` may be NULL.
///
/// SEALITE_NOT_FOUND where none has begun; SEALITE_BUSY; SEALITE_AUTHENTICATION_FAILED where a row is not what was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_step(
    vault: *mut sealite_vault,
    kind: i32,
    tenant: *const c_char,
    tenant_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), choice(kind, KINDS), optional_text(tenant, tenant_length), optional_out(rows);
        {
            let status = vault.keys().step(&Rotation::new(kind, tenant))?;
            give(&rows, &status)?;
        }
    )
}

/// Begins the rotation where none is in progress, and steps to its end, with pauses in which others write. Rows: one, as of
/// sealite_rotation_status(); `rows` may be NULL. Otherwise as sealite_rotation_begin() and sealite_rotation_step().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_run(
    vault: *mut sealite_vault,
    kind: i32,
    tenant: *const c_char,
    tenant_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), choice(kind, KINDS), optional_text(tenant, tenant_length), optional_out(rows);
        {
            let status = vault.keys().run(&Rotation::new(kind, tenant), |_| ())?;
            give(&rows, &status)?;
        }
    )
}

/// Changes every key: the master key first, as sealite_keys_rotate_master() does with `keep` and `drop_others`, then the audit
/// key, and for the vault and each tenant the index key, the data key and the pepper, with pauses in which others write. Old
/// keys are destroyed by sealite_rotation_destroy_retired(). A program that is killed loses nothing: sealite_rotation_run() or
/// another call of this goes on. `slots`: rows as of sealite_keys_rotate_master(). `rows`: as of sealite_rotation_status(), one
/// for each key. Both may be NULL.
///
/// SEALITE_WRONG_KEY, SEALITE_REFUSED, SEALITE_LAST_SLOT as of sealite_keys_rotate_master(): nothing has changed then.
/// Otherwise as sealite_rotation_run().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_run_all(
    vault: *mut sealite_vault,
    keep: *const *const sealite_unlock,
    keep_count: usize,
    drop_others: i32,
    slots: *mut *mut sealite_rows,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault),
        handles(keep, keep_count),
        flag(drop_others),
        optional_out(slots),
        optional_out(rows);
        {
            let secrets: Vec<sealite::Unlock> = keep.iter().map(|secret| (**secret).clone()).collect();
            let (master, all) = vault.keys().rotate_all(&secrets, drop_others, |_| ())?;
            give_all(&slots, &rows, &master, &all)?;
        }
    )
}

/// Says how the last rotation of each key stands, in the order of their beginning. Rows: `kind` ("data", "index", "token" or
/// "audit"), `tenant` (NULL for the vault itself), `state` ("running", "waiting" for tokens that are still under the old
/// pepper, or "finished"), `old_key`, `new_key` (ids), `done`, `total`, `moved` (records), `left` (tokens), `started_at`,
/// `finished_at` (milliseconds since 1970; NULL where it has not), `remaining_ms` (NULL where that can't be told).
///
/// SEALITE_LOCKED; SEALITE_AUTHENTICATION_FAILED where the table of keys is not what was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_status(
    vault: *mut sealite_vault,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(rows); {
        let mut made = Made::new(&COLUMNS);
        for status in vault.keys().rotations()? {
            push(&mut made, &status);
        }
        rows.give(made.into())?;
    })
}

/// Revokes the tokens that are still hashed under a retired pepper; `revoked` is set to how many, and may be NULL.
///
/// SEALITE_NOT_FOUND for a tenant that has no such key; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_revoke_left(
    vault: *mut sealite_vault,
    tenant: *const c_char,
    tenant_length: usize,
    revoked: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), optional_text(tenant, tenant_length), optional_out(revoked); {
        revoked.set(vault.keys().revoke_left(tenant)?);
    })
}

/// Destroys the retired keys that a rotation has replaced, and overwrites what is left of them in the file. From then on they
/// are refused, also where an old row of them is put back. Audited. For data and index keys `fields_resealed` is 1 where no
/// single value outside of this file (sealite_field) is under them any more, which the engine can't see. Where the keys were
/// replaced a moment ago it waits for one second. Rows: `key`, the id of each; `rows` may be NULL.
///
/// SEALITE_REFUSED while the rotation has not finished, or anything is under the keys, and for audit keys, which stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_destroy_retired(
    vault: *mut sealite_vault,
    kind: i32,
    tenant: *const c_char,
    tenant_length: usize,
    fields_resealed: i32,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault),
        choice(kind, KINDS),
        optional_text(tenant, tenant_length),
        flag(fields_resealed),
        optional_out(rows);
        {
            let rotation = Rotation::new(kind, tenant);
            let (ids, _) = vault.keys().destroy_retired(&rotation, fields_resealed)?;
            if rows.is_wanted() {
                let mut made = Made::new(&["key"]);
                for id in &ids {
                    made.push([count((*id).into())]);
                }
                rows.give(made.into())?;
            }
        }
    )
}

#[cfg(test)]
mod tests {
    use std::ptr::{NonNull, null_mut};

    use sealite::{ExposeSecret, Unlock, Vault};

    use super::*;
    use crate::call::Scope;
    use crate::handles::room;
    use crate::output::optional_out;
    use crate::rows::sealite_rows_free;
    use crate::status::sealite_status::SEALITE_LIMIT;

    #[test]
    fn of_two_results_neither_is_given_where_the_second_can_not_be_made() {
        let vault = Vault::in_memory().unwrap();
        let key = sealite::generate_key().unwrap();
        let key = Unlock::key_text(key.expose_secret()).unwrap();
        let _ = vault.add_slot("kept", &key).unwrap();
        let (master, all) = vault.keys().rotate_all(&[key], true, |_| ()).unwrap();
        let scope = Scope::new();
        for room_for in 0..=2 {
            // What a caller may have left there.
            let (mut slots, mut rows) =
                (NonNull::dangling().as_ptr(), NonNull::dangling().as_ptr());
            // SAFETY: (1).
            let (first, second) = unsafe {
                let first = optional_out(&scope, "slots", &raw mut slots);
                (first.unwrap(), optional_out(&scope, "rows", &raw mut rows).unwrap())
            };
            room::set(room_for);
            let given = give_all(&first, &second, &master, &all);
            let left = room::left();
            room::set(usize::MAX / 2);
            if room_for == 2 {
                assert!(given.is_ok() && left == 0);
                assert!(!slots.is_null() && !rows.is_null() && slots != rows);
            } else {
                assert_eq!(given.unwrap_err().status, SEALITE_LIMIT);
                assert_eq!((slots, rows), (null_mut(), null_mut()));
                assert_eq!(left, room_for, "what was made was freed");
            }
            // SAFETY: (3).
            unsafe {
                sealite_rows_free(slots);
                sealite_rows_free(rows);
            }
        }
    }
}
