//! Parameters: Python's values as SQLite's, through the adapters that a program has registered.

use pyo3::exceptions::{PyBufferError, PyLookupError, PyOverflowError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyMemoryView, PySequence,
    PyString, PyTuple, PyType,
};
use sealite::ValueRef;

use super::error::{programming, utf8};
use super::link::About;
use crate::once::once;

/// A value that SQLite takes. What it borrows from is owned here.
pub(super) enum Argument<'py> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Bound<'py, PyString>),
    Blob(Bound<'py, PyBytes>),
}

impl Argument<'_> {
    pub(super) fn as_ref(&self) -> PyResult<ValueRef<'_>> {
        Ok(match self {
            Argument::Null => ValueRef::Null,
            Argument::Integer(v) => ValueRef::Integer(*v),
            Argument::Real(v) => ValueRef::Real(*v),
            Argument::Text(v) => ValueRef::Text(utf8(v)?),
            Argument::Blob(v) => ValueRef::Blob(v.as_bytes()),
        })
    }
}

/// A value of Python's as it is, without adapters; `None` for a type that SQLite has no form for.
pub(super) fn plain<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Argument<'py>>> {
    // Most are text; a bool is an int.
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Some(Argument::Text(text.clone())));
    }
    if let Ok(number) = value.cast::<PyInt>() {
        let number = number.extract().map_err(|_| {
            PyOverflowError::new_err("Python int too large to convert to SQLite INTEGER")
        })?;
        return Ok(Some(Argument::Integer(number)));
    }
    if value.is_none() {
        return Ok(Some(Argument::Null));
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        let number = number.value();
        // SQLite has no NaN.
        return Ok(Some(if number.is_nan() { Argument::Null } else { Argument::Real(number) }));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(Argument::Blob(bytes.clone())));
    }
    let py = value.py();
    if value.cast::<PyByteArray>().is_ok() {
        return copied(value).map(Some);
    }
    let Ok(view) = PyMemoryView::from(value) else {
        return Ok(None);
    };
    if !view.getattr("c_contiguous")?.is_truthy()? {
        return Err(PyBufferError::new_err("underlying buffer is not C-contiguous"));
    }
    let bytes = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
    let _ = py;
    Ok(Some(Argument::Blob(bytes)))
}

fn copied<'py>(value: &Bound<'py, PyAny>) -> PyResult<Argument<'py>> {
    let bytes = value.py().get_type::<PyBytes>().call1((value,))?;
    Ok(Argument::Blob(bytes.cast_into()?))
}

/// What adapters are looked up in: a dict from (type, protocol), and the protocol.
pub(super) struct Adapters {
    pub(super) table: Py<PyDict>,
    pub(super) protocol: Py<PyType>,
}

/// The one table of the process.
pub(super) fn adapters(py: Python<'_>) -> PyResult<&'static Adapters> {
    static ADAPTERS: PyOnceLock<Adapters> = PyOnceLock::new();
    once(&ADAPTERS, py, || {
        let body = PyDict::new(py);
        body.set_item("__module__", "sealite.dbapi2")?;
        body.set_item("__doc__", "The protocol that a parameter is adapted for.")?;
        let protocol =
            py.get_type::<PyType>().call1(("PrepareProtocol", PyTuple::empty(py), body))?;
        let protocol = protocol.cast_into::<PyType>()?.unbind();
        Ok(Adapters { table: PyDict::new(py).unbind(), protocol })
    })
}

/// The value that an adapter, the protocol or the value itself makes of a value; `None` where none of them does.
pub(super) fn adapted<'py>(
    value: &Bound<'py, PyAny>,
    protocol: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    let table = adapters(py)?.table.bind(py);
    if let Some(adapter) = table.get_item((value.get_type(), protocol))? {
        return adapter.call1((value,)).map(Some);
    }
    for (object, method, other) in
        [(protocol, "__adapt__", value), (value, "__conform__", protocol)]
    {
        let Some(method) = object.getattr_opt(method)? else { continue };
        // The class of a protocol has a method, not one that is bound.
        match method.call1((other,)) {
            Ok(made) if !made.is_none() => return Ok(Some(made)),
            Err(error) if !error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(None)
}

/// One parameter, counted from 1.
fn argument<'py>(
    value: &Bound<'py, PyAny>,
    adapts_all: bool,
    place: impl Fn() -> String,
) -> PyResult<Argument<'py>> {
    let exact = value.is_none()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyByteArray>();
    let adapted = if exact && !adapts_all {
        None
    } else {
        let protocol = adapters(value.py())?.protocol.bind(value.py());
        self::adapted(value, protocol)?
    };
    let value = adapted.as_ref().unwrap_or(value);
    plain(value)?.ok_or_else(|| {
        let name = value.get_type().name();
        let name = name.map_or_else(|_| "another type".to_owned(), |name| name.to_string());
        programming(format!("Error binding parameter {}: type '{name}' is not supported", place()))
    })
}

