//! A row of the application's, as it is read: what is in clear is overwritten when it is dropped.

use zeroize::Zeroizing;

use crate::error::{Error, err};
use crate::value::{Id, Value, ValueRef};

/// A row, as it is read: its values in clear, and what is sealed of it already.
pub(super) struct Read {
    pub(super) row_id: i64,
    pub(super) key: Option<Id>,
    pub(super) cells: Vec<Cell>,
}

pub(super) struct Cell {
    pub(super) value: Zeroized,
    pub(super) tenant: Option<String>,
    /// What was sealed of it beside the table.
    pub(super) sealed: Option<Vec<u8>>,
}

impl Cell {
    pub(super) fn bytes(&self) -> usize {
        let value = match &self.value {
            Zeroized::Text(text) => text.len(),
            Zeroized::Blob(bytes) => bytes.len(),
            Zeroized::Other(_) => 8,
        };
        value + self.sealed.as_ref().map_or(0, Vec::len)
    }
}

/// A value that is to be sealed, or is.
pub(super) struct Clear {
    pub(super) value: Zeroized,
    pub(super) sealed: Option<Vec<u8>>,
}

/// A value in clear.
pub(super) enum Zeroized {
    Text(Zeroizing<String>),
    Blob(Zeroizing<Vec<u8>>),
    Other(Value),
}

impl From<Value> for Zeroized {
    fn from(value: Value) -> Self {
        match value {
            Value::Text(text) => Zeroized::Text(Zeroizing::new(text)),
            Value::Blob(bytes) => Zeroized::Blob(Zeroizing::new(bytes)),
            other => Zeroized::Other(other),
        }
    }
}

impl Zeroized {
    pub(super) fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Zeroized::Text(text) => ValueRef::Text(text),
            Zeroized::Blob(bytes) => ValueRef::Blob(bytes),
            Zeroized::Other(value) => value.as_ref(),
        }
    }
}

/// A text that SQLite has taken, and nobody can read.
pub(super) fn not_utf8(table: &str, column: &str, row: &str) -> Error {
    err!(
        TypeMismatch,
        "{table}.{column} of {row} is a text that is not UTF-8: change it, or make it a blob"
    )
}
