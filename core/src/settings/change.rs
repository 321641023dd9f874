//! Writing: keep, set or clear, with its history and its audit entry, in one transaction.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::SettingDefinition;
use super::guard::{check_guards, is_blank};
use super::setting::{SettingSource, shown};
use super::store::{Effective, View, value_in, version_id};
use super::tables::VALUES;
use super::value::{SettingValue, admit, looks_masked, parse};
use crate::audit::{Entry, append};
use crate::error::{Result, fail};
use crate::table::session::Session;
use crate::table::{discard, put_row, write_row};
use crate::value::{IdRef, Value, ValueRef};

/// The longest reason, in bytes.
const MAX_REASON: usize = 4_096;

/// Who acts, and why. Both go into the audit trail, sealed, and are wiped when they go.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Author {
    /// Who: a user's id, the name of a job.
    pub actor: String,
    /// Why. Revealing a secret asks for it.
    pub reason: Option<String>,
}

impl Author {
    /// An author without a reason.
    pub fn new(actor: impl Into<String>) -> Self {
        Author { actor: actor.into(), reason: None }
    }

    /// Adds the reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub(super) fn needs_reason(&self, what: &str) -> Result<()> {
        match &self.reason {
            Some(reason) if !reason.trim().is_empty() => Ok(()),
            _ => fail!(InvalidInput, "to {what} takes a reason"),
        }
    }

    pub(super) fn entry(&self, tenant: Option<&str>, event: &str) -> Result<Entry> {
        if self.actor.is_empty() {
            fail!(InvalidInput, "the author of a change has a name");
        }
        if self.reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON) {
            fail!(Limit, "a reason has at most {MAX_REASON} bytes");
        }
        let mut entry = Entry::new(event).actor(&self.actor);
        entry.tenant = tenant.map(str::to_owned);
        Ok(entry)
    }
}

impl Drop for Author {
    fn drop(&mut self) {
        self.actor.zeroize();
        self.reason.zeroize();
    }
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Author(..)")
    }
}

/// What a write does to a setting. What it holds is wiped when it goes.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Nothing.
    Keep,
    /// Sets the value, whatever it looks like: also one that equals the mask.
    Set(Value),
    /// As `Set`, with a text that is read in the setting's type: see [`Change::from_text`].
    Text(String),
    /// Takes the value away: what holds then is the platform's, the environment's or the default.
    Clear,
    /// What a form has sent back: see [`Change::from_form`].
    Form {
        /// The text of the field.
        text: String,
        /// Whether an empty field keeps the value, or clears it.
        blank_keeps: bool,
    },
}

impl Change {
    /// Sets the value.
    pub fn set(value: impl Into<Value>) -> Self {
        Change::Set(value.into())
    }

    /// Sets the value that a text stands for, as an environment variable or a line of a `.env` file does: a text or JSON
    /// as it is, an integer or real in decimal, a boolean as `true`, `1`, `yes`, `on`, `false`, `0`, `no` or `off`, all of
    /// these but texts with white space around them.
    ///
    /// ```
    /// use sealite::{Author, Change, SettingDefinition, Type, Vault};
    ///
    /// let vault = Vault::in_memory()?;
    /// vault.settings().define(&SettingDefinition::new("smtp.port", Type::Integer))?;
    /// vault.settings().write("smtp.port", Change::from_text(" 25 "), &Author::new("ada"))?;
    /// assert_eq!(vault.settings().read("smtp.port")?.shown(), "25");
    /// # Ok::<(), sealite::Error>(())
    /// ```
    pub fn from_text(text: impl Into<String>) -> Self {
        Change::Text(text.into())
    }

    /// What a form has sent back: the text that [`super::Setting::shown`] gives keeps, an empty one keeps or clears as
    /// `blank_keeps` says, any other sets, read in the setting's type.
    ///
    /// A text that is the mask of some other value is refused: somebody else has changed the secret meanwhile, or means
    /// the mask itself, which [`Change::Set`] says.
    pub fn from_form(text: impl Into<String>, blank_keeps: bool) -> Self {
        Change::Form { text: text.into(), blank_keeps }
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        match self {
            Change::Set(value) => value.wipe(),
            Change::Text(text) | Change::Form { text, .. } => text.zeroize(),
            Change::Keep | Change::Clear => {}
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Change::Keep => "Keep",
            Change::Set(_) => "Set(..)",
            Change::Text(_) => "Text(..)",
            Change::Clear => "Clear",
            Change::Form { .. } => "Form(..)",
        })
    }
}

/// Writes settings in the order given, within the transaction; the names of those that have changed.
pub(super) fn write_all<'n>(
    session: &Session,
    tenant: Option<&str>,
    wanted: impl IntoIterator<Item = (&'n str, &'n Change)>,
    author: &Author,
) -> Result<Vec<String>> {
    let state = session.state();
    let view = View::writing(session, &state, tenant);
    let mut changed = Vec::new();
    let mut emptied = Vec::new();
    for (name, change) in wanted {
        let definition = view.definition(name)?;
        let before = view.effective(&definition)?;
        let (value, kind) = match resolve(&definition, &before, change)? {
            Resolved::Keep => continue,
            Resolved::Set(value) => (Some(value), "set"),
            Resolved::Clear => (None, "clear"),
        };
        let own = before.own.as_ref().and_then(|own| own.value.as_ref());
        if own.map(SettingValue::expose) == value.as_ref().map(SettingValue::expose) {
            continue;
        }
        if is_blank(value.as_ref()) {
            emptied.push(definition.clone());
        }
        let done = Done { value: value.as_ref(), kind, restored: None };
        put(session, view, &definition, &before, &done, author)?;
        changed.push(name.to_owned());
    }
    // Only now: the same transaction may have switched off what is guarded.
    check_guards(view, &emptied)?;
    Ok(changed)
}

