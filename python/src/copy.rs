//! Backup, restoration and compaction.

use std::path::PathBuf;

use pyo3::prelude::*;
use sealite::{BackupOptions, BackupProgress, RestoreOptions};

use crate::trace::Traced;
use crate::unlock::Unlock;
use crate::value::OrRaise;

/// What a copy holds.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct BackupReport(sealite::BackupReport);

#[pymethods]
impl BackupReport {
    /// The size of the copy in bytes.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Rows that were opened in the copy, the engine's own included; None where it was not checked.
    #[getter]
    fn rows(&self) -> Option<u64> {
        self.0.rows
    }

    /// Entries of the audit trail; None where it was not checked.
    #[getter]
    fn audit_entries(&self) -> Option<u64> {
        self.0.audit_entries
    }

    fn __repr__(&self) -> String {
        format!("<BackupReport: {} bytes>", self.0.bytes)
    }
}

/// What `Vault.compact` has done.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Compaction(pub(crate) sealite::Compaction);

#[pymethods]
impl Compaction {
    /// Bytes on the disk before: the file and its log.
    #[getter]
    fn before(&self) -> u64 {
        self.0.before
    }

    /// Bytes on the disk afterwards.
    #[getter]
    fn after(&self) -> u64 {
        self.0.after
    }

    /// "complete", or "pending" where another process has held it back: `finish_erasure` goes on.
    #[getter]
    fn erasure(&self) -> &'static str {
        crate::vault::erasure(self.0.erasure)
    }

    fn __repr__(&self) -> String {
        format!("<Compaction: {} bytes to {}>", self.0.before, self.0.after)
    }
}

/// Copies the vault.
pub(crate) fn backup(
    py: Python<'_>,
    vault: &sealite::Vault,
    to: &PathBuf,
    verify: bool,
    progress: Option<&Py<PyAny>>,
) -> PyResult<BackupReport> {
    let mut options = BackupOptions::default();
    options.verify = verify;
    let mut raised = None;
    let made = py.traced(|| vault.backup_with(to, &options, |at| tell(progress, at, &mut raised)));
    reported(made, raised)
}

/// Makes a vault of a backup.
pub(crate) fn restore(
    py: Python<'_>,
    (backup, to): (&PathBuf, &PathBuf),
    unlock: &Unlock,
    options: &RestoreOptions,
    progress: Option<&Py<PyAny>>,
) -> PyResult<BackupReport> {
    let mut raised = None;
    let made = py.traced(|| {
        let go_on = |at| tell(progress, at, &mut raised);
        sealite::Vault::restore_with(backup, to, &unlock.0, options, go_on)
    });
    reported(made, raised)
}

/// What was raised on the way comes before what it led to.
fn reported(
    made: sealite::Result<sealite::BackupReport>,
    raised: Option<PyErr>,
) -> PyResult<BackupReport> {
    match raised {
        Some(raised) => Err(raised),
        None => made.map(BackupReport).or_raise(),
    }
}

/// Tells how far it has come, and lets Python's signals be handled; false where either raised.
fn tell(progress: Option<&Py<PyAny>>, at: BackupProgress, raised: &mut Option<PyErr>) -> bool {
    let (what, done, all) = match at {
        BackupProgress::Copied(done, all) => ("copied", done, Some(all)),
        BackupProgress::Opened(rows) => ("opened", rows, None),
        BackupProgress::Audited(entries) => ("audited", entries, None),
        _ => return true,
    };
    *raised = Python::attach(|py| {
        py.check_signals()?;
        progress.map_or(Ok(()), |progress| progress.call1(py, (what, done, all)).map(|_| ()))
    })
    .err();
    raised.is_none()
}
