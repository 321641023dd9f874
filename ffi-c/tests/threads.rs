//! One vault and eight threads: what each does is what its own model says, and what all do adds up.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;
#[path = "support/seed.rs"]
mod seed;

use std::collections::BTreeMap;
use std::ptr::{null, null_mut, with_exposed_provenance_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use sealite_ffi::bytes::*;
use sealite_ffi::config::*;
use sealite_ffi::connection::*;
use sealite_ffi::definition::*;
use sealite_ffi::rows::*;
use sealite_ffi::schema::*;
use sealite_ffi::status::sealite_status::*;
use sealite_ffi::stmt::*;
use sealite_ffi::table::*;
use sealite_ffi::token::handle::*;
use sealite_ffi::token::known::sealite_token_kind::SEALITE_TOKEN_SESSION;
use sealite_ffi::token::manage::*;
use sealite_ffi::token::request::*;
use sealite_ffi::transaction::*;
use sealite_ffi::unlock::*;
use sealite_ffi::values::*;
use sealite_ffi::vault::*;

use calls::{KEY, bytes, cell, integer, string, text};
use seed::{Numbers, seed};

const THREADS: u64 = 8;
const STEPS: u64 = 250;
/// Uses of the token that all threads take from.
const USES: u32 = 40;
static SESSION: i32 = SEALITE_TOKEN_SESSION as i32;

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

/// Issues a session; its public id and text.
fn issue(tokens: *mut sealite_tokens, subject: &str, uses: Option<u32>) -> (String, String) {
    let (mut request, mut given, mut rows) = (null_mut(), null_mut(), null_mut());
    assert_eq!(ffi!(sealite_token_request_create; SESSION, &raw mut request), SEALITE_OK);
    assert_eq!(ffi!(sealite_token_request_set_subject; request, [subject]), SEALITE_OK);
    if let Some(uses) = uses {
        assert_eq!(ffi!(sealite_token_request_set_uses; request, uses), SEALITE_OK);
    }
    let status = ffi!(sealite_tokens_issue; tokens, request, &raw mut given, &raw mut rows);
    assert_eq!(status, SEALITE_OK);
    let id = string(rows, 0, "id");
    // SAFETY: (1), (3).
    let text = unsafe {
        let text = std::ffi::CStr::from_ptr(sealite_bytes_data(given).cast());
        let text = text.to_str().unwrap().to_owned();
        sealite_bytes_free(given);
        sealite_rows_free(rows);
        sealite_token_request_free(request);
        text
    };
    (id, text)
}

/// A thread's own sessions, and what it has taken of the shared token.
struct Sessions<'t> {
    tokens: *mut sealite_tokens,
    shared: &'t str,
    subject: String,
    /// Id, text, and whether it holds.
    own: Vec<(String, String, bool)>,
    tried: u32,
    taken: u32,
}

impl Sessions<'_> {
    fn step(&mut self, choice: u64) {
        let kind = &raw const SESSION;
        let last = self.own.len().saturating_sub(1);
        match (choice % 5, self.own.get_mut(last)) {
            (0, _) | (_, None) => {
                let (id, text) = issue(self.tokens, &self.subject, None);
                self.own.push((id, text, true));
            }
            (1, Some((id, _, holds))) => {
                let mut changed = false;
                let status = ffi!(sealite_tokens_revoke; self.tokens, [id], &raw mut changed);
                assert_eq!((status, changed), (SEALITE_OK, *holds));
                *holds = false;
            }
            (2, Some(_)) => {
                let (shared, none) = (self.shared, null());
                let status = ffi!(
                    sealite_tokens_consume; self.tokens, [shared], kind, 1, none, 0, null_mut()
                );
                assert!(matches!(status, SEALITE_OK | SEALITE_TOKEN_REJECTED), "{status:?}");
                self.tried += 1;
                self.taken += u32::from(status == SEALITE_OK);
            }
            _ => {
                for (_, text, holds) in &self.own {
                    let status = ffi!(
                        sealite_tokens_verify; self.tokens, [text], kind, 1, null(), 0, null_mut()
                    );
                    let expected = if *holds { SEALITE_OK } else { SEALITE_TOKEN_REJECTED };
                    assert_eq!(status, expected);
                }
            }
        }
    }

    /// Nothing of a subject holds once it is revoked.
    fn end(mut self) -> (u32, u32) {
        let status = ffi!(sealite_tokens_revoke_subject; self.tokens, [&self.subject]);
        assert_eq!(status, SEALITE_OK);
        self.own.iter_mut().for_each(|own| own.2 = false);
        if !self.own.is_empty() {
            self.step(3);
        }
        (self.tried, self.taken)
    }
}

/// One connection and one statement of it for all threads, and a statement of each thread's own.
#[derive(Clone, Copy)]
struct Sql {
    connection: Shared<sealite_connection>,
    insert: Shared<sealite_stmt>,
}

const INSERT: &str = "INSERT INTO hits VALUES (?)";

