//! Single sealed values for a database that the engine does not own.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use sealite::{IdRef, ValueRef};

use crate::definition::index;
use crate::given::text_given;
use crate::row::unpicklable;
use crate::table::padding;
use crate::value::{Cells, OrRaise, bytes_of, id_ref, one, same_length, to_python};

/// A kind of value that is sealed one by one and kept elsewhere. What is sealed for one field, tenant and record opens
/// only for the same. Any thread may use it.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> email = vault.field("users.email")
///     >>> sealed = email.seal("ada@example.org", record=7)
///     >>> email.open(sealed, record=7)
///     'ada@example.org'
///     >>> email.index("ADA@example.org", "unique email") == email.index("ada@example.org", "unique email")
///     True
///     >>> email.open(sealed, record=8)
///     Traceback (most recent call last):
///     sealite.AuthenticationFailed: ...
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Field(sealite::Field);

impl Field {
    pub(crate) fn new(
        field: sealite::Result<sealite::Field>,
        given: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let field = field.or_raise()?;
        Ok(Field(match given {
            Some(given) => field.padding(padding(given)?),
            None => field,
        }))
    }

    pub(crate) fn core(&self) -> &sealite::Field {
        &self.0
    }
}

/// The records' ids, one for each value, or none at all.
struct Records<'py>(Option<Cells<'py>>);

impl<'py> Records<'py> {
    fn new(given: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let Some(given) = given else { return Ok(Records(None)) };
        let mut cells = Cells::default();
        cells.extend(given)?;
        Ok(Records(Some(cells)))
    }

    fn ids(&self, count: usize) -> PyResult<Vec<Option<IdRef<'_>>>> {
        match &self.0 {
            None => Ok(vec![None; count]),
            Some(cells) => {
                same_length(count, cells.len(), "records")?;
                cells.optional_ids()
            }
        }
    }
}

pub(crate) fn record<'a>(id: Option<&'a Bound<'_, PyAny>>) -> PyResult<Option<IdRef<'a>>> {
    id.map(id_ref).transpose()
}

/// Up to this many bytes, letting other threads run costs more than what is done meanwhile.
const SHORT: usize = 2_048;

pub(crate) fn seal<'py>(
    py: Python<'py>,
    field: &sealite::Field,
    value: ValueRef<'_>,
    record: Option<IdRef<'_>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let short = match value {
        ValueRef::Text(text) => text.len() <= SHORT,
        ValueRef::Blob(bytes) => bytes.len() <= SHORT,
        _ => true,
    };
    let sealed = if short { field.seal_from_memory(value, record) } else { None };
    let sealed = sealed.unwrap_or_else(|| py.detach(|| field.seal(value, record)));
    Ok(PyBytes::new(py, &sealed.or_raise()?))
}

pub(crate) fn open<'py>(
    py: Python<'py>,
    field: &sealite::Field,
    sealed: &[u8],
    record: Option<IdRef<'_>>,
) -> PyResult<Bound<'py, PyAny>> {
    if sealed.len() <= SHORT
        && let Some(opened) = field.open_from_memory(sealed, record, |value| to_python(py, value))
    {
        return opened.or_raise()?;
    }
    let value = py.detach(|| field.open(sealed, record)).or_raise()?;
    to_python(py, value.as_ref())
}

