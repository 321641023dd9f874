//! What settings are made of: values behind a mask, and what may be shown of a setting.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use sealite::{ErrorKind, Value};

use crate::error::error;
use crate::time::to_datetime;
use crate::value::{one, to_python};

/// What stands for every value.
const MASK: &str = "********";

/// The value of a setting. It shows a mask wherever it is formatted, logged, pickled or copied, and gives the value
/// only to `expose()`.
///
///     >>> settings = sealite.Vault.in_memory().settings
///     >>> defined = settings.define("mail.password", secret=True)
///     >>> written = settings.write("mail.password", "correct horse", actor="ada")
///     >>> str(settings.use("mail.password")), settings.use("mail.password").expose()
///     ('********', 'correct horse')
#[pyclass(module = "sealite", frozen, freelist = 64)]
pub(crate) struct SettingValue(Option<sealite::SettingValue>);

impl SettingValue {
    pub(crate) fn new(value: sealite::SettingValue) -> Self {
        SettingValue(Some(value))
    }

    fn held(&self) -> PyResult<&sealite::SettingValue> {
        self.0.as_ref().ok_or_else(|| {
            error(
                ErrorKind::Refused,
                "the value of a setting is not pickled: use or reveal the setting in this process",
            )
        })
    }
}

#[pymethods]
impl SettingValue {
    /// The value itself: a str, int, float or bool. JSON is given as its text.
    fn expose<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self.held()?.expose())
    }

    /// The type: "text", "integer", "real", "boolean" or "json".
    #[getter]
    fn kind(&self) -> PyResult<&'static str> {
        Ok(self.held()?.kind().name())
    }

    fn __repr__(&self) -> String {
        format!("<SettingValue {MASK}>")
    }

    fn __str__(&self) -> &'static str {
        MASK
    }

    fn __format__<'py>(
        &self,
        py: Python<'py>,
        specification: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        PyString::new(py, MASK).call_method1("__format__", (specification,))
    }

    fn __copy__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __deepcopy__<'a>(this: PyRef<'a, Self>, _memo: &Bound<'_, PyAny>) -> PyRef<'a, Self> {
        this
    }

    /// A pickle holds the mask: what is made of it can't be exposed.
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let make = py.import("sealite._native")?.getattr("_masked_setting_value")?;
        Ok((make, PyTuple::empty(py)))
    }
}

/// What a pickled value comes back as.
#[pyfunction]
pub(crate) fn _masked_setting_value() -> SettingValue {
    SettingValue(None)
}

/// What a write does where it sets no value: `KEEP` or `CLEAR`.
///
///     >>> settings = sealite.Vault.in_memory().settings
///     >>> defined = settings.define_all({"mail.host": {}, "mail.port": {"kind": "integer"}})
///     >>> settings.write_many({"mail.host": "localhost", "mail.port": sealite.KEEP}, actor="ada")
///     ['mail.host']
///     >>> settings.write("mail.host", sealite.CLEAR, actor="ada")
///     True
#[pyclass(module = "sealite", name = "Change", frozen)]
pub(crate) struct Change(pub(crate) &'static str);

#[pymethods]
impl Change {
    fn __repr__(&self) -> String {
        format!("sealite.{}", self.0)
    }

    /// Pickled by name.
    fn __reduce__(&self) -> &'static str {
        self.0
    }

    fn __copy__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __deepcopy__<'a>(this: PyRef<'a, Self>, _memo: &Bound<'_, PyAny>) -> PyRef<'a, Self> {
        this
    }
}

/// A change as Python gives it: `KEEP`, `CLEAR`, or the value to set.
pub(crate) fn change(given: &Bound<'_, PyAny>) -> PyResult<sealite::Change> {
    if let Ok(change) = given.cast::<Change>() {
        return Ok(if change.get().0 == "KEEP" {
            sealite::Change::Keep
        } else {
            sealite::Change::Clear
        });
    }
    if let Ok(value) = given.cast::<SettingValue>() {
        return Ok(sealite::Change::Set(value.get().held()?.expose().to_owned()));
    }
    value(given).map(sealite::Change::Set)
}

/// The value of a setting; a dict or list is JSON.
pub(crate) fn value(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    match json(given)? {
        Some(text) => Ok(Value::Json(text)),
        None => Ok(one(given.clone())?.first()?.to_owned()),
    }
}

/// The JSON text of a dict or list.
pub(crate) fn json(given: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if given.cast::<PyDict>().is_err() && given.cast::<PyList>().is_err() {
        return Ok(None);
    }
    let py = given.py();
    let keywords = PyDict::new(py);
    keywords.set_item("ensure_ascii", false)?;
    keywords.set_item("allow_nan", false)?;
    let text = py.import("json")?.call_method("dumps", (given,), Some(&keywords))?;
    let text = text.cast_into::<PyString>()?;
    crate::value::text_of(&text).map(|text| Some(text.to_owned()))
}

/// A setting as it may be shown: never a secret.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct Setting(pub(crate) sealite::Setting);

