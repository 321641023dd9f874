//! Entries to append.

use std::ffi::c_char;

use sealite::Entry;

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::sealite_status;

/// An entry to append to the audit trail. Never put a secret into one: the trail is meant to be exported. Not for two
/// threads at once (SEALITE_BUSY).
pub struct sealite_entry {
    _opaque: [u8; 0],
}

impl Kind for sealite_entry {
    type Object = Builder<Entry>;
}

/// Makes an entry with the name of its event, such as `user.login`. Free it with sealite_entry_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_entry_create(
    event: *const c_char,
    event_length: usize,
    entry: *mut *mut sealite_entry,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(event, event_length), out(entry); {
        entry.give(Builder::new(Entry::new(event)))?;
    })
}

/// Says who did it. Sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_entry_set_actor(
    entry: *mut sealite_entry,
    actor: *const c_char,
    actor_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(entry), text(actor, actor_length); {
        entry.step(|entry| entry.actor(actor))?;
    })
}

/// Says whose data it concerns. Sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_entry_set_subject(
    entry: *mut sealite_entry,
    subject: *const c_char,
    subject_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(entry), text(subject, subject_length); {
        entry.step(|entry| entry.subject(subject))?;
    })
}

/// Sets the trace that it belongs to. Readable in the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_entry_set_trace_id(
    entry: *mut sealite_entry,
    trace_id: *const c_char,
    trace_id_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(entry), text(trace_id, trace_id_length); {
        entry.step(|entry| entry.trace_id(trace_id))?;
    })
}

/// Sets a correlation id. Readable in the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_entry_set_correlation_id(
    entry: *mut sealite_entry,
    correlation_id: *const c_char,
    correlation_id_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(entry), text(correlation_id, correlation_id_length); {
        entry.step(|entry| entry.correlation_id(correlation_id))?;
    })
}

/// Says what happened, as JSON text. It is brought to its canonical form (RFC 8785) and sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_entry_set_payload(
    entry: *mut sealite_entry,
    json: *const c_char,
    json_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(entry), text(json, json_length); {
        entry.step(|entry| entry.payload(json))?;
    })
}

/// Frees the entry. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_entry_free(entry: *mut sealite_entry) {
    free(entry);
}
