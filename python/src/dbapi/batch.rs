//! Rows that have been read ahead, as bytes: read without the interpreter, given to Python one by one.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyFloat, PyString, PyTuple};
use sealite::ValueRef;
use zeroize::Zeroizing;

use super::engine::Statement;

/// Rows and bytes that are read ahead at most.
const MAX_ROWS: usize = 128;
const MAX_BYTES: usize = 64 * 1024;
/// Rows between two looks at the bytes.
const TOGETHER: usize = 16;

/// Rows of one statement. Their bytes are wiped.
#[derive(Default)]
pub(super) struct Batch {
    cells: Vec<Cell>,
    bytes: Zeroizing<Vec<u8>>,
    width: usize,
    /// Cells that have been given out.
    at: usize,
}

#[derive(Clone, Copy)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    /// Where the bytes are.
    Text(usize, usize),
    Blob(usize, usize),
}

/// How a column becomes an object.
#[derive(Default)]
pub(super) struct Plan {
    /// What each column goes through; none where no type is detected.
    pub(super) converters: Vec<Option<Py<PyAny>>>,
}

/// What text becomes.
pub(super) enum TextFactory {
    Str,
    Bytes,
    ByteArray,
    Other(Py<PyAny>),
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.cells.len()
    }

    /// Reads up to so many rows ahead, the first ones where there are parameters; false where the statement has come to its end. Detached.
    pub(super) fn fill(
        &mut self,
        statement: &mut Statement,
        parameters: Option<&[ValueRef<'_>]>,
        rows: usize,
    ) -> sealite::Result<bool> {
        if self.is_empty() {
            self.cells.clear();
            self.bytes.clear();
            self.at = 0;
        }
        let mut left = rows.min(MAX_ROWS);
        let mut first = parameters;
        while left > 0 {
            let together = left.min(TOGETHER);
            let take = |value: ValueRef<'_>| {
                let cell = match value {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(v) => Cell::Integer(v),
                    ValueRef::Boolean(v) => Cell::Integer(i64::from(v)),
                    ValueRef::Real(v) => Cell::Real(v),
                    ValueRef::Text(v) | ValueRef::Json(v) => {
                        let (start, end) = self.put(v.as_bytes());
                        Cell::Text(start, end)
                    }
                    ValueRef::Blob(v) => {
                        let (start, end) = self.put(v);
                        Cell::Blob(start, end)
                    }
                    _ => Cell::Null,
                };
                self.cells.push(cell);
                Ok(())
            };
            let fetched = match first.take() {
                Some(parameters) => statement.run(parameters, together, take),
                None => statement.fetch(together, take),
            };
            // The first step may have compiled the statement anew.
            self.width = statement.columns().len();
            // A column of a row may have failed after others.
            let over = self.cells.len().checked_rem(self.width).unwrap_or(0);
            self.cells.truncate(self.cells.len() - over);
            let more = fetched?;
            if !more || self.bytes.len() >= MAX_BYTES {
                return Ok(more);
            }
            left -= together;
        }
        Ok(true)
    }

    fn put(&mut self, bytes: &[u8]) -> (usize, usize) {
        let start = self.bytes.len();
        if self.bytes.capacity() - start < bytes.len() {
            self.grow(bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        (start, self.bytes.len())
    }

    /// A vector that grows leaves its old bytes in the heap: they are moved here, and wiped.
    #[cold]
    fn grow(&mut self, more: usize) {
        let wanted = (self.bytes.len() + more).next_power_of_two().max(256);
        let mut larger = Zeroizing::new(Vec::with_capacity(wanted));
        larger.extend_from_slice(&self.bytes);
        self.bytes = larger;
    }

    /// The next row as a tuple.
    pub(super) fn take<'py>(
        &mut self,
        py: Python<'py>,
        plan: &Plan,
        text: &TextFactory,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let Some(cells) = self.cells.get(self.at..self.at + self.width) else { return Ok(None) };
        if self.is_empty() {
            return Ok(None);
        }
        self.at += self.width;
        let mut failed = None;
        let bytes = |start: usize, end: usize| self.bytes.get(start..end).unwrap_or_default();
        let made = |(at, cell): (usize, &Cell)| {
            if let Some(converter) = plan.converters.get(at).and_then(Option::as_ref) {
                return converted(py, converter, cell, &bytes);
            }
            match *cell {
                Cell::Null => Ok(py.None().into_bound(py)),
                Cell::Integer(v) => Ok(v.into_pyobject(py)?.into_any()),
                Cell::Real(v) => Ok(PyFloat::new(py, v).into_any()),
                Cell::Text(start, end) => text_of(py, bytes(start, end), text),
                Cell::Blob(start, end) => Ok(PyBytes::new(py, bytes(start, end)).into_any()),
            }
        };
        let row = PyTuple::new(
            py,
            cells
                .iter()
                .enumerate()
                .map(|cell| made(cell).map_err(|error: PyErr| failed = Some(error)).ok()),
        )?;
        match failed {
            None => Ok(Some(row)),
            Some(error) => Err(error),
        }
    }
}

fn text_of<'py>(
    py: Python<'py>,
    bytes: &[u8],
    factory: &TextFactory,
) -> PyResult<Bound<'py, PyAny>> {
    match factory {
        TextFactory::Str => Ok(PyString::from_bytes(py, bytes)?.into_any()),
        TextFactory::Bytes => Ok(PyBytes::new(py, bytes).into_any()),
        TextFactory::ByteArray => Ok(PyByteArray::new(py, bytes).into_any()),
        TextFactory::Other(factory) => factory.bind(py).call1((PyBytes::new(py, bytes),)),
    }
}

/// A converter gets the bytes of whatever stands there, as SQLite would print it.
fn converted<'py, 'b>(
    py: Python<'py>,
    converter: &Py<PyAny>,
    cell: &Cell,
    bytes: &impl Fn(usize, usize) -> &'b [u8],
) -> PyResult<Bound<'py, PyAny>> {
    let given = match *cell {
        Cell::Null => return Ok(py.None().into_bound(py)),
        Cell::Integer(v) => PyBytes::new(py, v.to_string().as_bytes()),
        Cell::Real(v) => {
            let shown = PyFloat::new(py, v).repr()?.to_string();
            PyBytes::new(py, shown.as_bytes())
        }
        // As sqlite3 does it: an empty blob is no blob.
        Cell::Blob(start, end) if start == end => return Ok(py.None().into_bound(py)),
        Cell::Text(start, end) | Cell::Blob(start, end) => PyBytes::new(py, bytes(start, end)),
    };
    converter.bind(py).call1((given,))
}
