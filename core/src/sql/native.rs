//! What the SQL face asks of a connection that only SQLite's C interface offers.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use rusqlite::ffi;

use super::abi::{MODULE, caught, code_of};
use super::counts;
use super::face::Face;
use super::listing;
use super::values::Output;
use crate::db::Handle;
use crate::error::{Result, err};
use crate::value::ValueRef;

/// Makes a table of that name known on the face's connection.
pub(super) fn register(face: &Face, table: &str) -> Result<()> {
    create_module(face, table, &raw const MODULE)
}

/// Takes the table of that name away. Statements that were compiled with it fail from now on.
pub(super) fn unregister(face: &Face, table: &str) -> Result<()> {
    create_module(face, table, ptr::null())
}

fn create_module(face: &Face, table: &str, module: *const ffi::sqlite3_module) -> Result<()> {
    let name = format!("{table}\0");
    let Handle(db) = face.handle;
    let aux = ptr::from_ref(face).cast_mut().cast::<c_void>();
    // SAFETY: the name ends with NUL, the module is static, and `pAux` is the face (F1).
    let code = unsafe {
        ffi::sqlite3_create_module_v2(db.as_ptr(), name.as_ptr().cast(), module, aux, None)
    };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(err!(Internal, "SQLite takes no module")) }
}

/// Makes `sealite_tables()` known on the face's connection, and takes `changes()` over where the engine sees all that
/// SQL does.
pub(super) fn add_functions(face: &Face) -> Result<()> {
    add_function(face, c"sealite_tables", ffi::SQLITE_UTF8 | ffi::SQLITE_DIRECTONLY, tables)?;
    #[cfg(feature = "loadable")]
    if face.is_guest() {
        return Ok(());
    }
    add_function(face, c"changes", ffi::SQLITE_UTF8, counts::changes)
}

type Function =
    unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value);

fn add_function(face: &Face, name: &CStr, flags: c_int, function: Function) -> Result<()> {
    let aux = ptr::from_ref(face).cast_mut().cast::<c_void>();
    // SAFETY: the name ends with NUL, and the user data is the face (F1).
    let code = unsafe {
        ffi::sqlite3_create_function_v2(
            face.handle.0.as_ptr(),
            name.as_ptr(),
            0,
            flags,
            aux,
            Some(function),
            None,
            None,
            None,
        )
    };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(err!(Internal, "SQLite takes no function")) }
}

unsafe extern "C" fn tables(
    context: *mut ffi::sqlite3_context,
    _count: c_int,
    _values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: M3, M4, M5.
    unsafe {
        let face = &*ffi::sqlite3_user_data(context).cast::<Face>();
        match caught(|| listing::tables(face)) {
            Ok(text) => Output::new(context).set(ValueRef::Text(&text)),
            Err(error) => {
                ffi::sqlite3_result_error_code(context, code_of(&error));
                face.fail(error);
            }
        }
    }
}

/// SQLite's counter of changes to the file; it differs after every commit, whoever's it is.
pub(super) fn data_version(handle: Handle) -> Option<u32> {
    let mut version: u32 = 0;
    // SAFETY: the connection is this thread's (F3), and the operation writes 4 bytes.
    let code = unsafe {
        ffi::sqlite3_file_control(
            handle.0.as_ptr(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_DATA_VERSION,
            (&raw mut version).cast(),
        )
    };
    (code == ffi::SQLITE_OK).then_some(version)
}

/// `sqlite3_vtab_config`, as an extension gets it: the binding's own form has lost its further arguments.
#[cfg(feature = "loadable")]
pub(super) static VTAB_CONFIG: std::sync::OnceLock<super::VtabConfig> = std::sync::OnceLock::new();

/// Inside `xConnect`: OR clauses are carried out as for tables, and triggers and views reach the table not.
///
/// # Safety
/// `db` is the connection that `xConnect` got.
pub(super) unsafe fn configure(db: *mut ffi::sqlite3) {
    #[cfg(feature = "loadable")]
    // SAFETY: the caller's promise; the first setting takes an integer, the second nothing.
    unsafe {
        if let Some(config) = VTAB_CONFIG.get() {
            config(db.cast(), ffi::SQLITE_VTAB_CONSTRAINT_SUPPORT, 1 as std::ffi::c_int);
            config(db.cast(), ffi::SQLITE_VTAB_DIRECTONLY);
        }
    }
    #[cfg(not(feature = "loadable"))]
    // SAFETY: as above.
    unsafe {
        ffi::sqlite3_vtab_config(db, ffi::SQLITE_VTAB_CONSTRAINT_SUPPORT, 1 as std::ffi::c_int);
        ffi::sqlite3_vtab_config(db, ffi::SQLITE_VTAB_DIRECTONLY);
    }
}
