//! The blind indexes of single values.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::Field;
use crate::crypto::mac::MacKey;
use crate::error::{Error, ErrorKind, Result, err};
use crate::index::normalise::Normaliser;
use crate::keys::ring::{IndexPlace, Purpose};
use crate::table::blind::BlindValue;
use crate::table::definition::{Column, Index};
use crate::value::{Type, Value, ValueRef};

impl Field {
    /// The blind index of a value, to be kept in a column of its own: 16 bytes for a unique index, an integer for a
    /// look-up, NULL for NULL. To look for a value, ask for all of [`Field::index_values`].
    ///
    /// # Errors
    /// `refused` for a look-up over fewer than 1,024 different values, unless the leakage is accepted.
    pub fn index<'v>(&self, value: impl Into<ValueRef<'v>>, index: &Index) -> Result<Value> {
        let values = [value.into()];
        let mut indexed = self.index_many(&values, index)?;
        indexed.pop().ok_or_else(|| err!(Internal, "an index that gave no value"))
    }

    /// The blind indexes of many values; in their order.
    pub fn index_many(&self, values: &[ValueRef<'_>], index: &Index) -> Result<Vec<Value>> {
        let macs = self.index_keys(index)?;
        let mac = macs.first().ok_or_else(|| err!(Internal, "an index key that is not there"))?;
        let mut scratch = Zeroizing::new(String::new());
        values.iter().map(|value| self.index_under(mac, *value, index, &mut scratch)).collect()
    }

    /// Every blind index that stands for a value: that of [`Field::index`] first and then, until the keys that a rotation
    /// has retired are destroyed, those under them. A look-up asks for all, `WHERE email_index IN (?, ?)`; so does whoever
    /// checks that a value is unique.
    ///
    /// ```
    /// # use sealite::{Index, Rotation, Vault};
    /// # let vault = Vault::in_memory()?;
    /// let (email, unique) = (vault.field("users.email")?, Index::unique());
    /// let kept = email.index("ada@example.org", &unique)?;
    /// vault.keys().run(&Rotation::index(None), |_| ())?;
    /// let values = email.index_values("ada@example.org", &unique)?;
    /// assert!(values.len() == 2 && values.contains(&kept) && values[0] != kept);
    /// # Ok::<(), sealite::Error>(())
    /// ```
    ///
    /// # Errors
    /// As of [`Field::index`].
    pub fn index_values<'v>(
        &self,
        value: impl Into<ValueRef<'v>>,
        index: &Index,
    ) -> Result<Vec<Value>> {
        let (value, macs) = (value.into(), self.index_keys(index)?);
        let mut scratch = Zeroizing::new(String::new());
        let macs = macs.iter().take(if value.is_null() { 1 } else { macs.len() });
        macs.map(|mac| self.index_under(mac, value, index, &mut scratch)).collect()
    }

    fn index_under(
        &self,
        mac: &MacKey,
        value: ValueRef<'_>,
        index: &Index,
        scratch: &mut String,
    ) -> Result<Value> {
        check_indexable(&self.name, value, index)?;
        let value = BlindValue::of(mac, index.bits(), index.normaliser, value, scratch);
        Ok(value.as_ref().to_owned())
    }

    /// The MAC keys of an index, the active one first. It is made on the tenant's first use.
    fn index_keys(&self, index: &Index) -> Result<Vec<Arc<MacKey>>> {
        let state = self.engine.looked_state()?;
        let normaliser = index.normaliser;
        let place =
            IndexPlace::Field(Box::from(&*self.name), normaliser.code(), normaliser.version());
        let tenant = self.tenant.as_deref();
        if let Some(macs) = state.ring.cached_indexes(tenant, &place) {
            return Ok(macs);
        }
        let macs = self.engine.read(|conn, state| state.ring.indexes(conn, tenant, &place))?;
        if !macs.is_empty() {
            return Ok(macs);
        }
        self.make_key(Purpose::Index, |conn, state| {
            let macs = state.ring.indexes(conn, tenant, &place)?;
            Ok(Some(macs).filter(|macs| !macs.is_empty()))
        })
    }
}

/// The rules of an index on a sealed column hold for a field too.
fn check_indexable(name: &str, value: ValueRef<'_>, index: &Index) -> Result<()> {
    let kind = match value {
        ValueRef::Null => return Ok(()),
        ValueRef::Integer(_) => Type::Integer,
        ValueRef::Real(_) => Type::Real,
        ValueRef::Text(_) => Type::Text,
        ValueRef::Blob(_) => Type::Blob,
        ValueRef::Boolean(_) => Type::Boolean,
        ValueRef::Json(_) => Type::Json,
    };
    let normaliser = index.normaliser;
    if normaliser != Normaliser::Exact && kind != Type::Text {
        return Err(Error::new(
            ErrorKind::TypeMismatch,
            format!("field {name}: only text has a normaliser other than exact"),
        ));
    }
    Column::new("value", kind).sealed().index(index.clone()).check()
}
