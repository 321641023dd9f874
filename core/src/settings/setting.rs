//! What a program reads about a setting: never a secret.

use std::fmt;

use super::SettingDefinition;
use super::value::{SettingValue, masked, text_of};
use crate::value::ValueRef;

/// Where the value of a setting comes from. Earlier ones take precedence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum SettingSource {
    /// The tenant's own value, or its JSON object merged over the platform's.
    Tenant,
    /// The vault.
    Vault,
    /// The declared environment variable.
    Environment,
    /// The declared default.
    Default,
    /// There is no value.
    Unset,
}

impl SettingSource {
    /// The name: `tenant`, `vault`, `environment`, `default` or `unset`.
    pub fn name(self) -> &'static str {
        match self {
            SettingSource::Tenant => "tenant",
            SettingSource::Vault => "vault",
            SettingSource::Environment => "environment",
            SettingSource::Default => "default",
            SettingSource::Unset => "unset",
        }
    }
}

/// A setting as it may be shown.
#[derive(Clone)]
pub struct Setting {
    pub(super) definition: SettingDefinition,
    pub(super) source: SettingSource,
    pub(super) shown: String,
    /// None where it is secret.
    pub(super) value: Option<SettingValue>,
    pub(super) version: i64,
    pub(super) changed_at: Option<i64>,
    pub(super) changed_by: Option<String>,
}

impl Setting {
    /// The name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// The definition as it holds: [`SettingDefinition::is_secret`] is true also for one that was turned secret.
    pub fn definition(&self) -> &SettingDefinition {
        &self.definition
    }

    /// Where the value comes from.
    pub fn source(&self) -> SettingSource {
        self.source
    }

    /// True where there is a value.
    pub fn is_set(&self) -> bool {
        self.source != SettingSource::Unset
    }

    /// True where the value is not shown.
    pub fn is_secret(&self) -> bool {
        self.definition.secret
    }

    /// The text for a form or a list: the mask of a secret that is set, nothing for what is not, else the value.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The value, where it is set and not secret.
    pub fn value(&self) -> Option<ValueRef<'_>> {
        self.value.as_ref().map(SettingValue::expose)
    }

    /// How often it was written in this vault, or by this tenant; 0 for never.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// When it was last written there, in milliseconds since 1970.
    pub fn changed_at(&self) -> Option<i64> {
        self.changed_at
    }

    /// Who wrote it last there.
    pub fn changed_by(&self) -> Option<&str> {
        self.changed_by.as_deref()
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({}, {})", self.name(), self.source.name())
    }
}

/// One of the values that a setting has had.
#[derive(Clone)]
pub struct SettingVersion {
    pub(super) version: i64,
    pub(super) changed_at: i64,
    pub(super) changed_by: String,
    pub(super) reason: Option<String>,
    pub(super) restored: Option<i64>,
    pub(super) shown: String,
    pub(super) is_set: bool,
}

impl SettingVersion {
    /// Its number, counted from 1.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// When it was written, in milliseconds since 1970.
    pub fn changed_at(&self) -> i64 {
        self.changed_at
    }

    /// Who wrote it.
    pub fn changed_by(&self) -> &str {
        &self.changed_by
    }

    /// Why, where a reason was given.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The version that was rolled back to, where this came from that.
    pub fn restored(&self) -> Option<i64> {
        self.restored
    }

    /// The value as it may be shown: see [`Setting::shown`].
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// False where the setting was cleared.
    pub fn is_set(&self) -> bool {
        self.is_set
    }
}

impl fmt::Debug for SettingVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingVersion({})", self.version)
    }
}

/// The text that stands for a value; `hidden` keeps even the last four characters back.
pub(super) fn shown(
    definition: &SettingDefinition,
    value: Option<&SettingValue>,
    hidden: bool,
) -> String {
    match value {
        None => String::new(),
        Some(value) if definition.secret => masked(value.expose(), definition.last_four && !hidden),
        Some(value) => text_of(value.expose()),
    }
}
