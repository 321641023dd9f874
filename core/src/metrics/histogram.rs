//! Latencies, in buckets whose bounds are the powers of two of a microsecond.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets with a bound: 1 microsecond to 2^24, which is 16.8 seconds.
const BOUNDED: usize = 25;

/// A histogram that threads add to.
#[derive(Default)]
pub(crate) struct Latency {
    /// The last bucket has no bound.
    buckets: [AtomicU64; BOUNDED + 1],
    sum_ns: AtomicU64,
}

impl Latency {
    pub(crate) fn observe(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(ns)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Histogram {
        let mut count = 0;
        let mut buckets = Vec::with_capacity(BOUNDED);
        for (at, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            if at < BOUNDED {
                buckets.push((Duration::from_micros(1 << at), count));
            }
        }
        Histogram { buckets, count, sum: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)) }
    }
}

/// The first bucket whose bound is no less.
fn bucket_of(ns: u64) -> usize {
    let us = ns.div_ceil(1_000).max(1);
    let bits = u64::BITS - (us - 1).leading_zeros();
    (bits as usize).min(BOUNDED)
}

/// How long something took.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Histogram {
    /// Upper bounds, inclusive, and how many took no longer: each bucket counts those before it too.
    pub buckets: Vec<(Duration, u64)>,
    /// All that were measured, those beyond the last bound with them.
    pub count: u64,
    /// Their sum.
    pub sum: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_lies_in_the_first_bucket_that_bounds_it() {
        for (ns, bucket) in [
            (0, 0),
            (1, 0),
            (1_000, 0),
            (1_001, 1),
            (2_000, 1),
            (2_001, 2),
            (4_000, 2),
            (4_001, 3),
            (16_777_216_000, 24),
            (16_777_216_001, 25),
            (u64::MAX, 25),
        ] {
            assert_eq!(bucket_of(ns), bucket, "{ns} ns");
        }
    }

    #[test]
    fn buckets_are_cumulative_and_end_at_the_count() {
        let latency = Latency::default();
        for us in [1, 3, 3, 100, 20_000_000] {
            latency.observe(Duration::from_micros(us));
        }
        let found = latency.snapshot();
        assert_eq!((found.count, found.sum), (5, Duration::from_micros(20_000_107)));
        assert!(found.buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        assert_eq!(found.buckets.first(), Some(&(Duration::from_micros(1), 1)));
        assert_eq!(found.buckets.last().map(|(_, count)| *count), Some(4));
    }
}
