//! No block of memory that the library frees holds what was secret in it: the allocator of this test looks at each.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;

use std::ptr::{null, null_mut};

use calls::{KEY, text};
use sealite_ffi::approval::request::*;
use sealite_ffi::audit::entry::*;
use sealite_ffi::audit::handle::*;
use sealite_ffi::bytes::*;
use sealite_ffi::connection::*;
use sealite_ffi::definition::*;
use sealite_ffi::erasure::*;
use sealite_ffi::field::*;
use sealite_ffi::password::*;
use sealite_ffi::rows::*;
use sealite_ffi::schema::*;
use sealite_ffi::setting::change::*;
use sealite_ffi::setting::definition::*;
use sealite_ffi::setting::handle::*;
use sealite_ffi::setting::transfer::*;
use sealite_ffi::slots::*;
use sealite_ffi::sql::*;
use sealite_ffi::status::sealite_status::*;
use sealite_ffi::stmt::*;
use sealite_ffi::table::*;
use sealite_ffi::token::code::*;
use sealite_ffi::token::request::*;
use sealite_ffi::unlock::*;
use sealite_ffi::values::*;
use sealite_ffi::vault::*;
use sealite_tests::freed::{CANARY, Looking, left_by};

#[global_allocator]
static ALLOCATOR: Looking = Looking;

macro_rules! ok {
    ($($call:tt)*) => { assert_eq!(ffi!($($call)*), SEALITE_OK) };
}

/// Makes a handle: the place for it comes last.
macro_rules! make {
    ($function:path $(; $($argument:tt)*)?) => {{
        let mut made = null_mut();
        ok!($function; $($($argument)*,)? &raw mut made);
        made
    }};
}

/// Frees handles.
macro_rules! free {
    ($($free:path: $handle:expr),*) => {
        // SAFETY: (3).
        unsafe { $($free($handle);)* }
    };
}

