//! Random sequences of valid and invalid calls, against a model: nothing crashes, every call gives the status that the
//! model says, and the state is what the model says.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]

#[macro_use]
#[path = "support/calls.rs"]
mod calls;
mod support {
    pub(crate) use crate::calls;
}

use std::collections::BTreeMap;
use std::ptr::{null, null_mut, without_provenance_mut};

use proptest::prelude::*;
use sealite_ffi::definition::*;
use sealite_ffi::rows::*;
use sealite_ffi::schema::*;
use sealite_ffi::status::sealite_status::{self, *};
use sealite_ffi::table::*;
use sealite_ffi::transaction::*;
use sealite_ffi::unlock::*;
use sealite_ffi::values::*;
use sealite_ffi::vault::*;

use calls::{KEY, bytes, cell, integer, text};

#[derive(Clone, Debug)]
enum Step {
    Insert {
        inside: bool,
        mail: u8,
    },
    Update {
        inside: bool,
        row: u8,
        plan: u8,
    },
    Delete {
        inside: bool,
        row: u8,
    },
    Get {
        inside: bool,
        row: u8,
    },
    Find {
        inside: bool,
        mail: u8,
    },
    Count {
        inside: bool,
    },
    Begin,
    Commit,
    RollBack,
    FreeTransaction,
    Savepoint,
    EndSavepoint {
        keep: bool,
    },
    Lock,
    Unlock,
    /// A call on a handle that was freed, was never one, or is of another kind.
    Wrong {
        which: u8,
        number: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let inside = any::<bool>();
    let small = 0..6u8;
    prop_oneof![
        6 => (inside, small.clone()).prop_map(|(inside, mail)| Step::Insert { inside, mail }),
        4 => (inside, small.clone(), small.clone()).prop_map(|(inside, row, plan)| Step::Update { inside, row, plan }),
        2 => (inside, small.clone()).prop_map(|(inside, row)| Step::Delete { inside, row }),
        4 => (inside, small.clone()).prop_map(|(inside, row)| Step::Get { inside, row }),
        4 => (inside, small).prop_map(|(inside, mail)| Step::Find { inside, mail }),
        2 => inside.prop_map(|inside| Step::Count { inside }),
        4 => Just(Step::Begin),
        2 => Just(Step::Commit),
        1 => Just(Step::RollBack),
        1 => Just(Step::FreeTransaction),
        2 => Just(Step::Savepoint),
        2 => any::<bool>().prop_map(|keep| Step::EndSavepoint { keep }),
        1 => Just(Step::Lock),
        2 => Just(Step::Unlock),
        4 => (any::<u8>(), any::<usize>()).prop_map(|(which, number)| Step::Wrong { which, number }),
    ]
}

/// Rows: id to mail and plan.
type Rows = BTreeMap<i64, (u8, Option<u8>)>;

/// The open transaction.
struct Open {
    handle: *mut sealite_transaction,
    table: *mut sealite_table,
    /// None once it has ended, until it is freed.
    rows: Option<Rows>,
    savepoints: Vec<Rows>,
}

struct World {
    vault: *mut sealite_vault,
    unlock: *mut sealite_unlock,
    table: *mut sealite_table,
    committed: Rows,
    open: Option<Open>,
    locked: bool,
    /// Ids that were given out, by order.
    ids: Vec<i64>,
    freed: Vec<*mut sealite_table>,
}

fn mail(number: u8) -> String {
    format!("person{number}@example.org")
}

fn plan(number: u8) -> String {
    format!("plan {number}")
}

impl World {
    fn new(path: &std::path::Path) -> Self {
        let unlock = calls::unlock(KEY);
        let vault = calls::create(path, unlock);
        let mut definition = null_mut();
        assert_eq!(ffi!(sealite_definition_create; ["people"], &raw mut definition), SEALITE_OK);
        for column in ["email text sealed not null unique email", "plan text sealed"] {
            assert_eq!(ffi!(sealite_definition_add_column; definition, [column]), SEALITE_OK);
        }
        assert_eq!(ffi!(sealite_vault_define_table; vault, definition, null_mut()), SEALITE_OK);
        // SAFETY: (1), (3).
        unsafe { sealite_definition_free(definition) };
        let mut table = null_mut();
        assert_eq!(ffi!(sealite_vault_table; vault, ["people"], &raw mut table), SEALITE_OK);
        World {
            vault,
            unlock,
            table,
            committed: Rows::new(),
            open: None,
            locked: false,
            ids: Vec::new(),
            freed: Vec::new(),
        }
    }

