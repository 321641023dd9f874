//! What each of several threads or processes does to the same file at the same time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealite::{ErrorKind, Id, Unlock, ValueRef};

use crate::Outcome;
use crate::dataset::Dataset;
use crate::people::rng::SplitMix64;
use crate::plain::Plain;
use crate::sealed::Sealed;

/// Rows of the table that all read.
pub(super) const ROWS: usize = 10_000;
/// Rows that a reader reads.
pub(super) const READS: usize = 20_000;
/// Rows that a writer inserts, each in a transaction of its own, on the disk when it returns.
pub(super) const WRITES: usize = 100;

/// One worker's work.
#[derive(Clone)]
pub struct Order {
    /// The file.
    pub path: PathBuf,
    /// The key's text; none for the plain side.
    pub key: Option<String>,
    /// Whether it inserts; otherwise it reads.
    pub writes: bool,
    /// Which worker of which round it is: no two insert the same addresses.
    pub number: usize,
}

/// The file, opened by a worker, or by the process for all of its threads.
pub(super) enum Opened {
    Plain(Plain),
    Sealed(Arc<Sealed>),
}

impl Order {
    pub(super) fn open(&self) -> Outcome<Opened> {
        let nothing = Dataset::people(0);
        Ok(match &self.key {
            None => {
                let plain = Plain::open(&self.path, &nothing)?;
                plain.connection().execute_batch("PRAGMA busy_timeout = 60000")?;
                Opened::Plain(plain)
            }
            Some(key) => Opened::Sealed(Arc::new(Sealed::open(
                &self.path,
                &Unlock::key_text(key)?,
                &nothing,
            )?)),
        })
    }

    /// What the worker does, prepared.
    pub(super) fn prepare(&self) -> Prepared {
        let place = |number| 1 + SplitMix64::for_item(7, number).below(ROWS as u64);
        let from = (self.number * READS) as u64;
        let ids = if self.writes { 0..0 } else { from..from + READS as u64 };
        let first = (10_000_000 + self.number * WRITES) as i64;
        Prepared {
            ids: ids.map(|number| Id::Integer(place(number).cast_signed())).collect(),
            people: Dataset::people_from(first, if self.writes { WRITES } else { 0 }),
        }
    }
}

pub(super) struct Prepared {
    ids: Vec<Id>,
    people: Dataset,
}

impl Prepared {
    pub(super) fn run(&self, opened: &Opened) -> Outcome<()> {
        let (names, rows) = (self.people.insert_names(), self.people.insert_rows());
        match opened {
            Opened::Plain(plain) => {
                plain.get(&self.ids)?;
                plain.insert(&names, &rows, 1)
            }
            Opened::Sealed(sealed) => {
                sealed.get(&self.ids)?;
                rows.iter().try_for_each(|row| insert(sealed, &names, row))
            }
        }
    }
}

/// Waits for as long as it takes, as the plain side does.
fn insert(sealed: &Sealed, names: &[&str], row: &[ValueRef<'_>]) -> Outcome<()> {
    let table = sealed.table()?;
    loop {
        match table.insert_many(names, [row]) {
            Err(error) if error.kind() == ErrorKind::Busy => {}
            other => return Ok(other.map(|_| ())?),
        }
    }
}

/// A process's part: opens, says so, waits for a line, works, says so.
///
/// # Errors
/// Whatever fails.
pub fn serve(
    order: &Order,
    input: &mut dyn std::io::BufRead,
    out: &mut dyn std::io::Write,
) -> Outcome<()> {
    let opened = order.open()?;
    let work = order.prepare();
    writeln!(out, "ready")?;
    out.flush()?;
    input.read_line(&mut String::new())?;
    work.run(&opened)?;
    writeln!(out, "done")?;
    Ok(out.flush()?)
}

/// Makes both files, with the rows that all read.
pub(super) fn make(plain: &Path, sealed: &Path, key: &str) -> Outcome<()> {
    let data = Dataset::people(ROWS);
    let (names, rows) = (data.insert_names(), data.insert_rows());
    Plain::create(plain, &data)?.insert(&names, &rows, ROWS)?;
    let vault = Sealed::create(sealed, &Unlock::key_text(key)?, &data)?;
    vault.insert(&names, &rows, ROWS)?;
    vault.close();
    Ok(())
}
