//! SplitMix64 and the ways in which the generator draws from it.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): small, fast, the same on every machine. Not for
/// cryptography.
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator that yields the same numbers for the same `seed` for ever.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator for item `index` of the run `seed`, so that an item never depends on the ones
    /// before it. The seed is mixed first: neighbouring runs share no items.
    pub(crate) fn for_item(seed: u64, index: u64) -> Self {
        Self::new(Self::new(seed).next().wrapping_add(Self::new(!index).next()))
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`, 0 when `bound` is 0. The bias of the multiplication is below
    /// `bound / 2^64`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `percent` of 100 draws.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// An entry of `list`, each as likely as the next; the default of `T` when `list` is empty.
    pub(crate) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let at = self.below(list.len() as u64) as usize;
        list.get(at).copied().unwrap_or_default()
    }

    /// An entry of `list`, the early ones likelier: lists of names begin with the common ones.
    pub(crate) fn pick_common<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let length = list.len() as u64;
        let at = self.below(length).min(self.below(length)) as usize;
        list.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)] // a wrong index fails the test
mod tests {
    use super::SplitMix64;

    #[test]
    fn numbers_are_those_of_the_published_algorithm() {
        let mut rng = SplitMix64::new(1_234_567);
        let first: [u64; 3] = std::array::from_fn(|_| rng.next());
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_every_value() {
        let mut rng = SplitMix64::new(7);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[rng.below(10) as usize] += 1;
        }
        assert!(seen.iter().all(|&times| (800..1_200).contains(&times)), "{seen:?}");
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick::<u8>(&[]), 0);
    }

    #[test]
    fn early_entries_are_picked_more_often() {
        let mut rng = SplitMix64::new(7);
        let list: Vec<usize> = (0..10).collect();
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[rng.pick_common(&list)] += 1;
        }
        assert!(seen[0] > 3 * seen[8] && seen[9] > 0, "{seen:?}");
    }
}
