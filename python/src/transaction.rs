//! Transactions, savepoints and snapshots as context managers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use sealite::ErrorKind;

use crate::definition::Declared;
use crate::error::{Failure, error};
use crate::given::{string_given, text_given, text_or_none};
use crate::row::{SqlRows, unpicklable};
use crate::source::{Held, HeldSnapshot, HeldTransaction, Root, Source};
use crate::table::Table;
use crate::tokens::Tokens;
use crate::trace::Traced;
use crate::trail::Given;
use crate::value::Cells;

/// The parameters of a statement.
pub(crate) fn parameters<'py>(given: Option<&Bound<'py, PyAny>>) -> PyResult<Cells<'py>> {
    let mut cells = Cells::default();
    if let Some(given) = given {
        cells.extend(given)?;
    }
    Ok(cells)
}

/// A write transaction: begun by `with`, committed at its end, rolled back by an exception. It belongs to the thread
/// that began it. One that is dropped on the way is rolled back. Where `with` doesn't fit, `begin`, and `commit` or
/// `roll_back`, do the same.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("users", {"name": "text sealed"})
///     True
///     >>> with vault.transaction() as transaction:
///     ...     id = transaction.table("users").insert(name="Ada")
///     ...     place = transaction.audit("user.created", subject=str(id))
///     >>> try:
///     ...     with vault.transaction() as transaction:
///     ...         transaction.table("users").delete(id)
///     ...         raise RuntimeError
///     ... except RuntimeError:
///     ...     vault.table("users").count()
///     True
///     1
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Transaction {
    root: Root,
    held: OnceLock<Arc<HeldTransaction>>,
    /// True from the beginning of its `with`.
    entered: AtomicBool,
}

impl Transaction {
    pub(crate) fn new(root: Root) -> Self {
        Transaction { root, held: OnceLock::new(), entered: AtomicBool::new(false) }
    }

    fn held(&self) -> PyResult<&Arc<HeldTransaction>> {
        self.held.get().ok_or_else(|| {
            let message = "the transaction begins with a with statement, or by begin()";
            error(ErrorKind::Closed, message)
        })
    }

    fn begin_here(&self, py: Python<'_>) -> PyResult<()> {
        if self.held.get().is_some() {
            return Err(begun_twice("transaction"));
        }
        let begun = py.detach(|| self.root.begin()).map_err(Failure::from)?;
        // Where another thread was faster, this one is rolled back.
        self.held.set(Held::owned("transaction", begun)).map_err(|_| begun_twice("transaction"))
    }
}

fn not_begun(what: &str) -> PyErr {
    error(ErrorKind::Closed, format!("the {what} begins with a with statement"))
}

fn begun_twice(what: &str) -> PyErr {
    error(ErrorKind::Closed, format!("a {what} is used once: make another one"))
}