impl Sql {
    fn new(vault: *mut sealite_vault) -> Self {
        let mut connection = null_mut();
        assert_eq!(ffi!(sealite_vault_connect; vault, &raw mut connection), SEALITE_OK);
        let status = ffi!(
            sealite_connection_execute; connection, ["CREATE TABLE hits (n)"], null(), 0, null_mut()
        );
        assert_eq!(status, SEALITE_OK);
        let connection = Shared(connection);
        Sql { connection, insert: Shared(Self::prepare(connection)) }
    }

    fn prepare(connection: Shared<sealite_connection>) -> *mut sealite_stmt {
        let (mut stmt, tail) = (null_mut(), null_mut());
        let status = ffi!(
            sealite_connection_prepare; connection.0, [INSERT], &raw mut stmt, tail
        );
        assert_eq!(status, SEALITE_OK);
        stmt
    }

    /// How many rows it has inserted.
    fn step(self, own: *mut sealite_stmt, choice: u64) -> u64 {
        let value = integer(choice.cast_signed());
        let (connection, values, none) = (self.connection.0, &raw const value, null_mut());
        let status = match choice % 3 {
            0 => ffi!(sealite_stmt_execute; own, values, 1, none),
            1 => ffi!(sealite_connection_execute; connection, [INSERT], values, 1, none),
            _ => {
                // Another thread may be using it.
                let status = ffi!(sealite_stmt_execute; self.insert.0, values, 1, none);
                assert!(matches!(status, SEALITE_OK | SEALITE_BUSY), "{status:?}");
                return u64::from(status == SEALITE_OK);
            }
        };
        assert_eq!(status, SEALITE_OK);
        1
    }

    fn count(self) -> i64 {
        let (mut rows, sql) = (null_mut(), "SELECT count(*) AS n FROM hits");
        let status = ffi!(
            sealite_connection_query; self.connection.0, [sql], null(), 0, &raw mut rows
        );
        assert_eq!(status, SEALITE_OK);
        let count = cell(rows, 0, "n").integer;
        // SAFETY: (1), (3).
        unsafe {
            sealite_rows_free(rows);
            sealite_stmt_free(self.insert.0);
            sealite_connection_free(self.connection.0);
        }
        count
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
    let mut tokens = null_mut();
    assert_eq!(ffi!(sealite_vault_tokens; vault, &raw mut tokens), SEALITE_OK);
    let (_, counted) = issue(tokens, "all", Some(USES));
    let sql = Sql::new(vault);

    // A handle that the threads take from each other and free, while others may be using it.
    let (victim, seed) = (AtomicUsize::new(0), seed());
    let (vault, table, tokens) = (Shared(vault), Shared(table), Shared(tokens));
    let done: Vec<Done> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (victim, counted) = (&victim, counted.as_str());
                let rest = (tokens, counted, sql);
                scope.spawn(move || work((seed, thread), vault, table, shared, victim, rest))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let added: u64 = done.iter().map(|done| done.added).sum();
    let tried: u32 = done.iter().map(|done| done.tried).sum();
    let taken: u32 = done.iter().map(|done| done.taken).sum();
    let inserted: u64 = done.iter().map(|done| done.inserted).sum();
    assert_eq!(sql.count(), inserted.cast_signed());
    assert!(tried > USES, "{tried}");
    assert_eq!(taken, USES, "as many uses as there are");
    assert_eq!(read(table.0, shared), Some((b"shared".to_vec(), added.cast_signed())));
    // SAFETY: (1), (3).
    unsafe {
        sealite_table_free(with_exposed_provenance_mut(victim.into_inner()));
        sealite_definition_free(definition);
        sealite_config_free(config);
        sealite_unlock_free(unlock);
        sealite_tokens_free(tokens.0);
        sealite_table_free(table.0);
        sealite_vault_free(vault.0);
    }
    assert_eq!(sealite_ffi::version::sealite_handles_live(), 0);
}

/// What a thread has done that all share.
struct Done {
    added: u64,
    tried: u32,
    taken: u32,
    inserted: u64,
}

fn work(
    (seed, thread): (u64, u64),
    vault: Shared<sealite_vault>,
    table: Shared<sealite_table>,
    shared: i64,
    victim: &AtomicUsize,
    (tokens, counted, sql): (Shared<sealite_tokens>, &str, Sql),
) -> Done {
    let mut numbers = Numbers::new(seed, thread);
    let mut model: BTreeMap<i64, (String, i64)> = BTreeMap::new();
    let mut sessions = Sessions {
        tokens: tokens.0,
        shared: counted,
        subject: format!("user-{thread}"),
        own: Vec::new(),
        tried: 0,
        taken: 0,
    };
    let (own, mut inserted) = (Sql::prepare(sql.connection), 0);
    let mut added = 0;
    for step in 0..STEPS {
        match numbers.below(4) {
            0 => sessions.step(numbers.below(100)),
            1 => inserted += sql.step(own, numbers.below(100)),
            _ => {}
        }
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
    // SAFETY: (1), (3).
    unsafe { sealite_stmt_free(own) };
    let (tried, taken) = sessions.end();
    Done { added, tried, taken, inserted }
}
