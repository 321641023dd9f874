//! The list of keys: how many there are, and a hash over all of their rows, so that none can be taken away, added or put
//! back as it once was.
//!
//! The hash is MSet-XOR-Hash (Clarke, Devadas, van Dijk, Gassend, Suh: "Incremental Multiset Hash Functions and Their
//! Application to Memory Integrity Checking", ASIACRYPT 2003) over a set: the XOR of a MAC for each row. A change of one
//! row costs two MACs. What the paper adds to hide the hash is not needed where it stands inside a sealed record.

use std::ops::ControlFlow;

use super::attributes::{Attributes, column};
use super::rows::{COLUMNS, StoredKey, Wrapping};
use super::seal::{Shape, forged, open, seal};
use super::table_id;
use crate::crypto::mac::ct_eq;
use crate::db::{Conn, SqlRow};
use crate::error::{Result, err};
use crate::format::context::{Context, Place};
use crate::format::payload::{Columns, put_column};
use crate::format::record::Record;
use crate::value::{IdRef, ValueRef};

/// The list as its record says it.
#[derive(Clone, Copy)]
pub(super) struct KeyList {
    /// The last id that was given out: there is a row for each from 1 on.
    pub(super) last: u32,
    set: [u8; 32],
}

impl KeyList {
    pub(super) const EMPTY: KeyList = KeyList { last: 0, set: [0; 32] };

    pub(super) fn read(conn: &Conn, wrapping: &Wrapping) -> Result<Self> {
        let sql = "SELECT keys FROM sealite_meta WHERE id = 1";
        let read = conn.first(sql, &[], |row| Self::open(row, 0, wrapping))?;
        read.ok_or_else(|| err!(Corrupt, "the vault's own row is missing"))
    }

    /// From its record, in that column of a row.
    pub(super) fn open(row: &SqlRow<'_>, at: usize, wrapping: &Wrapping) -> Result<Self> {
        let refused = || forged("the list of keys");
        let record = Record::parse(row.blob(at).map_err(|_| refused())?).map_err(|_| refused())?;
        let mut payload = Vec::new();
        let (mut context, place) = (Context::default(), place(wrapping));
        open(&mut payload, &mut context, &wrapping.key, &record, &place, |_| ())
            .map_err(|_| refused())?;
        let mut columns = Columns::new(&payload);
        let (last, set) = (columns.next(), columns.next());
        let (Ok(Some((column::LAST, last))), Ok(Some((column::SET, set)))) = (last, set) else {
            return Err(refused());
        };
        let last = last.as_i64().and_then(|last| u32::try_from(last).ok());
        let set = set.as_bytes().and_then(|set| set.try_into().ok());
        Ok(KeyList { last: last.ok_or_else(refused)?, set: set.ok_or_else(refused)? })
    }

    pub(super) fn write(&self, conn: &Conn, wrapping: &Wrapping) -> Result<()> {
        let mut sealed = Vec::new();
        seal(
            &mut sealed,
            &mut Context::default(),
            &wrapping.key,
            Shape::BARE,
            &place(wrapping),
            |_| (),
            |out| {
                put_column(out, column::LAST, ValueRef::Integer(i64::from(self.last)));
                put_column(out, column::SET, ValueRef::Blob(&self.set));
            },
        )?;
        let sql = "UPDATE sealite_meta SET keys = ? WHERE id = 1";
        let changed = conn.execute(sql, &[ValueRef::Blob(&sealed)])?;
        if changed == 1 { Ok(()) } else { Err(err!(Corrupt, "the vault's own row is missing")) }
    }

    /// Takes in the row of the next id.
    pub(super) fn add(&mut self, wrapping: &Wrapping, stored: &StoredKey) -> Result<()> {
        self.last = stored.attributes.id;
        self.toggle(wrapping, stored)
    }

    /// Puts a row in, or takes it out.
    pub(super) fn toggle(&mut self, wrapping: &Wrapping, stored: &StoredKey) -> Result<()> {
        let member = wrapping.member(stored)?;
        self.set.iter_mut().zip(member).for_each(|(byte, other)| *byte ^= other);
        Ok(())
    }

    /// Reads the list and the rows behind `from`, in one statement, so that they are of one moment. `each` is given the
    /// rows, which are dense up to the last.
    pub(super) fn walk(
        conn: &Conn,
        wrapping: &Wrapping,
        from: u32,
        mut each: impl FnMut(StoredKey) -> Result<()>,
    ) -> Result<Self> {
        let sql = format!(
            "SELECT m.keys, {COLUMNS} FROM sealite_meta m LEFT JOIN sealite_keys k ON k.id > ?
             WHERE m.id = 1 ORDER BY k.id"
        );
        let (mut list, mut next) = (None, from);
        conn.prepare(&sql)?.each(&[ValueRef::from(from)], |row| {
            if list.is_none() {
                list = Some(Self::open(row, 0, wrapping)?);
            }
            if !matches!(row.get(1)?, ValueRef::Null) {
                let stored = StoredKey::read(row, 1)?;
                next = next.checked_add(1).unwrap_or(next);
                if stored.attributes.id != next {
                    return Err(forged(format_args!("the row of key {next}")));
                }
                each(stored)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let list = list.ok_or_else(|| err!(Corrupt, "the vault's own row is missing"))?;
        // What a reader of an older moment has not seen yet is behind its list's last.
        if next > list.last.max(from) || (next < list.last) {
            return Err(forged("the number of keys"));
        }
        Ok(list)
    }

    /// Authenticates every row by the hash: those that are there are all that were written, in their last version. What
    /// `each` is given, one row after the other, holds once this has succeeded.
    pub(super) fn check(
        conn: &Conn,
        wrapping: &Wrapping,
        mut each: impl FnMut(Attributes) -> Result<()>,
    ) -> Result<()> {
        let mut set = KeyList::EMPTY;
        let list = Self::walk(conn, wrapping, 0, |stored| {
            set.toggle(wrapping, &stored)?;
            each(stored.attributes)
        })?;
        if ct_eq(&set.set, &list.set) {
            return Ok(());
        }
        // Which row it is, where one does not open.
        Self::walk(conn, wrapping, 0, |stored| wrapping.open(&stored).map(|_| ()))?;
        Err(forged("the table of keys: a row of an earlier time has been put back, so it"))
    }
}

fn place(wrapping: &Wrapping) -> Place<'_> {
    Place {
        vault: &wrapping.vault,
        table: table_id::KEYS,
        field: None,
        // No key has this id.
        record: Some(IdRef::Integer(0)),
        tenant: None,
        subject: None,
    }
}