    /// Where a call goes, the rows that it sees, and the status that it gets whatever it does.
    fn reach(
        &mut self,
        inside: bool,
        writes: bool,
    ) -> (*mut sealite_table, Result<&mut Rows, sealite_status>) {
        let running = self.open.as_ref().is_some_and(|open| open.rows.is_some());
        match &mut self.open {
            Some(open) if inside => (open.table, open.rows.as_mut().ok_or(SEALITE_CLOSED)),
            _ if self.locked => (self.table, Err(SEALITE_LOCKED)),
            // This thread's own transaction is in the way: told at once.
            _ if writes && running => (self.table, Err(SEALITE_BUSY)),
            _ => (self.table, Ok(&mut self.committed)),
        }
    }

    fn id(&self, row: u8) -> i64 {
        let at = usize::from(row).min(self.ids.len());
        self.ids.iter().rev().nth(at).copied().unwrap_or(99)
    }

    fn values(pairs: &[(&str, &str)]) -> *mut sealite_values {
        let mut values = null_mut();
        assert_eq!(ffi!(sealite_values_create; &raw mut values), SEALITE_OK);
        for (name, value) in pairs {
            let value = text(value);
            assert_eq!(ffi!(sealite_values_set; values, [name], &raw const value), SEALITE_OK);
        }
        values
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Insert { inside, mail: number } => {
                let values = Self::values(&[("email", &mail(number).to_uppercase())]);
                let (table, rows) = self.reach(inside, true);
                let mut id = 0;
                let status = ffi!(sealite_table_insert; table, values, &raw mut id);
                // SAFETY: (1), (3).
                unsafe { sealite_values_free(values) };
                match rows {
                    Err(expected) => assert_eq!(status, expected),
                    Ok(rows) if rows.values().any(|(mail, _)| *mail == number) => {
                        assert_eq!(status, SEALITE_CONFLICT);
                    }
                    Ok(rows) => {
                        assert_eq!(status, SEALITE_OK);
                        assert!(rows.insert(id, (number, None)).is_none(), "a new id");
                        self.ids.push(id);
                        return;
                    }
                }
                assert_eq!(id, 0, "cleared");
            }
            Step::Update { inside, row, plan: number } => {
                let id = integer(self.id(row));
                let values = Self::values(&[("plan", &plan(number))]);
                let (table, rows) = self.reach(inside, true);
                let mut updated = true;
                let status =
                    ffi!(sealite_table_update; table, &raw const id, values, &raw mut updated);
                // SAFETY: (1), (3).
                unsafe { sealite_values_free(values) };
                match rows {
                    Err(expected) => assert_eq!((status, updated), (expected, false)),
                    Ok(rows) => {
                        let row = rows.get_mut(&id.integer);
                        assert_eq!((status, updated), (SEALITE_OK, row.is_some()));
                        if let Some((_, plan)) = row {
                            *plan = Some(number);
                        }
                    }
                }
            }
            Step::Delete { inside, row } => {
                let id = integer(self.id(row));
                let (table, rows) = self.reach(inside, true);
                let mut deleted = true;
                let status = ffi!(sealite_table_delete; table, &raw const id, &raw mut deleted);
                match rows {
                    Err(expected) => assert_eq!((status, deleted), (expected, false)),
                    Ok(rows) => {
                        let was = rows.remove(&id.integer).is_some();
                        assert_eq!((status, deleted), (SEALITE_OK, was));
                    }
                }
            }
            Step::Get { inside, row } => {
                let id = integer(self.id(row));
                let (table, rows) = self.reach(inside, false);
                let mut found = null_mut();
                let status = ffi!(sealite_table_get; table, &raw const id, &raw mut found);
                let expected = rows.map(|rows| rows.get(&id.integer).copied());
                compare(status, found, expected.map(|row| row.map(|row| (id.integer, row))));
            }
            Step::Find { inside, mail: number } => {
                let wanted = mail(number);
                let wanted = text(&wanted);
                let (table, rows) = self.reach(inside, false);
                let mut found = null_mut();
                let status =
                    ffi!(sealite_table_find; table, ["email"], &raw const wanted, &raw mut found);
                let row = |rows: &mut Rows| {
                    rows.iter().find(|(_, (mail, _))| *mail == number).map(|(id, row)| (*id, *row))
                };
                compare(status, found, rows.map(row));
            }
            Step::Count { inside } => {
                let (table, rows) = self.reach(inside, false);
                let mut count = 7;
                let status = ffi!(sealite_table_count; table, &raw mut count);
                match rows {
                    Ok(rows) => assert_eq!((status, count), (SEALITE_OK, rows.len() as u64)),
                    Err(expected) => assert_eq!((status, count), (expected, 0)),
                }
            }
            Step::Begin => self.begin(),
            Step::Commit => self.end(true),
            Step::RollBack => self.end(false),
            Step::FreeTransaction => self.free_transaction(),
            Step::Savepoint => {
                let Some(open) = &mut self.open else { return };
                let status = ffi!(sealite_transaction_begin_savepoint; open.handle);
                let Some(rows) = &open.rows else { return assert_eq!(status, SEALITE_CLOSED) };
                assert_eq!(status, SEALITE_OK);
                open.savepoints.push(rows.clone());
            }
            Step::EndSavepoint { keep } => {
                let Some(open) = &mut self.open else { return };
                let status = ffi!(sealite_transaction_end_savepoint; open.handle, i32::from(keep));
                match (&mut open.rows, open.savepoints.pop()) {
                    (Some(rows), Some(before)) => {
                        assert_eq!(status, SEALITE_OK);
                        if !keep {
                            *rows = before;
                        }
                    }
                    _ => assert_eq!(status, SEALITE_CLOSED),
                }
            }
            Step::Lock => {
                assert_eq!(ffi!(sealite_vault_lock; self.vault), SEALITE_OK);
                self.locked = true;
            }
            Step::Unlock => {
                assert_eq!(ffi!(sealite_vault_unlock; self.vault, self.unlock), SEALITE_OK);
                self.locked = false;
            }
            Step::Wrong { which, number } => self.wrong(which, number),
        }
    }

