//! Does the time of a comparison tell what is compared? After Reparaz, Balasch and Verbauwhede, "dude, is my code constant
//! time?" (2017): two classes of inputs in random order, and Welch's t-test on the times of each.
//!
//! A test that finds nothing says something only where it would have found something. So each comparison is measured a
//! second time with a comparison behind it that stops at the first difference. Where that is not found, the answer is
//! "not measured".

mod statistics;
mod subjects;

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use crate::Outcome;
use crate::people::rng::SplitMix64;
use statistics::Classes;
use subjects::Subject;

/// What is measured.
pub struct Options {
    /// Measurements of each round.
    pub measurements: usize,
    /// Where the order of the classes begins.
    pub seed: u64,
}

/// What came out of all subjects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// No difference, where a leak would have shown.
    NothingFound,
    /// Nothing can be said: the leak that was put in was not found.
    NotMeasured,
    /// The time tells the classes apart.
    Leak,
}

/// Measures every subject and prints a table; the worst verdict.
///
/// # Errors
/// What the engine or the output refuses with.
pub fn run(options: &Options, out: &mut dyn Write) -> Outcome<Verdict> {
    let folder = tempfile::tempdir()?;
    let mut worst = Verdict::NothingFound;
    let (rounds, count) = (ROUNDS, options.measurements);
    writeln!(out, "{rounds} rounds of {count} measurements; largest |t| of each round")?;
    writeln!(out, "{:<54} {:>23}   {:>23}   verdict", "", "as it is", "with a leak put in")?;
    for subject in subjects::all(folder.path())? {
        let (mut plain, mut leaky) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let seed = options.seed.wrapping_add(round as u64);
            plain.push(measure(&subject, false, count, seed)?);
            leaky.push(measure(&subject, true, count, seed)?);
        }
        let verdict = match (is_found(&plain), is_found(&leaky)) {
            (true, _) => Verdict::Leak,
            (_, false) => Verdict::NotMeasured,
            _ => Verdict::NothingFound,
        };
        let shown = match verdict {
            Verdict::NothingFound => "nothing found",
            Verdict::NotMeasured => "not measured",
            Verdict::Leak => "LEAK",
        };
        let row = |of: &[f64]| of.iter().map(|t| format!("{t:8.2}")).collect::<Vec<_>>().concat();
        writeln!(out, "{:<54} {}  {}   {shown}", subject.name, row(&plain), row(&leaky))?;
        if verdict == Verdict::Leak || worst == Verdict::NothingFound {
            worst = verdict;
        }
    }
    Ok(worst)
}

/// In every round, and in one direction: what chance does in one round it does not do in all.
fn is_found(rounds: &[f64]) -> bool {
    rounds.iter().all(|t| *t > THRESHOLD) || rounds.iter().all(|t| *t < -THRESHOLD)
}

/// The t of the greatest magnitude.
fn measure(subject: &Subject, leak: bool, count: usize, seed: u64) -> Outcome<f64> {
    let mut random = SplitMix64::new(seed);
    let mut input = vec![0; subject.longest()];
    let mut time = |class: bool, random: &mut SplitMix64| {
        let chosen = subject.input(class, random);
        // One place in memory for all inputs: where they lie must not make the difference.
        let input = input.get_mut(..chosen.len()).unwrap_or_default();
        input.copy_from_slice(chosen);
        let start = Instant::now();
        let result = (subject.run)(black_box(input));
        if leak {
            black_box(stops_early(black_box(input), &subject.reference));
        }
        let nanoseconds = start.elapsed().as_nanos() as f64;
        if result == subject.accepts { Ok(nanoseconds) } else { Err(subject.name) }
    };
    // What the distribution looks like decides where it is cropped; these are not counted.
    let mut first = Vec::with_capacity(CALIBRATION);
    for number in 0..CALIBRATION {
        first.push(time(number % 2 == 0, &mut random)?);
    }
    let mut classes = Classes::new(first);
    for _ in 0..count {
        let class = random.chance(50);
        classes.add(class, time(class, &mut random)?);
    }
    Ok(classes.largest_t())
}

/// What no comparison of secrets may be.
fn stops_early(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| black_box(a) == black_box(b))
}

/// Measured again, so that one disturbance is not taken for a leak.
const ROUNDS: usize = 3;
/// Times from which the places of cropping are taken.
const CALIBRATION: usize = 20_000;
/// The usual bound of t in the testing of side channels.
const THRESHOLD: f64 = 4.5;

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(run: impl Fn(&[u8]) -> bool + 'static) -> Subject {
        let mut reference = vec![7; 4_096];
        let inputs = [0, 4_095].map(|at: usize| {
            let mut input = reference.clone();
            input.get_mut(at).into_iter().for_each(|byte| *byte = 8);
            vec![input]
        });
        reference.push(0);
        Subject { name: "a test", inputs, reference, accepts: false, run: Box::new(run) }
    }

    #[test]
    #[ignore = "measures time: make constant-time finds it in each of its controls"]
    fn a_comparison_that_stops_early_is_found() {
        let leaky = subject(|input| stops_early(input, &[7; 4_096]));
        let rounds: Vec<f64> =
            (0..3).map(|seed| measure(&leaky, false, 4_000, seed).unwrap()).collect();
        assert!(is_found(&rounds), "{rounds:?}");
    }

    #[test]
    fn a_subject_that_does_not_answer_as_it_should_is_an_error() {
        assert!(measure(&subject(|_| true), false, 10, 1).is_err());
    }

    #[test]
    fn one_round_or_two_directions_are_no_leak() {
        assert!(is_found(&[5.0, 9.0, 4.6]) && is_found(&[-5.0, -9.0, -4.6]));
        assert!(!is_found(&[5.0, 9.0, 4.4]) && !is_found(&[5.0, -9.0, 5.0]));
    }
}
