//! Long work that tells how far it is, and can be stopped.

use std::ffi::{c_char, c_void};

use sealite::{BackupOptions, BackupProgress, RestoreOptions, Rotation, Vault};

use crate::audit::handle::{self as trail, sealite_audit};
use crate::call::call;
use crate::error::sealite_error;
use crate::input::Progress;
use crate::rotation::KINDS;
use crate::rows::sealite_rows;
use crate::status::Failure;
use crate::status::sealite_status::{self, SEALITE_INTERRUPTED};
use crate::unlock::sealite_unlock;
use crate::vault::{self as vaults, sealite_vault};
use crate::{copy, rotation};

/// What long work is doing.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_phase {
    /// Rows are sealed, in batches, beside the table, which others go on using.
    SEALITE_PHASE_SEALING = 0,
    /// Every row is opened and compared with what it was.
    SEALITE_PHASE_VERIFYING = 1,
    /// The file is written anew, so that nothing is left of what was in clear.
    SEALITE_PHASE_ERASING = 2,
    /// Pages of the file are copied.
    SEALITE_PHASE_COPYING = 3,
    /// Every row is opened.
    SEALITE_PHASE_OPENING = 4,
    /// The audit trail is walked, entry by entry.
    SEALITE_PHASE_AUDITING = 5,
    /// Records are sealed anew under a new key.
    SEALITE_PHASE_ROTATING = 6,
}

/// Hears how far a call is, and says whether it goes on: `phase` is a sealite_phase; `what` (UTF-8, not ended by a NUL, for the
/// time of the call) names what it is at, a table or a key, or is empty; `done` of `total` rows, pages or entries are done, and
/// `total` is 0 where nobody knows it. `context` is what the call was given. 0 goes on; anything else ends the call as
/// SEALITE_INTERRUPTED.
///
/// It is called on the thread of that call, often, and in the middle of transactions: it may not throw or jump out of it, and
/// what it writes to the vault or the database may be SEALITE_BUSY.
pub type sealite_progress = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        phase: i32,
        what: *const c_char,
        what_length: usize,
        done: u64,
        total: u64,
    ) -> i32,
>;

fn copies(progress: &Progress<'_>, seen: BackupProgress) -> bool {
    use sealite_phase::*;
    match seen {
        BackupProgress::Copied(done, total) => {
            progress.goes_on(SEALITE_PHASE_COPYING, "", done, total)
        }
        BackupProgress::Opened(rows) => progress.goes_on(SEALITE_PHASE_OPENING, "", rows, 0),
        BackupProgress::Audited(entries) => {
            progress.goes_on(SEALITE_PHASE_AUDITING, "", entries, 0)
        }
        _ => true,
    }
}

fn rotates(progress: &Progress<'_>, status: &sealite::RotationStatus) -> bool {
    let what = status.rotation.kind().name();
    progress.goes_on(sealite_phase::SEALITE_PHASE_ROTATING, what, status.done, status.total)
}

fn stopped() -> Failure {
    Failure::new(SEALITE_INTERRUPTED, "the progress function has stopped it")
}

/// As sealite_vault_backup() of `vault` to the new file `to`, telling `progress` how far it is: SEALITE_PHASE_COPYING, and
/// unless `unchecked` is 1, SEALITE_PHASE_OPENING and SEALITE_PHASE_AUDITING. `progress` may be NULL; it runs on this
/// thread and is handed `context`. `unchecked` is 0 or 1. `rows`, free it with sealite_rows_free(), may be NULL.
///
/// SEALITE_INTERRUPTED where `progress` has stopped it: there is no copy then. Otherwise as of sealite_vault_backup().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_backup_while(
    vault: *mut sealite_vault,
    to: *const c_char,
    to_length: usize,
    unchecked: i32,
    progress: sealite_progress,
    context: *mut c_void,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), text(to, to_length), flag(unchecked), progress(progress, context),
        optional_out(rows);
        {
            let mut options = BackupOptions::default();
            options.verify = !unchecked;
            let made = vault.backup_with(to, &options, |seen| copies(&progress, seen))?;
            rows.give(copy::report(&made))?;
        }
    )
}

/// As sealite_restore() of `backup` to the new file `to`, with `unlock` and `checkpoint` (it may be NULL) as there, telling
/// `progress` how far it is: SEALITE_PHASE_COPYING, SEALITE_PHASE_OPENING and SEALITE_PHASE_AUDITING. `progress` may be
/// NULL; it runs on this thread and is handed `context`. `drill` is 0 or 1. `rows`, free it with sealite_rows_free(), may
/// be NULL.
///
/// SEALITE_INTERRUPTED where `progress` has stopped it: there is no new file then. Otherwise as of sealite_restore().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_restore_while(
    backup: *const c_char,
    backup_length: usize,
    to: *const c_char,
    to_length: usize,
    unlock: *const sealite_unlock,
    checkpoint: *const c_char,
    checkpoint_length: usize,
    drill: i32,
    progress: sealite_progress,
    context: *mut c_void,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        text(backup, backup_length), text(to, to_length), handle(unlock),
        optional_text(checkpoint, checkpoint_length), flag(drill), progress(progress, context),
        optional_out(rows);
        {
            let mut options = RestoreOptions::default();
            options.checkpoint = checkpoint.map(str::to_owned);
            options.drill = drill;
            let goes_on = |seen| copies(&progress, seen);
            let made = Vault::restore_with(backup, to, &unlock, &options, goes_on)?;
            rows.give(copy::report(&made))?;
        }
    )
}

