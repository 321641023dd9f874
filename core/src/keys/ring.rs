//! The key ring: the keys of the vault, unwrapped when they are needed and kept for as long as the epoch lasts.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use super::attributes::{Attributes, KeyState, column};
use super::pepper::Pepper;
use super::seal::{RecordKey, Shape, forged, no_randomness, open, seal};
use super::{label, now, table_id};
use crate::crypto::mac::MacKey;
use crate::crypto::{random, xaes};
use crate::db::Conn;
use crate::error::{Result, fail};
use crate::format::context::{Context, Place};
use crate::format::payload::{Columns, put_column};
use crate::format::record::Record;
use crate::secret::Secret32;
use crate::value::{IdRef, ValueRef};

pub(crate) use super::attributes::Purpose;

/// A key of the ring.
pub(crate) struct Key {
    attributes: Attributes,
    material: Material,
}

enum Material {
    Data(Box<RecordKey>),
    Secret(Secret32),
    Pepper(Box<Pepper>),
    Destroyed,
}

type Owner = (Purpose, Option<Box<str>>);

/// The keys, by id and by what they are for.
pub(crate) struct Ring {
    vault: [u8; 16],
    wrap: Arc<RecordKey>,
    by_id: RwLock<HashMap<u32, Arc<Key>>>,
    active: RwLock<HashMap<Owner, Arc<Key>>>,
    indexes: RwLock<HashMap<IndexUse, MacKey>>,
}

/// Which blind index a MAC key belongs to, under which index key.
#[derive(Clone, PartialEq, Eq, Hash)]
struct IndexUse {
    key: u32,
    index: IndexPlace,
}

/// What a MAC key is for: where a blind index stands, quotas, or what tokens are found by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum IndexPlace {
    /// Of a table: table id, index id, generation.
    Table(u32, u32, u16),
    /// Of a field: its name, the normaliser and its version.
    Field(Box<str>, u8, u16),
    /// Of the keys of quotas.
    Quota,
    /// Of the subjects of tokens, and of tokens made elsewhere.
    Token,
}

impl Ring {
    /// A ring over the wrapping key that the master key gives.
    pub(crate) fn new(vault: [u8; 16], master: &Secret32) -> Self {
        let wrap = label::wrap(master, &vault);
        let wrap = Arc::new(RecordKey { id: 0, cipher: xaes::Key::new(wrap.expose()) });
        Self::over(vault, wrap)
    }

    /// An empty ring over the same wrapping key, for a new epoch.
    pub(crate) fn renewed(&self) -> Self {
        Self::over(self.vault, Arc::clone(&self.wrap))
    }

    fn over(vault: [u8; 16], wrap: Arc<RecordKey>) -> Self {
        Ring {
            vault,
            wrap,
            by_id: RwLock::default(),
            active: RwLock::default(),
            indexes: RwLock::default(),
        }
    }

    pub(crate) fn vault(&self) -> &[u8; 16] {
        &self.vault
    }

    /// The key that new records of a tenant (or of the vault itself) are sealed under, where there is one.
    pub(crate) fn sealing(&self, conn: &Conn, tenant: Option<&str>) -> Result<Option<Arc<Key>>> {
        self.active(conn, Purpose::Data, tenant)
    }

    /// The key that a record names. It must be a data key of the tenant; nothing else is ever tried.
    pub(crate) fn opening(&self, conn: &Conn, id: u32, tenant: Option<&str>) -> Result<Arc<Key>> {
        self.by_id(conn, id)?.fit_to_open(tenant)
    }

    /// The vault's own secret for a purpose other than sealing, where there is one.
    pub(crate) fn secret(&self, conn: &Conn, purpose: Purpose) -> Result<Option<Secret32>> {
        let Some(key) = self.active(conn, purpose, None)? else { return Ok(None) };
        match &key.material {
            Material::Secret(secret) => Ok(Some(secret.clone())),
            _ => Err(forged("a key")),
        }
    }

