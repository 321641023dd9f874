//! The settings of a vault or tenant.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sealite::{Author, ErrorKind, ExposeSecret, SettingDefinition, Type};

use crate::error::error;
use crate::given::{number, string_given, text_given, text_or_none, texts};
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

/// A declaration, from its options. `None` stands for the default.
fn declared(
    name: &str,
    kind: &str,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<SettingDefinition> {
    let kind = Type::from_name(kind).ok_or_else(|| {
        let message = "the type of a setting is text, integer, real, boolean or json";
        error(ErrorKind::InvalidInput, message)
    })?;
    let mut definition = SettingDefinition::new(name, kind);
    for (option, given) in options.into_iter().flatten().filter(|(_, given)| !given.is_none()) {
        let option: String = option.extract()?;
        definition = match option.as_str() {
            "secret" => flag(definition, &given, SettingDefinition::secret)?,
            "requires_restart" => flag(definition, &given, SettingDefinition::requires_restart)?,
            "required" => flag(definition, &given, SettingDefinition::required)?,
            "show_last_four" => flag(definition, &given, SettingDefinition::show_last_four)?,
            "category" => definition.category(string_given(&given)?),
            "description" => definition.description(string_given(&given)?),
            "environment" => definition.environment(string_given(&given)?),
            "guarded_by" => definition.guarded_by(string_given(&given)?),
            "default" => definition.default(value(&given)?),
            "min_length" => definition.min_length(number("min_length", given.extract()?)?),
            "keep_versions" => definition.keep_versions(number("keep_versions", given.extract()?)?),
            _ => {
                return Err(PyTypeError::new_err(format!(
                    "'{option}' is no option of a setting: secret, category, description, requires_restart, default, \
                     environment, required, min_length, show_last_four, guarded_by, keep_versions"
                )));
            }
        };
    }
    Ok(definition)
}

fn flag(
    definition: SettingDefinition,
    given: &Bound<'_, PyAny>,
    apply: fn(SettingDefinition) -> SettingDefinition,
) -> PyResult<SettingDefinition> {
    Ok(if given.extract()? { apply(definition) } else { definition })
}

fn author(actor: &Bound<'_, PyString>, reason: Option<&Bound<'_, PyString>>) -> PyResult<Author> {
    let author = Author::new(text_of(actor)?);
    Ok(match reason {
        Some(reason) => author.reason(text_of(reason)?),
        None => author,
    })
}

/// Names, and what `read` makes of what stands beside them.
fn named<'py, T>(
    given: &Bound<'py, PyAny>,
    read: impl Fn(&Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<(String, T)>> {
    let pairs = as_dict(given)?;
    let pair = |(name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
        let name = name
            .cast_into::<PyString>()
            .map_err(|_| error(ErrorKind::TypeMismatch, "the name of a setting is a str"))?;
        Ok((text_of(&name)?.to_owned(), read(&value)?))
    };
    pairs.iter().map(pair).collect()
}

#[pymethods]
impl Settings {
    /// Declares a setting, or changes its declaration; True where anything was written. What was secret stays so.
    ///
    /// `kind` is "text", "integer", "real", "boolean" or "json". The options: `secret`, `category`, `description`,
    /// `requires_restart`, `default`, `environment` (the variable that stands in where nothing is set), `required`,
    /// `min_length` (characters), `show_last_four`, `guarded_by` (a boolean setting: while it is true, this one is not cleared), `keep_versions`
    /// (how many values are kept: 50).
    #[pyo3(signature = (name, kind="text", **options))]
    fn define(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
        #[pyo3(from_py_with = text_given)] kind: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        let definition = declared(name, kind, options)?;
        py.traced(|| self.0.define(&definition)).or_raise()
    }

    /// Declares several settings, all or none: a dict from names to what `define` takes, a dict with `kind` and the
    /// options. True where anything was written.
    ///
    ///     >>> settings = sealite.Vault.in_memory().settings
    ///     >>> settings.define_all({"mail.host": {"default": "localhost"}, "mail.port": {"kind": "integer"}})
    ///     True
    fn define_all(&self, py: Python<'_>, definitions: &Bound<'_, PyAny>) -> PyResult<bool> {
        let definitions: Vec<_> = named(definitions, |options| as_dict(options))?
            .into_iter()
            .map(|(name, options)| {
                let options = options.copy()?;
                let mut kind: Option<String> = None;
                if let Some(given) = options.get_item("kind")? {
                    kind = given.extract()?;
                    options.del_item("kind")?;
                }
                declared(&name, kind.as_deref().unwrap_or("text"), Some(&options))
            })
            .collect::<PyResult<_>>()?;
        py.traced(|| self.0.define_all(&definitions)).or_raise()
    }

    /// The setting, with a mask where it is secret.
    fn read(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
    ) -> PyResult<Setting> {
        py.detach(|| self.0.read(name)).map(Setting).or_raise()
    }

    /// The settings of a category, or all of them, in the order of their names.
    #[pyo3(signature = (category=None))]
    fn list(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_or_none)] category: Option<&str>,
    ) -> PyResult<Vec<Setting>> {
        let settings = py.detach(|| self.0.list(category)).or_raise()?;
        Ok(settings.into_iter().map(Setting).collect())
    }

    /// The value for the application to use; None where there is none. It stays in memory: a change by another process
    /// shows within 100 ms. Counted (`uses`), not audited.
    #[pyo3(name = "use", signature = (name, /))]
    fn use_value(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
    ) -> PyResult<Option<SettingValue>> {
        let value = match self.0.use_in_memory(name) {
            Some(value) => value,
            None => py.detach(|| self.0.use_value(name)).or_raise()?,
        };
        Ok(value.map(SettingValue::new))
    }

    /// How often `use` gave this setting out in this process.
    fn uses(&self, #[pyo3(from_py_with = text_given)] name: &str) -> u64 {
        self.0.uses(name)
    }

    /// The value for a person to see. Takes a reason, and is audited in the same transaction.
    #[pyo3(signature = (name, *, actor, reason))]
    fn reveal(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
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
        #[pyo3(from_py_with = text_given)] name: &str,
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
        #[pyo3(from_py_with = text_given)] name: &str,
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
    fn history(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
    ) -> PyResult<Vec<SettingVersion>> {
        let versions = py.detach(|| self.0.history(name)).or_raise()?;
        Ok(versions.into_iter().map(SettingVersion).collect())
    }

    /// Writes the value of an earlier version again, as a new one; its number.
    #[pyo3(signature = (name, version, *, actor, reason=None))]
    fn roll_back(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text_given)] name: &str,
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
        #[pyo3(from_py_with = text_given)] name: &str,
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
