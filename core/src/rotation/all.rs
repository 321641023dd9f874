//! Rotating everything that there is.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::begin::begin;
use super::kind::{Rotation, RotationKind};
use super::run::{patient, run};
use super::status::{RotationState, RotationStatus, status};
use crate::error::Result;
use crate::keys::ring::Purpose;
use crate::keys::{KeyInfo, KeyState};
use crate::table::engine::Engine;

/// Every rotation that there is a key for: the trail's, and then the vault's own and the tenants', in the order of their
/// names.
pub(crate) fn everything(engine: &Arc<Engine>) -> Result<Vec<Rotation>> {
    let active = engine.read(|conn, state| {
        let is_active = |key: &KeyInfo| key.state == KeyState::Active && key.subject.is_none();
        state.ring.list_where(conn, is_active)
    })?;
    let owned: BTreeSet<(Option<&str>, RotationKind)> = active
        .iter()
        .filter_map(|key| {
            let kind = match key.purpose {
                Purpose::Audit => RotationKind::Audit,
                // Goes first: its pass takes what the data key's would do with it.
                Purpose::Index => RotationKind::Index,
                Purpose::Data => RotationKind::Data,
                Purpose::Token => RotationKind::Token,
                Purpose::Lookup => return None,
            };
            Some((key.tenant.as_deref(), kind))
        })
        .collect();
    let mut all: Vec<Rotation> =
        owned.into_iter().map(|(tenant, kind)| Rotation::new(kind, tenant)).collect();
    let order = |rotation: &Rotation| match rotation.kind() {
        RotationKind::Audit => 0,
        RotationKind::Index => 1,
        RotationKind::Data => 2,
        RotationKind::Token => 3,
    };
    all.sort_by(|a, b| (a.tenant(), order(a)).cmp(&(b.tenant(), order(b))));
    Ok(all)
}

/// Rotates everything, until `go_on` says no; how each that has begun stands then, and whether nothing is left to do.
pub(crate) fn run_all(
    engine: &Arc<Engine>,
    go_on: &mut dyn FnMut(&RotationStatus) -> bool,
) -> Result<(Vec<RotationStatus>, bool)> {
    let all = everything(engine)?;
    let mut done = Vec::with_capacity(all.len());
    for rotation in &all {
        if rotation.kind() == RotationKind::Index {
            // Begun before the pass that serves both.
            let data = Rotation::data(rotation.tenant());
            let before = status(engine, &data)?;
            let is_running = before.is_some_and(|before| before.state != RotationState::Finished);
            if all.contains(&data) && !is_running {
                patient(|| begin(engine, &data))?;
            }
        }
        let mut stopped = false;
        let now = run(engine, rotation, &mut |status| {
            stopped = !go_on(status);
            !stopped
        })?;
        let is_running = now.state == RotationState::Running;
        done.push(now);
        // Where everything is done, there is nothing to stop.
        if stopped && (is_running || done.len() < all.len()) {
            return Ok((done, false));
        }
    }
    Ok((done, true))
}
