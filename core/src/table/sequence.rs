//! The authenticated high-water mark of a table's row ids: no id is ever given out twice.
//!
//! The mark is read when a transaction first inserts into the table, counted in memory, and written before the
//! transaction commits or opens a savepoint.

use std::collections::BTreeMap;

use super::engine::State;
use crate::db::Conn;
use crate::error::{Result, err};
use crate::format::context::{Context, Place};
use crate::format::payload::{Columns, put_column};
use crate::format::record::Record;
use crate::keys::ring::Ring;
use crate::keys::seal::{Shape, forged, open, seal};
use crate::keys::table_id;
use crate::value::{IdRef, ValueRef};

/// The column id of the mark in its record.
const MARK: u32 = 1;

/// The marks that a transaction has read.
#[derive(Clone, Default)]
pub(crate) struct Sequences {
    marks: BTreeMap<u32, Mark>,
}

#[derive(Clone, Copy)]
struct Mark {
    value: i64,
    written: bool,
}

impl Sequences {
    /// The next id of a table.
    pub(crate) fn next(&mut self, conn: &Conn, ring: &Ring, table: u32) -> Result<i64> {
        let next = self.ahead(conn, ring, table)?;
        self.note(conn, ring, table, next)?;
        Ok(next)
    }

    /// The id that [`Sequences::next`] would give out. It counts as given out once it is noted.
    pub(crate) fn ahead(&mut self, conn: &Conn, ring: &Ring, table: u32) -> Result<i64> {
        let next = self.mark(conn, ring, table)?.value.checked_add(1);
        next.ok_or_else(|| err!(Limit, "the table has given out its last id"))
    }

    /// Takes note of an id that the caller chose.
    pub(crate) fn note(&mut self, conn: &Conn, ring: &Ring, table: u32, id: i64) -> Result<()> {
        let mark = self.mark(conn, ring, table)?;
        if id > mark.value {
            *mark = Mark { value: id, written: false };
        }
        Ok(())
    }

    /// Raises a mark that belongs to no table, and may not be there yet; what it is then.
    pub(crate) fn raise(&mut self, conn: &Conn, ring: &Ring, id: u32, to: i64) -> Result<i64> {
        if !self.marks.contains_key(&id) && mark_if_there(conn, ring, id)?.is_none() {
            create(conn, ring, id, to)?;
        }
        self.note(conn, ring, id, to)?;
        Ok(self.mark(conn, ring, id)?.value)
    }

    /// Sets such a mark to whatever it has to be.
    pub(crate) fn set(&mut self, conn: &Conn, ring: &Ring, id: u32, to: i64) -> Result<()> {
        if mark_if_there(conn, ring, id)?.is_none() {
            create(conn, ring, id, to)?;
        }
        self.marks.insert(id, Mark { value: to, written: false });
        Ok(())
    }

    /// Writes what has advanced.
    pub(crate) fn flush(&mut self, conn: &Conn, ring: &Ring) -> Result<()> {
        for (table, mark) in self.marks.iter_mut().filter(|(_, mark)| !mark.written) {
            write(conn, ring, *table, mark.value)?;
            mark.written = true;
        }
        Ok(())
    }

    /// After a roll-back to a savepoint the database knows better.
    pub(crate) fn forget(&mut self) {
        self.marks.clear();
    }

    fn mark(&mut self, conn: &Conn, ring: &Ring, table: u32) -> Result<&mut Mark> {
        use std::collections::btree_map::Entry;
        match self.marks.entry(table) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let value = read(conn, ring, table)?;
                Ok(entry.insert(Mark { value, written: true }))
            }
        }
    }
}

/// The mark of a table, as it was last committed or written.
pub(crate) fn mark_of(conn: &Conn, state: &State, table: &str) -> Result<i64> {
    read(conn, &state.ring, state.table(table)?.stored.id)
}

/// A mark that belongs to no table, where it is there.
pub(crate) fn mark_if_there(conn: &Conn, ring: &Ring, id: u32) -> Result<Option<i64>> {
    let sql = "SELECT count(*) FROM sealite_sequences WHERE id = ?";
    let there = conn.first(sql, &[ValueRef::from(id)], |row| row.integer(0))?;
    if there == Some(0) { Ok(None) } else { read(conn, ring, id).map(Some) }
}

/// Starts the mark of a new table.
pub(crate) fn create(conn: &Conn, ring: &Ring, table: u32, value: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO sealite_sequences (id, sealed) VALUES (?, x'')",
        &[ValueRef::from(table)],
    )?;
    write(conn, ring, table, value)
}

fn read(conn: &Conn, ring: &Ring, table: u32) -> Result<i64> {
    let refused = || forged(format_args!("the high-water mark of table {table}"));
    let value = conn.first(
        "SELECT sealed FROM sealite_sequences WHERE id = ?",
        &[ValueRef::from(table)],
        |row| open_mark(conn, ring, table, row.blob(0).map_err(|_| refused())?),
    )?;
    value.ok_or_else(refused)
}

/// The value of a mark from its record.
pub(crate) fn open_mark(conn: &Conn, ring: &Ring, table: u32, record: &[u8]) -> Result<i64> {
    let refused = || forged(format_args!("the high-water mark of table {table}"));
    let record = Record::parse(record).map_err(|_| refused())?;
    let key = ring.opening(conn, record.key_id, None, None)?;
    let mut payload = Vec::new();
    let (mut context, place) = (Context::default(), place(ring, table));
    open(&mut payload, &mut context, key.record_key()?, &record, &place, |_| ())
        .map_err(|_| refused())?;
    match Columns::new(&payload).next() {
        Ok(Some((MARK, ValueRef::Integer(value)))) => Ok(value),
        _ => Err(refused()),
    }
}

fn write(conn: &Conn, ring: &Ring, table: u32, value: i64) -> Result<()> {
    let Some(key) = ring.sealing(conn, None, None)? else {
        return Err(err!(Corrupt, "the vault has no data key of its own"));
    };
    let mut sealed = Vec::new();
    seal(
        &mut sealed,
        &mut Context::default(),
        key.record_key()?,
        Shape::BARE,
        &place(ring, table),
        |_| (),
        |out| put_column(out, MARK, ValueRef::Integer(value)),
    )?;
    let changed = conn.execute(
        "UPDATE sealite_sequences SET sealed = ? WHERE id = ?",
        &[ValueRef::Blob(&sealed), ValueRef::from(table)],
    )?;
    if changed == 1 { Ok(()) } else { Err(forged("a high-water mark")) }
}

/// Seals a mark anew, as it is.
pub(super) fn reseal(conn: &Conn, ring: &Ring, table: u32) -> Result<()> {
    let value = read(conn, ring, table)?;
    write(conn, ring, table, value)
}

fn place(ring: &Ring, table: u32) -> Place<'_> {
    Place {
        vault: ring.vault(),
        table: table_id::SEQUENCES,
        field: None,
        record: Some(IdRef::Integer(i64::from(table))),
        tenant: None,
        subject: None,
    }
}
