//! The entry point, and the host's table of functions.
//!
//! The binding was made for a later SQLite than the oldest host that this extension is for, and refuses older ones. It is
//! given a copy of the host's table: the functions that the host has, and none behind them.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - A1. SQLite calls the entry point with an open connection, its own table of functions, which is never shorter than
//!   the version it says has, and a place for a message.
//! - A2. Later versions append to the table and change nothing that is there (`sqlite3ext.h`).

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};
use std::mem::{MaybeUninit, offset_of};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi::{self, sqlite3_api_routines as Routines};

use super::functions::register;

/// The oldest host: its table ends with `value_encoding`.
const OLDEST: c_int = 3_040_000;
/// What the binding was made for.
const BINDING: c_int = ffi::SQLITE_VERSION_NUMBER;

type Config = unsafe extern "C" fn(*mut ffi::sqlite3, c_int, ...) -> c_int;

/// SQLite's `sqlite3_vtab_config`.
pub(super) static VTAB_CONFIG: OnceLock<sealite::VtabConfig> = OnceLock::new();

/// SQLite's entry point for `sealite_ext.so`.
///
/// # Safety
/// Called by SQLite (A1).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sqlite3_sealiteext_init(
    db: *mut ffi::sqlite3,
    message: *mut *mut c_char,
    routines: *mut Routines,
) -> c_int {
    // SAFETY: A1.
    unsafe { load(db, message, routines) }
}

/// The name that SQLite tries first.
///
/// # Safety
/// Called by SQLite (A1).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sqlite3_extension_init(
    db: *mut ffi::sqlite3,
    message: *mut *mut c_char,
    routines: *mut Routines,
) -> c_int {
    // SAFETY: A1.
    unsafe { load(db, message, routines) }
}

/// # Safety
/// A1.
unsafe fn load(db: *mut ffi::sqlite3, message: *mut *mut c_char, routines: *mut Routines) -> c_int {
    // SAFETY: A1: the first functions are as old as extensions.
    let version = unsafe { (*routines).libversion_number.map_or(0, |version| version()) };
    if version < OLDEST {
        // SAFETY: A1; the text ends with NUL, and SQLite frees what its own allocator gave.
        unsafe {
            if let (Some(print), false) = ((*routines).mprintf, message.is_null()) {
                *message = print(c"sealite needs SQLite 3.40 or later".as_ptr());
            }
        }
        return ffi::SQLITE_ERROR;
    }
    // SAFETY: A1.
    let Some(config) = (unsafe { (*routines).vtab_config }) else { return ffi::SQLITE_ERROR };
    // SAFETY: a connection is a pointer to C, of whichever type.
    let config = unsafe { std::mem::transmute::<Config, sealite::VtabConfig>(config) };
    let _ = VTAB_CONFIG.set(config);
    let known = table(routines, version);
    // SAFETY: A1; the copy lives as long as the process.
    let code = unsafe { rusqlite::Connection::extension_init2(db, message, known, register) };
    // The at-fork hook must not outlive its code: the library stays loaded.
    if code == ffi::SQLITE_OK { ffi::SQLITE_OK_LOAD_PERMANENTLY } else { code }
}

/// The table to give to the binding.
fn table(routines: *mut Routines, version: c_int) -> *mut Routines {
    struct Table(*mut Routines);
    // SAFETY: it is written once, before it is shared, and read from then on.
    unsafe impl Send for Table {}
    // SAFETY: as above.
    unsafe impl Sync for Table {}
    static TABLE: OnceLock<Table> = OnceLock::new();
    if version >= BINDING {
        return routines;
    }
    let table = TABLE.get_or_init(|| {
        let mut copy = Box::new(MaybeUninit::<Routines>::zeroed());
        // SAFETY: A1, A2: every host that is accepted has these; zero is the absence of a function.
        unsafe {
            let has = offset_of!(Routines, is_interrupted);
            ptr::copy_nonoverlapping(routines.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), has);
            (*copy.as_mut_ptr()).libversion_number = Some(binding_version);
        }
        Table(Box::leak(copy).as_mut_ptr())
    });
    table.0
}

/// What lets the binding accept an older host: it uses nothing that such a host lacks.
unsafe extern "C" fn binding_version() -> c_int {
    BINDING
}
