//! Tokens: issued, verified, used, rotated and revoked.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyString;
use sealite::{CodeRequest, ErrorKind, TokenCheck, TokenFilter, TokenRequest};

use crate::error::{Failure, error};
use crate::given::{duration, json_text, number, optional, texts, time};
use crate::row::unpicklable;
use crate::source::{HeldTransaction, Root};
use crate::token::{IssuedCode, IssuedToken, LegacyEntry, LegacyImport, Token, kind};
use crate::trace::Traced;
use crate::value::text_of;

/// Tokens of a vault or tenant, each call a transaction of its own, or of a transaction. A tenant's reach only the
/// tenant's tokens, the vault's own only those without a tenant.
///
/// Whatever is presented, the answer to what does not hold is `TokenRejected`; why, only the metrics and the audit trail
/// tell. `Denied` is the answer to a token that holds and lacks a scope.
///
///     >>> vault = sealite.Vault.in_memory()
///     >>> issued = vault.tokens.issue("api_key", subject="ada", scopes=["read"])
///     >>> vault.tokens.verify(issued.text, "api_key", scopes=["read"]).subject
///     'ada'
///     >>> vault.tokens.verify(issued.text, "api_key", scopes=["write"])
///     Traceback (most recent call last):
///     sealite.Denied: ...
///     >>> vault.tokens.revoke(issued.token.id)
///     True
///     >>> vault.tokens.verify(issued.text, "api_key")
///     Traceback (most recent call last):
///     sealite.TokenRejected: ...
#[pyclass(module = "sealite", frozen, freelist = 16)]
pub(crate) struct Tokens(Through);

enum Through {
    Root(Root),
    Transaction(Arc<HeldTransaction>),
}

impl Tokens {
    pub(crate) fn of(root: Root) -> Self {
        Tokens(Through::Root(root))
    }

    pub(crate) fn within(transaction: Arc<HeldTransaction>) -> Self {
        Tokens(Through::Transaction(transaction))
    }

    fn run<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&sealite::Tokens<'_>) -> sealite::Result<R> + Send,
    ) -> PyResult<R> {
        let done = py.traced(|| match &self.0 {
            Through::Root(Root::Vault(vault)) => Ok(work(&vault.tokens())?),
            Through::Root(Root::Tenant(tenant, _)) => Ok(work(&tenant.tokens())?),
            Through::Transaction(held) => held.with(|transaction| work(&transaction.tokens())),
        });
        done.map_err(|failure: Failure| failure.into())
    }
}

/// What the caller accepts: a kind or several, and scopes that the token must have.
fn check(kinds: &Bound<'_, PyAny>, scopes: Option<&Bound<'_, PyAny>>) -> PyResult<TokenCheck> {
    let mut check = if let Ok(name) = kinds.cast::<PyString>() {
        TokenCheck::kind(kind(name)?)
    } else {
        let kinds = texts("the kinds of tokens", kinds)?;
        let kinds = kinds.iter().map(kind).collect::<PyResult<Vec<_>>>()?;
        TokenCheck::from(kinds.as_slice())
    };
    for scope in scopes.map_or(Ok(Vec::new()), |scopes| texts("scopes", scopes))? {
        check = check.scope(text_of(&scope)?);
    }
    Ok(check)
}

/// What sets a text or a time of a request.
type SetText = fn(TokenRequest, String) -> TokenRequest;
type SetTime = fn(TokenRequest, std::time::Duration) -> TokenRequest;

