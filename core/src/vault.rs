//! The public object: a vault file, or one in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::approval::Approvals;
use crate::audit::{Audit, Entry, append};
use crate::creation::{inspect, write_vault};
use crate::crypto::random;
use crate::db::{Config, Conn, Location, Pool, held_here};
use crate::error::{Result, err, fail};
use crate::field::Field;
use crate::health::{self, Health, Metrics};
use crate::keys::seal::no_randomness;
use crate::keys::{RecoveryCode, Slot, Unlock, slots};
use crate::quota::Quotas;
use crate::secret::Secret32;
use crate::settings::Settings;
use crate::sql::{self, SqlRows};
use crate::table::definition::{check_own, check_tenant, is_internal};
use crate::table::engine::Engine;
use crate::table::session::Session;
use crate::table::{
    Alteration, ReadSession, Source, Table, TableDefinition, Verification, alter, backfill, define,
    verify,
};
use crate::tenant::Tenant;
use crate::transaction::{Snapshot, Transaction};
use crate::value::ValueRef;

/// The state of a vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Status {
    /// There is no file.
    Absent,
    /// There is a file, and no vault in it yet.
    Uninitialised,
    /// There is a vault, and this handle holds no key.
    Locked,
    /// The keys are in memory.
    Open,
}

impl Status {
    /// The name: `absent`, `uninitialised`, `locked` or `open`.
    pub fn name(self) -> &'static str {
        match self {
            Status::Absent => "absent",
            Status::Uninitialised => "uninitialised",
            Status::Locked => "locked",
            Status::Open => "open",
        }
    }
}

/// Whether remnants of plaintext have been overwritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "pending erasure is finished by Vault::finish_erasure"]
pub enum Erasure {
    /// Nothing is left of what alterations have removed, in the file, its free pages or its log.
    Complete,
    /// A reader held the log back. Call [`Vault::finish_erasure`] later.
    Pending,
}

/// A vault. `Send`, `Sync`, and cheap to clone: clones share connections and keys.
#[derive(Clone)]
pub struct Vault {
    engine: Arc<Engine>,
}

impl Vault {
    /// A handle to the file in whatever state it is; nothing is created or unlocked. See [`Vault::status`],
    /// [`Vault::initialise`] and [`Vault::unlock`].
    ///
    /// # Errors
    /// `another_library` where other code of this process has the file open.
    pub fn at(path: impl AsRef<Path>) -> Result<Self> {
        Self::at_with(path, Config::default())
    }

    /// As [`Vault::at`], configured.
    pub fn at_with(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        let path: PathBuf = std::path::absolute(path.as_ref())
            .map_err(|_| err!(InvalidInput, "an empty path names no file"))?;
        let pool = Pool::new(Location::File(path), config)?;
        Ok(Vault { engine: Arc::new(Engine::new(pool)) })
    }

    /// Creates a vault with its first slot, exactly once: of several processes that try, one succeeds.
    ///
    /// # Errors
    /// `already_initialised` where there is one.
    pub fn create(path: impl AsRef<Path>, unlock: &Unlock) -> Result<Self> {
        let vault = Self::at(path)?;
        vault.initialise(unlock)?;
        Ok(vault)
    }

    /// Opens an existing vault.
    ///
    /// # Errors
    /// `not_initialised` where there is none, `wrong_key` where no slot opens, `not_a_vault`, `newer_format`.
    pub fn open(path: impl AsRef<Path>, unlock: &Unlock) -> Result<Self> {
        let vault = Self::at(path)?;
        vault.unlock(unlock)?;
        Ok(vault)
    }

    /// A vault in memory, for tests and examples: gone when the last clone is dropped. Its key is random and never
    /// leaves the process. It has one connection, so a transaction or snapshot excludes every other call meanwhile.
    pub fn in_memory() -> Result<Self> {
        let pool = Pool::new(Location::Memory, Config::default())?;
        let vault = Vault { engine: Arc::new(Engine::new(pool)) };
        let mut key = Secret32::zeroed();
        random::fill(key.expose_mut()).map_err(|_| no_randomness())?;
        vault.initialise(&Unlock::key(key.expose())?)?;
        Ok(vault)
    }

    /// True where a vault of this process has the file open: another SQLite library must not open it then.
    pub fn holds_file(path: impl AsRef<Path>) -> bool {
        held_here(path.as_ref())
    }

