//! The internal tables of settings.

use crate::error::Result;
use crate::table::session::Session;
use crate::table::{Column, TableDefinition, define};
use crate::value::Type;

/// What the program has declared: one row a setting. Defaults are sealed, as they may be secret.
pub(super) const DEFINITIONS: &str = "sealite_setting_definitions";
/// The vault's values: one row a setting that was ever written.
pub(super) const VALUES: &str = "sealite_settings";
/// The last values that were written, under `name#version`.
pub(super) const VERSIONS: &str = "sealite_setting_versions";
/// As [`VALUES`], of tenants.
pub(super) const TENANT_VALUES: &str = "sealite_settings_of_tenants";
/// As [`VERSIONS`], of tenants.
pub(super) const TENANT_VERSIONS: &str = "sealite_setting_versions_of_tenants";

/// Creates what is missing.
pub(super) fn ensure(session: &Session) -> Result<()> {
    for table in [
        definitions(),
        values(TableDefinition::new(VALUES)),
        versions(TableDefinition::new(VERSIONS)),
        values(TableDefinition::new(TENANT_VALUES).per_tenant()),
        versions(TableDefinition::new(TENANT_VERSIONS).per_tenant()),
    ] {
        define::define_internal(session, &table)?;
    }
    Ok(())
}

fn authenticated(name: &str, kind: Type) -> Column {
    Column::new(name, kind).authenticated()
}

fn definitions() -> TableDefinition {
    TableDefinition::new(DEFINITIONS)
        .text_key("name")
        .column(authenticated("kind", Type::Text).not_null())
        .column(authenticated("secret", Type::Boolean).not_null())
        .column(authenticated("declared_secret", Type::Boolean).not_null())
        .column(authenticated("category", Type::Text))
        .column(authenticated("description", Type::Text))
        .column(authenticated("requires_restart", Type::Boolean).not_null())
        .column(authenticated("environment", Type::Text))
        .column(authenticated("required", Type::Boolean).not_null())
        .column(authenticated("min_length", Type::Integer))
        .column(authenticated("last_four", Type::Boolean).not_null())
        .column(authenticated("guarded_by", Type::Text))
        .column(authenticated("keep_versions", Type::Integer).not_null())
        .column(Column::blob("standard").sealed())
}

/// The value is sealed whether it is secret or not, so that a setting which becomes secret leaves nothing behind.
fn values(table: TableDefinition) -> TableDefinition {
    table
        .text_key("name")
        .column(authenticated("version", Type::Integer).not_null())
        .column(authenticated("oldest", Type::Integer).not_null())
        .column(authenticated("revision", Type::Integer).not_null())
        .column(authenticated("changed_at", Type::Integer).not_null())
        .column(Column::text("changed_by").sealed().not_null())
        .column(Column::blob("value").sealed())
}

fn versions(table: TableDefinition) -> TableDefinition {
    table
        .text_key("id")
        .column(authenticated("version", Type::Integer).not_null())
        .column(authenticated("changed_at", Type::Integer).not_null())
        .column(Column::text("changed_by").sealed().not_null())
        .column(Column::text("reason").sealed())
        .column(Column::integer("restored").sealed())
        .column(Column::blob("value").sealed())
}
