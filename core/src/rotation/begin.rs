//! The beginning: the transaction from which on everything new is under the new key.

use std::sync::Arc;

use super::count::{no_key, plan};
use super::job::Job;
use super::kind::{Rotation, RotationKind};
use super::place::START;
use super::status::{RotationStatus, of_job};
use crate::audit::{Entry, append, note};
use crate::error::{Result, fail};
use crate::table::engine::Engine;
use crate::table::session::Session;

/// Makes the new key, and the job that brings everything over to it.
pub(crate) fn begin(engine: &Arc<Engine>, rotation: &Rotation) -> Result<RotationStatus> {
    // Counting takes as long as it takes, and so comes before the lock.
    let planned = plan(engine, rotation)?;
    let job = Session::run(engine, |session| {
        let (conn, state) = (session.conn(), session.state());
        // Whoever has put an old key back, or hidden one, is found before anything rests on the keys that are there.
        state.ring.check(conn)?;
        let before = Job::read(conn, &state, rotation)?;
        if before.is_some_and(|job| job.finished_at.is_none()) {
            fail!(Conflict, "the rotation of {rotation} has begun already: go on with it");
        }
        if state.ring.active(conn, rotation.owner())?.is_none() {
            return Err(no_key(rotation));
        }
        drop(state);
        if rotation.kind() == RotationKind::Audit {
            // The first entry of a trail is under its first key.
            note(session, "key.retired", payload(rotation, &[]))?;
        }
        let (old_key, new_key) = session.succeed_key(rotation.owner())?;
        let now = session.clock_ms();
        let is_done = rotation.kind() == RotationKind::Audit;
        let job = Job {
            rotation: rotation.clone(),
            old_key,
            new_key,
            started_at: now,
            changed_at: now,
            finished_at: is_done.then_some(now),
            at: START,
            until: 0,
            done: 0,
            total: i64::try_from(planned.records).unwrap_or(i64::MAX),
            moved: 0,
            worked_ms: 0,
            passes: 0,
        };
        job.save(session)?;
        record(session, "key.rotated", &job, &[])?;
        Ok(job)
    })?;
    of_job(engine, job)
}

/// Writes what was done into the trail, for the tenant that it concerns.
pub(super) fn record(
    session: &Session,
    event: &str,
    job: &Job,
    more: &[(&str, serde_json::Value)],
) -> Result<()> {
    let keys = [("old_key", job.old_key.into()), ("new_key", job.new_key.into())];
    let more: Vec<_> = keys.into_iter().chain(more.iter().cloned()).collect();
    let mut entry = Entry::new(event).json(payload(&job.rotation, &more));
    entry.tenant = job.rotation.tenant().map(str::to_owned);
    append(session, &entry).map(|_| ())
}

pub(super) fn payload(
    rotation: &Rotation,
    more: &[(&str, serde_json::Value)],
) -> serde_json::Value {
    let mut payload = serde_json::json!({"purpose": rotation.kind().name()});
    if let Some(map) = payload.as_object_mut() {
        map.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    payload
}
