//! The key ring: the keys of the vault, unwrapped when they are needed and kept for as long as the epoch lasts.

use std::sync::Arc;

use super::cache::{Cache, Limits};
use super::directory::Directory;
use super::list::KeyList;
use super::rows::{StoredKey, Wrapping};
use super::seal::forged;
use crate::crypto::mac::MacKey;
use crate::db::Conn;
use crate::error::{ErrorKind, Result, fail};
use crate::secret::Secret32;
use crate::value::ValueRef;

pub(super) use super::attributes::KeyState;
pub(crate) use super::attributes::{Owner, Purpose};
pub(crate) use super::key::{IndexPlace, Key};

/// The keys, by id and by what they are for.
pub(crate) struct Ring {
    pub(super) wrapping: Arc<Wrapping>,
    pub(super) directory: Directory,
    pub(super) cache: Cache,
}

impl Ring {
    /// A ring over the wrapping key that the master key gives; `changes` is how often that has been changed.
    pub(crate) fn new(vault: [u8; 16], master: Secret32, changes: i64, limits: Limits) -> Self {
        let wrapping = Arc::new(Wrapping::new(vault, master, changes));
        Ring { wrapping, directory: Directory::new(), cache: Cache::new(limits) }
    }

    /// An empty ring over the wrapping key that another master key gives.
    pub(crate) fn rewrapped(&self, master: Secret32, changes: i64) -> Self {
        let wrapping = Arc::new(Wrapping::new(self.wrapping.vault, master, changes));
        Ring { wrapping, directory: self.directory.for_ring(false), cache: self.empty() }
    }

    fn empty(&self) -> Cache {
        Cache::new(self.cache.limits)
    }

    /// The master key, to wrap it in another slot.
    pub(crate) fn master(&self) -> &Secret32 {
        &self.wrapping.master
    }

    /// How often the master key had changed when this ring took it up.
    pub(crate) fn master_changes(&self) -> i64 {
        self.wrapping.changes
    }

    /// An empty ring over the same wrapping key, for a new epoch; `private` for a transaction that may see keys that a
    /// roll-back takes back.
    pub(crate) fn renewed(&self, private: bool) -> Self {
        Ring {
            wrapping: Arc::clone(&self.wrapping),
            directory: self.directory.for_ring(private),
            cache: self.empty(),
        }
    }

    pub(crate) fn vault(&self) -> &[u8; 16] {
        &self.wrapping.vault
    }

