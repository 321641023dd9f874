//! The keys of a ring that are in memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use super::attributes::Owner;
use super::key::Key;

/// Keys by id, and the active ones by owner too.
#[derive(Default)]
pub(super) struct Cache {
    hasher: RandomState,
    by_id: RwLock<HashMap<u32, Arc<Key>>>,
    /// By a hash of the owner; whose key it is says the key.
    active: RwLock<HashMap<u64, Arc<Key>>>,
}

impl Cache {
    /// The key of that id.
    pub(super) fn get(&self, id: u32) -> Option<Arc<Key>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// The active key of an owner.
    pub(super) fn active(&self, owner: Owner<'_>) -> Option<Arc<Key>> {
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        active.get(&self.slot(owner)).filter(|key| key.is_active_of(owner)).cloned()
    }

    pub(super) fn put(&self, key: &Arc<Key>) {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.insert(key.id(), Arc::clone(key));
    }

    pub(super) fn put_active(&self, owner: Owner<'_>, key: &Arc<Key>) {
        self.put(key);
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        active.insert(self.slot(owner), Arc::clone(key));
    }

    fn slot(&self, owner: Owner<'_>) -> u64 {
        self.hasher.hash_one((owner.purpose as u8, owner.tenant, owner.subject))
    }
}
