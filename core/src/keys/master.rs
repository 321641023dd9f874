//! Changing the master key: every key, their list and every slot that stays are wrapped again, in one transaction.

use super::list::KeyList;
use super::ring::Ring;
use super::rows::{self, StoredKey, Wrapping};
use super::seal::{forged, no_randomness};
use super::slots::{self, Opened, Stored};
use crate::crypto::random;
use crate::db::Conn;
use crate::error::{Error, Result, fail};
use crate::secret::Secret32;
use crate::value::ValueRef;

/// The slots that stay, each opened, and those that go.
pub(crate) struct Plan {
    /// As they were read when the plan was made.
    slots: Vec<Stored>,
    keep: Vec<Opened>,
    drop: Vec<i64>,
}

impl Plan {
    /// Opens the slots that are to stay, outside any transaction: a passphrase is slow on purpose.
    ///
    /// # Errors
    /// `wrong_key` where a secret opens none, `refused` where a slot would go that the caller has not given up.
    pub(crate) fn new(
        slots: Vec<Stored>,
        vault: &[u8; 16],
        secrets: &[super::Unlock],
        drop_others: bool,
    ) -> Result<Self> {
        let mut keep: Vec<Opened> = Vec::new();
        for (number, secret) in secrets.iter().enumerate() {
            let opened = slots::open_all(&slots, vault, secret).map_err(|error| {
                let which = number + 1;
                Error::new(
                    error.kind(),
                    format!("secret {which} of {}: {}", secrets.len(), error.message()),
                )
            })?;
            for opened in opened {
                if !keep.iter().any(|other| other.id == opened.id) {
                    keep.push(opened);
                }
            }
        }
        if keep.is_empty() {
            fail!(LastSlot, "no slot would stay: give the secret of at least one");
        }
        let is_kept = |slot: &&Stored| keep.iter().any(|opened| opened.id == slot.id);
        let lost: Vec<&Stored> = slots.iter().filter(|slot| !is_kept(slot)).collect();
        if let (false, Some(first)) = (drop_others, lost.first()) {
            fail!(
                Refused,
                "{} of {} slots are opened by none of the secrets, the first of them {}: give their secrets too, or \
                 drop them explicitly",
                lost.len(),
                slots.len(),
                first.describe()
            );
        }
        let drop = lost.iter().map(|slot| slot.id).collect();
        Ok(Plan { slots, keep, drop })
    }

    /// The slots that stay.
    pub(crate) fn kept(&self) -> &[Opened] {
        &self.keep
    }

    /// The ids of the slots that go.
    pub(crate) fn dropped(&self) -> &[i64] {
        &self.drop
    }
}

/// Keys wrapped again at a time, which bounds the memory.
const BATCH: i64 = 1_000;

impl Ring {
    /// A new master key, inside the caller's write transaction, which advances the epoch; the ring that goes with it, and
    /// how many keys there are.
    ///
    /// # Errors
    /// `busy` where a slot has changed since the plan was made; `authentication_failed` where a key is not what was
    /// written.
    pub(crate) fn rotate_master(&self, conn: &Conn, plan: &Plan) -> Result<(Ring, u32)> {
        if slots::read(conn)? != plan.slots {
            fail!(Busy, "the slots have changed meanwhile: try again");
        }
        // What is wrapped again counts as genuine from then on.
        self.check(conn)?;
        let mut master = Secret32::zeroed();
        random::fill(master.expose_mut()).map_err(|_| no_randomness())?;
        let ring = self.rewrapped(master, self.master_changes() + 1);
        let keys = rewrap(conn, &self.wrapping, &ring.wrapping)?;
        for slot in &plan.slots {
            match plan.keep.iter().find(|opened| opened.id == slot.id) {
                Some(opened) => slots::wrap(conn, self.vault(), ring.master(), slot, opened)?,
                None => slots::remove(conn, slot.id)?,
            }
        }
        let sql = "UPDATE sealite_meta SET master = ? WHERE id = 1";
        conn.execute(sql, &[ValueRef::Integer(ring.master_changes())])?;
        Ok((ring, keys))
    }
}

/// How many there were.
fn rewrap(conn: &Conn, old: &Wrapping, new: &Wrapping) -> Result<u32> {
    let mut list = KeyList::EMPTY;
    let sql = format!(
        "SELECT {} FROM sealite_keys k WHERE k.id > ? ORDER BY k.id LIMIT {BATCH}",
        rows::COLUMNS
    );
    loop {
        let mut batch: Vec<StoredKey> = Vec::new();
        conn.prepare(&sql)?.each(&[ValueRef::from(list.last)], |row| {
            batch.push(StoredKey::read(row, 0)?);
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        if batch.is_empty() {
            break;
        }
        for stored in batch {
            let secret = old.open(&stored)?;
            let stored = new.seal(stored.attributes, secret.as_ref())?;
            rows::update(conn, &stored)?;
            list.add(new, &stored)?;
        }
    }
    if list.last == 0 {
        return Err(forged("the table of keys"));
    }
    list.write(conn, new)?;
    Ok(list.last)
}
