//! Random sequences of valid and invalid calls on tokens, against a model: what a token is good for, in and out of a
//! transaction, is what the model says.

use std::ptr::{null, null_mut, without_provenance_mut};

use sealite_ffi::bytes::*;
use sealite_ffi::health::*;
use sealite_ffi::rows::*;
use sealite_ffi::status::sealite_status::{self, *};
use sealite_ffi::token::handle::*;
use sealite_ffi::token::known::sealite_token_kind::{self, *};
use sealite_ffi::token::manage::*;
use sealite_ffi::token::request::*;
use sealite_ffi::transaction::*;
use sealite_ffi::unlock::*;
use sealite_ffi::value::sealite_string;
use sealite_ffi::vault::*;

use super::number;
use super::token_model::{GRACE, Purpose, Reason, State, Token};
use crate::calls::{self, KEY, string};

/// The kinds that take part, and how long each is valid.
const KINDS: [(sealite_token_kind, Option<i64>); 5] = [
    (SEALITE_TOKEN_SESSION, Some(6_000)),
    (SEALITE_TOKEN_MAGIC_LINK, Some(6_000)),
    (SEALITE_TOKEN_API_KEY, None),
    (SEALITE_TOKEN_BREAK_GLASS, None),
    (SEALITE_TOKEN_REFRESH, Some(20_000)),
];
const ARMED: i64 = 2_000;

#[derive(Clone, Debug)]
enum Step {
    Issue { inside: bool, kind: u8, subject: u8, scope: bool, replace: bool },
    Use { inside: bool, how: Purpose, token: u8, kind: u8, scope: bool },
    Change { inside: bool, what: u8, token: u8 },
    RevokeKind { inside: bool, kind: u8, subject: u8 },
    RevokeSubject { inside: bool, subject: u8 },
    RevokeFamily { inside: bool, token: u8 },
    List { inside: bool, subject: u8, active: bool },
    Purge { inside: bool },
    Later { by: i64 },
    Begin,
    End { commit: bool },
    FreeTransaction,
    Lock,
    Unlock,
    Wrong { which: u8, number: usize },
}

/// One step from three bytes.
fn step([which, a, b]: [u8; 3]) -> Step {
    let (inside, token, yes) = (a & 1 == 1, (a >> 1) % 5, b & 128 != 0);
    let (kind, subject) = (token, b % 3);
    let how = [Purpose::Verify, Purpose::Peek, Purpose::Consume, Purpose::Rotate];
    match which % 51 {
        0..=7 => Step::Issue { inside, kind, subject, scope: yes, replace: b / 3 % 5 == 0 },
        8..=21 => {
            let how = how[usize::from(a >> 6)];
            Step::Use { inside, how, token, kind: b % 8, scope: yes }
        }
        22..=27 => Step::Change { inside, what: b % 5, token },
        28 => Step::RevokeKind { inside, kind, subject },
        29 => Step::RevokeSubject { inside, subject },
        30 => Step::RevokeFamily { inside, token },
        31..=33 => Step::List { inside, subject, active: yes },
        34 => Step::Purge { inside },
        35..=38 => Step::Later { by: 1 + i64::from(u16::from_be_bytes([a, b]) % 4_000) },
        39..=42 => Step::Begin,
        43..=45 => Step::End { commit: yes },
        46 => Step::FreeTransaction,
        47 => Step::Lock,
        48..=49 => Step::Unlock,
        _ => Step::Wrong { which: a, number: number(b) },
    }
}

/// The open transaction.
struct Open {
    handle: *mut sealite_transaction,
    tokens: *mut sealite_tokens,
    /// None once it has ended, until it is freed.
    state: Option<State>,
}

struct World {
    vault: *mut sealite_vault,
    unlock: *mut sealite_unlock,
    tokens: *mut sealite_tokens,
    committed: State,
    open: Option<Open>,
    locked: bool,
    now: i64,
    /// The public id and text of every token that was ever issued, by its number.
    issued: Vec<(String, String)>,
    freed: Vec<*mut sealite_tokens>,
}

fn subject_name(number: u8) -> String {
    format!("user-{number}")
}

fn number_of(kind: u8) -> i32 {
    KINDS[usize::from(kind)].0 as i32
}

impl World {
    fn new(path: &std::path::Path) -> Self {
        let unlock = calls::unlock(KEY);
        let vault = calls::create(path, unlock);
        let mut tokens = null_mut();
        assert_eq!(ffi!(sealite_vault_tokens; vault, &raw mut tokens), SEALITE_OK);
        let mut world = World {
            vault,
            unlock,
            tokens,
            committed: State::default(),
            open: None,
            locked: false,
            now: 2_000_000_000_000,
            issued: Vec::new(),
            freed: Vec::new(),
        };
        world.take(&Step::Later { by: 0 });
        world
    }

