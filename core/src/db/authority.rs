//! What plain SQL may do on an engine connection. Asked by SQLite whenever a statement is compiled, also when it is
//! compiled again after a change of the schema.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// The suffix of a physical table.
pub(crate) const SEALED_SUFFIX: &str = "_sealed";
/// The prefix of the engine's own tables.
pub(crate) const ENGINE_PREFIX: &str = "sealite_";

/// Which columns of which physical tables plain SQL may read: one list for all connections of a vault.
#[derive(Default)]
pub(crate) struct Readable {
    tables: Mutex<HashMap<String, HashSet<String>>>,
    version: AtomicU64,
}

/// Whether one connection compiles for the engine or for the application.
pub(crate) struct Authority {
    application: AtomicBool,
    readable: Arc<Readable>,
}

impl Readable {
    pub(crate) fn set(&self, tables: HashMap<String, HashSet<String>>) {
        *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = tables;
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Advances with every change of the list.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

impl Authority {
    pub(super) fn new(readable: &Arc<Readable>) -> Self {
        Authority { application: AtomicBool::new(false), readable: Arc::clone(readable) }
    }

    /// Everything compiled while the guard lives is the application's.
    pub(super) fn application(&self) -> ApplicationSql<'_> {
        self.application.store(true, Ordering::Relaxed);
        ApplicationSql(self)
    }

    pub(crate) fn readable(&self) -> &Readable {
        &self.readable
    }

    pub(super) fn install(
        self: &Arc<Self>,
        raw: &mut rusqlite::Connection,
    ) -> rusqlite::Result<()> {
        let authority = Arc::clone(self);
        raw.authorizer(Some(move |asked: AuthContext<'_>| authority.decide(&asked)))
    }

    fn decide(&self, asked: &AuthContext<'_>) -> Authorization {
        // Triggers and views are the application's, also where an engine statement sets one off (a foreign key's
        // cascade into an application's table).
        let engine = !self.application.load(Ordering::Relaxed) && asked.accessor.is_none();
        if engine || self.allows(&asked.action) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }

    fn allows(&self, action: &AuthAction<'_>) -> bool {
        use AuthAction as A;
        match *action {
            A::Read { table_name, column_name } => self.may_read(table_name, column_name),
            A::Insert { table_name }
            | A::Delete { table_name }
            | A::Update { table_name, .. }
            | A::CreateTable { table_name }
            | A::CreateTempTable { table_name }
            | A::DropTable { table_name }
            | A::DropTempTable { table_name }
            | A::CreateIndex { table_name, .. }
            | A::DropIndex { table_name, .. }
            | A::CreateTempIndex { table_name, .. }
            | A::CreateTrigger { table_name, .. }
            | A::CreateTempTrigger { table_name, .. }
            | A::DropTrigger { table_name, .. }
            // Its samples would show index values.
            | A::Analyze { table_name }
            | A::CreateVtable { table_name, .. } => !engine_table(table_name),
            // A temporary table, renamed, would stand before the engine's table of that name.
            A::AlterTable { database_name, table_name } => {
                !engine_table(table_name) && !database_name.eq_ignore_ascii_case("temp")
            }
            A::CreateView { view_name } | A::CreateTempView { view_name } => {
                !engine_table(view_name)
            }
            A::Pragma { pragma_name, pragma_value } => may_use_pragma(pragma_name, pragma_value),
            A::Transaction { .. }
            | A::Savepoint { .. }
            | A::Attach { .. }
            | A::Detach { .. }
            | A::Unknown { .. } => false,
            A::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
            _ => true,
        }
    }

    fn may_read(&self, table: &str, column: &str) -> bool {
        if starts_with(table, ENGINE_PREFIX) {
            return false;
        }
        // An empty name: the statement reads no column, it only counts or tests for rows.
        if !ends_with(table, SEALED_SUFFIX) || column.is_empty() {
            return true;
        }
        let tables = self.readable.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables
            .get(&table.to_ascii_lowercase())
            .is_some_and(|columns| columns.contains(&column.to_ascii_lowercase()))
    }
}

/// Ends the application's turn when dropped.
pub(super) struct ApplicationSql<'a>(&'a Authority);

impl Drop for ApplicationSql<'_> {
    fn drop(&mut self) {
        self.0.application.store(false, Ordering::Relaxed);
    }
}

fn engine_table(name: &str) -> bool {
    starts_with(name, ENGINE_PREFIX) || ends_with(name, SEALED_SUFFIX)
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

fn ends_with(name: &str, suffix: &str) -> bool {
    name.len()
        .checked_sub(suffix.len())
        .and_then(|at| name.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
}

/// Reading a pragma is harmless; setting is allowed only for those that concern neither durability nor remnants.
fn may_use_pragma(name: &str, value: Option<&str>) -> bool {
    const ABOUT: &[&str] = &[
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "foreign_key_check",
        "integrity_check",
        "quick_check",
        "optimize",
        "user_version",
        "application_id",
    ];
    const SETTABLE: &[&str] =
        &["cache_size", "case_sensitive_like", "defer_foreign_keys", "recursive_triggers"];
    let is = |list: &[&str]| list.iter().any(|item| name.eq_ignore_ascii_case(item));
    match value {
        None => true,
        Some(_) if is(&["user_version", "application_id"]) => false,
        Some(_) => is(ABOUT) || is(SETTABLE),
    }
}
