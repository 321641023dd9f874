//! The trace of a thread.

use std::ffi::c_char;

use sealite::Trace;

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::call;
use crate::error::sealite_error;
use crate::status::{Failure, sealite_status};

/// Sets the ids of the request that the calling thread works at, for all entries of the audit trail that its calls lead to from
/// now on: the program's own and the engine's (`token.issued`, `setting.changed` and so on). An id that an entry names itself
/// goes before. `correlation_id` may be NULL. With NULL for both the request has ended: a thread that serves others calls it so.
/// A runtime that moves its tasks between threads sets it before each call, on the thread that makes the call.
///
/// SEALITE_INVALID_INPUT for an empty id, and for a correlation id alone; SEALITE_LIMIT for one of more than 256 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_trace_set(
    trace_id: *const c_char,
    trace_id_length: usize,
    correlation_id: *const c_char,
    correlation_id_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        optional_text(trace_id, trace_id_length), optional_text(correlation_id, correlation_id_length);
        {
            let trace = match (trace_id, correlation_id) {
                (None, None) => None,
                (Some(id), None) => Some(Trace::new(id)?),
                (Some(id), Some(of)) => Some(Trace::new(id)?.correlation_id(of)?),
                (None, Some(_)) => return Err(Failure::invalid("a correlation id comes with a trace id")),
            };
            Trace::set(trace);
        }
    )
}

/// Reads what sealite_trace_set() has set for the calling thread: `trace_id` and `correlation_id`, each NULL where it has
/// none. Free both with sealite_bytes_free(). `correlation_id` may be left out with NULL.
///
/// SEALITE_INVALID_INPUT where `trace_id` is left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_trace_current(
    trace_id: *mut *mut sealite_bytes,
    correlation_id: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(trace_id), optional_out(correlation_id); {
        if let Some(trace) = Trace::current() {
            trace_id.give_with(Bytes::copy_of(trace.id().as_bytes()), || match trace.correlation() {
                Some(correlation) => correlation_id.give(Bytes::copy_of(correlation.as_bytes())),
                None => Ok(()),
            })?;
        }
    })
}