#[pymethods]
impl Field {
    /// Seals a value; None is sealed too. `record` is the primary key of the row that will hold it.
    #[pyo3(signature = (value, record=None))]
    fn seal<'py>(
        &self,
        py: Python<'py>,
        value: Bound<'py, PyAny>,
        record: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let value = one(value)?;
        seal(py, &self.0, value.first()?, self::record(record)?)
    }

    /// Seals many values, in their order, each for its record where records are given.
    #[pyo3(signature = (values, records=None))]
    fn seal_many<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        records: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut cells = Cells::default();
        cells.extend(values)?;
        let records = Records::new(records)?;
        let values = cells.refs()?;
        let ids = records.ids(values.len())?;
        let pairs: Vec<(ValueRef<'_>, Option<IdRef<'_>>)> = values.into_iter().zip(ids).collect();
        let sealed = py.detach(|| self.0.seal_many(&pairs)).or_raise()?;
        PyList::new(py, sealed.iter().map(|sealed| PyBytes::new(py, sealed)))
    }

    /// Opens a sealed value.
    #[pyo3(signature = (sealed, record=None))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        sealed: &Bound<'py, PyAny>,
        record: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let sealed = bytes_of(sealed)?;
        open(py, &self.0, sealed.as_bytes(), self::record(record)?)
    }

    /// Opens many sealed values, in their order. The first that does not open fails the call.
    #[pyo3(signature = (sealed, records=None))]
    fn open_many<'py>(
        &self,
        py: Python<'py>,
        sealed: &Bound<'py, PyAny>,
        records: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let sealed = sealed.try_iter()?.map(|sealed| bytes_of(&sealed?));
        let sealed: Vec<Bound<'py, PyBytes>> = sealed.collect::<PyResult<_>>()?;
        let records = Records::new(records)?;
        let ids = records.ids(sealed.len())?;
        let bytes = sealed.iter().map(PyBytesMethods::as_bytes);
        let pairs: Vec<(&[u8], Option<IdRef<'_>>)> = bytes.zip(ids).collect();
        let values = py.detach(|| self.0.open_many(&pairs)).or_raise()?;
        let values = values.iter().map(|value| to_python(py, value.as_ref()));
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    /// The blind index of a value: bytes for `unique`, an int for `lookup`, None for None.
    fn index<'py>(
        &self,
        py: Python<'py>,
        value: Bound<'py, PyAny>,
        #[pyo3(from_py_with = text_given)] index: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let index = self::index(index)?;
        let value = one(value)?;
        let value = value.first()?;
        let value = py.detach(|| self.0.index(value, &index)).or_raise()?;
        to_python(py, value.as_ref())
    }

    /// Every blind index that stands for a value: that of `index` first and then, until the index keys that a rotation has
    /// retired are destroyed, those under them. A look-up asks for all.
    fn index_values<'py>(
        &self,
        py: Python<'py>,
        value: Bound<'py, PyAny>,
        #[pyo3(from_py_with = text_given)] index: &str,
    ) -> PyResult<Bound<'py, PyList>> {
        let index = self::index(index)?;
        let value = one(value)?;
        let value = value.first()?;
        let values = py.detach(|| self.0.index_values(value, &index)).or_raise()?;
        let values = values.iter().map(|value| to_python(py, value.as_ref()));
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    /// Seals a value anew where it is under a key that a rotation has retired; None where it is not.
    #[pyo3(signature = (sealed, record=None))]
    fn reseal<'py>(
        &self,
        py: Python<'py>,
        sealed: &Bound<'py, PyAny>,
        record: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let (sealed, record) = (bytes_of(sealed)?, self::record(record)?);
        let bytes = sealed.as_bytes();
        let fresh = py.detach(|| self.0.reseal(bytes, record)).or_raise()?;
        Ok(fresh.map(|fresh| PyBytes::new(py, &fresh)))
    }

    /// The blind indexes of many values, in their order.
    fn index_many<'py>(
        &self,
        py: Python<'py>,
        values: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = text_given)] index: &str,
    ) -> PyResult<Bound<'py, PyList>> {
        let index = self::index(index)?;
        let mut cells = Cells::default();
        cells.extend(values)?;
        let values = cells.refs()?;
        let values = py.detach(|| self.0.index_many(&values, &index)).or_raise()?;
        let values = values.iter().map(|value| to_python(py, value.as_ref()));
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    fn __repr__(&self) -> &'static str {
        "<Field>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Field"))
    }
}
