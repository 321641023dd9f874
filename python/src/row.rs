//! A row as a mapping. Its values are made once, when the row is read; the core's buffer is wiped right after.

use std::sync::Arc;

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictKeys, PyList, PyMapping, PyString, PyTuple};

use crate::value::{id_to_python, to_python};

/// The names of a table's columns, shared by its rows. The primary key comes first.
pub(crate) struct Shape {
    names: Vec<Py<PyString>>,
    /// From a name to its position. Never changed: `keys` looks into it.
    positions: Py<PyDict>,
    keys: Py<PyDictKeys>,
    texts: Vec<String>,
}

impl Shape {
    pub(crate) fn of(py: Python<'_>, row: &sealite::Row) -> PyResult<Arc<Self>> {
        let texts: Vec<String> = names(row).map(str::to_owned).collect();
        let positions = PyDict::new(py);
        let mut names = Vec::with_capacity(texts.len());
        for (at, text) in texts.iter().enumerate() {
            let name = PyString::intern(py, text);
            positions.set_item(&name, at)?;
            names.push(name.unbind());
        }
        let keys = positions.call_method0("keys")?.cast_into::<PyDictKeys>()?.unbind();
        Ok(Arc::new(Shape { names, positions: positions.unbind(), keys, texts }))
    }

    /// True where the row has these columns.
    pub(crate) fn fits(&self, row: &sealite::Row) -> bool {
        self.texts.len() == row.len() + 1 && names(row).eq(self.texts.iter().map(String::as_str))
    }

    fn position(&self, name: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
        // A literal in the program is the same interned string: no look-up then.
        if let Some(at) = self.names.iter().position(|own| own.is(name)) {
            return Ok(Some(at));
        }
        match self.positions.bind(name.py()).get_item(name)? {
            Some(at) => Ok(Some(at.extract()?)),
            None => Ok(None),
        }
    }
}

fn names(row: &sealite::Row) -> impl Iterator<Item = &str> {
    std::iter::once(row.key_name()).chain(row.columns().map(|(name, _)| name))
}

/// A row that has been read and verified: a mapping from column names, the primary key first, to values.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("users", {"email": "text sealed", "age": "integer sealed"})
///     True
///     >>> row = vault.table("users").get(vault.table("users").insert(email="ada@example.org"))
///     >>> row["email"], row["age"], dict(row)
///     ('ada@example.org', None, {'id': 1, 'email': 'ada@example.org', 'age': None})
///     >>> row
///     <Row of id, email, age>
#[pyclass(module = "sealite", frozen, mapping, freelist = 256)]
pub(crate) struct Row {
    shape: Arc<Shape>,
    values: Py<PyTuple>,
}

impl Row {
    pub(crate) fn new(py: Python<'_>, shape: &Arc<Shape>, row: &sealite::Row) -> PyResult<Self> {
        let value = |at: usize| match at.checked_sub(1).and_then(|at| row.at(at)) {
            Some(value) => to_python(py, value),
            None => id_to_python(py, row.id()),
        };
        // Straight into the tuple: a list of them first would be one more allocation a row.
        let (count, mut failed) = (row.len() + 1, None);
        let values = PyTuple::new(
            py,
            (0..count).map(|at| value(at).map_err(|error| failed = Some(error)).ok()),
        )?;
        match failed {
            None => Ok(Row { shape: Arc::clone(shape), values: values.unbind() }),
            Some(error) => Err(error),
        }
    }
}

#[pymethods]
impl Row {
    /// The primary key.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.values.bind(py).get_item(0)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match self.shape.position(key)? {
            Some(at) => self.values.bind(key.py()).get_item(at),
            None => Err(PyKeyError::new_err(key.clone().unbind())),
        }
    }

    /// The value of a column, or the default where there is no such column.
    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.shape.position(key)? {
            Some(at) => self.values.bind(key.py()).get_item(at).map(Some),
            None => Ok(default),
        }
    }

    /// The names of the columns.
    fn keys(&self, py: Python<'_>) -> Py<PyDictKeys> {
        self.shape.keys.clone_ref(py)
    }

    /// The values, in the order of the names.
    fn values(&self, py: Python<'_>) -> Py<PyTuple> {
        self.values.clone_ref(py)
    }

    /// Names and values.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let values = self.values.bind(py).iter();
        let pairs = self.shape.names.iter().zip(values);
        PyTuple::new(py, pairs.collect::<Vec<_>>())
    }

    fn __len__(&self) -> usize {
        self.shape.names.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.shape.positions.bind(py).try_iter()?.into_any())
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.shape.position(key)?.is_some())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<PyMapping>() else { return Ok(py.NotImplemented()) };
        let (mine, theirs) = (PyDict::new(py), PyDict::new(py));
        for (name, value) in self.shape.names.iter().zip(self.values.bind(py).iter()) {
            mine.set_item(name, value)?;
        }
        theirs.update(other)?;
        Ok(mine.eq(theirs)?.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(&self) -> String {
        format!("<Row of {}>", self.shape.texts.join(", "))
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Row"))
    }
}

/// Nothing of ours is pickled or copied: what is sealed would lie in clear wherever a pickle goes.
pub(crate) fn unpicklable(what: &str) -> PyErr {
    PyTypeError::new_err(format!("a {what} can't be pickled or copied"))
}

/// The rows of a query in plain SQL: a sequence of tuples.
///
///     >>> rows = sealite.Vault.in_memory().query("SELECT 1 AS one, 'b' AS letter")
///     >>> rows.columns, rows[0], len(rows)
///     (('one', 'letter'), (1, 'b'), 1)
#[pyclass(module = "sealite", frozen, sequence)]
pub(crate) struct SqlRows {
    /// The names of the columns.
    #[pyo3(get)]
    columns: Py<PyTuple>,
    rows: Py<PyList>,
}

impl SqlRows {
    pub(crate) fn new(py: Python<'_>, found: &sealite::SqlRows) -> PyResult<Self> {
        let rows = found.rows.iter().map(|row| {
            let values = row.iter().map(|value| to_python(py, value.as_ref()));
            PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)
        });
        Ok(SqlRows {
            columns: PyTuple::new(py, &found.columns)?.unbind(),
            rows: PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)?.unbind(),
        })
    }
}

#[pymethods]
impl SqlRows {
    fn __len__(&self, py: Python<'_>) -> usize {
        self.rows.bind(py).len()
    }

    fn __getitem__<'py>(&self, at: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.rows.bind(at.py()).as_any().get_item(at)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.rows.bind(py).as_any().try_iter()?.into_any())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let mine = self.rows.bind(other.py());
        match other.cast::<SqlRows>() {
            Ok(other) => mine.eq(other.get().rows.bind(other.py())),
            Err(_) => mine.eq(other),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<SqlRows: {} rows>", self.rows.bind(py).len())
    }
}