/// Writes the value of an earlier version again; the number of the version that holds then.
pub(super) fn roll_back(
    session: &Session,
    tenant: Option<&str>,
    name: &str,
    version: i64,
    author: &Author,
) -> Result<i64> {
    let state = session.state();
    let view = View::writing(session, &state, tenant);
    let definition = view.definition(name)?;
    let before = view.effective(&definition)?;
    let (oldest, last) = before.own.as_ref().map_or((1, 0), |own| (own.oldest, own.version));
    if !(oldest..=last).contains(&version) {
        fail!(NotFound, "setting {name} has no version {version}, or keeps it no longer");
    }
    if version == last {
        return Ok(last);
    }
    let Some(row) = view.version_row(name, version)? else {
        fail!(AuthenticationFailed, "version {version} of setting {name} was removed from outside");
    };
    let value = value_in(&row)?;
    let done = Done { value: value.as_ref(), kind: "roll_back", restored: Some(version) };
    put(session, view, &definition, &before, &done, author)?;
    if is_blank(value.as_ref()) {
        check_guards(view, std::slice::from_ref(&definition))?;
    }
    Ok(last + 1)
}

enum Resolved {
    Keep,
    Set(SettingValue),
    Clear,
}

fn resolve(
    definition: &SettingDefinition,
    before: &Effective,
    change: &Change,
) -> Result<Resolved> {
    let (name, kind) = (&definition.name, definition.kind);
    let value = match change {
        Change::Keep => return Ok(Resolved::Keep),
        Change::Clear => return Ok(Resolved::Clear),
        Change::Set(value) => return set(admit(name, kind, value.as_ref())?),
        Change::Text(text) => return set(parse(name, kind, text)?),
        Change::Form { text, blank_keeps } if text.is_empty() => {
            return Ok(if *blank_keeps { Resolved::Keep } else { Resolved::Clear });
        }
        Change::Form { text, .. } => {
            let current =
                Zeroizing::new(shown(definition, before.value.as_ref(), before.inherited));
            // A browser ends every line of a text area with CR LF.
            let lines = Zeroizing::new(text.replace("\r\n", "\n"));
            if *text == *current || *lines == *current {
                return Ok(Resolved::Keep);
            }
            if definition.secret && looks_masked(text, definition.last_four) {
                fail!(
                    Refused,
                    "setting {name}: the text is a mask, and not the one shown now: read the form anew, or set it explicitly"
                );
            }
            parse(name, kind, text)?
        }
    };
    // The same value in another spelling, "1" for true, is no change either.
    let value = SettingValue::new(value);
    let same = before.value.as_ref().is_some_and(|current| current.is(&value));
    Ok(if same { Resolved::Keep } else { Resolved::Set(value) })
}

#[allow(clippy::unnecessary_wraps)] // the form that its callers return
fn set(value: Value) -> Result<Resolved> {
    Ok(Resolved::Set(SettingValue::new(value)))
}

/// What is written.
struct Done<'a> {
    value: Option<&'a SettingValue>,
    kind: &'static str,
    restored: Option<i64>,
}

fn put(
    session: &Session,
    view: View<'_>,
    definition: &SettingDefinition,
    before: &Effective,
    done: &Done<'_>,
    author: &Author,
) -> Result<()> {
    let name = definition.name.as_str();
    let entry = author.entry(view.tenant, "setting.changed")?;
    let (first, last) = before.own.as_ref().map_or((1, 0), |own| (own.oldest, own.version));
    let version = last + 1;
    let oldest = first.max(version - i64::from(definition.keep_versions) + 1);
    for gone in first..oldest {
        discard(session, view.versions(), IdRef::Text(&version_id(name, gone)))?;
    }
    let revision = session.next_id(view.state, VALUES)?;
    let (at, by) = (session.clock_ms(), author.actor.as_str());
    let sealed = done.value.map(|value| SettingValue::encode(value.expose()));
    let value = sealed.as_ref().map_or(ValueRef::Null, |bytes| ValueRef::Blob(bytes));
    let row = [
        ValueRef::Integer(version),
        ValueRef::Integer(oldest),
        ValueRef::Integer(revision),
        ValueRef::Integer(at),
        ValueRef::Text(by),
        value,
    ];
    put_row(session, view.values(), IdRef::Text(name), &row)?;
    let row = [
        ValueRef::Integer(version),
        ValueRef::Integer(at),
        ValueRef::Text(by),
        ValueRef::from(author.reason.as_ref()),
        ValueRef::from(done.restored),
        value,
    ];
    write_row(session, view.versions(), IdRef::Text(&version_id(name, version)), &row)?;
    let mut payload = serde_json::json!({"name": name, "version": version, "change": done.kind});
    add(&mut payload, "restored", done.restored.map(serde_json::Value::from));
    add(&mut payload, "reason", author.reason.clone().map(serde_json::Value::from));
    append(session, &entry.json(payload)).map(|_| ())
}

pub(super) fn add(payload: &mut serde_json::Value, name: &str, value: Option<serde_json::Value>) {
    if let (Some(object), Some(value)) = (payload.as_object_mut(), value) {
        object.insert(name.to_owned(), value);
    }
}

/// Records that a value was shown; the entry never holds it.
pub(super) fn record_reveal(
    session: &Session,
    tenant: Option<&str>,
    name: &str,
    source: SettingSource,
    author: &Author,
) -> Result<()> {
    let mut payload = serde_json::json!({"name": name, "source": source.name()});
    add(&mut payload, "reason", author.reason.clone().map(serde_json::Value::from));
    let entry = author.entry(tenant, "setting.revealed")?;
    append(session, &entry.json(payload)).map(|_| ())
}
