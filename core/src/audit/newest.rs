//! The newest entries, read backwards: what that costs depends on how many are wanted, not on how long the trail is.

use super::TABLE;
use super::entry::Event;
use super::read::entries;
use super::retain::Base;
use crate::db::Conn;
use crate::error::Result;
use crate::table::engine::State;
use crate::table::mark_of;

/// Entries that one step back passes over, at most.
const LONGEST_STEP: i64 = 1_024;

/// The last `count` entries that are wanted, in the order of the chain.
pub(super) fn newest(
    conn: &Conn,
    state: &State,
    count: usize,
    is_wanted: impl Fn(&Event) -> bool,
) -> Result<Vec<Event>> {
    let first = Base::read(conn, state)?.map_or(1, |base| base.through.saturating_add(1));
    let mut step = i64::try_from(count).unwrap_or(LONGEST_STEP).clamp(1, LONGEST_STEP);
    // Behind the mark there is nothing, unless an older mark was put back.
    let (mut start, mut end) = (mark_of(conn, state, TABLE)?.saturating_add(1), i64::MAX);
    let (mut steps, mut found) = (Vec::new(), 0);
    while found < count && start > first {
        start = start.saturating_sub(step).max(first);
        let events = between(conn, state, start, end, &is_wanted)?;
        found += events.len();
        steps.push(events);
        end = start - 1;
        step = step.saturating_mul(2).min(LONGEST_STEP);
    }
    let events = steps.into_iter().rev().flatten();
    Ok(events.skip(found.saturating_sub(count)).collect())
}

fn between(
    conn: &Conn,
    state: &State,
    start: i64,
    end: i64,
    is_wanted: impl Fn(&Event) -> bool,
) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let mut from = Some(start);
    while let Some(at) = from.filter(|at| *at <= end) {
        let (read, last) = entries(conn, state, at, &mut None)?;
        events.extend(read.into_iter().filter(|event| event.seq() <= end && is_wanted(event)));
        from = last.and_then(|last| last.checked_add(1));
    }
    Ok(events)
}
