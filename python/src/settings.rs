//! The settings of a vault or tenant.

use pyo3::prelude::*;
use pyo3::types::PyString;
use sealite::{Author, ErrorKind, ExposeSecret, SettingDefinition, Type};

use crate::error::error;
use crate::given::texts;
use crate::row::unpicklable;
use crate::setting::{
    CheckReport, ImportReport, Setting, SettingValue, SettingVersion, change, value,
};
use crate::trace::Traced;
use crate::value::{OrRaise, as_dict, text_of};

/// The settings of a vault, or as they hold for one of its tenants. Each call is a transaction of its own, and every
/// change writes its audit entry in it, without the value.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> vault.settings.define("mail.password", secret=True)
///     True
///     >>> changed = vault.settings.write("mail.password", "correct horse", actor="ada")
///     >>> vault.settings.read("mail.password").shown
///     '********'
///     >>> vault.settings.use("mail.password").expose()
///     'correct horse'
#[pyclass(module = "sealite", frozen, freelist = 16)]
pub(crate) struct Settings(sealite::Settings);

impl Settings {
    pub(crate) fn new(settings: sealite::Settings) -> Self {
        Settings(settings)
    }

    fn write_all(
        &self,
        py: Python<'_>,
        changes: Vec<(String, sealite::Change)>,
        author: &Author,
    ) -> PyResult<Vec<String>> {
        py.traced(|| {
            let (names, changes): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
            let changes: Vec<_> = names.iter().map(String::as_str).zip(changes).collect();
            self.0.write_many(&changes, author)
        })
        .or_raise()
    }
}

/// What sets a flag of a declaration, and what a text.
type Flag = fn(SettingDefinition) -> SettingDefinition;
type Text = fn(SettingDefinition, String) -> SettingDefinition;

fn author(actor: &Bound<'_, PyString>, reason: Option<&Bound<'_, PyString>>) -> PyResult<Author> {
    let author = Author::new(text_of(actor)?);
    Ok(match reason {
        Some(reason) => author.reason(text_of(reason)?),
        None => author,
    })
}

