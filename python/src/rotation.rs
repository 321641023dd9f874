//! Rotation of every key but the master key: what is rotated, what it would do, and how it stands.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyDict};

use crate::given::text_or_none;
use crate::time::to_datetime;
use crate::trace::Traced;
use crate::value::OrRaise;

/// A key to rotate: of a kind, and of the vault itself or of one tenant.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> done = vault.keys.run(sealite.Rotation.data())
///     >>> done.state, done.old_key, done.new_key
///     ('finished', 1, 4)
///     >>> vault.keys.destroy_retired(sealite.Rotation.data(), fields_resealed=True)
///     [1]
#[pyclass(module = "sealite", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Rotation(pub(crate) sealite::Rotation);

#[pymethods]
impl Rotation {
    /// The data keys of a tenant and its subjects, or of the vault itself.
    #[staticmethod]
    #[pyo3(signature = (tenant=None))]
    fn data(#[pyo3(from_py_with = text_or_none)] tenant: Option<&str>) -> Self {
        Rotation(sealite::Rotation::data(tenant))
    }

    /// The index key of a tenant, or of the vault itself.
    #[staticmethod]
    #[pyo3(signature = (tenant=None))]
    fn index(#[pyo3(from_py_with = text_or_none)] tenant: Option<&str>) -> Self {
        Rotation(sealite::Rotation::index(tenant))
    }

    /// The pepper of the tokens of a tenant, or of the vault itself.
    #[staticmethod]
    #[pyo3(signature = (tenant=None))]
    fn token(#[pyo3(from_py_with = text_or_none)] tenant: Option<&str>) -> Self {
        Rotation(sealite::Rotation::token(tenant))
    }

    /// The audit key, of which there is one.
    #[staticmethod]
    fn audit() -> Self {
        Rotation(sealite::Rotation::audit())
    }

    /// "data", "index", "token" or "audit".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind().name()
    }

    /// The tenant; None for the vault itself.
    #[getter]
    fn tenant(&self) -> Option<&str> {
        self.0.tenant()
    }

    fn __repr__(&self) -> String {
        format!("<Rotation of {}>", self.0)
    }
}

/// What a rotation would do.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct RotationPlan(pub(crate) sealite::RotationPlan);

#[pymethods]
impl RotationPlan {
    /// The id of the key that is active now.
    #[getter]
    fn key(&self) -> u32 {
        self.0.key
    }

    /// Records to be sealed anew; of the pepper, tokens that are valid.
    #[getter]
    fn records(&self) -> u64 {
        self.0.records
    }

    /// The same by table.
    #[getter]
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tables = PyDict::new(py);
        for (table, records) in &self.0.tables {
            tables.set_item(table, records)?;
        }
        Ok(tables)
    }

    /// About how long it takes: a timedelta.
    #[getter]
    fn estimate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDelta>> {
        delta(py, self.0.estimate)
    }

    fn __repr__(&self) -> String {
        format!("<RotationPlan: {} records>", self.0.records)
    }
}

/// How a rotation stands.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct RotationStatus(pub(crate) sealite::RotationStatus);

#[pymethods]
impl RotationStatus {
    /// The rotation.
    #[getter]
    fn rotation(&self) -> Rotation {
        Rotation(self.0.rotation.clone())
    }

    /// "running", "waiting" for tokens that are still under the old pepper, or "finished".
    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.name()
    }

    /// The id of the key before.
    #[getter]
    fn old_key(&self) -> u32 {
        self.0.old_key
    }

    /// The id of the key that everything is brought under.
    #[getter]
    fn new_key(&self) -> u32 {
        self.0.new_key
    }

    /// Records that are done with.
    #[getter]
    fn done(&self) -> u64 {
        self.0.done
    }

    /// How many there were at the beginning.
    #[getter]
    fn total(&self) -> u64 {
        self.0.total
    }

    /// Records that were sealed anew.
    #[getter]
    fn moved(&self) -> u64 {
        self.0.moved
    }

    /// Valid tokens under an older pepper.
    #[getter]
    fn left(&self) -> u64 {
        self.0.left
    }

    /// When it began: a datetime in UTC.
    #[getter]
    fn started_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.started_at)
    }

    /// When it finished; None where it has not.
    #[getter]
    fn finished_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.finished_at.map(|at| to_datetime(py, at)).transpose()
    }

    /// How long its steps have still to work: a timedelta; None where that can't be told.
    #[getter]
    fn remaining<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDelta>>> {
        self.0.remaining.map(|time| delta(py, time)).transpose()
    }

    fn __repr__(&self) -> String {
        let status = &self.0;
        let (kind, state) = (status.rotation.kind().name(), status.state.name());
        format!("<RotationStatus of {kind}: {state}, {} of {}>", status.done, status.total)
    }
}

/// Runs a rotation. What `progress` raises, or a signal's handler, ends it; the next call goes on.
pub(crate) fn run(
    py: Python<'_>,
    keys: &sealite::Keys,
    rotation: &sealite::Rotation,
    progress: Option<&Py<PyAny>>,
) -> PyResult<RotationStatus> {
    let mut raised = None;
    let done = py.traced(|| {
        keys.run_while(rotation, |status| {
            raised = told(progress, status).err();
            raised.is_none()
        })
    });
    match raised {
        Some(raised) => Err(raised),
        None => done.map(RotationStatus).or_raise(),
    }
}

/// Runs all of them. What `progress` raises is raised at the end: what has begun is not left half done.
pub(crate) fn run_all(
    py: Python<'_>,
    keys: &sealite::Keys,
    (keep, drop_others): (&[sealite::Unlock], bool),
    progress: Option<&Py<PyAny>>,
) -> PyResult<(sealite::MasterRotation, Vec<RotationStatus>)> {
    let mut raised = None;
    let done = py.traced(|| {
        keys.rotate_all(keep, drop_others, |status| {
            if raised.is_none() {
                raised = told(progress, status).err();
            }
        })
    });
    if let Some(raised) = raised {
        return Err(raised);
    }
    let (master, all) = done.or_raise()?;
    Ok((master, all.into_iter().map(RotationStatus).collect()))
}

fn told(progress: Option<&Py<PyAny>>, status: &sealite::RotationStatus) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        let Some(progress) = progress else { return Ok(()) };
        progress.call1(py, (RotationStatus(status.clone()),)).map(|_| ())
    })
}

fn delta(py: Python<'_>, time: Duration) -> PyResult<Bound<'_, PyDelta>> {
    time.into_pyobject(py)
}