/// A vault whose table holds the secret, and a connection to it.
struct World {
    _folder: tempfile::TempDir,
    unlock: *mut sealite_unlock,
    vault: *mut sealite_vault,
    table: *mut sealite_table,
    connection: *mut sealite_connection,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let unlock = calls::unlock(KEY);
        let vault = calls::create(&folder.path().join("vault.db"), unlock);
        let definition = make!(sealite_definition_create; ["people"]);
        for column in ["owner text authenticated", "plan text sealed"] {
            ok!(sealite_definition_add_column; definition, [column]);
        }
        ok!(sealite_definition_set_subject; definition, ["owner"]);
        ok!(sealite_vault_define_table; vault, definition, null_mut());
        free!(sealite_definition_free: definition);
        let table = make!(sealite_vault_table; vault, ["people"]);
        let connection = make!(sealite_vault_connect; vault);
        World { _folder: folder, unlock, vault, table, connection }
    }

    fn insert(&self) {
        let values = make!(sealite_values_create);
        let (owner, plan) = (text("ann"), text(CANARY));
        ok!(sealite_values_set; values, ["owner"], &raw const owner);
        ok!(sealite_values_set; values, ["plan"], &raw const plan);
        // Set twice, and grown.
        ok!(sealite_values_set; values, ["plan"], &raw const plan);
        let mut id = 0;
        ok!(sealite_table_insert; self.table, values, &raw mut id);
        ok!(sealite_values_clear; values);
        ok!(sealite_values_set; values, ["plan"], &raw const plan);
        free!(sealite_values_free: values);
    }

    fn rows(&self) {
        let id = calls::integer(1);
        let one = make!(sealite_table_get; self.table, &raw const id);
        assert_eq!(calls::cell(one, 0, "plan").length, CANARY.len());
        let sql = "SELECT plan, plan FROM people";
        let all = make!(sealite_vault_query; self.vault, [sql], null(), 0);
        let again = make!(sealite_connection_query; self.connection, [sql], null(), 0);
        let cursor = make!(sealite_table_scan; self.table);
        let next = make!(sealite_ffi::cursor::sealite_cursor_next; cursor);
        free!(sealite_rows_free: one, sealite_rows_free: all, sealite_rows_free: again,
              sealite_rows_free: next, sealite_ffi::cursor::sealite_cursor_free: cursor);
    }

    fn statements(&self) {
        let sql = "INSERT INTO people (owner, plan) VALUES ('ann', ?) RETURNING plan";
        let mut stmt = null_mut();
        ok!(sealite_connection_prepare; self.connection, [sql], &raw mut stmt, null_mut());
        let (plan, mut row) = (text(CANARY), false);
        ok!(sealite_stmt_bind; stmt, 1, &raw const plan);
        ok!(sealite_stmt_step; stmt, &raw mut row);
        let mut value = calls::integer(0);
        ok!(sealite_stmt_value; stmt, 0, &raw mut value);
        assert_eq!(value.length, CANARY.len());
        ok!(sealite_stmt_clear_bindings; stmt);
        let rows = make!(sealite_stmt_query; stmt, &raw const plan, 1);
        free!(sealite_rows_free: rows, sealite_stmt_free: stmt);
        let update = "UPDATE people SET plan = ?";
        ok!(sealite_connection_execute; self.connection, [update], &raw const plan, 1, null_mut());
        ok!(sealite_vault_execute; self.vault, [update], &raw const plan, 1, null_mut());
    }

    fn fields(&self) {
        let field = make!(sealite_vault_field; self.vault, ["notes"]);
        let plain = text(CANARY);
        let sealed = make!(sealite_field_seal; field, &raw const plain, null());
        // SAFETY: (3).
        let (data, length) = unsafe { (sealite_bytes_data(sealed), sealite_bytes_length(sealed)) };
        let (mut value, mut memory) = (calls::integer(0), null_mut());
        ok!(sealite_field_open; field, data, length, null(), &raw mut value, &raw mut memory);
        assert_eq!(value.length, CANARY.len());
        let fresh = make!(sealite_field_reseal; field, data, length, null());
        free!(sealite_bytes_free: memory, sealite_bytes_free: sealed, sealite_bytes_free: fresh,
              sealite_field_free: field);
    }

    fn settings(&self) {
        let definition = make!(sealite_setting_definition_create; ["smtp.password"], 3);
        ok!(sealite_setting_definition_set_secret; definition);
        let value = text(CANARY);
        ok!(sealite_setting_definition_set_default; definition, &raw const value);
        ok!(sealite_setting_definition_set_default; definition, &raw const value);
        ok!(sealite_setting_definition_set_category; definition, ["mail"]);
        let settings = make!(sealite_vault_settings; self.vault);
        ok!(sealite_settings_define; settings, definition, null_mut());
        free!(sealite_setting_definition_free: definition);
        let changes = make!(sealite_changes_create);
        ok!(sealite_changes_set; changes, ["smtp.password"], &raw const value);
        ok!(sealite_changes_form; changes, ["smtp.password"], [CANARY], 1);
        ok!(sealite_settings_write; settings, changes, ["ann"], [""], null_mut());
        free!(sealite_changes_free: changes);
        let (mut shown, mut memory) = (calls::integer(0), null_mut());
        ok!(sealite_settings_reveal; settings, ["smtp.password"], ["ann"], ["why"], &raw mut shown, &raw mut memory);
        assert_eq!(shown.length, CANARY.len());
        let json = make!(sealite_settings_export_reveal; settings, 1, ["ann"], ["why"]);
        // SAFETY: (3).
        let (data, length) = unsafe { (sealite_bytes_data(json), sealite_bytes_length(json)) };
        let mut imported = null_mut();
        ok!(sealite_settings_import; settings, 1, data.cast(), length, ["ann"], ["why"], &raw mut imported);
        free!(sealite_bytes_free: memory, sealite_bytes_free: json, sealite_rows_free: imported,
              sealite_settings_free: settings);
    }

    fn unlocks(&self) {
        let passphrase = make!(sealite_unlock_passphrase; [CANARY], 19_456, 2, 1);
        let mut id = 0;
        ok!(sealite_vault_add_slot; self.vault, ["second"], passphrase, &raw mut id);
        ok!(sealite_vault_lock; self.vault);
        ok!(sealite_vault_unlock; self.vault, passphrase);
        free!(sealite_unlock_free: passphrase);
        let hasher = make!(sealite_password_hasher_create; 19_456, 2, 1);
        let stored = make!(sealite_password_hasher_hash; hasher, [CANARY]);
        free!(sealite_bytes_free: stored, sealite_password_hasher_free: hasher);
    }

    fn exports(&self) {
        let json = make!(sealite_vault_export_subject; self.vault, null(), 0, ["ann"]);
        // SAFETY: (3).
        assert!(unsafe { sealite_bytes_length(json) } > CANARY.len());
        free!(sealite_bytes_free: json);
    }

    fn trail(&self) {
        let audit = make!(sealite_vault_audit; self.vault);
        let entry = make!(sealite_entry_create; ["thing.done"]);
        ok!(sealite_entry_set_payload; entry, ["{\"said\": \"canary 5d1e of the coal mine\\n\"}"]);
        ok!(sealite_entry_set_actor; entry, [CANARY]);
        ok!(sealite_audit_append; audit, entry, null_mut());
        let rows = make!(sealite_audit_tail; audit, 1);
        assert!(calls::cell(rows, 0, "json").length > 2 * CANARY.len());
        free!(sealite_rows_free: rows, sealite_entry_free: entry, sealite_audit_free: audit);
    }
}

