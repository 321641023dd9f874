//! Keyslots: each holds the master key, wrapped under one way to unlock.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::label;
use super::now;
use super::provider::{Secret, Unlock};
use super::seal::{RecordKey, Refusal, Shape, forged, no_randomness, open, seal};
use super::table_id;
use crate::crypto::{password, random, xaes};
use crate::db::Conn;
use crate::error::{ErrorKind, Result, err, fail};
use crate::format::context::{Context, Place};
use crate::format::payload::{Columns, put_column};
use crate::format::record::Record;
use crate::format::secret_text::{RECOVERY_LEN, format_recovery};
use crate::format::slot::{SlotKind, SlotParameters};
use crate::secret::{ExposeSecret, Secret32};
use crate::value::{IdRef, ValueRef};

/// The most slots a vault can have.
const MAX_SLOTS: i64 = 64;
/// The longest label, in bytes.
const MAX_LABEL: usize = 200;

/// Column ids in a slot's associated data and payload.
mod column {
    pub(super) const KIND: u32 = 1;
    pub(super) const LABEL: u32 = 2;
    pub(super) const CREATED_AT: u32 = 3;
    pub(super) const PARAMETERS: u32 = 4;
    pub(super) const MASTER_KEY: u32 = 5;
}

/// A way to unlock, as it is listed. It holds no secret.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Slot {
    /// The id that [`crate::Vault::remove_slot`] takes.
    pub id: i64,
    /// The kind.
    pub kind: SlotKind,
    /// The label that it was given.
    pub label: String,
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
}

/// A row of the table of slots.
#[derive(PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: i64,
    kind: i64,
    label: String,
    created_at: i64,
    parameters: Vec<u8>,
    sealed: Vec<u8>,
    /// False where somebody has put values of other types into the row.
    intact: bool,
}

impl Stored {
    /// Id, kind and label.
    pub(crate) fn describe(&self) -> String {
        let kind = SlotKind::from_code(self.kind).map_or("of another kind", SlotKind::name);
        format!("slot {} ({kind}, {:?})", self.id, self.label)
    }
}

/// A slot before it is written: its key is derived outside any transaction, because a passphrase is slow on purpose.
pub(crate) struct Draft {
    kind: SlotKind,
    label: String,
    parameters: SlotParameters,
    key: Arc<RecordKey>,
}

/// A slot that has been opened: its key, and not the secret that gave it.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) id: i64,
    key: Arc<RecordKey>,
}

impl Draft {
    pub(crate) fn new(label: &str, unlock: &Unlock) -> Result<Self> {
        if label.len() > MAX_LABEL || label.contains(char::is_control) {
            fail!(InvalidInput, "a slot's label: at most {MAX_LABEL} bytes, no control characters");
        }
        let mut salt = [0; 16];
        random::fill(&mut salt).map_err(|_| no_randomness())?;
        let cost = match unlock.secret() {
            Secret::Passphrase(_, cost) => Some([cost.memory_kib, cost.passes, cost.lanes]),
            _ => None,
        };
        let parameters = SlotParameters { salt, cost };
        let key = Arc::new(slot_key(unlock, &parameters)?);
        Ok(Draft { kind: unlock.kind(), label: label.to_owned(), parameters, key })
    }
}

/// A new recovery code, 160 bits from the operating system, and the secret that it makes.
pub(crate) fn generate_recovery() -> Result<(Zeroizing<String>, Unlock)> {
    let mut bits = Zeroizing::new([0; RECOVERY_LEN]);
    random::fill(bits.as_mut_slice()).map_err(|_| no_randomness())?;
    Ok((format_recovery(&bits), Unlock::recovery(bits)))
}

/// Writes a slot, inside the caller's transaction.
pub(crate) fn add(
    conn: &Conn,
    vault: &[u8; 16],
    master: &Secret32,
    draft: &Draft,
) -> Result<Opened> {
    let count = conn.first("SELECT count(*) FROM sealite_slots", &[], |row| row.integer(0))?;
    if count.unwrap_or(0) >= MAX_SLOTS {
        fail!(Limit, "a vault has at most {MAX_SLOTS} slots");
    }
    let mut row = Stored {
        id: 0,
        kind: draft.kind.code(),
        label: draft.label.clone(),
        created_at: now(),
        parameters: draft.parameters.encode(),
        sealed: Vec::new(),
        intact: true,
    };
    // The id is part of what is sealed: the row is made first and filled then, in the one transaction.
    conn.execute(
        "INSERT INTO sealite_slots (kind, label, created_at, parameters, sealed) VALUES (?, ?, ?, ?, x'')",
        &[
            ValueRef::Integer(row.kind),
            ValueRef::Text(&row.label),
            ValueRef::Integer(row.created_at),
            ValueRef::Blob(&row.parameters),
        ],
    )?;
    row.id = conn.last_insert_rowid()?;
    let opened = Opened { id: row.id, key: Arc::clone(&draft.key) };
    wrap(conn, vault, master, &row, &opened)?;
    Ok(opened)
}

