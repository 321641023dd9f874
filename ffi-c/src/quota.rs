//! Limits on how often something happens.

use std::ffi::c_char;
use std::time::Duration;

use sealite::{Decision, Limit, Quotas};

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::output::Cleared;
use crate::status::Result;
use crate::status::sealite_status;
use crate::tenant::{self, sealite_tenant};
use crate::vault::sealite_vault;

/// Limits on how often something happens, of a vault or tenant: shared by all processes, kept over restarts. A charge is a
/// transaction of its own, and refused inside another one of the same thread. It may be used from any thread.
pub struct sealite_quotas {
    _opaque: [u8; 0],
}

impl Kind for sealite_quotas {
    type Object = Quotas;
}

/// The limits that a charge is held against, at most 8. Not for two threads at once (SEALITE_BUSY).
pub struct sealite_limits {
    _opaque: [u8; 0],
}

impl Kind for sealite_limits {
    type Object = Builder<Vec<Limit>>;
}

/// What became of a charge.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sealite_decision {
    /// Whether the charge went through; of sealite_quotas_peek() and sealite_quotas_charge_failure(), whether a charge of
    /// 1 would.
    pub allowed: bool,
    /// What is left in the window that has least left.
    pub remaining: u32,
    /// Milliseconds until the same charge can go through, if nobody else charges; 0 where it is allowed. For HTTP's
    /// `Retry-After` round up to seconds.
    pub retry_after_ms: u64,
    /// Milliseconds until nothing counts any more in the window of `limit`.
    pub reset_after_ms: u64,
    /// Which of the limits this is about, counted from 0.
    pub limit: usize,
}

impl Cleared for sealite_decision {
    const CLEARED: Self = sealite_decision {
        allowed: false,
        remaining: 0,
        retry_after_ms: 0,
        reset_after_ms: 0,
        limit: 0,
    };
}

/// Rounded up: waiting that long must be enough.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn decided(decision: &Decision) -> sealite_decision {
    sealite_decision {
        allowed: decision.allowed,
        remaining: decision.remaining,
        retry_after_ms: milliseconds(decision.retry_after),
        reset_after_ms: milliseconds(decision.reset_after),
        limit: decision.limit,
    }
}

fn add(limits: &Builder<Vec<Limit>>, more: impl IntoIterator<Item = Limit>) -> Result<()> {
    limits.with(|held| {
        held.extend(more);
        Ok(())
    })
}

/// Makes an empty set of limits. Free it with sealite_limits_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_limits_create(
    limits: *mut *mut sealite_limits,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(limits); { limits.give(Builder::new(Vec::new()))?; })
}

/// Adds limits as text: `30/minute`, `5 per 10 seconds`, `100/day`, several separated by `;` or `,`. All are sliding.
///
/// SEALITE_INVALID_INPUT where it is no such text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_limits_parse(
    limits: *mut sealite_limits,
    text: *const c_char,
    text_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(limits), text(text, text_length); { add(&limits, Limit::parse(text)?)?; })
}

/// Adds a limit of `count` in any stretch of time as long as the window, 1 ms to 366 days.
///
/// SEALITE_INVALID_INPUT for a count of 0, and a window that is not 1 ms to 366 days.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_limits_add_sliding(
    limits: *mut sealite_limits,
    count: u32,
    window_ms: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(limits), plain(count), plain(window_ms); {
        add(&limits, [Limit::sliding(count, Duration::from_millis(window_ms))?])?;
    })
}

/// Adds a limit of `count` in each window, where windows begin at multiples of their length since 1970 (UTC).
///
/// SEALITE_INVALID_INPUT as of sealite_limits_add_sliding().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_limits_add_fixed(
    limits: *mut sealite_limits,
    count: u32,
    window_ms: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(limits), plain(count), plain(window_ms); {
        add(&limits, [Limit::fixed(count, Duration::from_millis(window_ms))?])?;
    })
}

/// Frees the limits. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_limits_free(limits: *mut sealite_limits) {
    free(limits);
}

/// Makes a handle to the vault's quotas. Free it with sealite_quotas_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_quotas(
    vault: *mut sealite_vault,
    quotas: *mut *mut sealite_quotas,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(quotas); { quotas.give(vault.quotas())?; })
}

/// Makes a handle to the tenant's quotas. Free it with sealite_quotas_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_quotas(
    tenant: *mut sealite_tenant,
    quotas: *mut *mut sealite_quotas,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(quotas); { quotas.give(tenant::of(&tenant)?.quotas())?; })
}

/// Charges `cost` under every limit, or, where one of them has less left, under none. A charge that is refused is no
/// failure: SEALITE_OK, and `decision` tells. The key (an address, an account, with the name of what is limited) is kept
/// as a MAC only. All calls for one key should give the same limits.
///
/// SEALITE_INVALID_INPUT without a key or limit, or for a cost of 0; SEALITE_LIMIT for more than 8 limits; SEALITE_REFUSED
/// inside a transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_quotas_check_and_charge(
    quotas: *mut sealite_quotas,
    key: *const c_char,
    key_length: usize,
    limits: *const sealite_limits,
    cost: u32,
    decision: *mut sealite_decision,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(quotas), text(key, key_length), handle(limits), plain(cost), out(decision);
        { decision.set(decided(&quotas.check_and_charge(key, &limits.built()?, cost)?)); }
    )
}

/// Charges a failed attempt, for limits that count failures only: sealite_quotas_peek() before the attempt, and where it
/// has failed, this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_quotas_charge_failure(
    quotas: *mut sealite_quotas,
    key: *const c_char,
    key_length: usize,
    limits: *const sealite_limits,
    decision: *mut sealite_decision,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(quotas), text(key, key_length), handle(limits), out(decision); {
        decision.set(decided(&quotas.charge_failure(key, &limits.built()?)?));
    })
}

/// Tells whether a charge of 1 would go through now. Charges nothing.
///
/// SEALITE_INVALID_INPUT without a key or a limit; SEALITE_LOCKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_quotas_peek(
    quotas: *mut sealite_quotas,
    key: *const c_char,
    key_length: usize,
    limits: *const sealite_limits,
    decision: *mut sealite_decision,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(quotas), text(key, key_length), handle(limits), out(decision); {
        decision.set(decided(&quotas.peek(key, &limits.built()?)?));
    })
}

/// Forgets what the key has used. Writes false to `found` where there was nothing; `found` may be NULL.
///
/// SEALITE_REFUSED inside a transaction of this thread; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_quotas_reset(
    quotas: *mut sealite_quotas,
    key: *const c_char,
    key_length: usize,
    found: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(quotas), text(key, key_length), optional_out(found); {
        found.set(quotas.reset(key)?);
    })
}

/// Removes every row in which nothing counts any more, of every tenant, and writes how many; `removed` may be NULL.
/// Charges do so by and by; this is for a job at night.
///
/// SEALITE_REFUSED inside a transaction of this thread; SEALITE_LOCKED; SEALITE_BUSY where another writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_quotas_sweep(
    quotas: *mut sealite_quotas,
    removed: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(quotas), optional_out(removed); { removed.set(quotas.sweep()?); })
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_quotas_free(quotas: *mut sealite_quotas) {
    free(quotas);
}