#[pymethods]
impl Setting {
    /// The name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The type: "text", "integer", "real", "boolean" or "json".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.definition().kind().name()
    }

    /// True where the value is not shown.
    #[getter]
    fn secret(&self) -> bool {
        self.0.is_secret()
    }

    /// Where the value comes from: "tenant", "vault", "environment", "default" or "unset".
    #[getter]
    fn source(&self) -> &'static str {
        self.0.source().name()
    }

    /// True where there is a value.
    #[getter]
    fn is_set(&self) -> bool {
        self.0.is_set()
    }

    /// The text for a form or a list: the mask of a secret that is set, nothing for what is not, else the value.
    #[getter]
    fn shown(&self) -> &str {
        self.0.shown()
    }

    /// The value, where it is set and not secret; None elsewhere.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.value().map(|value| to_python(py, value)).transpose()
    }

    /// How often it was written in this vault, or by this tenant; 0 for never.
    #[getter]
    fn version(&self) -> i64 {
        self.0.version()
    }

    /// When it was last written there: a datetime in UTC.
    #[getter]
    fn changed_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.changed_at().map(|ms| to_datetime(py, ms)).transpose()
    }

    /// Who wrote it last there.
    #[getter]
    fn changed_by(&self) -> Option<&str> {
        self.0.changed_by()
    }

    /// The category.
    #[getter]
    fn category(&self) -> Option<&str> {
        self.0.definition().declared_category()
    }

    /// The description.
    #[getter]
    fn description(&self) -> Option<&str> {
        self.0.definition().declared_description()
    }

    /// True where a change needs a restart.
    #[getter]
    fn requires_restart(&self) -> bool {
        self.0.definition().needs_restart()
    }

    /// True where a default is declared.
    #[getter]
    fn has_default(&self) -> bool {
        self.0.definition().has_default()
    }

    /// The environment variable that counts where the vault has no value.
    #[getter]
    fn environment(&self) -> Option<&str> {
        self.0.definition().environment_variable()
    }

    /// True where `check` always asks for it.
    #[getter]
    fn required(&self) -> bool {
        self.0.definition().is_required()
    }

    /// The least number of characters that `check` accepts.
    #[getter]
    fn min_length(&self) -> Option<u32> {
        self.0.definition().minimum_length()
    }

    /// True where the mask of a long secret shows its last four characters.
    #[getter]
    fn show_last_four(&self) -> bool {
        self.0.definition().shows_last_four()
    }

    /// How many versions are kept of its values.
    #[getter]
    fn keep_versions(&self) -> u32 {
        self.0.definition().kept_versions()
    }

    /// The boolean setting that keeps this one from being cleared.
    #[getter]
    fn guarded_by(&self) -> Option<&str> {
        self.0.definition().guard()
    }

    fn __repr__(&self) -> String {
        format!("<Setting {}: {}>", self.0.name(), self.0.source().name())
    }
}

/// One of the values that a setting has had.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct SettingVersion(pub(crate) sealite::SettingVersion);

#[pymethods]
impl SettingVersion {
    /// Its number, counted from 1.
    #[getter]
    fn version(&self) -> i64 {
        self.0.version()
    }

    /// When it was written: a datetime in UTC.
    #[getter]
    fn changed_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.changed_at())
    }

    /// Who wrote it.
    #[getter]
    fn changed_by(&self) -> &str {
        self.0.changed_by()
    }

    /// Why, where a reason was given.
    #[getter]
    fn reason(&self) -> Option<&str> {
        self.0.reason()
    }

    /// The version that was rolled back to, where this came from that.
    #[getter]
    fn restored(&self) -> Option<i64> {
        self.0.restored()
    }

    /// The value as it may be shown: see `Setting.shown`.
    #[getter]
    fn shown(&self) -> &str {
        self.0.shown()
    }

    /// False where the setting was cleared.
    #[getter]
    fn is_set(&self) -> bool {
        self.0.is_set()
    }

    fn __repr__(&self) -> String {
        format!("<SettingVersion {}>", self.0.version())
    }
}

/// What `check` has found. It can be shown and logged: no value is in it.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct CheckReport(pub(crate) sealite::CheckReport);

/// A setting that `check` has found fault with.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct SettingProblem(sealite::SettingProblem);

#[pymethods]
impl CheckReport {
    /// What is wrong, in the order of the names.
    #[getter]
    fn problems(&self) -> Vec<SettingProblem> {
        self.0.problems.iter().cloned().map(SettingProblem).collect()
    }

    /// True where nothing is wrong.
    #[getter]
    fn sound(&self) -> bool {
        self.0.is_ok()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<CheckReport: {}>", self.0)
    }
}

#[pymethods]
impl SettingProblem {
    /// The setting.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// "undefined", "missing", "too_short", "well_known" or "invalid".
    #[getter]
    fn fault(&self) -> &'static str {
        self.0.fault.name()
    }

    /// The environment variable that could set it.
    #[getter]
    fn environment(&self) -> Option<&str> {
        self.0.variable.as_deref()
    }

    /// The least number of characters, where that is what is wrong.
    #[getter]
    fn min_length(&self) -> Option<u32> {
        self.0.min_length
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<SettingProblem: {}>", self.0)
    }
}

/// What an import has done.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct ImportReport(pub(crate) sealite::ImportReport);

#[pymethods]
impl ImportReport {
    /// The settings that have changed.
    #[getter]
    fn changed(&self) -> Vec<&str> {
        self.0.changed.iter().map(String::as_str).collect()
    }

    /// Names in the text that no setting has.
    #[getter]
    fn unknown(&self) -> Vec<&str> {
        self.0.unknown.iter().map(String::as_str).collect()
    }

    fn __repr__(&self) -> String {
        let (changed, unknown) = (self.0.changed.len(), self.0.unknown.len());
        format!("<ImportReport: {changed} changed, {unknown} unknown>")
    }
}
