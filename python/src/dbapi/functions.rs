//! Functions, aggregates, collations and progress handlers of Python's on a connection.

use std::cmp::Ordering;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyMemoryError, PyOverflowError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyString, PyTuple};
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ffi};

use super::bind::{self, Argument};
use super::error::{Class, SURROGATE};
use super::link::{Link, lock};

/// What a program has registered, to be registered again on a connection that has been opened anew.
pub(crate) enum Registration {
    Function { name: String, arguments: i32, deterministic: bool, callable: Option<Py<PyAny>> },
    Aggregate { name: String, arguments: i32, class: Option<Py<PyAny>> },
    Window { name: String, arguments: i32, class: Option<Py<PyAny>> },
    Collation { name: String, callable: Option<Py<PyAny>> },
}

/// Instructions of SQLite's virtual machine between two looks at the signals, and the least time between them.
const SIGNAL_STEPS: u16 = 20_000;
const SIGNAL_PAUSE: Duration = Duration::from_millis(40);

impl Registration {
    /// True where the other one takes this one's place.
    fn is_replaced_by(&self, other: &Registration) -> bool {
        use Registration as R;
        match (self, other) {
            (
                R::Function { name, arguments, .. }
                | R::Aggregate { name, arguments, .. }
                | R::Window { name, arguments, .. },
                R::Function { name: other, arguments: others, .. }
                | R::Aggregate { name: other, arguments: others, .. }
                | R::Window { name: other, arguments: others, .. },
            ) => name.eq_ignore_ascii_case(other) && arguments == others,
            (R::Collation { name, .. }, R::Collation { name: other, .. }) => {
                name.eq_ignore_ascii_case(other)
            }
            _ => false,
        }
    }

    fn clone_ref(&self, py: Python<'_>) -> Self {
        use Registration as R;
        let held = |held: &Option<Py<PyAny>>| held.as_ref().map(|held| held.clone_ref(py));
        match self {
            R::Function { name, arguments, deterministic, callable } => R::Function {
                name: name.clone(),
                arguments: *arguments,
                deterministic: *deterministic,
                callable: held(callable),
            },
            R::Aggregate { name, arguments, class } => {
                R::Aggregate { name: name.clone(), arguments: *arguments, class: held(class) }
            }
            R::Window { name, arguments, class } => {
                R::Window { name: name.clone(), arguments: *arguments, class: held(class) }
            }
            R::Collation { name, callable } => {
                R::Collation { name: name.clone(), callable: held(callable) }
            }
        }
    }

    fn apply(self, raw: &Connection, link: &Weak<Link>) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8;
        match self {
            Registration::Function { name, arguments, callable: None, .. }
            | Registration::Aggregate { name, arguments, class: None }
            | Registration::Window { name, arguments, class: None } => {
                raw.remove_function(&*name, arguments)
            }
            Registration::Function { name, arguments, deterministic, callable: Some(callable) } => {
                let link = link.clone();
                let more = FunctionFlags::SQLITE_DETERMINISTIC;
                let flags = if deterministic { flags | more } else { flags };
                raw.create_scalar_function(&*name, arguments, flags, move |context| {
                    called_back(|py| {
                        let called = || {
                            let given = arguments_of(py, context)?;
                            returned(&callable.bind(py).call1(given)?)
                        };
                        called().map_err(|error: PyErr| {
                            let what = "user-defined function raised exception";
                            refused(py, &link, error, what, callable.bind(py))
                        })
                    })
                })
            }
            Registration::Aggregate { name, arguments, class: Some(class) } => raw
                .create_aggregate_function(
                    &*name,
                    arguments,
                    flags,
                    Aggregating(class, link.clone()),
                ),
            Registration::Window { name, arguments, class: Some(class) } => raw
                .create_window_function(&*name, arguments, flags, Aggregating(class, link.clone())),
            Registration::Collation { name, callable: None } => raw.remove_collation(&*name),
            Registration::Collation { name, callable: Some(callable) } => {
                let link = link.clone();
                raw.create_collation(&*name, move |a, b| {
                    called_back(|py| {
                        let compared = || {
                            let order = callable.bind(py).call1((a, b))?;
                            order.compare(0)
                        };
                        compared().unwrap_or_else(|error: PyErr| {
                            note(py, &link, error, callable.bind(py));
                            Ordering::Equal
                        })
                    })
                })
            }
        }
    }
}

