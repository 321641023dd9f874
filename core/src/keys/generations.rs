//! Keys before the active one: what they stand for holds until they are destroyed.

use std::sync::Arc;

use super::attributes::KeyState;
use super::key::{IndexPlace, Key};
use super::ring::{Owner, Ring};
use crate::crypto::mac::MacKey;
use crate::db::Conn;
use crate::error::Result;

impl Ring {
    /// The MAC keys of a blind index of a tenant: the one that new values are made with, and then those that values made
    /// before a rotation still stand under. Empty where nothing was ever indexed.
    pub(crate) fn indexes(
        &self,
        conn: &Conn,
        tenant: Option<&str>,
        place: &IndexPlace,
    ) -> Result<Vec<Arc<MacKey>>> {
        let Some(key) = self.active(conn, Owner::of(place.purpose(), tenant))? else {
            return Ok(Vec::new());
        };
        let older = self.older(conn, &key)?;
        std::iter::once(&key).chain(older).map(|key| key.derive(place)).collect()
    }

    /// The retired keys of the owner of an active key, the newest first.
    pub(super) fn older<'k>(&self, conn: &Conn, active: &'k Key) -> Result<&'k [Arc<Key>]> {
        if let Some(older) = active.older.get() {
            return Ok(older);
        }
        let mut older = Vec::new();
        if let Some(owner) = active.attributes.owner()
            && active.attributes.generation > 1
        {
            for id in self.directory.ids(conn, &self.wrapping, owner)?.into_iter().rev() {
                if self.load(conn, id)?.attributes.is(KeyState::Retired) {
                    older.push(self.by_id(conn, id)?);
                }
            }
        }
        // A ring lasts no longer than the states of its keys.
        Ok(active.older.get_or_init(|| older))
    }

    /// As [`Ring::indexes`], from memory only.
    pub(crate) fn cached_indexes(
        &self,
        tenant: Option<&str>,
        place: &IndexPlace,
    ) -> Option<Vec<Arc<MacKey>>> {
        let key = self.cached_active(Owner::of(place.purpose(), tenant))?;
        let older = key.older.get()?;
        std::iter::once(&key).chain(older).map(|key| key.derived(place)).collect()
    }
}
