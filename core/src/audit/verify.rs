//! Walking the chain: edits, removals, reordering; truncation against a checkpoint.

use super::TABLE;
use super::chain::{self, Link, Said, digest_fits};
use super::checkpoint::Checkpoint;
use super::entry::Event;
use super::keys::Met;
use super::read::entries;
use super::retain::Base;
use crate::db::Conn;
use crate::error::{Error, ErrorKind, Result};
use crate::table::engine::State;
use crate::table::mark_of;
use crate::value::Id;

/// What a verification of the audit trail found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuditReport {
    /// Entries that were there and read.
    pub entries: u64,
    /// The first and the last entry that are there.
    pub first: Option<i64>,
    /// See `first`.
    pub last: Option<i64>,
    /// What is wrong, in the order of the chain.
    pub faults: Vec<AuditFault>,
}

impl AuditReport {
    /// True where nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// True where the checkpoint's entry is not there, or is another one.
    pub(crate) fn contradicts_checkpoint(&self) -> bool {
        use AuditFault::{Replaced, Truncated};
        self.faults.iter().any(|fault| matches!(fault, Truncated(_) | Replaced(_)))
    }
}

/// Something wrong with the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditFault {
    /// An entry was edited, moved or damaged.
    Edited(i64),
    /// Entries are missing: from, to.
    Missing(i64, i64),
    /// An entry does not continue the one before it.
    Broken(i64),
    /// The checkpoint names an entry that is not there: the tail was cut off, or an older file put back.
    Truncated(i64),
    /// The checkpoint's entry is there and is not the one that it was made of.
    Replaced(i64),
}

/// Walks the chain from its beginning, or from the checkpoint on. Memory is bounded by one batch. `go_on` gets the number
/// of entries so far; none where it says no.
pub(super) fn verify(
    conn: &Conn,
    state: &State,
    checkpoint: Option<&Checkpoint>,
    since: bool,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<AuditReport>> {
    let base = Base::read(conn, state)?;
    let seen =
        checkpoint.is_none_or(|c| c.seq == 0 || base.as_ref().is_some_and(|b| b.through >= c.seq));
    let mut walk = Walk { checkpoint, seen, ..Walk::behind(base.as_ref()) };
    if let (Some(checkpoint), true) = (checkpoint, since)
        && checkpoint.seq >= walk.expected
    {
        walk.expected = checkpoint.seq;
        // The checkpoint's own entry is compared with it; what follows continues from there.
        walk.link = Before::Unknown;
    }
    let start = walk.expected;
    // Rows before the base were dropped with it: one that is there again was put back.
    let mut from = Some(if since { start } else { i64::MIN });
    while let Some(at) = from {
        from = walk.batch(conn, state, at, &mut |_| ())?;
        if !go_on(walk.report.entries) {
            return Ok(None);
        }
    }
    // The high-water mark of the ids is authenticated: it shows a tail that was cut off by itself.
    let mark = mark_of(conn, state, TABLE)?;
    if mark >= walk.expected {
        walk.report.faults.push(AuditFault::Missing(walk.expected, mark));
    }
    if let Some(checkpoint) = checkpoint
        && !walk.seen
    {
        walk.report.faults.push(AuditFault::Truncated(checkpoint.seq));
    }
    Ok(Some(walk.report))
}

/// The link before the next entry.
#[derive(Clone, Copy)]
pub(super) enum Before {
    /// None: the next entry is the first of all.
    Start,
    Link(Link),
    /// Behind a gap or an edited entry, where the fault has been reported; or where a walk begins in the middle.
    Unknown,
}

pub(super) struct Walk<'a> {
    pub(super) expected: i64,
    pub(super) link: Before,
    pub(super) report: AuditReport,
    keys: Met,
    /// The generation of the last entry's audit key.
    generation: i64,
    buffer: Vec<u8>,
    checkpoint: Option<&'a Checkpoint>,
    seen: bool,
}

