//! The keys that a write transaction makes, replaces and destroys.

use std::sync::Arc;

use super::engine::State;
use super::session::Session;
use crate::error::{Result, err};
use crate::keys::master::Plan;
use crate::keys::ring::{Key, Owner, Purpose};

impl Session {
    /// The key that seals for a tenant, or for one subject of it, made here where it is the first use, and the state that
    /// knows it.
    pub(crate) fn sealing_key(
        &self,
        tenant: Option<&str>,
        subject: Option<&str>,
    ) -> Result<(Arc<State>, Arc<Key>)> {
        let mut state = self.state();
        let owner = Owner { purpose: Purpose::Data, tenant, subject };
        let mut key = state.ring.active(self.conn(), owner)?;
        if key.is_none() {
            state = self.create_key(owner)?;
            key = state.ring.active(self.conn(), owner)?;
            // A tenant's index key comes with its first data key: a field that first needed it while the caller has a
            // transaction open would wait for that.
            let index = Owner::of(Purpose::Index, tenant);
            if tenant.is_some()
                && subject.is_none()
                && state.ring.active(self.conn(), index)?.is_none()
            {
                state = self.create_key(index)?;
            }
        }
        let key = key.ok_or_else(|| err!(Internal, "a key just made is not there"))?;
        Ok((state, key))
    }

    /// Makes a key; the state that knows it. From here on the transaction has a ring of its own, so that a key that a
    /// roll-back can still take back seals nothing outside of it.
    pub(crate) fn create_key(&self, owner: Owner<'_>) -> Result<Arc<State>> {
        let state = self.own_ring();
        state.ring.create(self.conn(), owner)?;
        Ok(state)
    }

    /// Makes the next key of an owner, which seals from now on, in this process and in every other: see
    /// [`crate::keys::ring::Ring::succeed`]. The ids of the key before and of this one.
    pub(crate) fn succeed_key(&self, owner: Owner<'_>) -> Result<(u32, u32)> {
        let ids = self.own_ring().ring.succeed(self.conn(), owner)?;
        self.advance()?;
        Ok(ids)
    }

    /// As [`Session::succeed_key`], of the data keys of subjects.
    pub(crate) fn succeed_subjects(&self, subjects: &[(Option<String>, String)]) -> Result<()> {
        if subjects.is_empty() {
            return Ok(());
        }
        for (tenant, subject) in subjects {
            let owner =
                Owner { purpose: Purpose::Data, tenant: tenant.as_deref(), subject: Some(subject) };
            self.own_ring().ring.succeed(self.conn(), owner)?;
        }
        self.advance()
    }

    /// Destroys keys, for every process: see [`crate::keys::ring::Ring::destroy`].
    pub(crate) fn destroy_keys(&self, ids: &[u32]) -> Result<()> {
        self.own_ring().ring.destroy(self.conn(), ids)?;
        self.advance()
    }

    /// Changes the master key, for every process: see [`crate::keys::ring::Ring::rotate_master`]. How many keys it wraps.
    pub(crate) fn rotate_master(&self, plan: &Plan) -> Result<u32> {
        let (ring, keys) = self.own_ring().ring.rotate_master(self.conn(), plan)?;
        self.advance_with(&ring)?;
        Ok(keys)
    }
}
