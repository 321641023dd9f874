//! Accepting a clock that was set back.

use std::sync::Arc;

use crate::audit::{Entry, append};
use crate::error::Result;
use crate::keys::table_id;
use crate::table::engine::Engine;
use crate::table::session::Session;

/// Accepts the system's clock as it is.
pub(crate) fn accept_clock(engine: &Arc<Engine>) -> Result<()> {
    Session::run(engine, |session| {
        append(session, &Entry::new("clock.accepted"))?;
        let now = session.clock_ms();
        engine.clock.accept(now);
        session.sequences().set(session.conn(), &session.state().ring, table_id::CLOCK, now)
    })
}
