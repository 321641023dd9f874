//! What the SQL face asks of a connection that only SQLite's C interface offers.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use rusqlite::ffi;

use super::abi::MODULE;
use super::face::Face;
use crate::db::Handle;
use crate::error::{Result, err};

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
