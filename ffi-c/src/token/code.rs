//! Short codes: digits that a person types.

use std::ffi::c_char;
use std::time::Duration;

use sealite::{CodeRequest, ExposeSecret};

use super::handle::{reveal, sealite_tokens};
use super::known::give;
use crate::bytes::sealite_bytes;
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::rows::sealite_rows;
use crate::status::Failure;
use crate::status::sealite_status;

/// A short code to issue: by default of 6 digits, with 5 attempts, valid for 10 minutes, and in the place of those that
/// the subject still has. Not for two threads at once (SEALITE_BUSY).
pub struct sealite_code_request {
    _opaque: [u8; 0],
}

impl Kind for sealite_code_request {
    type Object = Builder<CodeRequest>;
}

/// Makes a request for a code of a subject, 1 to 256 bytes. Free it with sealite_code_request_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_create(
    subject: *const c_char,
    subject_length: usize,
    request: *mut *mut sealite_code_request,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(subject, subject_length), out(request); {
        request.give(Builder::new(CodeRequest::new(subject)))?;
    })
}

/// Sets how many digits: 6 to 10.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_set_digits(
    request: *mut sealite_code_request,
    digits: u32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(digits); {
        let many = |_| Failure::invalid("a short code has 6 to 10 digits");
        let digits = u8::try_from(digits).map_err(many)?;
        request.step(|request| request.digits(digits))?;
    })
}

/// Sets how many attempts: 1 to 10.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_set_attempts(
    request: *mut sealite_code_request,
    attempts: u32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(attempts); {
        request.step(|request| request.attempts(attempts))?;
    })
}

/// Sets how long it is valid: a millisecond to a day.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_set_expires_in(
    request: *mut sealite_code_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.expires_in(Duration::from_millis(milliseconds)))?;
    })
}

/// Sets what people know it by. Sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_set_label(
    request: *mut sealite_code_request,
    label: *const c_char,
    label_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(label, label_length); {
        request.step(|request| request.label(label))?;
    })
}

/// Sets what the application wants to know of it, as JSON text of at most 16 KiB. Sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_set_data(
    request: *mut sealite_code_request,
    data_json: *const c_char,
    data_json_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(data_json, data_json_length); {
        request.step(|request| request.data(data_json))?;
    })
}

/// Leaves the codes that the subject still has valid. Each has attempts of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_set_keep_older(
    request: *mut sealite_code_request,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request); { request.step(CodeRequest::keep_older)?; })
}

/// Frees the request. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_code_request_free(request: *mut sealite_code_request) {
    free(request);
}

/// Issues a short code, and gives out its digits, which are kept nowhere. Free them with sealite_bytes_free(). The `id` of
/// the row goes into the form in which the person types the code. Takes some 50 ms of computing, and 19 MiB. `rows` may be
/// NULL. Rows: as of sealite_tokens_issue().
///
/// SEALITE_REFUSED inside a transaction; SEALITE_INVALID_INPUT and SEALITE_LIMIT for a request out of bounds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_issue_code(
    tokens: *mut sealite_tokens,
    request: *const sealite_code_request,
    code: *mut *mut sealite_bytes,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), handle(request), out(code), optional_out(rows); {
        let request = request.built()?;
        let issued = tokens.with(|tokens| tokens.issue_code(&request))?;
        reveal((issued.token, issued.code.expose_secret()), &code, &rows)?;
    })
}

/// Verifies a short code by the id that it was issued under, and uses it up. Each call is an attempt, whatever its outcome:
/// of any number of processes that guess at once, no more than the attempts are answered. `rows` may be NULL. Rows: as of
/// sealite_tokens_issue().
///
/// SEALITE_TOKEN_REJECTED for a wrong code, and for everything else that does not hold; SEALITE_REFUSED inside a
/// transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_verify_code(
    tokens: *mut sealite_tokens,
    id: *const c_char,
    id_length: usize,
    code: *const c_char,
    code_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), presented(id, id_length), presented(code, code_length), optional_out(rows);
        { give(&rows, [tokens.with(|tokens| tokens.verify_code(id, code))?])?; }
    )
}
