//! The exception tree: `SealiteError`, and one class below it for each kind of error.

use std::borrow::Cow;

use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use sealite::{Error, ErrorKind};

use crate::once::once;

/// What a call fails with: an error of the core, or one of this layer's own, made without holding the interpreter.
pub(crate) enum Failure {
    Core(Error),
    Face(ErrorKind, Cow<'static, str>),
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Failure::Face(kind, message.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Core(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        let (kind, message, sqlite_code) = match &failure {
            Failure::Core(error) => (error.kind(), error.message(), error.sqlite_code()),
            Failure::Face(kind, message) => (*kind, &**message, None),
        };
        Python::attach(|py| raise(py, kind, message, sqlite_code).unwrap_or_else(|error| error))
    }
}

/// An exception of this layer's own.
pub(crate) fn error(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> PyErr {
    Failure::new(kind, message).into()
}

/// An exception for an error of the core.
pub(crate) fn core_error(error: Error) -> PyErr {
    Failure::Core(error).into()
}

fn raise(
    py: Python<'_>,
    kind: ErrorKind,
    message: &str,
    sqlite_code: Option<i32>,
) -> PyResult<PyErr> {
    let classes = classes(py)?;
    let at = (kind.code() as usize).wrapping_sub(1);
    let class = classes.kinds.get(at).unwrap_or(&classes.base).bind(py);
    let exception = class.call1((message,))?;
    if let Some(code) = sqlite_code {
        exception.setattr("sqlite_code", code)?;
    }
    Ok(PyErr::from_value(exception))
}

struct Classes {
    base: Py<PyType>,
    /// By code, from 1.
    kinds: Vec<Py<PyType>>,
}

fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    once(&CLASSES, py, || {
        let exception = py.get_type::<pyo3::exceptions::PyException>();
        let base = PyTuple::new(py, [exception])?;
        let doc = "What every error of Sealite is. Its message names tables, columns and files, never a value or a key.";
        let base = class(py, "SealiteError", base, doc, 0, "error")?;
        base.setattr("sqlite_code", py.None())?;
        let mut kinds: Vec<Py<PyType>> = Vec::with_capacity(ErrorKind::ALL.len());
        for kind in ErrorKind::ALL {
            let (name, doc) = described(*kind);
            let mut bases = vec![base.clone()];
            match kind {
                // An unknown key is one way in which a record is not what was written; its code comes later.
                ErrorKind::UnknownKey => {
                    let code = ErrorKind::AuthenticationFailed.code() as usize;
                    bases.splice(.., kinds.get(code - 1).map(|class| class.bind(py).clone()));
                }
                ErrorKind::InvalidInput => bases.push(py.get_type::<PyValueError>()),
                ErrorKind::TypeMismatch => bases.push(py.get_type::<PyTypeError>()),
                ErrorKind::NotFound => {
                    bases.push(py.get_type::<pyo3::exceptions::PyLookupError>());
                }
                ErrorKind::Io => bases.push(py.get_type::<PyOSError>()),
                _ => {}
            }
            let bases = PyTuple::new(py, bases)?;
            kinds.push(class(py, name, bases, doc, kind.code(), kind.name())?.unbind());
        }
        Ok(Classes { base: base.unbind(), kinds })
    })
}

fn class<'py>(
    py: Python<'py>,
    name: &str,
    bases: Bound<'py, PyTuple>,
    doc: &str,
    code: u32,
    kind: &str,
) -> PyResult<Bound<'py, PyType>> {
    let body = PyDict::new(py);
    body.set_item("__module__", "sealite")?;
    body.set_item("__doc__", doc)?;
    body.set_item("code", code)?;
    body.set_item("name", kind)?;
    Ok(py.get_type::<PyType>().call1((name, bases, body))?.cast_into()?)
}

