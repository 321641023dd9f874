//! A whole rotation: begun where it has not, and stepped to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::begin::begin;
use super::kind::Rotation;
use super::status::{RotationState, RotationStatus, status};
use super::step::step;
use crate::error::{ErrorKind, Result};
use crate::table::engine::Engine;

/// How often in a row a step is tried again that found the lock taken for the whole busy time-out.
const TRIES: usize = 10;

/// Begins the rotation where none is in progress, and goes on until it is finished or waits for tokens. `progress` gets how
/// it stands after every step.
pub(crate) fn run(
    engine: &Arc<Engine>,
    rotation: &Rotation,
    progress: &mut dyn FnMut(&RotationStatus),
) -> Result<RotationStatus> {
    let mut now = match status(engine, rotation)? {
        Some(status) if status.state != RotationState::Finished => status,
        _ => patient(|| begin(engine, rotation))?,
    };
    progress(&now);
    while now.state == RotationState::Running {
        let began = Instant::now();
        now = patient(|| step(engine, rotation))?;
        progress(&now);
        pause(engine, began.elapsed());
    }
    Ok(now)
}

/// SQLite has no queue: another process that waits for the lock polls, and must find it free at times.
fn pause(engine: &Engine, worked: Duration) {
    if !engine.pool.is_memory() {
        std::thread::sleep(worked / 4);
    }
}

pub(super) fn patient<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..TRIES {
        match work() {
            Err(error) if error.kind() == ErrorKind::Busy => {}
            other => return other,
        }
    }
    work()
}
