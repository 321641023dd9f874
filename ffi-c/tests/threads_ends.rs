//! Threads on one vault that another thread locks, interrupts and closes meanwhile: each call does what it says or tells
//! why not, what was said to be done is done, and the vault is sound.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;
#[path = "support/seed.rs"]
mod seed;

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use sealite_ffi::audit::entry::*;
use sealite_ffi::audit::handle::*;
use sealite_ffi::bytes::*;
use sealite_ffi::connection::*;
use sealite_ffi::cursor::*;
use sealite_ffi::definition::*;
use sealite_ffi::field::*;
use sealite_ffi::quota::*;
use sealite_ffi::rows::*;
use sealite_ffi::schema::*;
use sealite_ffi::setting::change::*;
use sealite_ffi::setting::definition::*;
use sealite_ffi::setting::handle::*;
use sealite_ffi::snapshot::*;
use sealite_ffi::status::sealite_status::{self, *};
use sealite_ffi::table::*;
use sealite_ffi::transaction::*;
use sealite_ffi::unlock::*;
use sealite_ffi::values::*;
use sealite_ffi::vault::*;

use calls::{KEY, integer, text};
use seed::{Numbers, seed};

const THREADS: u64 = 6;
const STEPS: u64 = 60;

/// Handles are numbers, and any thread may use them.
#[derive(Clone, Copy)]
struct Handles {
    unlock: *mut sealite_unlock,
    vault: *mut sealite_vault,
    table: *mut sealite_table,
    connection: *mut sealite_connection,
    settings: *mut sealite_settings,
    quotas: *mut sealite_quotas,
    limits: *mut sealite_limits,
    audit: *mut sealite_audit,
    field: *mut sealite_field,
}

// SAFETY: (3) never dereferenced here; the library checks them.
unsafe impl Send for Handles {}
// SAFETY: (3).
unsafe impl Sync for Handles {}

/// What all threads were told is done.
#[derive(Default)]
struct Told {
    inserted: AtomicU64,
    noted: AtomicU64,
    charged: AtomicU64,
    steps: AtomicU64,
}

/// Whether a call has done it; else another thread was in the way, and nothing else.
fn done(status: sealite_status) -> bool {
    let others = [SEALITE_LOCKED, SEALITE_CLOSED, SEALITE_BUSY, SEALITE_INTERRUPTED];
    assert!(status == SEALITE_OK || others.contains(&status), "{status:?}");
    status == SEALITE_OK
}

macro_rules! does {
    ($($call:tt)*) => { done(ffi!($($call)*)) };
}

macro_rules! ok {
    ($($call:tt)*) => { assert_eq!(ffi!($($call)*), SEALITE_OK) };
}

macro_rules! free {
    ($($free:path: $handle:expr),*) => {
        // SAFETY: (3).
        unsafe { $($free($handle);)* }
    };
}

impl Handles {
    fn new(path: &std::path::Path) -> Self {
        let unlock = calls::unlock(KEY);
        let vault = calls::create(path, unlock);
        let mut definition = null_mut();
        ok!(sealite_definition_create; ["people"], &raw mut definition);
        ok!(sealite_definition_add_column; definition, ["plan text sealed"]);
        ok!(sealite_vault_define_table; vault, definition, null_mut());
        free!(sealite_definition_free: definition);
        let mut all = Handles {
            unlock,
            vault,
            table: null_mut(),
            connection: null_mut(),
            settings: null_mut(),
            quotas: null_mut(),
            limits: null_mut(),
            audit: null_mut(),
            field: null_mut(),
        };
        ok!(sealite_vault_table; vault, ["people"], &raw mut all.table);
        ok!(sealite_vault_connect; vault, &raw mut all.connection);
        ok!(sealite_vault_settings; vault, &raw mut all.settings);
        ok!(sealite_vault_quotas; vault, &raw mut all.quotas);
        ok!(sealite_limits_create; &raw mut all.limits);
        ok!(sealite_limits_add_fixed; all.limits, 1_000_000, 86_400_000);
        ok!(sealite_vault_audit; vault, &raw mut all.audit);
        ok!(sealite_vault_field; vault, ["notes"], &raw mut all.field);
        let mut setting = null_mut();
        ok!(sealite_setting_definition_create; ["limit"], 1, &raw mut setting);
        ok!(sealite_settings_define; all.settings, setting, null_mut());
        free!(sealite_setting_definition_free: setting);
        all
    }