    /// As [`Ring::sealing`], from memory only.
    pub(crate) fn cached_sealing(&self, tenant: Option<&str>) -> Option<Arc<Key>> {
        get(&self.active, &(Purpose::Data, tenant.map(Box::from)))
    }

    /// As [`Ring::opening`], from memory only.
    pub(crate) fn cached_opening(&self, id: u32, tenant: Option<&str>) -> Option<Result<Arc<Key>>> {
        get(&self.by_id, &id).map(|key| key.fit_to_open(tenant))
    }

    /// As [`Ring::index`], from memory only.
    pub(crate) fn cached_index(&self, tenant: Option<&str>, place: &IndexPlace) -> Option<MacKey> {
        let key = get(&self.active, &(Purpose::Index, tenant.map(Box::from)))?;
        get(&self.indexes, &IndexUse { key: key.attributes.id, index: place.clone() })
    }

    /// The MAC key of a blind index of a tenant, where its index key exists.
    pub(crate) fn index(
        &self,
        conn: &Conn,
        tenant: Option<&str>,
        place: &IndexPlace,
    ) -> Result<Option<MacKey>> {
        let Some(key) = self.active(conn, Purpose::Index, tenant)? else { return Ok(None) };
        let Material::Secret(secret) = &key.material else { return Err(forged("an index key")) };
        let wanted = IndexUse { key: key.attributes.id, index: place.clone() };
        if let Some(mac) = get(&self.indexes, &wanted) {
            return Ok(Some(mac));
        }
        let derived = match place {
            IndexPlace::Table(table, index, generation) => {
                label::blind_index(secret, *table, *index, *generation)
            }
            IndexPlace::Field(name, normaliser, version) => {
                label::field_index(secret, name, *normaliser, *version)
            }
            IndexPlace::Quota => label::quota(secret),
            IndexPlace::Token => label::token_lookup(secret),
        };
        let mac = MacKey::new(derived.expose());
        put(&self.indexes, wanted, mac.clone());
        Ok(Some(mac))
    }

