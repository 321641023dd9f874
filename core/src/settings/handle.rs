//! The public handle of settings.

use std::sync::Arc;

use super::cache::Memory;
use super::change::{Author, Change, add, record_reveal, roll_back, write_all};
use super::check::{CheckReport, check};
use super::setting::{Setting, SettingSource, SettingVersion, shown};
use super::store::{View, put_definition, value_in};
use super::transfer::{Format, ImportReport, export, import};
use super::value::SettingValue;
use super::{SettingDefinition, tables};
use crate::audit::append;
use crate::error::{Result, fail};
use crate::metrics::Counter;
use crate::secret::SecretString;
use crate::table::ReadSession;
use crate::table::engine::Engine;
use crate::table::session::Session;

/// The settings of a vault, or of one of its tenants.
///
/// Settings are declared once for the vault. A tenant overrides them: what holds for it is its own value, else the
/// platform's, else the environment's, else the default; a JSON object of the tenant is merged over the platform's
/// (RFC 7396). Every value is sealed, secret or not, and so is every earlier one that is kept.
///
/// Each call is a transaction of its own, and every change writes its audit entry in it, without the value.
#[derive(Clone)]
pub struct Settings {
    engine: Arc<Engine>,
    tenant: Option<Arc<str>>,
}

impl Settings {
    pub(crate) fn new(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Self {
        Settings { engine: Arc::clone(engine), tenant }
    }

    /// Declares a setting, or changes its declaration; true where anything was written. What was secret stays so.
    ///
    /// # Errors
    /// `definition` where it is stored with another type; `not_allowed` on a tenant.
    pub fn define(&self, definition: &SettingDefinition) -> Result<bool> {
        self.define_all(std::slice::from_ref(definition))
    }

    /// As [`Settings::define`], for several: all or none.
    pub fn define_all(&self, definitions: &[SettingDefinition]) -> Result<bool> {
        self.check_platform("declare settings")?;
        let wanted: Vec<_> =
            definitions.iter().map(SettingDefinition::admitted).collect::<Result<_>>()?;
        let stored = self.look(|view| missing(view, &wanted))?;
        if stored.is_empty() {
            return Ok(false);
        }
        self.change(|session| {
            tables::ensure(session)?;
            let state = session.state();
            let wanted = missing(View::writing(session, &state, None), &wanted)?;
            for definition in &wanted {
                put_definition(session, definition)?;
                let payload =
                    serde_json::json!({"name": definition.name, "secret": definition.secret});
                let entry = crate::audit::Entry::new("setting.defined");
                append(session, &entry.json(payload))?;
            }
            Ok(!wanted.is_empty())
        })
    }

    /// The setting, with a mask where it is secret.
    ///
    /// # Errors
    /// `not_found` where it is not declared; `authentication_failed` where its rows are not what was written.
    pub fn read(&self, name: &str) -> Result<Setting> {
        self.look(|view| view.setting(view.definition(name)?))
    }

    /// The settings of a category, or all of them, in the order of their names.
    pub fn list(&self, category: Option<&str>) -> Result<Vec<Setting>> {
        self.look(|view| {
            let all = view.definitions()?.into_iter();
            all.filter(|definition| {
                category.is_none() || definition.category.as_deref() == category
            })
            .map(|definition| view.setting(definition))
            .collect()
        })
    }

    /// The value for the application to use; `None` where there is none. It stays in memory: a change by another
    /// process shows within 100 ms, one of the environment too. Counted ([`Settings::uses`]), not audited.
    pub fn use_value(&self, name: &str) -> Result<Option<SettingValue>> {
        // Refuses where the vault has been locked.
        self.engine.state()?;
        let memory = self.memory()?;
        if memory.is_due() {
            match self.engine.change_counter() {
                Ok(seen) => memory.note(seen),
                Err(error) => {
                    memory.retry();
                    return Err(error);
                }
            }
        }
        if let Some(value) = memory.get(&self.tenant, name) {
            return Ok(value);
        }
        let generation = memory.generation();
        let (value, volatile) = self.look(|view| {
            let definition = view.definition(name)?;
            let effective = view.effective(&definition)?;
            Ok((effective.value, definition.environment_variable().is_some()))
        })?;
        memory.keep(generation, &self.tenant, name, value.clone(), volatile);
        Ok(value)
    }

    /// As [`Settings::use_value`], as far as it takes no look at the file: the outer `None` where it does. It never
    /// waits for long, so that a face may call it without letting go of its interpreter.
    #[allow(clippy::option_option)] // a setting without a value is in memory too
    pub fn use_in_memory(&self, name: &str) -> Option<Option<SettingValue>> {
        let memory = self.memory().ok()?;
        if !self.engine.is_open() || memory.would_be_due() {
            return None;
        }
        memory.get(&self.tenant, name)
    }

    /// How often [`Settings::use_value`] gave this setting out in this process, to the vault and all tenants.
    pub fn uses(&self, name: &str) -> u64 {
        self.memory().map_or(0, |memory| memory.uses(name))
    }

    /// The value for a person to see. Takes a reason, and is audited in the same transaction. A tenant sees what is its
    /// own only.
    ///
    /// # Errors
    /// `not_found` where there is no value; `denied` where a tenant asks for what it inherits; `invalid_input` without a
    /// reason.
    pub fn reveal(&self, name: &str, author: &Author) -> Result<SettingValue> {
        author.needs_reason("reveal a setting")?;
        Session::run(&self.engine, |session| {
            let state = session.state();
            let view = View::writing(session, &state, self.tenant());
            let definition = view.definition(name)?;
            let effective = view.effective(&definition)?;
            let own = effective.own.and_then(|own| own.value);
            let (value, source) = match (own, effective.value) {
                (Some(own), _) if self.tenant.is_some() => (own, SettingSource::Tenant),
                (_, Some(_)) if self.tenant.is_some() => {
                    fail!(
                        Denied,
                        "setting {name} is the platform's: a tenant uses it and can't reveal it"
                    )
                }
                (_, Some(value)) => (value, effective.source),
                (_, None) => fail!(NotFound, "setting {name} has no value"),
            };
            record_reveal(session, self.tenant(), name, source, author)?;
            Ok(value)
        })
        .inspect(|_| _ = self.engine.counters.add(Counter::SettingsRevealed, 1))
    }

    /// Writes a setting; true where it has changed.
    ///
    /// # Errors
    /// `type_mismatch`, `not_found`, and `refused` for clearing what is guarded.
    pub fn write(&self, name: &str, change: Change, author: &Author) -> Result<bool> {
        Ok(!self.write_many(&[(name, change)], author)?.is_empty())
    }

    /// Writes several settings, all or none; the names of those that have changed.
    pub fn write_many(&self, changes: &[(&str, Change)], author: &Author) -> Result<Vec<String>> {
        let changes = changes.iter().map(|(name, change)| (*name, change));
        self.change(|session| write_all(session, self.tenant(), changes, author))
    }

    /// The values that the setting has had in this vault, or for this tenant, the oldest first, masked: the last 50, or
    /// as many as [`SettingDefinition::keep_versions`] says.
    pub fn history(&self, name: &str) -> Result<Vec<SettingVersion>> {
        self.look(|view| {
            let definition = view.definition(name)?;
            let (oldest, last) = view.own(name)?.map_or((1, 0), |own| (own.oldest, own.version));
            let mut versions = Vec::new();
            for version in oldest..=last {
                let Some(row) = view.version_row(name, version)? else {
                    fail!(
                        AuthenticationFailed,
                        "version {version} of setting {name} was removed from outside"
                    );
                };
                let value = value_in(&row)?;
                versions.push(SettingVersion {
                    version,
                    changed_at: row.get("changed_at")?.as_i64().unwrap_or(0),
                    changed_by: row.text("changed_by")?.to_owned(),
                    reason: row.get("reason")?.as_str().map(str::to_owned),
                    restored: row.get("restored")?.as_i64(),
                    shown: shown(&definition, value.as_ref(), false),
                    is_set: value.is_some(),
                });
            }
            Ok(versions)
        })
    }

    /// Writes the value of an earlier version again, as a new one; its number.
    ///
    /// # Errors
    /// `not_found` for a version that never was, or is kept no longer.
    pub fn roll_back(&self, name: &str, version: i64, author: &Author) -> Result<i64> {
        self.change(|session| roll_back(session, self.tenant(), name, version, author))
    }

    /// Turns a setting secret, or, with a reason, makes it one to be shown. Its values are sealed either way.
    ///
    /// # Errors
    /// `refused` where the program declares it secret; `not_allowed` on a tenant.
    pub fn set_secret(&self, name: &str, secret: bool, author: &Author) -> Result<bool> {
        self.check_platform("turn settings secret")?;
        if !secret {
            author.needs_reason("show a setting that was secret")?;
        }
        self.change(|session| {
            let state = session.state();
            let mut definition = View::writing(session, &state, None).definition(name)?;
            if definition.secret == secret {
                return Ok(false);
            }
            if definition.declared_secret {
                fail!(Refused, "setting {name} is declared secret by the program");
            }
            definition.secret = secret;
            put_definition(session, &definition)?;
            let kind = if secret { "secret" } else { "not_secret" };
            let mut payload = serde_json::json!({"name": name, "change": kind});
            add(&mut payload, "reason", author.reason.clone().map(serde_json::Value::from));
            let entry = author.entry(None, "setting.changed")?;
            append(session, &entry.json(payload))?;
            Ok(true)
        })
    }

    /// Checks the named settings, and all that are declared as required: that they are there, long enough, and not
    /// well known. For start-up.
    pub fn check(&self, names: &[&str]) -> Result<CheckReport> {
        self.look(|view| check(view, names))
    }

    /// The settings declared to need a restart that were changed since this handle of the vault was opened.
    pub fn restart_pending(&self) -> Result<Vec<String>> {
        let opened = self.memory()?.opened_at()?;
        self.look(|view| {
            let mut pending = Vec::new();
            for definition in view.definitions()?.into_iter().filter(|d| d.requires_restart) {
                let name = definition.name;
                let own = view.own(&name)?;
                let platform = View { tenant: None, ..view }.own(&name)?;
                let last = own.into_iter().chain(platform).map(|stored| stored.revision).max();
                if last.is_some_and(|revision| revision > opened) {
                    pending.push(name);
                }
            }
            Ok(pending)
        })
    }

    /// What this vault, or tenant, itself holds, as a `.env` file. Audited. Without secrets those stand there as
    /// comments; with them it takes a reason.
    pub fn export_env(&self, author: &Author, include_secrets: bool) -> Result<SecretString> {
        self.export(author, include_secrets, Format::Env)
    }

    /// As [`Settings::export_env`], as one JSON object of names and values; without secrets those are left out.
    pub fn export_json(&self, author: &Author, include_secrets: bool) -> Result<SecretString> {
        self.export(author, include_secrets, Format::Json)
    }

    /// Sets what a `.env` file names, all or nothing; what it does not name stays. Audited. `NAME=` with nothing
    /// behind it keeps.
    pub fn import_env(&self, text: &str, author: &Author) -> Result<ImportReport> {
        self.change(|session| import(session, self.tenant(), author, text, Format::Env))
    }

    /// As [`Settings::import_env`], from what [`Settings::export_json`] has written.
    pub fn import_json(&self, text: &str, author: &Author) -> Result<ImportReport> {
        self.change(|session| import(session, self.tenant(), author, text, Format::Json))
    }

    fn export(&self, author: &Author, secrets: bool, format: Format) -> Result<SecretString> {
        Session::run(&self.engine, |session| {
            export(session, self.tenant(), author, secrets, format)
        })
    }

    fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    fn memory(&self) -> Result<&Memory> {
        self.engine.attached()
    }

    fn look<T>(&self, work: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        let session = ReadSession::begin(&self.engine)?;
        self.engine.counters.checked(work(View::of(&session, self.tenant())))
    }

    fn change<T>(&self, work: impl FnOnce(&Session) -> Result<T>) -> Result<T> {
        let result = Session::run(&self.engine, work);
        // Whatever came of it: an error at the commit may leave open what holds now.
        self.memory()?.forget();
        result
    }

    fn check_platform(&self, what: &str) -> Result<()> {
        match &self.tenant {
            None => Ok(()),
            Some(_) => fail!(NotAllowed, "a tenant can't {what}"),
        }
    }
}

/// The definitions that are not stored so, as they have to be.
fn missing(view: View<'_>, wanted: &[SettingDefinition]) -> Result<Vec<SettingDefinition>> {
    let mut missing = Vec::new();
    for wanted in wanted {
        let mut wanted = wanted.clone();
        if let Some(stored) = view.defined(&wanted.name)? {
            let (name, kind) = (&wanted.name, stored.kind.name());
            if stored.kind != wanted.kind {
                fail!(Definition, "setting {name} is stored as {kind}");
            }
            // A floor: whoever has made it secret knows why.
            wanted.secret |= stored.secret;
            if stored == wanted {
                continue;
            }
        }
        missing.push(wanted);
    }
    Ok(missing)
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({})", self.tenant().unwrap_or("of the vault"))
    }
}
