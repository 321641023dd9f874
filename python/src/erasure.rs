//! Subjects and tenants: what an erasure has destroyed, and what a list of tenants says.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sealite::ErrorKind;

use crate::error::error;
use crate::row::unpicklable;
use crate::time::to_datetime;
use crate::trace::Traced;
use crate::value::OrRaise;

/// What an erasure has destroyed, and when. `text` is for keeping outside: `Vault.verify_receipt` tells later whether the
/// vault has written it.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct ErasureReceipt(sealite::ErasureReceipt);

#[pymethods]
impl ErasureReceipt {
    /// The tenant; None for a subject of the vault itself.
    #[getter]
    fn tenant(&self) -> Option<&str> {
        self.0.tenant()
    }

    /// The subject; None where the tenant was erased as a whole.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    /// When the keys were destroyed: a datetime in UTC.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.at())
    }

    /// Rows deleted from the application's tables.
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows()
    }

    /// Rows deleted from the engine's own: tokens, approvals, settings, quotas.
    #[getter]
    fn internal(&self) -> u64 {
        self.0.internal()
    }

    /// Keys destroyed.
    #[getter]
    fn keys(&self) -> u64 {
        self.0.keys()
    }

    /// The place of the erasure's entry in the audit trail.
    #[getter]
    fn audit_seq(&self) -> i64 {
        self.0.audit_seq()
    }

    /// "complete", or "pending" where a reader held the log back when the call ended.
    #[getter]
    fn erasure(&self) -> &'static str {
        self.0.erasure().name()
    }

    /// The text to keep.
    #[getter]
    fn text(&self) -> &str {
        self.0.text()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.text().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let what = if self.0.subject().is_some() { "subject" } else { "tenant" };
        format!("<ErasureReceipt of a {what}: {} rows, {} keys>", self.0.rows(), self.0.keys())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("ErasureReceipt"))
    }
}

/// A tenant, as `Vault.tenants` lists it.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct TenantInfo(sealite::TenantInfo);

#[pymethods]
impl TenantInfo {
    /// The name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// When its first key was made: a datetime in UTC.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.created_at.saturating_mul(1_000))
    }

    /// When it was erased; None for one that is there.
    #[getter]
    fn erased_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.erased_at.map(|at| to_datetime(py, at.saturating_mul(1_000))).transpose()
    }

    /// How many subjects of it have keys.
    #[getter]
    fn subjects(&self) -> u64 {
        self.0.subjects
    }

    fn __repr__(&self) -> String {
        format!("<TenantInfo {}>", self.0.name)
    }
}

/// The name of a subject: a str, or the int that stands in a column.
pub(crate) fn name(subject: &Bound<'_, PyAny>) -> PyResult<String> {
    if subject.is_instance_of::<pyo3::types::PyBool>() {
        return Err(error(ErrorKind::TypeMismatch, "a subject is a str or an int"));
    }
    if let Ok(number) = subject.extract::<i64>() {
        return Ok(number.to_string());
    }
    let name = subject.extract::<String>();
    name.map_err(|_| error(ErrorKind::TypeMismatch, "a subject is a str or an int"))
}

pub(crate) fn erase_subject(
    py: Python<'_>,
    vault: &sealite::Vault,
    subject: &Bound<'_, PyAny>,
    tenant: Option<&str>,
) -> PyResult<ErasureReceipt> {
    let subject = name(subject)?;
    py.traced(|| vault.erase_subject(tenant, &subject)).map(ErasureReceipt).or_raise()
}

pub(crate) fn erase_subjects(
    py: Python<'_>,
    vault: &sealite::Vault,
    subjects: &Bound<'_, PyAny>,
    tenant: Option<&str>,
) -> PyResult<Vec<ErasureReceipt>> {
    // A text is a sequence of texts to Python, too.
    if subjects.is_instance_of::<pyo3::types::PyString>() {
        return Err(error(ErrorKind::TypeMismatch, "subjects are given in a list"));
    }
    let names =
        subjects.try_iter()?.map(|subject| name(&subject?)).collect::<PyResult<Vec<_>>>()?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let receipts = py.traced(|| vault.erase_subjects(tenant, &names)).or_raise()?;
    Ok(receipts.into_iter().map(ErasureReceipt).collect())
}

pub(crate) fn erase_tenant(
    py: Python<'_>,
    vault: &sealite::Vault,
    name: &str,
) -> PyResult<ErasureReceipt> {
    py.traced(|| vault.erase_tenant(name)).map(ErasureReceipt).or_raise()
}

pub(crate) fn verify_receipt(
    py: Python<'_>,
    vault: &sealite::Vault,
    text: &str,
) -> PyResult<ErasureReceipt> {
    py.detach(|| vault.verify_receipt(text)).map(ErasureReceipt).or_raise()
}

pub(crate) fn tenants(py: Python<'_>, vault: &sealite::Vault) -> PyResult<Vec<TenantInfo>> {
    let found = py.detach(|| vault.tenants()).or_raise()?;
    Ok(found.into_iter().map(TenantInfo).collect())
}

pub(crate) fn export_subject<'py>(
    py: Python<'py>,
    vault: &sealite::Vault,
    subject: &Bound<'py, PyAny>,
    tenant: Option<&str>,
) -> PyResult<Bound<'py, PyBytes>> {
    let subject = name(subject)?;
    let mut json = sealite::WipedBuffer::default();
    py.traced(|| vault.export_subject(tenant, &subject, &mut json)).or_raise()?;
    Ok(PyBytes::new(py, json.as_bytes()))
}
