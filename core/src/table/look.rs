//! When to ask whether another process has changed keys or catalog, for work that runs in no transaction and would ask the
//! file nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::engine::{Engine, State};
use crate::error::Result;

/// How old what is in memory may be. What a switch of keys has to wait for, before it destroys the old one.
pub(crate) const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// When a process has looked last.
pub(crate) struct Look {
    origin: Instant,
    /// In milliseconds from the origin, and one; 0 before the first.
    last: AtomicU64,
}

impl Default for Look {
    fn default() -> Self {
        Look { origin: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Look {
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn is_due(&self) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        last == 0 || u128::from(self.now().saturating_sub(last)) >= LOOKS_EVERY.as_millis()
    }
}

impl Engine {
    /// True where the state in memory is older than [`LOOKS_EVERY`]. A vault in memory has no other process.
    pub(crate) fn look_is_due(&self) -> bool {
        !self.pool.is_memory() && self.look.is_due()
    }

    /// The state in memory, compared with the file where that is due.
    pub(crate) fn looked_state(&self) -> Result<Arc<State>> {
        let state = self.state()?;
        if !self.look_is_due() {
            return Ok(state);
        }
        let now = self.look.now();
        let fresh = self.catch_up(&*self.pool.reader()?)?;
        self.look.last.store(now, Ordering::Relaxed);
        Ok(fresh)
    }
}
