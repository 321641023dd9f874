//! Sealing every row anew under a new data key, against writing every row of a plain table anew.

use std::path::Path;

use sealite::{Rotation, RotationState};

use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::dataset::Dataset;
use crate::measure::{Stopwatch, interleave};
use crate::plain::Plain;
use crate::sealed::{Sealed, fresh_key};

/// Rows of the tables, at most.
const ROWS: usize = 50_000;
/// Rows a transaction, as a step of a rotation has.
const BATCH: usize = 500;

/// Measures it.
pub(super) fn measure(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    let work = work.join("rotation");
    std::fs::create_dir(&work)?;
    let data = Dataset::people(options.rows.min(ROWS));
    let (names, rows) = (data.insert_names(), data.insert_rows());
    let plain = Plain::create(&work.join("plain.db"), &data)?;
    plain.insert(&names, &rows, 10_000)?;
    let unlock = fresh_key()?;
    let sealed = Sealed::create(&work.join("sealed.db"), &unlock, &data)?;
    sealed.insert(&names, &rows, 10_000)?;
    // What has an index would have to be taken out of it and put back.
    let written: Vec<usize> =
        (0..names.len()).filter(|at| names.get(*at) != Some(&"email")).collect();
    let keys = sealed.vault().keys();
    let rotation = Rotation::data(None);
    let mut others = rows.clone();
    let compared = interleave(
        options.pairs,
        || {
            // The values of other rows each time: where a row is what it was, SQLite leaves the page alone.
            others.rotate_left(1);
            let watch = Stopwatch::start();
            plain.update(&names, &written, &others, BATCH)?;
            Ok(watch.spent())
        },
        || {
            let watch = Stopwatch::start();
            let mut state = keys.begin(&rotation)?.state;
            while state == RotationState::Running {
                state = keys.step(&rotation)?.state;
            }
            Ok(watch.spent())
        },
    )?;
    note(Measured {
        name: "reseal_vs_update",
        what: format!(
            "every row of 5 columns (3 sealed) sealed anew under a new data key by the steps of a rotation, against an UPDATE \
             of each row by its id that sets the columns without an index, in transactions of {BATCH}, synchronous FULL on \
             both sides"
        ),
        comparison: compared.each(rows.len()),
        unit: Unit::Time,
    })?;
    sealed.close();
    Ok(())
}
