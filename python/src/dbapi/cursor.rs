//! A cursor of PEP 249.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple, PyType};

use super::batch::TextFactory;
use super::connection::Connection;
use super::error::programming;
use super::link::{About, Link, lock};
use super::many;
use super::row::Row;
use super::run::{Run, description};

/// Executes statements on its connection, and fetches their rows. It is used by one thread at a time.
///
///     >>> from sealite import dbapi2
///     >>> connection = dbapi2.connect(":memory:")
///     >>> cursor = connection.cursor().execute("VALUES (1, 'a'), (2, 'b')")
///     >>> cursor.fetchone(), list(cursor)
///     ((1, 'a'), [(2, 'b')])
///     >>> connection.close()
#[pyclass(module = "sealite.dbapi2", subclass, frozen, weakref)]
pub(crate) struct Cursor {
    /// Held while a method works: a function or converter that comes back here is refused.
    state: Mutex<State>,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct State {
    run: Option<Run>,
    /// What it runs on, and which types that detects.
    connection: Option<Py<Connection>>,
    detects: i32,
    closed: bool,
}

impl State {
    fn is_ahead(&self) -> bool {
        self.run.as_ref().is_some_and(Run::is_ahead)
    }
}

/// What attributes show, also while a method works.
struct Shown {
    connection: Option<Py<Connection>>,
    row_factory: Option<Py<PyAny>>,
    arraysize: i64,
    about: Option<Arc<About>>,
    rowcount: i64,
    lastrowid: Option<i64>,
}

/// How a row is made of a tuple.
enum Maker {
    Tuple,
    Row,
    Other(Py<PyAny>),
}

impl Cursor {
    pub(super) fn empty() -> Self {
        let shown = Shown {
            connection: None,
            row_factory: None,
            arraysize: 1,
            about: None,
            rowcount: -1,
            lastrowid: None,
        };
        Cursor { state: Mutex::default(), shown: Mutex::new(shown) }
    }

    /// For a connection that has been checked.
    pub(super) fn of(connection: &Bound<'_, Connection>) -> Self {
        let cursor = Cursor::empty();
        cursor.take_on(connection);
        cursor
    }

    fn take_on(&self, connection: &Bound<'_, Connection>) {
        let row_factory = connection.get().factory(connection.py());
        let mut shown = lock(&self.shown);
        shown.connection = Some(connection.clone().unbind());
        shown.row_factory = row_factory;
    }