#[pymethods]
impl Tokens {
    /// Issues a token of a kind. What is not given has the kind's default; `expires_in` may also be "never". Times are in
    /// seconds or timedeltas; `data` is JSON text, or what `json.dumps` makes it from.
    #[allow(clippy::too_many_arguments, reason = "what a token can have")]
    #[pyo3(signature = (kind, *, subject=None, label=None, scopes=None, limits=None, data=None, prefix=None,
                        family=None, expires_in=None, not_before_in=None, idle=None, renew_for=None, uses=None,
                        last_used_every=None, replace_older=false))]
    fn issue(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyString>,
        subject: Option<&Bound<'_, PyString>>,
        label: Option<&Bound<'_, PyString>>,
        scopes: Option<&Bound<'_, PyAny>>,
        limits: Option<&Bound<'_, PyString>>,
        data: Option<&Bound<'_, PyAny>>,
        prefix: Option<&Bound<'_, PyString>>,
        family: Option<&Bound<'_, PyString>>,
        expires_in: Option<&Bound<'_, PyAny>>,
        not_before_in: Option<&Bound<'_, PyAny>>,
        idle: Option<&Bound<'_, PyAny>>,
        renew_for: Option<&Bound<'_, PyAny>>,
        uses: Option<i64>,
        last_used_every: Option<&Bound<'_, PyAny>>,
        replace_older: bool,
    ) -> PyResult<IssuedToken> {
        let mut request = TokenRequest::new(self::kind(kind)?);
        let texts: [(_, SetText); 5] = [
            (subject, TokenRequest::subject),
            (label, TokenRequest::label),
            (limits, TokenRequest::limits),
            (prefix, TokenRequest::prefix),
            (family, TokenRequest::family),
        ];
        for (text, set) in texts {
            if let Some(text) = optional(text)? {
                request = set(request, text.to_owned());
            }
        }
        let never = match expires_in.map(|given| given.cast::<PyString>()) {
            Some(Ok(text)) if text_of(text)? == "never" => true,
            Some(Ok(_)) => {
                let message = "expires_in is a length of time, or \"never\"";
                return Err(error(ErrorKind::InvalidInput, message));
            }
            _ => false,
        };
        let times: [(_, _, SetTime); 5] = [
            ("expires_in", expires_in.filter(|_| !never), TokenRequest::expires_in),
            ("not_before_in", not_before_in, TokenRequest::not_before_in),
            ("idle", idle, TokenRequest::idle),
            ("renew_for", renew_for, TokenRequest::renew_for),
            ("last_used_every", last_used_every, TokenRequest::last_used_every),
        ];
        for (what, given, set) in times {
            if let Some(given) = time(what, given)? {
                request = set(request, given);
            }
        }
        for scope in scopes.map_or(Ok(Vec::new()), |scopes| self::texts("scopes", scopes))? {
            request = request.scope(text_of(&scope)?);
        }
        if let Some(data) = data {
            request = request.data(json_text("the data", data)?);
        }
        if let Some(uses) = uses {
            request = request.uses(number("uses", uses)?);
        }
        if never {
            request = request.never_expires();
        }
        if replace_older {
            request = request.replace_older();
        }
        self.run(py, |tokens| tokens.issue(&request)).map(IssuedToken)
    }

    /// Verifies a token that may be used any number of times, of a kind or of one of several, with all of the scopes.
    /// Writes nothing but its last use, at most once in the interval that it was issued with.
    #[pyo3(signature = (text, kind, *, scopes=None))]
    fn verify(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        kind: &Bound<'_, PyAny>,
        scopes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Token> {
        let (text, check) = (presented(text), check(kind, scopes)?);
        self.run(py, |tokens| tokens.verify(text, check)).map(Token)
    }

    /// Whether `consume` would take a use of the token now, without taking it. Says nothing about break-glass.
    #[pyo3(signature = (text, kind, *, scopes=None))]
    fn peek(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        kind: &Bound<'_, PyAny>,
        scopes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Token> {
        let (text, check) = (presented(text), check(kind, scopes)?);
        self.run(py, |tokens| tokens.peek(text, check)).map(Token)
    }

    /// Takes one use of the token, and of a break-glass token its arming: of any number who try, as many get an answer
    /// as there are uses. In a transaction the use is taken only where that commits.
    #[pyo3(signature = (text, kind, *, scopes=None))]
    fn consume(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        kind: &Bound<'_, PyAny>,
        scopes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Token> {
        let (text, check) = (presented(text), check(kind, scopes)?);
        self.run(py, |tokens| tokens.consume(text, check)).map(Token)
    }

    /// Gives a successor for the token. For `grace` (seconds or a timedelta, at most a day) the old one gives the same
    /// successor again; presented after that, it revokes its family. Refused in a transaction.
    #[pyo3(signature = (text, kind, *, grace, scopes=None))]
    fn rotate(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyString>,
        kind: &Bound<'_, PyAny>,
        grace: &Bound<'_, PyAny>,
        scopes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<IssuedToken> {
        let (text, check) = (presented(text), check(kind, scopes)?);
        let grace = duration("a grace", grace)?;
        self.run(py, |tokens| tokens.rotate(text, check, grace)).map(IssuedToken)
    }

    /// Issues a short code for a person to type: 6 to 10 digits, 1 to 10 attempts, valid for 10 minutes unless
    /// `expires_in` says otherwise. The subject's older codes are revoked, unless `replace_older` is false. Refused in a
    /// transaction.
    #[allow(clippy::too_many_arguments, reason = "what a code can have")]
    #[pyo3(signature = (subject, *, digits=6, attempts=5, expires_in=None, label=None, data=None, replace_older=true))]
    fn issue_code(
        &self,
        py: Python<'_>,
        subject: &Bound<'_, PyString>,
        digits: i64,
        attempts: i64,
        expires_in: Option<&Bound<'_, PyAny>>,
        label: Option<&Bound<'_, PyString>>,
        data: Option<&Bound<'_, PyAny>>,
        replace_older: bool,
    ) -> PyResult<IssuedCode> {
        let mut request = CodeRequest::new(text_of(subject)?)
            .digits(number("digits", digits)?)
            .attempts(number("attempts", attempts)?);
        if let Some(expires_in) = time("expires_in", expires_in)? {
            request = request.expires_in(expires_in);
        }
        if let Some(label) = optional(label)? {
            request = request.label(label);
        }
        if let Some(data) = data {
            request = request.data(json_text("the data", data)?);
        }
        if !replace_older {
            request = request.keep_older();
        }
        self.run(py, |tokens| tokens.issue_code(&request)).map(IssuedCode)
    }

    /// Verifies a short code by the id that it was issued under, and uses it up. Each call is an attempt, whatever its
    /// outcome. Refused in a transaction.
    fn verify_code(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyString>,
        code: &Bound<'_, PyString>,
    ) -> PyResult<Token> {
        let (id, code) = (presented(id), presented(code));
        self.run(py, |tokens| tokens.verify_code(id, code)).map(Token)
    }

    /// What is known of the token of that id.
    fn get(&self, py: Python<'_>, id: &Bound<'_, PyString>) -> PyResult<Token> {
        let id = text_of(id)?;
        self.run(py, |tokens| tokens.get(id)).map(Token)
    }

    /// Tokens, the newest first: of a subject, kind or family, or, with `active`, only those that can be used.
    #[pyo3(signature = (*, subject=None, kind=None, family=None, active=false, limit=1000))]
    fn list(
        &self,
        py: Python<'_>,
        subject: Option<&Bound<'_, PyString>>,
        kind: Option<&Bound<'_, PyString>>,
        family: Option<&Bound<'_, PyString>>,
        active: bool,
        limit: i64,
    ) -> PyResult<Vec<Token>> {
        let mut filter = TokenFilter::new().limit(number("limit", limit)?);
        if let Some(subject) = optional(subject)? {
            filter = filter.subject(subject);
        }
        if let Some(kind) = kind {
            filter = filter.kind(self::kind(kind)?);
        }
        if let Some(family) = optional(family)? {
            filter = filter.family(family);
        }
        if active {
            filter = filter.active();
        }
        let found = self.run(py, |tokens| tokens.list(&filter))?;
        Ok(found.into_iter().map(Token).collect())
    }

    /// Takes `disable` back; True where it changed.
    fn enable(&self, py: Python<'_>, id: &Bound<'_, PyString>) -> PyResult<bool> {
        let id = text_of(id)?;
        self.run(py, |tokens| tokens.enable(id))
    }

    /// Makes a token unusable until it is enabled again; True where it changed.
    fn disable(&self, py: Python<'_>, id: &Bound<'_, PyString>) -> PyResult<bool> {
        let id = text_of(id)?;
        self.run(py, |tokens| tokens.disable(id))
    }

    /// Revokes a token for good; False where it was already. Every process sees it with its next verification.
    fn revoke(&self, py: Python<'_>, id: &Bound<'_, PyString>) -> PyResult<bool> {
        let id = text_of(id)?;
        self.run(py, |tokens| tokens.revoke(id))
    }

    /// Revokes every token of a family; how many.
    fn revoke_family(&self, py: Python<'_>, family: &Bound<'_, PyString>) -> PyResult<u64> {
        let family = text_of(family)?;
        self.run(py, |tokens| tokens.revoke_family(family))
    }

    /// Revokes what a subject has of one kind, but for the token of the id `keep`; how many.
    #[pyo3(signature = (subject, kind, *, keep=None))]
    fn revoke_kind(
        &self,
        py: Python<'_>,
        subject: &Bound<'_, PyString>,
        kind: &Bound<'_, PyString>,
        keep: Option<&Bound<'_, PyString>>,
    ) -> PyResult<u64> {
        let (subject, kind, keep) = (text_of(subject)?, self::kind(kind)?, optional(keep)?);
        self.run(py, |tokens| tokens.revoke_kind(subject, kind, keep))
    }

    /// Revokes everything that was ever issued to a subject, of every kind. What is issued later revives nothing.
    fn revoke_subject(&self, py: Python<'_>, subject: &Bound<'_, PyString>) -> PyResult<()> {
        let subject = text_of(subject)?;
        self.run(py, |tokens| tokens.revoke_subject(subject))
    }

    /// Arms a break-glass token for one use within `valid_for` (seconds or a timedelta). Takes a reason; audited.
    fn arm(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyString>,
        reason: &Bound<'_, PyString>,
        valid_for: &Bound<'_, PyAny>,
    ) -> PyResult<Token> {
        let (id, reason) = (text_of(id)?, text_of(reason)?);
        let valid_for = duration("valid_for", valid_for)?;
        self.run(py, |tokens| tokens.arm(id, reason, valid_for)).map(Token)
    }

    /// Takes an arming back; False where there was none.
    fn disarm(&self, py: Python<'_>, id: &Bound<'_, PyString>) -> PyResult<bool> {
        let id = text_of(id)?;
        self.run(py, |tokens| tokens.disarm(id))
    }

    /// Deletes what ended so long ago (seconds or a timedelta); how many. The vault's own handle does so for every
    /// tenant. Refused in a transaction.
    fn purge(&self, py: Python<'_>, ended_for: &Bound<'_, PyAny>) -> PyResult<u64> {
        let ended_for = duration("ended_for", ended_for)?;
        self.run(py, |tokens| tokens.purge(ended_for))
    }

    /// Imports tokens that were made elsewhere, all or none; they keep their text. Importing again changes nothing.
    fn import_legacy(&self, py: Python<'_>, entries: &Bound<'_, PyAny>) -> PyResult<LegacyImport> {
        let mismatch =
            || error(ErrorKind::TypeMismatch, "entries are given in a list of LegacyEntry");
        let mut given = Vec::new();
        for entry in entries.try_iter().map_err(|_| mismatch())? {
            let entry = entry?;
            given.push(entry.cast::<LegacyEntry>().map_err(|_| mismatch())?.get().0.clone());
        }
        self.run(py, |tokens| tokens.import(&given)).map(LegacyImport)
    }

    /// A CSRF token for the forms of a session, from the session's own text: another one with each call. Verify the
    /// session first.
    fn csrf(&self, py: Python<'_>, session: &Bound<'_, PyString>) -> PyResult<String> {
        let session = presented(session);
        self.run(py, |tokens| tokens.csrf(session))
    }

    /// Whether a form's field or header holds a CSRF token of the session. In constant time.
    fn check_csrf(
        &self,
        py: Python<'_>,
        session: &Bound<'_, PyString>,
        presented: &Bound<'_, PyString>,
    ) -> PyResult<bool> {
        let (session, field) = (self::presented(session), self::presented(presented));
        self.run(py, |tokens| Ok(tokens.check_csrf(session, field)))
    }

    fn __repr__(&self) -> &'static str {
        "<Tokens>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Tokens"))
    }
}

/// What somebody presents. Text that UTF-8 has no form for is no token, and is refused as such.
fn presented<'a>(text: &'a Bound<'_, PyString>) -> &'a str {
    text.to_str().unwrap_or_default()
}

/// True where a text has the form and the checksum of a token: for scanners of secrets. Needs no vault.
#[pyfunction]
pub(crate) fn is_token_text(text: &Bound<'_, PyString>) -> bool {
    sealite::is_token_text(presented(text))
}
