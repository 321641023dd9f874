//! The vault: its life, its ways to unlock, its tables.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use sealite::{Alteration, Erasure, ErrorKind, RestoreOptions};

use crate::adoption::{self, AdoptionPreview, AdoptionReport};
use crate::approval::Approvals;
use crate::audit;
use crate::config::config;
use crate::copy::{self, BackupReport, Compaction};
use crate::definition::{Declared, Definition, index, protection, words};
use crate::erasure::{self as subjects, ErasureReceipt, TenantInfo};
use crate::error::error;
use crate::field::Field;
use crate::given::{string_given, string_or_none, strings_or_none, text_given, text_or_none};
use crate::health::{Health, Metrics};
use crate::keys::Keys;
use crate::protect::ProtectionPlan;
use crate::quota::Quotas;
use crate::row::{SqlRows, unpicklable};
use crate::settings::Settings;
use crate::source::{Root, Source};
use crate::table::{Table, column};
use crate::tenant::Tenant;
use crate::tokens::Tokens;
use crate::trace::Traced;
use crate::trail::Audit;
use crate::transaction::{Snapshot, Transaction, parameters};
use crate::unlock::{RecoveryCode, Slot, Unlock};
use crate::value::OrRaise;
use crate::verify::{Verification, verify};

/// A vault: one SQLite file that keeps tables sealed, or one in memory. Any thread may use it.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.define_table("users", {"email": "text sealed not null unique email", "name": "text sealed"})
///     True
///     >>> vault.table("users").insert(email="Ada@example.org", name="Ada")
///     1
///     >>> vault.table("users").find_one("email", " ada@EXAMPLE.org")["name"]
///     'Ada'
///     >>> vault.verify().sound
///     True
///     >>> vault.close()
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Vault(pub(crate) sealite::Vault);

fn path_or_none(path: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    if path.is_none() { Ok(None) } else { path_of(path).map(Some) }
}

/// The path, from a str, bytes or path object.
pub(crate) fn path_of(path: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let os = path.py().import("os")?;
    os.call_method1("fsdecode", (path,))?
        .extract()
        .map_err(|_| error(ErrorKind::InvalidInput, "a path that the file system has no form for"))
}

