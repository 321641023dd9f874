//! The life of a vault.

use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use sealite::{Config, Id, Status, Unlock, Value, Vault, Verification};

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{call, free};
use crate::config::sealite_config;
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::{Builder, Held, Root, Source};
use crate::rows::{Made, count, sealite_rows, text_or_null};
use crate::snapshot::sealite_snapshot;
use crate::status::sealite_status;
use crate::status::{Failure, Result};
use crate::table::{Named, sealite_table};
use crate::tenant::sealite_tenant;
use crate::transaction::{Open, sealite_transaction};
use crate::unlock::sealite_unlock;

/// The state of a vault.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_vault_state {
    /// There is no file.
    SEALITE_VAULT_ABSENT = 0,
    /// There is a file, and no vault in it yet.
    SEALITE_VAULT_UNINITIALISED = 1,
    /// There is a vault, and this handle holds no key.
    SEALITE_VAULT_LOCKED = 2,
    /// The keys are in memory.
    SEALITE_VAULT_OPEN = 3,
}

/// A vault. It may be used from any thread, and by a forked child where it was idle at the fork. Its file must not be
/// opened by another SQLite library of the same process.
pub struct sealite_vault {
    _opaque: [u8; 0],
}

impl Kind for sealite_vault {
    type Object = Vault;
}

fn at(path: &str, config: Option<Arc<Builder<Config>>>) -> Result<Vault> {
    if path.is_empty() {
        return Err(Failure::invalid("an empty path names no file"));
    }
    let config = config.map_or(Ok(Config::default()), |config| config.built())?;
    Ok(Vault::at_with(Path::new(path), config)?)
}

/// What a check of every record has found.
pub(crate) fn verified(found: &Verification) -> Made {
    let mut made = Made::new(&["check", "table", "tenant", "id", "rows", "error"]);
    let none = || Value::Null;
    for (check, tables) in [("table", &found.tables), ("internal", &found.internal)] {
        for (table, read) in tables {
            made.push([check.into(), table.as_str().into(), none(), none(), count(*read), none()]);
        }
    }
    for fault in &found.faults {
        let id = match &fault.id {
            Id::Integer(id) => Value::Integer(*id),
            Id::Text(id) => Value::Text(id.clone()),
            _ => none(),
        };
        let error = fault.error.kind().name().into();
        let tenant = text_or_null(fault.tenant.as_deref());
        made.push(["row".into(), fault.table.as_str().into(), tenant, id, none(), error]);
    }
    if let Some(error) = &found.keys {
        let error = error.kind().name().into();
        made.push(["keys".into(), none(), none(), none(), none(), error]);
    }
    for line in &found.integrity {
        let line = line.as_str().into();
        made.push(["integrity".into(), none(), none(), none(), none(), line]);
    }
    made
}

/// Makes a handle to the file in whatever state it is; nothing is created or unlocked. `config` may be NULL. Free it with
/// sealite_vault_free().
///
/// SEALITE_ANOTHER_LIBRARY where other code of this process has the file open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_at(
    path: *const c_char,
    path_length: usize,
    config: *const sealite_config,
    vault: *mut *mut sealite_vault,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(path, path_length), optional_handle(config), out(vault); {
        vault.give(at(path, config)?)?;
    })
}

/// Creates a vault with its first slot, exactly once: of several processes that try, one succeeds. `config` may be NULL.
///
/// SEALITE_ALREADY_INITIALISED where there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_create(
    path: *const c_char,
    path_length: usize,
    unlock: *const sealite_unlock,
    config: *const sealite_config,
    vault: *mut *mut sealite_vault,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(path, path_length), handle(unlock), optional_handle(config), out(vault); {
        let made = at(path, config)?;
        made.initialise(&unlock)?;
        vault.give(made)?;
    })
}

/// Opens an existing vault. `config` may be NULL.
///
/// SEALITE_NOT_INITIALISED where there is none, SEALITE_WRONG_KEY where no slot opens, SEALITE_NOT_A_VAULT,
/// SEALITE_NEWER_FORMAT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_open(
    path: *const c_char,
    path_length: usize,
    unlock: *const sealite_unlock,
    config: *const sealite_config,
    vault: *mut *mut sealite_vault,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(path, path_length), handle(unlock), optional_handle(config), out(vault); {
        let made = at(path, config)?;
        made.unlock(&unlock)?;
        vault.give(made)?;
    })
}

/// Makes a vault in memory, for tests and examples. Its key is random and never leaves the process. It has one
/// connection, so a transaction or snapshot excludes every other call meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_in_memory(
    vault: *mut *mut sealite_vault,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(vault); { vault.give(Vault::in_memory()?)?; })
}

/// Writes the state, a sealite_vault_state, to `state`.
///
/// SEALITE_NOT_A_VAULT and SEALITE_CORRUPT where the file is another program's, or damaged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_status(
    vault: *mut sealite_vault,
    state: *mut i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    use sealite_vault_state::*;
    call!(error; handle(vault), out(state); {
        state.set(match vault.status()? {
            Status::Absent => SEALITE_VAULT_ABSENT,
            Status::Uninitialised => SEALITE_VAULT_UNINITIALISED,
            Status::Locked => SEALITE_VAULT_LOCKED,
            Status::Open => SEALITE_VAULT_OPEN,
            _ => return Err(Failure::internal()),
        } as i32);
    })
}