/// As sealite_vault_verify() of `vault`, telling `progress` how many rows it has opened: SEALITE_PHASE_OPENING. `progress`
/// may be NULL; it runs on this thread and is handed `context`. `sound` and `rows` as there.
///
/// SEALITE_INTERRUPTED where `progress` has stopped it. Otherwise as of sealite_vault_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_verify_while(
    vault: *mut sealite_vault,
    progress: sealite_progress,
    context: *mut c_void,
    sound: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), progress(progress, context), out(sound), out(rows); {
        let opens = |rows| progress.goes_on(sealite_phase::SEALITE_PHASE_OPENING, "", rows, 0);
        let found = vault.verify_while(opens)?.ok_or_else(stopped)?;
        rows.give(vaults::verified(&found).into())?;
        sound.set(found.is_sound());
    })
}

/// As sealite_audit_verify() of `audit`, telling `progress` how many entries it has walked: SEALITE_PHASE_AUDITING.
/// `progress` may be NULL; it runs on this thread and is handed `context`. `checkpoint` (it may be NULL), `sound` and
/// `rows` as there.
///
/// SEALITE_INTERRUPTED where `progress` has stopped it. Otherwise as of sealite_audit_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_audit_verify_while(
    audit: *mut sealite_audit,
    checkpoint: *const c_char,
    checkpoint_length: usize,
    progress: sealite_progress,
    context: *mut c_void,
    sound: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(audit), optional_text(checkpoint, checkpoint_length), progress(progress, context),
        out(sound), out(rows);
        {
            let walks =
                |entries| progress.goes_on(sealite_phase::SEALITE_PHASE_AUDITING, "", entries, 0);
            let found = audit.verify_while(checkpoint, walks)?.ok_or_else(stopped)?;
            trail::report(&found, &sound, &rows)?;
        }
    )
}

/// As sealite_rotation_run() of `vault`, telling `progress` how far it is before the first step and after every one:
/// SEALITE_PHASE_ROTATING, with the kind of key ("data", "index", "token" or "audit"). `progress` may be NULL; it runs on this thread and is handed
/// `context`. `kind`, `tenant` and `rows` as there.
///
/// SEALITE_INTERRUPTED where `progress` has stopped a rotation that is not at its end: what is done stays, and the same
/// call goes on. Otherwise as of sealite_rotation_run().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_run_while(
    vault: *mut sealite_vault,
    kind: i32,
    tenant: *const c_char,
    tenant_length: usize,
    progress: sealite_progress,
    context: *mut c_void,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault), choice(kind, KINDS), optional_text(tenant, tenant_length),
        progress(progress, context), optional_out(rows);
        {
            let moves = |status: &sealite::RotationStatus| rotates(&progress, status);
            let status = vault.keys().run_while(&Rotation::new(kind, tenant), moves)?;
            if status.state == sealite::RotationState::Running {
                return Err(stopped());
            }
            rotation::give(&rows, &status)?;
        }
    )
}

/// As sealite_rotation_run_all() of `vault`, telling `progress` how far each key is, as of sealite_rotation_run_while().
/// `progress` may be NULL; it runs on this thread and is handed `context`. `keep` of `keep_count` handles, `drop_others`,
/// `slots` and `rows` as there.
///
/// SEALITE_INTERRUPTED where `progress` has stopped it before all was done: the master key has changed then, sealite_rotation_status() says how
/// the others stand, and sealite_rotation_run() goes on with one that is running. Otherwise as of
/// sealite_rotation_run_all().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_rotation_run_all_while(
    vault: *mut sealite_vault,
    keep: *const *const sealite_unlock,
    keep_count: usize,
    drop_others: i32,
    progress: sealite_progress,
    context: *mut c_void,
    slots: *mut *mut sealite_rows,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(vault),
        handles(keep, keep_count),
        flag(drop_others),
        progress(progress, context),
        optional_out(slots),
        optional_out(rows);
        {
            let secrets: Vec<sealite::Unlock> = keep.iter().map(|secret| (**secret).clone()).collect();
            let moves = |status: &sealite::RotationStatus| rotates(&progress, status);
            let (master, done, all) = vault.keys().rotate_all_while(&secrets, drop_others, moves)?;
            if !all {
                return Err(stopped());
            }
            rotation::give_all(&slots, &rows, &master, &done)?;
        }
    )
}