    fn free(self) {
        free!(sealite_field_free: self.field, sealite_audit_free: self.audit, sealite_limits_free: self.limits,
              sealite_quotas_free: self.quotas, sealite_settings_free: self.settings,
              sealite_connection_free: self.connection, sealite_table_free: self.table,
              sealite_vault_free: self.vault, sealite_unlock_free: self.unlock);
    }

    fn step(self, numbers: &mut Numbers, told: &Told) {
        match numbers.below(8) {
            0 => Self::insert(self.table, told),
            1 => self.scan(),
            2 => self.snapshot(),
            3 => self.transaction(numbers.below(2) == 0, told),
            4 => self.setting(numbers.below(100).cast_signed()),
            5 => self.charge(told),
            6 => self.note(told),
            _ => self.seal(),
        }
        told.steps.fetch_add(1, SeqCst);
        let mut rows = null_mut();
        let sql = "SELECT count(*) AS n FROM people";
        does!(sealite_connection_query; self.connection, [sql], null(), 0, &raw mut rows);
        free!(sealite_rows_free: rows);
    }

    fn insert(table: *mut sealite_table, told: &Told) {
        let mut values = null_mut();
        ok!(sealite_values_create; &raw mut values);
        let plan = text("gold");
        ok!(sealite_values_set; values, ["plan"], &raw const plan);
        let mut id = 0;
        if does!(sealite_table_insert; table, values, &raw mut id) {
            told.inserted.fetch_add(1, SeqCst);
        }
        free!(sealite_values_free: values);
    }

    fn scan(self) {
        let (mut cursor, mut rows) = (null_mut(), null_mut());
        if does!(sealite_table_scan; self.table, &raw mut cursor) {
            while does!(sealite_cursor_next; cursor, &raw mut rows) && !rows.is_null() {
                free!(sealite_rows_free: rows);
            }
        }
        free!(sealite_cursor_free: cursor);
    }

    /// What a snapshot sees stays as it is.
    fn snapshot(self) {
        let (mut snapshot, mut table) = (null_mut(), null_mut());
        let (mut before, mut after) = (0, 0);
        if does!(sealite_vault_snapshot; self.vault, &raw mut snapshot)
            && does!(sealite_snapshot_table; snapshot, ["people"], &raw mut table)
            && does!(sealite_table_count; table, &raw mut before)
            && does!(sealite_table_count; table, &raw mut after)
        {
            assert_eq!(before, after);
        }
        free!(sealite_table_free: table, sealite_snapshot_free: snapshot);
    }

    /// What is rolled back was never there; what is committed is.
    fn transaction(self, commits: bool, told: &Told) {
        let (mut transaction, mut table) = (null_mut(), null_mut());
        let within = Told::default();
        if does!(sealite_vault_begin; self.vault, &raw mut transaction)
            && does!(sealite_transaction_table; transaction, ["people"], &raw mut table)
        {
            Self::insert(table, &within);
            if does!(sealite_transaction_begin_savepoint; transaction) {
                let inside = Told::default();
                Self::insert(table, &inside);
                does!(sealite_transaction_end_savepoint; transaction, 0);
            }
            if commits {
                if does!(sealite_transaction_commit; transaction) {
                    told.inserted.fetch_add(within.inserted.load(SeqCst), SeqCst);
                }
            } else {
                does!(sealite_transaction_roll_back; transaction);
            }
        }
        free!(sealite_table_free: table, sealite_transaction_free: transaction);
    }

    fn setting(self, number: i64) {
        let (mut changes, mut rows) = (null_mut(), null_mut());
        let value = integer(number);
        ok!(sealite_changes_create; &raw mut changes);
        ok!(sealite_changes_set; changes, ["limit"], &raw const value);
        does!(sealite_settings_write; self.settings, changes, ["ann"], [""], null_mut());
        does!(sealite_settings_read; self.settings, ["limit"], &raw mut rows);
        free!(sealite_changes_free: changes, sealite_rows_free: rows);
    }

    fn charge(self, told: &Told) {
        // SAFETY: (1) a decision of numbers, for which zero is one.
        let mut decision: sealite_decision = unsafe { std::mem::zeroed() };
        let (quotas, limits) = (self.quotas, self.limits);
        if does!(sealite_quotas_check_and_charge; quotas, ["all"], limits, 1, &raw mut decision) {
            assert!(decision.allowed);
            told.charged.fetch_add(1, SeqCst);
        }
    }

