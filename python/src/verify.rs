//! What `Vault.verify` reports.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealite::ErrorKind;

use crate::error::{core_error, error};
use crate::value::{OrRaise, id_to_python};

/// What was found by opening every record.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Verification {
    found: sealite::Verification,
    /// Rows opened of the tables that the application has declared, by name.
    #[pyo3(get)]
    tables: Py<PyDict>,
    /// Rows opened of the engine's own tables, by name.
    #[pyo3(get)]
    internal: Py<PyDict>,
}

/// A row that does not open.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Fault(sealite::Fault);

/// Opens every record. What `progress` raises, or a signal's handler, ends it.
pub(crate) fn verify(
    py: Python<'_>,
    vault: &sealite::Vault,
    progress: Option<&Py<PyAny>>,
) -> PyResult<Verification> {
    let mut raised = None;
    let found = py.detach(|| vault.verify_while(|count| goes_on(progress, count, &mut raised)));
    let found = whole(found.or_raise()?, raised)?;
    let (tables, internal) = (counts(py, &found.tables)?, counts(py, &found.internal)?);
    Ok(Verification { found, tables, internal })
}

/// Whether long work goes on: tells how far it has come, and lets Python's signals be handled.
pub(crate) fn goes_on(
    progress: Option<&Py<PyAny>>,
    count: u64,
    raised: &mut Option<PyErr>,
) -> bool {
    *raised = Python::attach(|py| {
        py.check_signals()?;
        progress.map_or(Ok(()), |progress| progress.call1(py, (count,)).map(|_| ()))
    })
    .err();
    raised.is_none()
}

/// What was found by work that came to its end, or what was raised on the way.
pub(crate) fn whole<T>(found: Option<T>, raised: Option<PyErr>) -> PyResult<T> {
    found.ok_or_else(|| {
        raised.unwrap_or_else(|| error(ErrorKind::Internal, "a check that ended early"))
    })
}

fn counts(py: Python<'_>, opened: &[(String, u64)]) -> PyResult<Py<PyDict>> {
    let counts = PyDict::new(py);
    for (table, rows) in opened {
        counts.set_item(table, rows)?;
    }
    Ok(counts.unbind())
}

#[pymethods]
impl Verification {
    /// Every row that does not open.
    #[getter]
    fn faults(&self) -> Vec<Fault> {
        self.found.faults.iter().cloned().map(Fault).collect()
    }

    /// What is wrong with the table of keys, an exception; None where nothing is.
    #[getter]
    fn keys(&self) -> Option<PyErr> {
        self.found.keys.clone().map(core_error)
    }

    /// What SQLite's own check says; empty where it says ok.
    #[getter]
    fn integrity(&self) -> Vec<&str> {
        self.found.integrity.iter().map(String::as_str).collect()
    }

    /// True where nothing was found.
    #[getter]
    fn sound(&self) -> bool {
        self.found.is_sound()
    }

    fn __repr__(&self) -> String {
        let (faults, lines) = (self.found.faults.len(), self.found.integrity.len());
        format!("<Verification: {faults} faults, {lines} lines of SQLite's>")
    }
}

#[pymethods]
impl Fault {
    /// The table.
    #[getter]
    fn table(&self) -> &str {
        &self.0.table
    }

    /// The tenant, in a table of tenants.
    #[getter]
    fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }

    /// The id that the row carries now.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        id_to_python(py, self.0.id.as_ref())
    }

    /// Why it does not open: an exception.
    #[getter]
    fn error(&self) -> PyErr {
        core_error(self.0.error.clone())
    }

    fn __repr__(&self) -> String {
        format!("<Fault in {}: {}>", self.0.table, self.0.error.kind().name())
    }
}
