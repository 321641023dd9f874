//! One table that grows: inserting, reading by id and by e-mail, and the size of the file.

use std::io::Write;
use std::path::Path;

use sealite::{Id, Value as Stored, ValueRef};
use serde_json::{Value, json};

use super::{Options, line, steps, told};
use crate::Outcome;
use crate::dataset::Dataset;
use crate::measure::{Comparison, Stopwatch, interleave_reads};
use crate::people::people_from;
use crate::people::rng::SplitMix64;
use crate::plain::Plain;
use crate::sealed::{Sealed, fresh_key};
use crate::units::grouped;

/// Rows a transaction.
const BATCH: usize = 10_000;
/// Look-ups a measurement.
const LOOKUPS: usize = 5_000;

/// Measures it at each power of ten from 10,000 on; both sides grow in turns.
pub(super) fn measure(options: &Options, work: &Path, out: &mut dyn Write) -> Outcome<Value> {
    let (plain_path, sealed_path) = (work.join("plain.db"), work.join("sealed.db"));
    let nothing = Dataset::people(0);
    let names = nothing.insert_names();
    let unlock = fresh_key()?;
    let mut plain = Plain::create(&plain_path, &nothing)?;
    let mut sealed = Sealed::create(&sealed_path, &unlock, &nothing)?;
    let mut results = Vec::new();
    let mut there = 0;
    for count in steps(BATCH, options.rows, 10) {
        let mut pairs = Vec::new();
        while there < count {
            let data = Dataset::people_from(1 + there as i64, BATCH);
            let rows = data.insert_rows();
            let watch = Stopwatch::start();
            plain.insert(&names, &rows, BATCH)?;
            let spent = watch.spent();
            let watch = Stopwatch::start();
            sealed.insert(&names, &rows, BATCH)?;
            pairs.push((spent, watch.spent()));
            there += BATCH;
            if there % 1_000_000 == 0 {
                writeln!(out, "{:>12} rows inserted", grouped(there as u64))?;
            }
        }
        let insert = Comparison::of(&pairs).ok_or("no batch")?.each(BATCH);
        // Closing writes the log back.
        drop(plain);
        sealed.close();
        let size = |path: &Path| std::fs::metadata(path).map(|about| about.len());
        let (plain_size, sealed_size) = (size(&plain_path)?, size(&sealed_path)?);
        plain = Plain::open(&plain_path, &nothing)?;
        sealed = Sealed::open(&sealed_path, &unlock, &nothing)?;
        let ids = some_ids(count);
        let get = interleave_reads(options.repeats, || plain.get(&ids), || sealed.get(&ids))?;
        let emails: Vec<Stored> = ids.iter().map(email).collect::<Outcome<_>>()?;
        let emails: Vec<ValueRef<'_>> = emails.iter().map(Stored::as_ref).collect();
        let find = interleave_reads(
            options.repeats,
            || plain.find("email", &emails),
            || sealed.find("email", &emails),
        )?;
        let (get, find) = (get.each(LOOKUPS), find.each(LOOKUPS));
        for (what, measured) in [("insert", &insert), ("get", &get), ("find", &find)] {
            line(out, count, what, measured)?;
        }
        results.push(json!({
            "count": count,
            "insert": told(&insert),
            "get": told(&get),
            "find": told(&find),
            "size": {"plain": plain_size, "sealed": sealed_size},
        }));
    }
    sealed.close();
    drop(plain);
    for path in [plain_path, sealed_path] {
        std::fs::remove_file(path)?;
    }
    Ok(Value::Array(results))
}

fn some_ids(count: usize) -> Vec<Id> {
    let place = |number| 1 + SplitMix64::for_item(3, number).below(count as u64);
    (1..=LOOKUPS as u64).map(|number| Id::Integer(place(number).cast_signed())).collect()
}

fn email(id: &Id) -> Outcome<Stored> {
    let Id::Integer(id) = id else { return Err("an id that is no number".into()) };
    let person = people_from(*id, 1, 1).next().ok_or("nobody")?;
    Ok(Stored::Text(person.email))
}
