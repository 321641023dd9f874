//! What an open vault keeps of tokens in memory.

use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::Cache;
use super::check::Rejection;
use crate::db::Conn;
use crate::fork::{Inherit, PerProcess};
use crate::keys::ring::Ring;
use crate::keys::table_id;
use crate::table::attached::Attached;
use crate::table::sequence::open_mark;

/// The vault's clock as it was read last, and how often a token was refused, by reason.
#[derive(Default)]
pub(crate) struct Memory {
    /// A record of the clock's high-water mark that was opened, and what it holds.
    mark: PerProcess<(Vec<u8>, i64)>,
    rejected: [AtomicU64; Rejection::NAMES.len()],
    pub(super) cache: Cache,
}

/// It is read again.
impl Inherit for (Vec<u8>, i64) {}

impl Attached for Memory {
    fn locked(&self) {
        self.cache.clear();
    }
}

impl Memory {
    /// What the record of the clock's mark holds; 0 where there is none. The bytes of one that was opened are compared,
    /// and not opened again: it changes once a minute.
    ///
    /// A record that does not open counts as none, as one that was removed has to: the check of the vault's health
    /// reports it.
    pub(super) fn mark(&self, conn: &Conn, ring: &Ring, record: Option<&[u8]>) -> i64 {
        let Some(record) = record else { return 0 };
        let mut known = self.mark.write();
        if known.0 != record {
            let Ok(mark) = open_mark(conn, ring, table_id::CLOCK, record) else { return 0 };
            *known = (record.to_vec(), mark);
        }
        known.1
    }

    pub(super) fn count(&self, rejection: Rejection) {
        if let Some(counter) = self.rejected.get(rejection as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often tokens were refused, by reason.
    pub(crate) fn rejections(&self) -> Vec<(&'static str, u64)> {
        let counts = self.rejected.iter().map(|counter| counter.load(Ordering::Relaxed));
        Rejection::NAMES.iter().copied().zip(counts).collect()
    }
}
