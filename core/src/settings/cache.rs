//! Values in use, in memory: what makes [`super::Settings::use_value`] cheap enough to call for each request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use super::tables::VALUES;
use super::value::SettingValue;
use crate::db::Conn;
use crate::error::{Result, err};
use crate::fork::{Inherit, PerProcess};
use crate::table::attached::Attached;
use crate::table::engine::State;
use crate::table::mark_of;

/// How long a value is used before the vault is asked whether anything has changed, in milliseconds.
const CHECK_EVERY_MS: u64 = 100;
/// Values that are kept, of all tenants together. More start anew.
const MAX_ENTRIES: usize = 20_000;

/// What one open vault remembers of settings.
pub(crate) struct Memory {
    /// The last change of a setting when the vault was opened first.
    opened: AtomicI64,
    /// When the clock below starts, and its reading at the last check.
    start: Instant,
    checked_ms: AtomicU64,
    cache: PerProcess<Cache>,
}

/// Until it is known. No change has that number.
const NOT_OPENED: i64 = -1;

impl Default for Memory {
    fn default() -> Self {
        Memory {
            opened: AtomicI64::new(NOT_OPENED),
            start: Instant::now(),
            checked_ms: AtomicU64::default(),
            cache: PerProcess::default(),
        }
    }
}

#[derive(Default)]
struct Cache {
    /// Counts what was forgotten: a value read before is not kept after.
    generation: u64,
    /// The connection and change counter of the last check.
    seen: Option<(u64, i64)>,
    entries: usize,
    scopes: HashMap<Option<Arc<str>>, HashMap<String, Entry>>,
    uses: HashMap<String, Arc<AtomicU64>>,
}

impl Inherit for Cache {
    /// What the parent of a fork has read must not outlive its connections; its figures go on.
    fn inherit(parent: Option<&Self>) -> Self {
        let uses = parent.map(|parent| parent.uses.clone()).unwrap_or_default();
        Cache { uses, ..Cache::default() }
    }
}

struct Entry {
    value: Option<SettingValue>,
    /// True where the environment may say something else without a change of the vault.
    volatile: bool,
    uses: Arc<AtomicU64>,
}

impl Attached for Memory {
    /// Takes note of where the settings stand when the vault is opened first.
    fn opened(&self, conn: &Conn, state: &State) {
        if self.opened.load(Ordering::Relaxed) != NOT_OPENED {
            return;
        }
        let mark = match state.table(VALUES) {
            Ok(_) => mark_of(conn, state, VALUES),
            Err(_) => Ok(0),
        };
        if let Ok(mark) = mark {
            self.opened.store(mark, Ordering::Relaxed);
        }
    }

    /// Wipes every value.
    fn locked(&self) {
        let mut cache = self.cache.write();
        cache.generation += 1;
        cache.seen = None;
        cache.clear();
    }
}

impl Memory {
    pub(super) fn opened_at(&self) -> Result<i64> {
        let unknown =
            || err!(Corrupt, "how the settings stood when the vault was opened is not known");
        let opened = self.opened.load(Ordering::Relaxed);
        (opened != NOT_OPENED).then_some(opened).ok_or_else(unknown)
    }

    /// True where it is time to ask whether anything has changed; for one caller of several at once.
    pub(super) fn is_due(&self) -> bool {
        let now = self.now_ms();
        let last = self.checked_ms.load(Ordering::Relaxed);
        now.saturating_sub(last) >= CHECK_EVERY_MS
            && self
                .checked_ms
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// True where the next [`Memory::is_due`] may say so.
    pub(super) fn would_be_due(&self) -> bool {
        self.now_ms().saturating_sub(self.checked_ms.load(Ordering::Relaxed)) >= CHECK_EVERY_MS
    }

    /// After a check that failed: the next caller tries again.
    pub(super) fn retry(&self) {
        self.checked_ms.store(0, Ordering::Relaxed);
    }

    /// The result of a check: forgets what may have changed. `None` where no other connection can have changed anything.
    pub(super) fn note(&self, seen: Option<(u64, i64)>) {
        let mut cache = self.cache.write();
        if seen.is_some() && cache.seen != seen {
            cache.seen = seen;
            cache.generation += 1;
            cache.clear();
        } else {
            for scope in cache.scopes.values_mut() {
                scope.retain(|_, entry| !entry.volatile);
            }
            cache.entries = cache.scopes.values().map(HashMap::len).sum();
        }
    }

    /// Forgets every value: this process has changed one.
    pub(super) fn forget(&self) {
        let mut cache = self.cache.write();
        cache.generation += 1;
        cache.clear();
    }

    /// The generation to give to [`Memory::keep`], taken before the value is read.
    pub(super) fn generation(&self) -> u64 {
        self.cache.read().generation
    }

    /// The value in memory; the inner `None` is a setting without a value.
    #[allow(clippy::option_option, clippy::ref_option)] // the key of the map as it is
    pub(super) fn get(
        &self,
        tenant: &Option<Arc<str>>,
        name: &str,
    ) -> Option<Option<SettingValue>> {
        let cache = self.cache.read();
        let entry = cache.scopes.get(tenant)?.get(name)?;
        entry.uses.fetch_add(1, Ordering::Relaxed);
        Some(entry.value.clone())
    }

    /// Keeps a value, unless something was forgotten since it was read.
    #[allow(clippy::ref_option)]
    pub(super) fn keep(
        &self,
        generation: u64,
        tenant: &Option<Arc<str>>,
        name: &str,
        value: Option<SettingValue>,
        volatile: bool,
    ) {
        let mut cache = self.cache.write();
        let uses = Arc::clone(cache.uses.entry(name.to_owned()).or_default());
        uses.fetch_add(1, Ordering::Relaxed);
        if cache.generation != generation {
            return;
        }
        if cache.entries >= MAX_ENTRIES {
            cache.clear();
        }
        let scope = cache.scopes.entry(tenant.clone()).or_default();
        let added = scope.insert(name.to_owned(), Entry { value, volatile, uses }).is_none();
        cache.entries += usize::from(added);
    }

    /// How often a setting was used in this process.
    pub(super) fn uses(&self, name: &str) -> u64 {
        self.cache.read().uses.get(name).map_or(0, |uses| uses.load(Ordering::Relaxed))
    }

    /// How often any setting was used in this process.
    pub(crate) fn all_uses(&self) -> u64 {
        self.cache.read().uses.values().map(|uses| uses.load(Ordering::Relaxed)).sum()
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Cache {
    fn clear(&mut self) {
        self.scopes.clear();
        self.entries = 0;
    }
}
