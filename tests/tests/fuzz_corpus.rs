//! The inputs that are kept for the fuzz targets, replayed as an ordinary test.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::Path;

// A library of its own.
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

fn replay(target: &str, holds: fn(&[u8]), at_least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut replayed = 0;
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let input = std::fs::read(file.unwrap().path()).unwrap();
        // Cut anywhere, too.
        for end in 0..=input.len() {
            holds(&input[..end]);
        }
        replayed += 1;
    }
    assert!(replayed >= at_least, "{replayed} inputs of {target}");
}

#[test]
fn kept_token_texts_do_no_harm() {
    replay("token_text", targets::token_text, 39);
}

#[test]
fn kept_files_of_tokens_do_no_harm() {
    replay("legacy_tokens", targets::legacy_tokens, 17);
}

#[test]
fn kept_hashes_of_passwords_do_no_harm() {
    replay("password_hash", targets::password_hash, 11);
}
