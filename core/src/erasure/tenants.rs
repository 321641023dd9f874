//! The tenants of a vault: those that have keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::keys::KeyState;
use crate::table::ReadSession;
use crate::table::engine::Engine;

/// A tenant, as [`crate::Vault::tenants`] lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TenantInfo {
    /// The name.
    pub name: String,
    /// When its first key was made, in seconds since 1970.
    pub created_at: i64,
    /// When it was erased, in seconds since 1970; its name is not used again.
    pub erased_at: Option<i64>,
    /// How many subjects of it have keys.
    pub subjects: u64,
}

/// The tenants in the order of their names. Every row of the table of keys is authenticated.
pub(crate) fn list(engine: &Engine) -> Result<Vec<TenantInfo>> {
    let keys = {
        let session = ReadSession::begin(engine)?;
        session.state.ring.list(&session.conn)?
    };
    let mut found: BTreeMap<String, TenantInfo> = BTreeMap::new();
    let mut subjects: BTreeSet<(String, String)> = BTreeSet::new();
    for key in keys {
        let Some(name) = key.tenant else { continue };
        let is_there = key.state != KeyState::Destroyed;
        let tenant = found.entry(name.clone()).or_insert_with(|| TenantInfo {
            name: name.clone(),
            created_at: key.created_at,
            erased_at: Some(key.changed_at),
            subjects: 0,
        });
        tenant.created_at = tenant.created_at.min(key.created_at);
        match key.subject {
            Some(subject) if is_there => {
                if subjects.insert((name, subject)) {
                    tenant.subjects += 1;
                }
            }
            Some(_) => {}
            None if is_there => tenant.erased_at = None,
            None => tenant.erased_at = tenant.erased_at.map(|at| at.max(key.changed_at)),
        }
    }
    Ok(found.into_values().collect())
}