#[pymethods]
impl Transaction {
    /// A table, within the transaction.
    fn table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = string_given)] name: String,
    ) -> PyResult<Table> {
        Table::new(py, Source::Transaction(Arc::clone(self.held()?), None), name)
    }

    /// What belongs to one tenant, within the transaction.
    fn tenant(&self, #[pyo3(from_py_with = text_given)] name: &str) -> PyResult<TenantTables> {
        Ok(TenantTables(Source::Transaction(Arc::clone(self.held()?), Some(Arc::from(name)))))
    }

    /// Declares a table, as `Vault.define_table` does: it is there where the transaction commits.
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (name, columns, *, key="id", text_key=false, per_tenant=false, padding=None,
                        subject=None))]
    fn define_table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
        columns: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = text_given)] key: &str,
        text_key: bool,
        per_tenant: bool,
        padding: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = text_or_none)] subject: Option<&str>,
    ) -> PyResult<bool> {
        let held = self.held()?;
        let declared = Declared { name, columns, key, text_key, per_tenant, padding, subject };
        let definition = declared.definition()?;
        Ok(py.traced(|| held.with(|transaction| transaction.define_table(&definition)))?)
    }

    /// Tokens, within the transaction: what is issued, used or revoked is so where it commits.
    #[getter]
    fn tokens(&self) -> PyResult<Tokens> {
        Ok(Tokens::within(Arc::clone(self.held()?)))
    }

    /// Runs one statement of plain SQL; returns the number of rows changed. Sealed tables are refused.
    #[pyo3(signature = (sql, parameters=None, /))]
    fn execute(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] sql: &str,
        parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let held = self.held()?;
        let cells = self::parameters(parameters)?;
        let values = cells.refs()?;
        Ok(py.traced(|| held.with(|transaction| transaction.execute(sql, &values)))?)
    }

    /// Runs a query in plain SQL; it sees what the transaction has written.
    #[pyo3(signature = (sql, parameters=None, /))]
    fn query(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] sql: &str,
        parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<SqlRows> {
        let held = self.held()?;
        let cells = self::parameters(parameters)?;
        let values = cells.refs()?;
        let found = py.traced(|| held.with(|transaction| transaction.query(sql, &values)))?;
        SqlRows::new(py, &found)
    }

    /// Appends an audit entry in this transaction: it is there only if the transaction is. Its place in the chain.
    #[allow(clippy::too_many_arguments)] // the fields of an entry
    #[pyo3(signature = (event, *, actor=None, subject=None, trace_id=None, correlation_id=None, payload=None))]
    fn audit(
        &self,
        py: Python<'_>,
        event: &Bound<'_, PyString>,
        actor: Option<&Bound<'_, PyString>>,
        subject: Option<&Bound<'_, PyString>>,
        trace_id: Option<&Bound<'_, PyString>>,
        correlation_id: Option<&Bound<'_, PyString>>,
        payload: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<i64> {
        let held = self.held()?;
        let texts = [actor, subject, trace_id, correlation_id];
        let entry = Given { event, texts, payload }.entry()?;
        Ok(py.traced(|| held.with(|transaction| transaction.audit(&entry)))?)
    }

    /// A part of the transaction that an exception takes back alone, for a with statement.
    fn savepoint(&self) -> PyResult<Savepoint> {
        Ok(Savepoint { held: Arc::clone(self.held()?), state: Mutex::new(None) })
    }

    /// Begins it, as `with` does, and returns it. A `with` over what it returns ends it as any other.
    ///
    ///     >>> transaction = sealite.Vault.in_memory().transaction().begin()
    ///     >>> transaction.define_table("users", {"name": "text sealed"})
    ///     True
    ///     >>> transaction.commit()
    fn begin<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        this.get().begin_here(this.py())?;
        Ok(this.clone())
    }

    /// Commits, before the end of `with` or without one; the transaction has ended then. Where it raises, nothing was
    /// committed; after an `IoError`, whether it was shows when the vault is opened again.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let held = self.held()?;
        Ok(py.detach(|| held.take()?.commit().map_err(Failure::from))?)
    }

    /// Takes everything back; the transaction has ended then.
    fn roll_back(&self, py: Python<'_>) -> PyResult<()> {
        let held = self.held()?;
        Ok(py.detach(|| held.take()?.roll_back().map_err(Failure::from))?)
    }

    fn __enter__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let own = this.get();
        match own.held.get() {
            None => own.begin_here(this.py())?,
            // By `begin`: the end of `with` is its end all the same.
            Some(held) if !held.has_ended() && !own.entered.load(Ordering::Acquire) => {}
            Some(_) => return Err(begun_twice("transaction")),
        }
        own.entered.store(true, Ordering::Release);
        Ok(this.clone())
    }

    #[pyo3(signature = (exception_type, *_exception))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exception_type: &Bound<'_, PyAny>,
        _exception: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let held = self.held()?;
        if held.has_ended() {
            // By `commit` or `roll_back` on the way.
            return Ok(());
        }
        if exception_type.is_none() {
            return self.commit(py);
        }
        // What led here is the exception to be seen; the connection is put in order when it comes back.
        py.detach(|| held.take().map(|transaction| transaction.roll_back().is_ok()))?;
        Ok(())
    }

    fn __repr__(&self) -> &'static str {
        match self.held.get().map(|held| held.has_ended()) {
            None => "<Transaction: not begun>",
            Some(false) => "<Transaction: open>",
            Some(true) => "<Transaction: ended>",
        }
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Transaction"))
    }
}

/// A savepoint: set by `with`, kept at its end, gone back to by an exception, which then goes on.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("users", {"email": "text sealed unique email"})
///     True
///     >>> with vault.transaction() as transaction:
///     ...     for email in ("ada@example.org", "grace@example.org", "ADA@example.org"):
///     ...         try:
///     ...             with transaction.savepoint():
///     ...                 id = transaction.table("users").insert(email=email)
///     ...         except sealite.Conflict:
///     ...             print("there already:", email)
///     there already: ADA@example.org
///     >>> vault.table("users").count()
///     2
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Savepoint {
    held: Arc<HeldTransaction>,
    state: Mutex<Option<sealite::Savepoint>>,
}

