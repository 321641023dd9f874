//! Copies of a vault: backup, restore, and the check of either.

use std::path::Path;
use std::sync::Arc;

use super::new_file::NewFile;
use super::{Vault, attachments};
use crate::audit::{Entry, note};
use crate::creation::inspect;
use crate::db::{Config, Location, Pool};
use crate::error::{Error, ErrorKind, Result, err, fail};
use crate::keys::Unlock;
use crate::table::ReadSession;
use crate::table::engine::Engine;
use crate::table::session::Session;

/// How a backup is made. The default is the safe way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackupOptions {
    /// Whether the copy is checked before it gets its name: every record opened, SQLite's own check, and the whole audit
    /// trail walked. Default: yes.
    pub verify: bool,
}

impl Default for BackupOptions {
    fn default() -> Self {
        BackupOptions { verify: true }
    }
}

/// How a backup is restored.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RestoreOptions {
    /// A checkpoint of the audit trail, kept outside ([`crate::Audit::checkpoint`]): a backup that does not reach as far
    /// is refused. Default: none, and an old backup is as good as a new one.
    pub checkpoint: Option<String>,
    /// Do all of it, and keep nothing: a drill. The name may be taken then. Default: no.
    pub drill: bool,
}

/// How far a backup or a restoration has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BackupProgress {
    /// Pages copied, and the pages of all.
    Copied(u64, u64),
    /// Rows of the copy opened so far.
    Opened(u64),
    /// Entries of the copy's audit trail walked so far.
    Audited(u64),
}

/// What a copy holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct BackupReport {
    /// The size of the copy in bytes.
    pub bytes: u64,
    /// Rows that were opened in the copy, the engine's own included; none where it was not checked.
    pub rows: Option<u64>,
    /// Entries of the audit trail; none where it was not checked.
    pub audit_entries: Option<u64>,
}

type GoOn<'a> = &'a mut dyn FnMut(BackupProgress) -> bool;