    /// The state of the vault.
    pub fn status(&self) -> Result<Status> {
        if self.engine.is_open() {
            return Ok(Status::Open);
        }
        if !self.file_exists()? {
            return Ok(Status::Absent);
        }
        let conn = self.engine.pool.reader()?;
        Ok(match inspect(&conn)? {
            Some(_) => Status::Locked,
            None => Status::Uninitialised,
        })
    }

    /// Creates the vault in the file with its first slot, and opens it. See [`Vault::create`].
    pub fn initialise(&self, unlock: &Unlock) -> Result<()> {
        // A passphrase is slow: stretched before the lock is taken.
        let draft = slots::Draft::new(unlock.kind().name(), unlock)?;
        if self.path().is_some() && self.file_exists()? {
            // Before anything is written: the creator's connection turns on WAL, also in a file that is refused.
            let conn = self.engine.pool.reader()?;
            conn.execute("BEGIN", &[])?;
            self.check_free(&conn)?;
            conn.execute("COMMIT", &[])?;
        }
        let conn = self.engine.pool.creator()?;
        conn.execute("BEGIN IMMEDIATE", &[])?;
        self.check_free(&conn)?;
        let (meta, master) = write_vault(&conn, &draft)?;
        conn.execute("COMMIT", &[])?;
        random::discard();
        self.engine.unlock(&conn, &meta, master)?;
        drop(conn);
        let payload = serde_json::json!({"slot": unlock.kind().name()});
        self.record("vault.initialised", &payload)
    }

    /// Takes the keys into memory, with the secret of any slot.
    pub fn unlock(&self, unlock: &Unlock) -> Result<()> {
        if !self.file_exists()? {
            fail!(NotInitialised, "there is no vault: the file does not exist");
        }
        let conn = self.engine.pool.reader()?;
        let Some(meta) = inspect(&conn)? else {
            fail!(NotInitialised, "the file holds no vault yet");
        };
        let stored = slots::read(&conn)?;
        drop(conn);
        // No connection is held while a passphrase is stretched.
        let master = slots::open_any(&stored, &meta.vault, unlock)?;
        let conn = self.engine.pool.reader()?;
        let Some(meta) = inspect(&conn)? else { fail!(Corrupt, "the vault has gone meanwhile") };
        self.engine.unlock(&conn, &meta, master)
    }

    /// Wipes the keys from memory. Calls fail as locked from then on; transactions, snapshots and scans that are open go
    /// on to their end.
    pub fn lock(&self) {
        self.engine.lock();
    }

    /// Wipes the keys and closes every connection of this handle and its clones.
    pub fn close(&self) {
        self.engine.lock();
        self.engine.pool.close();
    }

