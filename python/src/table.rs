//! A sealed table: the same calls on the vault, in a transaction and in a snapshot.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use sealite::{ErrorKind, Id};

use crate::definition::{Definition, columns_to_python};
use crate::error::{Failure, error};
use crate::given::text_given;
use crate::insert::Rows;
use crate::row::{Row, Shape, unpicklable};
use crate::scan::Scan;
use crate::source::Source;
use crate::value::{Cells, Named, OrRaise, id_ref, id_to_python, ids_to_python, one};

/// A sealed table.
///
/// On a vault or tenant each call is a transaction of its own, and any thread may call. In a transaction or snapshot
/// the table belongs to that.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("users", {"email": "text sealed unique email", "plan": "text default 'free'"})
///     True
///     >>> users = vault.table("users")
///     >>> users.insert_many(["email"], [("ada@example.org",), ("grace@example.org",)])
///     [1, 2]
///     >>> users.update(1, plan="pro")
///     True
///     >>> [row["plan"] for row in users.scan()]
///     ['pro', 'free']
///     >>> users.delete(2), users.count()
///     (True, 1)
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Table {
    source: Source,
    name: String,
    /// The columns of the rows read last.
    shape: Mutex<Option<Arc<Shape>>>,
}

impl Table {
    /// Looks whether the table is there.
    pub(crate) fn new(py: Python<'_>, source: Source, name: String) -> PyResult<Self> {
        py.detach(|| source.table(&name, |table| table.definition().map(|_| ())))?;
        Ok(Table { source, name, shape: Mutex::new(None) })
    }

    fn run<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&sealite::Table<'_>) -> sealite::Result<R> + Send,
    ) -> PyResult<R> {
        py.detach(|| self.source.table(&self.name, work)).map_err(PyErr::from)
    }

    fn row(&self, py: Python<'_>, row: &sealite::Row) -> PyResult<Row> {
        let known = self.shape.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let shape = match known {
            Some(shape) if shape.fits(row) => shape,
            _ => {
                let shape = Shape::of(py, row)?;
                let kept = Some(Arc::clone(&shape));
                *self.shape.lock().unwrap_or_else(PoisonError::into_inner) = kept;
                shape
            }
        };
        Row::new(py, &shape, row)
    }
}

// The methods themselves are not general enough over the table's lifetime.
#[allow(clippy::redundant_closure_for_method_calls)]
#[pymethods]
impl Table {
    /// The name.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The columns as they are declared now: a dict from names to specifications.
    #[getter]
    fn columns(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        columns_to_python(py, &self.run(py, |table| table.definition())?)
    }

    /// The table as it is declared now.
    #[getter]
    fn definition(&self, py: Python<'_>) -> PyResult<Definition> {
        Ok(Definition::new(self.run(py, |table| table.definition())?))
    }

