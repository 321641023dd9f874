//! The exceptions of PEP 249, and which of the engine's errors is which of them.

use pyo3::exceptions::{PyException, PyMemoryError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use sealite::ErrorKind;

use crate::once::once;

/// A class of PEP 249.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    Warning,
    Error,
    Interface,
    Database,
    Data,
    Operational,
    Integrity,
    Internal,
    Programming,
    NotSupported,
}

/// Each with its name, its base and what it is for. A base stands before what is made from it.
const CLASSES: [(Class, &str, Option<Class>, &str); 10] = [
    (Class::Warning, "Warning", None, "Raised for important warnings."),
    (
        Class::Error,
        "Error",
        None,
        "What every error of the module is. Its message names tables, columns and files, never a value or a key.",
    ),
    (Class::Interface, "InterfaceError", Some(Class::Error), "The module was used wrongly."),
    (Class::Database, "DatabaseError", Some(Class::Error), "The database refuses, or is damaged."),
    (Class::Data, "DataError", Some(Class::Database), "A value is too long or out of range."),
    (
        Class::Operational,
        "OperationalError",
        Some(Class::Database),
        "The database can't do it: SQL that is wrong, a lock, a full disk, a missing key.",
    ),
    (Class::Integrity, "IntegrityError", Some(Class::Database), "A constraint would be broken."),
    (Class::Internal, "InternalError", Some(Class::Database), "A fault in the engine itself."),
    (
        Class::Programming,
        "ProgrammingError",
        Some(Class::Database),
        "The program is wrong: a closed connection, a missing parameter, another thread.",
    ),
    (
        Class::NotSupported,
        "NotSupportedError",
        Some(Class::Database),
        "Sealite does not do this, by policy; the message says the way out.",
    ),
];