    /// The ids of the data keys that only open.
    pub(crate) fn retired(&self, conn: &Conn) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        let parameters = [Purpose::Data as i64, KeyState::Retired as i64].map(ValueRef::Integer);
        let sql = "SELECT id FROM sealite_keys WHERE purpose = ? AND state = ? ORDER BY id";
        conn.prepare(sql)?.each(&parameters, |row| {
            found.extend(u32::try_from(row.integer(0)?).ok());
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        for id in &found {
            // What counts is what was authenticated.
            self.load(conn, *id)?;
        }
        Ok(found)
    }

    pub(super) fn active(
        &self,
        conn: &Conn,
        purpose: Purpose,
        tenant: Option<&str>,
    ) -> Result<Option<Arc<Key>>> {
        let owner = (purpose, tenant.map(Box::from));
        if let Some(key) = get(&self.active, &owner) {
            return Ok(Some(key));
        }
        let found = conn.first(
            "SELECT id FROM sealite_keys WHERE purpose = ? AND tenant IS ? AND subject IS NULL AND state = ?
             ORDER BY id DESC LIMIT 1",
            &[
                ValueRef::Integer(purpose as i64),
                ValueRef::from(tenant),
                ValueRef::Integer(KeyState::Active as i64),
            ],
            |row| row.integer(0),
        )?;
        let id = match (found, tenant) {
            (Some(id), _) => id,
            (None, Some(_)) => return Ok(None),
            // Made with the first token.
            (None, None) if purpose == Purpose::Token => return Ok(None),
            // The vault's other keys are made with it: somebody has hidden the row.
            (None, None) => return Err(forged("the row of the vault's own key")),
        };
        let id = u32::try_from(id).map_err(|_| forged("the id of a key"))?;
        let key = self.load(conn, id)?;
        let attributes = &key.attributes;
        // The query only finds the row; what counts is what was authenticated.
        if attributes.purpose != purpose as i64
            || attributes.state != KeyState::Active as i64
            || attributes.tenant.as_deref() != tenant
            || attributes.subject.is_some()
        {
            return Err(forged("a key"));
        }
        put(&self.active, owner, Arc::clone(&key));
        Ok(Some(key))
    }

    /// The key of that id, from memory or from its row.
    pub(super) fn by_id(&self, conn: &Conn, id: u32) -> Result<Arc<Key>> {
        match get(&self.by_id, &id) {
            Some(key) => Ok(key),
            None => self.load(conn, id),
        }
    }

    fn load(&self, conn: &Conn, id: u32) -> Result<Arc<Key>> {
        let read = conn.first(
            "SELECT purpose, tenant, subject, generation, state, created_at, changed_at, sealed
             FROM sealite_keys WHERE id = ?",
            &[ValueRef::from(id)],
            |row| {
                // A value of another type can't be what was wrapped.
                Attributes::read(row, id)
                    .and_then(|attributes| self.unwrap(attributes, row.blob(7)?))
                    .map_err(|_| forged(format_args!("key {id}")))
            },
        )?;
        let Some(key) = read else {
            fail!(UnknownKey, "the vault has no key {id}");
        };
        let key = Arc::new(key);
        put(&self.by_id, id, Arc::clone(&key));
        Ok(key)
    }

    fn unwrap(&self, attributes: Attributes, sealed: &[u8]) -> Result<Key> {
        let refused = || forged(format_args!("key {}", attributes.id));
        let record = Record::parse(sealed).map_err(|_| refused())?;
        let mut payload = Zeroizing::new(Vec::new());
        open(
            &mut payload,
            &mut Context::default(),
            &self.wrap,
            &record,
            &self.place(&attributes),
            |context| attributes.authenticate(context),
        )
        .map_err(|_| refused())?;
        let secret = match Columns::new(&payload).next() {
            Ok(Some((column::KEY, ValueRef::Blob(bytes)))) => {
                Some(<&[u8; 32]>::try_from(bytes).map_err(|_| refused())?)
            }
            Ok(None) => None,
            _ => return Err(refused()),
        };
        let state = KeyState::from_code(attributes.state).ok_or_else(refused)?;
        let destroyed = state == KeyState::Destroyed;
        let material = match secret {
            None if destroyed => Material::Destroyed,
            Some(_) if destroyed || attributes.subject.is_some() => return Err(refused()),
            Some(secret) if attributes.purpose == Purpose::Data as i64 => {
                Material::Data(Box::new(RecordKey {
                    id: attributes.id,
                    cipher: xaes::Key::new(secret),
                }))
            }
            Some(secret)
                if [Purpose::Index as i64, Purpose::Audit as i64].contains(&attributes.purpose) =>
            {
                Material::Secret(Secret32::copy_of(secret))
            }
            Some(secret) if attributes.purpose == Purpose::Token as i64 => {
                Material::Pepper(Box::new(Pepper::new(attributes.id, &Secret32::copy_of(secret))))
            }
            _ => return Err(refused()),
        };
        Ok(Key { attributes, material })
    }

    /// Makes a key, inside the caller's write transaction. The ring must be that transaction's own: a key that a roll-back
    /// takes back may be in no other.
    pub(crate) fn create(&self, conn: &Conn, purpose: Purpose, tenant: Option<&str>) -> Result<()> {
        let last =
            conn.first("SELECT coalesce(max(id), 0) FROM sealite_keys", &[], |row| row.integer(0))?;
        let Some(id) = last.and_then(|id| u32::try_from(id).ok()).and_then(|id| id.checked_add(1))
        else {
            fail!(Limit, "no key id is left");
        };
        let created_at = now();
        let attributes = Attributes {
            id,
            purpose: purpose as i64,
            tenant: tenant.map(str::to_owned),
            subject: None,
            generation: 1,
            state: KeyState::Active as i64,
            created_at,
            changed_at: created_at,
        };
        let mut secret = Secret32::zeroed();
        random::fill(secret.expose_mut()).map_err(|_| no_randomness())?;
        let mut sealed = Vec::new();
        seal(
            &mut sealed,
            &mut Context::default(),
            &self.wrap,
            Shape::BARE,
            &self.place(&attributes),
            |context| attributes.authenticate(context),
            |out| put_column(out, column::KEY, ValueRef::Blob(secret.expose())),
        )?;
        conn.execute(
            "INSERT INTO sealite_keys
                 (id, purpose, tenant, subject, generation, state, created_at, changed_at, sealed)
             VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?)",
            &[
                ValueRef::from(id),
                ValueRef::Integer(attributes.purpose),
                ValueRef::from(tenant),
                ValueRef::Integer(attributes.generation),
                ValueRef::Integer(attributes.state),
                ValueRef::Integer(created_at),
                ValueRef::Integer(created_at),
                ValueRef::Blob(&sealed),
            ],
        )?;
        Ok(())
    }

