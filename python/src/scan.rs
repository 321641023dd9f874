//! Reading a whole table a batch at a time, so that memory is bounded and other threads run meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::vec::IntoIter;

use pyo3::prelude::*;
use sealite::{Cursor, ErrorKind};

use crate::error::{Failure, error};
use crate::row::{Row, Shape};
use crate::source::{Held, Root, Source};

/// An iterator over every row of a table, in the order of insertion. It sees one moment, and holds a connection until
/// it ends, is closed or is dropped.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("users", {"name": "text sealed"})
///     True
///     >>> ids = vault.table("users").insert_many(["name"], [("Ada",), ("Grace",)])
///     >>> [row["name"] for row in vault.table("users").scan()]
///     ['Ada', 'Grace']
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Scan(Mutex<State>);

struct State {
    /// None at the end.
    source: Option<Source>,
    table: String,
    cursor: Cursor,
    rows: IntoIter<sealite::Row>,
    shape: Option<Arc<Shape>>,
}

impl Scan {
    /// Only to be called detached from the interpreter.
    pub(crate) fn begin(source: &Source, table: &str) -> Result<Self, Failure> {
        let source = match source {
            // In memory there is one connection, and each batch is read at its own moment.
            Source::Root(root) if !root.is_memory() => {
                Source::Snapshot(Held::shared("scan", Root::snapshot(root)?), None)
            }
            other => other.clone(),
        };
        // A table that is not there is told now.
        source.table(table, |table| table.definition().map(|_| ()))?;
        Ok(Scan(Mutex::new(State {
            source: Some(source),
            table: table.to_owned(),
            cursor: Cursor::default(),
            rows: Vec::new().into_iter(),
            shape: None,
        })))
    }

    /// Never waits: the thread that reads may itself wait for the interpreter.
    fn state(&self) -> PyResult<MutexGuard<'_, State>> {
        match self.0.try_lock() {
            Ok(state) => Ok(state),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(error(ErrorKind::Busy, "another thread is reading this scan"))
            }
        }
    }
}

impl State {
    /// The next rows. At the end, and at an error, the connection goes back.
    fn fetch(&mut self) -> Result<(), Failure> {
        let Some(source) = &self.source else { return Ok(()) };
        let (table, cursor) = (&self.table, &mut self.cursor);
        let rows = source.table(table, |table| table.next_rows(cursor));
        match rows {
            Ok(Some(rows)) => {
                self.rows = rows.into_iter();
                Ok(())
            }
            other => {
                self.source = None;
                other.map(|_| ())
            }
        }
    }
}

#[pymethods]
impl Scan {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Row>> {
        let mut state = self.state()?;
        let state = &mut *state;
        if state.rows.len() == 0 {
            py.detach(|| state.fetch())?;
            // Names change only between batches.
            if let (Some(row), Some(shape)) = (state.rows.as_slice().first(), &state.shape)
                && !shape.fits(row)
            {
                state.shape = None;
            }
        }
        let Some(row) = state.rows.next() else { return Ok(None) };
        let shape = match &state.shape {
            Some(shape) => shape,
            None => state.shape.insert(Shape::of(py, &row)?),
        };
        Row::new(py, shape, &row).map(Some)
    }

    /// Ends the scan, and gives its connection back.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.state()?;
        let state = &mut *state;
        py.detach(|| {
            state.rows = Vec::new().into_iter();
            state.source = None;
        });
        Ok(())
    }

    fn __enter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _exception: &Bound<'_, pyo3::types::PyTuple>,
    ) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> &'static str {
        "<Scan>"
    }
}
