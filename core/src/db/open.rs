//! Opening a connection: flags, pragmas, and the checks that come before anything is read.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::authority::{Authority, Readable};
use super::conn::Conn;
use super::error::Checked;
use super::files::Log;
use crate::error::{ErrorKind, Result, fail};
use crate::index::normalise::Normaliser;

/// How a vault uses SQLite. The defaults are the safe ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How long a call waits for a lock that another thread or process holds before it fails as busy. Default: 5 s.
    pub busy_timeout: Duration,
    /// Whether a commit waits for the disk. Default: [`Synchronous::Full`].
    pub synchronous: Synchronous,
    /// Whether [`crate::Vault::initialise`] may add a vault to a SQLite database that has tables already. Default: no.
    pub existing_database: bool,
    /// How many bytes have to be free on the disk for [`crate::Vault::health`] to be content. Default: 64 MiB, or the
    /// size of the file where that is more, which is what finishing an erasure needs.
    pub disk_reserve: Option<u64>,
    /// What SQL does with sealed tables. Default: [`SealedSql::Full`].
    pub sealed_sql: SealedSql,
    /// Whether an SQL statement may write into a plain table of the file what it reads from sealed columns
    /// (`CREATE TABLE … AS SELECT`, `INSERT … SELECT`, `UPDATE … FROM`). Default: no.
    pub sealed_to_plain: bool,
    /// How many unwrapped keys are kept in memory, at most; each takes some 2 KiB. Others are unwrapped, which costs some
    /// microseconds, when they are needed. A transaction that makes keys has as many of its own. Default: 4,096.
    pub key_cache: usize,
    /// How long an unwrapped key is used before it is unwrapped from its row again. Default: 15 minutes.
    pub key_age: Duration,
    /// The text of an audit checkpoint that was kept outside ([`crate::Audit::checkpoint`]): a file that does not contain
    /// it, since an older one was put back, is refused as `rolled_back` when it is unlocked. Default: none.
    pub checkpoint: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            busy_timeout: Duration::from_secs(5),
            synchronous: Synchronous::Full,
            existing_database: false,
            disk_reserve: None,
            sealed_sql: SealedSql::Full,
            sealed_to_plain: false,
            key_cache: 4_096,
            key_age: Duration::from_secs(15 * 60),
            checkpoint: None,
        }
    }
}

/// What SQL does with sealed tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SealedSql {
    /// They are not there: SQL that is injected into the application reaches plain columns only.
    Off,
    /// They are tables, and a statement that would open every record of one, since no key or index leads to the rows, fails
    /// as [`ErrorKind::NotIndexed`].
    Indexed,
    /// They are tables.
    Full,
}

/// When a commit is on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Synchronous {
    /// Before the call returns: a commit survives a power cut.
    Full,
    /// At the next checkpoint: a commit survives a crash of the process at once, and a power cut may take back the last
    /// commits; the file stays whole.
    Normal,
}

impl Synchronous {
    pub(super) fn pragma(self) -> &'static str {
        match self {
            Synchronous::Full => "PRAGMA synchronous = FULL;",
            Synchronous::Normal => "PRAGMA synchronous = NORMAL;",
        }
    }
}

/// Where a vault lives.
#[derive(Clone)]
pub(crate) enum Location {
    File(PathBuf),
    Memory,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Creates the file where it is missing.
    Creator,
    Writer,
    /// A program's own: texts in double quotes are texts there, as in any SQLite, where they name no column.
    Own,
    Reader,
    /// Writes a database of the application's, and leaves its journal mode as it is. Triggers do not fire.
    Foreign,
}

/// SQLite counts milliseconds in 31 bits.
const LONGEST_WAIT: Duration = Duration::from_secs(1_000_000);
/// The most pages that a connection keeps, in KiB: SQLite's own 2,000 are made for rows without a record.
const PAGE_CACHE_KIB: u32 = 8_192;

