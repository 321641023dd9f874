//! Canonical JSON.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::given::json_text;
use crate::value::OrRaise;

/// The canonical form (RFC 8785) of JSON text, or of what `json.dumps` makes it from: one text for everything that means the
/// same, to full depth, in UTF-8. It is what to hash, sign or compare.
///
///     >>> sealite.canonical_json({"b": [1.0, {"y": 100.0, "x": None}], "a": "€"}).decode()
///     '{"a":"€","b":[1,{"x":null,"y":100}]}'
///
/// Raises InvalidInput for what is no JSON text or has no one meaning: a name twice in an object, a NaN, an integer that no
/// double holds. Give such numbers as texts.
#[pyfunction]
pub(crate) fn canonical_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let canonical = sealite::canonical_json(&json_text("the value", value)?).or_raise()?;
    Ok(PyBytes::new(value.py(), canonical.as_bytes()))
}
