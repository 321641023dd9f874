//! Which keys an owner has: learnt from rows that were authenticated, so that a hidden row is not taken for none.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::attributes::{Owner, OwnerId};
use super::list::KeyList;
use super::rows::Wrapping;
use super::seal::forged;
use crate::db::Conn;
use crate::error::Result;
use crate::fork::{Inherit, PerProcess};

/// Who owns which key. That never changes, so it outlives every epoch.
#[derive(Clone, Default)]
struct Facts {
    /// The rows up to this id have been authenticated.
    walked: u32,
    owned: BTreeSet<(OwnerId, u32)>,
}

impl Inherit for Facts {
    fn inherit(parent: Option<&Self>) -> Self {
        parent.cloned().unwrap_or_default()
    }
}

/// The directory of a ring: what the rings of one open vault share, and what only a transaction's own ring may know.
pub(super) struct Directory {
    shared: Arc<PerProcess<Facts>>,
    /// From here on of a transaction's own, which a roll-back may take back.
    own: Option<PerProcess<Facts>>,
}

impl Directory {
    pub(super) fn new() -> Self {
        Directory { shared: Arc::default(), own: None }
    }

    /// For another ring; `private` where that may see rows that are not committed.
    pub(super) fn for_ring(&self, private: bool) -> Self {
        let shared = Arc::clone(&self.shared);
        let own = private.then(|| {
            let walked = shared.read().walked;
            PerProcess::new(Facts { walked, owned: BTreeSet::new() })
        });
        Directory { shared, own }
    }

    /// The ids of all keys of an owner, in ascending order, as far as the connection sees them.
    pub(super) fn ids(
        &self,
        conn: &Conn,
        wrapping: &Wrapping,
        owner: Owner<'_>,
    ) -> Result<Vec<u32>> {
        let last = self.walk(conn, wrapping)?;
        let id = owner.id();
        let mut found = Vec::new();
        for facts in self.all() {
            let facts = facts.read();
            found.extend(facts.owned.range((id, 0)..=(id, last)).map(|(_, key)| *key));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Authenticates the rows that nobody has authenticated yet; the last id.
    fn walk(&self, conn: &Conn, wrapping: &Wrapping) -> Result<u32> {
        let facts = self.own.as_ref().unwrap_or(&self.shared);
        let from = facts.read().walked;
        let mut learnt = Vec::new();
        let list = KeyList::walk(conn, wrapping, from, |stored| {
            wrapping.open(&stored)?;
            let id = stored.attributes.id;
            let owner = stored.attributes.owner();
            let owner = owner.ok_or_else(|| forged(format_args!("key {id}")))?;
            learnt.push((owner.id(), id));
            Ok(())
        })?;
        if !learnt.is_empty() {
            let mut facts = facts.write();
            facts.owned.extend(learnt);
            facts.walked = facts.walked.max(list.last);
        }
        Ok(list.last)
    }

    fn all(&self) -> impl Iterator<Item = &PerProcess<Facts>> {
        std::iter::once(&*self.shared).chain(&self.own)
    }
}
