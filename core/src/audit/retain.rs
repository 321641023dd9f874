//! Retention: dropping the oldest entries, after the trail itself has recorded where it went on.

use super::append::{link_of, note};
use super::chain::Link;
use super::checkpoint::Checkpoint;
use super::keys::Keys;
use super::verify::Walk;
use super::{BASE_TABLE, TABLE};
use crate::db::Conn;
use crate::error::{Result, err, fail};
use crate::table::engine::State;
use crate::table::session::Session;
use crate::table::{Column, TableDefinition, Target, define, last_row, put_row};
use crate::value::{IdRef, Type, ValueRef};

/// Entries deleted in one transaction, at most.
const MOST: i64 = 10_000;

/// Where the chain goes on after entries were dropped.
pub(super) struct Base {
    /// The last entry that was dropped.
    pub(super) through: i64,
    pub(super) link: Link,
}

/// The internal table of the base: one row.
fn definition() -> TableDefinition {
    TableDefinition::new(BASE_TABLE)
        .column(Column::new("through", Type::Integer).authenticated().not_null())
        .column(Column::blob("link").authenticated().not_null())
}

impl Base {
    pub(super) fn read(conn: &Conn, state: &State) -> Result<Option<Self>> {
        if state.table(BASE_TABLE).is_err() {
            return Ok(None);
        }
        let target = Target { name: BASE_TABLE, tenant: None };
        let Some(row) = last_row(conn, state, target)? else { return Ok(None) };
        let damaged = || err!(Corrupt, "the base of the audit trail is damaged");
        let through = row.get("through")?.as_i64().ok_or_else(damaged)?;
        let link = row.get("link")?.as_bytes().and_then(|b| Link::try_from(b).ok());
        Ok(Some(Base { through, link: link.ok_or_else(damaged)? }))
    }
}

/// Drops entries up to and including `through`, at most 10,000 in one call; the last one dropped. An entry
/// `audit.retained` records it with a checkpoint that closes the range. What does not verify is not dropped: what shows
/// that would go with it.
pub(super) fn retain(session: &Session, through: i64) -> Result<i64> {
    if session.state().table(BASE_TABLE).is_err() {
        define::define_internal(session, &definition())?;
    }
    let state = session.state();
    let base = Base::read(session.conn(), &state)?;
    let first = base.as_ref().map_or(1, |base| base.through + 1);
    let through = through.min(first.saturating_add(MOST - 1));
    if through < first {
        return Ok(first - 1);
    }
    let keys = Keys::active(session.conn(), &state)?;
    let walk = Walk::behind(base.as_ref());
    let link = closing_link(session.conn(), &state, walk, (first, through))?;
    let now = session.clock_ms();
    let closing = Checkpoint::make(&keys, state.ring.vault(), through, now, link);
    note(
        session,
        "audit.retained",
        serde_json::json!({"from": first, "through": through, "checkpoint": closing.text()}),
    )?;
    let base = Target { name: BASE_TABLE, tenant: None };
    put_row(
        session,
        base,
        IdRef::Integer(1),
        &[ValueRef::Integer(through), ValueRef::Blob(&link)],
    )?;
    let physical = &state.table(TABLE)?.sql.physical;
    session.conn().execute(
        &format!("DELETE FROM {physical} WHERE seq BETWEEN ? AND ?"),
        &[ValueRef::Integer(first), ValueRef::Integer(through)],
    )?;
    Ok(through)
}

/// The link of the last of some entries, all of them verified.
fn closing_link(
    conn: &Conn,
    state: &State,
    mut walk: Walk<'_>,
    (first, through): (i64, i64),
) -> Result<Link> {
    let (mut from, mut closing) = (Some(first), None);
    while let Some(at) = from.filter(|at| *at <= through) {
        from = walk.batch(conn, state, at, &mut |event| {
            if event.seq() == through {
                closing = link_of(event).ok();
            }
        })?;
    }
    if walk.expected <= through {
        fail!(NotFound, "the audit trail has no entry {through}");
    }
    match closing {
        Some(link) if walk.report.is_sound() => Ok(link),
        _ => fail!(
            AuthenticationFailed,
            "the audit trail is not sound, and nothing was dropped: verify it"
        ),
    }
}
