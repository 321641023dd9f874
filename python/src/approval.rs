//! Approvals: requests bound to a payload, decided once, executed once.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sealite::{ApprovalRequest, ApprovalState, ErrorKind, Verdict};

use crate::error::error;
use crate::given::{duration, json_text, optional, text_given, texts};
use crate::row::unpicklable;
use crate::time::to_datetime;
use crate::trace::Traced;
use crate::value::{OrRaise, text_of};

/// How long a wait goes on before it looks for a signal, such as Ctrl-C.
const SLICE: Duration = Duration::from_millis(200);

/// Requests for approval: decided once, executed once, whatever the number of processes. Each change writes its entry
/// into the audit trail.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> payload = {"table": "users", "id": 7}
///     >>> request = vault.approvals.create("delete", payload, "ada")
///     >>> vault.approvals.decide(request, "grace", "approve").state
///     'approved'
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Approvals(pub(crate) sealite::Approvals);

/// A request for approval, as it stands.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Approval(sealite::Approval);

#[pymethods]
impl Approvals {
    /// Asks for approval of an action with a payload: JSON text, or what `json.dumps` makes it from. Of the payload only
    /// the hash of its canonical form (RFC 8785) is kept. Returns the id, which no one can guess.
    ///
    /// It expires after `expires_in` seconds (or a timedelta; an hour), decided or not. Where `allowed_roles` are given,
    /// only these may decide; the requester may not, unless `exclude_requester` is false. Once it has come to its end it
    /// can be read for another `keep_for` seconds (or a timedelta; 30 days).
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (action, payload, requester, *, subject=None, session=None, expires_in=None,
                        exclude_requester=true, allowed_roles=None, keep_for=None))]
    fn create(
        &self,
        action: &Bound<'_, PyString>,
        payload: &Bound<'_, PyAny>,
        requester: &Bound<'_, PyString>,
        subject: Option<&Bound<'_, PyString>>,
        session: Option<&Bound<'_, PyString>>,
        expires_in: Option<&Bound<'_, PyAny>>,
        exclude_requester: bool,
        allowed_roles: Option<&Bound<'_, PyAny>>,
        keep_for: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let py = action.py();
        let payload = json_text("the payload", payload)?;
        let mut request = ApprovalRequest::new(text_of(action)?, payload, text_of(requester)?);
        if let Some(subject) = optional(subject)? {
            request = request.subject(subject);
        }
        if let Some(session) = optional(session)? {
            request = request.session(session);
        }
        if let Some(expires_in) = expires_in {
            request = request.expires_in(duration("expires_in", expires_in)?);
        }
        if let Some(keep_for) = keep_for {
            request = request.keep_for(duration("keep_for", keep_for)?);
        }
        if !exclude_requester {
            request = request.requester_may_decide();
        }
        if let Some(roles) = allowed_roles {
            for role in texts("allowed_roles", roles)? {
                request = request.allowed_role(text_of(&role)?);
            }
        }
        py.traced(|| self.0.create(&request)).or_raise()
    }

    /// The request, as it stands now.
    fn get(&self, py: Python<'_>, id: &Bound<'_, PyString>) -> PyResult<Approval> {
        let id = text_of(id)?;
        py.detach(|| self.0.get(id)).map(Approval).or_raise()
    }

    /// The requests that wait for a decision, of a subject, of a session, or of both; all of them where neither is
    /// given. The oldest comes first.
    #[pyo3(signature = (*, subject=None, session=None))]
    fn list_pending(
        &self,
        py: Python<'_>,
        subject: Option<&Bound<'_, PyString>>,
        session: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Vec<Approval>> {
        let (subject, session) = (optional(subject)?, optional(session)?);
        let found = py.detach(|| self.0.list_pending(subject, session)).or_raise()?;
        Ok(found.into_iter().map(Approval).collect())
    }

    /// Decides a request, once: "approve" or "reject". `role` is what the application has found the approver to be.
    /// Raises NotFound, AlreadyDecided, Expired, or Denied where the policy keeps this approver or role from deciding.
    #[pyo3(signature = (id, approver, verdict, *, role=None, reason=None))]
    fn decide(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyString>,
        approver: &Bound<'_, PyString>,
        #[pyo3(from_py_with = text_given)] verdict: &str,
        role: Option<&Bound<'_, PyString>>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Approval> {
        let verdict = match verdict {
            "approve" => Verdict::Approve,
            "reject" => Verdict::Reject,
            _ => {
                let message = "a verdict is \"approve\" or \"reject\"";
                return Err(error(ErrorKind::InvalidInput, message));
            }
        };
        let (id, approver) = (text_of(id)?, text_of(approver)?);
        let (role, reason) = (optional(role)?, optional(reason)?);
        py.traced(|| self.0.decide(id, approver, role, verdict, reason)).map(Approval).or_raise()
    }

    /// Claims the execution of an approved request, once, for the payload that was approved: of all who try, one gets
    /// an answer. Raises NotFound, Denied where it is not approved, AlreadyDecided where it has been executed, Expired,
    /// or PayloadChanged.
    fn claim(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyString>,
        payload: &Bound<'_, PyAny>,
    ) -> PyResult<Approval> {
        let (id, payload) = (text_of(id)?, json_text("the payload", payload)?);
        py.traced(|| self.0.claim(id, &payload)).map(Approval).or_raise()
    }

    /// Waits until the request is no longer pending, at most for `timeout` seconds (or a timedelta; without one, until
    /// it expires); its state then, "pending" where the time is up. Other threads run meanwhile, and no lock is held;
    /// another process's decision is seen within some 25 ms. In an event loop:
    ///
    ///     state = await asyncio.to_thread(vault.approvals.wait, id, 60)
    #[pyo3(signature = (id, timeout=None))]
    fn wait(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyString>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&'static str> {
        let id = text_of(id)?;
        let timeout = timeout.map(|timeout| duration("a timeout", timeout)).transpose()?;
        let start = Instant::now();
        loop {
            let left = timeout.map(|timeout| timeout.saturating_sub(start.elapsed()));
            let slice = left.unwrap_or(SLICE).min(SLICE);
            let state = py.traced(|| self.0.wait(id, slice)).or_raise()?.state;
            if state != ApprovalState::Pending || left.is_some_and(|left| left <= slice) {
                return Ok(state.name());
            }
            py.check_signals()?;
        }
    }

    /// Writes down what has expired, and removes what was kept long enough after its end, in short transactions; how many
    /// requests it has settled so. An overdue request is refused without it, too.
    fn sweep(&self, py: Python<'_>) -> PyResult<u64> {
        py.traced(|| self.0.sweep()).or_raise()
    }

    fn __repr__(&self) -> &'static str {
        "<Approvals>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Approvals"))
    }
}

