//! One vault and eight threads: what each does is what its own model says, and what all do adds up.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;
mod support {
    pub(crate) use crate::calls;
}

use std::collections::BTreeMap;
use std::ptr::{null_mut, with_exposed_provenance_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use sealite_ffi::config::*;
use sealite_ffi::definition::*;
use sealite_ffi::rows::*;
use sealite_ffi::schema::*;
use sealite_ffi::status::sealite_status::*;
use sealite_ffi::table::*;
use sealite_ffi::transaction::*;
use sealite_ffi::unlock::*;
use sealite_ffi::values::*;
use sealite_ffi::vault::*;

use calls::{KEY, bytes, cell, integer, text};

const THREADS: u64 = 8;
const STEPS: u64 = 60;

/// A generator whose numbers a failure can be repeated with (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Handles are numbers, and any thread may use them.
struct Shared<T>(*mut T);

impl<T> Copy for Shared<T> {}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

// SAFETY: (3) never dereferenced here; the library checks it.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: (3).
unsafe impl<T> Sync for Shared<T> {}

fn write(table: *mut sealite_table, id: Option<i64>, mail: &str, n: i64) -> i64 {
    let mut values = null_mut();
    assert_eq!(ffi!(sealite_values_create; &raw mut values), SEALITE_OK);
    let (mail, n) = (text(mail), integer(n));
    assert_eq!(ffi!(sealite_values_set; values, ["email"], &raw const mail), SEALITE_OK);
    assert_eq!(ffi!(sealite_values_set; values, ["n"], &raw const n), SEALITE_OK);
    let made = if let Some(id) = id {
        let (key, mut updated) = (integer(id), false);
        let status = ffi!(sealite_table_update; table, &raw const key, values, &raw mut updated);
        assert_eq!((status, updated), (SEALITE_OK, true));
        id
    } else {
        let mut id = 0;
        assert_eq!(ffi!(sealite_table_insert; table, values, &raw mut id), SEALITE_OK);
        id
    };
    // SAFETY: (1), (3).
    unsafe { sealite_values_free(values) };
    made
}

fn read(table: *mut sealite_table, id: i64) -> Option<(Vec<u8>, i64)> {
    let (key, mut rows) = (integer(id), null_mut());
    assert_eq!(ffi!(sealite_table_get; table, &raw const key, &raw mut rows), SEALITE_OK);
    let found =
        (!rows.is_null()).then(|| (bytes(&cell(rows, 0, "email")), cell(rows, 0, "n").integer));
    // SAFETY: (1), (3).
    unsafe { sealite_rows_free(rows) };
    found
}

/// Adds one to the row that all threads share, in a transaction.
fn add_one(vault: *mut sealite_vault, id: i64) {
    let (mut transaction, mut table) = (null_mut(), null_mut());
    assert_eq!(ffi!(sealite_vault_begin; vault, &raw mut transaction), SEALITE_OK);
    let status = ffi!(sealite_transaction_table; transaction, ["counters"], &raw mut table);
    assert_eq!(status, SEALITE_OK);
    let (_, n) = read(table, id).unwrap();
    write(table, Some(id), "shared", n + 1);
    assert_eq!(ffi!(sealite_transaction_commit; transaction), SEALITE_OK);
    // SAFETY: (1), (3).
    unsafe {
        sealite_table_free(table);
        sealite_transaction_free(transaction);
    }
}

#[test]
fn eight_threads_on_one_vault_do_what_their_models_say() {
    let folder = tempfile::tempdir().unwrap();
    let unlock = calls::unlock(KEY);
    let mut config = null_mut();
    assert_eq!(ffi!(sealite_config_create; &raw mut config), SEALITE_OK);
    // However slow the machine: waiting in turn is no failure.
    assert_eq!(ffi!(sealite_config_set_busy_timeout; config, 600_000), SEALITE_OK);
    assert_eq!(ffi!(sealite_config_set_synchronous; config, 1), SEALITE_OK);
    let (mut vault, mut table) = (null_mut(), null_mut());
    let path = folder.path().join("vault.db");
    let path = path.to_str().unwrap();
    let status = ffi!(sealite_vault_create; [path], unlock, config, &raw mut vault);
    assert_eq!(status, SEALITE_OK);
    let mut definition = null_mut();
    assert_eq!(ffi!(sealite_definition_create; ["counters"], &raw mut definition), SEALITE_OK);
    for column in ["email text sealed not null unique", "n integer sealed"] {
        assert_eq!(ffi!(sealite_definition_add_column; definition, [column]), SEALITE_OK);
    }
    assert_eq!(ffi!(sealite_vault_define_table; vault, definition, null_mut()), SEALITE_OK);
    assert_eq!(ffi!(sealite_vault_table; vault, ["counters"], &raw mut table), SEALITE_OK);
    let shared = write(table, None, "shared", 0);

    // A handle that the threads take from each other and free, while others may be using it.
    let victim = AtomicUsize::new(0);
    let (vault, table) = (Shared(vault), Shared(table));
    let added: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let victim = &victim;
                scope.spawn(move || work(thread, vault, table, shared, victim))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(read(table.0, shared), Some((b"shared".to_vec(), added.cast_signed())));
    // SAFETY: (1), (3).
    unsafe {
        sealite_table_free(with_exposed_provenance_mut(victim.into_inner()));
        sealite_definition_free(definition);
        sealite_config_free(config);
        sealite_unlock_free(unlock);
        sealite_table_free(table.0);
        sealite_vault_free(vault.0);
    }
    assert_eq!(sealite_ffi::version::sealite_handles_live(), 0);
}

fn work(
    thread: u64,
    vault: Shared<sealite_vault>,
    table: Shared<sealite_table>,
    shared: i64,
    victim: &AtomicUsize,
) -> u64 {
    let mut numbers = Numbers(0x5ea1_17e0 + thread);
    let mut model: BTreeMap<i64, (String, i64)> = BTreeMap::new();
    let mut added = 0;
    for step in 0..STEPS {
        let known = (!model.is_empty()).then(|| {
            let at = numbers.below(model.len() as u64) as usize;
            *model.keys().nth(at).unwrap()
        });
        match (numbers.below(8), known) {
            (0 | 1, _) | (_, None) => {
                let mail = format!("{thread}-{step}");
                let id = write(table.0, None, &mail, 0);
                assert!(model.insert(id, (mail, 0)).is_none());
            }
            (2, Some(id)) => {
                let (mail, n) = model.get_mut(&id).unwrap();
                *n += 1;
                write(table.0, Some(id), mail, *n);
            }
            (3, Some(id)) => {
                let (key, mut deleted) = (integer(id), false);
                let status = ffi!(sealite_table_delete; table.0, &raw const key, &raw mut deleted);
                assert_eq!((status, deleted), (SEALITE_OK, true));
                model.remove(&id);
                assert_eq!(read(table.0, id), None);
            }
            (4, Some(_)) => {
                add_one(vault.0, shared);
                added += 1;
            }
            (5, Some(id)) => {
                let wanted = text(&model[&id].0);
                let mut rows = null_mut();
                let status =
                    ffi!(sealite_table_find; table.0, ["email"], &raw const wanted, &raw mut rows);
                assert_eq!(status, SEALITE_OK);
                assert_eq!(cell(rows, 0, "id").integer, id);
                // SAFETY: (1), (3).
                unsafe { sealite_rows_free(rows) };
            }
            (6, Some(_)) => {
                let mut mine: *mut sealite_table = null_mut();
                let status = ffi!(sealite_vault_table; vault.0, ["counters"], &raw mut mine);
                assert_eq!(status, SEALITE_OK);
                let old = victim.swap(mine.expose_provenance(), Ordering::SeqCst);
                // SAFETY: (3): another thread may be using it, or have freed it.
                unsafe { sealite_table_free(with_exposed_provenance_mut(old)) };
            }
            (_, Some(id)) => {
                let (mail, n) = &model[&id];
                assert_eq!(read(table.0, id), Some((mail.clone().into_bytes(), *n)));
                let lent = victim.load(Ordering::SeqCst);
                if lent != 0 {
                    let mut count = 0;
                    let lent: *mut sealite_table = with_exposed_provenance_mut(lent);
                    let status = ffi!(sealite_table_count; lent, &raw mut count);
                    assert!(matches!(status, SEALITE_OK | SEALITE_CLOSED), "{status:?}");
                }
            }
        }
    }
    for (id, (mail, n)) in model {
        assert_eq!(read(table.0, id), Some((mail.into_bytes(), n)));
    }
    added
}
