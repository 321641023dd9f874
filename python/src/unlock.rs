//! Ways to unlock. A secret that has come in is wiped with its object; Python's own copies can't be.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sealite::{ExposeSecret, PassphraseCost};

use crate::row::unpicklable;
use crate::value::{OrRaise, bytes_of, text_of};

/// A secret that opens one kind of slot.
///
///     >>> import os
///     >>> os.environ["EXAMPLE_KEY"] = sealite.generate_key()
///     >>> sealite.Unlock.environment("EXAMPLE_KEY")
///     <Unlock: key>
///     >>> sealite.Unlock.reference("env:EXAMPLE_KEY")
///     <Unlock: key>
///     >>> sealite.Unlock.passphrase("correct horse battery staple")
///     <Unlock: passphrase>
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Unlock(pub(crate) sealite::Unlock);

#[pymethods]
impl Unlock {
    /// A 32-byte key, as bytes.
    #[staticmethod]
    fn key(key: &Bound<'_, PyAny>) -> PyResult<Self> {
        sealite::Unlock::key(bytes_of(key)?.as_bytes()).map(Unlock).or_raise()
    }

    /// A 32-byte key, as 64 hexadecimal digits, or in base64 or base64url.
    #[staticmethod]
    fn key_text(text: &Bound<'_, PyString>) -> PyResult<Self> {
        sealite::Unlock::key_text(text_of(text)?).map(Unlock).or_raise()
    }

    /// A key from an environment variable, written as for `key_text`.
    #[staticmethod]
    fn environment(variable: &Bound<'_, PyString>) -> PyResult<Self> {
        sealite::Unlock::environment(text_of(variable)?).map(Unlock).or_raise()
    }

    /// A key from a file that is closed to others (mode 0600): 32 bytes, or text as for `key_text`.
    #[staticmethod]
    fn key_file(py: Python<'_>, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let path = crate::vault::path_of(path)?;
        py.detach(|| sealite::Unlock::key_file(path)).map(Unlock).or_raise()
    }

    /// A systemd credential, from the folder that `$CREDENTIALS_DIRECTORY` names.
    #[staticmethod]
    fn credential(py: Python<'_>, name: &Bound<'_, PyString>) -> PyResult<Self> {
        let name = text_of(name)?;
        py.detach(|| sealite::Unlock::credential(name)).map(Unlock).or_raise()
    }

    /// A Docker or Kubernetes secret, from `/run/secrets`.
    #[staticmethod]
    fn docker_secret(py: Python<'_>, name: &Bound<'_, PyString>) -> PyResult<Self> {
        let name = text_of(name)?;
        py.detach(|| sealite::Unlock::docker_secret(name)).map(Unlock).or_raise()
    }

    /// A passphrase of at least 12 characters. The cost is that of a slot made with it: Argon2id (RFC 9106), 64 MiB,
    /// 3 passes and 4 lanes where nothing else is said.
    #[staticmethod]
    #[pyo3(signature = (passphrase, *, memory_kib=None, passes=None, lanes=None))]
    fn passphrase(
        passphrase: &Bound<'_, PyString>,
        memory_kib: Option<u32>,
        passes: Option<u32>,
        lanes: Option<u32>,
    ) -> PyResult<Self> {
        let mut cost = PassphraseCost::default();
        cost.memory_kib = memory_kib.unwrap_or(cost.memory_kib);
        cost.passes = passes.unwrap_or(cost.passes);
        cost.lanes = lanes.unwrap_or(cost.lanes);
        sealite::Unlock::passphrase_with(text_of(passphrase)?, cost).map(Unlock).or_raise()
    }

    /// A recovery code, as it was shown once. Case, hyphens and spaces do not matter.
    #[staticmethod]
    fn recovery_code(code: &Bound<'_, PyString>) -> PyResult<Self> {
        sealite::Unlock::recovery_code(text_of(code)?).map(Unlock).or_raise()
    }

    /// A key by reference: `env:VARIABLE`, `file:/path`, `credential:name` or `docker:name`.
    #[staticmethod]
    fn reference(py: Python<'_>, reference: &Bound<'_, PyString>) -> PyResult<Self> {
        let reference = text_of(reference)?;
        py.detach(|| sealite::Unlock::reference(reference)).map(Unlock).or_raise()
    }

    /// Which kind of slot it opens: "key", "passphrase" or "recovery".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind().name()
    }

    fn __repr__(&self) -> String {
        format!("<Unlock: {}>", self.0.kind().name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Unlock"))
    }
}

/// A new recovery code. It is kept nowhere: print it and lock it away.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> slot, code = vault.add_recovery_slot("safe")
///     >>> code, len(code.reveal())
///     (<RecoveryCode>, 44)
#[pyclass(module = "sealite", frozen)]
pub(crate) struct RecoveryCode(pub(crate) sealite::RecoveryCode);

#[pymethods]
impl RecoveryCode {
    /// The code itself: nine groups of four symbols.
    fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// A page to be printed, in plain text: which vault the code opens, the code, and what to do with it.
    fn sheet(&self) -> String {
        self.0.sheet().expose_secret().to_owned()
    }

    fn __repr__(&self) -> &'static str {
        "<RecoveryCode>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("RecoveryCode"))
    }
}

/// A way to unlock, as it is listed. It holds no secret.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Slot(pub(crate) sealite::Slot);

#[pymethods]
impl Slot {
    /// The id that `remove_slot` takes.
    #[getter]
    fn id(&self) -> i64 {
        self.0.id
    }

    /// "key", "passphrase" or "recovery".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.name()
    }

    /// The label that it was given.
    #[getter]
    fn label(&self) -> &str {
        &self.0.label
    }

    /// When it was made: a datetime in UTC.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        of_seconds(py, self.0.created_at)
    }

    fn __repr__(&self) -> String {
        format!("<Slot {}: {}, {}>", self.0.id, self.0.kind.name(), self.0.label)
    }
}

/// Seconds since 1970 as a datetime in UTC.
pub(crate) fn of_seconds(py: Python<'_>, seconds: i64) -> PyResult<Bound<'_, PyAny>> {
    let module = py.import("datetime")?;
    let keywords = PyDict::new(py);
    keywords.set_item("tz", module.getattr("timezone")?.getattr("utc")?)?;
    module.getattr("datetime")?.call_method("fromtimestamp", (seconds,), Some(&keywords))
}

/// A new random 32-byte key, as 64 hexadecimal digits, for `Unlock.key_text`.
#[pyfunction]
pub(crate) fn generate_key() -> PyResult<String> {
    sealite::generate_key().map(|key| key.expose_secret().to_owned()).or_raise()
}
