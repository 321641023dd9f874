//! The keys of a vault: listing them, and changing what wraps them.

use std::sync::Arc;

use super::Vault;
use crate::error::Result;
use crate::keys::KeyInfo;
use crate::table::engine::Engine;

/// The life of a vault's keys. From [`Vault::keys`]; `Send`, `Sync`, and cheap to clone.
#[derive(Clone)]
pub struct Keys {
    pub(super) engine: Arc<Engine>,
}

impl Vault {
    /// The keys of the vault.
    ///
    /// ```
    /// let vault = sealite::Vault::in_memory()?;
    /// let purposes: Vec<_> = vault.keys().list()?.iter().map(|key| key.purpose.name()).collect();
    /// assert_eq!(purposes, ["data", "index", "audit"]);
    /// # Ok::<(), sealite::Error>(())
    /// ```
    pub fn keys(&self) -> Keys {
        Keys { engine: Arc::clone(&self.engine) }
    }
}

impl Keys {
    /// All keys that there are and were, of all tenants, in the order of their ids. No secret is among it. Costs about a
    /// microsecond for each: every row is authenticated, and that none is missing or was put back.
    ///
    /// # Errors
    /// `authentication_failed` where a row was edited, taken away or put back as it once was; `locked`.
    pub fn list(&self) -> Result<Vec<KeyInfo>> {
        self.engine.read(|conn, state| state.ring.list(conn))
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}
