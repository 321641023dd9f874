//! Tokens that were read, for as long as nobody has written to the file since: a connection that has read one asks SQLite
//! whether anything was committed, by whatever process, and where not, it need not be read and opened again.

use std::collections::HashMap;
use std::sync::Arc;

use super::issued::Token;
use crate::db::Conn;
use crate::error::Result;
use crate::fork::{Inherit, PerProcess};

/// Tokens kept for a connection, at most.
const MAX_TOKENS: usize = 1_024;
/// Connections for which any are kept, at most.
const MAX_CONNECTIONS: usize = 8;

/// A token with what else was read with it.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) token: Token,
    /// Whose it is, beside the vault's own.
    pub(super) tenant: Option<Arc<str>>,
    /// Its subject's epoch.
    pub(super) epoch: Option<i64>,
    /// The high-water mark of the vault's clock.
    pub(super) mark: i64,
    /// The id of the key of its hash. The ring has the key, for as long as it keeps any.
    pub(super) key: u32,
}

/// What was read, by the number of the connection.
#[derive(Default)]
pub(super) struct Cache(PerProcess<HashMap<u64, OfConnection>>);

/// A connection belongs to one process.
impl Inherit for HashMap<u64, OfConnection> {}

#[derive(Default)]
struct OfConnection {
    /// SQLite's counter of what others have committed, before the tokens were read.
    version: i64,
    tokens: HashMap<[u8; 12], Option<Known>>,
}

impl Cache {
    /// The token of that id as `read` gives it, or as it was read under the same counter. A token is kept from its
    /// second reading on, so that an id that nobody has costs one look-up, and no memory.
    pub(super) fn get(
        &self,
        conn: &Conn,
        id: &[u8; 12],
        tenant: Option<&str>,
        is_there: impl FnOnce() -> Result<bool>,
        read: impl FnOnce() -> Result<Option<Known>>,
    ) -> Result<Option<Known>> {
        let number = conn.number();
        let met = {
            let known = self.0.read();
            known.get(&number).is_some_and(|known| known.tokens.contains_key(id))
        };
        if !met {
            // Of an id that nobody has no more is asked than that.
            if !is_there()? {
                return Ok(None);
            }
            let found = read()?;
            if found.is_some() {
                self.keep(number, None, id, None);
            }
            return Ok(found);
        }
        // Before the reading: what changes meanwhile shows in the counter next time.
        let (_, version) = conn.change_counter()?;
        let known = {
            let known = self.0.read();
            let known = known.get(&number).filter(|known| known.version == version);
            let known = known.and_then(|known| known.tokens.get(id)?.as_ref());
            known.filter(|known| known.tenant.as_deref() == tenant).cloned()
        };
        if known.is_some() {
            return Ok(known);
        }
        let found = read()?;
        self.keep(number, Some(version), id, found.clone());
        Ok(found)
    }

    fn keep(&self, number: u64, version: Option<i64>, id: &[u8; 12], found: Option<Known>) {
        let mut known = self.0.write();
        if known.len() >= MAX_CONNECTIONS && !known.contains_key(&number) {
            known.clear();
        }
        let of = known.entry(number).or_default();
        if let Some(version) = version.filter(|version| *version != of.version) {
            of.version = version;
            // Their ids stay met.
            of.tokens.values_mut().for_each(|token| *token = None);
        }
        if of.tokens.len() >= MAX_TOKENS && !of.tokens.contains_key(id) {
            of.tokens.clear();
        }
        of.tokens.insert(*id, found);
    }

    /// Nothing of a locked vault stays in memory.
    pub(super) fn clear(&self) {
        self.0.write().clear();
    }
}

#[cfg(test)]
mod tests;
