//! Quotas: limits on how often something happens.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyString;
use sealite::{ErrorKind, Limit};

use crate::error::error;
use crate::given::duration;
use crate::row::unpicklable;
use crate::value::{OrRaise, text_of};

/// Limits on how often something happens: shared by all processes, kept over restarts.
///
/// Limits are given as text ("30/minute", "5 per 10 seconds", "5/second; 100/day"), as a `QuotaLimit`, or as a list of
/// these. All calls for one key should give the same. A key is kept as a MAC only. Each call is a transaction of its
/// own, and refused inside another one of the same thread.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.quotas.check_and_charge("192.0.2.1", "2/minute").allowed
///     True
///     >>> vault.quotas.check_and_charge("192.0.2.1", "2/minute").remaining
///     0
///     >>> bool(vault.quotas.check_and_charge("192.0.2.1", "2/minute"))
///     False
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Quotas(pub(crate) sealite::Quotas);

/// So many charges in a window of time. (`sealite.Limit` is an exception.)
///
///     >>> sealite.QuotaLimit.sliding(30, 60) == sealite.QuotaLimit.parse("30/minute")[0]
///     True
#[pyclass(module = "sealite", frozen)]
pub(crate) struct QuotaLimit(pub(crate) Limit);

/// The answer to a charge; true where it is allowed.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Decision {
    decision: sealite::Decision,
    limit: Limit,
}

fn limits(given: &Bound<'_, PyAny>) -> PyResult<Vec<Limit>> {
    let mut limits = Vec::new();
    if !add(given, &mut limits)? {
        let Ok(many) = given.try_iter() else { return Err(no_limit()) };
        for one in many {
            if !add(&one?, &mut limits)? {
                return Err(no_limit());
            }
        }
    }
    Ok(limits)
}

/// Adds what one text or object says; false where it is neither.
fn add(given: &Bound<'_, PyAny>, limits: &mut Vec<Limit>) -> PyResult<bool> {
    if let Ok(text) = given.cast::<PyString>() {
        limits.extend(Limit::parse(text_of(text)?).or_raise()?);
    } else if let Ok(limit) = given.cast::<QuotaLimit>() {
        limits.push(limit.get().0);
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn no_limit() -> PyErr {
    error(
        ErrorKind::TypeMismatch,
        "a limit is text like \"30/minute\", a QuotaLimit, or a list of them",
    )
}

/// A number of charges.
fn count(what: &str, given: i64) -> PyResult<u32> {
    u32::try_from(given)
        .map_err(|_| error(ErrorKind::InvalidInput, format!("{what} is from 1 to {}", u32::MAX)))
}

impl Decision {
    fn new(decision: sealite::Decision, limits: &[Limit]) -> PyResult<Self> {
        let limit = limits.get(decision.limit).copied();
        let limit = limit.ok_or_else(|| error(ErrorKind::Internal, "a limit that nobody gave"))?;
        Ok(Decision { decision, limit })
    }
}

#[pymethods]
impl Quotas {
    /// Charges `cost` under every limit, or, where one of them has less left, under none. What is refused costs
    /// nothing.
    ///
    ///     if not (decision := vault.quotas.check_and_charge(f"login:{address}", "5/minute; 50/day")):
    ///         return Response(429, headers={"Retry-After": str(math.ceil(decision.retry_after))})
    #[pyo3(signature = (key, limits, cost=1))]
    fn check_and_charge(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyString>,
        limits: &Bound<'_, PyAny>,
        cost: i64,
    ) -> PyResult<Decision> {
        let (key, limits) = (text_of(key)?, self::limits(limits)?);
        let cost = count("a cost", cost)?;
        let decision = py.detach(|| self.0.check_and_charge(key, &limits, cost)).or_raise()?;
        Decision::new(decision, &limits)
    }

    /// Whether a charge of 1 would go through now. Charges nothing.
    fn peek(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyString>,
        limits: &Bound<'_, PyAny>,
    ) -> PyResult<Decision> {
        let (key, limits) = (text_of(key)?, self::limits(limits)?);
        let decision = py.detach(|| self.0.peek(key, &limits)).or_raise()?;
        Decision::new(decision, &limits)
    }

    /// Charges a failed attempt, for limits that count failures only: `peek` before the attempt, and where it has
    /// failed, this. The decision is about the next attempt. Attempts that run at once all pass the `peek`: where that
    /// matters, `check_and_charge` before the attempt and `reset` after one that succeeded.
    fn charge_failure(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyString>,
        limits: &Bound<'_, PyAny>,
    ) -> PyResult<Decision> {
        let (key, limits) = (text_of(key)?, self::limits(limits)?);
        let decision = py.detach(|| self.0.charge_failure(key, &limits)).or_raise()?;
        Decision::new(decision, &limits)
    }

    /// Forgets what the key has used; false where there was nothing.
    fn reset(&self, py: Python<'_>, key: &Bound<'_, PyString>) -> PyResult<bool> {
        let key = text_of(key)?;
        py.detach(|| self.0.reset(key)).or_raise()
    }

    /// Removes every row in which nothing counts any more; how many. Charges do so by and by.
    fn sweep(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| self.0.sweep()).or_raise()
    }

    fn __repr__(&self) -> &'static str {
        "<Quotas>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Quotas"))
    }
}

