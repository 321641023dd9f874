//! The `sqlite3_module`: the functions that SQLite calls, each a thin shell around a safe one.
//!
//! Invariants, which the `SAFETY` comments cite:
//! - M1. Every `sqlite3_vtab` that SQLite hands to a callback is the first field of a `TableObject` that `connect` boxed,
//!   every `sqlite3_vtab_cursor` of a `CursorObject` that `open` boxed; SQLite frees each once, by `disconnect` or
//!   `close`, and a table only after its cursors.
//! - M2. The callbacks of one connection run one at a time on one thread. They nest only where a callback runs SQL; that
//!   SQL reaches the same table at most (by a trigger), never the same cursor, so tables are borrowed shared and
//!   cursors mutably.
//! - M3. Arguments (`values`, `info`, `sqlite3_context`) are SQLite's own and valid during the call.
//! - M4. `pAux` is the connection's [`Face`] (F1).
//! - M5. No panic leaves a callback: all of them go through [`caught`].

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use rusqlite::ffi;

use super::cursor::Cursor;
use super::face::{Face, panicked};
use super::index_info::IndexInfo;
use super::table::Table;
use super::values::{Args, Output};
use super::{native, plan, update};
use crate::db::Handle;
use crate::error::{Error, ErrorKind, Result, err};

#[repr(C)]
struct TableObject {
    base: ffi::sqlite3_vtab,
    table: Table,
}

#[repr(C)]
struct CursorObject {
    base: ffi::sqlite3_vtab_cursor,
    cursor: Cursor,
}

/// No `xCreate`: the table of a module's name is there without being created, and no other. So SQLite neither renames it
/// nor checks its integrity, which the statement layer does. There is no `xShadowName` on the engine's own connections: in defensive mode
/// SQLite would keep the record path, too, from writing what it takes for shadow tables. The authorizer protects them.
pub(super) static MODULE: ffi::sqlite3_module = ffi::sqlite3_module {
    iVersion: 4,
    xCreate: None,
    xConnect: Some(connect),
    xBestIndex: Some(best_index),
    xDisconnect: Some(disconnect),
    xDestroy: None,
    xOpen: Some(open),
    xClose: Some(close),
    xFilter: Some(filter),
    xNext: Some(next),
    xEof: Some(eof),
    xColumn: Some(column),
    xRowid: Some(row_id),
    xUpdate: Some(write),
    xBegin: Some(begin),
    xSync: Some(sync),
    xCommit: Some(commit),
    xRollback: Some(roll_back),
    xFindFunction: None,
    xRename: None,
    xSavepoint: Some(savepoint),
    xRelease: Some(release),
    xRollbackTo: Some(roll_back_to),
    xShadowName: None,
    xIntegrity: None,
};

pub(super) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked()))
}

/// The number that SQLite gets for an error. The error itself waits in the face.
pub(super) fn code_of(error: &Error) -> c_int {
    // A constraint to SQLite, which `OR IGNORE` would forgive; in a STRICT table it does not.
    if error.kind() == ErrorKind::TypeMismatch {
        return ffi::SQLITE_MISMATCH;
    }
    error.sqlite_code().unwrap_or(match error.kind() {
        ErrorKind::Busy => ffi::SQLITE_BUSY,
        ErrorKind::Conflict => ffi::SQLITE_CONSTRAINT,
        ErrorKind::Corrupt | ErrorKind::AuthenticationFailed => ffi::SQLITE_CORRUPT_VTAB,
        ErrorKind::Full => ffi::SQLITE_FULL,
        ErrorKind::ReadOnly => ffi::SQLITE_READONLY,
        ErrorKind::Io => ffi::SQLITE_IOERR,
        ErrorKind::NotAllowed => ffi::SQLITE_AUTH,
        _ => ffi::SQLITE_ERROR,
    })
}

/// A text in SQLite's memory, for it to free.
///
/// # Safety
/// Called where SQLite's allocator may be.
unsafe fn sqlite_text(text: &str) -> *mut c_char {
    let text = text.replace('\0', " ");
    // SAFETY: as many bytes are allocated as are written, and the NUL.
    unsafe {
        let copy = ffi::sqlite3_malloc64(text.len() as u64 + 1).cast::<c_char>();
        if !copy.is_null() {
            ptr::copy_nonoverlapping(text.as_ptr().cast(), copy, text.len());
            copy.add(text.len()).write(0);
        }
        copy
    }
}

