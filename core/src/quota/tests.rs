//! The properties of the decision, over random histories and against a model that remembers every charge.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

use std::time::Duration;

use super::limit::Limit;
use super::usage::{Charge, MAX_ENTRIES, Usage};

/// A small generator (xorshift), seeded: a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn whole(usage: &mut Usage, at: i64, limits: &[Limit], cost: u32) -> super::Decision {
    usage.advance(at);
    let decision = usage.charge(limits, Charge::Whole(cost)).0;
    // What is stored is what goes on.
    assert_eq!(Usage::decode(&usage.encode()).as_ref(), Some(&*usage));
    decision
}

/// True where no stretch of time as long as the window holds more than the limit.
fn holds(passed: &[(i64, u32)], limit: &Limit) -> bool {
    passed.iter().all(|(end, _)| {
        let window = passed.iter().filter(|(at, _)| at <= end && end - at < limit.window_ms());
        window.map(|(_, cost)| cost).sum::<u32>() <= limit.count()
    })
}

#[test]
fn no_window_ever_lets_more_than_the_limit_through() {
    for seed in 1..=200 {
        let mut random = Random(seed * 0x9e37_79b9);
        let count = 1 + random.below(if seed % 2 == 0 { 8 } else { 200 }) as u32;
        let limit = Limit::sliding(count, ms(1 + random.below(2_000))).unwrap();
        let wide = Limit::sliding(count * 3, ms(5_000)).unwrap();
        let limits = [limit, wide];
        let (mut usage, mut passed, mut now) = (Usage::new(1_000_000), Vec::new(), 1_000_000);
        for _ in 0..600 {
            now += random.below(1 + 4 * limit.window_ms() as u64 / u64::from(count)) as i64;
            let cost = 1 + random.below(u64::from(count.min(3))) as u32;
            if whole(&mut usage, now, &limits, cost).allowed {
                passed.push((now, cost));
            }
        }
        assert!(passed.len() > 5, "{seed}: a limiter that lets nothing through proves nothing");
        assert!(limits.iter().all(|limit| holds(&passed, limit)), "{seed}");
    }
}

#[test]
fn limits_of_up_to_32_are_exact() {
    for seed in 1..=100 {
        let mut random = Random(seed * 0x1234_5677);
        let count = 1 + random.below(MAX_ENTRIES as u64) as u32;
        let limit = Limit::sliding(count, ms(1_000)).unwrap();
        let (mut usage, mut log, mut now) = (Usage::new(0), Vec::new(), 0);
        for _ in 0..500 {
            now += random.below(1 + 3_000 / u64::from(count)) as i64;
            log.retain(|at| now - at < 1_000);
            let decision = whole(&mut usage, now, &[limit], 1);
            assert_eq!(decision.allowed, log.len() < count as usize, "{seed} at {now}");
            if decision.allowed {
                log.push(now);
            } else {
                assert_eq!(decision.retry_after, ms((log[0] + 1_000 - now) as u64));
            }
            assert_eq!(decision.remaining as usize, count as usize - log.len());
        }
    }
}

#[test]
fn a_charge_counts_for_at_most_a_thirty_first_longer_than_the_window() {
    for count in [33, 100, 100_000] {
        let limit = Limit::sliding(count, ms(62_000)).unwrap();
        let mut usage = Usage::new(0);
        for n in 0..i64::from(count) {
            assert!(whole(&mut usage, n * 62_000 / i64::from(count) / 2, &[limit], 1).allowed);
        }
        let full = whole(&mut usage, 31_000, &[limit], 1);
        assert!(!full.allowed);
        assert!(full.reset_after <= ms(31_000 + 64_000), "{full:?}");
        assert!(whole(&mut usage, 31_000 + 64_000, &[limit], count).allowed);
    }
}

#[test]
fn a_retry_after_the_time_told_goes_through_and_not_a_millisecond_before() {
    for seed in 1..=200 {
        let mut random = Random(seed * 0xabcd_ef01);
        let count = 1 + random.below(100) as u32;
        let limits = [
            Limit::sliding(count, ms(1 + random.below(5_000))).unwrap(),
            Limit::fixed(count * 2, ms(1 + random.below(9_000))).unwrap(),
        ];
        let (mut usage, mut now) = (Usage::new(0), 0);
        for _ in 0..400 {
            now += random.below(30) as i64;
            let cost = 1 + random.below(u64::from(count)) as u32;
            let decision = whole(&mut usage, now, &limits, cost);
            if !decision.allowed {
                let wait = i64::try_from(decision.retry_after.as_millis()).unwrap();
                assert!(wait > 0);
                assert!(!whole(&mut usage.clone(), now + wait - 1, &limits, cost).allowed);
                assert!(whole(&mut usage.clone(), now + wait, &limits, cost).allowed, "{seed}");
            }
        }
    }
}

