//! Random sequences of valid and invalid calls on connections and prepared statements, against a model: two connections to
//! one vault, a sealed and a plain table, statements that live through transactions, closing and locking.

use std::collections::BTreeMap;
use std::ptr::{null, null_mut, without_provenance, without_provenance_mut};

use sealite_ffi::config::*;
use sealite_ffi::connection::*;
use sealite_ffi::definition::*;
use sealite_ffi::rows::*;
use sealite_ffi::schema::*;
use sealite_ffi::sql::*;
use sealite_ffi::status::sealite_status::{self, *};
use sealite_ffi::stmt::*;
use sealite_ffi::unlock::*;
use sealite_ffi::vault::*;

use super::number;
use crate::calls::{self, KEY, bytes, integer, text};

/// The statements that take part; each has one parameter but the last two.
const STATEMENTS: [&str; 6] = [
    "INSERT INTO people (email, n) VALUES (?, 0)",
    "UPDATE people SET n = n + 1 WHERE email = ?",
    "DELETE FROM people WHERE email = :email",
    "INSERT INTO log VALUES (?)",
    "SELECT email, n FROM people ORDER BY email",
    "SELECT count(*) FROM log",
];
const SELECT: usize = 4;
const COUNT: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    /// Runs a statement on a connection, prepared anew or kept.
    Run {
        on: usize,
        which: usize,
        mail: u8,
        kept: bool,
    },
    /// Steps through a kept SELECT, so many rows, and leaves it there or resets it.
    Read {
        on: usize,
        rows: u8,
        reset: bool,
    },
    Begin {
        on: usize,
    },
    End {
        on: usize,
        commit: bool,
    },
    Savepoint {
        on: usize,
    },
    RollBackTo {
        on: usize,
    },
    /// A column or parameter that there is not.
    OutOfRange {
        on: usize,
        which: usize,
        index: usize,
    },
    Close {
        on: usize,
    },
    Free {
        on: usize,
    },
    Lock,
    Unlock,
    Wrong {
        which: u8,
        number: usize,
    },
}

/// One step from three bytes.
fn step([which, a, b]: [u8; 3]) -> Step {
    let (on, of) = (usize::from(a & 1), usize::from(a >> 1) % STATEMENTS.len());
    match which % 41 {
        0..=13 => Step::Run { on, which: of, mail: b % 5, kept: b & 128 != 0 },
        14..=17 => Step::Read { on, rows: b % 4, reset: b & 128 != 0 },
        18..=21 => Step::Begin { on },
        22..=25 => Step::End { on, commit: b & 1 == 1 },
        26..=27 => Step::Savepoint { on },
        28..=29 => Step::RollBackTo { on },
        30..=31 => Step::OutOfRange { on, which: of, index: number(b) },
        32 => Step::Close { on },
        33 => Step::Free { on },
        34 => Step::Lock,
        35..=37 => Step::Unlock,
        _ => Step::Wrong { which: a, number: number(b) },
    }
}

/// What both tables hold: people by mail, and how many lines the log has.
#[derive(Clone, Default, PartialEq, Debug)]
struct State {
    people: BTreeMap<u8, i64>,
    lines: i64,
}

/// A connection and its kept statements.
struct Link {
    connection: *mut sealite_connection,
    kept: Vec<*mut sealite_stmt>,
    closed: bool,
    /// Inside BEGIN IMMEDIATE: what its own statements see.
    open: Option<State>,
    savepoints: Vec<State>,
    /// The rows that the kept SELECT has still to give.
    reading: Option<Vec<(u8, i64)>>,
}

struct World {
    vault: *mut sealite_vault,
    unlock: *mut sealite_unlock,
    links: [Link; 2],
    committed: State,
    locked: bool,
    freed: Vec<*mut sealite_stmt>,
}

fn mail(number: u8) -> String {
    format!("person{number}@example.org")
}

fn open_link(vault: *mut sealite_vault) -> Link {
    let mut connection = null_mut();
    assert_eq!(ffi!(sealite_vault_connect; vault, &raw mut connection), SEALITE_OK);
    let kept = STATEMENTS.map(|sql| prepare(connection, sql).unwrap()).to_vec();
    let (open, savepoints, reading) = (None, Vec::new(), None);
    Link { connection, kept, closed: false, open, savepoints, reading }
}

fn prepare(
    connection: *mut sealite_connection,
    sql: &str,
) -> Result<*mut sealite_stmt, sealite_status> {
    let mut stmt = null_mut();
    let status = ffi!(sealite_connection_prepare; connection, [sql], &raw mut stmt, null_mut());
    assert_eq!(stmt.is_null(), status != SEALITE_OK);
    if stmt.is_null() { Err(status) } else { Ok(stmt) }
}

