//! The known answers and the fixture of format 1, through the exported functions.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;

use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use sealite_ffi::audit::handle::*;
use sealite_ffi::bytes::*;
use sealite_ffi::field::*;
use sealite_ffi::health::sealite_vault_set_clock;
use sealite_ffi::json::sealite_canonical_json;
use sealite_ffi::rows::*;
use sealite_ffi::setting::handle::*;
use sealite_ffi::status::sealite_status::{self, *};
use sealite_ffi::table::*;
use sealite_ffi::tenant::*;
use sealite_ffi::token::handle::*;
use sealite_ffi::token::text::*;
use sealite_ffi::unlock::*;
use sealite_ffi::vault::*;
use serde_json::Value as Json;

use calls::{bytes, cell, integer, string, text};

/// The fixture's secrets: they protect nothing.
const KEY: &str = "5b6f1c9a2e7d40833fd1a6c4b9e80257184ac3f96d2b70e5f1c8934ea05d7b62";
const PASSPHRASE: &str = "a passphrase of the fixture";
const PASSWORD: &str = "a password of the fixture";
/// When the fixture was made, as its clock says, in milliseconds since 1970, and how many entries its trail has.
const MADE: i64 = 1_800_000_000_000;
const ENTRIES: i64 = 14;

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

/// What a buffer holds; frees it.
fn taken(buffer: *mut sealite_bytes) -> String {
    // SAFETY: (1), (3): just made by the library.
    unsafe {
        let (data, length) = (sealite_bytes_data(buffer), sealite_bytes_length(buffer));
        let text = std::slice::from_raw_parts(data.cast::<u8>(), length).to_vec();
        sealite_bytes_free(buffer);
        String::from_utf8(text).unwrap()
    }
}

fn canonical(json: &str) -> String {
    let mut text = null_mut();
    assert_eq!(ffi!(sealite_canonical_json; [json], &raw mut text), SEALITE_OK);
    taken(text)
}

#[test]
fn canonical_json_has_the_bytes_and_digits_of_rfc_8785() {
    let answers = vectors("rfc8785.json");
    let (texts, numbers) = (answers["texts"].as_array().unwrap(), &answers["numbers"]);
    assert_eq!((texts.len(), numbers.as_object().unwrap().len()), (2, 24));
    for text in texts {
        let found = canonical(text["input"].as_str().unwrap());
        assert_eq!(found.as_bytes(), unhex(text["canonical_utf8_hex"].as_str().unwrap()));
    }
    for (bits, digits) in numbers.as_object().unwrap() {
        let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(canonical(&format!("{number:e}")), digits.as_str().unwrap(), "{bits}");
    }
}

#[test]
fn csrf_tokens_known_answers_hold_for_their_sessions_and_for_no_other() {
    let (mut vault, mut tokens) = (null_mut(), null_mut());
    assert_eq!(ffi!(sealite_vault_in_memory; &raw mut vault), SEALITE_OK);
    assert_eq!(ffi!(sealite_vault_tokens; vault, &raw mut tokens), SEALITE_OK);
    let holds = |session: &str, text: &str| {
        let mut valid = false;
        let status = ffi!(sealite_tokens_check_csrf; tokens, [session], [text], &raw mut valid);
        assert_eq!(status, SEALITE_OK);
        valid
    };
    let vectors = vectors("csrf.json");
    let answers = vectors["csrf"].as_array().unwrap();
    assert_eq!(answers.len(), 4);
    for one in answers {
        let of = |name: &str| one[name].as_str().unwrap();
        let (session, text) = (of("session"), of("text"));
        assert!(holds(session, text), "{one}");
        let altered = format!("{}{}", if text.starts_with('A') { "B" } else { "A" }, &text[1..]);
        assert!(!holds(session, &altered) && !holds(session, &text[1..]), "{one}");
        for other in answers {
            let same = other["id"] == one["id"];
            assert_eq!(holds(other["session"].as_str().unwrap(), text), same, "{one}");
        }
        // What is issued is the MAC of the known answer, under a mask of its own.
        let mut issued = null_mut();
        let status = ffi!(sealite_tokens_issue_csrf; tokens, [session], &raw mut issued);
        assert_eq!(status, SEALITE_OK);
        let bytes = unbase64url(&taken(issued));
        let unmasked: Vec<u8> = (0..32).map(|at| bytes[at] ^ bytes[at + 32]).collect();
        assert_eq!((bytes.len(), unmasked), (64, unhex(of("mac"))));
    }
    // SAFETY: (1), (3).
    unsafe {
        sealite_tokens_free(tokens);
        sealite_vault_free(vault);
    }
}

