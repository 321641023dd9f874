//! The handle of approvals.

use std::sync::Arc;
use std::time::Duration;

use super::payload::payload_hash;
use super::request::{Approval, ApprovalRequest, ApprovalState, MAX_REASON, Verdict, check_text};
use super::store::{approval, expire, new_id, record, settle_due, table, table_name};
use super::{TABLE, TENANT_TABLE};
use crate::crypto::mac::ct_eq;
use crate::error::{Error, ErrorKind, Result, err, fail};
use crate::metrics::Counter;
use crate::table::engine::Engine;
use crate::table::session::Session;
use crate::table::{Row, Source, Table};
use crate::value::ValueRef;

/// Requests for approval, of one vault or one tenant: decided once, executed once, whatever the number of processes.
///
/// Every change is a write transaction that first reads what it changes, and writes its entry into the audit trail:
/// `approval.created`, `approval.approved`, `approval.rejected`, `approval.executed`, `approval.expired`, and of what was
/// refused `approval.denied` and `approval.payload_changed`.
#[derive(Clone)]
pub struct Approvals {
    pub(super) engine: Arc<Engine>,
    tenant: Option<Arc<str>>,
}

/// Requests whose time has come that another change settles beside its own, at most.
const SETTLED_BY_A_CHANGE: usize = 4;
/// Requests whose time has come that one transaction of a sweep settles, at most.
const SETTLED_BY_A_SWEEP: usize = 100;