    fn place<'a>(&'a self, attributes: &'a Attributes) -> Place<'a> {
        Place {
            vault: &self.vault,
            table: table_id::KEYS,
            field: None,
            record: Some(IdRef::Integer(i64::from(attributes.id))),
            tenant: attributes.tenant.as_deref(),
            subject: attributes.subject.as_deref(),
        }
    }
}

#[cfg(test)]
impl Ring {
    /// Retires a key, inside the caller's write transaction, which advances the epoch.
    pub(crate) fn retire(&self, conn: &Conn, id: u32) -> Result<()> {
        let mut attributes = self.load(conn, id)?.attributes.clone();
        let mut payload = Vec::new();
        conn.first("SELECT sealed FROM sealite_keys WHERE id = ?", &[ValueRef::from(id)], |row| {
            let record = Record::parse(row.blob(0)?).map_err(|_| forged("a key"))?;
            let (mut context, place) = (Context::default(), self.place(&attributes));
            open(&mut payload, &mut context, &self.wrap, &record, &place, |context| {
                attributes.authenticate(context);
            })
            .map_err(|_| forged("a key"))
        })?;
        attributes.state = KeyState::Retired as i64;
        let mut sealed = Vec::new();
        seal(
            &mut sealed,
            &mut Context::default(),
            &self.wrap,
            Shape::BARE,
            &self.place(&attributes),
            |context| attributes.authenticate(context),
            |out| out.extend_from_slice(&payload),
        )?;
        conn.execute(
            "UPDATE sealite_keys SET state = ?, sealed = ? WHERE id = ?",
            &[ValueRef::Integer(attributes.state), ValueRef::Blob(&sealed), ValueRef::from(id)],
        )?;
        Ok(())
    }
}

impl Key {
    /// A key opens records of its own tenant only, and none once it is destroyed.
    fn fit_to_open(self: Arc<Self>, tenant: Option<&str>) -> Result<Arc<Self>> {
        match self.material {
            Material::Data(_) if self.attributes.tenant.as_deref() == tenant => Ok(self),
            Material::Destroyed => {
                let id = self.attributes.id;
                fail!(
                    DestroyedKey,
                    "the record was sealed under key {id}, which has been destroyed"
                )
            }
            _ => Err(forged("a record")),
        }
    }

    /// The pepper of a tenant's tokens; refused where the key is anything else.
    pub(crate) fn pepper(&self, tenant: Option<&str>) -> Result<&Pepper> {
        match &self.material {
            Material::Pepper(pepper) if self.attributes.tenant.as_deref() == tenant => Ok(pepper),
            Material::Destroyed => {
                fail!(DestroyedKey, "the key of the token's hash has been destroyed")
            }
            _ => Err(forged("a token")),
        }
    }

    /// The record key. [`Ring::opening`] and [`Ring::sealing`] give out nothing else.
    pub(crate) fn record_key(&self) -> Result<&RecordKey> {
        match &self.material {
            Material::Data(key) => Ok(key),
            _ => Err(forged("a data key")),
        }
    }
}

fn get<K: Eq + std::hash::Hash, V: Clone>(map: &RwLock<HashMap<K, V>>, key: &K) -> Option<V> {
    map.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

fn put<K: Eq + std::hash::Hash, V>(map: &RwLock<HashMap<K, V>>, key: K, value: V) {
    map.write().unwrap_or_else(PoisonError::into_inner).insert(key, value);
}
