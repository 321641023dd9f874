//! A connection of PEP 249 to a vault.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::batch::TextFactory;
use super::cursor::{self, Cursor};
use super::engine::Connection as Engine;
use super::error::{self, Class, programming, raised, utf8, utf8_given};
use super::functions::{Registration, register, watch};
use super::link::{Link, lock};
use super::mode::{LEGACY, autocommit_of};
use super::open::Wanted;
use super::{copy, limits};
use crate::row::unpicklable;
use crate::vault::Vault;

/// A connection to a vault in a file, or to one of its own in memory. Only the thread that made it may use it, where
/// nothing else is said.
///
///     >>> from sealite import dbapi2
///     >>> connection = dbapi2.connect(":memory:")
///     >>> connection.define_table("users", {"email": "text sealed unique email"})
///     True
///     >>> with connection:
///     ...     cursor = connection.execute("INSERT INTO users (email) VALUES (?)", ("ada@example.org",))
///     >>> connection.execute("SELECT id FROM users WHERE email = ?", ("Ada@Example.org",)).fetchone()
///     (1,)
///     >>> connection.close()
#[pyclass(module = "sealite.dbapi2", subclass, frozen, weakref)]
pub(crate) struct Connection {
    open: Mutex<Option<Open>>,
    factories: Mutex<Factories>,
    /// True while text becomes `str`.
    plain_text: AtomicBool,
}

struct Open {
    link: Arc<Link>,
    detect_types: i32,
    /// Gives the vault back.
    release: Option<Py<PyAny>>,
}

/// What rows and text become.
struct Factories {
    row: Option<Py<PyAny>>,
    text: Arc<TextFactory>,
}

/// An argument that makes a difference between None and nothing.
pub(crate) enum Maybe<'py> {
    Missing,
    Given(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Maybe<'py> {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Maybe::Given(given.to_owned()))
    }
}

impl Connection {
    pub(super) fn link(&self) -> PyResult<Arc<Link>> {
        match &*lock(&self.open) {
            Some(open) => Ok(Arc::clone(&open.link)),
            None => Err(programming("Base Connection.__init__ not called.")),
        }
    }

    /// The link, where it may be used now.
    fn checked(&self) -> PyResult<Arc<Link>> {
        let link = self.link()?;
        link.check()?;
        Ok(link)
    }

    pub(super) fn detects(&self) -> i32 {
        lock(&self.open).as_ref().map_or(0, |open| open.detect_types)
    }

    pub(super) fn text(&self) -> Arc<TextFactory> {
        Arc::clone(&lock(&self.factories).text)
    }

    /// True while text becomes `str`.
    pub(super) fn has_plain_text(&self) -> bool {
        self.plain_text.load(Ordering::Relaxed)
    }