#[pymethods]
impl Approval {
    /// 128 random bits in base32.
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    /// What is to be done.
    #[getter]
    fn action(&self) -> &str {
        &self.0.action
    }

    /// SHA-256 of the payload's canonical form (RFC 8785).
    #[getter]
    fn payload_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.payload_hash)
    }

    /// Who asked.
    #[getter]
    fn requester(&self) -> &str {
        &self.0.requester
    }

    /// Whom or what it concerns.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The session that it belongs to.
    #[getter]
    fn session(&self) -> Option<&str> {
        self.0.session.as_deref()
    }

    /// "pending", "approved", "rejected", "executed" or "expired".
    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.name()
    }

    /// Whether the requester is kept from deciding.
    #[getter]
    fn exclude_requester(&self) -> bool {
        self.0.exclude_requester
    }

    /// The roles that may decide; empty where any may.
    #[getter]
    fn allowed_roles(&self) -> Vec<&str> {
        self.0.allowed_roles.iter().map(String::as_str).collect()
    }

    /// When it was asked for: a datetime in UTC, as all times here.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.created_at)
    }

    /// From when on it can be neither decided nor executed.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.expires_at)
    }

    /// Who decided.
    #[getter]
    fn approver(&self) -> Option<&str> {
        self.0.approver.as_deref()
    }

    /// In what role.
    #[getter]
    fn role(&self) -> Option<&str> {
        self.0.role.as_deref()
    }

    /// Why.
    #[getter]
    fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When it was decided.
    #[getter]
    fn decided_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.decided_at.map(|at| to_datetime(py, at)).transpose()
    }

    /// When its execution was claimed.
    #[getter]
    fn executed_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.executed_at.map(|at| to_datetime(py, at)).transpose()
    }

    fn __repr__(&self) -> String {
        format!("<Approval {}: {}>", self.0.id, self.0.state.name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Approval"))
    }
}
