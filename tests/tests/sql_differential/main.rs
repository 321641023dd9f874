//! Statements by chance, but the same ones always, on sealed tables and on plain STRICT tables of the same declaration:
//! rows, `changes()`, `last_insert_rowid()` and errors are the same, or the statement is refused with an error of the
//! engine's own and does nothing. There is no third outcome.

#![allow(
    clippy::format_push_string,
    clippy::match_bool,
    clippy::range_plus_one,
    clippy::similar_names,
    clippy::unnested_or_patterns
)]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, clippy::print_stdout)]

mod dice;
mod expressions;
mod pair;
mod queries;
mod schema;
mod side;
mod writes;

use std::collections::BTreeMap;

use sealite::Value;
use sealite_tests::scale::scaled;

use self::dice::Dice;
use self::expressions::Maker;
use self::pair::{Counts, Pair, Statement};
use self::schema::Shape;
use self::side::Through;

/// Transactions for each pair of tables.
const TRANSACTIONS: usize = 40;

/// A statement, with its parameters by number or, where each stands once, perhaps by place.
fn statement(dice: &mut Dice, tables: &[Shape]) -> Statement {
    let mut maker = Maker { dice, parameters: Vec::new(), tables, in_order: false, tidy: false };
    let (sql, ordered, returns) = if maker.dice.one_in(2) {
        let (sql, ordered) = queries::query(&mut maker);
        (sql, ordered, true)
    } else {
        let sql = writes::write(&mut maker);
        let returns = sql.contains(" RETURNING ") && !sql.ends_with("RETURNING ?'");
        (sql, false, returns)
    };
    let all = std::mem::take(&mut maker.parameters);
    let (sql, parameters) = renumbered(&sql, &all, maker.dice.one_in(2));
    Statement { sql, parameters, ordered, returns, prepared: maker.dice.one_in(3) }
}

/// The statement with the parameters that stand in it, numbered without gaps or, where each stands once and it is wanted,
/// by place.
fn renumbered(sql: &str, all: &[Value], by_place: bool) -> (String, Vec<Value>) {
    let mut parts = sql.split('?');
    let mut numbers = Vec::new();
    let mut pieces = vec![(None, parts.next().unwrap())];
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let number = number.parse::<usize>().ok();
        if number.is_some_and(|number| !numbers.contains(&number)) {
            numbers.extend(number);
        }
        pieces.push((number, rest));
    }
    let by_place =
        by_place && pieces.iter().filter(|(number, _)| number.is_some()).count() == numbers.len();
    let mut text = String::new();
    for (at, (number, rest)) in pieces.iter().enumerate() {
        if at > 0 {
            text.push('?');
        }
        let new = number.and_then(|number| numbers.iter().position(|known| *known == number));
        if let Some(new) = new.filter(|_| !by_place) {
            text += &(new + 1).to_string();
        }
        text.push_str(rest);
    }
    (text, numbers.iter().map(|number| all[number - 1].clone()).collect())
}

fn play(seed: u64, through: Through) -> Counts {
    let mut dice = Dice::new(seed);
    let text_key = dice.one_in(4);
    let shapes =
        [Shape::roll(&mut dice, "people", false), Shape::roll(&mut dice, "things", text_key)];
    let mut pair = Pair::new(seed, &shapes, through);
    for _ in 0..TRANSACTIONS {
        let mut open = pair.begin();
        let mut goes_on = true;
        for _ in 0..2 + dice.below(12) {
            if dice.one_in(10) {
                open.savepoint(&mut dice);
                continue;
            }
            goes_on = open.run(&statement(&mut dice, &shapes));
            if !goes_on {
                break;
            }
        }
        open.end(goes_on, goes_on && !dice.one_in(5));
    }
    assert!(pair.vault.verify(|_| ()).unwrap().is_sound(), "seed {seed}");
    pair.counts
}

fn play_all(seeds: u64, through: Through) {
    let seeds = match std::env::var("SEALITE_TEST_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=seeds).collect(),
    };
    let (mut same, mut same_errors) = (0, 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for seed in seeds {
        let counts = play(seed, through);
        same += counts.same;
        same_errors += counts.same_errors;
        for (reason, count) in counts.refused {
            *refused.entry(reason).or_default() += count;
        }
    }
    let all_refused: usize = refused.values().sum();
    let all = same + same_errors + all_refused;
    println!(
        "{through:?}: {all} statements: {same} did the same, {same_errors} failed alike, {all_refused} were refused"
    );
    for (reason, count) in &refused {
        println!("{count:6} {reason}");
    }
    assert!(same * 100 > all * 70, "too few statements do something");
    assert!(all_refused * 100 < all * 10, "too many statements are refused");
}

#[test]
fn random_statements_do_what_they_do_on_plain_tables() {
    play_all(scaled(40, 1000), Through::Transactions);
}

#[test]
fn random_statements_on_a_connection_do_what_they_do_on_plain_tables() {
    play_all(scaled(15, 1000), Through::Connection);
}

#[test]
fn random_statements_in_autocommit_do_what_they_do_on_plain_tables() {
    play_all(scaled(15, 1000), Through::Autocommit);
}
