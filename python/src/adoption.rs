//! Existing databases that move in.

use std::path::PathBuf;

use pyo3::prelude::*;
use sealite::{AdoptionPlan, Erasure};

use crate::trace::Traced;
use crate::value::OrRaise;

/// What an adoption would do.
#[pyclass(module = "sealite", frozen, get_all)]
pub(crate) struct AdoptionPreview {
    /// Whether nothing stands against it.
    possible: bool,
    /// The tables, in the order in which they are converted.
    tables: Py<PyAny>,
}

/// What an adoption would do to a table.
#[pyclass(module = "sealite", frozen, get_all)]
pub(crate) struct TablePreview {
    /// Its name.
    table: String,
    /// Whether an earlier call has converted it.
    done: bool,
    /// The number of rows.
    rows: u64,
    /// Bytes of the values as they are.
    bytes: u64,
    /// Bytes that the table takes afterwards: estimated from a sample.
    bytes_after: u64,
    /// How long it takes: estimated from a sample.
    seconds: f64,
    /// What goes on as it is.
    kept: Vec<String>,
    /// What becomes another thing.
    changed: Vec<String>,
    /// What stands against it.
    refused: Vec<String>,
}

/// What an adoption has done.
#[pyclass(module = "sealite", frozen, get_all)]
pub(crate) struct AdoptionReport {
    /// The tables, in the order in which they were converted.
    tables: Py<PyAny>,
    /// Whether what was in clear is overwritten: `complete` or `pending`.
    erasure: &'static str,
    /// How long it took.
    seconds: f64,
}

/// A table that was adopted.
#[pyclass(module = "sealite", frozen, get_all)]
pub(crate) struct AdoptedTable {
    /// Its name.
    table: String,
    /// Its rows, each of which was compared.
    rows: u64,
    /// Whether an earlier call had converted it.
    was_done: bool,
    /// Whether it was dropped from the application's database.
    removed: bool,
}

#[pymethods]
impl AdoptionPreview {
    fn __repr__(&self) -> String {
        let possible = if self.possible { "possible" } else { "refused" };
        format!("<AdoptionPreview {possible}>")
    }
}

#[pymethods]
impl TablePreview {
    fn __repr__(&self) -> String {
        format!("<TablePreview {} rows={} refused={}>", self.table, self.rows, self.refused.len())
    }
}

#[pymethods]
impl AdoptionReport {
    fn __repr__(&self) -> String {
        format!("<AdoptionReport {}>", self.erasure)
    }
}

#[pymethods]
impl AdoptedTable {
    fn __repr__(&self) -> String {
        format!("<AdoptedTable {} rows={}>", self.table, self.rows)
    }
}

/// The plan that arguments name.
pub(crate) fn plan(
    plan: Option<&str>,
    columns: Option<Vec<String>>,
    source: Option<PathBuf>,
    (values, remove): (bool, bool),
) -> PyResult<AdoptionPlan> {
    let mut made = match plan {
        Some(text) => AdoptionPlan::from_toml(text).or_raise()?,
        None => AdoptionPlan::new(),
    };
    for column in columns.unwrap_or_default() {
        made = made.column(&column).or_raise()?;
    }
    if let Some(source) = source {
        made = made.source(source);
    }
    if values {
        made = made.values();
    }
    Ok(if remove { made.remove_source() } else { made })
}

pub(crate) fn preview(
    py: Python<'_>,
    vault: &sealite::Vault,
    plan: &AdoptionPlan,
) -> PyResult<AdoptionPreview> {
    let found = py.traced(|| vault.preview_adoption(plan)).or_raise()?;
    let possible = found.is_possible();
    let table = |table: sealite::TablePreview| TablePreview {
        table: table.table,
        done: table.done,
        rows: table.rows,
        bytes: table.bytes,
        bytes_after: table.bytes_after,
        seconds: table.time.as_secs_f64(),
        kept: table.kept,
        changed: table.changed,
        refused: table.refused,
    };
    let tables: Vec<TablePreview> = found.tables.into_iter().map(table).collect();
    Ok(AdoptionPreview { possible, tables: tables.into_pyobject(py)?.into_any().unbind() })
}

/// Adopts. What `progress` raises, or a signal's handler, ends it where it can be taken up again.
pub(crate) fn adopt(
    py: Python<'_>,
    vault: &sealite::Vault,
    plan: &AdoptionPlan,
    progress: Option<&Py<PyAny>>,
) -> PyResult<AdoptionReport> {
    let mut raised = None;
    let done = py.traced(|| {
        vault.adopt(plan, |seen| {
            raised = Python::attach(|py| {
                py.check_signals()?;
                let seen = (seen.phase.name(), seen.table, seen.done, seen.total);
                progress.map_or(Ok(()), |progress| progress.call1(py, seen).map(drop))
            })
            .err();
            raised.is_none()
        })
    });
    if let Some(raised) = raised {
        return Err(raised);
    }
    let done = done.or_raise()?;
    let table = |table: sealite::AdoptedTable| AdoptedTable {
        table: table.table,
        rows: table.rows,
        was_done: table.was_done,
        removed: table.removed,
    };
    let tables: Vec<AdoptedTable> = done.tables.into_iter().map(table).collect();
    let erasure = match done.erasure {
        Erasure::Complete => "complete",
        Erasure::Pending => "pending",
    };
    let tables = tables.into_pyobject(py)?.into_any().unbind();
    Ok(AdoptionReport { tables, erasure, seconds: done.time.as_secs_f64() })
}
