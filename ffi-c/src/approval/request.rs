//! Requests for approval.

use std::ffi::c_char;
use std::time::Duration;

use sealite::ApprovalRequest;

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::sealite_status;

/// A request for approval. By default it expires after an hour, and anybody but the requester may decide it. Not for two
/// threads at once (SEALITE_BUSY).
pub struct sealite_approval_request {
    _opaque: [u8; 0],
}

impl Kind for sealite_approval_request {
    type Object = Builder<ApprovalRequest>;
}

/// Makes a request for an action with a payload, as JSON text. Of the payload only its hash is kept: SHA-256 of its
/// canonical form (RFC 8785). Free it with sealite_approval_request_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_create(
    action: *const c_char,
    action_length: usize,
    payload_json: *const c_char,
    payload_json_length: usize,
    requester: *const c_char,
    requester_length: usize,
    request: *mut *mut sealite_approval_request,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        text(action, action_length), text(payload_json, payload_json_length),
        text(requester, requester_length), out(request);
        { request.give(Builder::new(ApprovalRequest::new(action, payload_json, requester)))?; }
    )
}

/// Says whom or what it concerns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_set_subject(
    request: *mut sealite_approval_request,
    subject: *const c_char,
    subject_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(subject, subject_length); {
        request.step(|request| request.subject(subject))?;
    })
}

/// Names the session that it belongs to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_set_session(
    request: *mut sealite_approval_request,
    session: *const c_char,
    session_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(session, session_length); {
        request.step(|request| request.session(session))?;
    })
}

/// Sets how long it can be decided, and once approved executed: a millisecond to 366 days.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_set_expires_in(
    request: *mut sealite_approval_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.expires_in(Duration::from_millis(milliseconds)))?;
    })
}

/// Sets for how many `milliseconds` the request can still be read once it was rejected, executed, or has expired: up to
/// 3,660 days, by default 30. Then it is removed, and unknown; what has become of it stays in the audit trail.
///
/// The time is checked by sealite_approvals_ask(): SEALITE_INVALID_INPUT for a longer one. SEALITE_BUSY where another
/// thread uses `request`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_set_keep_for(
    request: *mut sealite_approval_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.keep_for(Duration::from_millis(milliseconds)))?;
    })
}

/// Lets the requester decide, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_set_requester_may_decide(
    request: *mut sealite_approval_request,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request); { request.step(ApprovalRequest::requester_may_decide)?; })
}

/// Adds a role to those that may decide; without one any role may.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_add_allowed_role(
    request: *mut sealite_approval_request,
    role: *const c_char,
    role_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(role, role_length); {
        request.step(|request| request.allowed_role(role))?;
    })
}

/// Frees the request. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_approval_request_free(request: *mut sealite_approval_request) {
    free(request);
}
