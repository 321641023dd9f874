//! The known answers and the fixture of format 1, through the exported functions.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;

use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use sealite_ffi::bytes::*;
use sealite_ffi::field::*;
use sealite_ffi::rows::*;
use sealite_ffi::status::sealite_status::*;
use sealite_ffi::table::*;
use sealite_ffi::tenant::*;
use sealite_ffi::token::text::*;
use sealite_ffi::unlock::*;
use sealite_ffi::vault::*;
use serde_json::Value as Json;

use calls::{bytes, cell, integer, string, text};

/// The fixture's secrets: they protect nothing.
const KEY: &str = "5b6f1c9a2e7d40833fd1a6c4b9e80257184ac3f96d2b70e5f1c8934ea05d7b62";
const PASSPHRASE: &str = "a passphrase of the fixture";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

fn vectors(name: &str) -> Json {
    let text = std::fs::read_to_string(tests().join("vectors").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn fixture_of_format_1_opens_with_every_slot_and_reads_as_it_was_written() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault.db");
    std::fs::copy(tests().join("fixtures/format-1.db"), &path).unwrap();
    let path = path.to_str().unwrap();
    let code = std::fs::read_to_string(tests().join("fixtures/format-1.recovery")).unwrap();
    let (mut key, mut passphrase, mut recovery) = (null_mut(), null_mut(), null_mut());
    assert_eq!(ffi!(sealite_unlock_key_text; [KEY], &raw mut key), SEALITE_OK);
    let status = ffi!(sealite_unlock_passphrase; [PASSPHRASE], 0, 0, 0, &raw mut passphrase);
    assert_eq!(status, SEALITE_OK);
    assert_eq!(ffi!(sealite_unlock_recovery_code; [&code], &raw mut recovery), SEALITE_OK);
    for unlock in [key, passphrase, recovery] {
        let mut vault = null_mut();
        assert_eq!(ffi!(sealite_vault_open; [path], unlock, null(), &raw mut vault), SEALITE_OK);
        users(vault);
        notes(vault);
        field(vault);
        // SAFETY: (1), (3).
        unsafe {
            sealite_vault_free(vault);
            sealite_unlock_free(unlock);
        }
    }
}

fn users(vault: *mut sealite_vault) {
    let (mut table, mut rows) = (null_mut(), null_mut());
    assert_eq!(ffi!(sealite_vault_table; vault, ["users"], &raw mut table), SEALITE_OK);
    let wanted = text("ADA@bücher.EXAMPLE");
    let status = ffi!(sealite_table_find; table, ["email"], &raw const wanted, &raw mut rows);
    assert_eq!(status, SEALITE_OK);
    assert_eq!(string(rows, 0, "email"), "Ada@Bücher.example");
    assert_eq!(string(rows, 0, "surname"), "Lovelace");
    assert_eq!(string(rows, 0, "extra"), "{ \"b\":1, \"a\": [] }");
    assert_eq!(string(rows, 0, "role"), "user");
    assert_eq!(bytes(&cell(rows, 0, "photo")), b"\x00\xff");
    assert_eq!((cell(rows, 0, "id").integer, cell(rows, 0, "age").integer), (1, 36));
    assert_eq!((cell(rows, 0, "vip").kind, cell(rows, 0, "vip").integer), (5, 1));
    assert_eq!(cell(rows, 0, "weight").real.to_bits(), (-0.0f64).to_bits());
    // SAFETY: (1), (3).
    unsafe {
        sealite_rows_free(rows);
        sealite_table_free(table);
    }
}

fn notes(vault: *mut sealite_vault) {
    for name in ["acme", "beta"] {
        let (mut tenant, mut table, mut rows) = (null_mut(), null_mut(), null_mut());
        assert_eq!(ffi!(sealite_vault_tenant; vault, [name], &raw mut tenant), SEALITE_OK);
        assert_eq!(ffi!(sealite_tenant_table; tenant, ["notes"], &raw mut table), SEALITE_OK);
        let id = text("one");
        assert_eq!(ffi!(sealite_table_get; table, &raw const id, &raw mut rows), SEALITE_OK);
        assert_eq!(string(rows, 0, "body"), format!("a note of {name}"));
        // SAFETY: (1), (3).
        unsafe {
            sealite_rows_free(rows);
            sealite_table_free(table);
            sealite_tenant_free(tenant);
        }
    }
}

fn field(vault: *mut sealite_vault) {
    let sealed = std::fs::read(tests().join("fixtures/format-1.field")).unwrap();
    let (mut field, mut memory, mut value) = (null_mut(), null_mut(), integer(0));
    assert_eq!(ffi!(sealite_vault_field; vault, ["users.phone"], &raw mut field), SEALITE_OK);
    let record = integer(7);
    let status = ffi!(
        sealite_field_open; field, sealed.as_ptr().cast(), sealed.len(), &raw const record,
        &raw mut value, &raw mut memory
    );
    assert_eq!((status, bytes(&value)), (SEALITE_OK, b"+44 20 7946 0958".to_vec()));
    // SAFETY: (1), (3).
    unsafe {
        sealite_bytes_free(memory);
        sealite_field_free(field);
    }
}

/// The blind index of a text under a normaliser.
fn index(field: *mut sealite_field, input: &str, normaliser: &str) -> Vec<u8> {
    let (mut memory, mut value) = (null_mut(), integer(0));
    let (input, index) = (text(input), format!("unique {normaliser}"));
    let status = ffi!(
        sealite_field_index; field, &raw const input, [&index], &raw mut value, &raw mut memory
    );
    assert_eq!(status, SEALITE_OK);
    let found = bytes(&value);
    // SAFETY: (1), (3).
    unsafe { sealite_bytes_free(memory) };
    assert_eq!(found.len(), 16);
    found
}

/// What a normaliser makes of a text is not shown; texts with one normal form have one index, and others another.
#[test]
fn normalisers_known_answers_hold_in_blind_indexes() {
    let (mut vault, mut field) = (null_mut(), null_mut());
    assert_eq!(ffi!(sealite_vault_in_memory; &raw mut vault), SEALITE_OK);
    assert_eq!(ffi!(sealite_vault_field; vault, ["f"], &raw mut field), SEALITE_OK);
    let vectors = vectors("normaliser.json");
    let vectors = vectors["vectors"].as_array().unwrap();
    assert!(vectors.len() > 30);
    for vector in vectors {
        let of = |name: &str| vector[name].as_str().unwrap();
        let (name, input, output) = (of("normaliser"), of("input"), of("output"));
        let found = index(field, input, name);
        assert_eq!(found, index(field, output, name), "{vector}");
        assert_ne!(found, index(field, &format!("{output}1"), name), "{vector}");
    }
    // SAFETY: (1), (3).
    unsafe {
        sealite_field_free(field);
        sealite_vault_free(vault);
    }
}

#[test]
fn recovery_codes_known_answers_are_accepted_and_altered_ones_are_not() {
    for vector in vectors("record.json")["recovery_codes"].as_array().unwrap() {
        let code = vector["code"].as_str().unwrap();
        assert_eq!(unhex(vector["bits"].as_str().unwrap()).len(), 20);
        let mut unlock = null_mut();
        assert_eq!(ffi!(sealite_unlock_recovery_code; [code], &raw mut unlock), SEALITE_OK);
        // SAFETY: (1), (3).
        unsafe { sealite_unlock_free(unlock) };
        let other = if code.starts_with('A') { "B" } else { "A" };
        let altered = format!("{other}{}", &code[1..]);
        let status = ffi!(sealite_unlock_recovery_code; [&altered], &raw mut unlock);
        assert_eq!(status, SEALITE_INVALID_INPUT);
    }
}

#[test]
fn texts_of_tokens_are_told_from_others_as_the_known_answers_say() {
    let vectors = vectors("token_text.json");
    for (kind, expected) in [("tokens", true), ("malformed", false)] {
        let texts = vectors[kind].as_array().unwrap();
        assert!(texts.len() > 5);
        for one in texts {
            let (text, mut is) = (one["text"].as_str().unwrap(), !expected);
            assert_eq!(ffi!(sealite_is_token_text; [text], &raw mut is), SEALITE_OK);
            assert_eq!(is, expected, "{one}");
        }
    }
}
