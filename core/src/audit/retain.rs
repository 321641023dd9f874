//! Retention: dropping the oldest entries, after the trail itself has recorded where it went on.

use super::append::append;
use super::chain::Link;
use super::entry::{Entry, Event};
use super::{BASE_TABLE, TABLE};
use crate::db::Conn;
use crate::error::{Result, err, fail};
use crate::table::engine::State;
use crate::table::session::Session;
use crate::table::{Column, TableDefinition, Target, define, get_one, last_row, put_row};
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
/// `audit.retained` records it.
pub(super) fn retain(session: &Session, through: i64) -> Result<i64> {
    if session.state().table(BASE_TABLE).is_err() {
        define::define_internal(session, &definition())?;
    }
    let state = session.state();
    let first = Base::read(session.conn(), &state)?.map_or(1, |base| base.through + 1);
    let through = through.min(first.saturating_add(MOST - 1));
    if through < first {
        return Ok(first - 1);
    }
    let target = Target { name: TABLE, tenant: None };
    let Some((set, _)) = get_one(session.conn(), &state, target, IdRef::Integer(through))? else {
        fail!(NotFound, "the audit trail has no entry {through}");
    };
    let link = set
        .into_rows()
        .pop()
        .map(Event::new)
        .and_then(|event| Link::try_from(event.blob("chain")).ok());
    let Some(link) = link else { fail!(Corrupt, "a link of the audit chain is damaged") };
    append(
        session,
        &Entry::new("audit.retained")
            .payload(format!("{{\"from\":{first},\"through\":{through}}}")),
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