pub(super) fn open(
    location: &Location,
    role: Role,
    config: &Config,
    readable: &Arc<Readable>,
) -> Result<Conn> {
    #[cfg_attr(feature = "loadable", allow(unused_mut))]
    let mut raw = match location {
        Location::Memory => Connection::open_in_memory().checked()?,
        Location::File(path) => {
            let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            if role == Role::Creator {
                flags |= OpenFlags::SQLITE_OPEN_CREATE;
            }
            Connection::open_with_flags(path, flags).checked()?
        }
    };
    // By the pragma: the binding's own call wants a later SQLite than an extension may find.
    let wait = config.busy_timeout.min(LONGEST_WAIT).as_millis();
    raw.execute_batch(&format!("PRAGMA busy_timeout = {wait}")).checked()?;
    for (option, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, role == Role::Own),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, role == Role::Own),
        // Else SQLite compiles a statement anew when a parameter of LIKE or LIMIT is bound, behind the engine's back.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        raw.set_db_config(option, on).checked()?;
    }
    if role == Role::Foreign {
        raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).checked()?;
    }
    if matches!(role, Role::Creator | Role::Writer)
        && let Location::File(path) = location
    {
        if role == Role::Creator {
            protect(path)?;
        }
        // The writer too: `VACUUM INTO` makes copies without the mode.
        write_ahead(&raw, config.busy_timeout)?;
    }
    raw.execute_batch(config.synchronous.pragma()).checked()?;
    raw.execute_batch(&format!(
        "PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -{PAGE_CACHE_KIB};"
    ))
    .checked()?;
    if role == Role::Reader {
        raw.execute_batch("PRAGMA query_only = ON").checked()?;
    }
    create_collations(&raw)?;
    let authority = Arc::new(Authority::new(readable, config));
    // An extension runs no SQL of the application on connections of its own, and older hosts can't.
    #[cfg(not(feature = "loadable"))]
    authority.install(&mut raw).checked()?;
    let conn = Conn::new(raw, authority, config.synchronous);
    Ok(match location {
        // Of a database of the application's there may be no log.
        Location::File(path) if role != Role::Foreign => conn.with_log(Log::of(path)),
        _ => conn,
    })
}

/// A connection of somebody else's, as it is: no pragma, no authorizer.
#[cfg(feature = "loadable")]
pub(super) fn guest(raw: Connection, config: &Config) -> Result<Conn> {
    create_collations(&raw)?;
    let authority = Arc::new(Authority::new(&Arc::default(), config));
    Ok(Conn::new(raw, authority, config.synchronous))
}

fn create_collations(raw: &Connection) -> Result<()> {
    for normaliser in [Normaliser::Text, Normaliser::Email, Normaliser::Digits] {
        let name = collation(normaliser).unwrap_or_default();
        raw.create_collation(name, move |a, b| compare(normaliser, a, b)).checked()?;
    }
    Ok(())
}

/// The collation under which SQL compares a column of that normaliser as its blind index does; none for
/// [`Normaliser::Exact`], which is SQLite's own `BINARY`.
pub(crate) fn collation(normaliser: Normaliser) -> Option<&'static str> {
    match normaliser {
        Normaliser::Exact => None,
        Normaliser::Text => Some("sealite_text"),
        Normaliser::Email => Some("sealite_email"),
        Normaliser::Digits => Some("sealite_digits"),
    }
}

fn compare(normaliser: Normaliser, a: &str, b: &str) -> Ordering {
    let mut first = Zeroizing::new(String::new());
    let mut second = Zeroizing::new(String::new());
    normaliser.normalise(a, &mut first).cmp(normaliser.normalise(b, &mut second))
}

/// A new vault's file is for its owner alone; `-wal` and `-shm` inherit the mode. The mode is set by path: opening the
/// file outside SQLite would drop its locks.
#[cfg(unix)]
fn protect(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let empty = std::fs::metadata(path).is_ok_and(|about| about.len() == 0);
    if empty && std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).is_err() {
        fail!(Io, "can't restrict the mode of the new file");
    }
    Ok(())
}

#[cfg(not(unix))]
fn protect(_path: &Path) -> Result<()> {
    Ok(())
}

/// Turns on WAL. SQLite does not wait for locks here, so the waiting is done here, for as long as configured.
fn write_ahead(raw: &Connection, patience: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        let mode =
            raw.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)).checked();
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => fail!(Io, "the file system does not offer what write-ahead logging needs"),
            Err(error) if error.kind() == ErrorKind::Busy && start.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error),
        }
    }
}
