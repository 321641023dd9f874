//! What plain SQL may do on an engine connection. Asked by SQLite whenever a statement is compiled, also when it is
//! compiled again after a change of the schema.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::open::{Config, SealedSql};
use super::pragma::{concerns_itself, may_use_pragma};
use crate::fork::{Inherit, PerProcess};

/// The suffix of a physical table.
pub(crate) const SEALED_SUFFIX: &str = "_sealed";
/// The prefix of the engine's own tables.
pub(crate) const ENGINE_PREFIX: &str = "sealite_";

/// Columns of tables, all names in lower case.
pub(crate) type Columns = HashMap<String, HashSet<String>>;

/// What plain SQL has to know of the sealed tables: one list for all connections of a vault.
#[derive(Default)]
pub(crate) struct Readable {
    tables: PerProcess<Lists>,
    version: AtomicU64,
}

#[derive(Clone, Default)]
struct Lists {
    /// The columns of the physical tables that plain SQL may read.
    physical: Columns,
    /// The sealed columns of the logical tables.
    sealed: Columns,
}

impl Inherit for Lists {
    /// Where they were being changed, so was the vault's state, and no child uses the vault.
    fn inherit(parent: Option<&Self>) -> Self {
        parent.cloned().unwrap_or_default()
    }
}

/// Whether one connection compiles for the engine or for the application.
pub(crate) struct Authority {
    application: AtomicBool,
    /// True while a statement of the application runs that must not be compiled anew meanwhile.
    running: AtomicBool,
    /// True where SQL may begin and end transactions.
    ends: AtomicBool,
    readable: Arc<Readable>,
    /// Whether a statement may write into a plain table what it reads from sealed columns.
    copies: bool,
    /// Whether sealed tables are there in SQL.
    pub(crate) shows: bool,
    /// Whether SQL may walk through a sealed table.
    pub(crate) scans: bool,
    /// What the statement that is being compiled has asked for.
    asked: AtomicU8,
    /// Why it was refused, where the reason is not the general one.
    refused: AtomicU8,
    /// Sealed tables whose names something else in the file has, in lower case.
    clashes: Mutex<HashSet<String>>,
}

const READS_SEALED: u8 = 1;
const WRITES_PLAIN: u8 = 2;
/// The statement writes a plain table by itself, and not by a trigger.
const WRITES: u8 = 4;
const COPIES: u8 = 1;
const SCHEMA: u8 = 2;
const CLASH: u8 = 3;
const STALE: u8 = 4;

impl Readable {
    /// The readable columns of the physical tables, the sealed ones of the logical tables.
    pub(crate) fn set(&self, physical: Columns, sealed: Columns) {
        *self.tables.write() = Lists { physical, sealed };
        self.version.fetch_add(1, Ordering::Release);
    }

    fn is_sealed(&self, table: &str) -> bool {
        self.tables.read().sealed.contains_key(&table.to_ascii_lowercase())
    }

    /// Advances with every change of the list.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

impl Authority {
    pub(super) fn new(readable: &Arc<Readable>, config: &Config) -> Self {
        Authority {
            application: AtomicBool::new(false),
            running: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            readable: Arc::clone(readable),
            copies: config.sealed_to_plain,
            scans: config.sealed_sql == SealedSql::Full,
            shows: config.sealed_sql != SealedSql::Off,
            asked: AtomicU8::new(0),
            refused: AtomicU8::new(0),
            clashes: Mutex::default(),
        }
    }

    /// Everything compiled while the guard lives is the application's.
    pub(crate) fn application(&self) -> Turn<'_> {
        self.refused.store(0, Ordering::Relaxed);
        self.turn(true)
    }