/// What is put together for a trail, a token or an approval: what it said of a person goes with it.
fn requests() {
    let said = "{\"said\":\"canary 5d1e of the coal mine\"}";
    let entry = make!(sealite_entry_create; ["thing.done"]);
    ok!(sealite_entry_set_payload; entry, [said]);
    ok!(sealite_entry_set_actor; entry, [CANARY]);
    ok!(sealite_entry_set_subject; entry, [CANARY]);
    ok!(sealite_entry_set_subject; entry, [CANARY]);
    let token = make!(sealite_token_request_create; 7);
    ok!(sealite_token_request_set_subject; token, [CANARY]);
    ok!(sealite_token_request_set_label; token, [CANARY]);
    ok!(sealite_token_request_set_data; token, [said]);
    ok!(sealite_token_request_add_scope; token, ["read"]);
    let code = make!(sealite_code_request_create; [CANARY]);
    ok!(sealite_code_request_set_label; code, [CANARY]);
    ok!(sealite_code_request_set_data; code, [said]);
    let request = make!(sealite_approval_request_create; ["pay"], [said], ["ann"]);
    ok!(sealite_approval_request_set_subject; request, [CANARY]);
    ok!(sealite_approval_request_set_session; request, ["s"]);
    free!(sealite_entry_free: entry, sealite_token_request_free: token, sealite_code_request_free: code,
          sealite_approval_request_free: request);
}

impl Drop for World {
    fn drop(&mut self) {
        free!(sealite_connection_free: self.connection, sealite_table_free: self.table,
              sealite_vault_free: self.vault, sealite_unlock_free: self.unlock);
    }
}

type Stage = (&'static str, fn(&World));

const STAGES: [Stage; 9] = [
    ("values", World::insert),
    ("rows", World::rows),
    ("statements", World::statements),
    ("fields", World::fields),
    ("settings", World::settings),
    ("unlocks", World::unlocks),
    ("exports", World::exports),
    ("trail", World::trail),
    ("requests", |_| requests()),
];

/// One test: every block of the process is looked at.
#[test]
fn no_block_is_freed_with_a_secret_in_it() {
    let forgets = left_by(|| drop(CANARY.to_owned()));
    assert_eq!(forgets, 1, "the allocator sees what is left");
    let world = World::new();
    let left: Vec<(&str, usize)> = STAGES
        .iter()
        .map(|(name, stage)| (*name, left_by(|| stage(&world))))
        .filter(|(_, blocks)| *blocks > 0)
        .collect();
    let closing = left_by(|| drop(world));
    assert_eq!((left, closing), (Vec::new(), 0));
}