/// The class of a kind, and what it says of itself.
fn described(kind: ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::NotInitialised => {
            ("NotInitialised", "There is no vault in the file, or no file.")
        }
        ErrorKind::AlreadyInitialised => ("AlreadyInitialised", "The vault exists already."),
        ErrorKind::Locked => ("Locked", "The vault is locked: no key is in memory."),
        ErrorKind::WrongKey => ("WrongKey", "No slot opens with this secret."),
        ErrorKind::AuthenticationFailed => (
            "AuthenticationFailed",
            "A record, or the row that carries it, is not what was written.",
        ),
        ErrorKind::UnknownKey => {
            ("UnknownKey", "A record names a key that the vault does not have.")
        }
        ErrorKind::DestroyedKey => ("DestroyedKey", "The key of the record has been destroyed."),
        ErrorKind::NotIndexed => {
            ("NotIndexed", "A search on a sealed column without a blind index.")
        }
        ErrorKind::Conflict => ("Conflict", "A unique value or an id is taken."),
        ErrorKind::Busy => ("Busy", "Another process or thread holds the lock; nothing was done."),
        ErrorKind::Corrupt => ("Corrupt", "The file is damaged."),
        ErrorKind::Limit => ("Limit", "A documented limit is exceeded."),
        ErrorKind::Closed => ("Closed", "The vault, transaction, snapshot or scan has ended."),
        ErrorKind::AnotherLibrary => {
            ("AnotherLibrary", "Two SQLite libraries in this process would have the file open.")
        }
        ErrorKind::WeakKey => {
            ("WeakKey", "A key or passphrase that is short, regular or well known.")
        }
        ErrorKind::InvalidInput => ("InvalidInput", "An argument is not acceptable."),
        ErrorKind::TypeMismatch => ("TypeMismatch", "A value does not fit the declared type."),
        ErrorKind::NotFound => {
            ("NotFound", "There is no table, column, slot or provider of this name.")
        }
        ErrorKind::NotAVault => ("NotAVault", "The file is no database, or another program's."),
        ErrorKind::NewerFormat => ("NewerFormat", "A newer version of the format wrote the file."),
        ErrorKind::ReadOnly => ("ReadOnly", "The file, folder or handle can't be written."),
        ErrorKind::Full => ("Full", "The disk is full; the transaction left no trace."),
        ErrorKind::Io => ("IoError", "The operating system refused to read or write."),
        ErrorKind::Forked => ("Forked", "The vault was in use when the process forked."),
        ErrorKind::Definition => ("Definition", "What is stored differs from what is declared."),
        ErrorKind::Refused => ("Refused", "Refused by policy; the message says the way out."),
        ErrorKind::NotAllowed => ("NotAllowed", "Plain SQL, or a tenant, may not do this."),
        ErrorKind::Sql => ("Sql", "The SQL statement is wrong."),
        ErrorKind::LastSlot => ("LastSlot", "The last slot can't be removed."),
        ErrorKind::AlreadyDecided => {
            ("AlreadyDecided", "The approval has been decided, or its action executed, already.")
        }
        ErrorKind::Expired => ("Expired", "It was valid up to a time that is past."),
        ErrorKind::Denied => {
            ("Denied", "The policy of the request, or the decision, is against it.")
        }
        ErrorKind::PayloadChanged => {
            ("PayloadChanged", "The payload is not the one that was approved.")
        }
        ErrorKind::Interrupted => ("Interrupted", "The program has interrupted the call."),
        ErrorKind::RolledBack => {
            ("RolledBack", "The file is older than the checkpoint that was kept outside.")
        }
        ErrorKind::TokenRejected => {
            ("TokenRejected", "The token that was presented is not valid; why is not told.")
        }
        _ => ("Internal", "A fault in the engine itself: please report it."),
    }
}

/// Adds the classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = classes(py)?;
    for class in std::iter::once(&classes.base).chain(&classes.kinds) {
        let class = class.bind(py);
        module.add(class.name()?.to_str()?, class)?;
    }
    Ok(())
}
