//! A read transaction.

use std::sync::Arc;

use super::engine::{Engine, State};
use crate::db::Lease;
use crate::error::Result;
use crate::metrics::Counters;

/// A read transaction: every read sees the same moment.
pub(crate) struct ReadSession {
    pub(crate) conn: Lease,
    pub(crate) state: Arc<State>,
    pub(super) counters: Arc<Counters>,
}

impl ReadSession {
    pub(crate) fn begin(engine: &Engine) -> Result<Self> {
        engine.counters.checked(Self::begin_on(engine))
    }

    fn begin_on(engine: &Engine) -> Result<Self> {
        engine.state()?;
        let conn = engine.pool.reader()?;
        conn.execute("BEGIN", &[])?;
        // Reading the epoch takes the snapshot, and tells which state belongs to it.
        let state = engine.refresh(&conn)?;
        Ok(ReadSession { conn, state, counters: Arc::clone(&engine.counters) })
    }
}

impl Drop for ReadSession {
    fn drop(&mut self) {
        let _ = self.conn.execute("COMMIT", &[]);
    }
}
