//! When a transaction begins without being told: the legacy `isolation_level`, and `autocommit`.

use std::sync::atomic::{AtomicI8, AtomicU8, Ordering};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyString};

/// `LEGACY_TRANSACTION_CONTROL`.
pub(super) const LEGACY: i8 = -1;

/// Levels, and what begins a transaction of each.
const LEVELS: [(&str, &str); 4] = [
    ("", "BEGIN "),
    ("DEFERRED", "BEGIN DEFERRED"),
    ("IMMEDIATE", "BEGIN IMMEDIATE"),
    ("EXCLUSIVE", "BEGIN EXCLUSIVE"),
];
/// No level: no transaction begins by itself.
const NONE: u8 = 255;

/// How a connection handles transactions.
pub(super) struct Mode {
    level: AtomicU8,
    autocommit: AtomicI8,
}

impl Mode {
    pub(super) fn new(level: Option<&Bound<'_, PyAny>>, autocommit: i8) -> PyResult<Self> {
        let level = AtomicU8::new(level.map_or(Ok(0), level_of)?);
        Ok(Mode { level, autocommit: AtomicI8::new(autocommit) })
    }

    /// What begins the transaction of a statement, where none is open.
    pub(super) fn implicit(&self, writes: bool) -> Option<&'static str> {
        match self.autocommit() {
            LEGACY if writes => {
                LEVELS.get(usize::from(self.level.load(Ordering::Relaxed))).map(|(_, begin)| *begin)
            }
            0 => Some("BEGIN"),
            _ => None,
        }
    }

    pub(super) fn autocommit(&self) -> i8 {
        self.autocommit.load(Ordering::Relaxed)
    }

    pub(super) fn set_autocommit(&self, autocommit: i8) {
        self.autocommit.store(autocommit, Ordering::Relaxed);
    }

    pub(super) fn level(&self) -> Option<&'static str> {
        LEVELS.get(usize::from(self.level.load(Ordering::Relaxed))).map(|(name, _)| *name)
    }

    /// True where the new level is None.
    pub(super) fn set_level(&self, level: &Bound<'_, PyAny>) -> PyResult<bool> {
        let level = level_of(level)?;
        self.level.store(level, Ordering::Relaxed);
        Ok(level == NONE)
    }
}

fn level_of(level: &Bound<'_, PyAny>) -> PyResult<u8> {
    if level.is_none() {
        return Ok(NONE);
    }
    let Ok(text) = level.cast::<PyString>() else {
        return Err(PyTypeError::new_err("isolation_level must be str or None"));
    };
    let text = text.to_str().unwrap_or("?");
    let found = LEVELS.iter().position(|(name, _)| name.eq_ignore_ascii_case(text));
    found.and_then(|at| u8::try_from(at).ok()).ok_or_else(|| {
        PyValueError::new_err(
            "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'",
        )
    })
}

/// True, False or `LEGACY_TRANSACTION_CONTROL`.
pub(super) fn autocommit_of(value: &Bound<'_, PyAny>) -> PyResult<i8> {
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(i8::from(truth.is_true()));
    }
    if value.cast::<PyInt>().is_ok_and(|number| number.extract::<i64>().is_ok_and(|n| n == -1)) {
        return Ok(LEGACY);
    }
    Err(PyValueError::new_err(
        "autocommit must be True, False, or sealite.dbapi2.LEGACY_TRANSACTION_CONTROL",
    ))
}
