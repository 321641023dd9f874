//! The latest time at which anything was written: a clock that shows an earlier one has been set back.

use std::sync::atomic::{AtomicI64, Ordering};

use super::engine::State;
use super::sequence::{Sequences, mark_if_there};
use crate::db::Conn;
use crate::error::{ErrorKind, Result};
use crate::keys::table_id;

/// How often the time is saved with what is being written, in milliseconds.
const SAVE_EVERY_MS: i64 = 60_000;
/// What a clock may go back without being reported: time servers correct it.
const TOLERANCE_MS: i64 = 5_000;

/// What one process knows of the time.
#[derive(Default)]
pub(crate) struct Clock {
    /// The time that was saved last, or the later one that was found there; 0 before the first.
    saved: AtomicI64,
    /// The latest commit of this process.
    seen: AtomicI64,
}

impl Clock {
    /// Before a commit that writes something: saves the time with it, once a minute. The time to give to
    /// [`Clock::committed`].
    pub(crate) fn save(
        &self,
        conn: &Conn,
        state: &State,
        sequences: &mut Sequences,
        now: i64,
    ) -> Result<i64> {
        let saved = self.saved.load(Ordering::Relaxed);
        if saved != 0 && now.abs_diff(saved) < SAVE_EVERY_MS.unsigned_abs() {
            return Ok(saved);
        }
        match sequences.raise(conn, &state.ring, table_id::CLOCK, now) {
            // One that was edited from outside must not stop anybody from writing: the check reports it.
            Err(error) if error.kind() == ErrorKind::AuthenticationFailed => Ok(saved),
            raised => raised,
        }
    }

    pub(crate) fn committed(&self, saved: i64, now: i64) {
        self.saved.store(saved, Ordering::Relaxed);
        self.seen.fetch_max(now, Ordering::Relaxed);
    }

    /// True where the clock shows a time well before one at which something was written.
    pub(crate) fn stepped_back(
        &self,
        conn: &Conn,
        state: &State,
        last_entry: i64,
        now: i64,
    ) -> Result<bool> {
        let saved = mark_if_there(conn, &state.ring, table_id::CLOCK)?.unwrap_or(0);
        // What was seen here is saved within a minute. Where it has gone, somebody has accepted the clock meanwhile.
        let seen = self.seen.load(Ordering::Relaxed);
        let seen = if seen.saturating_sub(saved) > SAVE_EVERY_MS { 0 } else { seen };
        Ok(now.saturating_add(TOLERANCE_MS) < saved.max(last_entry).max(seen))
    }

    /// Forgets the later time: the clock counts as it is, and the commit that says so is not to raise the mark again.
    pub(crate) fn accept(&self, now: i64) {
        self.seen.store(0, Ordering::Relaxed);
        self.saved.store(now, Ordering::Relaxed);
    }
}
