//! The fuzz targets of what is public, on a stable compiler: on the inputs that are kept, and on many made from them. Those of
//! the parsers inside run in `core/src/fuzzing/tests.rs`, that of the C interface in `ffi-c/tests/random_calls.rs`.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

#[path = "../../fuzz/src/replay.rs"]
mod replay;
// A library of its own.
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use replay::{inputs, replay, replay_slowly};
use sealite_tests::faults::shim;
use sealite_tests::reexec::{command, finish, role};
use sealite_tests::scale::scaled;

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
fn kept_plan_files_do_no_harm() {
    replay("plan_file", targets::plan_file, 12);
}

#[test]
fn an_edited_receipt_is_refused() {
    replay("receipt", targets::receipt, 7);
}

#[test]
fn kept_statements_are_carried_out_or_refused() {
    replay_slowly("statement", targets::statement, 27, 1_500);
}

#[test]
fn kept_sequences_of_operations_do_what_the_model_says() {
    replay_slowly("stateful", targets::stateful, 9, 40);
}

/// In a process of its own, with what makes its writes fail.
#[test]
fn a_disk_that_fails_leaves_the_state_before_or_after() {
    if role().is_none() {
        let folder = tempfile::tempdir().unwrap();
        let entry = "a_disk_that_fails_leaves_the_state_before_or_after";
        let mut child = command(entry, "replay", folder.path(), "");
        let child = child.env("LD_PRELOAD", shim(folder.path())).spawn().unwrap();
        return finish(child, scaled(Duration::from_secs(600), Duration::from_secs(6_000)));
    }
    for input in inputs("stateful_faults", 8) {
        assert!(targets::failures(&input) > 0, "nothing failed");
    }
    replay_slowly("stateful_faults", targets::stateful_faults, 8, 60);
}

/// Whoever adds a target gives it inputs, and runs it here too.
#[test]
fn every_target_is_built_has_inputs_and_is_replayed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root.join("fuzz").join(folder)).unwrap();
        let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|entry| name(&entry.unwrap().path())).collect()
    };
    let targets = names("fuzz_targets");
    assert!(targets.len() >= 30, "{targets:?}");
    assert_eq!(targets, names("corpus"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let manifest = read("fuzz/Cargo.toml");
    let tests =
        ["core/src/fuzzing/tests.rs", "ffi-c/tests/random_calls.rs", "tests/tests/fuzz_corpus.rs"];
    let replayed = tests.map(read).concat();
    for target in targets {
        assert!(manifest.contains(&format!("name = \"{target}\"\n")), "{target}");
        let forms = ["replay", "replay_slowly"].map(|how| format!("{how}(\"{target}\""));
        assert!(forms.iter().any(|form| replayed.contains(form)), "{target}");
    }
}
