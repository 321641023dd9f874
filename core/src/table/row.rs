//! Rows as they are read: many rows share one buffer of opened values.

use std::fmt;
use std::sync::Arc;

use super::schema::Schema;
use crate::error::{Result, err};
use crate::format::context::tag;
use crate::secret::{make_room, make_room_for_text, wipe};
use crate::value::{IdRef, ValueRef};

/// A row that has been read and verified. Cheap to clone; the opened values are wiped when the last clone goes.
#[derive(Clone)]
pub struct Row {
    set: Arc<RowSet>,
    index: usize,
}

/// Rows of one table. Texts and bytes lie in one stretch of memory each: a text is checked to be UTF-8 when it comes in,
/// and never again.
pub(crate) struct RowSet {
    schema: Arc<Schema>,
    /// For each row: the key, then the active columns.
    cells: Vec<Cell>,
    text: String,
    bytes: Vec<u8>,
}

/// A value: in the word itself, or a stretch that starts at the word.
#[derive(Clone, Copy)]
struct Cell {
    tag: u8,
    length: u32,
    word: u64,
}

impl Cell {
    const NULL: Cell = Cell { tag: tag::NULL, length: 0, word: 0 };
}

/// Where a set ended, to take back what was added since.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    cells: usize,
    text: usize,
    bytes: usize,
}

impl RowSet {
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        let cells = Vec::with_capacity(schema.active.len() + 1);
        RowSet { schema, cells, text: String::new(), bytes: Vec::new() }
    }

    /// Cells of one row.
    fn width(&self) -> usize {
        self.schema.active.len() + 1
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len() / self.width()
    }

    /// Makes room for a row with that many bytes of values.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.cells.reserve(self.width());
        make_room_for_text(&mut self.text, bytes);
    }

    /// Copies a value and adds its cell.
    pub(super) fn push(&mut self, value: ValueRef<'_>) {
        let cell = self.keep(value);
        self.cells.push(cell);
    }

    /// Copies a value into a cell of the last row, which `push` has made.
    pub(super) fn set(&mut self, position: usize, value: ValueRef<'_>) {
        let cell = self.keep(value);
        let last_row = self.cells.len().saturating_sub(self.width());
        if let Some(slot) = self.cells.get_mut(last_row + position) {
            *slot = cell;
        }
    }

    fn keep(&mut self, value: ValueRef<'_>) -> Cell {
        let held = |tag, word| Cell { tag, length: 0, word };
        let mut text = |tag, v: &str| {
            let cell = Cell { tag, length: v.len() as u32, word: self.text.len() as u64 };
            make_room_for_text(&mut self.text, v.len());
            self.text.push_str(v);
            cell
        };
        match value {
            ValueRef::Null => Cell::NULL,
            ValueRef::Integer(v) => held(tag::INTEGER, v.cast_unsigned()),
            ValueRef::Real(v) => held(tag::REAL, v.to_bits()),
            ValueRef::Boolean(v) => held(tag::BOOLEAN, u64::from(v)),
            ValueRef::Text(v) => text(tag::TEXT, v),
            ValueRef::Json(v) => text(tag::JSON, v),
            ValueRef::Blob(v) => {
                let word = self.bytes.len() as u64;
                make_room(&mut self.bytes, v.len());
                self.bytes.extend_from_slice(v);
                Cell { tag: tag::BLOB, length: v.len() as u32, word }
            }
        }
    }

    fn value(&self, cell: Cell) -> ValueRef<'_> {
        let start = cell.word as usize;
        let stretch = start..start.saturating_add(cell.length as usize);
        let text = || self.text.get(stretch.clone()).unwrap_or_default();
        match cell.tag {
            tag::INTEGER => ValueRef::Integer(cell.word.cast_signed()),
            tag::REAL => ValueRef::Real(f64::from_bits(cell.word)),
            tag::BOOLEAN => ValueRef::Boolean(cell.word == 1),
            tag::TEXT => ValueRef::Text(text()),
            tag::BLOB => ValueRef::Blob(self.bytes.get(stretch).unwrap_or_default()),
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

    /// Bytes of texts and blobs held.
    pub(crate) fn bytes_held(&self) -> usize {
        self.text.len() + self.bytes.len()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { cells: self.cells.len(), text: self.text.len(), bytes: self.bytes.len() }
    }

    /// Takes back what was added since the mark.
    pub(crate) fn take_back(&mut self, mark: Mark) {
        self.cells.truncate(mark.cells);
        self.text.truncate(mark.text);
        self.bytes.truncate(mark.bytes);
    }

    pub(crate) fn into_rows(self) -> Vec<Row> {
        let count = self.len();
        let set = Arc::new(self);
        (0..count).map(|index| Row { set: Arc::clone(&set), index }).collect()
    }
}

impl Drop for RowSet {
    fn drop(&mut self) {
        wipe(&mut std::mem::take(&mut self.text).into_bytes());
        wipe(&mut self.bytes);
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
