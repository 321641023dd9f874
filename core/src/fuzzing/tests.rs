//! Every target on a stable compiler: on the inputs that are kept, and on many made from them.

#[path = "../../../fuzz/src/replay.rs"]
mod replay;

use replay::replay;

use super::*;
use crate::audit::checkpoint::Checkpoint;

#[test]
fn kept_records_and_payloads_do_no_harm() {
    replay("record", record, 5);
    replay("payload", payload, 11);
    replay("value", value, 11);
    replay("context", context, 6);
    replay("slot", slot, 4);
    replay("catalog", catalog, 3);
    replay("quota_usage", quota_usage, 4);
}

#[test]
fn kept_texts_do_no_harm() {
    replay("secret_text", secret_text, 7);
    replay("key_reference", key_reference, 8);
    replay("sql", sql, 24);
    replay("checkpoint", checkpoint, 6);
    replay("audit_line", audit_line, 3);
    replay("csrf", csrf, 4);
    replay("normaliser", normaliser, 10);
}

#[test]
fn kept_files_and_values_of_other_programs_do_no_harm() {
    replay("dotenv", dotenv, 9);
    replay("setting_text", setting_text, 9);
    replay("setting_import", setting_import, 5);
    replay("canonical", canonical, 8);
    replay("merge_patch", merge_patch, 8);
    replay("imported_value", imported_value, 8);
}

/// Refused inputs alone would try little of a parser that wants a MAC.
#[test]
fn what_a_mac_guards_has_a_kept_input_that_passes() {
    let keys = text::audit_keys(text::AUDIT_KEY).expect("the one that there is");
    let made = Checkpoint::make(&keys, &text::VAULT, 12, 1_700_000_000_000, [0; 32]);
    assert_eq!(replay::input("checkpoint", "good"), made.text().as_bytes());
}
