//! Walking the end of the chain only: what a check of the health can afford.

use super::TABLE;
use super::append::link_of;
use super::chain::Link;
use super::retain::Base;
use super::verify::{Before, Walk};
use crate::db::Conn;
use crate::error::Result;
use crate::table::engine::State;
use crate::table::mark_of;

/// Entries that are walked each time.
const ALWAYS: i64 = 256;
/// Entries that are walked at most.
const MOST: i64 = 1_024;
/// Batches that are read at most: rows behind the last entry can only have been put there from outside.
const MOST_BATCHES: usize = 8;

/// An entry that was found sound, and its link.
#[derive(Clone)]
pub(super) struct Place {
    seq: i64,
    link: Link,
}

/// What the end of the chain looks like.
pub(super) struct Tail {
    pub(super) is_sound: bool,
    /// The last entry, where it is sound.
    pub(super) last: Option<Place>,
    /// The time of the last entry, in milliseconds since 1970; 0 where there is none.
    pub(super) at: i64,
}

/// Walks the newest 256 entries, and all since the place that was found sound last; 1,024 at most.
pub(super) fn tail(conn: &Conn, state: &State, good: Option<&Place>) -> Result<Tail> {
    let mut tail = Tail { is_sound: true, last: None, at: 0 };
    if state.table(TABLE).is_err() {
        return Ok(tail);
    }
    let mark = mark_of(conn, state, TABLE)?;
    let base = Base::read(conn, state)?;
    let (first, before) =
        base.map_or((0, Before::Start), |base| (base.through, Before::Link(base.link)));
    let since = good.map_or(i64::MAX, |good| good.seq).min(mark - ALWAYS);
    let start = since.max(mark - MOST).max(first);
    // What lies before is not walked, and so its link is not known.
    let link = if start == first { before } else { Before::Unknown };
    let mut walk = Walk::new(start + 1, link);
    let mut from = Some(start + 1);
    for _ in 0..MOST_BATCHES {
        let Some(at) = from else { break };
        from = walk.batch(conn, state, at, &mut |event| {
            let link = link_of(event).unwrap_or_default();
            if good.is_some_and(|good| good.seq == event.seq() && good.link != link) {
                tail.is_sound = false;
            }
            tail.at = event.at();
            tail.last = Some(Place { seq: event.seq(), link });
        })?;
    }
    let cut = mark >= walk.expected || good.is_some_and(|good| good.seq > mark);
    tail.is_sound &= !cut && from.is_none() && walk.report.is_sound();
    Ok(tail)
}
