//! The subject of a row that is being written, and its key.

use std::borrow::Cow;
use std::sync::Arc;

use super::subject::{Whose, subject_of};
use super::write::Writer;
use crate::error::Result;
use crate::keys::ring::Key;
use crate::value::{IdRef, ValueRef};

/// Whose a row is.
pub(super) enum Owner<'v> {
    /// The tenant's, or the vault's.
    Tenant,
    /// A column or the row's key names a subject, whose key it is.
    Subject(Cow<'v, str>, Arc<Key>),
    /// That of a key which is given.
    Key(Arc<Key>),
}

impl Owner<'_> {
    pub(super) fn subject(&self) -> Option<&str> {
        match self {
            Owner::Tenant => None,
            Owner::Subject(subject, _) => Some(subject),
            Owner::Key(key) => key.subject(),
        }
    }

    /// The subject's key.
    pub(super) fn key(&self) -> Option<&Arc<Key>> {
        match self {
            Owner::Tenant => None,
            Owner::Subject(_, key) | Owner::Key(key) => Some(key),
        }
    }
}

impl Writer<'_> {
    /// Seals what is written from now on under that key: in a table that does not say outside of the record whose a row is.
    pub(crate) fn under(mut self, key: Option<Arc<Key>>) -> Self {
        self.under = key;
        self
    }

    /// Whose a row with these values is. A subject's key is made here, where it is the first use.
    ///
    /// # Errors
    /// `destroyed_key` where the subject has been erased.
    pub(super) fn owner<'v>(&self, id: IdRef<'v>, values: &[ValueRef<'v>]) -> Result<Owner<'v>> {
        let named = match &self.schema().write.subject {
            None => return Ok(Owner::Tenant),
            Some(Whose::Key) => {
                return Ok(self.under.clone().map_or(Owner::Tenant, Owner::Key));
            }
            Some(Whose::Row) => match id {
                IdRef::Integer(id) => ValueRef::Integer(id),
                IdRef::Text(id) => ValueRef::Text(id),
            },
            Some(Whose::Column(position)) => {
                values.get(*position).copied().unwrap_or(ValueRef::Null)
            }
        };
        let Some(subject) = subject_of(named)? else { return Ok(Owner::Tenant) };
        let (_, key) = self.session.sealing_key(self.tenant, Some(&subject))?;
        Ok(Owner::Subject(subject, key))
    }

    /// As [`Writer::owner`], for a row that was sealed under the key of that id.
    pub(super) fn owner_again<'v>(
        &self,
        id: IdRef<'v>,
        values: &[ValueRef<'v>],
        key: u32,
    ) -> Result<Owner<'v>> {
        if self.schema().write.subject != Some(Whose::Key) {
            return self.owner(id, values);
        }
        let (conn, state) = (self.session.conn(), self.session.state());
        let there = state.ring.data_key(conn, key)?;
        let Some(subject) = there.subject() else { return Ok(Owner::Tenant) };
        let (_, key) = self.session.sealing_key(there.tenant(), Some(subject))?;
        Ok(Owner::Key(key))
    }
}