/// Runs a callback on a table, and keeps its error.
///
/// # Safety
/// M1 and M2 for `vtab`.
unsafe fn on_table(vtab: *mut ffi::sqlite3_vtab, work: impl FnOnce(&Table) -> Result<()>) -> c_int {
    // SAFETY: M1, M2.
    let object = unsafe { &*vtab.cast::<TableObject>() };
    let face = object.table.face();
    match caught(|| work(&object.table)) {
        Ok(()) => ffi::SQLITE_OK,
        Err(error) => {
            // SAFETY: M1; SQLite expects its own memory here and frees what stood there before by our hand.
            unsafe {
                ffi::sqlite3_free((*vtab).zErrMsg.cast());
                (*vtab).zErrMsg = sqlite_text(error.message());
            }
            let code = if face.stops() { ffi::SQLITE_ERROR } else { code_of(&error) };
            face.fail(error);
            code
        }
    }
}

/// As [`on_table`], with a cursor of it.
///
/// # Safety
/// M1 and M2 for `raw`.
unsafe fn on_cursor(
    raw: *mut ffi::sqlite3_vtab_cursor,
    work: impl FnOnce(&Table, &mut Cursor) -> Result<()>,
) -> c_int {
    // SAFETY: M1, M2.
    unsafe {
        let cursor = &mut (*raw.cast::<CursorObject>()).cursor;
        on_table((*raw).pVtab, |table| work(table, cursor))
    }
}

unsafe extern "C" fn connect(
    db: *mut ffi::sqlite3,
    aux: *mut c_void,
    count: c_int,
    values: *const *const c_char,
    out: *mut *mut ffi::sqlite3_vtab,
    message: *mut *mut c_char,
) -> c_int {
    // SAFETY: M4.
    let face = unsafe { &*aux.cast::<Face>() };
    let _turn = face.authority.engine();
    let connected = caught(|| {
        if count < 3 {
            return Err(err!(Internal, "a virtual table without a name"));
        }
        // SAFETY: M3: module, schema and table name come first, each a text.
        let name = unsafe { CStr::from_ptr(*values.add(2)) };
        let name = name.to_str().map_err(|_| err!(Corrupt, "a table's name is not UTF-8"))?;
        Table::connect(face, name)
    });
    let declared = connected.and_then(|table| {
        let sql = format!("{}\0", table.declaration());
        // SAFETY: M3; the text ends with NUL; both settings belong to `xConnect`.
        let code = unsafe {
            native::configure(db);
            ffi::sqlite3_declare_vtab(db, sql.as_ptr().cast())
        };
        if code == ffi::SQLITE_OK {
            Ok(table)
        } else {
            Err(err!(Internal, "SQLite takes no such declaration"))
        }
    });
    match declared {
        Ok(table) => {
            let base =
                ffi::sqlite3_vtab { pModule: ptr::null(), nRef: 0, zErrMsg: ptr::null_mut() };
            let object = Box::new(TableObject { base, table });
            // SAFETY: M1 begins here.
            unsafe { *out = Box::into_raw(object).cast() };
            ffi::SQLITE_OK
        }
        Err(error) => {
            // SAFETY: M3.
            unsafe { *message = sqlite_text(error.message()) };
            let code = code_of(&error);
            face.fail(error);
            code
        }
    }
}

unsafe extern "C" fn disconnect(vtab: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: M1 ends here.
    let object = unsafe { Box::from_raw(vtab.cast::<TableObject>()) };
    let _ = caught(move || {
        let TableObject { table, .. } = *object;
        #[cfg(feature = "loadable")]
        table.disconnect();
        #[cfg(not(feature = "loadable"))]
        drop(table);
        Ok(())
    });
    ffi::SQLITE_OK
}

unsafe extern "C" fn best_index(
    vtab: *mut ffi::sqlite3_vtab,
    info: *mut ffi::sqlite3_index_info,
) -> c_int {
    // SAFETY: M1, M2, M3.
    unsafe {
        on_table(vtab, |table| {
            plan::choose(table, &mut IndexInfo::new(&mut *info));
            Ok(())
        })
    }
}