#[pymethods]
impl QuotaLimit {
    /// At most `count` in any stretch of time as long as `window` (seconds or a timedelta), wherever it begins.
    #[staticmethod]
    fn sliding(count: i64, window: &Bound<'_, PyAny>) -> PyResult<Self> {
        Limit::sliding(self::count("a count", count)?, duration("a window", window)?)
            .map(QuotaLimit)
            .or_raise()
    }

    /// At most `count` in each window, where windows begin at multiples of `window` since 1970 (UTC).
    #[staticmethod]
    fn fixed(count: i64, window: &Bound<'_, PyAny>) -> PyResult<Self> {
        Limit::fixed(self::count("a count", count)?, duration("a window", window)?)
            .map(QuotaLimit)
            .or_raise()
    }

    /// The limits that a text says: "30/minute", "5 per 10 seconds; 100/day". All are sliding.
    #[staticmethod]
    fn parse(text: &Bound<'_, PyString>) -> PyResult<Vec<Self>> {
        Ok(Limit::parse(text_of(text)?).or_raise()?.into_iter().map(QuotaLimit).collect())
    }

    /// How many it allows.
    #[getter]
    fn count(&self) -> u32 {
        self.0.count()
    }

    /// The length of its window, in seconds.
    #[getter]
    fn window(&self) -> f64 {
        self.0.window().as_secs_f64()
    }

    /// True where windows begin at fixed times.
    #[getter]
    fn is_fixed(&self) -> bool {
        self.0.is_fixed()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<QuotaLimit {}{}>", self.0, if self.0.is_fixed() { ", fixed" } else { "" })
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<QuotaLimit>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.0.count(), self.0.window(), self.0.is_fixed()).hash(&mut hasher);
        hasher.finish()
    }
}

#[pymethods]
impl Decision {
    /// Whether the charge went through; of `peek` and `charge_failure`, whether a charge of 1 would.
    #[getter]
    fn allowed(&self) -> bool {
        self.decision.allowed
    }

    /// What is left in the window that has least left.
    #[getter]
    fn remaining(&self) -> u32 {
        self.decision.remaining
    }

    /// Seconds until the same charge can go through, if nobody else charges; 0.0 where it is allowed.
    #[getter]
    fn retry_after(&self) -> f64 {
        self.decision.retry_after.as_secs_f64()
    }

    /// Seconds until nothing counts any more in the window of `limit`.
    #[getter]
    fn reset_after(&self) -> f64 {
        self.decision.reset_after.as_secs_f64()
    }

    /// The limit that this is about: of those that refused, the one that does so for longest; else the one that has
    /// least left.
    #[getter]
    fn limit(&self) -> QuotaLimit {
        QuotaLimit(self.limit)
    }

    fn __bool__(&self) -> bool {
        self.decision.allowed
    }

    fn __repr__(&self) -> String {
        let Decision { decision, limit } = self;
        if decision.allowed {
            format!("<Decision: allowed, {} left of {limit}>", decision.remaining)
        } else {
            format!("<Decision: refused for {:.3} s by {limit}>", self.retry_after())
        }
    }
}
