//! What the texts of tokens look like, and the CSRF tokens that are derived from them.

use std::ffi::{CStr, c_char};

use super::handle::sealite_tokens;
use crate::bytes::{Bytes, sealite_bytes};
use crate::call::call;
use crate::error::sealite_error;
use crate::status::sealite_status;

/// Issues a CSRF token for the forms of a session, from the session's own text: 86 characters, another one with each call,
/// good for as long as the session. Nothing is stored: verify the session first. Free it with sealite_bytes_free().
///
/// SEALITE_TOKEN_REJECTED where the text is not that of a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_issue_csrf(
    tokens: *mut sealite_tokens,
    session: *const c_char,
    session_length: usize,
    csrf: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), presented(session, session_length), out(csrf); {
        let made = tokens.with(|tokens| tokens.csrf(session))?;
        csrf.give(Bytes::copy_of(made.as_bytes()))?;
    })
}

/// Writes true to `valid` where a form's field or header holds a CSRF token of the session. In constant time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_check_csrf(
    tokens: *mut sealite_tokens,
    session: *const c_char,
    session_length: usize,
    csrf: *const c_char,
    csrf_length: usize,
    valid: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), presented(session, session_length), presented(csrf, csrf_length), out(valid);
        { valid.set(tokens.with(|tokens| Ok(tokens.check_csrf(session, csrf)))?); }
    )
}

/// Writes true to `is` where a text has the form and the checksum of a token of the engine's: for scanners of secrets. Needs
/// no vault; whether the token is valid is another question.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_is_token_text(
    text: *const c_char,
    text_length: usize,
    is: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; presented(text, text_length), out(is); { is.set(sealite::is_token_text(text)); })
}

/// A regular expression, in the common subset of RE2, PCRE, Python, JavaScript and Rust, for scanners of secrets and filters
/// of logs: it finds every token that the engine makes, whatever its prefix, and hardly anything else. Static.
#[unsafe(no_mangle)]
pub extern "C" fn sealite_token_pattern() -> *const c_char {
    CStr::from_bytes_with_nul(&PATTERN).map_or(c"".as_ptr(), CStr::as_ptr)
}

/// The pattern with its NUL, made by the compiler: nothing is left half made to the child of a fork.
static PATTERN: [u8; sealite::TOKEN_PATTERN.len() + 1] = {
    let mut text = [0; sealite::TOKEN_PATTERN.len() + 1];
    let (filled, _) = text.split_at_mut(sealite::TOKEN_PATTERN.len());
    filled.copy_from_slice(sealite::TOKEN_PATTERN.as_bytes());
    text
};
