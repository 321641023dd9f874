//! Erasing and exporting the requests about a subject.

use super::request::Approval;
use super::store::approval;
use super::{TABLE, TENANT_TABLE};
use crate::db::Conn;
use crate::error::Result;
use crate::table::engine::State;
use crate::table::session::Session;
use crate::table::{Row, Target, delete, find};
use crate::value::ValueRef;

/// Deletes every request about a subject, whatever its state; how many.
pub(crate) fn erase_subject(session: &Session, tenant: Option<&str>, subject: &str) -> Result<u64> {
    let state = session.state();
    let target = Target { name: if tenant.is_some() { TENANT_TABLE } else { TABLE }, tenant };
    if state.table(target.name).is_err() {
        return Ok(0);
    }
    let mut gone = 0;
    let found = find(session.conn(), &state, target, "subject", ValueRef::Text(subject))?;
    for row in found.into_rows() {
        gone += u64::from(delete(session, target, row.id())?);
    }
    Ok(gone)
}

/// What the requests about a subject say, as JSON.
pub(crate) fn of_subject(
    conn: &Conn,
    state: &State,
    tenant: Option<&str>,
    subject: &str,
) -> Result<Vec<serde_json::Value>> {
    let target = Target { name: if tenant.is_some() { TENANT_TABLE } else { TABLE }, tenant };
    if state.table(target.name).is_err() {
        return Ok(Vec::new());
    }
    let found = find(conn, state, target, "subject", ValueRef::Text(subject))?;
    let json = |row: &Row| {
        let Approval { id, action, requester, state, created_at, expires_at, .. } = approval(row)?;
        Ok(serde_json::json!({
            "id": id,
            "action": action,
            "requester": requester,
            "state": state.name(),
            "created_at": created_at,
            "expires_at": expires_at,
        }))
    };
    found.into_rows().iter().map(json).collect()
}
