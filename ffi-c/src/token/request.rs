//! Tokens that are asked for.

use std::ffi::c_char;
use std::time::Duration;

use sealite::TokenRequest;

use super::known::KINDS;
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::rows::{Made, integer_or_null, sealite_rows, text_or_null};
use crate::status::sealite_status;

/// A token to issue: sealite_tokens_issue(). What is not set has the default of the kind. A request may be used for any
/// number of tokens. Not for two threads at once (SEALITE_BUSY).
pub struct sealite_token_request {
    _opaque: [u8; 0],
}

impl Kind for sealite_token_request {
    type Object = Builder<TokenRequest>;
}

/// Makes a request for a token of a kind, a sealite_token_kind. Free it with sealite_token_request_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_create(
    kind: i32,
    request: *mut *mut sealite_token_request,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; choice(kind, KINDS), out(request); {
        request.give(Builder::new(TokenRequest::new(kind)))?;
    })
}

/// Says whose it is: an id of the application's, 1 to 256 bytes, compared byte for byte. Sealed. Without one
/// sealite_tokens_revoke_subject() does not reach the token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_subject(
    request: *mut sealite_token_request,
    subject: *const c_char,
    subject_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(subject, subject_length); {
        request.step(|request| request.subject(subject))?;
    })
}

/// Sets what people know it by, at most 256 bytes. Sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_label(
    request: *mut sealite_token_request,
    label: *const c_char,
    label_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(label, label_length); {
        request.step(|request| request.label(label))?;
    })
}

/// Adds a scope, as RFC 6749 (section 3.3) has them: printable ASCII without spaces, quotation marks and backslashes. At
/// most 64 of at most 128 bytes. Readable in the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_add_scope(
    request: *mut sealite_token_request,
    scope: *const c_char,
    scope_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(scope, scope_length); {
        request.step(|request| request.scope(scope))?;
    })
}

/// Gives it limits of its own, as sealite_limits_parse() reads them: `30/minute; 1000/day`. The application charges them,
/// under the `quota_key` of the token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_limits(
    request: *mut sealite_token_request,
    limits: *const c_char,
    limits_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(limits, limits_length); {
        request.step(|request| request.limits(limits))?;
    })
}

/// Sets what the application wants to know of it, as JSON text of at most 16 KiB. Sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_data(
    request: *mut sealite_token_request,
    data_json: *const c_char,
    data_json_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(data_json, data_json_length); {
        request.step(|request| request.data(data_json))?;
    })
}

/// Sets what its text begins with: 1 to 24 small letters and digits, a letter first, in words that single underscores join.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_prefix(
    request: *mut sealite_token_request,
    prefix: *const c_char,
    prefix_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(prefix, prefix_length); {
        request.step(|request| request.prefix(prefix))?;
    })
}

/// Puts it into the family of another token (its `family`): revoked with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_family(
    request: *mut sealite_token_request,
    family: *const c_char,
    family_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), text(family, family_length); {
        request.step(|request| request.family(family))?;
    })
}

/// Makes it valid only after so many milliseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_not_before_in(
    request: *mut sealite_token_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.not_before_in(Duration::from_millis(milliseconds)))?;
    })
}

/// Sets how long it is valid: a millisecond to 100 years, as every time of a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_expires_in(
    request: *mut sealite_token_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.expires_in(Duration::from_millis(milliseconds)))?;
    })
}

/// Makes it valid until it is revoked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_never_expires(
    request: *mut sealite_token_request,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request); { request.step(TokenRequest::never_expires)?; })
}

/// Ends it when it was not used for so long, at least 10 seconds; it may end a tenth of that earlier.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_idle(
    request: *mut sealite_token_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.idle(Duration::from_millis(milliseconds)))?;
    })
}

/// Keeps rotation from giving a successor that is valid for longer than so long from now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_renew_for(
    request: *mut sealite_token_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.renew_for(Duration::from_millis(milliseconds)))?;
    })
}

/// Sets how often it can be used, by sealite_tokens_consume() alone; not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_uses(
    request: *mut sealite_token_request,
    uses: u32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(uses); { request.step(|request| request.uses(uses))?; })
}

/// Sets how often the last use is written down, at most: by default every minute, or a tenth of the idle time where that
/// is less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_last_used_every(
    request: *mut sealite_token_request,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request), plain(milliseconds); {
        request.step(|request| request.last_used_every(Duration::from_millis(milliseconds)))?;
    })
}

/// Revokes what its subject has of this kind. Takes a subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_set_replace_older(
    request: *mut sealite_token_request,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(request); { request.step(TokenRequest::replace_older)?; })
}

/// Says what holds for tokens of a `kind` (a sealite_token_kind) where a request does not say otherwise. `rows` has one,
/// free it with sealite_rows_free(): `kind` (its name), `prefix` (SEALITE_NULL of a short code), `expires_in_ms` and `uses`
/// (SEALITE_NULL without a limit).
///
/// SEALITE_INVALID_INPUT for a number that stands for no kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_kind_defaults(
    kind: i32,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; choice(kind, KINDS), out(rows); {
        let prefix = Some(kind.default_prefix()).filter(|prefix| !prefix.is_empty());
        let expiry = kind.default_expiry();
        let expiry = expiry.and_then(|expiry| i64::try_from(expiry.as_millis()).ok());
        let mut made = Made::new(&["kind", "prefix", "expires_in_ms", "uses"]);
        made.push([
            kind.name().into(),
            text_or_null(prefix),
            integer_or_null(expiry),
            integer_or_null(kind.default_uses().map(i64::from)),
        ]);
        rows.give(made.into())?;
    })
}

/// Frees the request. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_token_request_free(request: *mut sealite_token_request) {
    free(request);
}
