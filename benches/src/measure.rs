//! Interleaved pairs, medians and spreads.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::Outcome;

/// What some work has taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spent {
    /// By the clock on the wall.
    pub wall: Duration,
    /// Of the CPU's time, by this thread, in the program and in the system; where the system tells.
    pub cpu: Option<Duration>,
}

/// Runs from its making on.
pub struct Stopwatch {
    start: Instant,
    cpu: Option<Duration>,
}

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        let cpu = thread_cpu_time();
        Stopwatch { start: Instant::now(), cpu }
    }

    /// What has been spent since the start.
    pub fn spent(&self) -> Spent {
        let wall = self.start.elapsed();
        let cpu = thread_cpu_time().zip(self.cpu).map(|(now, then)| now.saturating_sub(then));
        Spent { wall, cpu }
    }
}

/// The CPU time of this thread, by Linux's scheduler; exact to a few milliseconds.
fn thread_cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What one operation costs on both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The median time of the plain side.
    pub plain: Duration,
    /// The median time of the sealed side.
    pub sealed: Duration,
    /// The median of the pairs' ratios, sealed to plain.
    pub ratio: f64,
    /// The smallest and the largest ratio of a pair.
    pub spread: (f64, f64),
    /// The median of the pairs' ratios of CPU time, which a busy machine disturbs less and waiting for the disk not.
    pub cpu_ratio: Option<f64>,
    /// How many pairs there were.
    pub pairs: usize,
}

impl Comparison {
    /// Of pairs of (plain, sealed); `None` where there are none.
    pub fn of(pairs: &[(Spent, Spent)]) -> Option<Self> {
        let ratio = |plain: Duration, sealed: Duration| sealed.as_secs_f64() / plain.as_secs_f64();
        let walls = pairs.iter().map(|(plain, sealed)| ratio(plain.wall, sealed.wall));
        let ratios: Vec<f64> = walls.collect();
        let cpus = pairs.iter().map(|(plain, sealed)| Some(ratio(plain.cpu?, sealed.cpu?)));
        let cpus: Vec<f64> = cpus.flatten().filter(|ratio| ratio.is_finite()).collect();
        let side = |of: fn(&(Spent, Spent)) -> Spent| {
            let seconds: Vec<f64> = pairs.iter().map(|pair| of(pair).wall.as_secs_f64()).collect();
            median(&seconds).map(Duration::from_secs_f64)
        };
        let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let high = ratios.iter().copied().fold(0.0, f64::max);
        Some(Comparison {
            plain: side(|pair| pair.0)?,
            sealed: side(|pair| pair.1)?,
            ratio: median(&ratios)?,
            spread: (low, high),
            cpu_ratio: median(&cpus),
            pairs: pairs.len(),
        })
    }
}

impl Comparison {
    /// The comparison for one of `count` operations.
    #[must_use]
    pub fn each(self, count: usize) -> Self {
        let one = |time: Duration| Duration::from_secs_f64(time.as_secs_f64() / count as f64);
        Comparison { plain: one(self.plain), sealed: one(self.sealed), ..self }
    }
}

/// The median; of an even number of values the mean of the middle two; `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// Runs both sides `pairs` times in the order A B B A A B B A, so that a machine that becomes slower
/// or faster meanwhile does it to both. Each side returns its own time.
pub fn interleave(
    pairs: usize,
    mut plain: impl FnMut() -> Outcome<Spent>,
    mut sealed: impl FnMut() -> Outcome<Spent>,
) -> Outcome<Comparison> {
    let mut times = Vec::with_capacity(pairs);
    for pair in 0..pairs {
        if pair % 2 == 0 {
            let first = plain()?;
            times.push((first, sealed()?));
        } else {
            let first = sealed()?;
            times.push((plain()?, first));
        }
    }
    Comparison::of(&times).ok_or_else(|| "no pair was measured".into())
}

