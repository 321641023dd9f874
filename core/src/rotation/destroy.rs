//! Destroying the keys that a rotation has left behind.

use std::sync::Arc;
use std::time::Duration;

use super::begin::payload;
use super::job::Job;
use super::kind::{Rotation, RotationKind};
use crate::audit::{Entry, append};
use crate::db::Conn;
use crate::error::{Result, fail};
use crate::keys::{KeyInfo, KeyState};
use crate::table::ReadSession;
use crate::table::engine::{Engine, State};
use crate::table::look::LOOKS_EVERY;
use crate::table::reseal::keys_used;
use crate::table::reseal_own::OWN;
use crate::table::session::Session;
use crate::token;

/// Destroys the retired keys that a rotation has replaced; their ids. The caller overwrites what is left of them.
pub(crate) fn destroy_retired(
    engine: &Arc<Engine>,
    rotation: &Rotation,
    fields_resealed: bool,
) -> Result<Vec<u32>> {
    rotation.check()?;
    if rotation.kind() == RotationKind::Audit {
        fail!(Refused, "retired audit keys verify old entries and checkpoints: they stay");
    }
    let has_fields = matches!(rotation.kind(), RotationKind::Data | RotationKind::Index);
    if has_fields && !fields_resealed {
        fail!(
            Refused,
            "the engine can't see single values (fields) in other databases: seal and index them anew first, and say so"
        );
    }
    let retired = check_unused(engine, rotation)?;
    let Some(newest) = retired.iter().map(|key| key.changed_at).max() else {
        return Ok(Vec::new());
    };
    if has_fields {
        wait_for_fields(newest);
    }
    let ids: Vec<u32> = retired.iter().map(|key| key.id).collect();
    Session::run(engine, |session| {
        let (conn, state) = (session.conn(), session.state());
        state.ring.check(conn)?;
        check_finished(conn, &state, rotation)?;
        session.mark_erasure()?;
        session.destroy_keys(&ids)?;
        let payload = payload(rotation, &[("keys", ids.clone().into())]);
        let mut entry = Entry::new("key.destroyed").json(payload);
        entry.tenant = rotation.tenant().map(str::to_owned);
        append(session, &entry)
    })?;
    Ok(ids)
}

/// The retired keys, none of which anything is under. From the switch on nobody writes under them, so that what is not
/// there now will not be: no lock is held.
fn check_unused(engine: &Arc<Engine>, rotation: &Rotation) -> Result<Vec<KeyInfo>> {
    let session = ReadSession::begin(engine)?;
    let (conn, state) = (&session.conn, &session.state);
    let keys = state.ring.list_where(conn, |key| {
        key.purpose == rotation.kind().purpose()
            && key.tenant.as_deref() == rotation.tenant()
            && key.state == KeyState::Retired
    })?;
    if keys.is_empty() {
        return Ok(keys);
    }
    check_finished(conn, state, rotation)?;
    match rotation.kind() {
        RotationKind::Data => check_records(conn, state, &keys)?,
        RotationKind::Token => {
            let newest = keys.iter().map(|key| key.id).max().unwrap_or(0);
            let since = newest.saturating_add(1);
            let left = token::left_under(engine, conn, state, rotation.tenant(), since)?;
            if left > 0 {
                fail!(
                    Refused,
                    "{left} valid tokens are still under a retired pepper: wait, or revoke them"
                );
            }
        }
        RotationKind::Index | RotationKind::Audit => {}
    }
    Ok(keys)
}

fn check_finished(conn: &Conn, state: &State, rotation: &Rotation) -> Result<()> {
    let active = state.ring.active(conn, rotation.owner())?;
    let job = Job::read(conn, state, rotation)?;
    let is_done = job.is_some_and(|job| {
        job.finished_at.is_some() && active.is_some_and(|active| active.id() == job.new_key)
    });
    if is_done || rotation.kind() == RotationKind::Token {
        return Ok(());
    }
    fail!(Refused, "the rotation of {rotation} has not finished: go on with it first");
}

fn check_records(conn: &Conn, state: &State, keys: &[KeyInfo]) -> Result<()> {
    let mut tables: Vec<(&str, &str)> = OWN.map(|table| (table, table)).to_vec();
    tables.extend(state.tables.values().map(|s| (s.name(), s.sql.physical.as_str())));
    tables.sort_unstable();
    for (table, physical) in tables {
        let used = keys_used(conn, physical)?;
        if let Some(key) = keys.iter().find(|key| used.contains(&key.id)) {
            fail!(
                Refused,
                "table {table} has records under key {}: go on with the rotation",
                key.id
            );
        }
    }
    Ok(())
}

/// A process that seals single values, and nothing else, learns of the new key at its next look.
fn wait_for_fields(changed_at: i64) {
    let since = crate::keys::now().saturating_sub(changed_at);
    // In whole seconds, and whatever the clock does, no longer than this.
    if since < 2 {
        std::thread::sleep(Duration::from_secs(1) + 2 * LOOKS_EVERY);
    }
}
