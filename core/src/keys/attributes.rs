//! What a key is and whose: the attributes that are authenticated with it.

use crate::db::SqlRow;
use crate::error::Result;
use crate::format::context::Context;
use crate::value::ValueRef;

/// What a key is for. The numbers are stored; append-only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Purpose {
    Data = 1,
    Index = 2,
    Audit = 3,
    Token = 4,
}

/// The state of a key. The numbers are stored; append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeyState {
    /// Seals and opens.
    Active = 1,
    /// Opens only.
    Retired = 2,
    /// Neither: the key is gone, its row stays so that its id is never given out again.
    Destroyed = 3,
}

impl KeyState {
    pub(super) fn from_code(code: i64) -> Option<Self> {
        [KeyState::Active, KeyState::Retired, KeyState::Destroyed]
            .into_iter()
            .find(|state| *state as i64 == code)
    }
}

/// Column ids in the associated data and payload of a wrapped key.
pub(super) mod column {
    pub(in crate::keys) const PURPOSE: u32 = 1;
    pub(in crate::keys) const GENERATION: u32 = 2;
    pub(in crate::keys) const STATE: u32 = 3;
    pub(in crate::keys) const CREATED_AT: u32 = 4;
    pub(in crate::keys) const CHANGED_AT: u32 = 5;
    pub(in crate::keys) const KEY: u32 = 6;
}

/// The attributes of a key, authenticated with it.
#[derive(Clone)]
pub(super) struct Attributes {
    pub(super) id: u32,
    pub(super) purpose: i64,
    pub(super) tenant: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) generation: i64,
    pub(super) state: i64,
    pub(super) created_at: i64,
    pub(super) changed_at: i64,
}

impl Attributes {
    /// A row of the table of keys, from its second column on.
    pub(super) fn read(row: &SqlRow<'_>, id: u32) -> Result<Self> {
        let text = |at| match row.get(at)? {
            ValueRef::Null => Ok(None),
            _ => row.text(at).map(|text| Some(text.to_owned())),
        };
        Ok(Attributes {
            id,
            purpose: row.integer(0)?,
            tenant: text(1)?,
            subject: text(2)?,
            generation: row.integer(3)?,
            state: row.integer(4)?,
            created_at: row.integer(5)?,
            changed_at: row.integer(6)?,
        })
    }

    /// Adds what is authenticated beside the key; the tenant and the subject stand in the record's place.
    pub(super) fn authenticate(&self, context: &mut Context) {
        context.column(column::PURPOSE, ValueRef::Integer(self.purpose));
        context.column(column::GENERATION, ValueRef::Integer(self.generation));
        context.column(column::STATE, ValueRef::Integer(self.state));
        context.column(column::CREATED_AT, ValueRef::Integer(self.created_at));
        context.column(column::CHANGED_AT, ValueRef::Integer(self.changed_at));
    }
}