impl World {
    fn new(path: &std::path::Path) -> Self {
        let unlock = calls::unlock(KEY);
        let (mut config, mut vault, mut definition) = (null_mut(), null_mut(), null_mut());
        assert_eq!(ffi!(sealite_config_create; &raw mut config), SEALITE_OK);
        // Two connections of one thread can't wait for each other.
        assert_eq!(ffi!(sealite_config_set_busy_timeout; config, 0), SEALITE_OK);
        let path = path.to_str().unwrap();
        let status = ffi!(sealite_vault_create; [path], unlock, config, &raw mut vault);
        assert_eq!(status, SEALITE_OK);
        assert_eq!(ffi!(sealite_definition_create; ["people"], &raw mut definition), SEALITE_OK);
        for column in ["email text sealed not null unique email", "n integer sealed"] {
            assert_eq!(ffi!(sealite_definition_add_column; definition, [column]), SEALITE_OK);
        }
        assert_eq!(ffi!(sealite_vault_define_table; vault, definition, null_mut()), SEALITE_OK);
        // SAFETY: (1), (3).
        unsafe {
            sealite_definition_free(definition);
            sealite_config_free(config);
        }
        let status = ffi!(
            sealite_vault_execute; vault, ["CREATE TABLE log (mail TEXT)"], null(), 0, null_mut()
        );
        assert_eq!(status, SEALITE_OK);
        World {
            vault,
            unlock,
            links: [open_link(vault), open_link(vault)],
            committed: State::default(),
            locked: false,
            freed: Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Run { on, which, mail, kept } => self.run(on, which, mail, kept),
            Step::Read { on, rows, reset } => self.read(on, rows, reset),
            Step::Begin { on } => {
                let in_the_way = self.links[1 - on].open.is_some();
                let link = &mut self.links[on];
                let expected = match () {
                    () if link.closed => SEALITE_CLOSED,
                    () if self.locked => SEALITE_LOCKED,
                    () if link.open.is_some() => SEALITE_SQL,
                    () if in_the_way => SEALITE_BUSY,
                    () => SEALITE_OK,
                };
                // A view of an earlier moment can't become a write transaction.
                link.settle();
                let status = link.execute("BEGIN IMMEDIATE");
                // A transaction that has written may go on to its end.
                let nested = self.locked && link.open.is_some() && status == SEALITE_SQL;
                assert!(status == expected || nested, "{status:?} {expected:?}");
                if expected == SEALITE_OK {
                    link.open = Some(self.committed.clone());
                }
                link.check_transaction();
            }
            Step::End { on, commit } => {
                let link = &mut self.links[on];
                if commit {
                    link.settle();
                }
                let status = link.execute(if commit { "COMMIT" } else { "ROLLBACK" });
                // What has not begun to write is refused; the rest may go on to its end.
                if self.locked && status == SEALITE_LOCKED {
                    return;
                }
                link.savepoints.clear();
                link.settle();
                match link.open.take() {
                    _ if link.closed => assert_eq!(status, SEALITE_CLOSED),
                    None => assert_ne!(status, SEALITE_OK),
                    Some(state) => {
                        assert_eq!(status, SEALITE_OK);
                        if commit {
                            self.committed = state;
                        }
                    }
                }
                link.check_transaction();
            }
            Step::Savepoint { on } => {
                let link = &mut self.links[on];
                let Some(state) = link.open.clone() else { return };
                let status = link.execute("SAVEPOINT here");
                assert!(status == SEALITE_OK || status == SEALITE_LOCKED && self.locked);
                if status == SEALITE_OK {
                    link.savepoints.push(state);
                }
            }
            Step::RollBackTo { on } => {
                let link = &mut self.links[on];
                if link.open.is_none() {
                    return;
                }
                link.settle();
                let status = link.execute("ROLLBACK TO here");
                match link.savepoints.last() {
                    _ if self.locked && status == SEALITE_LOCKED => {}
                    Some(state) => {
                        assert_eq!(status, SEALITE_OK);
                        link.open = Some(state.clone());
                    }
                    None => assert_eq!(status, SEALITE_SQL),
                }
            }
            Step::OutOfRange { on, which, index } => self.out_of_range(on, which, index),
            Step::Close { on } => {
                let link = &mut self.links[on];
                link.settle();
                assert_eq!(ffi!(sealite_connection_close; link.connection), SEALITE_OK);
                link.closed = true;
                link.open = None;
                link.savepoints.clear();
            }
            Step::Free { on } => {
                if self.locked {
                    return;
                }
                let new = open_link(self.vault);
                let old = std::mem::replace(&mut self.links[on], new);
                self.freed.extend(old.kept.iter().copied());
                old.free();
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

    /// What a statement does to what its connection sees: the rows that it changes.
    fn apply(state: &mut State, which: usize, mail: u8) -> Result<u64, sealite_status> {
        match which {
            0 if state.people.contains_key(&mail) => Err(SEALITE_CONFLICT),
            0 => {
                state.people.insert(mail, 0);
                Ok(1)
            }
            1 => Ok(state.people.get_mut(&mail).map_or(0, |n| {
                *n += 1;
                1
            })),
            2 => Ok(u64::from(state.people.remove(&mail).is_some())),
            3 => {
                state.lines += 1;
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    fn run(&mut self, on: usize, which: usize, number: u8, kept: bool) {
        if self.locked && !self.links[on].closed {
            return;
        }
        let in_the_way = self.links[1 - on].open.is_some();
        let link = &mut self.links[on];
        // A SELECT on a row would hold its connection's view of an earlier moment.
        link.settle();
        let writes = which < SELECT;
        let expected = match &mut link.open {
            _ if link.closed => Err(SEALITE_CLOSED),
            Some(state) => Self::apply(state, which, number),
            None if writes && in_the_way => Err(SEALITE_BUSY),
            None => Self::apply(&mut self.committed, which, number),
        };
        let stmt =
            if kept { Ok(link.kept[which]) } else { prepare(link.connection, STATEMENTS[which]) };
        let stmt = match stmt {
            Ok(stmt) => stmt,
            Err(status) => return assert_eq!(Err(status), expected),
        };
        let wanted = mail(number).to_uppercase();
        let value = text(&wanted);
        let count = usize::from(writes);
        if writes {
            let mut changed = 7;
            let status =
                ffi!(sealite_stmt_execute; stmt, &raw const value, count, &raw mut changed);
            assert_eq!(status, expected.err().unwrap_or(SEALITE_OK), "{}", STATEMENTS[which]);
            assert_eq!(changed, expected.unwrap_or(0));
            if status == SEALITE_OK {
                let mut told = 7;
                assert_eq!(ffi!(sealite_stmt_changes; stmt, &raw mut told), SEALITE_OK);
                assert_eq!(told, changed);
            }
        } else {
            let mut rows = null_mut();
            let status = ffi!(sealite_stmt_query; stmt, null(), 0, &raw mut rows);
            assert_eq!(status, expected.err().unwrap_or(SEALITE_OK));
            if status == SEALITE_OK {
                let state = link.open.as_ref().unwrap_or(&self.committed);
                let cells = if which == COUNT {
                    vec![vec![state.lines.to_string()]]
                } else {
                    let row = |(mail, n): (&u8, &i64)| vec![stored_mail(*mail), n.to_string()];
                    state.people.iter().map(row).collect()
                };
                assert_eq!(table(rows), cells);
            }
            // SAFETY: (1), (3).
            unsafe { sealite_rows_free(rows) };
        }
        if !kept {
            // SAFETY: (1), (3).
            unsafe { sealite_stmt_free(stmt) };
            self.freed.push(stmt);
        }
    }

    fn read(&mut self, on: usize, rows: u8, reset: bool) {
        if self.locked {
            return;
        }
        let link = &mut self.links[on];
        if link.closed {
            return;
        }
        let state = link.open.as_ref().unwrap_or(&self.committed);
        let all = || state.people.iter().map(|(mail, n)| (*mail, *n)).rev().collect();
        let (stmt, mut reading) = (link.kept[SELECT], link.reading.take());
        for _ in 0..rows {
            let mut row = false;
            assert_eq!(ffi!(sealite_stmt_step; stmt, &raw mut row), SEALITE_OK);
            let next = reading.get_or_insert_with(all).pop();
            assert_eq!(row, next.is_some());
            let Some((mail, n)) = next else {
                reading = None;
                break;
            };
            let mut cells = [integer(7); 2];
            let status = ffi!(sealite_stmt_read; stmt, (&raw mut cells).cast(), 2);
            assert_eq!(status, SEALITE_OK);
            assert_eq!(bytes(&cells[0]), stored_mail(mail).as_bytes());
            assert_eq!(cells[1].integer, n);
        }
        link.reading = reading;
        if reset {
            link.settle();
        }
    }

    fn out_of_range(&mut self, on: usize, which: usize, index: usize) {
        if self.locked || self.links[on].closed {
            return;
        }
        let link = &mut self.links[on];
        link.settle();
        let stmt = link.kept[which];
        let takes = usize::from(which < SELECT);
        let mut value = integer(7);
        assert_eq!(ffi!(sealite_stmt_value; stmt, index, &raw mut value), SEALITE_SQL);
        assert_eq!((value.kind, value.integer), (0, 0));
        if index == 0 || index > takes {
            let status = ffi!(sealite_stmt_bind; stmt, index, &raw const value);
            assert_eq!(status, SEALITE_SQL);
        }
        let status = ffi!(sealite_stmt_bind_name; stmt, [":nobody"], &raw const value);
        assert_eq!(status, SEALITE_SQL);
        let status = ffi!(sealite_stmt_bind_all; stmt, null(), 0);
        assert_eq!(status, if takes == 0 { SEALITE_OK } else { SEALITE_SQL });
        let long = ffi!(sealite_stmt_bind_all; stmt, &raw const value, 1_usize << 60);
        assert_eq!(long, SEALITE_LIMIT);
        let (mut name, mut length) = (without_provenance(8), 7);
        let past = index.max(2);
        let status = ffi!(sealite_stmt_column_name; stmt, past, &raw mut name, &raw mut length);
        assert_eq!((status, name.is_null(), length), (SEALITE_SQL, true, 0));
    }

    fn wrong(&mut self, which: u8, number: usize) {
        let (stmt, expected): (*mut sealite_stmt, _) = match which % 5 {
            0 => (null_mut(), SEALITE_INVALID_INPUT),
            1 => (self.vault.cast(), SEALITE_INVALID_INPUT),
            2 => (self.links[number % 2].connection.cast(), SEALITE_INVALID_INPUT),
            3 => match self.freed.get(number % self.freed.len().max(1)) {
                Some(freed) => (*freed, SEALITE_CLOSED),
                None => return,
            },
            // Beyond every number that is in use.
            _ => (without_provenance_mut(number | 1 << 63), SEALITE_CLOSED),
        };
        let (mut row, mut count) = (true, 7);
        assert_eq!(ffi!(sealite_stmt_step; stmt, &raw mut row), expected);
        assert_eq!(ffi!(sealite_stmt_column_count; stmt, &raw mut count), expected);
        assert_eq!((row, count), (false, 0));
        // SAFETY: (3): none of these is a statement, and freeing leaves it alone.
        unsafe { sealite_stmt_free(stmt) };
        let connection = self.links[number % 2].kept[0].cast::<sealite_connection>();
        let status = ffi!(sealite_connection_changes; connection, null_mut());
        assert_eq!(status, SEALITE_INVALID_INPUT);
    }
}

/// As it is stored.
fn stored_mail(number: u8) -> String {
    mail(number).to_uppercase()
}

/// Every cell as text.
fn table(rows: *const sealite_rows) -> Vec<Vec<String>> {
    let (mut count, mut width) = (0, 0);
    assert_eq!(ffi!(sealite_rows_count; rows, &raw mut count), SEALITE_OK);
    assert_eq!(ffi!(sealite_rows_columns; rows, &raw mut width), SEALITE_OK);
    let cell = |index: usize, position: usize| {
        let mut value = integer(0);
        let status = ffi!(sealite_rows_value_at; rows, index, position, &raw mut value);
        assert_eq!(status, SEALITE_OK);
        match value.kind {
            1 => value.integer.to_string(),
            _ => String::from_utf8(bytes(&value)).unwrap(),
        }
    };
    (0..count).map(|index| (0..width).map(|at| cell(index, at)).collect()).collect()
}

impl Link {
    fn execute(&self, sql: &str) -> sealite_status {
        ffi!(sealite_connection_execute; self.connection, [sql], null(), 0, null_mut())
    }

    /// Lets go of the row that the kept SELECT stands on.
    fn settle(&mut self) {
        if self.reading.take().is_some() {
            assert_eq!(ffi!(sealite_stmt_reset; self.kept[SELECT]), SEALITE_OK);
        }
    }

    fn check_transaction(&self) {
        let mut within = self.open.is_none();
        let status = ffi!(sealite_connection_in_transaction; self.connection, &raw mut within);
        if !self.closed {
            assert_eq!((status, within), (SEALITE_OK, self.open.is_some()));
        }
    }

    /// Frees the connection first, or last.
    fn free(self) {
        // SAFETY: (1), (3): also twice.
        unsafe {
            sealite_connection_free(self.connection);
            self.kept.iter().for_each(|stmt| sealite_stmt_free(*stmt));
            sealite_connection_free(self.connection);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for link in &self.links {
            // SAFETY: (1), (3).
            unsafe {
                link.kept.iter().for_each(|stmt| sealite_stmt_free(*stmt));
                sealite_connection_free(link.connection);
            }
        }
        // SAFETY: (1), (3).
        unsafe {
            sealite_vault_free(self.vault);
            sealite_unlock_free(self.unlock);
        }
    }
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
    for on in 0..2 {
        world.take(&Step::Free { on });
    }
    for which in [SELECT, COUNT] {
        world.take(&Step::Run { on: 0, which, mail: 0, kept: true });
    }
    let (mut sound, mut rows) = (false, null_mut());
    assert_eq!(ffi!(sealite_vault_verify; world.vault, &raw mut sound, &raw mut rows), SEALITE_OK);
    // SAFETY: (1), (3).
    unsafe { sealite_rows_free(rows) };
    assert!(sound);
}