    fn running(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.state.is_some())
    }

    /// The handle that a call is made on, and whether it is the transaction's.
    fn handle(&self, inside: bool) -> (*mut sealite_tokens, bool) {
        match &self.open {
            Some(open) if inside => (open.tokens, true),
            _ => (self.tokens, false),
        }
    }

    /// What a call reads, or the status that it gets whatever it does.
    fn reads(&mut self, inside: bool) -> Result<&mut State, sealite_status> {
        match &mut self.open {
            Some(open) if inside => open.state.as_mut().ok_or(SEALITE_CLOSED),
            _ if self.locked => Err(SEALITE_LOCKED),
            _ => Ok(&mut self.committed),
        }
    }

    /// What a call writes.
    fn writes(&mut self, inside: bool) -> Result<&mut State, sealite_status> {
        let in_the_way = self.running() && !self.handle(inside).1;
        // This thread's own transaction is in the way: told at once.
        self.reads(inside).and_then(|state| if in_the_way { Err(SEALITE_BUSY) } else { Ok(state) })
    }

    /// As `writes`, of what is a transaction of its own.
    fn writes_alone(&mut self, inside: bool) -> Result<&mut State, sealite_status> {
        match &self.open {
            Some(open) if open.state.is_some() => Err(SEALITE_REFUSED),
            _ => self.writes(inside),
        }
    }

    /// The number of a token that was issued lately.
    fn number(&self, token: u8) -> Option<usize> {
        self.issued.len().checked_sub(1 + usize::from(token) % self.issued.len().max(1))
    }

    /// As `number`, mostly one of the kinds that the step is about.
    fn number_of_kind(&self, token: u8, kinds: &[sealite_token_kind]) -> Option<usize> {
        let fits = |number: &usize| {
            let own = number_of(self.kind_of(*number));
            kinds.iter().any(|kind| *kind as i32 == own)
        };
        let latest = (0..self.issued.len()).rev().filter(fits).nth(usize::from(token / 2));
        latest.filter(|_| token < 4).or_else(|| self.number(token))
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Issue { inside, kind, subject, scope, replace } => {
                self.issue(inside, kind, subject, scope, replace);
            }
            Step::Use { inside, how, token, kind, scope } => {
                self.present(inside, how, token, kind, scope);
            }
            Step::Change { inside, what, token } => self.change(inside, what, token),
            Step::RevokeKind { inside, kind, subject } => {
                let (tokens, _) = self.handle(inside);
                let now = self.now;
                let expected =
                    self.writes(inside).map(|state| state.revoke_kind(subject, kind, now));
                let (mut revoked, subject) = (7, subject_name(subject));
                let status = ffi!(
                    sealite_tokens_revoke_kind; tokens, [&subject], number_of(kind),
                    null(), 0, &raw mut revoked
                );
                agree(status, revoked, expected);
            }
            Step::RevokeSubject { inside, subject } => {
                let (tokens, _) = self.handle(inside);
                let expected = self.writes(inside).map(|state| state.revoke_subject(subject));
                let subject = subject_name(subject);
                let status = ffi!(sealite_tokens_revoke_subject; tokens, [&subject]);
                assert_eq!(status, expected.err().unwrap_or(SEALITE_OK));
            }
            Step::RevokeFamily { inside, token } => {
                let Some(number) = self.number(token) else { return };
                let (tokens, now) = (self.handle(inside).0, self.now);
                let expected = self.writes(inside).map(|state| state.revoke_family(number, now));
                let mut revoked = 7;
                let id = &self.issued[number].0;
                let status = ffi!(sealite_tokens_revoke_family; tokens, [id], &raw mut revoked);
                agree(status, revoked, expected);
            }
            Step::List { inside, subject, active } => self.list(inside, subject, active),
            Step::Purge { inside } => {
                let (tokens, now) = (self.handle(inside).0, self.now);
                let expected = match &self.open {
                    Some(open) if inside && open.state.is_none() => Err(SEALITE_CLOSED),
                    _ => self.writes_alone(inside).map(|state| state.purge(now)),
                };
                let mut purged = 7;
                let status = ffi!(sealite_tokens_purge; tokens, 0, &raw mut purged);
                agree(status, purged, expected);
            }
            Step::Later { by } => {
                self.now += by;
                let now = self.now;
                assert_eq!(ffi!(sealite_vault_set_clock; self.vault, &raw const now), SEALITE_OK);
            }
            Step::Begin => self.begin(),
            Step::End { commit } => self.end(commit),
            Step::FreeTransaction => self.free_transaction(),
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

    fn issue(&mut self, inside: bool, kind: u8, subject: u8, scope: bool, replace: bool) {
        let mut request = null_mut();
        let status = ffi!(sealite_token_request_create; number_of(kind), &raw mut request);
        assert_eq!(status, SEALITE_OK);
        let name = subject_name(subject);
        assert_eq!(ffi!(sealite_token_request_set_subject; request, [&name]), SEALITE_OK);
        let lifetime = KINDS[usize::from(kind)].1;
        if let Some(ms) = lifetime {
            let ms = ms.cast_unsigned();
            assert_eq!(ffi!(sealite_token_request_set_expires_in; request, ms), SEALITE_OK);
        }
        if scope {
            assert_eq!(ffi!(sealite_token_request_add_scope; request, ["read"]), SEALITE_OK);
        }
        if replace {
            assert_eq!(ffi!(sealite_token_request_set_replace_older; request), SEALITE_OK);
        }
        let (tokens, now, number) = (self.handle(inside).0, self.now, self.issued.len());
        let expected = self.writes(inside).map(|state| {
            if replace {
                state.revoke_kind(subject, kind, now);
            }
            state.issue(number, Token::new(kind, subject, scope, now, lifetime));
        });
        let (mut text, mut rows) = (null_mut(), null_mut());
        let status = ffi!(sealite_tokens_issue; tokens, request, &raw mut text, &raw mut rows);
        assert_eq!(status, expected.err().unwrap_or(SEALITE_OK));
        if expected.is_ok() {
            self.keep(text, rows);
        }
        assert_eq!((text.is_null(), rows.is_null()), (expected.is_err(), expected.is_err()));
        // SAFETY: (1), (3).
        unsafe {
            sealite_bytes_free(text);
            sealite_rows_free(rows);
            sealite_token_request_free(request);
        }
    }

    /// Remembers what was issued.
    fn keep(&mut self, text: *const sealite_bytes, rows: *const sealite_rows) {
        self.issued.push((string(rows, 0, "id"), revealed(text)));
    }

    fn present(&mut self, inside: bool, how: Purpose, token: u8, kind: u8, scope: bool) {
        let number = match how {
            Purpose::Verify | Purpose::Rotate => self.number(token),
            Purpose::Peek => self.number_of_kind(token, &[SEALITE_TOKEN_MAGIC_LINK]),
            Purpose::Consume => {
                let counted = [SEALITE_TOKEN_MAGIC_LINK, SEALITE_TOKEN_BREAK_GLASS];
                self.number_of_kind(token, &counted)
            }
        };
        let Some(number) = number else { return };
        let (tokens, within) = self.handle(inside);
        let text = self.issued[number].1.clone();
        let own = self.kind_of(number);
        // Mostly the right kind.
        let asked = if usize::from(kind) < KINDS.len() { kind } else { own };
        let (now, running) = (self.now, self.running());
        let next = self.issued.len();
        let alone = !within && !running;
        let expected = if how == Purpose::Rotate && running {
            Err(SEALITE_REFUSED)
        } else {
            let busy = !within && running;
            self.reads(inside).and_then(|state| {
                let refused = state.refused(number, now, how, asked);
                if refused == Some(Reason::Rotated) && how == Purpose::Verify && alone {
                    state.revoke_family_of(number, now);
                }
                if refused.is_some() {
                    return Err(SEALITE_TOKEN_REJECTED);
                }
                if scope && !state.tokens[&number].scope {
                    return Err(SEALITE_DENIED);
                }
                match how {
                    Purpose::Consume if busy => Err(SEALITE_BUSY),
                    Purpose::Consume => {
                        state.consume(number, now);
                        Ok(None)
                    }
                    Purpose::Rotate => {
                        state.rotate(number, next, now).map(Some).ok_or(SEALITE_TOKEN_REJECTED)
                    }
                    Purpose::Verify | Purpose::Peek => Ok(None),
                }
            })
        };
        let scopes = sealite_string { data: c"read".as_ptr(), length: 4 };
        let asked = number_of(asked);
        let (kinds, scopes, scope_count) =
            (&raw const asked, &raw const scopes, usize::from(scope));
        let (mut rows, mut successor) = (null_mut(), null_mut());
        let rows_at = &raw mut rows;
        let status = match how {
            Purpose::Verify => {
                ffi!(sealite_tokens_verify; tokens, [&text], kinds, 1, scopes, scope_count, rows_at)
            }
            Purpose::Peek => {
                ffi!(sealite_tokens_peek; tokens, [&text], kinds, 1, scopes, scope_count, rows_at)
            }
            Purpose::Consume => {
                ffi!(sealite_tokens_consume; tokens, [&text], kinds, 1, scopes, scope_count, rows_at)
            }
            Purpose::Rotate => ffi!(
                sealite_tokens_rotate; tokens, [&text], kinds, 1, scopes, scope_count,
                GRACE.cast_unsigned(), &raw mut successor, rows_at
            ),
        };
        assert_eq!(status, expected.err().unwrap_or(SEALITE_OK), "{how:?}");
        assert_eq!(rows.is_null(), status != SEALITE_OK);
        match expected {
            Ok(Some(number)) if number == self.issued.len() => self.keep(successor, rows),
            Ok(Some(number)) => assert_eq!(revealed(successor), self.issued[number].1),
            Ok(None) => assert_eq!(string(rows, 0, "id"), self.issued[number].0),
            Err(_) => assert!(successor.is_null()),
        }
        // SAFETY: (1), (3).
        unsafe {
            sealite_bytes_free(successor);
            sealite_rows_free(rows);
        }
    }

    /// What a token was issued as, wherever it is known.
    fn kind_of(&self, number: usize) -> u8 {
        let inside = self.open.as_ref().and_then(|open| open.state.as_ref());
        let known = inside.into_iter().chain([&self.committed]);
        known.into_iter().find_map(|state| state.tokens.get(&number)).map_or(0, |token| token.kind)
    }

    fn change(&mut self, inside: bool, what: u8, token: u8) {
        let glass: &[_] = if what < 3 { &[] } else { &[SEALITE_TOKEN_BREAK_GLASS] };
        let Some(number) = self.number_of_kind(token, glass) else { return };
        let (tokens, now) = (self.handle(inside).0, self.now);
        let expected = self.writes(inside).and_then(|state| {
            let token = state.tokens.get_mut(&number).ok_or(SEALITE_NOT_FOUND)?;
            let glass = number_of(token.kind) == SEALITE_TOKEN_BREAK_GLASS as i32;
            match what {
                0 => Ok(token.revoke(now)),
                1 => Ok(std::mem::replace(&mut token.enabled, false)),
                2 => Ok(!std::mem::replace(&mut token.enabled, true)),
                _ if !glass => Err(SEALITE_INVALID_INPUT),
                3 => {
                    token.armed_until = Some(now + ARMED);
                    Ok(true)
                }
                _ => Ok(token.armed_until.take().is_some()),
            }
        });
        let id = &self.issued[number].0;
        let mut changed = what == 3 && expected.is_ok();
        let place = &raw mut changed;
        let status = match what {
            0 => ffi!(sealite_tokens_revoke; tokens, [id], place),
            1 => ffi!(sealite_tokens_disable; tokens, [id], place),
            2 => ffi!(sealite_tokens_enable; tokens, [id], place),
            3 => ffi!(
                sealite_tokens_arm; tokens, [id], ["a reason"], ARMED.cast_unsigned(), null_mut()
            ),
            _ => ffi!(sealite_tokens_disarm; tokens, [id], place),
        };
        assert_eq!(status, expected.err().unwrap_or(SEALITE_OK), "{what}");
        assert_eq!(changed, expected.unwrap_or(false), "{what}");
    }

    fn list(&mut self, inside: bool, subject: u8, active: bool) {
        let (tokens, now) = (self.handle(inside).0, self.now);
        let expected = self.reads(inside).map(|state| state.list(subject, active, now));
        let expected = expected.map(|numbers| {
            let mut ids: Vec<_> =
                numbers.into_iter().map(|number| self.issued[number].0.clone()).collect();
            ids.sort();
            ids
        });
        let (mut rows, subject) = (null_mut(), subject_name(subject));
        let status = ffi!(
            sealite_tokens_list; tokens, [&subject], null(), null(), 0,
            i32::from(active), 1_000, &raw mut rows
        );
        assert_eq!(status, expected.as_ref().err().copied().unwrap_or(SEALITE_OK));
        if let Ok(expected) = expected {
            let mut count = 0;
            assert_eq!(ffi!(sealite_rows_count; rows, &raw mut count), SEALITE_OK);
            let mut ids: Vec<_> = (0..count).map(|at| string(rows, at, "id")).collect();
            ids.sort();
            assert_eq!(ids, expected);
        }
        // SAFETY: (1), (3).
        unsafe { sealite_rows_free(rows) };
    }

    fn begin(&mut self) {
        let mut handle = null_mut();
        let status = ffi!(sealite_vault_begin; self.vault, &raw mut handle);
        let expected = match (self.locked, self.running()) {
            (true, _) => SEALITE_LOCKED,
            (false, true) => SEALITE_BUSY,
            (false, false) => SEALITE_OK,
        };
        assert_eq!((status, handle.is_null()), (expected, expected != SEALITE_OK));
        if handle.is_null() {
            return;
        }
        self.free_transaction();
        let mut tokens = null_mut();
        assert_eq!(ffi!(sealite_transaction_tokens; handle, &raw mut tokens), SEALITE_OK);
        self.open = Some(Open { handle, tokens, state: Some(self.committed.clone()) });
    }

    fn end(&mut self, commit: bool) {
        let Some(open) = &mut self.open else { return };
        let status = if commit {
            ffi!(sealite_transaction_commit; open.handle)
        } else {
            ffi!(sealite_transaction_roll_back; open.handle)
        };
        let state = open.state.take();
        assert_eq!(status, if state.is_some() { SEALITE_OK } else { SEALITE_CLOSED });
        if let Some(state) = state
            && commit
        {
            self.committed = state;
        }
    }

    fn free_transaction(&mut self) {
        let Some(open) = self.open.take() else { return };
        // SAFETY: (1), (3): also twice, and before what was made from it.
        unsafe {
            sealite_transaction_free(open.handle);
            sealite_transaction_free(open.handle);
            sealite_tokens_free(open.tokens);
        }
        self.freed.push(open.tokens);
    }

    fn wrong(&mut self, which: u8, number: usize) {
        let (tokens, expected): (*mut sealite_tokens, _) = match which % 4 {
            0 => (null_mut(), SEALITE_INVALID_INPUT),
            1 => (self.vault.cast(), SEALITE_INVALID_INPUT),
            2 => match self.freed.get(number % self.freed.len().max(1)) {
                Some(freed) => (*freed, SEALITE_CLOSED),
                None => return,
            },
            // Beyond every number that is in use.
            _ => (without_provenance_mut(number | 1 << 63), SEALITE_CLOSED),
        };
        let kind = SEALITE_TOKEN_SESSION as i32;
        let mut rows = without_provenance_mut(8);
        let status = ffi!(
            sealite_tokens_verify; tokens, ["no token"], &raw const kind, 1, null(), 0,
            &raw mut rows
        );
        assert_eq!((status, rows.is_null()), (expected, true));
        // SAFETY: (3): none of these is a handle of tokens, and freeing leaves it alone.
        unsafe { sealite_tokens_free(tokens) };
        let no_kind = 10 + i32::from(number as u16);
        let status = ffi!(
            sealite_tokens_verify; self.tokens, ["no token"], &raw const no_kind, 1, null(), 0,
            null_mut()
        );
        assert_eq!(status, SEALITE_INVALID_INPUT);
    }
}

