//! Declarations: tables and indexes as Python writes them, in the grammar of `Column::parse`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};
use sealite::{Column, ErrorKind, Index, Padding, Protection, TableDefinition};

use crate::error::error;
use crate::table::{column, padding};
use crate::value::{as_dict, column_name, text_of};

/// A table as it is declared.
#[pyclass(module = "sealite", name = "TableDefinition", frozen)]
pub(crate) struct Definition(TableDefinition);

impl Definition {
    pub(crate) fn new(definition: TableDefinition) -> Self {
        Definition(definition)
    }
}

#[pymethods]
impl Definition {
    /// The name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The columns, without the primary key: a dict from names to specifications.
    #[getter]
    fn columns(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        columns_to_python(py, &self.0)
    }

    /// The name of the primary key.
    #[getter]
    fn key(&self) -> &str {
        self.0.key_name()
    }

    /// True where the primary key is text.
    #[getter]
    fn text_key(&self) -> bool {
        self.0.has_text_key()
    }

    /// True where every row belongs to a tenant.
    #[getter]
    fn per_tenant(&self) -> bool {
        self.0.is_per_tenant()
    }

    /// The column that says whose a row is; the primary key where every row is its own subject.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.declared_subject()
    }

    /// The padding of the sealed payload: a block in bytes, "none" or "padme".
    #[getter]
    fn padding<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self.0.declared_padding() {
            Padding::None => PyString::new(py, "none").into_any(),
            Padding::Padme => PyString::new(py, "padme").into_any(),
            Padding::Block(block) => block.into_pyobject(py)?.into_any(),
            _ => return Err(error(ErrorKind::Internal, "a padding that this layer lacks")),
        })
    }

    fn __repr__(&self) -> String {
        format!("<TableDefinition {}>", self.0.name())
    }
}

/// What `define_table` is given.
pub(crate) struct Declared<'a, 'py> {
    pub(crate) name: &'a str,
    pub(crate) columns: &'a Bound<'py, PyAny>,
    pub(crate) key: &'a str,
    pub(crate) text_key: bool,
    pub(crate) per_tenant: bool,
    pub(crate) padding: Option<&'a Bound<'py, PyAny>>,
    pub(crate) subject: Option<&'a str>,
}

impl Declared<'_, '_> {
    pub(crate) fn definition(&self) -> PyResult<TableDefinition> {
        let mut definition = TableDefinition::new(self.name);
        definition = if self.text_key {
            definition.text_key(self.key)
        } else {
            definition.integer_key(self.key)
        };
        if self.per_tenant {
            definition = definition.per_tenant();
        }
        if let Some(given) = self.padding {
            definition = definition.padding(padding(given)?);
        }
        if let Some(column) = self.subject {
            definition = definition.subject(column);
        }
        for column in self.parsed()? {
            definition = definition.column(column);
        }
        Ok(definition)
    }

    fn parsed(&self) -> PyResult<Vec<Column>> {
        specifications(self.columns)?.iter().map(|whole| column(whole)).collect()
    }
}

/// Specifications of columns: a dict from names to the rest of them, or whole ones.
pub(crate) fn specifications(columns: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let text = |text: Bound<'_, PyAny>| {
        let text = text.cast_into::<PyString>().map_err(|_| {
            error(ErrorKind::TypeMismatch, "the specification of a column is a str")
        })?;
        Ok::<_, PyErr>(text_of(&text)?.to_owned())
    };
    if columns.cast::<PyMapping>().is_ok() {
        let columns = as_dict(columns)?;
        let one = |(name, rest): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let name = column_name(name)?;
            Ok(format!("{} {}", quoted(text_of(&name)?), text(rest)?))
        };
        return columns.iter().map(one).collect();
    }
    if columns.cast::<PyString>().is_ok() {
        return Err(error(ErrorKind::TypeMismatch, "columns are a dict, or a list of str"));
    }
    columns.try_iter()?.map(|whole| text(whole?)).collect()
}

/// Specifications of columns, and the words that say whose a row is.
pub(crate) fn words(columns: &Bound<'_, PyAny>, subject: Option<&str>) -> PyResult<Vec<String>> {
    let mut words = specifications(columns)?;
    words.extend(subject.map(|column| format!("with subject {column}")));
    Ok(words)
}

/// A dict from the names of columns to the rest of their specifications.
pub(crate) fn columns_to_python(
    py: Python<'_>,
    definition: &TableDefinition,
) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    for column in definition.columns() {
        let whole = column.specification();
        let name = quoted(column.name());
        let rest = whole.strip_prefix(&name).or_else(|| whole.strip_prefix(column.name()));
        dict.set_item(column.name(), rest.unwrap_or(&whole).trim_start())?;
    }
    Ok(dict.unbind())
}

/// An index from its part of a specification: `unique email`, `lookup 5000 text`.
pub(crate) fn index(specification: &str) -> PyResult<Index> {
    let whole = column(&format!("value {specification}"))?;
    match whole.declared_index() {
        Some(index) if whole == Column::text("value").index(index.clone()) => Ok(index.clone()),
        _ => Err(error(
            ErrorKind::InvalidInput,
            "an index is written: unique or lookup COUNT, a normaliser, accept leakage 'REASON'",
        )),
    }
}

/// A protection from its name.
pub(crate) fn protection(name: &str) -> PyResult<Protection> {
    let all = [Protection::Plain, Protection::Authenticated, Protection::Sealed];
    all.into_iter().find(|protection| protection.name() == name).ok_or_else(|| {
        error(ErrorKind::InvalidInput, "a protection is plain, authenticated or sealed")
    })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
