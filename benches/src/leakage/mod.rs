//! What a blind index gives away: somebody who has the file and knows how frequent each name is guesses the name of each
//! row from how often its index value occurs.

mod census;

use std::collections::HashMap;
use std::hash::Hash;
use std::io::Write;

use sealite::{Index, Value, ValueRef, Vault};

use crate::Outcome;
use crate::people::rng::SplitMix64;
use census::{SURNAMES, behind};

/// What is measured.
pub struct Options {
    /// Rows of the table.
    pub rows: usize,
    /// Vaults, each with keys of its own: what one key happens to give is no measure.
    pub vaults: usize,
    /// Where the drawing of names begins.
    pub seed: u64,
}

/// A column: its names, and how many people bear each, most frequent first.
struct Column {
    what: &'static str,
    names: Vec<String>,
    weights: Vec<u64>,
}

/// What was guessed, in percent.
#[derive(Clone, Copy, Default)]
struct Guessed {
    /// Different values of the index, on average.
    groups: f64,
    all: f64,
    /// Of the rows with one of the ten most frequent names.
    top: f64,
}

/// Makes the columns and their indexes, attacks them, and prints a table.
///
/// # Errors
/// What the engine or the output refuses with.
pub fn run(options: &Options, out: &mut dyn Write) -> Outcome<()> {
    for column in [hundred(), with_the_rest()] {
        let names = column.names.len();
        writeln!(out, "{}: {names} names, {} rows", column.what, options.rows)?;
        writeln!(
            out,
            "{:<44} {:>12} {:>14} {:>14}",
            "", "index values", "rows guessed", "of top ten"
        )?;
        let indexes = [
            ("one value for each name (deterministic, 128 bit)", Some(Index::unique())),
            ("lookup, planned for 100,000 names", Some(Index::lookup(100_000))),
            ("lookup, planned for 10,000 names", Some(Index::lookup(10_000))),
            ("lookup, planned for 1,024 names", Some(Index::lookup(1_024))),
            (
                "lookup, planned for 100 names (overridden)",
                Some(Index::lookup(100).accept_leakage("shown here")),
            ),
            ("no index: the most frequent name each time", None),
        ];
        for (what, index) in indexes {
            let mut sum = Guessed::default();
            for number in 0..options.vaults {
                let rows = column.draw(options.rows, options.seed.wrapping_add(number as u64));
                let seen = match &index {
                    Some(index) => column.index(index, &rows)?,
                    None => vec![Value::Null; rows.len()],
                };
                let keys = seen.iter().map(key_of).collect::<Vec<_>>();
                let one = attack(&rows, &keys);
                sum.groups += one.groups;
                sum.all += one.all;
                sum.top += one.top;
            }
            let share = |of: f64| of / options.vaults as f64;
            let (groups, all, top) = (share(sum.groups), share(sum.all), share(sum.top));
            writeln!(out, "{what:<48} {groups:>8.0} {all:>13.1}% {top:>13.1}%")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The hundred names alone.
fn hundred() -> Column {
    Column {
        what: "the hundred most frequent surnames",
        names: SURNAMES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        weights: SURNAMES.iter().map(|(_, people)| u64::from(*people)).collect(),
    }
}

/// The hundred, and a model of what follows them.
fn with_the_rest() -> Column {
    let mut column = hundred();
    column.what = "the same, and a model of the names behind them";
    for place in SURNAMES.len() + 1..=ALL_NAMES {
        column.names.push(format!("Surname {place}"));
        column.weights.push(behind(place));
    }
    column
}

impl Column {
    /// The name of each row, by its place.
    fn draw(&self, rows: usize, seed: u64) -> Vec<usize> {
        let mut total = 0;
        let up_to: Vec<u64> = self
            .weights
            .iter()
            .map(|weight| {
                total += weight;
                total
            })
            .collect();
        let mut random = SplitMix64::new(seed);
        (0..rows)
            .map(|_| {
                let drawn = random.below(total);
                up_to.partition_point(|end| *end <= drawn)
            })
            .collect()
    }

    /// The index values of the rows, as the engine makes them under the keys of a new vault.
    fn index(&self, index: &Index, rows: &[usize]) -> Outcome<Vec<Value>> {
        let field = Vault::in_memory()?.field("surname")?;
        let names: Vec<ValueRef<'_>> = self.names.iter().map(|name| name.as_str().into()).collect();
        let values = field.index_many(&names, index)?;
        Ok(rows.iter().map(|name| values.get(*name).cloned().unwrap_or(Value::Null)).collect())
    }
}

/// An index value as something to count by.
fn key_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Integer(bits) => bits.to_be_bytes().to_vec(),
        Value::Blob(bytes) => bytes.clone(),
        _ => Vec::new(),
    }
}

/// The index value that occurs most often is taken for the most frequent name, and so on down: where each name has a
/// value of its own, nothing guesses better from the counts alone. `rows` are places of names by frequency.
fn attack<K: Eq + Hash + Ord>(rows: &[usize], seen: &[K]) -> Guessed {
    let mut counts: HashMap<&K, usize> = HashMap::new();
    for key in seen {
        *counts.entry(key).or_default() += 1;
    }
    let mut by_count: Vec<(&K, usize)> = counts.into_iter().collect();
    by_count.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let guesses: HashMap<&K, usize> =
        by_count.iter().enumerate().map(|(place, (key, _))| (*key, place)).collect();
    let right = |name: usize, key: &K| guesses.get(key) == Some(&name);
    let hits = rows.iter().zip(seen).filter(|(name, key)| right(**name, key));
    let (mut all, mut top) = (0, 0);
    for (name, _) in hits {
        all += 1;
        top += usize::from(*name < TOP);
    }
    let of_top = rows.iter().filter(|name| **name < TOP).count();
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    Guessed {
        groups: by_count.len() as f64,
        all: percent(all, rows.len()),
        top: percent(top, of_top),
    }
}

/// Names of the larger column: of the order of what a table of so many people has.
const ALL_NAMES: usize = 20_000;
/// The most frequent names, which are what frequencies tell best.
const TOP: usize = 10;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_by_frequency_and_once_each() {
        let column = with_the_rest();
        assert!(column.weights.windows(2).all(|pair| pair.first() >= pair.last()));
        let mut names = column.names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL_NAMES);
        assert_eq!(SURNAMES.len(), 100);
    }

    #[test]
    fn rows_are_drawn_as_frequently_as_people_are() {
        let rows = hundred().draw(100_000, 3);
        let smiths = rows.iter().filter(|name| **name == 0).count() as f64 / 100_000.0;
        let people: u64 = hundred().weights.iter().sum();
        assert!((smiths - 2_442_977.0 / people as f64).abs() < 0.005, "{smiths}");
        assert!(rows.iter().all(|name| *name < 100));
    }

    #[test]
    fn an_index_that_tells_every_name_apart_gives_frequent_names_away() {
        let column = hundred();
        let rows = column.draw(20_000, 4);
        let keys = |index: &Index| -> Vec<Vec<u8>> {
            column.index(index, &rows).unwrap().iter().map(key_of).collect()
        };
        let apart = attack(&rows, &keys(&Index::unique()));
        assert!(apart.top > 50.0 && apart.groups > 99.0);
        let few = attack(&rows, &keys(&Index::lookup(100).accept_leakage("a test")));
        assert!(few.groups <= 16.0 && few.all < apart.all);
        let none = attack(&rows, &vec![0; rows.len()]);
        assert!(none.groups < 1.5 && none.all < 10.0);
    }
}