/// Compares a count and its status with the model's.
fn agree(status: sealite_status, count: u64, expected: Result<u64, sealite_status>) {
    assert_eq!((status, count), expected.map_or_else(|e| (e, 0), |count| (SEALITE_OK, count)));
}

/// The text that was given out.
fn revealed(text: *const sealite_bytes) -> String {
    // SAFETY: (1), (3).
    let (data, length) = unsafe { (sealite_bytes_data(text), sealite_bytes_length(text)) };
    let value = calls::integer(0);
    String::from_utf8(calls::bytes(&sealite_ffi::value::sealite_value { data, length, ..value }))
        .unwrap()
}

impl Drop for World {
    fn drop(&mut self) {
        self.free_transaction();
        // SAFETY: (1), (3).
        unsafe {
            sealite_vault_free(self.vault);
            sealite_tokens_free(self.tokens);
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
    world.free_transaction();
    for token in 0..5 {
        world.take(&Step::Use {
            inside: false,
            how: Purpose::Verify,
            token,
            kind: 7,
            scope: false,
        });
    }
    for subject in 0..3 {
        world.take(&Step::List { inside: false, subject, active: true });
    }
    let (mut sound, mut rows) = (false, null_mut());
    assert_eq!(ffi!(sealite_vault_verify; world.vault, &raw mut sound, &raw mut rows), SEALITE_OK);
    // SAFETY: (1), (3).
    unsafe { sealite_rows_free(rows) };
    assert!(sound);
}
