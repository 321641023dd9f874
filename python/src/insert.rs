//! The rows of one `insert_many`, borrowed from Python.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sealite::{ErrorKind, Id, ValueRef};

use crate::error::error;
use crate::value::{Cells, as_dict, column_name, same_length, text_of};

/// Rows in runs that name the same columns.
pub(crate) struct Rows<'py>(Vec<Run<'py>>);

struct Run<'py> {
    columns: Vec<Bound<'py, PyString>>,
    /// Row after row.
    cells: Cells<'py>,
    count: usize,
}

/// A run that is ready to be inserted.
pub(crate) struct Borrowed<'a> {
    columns: Vec<&'a str>,
    values: Vec<ValueRef<'a>>,
    count: usize,
}

impl<'py> Rows<'py> {
    /// From mappings of columns to values.
    pub(crate) fn from_mappings(rows: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut runs: Vec<Run<'py>> = Vec::new();
        for row in rows.try_iter()? {
            let row = as_dict(&row?)?;
            let added = match runs.last_mut() {
                Some(run) => run.add(&row)?,
                None => false,
            };
            if !added {
                let columns = row.keys().iter().map(column_name).collect::<PyResult<_>>()?;
                let mut run = Run { columns, cells: Cells::default(), count: 0 };
                run.add(&row)?;
                runs.push(run);
            }
        }
        Ok(Rows(runs))
    }

    /// From the names of the columns and sequences of values.
    pub(crate) fn from_sequences(
        columns: &Bound<'py, PyAny>,
        rows: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        if columns.cast::<PyString>().is_ok() {
            return Err(error(ErrorKind::InvalidInput, "the columns are a list of names"));
        }
        let columns: Vec<_> =
            columns.try_iter()?.map(|name| column_name(name?)).collect::<PyResult<_>>()?;
        let mut run = Run { columns, cells: Cells::default(), count: 0 };
        for row in rows.try_iter()? {
            let before = run.cells.len();
            run.cells.extend(&row?)?;
            same_length(run.cells.len() - before, run.columns.len(), "columns")?;
            run.count += 1;
        }
        Ok(Rows(if run.count == 0 { Vec::new() } else { vec![run] }))
    }

    /// What the core takes.
    pub(crate) fn runs(&self) -> PyResult<Vec<Borrowed<'_>>> {
        self.0.iter().map(Run::borrow).collect()
    }
}

impl<'py> Run<'py> {
    /// Adds a row; false where it names other columns.
    fn add(&mut self, row: &Bound<'py, PyDict>) -> PyResult<bool> {
        if row.len() != self.columns.len() {
            return Ok(false);
        }
        let before = self.cells.len();
        for column in &self.columns {
            let Some(value) = row.get_item(column)? else {
                self.cells.truncate(before);
                return Ok(false);
            };
            self.cells.push(value)?;
        }
        self.count += 1;
        Ok(true)
    }

    fn borrow(&self) -> PyResult<Borrowed<'_>> {
        Ok(Borrowed {
            columns: self.columns.iter().map(text_of).collect::<PyResult<_>>()?,
            values: self.cells.refs()?,
            count: self.count,
        })
    }
}

impl Borrowed<'_> {
    pub(crate) fn insert(&self, table: &sealite::Table<'_>) -> sealite::Result<Vec<Id>> {
        let width = self.columns.len();
        let rows = (0..self.count)
            .map(|row| self.values.get(row * width..(row + 1) * width).unwrap_or_default());
        table.insert_many(&self.columns, rows)
    }
}