impl Walk<'_> {
    /// A walk from an entry on.
    pub(super) fn new(expected: i64, link: Before) -> Self {
        Walk {
            expected,
            link,
            report: AuditReport::default(),
            keys: Met::default(),
            generation: 0,
            buffer: Vec::new(),
            checkpoint: None,
            seen: true,
        }
    }

    /// A walk over all entries that are kept.
    pub(super) fn behind(base: Option<&Base>) -> Self {
        match base {
            Some(base) => Walk::new(base.through.saturating_add(1), Before::Link(base.link)),
            None => Walk::new(1, Before::Start),
        }
    }

    /// Walks some entries; where to go on. `look` gets each that opens.
    pub(super) fn batch(
        &mut self,
        conn: &Conn,
        state: &State,
        from: i64,
        look: &mut dyn FnMut(&Event),
    ) -> Result<Option<i64>> {
        let mut faults = Vec::new();
        let mut take = |id: Id, _: Error| faults.extend(id.as_i64());
        let (events, last) = entries(conn, state, from, &mut Some(&mut take))?;
        faults.sort_unstable();
        let mut faults = faults.into_iter().peekable();
        for event in events {
            while let Some(seq) = faults.next_if(|seq| *seq < event.seq()) {
                self.edited(seq);
            }
            self.step(conn, state, &event)?;
            look(&event);
        }
        for seq in faults {
            self.edited(seq);
        }
        Ok(last.and_then(|last| last.checked_add(1)))
    }

    fn gap(&mut self, seq: i64) {
        if seq > self.expected {
            self.report.faults.push(AuditFault::Missing(self.expected, seq - 1));
        } else if seq < self.expected {
            self.report.faults.push(AuditFault::Broken(seq));
        }
        self.expected = seq.saturating_add(1);
        self.report.entries += 1;
        self.report.first.get_or_insert(seq);
        self.report.last = Some(seq);
    }

    fn edited(&mut self, seq: i64) {
        self.gap(seq);
        self.report.faults.push(AuditFault::Edited(seq));
        self.link = Before::Unknown;
    }

    fn step(&mut self, conn: &Conn, state: &State, event: &Event) -> Result<()> {
        let seq = event.seq();
        let follows = seq == self.expected;
        self.gap(seq);
        let keys = match self.keys.get(conn, state, event.key()) {
            Ok(keys) => keys,
            Err(error) if is_of_the_entry(error.kind()) => {
                self.report.faults.push(AuditFault::Edited(seq));
                self.link = Before::Unknown;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let stated = <Link>::try_from(event.blob("chain")).unwrap_or_default();
        let before = match self.link {
            Before::Start => Some(chain::genesis(&keys.chain, state.ring.vault())),
            Before::Link(link) => Some(link),
            Before::Unknown => None,
        };
        let goes_on = before.filter(|_| follows).is_none_or(|before| {
            chain::link(&keys.chain, &before, &Said::of(event), &mut self.buffer) == stated
        });
        // A rotation only goes forward: whoever has an old audit key writes nothing behind it.
        if !goes_on || keys.generation < self.generation {
            self.report.faults.push(AuditFault::Broken(seq));
        }
        self.generation = self.generation.max(keys.generation);
        if !digest_fits(event) {
            self.report.faults.push(AuditFault::Edited(seq));
        }
        self.link = Before::Link(stated);
        if let Some(checkpoint) = self.checkpoint
            && checkpoint.seq == seq
        {
            self.seen = true;
            if checkpoint.link != stated {
                self.report.faults.push(AuditFault::Replaced(seq));
            }
        }
        Ok(())
    }
}

/// Errors of an entry that names a key which it can't be under.
fn is_of_the_entry(kind: ErrorKind) -> bool {
    use ErrorKind::{AuthenticationFailed, DestroyedKey, UnknownKey};
    matches!(kind, AuthenticationFailed | DestroyedKey | UnknownKey)
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, is_of_the_entry};

    #[test]
    fn an_error_of_the_disk_is_no_edit() {
        assert!(is_of_the_entry(ErrorKind::UnknownKey) && is_of_the_entry(ErrorKind::DestroyedKey));
        assert!(!is_of_the_entry(ErrorKind::Io) && !is_of_the_entry(ErrorKind::Busy));
    }
}
