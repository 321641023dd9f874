//! The pepper of tokens: what their hashes are keyed with.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::label;
use super::ring::{Key, Owner, Purpose, Ring};
use crate::crypto::mac::MacKey;
use crate::db::Conn;
use crate::error::Result;
use crate::secret::Secret32;

/// A token key, as the two MAC keys derived from it.
pub(crate) struct Pepper {
    /// The id of the token key; kept with every hash.
    pub(crate) id: u32,
    hash: MacKey,
    successor: MacKey,
}

/// What a token's hash is made of. The numbers are stored as the scheme; append-only.
#[derive(Clone, Copy)]
pub(crate) enum Hashed<'a> {
    /// A token of the engine's: its prefix and its secret.
    Secret(&'a str, &'a [u8; 32]),
    /// A token made elsewhere that has not been used here yet: SHA-256 of its text.
    Digest(&'a [u8; 32]),
    /// A token made elsewhere: its text.
    Text(&'a str),
    /// A short code, stretched by Argon2id.
    Stretched(&'a [u8; 32]),
}

impl Hashed<'_> {
    /// The number of the scheme.
    pub(crate) fn scheme(&self) -> u8 {
        match self {
            Hashed::Secret(..) => 1,
            Hashed::Digest(_) => 2,
            Hashed::Text(_) => 3,
            Hashed::Stretched(_) => 4,
        }
    }
}

impl Pepper {
    pub(super) fn new(id: u32, key: &Secret32) -> Self {
        let (hash, successor) = label::token(key);
        let mac = |key: &Secret32| MacKey::new(key.expose());
        Pepper { id, hash: mac(&hash), successor: mac(&successor) }
    }

    /// HMAC(token hash key, scheme || public id || what is hashed); a prefix stands behind its length in one byte.
    pub(crate) fn hash(&self, id: &[u8; 12], of: Hashed<'_>) -> [u8; 32] {
        let scheme = [of.scheme()];
        match of {
            Hashed::Secret(prefix, secret) => {
                // A prefix is shorter than 256 bytes: the token's text was read.
                let length = [prefix.len() as u8];
                self.hash.mac(&[&scheme, id, &length, prefix.as_bytes(), secret])
            }
            Hashed::Digest(bytes) | Hashed::Stretched(bytes) => {
                self.hash.mac(&[&scheme, id, bytes])
            }
            Hashed::Text(text) => self.hash.mac(&[&scheme, id, text.as_bytes()]),
        }
    }

    /// The secret of the token that follows another in a rotation: HMAC(successor key, id || id of the successor ||
    /// secret). Whoever presents the old token again gets the same successor, and its secret is kept nowhere.
    pub(crate) fn successor(
        &self,
        id: &[u8; 12],
        successor: &[u8; 12],
        secret: &[u8; 32],
    ) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.successor.mac(&[id, successor, secret]))
    }
}

impl Ring {
    /// The token key that new tokens of a tenant (or of the vault itself) are hashed under, where there is one.
    pub(crate) fn token_key(&self, conn: &Conn, tenant: Option<&str>) -> Result<Option<Arc<Key>>> {
        self.active(conn, Owner::of(Purpose::Token, tenant))
    }

    /// The token key that a hash names: see [`Key::pepper`].
    pub(crate) fn token_key_of(&self, conn: &Conn, id: u32) -> Result<Arc<Key>> {
        self.by_id(conn, id)
    }
}