    fn begin(&mut self) {
        let mut handle = null_mut();
        let status = ffi!(sealite_vault_begin; self.vault, &raw mut handle);
        let running = self.open.as_ref().is_some_and(|open| open.rows.is_some());
        let expected = match (self.locked, running) {
            (true, _) => SEALITE_LOCKED,
            (false, true) => SEALITE_BUSY,
            (false, false) => SEALITE_OK,
        };
        assert_eq!((status, handle.is_null()), (expected, expected != SEALITE_OK));
        if handle.is_null() {
            return;
        }
        self.free_transaction();
        let mut table = null_mut();
        let status = ffi!(sealite_transaction_table; handle, ["people"], &raw mut table);
        assert_eq!(status, SEALITE_OK);
        let rows = Some(self.committed.clone());
        self.open = Some(Open { handle, table, rows, savepoints: Vec::new() });
    }

    fn end(&mut self, commit: bool) {
        let Some(open) = &mut self.open else { return };
        let status = if commit {
            ffi!(sealite_transaction_commit; open.handle)
        } else {
            ffi!(sealite_transaction_roll_back; open.handle)
        };
        let rows = open.rows.take();
        open.savepoints.clear();
        assert_eq!(status, if rows.is_some() { SEALITE_OK } else { SEALITE_CLOSED });
        if let Some(rows) = rows
            && commit
        {
            self.committed = rows;
        }
    }

