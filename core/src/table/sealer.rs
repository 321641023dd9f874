//! What sealing the rows of a table takes.

use std::sync::Arc;

use super::engine::State;
use super::read::Target;
use super::schema::Schema;
use super::session::Session;
use crate::crypto::mac::MacKey;
use crate::error::{Result, err, fail};
use crate::index::normalise::Normaliser;
use crate::keys::ring::{IndexPlace, Key, Owner, Purpose, Ring};

/// The schema and the keys that rows of one table are sealed by, for one tenant.
pub(crate) struct Sealer {
    pub(super) state: Arc<State>,
    pub(super) schema: Arc<Schema>,
    pub(super) key: Arc<Key>,
    pub(super) indexes: Vec<BlindIndex>,
}

pub(super) struct BlindIndex {
    pub(super) position: usize,
    pub(super) mac: Arc<MacKey>,
    /// Those of retired index keys: some rows may still stand under them.
    pub(super) older: Vec<Arc<MacKey>>,
    pub(super) unique: bool,
    pub(super) bits: Option<u8>,
    pub(super) normaliser: Normaliser,
}

impl Sealer {
    pub(super) fn new(session: &Session, target: Target<'_>) -> Result<Self> {
        let schema = Arc::clone(target.schema(&session.state())?);
        let (mut state, key) = session.sealing_key(target.tenant, None)?;
        let mut indexes = Vec::with_capacity(schema.write.indexed.len());
        for position in schema.write.indexed.iter().copied() {
            let column = schema.column(position)?;
            let (Some(blind), Some(index)) = (&column.blind, &column.column.index) else {
                fail!(Internal, "an index that its column does not have");
            };
            let place = IndexPlace::Table(schema.stored.id, blind.id, blind.generation);
            let mut macs = state.ring.indexes(session.conn(), target.tenant, &place)?;
            if macs.is_empty() {
                state = session.create_key(Owner::of(Purpose::Index, target.tenant))?;
                macs = state.ring.indexes(session.conn(), target.tenant, &place)?;
            }
            let older = macs.split_off(macs.len().min(1));
            let mac = macs.pop();
            let mac = mac.ok_or_else(|| err!(Internal, "an index key just made is not there"))?;
            let (normaliser, unique) = (index.normaliser, index.unique);
            indexes.push(BlindIndex { position, mac, older, unique, bits: blind.bits, normaliser });
        }
        Ok(Sealer { state, schema, key, indexes })
    }

    /// False where the transaction has changed its catalog or its keys since.
    pub(crate) fn is_current(&self, session: &Session) -> bool {
        session.look(|state| Arc::ptr_eq(&self.state, state))
    }

    /// True where rows may stand in an index under a retired key.
    pub(super) fn has_older_indexes(&self) -> bool {
        self.indexes.iter().any(|index| !index.older.is_empty())
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.state.ring
    }

    /// The table's surrogate id.
    pub(crate) fn table(&self) -> u32 {
        self.schema.stored.id
    }
}