    /// The state, for one method; and the connection.
    fn enter(
        &self,
        py: Python<'_>,
    ) -> PyResult<(MutexGuard<'_, State>, Py<Connection>, Arc<Link>)> {
        let connection = lock(&self.shown).connection.as_ref().map(|held| held.clone_ref(py));
        let connection =
            connection.ok_or_else(|| programming("Base Cursor.__init__ not called."))?;
        let state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(programming("Recursive use of cursors not allowed."));
            }
        };
        if state.closed {
            return Err(programming("Cannot operate on a closed cursor."));
        }
        let link = connection.get().link()?;
        link.check()?;
        Ok((state, connection, link))
    }

    fn maker(&self, py: Python<'_>) -> Maker {
        match &lock(&self.shown).row_factory {
            None => Maker::Tuple,
            Some(factory) if factory.bind(py).is(py.get_type::<Row>()) => Maker::Row,
            Some(factory) => Maker::Other(factory.clone_ref(py)),
        }
    }

    /// The next row, as the row factory makes it.
    fn next(slf: &Bound<'_, Self>, maker: &Maker, all: bool) -> PyResult<Option<Py<PyAny>>> {
        let (py, own) = (slf.py(), slf.get());
        let mut state = match own.state.try_lock() {
            // A row that is there already asks less.
            Ok(state) if state.is_ahead() => state,
            Ok(state) => {
                drop(state);
                own.enter(py)?.0
            }
            Err(_) => own.enter(py)?.0,
        };
        let State { run, detects, connection, .. } = &mut *state;
        let (Some(running), Some(connection)) = (run.as_mut(), connection) else { return Ok(None) };
        running.link.check_thread()?;
        running.link.check_open()?;
        let ahead = running.is_ahead();
        let row = if connection.get().has_plain_text() {
            running.next(py, &TextFactory::Str, all)?
        } else {
            let text = connection.get().text();
            running.next(py, &text, all)?
        };
        if !ahead {
            lock(&own.shown).rowcount = running.changed();
        }
        let Some(row) = row else {
            *run = None;
            return Ok(None);
        };
        match maker {
            Maker::Tuple => Ok(Some(row.into_any().unbind())),
            Maker::Row => {
                let names = description(py, &running.about, *detects)?;
                Ok(Some(Py::new(py, Row::new(names, row.unbind()))?.into_any()))
            }
            Maker::Other(factory) => {
                // It may look at the cursor.
                drop(state);
                factory.call1(py, (slf, row)).map(Some)
            }
        }
    }

    pub(super) fn run(
        slf: &Bound<'_, Self>,
        sql: &Bound<'_, PyString>,
        parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (py, own) = (slf.py(), slf.get());
        let (mut state, connection, link) = own.enter(py)?;
        own.clear(py, &mut state);
        let Some(live) = link.statement(py, sql)? else { return Ok(()) };
        let detects = connection.get().detects();
        let run = link.start(py, live, parameters, detects)?;
        let mut shown = lock(&own.shown);
        shown.about = Some(Arc::clone(&run.about));
        shown.rowcount = run.changed();
        shown.lastrowid = Some(link.last_rowid.load(Ordering::Relaxed));
        drop(shown);
        // A statement without columns leaves nothing to fetch.
        state.run = (!run.about.columns.is_empty()).then_some(run);
        (state.connection, state.detects) = (Some(connection), detects);
        Ok(())
    }

    pub(super) fn run_many(
        slf: &Bound<'_, Self>,
        sql: &Bound<'_, PyString>,
        parameters: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (py, own) = (slf.py(), slf.get());
        let (mut state, _, link) = own.enter(py)?;
        own.clear(py, &mut state);
        let Some(live) = link.statement(py, sql)? else { return Ok(()) };
        let about = Arc::clone(&live.about);
        let mut changed = 0;
        let done = many::run(&link, py, live, parameters, &mut changed);
        let mut shown = lock(&own.shown);
        shown.about = Some(about);
        shown.rowcount = changed;
        drop(shown);
        done
    }

    pub(super) fn run_script(slf: &Bound<'_, Self>, script: &Bound<'_, PyString>) -> PyResult<()> {
        let (py, own) = (slf.py(), slf.get());
        let (mut state, _, link) = own.enter(py)?;
        own.clear(py, &mut state);
        many::script(&link, py, script)
    }

    fn clear(&self, py: Python<'_>, state: &mut State) {
        if let Some(mut run) = state.run.take() {
            run.end(py);
        }
        let mut shown = lock(&self.shown);
        shown.about = None;
        shown.rowcount = -1;
    }
}

