//! Erasing: batches, and the transaction after which there is nothing left.

use std::sync::Arc;
use std::time::Instant;

use super::Whom;
use super::job::{Job, running};
use super::receipt::ErasureReceipt;
use super::rows::delete_some;
use crate::audit::{Entry, append_for};
use crate::error::{ErrorKind, Result, fail};
use crate::keys::KeyState;
use crate::keys::ring::{Owner, Purpose};
use crate::secret::WipedText;
use crate::table::engine::Engine;
use crate::table::session::Session;
use crate::{approval, quota, token};

/// Rows of a tenant deleted in one transaction: others wait no longer than that.
const BATCH_ROWS: usize = 500;

/// Erases a subject or a tenant to the end, or goes on where a call before was interrupted. Of one that has been erased the
/// receipt is made again.
pub(crate) fn erase(engine: &Arc<Engine>, whom: Whom<'_>) -> Result<ErasureReceipt> {
    whom.check()?;
    loop {
        let started = Instant::now();
        if let Some(receipt) = Session::run(engine, |session| step(session, whom))? {
            return Ok(receipt);
        }
        if !engine.pool.is_memory() {
            // SQLite has no queue: another process that waits for the lock polls, and must find it free at times.
            std::thread::sleep(started.elapsed() / 4);
        }
    }
}

/// Goes on with the erasures that a crash has interrupted.
pub(crate) fn resume(engine: &Arc<Engine>) -> Result<()> {
    for (tenant, subject) in running(engine)? {
        erase(engine, Whom { tenant: tenant.as_deref(), subject: subject.as_deref() })?;
    }
    Ok(())
}

/// One transaction: a batch of rows, or all that is left. The receipt at the end.
fn step(session: &Session, whom: Whom<'_>) -> Result<Option<ErasureReceipt>> {
    let mut job = Job::of(session, whom)?;
    if !job.is_running {
        return Ok(Some(job.receipt));
    }
    let keys = keys(session, whom)?;
    let (limit, internal) = match whom.subject {
        // What one subject has goes at once: it is there as a whole, or not at all.
        Some(subject) => (usize::MAX, of_subject(session, whom.tenant, subject)?),
        None => (BATCH_ROWS, 0),
    };
    let deleted = delete_some(session, whom, &keys, limit.min(i64::MAX as usize))?;
    job.receipt.rows += deleted.rows;
    job.receipt.internal += deleted.internal + internal;
    if deleted.rows + deleted.internal >= limit as u64 {
        session.mark_erasure()?;
        job.save(session)?;
        return Ok(None);
    }
    if keys.is_empty() && job.receipt.rows + job.receipt.internal == 0 {
        let what = if whom.subject.is_some() { "subject" } else { "tenant" };
        fail!(NotFound, "the vault has nothing of this {what}");
    }
    finish(session, whom, job, keys).map(Some)
}

/// The end: quotas and keys go, and the trail tells.
fn finish(
    session: &Session,
    whom: Whom<'_>,
    mut job: Job,
    mut keys: Vec<u32>,
) -> Result<ErasureReceipt> {
    if let (Some(tenant), None) = (whom.tenant, whom.subject) {
        job.receipt.internal += quota::erase_tenant(session, tenant)?;
    }
    if keys.is_empty() {
        // What is left of a key is what refuses the name from now on.
        session.sealing_key(whom.tenant, whom.subject)?;
        keys = self::keys(session, whom)?;
    }
    session.destroy_keys(&keys)?;
    let receipt = &mut job.receipt;
    receipt.at = session.clock_ms();
    receipt.keys = keys.len() as u64;
    let event = if whom.subject.is_some() { "subject.erased" } else { "tenant.erased" };
    let payload = serde_json::json!({
        "rows": receipt.rows, "internal": receipt.internal, "keys": receipt.keys,
    });
    let mut entry = Entry::new(event).json(payload);
    entry.subject = whom.subject.map(WipedText::new);
    receipt.audit_seq = append_for(session, &entry, whom.tenant)?;
    session.mark_erasure()?;
    job.is_running = false;
    job.save(session)?;
    job.receipt.seal(session.conn(), &session.state())?;
    Ok(job.receipt)
}

/// The ids of the keys that are still there. Every row of the table of keys is authenticated before any is destroyed.
fn keys(session: &Session, whom: Whom<'_>) -> Result<Vec<u32>> {
    let (conn, state) = (session.conn(), session.state());
    let all = if whom.subject.is_some() {
        state.ring.check(conn)?;
        let owner = Owner { purpose: Purpose::Data, tenant: whom.tenant, subject: whom.subject };
        state.ring.keys_of(conn, owner)?
    } else {
        state.ring.list_where(conn, |key| key.tenant.as_deref() == whom.tenant)?
    };
    let there = all.iter().filter(|key| key.state != KeyState::Destroyed);
    Ok(there.map(|key| key.id).collect())
}

/// Deletes what the engine itself keeps of a subject; how many rows.
fn of_subject(session: &Session, tenant: Option<&str>, subject: &str) -> Result<u64> {
    let none = |error: crate::Error| match error.kind() {
        // Nothing was ever issued or asked for.
        ErrorKind::NotFound => Ok(0),
        _ => Err(error),
    };
    let tokens = token::erase_subject(session, tenant, subject).or_else(none)?;
    let approvals = approval::erase_subject(session, tenant, subject).or_else(none)?;
    Ok(tokens + approvals)
}