/// True where a program has registered an adapter for one of SQLite's own types.
fn adapts_all(py: Python<'_>) -> PyResult<bool> {
    let adapters = adapters(py)?;
    let (table, protocol) = (adapters.table.bind(py), adapters.protocol.bind(py));
    // Dates are what Python registers itself: the usual table has those two.
    if table.len() <= 2 {
        return Ok(false);
    }
    let types = [
        py.get_type::<PyInt>(),
        py.get_type::<PyFloat>(),
        py.get_type::<PyString>(),
        py.get_type::<PyBytes>(),
        py.get_type::<PyByteArray>(),
    ];
    for class in types {
        if table.contains((class, protocol))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The parameters of one run of a statement, in order.
pub(super) fn arguments<'py>(
    about: &About,
    given: Option<&Bound<'py, PyAny>>,
    into: &mut Vec<Argument<'py>>,
) -> PyResult<()> {
    let wanted = about.parameters.len();
    let Some(given) = given else { return count(wanted, 0) };
    let all = adapts_all(given.py())?;
    let place = |at: usize| move || (at + 1).to_string();
    if let Ok(tuple) = given.cast_exact::<PyTuple>() {
        count(wanted, tuple.len())?;
        for (at, value) in tuple.iter_borrowed().enumerate() {
            into.push(argument(&value, all, place(at))?);
        }
        return Ok(());
    }
    if let Ok(list) = given.cast_exact::<PyList>() {
        count(wanted, list.len())?;
        // An adapter may change the list meanwhile.
        for at in 0..wanted {
            into.push(argument(&list.get_item(at)?, all, place(at))?);
        }
        return Ok(());
    }
    if !given.is_instance_of::<PyDict>() && is_sequence(given) {
        let sequence = given.cast::<PySequence>();
        count(wanted, given.len()?)?;
        for at in 0..wanted {
            let value = match &sequence {
                Ok(sequence) => sequence.get_item(at)?,
                Err(_) => given.get_item(at)?,
            };
            into.push(argument(&value, all, place(at))?);
        }
        return Ok(());
    }
    if given.cast::<PyMapping>().is_err() {
        return Err(programming("parameters are of unsupported type"));
    }
    for (at, name) in about.parameters.iter().enumerate() {
        let Some(name) = name else {
            return Err(programming(format!(
                "Binding {} has no name, but you supplied a dictionary (which has only names).",
                at + 1
            )));
        };
        let value = match given.cast_exact::<PyDict>() {
            Ok(dict) => dict.get_item(name)?,
            Err(_) => match given.get_item(name) {
                Ok(value) => Some(value),
                Err(error) if error.is_instance_of::<PyLookupError>(given.py()) => None,
                Err(error) => return Err(error),
            },
        };
        let Some(value) = value else {
            return Err(programming(format!(
                "You did not supply a value for binding parameter :{name}."
            )));
        };
        into.push(argument(&value, all, || format!(":{name}"))?);
    }
    Ok(())
}

/// As C sees it: anything with an item by number that is no mapping by type.
fn is_sequence(given: &Bound<'_, PyAny>) -> bool {
    given.is_instance_of::<PyTuple>()
        || given.is_instance_of::<PyList>()
        || (given.hasattr("__getitem__").unwrap_or(false)
            && !given.hasattr("keys").unwrap_or(false))
}

fn count(wanted: usize, given: usize) -> PyResult<()> {
    if wanted == given {
        return Ok(());
    }
    Err(programming(format!(
        "Incorrect number of bindings supplied. The current statement uses {wanted}, and there are {given} supplied."
    )))
}