#[pymethods]
impl Cursor {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, pyo3::types::PyDict>>,
    ) -> Self {
        Cursor::empty()
    }

    fn __init__(slf: &Bound<'_, Self>, connection: &Bound<'_, PyAny>) -> PyResult<()> {
        let own = slf.get();
        let connection = connection.cast::<Connection>().map_err(|_| {
            PyTypeError::new_err("Cursor() argument 1 must be a sealite.dbapi2.Connection")
        })?;
        let mut state = match own.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(programming("Recursive use of cursors not allowed."));
            }
        };
        own.clear(slf.py(), &mut state);
        state.closed = false;
        connection.get().link()?.check_thread()?;
        own.take_on(connection);
        Ok(())
    }

    /// Executes one statement; the cursor itself.
    #[pyo3(signature = (sql, parameters=None, /))]
    fn execute<'py>(
        slf: &Bound<'py, Self>,
        sql: &Bound<'py, PyString>,
        parameters: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        Cursor::run(slf, sql, parameters)?;
        Ok(slf.clone())
    }

    /// Executes one statement that changes rows, once for each set of parameters; the cursor itself.
    #[pyo3(signature = (sql, parameters, /))]
    fn executemany<'py>(
        slf: &Bound<'py, Self>,
        sql: &Bound<'py, PyString>,
        parameters: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        Cursor::run_many(slf, sql, parameters)?;
        Ok(slf.clone())
    }

    /// Commits, in the legacy mode, and executes every statement of a text; the cursor itself.
    #[pyo3(signature = (sql_script, /))]
    fn executescript<'py>(
        slf: &Bound<'py, Self>,
        sql_script: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, Self>> {
        Cursor::run_script(slf, sql_script)?;
        Ok(slf.clone())
    }

    /// The next row; None at the end.
    fn fetchone(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        Cursor::next(slf, &slf.get().maker(slf.py()), false)
    }

    /// The next rows, `arraysize` where nothing else is said.
    #[pyo3(signature = (size=None))]
    fn fetchmany<'py>(slf: &Bound<'py, Self>, size: Option<i64>) -> PyResult<Bound<'py, PyList>> {
        let size = size.unwrap_or_else(|| lock(&slf.get().shown).arraysize);
        let rows = PyList::empty(slf.py());
        let maker = slf.get().maker(slf.py());
        while i64::try_from(rows.len()).is_ok_and(|length| size <= 0 || length < size) {
            let Some(row) = Cursor::next(slf, &maker, false)? else { break };
            rows.append(row)?;
        }
        Ok(rows)
    }

    /// The rows that are left.
    fn fetchall<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(slf.py());
        let maker = slf.get().maker(slf.py());
        while let Some(row) = Cursor::next(slf, &maker, true)? {
            rows.append(row)?;
        }
        Ok(rows)
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        drop(slf.get().enter(slf.py())?);
        Ok(slf)
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        Cursor::next(slf, &slf.get().maker(slf.py()), false)
    }

    /// Gives the statement back. The cursor can't be used any more.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let connection = lock(&self.shown).connection.as_ref().map(|held| held.clone_ref(py));
        let connection =
            connection.ok_or_else(|| programming("Base Cursor.__init__ not called."))?;
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(programming("Recursive use of cursors not allowed."));
            }
        };
        let link = connection.get().link()?;
        link.check()?;
        // As in sqlite3, the count can be read from a closed cursor.
        let changed = lock(&self.shown).rowcount;
        self.clear(py, &mut state);
        lock(&self.shown).rowcount = changed;
        state.closed = true;
        Ok(())
    }

    /// Does nothing: PEP 249 asks for it.
    #[pyo3(signature = (sizes, /))]
    fn setinputsizes(&self, sizes: &Bound<'_, PyAny>) {
        let _ = sizes;
    }

    /// Does nothing: PEP 249 asks for it.
    #[pyo3(signature = (size, column=None, /))]
    fn setoutputsize(&self, size: &Bound<'_, PyAny>, column: Option<&Bound<'_, PyAny>>) {
        let _ = (size, column);
    }

    /// The connection.
    #[getter]
    fn connection(&self, py: Python<'_>) -> PyResult<Py<Connection>> {
        let connection = lock(&self.shown).connection.as_ref().map(|held| held.clone_ref(py));
        connection.ok_or_else(|| programming("Base Cursor.__init__ not called."))
    }

    /// The columns of the last statement, a 7-tuple each of which only the name is set; None where it returned none.
    #[getter]
    fn description(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        let shown = lock(&self.shown);
        let (Some(about), Some(connection)) = (&shown.about, &shown.connection) else {
            return Ok(None);
        };
        let (about, detects) = (Arc::clone(about), connection.get().detects());
        drop(shown);
        description(py, &about, detects)
    }

    /// The rows that the last statement changed; -1 for one that changes none.
    #[getter]
    fn rowcount(&self) -> i64 {
        lock(&self.shown).rowcount
    }

    /// The row id of the last INSERT; None before the first statement.
    #[getter]
    fn lastrowid(&self) -> Option<i64> {
        lock(&self.shown).lastrowid
    }

    /// The rows that `fetchmany` fetches.
    #[getter]
    fn arraysize(&self) -> i64 {
        lock(&self.shown).arraysize
    }

    #[setter]
    fn set_arraysize(&self, size: i64) -> PyResult<()> {
        if size < 0 {
            return Err(PyValueError::new_err("arraysize is a number of rows"));
        }
        lock(&self.shown).arraysize = size;
        Ok(())
    }

    /// What makes a row of the cursor and a tuple; None for the tuple itself.
    #[getter]
    fn row_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.shown).row_factory.as_ref().map(|held| held.clone_ref(py))
    }

    #[setter]
    fn set_row_factory(&self, factory: Option<Py<PyAny>>) {
        let before = std::mem::replace(&mut lock(&self.shown).row_factory, factory);
        drop(before);
    }
}

/// A cursor of the class, or of what a factory makes.
pub(super) fn made<'py>(
    connection: &Bound<'py, Connection>,
    factory: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let cursor = factory.call1((connection,))?;
    let class = connection.py().get_type::<Cursor>();
    // By type: an object may claim another class.
    if !cursor.get_type().is_subclass(class.cast::<PyType>()?)? {
        return Err(PyTypeError::new_err(format!(
            "factory must return a cursor, not {}",
            cursor.get_type().name()?
        )));
    }
    if let Ok(own) = cursor.cast::<Cursor>()
        && let Some(factory) = connection.get().factory(connection.py())
    {
        lock(&own.get().shown).row_factory = Some(factory);
    }
    Ok(cursor)
}
