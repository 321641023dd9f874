//! The audit keys: what the trail is chained by.

use super::ring::{Key, Owner, Purpose, Ring};
use super::seal::forged;
use crate::db::Conn;
use crate::error::Result;
use crate::secret::Secret32;

/// An audit key.
pub(crate) struct AuditKey {
    /// Its id; every entry and every checkpoint names it.
    pub(crate) id: u32,
    /// Counted up by rotations.
    pub(crate) generation: i64,
    pub(crate) secret: Secret32,
}

impl Ring {
    /// The audit key that new entries are chained by, where there is one.
    pub(crate) fn audit_key(&self, conn: &Conn) -> Result<Option<AuditKey>> {
        let key = self.active(conn, Owner::of(Purpose::Audit, None))?;
        key.map(|key| audit_key(&key)).transpose()
    }

    /// The audit key of that id.
    pub(crate) fn audit_key_of(&self, conn: &Conn, id: u32) -> Result<AuditKey> {
        let key = self.by_id(conn, id)?;
        if key.attributes.owner() != Some(Owner::of(Purpose::Audit, None)) {
            return Err(forged("an audit key"));
        }
        audit_key(&key)
    }
}

fn audit_key(key: &Key) -> Result<AuditKey> {
    let (id, generation) = (key.id(), key.attributes.generation);
    Ok(AuditKey { id, generation, secret: key.secret()?.clone() })
}