unsafe extern "C" fn open(
    _vtab: *mut ffi::sqlite3_vtab,
    out: *mut *mut ffi::sqlite3_vtab_cursor,
) -> c_int {
    let base = ffi::sqlite3_vtab_cursor { pVtab: ptr::null_mut() };
    let object = Box::new(CursorObject { base, cursor: Cursor::default() });
    // SAFETY: M1 begins here; SQLite sets `pVtab`.
    unsafe { *out = Box::into_raw(object).cast() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(raw: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: M1 ends here.
    let object = unsafe { Box::from_raw(raw.cast::<CursorObject>()) };
    let CursorObject { base, cursor } = *object;
    // SAFETY: M1, M2: the cursor's table is there.
    unsafe {
        on_table(base.pVtab, |table| {
            cursor.close(table);
            Ok(())
        })
    }
}

unsafe extern "C" fn filter(
    raw: *mut ffi::sqlite3_vtab_cursor,
    number: c_int,
    _label: *const c_char,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) -> c_int {
    // SAFETY: M1, M2, M3.
    unsafe {
        let args = Args::new(count, values);
        on_cursor(raw, |table, cursor| cursor.filter(table, number, &args))
    }
}

unsafe extern "C" fn next(raw: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: M1, M2.
    unsafe { on_cursor(raw, |table, cursor| cursor.next(table)) }
}

unsafe extern "C" fn eof(raw: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: M1, M2; nothing here panics.
    c_int::from(unsafe { (*raw.cast::<CursorObject>()).cursor.is_at_end() })
}

unsafe extern "C" fn column(
    raw: *mut ffi::sqlite3_vtab_cursor,
    context: *mut ffi::sqlite3_context,
    index: c_int,
) -> c_int {
    // SAFETY: M1, M2, M3.
    unsafe {
        let output = Output::new(context);
        on_cursor(raw, |table, cursor| cursor.column(table, index, &output))
    }
}

unsafe extern "C" fn row_id(
    raw: *mut ffi::sqlite3_vtab_cursor,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: M1, M2, M3.
    unsafe {
        on_cursor(raw, |_, cursor| {
            *out = cursor.row_id()?;
            Ok(())
        })
    }
}

unsafe extern "C" fn write(
    vtab: *mut ffi::sqlite3_vtab,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: M1, M2, M3; the conflict mode is asked for inside `xUpdate`, as SQLite wants it.
    unsafe {
        let args = Args::new(count, values);
        on_table(vtab, |table| {
            let Handle(db) = table.face().handle;
            let mode = ffi::sqlite3_vtab_on_conflict(db.as_ptr());
            if let Some(row) = update::write(table, &args, update::Mode::from_code(mode))? {
                *out = row;
            }
            Ok(())
        })
    }
}

/// Transactions are SQLite's own, which the physical tables take part in. Where SQL ends them, the host is told.
unsafe extern "C" fn begin(vtab: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: M1, M2.
    unsafe { on_table(vtab, Table::begin) }
}

unsafe extern "C" fn sync(vtab: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: M1, M2.
    unsafe { on_table(vtab, Table::sync) }
}

unsafe extern "C" fn commit(vtab: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: M1, M2.
    unsafe {
        on_table(vtab, |table| {
            table.end();
            if let Some(host) = table.face().host() {
                host.commit();
            }
            Ok(())
        })
    }
}

unsafe extern "C" fn roll_back(vtab: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: M1, M2.
    unsafe {
        on_table(vtab, |table| {
            table.end();
            if let Some(host) = table.face().host() {
                host.roll_back();
            }
            Ok(())
        })
    }
}

unsafe extern "C" fn savepoint(vtab: *mut ffi::sqlite3_vtab, number: c_int) -> c_int {
    // SAFETY: M1, M2.
    unsafe {
        on_table(vtab, |table| {
            table.face().save(number);
            Ok(())
        })
    }
}

unsafe extern "C" fn release(vtab: *mut ffi::sqlite3_vtab, number: c_int) -> c_int {
    // SAFETY: M1, M2.
    unsafe {
        on_table(vtab, |table| {
            table.face().saved.release(number);
            Ok(())
        })
    }
}

unsafe extern "C" fn roll_back_to(vtab: *mut ffi::sqlite3_vtab, number: c_int) -> c_int {
    // SAFETY: M1, M2.
    unsafe {
        on_table(vtab, |table| {
            table.face().go_back(number);
            Ok(())
        })
    }
}