fn unbase64url(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
    for digit in text.chars() {
        bits = (bits << 6 | DIGITS.find(digit).unwrap() as u32) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

/// The trail of the fixture is under keys that are known to nobody here: what it verifies as, and the checkpoint that it makes
/// at the time of the known one, are known.
#[test]
fn trail_of_the_fixture_has_the_known_checkpoint_and_its_settings_the_known_values() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault.db");
    std::fs::copy(tests().join("fixtures/format-1.db"), &path).unwrap();
    let known = std::fs::read_to_string(tests().join("fixtures/format-1.checkpoint")).unwrap();
    let unlock = calls::unlock(KEY);
    let (mut vault, mut audit, mut made) = (null_mut(), null_mut(), null_mut());
    let status = ffi!(
        sealite_vault_open; [path.to_str().unwrap()], unlock, null(), &raw mut vault
    );
    assert_eq!(status, SEALITE_OK);
    let now = MADE;
    assert_eq!(ffi!(sealite_vault_set_clock; vault, &raw const now), SEALITE_OK);
    assert_eq!(ffi!(sealite_vault_audit; vault, &raw mut audit), SEALITE_OK);
    assert_eq!(ffi!(sealite_audit_checkpoint; audit, &raw mut made), SEALITE_OK);
    assert_eq!(taken(made), known);
    let (mut seq, mut at) = (0, 0);
    let read = |text: &str, seq: &mut i64, at: &mut i64| -> sealite_status {
        ffi!(sealite_audit_read_checkpoint; audit, [text], seq, at)
    };
    assert_eq!(read(&known, &mut seq, &mut at), SEALITE_OK);
    assert_eq!((seq, at), (ENTRIES, MADE));
    let other = if &known[100..101] == "A" { "B" } else { "A" };
    let altered = format!("{}{other}{}", &known[..100], &known[101..]);
    assert_eq!(read(&altered, &mut seq, &mut at), SEALITE_AUTHENTICATION_FAILED);

    let (mut sound, mut rows) = (false, null_mut());
    let status = ffi!(sealite_audit_verify; audit, [&known], &raw mut sound, &raw mut rows);
    assert_eq!((status, sound), (SEALITE_OK, true));
    // SAFETY: (1), (3).
    unsafe { sealite_rows_free(rows) };
    assert_eq!(ffi!(sealite_audit_tail; audit, 100, &raw mut rows), SEALITE_OK);
    let of = |name: &str| (0..ENTRIES as usize).find(|row| string(rows, *row, "event") == name);
    let entry = of("fixture.made").expect("the fixture's own entry");
    assert_eq!(string(rows, entry, "actor"), "ada");
    assert_eq!(string(rows, entry, "payload"), r#"{"n":1}"#);
    assert_eq!(cell(rows, ENTRIES as usize - 1, "seq").integer, ENTRIES);

    let (mut settings, mut value, mut memory) = (null_mut(), integer(0), null_mut());
    assert_eq!(ffi!(sealite_vault_settings; vault, &raw mut settings), SEALITE_OK);
    let status = ffi!(
        sealite_settings_reveal_for_use; settings, ["mail.password"], &raw mut value, &raw mut memory
    );
    assert_eq!((status, bytes(&value)), (SEALITE_OK, PASSWORD.as_bytes().to_vec()));
    // SAFETY: (1), (3).
    unsafe {
        sealite_bytes_free(memory);
        sealite_settings_free(settings);
        sealite_rows_free(rows);
        sealite_audit_free(audit);
        sealite_vault_free(vault);
        sealite_unlock_free(unlock);
    }
}
