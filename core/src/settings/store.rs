//! The rows of settings, and the value that holds.

use super::definition::{SettingDefinition, Standard};
use super::merge::{is_object, merge};
use super::setting::{Setting, SettingSource, shown};
use super::tables::{DEFINITIONS, TENANT_VALUES, TENANT_VERSIONS, VALUES, VERSIONS};
use super::value::{SettingValue, parse};
use crate::db::Conn;
use crate::error::{Result, err, fail};
use crate::table::engine::State;
use crate::table::session::Session;
use crate::table::{ReadSession, Row, Target, batch, get_one, put_row};
use crate::value::{IdRef, Type, Value, ValueRef};

/// Settings as one transaction sees them, for the vault or one tenant.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) conn: &'a Conn,
    pub(super) state: &'a State,
    pub(super) tenant: Option<&'a str>,
}

/// What the vault, or a tenant, holds of a setting.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) version: i64,
    /// The first version that is still kept.
    pub(super) oldest: i64,
    /// The place of the last change among all changes of settings in the vault.
    pub(super) revision: i64,
    pub(super) changed_at: i64,
    pub(super) changed_by: String,
    /// None where it was cleared.
    pub(super) value: Option<SettingValue>,
}

/// The value that holds, and where it comes from.
pub(super) struct Effective {
    pub(super) value: Option<SettingValue>,
    pub(super) source: SettingSource,
    /// What this scope itself holds.
    pub(super) own: Option<Stored>,
    /// True where anything of it belongs to the platform, while a tenant looks.
    pub(super) inherited: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(session: &'a ReadSession, tenant: Option<&'a str>) -> Self {
        View { conn: &session.conn, state: &session.state, tenant }
    }

    pub(super) fn writing(session: &'a Session, state: &'a State, tenant: Option<&'a str>) -> Self {
        View { conn: session.conn(), state, tenant }
    }

