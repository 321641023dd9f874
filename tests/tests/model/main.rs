//! A vault against a model of it: whatever is done, in whatever order, its rows, tokens and erasures are the model's.
//!
//! A case that fails is made smaller and shown with its seed: `SEALITE_TEST_SEED=…` runs it again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod keys;
mod steps;
mod world;

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use sealite_tests::process::{staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::assert_integrity;

use steps::{Step, step};
use world::World;

fn run(folder: &Path, steps: &[Step]) {
    let mut world = World::new(folder);
    for (at, step) in steps.iter().enumerate() {
        world.take(at, step);
        world.check();
    }
    assert!(world.vault.verify(|_| ()).unwrap().is_sound());
    assert!(world.vault.audit().verify(None).unwrap().is_sound());
    world.vault.close();
    assert_integrity(&folder.join("vault.db"));
}

/// The seed that was asked for, or another one each time.
fn seed() -> u64 {
    if let Ok(seed) = std::env::var("SEALITE_TEST_SEED") {
        return seed.parse().expect("a number");
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs() ^ u64::from(now.subsec_nanos())
}

#[test]
fn vault_equals_its_model_after_every_step() {
    staged("vault_equals_its_model_after_every_step", scaled(400, 6_000), |stage| {
        if stage.role() == "driver" {
            let folder = stage.path();
            let (cases, seed) = (scaled(60, 1_500), seed());
            let config = Config {
                cases,
                rng_seed: RngSeed::Fixed(seed),
                failure_persistence: None,
                ..Config::default()
            };
            let steps = prop::collection::vec(step(), 1..scaled(50, 120));
            let done = std::cell::Cell::new(0);
            TestRunner::new(config)
                .run(&steps, |steps| {
                    done.set(done.get() + steps.len());
                    run(&folder, &steps);
                    Ok(())
                })
                .unwrap_or_else(|error| panic!("SEALITE_TEST_SEED={seed}: {error}"));
            return tell(format_args!("{cases} cases, {} steps, seed {seed}", done.get()));
        }
        let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let key = sealite::generate_key().unwrap();
        let key = sealite::ExposeSecret::expose_secret(&key).to_owned();
        std::fs::write(memory.path().join("key"), key).unwrap();
        let mut driver = stage.process("driver", memory.path());
        for line in driver.rest() {
            tell(line);
        }
        driver.succeed();
    });
}