/// Names, and what `read` makes of what stands beside them.
fn named<T>(
    given: &Bound<'_, PyAny>,
    read: impl Fn(&Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<(String, T)>> {
    let pairs = as_dict(given)?;
    let pair = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name = name
            .cast_into::<PyString>()
            .map_err(|_| error(ErrorKind::TypeMismatch, "the name of a setting is a str"))?;
        Ok((text_of(&name)?.to_owned(), read(&value)?))
    };
    pairs.iter().map(pair).collect()
}

#[pymethods]
impl Settings {
    /// Declares a setting, or changes its declaration; True where anything was written. Its type is "text", "integer",
    /// "real", "boolean" or "json". What was secret stays so. `keep_versions` are kept of its values: 50.
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)]
    #[pyo3(signature = (
        name, kind="text", *, secret=false, category=None, description=None, requires_restart=false, default=None,
        environment=None, required=false, min_length=None, show_last_four=false, guarded_by=None,
        keep_versions=None
    ))]
    fn define(
        &self,
        py: Python<'_>,
        name: &str,
        kind: &str,
        secret: bool,
        category: Option<String>,
        description: Option<String>,
        requires_restart: bool,
        default: Option<&Bound<'_, PyAny>>,
        environment: Option<String>,
        required: bool,
        min_length: Option<u32>,
        show_last_four: bool,
        guarded_by: Option<String>,
        keep_versions: Option<u32>,
    ) -> PyResult<bool> {
        let kind = Type::from_name(kind).ok_or_else(|| {
            error(
                ErrorKind::InvalidInput,
                "the type of a setting is text, integer, real, boolean or json",
            )
        })?;
        let mut definition = SettingDefinition::new(name, kind);
        let flags: [(bool, Flag); 4] = [
            (secret, SettingDefinition::secret),
            (requires_restart, SettingDefinition::requires_restart),
            (required, SettingDefinition::required),
            (show_last_four, SettingDefinition::show_last_four),
        ];
        for (set, apply) in flags {
            definition = if set { apply(definition) } else { definition };
        }
        let texts: [(_, Text); 4] = [
            (category, SettingDefinition::category),
            (description, SettingDefinition::description),
            (environment, SettingDefinition::environment),
            (guarded_by, SettingDefinition::guarded_by),
        ];
        for (text, apply) in texts {
            definition = match text {
                Some(text) => apply(definition, text),
                None => definition,
            };
        }
        if let Some(default) = default {
            definition = definition.default(value(default)?);
        }
        if let Some(characters) = min_length {
            definition = definition.min_length(characters);
        }
        if let Some(versions) = keep_versions {
            definition = definition.keep_versions(versions);
        }
        py.traced(|| self.0.define(&definition)).or_raise()
    }

    /// The setting, with a mask where it is secret.
    fn read(&self, py: Python<'_>, name: &str) -> PyResult<Setting> {
        py.detach(|| self.0.read(name)).map(Setting).or_raise()
    }

    /// The settings of a category, or all of them, in the order of their names.
    #[pyo3(signature = (category=None))]
    fn list(&self, py: Python<'_>, category: Option<&str>) -> PyResult<Vec<Setting>> {
        let settings = py.detach(|| self.0.list(category)).or_raise()?;
        Ok(settings.into_iter().map(Setting).collect())
    }

    /// The value for the application to use; None where there is none. It stays in memory: a change by another process
    /// shows within 100 ms. Counted (`uses`), not audited.
    #[pyo3(name = "use", signature = (name, /))]
    fn use_value(&self, py: Python<'_>, name: &str) -> PyResult<Option<SettingValue>> {
        let value = match self.0.use_in_memory(name) {
            Some(value) => value,
            None => py.detach(|| self.0.use_value(name)).or_raise()?,
        };
        Ok(value.map(SettingValue::new))
    }

    /// How often `use` gave this setting out in this process.
    fn uses(&self, name: &str) -> u64 {
        self.0.uses(name)
    }

    /// The value for a person to see. Takes a reason, and is audited in the same transaction.
    #[pyo3(signature = (name, *, actor, reason))]
    fn reveal(
        &self,
        py: Python<'_>,
        name: &str,
        actor: &Bound<'_, PyString>,
        reason: &Bound<'_, PyString>,
    ) -> PyResult<SettingValue> {
        let author = author(actor, Some(reason))?;
        py.traced(|| self.0.reveal(name, &author)).map(SettingValue::new).or_raise()
    }

    /// Writes a setting: a value sets it, whatever it looks like, `KEEP` does nothing, `CLEAR` takes the value away. True
    /// where it has changed.
    #[pyo3(signature = (name, value, *, actor, reason=None))]
    fn write(
        &self,
        py: Python<'_>,
        name: &str,
        value: &Bound<'_, PyAny>,
        actor: &Bound<'_, PyString>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<bool> {
        let (change, author) = (change(value)?, author(actor, reason)?);
        py.traced(|| self.0.write(name, change, &author)).or_raise()
    }

    /// As `write`, with a text that is read in the setting's type, as an environment variable is.
    #[pyo3(signature = (name, text, *, actor, reason=None))]
    fn write_text(
        &self,
        py: Python<'_>,
        name: &str,
        text: &Bound<'_, PyString>,
        actor: &Bound<'_, PyString>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<bool> {
        let change = sealite::Change::from_text(text_of(text)?);
        let author = author(actor, reason)?;
        py.traced(|| self.0.write(name, change, &author)).or_raise()
    }

    /// Writes several settings, all or none; the names of those that have changed.
    #[pyo3(signature = (changes, *, actor, reason=None))]
    fn write_many(
        &self,
        py: Python<'_>,
        changes: &Bound<'_, PyAny>,
        actor: &Bound<'_, PyString>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Vec<String>> {
        self.write_all(py, named(changes, change)?, &author(actor, reason)?)
    }

    /// Writes what a form has sent back, all or nothing: the text that `Setting.shown` gives keeps, an empty one keeps
    /// or clears as `blank_keeps` says, any other sets, read in the setting's type. The names of what has changed.
    #[pyo3(signature = (fields, *, actor, blank_keeps=true, reason=None))]
    fn write_form(
        &self,
        py: Python<'_>,
        fields: &Bound<'_, PyAny>,
        actor: &Bound<'_, PyString>,
        blank_keeps: bool,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Vec<String>> {
        let field = |text: &Bound<'_, PyAny>| match text.cast::<PyString>() {
            Ok(text) => Ok(sealite::Change::from_form(text_of(text)?, blank_keeps)),
            Err(_) => Err(error(ErrorKind::TypeMismatch, "the field of a form is a str")),
        };
        self.write_all(py, named(fields, field)?, &author(actor, reason)?)
    }

    /// The values that the setting has had, the oldest first, masked.
    fn history(&self, py: Python<'_>, name: &str) -> PyResult<Vec<SettingVersion>> {
        let versions = py.detach(|| self.0.history(name)).or_raise()?;
        Ok(versions.into_iter().map(SettingVersion).collect())
    }

    /// Writes the value of an earlier version again, as a new one; its number.
    #[pyo3(signature = (name, version, *, actor, reason=None))]
    fn roll_back(
        &self,
        py: Python<'_>,
        name: &str,
        version: i64,
        actor: &Bound<'_, PyString>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<i64> {
        let author = author(actor, reason)?;
        py.traced(|| self.0.roll_back(name, version, &author)).or_raise()
    }

    /// Turns a setting secret, or, with a reason, makes it one to be shown. True where it has changed.
    #[pyo3(signature = (name, secret, *, actor, reason=None))]
    fn set_secret(
        &self,
        py: Python<'_>,
        name: &str,
        secret: bool,
        actor: &Bound<'_, PyString>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<bool> {
        let author = author(actor, reason)?;
        py.traced(|| self.0.set_secret(name, secret, &author)).or_raise()
    }

    /// Checks the named settings, and all that are declared as required: that they are there, long enough, and not well
    /// known. Raises `Refused`, which names what is wrong; with `raising=False` only the report says so.
    #[pyo3(signature = (names=None, *, raising=true))]
    fn check(
        &self,
        py: Python<'_>,
        names: Option<&Bound<'_, PyAny>>,
        raising: bool,
    ) -> PyResult<CheckReport> {
        let names = names.map_or(Ok(Vec::new()), |names| texts("the names of settings", names))?;
        let names = names.iter().map(text_of).collect::<PyResult<Vec<_>>>()?;
        let report = py.detach(|| self.0.check(&names)).or_raise()?;
        if raising {
            report.clone().into_result().or_raise()?;
        }
        Ok(CheckReport(report))
    }

    /// The settings declared to need a restart that were changed since the vault was opened.
    fn restart_pending(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(|| self.0.restart_pending()).or_raise()
    }

    /// What this vault, or tenant, itself holds, as a .env file. Audited. Secrets come with a reason only.
    #[pyo3(signature = (*, actor, reason=None, include_secrets=false))]
    fn export_env<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, PyString>,
        reason: Option<&Bound<'py, PyString>>,
        include_secrets: bool,
    ) -> PyResult<Bound<'py, PyString>> {
        let author = author(actor, reason)?;
        let text = py.traced(|| self.0.export_env(&author, include_secrets)).or_raise()?;
        Ok(PyString::new(py, text.expose_secret()))
    }

    /// As `export_env`, as one JSON object of names and values.
    #[pyo3(signature = (*, actor, reason=None, include_secrets=false))]
    fn export_json<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, PyString>,
        reason: Option<&Bound<'py, PyString>>,
        include_secrets: bool,
    ) -> PyResult<Bound<'py, PyString>> {
        let author = author(actor, reason)?;
        let text = py.traced(|| self.0.export_json(&author, include_secrets)).or_raise()?;
        Ok(PyString::new(py, text.expose_secret()))
    }

    /// Sets what the text of a .env file names, all or nothing; what it does not name stays. Audited.
    #[pyo3(signature = (text, *, actor, reason=None))]
    fn import_env(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        actor: &Bound<'_, PyString>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<ImportReport> {
        let (text, author) = (text_of(text)?, author(actor, reason)?);
        py.traced(|| self.0.import_env(text, &author)).map(ImportReport).or_raise()
    }

    /// As `import_env`, from what `export_json` has written.
    #[pyo3(signature = (text, *, actor, reason=None))]
    fn import_json(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        actor: &Bound<'_, PyString>,
        reason: Option<&Bound<'_, PyString>>,
    ) -> PyResult<ImportReport> {
        let (text, author) = (text_of(text)?, author(actor, reason)?);
        py.traced(|| self.0.import_json(text, &author)).map(ImportReport).or_raise()
    }

    fn __repr__(&self) -> &'static str {
        "<Settings>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Settings"))
    }
}
