//! Rows as they are read: many rows share one buffer of opened values.

use std::fmt;
use std::sync::Arc;

use super::schema::Schema;
use crate::error::{Result, err};
use crate::format::context::tag;
use crate::value::{IdRef, ValueRef};

/// A row that has been read and verified. Cheap to clone; the opened values are wiped when the last clone goes.
#[derive(Clone)]
pub struct Row {
    set: Arc<RowSet>,
    index: usize,
}

/// Rows of one table.
pub(crate) struct RowSet {
    schema: Arc<Schema>,
    /// For each row: the key, then the active columns.
    pub(super) cells: Vec<Cell>,
    pub(super) buffer: Vec<u8>,
}

/// A value: in the word itself, or a stretch of the buffer that starts at the word.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    tag: u8,
    length: u32,
    word: u64,
}

impl Cell {
    pub(super) const NULL: Cell = Cell { tag: tag::NULL, length: 0, word: 0 };

    /// A value that lies at `start` in the buffer, if it is not held in the word.
    pub(super) fn at(value: ValueRef<'_>, start: usize) -> Self {
        let stretch = |tag, length: usize| Cell { tag, length: length as u32, word: start as u64 };
        match value {
            ValueRef::Null => Cell::NULL,
            ValueRef::Integer(v) => Cell { tag: tag::INTEGER, length: 0, word: v.cast_unsigned() },
            ValueRef::Real(v) => Cell { tag: tag::REAL, length: 0, word: v.to_bits() },
            ValueRef::Boolean(v) => Cell { tag: tag::BOOLEAN, length: 0, word: u64::from(v) },
            ValueRef::Text(v) => stretch(tag::TEXT, v.len()),
            ValueRef::Blob(v) => stretch(tag::BLOB, v.len()),
            ValueRef::Json(v) => stretch(tag::JSON, v.len()),
        }
    }
}

impl RowSet {
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        RowSet { schema, cells: Vec::new(), buffer: Vec::new() }
    }

    /// Cells of one row.
    fn width(&self) -> usize {
        self.schema.active.len() + 1
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len() / self.width()
    }

    /// Copies a value into the buffer and adds its cell.
    pub(super) fn push(&mut self, value: ValueRef<'_>) {
        let cell = self.keep(value);
        self.cells.push(cell);
    }

    pub(super) fn keep(&mut self, value: ValueRef<'_>) -> Cell {
        let start = self.buffer.len();
        match value {
            ValueRef::Text(v) | ValueRef::Json(v) => self.buffer.extend_from_slice(v.as_bytes()),
            ValueRef::Blob(v) => self.buffer.extend_from_slice(v),
            _ => {}
        }
        Cell::at(value, start)
    }

    fn value(&self, cell: Cell) -> ValueRef<'_> {
        let bytes = || {
            let start = cell.word as usize;
            self.buffer.get(start..start + cell.length as usize).unwrap_or(&[])
        };
        // The bytes were checked to be UTF-8 when they were opened or read; this check again is the price of
        // keeping unsafe code out.
        let text = || std::str::from_utf8(bytes()).unwrap_or("");
        match cell.tag {
            tag::INTEGER => ValueRef::Integer(cell.word.cast_signed()),
            tag::REAL => ValueRef::Real(f64::from_bits(cell.word)),
            tag::BOOLEAN => ValueRef::Boolean(cell.word == 1),
            tag::TEXT => ValueRef::Text(text()),
            tag::BLOB => ValueRef::Blob(bytes()),
            tag::JSON => ValueRef::Json(text()),
            _ => ValueRef::Null,
        }
    }

    /// The cell at a position of a row; position 0 is the key.
    pub(crate) fn get(&self, row: usize, position: usize) -> ValueRef<'_> {
        let cell = self.cells.get(row * self.width() + position).copied().unwrap_or(Cell::NULL);
        self.value(cell)
    }

    pub(crate) fn id(&self, row: usize) -> IdRef<'_> {
        match self.get(row, 0) {
            ValueRef::Text(id) => IdRef::Text(id),
            other => IdRef::Integer(other.as_i64().unwrap_or_default()),
        }
    }

    /// Drops every row but keeps the memory.
    pub(crate) fn truncate(&mut self, cells: usize, buffer: usize) {
        self.cells.truncate(cells);
        self.buffer.truncate(buffer);
    }

    pub(crate) fn into_rows(self) -> Vec<Row> {
        let count = self.len();
        let set = Arc::new(self);
        (0..count).map(|index| Row { set: Arc::clone(&set), index }).collect()
    }
}

impl Drop for RowSet {
    fn drop(&mut self) {
        // One pass of the compiler's own fill, which a volatile write for each byte is many times slower than.
        // By capacity, not by length: rows that were taken back lie behind the end.
        self.buffer.clear();
        self.buffer.resize(self.buffer.capacity(), 0);
        zeroize::optimization_barrier(&self.buffer);
    }
}

impl Row {
    pub(crate) fn new(set: Arc<RowSet>, index: usize) -> Self {
        Row { set, index }
    }

    /// The primary key.
    pub fn id(&self) -> IdRef<'_> {
        self.set.id(self.index)
    }

    /// The value of a column, or of the primary key, by name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] where the table has no such column.
    pub fn get(&self, column: &str) -> Result<ValueRef<'_>> {
        let schema = &self.set.schema;
        if schema.is_key(column) {
            return Ok(self.set.get(self.index, 0));
        }
        Ok(self.set.get(self.index, schema.position(column)? + 1))
    }

    /// The text of a column; an error where it is NULL or no text.
    pub fn text(&self, column: &str) -> Result<&str> {
        let value = self.get(column)?;
        let not_text =
            || err!(TypeMismatch, "column {column} holds {}, not text", value.type_name());
        value.as_str().ok_or_else(not_text)
    }

    /// The number of columns beside the primary key.
    pub fn len(&self) -> usize {
        self.set.schema.active.len()
    }

    /// True for a table without columns.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a position, in the order of [`Row::columns`].
    pub fn at(&self, position: usize) -> Option<ValueRef<'_>> {
        (position < self.len()).then(|| self.set.get(self.index, position + 1))
    }

    /// Names and values, in the order of declaration, without the primary key.
    pub fn columns(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let names = self.set.schema.columns().map(|column| column.column.name.as_str());
        names.enumerate().map(|(at, name)| (name, self.set.get(self.index, at + 1)))
    }

    /// The name of the primary key.
    pub fn key_name(&self) -> &str {
        &self.set.schema.stored.key
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ids may be personal too, where they are text.
        write!(f, "Row of {} ({} columns)", self.set.schema.name(), self.len())
    }
}