    /// The values of this scope.
    pub(super) fn values(&self) -> Target<'a> {
        let name = if self.tenant.is_some() { TENANT_VALUES } else { VALUES };
        Target { name, tenant: self.tenant }
    }

    /// The history of this scope.
    pub(super) fn versions(&self) -> Target<'a> {
        let name = if self.tenant.is_some() { TENANT_VERSIONS } else { VERSIONS };
        Target { name, tenant: self.tenant }
    }

    fn row(&self, target: Target<'_>, id: &str) -> Result<Option<Row>> {
        // A name that no row can have.
        if id.is_empty() || self.state.table(target.name).is_err() {
            return Ok(None);
        }
        let found = get_one(self.conn, self.state, target, IdRef::Text(id))?;
        Ok(found.and_then(|(set, _)| set.into_rows().pop()))
    }

    /// The definition, where there is one.
    pub(super) fn defined(&self, name: &str) -> Result<Option<SettingDefinition>> {
        let row = self.row(Target { name: DEFINITIONS, tenant: None }, name)?;
        row.as_ref().map(read_definition).transpose()
    }

    pub(super) fn definition(&self, name: &str) -> Result<SettingDefinition> {
        match self.defined(name)? {
            Some(definition) => Ok(definition),
            None => fail!(NotFound, "there is no setting {name}"),
        }
    }

    /// Every definition, in the order of the names.
    pub(super) fn definitions(&self) -> Result<Vec<SettingDefinition>> {
        let mut found = Vec::new();
        if self.state.table(DEFINITIONS).is_err() {
            return Ok(found);
        }
        let target = Target { name: DEFINITIONS, tenant: None };
        let mut from = Some(i64::MIN);
        while let Some(at) = from {
            let (set, last) = batch(self.conn, self.state, target, at, &mut None)?;
            for row in set.into_rows() {
                found.push(read_definition(&row)?);
            }
            from = last.and_then(|last| last.checked_add(1));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// What this scope holds.
    ///
    /// # Errors
    /// `authentication_failed` also where the history knows of a row that is gone, or of a later one.
    pub(super) fn own(&self, name: &str) -> Result<Option<Stored>> {
        let stored = self.row(self.values(), name)?.as_ref().map(read_stored).transpose()?;
        let last = stored.as_ref().map_or(0, |stored| stored.version);
        // Of an older row put back the history knows a later version, or no longer knows its own.
        let is_newest = self.version_row(name, last.saturating_add(1))?.is_none();
        if !is_newest || (last > 0 && self.version_row(name, last)?.is_none()) {
            fail!(
                AuthenticationFailed,
                "setting {name} is not what was written last: its row was removed, or an older one put back"
            );
        }
        Ok(stored)
    }

    pub(super) fn version_row(&self, name: &str, version: i64) -> Result<Option<Row>> {
        self.row(self.versions(), &version_id(name, version))
    }

    /// The value that holds: a tenant's, the vault's, the environment's, the default.
    pub(super) fn effective(&self, definition: &SettingDefinition) -> Result<Effective> {
        let own = self.own(&definition.name)?;
        let Some(tenant_value) = own.as_ref().and_then(|own| own.value.clone()) else {
            if self.tenant.is_none() {
                return below(definition, own);
            }
            let platform = View { tenant: None, ..*self }.effective(definition)?;
            return Ok(Effective { own, inherited: true, ..platform });
        };
        if self.tenant.is_none() {
            let (value, source) = (Some(tenant_value), SettingSource::Vault);
            return Ok(Effective { value, source, own, inherited: false });
        }
        let (mut value, source, mut inherited) = (tenant_value, SettingSource::Tenant, false);
        if let ValueRef::Json(patch) = value.expose()
            && is_object(patch)
        {
            let platform = View { tenant: None, ..*self }.effective(definition)?.value;
            let target = platform.as_ref().and_then(|value| value.expose().as_str());
            let merged = merge(target, patch)?;
            inherited = target.is_some();
            value = SettingValue::new(Value::Json(merged));
        }
        Ok(Effective { value: Some(value), source, own, inherited })
    }

    /// The setting as it may be shown.
    pub(super) fn setting(&self, definition: SettingDefinition) -> Result<Setting> {
        let Effective { value, source, own, inherited } = self.effective(&definition)?;
        Ok(Setting {
            source,
            shown: shown(&definition, value.as_ref(), inherited),
            value: value.filter(|_| !definition.secret),
            version: own.as_ref().map_or(0, |own| own.version),
            changed_at: own.as_ref().map(|own| own.changed_at),
            changed_by: own.map(|own| own.changed_by),
            definition,
        })
    }
}

/// What holds where the vault has no value.
fn below(definition: &SettingDefinition, own: Option<Stored>) -> Result<Effective> {
    let (value, source) = match environment(definition)? {
        Some(value) => (Some(SettingValue::new(value)), SettingSource::Environment),
        None => match &definition.default {
            Some(Standard(value)) => (Some(value.clone()), SettingSource::Default),
            None => (None, SettingSource::Unset),
        },
    };
    Ok(Effective { value, source, own, inherited: false })
}

fn environment(definition: &SettingDefinition) -> Result<Option<Value>> {
    let Some(variable) = &definition.environment else { return Ok(None) };
    let Some(text) = std::env::var_os(variable).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let name = &definition.name;
    let parsed = text.to_str().and_then(|text| parse(name, definition.kind, text).ok());
    let wrong = || {
        err!(
            TypeMismatch,
            "setting {name}: the environment variable {variable} is not of type {}",
            definition.kind.name()
        )
    };
    parsed.map(Some).ok_or_else(wrong)
}

pub(super) fn version_id(name: &str, version: i64) -> String {
    format!("{name}#{version}")
}

/// The value in a row of values or versions.
pub(super) fn value_in(row: &Row) -> Result<Option<SettingValue>> {
    row.get("value")?.as_bytes().map(SettingValue::decode).transpose()
}

fn read_stored(row: &Row) -> Result<Stored> {
    let integer = |column| Ok(row.get(column)?.as_i64().unwrap_or(0));
    Ok(Stored {
        version: integer("version")?,
        oldest: integer("oldest")?,
        revision: integer("revision")?,
        changed_at: integer("changed_at")?,
        changed_by: row.text("changed_by")?.to_owned(),
        value: value_in(row)?,
    })
}

fn read_definition(row: &Row) -> Result<SettingDefinition> {
    let flag = |column| Ok(row.get(column)?.as_bool().unwrap_or(false));
    let text = |column| Ok(row.get(column)?.as_str().map(str::to_owned));
    let IdRef::Text(name) = row.id() else { fail!(Corrupt, "a setting without a name") };
    let Some(kind) = Type::from_name(row.text("kind")?) else {
        fail!(NewerFormat, "setting {name} is of a type that this version can't read");
    };
    let default = row.get("standard")?.as_bytes().map(SettingValue::decode).transpose()?;
    Ok(SettingDefinition {
        name: name.to_owned(),
        kind,
        secret: flag("secret")?,
        declared_secret: flag("declared_secret")?,
        category: text("category")?,
        description: text("description")?,
        requires_restart: flag("requires_restart")?,
        default: default.map(Standard),
        environment: text("environment")?,
        required: flag("required")?,
        min_length: row.get("min_length")?.as_i64().and_then(|length| u32::try_from(length).ok()),
        last_four: flag("last_four")?,
        guarded_by: text("guarded_by")?,
        keep_versions: row
            .get("keep_versions")?
            .as_i64()
            .and_then(|n| n.try_into().ok())
            .unwrap_or(1),
    })
}

/// Writes a definition.
pub(super) fn put_definition(session: &Session, definition: &SettingDefinition) -> Result<()> {
    let text = |text: &'_ Option<String>| text.clone().map_or(Value::Null, Value::Text);
    let standard = definition.default.as_ref().map(|value| SettingValue::encode(value.0.expose()));
    let (category, description) = (text(&definition.category), text(&definition.description));
    let (environment, guard) = (text(&definition.environment), text(&definition.guarded_by));
    let values = [
        ValueRef::Text(definition.kind.name()),
        ValueRef::Boolean(definition.secret),
        ValueRef::Boolean(definition.declared_secret),
        category.as_ref(),
        description.as_ref(),
        ValueRef::Boolean(definition.requires_restart),
        environment.as_ref(),
        ValueRef::Boolean(definition.required),
        ValueRef::from(definition.min_length),
        ValueRef::Boolean(definition.last_four),
        guard.as_ref(),
        ValueRef::from(definition.keep_versions),
        standard.as_ref().map_or(ValueRef::Null, |bytes| ValueRef::Blob(bytes)),
    ];
    let target = Target { name: DEFINITIONS, tenant: None };
    put_row(session, target, IdRef::Text(&definition.name), &values)
}
