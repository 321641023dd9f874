//! The open vault as the layers above see it: connections, the unlocked state, and when to read it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::attached::{Attached, Attachments};
use super::catalog::{self, Tables};
use super::clock::Clock;
use super::look::Look;
use super::schema::Schema;
use super::subject::Whose;
use crate::db::schema::FORMAT_VERSION;
use crate::db::{Conn, Pool};
use crate::error::{Error, ErrorKind, Result, err, fail};
use crate::fork::{Inherit, PerProcess};
use crate::keys::cache::Limits;
use crate::keys::ring::Ring;
use crate::keys::slots::{self, Opened};
use crate::metrics::Counters;
use crate::secret::Secret32;

/// The pool, and what is in memory while the vault is open.
pub(crate) struct Engine {
    pub(crate) pool: Pool,
    memory: PerProcess<Memory>,
    /// What a test has set the clock to; 0 where the system's counts.
    clock_ms: AtomicI64,
    /// The latest time at which anything was written.
    pub(crate) clock: Clock,
    /// What this process has done.
    pub(crate) counters: Arc<Counters>,
    /// When the file was last asked for what others have changed.
    pub(super) look: Look,
    /// What the capabilities keep.
    attachments: Attachments,
}

#[derive(Clone, Default)]
struct Memory {
    unlocked: Option<Unlocked>,
    /// True in a child: a thread of its parent was changing this when the process forked.
    lost: bool,
}

impl Inherit for Memory {
    fn inherit(parent: Option<&Self>) -> Self {
        parent.cloned().unwrap_or(Memory { unlocked: None, lost: true })
    }
}

#[derive(Clone)]
struct Unlocked {
    state: Arc<State>,
    /// What the master key is read from again when another process has changed it.
    slot: Opened,
}

/// What a slot gives.
pub(crate) struct Unwrapped {
    pub(crate) master: Secret32,
    pub(crate) slot: Opened,
}

/// Keys and catalog of one epoch. The epoch advances with every change of either.
pub(crate) struct State {
    pub(crate) epoch: i64,
    pub(crate) ring: Ring,
    pub(crate) tables: Tables,
}

/// How often a read is tried again when the schema changes under it.
const MAX_REFRESHES: usize = 16;
/// In the place of a clock that is set: the system's counts. No other time means so, and that of 292 million years ago is
/// taken a millisecond later.
const SYSTEM_CLOCK: i64 = i64::MIN;

impl Engine {
    pub(crate) fn new(pool: Pool, attachments: Attachments) -> Self {
        Engine {
            pool,
            memory: PerProcess::default(),
            clock_ms: AtomicI64::new(SYSTEM_CLOCK),
            clock: Clock::default(),
            counters: Arc::default(),
            look: Look::default(),
            attachments,
        }
    }

    /// What a capability keeps with the vault.
    pub(crate) fn attached<T: Attached>(&self) -> Result<&T> {
        self.attachments.get()
    }

    /// Milliseconds since 1970.
    pub(crate) fn clock_ms(&self) -> i64 {
        match self.clock_ms.load(Ordering::Relaxed) {
            SYSTEM_CLOCK => system_clock_ms(),
            set => set,
        }
    }

    /// Sets the clock of this handle, for tests; `None` gives it back to the system.
    pub(crate) fn set_clock_ms(&self, clock: Option<i64>) {
        let clock = clock.map_or(SYSTEM_CLOCK, |set| set.max(SYSTEM_CLOCK + 1));
        self.clock_ms.store(clock, Ordering::Relaxed);
    }

    /// What is equal at two times only where nobody has committed to the file in between; `None` for a vault in memory.
    pub(crate) fn change_counter(&self) -> Result<Option<(u64, i64)>> {
        self.state()?;
        if self.pool.is_memory() {
            return Ok(None);
        }
        self.pool.reader()?.change_counter().map(Some)
    }

    /// The state in memory; an error where the vault is not open.
    pub(crate) fn state(&self) -> Result<Arc<State>> {
        let memory = self.memory.read();
        match &memory.unlocked {
            Some(unlocked) => Ok(Arc::clone(&unlocked.state)),
            None => Err(self.not_open(memory.lost)),
        }
    }

    /// The state where there is one, without a look at the file.
    pub(crate) fn state_in_memory(&self) -> Option<Arc<State>> {
        self.memory.read().unlocked.as_ref().map(|unlocked| Arc::clone(&unlocked.state))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.memory.read().unlocked.is_some()
    }

    /// The slot that the master key is read from; another one where `better` gives it.
    pub(crate) fn slot(&self, better: impl FnOnce(&Opened) -> Option<Opened>) {
        if let Some(unlocked) = &mut self.memory.write().unlocked
            && let Some(slot) = better(&unlocked.slot)
        {
            unlocked.slot = slot;
        }
    }

