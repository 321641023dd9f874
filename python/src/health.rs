//! Health and metrics: whether the vault can be used, and what this process has done with it.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sealite::ErrorKind;

use crate::error::{core_error, error};
use crate::value::{OrRaise, as_dict, text_of};

/// What `Vault.health` found; true where nothing is wrong.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> bool(vault.health()), vault.health().reasons
///     (True, [])
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Health(pub(crate) sealite::Health);

/// What this process has done with the vault since the handle was made; figures only.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.count("requests_total")
///     >>> "requests_total 1" in vault.metrics().prometheus()
///     True
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Metrics(pub(crate) sealite::Metrics);

/// How long something took.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Histogram(sealite::Histogram);

#[pymethods]
impl Health {
    /// True where nothing is wrong; otherwise the vault is degraded. `usable` asks for less.
    #[getter]
    fn ready(&self) -> bool {
        self.0.ready
    }

    /// True where reads and writes work, though something may ask for attention.
    #[getter]
    fn usable(&self) -> bool {
        self.0.is_usable()
    }

    /// "ready" or "degraded".
    #[getter]
    fn status(&self) -> &'static str {
        self.0.status()
    }

    /// What is wrong: stable names, such as "read_only" or "audit_broken".
    #[getter]
    fn reasons(&self) -> Vec<&'static str> {
        self.0.reasons.iter().map(|reason| reason.name()).collect()
    }

    /// Those of the reasons for which calls fail: reads or writes or both. The others ask for somebody's attention.
    #[getter]
    fn blocking(&self) -> Vec<&'static str> {
        let blocking = self.0.reasons.iter().filter(|reason| reason.is_blocking());
        blocking.map(|reason| reason.name()).collect()
    }

    /// The error that ended the check early, for a log: an exception.
    #[getter]
    fn error(&self) -> Option<PyErr> {
        self.0.error.clone().map(core_error)
    }

    fn __bool__(&self) -> bool {
        self.0.ready
    }

    fn __repr__(&self) -> String {
        format!("<Health: {}>", [&[self.status()], &*self.reasons()].concat().join(", "))
    }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        #[pymethods]
        impl Metrics {
            $($(#[$doc])* #[getter] fn $name(&self) -> $type { self.0.$name.clone() })*

            /// Seconds since the handle was made.
            #[getter]
            fn uptime(&self) -> f64 {
                self.0.uptime.as_secs_f64()
            }

            /// Tokens refused, by the true reason.
            #[getter]
            fn tokens_rejected(&self) -> BTreeMap<&'static str, u64> {
                self.0.tokens_rejected.iter().copied().collect()
            }

            /// Gets and searches; one of 64 is measured.
            #[getter]
            fn read(&self) -> Histogram {
                Histogram(self.0.read.clone())
            }

            /// Whole write transactions, with waiting for the lock and what the application did in them.
            #[getter]
            fn write(&self) -> Histogram {
                Histogram(self.0.write.clone())
            }

            /// The commit itself.
            #[getter]
            fn commit(&self) -> Histogram {
                Histogram(self.0.commit.clone())
            }

            /// The figures as Prometheus reads them (text format 0.0.4). `names` gives metrics of the engine other names:
            /// {"rate_limited_total": "sealite_quota_refused_total"}.
            #[pyo3(signature = (names=None))]
            fn prometheus(&self, names: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
                let Some(names) = names else { return Ok(self.0.prometheus()) };
                let names = pairs(&as_dict(names)?)?;
                let names: Vec<_> = names.iter().map(|(to, of)| (to.as_str(), of.as_str())).collect();
                self.0.prometheus_named(&names).or_raise()
            }

            fn __repr__(&self) -> &'static str {
                "<Metrics>"
            }
        }
    };
}

metrics! {
    /// Rows asked for by id.
    gets: u64;
    /// Searches by value.
    finds: u64;
    /// Rows inserted.
    inserts: u64;
    /// Calls that update a row.
    updates: u64;
    /// Calls that delete or discard a row.
    deletes: u64;
    /// Rows that scans have read.
    scan_rows: u64;
    /// Write transactions committed, the engine's own with them.
    committed: u64;
    /// Write transactions rolled back.
    rolled_back: u64;
    /// Calls that failed because somebody else held the lock for too long.
    busy: u64;
    /// Calls that failed because a row, record or field is not what was written.
    authentication_failures: u64;
    /// Charges of quotas that went through.
    quota_charged: u64;
    /// Charges of quotas that were refused.
    quota_refused: u64;
    /// Approvals asked for.
    approvals_created: u64;
    /// Approvals given or rejected.
    approvals_decided: u64;
    /// Settings given out to the application.
    settings_used: u64;
    /// Settings shown to a person.
    settings_revealed: u64;
    /// Tokens issued, successors with them.
    tokens_issued: u64;
    /// Tokens that were verified, and held.
    tokens_verified: u64;
    /// Uses taken of tokens that have a number of them, and of break-glass.
    tokens_consumed: u64;
    /// Secrets of the process in memory that the system keeps out of its swap.
    keys_locked: u64;
    /// Secrets of the process in memory that the limit on locked memory leaves to the swap.
    keys_not_locked: u64;
    /// Audit entries committed.
    audit_appended: u64;
    /// Audit entries of best effort that were lost.
    audit_lost: u64;
    /// What the application has counted itself (`Vault.count`), by name.
    application: BTreeMap<String, u64>;
}

fn pairs(names: &Bound<'_, PyDict>) -> PyResult<Vec<(String, String)>> {
    let text = |given: Bound<'_, PyAny>| match given.cast::<PyString>() {
        Ok(text) => text_of(text).map(str::to_owned),
        Err(_) => Err(error(ErrorKind::TypeMismatch, "names of metrics are str")),
    };
    names.iter().map(|(to, of)| Ok((text(to)?, text(of)?))).collect()
}

#[pymethods]
impl Histogram {
    /// Upper bounds in seconds, inclusive, and how many took no longer: each bucket counts those before it too.
    #[getter]
    fn buckets(&self) -> Vec<(f64, u64)> {
        self.0.buckets.iter().map(|(bound, count)| (bound.as_secs_f64(), *count)).collect()
    }

    /// All that were measured, those beyond the last bound with them.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count
    }

    /// Their sum, in seconds.
    #[getter]
    fn sum(&self) -> f64 {
        self.0.sum.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("<Histogram of {}>", self.0.count)
    }
}