    fn free_transaction(&mut self) {
        let Some(open) = self.open.take() else { return };
        // SAFETY: (1), (3): also twice, and before what was made from it.
        unsafe {
            sealite_transaction_free(open.handle);
            sealite_transaction_free(open.handle);
            sealite_table_free(open.table);
        }
        self.freed.push(open.table);
    }

    fn wrong(&mut self, which: u8, number: usize) {
        let mut count = 7;
        let (table, expected): (*mut sealite_table, _) = match which % 5 {
            0 => (null_mut(), SEALITE_INVALID_INPUT),
            1 => (self.vault.cast(), SEALITE_INVALID_INPUT),
            2 => (self.unlock.cast(), SEALITE_INVALID_INPUT),
            3 => match self.freed.get(number % self.freed.len().max(1)) {
                Some(freed) => (*freed, SEALITE_CLOSED),
                None => return,
            },
            // Beyond every number that is in use.
            _ => (without_provenance_mut(number | 1 << 63), SEALITE_CLOSED),
        };
        let status = ffi!(sealite_table_count; table, &raw mut count);
        assert_eq!((status, count), (expected, 0));
        // SAFETY: (3): none of these is a table, and freeing leaves it alone.
        unsafe { sealite_table_free(table) };
        assert_eq!(ffi!(sealite_table_count; self.table, null_mut()), SEALITE_INVALID_INPUT);
        let long = 1_usize << 63;
        let mut found = null_mut();
        let status = ffi!(
            sealite_table_get_many; self.table, null(), long, null_mut(), &raw mut found
        );
        assert!(found.is_null() && matches!(status, SEALITE_LIMIT | SEALITE_INVALID_INPUT));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.free_transaction();
        // SAFETY: (1), (3).
        unsafe {
            sealite_vault_free(self.vault);
            sealite_table_free(self.table);
            sealite_unlock_free(self.unlock);
        }
    }
}

/// Compares what was read with what the model has.
fn compare(
    status: sealite_status,
    found: *mut sealite_rows,
    expected: Result<Option<(i64, (u8, Option<u8>))>, sealite_status>,
) {
    match expected {
        Err(expected) => assert_eq!((status, found.is_null()), (expected, true)),
        Ok(None) => {
            assert_eq!(status, SEALITE_OK);
            let mut count = 0;
            if !found.is_null() {
                assert_eq!(ffi!(sealite_rows_count; found, &raw mut count), SEALITE_OK);
            }
            assert_eq!(count, 0);
        }
        Ok(Some((id, (number, wanted)))) => {
            assert_eq!(status, SEALITE_OK);
            assert_eq!(cell(found, 0, "id").integer, id);
            assert_eq!(bytes(&cell(found, 0, "email")), mail(number).to_uppercase().as_bytes());
            let wanted = wanted.map(plan).unwrap_or_default();
            assert_eq!(bytes(&cell(found, 0, "plan")), wanted.as_bytes());
        }
    }
    // SAFETY: (1), (3).
    unsafe { sealite_rows_free(found) };
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var("SEALITE_TEST_FULL").is_ok_and(|full| full == "1") { 400 } else { 24 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_calls_do_what_the_model_says(steps in proptest::collection::vec(step(), 1..80)) {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(&folder.path().join("vault.db"));
        for step in &steps {
            world.take(step);
        }
        if world.locked {
            world.take(&Step::Unlock);
        }
        world.free_transaction();
        let (mut sound, mut rows) = (false, null_mut());
        prop_assert_eq!(
            ffi!(sealite_vault_verify; world.vault, &raw mut sound, &raw mut rows),
            SEALITE_OK
        );
        // SAFETY: (1), (3).
        unsafe { sealite_rows_free(rows) };
        prop_assert!(sound);
        world.take(&Step::Count { inside: false });
    }
}
