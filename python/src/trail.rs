//! The audit trail.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, TryLockError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use sealite::{Entry, ErrorKind, ExportOptions, WipedBuffer};
use zeroize::Zeroizing;

use crate::error::{Failure, error};
use crate::given::{string_or_none, text_given, text_or_none};
use crate::row::unpicklable;
use crate::setting::json;
use crate::time::from_datetime;
use crate::trace::Traced;
use crate::trail_event::{AuditEvent, AuditReport};
use crate::value::{OrRaise, text_of};
use crate::verify::{goes_on, whole};

/// The audit trail of a vault. A tenant's handle appends entries of that tenant only, and reads only those.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.audit.append("user.created", actor="ada", payload={"id": 7}) > 0
///     True
///     >>> vault.audit.tail(1)[0].payload
///     {'id': 7}
///     >>> checkpoint = vault.audit.checkpoint()
///     >>> vault.audit.verify(checkpoint).sound
///     True
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Audit(sealite::Audit);

/// What of an entry the caller has given.
pub(crate) struct Given<'a, 'py> {
    pub(crate) event: &'a Bound<'py, PyString>,
    /// Actor, subject, trace id, correlation id.
    pub(crate) texts: [Option<&'a Bound<'py, PyString>>; 4],
    pub(crate) payload: Option<&'a Bound<'py, PyAny>>,
}

impl Given<'_, '_> {
    pub(crate) fn entry(&self) -> PyResult<Entry> {
        let mut entry = Entry::new(text_of(self.event)?);
        let setters: [fn(Entry, String) -> Entry; 4] =
            [Entry::actor, Entry::subject, Entry::trace_id, Entry::correlation_id];
        for (text, set) in self.texts.into_iter().zip(setters) {
            if let Some(text) = text {
                entry = set(entry, text_of(text)?.to_owned());
            }
        }
        let Some(payload) = self.payload else { return Ok(entry) };
        if let Some(text) = json(payload)? {
            return Ok(entry.payload(text));
        }
        match payload.cast::<PyString>() {
            Ok(text) => Ok(entry.payload(text_of(text)?)),
            Err(_) => {
                Err(error(ErrorKind::TypeMismatch, "a payload is a dict, a list or JSON text"))
            }
        }
    }
}

fn options(
    from: Option<&Bound<'_, PyAny>>,
    until: Option<&Bound<'_, PyAny>>,
    tenant: Option<String>,
) -> PyResult<ExportOptions> {
    let mut options = ExportOptions::default();
    options.from_ms = from.map(from_datetime).transpose()?;
    options.until_ms = until.map(from_datetime).transpose()?;
    options.tenant = tenant;
    Ok(options)
}

fn io(_: std::io::Error) -> Failure {
    Failure::new(ErrorKind::Io, "the export can't be written")
}

/// Writes to a file of its own, closed to others, and to the disk: entries may be dropped from the vault next.
fn to_path(audit: &sealite::Audit, path: &Path, options: &ExportOptions) -> Result<u64, Failure> {
    let mut open = OpenOptions::new();
    open.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    let mut out = open.open(path).map_err(io)?;
    let count = audit.export(&mut out, options)?;
    out.sync_all().and_then(|()| sync_folder(path)).map_err(io)?;
    Ok(count)
}

/// A new name survives a power cut only with its folder on the disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// As [`sealite::Audit::page`], up to the entry that was the last one at the beginning: whoever reads may also append.
fn page(
    audit: &sealite::Audit,
    after: i64,
    end: i64,
    options: &ExportOptions,
) -> sealite::Result<(Vec<sealite::Event>, Option<i64>)> {
    let (mut events, last) = audit.page(after, options)?;
    events.retain(|event| event.seq() <= end);
    Ok((events, last.filter(|last| *last < end)))
}