#[pymethods]
impl Savepoint {
    fn __enter__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let own = this.get();
        let begun = this
            .py()
            .detach(|| own.held.with(sealite::Transaction::begin_savepoint))
            .map_err(PyErr::from)?;
        *own.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        Ok(this.clone())
    }

    #[pyo3(signature = (exception_type, *_exception))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exception_type: &Bound<'_, PyAny>,
        _exception: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let keep = exception_type.is_none();
        let savepoint = self.state.lock().unwrap_or_else(PoisonError::into_inner).take();
        let savepoint = savepoint.ok_or_else(|| not_begun("savepoint"))?;
        let ended = py.detach(move || {
            self.held.with(|transaction| {
                let ended = transaction.end_savepoint(&savepoint, keep);
                if keep && ended.is_err() {
                    // What can't be kept is not left to the rest of the transaction.
                    let _ = transaction.end_savepoint(&savepoint, false);
                }
                ended
            })
        });
        // What led here is the exception to be seen.
        if keep { Ok(ended?) } else { Ok(()) }
    }

    fn __repr__(&self) -> &'static str {
        "<Savepoint>"
    }
}

/// The tables of one tenant, within a transaction or snapshot.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("notes", {"body": "text sealed"}, per_tenant=True)
///     True
///     >>> with vault.transaction() as transaction:
///     ...     id = transaction.tenant("acme").table("notes").insert(body="hello")
///     >>> vault.tenant("acme").table("notes").count(), vault.tenant("other").table("notes").count()
///     (1, 0)
#[pyclass(module = "sealite", frozen)]
pub(crate) struct TenantTables(Source);

#[pymethods]
impl TenantTables {
    /// The tenant's rows of a table of tenants.
    fn table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = string_given)] name: String,
    ) -> PyResult<Table> {
        Table::new(py, self.0.clone(), name)
    }

    fn __repr__(&self) -> &'static str {
        "<TenantTables>"
    }
}

/// A view of the vault at the moment when `with` began. It holds back the write-ahead log: keep it short.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("users", {"name": "text sealed"})
///     True
///     >>> vault.table("users").insert_many(["name"], [("Ada",), ("Grace",)])
///     [1, 2]
///     >>> with vault.snapshot() as snapshot:
///     ...     [row["name"] for row in snapshot.table("users").get_many([2, 1])]
///     ['Grace', 'Ada']
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Snapshot {
    root: Root,
    held: OnceLock<Arc<HeldSnapshot>>,
}

impl Snapshot {
    pub(crate) fn new(root: Root) -> Self {
        Snapshot { root, held: OnceLock::new() }
    }

    fn held(&self) -> PyResult<&Arc<HeldSnapshot>> {
        self.held.get().ok_or_else(|| not_begun("snapshot"))
    }
}

#[pymethods]
impl Snapshot {
    /// A table, as it was when the snapshot was taken.
    fn table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = string_given)] name: String,
    ) -> PyResult<Table> {
        Table::new(py, Source::Snapshot(Arc::clone(self.held()?), None), name)
    }

    /// What belonged to one tenant.
    fn tenant(&self, #[pyo3(from_py_with = text_given)] name: &str) -> PyResult<TenantTables> {
        Ok(TenantTables(Source::Snapshot(Arc::clone(self.held()?), Some(Arc::from(name)))))
    }

    /// Runs a query in plain SQL, as of the snapshot.
    #[pyo3(signature = (sql, parameters=None, /))]
    fn query(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] sql: &str,
        parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<SqlRows> {
        let held = self.held()?;
        let cells = self::parameters(parameters)?;
        let values = cells.refs()?;
        let found = py.detach(|| held.with(|snapshot| snapshot.query(sql, &values)))?;
        SqlRows::new(py, &found)
    }

    fn __enter__<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let own = this.get();
        if own.held.get().is_some() {
            return Err(begun_twice("snapshot"));
        }
        let begun = this.py().detach(|| own.root.snapshot()).map_err(Failure::from)?;
        own.held.set(Held::shared("snapshot", begun)).map_err(|_| begun_twice("snapshot"))?;
        Ok(this.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let held = self.held()?;
        py.detach(|| held.take().map(drop))?;
        Ok(())
    }

    fn __repr__(&self) -> &'static str {
        "<Snapshot>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Snapshot"))
    }
}
