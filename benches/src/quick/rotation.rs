//! Sealing every row anew under a new data key, against writing every row of a plain table anew.

use std::cell::RefCell;
use std::path::Path;

use sealite::{Rotation, RotationState, ValueRef};

use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::dataset::Dataset;
use crate::measure::{Spent, Stopwatch, interleave};
use crate::plain::Plain;
use crate::sealed::{Sealed, fresh_key};

/// Rows of the tables, at most.
const ROWS: usize = 50_000;
/// Rows a transaction, as a step of a rotation has.
const BATCH: usize = 500;

/// The two tables.
pub(super) struct Sides<'d> {
    names: Vec<&'d str>,
    rows: Vec<Vec<ValueRef<'d>>>,
    /// The columns that the plain side writes: what has an index would have to be taken out of it and put back.
    written: Vec<usize>,
    plain: Plain,
    sealed: Sealed,
}

impl<'d> Sides<'d> {
    pub(super) fn new(data: &'d Dataset, work: &Path) -> Outcome<Self> {
        let (names, rows) = (data.insert_names(), data.insert_rows());
        let plain = Plain::create(&work.join("plain.db"), data)?;
        plain.insert(&names, &rows, 10_000)?;
        let sealed = Sealed::create(&work.join("sealed.db"), &fresh_key()?, data)?;
        sealed.insert(&names, &rows, 10_000)?;
        let written = (0..names.len()).filter(|at| names.get(*at) != Some(&"email")).collect();
        Ok(Sides { names, rows, written, plain, sealed })
    }

    /// The values of other rows each time: where a row is what it was, SQLite leaves the page alone.
    pub(super) fn update(&mut self) -> Outcome<Spent> {
        self.rows.rotate_left(1);
        let watch = Stopwatch::start();
        self.plain.update(&self.names, &self.written, &self.rows, BATCH)?;
        Ok(watch.spent())
    }

    pub(super) fn reseal(&self) -> Outcome<Spent> {
        let (keys, rotation) = (self.sealed.vault().keys(), Rotation::data(None));
        let watch = Stopwatch::start();
        let mut state = keys.begin(&rotation)?.state;
        while state == RotationState::Running {
            state = keys.step(&rotation)?.state;
        }
        Ok(watch.spent())
    }
}

/// Measures it.
pub(super) fn measure(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    let work = work.join("rotation");
    std::fs::create_dir(&work)?;
    let data = Dataset::people(options.rows.min(ROWS));
    let sides = RefCell::new(Sides::new(&data, &work)?);
    let compared =
        interleave(options.pairs, || sides.borrow_mut().update(), || sides.borrow().reseal())?;
    note(Measured {
        name: "reseal_vs_update",
        what: format!(
            "every row of 5 columns (3 sealed) sealed anew under a new data key by the steps of a rotation, against an UPDATE \
             of each row by its id that sets the columns without an index, in transactions of {BATCH}, synchronous FULL on \
             both sides"
        ),
        comparison: compared.each(data.rows.len()),
        unit: Unit::Time,
    })?;
    sides.into_inner().sealed.close();
    Ok(())
}