/// A handle to the file in whatever state it is.
fn at(path: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Vault> {
    let (py, config) = (path.py(), config(options)?);
    let path = path_of(path)?;
    audit::install(py)?;
    py.detach(|| sealite::Vault::at_with(path, config)).map(Vault).or_raise()
}

impl Vault {
    fn alter(&self, py: Python<'_>, table: &str, how: &Alteration) -> PyResult<&'static str> {
        py.traced(|| self.0.alter_table(table, how)).map(erasure).or_raise()
    }

    fn root(&self) -> Root {
        Root::Vault(self.0.clone())
    }
}

pub(crate) fn erasure(erasure: Erasure) -> &'static str {
    match erasure {
        Erasure::Complete => "complete",
        Erasure::Pending => "pending",
    }
}

#[pymethods]
impl Vault {
    /// Creates a vault with its first slot, exactly once: of several processes that try, one succeeds.
    ///
    /// The options, which `open` and `at` take, too: `busy_timeout`, seconds that a call waits for another writer;
    /// `synchronous`, "full" or "normal"; `existing_database`, a database with tables of its own becomes a vault;
    /// `disk_reserve`, the free bytes below which `health` says "disk_nearly_full"; `sealed_sql`, what SQL does with
    /// sealed tables: "full", "indexed" (what would walk a whole table is refused) or "off"; `sealed_to_plain`, SQL may
    /// copy sealed values into plain tables; `checkpoint`, the text of an audit checkpoint that was kept outside: a file that
    /// does not contain it, since an older one was put back, raises `RolledBack`; `key_cache`, how many unwrapped keys are
    /// kept in memory, and `key_age`, for how many seconds.
    #[staticmethod]
    #[pyo3(signature = (path, unlock, **options))]
    fn create(
        path: &Bound<'_, PyAny>,
        unlock: &Unlock,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let vault = at(path, options)?;
        vault.initialise(path.py(), unlock)?;
        Ok(vault)
    }

    /// Opens an existing vault. The options are those of `create`.
    #[staticmethod]
    #[pyo3(signature = (path, unlock, **options))]
    fn open(
        path: &Bound<'_, PyAny>,
        unlock: &Unlock,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let vault = at(path, options)?;
        vault.unlock(path.py(), unlock)?;
        Ok(vault)
    }

    /// A handle to the file in whatever state it is; nothing is created or unlocked. The options are those of `create`.
    #[staticmethod]
    #[pyo3(signature = (path, **options))]
    fn at(path: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        at(path, options)
    }

    /// A vault in memory, for tests and examples. It has one connection.
    #[staticmethod]
    fn in_memory(py: Python<'_>) -> PyResult<Self> {
        py.detach(sealite::Vault::in_memory).map(Vault).or_raise()
    }

    /// True where a vault of this process has the file open: another SQLite library, as that of Python's `sqlite3`, must
    /// not open it then.
    #[staticmethod]
    fn holds_file(path: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = path.py();
        let path = path_of(path)?;
        Ok(py.detach(|| sealite::Vault::holds_file(path)))
    }

    /// "absent", "uninitialised", "locked" or "open".
    #[getter]
    fn status(&self, py: Python<'_>) -> PyResult<&'static str> {
        py.detach(|| self.0.status()).map(sealite::Status::name).or_raise()
    }

    /// The file; None for a vault in memory.
    #[getter]
    fn path(&self) -> Option<&std::path::Path> {
        self.0.path()
    }

    /// Creates the vault in the file with its first slot, and opens it.
    fn initialise(&self, py: Python<'_>, unlock: &Unlock) -> PyResult<()> {
        py.traced(|| self.0.initialise(&unlock.0)).or_raise()
    }

    /// Takes the keys into memory, with the secret of any slot.
    fn unlock(&self, py: Python<'_>, unlock: &Unlock) -> PyResult<()> {
        py.detach(|| self.0.unlock(&unlock.0)).or_raise()
    }

    /// Wipes the keys from memory.
    fn lock(&self, py: Python<'_>) {
        py.detach(|| self.0.lock());
    }

    /// Wipes the keys and closes every connection.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }

    fn __enter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    /// The ways to unlock. Needs no key.
    fn slots(&self, py: Python<'_>) -> PyResult<Vec<Slot>> {
        let slots = py.detach(|| self.0.slots()).or_raise()?;
        Ok(slots.into_iter().map(Slot).collect())
    }

    /// Adds a way to unlock; returns its id.
    fn add_slot(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] label: &str,
        unlock: &Unlock,
    ) -> PyResult<i64> {
        py.traced(|| self.0.add_slot(label, &unlock.0)).or_raise()
    }

    /// Adds a recovery code; returns the slot's id, and the code, which is shown this once.
    fn add_recovery_slot(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] label: &str,
    ) -> PyResult<(i64, RecoveryCode)> {
        let (id, code) = py.traced(|| self.0.add_recovery_slot(label)).or_raise()?;
        Ok((id, RecoveryCode(code)))
    }

    /// Removes a way to unlock; the last one stays. It takes back nothing that its holder has seen.
    fn remove_slot(&self, py: Python<'_>, id: i64) -> PyResult<()> {
        py.traced(|| self.0.remove_slot(id)).or_raise()
    }

    /// Declares a table: creates it, or checks that what is stored is no weaker. True where it was created. `subject`: the
    /// authenticated column that says whose a row is, or the primary key where every row is its own subject.
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
        let declared = Declared { name, columns, key, text_key, per_tenant, padding, subject };
        let definition = declared.definition()?;
        py.traced(|| self.0.define_table(&definition)).or_raise()
    }

    /// The tables as they are declared now, in the order of their names.
    fn tables(&self, py: Python<'_>) -> PyResult<Vec<Definition>> {
        let tables = py.detach(|| self.0.tables()).or_raise()?;
        Ok(tables.into_iter().map(Definition::new).collect())
    }

    /// A table. Each call on it is a transaction of its own.
    fn table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = string_given)] name: String,
    ) -> PyResult<Table> {
        Table::new(py, Source::Root(self.root()), name)
    }

    /// Single sealed values for a database of the application's own.
    #[pyo3(signature = (name, *, padding=None))]
    fn field(
        &self,
        #[pyo3(from_py_with = text_given)] name: &str,
        padding: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Field> {
        Field::new(self.0.field(name), padding)
    }

    /// A handle that reaches one tenant's rows and fields and nothing else.
    fn tenant(&self, #[pyo3(from_py_with = text_given)] name: &str) -> PyResult<Tenant> {
        let memory = self.0.path().is_none();
        self.0.tenant(name).map(|tenant| Tenant { tenant, memory }).or_raise()
    }

    /// Limits on how often something happens.
    #[getter]
    fn quotas(&self) -> Quotas {
        Quotas(self.0.quotas())
    }

    /// Requests that somebody has to approve.
    #[getter]
    fn approvals(&self) -> Approvals {
        Approvals(self.0.approvals())
    }

    /// The settings.
    #[getter]
    fn settings(&self) -> Settings {
        Settings::new(self.0.settings())
    }

    /// The life of the vault's keys.
    #[getter]
    fn keys(&self) -> Keys {
        Keys(self.0.keys())
    }

    /// Tokens that somebody presents: sessions, API keys, one-time links, break-glass.
    #[getter]
    fn tokens(&self) -> Tokens {
        Tokens::of(self.root())
    }

    /// The audit trail.
    #[getter]
    fn audit(&self) -> Audit {
        Audit::new(self.0.audit())
    }

    /// A transaction, for a with statement or to `begin`.
    fn transaction(&self) -> Transaction {
        Transaction::new(self.root())
    }

    /// A view of the vault at one moment, for a with statement.
    fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.root())
    }

    /// Runs one statement of plain SQL; returns the number of rows changed. Sealed tables are refused.
    #[pyo3(signature = (sql, parameters=None, /))]
    fn execute(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] sql: &str,
        parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let cells = self::parameters(parameters)?;
        let values = cells.refs()?;
        py.traced(|| self.0.execute(sql, &values)).or_raise()
    }

    /// Runs a query in plain SQL.
    #[pyo3(signature = (sql, parameters=None, /))]
    fn query(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] sql: &str,
        parameters: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<SqlRows> {
        let cells = self::parameters(parameters)?;
        let values = cells.refs()?;
        let found = py.traced(|| self.0.query(sql, &values)).or_raise()?;
        SqlRows::new(py, &found)
    }

    /// Adds a column, from its whole specification. The rows that are there have its default.
    fn add_column(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        #[pyo3(from_py_with = text_given)] specification: &str,
    ) -> PyResult<&'static str> {
        self.alter(py, table, &Alteration::AddColumn(column(specification)?))
    }

    /// Drops a column.
    fn drop_column(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        #[pyo3(from_py_with = string_given)] column: String,
    ) -> PyResult<&'static str> {
        self.alter(py, table, &Alteration::DropColumn(column))
    }

    /// Renames a column.
    fn rename_column(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        #[pyo3(from_py_with = string_given)] column: String,
        #[pyo3(from_py_with = string_given)] to: String,
    ) -> PyResult<&'static str> {
        self.alter(py, table, &Alteration::RenameColumn(column, to))
    }

    /// Renames a table.
    fn rename_table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        #[pyo3(from_py_with = string_given)] to: String,
    ) -> PyResult<&'static str> {
        self.alter(py, table, &Alteration::RenameTable(to))
    }

    /// Changes how a column is kept, and moves the values that are there.
    fn protect(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        #[pyo3(from_py_with = string_given)] column: String,
        #[pyo3(from_py_with = text_given)] protection: &str,
    ) -> PyResult<&'static str> {
        let protection = self::protection(protection)?;
        self.alter(py, table, &Alteration::Protect(column, protection))
    }

    /// Adds an index to a column: `unique email`, `lookup 5000 text`.
    fn add_index(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        #[pyo3(from_py_with = string_given)] column: String,
        #[pyo3(from_py_with = text_given)] index: &str,
    ) -> PyResult<&'static str> {
        let index = self::index(index)?;
        self.alter(py, table, &Alteration::AddIndex(column, index))
    }

    /// Drops the index of a column.
    fn drop_index(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        #[pyo3(from_py_with = string_given)] column: String,
    ) -> PyResult<&'static str> {
        self.alter(py, table, &Alteration::DropIndex(column))
    }

    /// Drops a table with all its rows.
    fn drop_table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
    ) -> PyResult<&'static str> {
        py.traced(|| self.0.drop_table(table)).map(erasure).or_raise()
    }

    /// Converts a plain table into a sealed one, in place.
    #[pyo3(signature = (table, columns, *, subject=None))]
    fn protect_table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        columns: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = text_or_none)] subject: Option<&str>,
    ) -> PyResult<&'static str> {
        let columns = words(columns, subject)?;
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        py.traced(|| self.0.protect_table(table, &columns)).map(erasure).or_raise()
    }

    /// Says what `protect_table` would do; nothing is written.
    #[pyo3(signature = (table, columns, *, subject=None))]
    fn plan_protection(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
        columns: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = text_or_none)] subject: Option<&str>,
    ) -> PyResult<ProtectionPlan> {
        let columns = words(columns, subject)?;
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        py.detach(|| self.0.plan_protection(table, &columns)).map(ProtectionPlan).or_raise()
    }

    /// Says what `adopt` would do; nothing is written.
    #[pyo3(signature = (plan=None, *, columns=None, source=None, values=false, remove=false))]
    fn preview_adoption(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_or_none)] plan: Option<&str>,
        #[pyo3(from_py_with = strings_or_none)] columns: Option<Vec<String>>,
        #[pyo3(from_py_with = path_or_none)] source: Option<PathBuf>,
        values: bool,
        remove: bool,
    ) -> PyResult<AdoptionPreview> {
        let plan = adoption::plan(plan, columns, source, (values, remove))?;
        adoption::preview(py, &self.0, &plan)
    }

    /// Adopts an existing database by a plan. `progress` gets the phase, the table, the rows so far and all rows.
    #[pyo3(signature = (plan=None, *, columns=None, source=None, values=false, remove=false, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "each is an argument in Python")]
    #[allow(clippy::needless_pass_by_value)] // as arguments come
    fn adopt(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_or_none)] plan: Option<&str>,
        #[pyo3(from_py_with = strings_or_none)] columns: Option<Vec<String>>,
        #[pyo3(from_py_with = path_or_none)] source: Option<PathBuf>,
        values: bool,
        remove: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<AdoptionReport> {
        let plan = adoption::plan(plan, columns, source, (values, remove))?;
        adoption::adopt(py, &self.0, &plan, progress.as_ref())
    }

    /// Makes a sealed table plain again.
    fn unprotect_table(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
    ) -> PyResult<()> {
        py.traced(|| self.0.unprotect_table(table)).or_raise()
    }

    /// Finishes an alteration that was interrupted.
    fn finish_alteration(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] table: &str,
    ) -> PyResult<&'static str> {
        py.traced(|| self.0.finish_alteration(table)).map(erasure).or_raise()
    }

    /// Erases a subject: deletes its rows, tokens and approvals, and destroys its keys.
    #[pyo3(signature = (subject, *, tenant=None))]
    fn erase_subject(
        &self,
        py: Python<'_>,
        subject: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = text_or_none)] tenant: Option<&str>,
    ) -> PyResult<ErasureReceipt> {
        subjects::erase_subject(py, &self.0, subject, tenant)
    }

    /// Erases several subjects, each in a transaction of its own, and rewrites the file once behind all of them. The
    /// receipts, in their order. The first that fails ends the call: those before it are erased.
    #[pyo3(signature = (subjects, *, tenant=None))]
    fn erase_subjects(
        &self,
        py: Python<'_>,
        subjects: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = text_or_none)] tenant: Option<&str>,
    ) -> PyResult<Vec<ErasureReceipt>> {
        crate::erasure::erase_subjects(py, &self.0, subjects, tenant)
    }

    /// Erases a tenant: everything that is its, and every key of it. Its audit entries stay.
    fn erase_tenant(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
    ) -> PyResult<ErasureReceipt> {
        subjects::erase_tenant(py, &self.0, name)
    }

    /// Whether the vault has written this receipt of an erasure; what it says.
    fn verify_receipt(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] text: &str,
    ) -> PyResult<ErasureReceipt> {
        subjects::verify_receipt(py, &self.0, text)
    }

    /// The tenants that have, or had, keys, in the order of their names.
    fn tenants(&self, py: Python<'_>) -> PyResult<Vec<TenantInfo>> {
        subjects::tenants(py, &self.0)
    }

    /// Everything that a subject has, as JSON in UTF-8. Audited.
    #[pyo3(signature = (subject, *, tenant=None))]
    fn export_subject<'py>(
        &self,
        py: Python<'py>,
        subject: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = text_or_none)] tenant: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        subjects::export_subject(py, &self.0, subject, tenant)
    }

    /// Goes on with erasures that were interrupted, and overwrites what remnants alterations and erasures have left.
    fn finish_erasure(&self, py: Python<'_>) -> PyResult<&'static str> {
        py.traced(|| self.0.finish_erasure()).map(erasure).or_raise()
    }

    /// Copies the vault, in use, into a new file, and checks the copy. `progress` gets "copied" with the pages so far and of
    /// all, "opened" with rows, "audited" with entries of the trail; what it raises ends the copy.
    #[pyo3(signature = (to, *, verify=true, progress=None))]
    fn backup(
        &self,
        to: &Bound<'_, PyAny>,
        verify: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<BackupReport> {
        let path = path_of(to)?;
        copy::backup(to.py(), &self.0, &path, verify, progress.map(Bound::as_unbound))
    }

    /// Makes a vault of a backup, once that is checked. With `drill` all of it is done, and nothing kept.
    #[staticmethod]
    #[pyo3(signature = (backup, to, unlock, *, checkpoint=None, drill=false, progress=None))]
    fn restore(
        backup: &Bound<'_, PyAny>,
        to: &Bound<'_, PyAny>,
        unlock: &Unlock,
        #[pyo3(from_py_with = string_or_none)] checkpoint: Option<String>,
        drill: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<BackupReport> {
        let mut options = RestoreOptions::default();
        options.checkpoint = checkpoint;
        options.drill = drill;
        let paths = (&path_of(backup)?, &path_of(to)?);
        copy::restore(to.py(), paths, unlock, &options, progress.map(Bound::as_unbound))
    }

    /// Writes the file anew without its free pages, and empties its log.
    fn compact(&self, py: Python<'_>) -> PyResult<Compaction> {
        py.traced(|| self.0.compact()).map(Compaction).or_raise()
    }

    /// Opens every record and runs SQLite's own check. `progress` gets the number of rows opened so far.
    #[pyo3(signature = (progress=None))]
    fn verify(
        &self,
        py: Python<'_>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Verification> {
        verify(py, &self.0, progress.map(Bound::as_unbound))
    }

    /// Whether the vault is in order, and if not, why. Raises nothing, and waits for no writer.
    fn health(&self, py: Python<'_>) -> Health {
        Health(py.detach(|| self.0.health()))
    }

    /// What this process has done with the vault.
    fn metrics(&self, py: Python<'_>) -> Metrics {
        Metrics(py.detach(|| self.0.metrics()))
    }

    /// Adds to a counter of the application's own, which `metrics` shows under that name.
    #[pyo3(signature = (name, by=1))]
    fn count(&self, #[pyo3(from_py_with = text_given)] name: &str, by: i64) -> PyResult<()> {
        let by = u64::try_from(by)
            .map_err(|_| error(ErrorKind::InvalidInput, "a counter only goes up"))?;
        self.0.count(name, by).or_raise()
    }

    /// Accepts the system's clock as it is, after it has been set back, or after it has been far ahead. Audited.
    fn accept_clock(&self, py: Python<'_>) -> PyResult<()> {
        py.traced(|| self.0.accept_clock()).or_raise()
    }

    /// Sets the clock of this vault's handles, in milliseconds since 1970; None gives it back to the system. For
    /// `sealite.testing`.
    #[pyo3(name = "_set_clock")]
    fn set_clock(&self, clock_ms: Option<i64>) {
        self.0.set_clock(clock_ms);
    }

    fn __repr__(&self) -> String {
        match self.0.path() {
            Some(path) => format!("<Vault {}>", path.display()),
            None => "<Vault in memory>".to_owned(),
        }
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Vault"))
    }
}
