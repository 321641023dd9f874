//! What is read from the audit trail: an entry, and the report of a verification.

use pyo3::prelude::*;
use pyo3::types::PyString;
use sealite::AuditFault;
use zeroize::Zeroizing;

use crate::given::json_objects;
use crate::row::unpicklable;
use crate::time::to_datetime;
use crate::value::OrRaise;

/// An entry of the trail, read and verified.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct AuditEvent(pub(crate) sealite::Event);

#[pymethods]
impl AuditEvent {
    /// Its place in the chain, counted from 1.
    #[getter]
    fn seq(&self) -> i64 {
        self.0.seq()
    }

    /// When it was appended: a datetime in UTC.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.at())
    }

    /// The name of the event.
    #[getter]
    fn event(&self) -> &str {
        self.0.event()
    }

    /// Who did it.
    #[getter]
    fn actor(&self) -> Option<&str> {
        self.0.actor()
    }

    /// The tenant.
    #[getter]
    fn tenant(&self) -> Option<&str> {
        self.0.tenant()
    }

    /// Whose data it concerns.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    /// The trace id.
    #[getter]
    fn trace_id(&self) -> Option<&str> {
        self.0.trace_id()
    }

    /// The correlation id.
    #[getter]
    fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id()
    }

    /// The payload, as objects of Python's.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        json_objects(py, self.0.payload())
    }

    /// True where its subject has been erased: actor, subject and payload are gone, and the chain holds on without them.
    #[getter]
    fn erased(&self) -> bool {
        self.0.is_erased()
    }

    /// The entry as one line of JSON, as `export` writes it.
    fn json_line<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let line = self.0.json_line().map(Zeroizing::new).or_raise()?;
        Ok(PyString::new(py, &line))
    }

    fn __repr__(&self) -> String {
        format!("<AuditEvent {}: {}>", self.0.seq(), self.0.event())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("AuditEvent"))
    }
}

/// What `Audit.verify` has found.
#[pyclass(module = "sealite", name = "AuditReport", frozen)]
pub(crate) struct AuditReport(pub(crate) sealite::AuditReport);

#[pymethods]
impl AuditReport {
    /// True where nothing is wrong.
    #[getter]
    fn sound(&self) -> bool {
        self.0.is_sound()
    }

    /// How many entries were there and read.
    #[getter]
    fn entries(&self) -> u64 {
        self.0.entries
    }

    /// The first entry that is there.
    #[getter]
    fn first(&self) -> Option<i64> {
        self.0.first
    }

    /// The last entry that is there.
    #[getter]
    fn last(&self) -> Option<i64> {
        self.0.last
    }

    /// What is wrong, in the order of the chain.
    #[getter]
    fn faults(&self) -> Vec<Fault> {
        self.0.faults.iter().cloned().map(Fault).collect()
    }

    fn __repr__(&self) -> String {
        format!("<AuditReport: {} entries, {} faults>", self.0.entries, self.0.faults.len())
    }
}

/// Something wrong with the trail.
#[pyclass(module = "sealite", name = "AuditFault", frozen)]
pub(crate) struct Fault(AuditFault);

#[pymethods]
impl Fault {
    /// "edited", "missing", "broken" (it does not continue the entry before), "truncated" (the checkpoint's entry is
    /// not there) or "replaced" (it is another one).
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0 {
            AuditFault::Edited(_) => "edited",
            AuditFault::Missing(..) => "missing",
            AuditFault::Broken(_) => "broken",
            AuditFault::Truncated(_) => "truncated",
            AuditFault::Replaced(_) => "replaced",
            _ => "other",
        }
    }

    /// The entry; the first one of those that are missing.
    #[getter]
    fn seq(&self) -> i64 {
        match self.0 {
            AuditFault::Edited(seq)
            | AuditFault::Missing(seq, _)
            | AuditFault::Broken(seq)
            | AuditFault::Truncated(seq)
            | AuditFault::Replaced(seq) => seq,
            _ => 0,
        }
    }

    /// The last one of those that are missing; elsewhere the entry.
    #[getter]
    fn through(&self) -> i64 {
        match self.0 {
            AuditFault::Missing(_, last) => last,
            _ => self.seq(),
        }
    }

    fn __repr__(&self) -> String {
        match self.0 {
            AuditFault::Missing(from, to) if from != to => {
                format!("<AuditFault: {from} to {to} missing>")
            }
            _ => format!("<AuditFault: {} {}>", self.seq(), self.kind()),
        }
    }
}
