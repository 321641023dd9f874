//! What is known of a token, and what an import of old ones takes.

use pyo3::prelude::*;
use pyo3::types::PyString;
use sealite::{ErrorKind, ExposeSecret, TokenKind};

use crate::error::error;
use crate::given::{json_objects, optional};
use crate::quota::QuotaLimit;
use crate::row::unpicklable;
use crate::time::to_datetime;
use crate::value::{OrRaise, text_of};

/// A kind of tokens, by its name.
pub(crate) fn kind(name: &Bound<'_, PyString>) -> PyResult<TokenKind> {
    TokenKind::from_name(text_of(name)?).ok_or_else(|| {
        let names = TokenKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        error(ErrorKind::InvalidInput, format!("the kinds of tokens are {names}"))
    })
}

/// A token, read and verified; never its secret. Its attributes are made when they are asked for.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> issued = vault.tokens.issue("api_key", subject="ada", scopes=["orders:read"], data={"theme": "dark"})
///     >>> token = vault.tokens.verify(issued.text, "api_key")
///     >>> token.subject, token.has_scope("orders:write"), token.data
///     ('ada', False, {'theme': 'dark'})
#[pyclass(module = "sealite", frozen, freelist = 64)]
pub(crate) struct Token(pub(crate) sealite::Token);

#[pymethods]
impl Token {
    /// The public id, 24 hexadecimal digits: names the token, and opens nothing.
    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }

    /// What it is for: "session", "api_key" and so on.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::intern(py, self.0.kind().name())
    }

    /// Whose it is.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    /// What people know it by.
    #[getter]
    fn label(&self) -> Option<&str> {
        self.0.label()
    }

    /// The scopes, in order.
    #[getter]
    fn scopes(&self) -> Vec<&str> {
        self.0.scopes().collect()
    }

    /// True where it has the scope.
    fn has_scope(&self, scope: &Bound<'_, PyString>) -> PyResult<bool> {
        Ok(self.0.has_scope(text_of(scope)?))
    }

    /// Limits of its own, as text: what `Quotas.check_and_charge` takes.
    #[getter]
    fn limits(&self) -> Option<&str> {
        self.0.limits()
    }

    /// The same, read: empty where it has none.
    #[getter]
    fn quota_limits(&self) -> PyResult<Vec<QuotaLimit>> {
        Ok(self.0.quota_limits().or_raise()?.into_iter().map(QuotaLimit).collect())
    }

    /// The key under which its uses are charged.
    #[getter]
    fn quota_key(&self) -> String {
        self.0.quota_key()
    }

    /// What the application keeps with it, as objects of Python's, such as `issue` takes.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        json_objects(py, self.0.data())
    }

    /// What its text begins with.
    #[getter]
    fn prefix(&self) -> &str {
        self.0.prefix()
    }

    /// The family that it is revoked with.
    #[getter]
    fn family(&self) -> Option<&str> {
        self.0.family()
    }

    /// False where it is disabled.
    #[getter]
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    /// When it was issued: a datetime in UTC, as all times here.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_datetime(py, self.0.created_at())
    }

    /// From when on it is valid.
    #[getter]
    fn not_before<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional_time(py, self.0.not_before())
    }

    /// From when on it is not valid any more.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional_time(py, self.0.expires_at())
    }

    /// For how many seconds it may stay unused.
    #[getter]
    #[allow(clippy::cast_precision_loss, reason = "at most 100 years")]
    fn idle(&self) -> Option<f64> {
        self.0.idle_ms().map(|ms| ms as f64 / 1_000.0)
    }

    /// When it was last used, as far as it is written down.
    #[getter]
    fn last_used_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional_time(py, self.0.last_used_at())
    }

    /// How often it can still be used; None for any number of times.
    #[getter]
    fn uses_left(&self) -> Option<u32> {
        self.0.uses_left()
    }

    /// How many attempts are left, of a short code.
    #[getter]
    fn attempts_left(&self) -> Option<u32> {
        self.0.attempts_left()
    }

    /// Until when a break-glass token is armed; None where it is not, or was used.
    #[getter]
    fn armed_until<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional_time(py, self.0.armed_until())
    }

    /// Why it was armed last.
    #[getter]
    fn armed_reason(&self) -> Option<&str> {
        self.0.armed_reason()
    }

    /// When a successor took its place.
    #[getter]
    fn rotated_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional_time(py, self.0.rotated_at())
    }

    /// The id of its successor.
    #[getter]
    fn successor(&self) -> Option<&str> {
        self.0.successor()
    }

    /// When it was revoked by itself, with its kind or with its family.
    #[getter]
    fn revoked_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional_time(py, self.0.revoked_at())
    }

    /// True for a token that was made elsewhere, and imported.
    #[getter]
    fn is_imported(&self) -> bool {
        self.0.is_imported()
    }

    fn __repr__(&self) -> String {
        format!("<Token {}: {}>", self.0.id(), self.0.kind().name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Token"))
    }
}

