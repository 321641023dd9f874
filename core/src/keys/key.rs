//! A key of the ring, and what it may be used for.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::attributes::{Attributes, KeyState, Owner, Purpose};
use super::label;
use super::pepper::Pepper;
use super::seal::{RecordKey, forged};
use crate::crypto::mac::MacKey;
use crate::crypto::xaes;
use crate::error::{Result, fail};
use crate::secret::Secret32;

/// A key of the ring.
pub(crate) struct Key {
    pub(super) attributes: Attributes,
    material: Material,
    /// The retired keys of the same owner, once they have been asked for.
    pub(super) older: OnceLock<Vec<Arc<Key>>>,
}

enum Material {
    Data(RecordKey),
    /// A secret that others are derived from, and those that have been.
    Secret(Secret32, RwLock<BTreeMap<IndexPlace, Arc<MacKey>>>),
    Pepper(Pepper),
    Destroyed,
}

/// What a MAC key is for: where a blind index stands, quotas, or what tokens are found by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexPlace {
    /// Of a table: table id, index id, generation.
    Table(u32, u32, u16),
    /// Of a field: its name, the normaliser and its version.
    Field(Box<str>, u8, u16),
    /// Of the keys of quotas.
    Quota,
    /// Of the subjects of tokens, and of tokens made elsewhere.
    Token,
    /// Of the receipts of erasures.
    Receipt,
}

impl IndexPlace {
    /// The purpose of the key that it derives from.
    pub(crate) fn purpose(&self) -> Purpose {
        match self {
            IndexPlace::Table(..) | IndexPlace::Field(..) => Purpose::Index,
            IndexPlace::Quota | IndexPlace::Token | IndexPlace::Receipt => Purpose::Lookup,
        }
    }
}

impl Key {
    /// From a row that was authenticated.
    pub(super) fn new(attributes: Attributes, secret: Option<&Secret32>) -> Result<Self> {
        let refused = || forged(format_args!("key {}", attributes.id));
        let state = KeyState::from_code(attributes.state).ok_or_else(refused)?;
        let owner = attributes.owner().ok_or_else(refused)?;
        if owner.subject.is_some() && owner.purpose != Purpose::Data {
            return Err(refused());
        }
        let material = match (secret, state == KeyState::Destroyed) {
            (None, true) => Material::Destroyed,
            (None, false) | (Some(_), true) => return Err(refused()),
            (Some(secret), false) => match owner.purpose {
                Purpose::Data => Material::Data(RecordKey {
                    id: attributes.id,
                    cipher: xaes::Key::new(secret.expose()),
                }),
                Purpose::Token => Material::Pepper(Pepper::new(attributes.id, secret)),
                Purpose::Index | Purpose::Audit | Purpose::Lookup => {
                    Material::Secret(secret.clone(), RwLock::default())
                }
            },
        };
        Ok(Key { attributes, material, older: OnceLock::new() })
    }

    /// The id; never given out again.
    pub(crate) fn id(&self) -> u32 {
        self.attributes.id
    }

    /// The tenant that it is of.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.attributes.tenant.as_deref()
    }

    /// The subject that it is of.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.attributes.subject.as_deref()
    }

    /// True where nothing opens under it any more.
    pub(crate) fn is_destroyed(&self) -> bool {
        matches!(self.material, Material::Destroyed)
    }

    /// A key opens records of its own tenant and subject only, and none once it is destroyed.
    pub(super) fn fit_to_open(
        self: Arc<Self>,
        tenant: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Arc<Self>> {
        let Attributes { id, tenant: own, subject: owned, .. } = &self.attributes;
        match self.material {
            Material::Data(_) if own.as_deref() == tenant && owned.as_deref() == subject => {
                Ok(self)
            }
            Material::Destroyed => {
                fail!(
                    DestroyedKey,
                    "the record was sealed under key {id}, which has been destroyed"
                )
            }
            _ => Err(forged("a record")),
        }
    }

    /// True where the key has a successor, and only opens.
    pub(crate) fn is_retired(&self) -> bool {
        self.attributes.is(KeyState::Retired)
    }

    /// True where this is the active key of the owner.
    pub(super) fn is_active_of(&self, owner: Owner<'_>) -> bool {
        self.attributes.is(KeyState::Active) && self.attributes.owner() == Some(owner)
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

    /// The record key. [`super::ring::Ring::opening`] and [`super::ring::Ring::sealing`] give out nothing else.
    pub(crate) fn record_key(&self) -> Result<&RecordKey> {
        match &self.material {
            Material::Data(key) => Ok(key),
            _ => Err(forged("a data key")),
        }
    }

    /// The secret of a key that others are derived from.
    pub(super) fn secret(&self) -> Result<&Secret32> {
        match &self.material {
            Material::Secret(secret, _) => Ok(secret),
            _ => Err(forged("a key")),
        }
    }

    /// The MAC key of an index, where it has been derived before.
    pub(super) fn derived(&self, place: &IndexPlace) -> Option<Arc<MacKey>> {
        let Material::Secret(_, derived) = &self.material else { return None };
        derived.read().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    /// The MAC key of an index.
    pub(super) fn derive(&self, place: &IndexPlace) -> Result<Arc<MacKey>> {
        if let Some(mac) = self.derived(place) {
            return Ok(mac);
        }
        let Material::Secret(secret, kept) = &self.material else {
            return Err(forged("an index key"));
        };
        let derived = match place {
            IndexPlace::Table(table, index, generation) => {
                label::blind_index(secret, *table, *index, *generation)
            }
            IndexPlace::Field(name, normaliser, version) => {
                label::field_index(secret, name, *normaliser, *version)
            }
            IndexPlace::Quota => label::quota(secret),
            IndexPlace::Token => label::token_lookup(secret),
            IndexPlace::Receipt => label::receipt(secret),
        };
        let mac = Arc::new(MacKey::new(derived.expose()));
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(place.clone(), Arc::clone(&mac));
        Ok(mac)
    }
}
