//! What `sealite.sqlalchemy` calls for every value: native, so that no frame of Python's stands between a driver and a
//! field.

use std::sync::{PoisonError, RwLock};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sealite::{ErrorKind, Index, ValueRef};

use crate::definition::index;
use crate::error::error;
use crate::field::{Field, open, record, seal};
use crate::given::{string_given, text_given, text_or_none};
use crate::row::unpicklable;
use crate::value::{OrRaise, bytes_of, one, to_python};

/// A field that a program names where it declares its tables, and that is there once a vault is open. `None` passes
/// through: it is NULL in the database. Any thread may use it.
#[pyclass(module = "sealite._native", frozen)]
pub(crate) struct FieldBinding {
    name: String,
    kind: Kind,
    index: Option<Index>,
    field: RwLock<Option<sealite::Field>>,
}

/// The one type of value that a binding takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Real,
    Boolean,
    Blob,
}

const KINDS: [(&str, Kind); 5] = [
    ("text", Kind::Text),
    ("integer", Kind::Integer),
    ("real", Kind::Real),
    ("boolean", Kind::Boolean),
    ("blob", Kind::Blob),
];

impl FieldBinding {
    /// Cloned: a lock held while other threads run could wait for the interpreter, and the interpreter for it.
    fn field(&self) -> PyResult<sealite::Field> {
        let field = self.field.read().unwrap_or_else(PoisonError::into_inner).clone();
        field.ok_or_else(|| {
            let message = format!("field {}: its vault has not been registered", self.name);
            error(ErrorKind::NotFound, message)
        })
    }

    fn check(&self, value: ValueRef<'_>) -> PyResult<()> {
        let kind = match value {
            ValueRef::Text(_) => Kind::Text,
            ValueRef::Integer(_) => Kind::Integer,
            ValueRef::Real(_) => Kind::Real,
            ValueRef::Boolean(_) => Kind::Boolean,
            _ => Kind::Blob,
        };
        if kind == self.kind {
            return Ok(());
        }
        let name = |kind| KINDS.iter().find(|(_, each)| *each == kind).map_or("", |(name, _)| name);
        let (wanted, given) = (name(self.kind), name(kind));
        let message = format!("field {}: {wanted} is expected, not {given}", self.name);
        Err(error(ErrorKind::TypeMismatch, message))
    }
}

#[pymethods]
impl FieldBinding {
    #[new]
    #[pyo3(signature = (name, kind, index=None))]
    fn new(
        #[pyo3(from_py_with = string_given)] name: String,
        #[pyo3(from_py_with = text_given)] kind: &str,
        #[pyo3(from_py_with = text_or_none)] index: Option<&str>,
    ) -> PyResult<Self> {
        let Some((_, kind)) = KINDS.iter().find(|(each, _)| *each == kind) else {
            return Err(error(ErrorKind::InvalidInput, "a kind of value that fields don't have"));
        };
        let index = index.map(self::index).transpose()?;
        Ok(FieldBinding { name, kind: *kind, index, field: RwLock::new(None) })
    }

    /// Gives it the field, or takes it away.
    fn bind(&self, field: Option<&Bound<'_, Field>>) {
        let field = field.map(|field| field.get().core().clone());
        *self.field.write().unwrap_or_else(PoisonError::into_inner) = field;
    }

    /// Seals a value, for the row with this primary key where one is given.
    #[pyo3(signature = (value, record=None))]
    fn seal<'py>(
        &self,
        py: Python<'py>,
        value: Bound<'py, PyAny>,
        record: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        if value.is_none() {
            return Ok(None);
        }
        let field = self.field()?;
        let value = one(value)?;
        let value = value.first()?;
        self.check(value)?;
        seal(py, &field, value, self::record(record)?).map(Some)
    }

    /// Opens a sealed value.
    #[pyo3(signature = (sealed, record=None))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        sealed: &Bound<'py, PyAny>,
        record: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if sealed.is_none() {
            return Ok(None);
        }
        let field = self.field()?;
        let sealed = bytes_of(sealed)?;
        open(py, &field, sealed.as_bytes(), self::record(record)?).map(Some)
    }

    /// The blind index of a value.
    fn index<'py>(
        &self,
        py: Python<'py>,
        value: Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if value.is_none() {
            return Ok(None);
        }
        let Some(index) = &self.index else {
            return Err(error(ErrorKind::NotIndexed, format!("field {}: no index", self.name)));
        };
        let field = self.field()?;
        let value = one(value)?;
        let value = value.first()?;
        self.check(value)?;
        let value = py.detach(|| field.index(value, index)).or_raise()?;
        to_python(py, value.as_ref()).map(Some)
    }

    fn __repr__(&self) -> &'static str {
        "<FieldBinding>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("FieldBinding"))
    }
}
