//! The functions of SQL by which a host opens and closes the vault of its connection.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ffi};
use sealite::{ErrorKind, Guest, Status, Unlock, Vault};

use super::handle::{Db, attach, bound_key};

/// What a connection has once it was unlocked, until it is closed: SQLite may let go of a table late. The guest goes first.
struct Open {
    guest: Guest,
    vault: Vault,
}

type Slot = Arc<Mutex<Option<Open>>>;

/// Registers the functions on a connection that has loaded the extension.
pub(super) fn register(connection: Connection) -> rusqlite::Result<bool> {
    let slot = Slot::default();
    let direct = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let db = Db::of(&connection);
    let (unlocking, locking, refreshing) = (Arc::clone(&slot), Arc::clone(&slot), slot);
    connection.create_scalar_function(c"sealite_unlock", 1, direct, move |context| {
        unlock(&unlocking, db, context)
    })?;
    connection.create_scalar_function(c"sealite_lock", 0, direct, move |_| {
        let slot = lock(&locking);
        let Some(open) = slot.as_ref().filter(|open| is_open(open)) else { return Ok(0) };
        open.guest.withdraw().map_err(|error| user(&error))?;
        open.vault.lock();
        Ok(1)
    })?;
    connection.create_scalar_function(c"sealite_refresh", 0, direct, move |_| {
        match &*lock(&refreshing) {
            Some(open) if is_open(open) => {
                Ok(i64::try_from(open.guest.refresh().map_err(|e| user(&e))?).unwrap_or(0))
            }
            _ => Err(refused(ErrorKind::Locked, "the vault is locked: SELECT sealite_unlock(...)")),
        }
    })?;
    connection.create_scalar_function(
        c"sealite_version",
        0,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        |_| Ok(env!("CARGO_PKG_VERSION")),
    )?;
    Ok(true)
}

fn lock(slot: &Slot) -> MutexGuard<'_, Option<Open>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `sealite_unlock(reference)`, or with a pointer to a key: the number of sealed tables.
fn unlock(slot: &Slot, db: Db, context: &Context<'_>) -> rusqlite::Result<i64> {
    let mut slot = lock(slot);
    if slot.as_ref().is_some_and(is_open) {
        return Err(refused(ErrorKind::Refused, "the vault is open on this connection already"));
    }
    let unlock = match context.get_raw(0) {
        ValueRef::Text(reference) => {
            let reference = std::str::from_utf8(reference)
                .map_err(|_| refused(ErrorKind::InvalidInput, "the reference is not UTF-8"))?;
            Unlock::reference(reference)
        }
        ValueRef::Null => {
            bound_key(context).ok_or_else(|| refused(ErrorKind::InvalidInput, REFERENCE))?
        }
        _ => return Err(refused(ErrorKind::InvalidInput, REFERENCE)),
    };
    if let Some(open) = &*slot {
        let tables = unlock.and_then(|unlock| open.vault.unlock(&unlock));
        let tables = tables.and_then(|()| open.guest.refresh()).map_err(|error| user(&error))?;
        return Ok(i64::try_from(tables).unwrap_or(i64::MAX));
    }
    let path = db.path().ok_or_else(|| {
        refused(ErrorKind::InvalidInput, "the connection's main database is no file")
    })?;
    let open = |unlock: sealite::Result<Unlock>| -> sealite::Result<Option<Open>> {
        let vault = Vault::open(PathBuf::from(&path), &unlock?)?;
        let guest = attach(&vault, db)?;
        Ok(guest.map(|guest| Open { guest, vault }))
    };
    let opened = open(unlock).map_err(|error| user(&error))?;
    let opened =
        opened.ok_or_else(|| refused(ErrorKind::Internal, "SQLite offers no virtual tables"))?;
    // In place before anything can fail: SQLite may know its tables already.
    let tables = slot.insert(opened).guest.refresh();
    let tables = tables.map_err(|error| user(&error))?;
    Ok(i64::try_from(tables).unwrap_or(i64::MAX))
}

fn is_open(open: &Open) -> bool {
    matches!(open.vault.status(), Ok(Status::Open))
}

const REFERENCE: &str = "a key is referred to as env:VARIABLE, file:/path, credential:name or docker:name, or bound as a pointer";

/// An error of the engine, as SQLite hands it on: its code's name and its message, which holds no value and no key.
fn user(error: &sealite::Error) -> Error {
    Error::SqliteFailure(
        ffi::Error::new(error.sqlite_code().unwrap_or(ffi::SQLITE_ERROR)),
        Some(format!("sealite: {error}")),
    )
}

fn refused(kind: ErrorKind, message: &str) -> Error {
    Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_ERROR),
        Some(format!("sealite: {}: {message}", kind.name())),
    )
}