fn optional_time(py: Python<'_>, ms: Option<i64>) -> PyResult<Option<Bound<'_, PyAny>>> {
    ms.map(|ms| to_datetime(py, ms)).transpose()
}

/// A token just issued, with its text.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct IssuedToken(pub(crate) sealite::IssuedToken);

#[pymethods]
impl IssuedToken {
    /// What is known of it.
    #[getter]
    fn token(&self) -> Token {
        Token(self.0.token.clone())
    }

    /// What its holder presents. It is kept nowhere, and can't be had again.
    #[getter]
    fn text(&self) -> &str {
        self.0.text.expose_secret()
    }

    fn __repr__(&self) -> String {
        format!("<IssuedToken {}: {}>", self.0.token.id(), self.0.token.kind().name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("IssuedToken"))
    }
}

/// A short code just issued.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct IssuedCode(pub(crate) sealite::IssuedCode);

#[pymethods]
impl IssuedCode {
    /// What is known of it. Its id goes into the form in which the person types the code.
    #[getter]
    fn token(&self) -> Token {
        Token(self.0.token.clone())
    }

    /// The digits. They are kept nowhere, and can't be had again.
    #[getter]
    fn code(&self) -> &str {
        self.0.code.expose_secret()
    }

    fn __repr__(&self) -> String {
        format!("<IssuedCode {}>", self.0.token.id())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("IssuedCode"))
    }
}

/// A token of a store from before, known by the SHA-256 of its text: what `Tokens.import_legacy` takes.
///
///     >>> import hashlib
///     >>> vault = sealite.Vault.in_memory()
///     >>> entry = sealite.LegacyEntry.from_hash("api_key", hashlib.sha256(b"an older key").hexdigest(), label="ci")
///     >>> imported = vault.tokens.import_legacy([entry])
///     >>> vault.tokens.verify("an older key", "api_key").label
///     'ci'
#[pyclass(module = "sealite", frozen)]
pub(crate) struct LegacyEntry(pub(crate) sealite::LegacyEntry);

impl LegacyEntry {
    fn about(
        mut entry: sealite::LegacyEntry,
        subject: Option<&Bound<'_, PyString>>,
        label: Option<&Bound<'_, PyString>>,
        enabled: bool,
    ) -> PyResult<Self> {
        if let Some(subject) = optional(subject)? {
            entry = entry.subject(subject);
        }
        if let Some(label) = optional(label)? {
            entry = entry.label(label);
        }
        Ok(LegacyEntry(if enabled { entry } else { entry.disabled() }))
    }
}

#[pymethods]
impl LegacyEntry {
    /// The entries of a file of admin tokens, from its text: a list of entries with `id`, `hash`, `enabled` and
    /// `breakglass`, the same under `tokens`, or an object that gives an entry, or a hash alone, for each id. Raises
    /// Corrupt for a torn file, InvalidInput for one of another form: it is refused whole.
    #[staticmethod]
    fn admin_tokens(json: &Bound<'_, PyString>) -> PyResult<Vec<Self>> {
        let entries = sealite::LegacyEntry::admin_tokens(text_of(json)?).or_raise()?;
        Ok(entries.into_iter().map(LegacyEntry).collect())
    }

    /// The entries of a file of users' tokens, from its text: a list of entries with `id`, `name`, `hash`, `enabled` and
    /// `created`, an object that gives an entry for each id, or one whose names are the tokens themselves, which are
    /// hashed at once and kept nowhere. Raises as `admin_tokens`.
    #[staticmethod]
    fn users(json: &Bound<'_, PyString>) -> PyResult<Vec<Self>> {
        let entries = sealite::LegacyEntry::users(text_of(json)?).or_raise()?;
        Ok(entries.into_iter().map(LegacyEntry).collect())
    }

    /// A token of which the SHA-256 is known: 64 hexadecimal digits, with or without `sha256:` before them.
    #[staticmethod]
    #[pyo3(signature = (kind, hash, *, subject=None, label=None, enabled=true))]
    fn from_hash(
        kind: &Bound<'_, PyString>,
        hash: &Bound<'_, PyString>,
        subject: Option<&Bound<'_, PyString>>,
        label: Option<&Bound<'_, PyString>>,
        enabled: bool,
    ) -> PyResult<Self> {
        let entry = sealite::LegacyEntry::from_hash(self::kind(kind)?, text_of(hash)?);
        Self::about(entry.or_raise()?, subject, label, enabled)
    }

    /// A token that is known in clear, such as one of an environment variable. It is hashed at once and not kept.
    #[staticmethod]
    #[pyo3(signature = (kind, token, *, subject=None, label=None, enabled=true))]
    fn from_token(
        kind: &Bound<'_, PyString>,
        token: &Bound<'_, PyString>,
        subject: Option<&Bound<'_, PyString>>,
        label: Option<&Bound<'_, PyString>>,
        enabled: bool,
    ) -> PyResult<Self> {
        let entry = sealite::LegacyEntry::from_token(self::kind(kind)?, text_of(token)?);
        Self::about(entry.or_raise()?, subject, label, enabled)
    }

    /// What it is for.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind().name()
    }

    fn __repr__(&self) -> String {
        format!("<LegacyEntry: {}>", self.0.kind().name())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("LegacyEntry"))
    }
}

/// What an import of old tokens has done.
#[pyclass(module = "sealite", frozen)]
pub(crate) struct LegacyImport(pub(crate) sealite::LegacyImport);

#[pymethods]
impl LegacyImport {
    /// Tokens that are new here.
    #[getter]
    fn imported(&self) -> u64 {
        self.0.imported
    }

    /// Tokens that were here already, and stay as they are.
    #[getter]
    fn known(&self) -> u64 {
        self.0.known
    }

    fn __repr__(&self) -> String {
        format!("<LegacyImport: {} imported, {} known>", self.0.imported, self.0.known)
    }
}
