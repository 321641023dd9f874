//! What somebody presents as a token.

use super::text::{Parsed, is_shaped, parse};
use crate::crypto::mac::{ct_eq, sha256};
use crate::db::Conn;
use crate::error::Result;
use crate::keys::ring::{IndexPlace, Ring};
use crate::keys::{Hashed, Pepper};

/// The longest text of a token made elsewhere, in bytes.
const MAX_FOREIGN: usize = 1_024;
/// What the look-up key's MACs are of: the first byte of their messages. Append-only.
const OF_SUBJECT: &[u8] = &[1];
const OF_FOREIGN: &[u8] = &[2];
/// The bytes kept of the MAC of a subject.
const OWNER_LEN: usize = 16;

/// A text that may be a token's.
pub(super) enum Presented<'t> {
    /// A token of the engine's, with a good checksum.
    Ours(Parsed<'t>),
    /// Anything else: its text, and SHA-256 of that.
    Foreign(&'t str, [u8; 32]),
}

impl<'t> Presented<'t> {
    /// `None` for what can't be a token, which needs no look at the database.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        if let Some(parsed) = parse(text) {
            return Some(Presented::Ours(parsed));
        }
        if text.is_empty() || text.len() > MAX_FOREIGN || is_shaped(text) {
            return None;
        }
        Some(Presented::Foreign(text, sha256(&[text.as_bytes()])))
    }

    /// The public id; `None` where the tenant has no look-up key, and so no token made elsewhere.
    pub(super) fn id(
        &self,
        conn: &Conn,
        ring: &Ring,
        tenant: Option<&str>,
    ) -> Result<Option<[u8; 12]>> {
        match self {
            Presented::Ours(parsed) => Ok(Some(parsed.id)),
            Presented::Foreign(_, digest) => foreign_id(conn, ring, tenant, digest),
        }
    }

    /// What a new hash of it is made of.
    pub(super) fn hashed(&self) -> Hashed<'_> {
        match self {
            Presented::Ours(parsed) => Hashed::Secret(parsed.prefix, &parsed.secret),
            Presented::Foreign(text, _) => Hashed::Text(text),
        }
    }

    /// Whether the hash of a token is of this, by the scheme that it has; in constant time.
    pub(super) fn fits(&self, pepper: &Pepper, id: &[u8; 12], scheme: i64, hash: &[u8]) -> bool {
        let of = match self {
            Presented::Foreign(_, digest) if scheme == 2 => Hashed::Digest(digest),
            _ => self.hashed(),
        };
        scheme == i64::from(of.scheme()) && ct_eq(&pepper.hash(id, of), hash)
    }
}

/// The public id of a token made elsewhere: the first 12 bytes of the MAC of SHA-256 of its text. Whoever imports it
/// again finds the same row.
pub(super) fn foreign_id(
    conn: &Conn,
    ring: &Ring,
    tenant: Option<&str>,
    digest: &[u8; 32],
) -> Result<Option<[u8; 12]>> {
    let key = ring.index(conn, tenant, &IndexPlace::Token)?;
    Ok(key.and_then(|key| key.mac(&[OF_FOREIGN, digest]).first_chunk().copied()))
}

/// What stands for a subject: the first 16 bytes of its MAC, as 32 hex digits.
pub(super) fn owner(
    conn: &Conn,
    ring: &Ring,
    tenant: Option<&str>,
    subject: &str,
) -> Result<Option<String>> {
    let key = ring.index(conn, tenant, &IndexPlace::Token)?;
    let mac = key.map(|key| key.mac(&[OF_SUBJECT, subject.as_bytes()]));
    Ok(mac.map(|mac| base16ct::lower::encode_string(mac.get(..OWNER_LEN).unwrap_or(&mac))))
}