/// Wraps the master key in a slot that is there, under the slot's own key, inside the caller's transaction.
pub(crate) fn wrap(
    conn: &Conn,
    vault: &[u8; 16],
    master: &Secret32,
    row: &Stored,
    opened: &Opened,
) -> Result<()> {
    let mut sealed = Vec::new();
    seal(
        &mut sealed,
        &mut Context::default(),
        &opened.key,
        Shape::BARE,
        &place(vault, row.id),
        |context| authenticated(context, row),
        |out| put_column(out, column::MASTER_KEY, ValueRef::Blob(master.expose())),
    )?;
    let parameters = [ValueRef::Blob(&sealed), ValueRef::Integer(row.id)];
    let changed = conn.execute("UPDATE sealite_slots SET sealed = ? WHERE id = ?", &parameters)?;
    if changed == 1 { Ok(()) } else { Err(forged("the table of slots")) }
}

/// Every slot that the secret opens; at least one.
pub(crate) fn open_all(slots: &[Stored], vault: &[u8; 16], unlock: &Unlock) -> Result<Vec<Opened>> {
    let (mut found, mut last) = (Vec::new(), None);
    for slot in slots {
        match open_any(std::slice::from_ref(slot), vault, unlock) {
            Ok((_, opened)) => found.push(opened),
            Err(error) if error.kind() == ErrorKind::WrongKey => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    match last {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// The slots, in the order of their ids.
pub(crate) fn list(conn: &Conn) -> Result<Vec<Slot>> {
    let slot = |stored: Stored| match SlotKind::from_code(stored.kind) {
        _ if !stored.intact => Err(forged(format_args!("slot {}", stored.id))),
        Some(kind) => {
            Ok(Slot { id: stored.id, kind, label: stored.label, created_at: stored.created_at })
        }
        None => {
            fail!(NewerFormat, "slot {} is of a kind that this version does not know", stored.id)
        }
    };
    read(conn)?.into_iter().map(slot).collect()
}

/// Removes a slot, inside the caller's transaction. The last one stays.
pub(crate) fn remove(conn: &Conn, id: i64) -> Result<()> {
    let slots = read(conn)?;
    if !slots.iter().any(|slot| slot.id == id) {
        fail!(NotFound, "there is no slot {id}");
    }
    if slots.len() == 1 {
        fail!(LastSlot, "the last slot can't be removed: nothing would open the vault again");
    }
    conn.execute("DELETE FROM sealite_slots WHERE id = ?", &[ValueRef::Integer(id)])?;
    Ok(())
}

/// The master key, from whichever slot of its kind the secret opens.
///
/// A slot that the secret does not fit is passed over (its commitment differs); one that it fits and that does not
/// open is damaged, and says so.
pub(crate) fn open_any(
    slots: &[Stored],
    vault: &[u8; 16],
    unlock: &Unlock,
) -> Result<(Secret32, Opened)> {
    if slots.is_empty() {
        fail!(Corrupt, "the vault has no slot: nothing can open it");
    }
    let mut damaged = false;
    for stored in slots.iter().filter(|stored| stored.kind == unlock.kind().code()) {
        match open_one(vault, stored, unlock) {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(Refusal::WrongKey)) => {}
            Ok(Err(Refusal::Forged)) => damaged = true,
            Err(error) if error.kind() == ErrorKind::Corrupt => damaged = true,
            Err(error) => return Err(error),
        }
    }
    if damaged {
        return Err(forged("a slot of this kind"));
    }
    let kind = unlock.kind().name();
    fail!(WrongKey, "no {kind} slot of the vault opens with this secret")
}

fn open_one(
    vault: &[u8; 16],
    stored: &Stored,
    unlock: &Unlock,
) -> Result<std::result::Result<(Secret32, Opened), Refusal>> {
    let damaged = || err!(Corrupt, "slot {} is damaged", stored.id);
    if !stored.intact {
        return Err(damaged());
    }
    let parameters =
        SlotParameters::decode(unlock.kind(), &stored.parameters).map_err(|_| damaged())?;
    let opened = Opened { id: stored.id, key: Arc::new(slot_key(unlock, &parameters)?) };
    Ok(open_again(vault, stored, &opened)?.map(|master| (master, opened)))
}

/// The master key of this moment, from a slot that was opened before; `None` where it has gone, or opens no more.
pub(crate) fn master_again(
    conn: &Conn,
    vault: &[u8; 16],
    opened: &Opened,
) -> Result<Option<Secret32>> {
    let found = read(conn)?.into_iter().find(|stored| stored.id == opened.id);
    match found {
        Some(stored) => Ok(open_again(vault, &stored, opened)?.ok()),
        None => Ok(None),
    }
}

/// The master key, by the key of a slot that was opened before.
fn open_again(
    vault: &[u8; 16],
    stored: &Stored,
    opened: &Opened,
) -> Result<std::result::Result<Secret32, Refusal>> {
    let damaged = || err!(Corrupt, "slot {} is damaged", stored.id);
    let record = Record::parse(&stored.sealed).map_err(|_| damaged())?;
    let mut payload = Zeroizing::new(Vec::new());
    let place = place(vault, stored.id);
    let (key, mut context) = (&opened.key, Context::default());
    let read = open(&mut payload, &mut context, key, &record, &place, |context| {
        authenticated(context, stored);
    });
    if let Err(refusal) = read {
        return Ok(Err(refusal));
    }
    let Ok(Some((column::MASTER_KEY, ValueRef::Blob(bytes)))) = Columns::new(&payload).next()
    else {
        return Err(damaged());
    };
    let master = <&[u8; 32]>::try_from(bytes).map_err(|_| damaged())?;
    Ok(Ok(Secret32::copy_of(master)))
}

fn slot_key(unlock: &Unlock, parameters: &SlotParameters) -> Result<RecordKey> {
    let key = match (unlock.secret(), parameters.cost) {
        (Secret::Key(key), _) => label::slot_key(key.expose(), &parameters.salt),
        (Secret::Recovery(bits), _) => label::slot_recovery(bits, &parameters.salt),
        (Secret::Passphrase(passphrase, _), Some([memory_kib, passes, lanes])) => {
            let cost = password::Argon2Params { memory_kib, passes, lanes };
            let bytes = passphrase.expose_secret().as_bytes();
            let stretched = password::derive(bytes, &parameters.salt, cost).map_err(|_| {
                err!(Corrupt, "a slot whose stored cost is below the floor or above the ceiling")
            })?;
            label::slot_passphrase(&stretched)
        }
        (Secret::Passphrase(..), None) => fail!(Corrupt, "a passphrase slot without its cost"),
    };
    Ok(RecordKey { id: 0, cipher: xaes::Key::new(key.expose()) })
}

/// Reads the slots.
pub(crate) fn read(conn: &Conn) -> Result<Vec<Stored>> {
    let mut found = Vec::new();
    let mut stmt = conn.prepare(
        "SELECT id, kind, label, created_at, parameters, sealed FROM sealite_slots ORDER BY id",
    )?;
    stmt.each(&[], |row| {
        let (kind, label, created_at) = (row.integer(1), row.text(2), row.integer(3));
        let (parameters, sealed) = (row.blob(4), row.blob(5));
        found.push(Stored {
            id: row.integer(0)?,
            intact: kind.is_ok()
                && label.is_ok()
                && created_at.is_ok()
                && parameters.is_ok()
                && sealed.is_ok(),
            kind: kind.unwrap_or_default(),
            label: label.unwrap_or_default().to_owned(),
            created_at: created_at.unwrap_or_default(),
            parameters: parameters.unwrap_or_default().to_vec(),
            sealed: sealed.unwrap_or_default().to_vec(),
        });
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn place(vault: &[u8; 16], id: i64) -> Place<'_> {
    Place {
        vault,
        table: table_id::SLOTS,
        field: None,
        record: Some(IdRef::Integer(id)),
        tenant: None,
        subject: None,
    }
}

fn authenticated(context: &mut Context, stored: &Stored) {
    context.column(column::KIND, ValueRef::Integer(stored.kind));
    context.column(column::LABEL, ValueRef::Text(&stored.label));
    context.column(column::CREATED_AT, ValueRef::Integer(stored.created_at));
    context.column(column::PARAMETERS, ValueRef::Blob(&stored.parameters));
}
