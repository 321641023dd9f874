//! The places that a rotation goes through: the engine's own records first, then one table after the other in the order of
//! their surrogate ids. A place is a number, so that a table that is made, renamed or dropped meanwhile disturbs nothing.

use std::sync::Arc;

use super::job::Job;
use super::kind::{Rotation, RotationKind};
use crate::db::Conn;
use crate::error::Result;
use crate::table::engine::State;
use crate::table::reseal::{Outdated, count, first};
use crate::table::reseal_own::count_own;
use crate::table::schema::Schema;
use crate::table::subject::Whose;

/// The beginning: the engine's own records. Tables stand at their surrogate ids.
pub(super) const START: (i64, i64) = (0, i64::MIN);

/// The tables that a rotation goes through, in their order.
pub(super) fn tables<'s>(state: &'s State, rotation: &Rotation) -> Vec<&'s Arc<Schema>> {
    let concerns = |schema: &&Arc<Schema>| match rotation.kind() {
        // Entries of the trail are under the keys of subjects of any tenant.
        RotationKind::Data => {
            schema.stored.per_tenant == rotation.tenant().is_some()
                || schema.stored.subject == Some(Whose::Key)
        }
        RotationKind::Index => {
            schema.stored.per_tenant == rotation.tenant().is_some()
                && !schema.write.indexed.is_empty()
        }
        RotationKind::Token | RotationKind::Audit => false,
    };
    let mut tables: Vec<_> = state.tables.values().filter(concerns).collect();
    tables.sort_by_key(|schema| schema.stored.id);
    tables
}

/// True where the rotation concerns the catalog and the high-water marks.
pub(super) fn has_own(rotation: &Rotation) -> bool {
    rotation.kind() == RotationKind::Data && rotation.tenant().is_none()
}

/// Which rows a rotation seals anew. An index key's goes through every row, and takes what a data key's would do with it:
/// one pass serves both.
pub(super) fn outdated<'r>(conn: &Conn, state: &State, job: &'r Job) -> Result<Outdated<'r>> {
    let tenant = job.rotation.tenant();
    if job.rotation.kind() == RotationKind::Data {
        return Ok(Outdated::Key { tenant, since: job.new_key });
    }
    let data = Job::read(conn, state, &Rotation::data(tenant))?;
    let data = data.filter(|data| data.finished_at.is_none());
    Ok(Outdated::Index { tenant, since: data.map_or(0, |data| data.new_key) })
}

/// The first place from `at` on where something is left to do. Reads, for as long as that takes; the lock is not held.
pub(super) fn next(
    conn: &Conn,
    state: &State,
    job: &Job,
    at: (i64, i64),
) -> Result<Option<(i64, i64)>> {
    let outdated = outdated(conn, state, job)?;
    if at.0 <= START.0 && has_own(&job.rotation) && count_own(conn, job.new_key)? > 0 {
        return Ok(Some(START));
    }
    for schema in tables(state, &job.rotation) {
        let place = i64::from(schema.stored.id);
        if place < at.0 {
            continue;
        }
        let from = if place == at.0 { at.1 } else { i64::MIN };
        if let Some(row) = first(conn, state, schema, outdated, from)? {
            return Ok(Some((place, row)));
        }
    }
    Ok(None)
}

/// What there is to do, by table.
pub(super) fn counts(
    conn: &Conn,
    state: &State,
    rotation: &Rotation,
    outdated: Outdated<'_>,
) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    if let Outdated::Key { since, .. } = outdated
        && has_own(rotation)
    {
        found.push((CATALOG.to_owned(), count_own(conn, since)?));
    }
    for schema in tables(state, rotation) {
        found.push((schema.name().to_owned(), count(conn, state, schema, outdated)?));
    }
    found.retain(|(_, count)| *count > 0);
    Ok(found)
}

/// What the catalog and the high-water marks are called together.
const CATALOG: &str = "sealite_catalog";
