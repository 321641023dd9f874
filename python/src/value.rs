//! Values and ids between Python and the core. What goes in is borrowed from Python's own objects, so that it can be
//! used while the interpreter runs other threads; messages name types, never values.

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyMemoryView,
    PyString, PyTuple,
};
use sealite::{ErrorKind, Id, IdRef, ValueRef};

use crate::error::{core_error, error};

/// Python objects that values are borrowed from. Owned here: the caller's containers may change meanwhile.
#[derive(Default)]
pub(crate) struct Cells<'py>(Vec<Bound<'py, PyAny>>);

impl<'py> Cells<'py> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Cells(Vec::with_capacity(capacity))
    }

    /// Adds a value. What can be changed in place is copied.
    pub(crate) fn push(&mut self, value: Bound<'py, PyAny>) -> PyResult<()> {
        // Most values are text; the other checks cost more.
        let mutable = value.cast::<PyString>().is_err()
            && (value.cast::<PyByteArray>().is_ok() || value.cast::<PyMemoryView>().is_ok());
        self.0.push(if mutable { copied(&value)?.into_any() } else { value });
        Ok(())
    }

    pub(crate) fn extend(&mut self, values: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Ok(tuple) = values.cast::<PyTuple>() {
            return tuple.iter().try_for_each(|value| self.push(value));
        }
        if let Ok(list) = values.cast::<PyList>() {
            return list.iter().try_for_each(|value| self.push(value));
        }
        if values.cast::<PyString>().is_ok() || values.cast::<PyBytes>().is_ok() {
            return Err(error(ErrorKind::InvalidInput, "values are given in a tuple or list"));
        }
        if values.cast::<PyMapping>().is_ok() {
            return Err(error(ErrorKind::InvalidInput, "values are given by position here"));
        }
        values.try_iter()?.try_for_each(|value| self.push(value?))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// The first value; NULL where there is none.
    pub(crate) fn first(&self) -> PyResult<ValueRef<'_>> {
        self.0.first().map_or(Ok(ValueRef::Null), value_ref)
    }

    pub(crate) fn refs(&self) -> PyResult<Vec<ValueRef<'_>>> {
        self.0.iter().map(value_ref).collect()
    }

    pub(crate) fn optional_ids(&self) -> PyResult<Vec<Option<IdRef<'_>>>> {
        let id = |id| if Bound::is_none(id) { Ok(None) } else { id_ref(id).map(Some) };
        self.0.iter().map(id).collect()
    }

    pub(crate) fn ids(&self) -> PyResult<Vec<IdRef<'_>>> {
        self.0.iter().map(id_ref).collect()
    }
}

fn copied<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(value.py().get_type::<PyBytes>().call1((value,))?.cast_into()?)
}

/// The bytes of a bytes-like object, as an object that does not change.
pub(crate) fn bytes_of<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    match value.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.clone()),
        Err(_) if value.cast::<PyByteArray>().is_ok() || value.cast::<PyMemoryView>().is_ok() => {
            copied(value)
        }
        Err(_) => Err(mismatch("bytes", value)),
    }
}

/// A value, borrowed.
fn value_ref<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<ValueRef<'a>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(ValueRef::Text(text_of(text)?));
    }
    if value.is_none() {
        return Ok(ValueRef::Null);
    }
    // A bool is an int to Python.
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(ValueRef::Boolean(truth.is_true()));
    }
    if let Ok(number) = value.cast::<PyInt>() {
        return integer(number).map(ValueRef::Integer);
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        let number = number.value();
        // SQLite would keep NULL instead.
        if number.is_nan() {
            return Err(error(ErrorKind::TypeMismatch, "NaN can't be stored"));
        }
        return Ok(ValueRef::Real(number));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(ValueRef::Blob(bytes.as_bytes()));
    }
    Err(mismatch("None, bool, int, float, str or bytes", value))
}

/// The id of a row, borrowed.
pub(crate) fn id_ref<'a>(id: &'a Bound<'_, PyAny>) -> PyResult<IdRef<'a>> {
    if let Ok(text) = id.cast::<PyString>() {
        return Ok(IdRef::Text(text_of(text)?));
    }
    match id.cast::<PyInt>() {
        Ok(number) if id.cast::<PyBool>().is_err() => integer(number).map(IdRef::Integer),
        _ => Err(mismatch("an int or str, as an id", id)),
    }
}

fn integer(number: &Bound<'_, PyInt>) -> PyResult<i64> {
    // Python's own error would be an OverflowError; it says no more.
    number.extract().map_err(|_| {
        error(ErrorKind::TypeMismatch, "an integer that does not fit into 64 bits with a sign")
    })
}

