//! Administration of tokens, by their public ids.

use std::ffi::c_char;
use std::time::Duration;

use sealite::TokenFilter;

use super::handle::sealite_tokens;
use super::known::{KINDS, give, give_all};
use crate::call::call;
use crate::error::sealite_error;
use crate::rows::sealite_rows;
use crate::status::sealite_status;

/// Reads what is known of the token of that id. Rows: as of sealite_tokens_issue().
///
/// SEALITE_NOT_FOUND for an id that names no token, here and wherever an id is given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_get(
    tokens: *mut sealite_tokens,
    id: *const c_char,
    id_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), text(id, id_length), out(rows); {
        give(&rows, tokens.with(|tokens| tokens.get(id))?)?;
    })
}

/// Reads tokens, the newest first, at most `limit`: of a subject, of a kind (a sealite_token_kind), of a family; NULL for
/// each stands for all. With `active` 1 only those that are enabled and neither expired nor revoked, nor used up, nor
/// rotated. By subject or family an index finds them; else every token is read. Rows: as of sealite_tokens_issue().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_list(
    tokens: *mut sealite_tokens,
    subject: *const c_char,
    subject_length: usize,
    kind: *const i32,
    family: *const c_char,
    family_length: usize,
    active: i32,
    limit: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), optional_text(subject, subject_length), optional_choice(kind, KINDS),
        optional_text(family, family_length), flag(active), plain(limit), out(rows);
        {
            let mut filter = TokenFilter::new().limit(limit);
            if let Some(subject) = subject {
                filter = filter.subject(subject);
            }
            if let Some(kind) = kind {
                filter = filter.kind(kind);
            }
            if let Some(family) = family {
                filter = filter.family(family);
            }
            if active {
                filter = filter.active();
            }
            give_all(&rows, tokens.with(|tokens| tokens.list(&filter))?)?;
        }
    )
}

/// Takes sealite_tokens_disable() back. Writes false to `changed` where it was enabled; `changed` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_enable(
    tokens: *mut sealite_tokens,
    id: *const c_char,
    id_length: usize,
    changed: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), text(id, id_length), optional_out(changed); {
        changed.set(tokens.with(|tokens| tokens.enable(id))?);
    })
}

/// Makes a token unusable until it is enabled again. Writes false to `changed` where it was so already; `changed` may be
/// NULL.
///
/// SEALITE_NOT_FOUND for an id that names no token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_disable(
    tokens: *mut sealite_tokens,
    id: *const c_char,
    id_length: usize,
    changed: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), text(id, id_length), optional_out(changed); {
        changed.set(tokens.with(|tokens| tokens.disable(id))?);
    })
}

/// Revokes a token for good. Every process sees it with its next verification. Writes false to `changed` where it was
/// revoked already; `changed` may be NULL.
///
/// SEALITE_NOT_FOUND for an id that names no token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_revoke(
    tokens: *mut sealite_tokens,
    id: *const c_char,
    id_length: usize,
    changed: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), text(id, id_length), optional_out(changed); {
        changed.set(tokens.with(|tokens| tokens.revoke(id))?);
    })
}

/// Revokes every token of a family, and writes how many; `revoked` may be NULL.
///
/// SEALITE_INVALID_INPUT where `family` is no id of a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_revoke_family(
    tokens: *mut sealite_tokens,
    family: *const c_char,
    family_length: usize,
    revoked: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), text(family, family_length), optional_out(revoked); {
        revoked.set(tokens.with(|tokens| tokens.revoke_family(family))?);
    })
}

/// Revokes what a subject has of one kind, a sealite_token_kind, but for the token of the id `keep`, and writes how many:
/// the other sessions of somebody who has changed the password. `keep` and `revoked` may be NULL.
///
/// SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_revoke_kind(
    tokens: *mut sealite_tokens,
    subject: *const c_char,
    subject_length: usize,
    kind: i32,
    keep: *const c_char,
    keep_length: usize,
    revoked: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), text(subject, subject_length), choice(kind, KINDS),
        optional_text(keep, keep_length), optional_out(revoked);
        { revoked.set(tokens.with(|tokens| tokens.revoke_kind(subject, kind, keep))?); }
    )
}

/// Revokes everything that was ever issued to a subject, of every kind: sessions, refresh tokens, API keys, links that are
/// still out. What is issued later revives nothing.
///
/// SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_revoke_subject(
    tokens: *mut sealite_tokens,
    subject: *const c_char,
    subject_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), text(subject, subject_length); {
        tokens.with(|tokens| tokens.revoke_subject(subject))?;
    })
}

/// Arms a break-glass token for one use within so many milliseconds, for a reason of 1 to 256 bytes. Audited. `rows` may be
/// NULL. Rows: as of sealite_tokens_issue().
///
/// SEALITE_INVALID_INPUT for another kind, without a reason, and for a time out of bounds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_arm(
    tokens: *mut sealite_tokens,
    id: *const c_char,
    id_length: usize,
    reason: *const c_char,
    reason_length: usize,
    valid_for_ms: u64,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), text(id, id_length), text(reason, reason_length), plain(valid_for_ms),
        optional_out(rows);
        {
            let valid_for = Duration::from_millis(valid_for_ms);
            give(&rows, tokens.with(|tokens| tokens.arm(id, reason, valid_for))?)?;
        }
    )
}

/// Takes an arming back. Writes false to `changed` where there was none; `changed` may be NULL.
///
/// SEALITE_NOT_FOUND for an id that names no token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_disarm(
    tokens: *mut sealite_tokens,
    id: *const c_char,
    id_length: usize,
    changed: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), text(id, id_length), optional_out(changed); {
        changed.set(tokens.with(|tokens| tokens.disarm(id))?);
    })
}

/// Deletes what was of no use to anybody for so many milliseconds (expired, revoked or used up), in short transactions, and
/// writes how many; `purged` may be NULL. The vault's own handle does so for every tenant.
///
/// SEALITE_REFUSED inside a transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_purge(
    tokens: *mut sealite_tokens,
    ended_for_ms: u64,
    purged: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), plain(ended_for_ms), optional_out(purged); {
        let ended_for = Duration::from_millis(ended_for_ms);
        purged.set(tokens.with(|tokens| tokens.purge(ended_for))?);
    })
}
