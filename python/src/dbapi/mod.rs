//! `sealite.dbapi2`: PEP 249 over the engine's SQL connection, in the habits of Python's own sqlite3.
//!
//! From the top: `connection` and `cursor` are the classes; `run` executes one statement, `many` one of many runs and
//! scripts; `bind`, `batch` and `row` are values on their way in and out; `link` is what a connection and its cursors
//! share; `open` opens one; `functions` calls Python from SQL; `error` has the exceptions.

mod batch;
mod bind;
mod connection;
mod copy;
mod cursor;
mod engine;
mod error;
mod functions;
mod lexer;
mod limits;
mod link;
mod many;
mod mode;
mod open;
mod row;
mod run;

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;

use self::connection::Maybe;

static TRACEBACKS: AtomicBool = AtomicBool::new(false);

/// Whether exceptions of functions that SQL calls are shown on standard error.
fn shows_tracebacks() -> bool {
    TRACEBACKS.load(Ordering::Relaxed)
}

/// Shows exceptions of functions that SQL calls on standard error, or no longer. They are the cause of the statement's own
/// exception anyway.
#[pyfunction]
#[pyo3(signature = (enable, /))]
fn enable_callback_tracebacks(enable: bool) {
    TRACEBACKS.store(enable, Ordering::Relaxed);
}

/// The value that an adapter makes of a value for a protocol; `alt`, where it is given and there is none.
#[pyfunction]
#[pyo3(signature = (obj, proto=Maybe::Missing, alt=Maybe::Missing, /))]
fn adapt<'py>(
    obj: &Bound<'py, PyAny>,
    proto: Maybe<'py>,
    alt: Maybe<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let own = bind::adapters(obj.py())?.protocol.bind(obj.py()).as_any();
    let adapted = match proto {
        Maybe::Missing => bind::adapted(obj, own)?,
        Maybe::Given(proto) => bind::adapted(obj, &proto)?,
    };
    match (adapted, alt) {
        (Some(adapted), _) | (None, Maybe::Given(adapted)) => Ok(adapted),
        (None, Maybe::Missing) => Err(error::programming("can't adapt")),
    }
}

/// Adds everything to the native module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let own = PyModule::new(py, "dbapi2")?;
    own.add_class::<connection::Connection>()?;
    own.add_class::<cursor::Cursor>()?;
    own.add_class::<row::Row>()?;
    own.add_function(wrap_pyfunction!(adapt, &own)?)?;
    own.add_function(wrap_pyfunction!(enable_callback_tracebacks, &own)?)?;
    let adapters = bind::adapters(py)?;
    own.add("adapters", adapters.table.bind(py))?;
    own.add("PrepareProtocol", adapters.protocol.bind(py))?;
    own.add("converters", run::converters(py)?.bind(py))?;
    own.add("sqlite_version", rusqlite::version())?;
    let connection = py.get_type::<connection::Connection>();
    for (name, class) in error::named(py)? {
        own.add(name, &class)?;
        connection.setattr(name, class)?;
    }
    own.add("EncodingError", error::encoding(py)?)?;
    let row = py.get_type::<row::Row>();
    py.import("collections.abc")?.getattr("Sequence")?.call_method1("register", (row,))?;
    module.add("dbapi2", own)
}
