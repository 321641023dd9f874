//! One step: a batch of records, in one short transaction with the place to go on from.

use std::sync::Arc;
use std::time::Instant;

use super::begin::record;
use super::job::Job;
use super::kind::{Rotation, RotationKind};
use super::place::{START, next, outdated, tables};
use super::status::{RotationStatus, of_job};
use crate::error::{Result, err, fail};
use crate::table::ReadSession;
use crate::table::engine::Engine;
use crate::table::reseal::{Batch, last, reseal};
use crate::table::reseal_own::reseal_own;
use crate::table::session::Session;
use crate::token;

/// How often everything is gone through. After the first time there is nothing left, but in a damaged file.
const PASSES: i64 = 3;

/// Goes on with a rotation by at most 500 records; how it stands then.
pub(crate) fn step(engine: &Arc<Engine>, rotation: &Rotation) -> Result<RotationStatus> {
    let began = Instant::now();
    let (at, is_over) = look(engine, rotation)?;
    let job = Session::run(engine, |session| {
        let state = session.state();
        let job = Job::read(session.conn(), &state, rotation)?;
        let mut job = job.ok_or_else(|| not_begun(rotation))?;
        drop(state);
        if job.finished_at.is_some() {
            return Ok(job);
        }
        match at {
            Some(at) => go_on(session, &mut job, at)?,
            None if is_over => finish(session, &mut job)?,
            None => {}
        }
        let now = session.clock_ms();
        job.changed_at = now;
        let worked = i64::try_from(began.elapsed().as_millis()).unwrap_or(0);
        job.worked_ms = job.worked_ms.saturating_add(worked);
        job.save(session)?;
        Ok(job)
    })?;
    of_job(engine, job)
}

/// Where there is something to do, and whether everything is done.
fn look(engine: &Arc<Engine>, rotation: &Rotation) -> Result<(Option<(i64, i64)>, bool)> {
    rotation.check()?;
    let session = ReadSession::begin(engine)?;
    let (conn, state) = (&session.conn, &session.state);
    let job = Job::read(conn, state, rotation)?.ok_or_else(|| not_begun(rotation))?;
    if job.finished_at.is_some() {
        return Ok((None, true));
    }
    if rotation.kind() == RotationKind::Token {
        let left = token::left_under(engine, conn, state, rotation.tenant(), job.new_key)?;
        return Ok((None, left == 0));
    }
    let mut at = next(conn, state, &job, job.at)?;
    // What the records say by themselves is asked once more at the end.
    if at.is_none() && rotation.kind() == RotationKind::Data {
        at = next(conn, state, &job, START)?;
    }
    Ok((at, at.is_none()))
}

fn go_on(session: &Session, job: &mut Job, at: (i64, i64)) -> Result<()> {
    let state = session.state();
    if at < job.at {
        // Somebody else may have gone on meanwhile; else something old was put back.
        job.passes += 1;
        if job.passes > PASSES {
            fail!(Corrupt, "records of {} keep coming back: verify the vault", job.rotation);
        }
    }
    if at.0 == START.0 {
        let moved = i64::try_from(reseal_own(session, job.new_key)?).unwrap_or(0);
        job.moved += moved;
        job.done += moved;
        job.at = (START.0 + 1, i64::MIN);
        return Ok(());
    }
    let outdated_job = job.clone();
    let outdated = outdated(session.conn(), &state, &outdated_job)?;
    let mut tables = tables(&state, &job.rotation).into_iter();
    let Some(schema) = tables.find(|schema| i64::from(schema.stored.id) == at.0) else {
        // The table has gone meanwhile.
        job.at = (at.0 + 1, i64::MIN);
        return Ok(());
    };
    if job.at.0 != at.0 || job.at.1 == i64::MIN {
        job.until = last(session.conn(), schema)?;
    }
    let Batch { moved, seen, next } = reseal(session, schema.name(), outdated, at.1)?;
    job.moved += i64::try_from(moved).unwrap_or(0);
    job.done += i64::try_from(seen).unwrap_or(0);
    job.at = match next {
        Some(row) if row <= job.until => (at.0, row),
        _ => (at.0 + 1, i64::MIN),
    };
    Ok(())
}

fn finish(session: &Session, job: &mut Job) -> Result<()> {
    job.finished_at = Some(session.clock_ms());
    record(session, "key.rotation_finished", job, &[("records", job.moved.into())])
}

fn not_begun(rotation: &Rotation) -> crate::Error {
    err!(NotFound, "no rotation of {rotation} has begun")
}