impl Approvals {
    pub(crate) fn new(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Self {
        Approvals { engine: Arc::clone(engine), tenant }
    }

    /// Asks for approval; the id of the request, which no one can guess.
    ///
    /// # Errors
    /// `invalid_input` for an empty or overlong text, an expiry out of range, or a payload that is not JSON with one
    /// meaning (RFC 7493: no name twice in an object, no number beyond 2^53); `limit` for a payload of more than 1 MiB.
    pub fn create(&self, request: &ApprovalRequest) -> Result<String> {
        request.check()?;
        let hash = payload_hash(&request.payload)?;
        let roles = serde_json::to_string(&request.allowed_roles);
        let roles = roles.map_err(|_| err!(Internal, "a list of texts that is no JSON"))?;
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let (expires_in, keep_ms) = (ms(request.expires_in), ms(request.keep_for));
        let id = new_id()?;
        self.run(|session| {
            let now = session.clock_ms();
            let expires_at = now.saturating_add(expires_in);
            if let Some(subject) = &request.subject {
                session.check_subject(self.tenant.as_deref(), subject)?;
            }
            let table = table(session, self.tenant.as_ref())?;
            table.insert(&[
                ("id", ValueRef::Text(&id)),
                ("state", ValueRef::Text(ApprovalState::Pending.name())),
                ("due", ValueRef::Integer(expires_at)),
                ("created_at", ValueRef::Integer(now)),
                ("expires_at", ValueRef::Integer(expires_at)),
                ("keep_ms", ValueRef::Integer(keep_ms)),
                ("action", ValueRef::Text(&request.action)),
                ("payload_hash", ValueRef::Blob(&hash)),
                ("requester", ValueRef::Text(&request.requester)),
                ("subject", ValueRef::from(request.subject.as_deref())),
                ("session", ValueRef::from(request.session.as_deref())),
                ("exclude_requester", ValueRef::Boolean(request.exclude_requester)),
                ("allowed_roles", ValueRef::Json(&roles)),
            ])?;
            let made = require(table.get(id.as_str())?)?;
            self.record(session, "approval.created", Some(&made.requester), &made)?;
            Ok(Ok(()))
        })?;
        self.engine.counters.add(Counter::ApprovalsCreated, 1);
        Ok(id)
    }

    /// The request, as it stands now.
    ///
    /// # Errors
    /// `not_found` where there is none of this id.
    pub fn get(&self, id: &str) -> Result<Approval> {
        let row = known(self.table().get(id), None)?;
        Ok(require(row)?.at(self.engine.clock_ms()))
    }

    /// The requests that wait for a decision, of a subject, of a session, or of both; all of them where neither is
    /// given. In the order in which they were made.
    pub fn list_pending(
        &self,
        subject: Option<&str>,
        session: Option<&str>,
    ) -> Result<Vec<Approval>> {
        let (column, value) = match (subject, session) {
            (Some(subject), _) => ("subject", subject),
            (None, Some(session)) => ("session", session),
            (None, None) => ("state", ApprovalState::Pending.name()),
        };
        let rows = known(self.table().find(column, value), Vec::new())?;
        let now = self.engine.clock_ms();
        let mut found = Vec::new();
        for row in &rows {
            let approval = approval(row)?.at(now);
            let fits = |wanted: Option<&str>, is: &Option<String>| {
                wanted.is_none_or(|wanted| is.as_deref() == Some(wanted))
            };
            if approval.state == ApprovalState::Pending
                && fits(subject, &approval.subject)
                && fits(session, &approval.session)
            {
                found.push(approval);
            }
        }
        found.sort_by_key(|approval| approval.created_at);
        Ok(found)
    }

    /// Decides a request, once.
    ///
    /// `approver` is compared with the requester byte for byte: give both in one form. `role` is what the application
    /// has found the approver to be.
    ///
    /// # Errors
    /// `not_found`; `already_decided`; `expired`; `denied` where the policy keeps this approver or role from deciding.
    pub fn decide(
        &self,
        id: &str,
        approver: &str,
        role: Option<&str>,
        verdict: Verdict,
        reason: Option<&str>,
    ) -> Result<Approval> {
        check_text("an approver", Some(approver))?;
        check_text("a role", role)?;
        if reason.is_some_and(|reason| reason.len() > MAX_REASON) {
            fail!(Limit, "a reason has at most {MAX_REASON} bytes");
        }
        let (state, event) = match verdict {
            Verdict::Approve => (ApprovalState::Approved, "approval.approved"),
            Verdict::Reject => (ApprovalState::Rejected, "approval.rejected"),
        };
        self.change(id, |session, table, found| {
            match found.state {
                ApprovalState::Pending => {}
                ApprovalState::Expired => return Ok(Err(expired())),
                _ => fail!(AlreadyDecided, "the request has been decided already"),
            }
            let role_fits = found.allowed_roles.is_empty()
                || role.is_some_and(|role| found.allowed_roles.iter().any(|r| r == role));
            let by_requester = found.exclude_requester && found.requester == approver;
            found.role = role.map(str::to_owned);
            if by_requester || !role_fits {
                self.record(session, "approval.denied", Some(approver), found)?;
                return Ok(Err(if by_requester {
                    err!(Denied, "the requester may not decide this request")
                } else {
                    err!(Denied, "this role may not decide this request")
                }));
            }
            let now = session.clock_ms();
            // Once rejected, nothing is left to expire.
            found.due = if state.is_open() { found.expires_at } else { found.removed_at(now) };
            table.update(
                id,
                &[
                    ("state", ValueRef::Text(state.name())),
                    ("due", ValueRef::Integer(found.due)),
                    ("decided_at", ValueRef::Integer(now)),
                    ("approver", ValueRef::Text(approver)),
                    ("role", ValueRef::from(role)),
                    ("reason", ValueRef::from(reason)),
                ],
            )?;
            found.state = state;
            found.decided_at = Some(now);
            found.approver = Some(approver.to_owned());
            found.reason = reason.map(str::to_owned);
            self.record(session, event, Some(approver), found)?;
            Ok(Ok(()))
        })
        .inspect(|_| _ = self.engine.counters.add(Counter::ApprovalsDecided, 1))
    }

    /// Claims the execution of an approved request, once, for the payload that was approved. Whoever gets `Ok` is the
    /// only one who does.
    ///
    /// # Errors
    /// `not_found`; `denied` where it is not approved; `already_decided` where it has been executed; `expired`;
    /// `payload_changed` where this is another payload than the one that was asked for.
    pub fn claim(&self, id: &str, payload_json: &str) -> Result<Approval> {
        let hash = payload_hash(payload_json)?;
        self.change(id, |session, table, found| {
            match found.state {
                ApprovalState::Approved => {}
                ApprovalState::Expired => return Ok(Err(expired())),
                ApprovalState::Executed => {
                    fail!(AlreadyDecided, "the request has been executed already")
                }
                ApprovalState::Pending => fail!(Denied, "nobody has approved the request yet"),
                ApprovalState::Rejected => fail!(Denied, "the request has been rejected"),
            }
            if !ct_eq(&hash, &found.payload_hash) {
                self.record(session, "approval.payload_changed", None, found)?;
                return Ok(Err(err!(
                    PayloadChanged,
                    "the payload is not the one that the approval was asked for"
                )));
            }
            let now = session.clock_ms();
            found.due = found.removed_at(now);
            table.update(
                id,
                &[
                    ("state", ValueRef::Text(ApprovalState::Executed.name())),
                    ("due", ValueRef::Integer(found.due)),
                    ("executed_at", ValueRef::Integer(now)),
                ],
            )?;
            found.state = ApprovalState::Executed;
            found.executed_at = Some(now);
            self.record(session, "approval.executed", None, found)?;
            Ok(Ok(()))
        })
    }

    /// Writes down what has expired, and removes what was kept long enough after its end
    /// ([`ApprovalRequest::keep_for`]), in short transactions; how many requests it has settled so. The vault's own
    /// handle does so for every tenant. Without it an overdue request is refused all the same, and each later change
    /// settles up to four beside its own.
    pub fn sweep(&self) -> Result<u64> {
        let tables: &[&str] =
            if self.tenant.is_some() { &[TENANT_TABLE] } else { &[TABLE, TENANT_TABLE] };
        let mut settled = 0;
        for table in tables {
            loop {
                let batch = Session::run(&self.engine, |session| {
                    settle_due(session, table, SETTLED_BY_A_SWEEP)
                })?;
                settled += batch as u64;
                if batch == 0 {
                    break;
                }
            }
        }
        Ok(settled)
    }

    /// Runs a change of one request in a transaction. What the change refuses with an inner error is committed before
    /// the error is returned: the refusal's own entry in the audit trail stays.
    fn change(
        &self,
        id: &str,
        work: impl FnOnce(&Session, &Table<'_>, &mut Approval) -> Result<Result<()>>,
    ) -> Result<Approval> {
        let mut changed = None;
        self.run(|session| {
            if session.state().table(table_name(self.tenant.as_ref())).is_err() {
                return Err(unknown());
            }
            let table = table(session, self.tenant.as_ref())?;
            let mut found = require(table.get(id)?)?;
            if found.is_overdue(session.clock_ms()) {
                expire(session, self.tenant.as_ref(), &mut found)?;
            }
            let outcome = work(session, &table, &mut found)?;
            changed = Some(found);
            Ok(outcome)
        })?;
        changed.ok_or_else(|| err!(Internal, "a change that changed nothing"))
    }

    fn run(&self, work: impl FnOnce(&Session) -> Result<Result<()>>) -> Result<()> {
        Session::run(&self.engine, |session| {
            let outcome = work(session)?;
            let table = table_name(self.tenant.as_ref());
            settle_due(session, table, SETTLED_BY_A_CHANGE)?;
            Ok(outcome)
        })?
    }

    fn record(
        &self,
        session: &Session,
        event: &str,
        actor: Option<&str>,
        approval: &Approval,
    ) -> Result<()> {
        record(session, self.tenant.as_ref(), event, actor, approval)
    }

    fn table(&self) -> Table<'_> {
        let name = table_name(self.tenant.as_ref());
        Table::new(Source::Engine(&self.engine), name, self.tenant.clone())
    }
}

impl std::fmt::Debug for Approvals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Approvals")
    }
}

/// A read before anything was ever asked for finds no table, which is nothing found.
fn known<T>(read: Result<T>, nothing: T) -> Result<T> {
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(nothing),
        other => other,
    }
}

fn require(row: Option<Row>) -> Result<Approval> {
    approval(&row.ok_or_else(unknown)?)
}

fn unknown() -> Error {
    err!(NotFound, "there is no request for approval of this id")
}

fn expired() -> Error {
    err!(Expired, "the request has expired")
}
