//! The keys of a ring that are in memory: no more than so many, and none for longer than so long.
//!
//! What leaves the cache is wiped once nobody uses it any more, and unwrapped from its row when it is next asked for. A
//! forked child does not use its parent's keys: it wipes them at its first use of the ring and unwraps them again, by
//! the wrapping key, which it keeps so that a vault that was opened before the fork works after it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::attributes::Owner;
use super::key::Key;
use crate::db::Config;
use crate::fork::{Inherit, PerProcess};

/// How many keys a ring keeps in memory, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    keys: usize,
    age: Duration,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        Limits { keys: config.key_cache, age: config.key_age }
    }
}

/// Keys by id, and the active ones by owner too.
pub(super) struct Cache {
    pub(super) limits: Limits,
    hasher: RandomState,
    kept: PerProcess<Kept>,
}

#[derive(Default)]
struct Kept {
    by_id: BTreeMap<u32, Entry>,
    /// By a hash of the owner; whose key it is says the key.
    active: BTreeMap<u64, u32>,
}

impl Inherit for Kept {}

struct Entry {
    key: Arc<Key>,
    /// When it was unwrapped, by [`clock_ms`].
    since: u64,
    /// Whether it was asked for since the cache was last full.
    used: AtomicBool,
}

impl Cache {
    pub(super) fn new(limits: Limits) -> Self {
        Cache { limits, hasher: RandomState::new(), kept: PerProcess::default() }
    }

    /// The key of that id.
    pub(super) fn get(&self, id: u32) -> Option<Arc<Key>> {
        self.take(self.kept.read().by_id.get(&id)?)
    }

    /// The active key of an owner.
    pub(super) fn active(&self, owner: Owner<'_>) -> Option<Arc<Key>> {
        let kept = self.kept.read();
        let id = kept.active.get(&self.slot(owner))?;
        self.take(kept.by_id.get(id)?).filter(|key| key.is_active_of(owner))
    }

    pub(super) fn put(&self, key: &Arc<Key>) {
        self.keep(key, None);
    }

    pub(super) fn put_active(&self, owner: Owner<'_>, key: &Arc<Key>) {
        self.keep(key, Some(owner));
    }

    fn keep(&self, key: &Arc<Key>, owner: Option<Owner<'_>>) {
        let mut kept = self.kept.write();
        let id = key.id();
        if kept.by_id.len() >= self.limits.keys && !kept.by_id.contains_key(&id) {
            self.make_room(&mut kept);
        }
        // Where it is there already, somebody has unwrapped it meanwhile, or only its owner is new.
        let fresh = kept.by_id.get(&id).is_some_and(|entry| self.is_fresh(entry));
        if !fresh {
            let (key, since) = (Arc::clone(key), clock_ms());
            kept.by_id.insert(id, Entry { key, since, used: AtomicBool::new(false) });
        }
        if let Some(owner) = owner {
            kept.active.insert(self.slot(owner), id);
        }
    }

    /// Drops what is too old; where that is nothing, what was not used since this was last done, or else some of it.
    fn make_room(&self, kept: &mut Kept) {
        let before = kept.by_id.len();
        kept.by_id.retain(|_, entry| self.is_fresh(entry));
        if kept.by_id.len() == before {
            kept.by_id.retain(|_, entry| std::mem::take(entry.used.get_mut()));
        }
        if kept.by_id.len() == before {
            let mut number = 0;
            kept.by_id.retain(|_, _| {
                number += 1;
                number % 4 != 0 && number < self.limits.keys
            });
        }
        let Kept { by_id, active } = kept;
        active.retain(|_, id| by_id.contains_key(id));
    }

    fn take(&self, entry: &Entry) -> Option<Arc<Key>> {
        if !self.is_fresh(entry) {
            return None;
        }
        // Written once: a line that is only read stays in every processor's cache.
        if !entry.used.load(Ordering::Relaxed) {
            entry.used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&entry.key))
    }

    fn is_fresh(&self, entry: &Entry) -> bool {
        let age = u64::try_from(self.limits.age.as_millis()).unwrap_or(u64::MAX);
        clock_ms().saturating_sub(entry.since) < age
    }

    fn slot(&self, owner: Owner<'_>) -> u64 {
        self.hasher.hash_one((owner.purpose as u8, owner.tenant, owner.subject))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.read().by_id.len()
    }
}

