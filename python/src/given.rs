//! Arguments that are not values of a table: lengths of time, optional texts, JSON.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyString};
use sealite::ErrorKind;

use crate::error::error;
use crate::value::text_of;

/// A length of time, from seconds or a `datetime.timedelta`. Not negative, and finite.
pub(crate) fn duration(what: &str, given: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let seconds = if given.cast::<PyFloat>().is_ok() || given.cast::<PyInt>().is_ok() {
        given.extract().unwrap_or(f64::NAN)
    } else if let Ok(total) = given.call_method0("total_seconds") {
        total.extract()?
    } else {
        let message = format!("{what} is given in seconds, or as a datetime.timedelta");
        return Err(error(ErrorKind::TypeMismatch, message));
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        error(ErrorKind::InvalidInput, format!("{what} is a number of seconds from 0 on"))
    })
}

/// Several texts. A text is a sequence of texts to Python, too.
pub(crate) fn texts<'py>(
    what: &str,
    given: &Bound<'py, PyAny>,
) -> PyResult<Vec<Bound<'py, PyString>>> {
    let mismatch = || error(ErrorKind::TypeMismatch, format!("{what} are given in a list of str"));
    if given.cast::<PyString>().is_ok() {
        return Err(mismatch());
    }
    let texts = given.try_iter().map_err(|_| mismatch())?;
    texts.map(|text| text?.cast_into::<PyString>().map_err(|_| mismatch())).collect()
}

/// A length of time that need not be given.
pub(crate) fn time(what: &str, given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    given.map(|given| duration(what, given)).transpose()
}

/// A number from Python, refused where it does not fit.
pub(crate) fn number<T: TryFrom<i64>>(what: &str, given: i64) -> PyResult<T> {
    T::try_from(given)
        .map_err(|_| error(ErrorKind::InvalidInput, format!("{what} is out of bounds")))
}

/// A text argument, borrowed. As PyO3 takes it, but for a lone surrogate: Python's own error would carry the text.
pub(crate) fn text_given<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    text_of(given.cast::<PyString>()?)
}

/// As [`text_given`], for one that may be None.
pub(crate) fn text_or_none<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<Option<&'a str>> {
    if given.is_none() { Ok(None) } else { text_given(given).map(Some) }
}

/// As [`text_given`], owned.
pub(crate) fn string_given(given: &Bound<'_, PyAny>) -> PyResult<String> {
    text_given(given).map(str::to_owned)
}

/// As [`text_or_none`], owned.
pub(crate) fn string_or_none(given: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    Ok(text_or_none(given)?.map(str::to_owned))
}

/// Several texts, or None: as PyO3 takes them, but for lone surrogates.
pub(crate) fn strings_or_none(given: &Bound<'_, PyAny>) -> PyResult<Option<Vec<String>>> {
    if given.is_none() {
        return Ok(None);
    }
    let given = texts("columns", given)?;
    given.iter().map(|text| text_of(text).map(str::to_owned)).collect::<PyResult<_>>().map(Some)
}

/// An optional text, borrowed.
pub(crate) fn optional<'a>(text: Option<&'a Bound<'_, PyString>>) -> PyResult<Option<&'a str>> {
    text.map(text_of).transpose()
}

/// A str is JSON text already; anything else goes through Python's `json`. Its own errors would show what it met.
pub(crate) fn json_text(what: &str, given: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = given.cast::<PyString>() {
        return Ok(text_of(text)?.to_owned());
    }
    let py = given.py();
    let keywords = PyDict::new(py);
    keywords.set_item("allow_nan", false)?;
    match py.import("json")?.call_method("dumps", (given,), Some(&keywords)) {
        Ok(text) => Ok(text.extract()?),
        Err(raised) if raised.is_instance_of::<PyTypeError>(py) => {
            let message = format!("{what} holds something that JSON has no form for");
            Err(error(ErrorKind::TypeMismatch, message))
        }
        Err(raised) if raised.is_instance_of::<PyValueError>(py) => {
            let message = format!("{what} holds a NaN or infinity, or itself");
            Err(error(ErrorKind::InvalidInput, message))
        }
        Err(raised) => Err(raised),
    }
}

/// What JSON text stands for, as objects of Python's.
pub(crate) fn json_objects<'py>(
    py: Python<'py>,
    text: Option<&str>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    text.map(|text| py.import("json")?.call_method1("loads", (text,))).transpose()
}