    pub(super) fn factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.factories).row.as_ref().map(|row| row.clone_ref(py))
    }

    /// A cursor, for what is executed on the connection itself.
    fn own_cursor<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if slf.get_type().is(py.get_type::<Connection>()) {
            slf.get().checked()?;
            return Ok(Bound::new(py, Cursor::of(slf))?.into_any());
        }
        slf.call_method0("cursor")
    }

    fn end(&self, py: Python<'_>, how: &str) -> PyResult<()> {
        let link = self.checked()?;
        if link.mode.autocommit() != 1 && link.run(py, Engine::in_transaction)? {
            link.command(py, how)?;
        }
        Ok(())
    }

    /// Takes the vault, the cursors and the functions away. Raises nothing.
    fn shut(&self, py: Python<'_>) -> bool {
        let (link, release) = match &mut *lock(&self.open) {
            Some(open) => (Arc::clone(&open.link), open.release.take()),
            None => return false,
        };
        let was_open = !link.is_closed();
        link.close(py);
        if let Some(release) = release
            && let Err(error) = release.call0(py)
        {
            error.write_unraisable(py, None);
        }
        was_open
    }

    fn define(
        link: &Arc<Link>,
        py: Python<'_>,
        registration: Registration,
        failure: (Class, &str),
    ) -> PyResult<()> {
        match register(link, py, registration)? {
            Ok(()) => Ok(()),
            Err(_) => Err(raised(failure.0, failure.1)),
        }
    }
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(
        py: Python<'_>,
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> Self {
        let _ = py;
        let factories = Factories { row: None, text: Arc::new(TextFactory::Str) };
        Connection {
            open: Mutex::new(None),
            factories: Mutex::new(factories),
            plain_text: AtomicBool::new(true),
        }
    }

    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (database=None, timeout=5.0, detect_types=0, isolation_level=Maybe::Missing,
                        check_same_thread=true, factory=None, cached_statements=128, uri=false, *,
                        autocommit=Maybe::Missing, key=None, key_bytes=None, passphrase=None, vault=None,
                        existing_database=false))]
    fn __init__(
        slf: &Bound<'_, Self>,
        database: Option<&Bound<'_, PyAny>>,
        timeout: f64,
        detect_types: i32,
        isolation_level: Maybe<'_>,
        check_same_thread: bool,
        factory: Option<&Bound<'_, PyAny>>,
        cached_statements: i32,
        uri: bool,
        autocommit: Maybe<'_>,
        key: Option<&Bound<'_, PyAny>>,
        key_bytes: Option<&Bound<'_, PyAny>>,
        passphrase: Option<&Bound<'_, PyAny>>,
        vault: Option<&Bound<'_, Vault>>,
        existing_database: bool,
    ) -> PyResult<()> {
        let _ = factory;
        let (py, own) = (slf.py(), slf.get());
        own.shut(py);
        *lock(&own.open) = None;
        {
            let mut factories = lock(&own.factories);
            factories.row = None;
            factories.text = Arc::new(TextFactory::Str);
            own.plain_text.store(true, Ordering::Relaxed);
        }
        let wanted = Wanted {
            database,
            timeout,
            isolation_level,
            any_thread: !check_same_thread,
            cached_statements,
            uri,
            autocommit,
            key: [key, key_bytes, passphrase],
            vault,
            existing_database,
        };
        let (link, release) = wanted.open(py)?;
        *lock(&own.open) = Some(Open { link, detect_types, release: Some(release) });
        Ok(())
    }

    /// A new cursor, of the factory's making where one is given.
    #[pyo3(signature = (factory=Maybe::Missing))]
    fn cursor<'py>(slf: &Bound<'py, Self>, factory: Maybe<'py>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().checked()?;
        match factory {
            Maybe::Missing => Ok(Bound::new(slf.py(), Cursor::of(slf))?.into_any()),
            Maybe::Given(factory) => cursor::made(slf, &factory),
        }
    }

    /// Executes one statement with a new cursor, which is returned.
    #[pyo3(signature = (sql, parameters=None, /))]
    fn execute<'py>(
        slf: &Bound<'py, Self>,
        sql: &Bound<'py, PyString>,
        parameters: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cursor = Connection::own_cursor(slf)?;
        match (cursor.cast_exact::<Cursor>(), parameters) {
            (Ok(own), _) => Cursor::run(own, sql, parameters)?,
            (Err(_), Some(parameters)) => drop(cursor.call_method1("execute", (sql, parameters))?),
            (Err(_), None) => drop(cursor.call_method1("execute", (sql,))?),
        }
        Ok(cursor)
    }

    /// Executes one statement for each set of parameters with a new cursor, which is returned.
    #[pyo3(signature = (sql, parameters, /))]
    fn executemany<'py>(
        slf: &Bound<'py, Self>,
        sql: &Bound<'py, PyString>,
        parameters: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cursor = Connection::own_cursor(slf)?;
        match cursor.cast_exact::<Cursor>() {
            Ok(own) => Cursor::run_many(own, sql, parameters)?,
            Err(_) => drop(cursor.call_method1("executemany", (sql, parameters))?),
        }
        Ok(cursor)
    }

    /// Executes every statement of a text with a new cursor, which is returned.
    #[pyo3(signature = (sql_script, /))]
    fn executescript<'py>(
        slf: &Bound<'py, Self>,
        sql_script: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cursor = Connection::own_cursor(slf)?;
        match cursor.cast_exact::<Cursor>() {
            Ok(own) => Cursor::run_script(own, sql_script)?,
            Err(_) => drop(cursor.call_method1("executescript", (sql_script,))?),
        }
        Ok(cursor)
    }

    /// Commits the open transaction, where there is one.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        self.end(py, "COMMIT")
    }

    /// Rolls the open transaction back, where there is one.
    fn rollback(&self, py: Python<'_>) -> PyResult<()> {
        self.end(py, "ROLLBACK")
    }

    /// Ends the connection, without a commit. The last one of a file wipes the vault's keys.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let link = self.link()?;
        link.check_thread()?;
        if !link.is_closed() {
            link.check()?;
        }
        self.shut(py);
        Ok(())
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().checked()?;
        Ok(slf.clone())
    }

    /// Commits, or rolls back after an exception.
    #[pyo3(signature = (exception_type, *_exception))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        exception_type: &Bound<'_, PyAny>,
        _exception: &Bound<'_, PyTuple>,
    ) -> PyResult<bool> {
        let (py, own) = (slf.py(), slf.get());
        if !exception_type.is_none() {
            own.end(py, "ROLLBACK")?;
        } else if let Err(error) = own.end(py, "COMMIT") {
            // What could not be committed is not left open either.
            let _ = own.end(py, "ROLLBACK");
            return Err(error);
        }
        Ok(false)
    }

    /// Stops what runs on the connection. Any thread may call it.
    fn interrupt(&self) -> PyResult<()> {
        let link = self.link()?;
        link.check_open()?;
        link.engine.interrupt();
        Ok(())
    }

    /// The vault: its tables, slots, tokens, settings.
    #[getter]
    fn vault(&self, py: Python<'_>) -> PyResult<Py<Vault>> {
        let link = self.checked()?;
        Ok(link.vault.clone_ref(py))
    }

    /// Declares a sealed table, as `Vault.define_table` does. True where it was created.
    #[pyo3(signature = (name, columns, **keywords))]
    fn define_table<'py>(
        &self,
        name: &Bound<'py, PyString>,
        columns: &Bound<'py, PyAny>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, link) = (name.py(), self.checked()?);
        if link.run(py, Engine::in_transaction)? {
            return Err(programming(
                "a table is defined in a transaction of its own: commit first",
            ));
        }
        let vault = link.vault.bind(py).as_any();
        vault
            .call_method("define_table", (name, columns), keywords)
            .map_err(|error| error::from_engine(py, error))
    }

    /// Makes a function known to SQL; None takes it away. A trigger, view or index of the file can't call it.
    #[pyo3(signature = (name, narg, func, /, *, deterministic=false))]
    fn create_function(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyString>,
        narg: i32,
        func: Option<Py<PyAny>>,
        deterministic: bool,
    ) -> PyResult<()> {
        let name = utf8(name)?.to_owned();
        let function =
            Registration::Function { name, arguments: narg, deterministic, callable: func };
        let failure = (Class::Operational, "Error creating function");
        Connection::define(&self.checked()?, py, function, failure)
    }

    /// Makes an aggregate known to SQL: a class with `step` and `finalize`; None takes it away.
    #[pyo3(signature = (name, n_arg, aggregate_class, /))]
    fn create_aggregate(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyString>,
        n_arg: i32,
        aggregate_class: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let name = utf8(name)?.to_owned();
        let aggregate = Registration::Aggregate { name, arguments: n_arg, class: aggregate_class };
        let failure = (Class::Operational, "Error creating aggregate");
        Connection::define(&self.checked()?, py, aggregate, failure)
    }

    /// Makes a window function known to SQL: a class with `step`, `inverse`, `value` and `finalize`.
    #[pyo3(signature = (name, num_params, aggregate_class, /))]
    fn create_window_function(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyString>,
        num_params: i32,
        aggregate_class: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let name = utf8(name)?.to_owned();
        let window = Registration::Window { name, arguments: num_params, class: aggregate_class };
        let failure = (Class::Programming, "Error creating window function");
        Connection::define(&self.checked()?, py, window, failure)
    }

    /// Makes a collation known to SQL; None takes it away.
    #[pyo3(signature = (name, callback, /))]
    fn create_collation(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyString>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let link = self.checked()?;
        let name = utf8(name)?.to_owned();
        if callback.as_ref().is_some_and(|callback| !callback.bind(py).is_callable()) {
            return Err(PyTypeError::new_err("parameter must be callable"));
        }
        let collation = Registration::Collation { name, callable: callback };
        Connection::define(&link, py, collation, (Class::Operational, "Error creating collation"))
    }

    /// Has a function called every `n` instructions of SQLite's; true from it stops the statement. None takes it away.
    #[pyo3(signature = (progress_handler, n))]
    fn set_progress_handler(
        &self,
        py: Python<'_>,
        progress_handler: Option<Py<PyAny>>,
        n: i32,
    ) -> PyResult<()> {
        let link = self.checked()?;
        // SQLite takes any other number for none.
        let every = u16::try_from(n.clamp(0, i32::from(u16::MAX))).unwrap_or(u16::MAX);
        watch(&link, py, progress_handler.filter(|_| every > 0).map(|handler| (handler, every)))
    }

    /// Has a function called with the text of every statement. Parameters stand there as in the text: no value is shown
    /// that the text does not hold. None takes it away.
    #[pyo3(signature = (trace_callback))]
    fn set_trace_callback(&self, trace_callback: Option<Py<PyAny>>) -> PyResult<()> {
        let link = self.checked()?;
        let before = std::mem::replace(&mut *lock(&link.trace), trace_callback);
        drop(before);
        Ok(())
    }

    /// Refused: the engine's own authorizer guards what is sealed.
    #[pyo3(signature = (authorizer_callback))]
    fn set_authorizer(&self, authorizer_callback: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.checked()?;
        let _ = authorizer_callback;
        Err(refused("the engine's own authorizer guards what is sealed, and SQLite has one"))
    }

    /// Refused: a library that is loaded could read the keys.
    #[pyo3(signature = (enable, /))]
    fn enable_load_extension(&self, enable: &Bound<'_, PyAny>) -> PyResult<()> {
        self.checked()?;
        let _ = enable;
        Err(refused("extensions are not loaded: make a function of Python's with create_function"))
    }

    /// Refused: it would go past the sealed record.
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn blobopen(
        &self,
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.checked()?;
        Err(refused("a blob is read and written by SELECT and UPDATE"))
    }

    /// Refused: a database from elsewhere would come past the vault's keys.
    #[pyo3(signature = (data, /, *, name="main"))]
    fn deserialize(
        &self,
        data: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = utf8_given)] name: &str,
    ) -> PyResult<()> {
        self.checked()?;
        let _ = (data, name);
        Err(refused("a vault is opened from its file"))
    }

    /// The file's bytes, with everything sealed in it as it is.
    #[pyo3(signature = (*, name="main"))]
    fn serialize<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = utf8_given)] name: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        copy::serialized(&self.checked()?, py, name)
    }

    /// Copies the vault into a new file. `progress` is called with SQLite's status, the pages that remain and all
    /// pages, after each `pages` of them.
    #[pyo3(signature = (target, *, pages=-1, progress=None, name="main", sleep=0.25))]
    fn backup(
        &self,
        target: &Bound<'_, PyAny>,
        pages: i32,
        progress: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = utf8_given)] name: &str,
        sleep: f64,
    ) -> PyResult<()> {
        let link = self.checked()?;
        copy::backup(&link, target, &copy::Pace { pages, progress, name, sleep })
    }

    /// The plain tables as SQL text. Sealed tables are named, not shown.
    #[pyo3(signature = (*, filter=None))]
    fn iterdump<'py>(
        slf: &Bound<'py, Self>,
        filter: Option<&Bound<'py, PyString>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.get().checked()?;
        slf.py().import("sealite.dbapi2._dump")?.call_method1("iterdump", (slf, filter))
    }

    /// A limit of SQLite's.
    #[pyo3(signature = (category, /))]
    fn getlimit(&self, py: Python<'_>, category: i32) -> PyResult<i32> {
        self.setlimit(py, category, -1)
    }

    /// Sets a limit of SQLite's; what it was.
    #[pyo3(signature = (category, limit, /))]
    fn setlimit(&self, py: Python<'_>, category: i32, limit: i32) -> PyResult<i32> {
        let link = self.checked()?;
        let category = limits::limit(category)?;
        link.run(py, |engine| limits::exchange(engine, category, limit))
    }

    /// True inside a transaction.
    #[getter]
    fn in_transaction(&self, py: Python<'_>) -> PyResult<bool> {
        let link = self.checked()?;
        // Without autocommit there always is one; SQLite begins it with the next statement.
        Ok(link.mode.autocommit() == 0 || link.run(py, Engine::in_transaction)?)
    }

    /// The rows that statements have changed since the connection was opened.
    #[getter]
    fn total_changes(&self, py: Python<'_>) -> PyResult<u64> {
        self.checked()?.run(py, Engine::total_changes)
    }

    /// Which transaction a write begins in the legacy mode: "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"; None for none.
    #[getter]
    fn isolation_level(&self) -> PyResult<Option<&'static str>> {
        Ok(self.checked()?.mode.level())
    }

    #[setter]
    fn set_isolation_level(&self, level: &Bound<'_, PyAny>) -> PyResult<()> {
        let link = self.checked()?;
        let none = link.mode.set_level(level)?;
        // As sqlite3 does it: what is open is committed.
        if none { self.end(level.py(), "COMMIT") } else { Ok(()) }
    }

    /// True: each statement is a transaction of its own. False: there always is a transaction, as PEP 249 has it.
    /// `LEGACY_TRANSACTION_CONTROL`: as `isolation_level` says.
    #[getter]
    fn autocommit<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self.checked()?.mode.autocommit() {
            LEGACY => i64::from(LEGACY).into_pyobject(py)?.into_any(),
            truth => (truth == 1).into_pyobject(py)?.to_owned().into_any(),
        })
    }

    #[setter]
    fn set_autocommit(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let link = self.checked()?;
        let autocommit = autocommit_of(value)?;
        if autocommit == 1 {
            self.end(value.py(), "COMMIT")?;
        }
        link.mode.set_autocommit(autocommit);
        Ok(())
    }

    /// What makes a row of the cursor and a tuple; None for the tuple itself.
    #[getter]
    fn row_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.factory(py)
    }

    #[setter]
    fn set_row_factory(&self, factory: Option<Py<PyAny>>) {
        let before = std::mem::replace(&mut lock(&self.factories).row, factory);
        drop(before);
    }

    /// What text becomes: `str`, `bytes`, `bytearray`, or what a function makes of its bytes.
    #[getter]
    fn text_factory(&self, py: Python<'_>) -> Py<PyAny> {
        self.text().object(py)
    }

    #[setter]
    fn set_text_factory(&self, factory: &Bound<'_, PyAny>) {
        let text = TextFactory::of(factory);
        self.plain_text.store(matches!(text, TextFactory::Str), Ordering::Relaxed);
        let before = std::mem::replace(&mut lock(&self.factories).text, Arc::new(text));
        drop(before);
    }

    fn __repr__(&self) -> &'static str {
        match self.link() {
            Ok(link) if !link.is_closed() => "<Connection>",
            _ => "<Connection: closed>",
        }
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Connection"))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        Python::attach(|py| {
            if self.shut(py)
                && py.version_info() >= (3, 13)
                && let Err(error) = PyErr::warn(
                    py,
                    &py.get_type::<pyo3::exceptions::PyResourceWarning>(),
                    c"unclosed database connection",
                    1,
                )
            {
                error.write_unraisable(py, None);
            }
        });
    }
}

fn refused(message: &str) -> PyErr {
    raised(Class::NotSupported, message)
}