    /// Why there is no state: no vault yet, or a locked one, or one that a fork has `lost`.
    fn not_open(&self, lost: bool) -> Error {
        if lost {
            return err!(
                Forked,
                "the vault was in use when the process forked: open its file anew"
            );
        }
        match self.pool.reader().and_then(|conn| read_meta(&conn)) {
            Ok(Some(_)) => err!(Locked, "the vault is locked: unlock it first"),
            Err(error) if means_more(error.kind()) => error,
            _ => err!(NotInitialised, "the vault has not been initialised"),
        }
    }

    /// What unlocks a copy of the vault, which the connection sees.
    pub(crate) fn unwrapped(&self, conn: &Conn, meta: &Meta) -> Result<Unwrapped> {
        let (state, slot) = {
            let memory = self.memory.read();
            let Some(unlocked) = &memory.unlocked else {
                return Err(self.not_open(memory.lost));
            };
            (Arc::clone(&unlocked.state), unlocked.slot.clone())
        };
        let master = if meta.master == state.ring.master_changes() {
            state.ring.master().clone()
        } else {
            self.master_again(conn, &state)?
        };
        Ok(Unwrapped { master, slot })
    }

    /// Takes the master key into memory and loads the state.
    pub(crate) fn unlock(&self, conn: &Conn, meta: &Meta, with: Unwrapped) -> Result<()> {
        let ring = Ring::new(meta.vault, with.master, meta.master, Limits::of(self.pool.config()));
        let state = Arc::new(State::load(conn, ring, meta.epoch)?);
        // It reads the file: not under the lock.
        self.attachments.opened(conn, &state);
        let mut memory = self.memory.write();
        Self::publish_readable(conn, &state);
        *memory = Memory { unlocked: Some(Unlocked { state, slot: with.slot }), lost: false };
        Ok(())
    }

    /// Wipes every key from memory.
    pub(crate) fn lock(&self) {
        self.memory.write().unlocked = None;
        self.attachments.locked();
    }

    /// As [`Engine::refresh`], on a connection that is in no transaction: what makes up the state is read of one moment.
    pub(crate) fn catch_up(&self, conn: &Conn) -> Result<Arc<State>> {
        conn.execute("BEGIN", &[])?;
        let fresh = self.refresh(conn);
        conn.execute("COMMIT", &[])?;
        fresh
    }

    /// The state that fits what the connection sees, inside a transaction: the one in memory, or a new one.
    pub(crate) fn refresh(&self, conn: &Conn) -> Result<Arc<State>> {
        let state = self.state()?;
        let (epoch, master) = read_epoch(conn)?;
        if epoch == state.epoch {
            return Ok(state);
        }
        let ring = if master == state.ring.master_changes() {
            state.ring.renewed(false)
        } else {
            state.ring.rewrapped(self.master_again(conn, &state)?, master)
        };
        let fresh = Arc::new(State::load(conn, ring, epoch)?);
        self.publish(conn, &fresh);
        Ok(fresh)
    }

    /// The master key after somebody has changed it, from the slot that this handle was opened with. Locks the vault where
    /// that has gone.
    fn master_again(&self, conn: &Conn, state: &State) -> Result<Secret32> {
        let slot = self.memory.read().unlocked.as_ref().map(|unlocked| unlocked.slot.clone());
        let Some(slot) = slot else { return Err(self.not_open(false)) };
        if let Some(master) = slots::master_again(conn, state.ring.vault(), &slot)? {
            return Ok(master);
        }
        self.lock();
        fail!(
            Locked,
            "the master key has been changed and the slot that this handle was unlocked with dropped: unlock it again"
        )
    }

    /// Makes a newer state the one in memory.
    pub(crate) fn publish(&self, conn: &Conn, fresh: &Arc<State>) {
        if let Some(unlocked) = &mut self.memory.write().unlocked {
            // What is readable was told with this epoch, and every commit comes by here.
            if unlocked.state.epoch >= fresh.epoch {
                return;
            }
            unlocked.state = Arc::clone(fresh);
            // Under the lock: an older state must not overwrite what a newer one lets plain SQL read.
            Self::publish_readable(conn, fresh);
        }
    }

    /// Runs a read on a connection of its own, and once more where the schema or the keys have changed meanwhile.
    pub(crate) fn read<T>(&self, read: impl FnMut(&Conn, &State) -> Result<T>) -> Result<T> {
        self.counters.checked(self.read_again(read))
    }

    fn read_again<T>(&self, mut read: impl FnMut(&Conn, &State) -> Result<T>) -> Result<T> {
        let mut state = self.state()?;
        let conn = self.pool.reader()?;
        for _ in 0..MAX_REFRESHES {
            match read(&conn, &state) {
                Err(error) if may_be_stale(error.kind()) => {
                    let fresh = self.catch_up(&conn)?;
                    if fresh.epoch == state.epoch {
                        return Err(error);
                    }
                    state = fresh;
                }
                other => return other,
            }
        }
        fail!(Busy, "the schema changes faster than it can be read")
    }

