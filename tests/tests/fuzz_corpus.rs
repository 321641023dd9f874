//! The inputs that are kept for the fuzz targets, replayed as an ordinary test.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::Path;

// A library of its own.
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

fn replay(target: &str, holds: fn(&[u8]), at_least: usize) {
    for input in inputs(target, at_least) {
        // Cut anywhere, too.
        for end in 0..=input.len() {
            holds(&input[..end]);
        }
    }
}

fn inputs(target: &str, at_least: usize) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).expect("the corpus");
    let inputs: Vec<_> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= at_least, "{} inputs of {target}", inputs.len());
    inputs
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

#[test]
fn kept_limits_do_no_harm() {
    replay("quota_limit", targets::quota_limit, 10);
}

#[test]
fn kept_specifications_of_columns_do_no_harm() {
    replay("column_specification", targets::column_specification, 11);
}

#[test]
fn kept_sequences_of_operations_do_what_the_model_says() {
    for input in inputs("stateful", 6) {
        targets::stateful(&input);
    }
}
