//! Chance that can be repeated: what is drawn is printed, and SEALITE_TEST_SEED draws it again.

use std::hash::{BuildHasher, RandomState};

/// A seed, which a failing test has printed.
#[allow(clippy::print_stdout)]
pub(crate) fn seed() -> u64 {
    let given = std::env::var("SEALITE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("SEALITE_TEST_SEED={seed}");
    seed
}

/// A generator (Knuth's MMIX), for each thread its own.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64, thread: u64) -> Self {
        Numbers(seed.wrapping_add(thread.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
