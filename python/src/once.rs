//! What is made once in a process, by Python.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// What is in the cell, made where there is nothing yet. It is made outside of the cell's lock: what runs Python may change
/// threads, and the child of a thread that forks meanwhile would wait for ever. Two threads may make it, and the first one's
/// stays.
pub(crate) fn once<'c, T>(
    cell: &'c PyOnceLock<T>,
    py: Python<'_>,
    make: impl FnOnce() -> PyResult<T>,
) -> PyResult<&'c T> {
    if cell.get(py).is_none() {
        let value = make()?;
        let _ = cell.set(py, value);
    }
    cell.get(py).ok_or_else(|| PyMemoryError::new_err(()))
}