/// Creates the vault in the file with its first slot, and opens it. See sealite_vault_create().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_initialise(
    vault: *mut sealite_vault,
    unlock: *const sealite_unlock,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), handle(unlock); { vault.initialise(&unlock)?; })
}

/// Takes the keys into memory, with the secret of any slot.
///
/// SEALITE_WRONG_KEY where no slot opens with it; SEALITE_NOT_INITIALISED without a vault; SEALITE_ROLLED_BACK where
/// the file is older than the checkpoint of its configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_unlock(
    vault: *mut sealite_vault,
    unlock: *const sealite_unlock,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), handle(unlock); { vault.unlock(&*unlock as &Unlock)?; })
}

/// Wipes the keys from memory. Calls fail with SEALITE_LOCKED from then on; transactions and snapshots that are open go
/// on to their end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_lock(
    vault: *mut sealite_vault,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault); { vault.lock(); })
}

/// Wipes the keys and closes every connection: calls on this handle, and on those made from it, fail with SEALITE_CLOSED
/// from then on. The handle is still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_close(
    vault: *mut sealite_vault,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault); { vault.close(); })
}

/// Frees the handle. The vault closes when the last handle that was made from it is freed as well. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_free(vault: *mut sealite_vault) {
    free(vault);
}

/// Writes true to `holds` where a vault of this process has the file open: another SQLite library must not open it then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_holds_file(
    path: *const c_char,
    path_length: usize,
    holds: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(path, path_length), out(holds); { holds.set(Vault::holds_file(path)); })
}

/// Writes the path of the file of `vault`, as sealite_vault_at() got it, to `path`: NULL for a vault in memory. Free it
/// with sealite_bytes_free().
///
/// SEALITE_CLOSED for a handle that was freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_path(
    vault: *mut sealite_vault,
    path: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(path); {
        if let Some(found) = vault.path() {
            path.give(Bytes::copy_of(found.to_string_lossy().as_bytes()))?;
        }
    })
}

/// Makes a handle that reaches one tenant's rows, fields, settings, tokens, audit entries, quotas and approvals, and
/// nothing else. Free it with sealite_tenant_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_tenant(
    vault: *mut sealite_vault,
    name: *const c_char,
    name_length: usize,
    tenant: *mut *mut sealite_tenant,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(name, name_length), out(tenant); {
        tenant.give(Root::Tenant(vault.tenant(name)?, vault.path().is_none()))?;
    })
}

/// Makes a handle to a table. Each call on it is a transaction of its own, and it may be used from any thread. Free it
/// with sealite_table_free().
///
/// SEALITE_NOT_FOUND where there is no such table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_table(
    vault: *mut sealite_vault,
    name: *const c_char,
    name_length: usize,
    table: *mut *mut sealite_table,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(name, name_length), out(table); {
        vault.table(name)?;
        table.give(Named::new(Source::Root(Root::Vault((*vault).clone())), name))?;
    })
}

/// Begins a transaction. Only one writes at a time; another waits for the busy time-out. End it with
/// sealite_transaction_commit() or sealite_transaction_roll_back(), and free it with sealite_transaction_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_begin(
    vault: *mut sealite_vault,
    transaction: *mut *mut sealite_transaction,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(transaction); { transaction.give(Open::new(vault.begin()?))?; })
}

/// Takes a view of the vault at this moment, for reads that must agree with each other. Reads are cheaper in it, too.
/// Free it with sealite_snapshot_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_snapshot(
    vault: *mut sealite_vault,
    snapshot: *mut *mut sealite_snapshot,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(snapshot); {
        snapshot.give(Held::new("snapshot", vault.snapshot()?))?;
    })
}

/// Before a fork, for a program whose other threads can't go on once the forking thread is inside `fork`, as under an
/// interpreter's global lock: waits at most 200 ms for what they do with a vault. Others need not call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_prepare_fork(error: *mut *mut sealite_error) -> sealite_status {
    call!(error; ; { sealite::prepare_fork(); })
}

/// Opens every record and runs SQLite's own check; takes as long as reading the whole file. Writes true to `sound` where
/// nothing was found. Rows: `check` ("table": what was read, "internal": what was read of the engine's own, "row": one that does
/// not open, "keys": what is wrong with the table of keys, "integrity": what SQLite says), `table`, `tenant`, `id`, `rows` (of
/// "table" and "internal": how many), `error`; what a row has nothing of is SEALITE_NULL.
///
/// What is not sound is no failure: it stands in `rows`. SEALITE_LOCKED while there is no key in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_verify(
    vault: *mut sealite_vault,
    sound: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(sound), out(rows); {
        let found = vault.verify(|_| ())?;
        rows.give(verified(&found).into())?;
        sound.set(found.is_sound());
    })
}