/// Milliseconds of a clock that only goes forward, to a few of them: reading it costs next to nothing.
#[cfg(target_os = "linux")]
fn clock_ms() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::MonotonicCoarse);
    let ms = now.tv_sec.saturating_mul(1_000).saturating_add(now.tv_nsec / 1_000_000);
    u64::try_from(ms).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn clock_ms() -> u64 {
    use once_cell::race::OnceBox;
    use std::time::Instant;
    static START: OnceBox<Instant> = OnceBox::new();
    let start = START.get_or_init(|| Box::new(Instant::now()));
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::keys::KeyState;
    use crate::keys::attributes::Attributes;
    use crate::keys::ring::Purpose;
    use crate::secret::Secret32;
    use crate::table::session::Session;
    use crate::{ErrorKind, Vault};

    /// A vault whose cache has those limits.
    fn vault(key_cache: usize, key_age: Duration) -> Vault {
        let mut config = Config::default();
        (config.key_cache, config.key_age) = (key_cache, key_age);
        Vault::in_memory_with(config).unwrap()
    }

    fn kept(vault: &Vault) -> usize {
        vault.engine().state().unwrap().ring.cache.len()
    }

    #[test]
    fn no_more_keys_are_kept_than_the_limit_says_and_all_work() {
        let vault = vault(8, Duration::from_secs(3_600));
        let field = |n: usize| vault.tenant(&format!("tenant{n}")).unwrap().field("f").unwrap();
        let sealed: Vec<_> = (0..40).map(|n| field(n).seal("x", None).unwrap()).collect();
        for round in 0..3 {
            for (n, sealed) in sealed.iter().enumerate() {
                assert_eq!(field(n).open(sealed, None).unwrap(), "x".into(), "{round}");
                // One that is used all the time stays.
                assert_eq!(field(0).open(&sealed_of(&field(0)), None).unwrap(), "y".into());
                assert!((1..=8).contains(&kept(&vault)));
            }
        }
        assert!(field(0).seal_from_memory("z", None).is_some());
    }

    fn sealed_of(field: &crate::Field) -> Vec<u8> {
        field.seal("y", None).unwrap()
    }

    #[test]
    fn a_key_that_is_too_old_is_unwrapped_from_its_row_again() {
        for (age, refused) in [(Duration::ZERO, true), (Duration::MAX, false)] {
            let vault = vault(100, age);
            let field = vault.tenant("acme").unwrap().field("f").unwrap();
            let sealed = field.seal("x", None).unwrap();
            assert_eq!(field.open(&sealed, None).unwrap(), "x".into());
            assert_eq!(field.seal_from_memory("x", None).is_none(), refused);
            Session::run(vault.engine(), |session| {
                let sql = "UPDATE sealite_keys SET changed_at = 0 WHERE tenant = 'acme'";
                session.conn().execute(sql, &[])
            })
            .unwrap();
            let opened = field.open(&sealed, None);
            assert_eq!(opened.is_err(), refused, "{age:?}");
            if let Err(error) = opened {
                assert_eq!(error.kind(), ErrorKind::AuthenticationFailed);
            }
        }
    }

    #[test]
    fn what_leaves_the_cache_or_the_vault_is_dropped() {
        let vault = vault(2, Duration::MAX);
        let engine = Arc::clone(vault.engine());
        let key = |tenant: &'static str| {
            let owner = Owner::of(Purpose::Data, Some(tenant));
            let made = Session::run(&engine, |session| session.sealing_key(Some(tenant), None));
            drop(made.unwrap());
            let state = engine.state().unwrap();
            let key = state.ring.active(&engine.pool.reader().unwrap(), owner).unwrap().unwrap();
            Arc::downgrade(&key)
        };
        let first = key("a");
        assert_eq!(first.strong_count(), 1, "the cache has it, and nobody else");
        let others: Vec<_> = ["b", "c", "d", "e"].into_iter().map(key).collect();
        assert_eq!(first.strong_count(), 0, "evicted");
        vault.lock();
        assert!(others.iter().all(|key| key.strong_count() == 0));
    }

    #[test]
    fn a_full_cache_that_is_all_in_use_still_takes_a_key() {
        let vault = vault(4, Duration::MAX);
        let field = |n: usize| vault.tenant(&format!("t{n}")).unwrap().field("f").unwrap();
        for n in 0..60 {
            let sealed = field(n).seal("x", None).unwrap();
            for other in n.saturating_sub(3)..=n {
                field(other).seal("x", None).unwrap();
            }
            assert!(field(n).open(&sealed, None).is_ok() && kept(&vault) <= 4);
        }
    }

    /// The data key of that id, of a tenant that has its number for a name.
    fn key(id: u32) -> Arc<Key> {
        let attributes = Attributes {
            id,
            purpose: Purpose::Data as i64,
            tenant: Some(id.to_string()),
            subject: None,
            generation: 1,
            state: KeyState::Active as i64,
            created_at: 0,
            changed_at: 0,
            floor: 1,
        };
        Arc::new(Key::new(attributes, Some(&Secret32::copy_of(&[1; 32]))).unwrap())
    }

    /// The ids that are kept, without using any.
    fn ids(cache: &Cache) -> Vec<u32> {
        cache.kept.read().by_id.keys().copied().collect()
    }

    fn full(keys: u32) -> Cache {
        let cache = Cache::new(Limits { keys: keys as usize, age: Duration::MAX });
        (1..=keys).for_each(|id| cache.put(&key(id)));
        assert_eq!(cache.len(), keys as usize);
        cache
    }

    #[test]
    fn a_full_cache_drops_what_was_not_used_and_only_where_all_was_a_part_of_it() {
        let cache = full(8);
        (1..=4).for_each(|id| assert!(cache.get(id).is_some()));
        cache.put(&key(9));
        assert_eq!(ids(&cache), [1, 2, 3, 4, 9]);
        let cache = full(6);
        (1..=6).for_each(|id| assert!(cache.get(id).is_some()));
        cache.put(&key(9));
        assert_eq!(ids(&cache), [1, 2, 3, 5, 9]);
        // Whether they were used counts from then on.
        (10..=11).for_each(|id| cache.put(&key(id)));
        assert_eq!(ids(&cache), [11]);
    }

    #[test]
    fn a_full_cache_drops_what_is_too_old_and_nothing_else() {
        let cache = full(4);
        (1..=4).for_each(|id| assert!(cache.get(id).is_some()));
        let cache = Cache { limits: Limits { keys: 4, age: Duration::from_secs(1) }, ..cache };
        // From when the machine began: more than a second ago.
        cache.kept.write().by_id.get_mut(&2).unwrap().since = 0;
        assert!(cache.get(2).is_none());
        cache.kept.write().by_id.values_mut().for_each(|entry| {
            if entry.key.id() != 2 {
                entry.since = u64::MAX;
            }
        });
        cache.put(&key(9));
        assert_eq!(ids(&cache), [1, 3, 4, 9]);
    }

    #[test]
    fn active_keys_are_found_by_their_owners_each() {
        let cache = full(4);
        let owner = |name| Owner::of(Purpose::Data, Some(name));
        for (id, name) in [(1, "1"), (2, "2"), (3, "3")] {
            cache.put_active(owner(name), &key(id));
        }
        for (id, name) in [(1, "1"), (2, "2"), (3, "3")] {
            assert_eq!(cache.active(owner(name)).unwrap().id(), id);
        }
        assert!(cache.active(owner("4")).is_none());
        assert!(cache.active(Owner::of(Purpose::Index, Some("1"))).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_counts_milliseconds_since_the_machine_began() {
        use rustix::time::{ClockId, clock_gettime};
        let exact = || {
            let now = clock_gettime(ClockId::Monotonic);
            u64::try_from(now.tv_sec * 1_000 + now.tv_nsec / 1_000_000).unwrap()
        };
        let before = exact();
        let now = clock_ms();
        assert!((before.saturating_sub(100)..=exact()).contains(&now), "{before} {now}");
    }
}
