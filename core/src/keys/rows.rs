//! The rows of the table of keys: reading, wrapping and unwrapping them.

use zeroize::Zeroizing;

use super::attributes::{Attributes, column};
use super::label;
use super::seal::{RecordKey, Shape, forged, open, seal};
use super::table_id;
use crate::crypto::mac::MacKey;
use crate::crypto::xaes;
use crate::db::{Conn, SqlRow};
use crate::error::Result;
use crate::format::context::{Context, Place};
use crate::format::payload::{Columns, put_column};
use crate::format::record::Record;
use crate::secret::Secret32;
use crate::value::{IdRef, ValueRef};

/// What the master key gives to wrap other keys, and to authenticate their list.
pub(super) struct Wrapping {
    pub(super) vault: [u8; 16],
    /// Kept to be wrapped in another slot.
    pub(super) master: Secret32,
    /// How often the master key had changed when this one was taken up.
    pub(super) changes: i64,
    pub(super) key: RecordKey,
    pub(super) list: MacKey,
}

/// A row as it stands in the file, still to be authenticated.
pub(super) struct StoredKey {
    pub(super) attributes: Attributes,
    pub(super) sealed: Vec<u8>,
}

/// The columns of a row, in the order of [`StoredKey::read`].
pub(super) const COLUMNS: &str =
    "k.id, k.purpose, k.tenant, k.subject, k.generation, k.state, k.created_at, k.changed_at,
     k.floor, k.sealed";

impl StoredKey {
    /// From the columns [`COLUMNS`], the first of them at `at`. A value of another type can't be what was wrapped.
    pub(super) fn read(row: &SqlRow<'_>, at: usize) -> Result<Self> {
        let id = row.integer(at).ok().and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| forged("the id of a key"))?;
        let read = || {
            let attributes = Attributes::read(row, at + 1, id)?;
            Ok::<_, crate::Error>(StoredKey { attributes, sealed: row.blob(at + 9)?.to_vec() })
        };
        read().map_err(|_| forged(format_args!("key {id}")))
    }

    /// The row of that id, where it is there.
    pub(super) fn find(conn: &Conn, id: u32) -> Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM sealite_keys k WHERE k.id = ?");
        conn.first(&sql, &[ValueRef::from(id)], |row| StoredKey::read(row, 0))
    }
}

impl Wrapping {
    pub(super) fn new(vault: [u8; 16], master: Secret32, changes: i64) -> Self {
        let wrap = label::wrap(&master, &vault);
        let key = RecordKey { id: 0, cipher: xaes::Key::new(wrap.expose()) };
        let list = MacKey::new(label::key_list(&master, &vault).expose());
        Wrapping { vault, master, changes, key, list }
    }

    pub(super) fn place<'a>(&'a self, attributes: &'a Attributes) -> Place<'a> {
        Place {
            vault: &self.vault,
            table: table_id::KEYS,
            field: None,
            record: Some(IdRef::Integer(i64::from(attributes.id))),
            tenant: attributes.tenant.as_deref(),
            subject: attributes.subject.as_deref(),
        }
    }

    /// The key of a row that is what was written; `None` of a destroyed one.
    pub(super) fn open(&self, stored: &StoredKey) -> Result<Option<Secret32>> {
        let attributes = &stored.attributes;
        let refused = || forged(format_args!("key {}", attributes.id));
        let record = Record::parse(&stored.sealed).map_err(|_| refused())?;
        let mut payload = Zeroizing::new(Vec::new());
        let (mut context, place) = (Context::default(), self.place(attributes));
        open(&mut payload, &mut context, &self.key, &record, &place, |context| {
            attributes.authenticate(context);
        })
        .map_err(|_| refused())?;
        match Columns::new(&payload).next() {
            Ok(Some((column::KEY, ValueRef::Blob(bytes)))) => {
                let bytes = <&[u8; 32]>::try_from(bytes).map_err(|_| refused())?;
                Ok(Some(Secret32::copy_of(bytes)))
            }
            Ok(None) => Ok(None),
            _ => Err(refused()),
        }
    }

    /// A row with those attributes and that key.
    pub(super) fn seal(&self, attributes: Attributes, key: Option<&Secret32>) -> Result<StoredKey> {
        let mut sealed = Vec::new();
        seal(
            &mut sealed,
            &mut Context::default(),
            &self.key,
            Shape::BARE,
            &self.place(&attributes),
            |context| attributes.authenticate(context),
            |out| {
                if let Some(key) = key {
                    put_column(out, column::KEY, ValueRef::Blob(key.expose()));
                }
            },
        )?;
        Ok(StoredKey { attributes, sealed })
    }

    /// What a row adds to the set hash: HMAC(list key, length of the associated data || associated data || record).
    pub(super) fn member(&self, stored: &StoredKey) -> Result<[u8; 32]> {
        let refused = || forged(format_args!("key {}", stored.attributes.id));
        let record = Record::parse(&stored.sealed).map_err(|_| refused())?;
        let mut context = Context::default();
        context.begin(record.header, &self.place(&stored.attributes));
        stored.attributes.authenticate(&mut context);
        let beside = context.finish();
        let length = u32::try_from(beside.len()).map_err(|_| refused())?;
        Ok(self.list.mac(&[&length.to_be_bytes(), beside, &stored.sealed]))
    }
}

/// Writes a new row.
pub(super) fn insert(conn: &Conn, stored: &StoredKey) -> Result<()> {
    let Attributes { tenant, subject, created_at, changed_at, .. } = &stored.attributes;
    conn.execute(
        "INSERT INTO sealite_keys
             (id, purpose, tenant, subject, generation, state, created_at, changed_at, floor, sealed)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            ValueRef::from(stored.attributes.id),
            ValueRef::Integer(stored.attributes.purpose),
            ValueRef::from(tenant.as_deref()),
            ValueRef::from(subject.as_deref()),
            ValueRef::Integer(stored.attributes.generation),
            ValueRef::Integer(stored.attributes.state),
            ValueRef::Integer(*created_at),
            ValueRef::Integer(*changed_at),
            ValueRef::Integer(stored.attributes.floor),
            ValueRef::Blob(&stored.sealed),
        ],
    )?;
    Ok(())
}

/// Writes what can change of a row that is there.
pub(super) fn update(conn: &Conn, stored: &StoredKey) -> Result<()> {
    let changed = conn.execute(
        "UPDATE sealite_keys SET state = ?, changed_at = ?, floor = ?, sealed = ? WHERE id = ?",
        &[
            ValueRef::Integer(stored.attributes.state),
            ValueRef::Integer(stored.attributes.changed_at),
            ValueRef::Integer(stored.attributes.floor),
            ValueRef::Blob(&stored.sealed),
            ValueRef::from(stored.attributes.id),
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(forged("the row of a key")) }
}