/// The classes, in the order of [`CLASSES`].
pub(super) fn classes(py: Python<'_>) -> PyResult<&'static Vec<Py<PyType>>> {
    static MADE: PyOnceLock<Vec<Py<PyType>>> = PyOnceLock::new();
    once(&MADE, py, || {
        let mut made: Vec<Py<PyType>> = Vec::with_capacity(CLASSES.len());
        for (_, name, base, doc) in CLASSES {
            let base = match base.and_then(|base| made.get(base as usize)) {
                Some(base) => base.bind(py).clone(),
                None => py.get_type::<PyException>(),
            };
            let body = PyDict::new(py);
            body.set_item("__module__", "sealite.dbapi2")?;
            body.set_item("__doc__", doc)?;
            if name == "Error" {
                for attribute in ["code", "name", "sqlite_errorcode", "sqlite_errorname"] {
                    body.set_item(attribute, py.None())?;
                }
            }
            let class = py.get_type::<PyType>().call1((name, PyTuple::new(py, [base])?, body))?;
            made.push(class.cast_into::<PyType>()?.unbind());
        }
        Ok(made)
    })
}

/// What a text with a lone surrogate raises: a `DataError` as PEP 249 wants it, and the `UnicodeEncodeError` that sqlite3 raises.
pub(super) fn encoding(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static MADE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let made = once(&MADE, py, || {
        let data = classes(py)?.get(Class::Data as usize).map(|class| class.bind(py).clone());
        let data = data.ok_or_else(|| PyMemoryError::new_err(()))?;
        let bases = PyTuple::new(py, [data, py.get_type::<PyUnicodeEncodeError>()])?;
        let body = PyDict::new(py);
        body.set_item("__module__", "sealite.dbapi2")?;
        body.set_item(
            "__doc__",
            "A text with a lone surrogate, which UTF-8 has no form for. It does not hold the text.",
        )?;
        let class = py.get_type::<PyType>().call1(("EncodingError", bases, body))?;
        Ok(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(made.bind(py))
}

/// What Python would say of a lone surrogate, without the text around it.
pub(super) const SURROGATE: (&str, &str, i32, i32, &str) =
    ("utf-8", "?", 0, 1, "surrogates not allowed");

/// Text of a program's, for SQLite. Python's own error for a lone surrogate would carry the whole text.
pub(super) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    text.to_str().map_err(|_| {
        let made = encoding(text.py()).and_then(|class| class.call1(SURROGATE));
        made.map_or_else(|error| error, PyErr::from_value)
    })
}

/// As [`utf8`], for an argument.
pub(super) fn utf8_given<'a>(text: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    utf8(text.cast::<PyString>()?)
}

/// Names and classes, for the module and for a connection's attributes.
pub(super) fn named(
    py: Python<'_>,
) -> PyResult<impl Iterator<Item = (&'static str, Bound<'_, PyType>)>> {
    Ok(CLASSES
        .iter()
        .zip(classes(py)?)
        .map(move |((_, name, ..), class)| (*name, class.bind(py).clone())))
}

/// An exception that no error of the engine stands behind.
pub(super) fn raised(class: Class, message: impl AsRef<str>) -> PyErr {
    Python::attach(|py| exception(py, class, message.as_ref()).unwrap_or_else(|error| error))
}

fn exception(py: Python<'_>, class: Class, message: &str) -> PyResult<PyErr> {
    let classes = classes(py)?;
    let Some(class) = classes.get(class as usize) else { return Ok(PyMemoryError::new_err(())) };
    Ok(PyErr::from_value(class.bind(py).call1((message,))?))
}

pub(super) fn programming(message: impl AsRef<str>) -> PyErr {
    raised(Class::Programming, message)
}

/// An exception with a result code of SQLite's.
pub(super) fn said(py: Python<'_>, class: Class, code: i32, message: &str) -> PyErr {
    let made = || {
        let raised = exception(py, class, message)?;
        let kind = ErrorKind::Sql;
        let value = raised.value(py);
        value.setattr("code", kind.code())?;
        value.setattr("name", kind.name())?;
        value.setattr("sqlite_errorcode", code)?;
        value.setattr("sqlite_errorname", name_of(py, code)?)?;
        Ok(raised)
    };
    made().unwrap_or_else(|error| error)
}

/// The exception for an error of the engine, with the engine's code and SQLite's.
pub(super) fn from_core(py: Python<'_>, error: &sealite::Error) -> PyErr {
    let made = || {
        let sqlite = error.sqlite_code().or_else(|| stands_for(error.kind()));
        if sqlite.is_some_and(|code| code & 0xff == NOMEM) {
            return Ok(PyMemoryError::new_err(()));
        }
        let class = error.sqlite_code().map_or_else(|| of_kind(error.kind()), of_sqlite);
        let raised = exception(py, class, error.message())?;
        let value = raised.value(py);
        value.setattr("code", error.code())?;
        value.setattr("name", error.kind().name())?;
        if let Some(code) = sqlite {
            value.setattr("sqlite_errorcode", code)?;
            value.setattr("sqlite_errorname", name_of(py, code)?)?;
        }
        Ok(raised)
    };
    made().unwrap_or_else(|error| error)
}

fn name_of(py: Python<'_>, code: i32) -> PyResult<Bound<'_, PyAny>> {
    static NAMES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let names = once(&NAMES, py, || {
        Ok(py.import("sealite.dbapi2._constants")?.getattr("NAMES")?.unbind())
    })?;
    let found = names.bind(py).call_method1("get", (code,))?;
    if found.is_none() {
        names.bind(py).call_method1("get", (code & 0xff, "unknown"))
    } else {
        Ok(found)
    }
}

const NOMEM: i32 = 7;

/// SQLite's result code for what it would have told itself, had it been asked.
fn stands_for(kind: ErrorKind) -> Option<i32> {
    match kind {
        ErrorKind::Busy => Some(5),
        ErrorKind::Corrupt | ErrorKind::AuthenticationFailed => Some(11),
        ErrorKind::NotAVault => Some(26),
        ErrorKind::ReadOnly => Some(8),
        ErrorKind::Full => Some(13),
        ErrorKind::Io => Some(14),
        ErrorKind::NotAllowed => Some(23),
        ErrorKind::Conflict => Some(19),
        ErrorKind::Sql => Some(1),
        ErrorKind::Interrupted => Some(9),
        _ => None,
    }
}

/// As Python's own sqlite3 sorts them.
fn of_sqlite(code: i32) -> Class {
    match code & 0xff {
        2 | 12 => Class::Internal,
        1 | 3..=6 | 8..=10 | 13..=17 => Class::Operational,
        18 => Class::Data,
        19 | 20 => Class::Integrity,
        21 | 25 => Class::Interface,
        _ => Class::Database,
    }
}

fn of_kind(kind: ErrorKind) -> Class {
    match kind {
        ErrorKind::Conflict | ErrorKind::TypeMismatch => Class::Integrity,
        ErrorKind::Limit => Class::Data,
        ErrorKind::InvalidInput | ErrorKind::Closed | ErrorKind::Forked => Class::Programming,
        ErrorKind::Refused | ErrorKind::NotIndexed => Class::NotSupported,
        ErrorKind::Internal => Class::Internal,
        ErrorKind::NotAllowed
        | ErrorKind::AuthenticationFailed
        | ErrorKind::UnknownKey
        | ErrorKind::DestroyedKey
        | ErrorKind::Corrupt
        | ErrorKind::NotAVault
        | ErrorKind::NewerFormat
        | ErrorKind::Definition => Class::Database,
        _ => Class::Operational,
    }
}

/// The exception for a failure to open, which is the engine's own exception in Python.
pub(super) fn from_engine(py: Python<'_>, raised: PyErr) -> PyErr {
    static BASE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let base =
        once(&BASE, py, || Ok(py.import("sealite._native")?.getattr("SealiteError")?.unbind()));
    let value = raised.value(py);
    let is_ours = base.is_ok_and(|base| value.is_instance(base.bind(py)).unwrap_or(false));
    if !is_ours {
        return raised;
    }
    let made = || {
        let code: u32 = value.getattr("code")?.extract()?;
        let kind = ErrorKind::ALL.iter().copied().find(|kind| kind.code() == code);
        let kind = kind.unwrap_or(ErrorKind::Internal);
        let sqlite: Option<i32> = value.getattr("sqlite_code")?.extract()?;
        let class = sqlite.map_or_else(|| of_kind(kind), of_sqlite);
        let made = exception(py, class, &value.str()?.to_string_lossy())?;
        let target = made.value(py);
        target.setattr("code", code)?;
        target.setattr("name", kind.name())?;
        if let Some(code) = sqlite.or_else(|| stands_for(kind)) {
            target.setattr("sqlite_errorcode", code)?;
            target.setattr("sqlite_errorname", name_of(py, code)?)?;
        }
        Ok(made)
    };
    made().unwrap_or_else(|error| error)
}