    /// Everything compiled while the guard lives is the engine's, also inside an application's statement.
    pub(crate) fn engine(&self) -> Turn<'_> {
        self.turn(false)
    }

    /// A statement of the application runs. Where SQLite would compile it anew, since the schema has changed under it, it
    /// fails if it names a sealed table: what the name stands for has to be looked at first.
    pub(crate) fn running(&self) -> Running<'_> {
        let before = self.running.load(Ordering::Relaxed);
        self.running.store(true, Ordering::Relaxed);
        Running { turn: self.application(), before }
    }

    /// True where the statement that ran last failed for that reason.
    pub(crate) fn is_stale(&self) -> bool {
        self.refused.load(Ordering::Relaxed) == STALE
    }

    /// Whether SQL may begin and end transactions, and set what concerns its own connection.
    pub(crate) fn let_end(&self, ends: bool) {
        self.ends.store(ends, Ordering::Relaxed);
    }

    fn turn(&self, application: bool) -> Turn<'_> {
        // One thread at a time uses a connection: no need to swap, which costs as much as a look-up.
        let turn = Turn {
            authority: self,
            before: self.application.load(Ordering::Relaxed),
            asked: self.asked.load(Ordering::Relaxed),
        };
        self.application.store(application, Ordering::Relaxed);
        self.asked.store(0, Ordering::Relaxed);
        turn
    }

    /// Why the statement that was compiled last was refused.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self.refused.load(Ordering::Relaxed) {
            COPIES => Some(
                "the statement reads sealed columns and writes a plain table, where they would stand in clear: read \
                 and write in two statements, or allow sealed_to_plain",
            ),
            CLASH => Some(
                "the file has a plain table or view of a sealed table's name, perhaps put there by somebody else: SQL \
                 reaches neither until the plain one is dropped",
            ),
            SCHEMA => Some(
                "a sealed table is declared, altered and dropped through the engine, and its name is taken",
            ),
            _ => None,
        }
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
        let allowed = || self.allows(&asked.action) && self.keeps_apart(asked);
        if engine || asked.accessor.is_none() && self.is_follow_up(&asked.action) || allowed() {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }

    /// True for what a foreign key does to a sealed table's rows when a statement deletes or changes those that they refer
    /// to. A statement writes one table by itself: where that is a plain one, no other write is its own.
    fn is_follow_up(&self, action: &AuthAction<'_>) -> bool {
        use AuthAction as A;
        let (table, column) = match *action {
            A::Insert { table_name } if !engine_table(table_name) => (table_name, None),
            A::Delete { table_name } => (table_name, None),
            A::Update { table_name, column_name } => (table_name, Some(column_name)),
            _ => return false,
        };
        if !engine_table(table) {
            self.asked.fetch_or(WRITES, Ordering::Relaxed);
            return false;
        }
        self.asked.load(Ordering::Relaxed) & WRITES != 0
            && !starts_with(table, ENGINE_PREFIX)
            && column.is_none_or(|column| self.may_read(table, column))
    }

    /// False where the statement would copy sealed values into a plain table of the file, or takes a sealed table's
    /// name.
    fn keeps_apart(&self, asked: &AuthContext<'_>) -> bool {
        use AuthAction as A;
        let temporary = asked.database_name == Some("temp");
        if self.running.load(Ordering::Relaxed)
            && self.application.load(Ordering::Relaxed)
            && let A::Read { table_name, .. }
            | A::Insert { table_name }
            | A::Update { table_name, .. }
            | A::Delete { table_name } = asked.action
            && self.readable.is_sealed(table_name)
        {
            return self.refuse(STALE);
        }
        if let A::Read { table_name, .. } | A::Insert { table_name } | A::Update { table_name, .. } =
            asked.action
            && self.clashes(table_name)
        {
            return self.refuse(CLASH);
        }
        let asks = match asked.action {
            A::Read { table_name, column_name } => {
                let lists = self.readable.tables.read();
                let columns = lists.sealed.get(&table_name.to_ascii_lowercase());
                let reads = |c: &HashSet<String>| c.contains(&column_name.to_ascii_lowercase());
                if columns.is_some_and(reads) { READS_SEALED } else { 0 }
            }
            A::CreateTable { table_name } | A::CreateView { view_name: table_name }
                if self.readable.is_sealed(table_name) =>
            {
                return self.refuse(SCHEMA);
            }
            A::CreateTempTable { table_name }
            | A::CreateTempView { view_name: table_name }
            | A::CreateVtable { table_name, .. }
            | A::DropVtable { table_name, .. }
                if self.readable.is_sealed(table_name) =>
            {
                return self.refuse(SCHEMA);
            }
            A::Insert { table_name } | A::Update { table_name, .. } if !temporary => {
                if self.readable.is_sealed(table_name) { 0 } else { WRITES_PLAIN }
            }
            A::CreateTable { .. } => WRITES_PLAIN,
            _ => 0,
        };
        let all = self.asked.fetch_or(asks, Ordering::Relaxed) | asks;
        if !self.copies && all & (READS_SEALED | WRITES_PLAIN) == READS_SEALED | WRITES_PLAIN {
            return self.refuse(COPIES);
        }
        true
    }

    /// Says which sealed tables SQL can't reach, because their names stand for something else.
    pub(crate) fn set_clashes(&self, clashes: HashSet<String>) {
        *self.clashes.lock().unwrap_or_else(PoisonError::into_inner) = clashes;
    }

    /// A sealed table that SQL can't reach for that reason.
    #[cfg(feature = "loadable")]
    pub(crate) fn clash(&self) -> Option<String> {
        let clashes = self.clashes.lock().unwrap_or_else(PoisonError::into_inner);
        clashes.iter().next().cloned()
    }

    /// True for the name of a sealed table that something else in the file has.
    pub(crate) fn clashes(&self, table: &str) -> bool {
        let clashes = self.clashes.lock().unwrap_or_else(PoisonError::into_inner);
        !clashes.is_empty() && clashes.contains(&table.to_ascii_lowercase())
    }

    fn refuse(&self, reason: u8) -> bool {
        self.refused.store(reason, Ordering::Relaxed);
        false
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
            A::Pragma { pragma_name, pragma_value } => {
                may_use_pragma(pragma_name, pragma_value)
                    || (self.ends.load(Ordering::Relaxed)
                        && concerns_itself(pragma_name, pragma_value.unwrap_or_default()))
            }
            A::Transaction { .. } | A::Savepoint { .. } => self.ends.load(Ordering::Relaxed),
            A::Attach { .. }
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
        let lists = self.readable.tables.read();
        lists
            .physical
            .get(&table.to_ascii_lowercase())
            .is_some_and(|columns| columns.contains(&column.to_ascii_lowercase()))
    }
}

/// Ends the run of a statement when dropped.
pub(crate) struct Running<'a> {
    turn: Turn<'a>,
    before: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.turn.authority.running.store(self.before, Ordering::Relaxed);
    }
}

/// Ends a turn when dropped.
pub(crate) struct Turn<'a> {
    authority: &'a Authority,
    before: bool,
    /// What the statement has asked for that is compiled or runs around the turn.
    asked: u8,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.authority.application.store(self.before, Ordering::Relaxed);
        self.authority.asked.store(self.asked, Ordering::Relaxed);
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
