//! Random sequences of valid and invalid calls, against models: nothing crashes, every call gives the status that the
//! model says, and the state is what the model says.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;
#[path = "support/random/mod.rs"]
mod random;
#[path = "../../fuzz/src/replay.rs"]
mod replay;

use proptest::collection::vec;
use proptest::prelude::*;
use random::{sql, table, tokens};

fn cases(usual: u32) -> ProptestConfig {
    let full = std::env::var("SEALITE_TEST_FULL").is_ok_and(|full| full == "1");
    let cases = if full { 400 } else { usual };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn random_calls_do_what_the_model_says(steps in vec(any::<u8>(), 3..240)) {
        table::run(&steps);
    }

    #[test]
    fn random_sql_does_what_the_model_says(steps in vec(any::<u8>(), 3..360)) {
        sql::run(&steps);
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn random_calls_on_tokens_do_what_the_model_says(steps in vec(any::<u8>(), 3..480)) {
        tokens::run(&steps);
    }
}

/// The inputs that are kept for the fuzz target `c_abi`.
#[test]
fn kept_sequences_of_calls_do_what_the_model_says() {
    replay::replay_slowly("c_abi", random::run, 12, 12);
}