    /// As [`Engine::read`], for a read that under an older state would not fail but find too little. `whole` tells what
    /// can't be too little.
    pub(crate) fn read_current<T>(
        &self,
        mut read: impl FnMut(&Conn, &State) -> Result<T>,
        whole: impl Fn(&State, &T) -> bool,
    ) -> Result<T> {
        self.read(|conn, state| {
            let found = read(conn, state)?;
            // Epochs only advance: the one that holds afterwards held during the read.
            if whole(state, &found) || read_epoch(conn)?.0 == state.epoch {
                return Ok(found);
            }
            fail!(NotFound, "the schema has changed meanwhile")
        })
    }

    fn publish_readable(conn: &Conn, state: &State) {
        let readable = state
            .tables
            .values()
            .map(|schema| (schema.stored.physical().to_ascii_lowercase(), schema.readable()));
        let sealed = state
            .tables
            .values()
            .map(|schema| (schema.name().to_ascii_lowercase(), schema.sealed()));
        conn.authority().readable().set(readable.collect(), sealed.collect());
    }
}

/// What keeps a file from being looked at, and says nothing of its content.
fn means_more(kind: ErrorKind) -> bool {
    use ErrorKind::{AnotherLibrary, Busy, Closed, Forked};
    matches!(kind, AnotherLibrary | Busy | Closed | Forked)
}

/// What an old catalog or ring can look like.
fn may_be_stale(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AuthenticationFailed
            | ErrorKind::UnknownKey
            | ErrorKind::NotFound
            | ErrorKind::NotIndexed
            | ErrorKind::Sql
    )
}

impl State {
    pub(crate) fn load(conn: &Conn, ring: Ring, epoch: i64) -> Result<Self> {
        let tables = catalog::load(conn, &ring)?;
        Ok(State { epoch, ring, tables })
    }

    /// The same tables with an empty ring, of a transaction's own.
    pub(crate) fn with_new_ring(&self) -> Self {
        State { epoch: self.epoch, ring: self.ring.renewed(true), tables: self.tables.clone() }
    }

    /// True where rows of a table of the application's have subjects.
    pub(crate) fn has_subjects(&self) -> bool {
        self.tables
            .values()
            .any(|schema| schema.stored.subject.is_some_and(|whose| whose != Whose::Key))
    }

    pub(crate) fn table(&self, name: &str) -> Result<&Arc<Schema>> {
        self.tables
            .get(name)
            .or_else(|| self.tables.get(&name.to_lowercase()))
            .ok_or_else(|| err!(NotFound, "there is no sealed table {name}"))
    }
}

/// The one row of `sealite_meta`.
pub(crate) struct Meta {
    pub(crate) vault: [u8; 16],
    pub(crate) epoch: i64,
    /// How many changes have left remnants of plaintext since the last erasure.
    pub(crate) erasure_pending: i64,
    /// How often the master key has changed. A hint: what authenticates is what it wraps.
    pub(crate) master: i64,
}

/// Reads it; `None` where the database holds no vault.
pub(crate) fn read_meta(conn: &Conn) -> Result<Option<Meta>> {
    let present = conn.first(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'sealite_meta'",
        &[],
        |row| row.integer(0),
    )?;
    if present != Some(1) {
        return Ok(None);
    }
    let format =
        conn.first("SELECT format FROM sealite_meta WHERE id = 1", &[], |row| row.integer(0))?;
    if let Some(format) = format.filter(|format| *format > FORMAT_VERSION) {
        fail!(
            NewerFormat,
            "the vault has format {format}, this version reads up to {FORMAT_VERSION}"
        );
    }
    let meta = conn.first(
        "SELECT vault, epoch, erasure_pending, master FROM sealite_meta WHERE id = 1",
        &[],
        |row| {
            let vault =
                row.blob(0)?.try_into().map_err(|_| err!(Corrupt, "the vault's id is damaged"));
            let (epoch, erasure_pending) = (row.integer(1)?, row.integer(2)?);
            Ok(Meta { vault: vault?, epoch, erasure_pending, master: row.integer(3)? })
        },
    )?;
    match meta {
        Some(meta) => Ok(Some(meta)),
        None => fail!(Corrupt, "the vault's own row is missing"),
    }
}

/// The epoch, and how often the master key has changed.
fn read_epoch(conn: &Conn) -> Result<(i64, i64)> {
    let epoch = conn.first("SELECT epoch, master FROM sealite_meta WHERE id = 1", &[], |row| {
        Ok((row.integer(0)?, row.integer(1)?))
    })?;
    epoch.ok_or_else(|| err!(Corrupt, "the vault's own row is missing"))
}

fn system_clock_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
