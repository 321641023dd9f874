//! What it costs: the same rows, plain and sealed, in fresh files.

use std::path::Path;

use sealite::{Column, Id, ValueRef};

use super::report::Report;
use super::source::{Source, is_sealed_text};
use super::{Options, remove_database};
use crate::Outcome;
use crate::dataset::Dataset;
use crate::measure::{Comparison, Stopwatch, interleave, interleave_reads};
use crate::plain::Plain;
use crate::sealed::{Sealed, fresh_key};
use crate::units::{grouped, time};

/// At most so many rows are measured.
const ROWS: usize = 100_000;
/// At most so many look-ups.
const LOOKUPS: usize = 5_000;
/// Rows a transaction.
const BATCH: usize = 10_000;

pub(super) fn show(source: &Source, options: &Options<'_>, report: &mut Report<'_>) -> Outcome<()> {
    let data = source.data.first(ROWS);
    let work = tempfile::tempdir_in(&options.folder)?;
    let (plain_path, sealed_path) = (work.path().join("plain.db"), work.path().join("sealed.db"));
    let unlock = fresh_key()?;
    let rows = data.rows.len();

    report.step("What it costs")?;
    let build = if cfg!(debug_assertions) {
        "NOT OPTIMISED: these figures mean nothing"
    } else {
        "optimised build"
    };
    let pairs = options.pairs;
    report.fact(
        "measured",
        &format!("{} rows, medians of {pairs} interleaved pairs, {build}", grouped(rows as u64)),
    )?;
    report.plain(&format!("   {:<24}{:>12}{:>12}{:>9}", "", "plain", "sealed", "ratio"))?;

    let (names, values) = (data.insert_names(), data.insert_rows());
    let insert = interleave(
        pairs,
        || {
            remove_database(&plain_path)?;
            let plain = Plain::create(&plain_path, &data)?;
            let watch = Stopwatch::start();
            plain.insert(&names, &values, BATCH)?;
            let spent = watch.spent();
            plain.checkpoint()?;
            Ok(spent)
        },
        || {
            remove_database(&sealed_path)?;
            let sealed = Sealed::create(&sealed_path, &unlock, &data)?;
            let watch = Stopwatch::start();
            sealed.insert(&names, &values, BATCH)?;
            let spent = watch.spent();
            sealed.close();
            Ok(spent)
        },
    )?;
    line("insert, a row", insert, rows, report)?;

    let plain = Plain::open(&plain_path, &data)?;
    let sealed = Sealed::open(&sealed_path, &unlock, &data)?;
    let step = rows.div_ceil(LOOKUPS).max(1);
    let ids: Vec<Id> = data.ids.iter().step_by(step).cloned().collect();
    let get = interleave_reads(pairs, || plain.get(&ids), || sealed.get(&ids))?;
    line("get by id", get, ids.len(), report)?;
    if let Some((column, wanted)) = unique_values(&data, step) {
        let find = interleave_reads(
            pairs,
            || plain.find(column, &wanted),
            || sealed.find(column, &wanted),
        )?;
        line(&format!("find by {column}"), find, wanted.len(), report)?;
    }
    let scan = interleave_reads(pairs, || plain.scan(), || sealed.scan())?;
    line("scan, a row", scan, rows, report)?;
    sealed.close();
    let (plain, sealed) = (size(&plain_path)? / rows as f64, size(&sealed_path)? / rows as f64);
    report.plain(&format!(
        "   {:<24}{:>12}{:>12}{:>9.2}",
        "file, a row",
        format!("{plain:.0} bytes"),
        format!("{sealed:.0} bytes"),
        sealed / plain
    ))?;
    if !source.made {
        report
            .fact("note", "the plain copy that was measured has been deleted, not overwritten")?;
    }
    Ok(())
}

fn line(what: &str, cost: Comparison, operations: usize, report: &mut Report<'_>) -> Outcome<()> {
    let cost = cost.each(operations);
    let (plain, sealed) = (time(cost.plain), time(cost.sealed));
    report.plain(&format!("   {what:<24}{plain:>12}{sealed:>12}{:>9.2}", cost.ratio))
}

/// Some values of the first column with a unique index.
fn unique_values(data: &Dataset, step: usize) -> Option<(&str, Vec<ValueRef<'_>>)> {
    let unique = |column: &&Column| {
        is_sealed_text(column) && column.declared_index().is_some_and(sealite::Index::is_unique)
    };
    let column = data.columns.iter().find(unique)?.name();
    let values = data.column_values(column)?.filter(|value| !value.is_null());
    Some((column, values.step_by(step).collect()))
}

fn size(path: &Path) -> Outcome<f64> {
    Ok(std::fs::metadata(path)?.len() as f64)
}
