//! What a connection is opened with.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::connection::Maybe;
use super::error;
use super::link::{Link, Parts};
use super::mode::{LEGACY, Mode, autocommit_of};
use crate::vault::Vault;

/// The arguments of a connection.
pub(super) struct Wanted<'a, 'py> {
    pub(super) database: Option<&'a Bound<'py, PyAny>>,
    /// In seconds.
    pub(super) timeout: f64,
    pub(super) isolation_level: Maybe<'py>,
    pub(super) any_thread: bool,
    pub(super) cached_statements: i32,
    pub(super) uri: bool,
    pub(super) autocommit: Maybe<'py>,
    /// By reference, as bytes, as a passphrase.
    pub(super) key: [Option<&'a Bound<'py, PyAny>>; 3],
    pub(super) vault: Option<&'a Bound<'py, Vault>>,
    pub(super) existing_database: bool,
}

impl Wanted<'_, '_> {
    /// The open connection, and what gives its vault back.
    pub(super) fn open(&self, py: Python<'_>) -> PyResult<(Arc<Link>, Py<PyAny>)> {
        let mode = match &self.autocommit {
            Maybe::Missing => LEGACY,
            Maybe::Given(value) => autocommit_of(value)?,
        };
        let level = match &self.isolation_level {
            Maybe::Missing => None,
            Maybe::Given(level) => Some(level),
        };
        let mode = Mode::new(level, mode)?;
        let cached = usize::try_from(self.cached_statements)
            .map_err(|_| PyValueError::new_err("cached_statements is a number from 0 on"))?;
        // Any length is as good as none to SQLite.
        let timeout =
            Duration::try_from_secs_f64(self.timeout.clamp(0.0, 86_400.0)).unwrap_or_default();
        let given = PyDict::new(py);
        for (name, key) in ["key", "key_bytes", "passphrase"].iter().zip(self.key) {
            given.set_item(name, key)?;
        }
        given.set_item("vault", self.vault)?;
        given.set_item("existing_database", self.existing_database)?;
        given.set_item("timeout", timeout.as_secs_f64())?;
        let opened = py
            .import("sealite.dbapi2._vaults")?
            .call_method("acquire", (self.database, self.uri), Some(&given))
            .map_err(|error| error::from_engine(py, error))?;
        let (vault, release, query_only): (Bound<'_, Vault>, Py<PyAny>, bool) = opened.extract()?;
        let linked = super::engine::connect(py, vault.get())
            .map_err(|error| error::from_core(py, &error))
            .and_then(|engine| {
                let (vault, any_thread) = (vault.unbind(), self.any_thread);
                Link::new(
                    py,
                    Parts { engine, vault, any_thread, cached, timeout, query_only, mode },
                )
            });
        match linked {
            Ok(link) => Ok((link, release)),
            Err(error) => {
                release.call0(py)?;
                Err(error)
            }
        }
    }
}
