//! Backup, restoration and compaction.

use std::ffi::c_char;

use sealite::{BackupOptions, BackupReport, Erasure, RestoreOptions, Value, Vault};

use crate::call::call;
use crate::error::sealite_error;
use crate::rows::{Made, Rows, count, sealite_rows};
use crate::status::sealite_status;
use crate::unlock::sealite_unlock;
use crate::vault::sealite_vault;

pub(crate) fn report(made: &BackupReport) -> Rows {
    let number = |number: Option<u64>| number.map_or(Value::Null, count);
    let mut rows = Made::new(&["bytes", "rows", "audit_entries"]);
    rows.push([count(made.bytes), number(made.rows), number(made.audit_entries)]);
    rows.into()
}

/// Copies the vault as it is at this moment, while others read and write, into a new file with mode 0600. Unless `unchecked`
/// is 1, every record of the copy is opened, SQLite's own check is run and the audit trail walked before the copy gets its
/// name. Memory is bounded by some 8 MiB. A crash leaves at most a file `NAME.….partial`. `rows` may be NULL; one row:
/// `bytes`, and where it was checked `rows` (that were opened) and `audit_entries`.
///
/// SEALITE_REFUSED where a file has the name already; SEALITE_AUTHENTICATION_FAILED or SEALITE_CORRUPT where the copy, and so
/// the vault, is not sound; SEALITE_FULL, SEALITE_IO, SEALITE_READ_ONLY. There is no copy then. SEALITE_LIMIT where there
/// are too many handles for `rows`: the copy is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_backup(
    vault: *mut sealite_vault,
    to: *const c_char,
    to_length: usize,
    unchecked: i32,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(to, to_length), flag(unchecked), optional_out(rows); {
        let mut options = BackupOptions::default();
        options.verify = !unchecked;
        let made = vault.backup_with(to, &options, |_| true)?;
        rows.give(report(&made))?;
    })
}

/// Copies a backup to a new file with mode 0600, which gets its name once every record of it has opened, SQLite's own check
/// has passed and its whole audit trail has been walked. `unlock` is of a slot that the backup has. `checkpoint` is the text of
/// a checkpoint kept outside, or NULL: with one, a backup that does not reach as far is refused; without one, an old backup is
/// not recognised as old. Where `drill` is 1, all of it is done and nothing kept; `to` may be taken then. `rows` as of
/// sealite_vault_backup().
///
/// SEALITE_WRONG_KEY where no slot of the backup opens; SEALITE_REFUSED where a file has the name already, and where the backup
/// is older than the checkpoint; SEALITE_AUTHENTICATION_FAILED or SEALITE_CORRUPT where it is not sound. There is no new file
/// then. SEALITE_LIMIT where there are too many handles for `rows`: it is there, unless this was a drill.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_restore(
    backup: *const c_char,
    backup_length: usize,
    to: *const c_char,
    to_length: usize,
    unlock: *const sealite_unlock,
    checkpoint: *const c_char,
    checkpoint_length: usize,
    drill: i32,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        text(backup, backup_length), text(to, to_length), handle(unlock),
        optional_text(checkpoint, checkpoint_length), flag(drill), optional_out(rows);
        {
            let mut options = RestoreOptions::default();
            options.checkpoint = checkpoint.map(str::to_owned);
            options.drill = drill;
            let made = Vault::restore_with(backup, to, &unlock, &options, |_| true)?;
            rows.give(report(&made))?;
        }
    )
}

/// Writes the file anew without its free pages, and empties its log: what deleted rows have left is overwritten, and space
/// given back. Others wait meanwhile. Memory is bounded; the disk needs room for the file twice more. Writes the bytes on the
/// disk before and after, and true to `erasure_pending` where another process has held it back: see
/// sealite_vault_finish_erasure(). Each may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_compact(
    vault: *mut sealite_vault,
    before: *mut u64,
    after: *mut u64,
    erasure_pending: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), optional_out(before), optional_out(after), optional_out(erasure_pending);
        {
            let done = vault.compact()?;
            before.set(done.before);
            after.set(done.after);
            erasure_pending.set(done.erasure == Erasure::Pending);
        }
    )
}
