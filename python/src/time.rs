//! Times between Python's aware datetimes and milliseconds since 1970.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealite::ErrorKind;

use crate::error::error;

fn epoch(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let module = py.import("datetime")?;
    let utc = module.getattr("timezone")?.getattr("utc")?;
    let keywords = PyDict::new(py);
    keywords.set_item("tzinfo", utc)?;
    module.getattr("datetime")?.call((1970, 1, 1), Some(&keywords))
}

fn milliseconds(py: Python<'_>, count: i64) -> PyResult<Bound<'_, PyAny>> {
    let keywords = PyDict::new(py);
    keywords.set_item("milliseconds", count)?;
    py.import("datetime")?.getattr("timedelta")?.call((), Some(&keywords))
}

/// A datetime in UTC. Exact, where a float of seconds would not be.
pub(crate) fn to_datetime(py: Python<'_>, ms: i64) -> PyResult<Bound<'_, PyAny>> {
    epoch(py)?.add(milliseconds(py, ms)?)
}

/// The first whole millisecond that is not before the datetime, which must know its time zone.
pub(crate) fn from_datetime(given: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = given.py();
    if !given.is_instance(&py.import("datetime")?.getattr("datetime")?)? {
        return Err(error(ErrorKind::TypeMismatch, "a time is a datetime"));
    }
    if given.call_method0("utcoffset")?.is_none() {
        return Err(error(
            ErrorKind::InvalidInput,
            "a time is a datetime with a time zone: datetime.now(timezone.utc)",
        ));
    }
    let before = epoch(py)?.sub(given)?;
    let floor: i64 = before.floor_div(milliseconds(py, 1)?)?.extract()?;
    Ok(-floor)
}
