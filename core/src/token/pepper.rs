//! Tokens under a pepper that has been rotated: each is hashed under the new one when it is next presented.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::definition::{column, tokens};
use super::issued::id_bytes;
use super::presented::Presented;
use super::revoke::revoke_one;
use super::store::{Found, Store, View};
use crate::db::Conn;
use crate::error::{Result, err};
use crate::keys::ring::Key;
use crate::table::engine::{Engine, State};
use crate::table::session::Session;
use crate::value::ValueRef;

/// Tokens revoked in one transaction.
const REVOKED_AT_ONCE: usize = 200;

impl Found {
    /// True where the token is to be hashed anew: it is under a retired pepper or, made elsewhere, has the hash that it came
    /// with. One that has been rotated stays: its successor is derived under the same key.
    pub(super) fn is_outdated(&self, presented: &Presented<'_>) -> bool {
        let is_foreign = matches!(presented, Presented::Foreign(..));
        let is_digest = is_foreign && self.token.integer(column::SCHEME) == Some(2);
        is_digest || self.key.is_retired() && self.token.rotated_at().is_none()
    }
}

impl Store<'_> {
    /// The pepper that new hashes are made with.
    pub(super) fn active_key(&self) -> Result<Arc<Key>> {
        let key = self.view(|view| view.state.ring.token_key(view.conn, view.tenant))?;
        key.ok_or_else(|| err!(Internal, "tokens without their key"))
    }
}

/// Hashes a token that was presented under the active pepper, and notes its use.
pub(super) fn rehash(
    store: Store<'_>,
    id: &str,
    presented: &Presented<'_>,
    now: i64,
) -> Result<()> {
    let bytes = id_bytes(id).ok_or_else(|| err!(Internal, "an id that is none"))?;
    let used = (column::LAST_USED_AT, ValueRef::Integer(now));
    let token = store.view(|view| view.get(id))?;
    if token.is_some_and(|token| token.rotated_at().is_some()) {
        // Meanwhile.
        return store.change(id, &[used]).map(|_| ());
    }
    let key = store.active_key()?;
    let (pepper, of) = (key.pepper(store.tenant)?, presented.hashed());
    let changes = [
        (column::HASH, ValueRef::Blob(&pepper.hash(&bytes, of))),
        (column::SCHEME, ValueRef::from(u32::from(of.scheme()))),
        (column::KEY, ValueRef::from(pepper.id)),
        used,
    ];
    store.change(id, &changes).map(|_| ())
}

/// The table that holds the tokens of a tenant, or of the vault itself.
pub(crate) fn table_of(tenant: Option<&str>) -> &'static str {
    let [own, of_tenants] = super::definition::TABLES;
    if tenant.is_some() { of_tenants } else { own }
}

/// How many tokens that may still be of use are under a pepper older than `since`.
pub(crate) fn left_under(
    engine: &Engine,
    conn: &Conn,
    state: &State,
    tenant: Option<&str>,
    since: u32,
) -> Result<u64> {
    let Some(condition) = Condition::new(engine, conn, state, tenant, since)? else { return Ok(0) };
    let sql = format!("SELECT count(*) FROM {}", condition.sql);
    let count = conn.first(&sql, &condition.parameters(), |row| row.integer(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Revokes tokens that are under a pepper older than `since`: at most 200; how many.
pub(crate) fn revoke_under(session: &Session, tenant: Option<&str>, since: u32) -> Result<u64> {
    let store = Store { session, tenant };
    let (conn, state) = (session.conn(), session.state());
    let Some(condition) = Condition::new(session.engine(), conn, &state, tenant, since)? else {
        return Ok(0);
    };
    let sql = format!("SELECT id FROM {} LIMIT {REVOKED_AT_ONCE}", condition.sql);
    let mut ids = Vec::new();
    conn.prepare(&sql)?.each(&condition.parameters(), |row| {
        ids.push(row.text(0)?.to_owned());
        Ok(ControlFlow::Continue(()))
    })?;
    drop(state);
    let now = store.view(|view| view.now())?;
    let mut revoked = 0;
    for id in &ids {
        let Some(token) = store.view(|view| view.get(id))? else { continue };
        if revoke_one(store, &token, now)?.is_none() {
            store.change(id, &[(column::ENDED_AT, ValueRef::Integer(now))])?;
        }
        revoked += 1;
    }
    if revoked > 0 {
        let payload = serde_json::json!({"count": revoked, "reason": "pepper"});
        store.note_about("token.kind_revoked", None, payload)?;
    }
    Ok(revoked)
}

/// The tokens that are under a pepper older than a key, and may still be of use.
struct Condition<'a> {
    sql: String,
    since: u32,
    now: i64,
    tenant: Option<&'a str>,
}

impl<'a> Condition<'a> {
    /// `None` where no token was ever issued.
    fn new(
        engine: &Engine,
        conn: &Conn,
        state: &State,
        tenant: Option<&'a str>,
        since: u32,
    ) -> Result<Option<Self>> {
        let Ok(schema) = state.table(tokens(tenant).name) else { return Ok(None) };
        let now = View { engine, conn, state, tenant, writing: true }.now()?;
        let mine = if tenant.is_some() { " AND tenant = ?3" } else { "" };
        let sql = format!(
            "{} WHERE \"key\" < ?1 AND (ended_at IS NULL OR ended_at > ?2){mine}",
            schema.sql.physical
        );
        Ok(Some(Condition { sql, since, now, tenant }))
    }

    fn parameters(&self) -> Vec<ValueRef<'_>> {
        let mut parameters = vec![ValueRef::from(self.since), ValueRef::Integer(self.now)];
        parameters.extend(self.tenant.map(ValueRef::Text));
        parameters
    }
}
