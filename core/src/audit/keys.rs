//! The audit keys, by the id that an entry or a checkpoint names. A trail that outlives a rotation has several.

use std::collections::BTreeMap;

use super::chain;
use crate::crypto::mac::MacKey;
use crate::db::Conn;
use crate::error::{Result, err};
use crate::keys::AuditKey;
use crate::table::engine::State;

/// The two keys that an audit key gives.
pub(crate) struct Keys {
    /// The id of the audit key.
    pub(crate) id: u32,
    /// Counted up by rotations: a trail never goes back to an earlier one.
    pub(crate) generation: i64,
    pub(crate) chain: MacKey,
    pub(crate) checkpoint: MacKey,
}

impl Keys {
    /// Those that new entries are chained by.
    pub(crate) fn active(conn: &Conn, state: &State) -> Result<Self> {
        let key = state.ring.audit_key(conn)?;
        key.as_ref().map(Keys::new).ok_or_else(|| err!(Corrupt, "the vault has no audit key"))
    }

    /// Those of that id.
    pub(crate) fn of(conn: &Conn, state: &State, id: u32) -> Result<Self> {
        Ok(Keys::new(&state.ring.audit_key_of(conn, id)?))
    }

    pub(crate) fn new(key: &AuditKey) -> Self {
        let (chain, checkpoint) = chain::keys(&key.secret);
        Keys { id: key.id, generation: key.generation, chain, checkpoint }
    }
}

/// The keys that a walk has met.
#[derive(Default)]
pub(crate) struct Met(BTreeMap<i64, Keys>);

impl Met {
    /// The keys of that id, as an entry names it.
    pub(crate) fn get(&mut self, conn: &Conn, state: &State, id: i64) -> Result<&Keys> {
        use std::collections::btree_map::Entry;
        match self.0.entry(id) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let known = u32::try_from(id);
                let id = known.map_err(|_| err!(UnknownKey, "an audit entry names no key"))?;
                Ok(entry.insert(Keys::of(conn, state, id)?))
            }
        }
    }
}