#[test]
fn a_fixed_window_starts_anew_at_its_border() {
    let limit = Limit::fixed(3, ms(1_000)).unwrap();
    let mut usage = Usage::new(5_400);
    for left in [2, 1, 0] {
        assert_eq!(whole(&mut usage, 5_400, &[limit], 1).remaining, left);
    }
    let refused = whole(&mut usage, 5_999, &[limit], 1);
    assert_eq!((refused.allowed, refused.retry_after), (false, ms(1)));
    assert!(whole(&mut usage, 6_000, &[limit], 3).allowed);
}

#[test]
fn a_clock_set_back_never_gives_anything_back_and_blocks_nobody_for_long() {
    for seed in 1..=200 {
        let mut random = Random(seed * 0x5851_f42d);
        let count = 1 + random.below(60) as u32;
        let limit = Limit::sliding(count, ms(1_000)).unwrap();
        let (mut usage, mut passed) = (Usage::new(1 << 40), Vec::new());
        // True time only goes forward; the clock is what it shows less the steps so far.
        let (mut true_time, mut behind) = (1i64 << 40, 0i64);
        for _ in 0..600 {
            true_time += random.below(1 + 2_000 / u64::from(count)) as i64;
            if random.below(20) == 0 {
                behind += [1, 50, 999, 3_600_000][random.below(4) as usize];
            }
            let decision = whole(&mut usage, true_time - behind, &[limit], 1);
            if decision.allowed {
                passed.push((true_time, 1));
            }
            assert!(decision.retry_after <= ms(1_000 + 33), "{decision:?}");
        }
        assert!(passed.len() > 5);
        assert!(holds(&passed, &limit), "{seed}");
    }
}

#[test]
fn a_fixed_window_keeps_its_count_when_the_clock_is_set_back() {
    let limit = Limit::fixed(2, ms(1_000)).unwrap();
    for back in [1, 300, 900, 1_500, 86_400_000] {
        let mut usage = Usage::new(100_000_000_500);
        assert!(whole(&mut usage, 100_000_000_500, &[limit], 2).allowed);
        let now = 100_000_000_500 - back;
        let refused = whole(&mut usage, now, &[limit], 1);
        assert!(!refused.allowed, "{back}");
        assert!(refused.retry_after <= ms(2_000), "{refused:?}");
        let then = now + i64::try_from(refused.retry_after.as_millis()).unwrap();
        assert!(whole(&mut usage, then, &[limit], 1).allowed);
    }
}

#[test]
fn all_windows_are_checked_before_any_is_charged() {
    let limits = [
        Limit::sliding(10, ms(1_000)).unwrap(),
        Limit::fixed(3, ms(60_000)).unwrap(),
        Limit::sliding(100, ms(3_600_000)).unwrap(),
    ];
    let mut usage = Usage::new(60_000);
    assert_eq!(whole(&mut usage, 60_000, &limits, 3).limit, 1);
    let before = usage.clone();
    let refused = whole(&mut usage, 60_000, &limits, 1);
    assert_eq!((refused.allowed, refused.limit, refused.remaining), (false, 1, 0));
    assert_eq!(usage, before);
}

#[test]
fn two_limits_of_one_window_are_charged_once_and_the_lower_one_holds() {
    let limits = [Limit::sliding(9, ms(50)).unwrap(), Limit::sliding(4, ms(50)).unwrap()];
    let mut usage = Usage::new(0);
    for left in (0..4).rev() {
        assert_eq!(whole(&mut usage, 0, &limits, 1).remaining, left);
    }
    let refused = whole(&mut usage, 0, &limits, 1);
    assert_eq!((refused.allowed, refused.limit), (false, 1));
}

#[test]
fn failures_are_charged_up_to_the_limit_and_no_further() {
    let limits = [Limit::sliding(3, ms(1_000)).unwrap(), Limit::sliding(5, ms(5_000)).unwrap()];
    let mut usage = Usage::new(0);
    for (expected, left) in [(true, 2), (true, 1), (false, 0), (false, 0)] {
        let (decision, _) = usage.charge(&limits, Charge::Failure(1));
        assert_eq!((decision.allowed, decision.remaining), (expected, left));
    }
    // The blocked one cost nothing in the window that blocked it, and one in the other.
    usage.advance(1_000);
    assert_eq!(usage.charge(&limits, Charge::Peek).0.remaining, 1);
}

#[test]
fn the_entries_of_a_window_stay_few_whatever_happens() {
    let mut random = Random(7);
    let mut usage = Usage::new(1 << 40);
    let mut now = 1i64 << 40;
    for _ in 0..20_000 {
        now += random.below(40) as i64 - random.below(20) as i64;
        // The application changes its mind about the limit all the time.
        let limit = Limit::sliding(1 + random.below(5_000) as u32, ms(1_000)).unwrap();
        whole(&mut usage, now, &[limit], 1);
        assert!(usage.windows.iter().all(|window| window.entries.len() <= MAX_ENTRIES));
        assert!(usage.encode().len() < 200);
    }
}
