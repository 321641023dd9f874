//! Between rows and requests, and the audit entries of their changes.

use std::sync::Arc;

use super::request::{Approval, ApprovalState};
use super::{TABLE, TENANT_TABLE, definition};
use crate::audit::{Entry, append};
use crate::crypto::random;
use crate::error::{ErrorKind, Result, err};
use crate::keys::seal::no_randomness;
use crate::secret::WipedText;
use crate::table::session::Session;
use crate::table::{Row, Source, Table, define, due};
use crate::value::{Id, IdRef, ValueRef};

/// Rows that do not open, at most, behind which others are still settled.
const PASSED_OVER: usize = 100;

/// The table that holds the approvals of a tenant, or of the vault itself.
pub(super) fn table_name(tenant: Option<&Arc<str>>) -> &'static str {
    if tenant.is_some() { TENANT_TABLE } else { TABLE }
}

/// The table within a transaction; declared where it is the first use.
pub(super) fn table<'s>(session: &'s Session, tenant: Option<&Arc<str>>) -> Result<Table<'s>> {
    let name = table_name(tenant);
    if session.state().table(name).is_err() {
        define::define_internal(session, &definition(tenant.is_some()))?;
    }
    Ok(Table::new(Source::Session(session), name, tenant.cloned()))
}

/// A request from its row.
pub(super) fn approval(row: &Row) -> Result<Approval> {
    let damaged = || err!(Corrupt, "an approval's row opens and does not read");
    let text = |column| Ok::<_, crate::Error>(row.get(column)?.as_str().map(str::to_owned));
    let required = |column| text(column)?.ok_or_else(damaged);
    let IdRef::Text(id) = row.id() else { return Err(damaged()) };
    let hash = row.get("payload_hash")?.as_bytes().and_then(|bytes| bytes.try_into().ok());
    let roles = serde_json::from_str(row.text("allowed_roles")?);
    Ok(Approval {
        id: id.to_owned(),
        action: required("action")?,
        payload_hash: hash.ok_or_else(damaged)?,
        requester: required("requester")?,
        subject: text("subject")?,
        session: text("session")?,
        state: ApprovalState::from_name(row.text("state")?).ok_or_else(damaged)?,
        exclude_requester: row.get("exclude_requester")?.as_bool().ok_or_else(damaged)?,
        allowed_roles: roles.map_err(|_| damaged())?,
        created_at: row.get("created_at")?.as_i64().ok_or_else(damaged)?,
        expires_at: row.get("expires_at")?.as_i64().ok_or_else(damaged)?,
        keep_ms: row.get("keep_ms")?.as_i64().ok_or_else(damaged)?,
        due: row.get("due")?.as_i64().ok_or_else(damaged)?,
        approver: text("approver")?,
        role: text("role")?,
        reason: text("reason")?,
        decided_at: row.get("decided_at")?.as_i64(),
        executed_at: row.get("executed_at")?.as_i64(),
    })
}

impl Approval {
    /// True where its time is up. A clock that was set back behind the last change counts as that time.
    pub(super) fn is_overdue(&self, now: i64) -> bool {
        let latest = self.created_at.max(self.decided_at.unwrap_or(0));
        self.state.is_open() && now.max(latest) >= self.expires_at
    }

    /// When it is removed, where it ends now.
    pub(super) fn removed_at(&self, now: i64) -> i64 {
        now.saturating_add(self.keep_ms)
    }

    /// As it stands at that time: one that is overdue has expired, whether or not that is written down.
    pub(super) fn at(mut self, now: i64) -> Self {
        if self.is_overdue(now) {
            self.state = ApprovalState::Expired;
        }
        self
    }
}

/// Writes the entry of a change into the audit trail, in the transaction of the change.
pub(super) fn record(
    session: &Session,
    tenant: Option<&Arc<str>>,
    event: &str,
    actor: Option<&str>,
    approval: &Approval,
) -> Result<()> {
    let payload = serde_json::json!({
        "id": approval.id,
        "action": approval.action,
        "payload_sha256": approval.payload_hash_hex(),
        "session": approval.session,
        "role": approval.role,
    });
    let mut entry = Entry::new(event).json(payload);
    entry.actor = actor.map(WipedText::new);
    entry.subject = approval.subject.as_deref().map(WipedText::new);
    entry.tenant = tenant.map(ToString::to_string);
    append(session, &entry).map(|_| ())
}

/// Writes down that a request has expired.
pub(super) fn expire(
    session: &Session,
    tenant: Option<&Arc<str>>,
    approval: &mut Approval,
) -> Result<()> {
    approval.state = ApprovalState::Expired;
    approval.due = approval.removed_at(session.clock_ms());
    let changes = [
        ("state", ValueRef::Text(approval.state.name())),
        ("due", ValueRef::Integer(approval.due)),
    ];
    table(session, tenant)?.update(approval.id.as_str(), &changes)?;
    record(session, tenant, "approval.expired", None, approval)
}

/// Does what time asks for at most `limit` requests of one table, and says for how many: those that are overdue expire,
/// those that were kept long enough after their end are removed. A row that does not open is left for `verify` to
/// report: it must not stop others.
pub(super) fn settle_due(session: &Session, table_name: &str, limit: usize) -> Result<usize> {
    let now = session.clock_ms();
    let state = session.state();
    if state.table(table_name).is_err() {
        return Ok(0);
    }
    let mut settled = 0;
    for (tenant, id) in due(session.conn(), &state, table_name, "due", now, limit + PASSED_OVER)? {
        if settled == limit {
            break;
        }
        let tenant: Option<Arc<str>> = tenant.map(Arc::from);
        let Id::Text(id) = id else { continue };
        let row = match table(session, tenant.as_ref())?.get(id.as_str()) {
            Ok(Some(row)) => row,
            Ok(None) => continue,
            Err(error) if is_of_the_row(error.kind()) => continue,
            Err(error) => return Err(error),
        };
        let mut found = approval(&row)?;
        if found.is_overdue(now) {
            expire(session, tenant.as_ref(), &mut found)?;
        } else if !found.state.is_open() && found.due <= now {
            table(session, tenant.as_ref())?.delete(id.as_str())?;
        } else {
            continue;
        }
        settled += 1;
    }
    Ok(settled)
}

fn is_of_the_row(kind: ErrorKind) -> bool {
    use ErrorKind as E;
    matches!(kind, E::AuthenticationFailed | E::UnknownKey | E::DestroyedKey | E::Corrupt)
}

/// 128 random bits in base32 (RFC 4648, section 6, lower case), without padding: 26 characters.
pub(super) fn new_id() -> Result<String> {
    let mut bits = [0; 16];
    random::fill(&mut bits).map_err(|_| no_randomness())?;
    Ok(base32(bits))
}

fn base32(bits: [u8; 16]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bits = u128::from_be_bytes(bits);
    // 25 characters of five bits, and one of the three that are left.
    let at = |n: u32| if n < 25 { bits >> (123 - 5 * n) } else { bits << 2 };
    let symbol = |n| ALPHABET.get((at(n) & 31) as usize).map_or('a', |s| char::from(*s));
    (0..26).map(symbol).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_base32_of_rfc_4648() {
        assert_eq!(base32([0; 16]), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(base32([255; 16]), "77777777777777777777777774");
        assert_eq!(base32(*b"foobarfoobarfoob"), "mzxw6ytbojtg633cmfzgm33pmi");
    }
}
