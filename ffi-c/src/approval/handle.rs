//! The approvals of a vault or tenant.

use std::ffi::c_char;
use std::time::Duration;

use sealite::{Approval, Approvals, Value, Verdict};

use super::request::sealite_approval_request;
use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::rows::{Made, Rows, integer_or_null, sealite_rows, text_or_null};
use crate::status::sealite_status;
use crate::tenant::{self, sealite_tenant};
use crate::vault::sealite_vault;

/// What somebody decides.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_verdict {
    /// The action may be executed, once.
    SEALITE_APPROVE = 0,
    /// It may not.
    SEALITE_REJECT = 1,
}

/// Requests for approval, of one vault or one tenant: decided once, executed once, whatever the number of processes. It may
/// be used from any thread.
pub struct sealite_approvals {
    _opaque: [u8; 0],
}

impl Kind for sealite_approvals {
    type Object = Approvals;
}

fn rows_of(approvals: &[Approval]) -> Rows {
    let mut made = Made::new(&[
        "id",
        "action",
        "payload_hash",
        "requester",
        "subject",
        "session",
        "state",
        "exclude_requester",
        "allowed_roles",
        "created_at",
        "expires_at",
        "approver",
        "role",
        "reason",
        "decided_at",
        "executed_at",
        "keep_ms",
    ]);
    for approval in approvals {
        made.push([
            approval.id.as_str().into(),
            approval.action.as_str().into(),
            Value::Blob(approval.payload_hash.to_vec()),
            approval.requester.as_str().into(),
            text_or_null(approval.subject.as_deref()),
            text_or_null(approval.session.as_deref()),
            approval.state.name().into(),
            approval.exclude_requester.into(),
            approval.allowed_roles.join("\n").into(),
            approval.created_at.into(),
            approval.expires_at.into(),
            text_or_null(approval.approver.as_deref()),
            text_or_null(approval.role.as_deref()),
            text_or_null(approval.reason.as_deref()),
            integer_or_null(approval.decided_at),
            integer_or_null(approval.executed_at),
            approval.keep_ms.into(),
        ]);
    }
    made.into()
}

/// Makes a handle to the vault's approvals. Free it with sealite_approvals_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_approvals(
    vault: *mut sealite_vault,
    approvals: *mut *mut sealite_approvals,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(approvals); { approvals.give(vault.approvals())?; })
}

/// Makes a handle to the tenant's approvals. Free it with sealite_approvals_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_approvals(
    tenant: *mut sealite_tenant,
    approvals: *mut *mut sealite_approvals,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(approvals); {
        approvals.give(tenant::of(&tenant)?.approvals())?;
    })
}

/// Asks for approval, and gives the id of the request, which no one can guess. Free it with sealite_bytes_free().
///
/// SEALITE_INVALID_INPUT for an empty or overlong text, an expiry out of range, or a payload that is not JSON with one
/// meaning (RFC 7493); SEALITE_LIMIT for a payload of more than 1 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_ask(
    approvals: *mut sealite_approvals,
    request: *const sealite_approval_request,
    id: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(approvals), handle(request), out(id); {
        id.give(Bytes::copy_of(approvals.create(&request.built()?)?.as_bytes()))?;
    })
}

/// Reads a request as it stands now. One row: `id`, `action`, `payload_hash` (32 bytes), `requester`, `subject`,
/// `session`, `state` ("pending", "approved", "rejected", "executed" or "expired"), `exclude_requester`, `allowed_roles`
/// (one a line), `created_at`, `expires_at`, `approver`, `role`, `reason`, `decided_at`, `executed_at`, `keep_ms`
/// (how long it can still be read once it has ended). Times are in milliseconds since 1970.
///
/// SEALITE_NOT_FOUND where there is none of this id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_get(
    approvals: *mut sealite_approvals,
    id: *const c_char,
    id_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(approvals), text(id, id_length), out(rows); {
        rows.give(rows_of(&[approvals.get(id)?]))?;
    })
}

/// Reads the requests that wait for a decision, of a subject, of a session, or of both; with NULL for both all of them. In
/// the order in which they were made. Rows: as of sealite_approvals_get().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_list_pending(
    approvals: *mut sealite_approvals,
    subject: *const c_char,
    subject_length: usize,
    session: *const c_char,
    session_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(approvals), optional_text(subject, subject_length),
        optional_text(session, session_length), out(rows);
        { rows.give(rows_of(&approvals.list_pending(subject, session)?))?; }
    )
}

/// Decides a request, once: `verdict` is a sealite_verdict. `approver` is compared with the requester byte for byte; `role`
/// is what the application has found the approver to be. `role`, `reason` and `rows` may be NULL. Rows: as of
/// sealite_approvals_get().
///
/// SEALITE_NOT_FOUND; SEALITE_ALREADY_DECIDED; SEALITE_EXPIRED; SEALITE_DENIED where the policy keeps this approver or
/// role from deciding.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_decide(
    approvals: *mut sealite_approvals,
    id: *const c_char,
    id_length: usize,
    verdict: i32,
    approver: *const c_char,
    approver_length: usize,
    role: *const c_char,
    role_length: usize,
    reason: *const c_char,
    reason_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(approvals), text(id, id_length),
        choice(verdict, &[Verdict::Approve, Verdict::Reject]),
        text(approver, approver_length), optional_text(role, role_length),
        optional_text(reason, reason_length), optional_out(rows);
        {
            let decided = approvals.decide(id, approver, role, verdict, reason)?;
            if rows.is_wanted() {
                rows.give(rows_of(&[decided]))?;
            }
        }
    )
}

/// Claims the execution of an approved request, once, for the payload that was approved. Whoever gets SEALITE_OK is the
/// only one who does. `rows`, as of sealite_approvals_get(), may be NULL.
///
/// SEALITE_NOT_FOUND; SEALITE_DENIED where it is not approved; SEALITE_ALREADY_DECIDED where it has been executed;
/// SEALITE_EXPIRED; SEALITE_PAYLOAD_CHANGED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_claim(
    approvals: *mut sealite_approvals,
    id: *const c_char,
    id_length: usize,
    payload_json: *const c_char,
    payload_json_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(approvals), text(id, id_length), text(payload_json, payload_json_length),
        optional_out(rows);
        {
            let claimed = approvals.claim(id, payload_json)?;
            if rows.is_wanted() {
                rows.give(rows_of(&[claimed]))?;
            }
        }
    )
}

/// Waits until the request is no longer pending, at most so many milliseconds; the row is the request as it then stands,
/// pending still where the time is up. Blocks the calling thread, and holds neither a lock nor a connection meanwhile.
/// Rows: as of sealite_approvals_get().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_wait(
    approvals: *mut sealite_approvals,
    id: *const c_char,
    id_length: usize,
    timeout_ms: u64,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(approvals), text(id, id_length), plain(timeout_ms), out(rows); {
        rows.give(rows_of(&[approvals.wait(id, Duration::from_millis(timeout_ms))?]))?;
    })
}

/// Writes down what has expired, in short transactions, and writes how many; `expired` may be NULL. The vault's own handle
/// does so for every tenant. Without it an overdue request is refused all the same.
///
/// SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_sweep(
    approvals: *mut sealite_approvals,
    expired: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(approvals), optional_out(expired); { expired.set(approvals.sweep()?); })
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approvals_free(approvals: *mut sealite_approvals) {
    free(approvals);
}
