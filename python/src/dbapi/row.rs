//! A row that is asked by position or by name.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PySlice, PyString, PyTuple};

use super::cursor::Cursor;
use crate::row::unpicklable;

/// A row for `row_factory`: its values by position or by name, whatever the case of ASCII letters.
///
///     >>> from sealite import dbapi2
///     >>> connection = dbapi2.connect(":memory:")
///     >>> connection.row_factory = dbapi2.Row
///     >>> row = connection.execute("SELECT 1 AS One").fetchone()
///     >>> row["one"], row[0], row.keys()
///     (1, 1, ['One'])
///     >>> connection.close()
#[pyclass(module = "sealite.dbapi2", frozen, sequence, subclass)]
pub(crate) struct Row {
    description: Option<Py<PyTuple>>,
    values: Py<PyTuple>,
}

impl Row {
    pub(super) fn new(description: Option<Py<PyTuple>>, values: Py<PyTuple>) -> Self {
        Row { description, values }
    }

    fn names<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyString>>> {
        let Some(description) = &self.description else { return Ok(Vec::new()) };
        let each = description.bind(py).iter();
        each.map(|each| Ok(each.get_item(0)?.cast_into::<PyString>()?)).collect()
    }
}

#[pymethods]
impl Row {
    #[new]
    #[pyo3(signature = (cursor, data, /))]
    fn make(cursor: &Bound<'_, Cursor>, data: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let description = cursor.as_any().getattr("description")?.extract()?;
        Ok(Row { description, values: data.clone().unbind() })
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let values = self.values.bind(key.py());
        if key.cast::<PyInt>().is_ok() {
            let at: isize = key.extract().map_err(|_| out_of_range())?;
            let length = isize::try_from(values.len()).unwrap_or(isize::MAX);
            let at = if at < 0 { at + length } else { at };
            return usize::try_from(at)
                .ok()
                .and_then(|at| values.get_item(at).ok())
                .ok_or_else(out_of_range);
        }
        if let Ok(name) = key.cast::<PyString>() {
            let name = name.to_string_lossy();
            let names = self.names(key.py())?;
            let found =
                names.iter().position(|own| own.to_string_lossy().eq_ignore_ascii_case(&name));
            return found
                .and_then(|at| values.get_item(at).ok())
                .ok_or_else(|| PyIndexError::new_err("No item with that key"));
        }
        if key.cast::<PySlice>().is_ok() {
            return values.as_any().get_item(key);
        }
        Err(PyIndexError::new_err("Index must be int or string"))
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.values.bind(py).len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.values.bind(py).as_any().try_iter()?.into_any())
    }

    fn __contains__(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.values.bind(value.py()).as_any().contains(value)
    }

    /// The names of the columns.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.names(py)?)
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, how: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let equal = |a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>| a.eq(b);
        let (Ok(other), CompareOp::Eq | CompareOp::Ne) = (other.cast::<Row>(), how) else {
            return Ok(py.NotImplemented());
        };
        let other = other.get();
        let names = |row: &Row| PyTuple::new(py, row.names(py)?);
        let same = equal(names(self)?.as_any(), names(other)?.as_any())?
            && equal(self.values.bind(py).as_any(), other.values.bind(py).as_any())?;
        let answer = same == matches!(how, CompareOp::Eq);
        Ok(answer.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<u64> {
        let mut hasher = DefaultHasher::new();
        PyTuple::new(py, self.names(py)?)?.hash()?.hash(&mut hasher);
        self.values.bind(py).hash()?.hash(&mut hasher);
        Ok(hasher.finish())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let names: Vec<String> = self.names(py)?.iter().map(ToString::to_string).collect();
        Ok(format!("<Row of {}>", names.join(", ")))
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Row"))
    }
}

fn out_of_range() -> PyErr {
    PyIndexError::new_err("tuple index out of range")
}
