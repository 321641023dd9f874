//! Reading entries, those of erased subjects among them. Their sealed part is gone with the key of the subject, and with it
//! what authenticated the rest: the chain does so in its place.

use super::TABLE;
use super::append::link_of;
use super::chain::{self, Link, Said};
use super::entry::Event;
use super::keys::Keys;
use super::retain::Base;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::format::record::Record;
use crate::keys::seal::forged;
use crate::table::engine::State;
use crate::table::{Target, batch};
use crate::value::{Id, ValueRef};

pub(super) const TARGET: Target<'static> = Target { name: TABLE, tenant: None };

/// Entries from a place in the chain on, and the place of the last. Those that are not what was written go to `refused`,
/// or end the read with their error where there is nobody to take them.
pub(super) fn entries(
    conn: &Conn,
    state: &State,
    from: i64,
    refused: &mut Option<&mut dyn FnMut(Id, Error)>,
) -> Result<(Vec<Event>, Option<i64>)> {
    let (set, last) = batch(conn, state, TARGET, from, refused)?;
    let mut events = Vec::with_capacity(set.len());
    for row in set.into_rows() {
        let event = Event::new(row);
        match (check(conn, state, &event), &mut *refused) {
            (Ok(()), _) => events.push(event),
            (Err(error), Some(take)) => take(Id::Integer(event.seq()), error),
            (Err(error), None) => return Err(error),
        }
    }
    Ok((events, last))
}

/// Authenticates an entry by the chain, where its subject has been erased: it continues the entry before it, and the key
/// that its record names is of the subject whose key it was written under.
pub(super) fn check(conn: &Conn, state: &State, event: &Event) -> Result<()> {
    if !event.is_erased() {
        return Ok(());
    }
    let refused = || forged(format_args!("entry {} of the audit trail", event.seq()));
    let sql = format!(
        "SELECT e.sealed, p.chain FROM {0} e LEFT JOIN {0} p ON p.seq = e.seq - 1 WHERE e.seq = ?",
        state.table(TABLE)?.sql.physical
    );
    let read = conn.first(&sql, &[ValueRef::Integer(event.seq())], |row| {
        let record = Record::parse(row.blob(0)?).map_err(|_| refused())?;
        Ok((record.key_id, row.get(1)?.as_bytes().and_then(|bytes| Link::try_from(bytes).ok())))
    })?;
    let (named, before) = read.ok_or_else(refused)?;
    let owner = event.owner().and_then(|id| u32::try_from(id).ok()).ok_or_else(refused)?;
    let (named, owner) = (state.ring.data_key(conn, named)?, state.ring.data_key(conn, owner)?);
    let is_its = named.tenant() == owner.tenant() && named.subject() == owner.subject();
    if !is_its || owner.subject().is_none() || owner.tenant() != event.tenant() {
        return Err(refused());
    }
    let key = u32::try_from(event.key()).map_err(|_| refused())?;
    let keys = Keys::of(conn, state, key)?;
    let before = match before {
        Some(link) => link,
        None => first_link(conn, state, event.seq())?.ok_or_else(refused)?,
    };
    let link = chain::link(&keys.chain, &before, &Said::of(event), &mut Vec::new());
    if link_of(event)? == link { Ok(()) } else { Err(refused()) }
}

/// What the first entry that is there continues. Before anything was dropped that is the engine's own, of no subject.
fn first_link(conn: &Conn, state: &State, seq: i64) -> Result<Option<Link>> {
    let base = Base::read(conn, state)?;
    Ok(base.filter(|base| base.through.checked_add(1) == Some(seq)).map(|base| base.link))
}

/// The entry in that place, where it is there.
pub(super) fn entry(conn: &Conn, state: &State, seq: i64) -> Result<Option<Event>> {
    let found = crate::table::get_one(conn, state, TARGET, crate::value::IdRef::Integer(seq))?;
    let Some(row) = found.and_then(|(set, _)| set.into_rows().pop()) else { return Ok(None) };
    let event = Event::new(row);
    check(conn, state, &event)?;
    Ok(Some(event))
}

/// The link of the chain in that place.
pub(super) fn link_at(conn: &Conn, state: &State, seq: i64) -> Result<Option<Link>> {
    if state.table(TABLE).is_err() {
        return Ok(None);
    }
    match Base::read(conn, state)? {
        Some(base) if base.through == seq => Ok(Some(base.link)),
        _ => entry(conn, state, seq)?.as_ref().map(link_of).transpose(),
    }
}
