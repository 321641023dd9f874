//! What a key is and whose: the attributes that are authenticated with it.

use crate::crypto::mac::sha256;
use crate::db::SqlRow;
use crate::error::Result;
use crate::format::context::{Context, put_value};
use crate::value::ValueRef;

/// What a key is for. The numbers are stored; append-only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Purpose {
    /// Seals records.
    Data = 1,
    /// Derives the keys of blind indexes.
    Index = 2,
    /// Chains the audit trail and signs checkpoints.
    Audit = 3,
    /// Hashes tokens.
    Token = 4,
    /// Derives the MACs that subjects of tokens, tokens made elsewhere and the keys of quotas are found by. Never rotated.
    Lookup = 5,
}

impl Purpose {
    pub(crate) const ALL: [Purpose; 5] =
        [Purpose::Data, Purpose::Index, Purpose::Audit, Purpose::Token, Purpose::Lookup];

    pub(super) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| *purpose as i64 == code)
    }

    /// The name: `data`, `index`, `audit`, `token` or `lookup`.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Data => "data",
            Purpose::Index => "index",
            Purpose::Audit => "audit",
            Purpose::Token => "token",
            Purpose::Lookup => "lookup",
        }
    }
}

/// The state of a key. The numbers are stored; append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum KeyState {
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

    /// The name: `active`, `retired` or `destroyed`.
    pub fn name(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Retired => "retired",
            KeyState::Destroyed => "destroyed",
        }
    }
}

/// Whose keys and for what: all generations of a key have one owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owner<'a> {
    pub(crate) purpose: Purpose,
    /// The vault itself where there is none.
    pub(crate) tenant: Option<&'a str>,
    /// The tenant as a whole where there is none. Only data keys have one.
    pub(crate) subject: Option<&'a str>,
}

/// What stands for an owner in memory: 16 bytes of SHA-256.
pub(super) type OwnerId = [u8; 16];

impl<'a> Owner<'a> {
    /// Of a tenant as a whole, or of the vault itself.
    pub(crate) fn of(purpose: Purpose, tenant: Option<&'a str>) -> Self {
        Owner { purpose, tenant, subject: None }
    }

    pub(super) fn id(&self) -> OwnerId {
        let mut encoded = Vec::with_capacity(64);
        put_value(&mut encoded, ValueRef::from(self.tenant));
        put_value(&mut encoded, ValueRef::from(self.subject));
        let digest = sha256(&[&[self.purpose as u8], &encoded]);
        *digest.first_chunk().unwrap_or(&[0; 16])
    }
}

/// Column ids in the associated data and payload of a wrapped key, and of the list of keys. Append-only.
pub(super) mod column {
    pub(in crate::keys) const PURPOSE: u32 = 1;
    pub(in crate::keys) const GENERATION: u32 = 2;
    pub(in crate::keys) const STATE: u32 = 3;
    pub(in crate::keys) const CREATED_AT: u32 = 4;
    pub(in crate::keys) const CHANGED_AT: u32 = 5;
    pub(in crate::keys) const KEY: u32 = 6;
    pub(in crate::keys) const FLOOR: u32 = 7;
    pub(in crate::keys) const LAST: u32 = 8;
    pub(in crate::keys) const SET: u32 = 9;
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
    /// Of the active key: generations of its owner below this one are refused, whatever their own rows say.
    pub(super) floor: i64,
}

impl Attributes {
    /// A row of the table of keys, from the column `at` on, which holds the purpose.
    pub(super) fn read(row: &SqlRow<'_>, at: usize, id: u32) -> Result<Self> {
        let text = |at| match row.get(at)? {
            ValueRef::Null => Ok(None),
            _ => row.text(at).map(|text| Some(text.to_owned())),
        };
        Ok(Attributes {
            id,
            purpose: row.integer(at)?,
            tenant: text(at + 1)?,
            subject: text(at + 2)?,
            generation: row.integer(at + 3)?,
            state: row.integer(at + 4)?,
            created_at: row.integer(at + 5)?,
            changed_at: row.integer(at + 6)?,
            floor: row.integer(at + 7)?,
        })
    }

    /// Adds what is authenticated beside the key; the tenant and the subject stand in the record's place.
    pub(super) fn authenticate(&self, context: &mut Context) {
        context.column(column::PURPOSE, ValueRef::Integer(self.purpose));
        context.column(column::GENERATION, ValueRef::Integer(self.generation));
        context.column(column::STATE, ValueRef::Integer(self.state));
        context.column(column::CREATED_AT, ValueRef::Integer(self.created_at));
        context.column(column::CHANGED_AT, ValueRef::Integer(self.changed_at));
        context.column(column::FLOOR, ValueRef::Integer(self.floor));
    }

    /// `None` for a purpose that is not known here.
    pub(super) fn owner(&self) -> Option<Owner<'_>> {
        let purpose = Purpose::from_code(self.purpose)?;
        Some(Owner { purpose, tenant: self.tenant.as_deref(), subject: self.subject.as_deref() })
    }

    pub(super) fn is(&self, state: KeyState) -> bool {
        self.state == state as i64
    }
}
