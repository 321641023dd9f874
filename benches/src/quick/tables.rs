//! Rows: insert, get, find, scan, size.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use sealite::{Id, Unlock, ValueRef};

use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::dataset::Dataset;
use crate::measure::{Comparison, Spent, Stopwatch, interleave, interleave_reads};
use crate::people::rng::SplitMix64;
use crate::plain::Plain;
use crate::sealed::{Sealed, fresh_key};

/// Rows a transaction.
const BATCH: usize = 10_000;
/// Look-ups a measurement.
const LOOKUPS: usize = 20_000;

/// Measures the five, and gets inside a transaction.
pub(super) fn measure(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    let data = Dataset::people(options.rows);
    let unlock = fresh_key()?;
    let (plain_path, sealed_path) = (work.join("plain.db"), work.join("sealed.db"));
    let a_row = |comparison: Comparison| comparison.each(options.rows);
    let a_lookup = |comparison: Comparison| comparison.each(LOOKUPS);

    let inserted = insert(options, &data, &unlock, &plain_path, &sealed_path)?;
    note(Measured {
        name: "insert_sealed_vs_plain",
        what: "insert of one row of 5 columns (3 sealed, 1 authenticated, 1 plain), transactions of 10,000, unique \
               index on e-mail, WAL and synchronous FULL on both sides"
            .into(),
        comparison: a_row(inserted),
        unit: Unit::Time,
    })?;

    let sizes =
        [&plain_path, &sealed_path].map(|path| std::fs::metadata(path).map(|about| about.len()));
    let [plain_size, sealed_size] = sizes;
    let bytes = |size| Spent { wall: Duration::from_nanos(size), cpu: None };
    let size = Comparison::of(&[(bytes(plain_size?), bytes(sealed_size?))]).ok_or("no size")?;

    let (plain, sealed) =
        (Plain::open(&plain_path, &data)?, Sealed::open(&sealed_path, &unlock, &data)?);
    let ids = some_ids(&data);
    let get = interleave_reads(options.pairs, || plain.get(&ids), || sealed.get(&ids))?;
    note(Measured {
        name: "get_sealed_vs_plain",
        what: "one row by a random id, outside a transaction on both sides; plain: a prepared SELECT, all columns \
               into owned values"
            .into(),
        comparison: a_lookup(get),
        unit: Unit::Time,
    })?;
    let get = interleave_reads(
        options.pairs,
        || plain.get_in_transaction(&ids),
        || sealed.get_in_transaction(&ids),
    )?;
    note(Measured {
        name: "get_in_transaction_sealed_vs_plain",
        what: "as get_sealed_vs_plain, inside one read transaction on both sides".into(),
        comparison: a_lookup(get),
        unit: Unit::Time,
    })?;

    let emails = some_emails(&data)?;
    let find = interleave_reads(
        options.pairs,
        || plain.find("email", &emails),
        || sealed.find("email", &emails),
    )?;
    note(Measured {
        name: "find_sealed_vs_plain",
        what: "one row by a random e-mail address through the unique index, outside a transaction on both sides, all \
               columns read; sealed: normalised, by blind index"
            .into(),
        comparison: a_lookup(find),
        unit: Unit::Time,
    })?;

    let scan = interleave_reads(options.pairs, || plain.scan(), || sealed.scan())?;
    note(Measured {
        name: "scan_sealed_vs_plain",
        what: "every row in the order of the ids, per row; plain: all columns copied into owned values; both sides \
               sum up the lengths of all values"
            .into(),
        comparison: a_row(scan),
        unit: Unit::Time,
    })?;
    note(Measured {
        name: "size_sealed_vs_plain",
        what: "bytes of the database file for one row after the log was written back and removed, indexes included; \
               sealed: padded to multiples of 32 bytes"
            .into(),
        comparison: a_row(size),
        unit: Unit::Bytes,
    })?;
    sealed.close();
    Ok(())
}

fn insert(
    options: &Options,
    data: &Dataset,
    unlock: &Unlock,
    plain_path: &Path,
    sealed_path: &Path,
) -> Outcome<Comparison> {
    let (names, rows) = (data.insert_names(), data.insert_rows());
    let plain = || {
        remove(plain_path)?;
        let plain = Plain::create(plain_path, data)?;
        let watch = Stopwatch::start();
        plain.insert(&names, &rows, BATCH)?;
        let spent = watch.spent();
        plain.checkpoint()?;
        Ok(spent)
    };
    let sealed = || {
        remove(sealed_path)?;
        let sealed = Sealed::create(sealed_path, unlock, data)?;
        let watch = Stopwatch::start();
        sealed.insert(&names, &rows, BATCH)?;
        let spent = watch.spent();
        sealed.close();
        Ok(spent)
    };
    interleave(options.pairs, plain, sealed)
}

/// Removes a database of an earlier round.
pub(super) fn remove(path: &Path) -> Outcome<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn some_ids(data: &Dataset) -> Vec<Id> {
    random_places(data.ids.len()).filter_map(|at| data.ids.get(at).cloned()).collect()
}

pub(super) fn some_emails(data: &Dataset) -> Outcome<Vec<ValueRef<'_>>> {
    let all: Vec<_> = data.column_values("email").ok_or("no e-mail column")?.collect();
    Ok(random_places(all.len()).filter_map(|at| all.get(at).copied()).collect())
}

fn random_places(count: usize) -> impl Iterator<Item = usize> {
    let rng = Cell::new(2);
    std::iter::repeat_with(move || {
        rng.set(rng.get() + 1);
        SplitMix64::for_item(0, rng.get()).below(count as u64) as usize
    })
    .take(LOOKUPS)
}
