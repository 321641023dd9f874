//! The public object: a vault file, or one in memory.

mod backup;
mod capabilities;
mod compact;
mod erasure;
mod keys;
mod new_file;
mod protect;
mod recovery;
mod rotation;
mod schema;
mod unlocking;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

pub use self::backup::{BackupOptions, BackupProgress, BackupReport, RestoreOptions};
use self::capabilities::attachments;
pub use self::compact::Compaction;
pub use self::keys::{Keys, MasterRotation};
pub use self::recovery::RecoveryCode;
use crate::audit::{self, note};
use crate::creation::{inspect, write_vault};
use crate::crypto::random;
use crate::db::{Config, Conn, Location, Pool, held_here};
use crate::error::{Result, err, fail};
use crate::field::Field;
use crate::keys::seal::no_randomness;
use crate::keys::{Unlock, slots};
use crate::secret::Secret32;
use crate::sql::{self, Connection, SqlRows};
use crate::table::definition::check_tenant;
use crate::table::engine::{Engine, Unwrapped};
use crate::table::session::Session;
use crate::table::{ReadSession, Source, Table, Verification, verify};
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
        Ok(Vault { engine: Arc::new(Engine::new(pool, attachments())) })
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
        Self::in_memory_with(Config::default())
    }

    pub(crate) fn in_memory_with(config: Config) -> Result<Self> {
        let pool = Pool::new(Location::Memory, config)?;
        let vault = Vault { engine: Arc::new(Engine::new(pool, attachments())) };
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
        self.engine.pool.check_process()?;
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
        let began = Instant::now();
        let conn = self.engine.pool.creator()?;
        conn.execute("BEGIN IMMEDIATE", &[])?;
        self.check_free(&conn)?;
        let (meta, unwrapped) = write_vault(&conn, &draft)?;
        self.engine.unlock(&conn, &meta, unwrapped)?;
        let payload = serde_json::json!({"slot": unlock.kind().name()});
        let written = Session::over(&self.engine, conn, began).and_then(|session| {
            note(&session, "vault.initialised", payload)?;
            session.commit()
        });
        if written.is_err() {
            self.engine.lock();
        }
        written
    }

    /// Takes the keys into memory, with the secret of any slot.
    ///
    /// # Errors
    /// `rolled_back` where the file is older than [`Config::checkpoint`].
    pub fn unlock(&self, unlock: &Unlock) -> Result<()> {
        if !self.file_exists()? {
            fail!(NotInitialised, "there is no vault: the file does not exist");
        }
        let conn = self.engine.pool.reader()?;
        conn.execute("BEGIN", &[])?;
        let Some(seen) = inspect(&conn)? else {
            fail!(NotInitialised, "the file holds no vault yet");
        };
        let stored = slots::read(&conn)?;
        drop(conn);
        // No connection is held while a passphrase is stretched.
        let (mut master, slot) = slots::open_any(&stored, &seen.vault, unlock)?;
        let conn = self.engine.pool.reader()?;
        conn.execute("BEGIN", &[])?;
        let Some(meta) = inspect(&conn)? else { fail!(Corrupt, "the vault has gone meanwhile") };
        if meta.master != seen.master {
            let again = slots::master_again(&conn, &meta.vault, &slot)?;
            let Some(changed) = again else {
                fail!(WrongKey, "the slot that opened was dropped meanwhile");
            };
            master = changed;
        }
        self.engine.unlock(&conn, &meta, Unwrapped { master, slot })?;
        conn.execute("COMMIT", &[])?;
        let Some(checkpoint) = &self.engine.pool.config().checkpoint else { return Ok(()) };
        let newer = ReadSession::begin(&self.engine)
            .and_then(|session| audit::require(&session.conn, &session.state, checkpoint));
        if newer.is_err() {
            self.engine.lock();
        }
        newer
    }

    /// Wipes the keys from memory. Calls fail as locked from then on; transactions, snapshots and scans that are open go
    /// on to their end. On a [`crate::Connection`] that holds for a transaction that has written a sealed table; in any other one, and
    /// for what it commits, COMMIT and ROLLBACK work and everything else fails as locked.
    pub fn lock(&self) {
        self.engine.lock();
    }

    /// Wipes the keys and closes every connection of this handle and its clones.
    pub fn close(&self) {
        self.engine.lock();
        self.engine.pool.close();
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

    /// Runs one statement of SQL that returns no rows, in a transaction of its own; the number of rows changed. Sealed tables
    /// are tables as the application's own are.
    pub fn execute(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<usize> {
        if let Some(command) = sql::command(sql)? {
            return command.run(&self.engine, parameters).map(|_| 0);
        }
        let changed = Session::run(&self.engine, |session| sql::execute(session, sql, parameters))?;
        if sql::may_erase(sql) {
            // The statement is done: what is pending or fails here stays pending.
            let _ = self.finish_erasure();
        }
        Ok(changed)
    }

    /// Runs a query in SQL. It only reads: a write with RETURNING takes a transaction.
    pub fn query(&self, sql: &str, parameters: &[ValueRef<'_>]) -> Result<SqlRows> {
        self.engine.state()?;
        if let Some(command) = sql::command(sql)? {
            if command.column().is_none() {
                fail!(Sql, "the statement returns no rows: use execute");
            }
            return command.run(&self.engine, parameters);
        }
        let snapshot = ReadSession::begin(&self.engine)?;
        sql::read(&snapshot, sql, parameters)
    }

    /// A connection for SQL of the caller's own, with BEGIN and COMMIT in SQL. Several may be open at once.
    pub fn connect(&self) -> Result<Connection> {
        Connection::open(&self.engine)
    }

    /// What [`crate::Guest::new`] takes: the open vault.
    #[cfg(feature = "loadable")]
    pub fn lend(&self) -> Result<crate::Lent> {
        self.engine.state()?;
        Ok(crate::Lent::new(&self.engine))
    }

    /// Opens every record and runs SQLite's own check. `progress` gets the number of rows opened so far.
    pub fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Verification> {
        let found = self.verify_while(|rows| {
            progress(rows);
            true
        });
        found?.ok_or_else(|| err!(Internal, "a check that ended early"))
    }

    /// As [`Vault::verify`], until `go_on`, which gets the number of rows opened so far, says no: none then.
    pub fn verify_while(&self, mut go_on: impl FnMut(u64) -> bool) -> Result<Option<Verification>> {
        let snapshot = ReadSession::begin(&self.engine)?;
        verify::verify(&self.engine, &snapshot.conn, &mut go_on)
    }

    /// The file; none for a vault in memory.
    pub fn path(&self) -> Option<&Path> {
        match self.engine.pool.location() {
            Location::File(path) => Some(path),
            Location::Memory => None,
        }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
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

const fn assert_send_sync<T: Send + Sync>() {}
const _: () = assert_send_sync::<Vault>();
const _: () = assert_send_sync::<Tenant>();
const _: () = assert_send_sync::<Field>();
const _: () = assert_send_sync::<crate::Error>();