/// Writes to an object of Python's, text or binary, while no connection is held: it may itself use the vault.
fn to_object(
    audit: &sealite::Audit,
    object: &Bound<'_, PyAny>,
    options: &ExportOptions,
) -> PyResult<u64> {
    let py = object.py();
    let write = object.getattr("write")?;
    // Only binary ones take bytes, be they empty.
    let text = match write.call1((PyBytes::new(py, b""),)) {
        Ok(_) => false,
        Err(error) if error.is_instance_of::<PyTypeError>(py) => true,
        Err(error) => return Err(error),
    };
    let end = py.detach(|| audit.checkpoint()).or_raise()?.seq();
    let (mut count, mut next) = (0, Some(0));
    while let Some(after) = next {
        let (lines, events, last) = py
            .detach(|| {
                let (events, last) = page(audit, after, end, options)?;
                let mut lines = WipedBuffer::default();
                for event in &events {
                    // A wiped buffer takes whatever is written.
                    let _ = lines.write_all(Zeroizing::new(event.json_line()?).as_bytes());
                }
                Ok((lines, events.len() as u64, last))
            })
            .or_raise()?;
        (count, next) = (count + events, last);
        if text {
            write.call1((PyString::from_bytes(py, lines.as_bytes())?,))?;
            continue;
        }
        let mut left = lines.as_bytes();
        while !left.is_empty() {
            let written = write.call1((PyBytes::new(py, left),))?;
            // A raw file says how much it took.
            let written = written.extract().unwrap_or(left.len());
            match left.get(written..) {
                Some(rest) if written > 0 => left = rest,
                _ => return Err(error(ErrorKind::Io, "the export can't be written")),
            }
        }
    }
    Ok(count)
}

#[allow(clippy::too_many_arguments)] // the fields of an entry
#[pymethods]
impl Audit {
    /// Appends an entry in a transaction of its own; its place in the chain. To record a change, append in the
    /// transaction of that change: `Transaction.audit`. The payload is a dict, a list or JSON text. Never put a secret
    /// into an entry.
    #[pyo3(signature = (event, *, actor=None, subject=None, trace_id=None, correlation_id=None, payload=None))]
    fn append(
        &self,
        py: Python<'_>,
        event: &Bound<'_, PyString>,
        actor: Option<&Bound<'_, PyString>>,
        subject: Option<&Bound<'_, PyString>>,
        trace_id: Option<&Bound<'_, PyString>>,
        correlation_id: Option<&Bound<'_, PyString>>,
        payload: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<i64> {
        let texts = [actor, subject, trace_id, correlation_id];
        let entry = Given { event, texts, payload }.entry()?;
        py.traced(|| self.0.append(&entry)).or_raise()
    }

    /// As `append`, for what may be lost: a failure of the vault is counted, not raised.
    #[pyo3(signature = (event, *, actor=None, subject=None, trace_id=None, correlation_id=None, payload=None))]
    fn append_best_effort(
        &self,
        py: Python<'_>,
        event: &Bound<'_, PyString>,
        actor: Option<&Bound<'_, PyString>>,
        subject: Option<&Bound<'_, PyString>>,
        trace_id: Option<&Bound<'_, PyString>>,
        correlation_id: Option<&Bound<'_, PyString>>,
        payload: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let texts = [actor, subject, trace_id, correlation_id];
        let entry = Given { event, texts, payload }.entry()?;
        py.traced(|| self.0.append_best_effort(&entry));
        Ok(())
    }

    /// How many entries of best effort this process has lost.
    #[getter]
    fn lost(&self) -> u64 {
        self.0.lost()
    }

    /// The last entries, the newest last.
    #[pyo3(signature = (count=10))]
    fn tail(&self, py: Python<'_>, count: usize) -> PyResult<Vec<AuditEvent>> {
        let events = py.detach(|| self.0.tail(count)).or_raise()?;
        Ok(events.into_iter().map(AuditEvent).collect())
    }

    /// Entries in the order of the chain, from one time on and before another, of one tenant. Read a batch at a time.
    #[pyo3(signature = (*, from_=None, until=None, tenant=None))]
    fn events(
        &self,
        from_: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = string_or_none)] tenant: Option<String>,
    ) -> PyResult<AuditEvents> {
        let options = options(from_, until, tenant)?;
        let (audit, next) = (self.0.clone(), Some(0));
        let (rows, end) = (VecDeque::new(), None);
        Ok(AuditEvents(Mutex::new(Pages { audit, options, rows, next, end })))
    }

    fn __iter__(&self) -> PyResult<AuditEvents> {
        self.events(None, None, None)
    }

    /// Walks the whole chain, and compares it with a checkpoint that was kept outside. `progress` gets the number of
    /// entries so far.
    #[pyo3(signature = (checkpoint=None, progress=None))]
    fn verify(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_or_none)] checkpoint: Option<&str>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<AuditReport> {
        let (progress, mut raised) = (progress.map(Bound::as_unbound), None);
        let report = py.detach(|| {
            self.0.verify_while(checkpoint, |count| goes_on(progress, count, &mut raised))
        });
        whole(report.or_raise()?, raised).map(AuditReport)
    }

    /// Walks only what came after the checkpoint.
    fn verify_since(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] checkpoint: &str,
    ) -> PyResult<AuditReport> {
        py.detach(|| self.0.verify_since(checkpoint)).map(AuditReport).or_raise()
    }

    /// How far the chain goes now: a text to be kept outside the file. It is no secret.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<String> {
        let checkpoint = py.detach(|| self.0.checkpoint()).or_raise()?;
        Ok(checkpoint.text().to_owned())
    }

    /// Writes entries as JSON Lines to a path or an open file, text or binary; how many.
    #[pyo3(signature = (to, *, from_=None, until=None, tenant=None))]
    fn export(
        &self,
        py: Python<'_>,
        to: &Bound<'_, PyAny>,
        from_: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = string_or_none)] tenant: Option<String>,
    ) -> PyResult<u64> {
        let options = options(from_, until, tenant)?;
        if to.hasattr("write")? {
            return to_object(&self.0, to, &options);
        }
        let path = crate::vault::path_of(to)?;
        Ok(py.detach(|| to_path(&self.0, &path, &options))?)
    }

    /// Writes entries to one file a day (UTC) in the folder, `audit-2026-11-22.jsonl`, each continued behind its last
    /// entry; a dict of the files that lines were added to, and how many.
    #[pyo3(signature = (folder, *, from_=None, until=None, tenant=None))]
    fn export_daily(
        &self,
        py: Python<'_>,
        folder: &Bound<'_, PyAny>,
        from_: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = string_or_none)] tenant: Option<String>,
    ) -> PyResult<Py<PyDict>> {
        let options = options(from_, until, tenant)?;
        let folder = crate::vault::path_of(folder)?;
        let files: Vec<(PathBuf, u64)> =
            py.detach(|| self.0.export_daily(&folder, &options)).or_raise()?;
        let dict = PyDict::new(py);
        for (path, count) in files {
            dict.set_item(path, count)?;
        }
        Ok(dict.unbind())
    }

    /// Drops entries up to and including this one, at most 10,000 in one call; the last one dropped. The trail records
    /// it, and goes on from there. Export them before.
    fn retain_after(&self, py: Python<'_>, seq: i64) -> PyResult<i64> {
        py.traced(|| self.0.retain_after(seq)).or_raise()
    }

    fn __repr__(&self) -> &'static str {
        "<Audit>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Audit"))
    }
}

