//! Plain tables that become sealed ones, through C.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;

use std::ptr::{null, null_mut};

use sealite_ffi::protect::*;
use sealite_ffi::rows::*;
use sealite_ffi::sql::*;
use sealite_ffi::status::sealite_status::*;
use sealite_ffi::value::sealite_string;
use sealite_ffi::vault::*;

use calls::string;

fn strings(texts: &[&str]) -> Vec<sealite_string> {
    texts
        .iter()
        .map(|text| sealite_string { data: text.as_ptr().cast(), length: text.len() })
        .collect()
}

#[test]
fn a_plain_table_is_planned_protected_and_plain_again() {
    let mut vault = null_mut();
    assert_eq!(ffi!(sealite_vault_in_memory; &raw mut vault), SEALITE_OK);
    for sql in [
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, plan TEXT)",
        "CREATE INDEX plans ON users (plan)",
        "INSERT INTO users (email) VALUES ('Ada@example.org')",
        "CREATE VIEW v AS SELECT email FROM users",
    ] {
        assert_eq!(ffi!(sealite_vault_execute; vault, [sql], null(), 0, null_mut()), SEALITE_OK);
    }
    let words = strings(&["email sealed unique email"]);
    let (columns, count) = (words.as_ptr(), words.len());
    let mut rows = null_mut();
    assert_eq!(
        ffi!(sealite_vault_plan_protection; vault, ["users"], columns, count, &raw mut rows),
        SEALITE_OK
    );
    let mut rows_there = 0;
    assert_eq!(ffi!(sealite_rows_count; rows, &raw mut rows_there), SEALITE_OK);
    let said: Vec<[String; 2]> =
        (0..rows_there).map(|at| [string(rows, at, "what"), string(rows, at, "text")]).collect();
    let whats: Vec<&str> = said.iter().map(|[what, _]| what.as_str()).collect();
    assert_eq!(whats, ["column", "column", "kept", "changed", "obstacle"]);
    assert!(said[4][1].contains("view v"));
    // SAFETY: (1).
    unsafe { sealite_rows_free(rows) };
    let mut pending = true;
    let protect = |pending: *mut bool| ffi!(sealite_vault_protect_table; vault, ["users"], columns, count, pending);
    assert_eq!(protect(&raw mut pending), SEALITE_REFUSED);
    assert_eq!(
        ffi!(sealite_vault_execute; vault, ["DROP VIEW v"], null(), 0, null_mut()),
        SEALITE_OK
    );
    assert_eq!(protect(&raw mut pending), SEALITE_OK);
    assert!(!pending);
    assert_eq!(protect(null_mut()), SEALITE_OK);
    assert_eq!(
        ffi!(sealite_vault_protect_table; vault, ["users"], null(), 1, null_mut()),
        SEALITE_INVALID_INPUT
    );
    assert_eq!(ffi!(sealite_vault_unprotect_table; vault, ["users"]), SEALITE_OK);
    assert_eq!(ffi!(sealite_vault_unprotect_table; vault, ["users"]), SEALITE_NOT_FOUND);
}
