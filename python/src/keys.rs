//! The keys of a vault.

use pyo3::prelude::*;

use crate::given::text_or_none;
use crate::rotation::{Rotation, RotationPlan, RotationStatus};
use crate::row::unpicklable;
use crate::trace::Traced;
use crate::unlock::{Unlock, of_seconds};
use crate::value::OrRaise;

/// The life of a vault's keys.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> [(key.purpose, key.state) for key in vault.keys.list()]
///     [('data', 'active'), ('index', 'active'), ('audit', 'active')]
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Keys(pub(crate) sealite::Keys);

#[allow(clippy::needless_pass_by_value)] // as arguments come
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
        py.traced(|| self.0.rotate_master(&keep, drop_others)).map(MasterRotation).or_raise()
    }

    /// Says what a rotation would do; writes nothing.
    fn plan(&self, py: Python<'_>, rotation: &Rotation) -> PyResult<RotationPlan> {
        py.detach(|| self.0.plan(&rotation.0)).map(RotationPlan).or_raise()
    }

    /// Makes the new key: from here on every process writes under it, and `step` moves what is there.
    fn begin(&self, py: Python<'_>, rotation: &Rotation) -> PyResult<RotationStatus> {
        py.traced(|| self.0.begin(&rotation.0)).map(RotationStatus).or_raise()
    }

    /// Seals the next records anew, at most 500 and some 1 MiB, in one transaction with the place to go on from.
    fn step(&self, py: Python<'_>, rotation: &Rotation) -> PyResult<RotationStatus> {
        py.traced(|| self.0.step(&rotation.0)).map(RotationStatus).or_raise()
    }

    /// Begins the rotation where none is in progress, and steps to its end, with pauses in which others write. `progress`
    /// is called with the status after every step; what it raises ends the call, and the next one goes on.
    #[pyo3(signature = (rotation, progress=None))]
    fn run(
        &self,
        py: Python<'_>,
        rotation: &Rotation,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<RotationStatus> {
        crate::rotation::run(py, &self.0, &rotation.0, progress.as_ref())
    }

    /// How the last rotation of a key stands; None where there was none.
    fn status(&self, py: Python<'_>, rotation: &Rotation) -> PyResult<Option<RotationStatus>> {
        let status = py.detach(|| self.0.status(&rotation.0)).or_raise()?;
        Ok(status.map(RotationStatus))
    }

    /// How the last rotation of each key stands, in the order of their beginning.
    fn rotations(&self, py: Python<'_>) -> PyResult<Vec<RotationStatus>> {
        let all = py.detach(|| self.0.rotations()).or_raise()?;
        Ok(all.into_iter().map(RotationStatus).collect())
    }

    /// Changes everything: the master key as `rotate_master` does, and then every other key. `progress` is called with the
    /// status of each after every step.
    #[pyo3(signature = (keep, *, drop_others=false, progress=None))]
    fn rotate_all(
        &self,
        py: Python<'_>,
        keep: Vec<PyRef<'_, Unlock>>,
        drop_others: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(MasterRotation, Vec<RotationStatus>)> {
        let keep: Vec<sealite::Unlock> = keep.iter().map(|unlock| unlock.0.clone()).collect();
        let (master, all) =
            crate::rotation::run_all(py, &self.0, (&keep, drop_others), progress.as_ref())?;
        Ok((MasterRotation(master), all))
    }

    /// Revokes the tokens that are still hashed under a retired pepper; how many.
    #[pyo3(signature = (tenant=None))]
    fn revoke_left(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_or_none)] tenant: Option<&str>,
    ) -> PyResult<u64> {
        py.traced(|| self.0.revoke_left(tenant)).or_raise()
    }

    /// Destroys the retired keys that a rotation has replaced; their ids. `fields_resealed` says, of data and index keys, that
    /// no single value (`Field`) in another database is under them any more, which the engine can't see.
    #[pyo3(signature = (rotation, *, fields_resealed))]
    fn destroy_retired(
        &self,
        py: Python<'_>,
        rotation: &Rotation,
        fields_resealed: bool,
    ) -> PyResult<Vec<u32>> {
        let done = py.traced(|| self.0.destroy_retired(&rotation.0, fields_resealed)).or_raise()?;
        Ok(done.0)
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
