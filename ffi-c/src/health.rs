//! Health and metrics of a vault.

use std::ffi::c_char;

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::call;
use crate::error::sealite_error;
use crate::rows::{Made, sealite_rows, text_or_null};
use crate::status::sealite_status;
use crate::value::sealite_string;
use crate::vault::sealite_vault;

/// Tells whether the vault is in order. Waits for no writer; the work is bounded, some milliseconds. Writes true to `ready`
/// where nothing is wrong, and to `usable` where reads and writes work, though something may ask for attention. Rows:
/// `reason` (such as "read_only" or "audit_broken"; safe to show), `blocking`, `error` (the name of the error that ended the
/// check early, such as "corrupt", and `message`, what it says, for a log; SEALITE_NULL where it ran to its end. The same in
/// each row).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_health(
    vault: *mut sealite_vault,
    ready: *mut bool,
    usable: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(ready), optional_out(usable), optional_out(rows); {
        let health = vault.health();
        if rows.is_wanted() {
            let error = health.error.as_ref().map(|error| error.kind().name());
            let message = health.error.as_ref().map(|error| error.message());
            let mut made = Made::new(&["reason", "blocking", "error", "message"]);
            for reason in &health.reasons {
                let (error, message) = (text_or_null(error), text_or_null(message));
                made.push([reason.name().into(), reason.is_blocking().into(), error, message]);
            }
            rows.give(made.into())?;
        }
        ready.set(health.ready);
        usable.set(health.is_usable());
    })
}

/// Writes what this process has done with the vault as Prometheus reads it. Figures only: no value, key or name of a row,
/// table or tenant. `names` holds `name_count` pairs of a name wanted and the engine's, for metrics that are charted under
/// another name already. Free the text with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_metrics(
    vault: *mut sealite_vault,
    names: *const sealite_string,
    name_count: usize,
    text: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    let count = name_count.checked_mul(2).unwrap_or(usize::MAX / 2);
    call!(error; handle(vault), texts(names, count), out(text); {
        let pairs: Vec<_> = names
            .chunks_exact(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
            .collect();
        text.give(Bytes::copy_of(vault.metrics().prometheus_named(&pairs)?.as_bytes()))?;
    })
}

/// Adds to a counter of the application's own, which sealite_vault_metrics() shows under that name. Needs no key.
///
/// SEALITE_INVALID_INPUT for a name that Prometheus does not take or that begins with `sealite_`; SEALITE_LIMIT for more
/// than 1,000 names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_count(
    vault: *mut sealite_vault,
    name: *const c_char,
    name_length: usize,
    by: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), text(name, name_length), plain(by); { vault.count(name, by)?; })
}

/// Accepts the system's clock as it is, after it has been set back, or after it has been far ahead. Audited.
///
/// SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_accept_clock(
    vault: *mut sealite_vault,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault); { vault.accept_clock()?; })
}

/// Sets the clock of this handle and those made from it, in milliseconds since 1970, for tests; NULL gives it back to the
/// system.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_set_clock(
    vault: *mut sealite_vault,
    clock_ms: *const i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), optional_number(clock_ms); { vault.set_clock(clock_ms); })
}
