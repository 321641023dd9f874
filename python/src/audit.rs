//! Two SQLite libraries in one process must not have one file open: closing it through one drops the locks of the
//! other. The core refuses a file that Python's `sqlite3` has open; this hook makes `sqlite3` refuse the vault's.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use sealite::ErrorKind;

use crate::error::error;

/// Installs the hook, once. There is no way to take one off again.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let hook = wrap_pyfunction!(audit, py)?;
    let added = py.import("sys").and_then(|sys| sys.call_method1("addaudithook", (hook,)));
    if added.is_err() {
        INSTALLED.store(false, Ordering::Relaxed);
    }
    added.map(drop)
}

/// The hook itself: it runs at every audit event of the process, and looks at one.
#[pyfunction]
fn audit(event: &Bound<'_, PyString>, arguments: &Bound<'_, PyAny>) -> PyResult<()> {
    if event.to_str().is_ok_and(|event| event == "sqlite3.connect") {
        let database = arguments.cast::<PyTuple>()?.get_item(0)?;
        return check(&database);
    }
    Ok(())
}

fn check(database: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = database.py();
    // What is not a path is for sqlite3 to refuse.
    let Ok(database) = py.import("os")?.call_method1("fsdecode", (database,)) else {
        return Ok(());
    };
    let Ok(database) = database.extract::<OsString>() else { return Ok(()) };
    let uri = database.to_str().and_then(path_of_uri);
    let paths = [Some(PathBuf::from(database)), uri];
    if py.detach(|| paths.into_iter().flatten().any(sealite::Vault::holds_file)) {
        return Err(error(
            ErrorKind::AnotherLibrary,
            "a vault of this process has the file open: sqlite3 would be a second SQLite library on it, each dropping \
             the other's locks. Use the vault's own execute and query, close the vault first, or use another process",
        ));
    }
    Ok(())
}

/// The path in a `file:` URI (RFC 3986), as SQLite reads it: authority, query and fragment fall away, escapes are
/// undone.
fn path_of_uri(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file:")?;
    let rest = match rest.strip_prefix("//") {
        Some(rest) => rest.get(rest.find('/')?..)?,
        None => rest,
    };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let mut bytes = Vec::with_capacity(end);
    let mut left = rest.get(..end)?.as_bytes();
    while let Some((first, tail)) = left.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high << 4 | low);
            left = tail.get(2..)?;
        } else {
            bytes.push(*first);
            left = tail;
        }
    }
    Some(path_from(bytes))
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

#[cfg(unix)]
fn path_from(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn path_from(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}
