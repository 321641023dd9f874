//! Any exported function with any arguments, in any order.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;
#[path = "support/abi/mod.rs"]
mod abi;
#[path = "support/random/any.rs"]
mod any;

use proptest::collection::vec;
use proptest::prelude::any as arbitrary;
use proptest::prelude::*;

fn cases() -> ProptestConfig {
    let full = std::env::var("SEALITE_TEST_FULL").is_ok_and(|full| full == "1");
    let cases = if full { 400 } else { 24 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// One test: handles are counted.
proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_calls_leave_the_vault_sound_and_no_handle_behind(bytes in vec(arbitrary::<u8>(), 100..8_000)) {
        any::run(&bytes);
    }
}
