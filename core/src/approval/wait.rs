//! Waiting for a decision, which another process may make.

use std::time::{Duration, Instant};

use super::handle::Approvals;
use super::request::{Approval, ApprovalState};
use crate::error::Result;

/// The pauses between two looks grow from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LAST_PAUSE: Duration = Duration::from_millis(25);

impl Approvals {
    /// Waits until the request is no longer pending, at most for `timeout`; the request as it then stands, pending still
    /// where the time is up. Blocks the calling thread, and holds neither a lock nor a connection while it sleeps.
    ///
    /// It looks at SQLite's change counter of the file every 25 ms at the latest, and at the request only where some
    /// process has committed since.
    ///
    /// # Errors
    /// `not_found` where there is no request of this id; `locked` where the vault is locked meanwhile.
    pub fn wait(&self, id: &str, timeout: Duration) -> Result<Approval> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut seen = None;
        let mut last: Option<Approval> = None;
        loop {
            // Read before the request: what is committed in between shows at the next look.
            let counter = self.engine.change_counter()?;
            let current = match last.take() {
                Some(last) if counter.is_some() && counter == seen => {
                    last.at(self.engine.clock_ms())
                }
                _ => self.get(id)?,
            };
            seen = counter;
            let left = timeout.saturating_sub(start.elapsed());
            if current.state != ApprovalState::Pending || left.is_zero() {
                return Ok(current);
            }
            last = Some(current);
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }
}