    fn note(self, told: &Told) {
        let mut entry = null_mut();
        ok!(sealite_entry_create; ["thing.done"], &raw mut entry);
        if does!(sealite_audit_append; self.audit, entry, null_mut()) {
            told.noted.fetch_add(1, SeqCst);
        }
        free!(sealite_entry_free: entry);
    }

    fn seal(self) {
        let (mut sealed, mut memory, mut value) = (null_mut(), null_mut(), integer(0));
        let plain = text("a note");
        if does!(sealite_field_seal; self.field, &raw const plain, null(), &raw mut sealed) {
            // SAFETY: (3).
            let (data, length) =
                unsafe { (sealite_bytes_data(sealed), sealite_bytes_length(sealed)) };
            let (field, value, place) = (self.field, &raw mut value, &raw mut memory);
            if does!(sealite_field_open; field, data, length, null(), value, place) {
                // SAFETY: (1) written by the library.
                assert_eq!(calls::bytes(unsafe { &*value }), b"a note");
            }
        }
        free!(sealite_bytes_free: sealed, sealite_bytes_free: memory);
    }
}

/// One test: handles are counted.
#[test]
fn threads_whose_vault_is_locked_interrupted_and_closed_lose_nothing_that_was_said_to_be_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.db");
    let all = Handles::new(&path);
    let (told, ended, seed) = (Told::default(), AtomicBool::new(false), seed());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (all, told) = (all, &told);
                scope.spawn(move || {
                    let mut numbers = Numbers::new(seed, thread);
                    for _ in 0..STEPS {
                        all.step(&mut numbers, told);
                    }
                })
            })
            .collect();
        let (all, ended, told) = (all, &ended, &told);
        let disturbs = scope.spawn(move || {
            let all = all;
            let mut numbers = Numbers::new(seed, THREADS);
            while !ended.load(SeqCst) {
                match numbers.below(2) {
                    0 => ok!(sealite_connection_interrupt; all.connection),
                    _ => ok!(sealite_vault_lock; all.vault),
                }
                std::thread::yield_now();
                ok!(sealite_vault_unlock; all.vault, all.unlock);
                // The others get on before it happens again.
                let next = told.steps.load(SeqCst) + 5 + numbers.below(20);
                while told.steps.load(SeqCst) < next && !ended.load(SeqCst) {
                    std::thread::yield_now();
                }
            }
        });
        let closes = workers.len() / 2;
        for (at, worker) in workers.into_iter().enumerate() {
            worker.join().unwrap();
            if at == closes {
                ended.store(true, SeqCst);
            }
        }
        ended.store(true, SeqCst);
        disturbs.join().unwrap();
        // In the end it is closed while another thread is using it.
        let late = scope.spawn(move || {
            let all = all;
            all.step(&mut Numbers::new(seed, THREADS + 1), &Told::default());
        });
        does!(sealite_vault_close; all.vault);
        late.join().unwrap();
    });
    all.free();
    assert_eq!(sealite_ffi::version::sealite_handles_live(), 0);
    check(&path, &told);
    assert_eq!(sealite_ffi::version::sealite_handles_live(), 0);
}

/// What was said to be done is there when the vault is opened anew.
fn check(path: &std::path::Path, told: &Told) {
    let unlock = calls::unlock(KEY);
    let (mut vault, mut table, mut rows) = (null_mut(), null_mut(), null_mut());
    let path = path.to_str().unwrap();
    ok!(sealite_vault_open; [path], unlock, null(), &raw mut vault);
    ok!(sealite_vault_table; vault, ["people"], &raw mut table);
    let (mut count, mut sound) = (0, false);
    ok!(sealite_table_count; table, &raw mut count);
    ok!(sealite_vault_verify; vault, &raw mut sound, &raw mut rows);
    assert!(sound);
    let inserted = told.inserted.load(SeqCst);
    assert!(inserted > 0 && told.noted.load(SeqCst) > 0 && told.charged.load(SeqCst) > 0);
    assert!(count >= inserted, "{count} rows of {inserted}");
    free!(sealite_rows_free: rows, sealite_table_free: table, sealite_vault_free: vault,
          sealite_unlock_free: unlock);
}