/// Calls what is the program's, out of a call of SQLite's.
pub(super) fn called_back<T>(work: impl FnOnce(Python<'_>) -> T) -> T {
    sealite::called_back(|| Python::attach(work))
}

/// Signals are looked at while a statement runs, so that it can be stopped by Ctrl-C; a program's own handler comes first.
pub(super) fn watch(
    link: &Arc<Link>,
    py: Python<'_>,
    handler: Option<(Py<PyAny>, u16)>,
) -> PyResult<()> {
    let weak = Arc::downgrade(link);
    let Some((callable, every)) = handler else {
        let mut last = Instant::now();
        return link.run(py, |engine| {
            engine.set_watch(SIGNAL_STEPS, move || {
                if last.elapsed() < SIGNAL_PAUSE {
                    return false;
                }
                last = Instant::now();
                Python::attach(|py| stopped(py, &weak))
            })
        });
    };
    link.run(py, |engine| {
        engine.set_watch(every, move || {
            Python::attach(|py| {
                let called = || callable.bind(py).call0()?.is_truthy();
                called().unwrap_or_else(|error: PyErr| {
                    note(py, &weak, error, callable.bind(py));
                    true
                }) || stopped(py, &weak)
            })
        })
    })
}

fn stopped(py: Python<'_>, link: &Weak<Link>) -> bool {
    let Err(error) = py.check_signals() else { return false };
    if let Some(link) = link.upgrade() {
        link.note(error);
    }
    true
}

/// Registers something, and remembers it.
pub(super) fn register(
    link: &Arc<Link>,
    py: Python<'_>,
    registration: Registration,
) -> PyResult<rusqlite::Result<()>> {
    let weak = Arc::downgrade(link);
    let applied = registration.clone_ref(py);
    let outcome = link.run(py, |engine| engine.with_raw(|raw| applied.apply(raw, &weak)))?;
    if outcome.is_ok() {
        let mut registered = lock(&link.registered);
        let gone: Vec<_> =
            registered.extract_if(.., |each| each.is_replaced_by(&registration)).collect();
        registered.push(registration);
        drop(registered);
        drop(gone);
    }
    Ok(outcome)
}

/// Has everything registered on the connection, now and whenever it is opened anew.
pub(super) fn replay(link: &Arc<Link>, timeout: Duration, query_only: bool) -> sealite::Result<()> {
    let weak = Arc::downgrade(link);
    link.engine.on_open(move |raw| {
        // What was registered before succeeds again.
        let _ = raw.busy_timeout(timeout);
        if query_only {
            let _ = raw.execute_batch("PRAGMA query_only = ON");
        }
        let Some(link) = weak.upgrade() else { return };
        let wanted: Vec<Registration> = Python::attach(|py| {
            lock(&link.registered).iter().map(|each| each.clone_ref(py)).collect()
        });
        for each in wanted {
            let _ = each.apply(raw, &weak);
        }
    })
}

/// A Python class whose objects aggregate. Its exceptions are told apart by the method.
struct Aggregating(Py<PyAny>, Weak<Link>);

/// An object that aggregates; `None` where it could not be made.
type Held = AssertUnwindSafe<Py<PyAny>>;

impl Aggregating {
    fn call(
        &self,
        object: &Py<PyAny>,
        method: &str,
        context: Option<&Context<'_>>,
    ) -> rusqlite::Result<Value> {
        called_back(|py| {
            let bound = object.bind(py);
            let found = bound.getattr(method).map_err(|error| {
                let what = format!("user-defined aggregate's '{method}' method not defined");
                refused(py, &self.1, error, &what, self.0.bind(py))
            })?;
            let called = || {
                let given = match context {
                    Some(context) => arguments_of(py, context)?,
                    None => PyTuple::empty(py),
                };
                let value = found.call1(given)?;
                if matches!(method, "step" | "inverse") {
                    Ok(Value::Null)
                } else {
                    returned(&value)
                }
            };
            called().map_err(|error: PyErr| {
                let what = format!("user-defined aggregate's '{method}' method raised error");
                refused(py, &self.1, error, &what, self.0.bind(py))
            })
        })
    }
}

impl Aggregate<Held, Value> for Aggregating {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Held> {
        called_back(|py| {
            let made = self.0.bind(py).call0().map_err(|error| {
                let what = "user-defined aggregate's '__init__' method raised error";
                refused(py, &self.1, error, what, self.0.bind(py))
            })?;
            Ok(AssertUnwindSafe(made.unbind()))
        })
    }

    fn step(&self, context: &mut Context<'_>, held: &mut Held) -> rusqlite::Result<()> {
        self.call(held, "step", Some(context)).map(drop)
    }

    fn finalize(&self, _: &mut Context<'_>, held: Option<Held>) -> rusqlite::Result<Value> {
        match held {
            Some(held) => self.call(&held, "finalize", None),
            None => Ok(Value::Null),
        }
    }
}

impl WindowAggregate<Held, Value> for Aggregating {
    fn value(&self, held: Option<&mut Held>) -> rusqlite::Result<Value> {
        match held {
            Some(held) => self.call(held, "value", None),
            None => Ok(Value::Null),
        }
    }

    fn inverse(&self, context: &mut Context<'_>, held: &mut Held) -> rusqlite::Result<()> {
        self.call(held, "inverse", Some(context)).map(drop)
    }
}

fn arguments_of<'py>(py: Python<'py>, context: &Context<'_>) -> PyResult<Bound<'py, PyTuple>> {
    let mut given = Vec::with_capacity(context.len());
    for at in 0..context.len() {
        given.push(match context.get_raw(at) {
            ValueRef::Null => py.None().into_bound(py),
            ValueRef::Integer(v) => v.into_pyobject(py)?.into_any(),
            ValueRef::Real(v) => PyFloat::new(py, v).into_any(),
            ValueRef::Text(v) => PyString::from_encoded_object(
                PyBytes::new(py, v).as_any(),
                Some(c"utf-8"),
                Some(c"strict"),
            )?
            .into_any(),
            ValueRef::Blob(v) => PyBytes::new(py, v).into_any(),
        });
    }
    PyTuple::new(py, given)
}

/// What a function of Python's gives back.
fn returned(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(match bind::plain(value)? {
        Some(Argument::Null) => Value::Null,
        Some(Argument::Integer(v)) => Value::Integer(v),
        Some(Argument::Real(v)) => Value::Real(v),
        Some(Argument::Text(v)) => {
            // For `sys.unraisablehook`, which gets the exception of sqlite3's.
            let text = v.to_str().map_err(|_| PyUnicodeEncodeError::new_err(SURROGATE))?;
            Value::Text(text.to_owned())
        }
        Some(Argument::Blob(v)) => Value::Blob(v.as_bytes().to_vec()),
        None => {
            let message = "a function gives back None, int, float, str or bytes";
            return Err(pyo3::exceptions::PyTypeError::new_err(message));
        }
    })
}

/// The error for SQLite; the exception itself is kept as its cause.
fn refused(
    py: Python<'_>,
    link: &Weak<Link>,
    error: PyErr,
    what: &str,
    whose: &Bound<'_, PyAny>,
) -> rusqlite::Error {
    let (code, class, what) = if error.is_instance_of::<PyMemoryError>(py) {
        (ffi::SQLITE_NOMEM, Class::Operational, what)
    } else if error.is_instance_of::<PyOverflowError>(py) {
        (ffi::SQLITE_TOOBIG, Class::Data, "string or blob too big")
    } else {
        (ffi::SQLITE_ERROR, Class::Operational, what)
    };
    note(py, link, error, whose);
    if let Some(link) = link.upgrade()
        && code != ffi::SQLITE_NOMEM
    {
        // The first one is what stops the statement.
        lock(&link.refused).get_or_insert_with(|| (class, code, what.to_owned()));
    }
    let message = (code == ffi::SQLITE_ERROR).then(|| what.to_owned());
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), message)
}

/// Keeps an exception for the statement's own error, and shows it where the program has asked for that.
fn note(py: Python<'_>, link: &Weak<Link>, error: PyErr, whose: &Bound<'_, PyAny>) {
    if super::shows_tracebacks() {
        error.clone_ref(py).write_unraisable(py, Some(whose));
    }
    if let Some(link) = link.upgrade() {
        link.note(error);
    }
}