/// Text, borrowed. Python's own error for a lone surrogate carries the text: it is dropped.
pub(crate) fn text_of<'a>(text: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    text.to_str().map_err(|_| {
        error(ErrorKind::TypeMismatch, "text with a lone surrogate, which UTF-8 has no form for")
    })
}

fn mismatch(wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let name = value.get_type().name();
    let name = name.as_ref().ok().and_then(|name| name.to_str().ok()).unwrap_or("another type");
    error(ErrorKind::TypeMismatch, format!("{wanted} is expected, not {name}"))
}

/// A value for Python. JSON is given as its text.
pub(crate) fn to_python<'py>(py: Python<'py>, value: ValueRef<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        ValueRef::Null => py.None().into_bound(py),
        ValueRef::Integer(v) => v.into_pyobject(py)?.into_any(),
        ValueRef::Real(v) => PyFloat::new(py, v).into_any(),
        ValueRef::Text(v) | ValueRef::Json(v) => PyString::new(py, v).into_any(),
        ValueRef::Blob(v) => PyBytes::new(py, v).into_any(),
        ValueRef::Boolean(v) => PyBool::new(py, v).to_owned().into_any(),
        _ => return Err(error(ErrorKind::Internal, "a type of value that this layer lacks")),
    })
}

/// An id for Python.
pub(crate) fn id_to_python<'py>(py: Python<'py>, id: IdRef<'_>) -> PyResult<Bound<'py, PyAny>> {
    to_python(
        py,
        match id {
            IdRef::Integer(id) => ValueRef::Integer(id),
            IdRef::Text(id) => ValueRef::Text(id),
            _ => return Err(error(ErrorKind::Internal, "a type of id that this layer lacks")),
        },
    )
}

/// Ids for Python.
pub(crate) fn ids_to_python(py: Python<'_>, ids: &[Id]) -> PyResult<Py<PyList>> {
    let ids = ids.iter().map(|id| id_to_python(py, id.as_ref()));
    Ok(PyList::new(py, ids.collect::<PyResult<Vec<_>>>()?)?.unbind())
}

/// Column names and values of one row.
#[derive(Default)]
pub(crate) struct Named<'py> {
    names: Vec<Bound<'py, PyString>>,
    cells: Cells<'py>,
}

impl<'py> Named<'py> {
    /// From a mapping, keywords, or both.
    pub(crate) fn new(
        mapping: Option<&Bound<'py, PyAny>>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        let mut named = Named::default();
        if let Some(mapping) = mapping {
            named.add(&as_dict(mapping)?)?;
        }
        if let Some(keywords) = keywords {
            named.add(keywords)?;
        }
        Ok(named)
    }

    fn add(&mut self, dict: &Bound<'py, PyDict>) -> PyResult<()> {
        for (name, value) in dict {
            self.names.push(column_name(name)?);
            self.cells.push(value)?;
        }
        Ok(())
    }

    pub(crate) fn pairs(&self) -> PyResult<Vec<(&str, ValueRef<'_>)>> {
        let names = self.names.iter().map(text_of);
        names.zip(self.cells.0.iter()).map(|(name, cell)| Ok((name?, value_ref(cell)?))).collect()
    }
}

/// A mapping as a dict.
pub(crate) fn as_dict<'py>(mapping: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    if let Ok(dict) = mapping.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    if mapping.cast::<PyMapping>().is_err() {
        return Err(mismatch("a mapping of columns to values", mapping));
    }
    Ok(mapping.py().get_type::<PyDict>().call1((mapping,))?.cast_into()?)
}

/// A name of a column.
pub(crate) fn column_name(name: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyString>> {
    name.cast_into::<PyString>()
        .map_err(|_| error(ErrorKind::TypeMismatch, "the name of a column is a str"))
}

/// One value, held as [`Cells`] hold many.
pub(crate) fn one(value: Bound<'_, PyAny>) -> PyResult<Cells<'_>> {
    let mut cells = Cells::with_capacity(1);
    cells.push(value)?;
    Ok(cells)
}

/// The number of rows that fit, where several columns stand beside each other.
pub(crate) fn same_length(one: usize, other: usize, what: &str) -> PyResult<()> {
    if one == other {
        return Ok(());
    }
    Err(error(ErrorKind::InvalidInput, format!("{one} values and {other} {what}")))
}

/// As [`core_error`], for `map_err` on a result.
pub(crate) trait OrRaise<T> {
    fn or_raise(self) -> PyResult<T>;
}

impl<T> OrRaise<T> for sealite::Result<T> {
    fn or_raise(self) -> PyResult<T> {
        self.map_err(core_error)
    }
}