/// Times two sides that return a checksum of what they read, once without timing first. Different
/// checksums are an error: the sides did not do the same work.
pub fn interleave_reads(
    pairs: usize,
    mut plain: impl FnMut() -> Outcome<u64>,
    mut sealed: impl FnMut() -> Outcome<u64>,
) -> Outcome<Comparison> {
    let expected = plain()?;
    if sealed()? != expected {
        return Err("the two sides did not read the same".into());
    }
    interleave(pairs, || timed(&mut plain, expected), || timed(&mut sealed, expected))
}

fn timed(work: &mut impl FnMut() -> Outcome<u64>, expected: u64) -> Outcome<Spent> {
    let watch = Stopwatch::start();
    let read = black_box(work()?);
    let spent = watch.spent();
    if read == expected { Ok(spent) } else { Err("a side read something else this time".into()) }
}

/// The most nanoseconds a byte that SHA-256 may take where figures are to mean something.
pub const SHA256_LIMIT: f64 = 3.0;

/// Nanoseconds that SHA-256 takes for a byte of 1 MiB, the best of five.
///
/// Built for the very CPU, `sha2` mixes SHA-NI with AVX and becomes ninety times slower: such a build
/// measures its compiler's flags, not the engine.
pub fn sha256_nanoseconds_a_byte() -> f64 {
    let data = vec![0x5a_u8; 1 << 20];
    let once = || {
        let start = Instant::now();
        black_box(Sha256::digest(black_box(&data)));
        start.elapsed().as_secs_f64() * 1e9 / data.len() as f64
    };
    (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn median_is_the_middle_value_in_any_order() {
        assert!(close(median(&[9.0, 1.0, 5.0]).unwrap(), 5.0));
        assert!(close(median(&[4.0, 1.0, 3.0, 100.0]).unwrap(), 3.5));
        assert!(close(median(&[7.0]).unwrap(), 7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn ratio_is_the_median_of_the_pairs_and_not_the_ratio_of_the_medians() {
        let ms = Duration::from_millis;
        let spent = |wall| Spent { wall: ms(wall), cpu: Some(ms(wall / 10)) };
        let pairs = [(10, 20), (20, 20), (40, 60)].map(|(a, b)| (spent(a), spent(b)));
        let of = Comparison::of(&pairs).unwrap();
        assert!(close(of.cpu_ratio.unwrap(), 1.5));
        assert!(close(of.ratio, 1.5) && of.pairs == 3);
        assert!(close(of.spread.0, 1.0) && close(of.spread.1, 2.0));
        assert_eq!((of.plain, of.sealed), (ms(20), ms(20)));
        assert_eq!(Comparison::of(&[]), None);
    }

    #[test]
    fn cpu_time_advances_with_work_and_not_with_waiting() {
        let watch = Stopwatch::start();
        std::thread::sleep(Duration::from_millis(60));
        let waited = watch.spent();
        assert!(waited.wall >= Duration::from_millis(60));
        assert!(waited.cpu.is_none_or(|cpu| cpu < Duration::from_millis(30)), "{waited:?}");
        let watch = Stopwatch::start();
        while watch.spent().cpu.is_some_and(|cpu| cpu < Duration::from_millis(20)) {
            assert!(watch.spent().wall < Duration::from_secs(20), "the CPU time stands still");
        }
    }

    #[test]
    fn sides_take_turns_in_going_first() {
        let order = std::cell::RefCell::new(String::new());
        let side = |name| {
            order.borrow_mut().push(name);
            Ok(Spent { wall: Duration::from_millis(1), cpu: None })
        };
        interleave(4, || side('A'), || side('B')).unwrap();
        assert_eq!(*order.borrow(), "ABBAABBA");
        assert!(interleave(0, || side('A'), || side('B')).is_err());
    }

    #[test]
    fn sides_that_read_different_things_are_not_compared() {
        assert!(interleave_reads(1, || Ok(1), || Ok(2)).is_err());
        let mut calls = 0;
        let unsteady = || {
            calls += 1;
            Ok(calls / 2)
        };
        assert!(interleave_reads(3, || Ok(0), unsteady).is_err());
        assert_eq!(interleave_reads(3, || Ok(5), || Ok(5)).unwrap().pairs, 3);
    }
}
