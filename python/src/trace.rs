//! The trace of the request that Python works at, from its context into the core's thread.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use crate::once::once;
use crate::value::{OrRaise, text_of};

/// A `contextvars.ContextVar` of a `Trace`, or of None.
static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The ids of a request: its own, and that of what it is a part of. Every entry of the audit trail that comes of it carries
/// them, the engine's own too, while `sealite.current_trace` holds it: see `sealite.trace`.
///
///     >>> sealite.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "order-7").correlation_id
///     'order-7'
#[pyclass(module = "sealite", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Trace(sealite::Trace);

#[pymethods]
impl Trace {
    #[new]
    #[pyo3(signature = (trace_id, correlation_id=None))]
    fn new(
        trace_id: &Bound<'_, PyString>,
        correlation_id: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Self> {
        let trace = sealite::Trace::new(text_of(trace_id)?).or_raise()?;
        match correlation_id {
            None => Ok(Trace(trace)),
            Some(id) => trace.correlation_id(text_of(id)?).map(Trace).or_raise(),
        }
    }

    /// The request's own.
    #[getter]
    fn trace_id(&self) -> &str {
        self.0.id()
    }

    /// That of what it is a part of.
    #[getter]
    fn correlation_id(&self) -> Option<&str> {
        self.0.correlation()
    }

    fn __repr__(&self) -> String {
        match self.0.correlation() {
            None => format!("Trace({:?})", self.0.id()),
            Some(of) => format!("Trace({:?}, {of:?})", self.0.id()),
        }
    }

    fn __reduce__<'py>(
        this: &Bound<'py, Self>,
    ) -> (Bound<'py, pyo3::types::PyType>, (String, Option<String>)) {
        let own = &this.get().0;
        let of = own.correlation().map(str::to_owned);
        (this.py().get_type::<Trace>(), (own.id().to_owned(), of))
    }
}

/// Makes the context variable.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<Trace>()?;
    let current = once(&CURRENT, py, || {
        let keywords = pyo3::types::PyDict::new(py);
        keywords.set_item("default", py.None())?;
        let variable = py.import("contextvars")?.getattr("ContextVar")?;
        variable.call(("sealite_trace",), Some(&keywords)).map(Bound::unbind)
    })?;
    module.add("current_trace", current)
}

/// What lets other threads of Python's run.
pub(crate) trait Traced {
    /// As `detach`, for what may write entries of the audit trail: within the trace of the context, where it has one.
    fn traced<T: Send>(self, work: impl FnOnce() -> T + Send) -> T;
}

impl Traced for Python<'_> {
    fn traced<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        match current(self) {
            None => self.detach(work),
            Some(trace) => self.detach(|| trace.run(work)),
        }
    }
}

/// What else stands in the variable is none.
fn current(py: Python<'_>) -> Option<sealite::Trace> {
    let found = CURRENT.get(py)?.bind(py).call_method0(pyo3::intern!(py, "get")).ok()?;
    found.cast::<Trace>().ok().map(|trace| trace.get().0.clone())
}