impl Audit {
    pub(crate) fn new(audit: sealite::Audit) -> Self {
        Audit(audit)
    }
}

/// An iterator over entries of the trail.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct AuditEvents(Mutex<Pages>);

struct Pages {
    audit: sealite::Audit,
    options: ExportOptions,
    rows: VecDeque<sealite::Event>,
    /// The place to go on from; None at the end.
    next: Option<i64>,
    /// The last entry when the reading began.
    end: Option<i64>,
}

#[pymethods]
impl AuditEvents {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<AuditEvent>> {
        // Never waits: the thread that reads may itself wait for the interpreter.
        let mut pages = match self.0.try_lock() {
            Ok(pages) => pages,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(error(ErrorKind::Busy, "another thread is reading these entries"));
            }
        };
        let pages = &mut *pages;
        while pages.rows.is_empty()
            && let Some(after) = pages.next
        {
            let Pages { audit, options, end, .. } = &*pages;
            let (events, next, end) = py
                .detach(|| {
                    let end = end.map_or_else(|| audit.checkpoint().map(|c| c.seq()), Ok)?;
                    page(audit, after, end, options).map(|(events, next)| (events, next, end))
                })
                .or_raise()?;
            (pages.rows, pages.next, pages.end) = (events.into(), next, Some(end));
        }
        Ok(pages.rows.pop_front().map(AuditEvent))
    }

    fn __repr__(&self) -> &'static str {
        "<AuditEvents>"
    }
}
