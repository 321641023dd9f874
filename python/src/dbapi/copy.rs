//! Copies of a whole vault. What is sealed stays sealed in them.

use std::fs::OpenOptions;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rusqlite::Connection as Raw;
use rusqlite::backup::{Backup, StepResult};

use super::connection::Connection;
use super::error::{Class, raised};
use super::functions::called_back;
use super::link::Link;

/// How a copy goes on.
pub(super) struct Pace<'a, 'py> {
    pub(super) pages: i32,
    pub(super) progress: Option<&'a Bound<'py, PyAny>>,
    pub(super) name: &'a str,
    pub(super) sleep: f64,
}

/// What stopped a copy.
enum Stopped {
    Sqlite(rusqlite::Error),
    Python(PyErr),
}

/// Copies the vault into a file that is not there yet.
pub(super) fn backup(
    link: &Arc<Link>,
    target: &Bound<'_, PyAny>,
    pace: &Pace<'_, '_>,
) -> PyResult<()> {
    let py = target.py();
    if target.cast::<Connection>().is_ok() {
        let message = "a vault is copied into a new file, not over another vault: backup(path)";
        return Err(raised(Class::NotSupported, message));
    }
    let path = crate::vault::path_of(target)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&path)
        .map_err(|error| PyOSError::new_err((error.raw_os_error(), error.to_string())))?;
    let progress = pace.progress.map(|progress| progress.clone().unbind());
    let sleep = Duration::try_from_secs_f64(pace.sleep.clamp(0.0, 3_600.0)).unwrap_or_default();
    let (pages, name) = (if pace.pages == 0 { -1 } else { pace.pages }, pace.name.to_owned());
    let stopped = link.run(py, |engine| {
        engine.with_raw(|raw| {
            let copied = || {
                let mut file = Raw::open(&path).map_err(Stopped::Sqlite)?;
                let copy = Backup::new_with_names(raw, &*name, &mut file, c"main")
                    .map_err(Stopped::Sqlite)?;
                loop {
                    let step = copy.step(pages).map_err(Stopped::Sqlite)?;
                    let left = copy.progress();
                    if let Some(progress) = &progress {
                        let status = if matches!(step, StepResult::Done) { 101 } else { 0 };
                        called_back(|py| {
                            progress.call1(py, (status, left.remaining, left.pagecount))
                        })
                        .map_err(Stopped::Python)?;
                    }
                    match step {
                        StepResult::Done => return Ok(()),
                        StepResult::More => {}
                        // What it waits for would be its own end.
                        _ if !raw.is_autocommit() => {
                            let message = "the connection is inside a transaction that has written: commit first";
                            return Err(Stopped::Python(raised(Class::Operational, message)));
                        }
                        _ => std::thread::sleep(sleep),
                    }
                }
            };
            copied().err()
        })
    })?;
    let Some(stopped) = stopped else { return Ok(()) };
    // Half a copy is none.
    let _ = std::fs::remove_file(&path);
    Err(match stopped {
        Stopped::Sqlite(error) => raised(Class::Operational, error.to_string()),
        Stopped::Python(error) => error,
    })
}

/// The bytes of the database.
pub(super) fn serialized<'py>(
    link: &Arc<Link>,
    py: Python<'py>,
    name: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let found = link.run(py, |engine| {
        engine.with_raw(|raw| {
            let mut memory = Raw::open_in_memory()?;
            Backup::new_with_names(raw, name, &mut memory, c"main")?.step(-1)?;
            memory.serialize(c"main").map(|data| data.to_vec())
        })
    })?;
    match found {
        Ok(bytes) => Ok(PyBytes::new(py, &bytes)),
        Err(error) => Err(raised(Class::Operational, error.to_string())),
    }
}
