//! What is said of a rotation.

use std::sync::Arc;
use std::time::Duration;

use super::job::Job;
use super::kind::{Rotation, RotationKind};
use crate::error::Result;
use crate::table::ReadSession;
use crate::table::engine::Engine;
use crate::token;

/// What a rotation would do: see [`crate::Keys::plan`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RotationPlan {
    /// The rotation.
    pub rotation: Rotation,
    /// The id of the key that is active now.
    pub key: u32,
    /// Records to be sealed anew or, of the pepper, tokens that are valid; none of the audit trail, which just goes on.
    pub records: u64,
    /// The same by table, the engine's own included; tables without any are left out.
    pub tables: Vec<(String, u64)>,
    /// About how long it takes on a machine of today, while others write; nothing for what needs no pass.
    pub estimate: Duration,
}

/// How far a rotation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RotationState {
    /// Records are still under the old key.
    Running,
    /// Tokens are still hashed under the old pepper: each is moved when it is next presented.
    Waiting,
    /// Everything is under the new key.
    Finished,
}

/// How a rotation stands.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RotationStatus {
    /// The rotation.
    pub rotation: Rotation,
    /// How far it is.
    pub state: RotationState,
    /// The id of the key before, and of the one that everything is brought under.
    pub old_key: u32,
    /// See `old_key`.
    pub new_key: u32,
    /// Records that are done with. May go beyond `total`, which was counted at the beginning.
    pub done: u64,
    /// See `done`.
    pub total: u64,
    /// Records that were sealed anew; of the pepper, tokens that are valid and left under the old one.
    pub moved: u64,
    /// Valid tokens under an older pepper; 0 of any other kind.
    pub left: u64,
    /// When it began, in milliseconds since 1970.
    pub started_at: i64,
    /// When it finished.
    pub finished_at: Option<i64>,
    /// How long its steps have still to work, as far as can be told from those before.
    pub remaining: Option<Duration>,
}

impl RotationState {
    /// The name: `running`, `waiting` or `finished`.
    pub fn name(self) -> &'static str {
        match self {
            RotationState::Running => "running",
            RotationState::Waiting => "waiting",
            RotationState::Finished => "finished",
        }
    }
}

/// How the last rotation of a key stands; `None` where there was none.
pub(crate) fn status(engine: &Arc<Engine>, rotation: &Rotation) -> Result<Option<RotationStatus>> {
    rotation.check()?;
    let job = {
        let session = ReadSession::begin(engine)?;
        Job::read(&session.conn, &session.state, rotation)?
    };
    job.map(|job| of_job(engine, job)).transpose()
}

/// How the last rotation of each key stands, in the order of their beginning.
pub(crate) fn statuses(engine: &Arc<Engine>) -> Result<Vec<RotationStatus>> {
    let jobs = {
        let session = ReadSession::begin(engine)?;
        Job::all(&session.conn, &session.state)?
    };
    jobs.into_iter().map(|job| of_job(engine, job)).collect()
}

pub(super) fn of_job(engine: &Arc<Engine>, job: Job) -> Result<RotationStatus> {
    let left = if job.rotation.kind() == RotationKind::Token && job.finished_at.is_none() {
        let session = ReadSession::begin(engine)?;
        let (conn, state) = (&session.conn, &session.state);
        token::left_under(engine, conn, state, job.rotation.tenant(), job.new_key)?
    } else {
        0
    };
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    let (mut done, total) = (count(job.done), count(job.total));
    if job.rotation.kind() == RotationKind::Token {
        done = total.saturating_sub(left);
    }
    let state = match (job.finished_at, job.rotation.kind()) {
        (Some(_), _) => RotationState::Finished,
        (None, RotationKind::Token) if left > 0 => RotationState::Waiting,
        (None, _) => RotationState::Running,
    };
    let remaining = match state {
        RotationState::Finished => Some(Duration::ZERO),
        RotationState::Waiting => None,
        RotationState::Running if done == 0 => None,
        RotationState::Running => {
            let worked = Duration::from_millis(count(job.worked_ms));
            let (left, done) = (total.saturating_sub(done), done.max(1));
            let left = u32::try_from(left).unwrap_or(u32::MAX);
            let done = u32::try_from(done).unwrap_or(u32::MAX);
            worked.saturating_mul(left).checked_div(done)
        }
    };
    Ok(RotationStatus {
        state,
        old_key: job.old_key,
        new_key: job.new_key,
        done,
        total,
        moved: count(job.moved),
        left,
        started_at: job.started_at,
        finished_at: job.finished_at,
        remaining,
        rotation: job.rotation,
    })
}