    /// The key that new records of a tenant (or of the vault itself), or of one subject of it, are sealed under, where
    /// there is one.
    pub(crate) fn sealing(
        &self,
        conn: &Conn,
        tenant: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Option<Arc<Key>>> {
        self.active(conn, Owner { purpose: Purpose::Data, tenant, subject })
    }

    /// The key that a record names. It must be a data key of the tenant and subject; nothing else is ever tried.
    pub(crate) fn opening(
        &self,
        conn: &Conn,
        id: u32,
        tenant: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Arc<Key>> {
        self.by_id(conn, id)?.fit_to_open(tenant, subject)
    }

    /// The data key of that id, whosever it is, destroyed or not: for records that say it inside only.
    pub(crate) fn data_key(&self, conn: &Conn, id: u32) -> Result<Arc<Key>> {
        let key = self.by_id(conn, id)?;
        match key.attributes.owner() {
            Some(Owner { purpose: Purpose::Data, .. }) => Ok(key),
            _ => Err(forged("a record")),
        }
    }

    /// As [`Ring::sealing`], from memory only.
    pub(crate) fn cached_sealing(
        &self,
        tenant: Option<&str>,
        subject: Option<&str>,
    ) -> Option<Arc<Key>> {
        self.cache.active(Owner { purpose: Purpose::Data, tenant, subject })
    }

    /// The active key of an owner, from memory only.
    pub(super) fn cached_active(&self, owner: Owner<'_>) -> Option<Arc<Key>> {
        self.cache.active(owner)
    }

    /// As [`Ring::opening`], from memory only.
    pub(crate) fn cached_opening(
        &self,
        id: u32,
        tenant: Option<&str>,
        subject: Option<&str>,
    ) -> Option<Result<Arc<Key>>> {
        self.cache.get(id).map(|key| key.fit_to_open(tenant, subject))
    }

    /// The MAC key of a blind index of a tenant, where its index key exists.
    pub(crate) fn index(
        &self,
        conn: &Conn,
        tenant: Option<&str>,
        place: &IndexPlace,
    ) -> Result<Option<Arc<MacKey>>> {
        let key = self.active(conn, Owner::of(place.purpose(), tenant))?;
        key.map(|key| key.derive(place)).transpose()
    }

    /// The active key of an owner, where there is one.
    pub(crate) fn active(&self, conn: &Conn, owner: Owner<'_>) -> Result<Option<Arc<Key>>> {
        if let Some(key) = self.cache.active(owner) {
            return Ok(Some(key));
        }
        let found = conn.first(
            "SELECT id FROM sealite_keys WHERE purpose = ? AND tenant IS ? AND subject IS ? AND state = ?
             ORDER BY id DESC LIMIT 1",
            &[
                ValueRef::Integer(owner.purpose as i64),
                ValueRef::from(owner.tenant),
                ValueRef::from(owner.subject),
                ValueRef::Integer(KeyState::Active as i64),
            ],
            |row| row.integer(0),
        )?;
        let key = match found {
            Some(id) => {
                let id = u32::try_from(id).map_err(|_| forged("the id of a key"))?;
                Some(self.load(conn, id)?)
            }
            None => self.active_by_directory(conn, owner)?,
        };
        let Some(key) = key else { return Ok(None) };
        // The query only finds the row; what counts is what was authenticated.
        if !key.is_active_of(owner) {
            return Err(forged("a key"));
        }
        self.cache.put_active(owner, &key);
        Ok(Some(key))
    }

    /// As [`Ring::active`], by what is known of the owner: no row shows it, which somebody may have seen to.
    fn active_by_directory(&self, conn: &Conn, owner: Owner<'_>) -> Result<Option<Arc<Key>>> {
        for id in self.directory.ids(conn, &self.wrapping, owner)?.into_iter().rev() {
            let key = match self.load(conn, id) {
                Err(error) if error.kind() == ErrorKind::UnknownKey => {
                    return Err(forged(format_args!("the row of key {id}")));
                }
                other => other?,
            };
            if key.is_active_of(owner) {
                return Ok(Some(key));
            }
        }
        let own = [Purpose::Data, Purpose::Index, Purpose::Audit].contains(&owner.purpose);
        if own && owner.tenant.is_none() && owner.subject.is_none() {
            // The vault's own keys are made with it, and always have a successor.
            return Err(forged("the row of the vault's own key"));
        }
        Ok(None)
    }

    /// The key of that id, from memory or from its row, unless it lies below its owner's floor.
    pub(crate) fn by_id(&self, conn: &Conn, id: u32) -> Result<Arc<Key>> {
        if let Some(key) = self.cache.get(id) {
            return Ok(key);
        }
        let key = self.load(conn, id)?;
        if !key.attributes.is(KeyState::Destroyed)
            && let Some(owner) = key.attributes.owner()
            && let Some(active) = self.active(conn, owner)?
            && key.attributes.generation < active.attributes.floor
        {
            return Err(forged(format_args!("key {id}, which is destroyed: it")));
        }
        self.cache.put(&key);
        Ok(key)
    }

    /// The key of that id, from its row.
    pub(super) fn load(&self, conn: &Conn, id: u32) -> Result<Arc<Key>> {
        let Some(stored) = StoredKey::find(conn, id)? else {
            fail!(UnknownKey, "the vault has no key {id}");
        };
        let secret = self.wrapping.open(&stored)?;
        Ok(Arc::new(Key::new(stored.attributes, secret.as_ref())?))
    }

    /// Authenticates every row of the table of keys, and that none is missing or older than its last change.
    pub(crate) fn check(&self, conn: &Conn) -> Result<()> {
        KeyList::check(conn, &self.wrapping, |_| Ok(()))
    }
}
