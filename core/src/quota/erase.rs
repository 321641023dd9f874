//! Erasing what a tenant has used.

use super::{TABLE, column};
use crate::error::Result;
use crate::keys::ring::{Owner, Purpose};
use crate::table::session::Session;
use crate::table::{Target, batch, delete};
use crate::value::{Id, ValueRef};

const TARGET: Target<'static> = Target { name: TABLE, tenant: None };

/// Deletes every row of a tenant; how many. Its rows stand under MACs among those of all others: each row is opened.
pub(crate) fn erase_tenant(session: &Session, tenant: &str) -> Result<u64> {
    let (conn, state) = (session.conn(), session.state());
    let key = state.ring.active(conn, Owner::of(Purpose::Lookup, Some(tenant)))?;
    let Some(key) = key.filter(|_| state.table(TABLE).is_ok()) else { return Ok(0) };
    let own = ValueRef::Integer(i64::from(key.id()));
    let (mut gone, mut from) = (0, Some(i64::MIN));
    while let Some(at) = from {
        // One that does not open is left for `verify` to report.
        let (set, last) = batch(conn, &state, TARGET, at, &mut Some(&mut |_, _| ()))?;
        let rows = set.into_rows();
        let ids = rows.iter().filter(|row| row.at(column::KEY) == Some(own));
        let ids: Vec<Id> = ids.map(|row| row.id().to_owned()).collect();
        for id in ids {
            gone += u64::from(delete(session, TARGET, id.as_ref())?);
        }
        from = last.and_then(|last| last.checked_add(1));
    }
    Ok(gone)
}