impl Vault {
    /// Copies the vault, in use, into a new file with mode 0600, and checks the copy: see [`Vault::backup_with`].
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("sealite-backup-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).expect("a folder");
    /// # let key = sealite::generate_key()?;
    /// # let unlock = sealite::Unlock::key_text(sealite::ExposeSecret::expose_secret(&key))?;
    /// use sealite::Vault;
    ///
    /// let vault = Vault::create(folder.join("app.db"), &unlock)?;
    /// let report = vault.backup(folder.join("backup.db"))?;
    /// assert!(report.audit_entries.is_some());
    ///
    /// // On another machine, or after a loss:
    /// Vault::restore(folder.join("backup.db"), folder.join("restored.db"), &unlock)?;
    /// Vault::open(folder.join("restored.db"), &unlock)?;
    /// # std::fs::remove_dir_all(&folder).expect("removes");
    /// # Ok::<(), sealite::Error>(())
    /// ```
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<BackupReport> {
        self.backup_with(to, &BackupOptions::default(), |_| true)
    }

    /// Copies the vault as it is at this moment, while others read and write. What is committed meanwhile is not in the
    /// copy, and nothing is copied twice; until it is done the log (`-wal`) keeps what others write. Memory is bounded by
    /// some 8 MiB, whatever the size. The copy opens with the slots that the vault has now.
    ///
    /// It is written as `NAME.….partial` beside its place, brought to the disk, checked, and only then gets its name: a
    /// crash leaves at most a file of that kind, to be removed. An entry `vault.backup` is appended to the audit trail
    /// first, and is in the copy; where that fails (a disk that is full, a vault that can't be written) it is counted as
    /// lost, and the copy made.
    ///
    /// `go_on` is told how far it has come; where it says no, the copy is given up.
    ///
    /// # Errors
    /// `refused` where a file has the name already, the vault's own included; `authentication_failed` or `corrupt` where
    /// the copy, and so the vault, is not sound; `interrupted`; `full`, `io`, `read_only`. There is no copy then.
    pub fn backup_with(
        &self,
        to: impl AsRef<Path>,
        options: &BackupOptions,
        mut go_on: impl FnMut(BackupProgress) -> bool,
    ) -> Result<BackupReport> {
        self.engine.state()?;
        let file = NewFile::create(to.as_ref())?;
        let payload = serde_json::json!({"verified": options.verify}).to_string();
        self.audit().append_best_effort(&Entry::new("vault.backup").payload(payload));
        self.copy_to(&file, &mut go_on)?;
        let mut report = BackupReport { bytes: file.size()?, ..BackupReport::default() };
        if options.verify {
            let copy = self.of_copy(&file)?;
            copy.check(None, &mut report, &mut go_on)?;
            copy.close();
        }
        file.keep()?;
        Ok(report)
    }

    /// Copies a backup to the place of a vault, and checks the copy: see [`Vault::restore_with`].
    pub fn restore(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        unlock: &Unlock,
    ) -> Result<BackupReport> {
        Self::restore_with(backup, to, unlock, &RestoreOptions::default(), |_| true)
    }

    /// Copies a backup to a new file with mode 0600, which gets its name once every record of it has opened, SQLite's own
    /// check has passed and its whole audit trail has been walked. The backup stays as it is; where it lies beside a log
    /// of its own (`-wal`) that is part of it. It must lie in a folder that can be written, as SQLite needs.
    ///
    /// The trail of the new file goes on with an entry `vault.restored`. **Without a checkpoint an old backup is not
    /// recognised as old**: what was deleted since is there again, and a slot that was removed since opens it.
    ///
    /// `unlock` is of a slot that the backup has. A drill does all of this, and removes what it made.
    ///
    /// # Errors
    /// `wrong_key` where no slot of the backup opens; `refused` where a file has the name already, and where the backup
    /// does not reach as far as the checkpoint; `authentication_failed` or `corrupt` where it is not sound; `interrupted`;
    /// `full`, `io`, `read_only`. There is no new file then.
    pub fn restore_with(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
        unlock: &Unlock,
        options: &RestoreOptions,
        mut go_on: impl FnMut(BackupProgress) -> bool,
    ) -> Result<BackupReport> {
        let source = Vault::open(backup, unlock)?;
        let to = to.as_ref();
        let file = if options.drill {
            let mut name = to.as_os_str().to_owned();
            name.push(".drill");
            NewFile::create(Path::new(&name))?
        } else {
            NewFile::create(to)?
        };
        source.copy_to(&file, &mut go_on)?;
        let mut report = BackupReport { bytes: file.size()?, ..BackupReport::default() };
        let copy = source.of_copy(&file)?;
        source.close();
        copy.check(options.checkpoint.as_deref(), &mut report, &mut go_on)?;
        Session::run(&copy.engine, |session| {
            note(session, "vault.restored", serde_json::json!({"drill": options.drill}))
        })?;
        copy.close();
        if options.drill {
            return Ok(report);
        }
        file.keep()?;
        Ok(report)
    }

    /// Copies one moment of the vault.
    fn copy_to(&self, file: &NewFile, go_on: GoOn<'_>) -> Result<()> {
        let session = ReadSession::begin(&self.engine)?;
        let whole = session
            .conn
            .copy_to(file.path(), &mut |done, all| go_on(BackupProgress::Copied(done, all)))?;
        if whole { Ok(()) } else { Err(interrupted()) }
    }

    /// The vault in a copy that nobody else knows, opened.
    fn of_copy(&self, file: &NewFile) -> Result<Self> {
        let pool = Pool::new(Location::File(file.path().to_owned()), Config::default())?;
        let engine = Engine::new(pool, attachments());
        let conn = engine.pool.reader()?;
        let Some(meta) = inspect(&conn)? else { fail!(Corrupt, "the copy holds no vault") };
        let with = self.engine.unwrapped(&conn, &meta)?;
        engine.unlock(&conn, &meta, with)?;
        drop(conn);
        Ok(Vault { engine: Arc::new(engine) })
    }

    /// Opens every record and walks the trail; an error where anything is wrong.
    fn check(
        &self,
        checkpoint: Option<&str>,
        report: &mut BackupReport,
        go_on: GoOn<'_>,
    ) -> Result<()> {
        let found = self.verify_while(|rows| go_on(BackupProgress::Opened(rows)))?;
        let found = found.ok_or_else(interrupted)?;
        if !found.integrity.is_empty() {
            fail!(Corrupt, "the copy is damaged, as SQLite finds. {UNSOUND}");
        }
        if !found.faults.is_empty() {
            let count = found.faults.len();
            fail!(AuthenticationFailed, "rows of the copy that do not open: {count}. {UNSOUND}");
        }
        let rows = found.tables.iter().chain(&found.internal).map(|(_, rows)| rows).sum();
        let older = || {
            err!(
                Refused,
                "the backup is older than the checkpoint, or not of the same history: it is not restored over what \
                 the checkpoint stands for"
            )
        };
        let trail = self.audit();
        let walked = trail
            .verify_while(checkpoint, |entries| go_on(BackupProgress::Audited(entries)))
            .map_err(|error| if error.kind() == ErrorKind::RolledBack { older() } else { error })?
            .ok_or_else(interrupted)?;
        if walked.contradicts_checkpoint() {
            return Err(older());
        }
        if !walked.is_sound() {
            let count = walked.faults.len();
            fail!(
                AuthenticationFailed,
                "faults in the audit trail of the copy: {count}. {UNSOUND}"
            );
        }
        report.rows = Some(rows);
        report.audit_entries = Some(walked.entries);
        Ok(())
    }
}

/// Where to look.
const UNSOUND: &str = "See what verify says of the vault";

fn interrupted() -> Error {
    err!(Interrupted, "the copy was given up: nothing is left of it")
}
