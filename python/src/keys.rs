//! The keys of a vault.

use pyo3::prelude::*;

use crate::row::unpicklable;
use crate::unlock::{Unlock, of_seconds};
use crate::value::OrRaise;

/// The life of a vault's keys.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> [(key.purpose, key.state) for key in vault.keys.list()]
///     [('data', 'active'), ('index', 'active'), ('audit', 'active')]
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Keys(pub(crate) sealite::Keys);

#[pymethods]
impl Keys {
    /// All keys that there are and were, of all tenants, in the order of their ids; no secret. Every row is
    /// authenticated, and that none is missing or was put back.
    fn list(&self, py: Python<'_>) -> PyResult<Vec<KeyInfo>> {
        let keys = py.detach(|| self.0.list()).or_raise()?;
        Ok(keys.into_iter().map(KeyInfo).collect())
    }

    /// Makes a new master key, and wraps every key, and every slot that one of the secrets opens, under it. Slots that
    /// none opens are refused, or dropped where `drop_others` says so.
    #[pyo3(signature = (keep, *, drop_others=false))]
    fn rotate_master(
        &self,
        py: Python<'_>,
        keep: Vec<PyRef<'_, Unlock>>,
        drop_others: bool,
    ) -> PyResult<MasterRotation> {
        let keep: Vec<sealite::Unlock> = keep.iter().map(|unlock| unlock.0.clone()).collect();
        py.detach(|| self.0.rotate_master(&keep, drop_others)).map(MasterRotation).or_raise()
    }

    fn __repr__(&self) -> &'static str {
        "<Keys>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Keys"))
    }
}

/// A key as it is listed. It holds no secret.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct KeyInfo(sealite::KeyInfo);

#[pymethods]
impl KeyInfo {
    /// The id that records name.
    #[getter]
    fn id(&self) -> u32 {
        self.0.id
    }

    /// "data", "index", "audit", "token" or "lookup".
    #[getter]
    fn purpose(&self) -> &'static str {
        self.0.purpose.name()
    }

    /// The tenant; None for the vault itself.
    #[getter]
    fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }

    /// The subject; None for the tenant as a whole.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// Counts from 1 for each purpose, tenant and subject.
    #[getter]
    fn generation(&self) -> u32 {
        self.0.generation
    }

    /// "active", "retired" (it only opens) or "destroyed".
    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.name()
    }

    /// When it was made: a datetime in UTC.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        of_seconds(py, self.0.created_at)
    }

    /// When its state last changed: a datetime in UTC.
    #[getter]
    fn changed_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        of_seconds(py, self.0.changed_at)
    }

    fn __repr__(&self) -> String {
        format!("<KeyInfo {}: {}, {}>", self.0.id, self.0.purpose.name(), self.0.state.name())
    }
}

/// What `Keys.rotate_master` has done.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct MasterRotation(sealite::MasterRotation);

#[pymethods]
impl MasterRotation {
    /// The ids of the slots that stayed.
    #[getter]
    fn kept(&self) -> Vec<i64> {
        self.0.kept.clone()
    }

    /// The ids of the slots that were dropped.
    #[getter]
    fn dropped(&self) -> Vec<i64> {
        self.0.dropped.clone()
    }

    /// Keys wrapped again.
    #[getter]
    fn keys(&self) -> u32 {
        self.0.keys
    }

    fn __repr__(&self) -> String {
        format!(
            "<MasterRotation: {} slots kept, {} dropped>",
            self.0.kept.len(),
            self.0.dropped.len()
        )
    }
}
