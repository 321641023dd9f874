//! Random sequences of valid and invalid calls, against a model: nothing crashes, every call gives the status that the
//! model says, and the state is what the model says.

use std::collections::BTreeMap;
use std::ptr::{null, null_mut, without_provenance_mut};

use sealite_ffi::definition::*;
use sealite_ffi::rows::*;
use sealite_ffi::schema::*;
use sealite_ffi::status::sealite_status::{self, *};
use sealite_ffi::table::*;
use sealite_ffi::transaction::*;
use sealite_ffi::unlock::*;
use sealite_ffi::values::*;
use sealite_ffi::vault::*;

use super::number;
use crate::calls::{self, KEY, bytes, cell, integer, text};

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

/// One step from three bytes.
fn step([which, a, b]: [u8; 3]) -> Step {
    let (inside, row) = (a & 1 == 1, (a >> 1) % 6);
    match which % 41 {
        0..=5 => Step::Insert { inside, mail: row },
        6..=9 => Step::Update { inside, row, plan: b % 6 },
        10..=11 => Step::Delete { inside, row },
        12..=15 => Step::Get { inside, row },
        16..=19 => Step::Find { inside, mail: row },
        20..=21 => Step::Count { inside },
        22..=25 => Step::Begin,
        26..=27 => Step::Commit,
        28 => Step::RollBack,
        29 => Step::FreeTransaction,
        30..=31 => Step::Savepoint,
        32..=33 => Step::EndSavepoint { keep: inside },
        34 => Step::Lock,
        35..=36 => Step::Unlock,
        _ => Step::Wrong { which: a, number: number(b) },
    }
}

/// Mail and plan.
type Row = (u8, Option<u8>);

/// Rows by id.
type Rows = BTreeMap<i64, Row>;

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
            Step::Insert { inside, mail } => self.insert(inside, mail),
            Step::Update { inside, row, plan } => self.update(inside, row, plan),
            Step::Delete { inside, row } => self.delete(inside, row),
            Step::Get { inside, row } => self.get(inside, row),
            Step::Find { inside, mail } => self.find(inside, mail),
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

    fn insert(&mut self, inside: bool, number: u8) {
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

    fn update(&mut self, inside: bool, row: u8, number: u8) {
        let id = integer(self.id(row));
        let values = Self::values(&[("plan", &plan(number))]);
        let (table, rows) = self.reach(inside, true);
        let mut updated = true;
        let status = ffi!(sealite_table_update; table, &raw const id, values, &raw mut updated);
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

    fn delete(&mut self, inside: bool, row: u8) {
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

    fn get(&mut self, inside: bool, row: u8) {
        let id = integer(self.id(row));
        let (table, rows) = self.reach(inside, false);
        let mut found = null_mut();
        let status = ffi!(sealite_table_get; table, &raw const id, &raw mut found);
        let expected = rows.map(|rows| rows.get(&id.integer).copied());
        compare(status, found, expected.map(|row| row.map(|row| (id.integer, row))));
    }

    fn find(&mut self, inside: bool, number: u8) {
        let wanted = mail(number);
        let wanted = text(&wanted);
        let (table, rows) = self.reach(inside, false);
        let mut found = null_mut();
        let status = ffi!(sealite_table_find; table, ["email"], &raw const wanted, &raw mut found);
        let row = |rows: &mut Rows| {
            rows.iter().find(|(_, (mail, _))| *mail == number).map(|(id, row)| (*id, *row))
        };
        compare(status, found, rows.map(row));
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
    expected: Result<Option<(i64, Row)>, sealite_status>,
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

/// Takes the steps that the bytes say, three for each, and compares what is there at the end.
pub(crate) fn run(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&folder.path().join("vault.db"));
    for bytes in data.as_chunks().0 {
        world.take(&step(*bytes));
    }
    if world.locked {
        world.take(&Step::Unlock);
    }
    world.free_transaction();
    let (mut sound, mut rows) = (false, null_mut());
    assert_eq!(ffi!(sealite_vault_verify; world.vault, &raw mut sound, &raw mut rows), SEALITE_OK);
    // SAFETY: (1), (3).
    unsafe { sealite_rows_free(rows) };
    assert!(sound);
    world.take(&Step::Count { inside: false });
}
