//! How many bits of the hash a `lookup` index keeps.
//!
//! A look-up index is truncated so far that several values share each index value: who reads the
//! file sees groups, not equal values. The rule is CipherSweet's: with b bits kept,
//! `2 <= population / 2^b < sqrt(population)`. Fewer bits hide more and cost more: every look-up
//! opens about `population / 2^b` rows of other values, and drops them after decryption.

use core::ops::RangeInclusive;

/// Fewest distinct values that a column must be expected to hold before a blind index is made
/// without an override: below it, the frequencies of the index values give the values away.
pub(crate) const MIN_DISTINCT: u64 = 1_024;

/// Smallest population for which the planner proposes anything. From 8 to 15 the rule still
/// admits 2 bits, with so few values that the groups protect nothing.
const MIN_POPULATION: u64 = 16;

/// Bits that a look-up index may keep.
const BITS: RangeInclusive<u8> = 1..=56;

/// Bits to keep for a column with this many expected distinct values; `None` below 16.
///
/// Chosen so that `population / 2^b` is nearest, in the logarithm, to the geometric middle of
/// the interval of the rule, `sqrt(2 * sqrt(population))`: b = (3 log2(population) - 2) / 4,
/// rounded to nearest. Expect `population / 2^b` extra rows opened by every look-up: 8 for a
/// thousand values, 24 for a hundred thousand, 61 for a million.
pub(crate) fn plan_bits(expected_distinct: u64) -> Option<u8> {
    let (smallest, largest) = bounds(expected_distinct)?;
    // round((3 log2 p - 2) / 4) = floor(log2(p^3) / 4): exact in integers.
    let bits = ilog2_of_cube(expected_distinct) / 4;
    Some((bits as u8).clamp(smallest, largest))
}

/// Smallest and largest number of bits that hold the rule for this population, within 1 to 56;
/// `None` below 16.
pub(crate) fn bounds(population: u64) -> Option<(u8, u8)> {
    if population < MIN_POPULATION {
        return None;
    }
    let log2 = population.ilog2() as u8;
    // p / 2^b < sqrt(p) is p < 4^b; floor(log4 p) + 1 is the first b that holds it.
    let smallest = log2 / 2 + 1;
    // 2 <= p / 2^b is 2^(b + 1) <= p.
    let largest = log2 - 1;
    Some((smallest.max(*BITS.start()), largest.min(*BITS.end())))
}

/// floor(log2(p^3)) for p > 0. The cube has up to 192 bits: it is held as two words.
fn ilog2_of_cube(p: u64) -> u32 {
    let (p, square) = (u128::from(p), u128::from(p) * u128::from(p));
    let low = (square & u128::from(u64::MAX)) * p;
    let high = (square >> 64) * p + (low >> 64);
    if high > 0 { 64 + high.ilog2() } else { low.ilog2() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Populations that matter: every power of two with its neighbours, and random ones of
    /// every magnitude.
    fn populations() -> Vec<u64> {
        let mut all: Vec<u64> =
            (4..64).flat_map(|n| [(1 << n) - 1, 1 << n, (1 << n) + 1]).collect();
        all.push(u64::MAX);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for n in 0..100_000_u32 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            all.push(state >> (n % 60));
        }
        all.retain(|&p| p >= MIN_POPULATION);
        all
    }

    /// The rule, in integers: 2 * 2^b <= p and p < 4^b.
    fn holds(population: u64, bits: u8) -> bool {
        let p = u128::from(population);
        (2_u128 << bits) <= p && p < (1_u128 << (2 * u32::from(bits)))
    }

    #[test]
    fn every_plan_holds_the_rule() {
        for p in populations() {
            let bits = plan_bits(p).unwrap();
            assert!(BITS.contains(&bits) && holds(p, bits), "{p}: {bits}");
        }
    }

    #[test]
    fn bounds_are_the_outermost_bits_that_hold_the_rule() {
        for p in populations() {
            let all: Vec<u8> = BITS.filter(|&b| holds(p, b)).collect();
            assert_eq!(bounds(p), Some((all[0], *all.last().unwrap())), "{p}");
        }
    }

    #[test]
    fn plan_is_nearest_to_the_geometric_middle() {
        for p in populations() {
            #[allow(clippy::cast_precision_loss)]
            let log2 = (p as f64).log2();
            let middle = 0.5 + log2 / 4.0;
            let distance = |bits: u8| (log2 - f64::from(bits) - middle).abs();
            let (smallest, largest) = bounds(p).unwrap();
            let planned = distance(plan_bits(p).unwrap());
            let best = (smallest..=largest).map(distance).fold(f64::INFINITY, f64::min);
            assert!(planned <= best + 1e-9, "{p}: {planned} against {best}");
        }
    }

    #[test]
    fn plans_grow_with_the_population() {
        let mut all = populations();
        all.sort_unstable();
        assert!(all.windows(2).all(|w| plan_bits(w[0]) <= plan_bits(w[1])));
    }

    #[test]
    fn known_plans() {
        let plans = [
            (16, 3),
            (1_000, 7),
            (MIN_DISTINCT, 7),
            (10_000, 9),
            (100_000, 12),
            (1_000_000, 14),
            (1 << 32, 24),
            (u64::MAX, 47),
        ];
        for (population, bits) in plans {
            assert_eq!(plan_bits(population), Some(bits), "{population}");
        }
        assert_eq!(bounds(16), Some((3, 3)));
        assert_eq!(bounds(1_000_000), Some((10, 18)));
        assert_eq!(bounds(u64::MAX), Some((32, 56)));
    }

    #[test]
    fn too_small_a_population_has_no_plan() {
        for p in 0..16 {
            assert_eq!((plan_bits(p), bounds(p)), (None, None), "{p}");
        }
    }
}