    /// The ways to unlock. Needs no key.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        if !self.file_exists()? {
            fail!(NotInitialised, "there is no vault: the file does not exist");
        }
        let conn = self.engine.pool.reader()?;
        match inspect(&conn)? {
            Some(_) => slots::list(&conn),
            None => fail!(NotInitialised, "the file holds no vault yet"),
        }
    }

    /// Adds a way to unlock; its id.
    pub fn add_slot(&self, label: &str, unlock: &Unlock) -> Result<i64> {
        let master = self.engine.master()?;
        let draft = slots::Draft::new(label, unlock)?;
        let kind = unlock.kind().name();
        Session::run(&self.engine, |session| {
            let id = slots::add(session.conn(), session.state().ring.vault(), &master, &draft)?;
            let payload = serde_json::json!({"slot": id, "kind": kind, "label": label});
            note(session, "slot.added", &payload)?;
            Ok(id)
        })
    }

    /// Adds a recovery code; the slot's id, and the code, which is shown this once.
    pub fn add_recovery_slot(&self, label: &str) -> Result<(i64, RecoveryCode)> {
        let (code, unlock) = RecoveryCode::generate()?;
        Ok((self.add_slot(label, &unlock)?, code))
    }

    /// Removes a way to unlock; the last one stays. Whoever has had the secret may have kept the master key, or an old
    /// copy of the file: removing a slot takes back neither.
    pub fn remove_slot(&self, id: i64) -> Result<()> {
        Session::run(&self.engine, |session| {
            slots::remove(session.conn(), id)?;
            note(session, "slot.removed", &serde_json::json!({"slot": id}))
        })
    }

    /// Declares a table: creates it, or checks that what is stored is no weaker. True where it was created.
    ///
    /// # Errors
    /// `definition` where the stored table lacks a column, has another type, a weaker protection or no such index.
    pub fn define_table(&self, definition: &TableDefinition) -> Result<bool> {
        Session::run(&self.engine, |session| {
            let created = define::define(session, definition)?;
            if created {
                note(session, "table.defined", &serde_json::json!({"table": definition.name()}))?;
            }
            Ok(created)
        })
    }

    /// Changes a table while others use it, and moves its rows in batches. What a crash interrupts, the next call
    /// finishes first.
    pub fn alter_table(&self, table: &str, alteration: &Alteration) -> Result<Erasure> {
        check_own(table)?;
        alter::alter(&self.engine, table, alteration)?;
        let payload = serde_json::json!({"table": table, "change": alteration.name()});
        self.record("table.altered", &payload)?;
        self.finish_erasure()
    }

    /// Finishes an alteration that was interrupted.
    pub fn finish_alteration(&self, table: &str) -> Result<Erasure> {
        check_own(table)?;
        backfill::complete(&self.engine, table)?;
        self.finish_erasure()
    }

    /// Drops a table with all its rows.
    pub fn drop_table(&self, table: &str) -> Result<Erasure> {
        check_own(table)?;
        Session::run(&self.engine, |session| {
            define::drop_table(session, table)?;
            note(session, "table.dropped", &serde_json::json!({"table": table}))
        })?;
        self.finish_erasure()
    }

    /// Overwrites what remnants of plaintext an alteration has left, where that is still to be done. Rewrites the file
    /// (`VACUUM`): its cost is that of the whole file.
    pub fn finish_erasure(&self) -> Result<Erasure> {
        self.engine.state()?;
        Ok(if backfill::finish_erasure(&self.engine)? {
            Erasure::Complete
        } else {
            Erasure::Pending
        })
    }

    /// The sealed tables, in the order of their names.
    pub fn tables(&self) -> Result<Vec<TableDefinition>> {
        let state = self.engine.read(|conn, _| self.engine.refresh(conn))?;
        let own = state.tables.values().filter(|schema| !is_internal(schema.name()));
        let mut found: Vec<_> = own.map(|schema| schema.definition()).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// A table. Each call on it is a transaction of its own.
    pub fn table<'a>(&'a self, name: &'a str) -> Result<Table<'a>> {
        Table::new(Source::Engine(&self.engine), name, None).checked()
    }

    /// As [`Vault::table`], without looking whether the table is there: its calls tell.
    pub fn table_handle<'a>(&'a self, name: &'a str) -> Table<'a> {
        Table::new(Source::Engine(&self.engine), name, None).counted()
    }

    /// Single sealed values for a database of the application's own.
    pub fn field(&self, name: &str) -> Result<Field> {
        Field::new(&self.engine, name, None)
    }

    /// A handle that reaches one tenant's rows and fields and nothing else.
    pub fn tenant(&self, name: &str) -> Result<Tenant> {
        check_tenant(name)?;
        Ok(Tenant::new(&self.engine, name))
    }

    /// Runs `work` in a transaction: committed where it returns `Ok`, rolled back where it fails or panics. Only one
    /// transaction writes at a time; another waits for [`Config::busy_timeout`].
    pub fn transaction<T>(&self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        self.begin()?.run(work)
    }

    /// Begins a transaction that ends with [`Transaction::commit`], or is rolled back when dropped.
    pub fn begin(&self) -> Result<Transaction> {
        Transaction::begin(&self.engine, None)
    }

    /// A view of the vault at this moment, for reads that must agree with each other. Reads are cheaper in it, too.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::begin(&self.engine, None)
    }

    /// Runs one statement of plain SQL, in a transaction of its own; the number of rows changed. For the application's
    /// own tables in the same file: sealed tables are refused.
    pub fn execute(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
        Session::run(&self.engine, |session| sql::execute(session, sql, parameters))
    }

    /// Runs a query in plain SQL.
    pub fn query(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        self.engine.state()?;
        let snapshot = ReadSession::begin(&self.engine)?;
        sql::read(&snapshot, sql, parameters)
    }

    /// Opens every record and runs SQLite's own check. `progress` gets the number of rows opened so far.
    pub fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Verification> {
        let snapshot = ReadSession::begin(&self.engine)?;
        verify::verify(&self.engine, &snapshot.conn, &mut progress)
    }

    /// The file; none for a vault in memory.
    pub fn path(&self) -> Option<&Path> {
        match self.engine.pool.location() {
            Location::File(path) => Some(path),
            Location::Memory => None,
        }
    }

    /// Sets the clock of this handle and its clones, in milliseconds since 1970, for tests; `None` gives it back to the
    /// system.
    pub fn set_clock(&self, clock_ms: Option<i64>) {
        self.engine.set_clock_ms(clock_ms);
    }

    /// The audit trail.
    pub fn audit(&self) -> Audit {
        Audit::new(&self.engine, None)
    }

    /// Named values of the application, with masked secrets.
    pub fn settings(&self) -> Settings {
        Settings::new(&self.engine, None)
    }

    /// Limits on how often something happens.
    pub fn quotas(&self) -> Quotas {
        Quotas::new(&self.engine, None)
    }

    /// Requests that somebody has to approve.
    pub fn approvals(&self) -> Approvals {
        Approvals::new(&self.engine, None)
    }

    /// Whether the vault is in order, and if not, why. Never fails, and waits for no writer; the work is bounded, some
    /// milliseconds. Nothing in it is secret.
    ///
    /// Of the audit trail it walks the entries since the last check, at least the newest 256 and at most 1,024; what it
    /// finds broken stays so in this process until [`Audit::verify`] finds the whole trail sound. Records under retired
    /// keys are looked for some thousand rows at a time.
    pub fn health(&self) -> Health {
        health::check(&self.engine)
    }

    /// What this process has done with the vault: see [`Metrics`].
    pub fn metrics(&self) -> Metrics {
        Metrics::of(&self.engine.counters, self.engine.settings.all_uses())
    }

    /// Adds to a counter of the application's own, which [`Metrics`] shows under that name; `by` may be 0, to show it
    /// before anything has happened. Needs no key.
    ///
    /// # Errors
    /// `invalid_input` for a name that Prometheus does not take or that begins with `sealite_`; `limit` for more than
    /// 1,000 names.
    pub fn count(&self, name: &str, by: u64) -> Result<()> {
        self.engine.counters.count(name, by)
    }

    /// Accepts the system's clock as it is, after it has been set back, or after it has been far ahead: what is written
    /// from now on is compared with the time now. Audited.
    pub fn accept_clock(&self) -> Result<()> {
        health::accept_clock(&self.engine)
    }

    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn record(&self, event: &str, payload: &serde_json::Value) -> Result<()> {
        Session::run(&self.engine, |session| note(session, event, payload))
    }

    /// Refuses a file that has a vault already, or belongs to somebody else.
    fn check_free(&self, conn: &Conn) -> Result<()> {
        if inspect(conn)?.is_some() {
            fail!(AlreadyInitialised, "the vault exists already");
        }
        let tables = conn.first("SELECT count(*) FROM sqlite_master", &[], |row| row.integer(0))?;
        if tables != Some(0) && !self.engine.pool.config().existing_database {
            fail!(
                NotAVault,
                "the file is a database with tables of its own: allow existing_database to add a vault"
            );
        }
        let version = conn.first("PRAGMA user_version", &[], |row| row.integer(0))?;
        if version != Some(0) {
            fail!(
                NotAVault,
                "the database keeps a version of its own in user_version, which a vault needs"
            );
        }
        Ok(())
    }

    fn file_exists(&self) -> Result<bool> {
        let Some(path) = self.path() else { return Ok(true) };
        match std::fs::metadata(path) {
            Ok(about) if about.is_file() => Ok(true),
            Ok(_) => fail!(InvalidInput, "the path names a folder or device, and no file"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(false),
            Err(_) => fail!(Io, "the file can't be reached"),
        }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = if self.engine.is_open() { "open" } else { "not open" };
        write!(f, "Vault({open})")
    }
}

/// Records what the engine itself has done.
fn note(session: &Session, event: &str, payload: &serde_json::Value) -> Result<()> {
    append(session, &Entry::new(event).payload(payload.to_string())).map(|_| ())
}

const fn assert_send_sync<T: Send + Sync>() {}
const _: () = assert_send_sync::<Vault>();
const _: () = assert_send_sync::<Tenant>();
const _: () = assert_send_sync::<Field>();
const _: () = assert_send_sync::<crate::Error>();