    /// Inserts a row, given as a mapping, as keywords or both; returns its id.
    #[pyo3(signature = (values=None, /, **columns))]
    fn insert<'py>(
        &self,
        py: Python<'py>,
        values: Option<&Bound<'py, PyAny>>,
        columns: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let named = Named::new(values, columns)?;
        let pairs = named.pairs()?;
        let id = self.run(py, |table| table.insert(&pairs))?;
        id_to_python(py, id.as_ref())
    }

    /// Inserts rows, all or none; returns their ids. Either an iterable of mappings, or the names of the columns and an
    /// iterable of sequences. A column that a mapping lacks holds its default or NULL.
    #[pyo3(signature = (rows, values=None, /))]
    fn insert_many(
        &self,
        py: Python<'_>,
        rows: &Bound<'_, PyAny>,
        values: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyList>> {
        let rows = match values {
            Some(values) => Rows::from_sequences(rows, values)?,
            None => Rows::from_mappings(rows)?,
        };
        let runs = rows.runs()?;
        let ids: Vec<Id> = py
            .detach(|| match runs.as_slice() {
                [] => Ok(Vec::new()),
                [run] => self.source.table(&self.name, |table| run.insert(table)),
                runs => self.source.whole(&self.name, |table| {
                    let mut ids = Vec::new();
                    for run in runs {
                        ids.append(&mut run.insert(table)?);
                    }
                    Ok(ids)
                }),
            })
            .map_err(|failure: Failure| PyErr::from(failure))?;
        ids_to_python(py, &ids)
    }

    /// The row of that id, verified; None where there is none.
    fn get(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<Option<Row>> {
        let id = id_ref(id)?;
        match self.run(py, |table| table.get(id))? {
            Some(row) => self.row(py, &row).map(Some),
            None => Ok(None),
        }
    }

    /// The rows of those ids, in their order; None for each that is not there.
    fn get_many(&self, py: Python<'_>, ids: &Bound<'_, PyAny>) -> PyResult<Vec<Option<Row>>> {
        let mut cells = Cells::default();
        cells.extend(ids)?;
        let ids = cells.ids()?;
        let rows = self.run(py, |table| table.get_many(&ids))?;
        rows.iter().map(|row| row.as_ref().map(|row| self.row(py, row)).transpose()).collect()
    }

    /// The rows whose column has that value. A sealed column needs a blind index.
    fn find<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = text_given)] column: &str,
        value: Bound<'py, PyAny>,
    ) -> PyResult<Vec<Row>> {
        let value = one(value)?;
        let value = value.first()?;
        let rows = self.run(py, |table| table.find(column, value))?;
        rows.iter().map(|row| self.row(py, row)).collect()
    }

    /// The first row whose column has that value, or None.
    fn find_one<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = text_given)] column: &str,
        value: Bound<'py, PyAny>,
    ) -> PyResult<Option<Row>> {
        let value = one(value)?;
        let value = value.first()?;
        let row = self.run(py, |table| table.find_one(column, value))?;
        row.map(|row| self.row(py, &row)).transpose()
    }

    /// Changes the given columns of a row and leaves the others; False where there is no such row.
    #[pyo3(signature = (id, values=None, /, **columns))]
    fn update<'py>(
        &self,
        py: Python<'py>,
        id: &Bound<'py, PyAny>,
        values: Option<&Bound<'py, PyAny>>,
        columns: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<bool> {
        let id = id_ref(id)?;
        let named = Named::new(values, columns)?;
        let pairs = named.pairs()?;
        self.run(py, |table| table.update(id, &pairs))
    }

    /// Deletes a row; False where there is none. The row is verified first.
    fn delete(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = id_ref(id)?;
        self.run(py, |table| table.delete(id))
    }

    /// Deletes a row without opening it: for one that fails to authenticate. False where there is none.
    fn discard(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = id_ref(id)?;
        self.run(py, |table| table.discard(id))
    }

    /// Every row, in the order of insertion. Memory is bounded.
    fn scan(&self, py: Python<'_>) -> PyResult<Scan> {
        py.detach(|| Scan::begin(&self.source, &self.name)).map_err(PyErr::from)
    }

    /// The number of rows. Opens none of them.
    fn count(&self, py: Python<'_>) -> PyResult<u64> {
        self.run(py, |table| table.count())
    }

    fn __repr__(&self) -> String {
        format!("<Table {}>", self.name)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Table"))
    }
}

/// The padding of a table or field, from what Python gives: a number of bytes, `"none"` or `"padme"`.
pub(crate) fn padding(given: &Bound<'_, PyAny>) -> PyResult<sealite::Padding> {
    if let Ok(block @ 1..=65_534) = given.extract::<u16>() {
        return Ok(sealite::Padding::Block(block));
    }
    match given.extract::<String>().as_deref() {
        Ok("none") => Ok(sealite::Padding::None),
        Ok("padme") => Ok(sealite::Padding::Padme),
        _ => Err(error(
            ErrorKind::InvalidInput,
            "a padding is a block of 1 to 65,534 bytes, \"none\" or \"padme\"",
        )),
    }
}

/// A column from its specification.
pub(crate) fn column(specification: &str) -> PyResult<sealite::Column> {
    sealite::Column::parse(specification).or_raise()
}
