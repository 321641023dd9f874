//! What keeps the secret of a provider that is switched on from being cleared by accident.

use super::SettingDefinition;
use super::store::View;
use super::tables::TENANT_VALUES;
use super::value::SettingValue;
use crate::error::{Result, fail};
use crate::table::tenants;
use crate::value::ValueRef;

pub(super) fn is_blank(value: Option<&SettingValue>) -> bool {
    value.is_none_or(|value| value.expose() == ValueRef::Text(""))
}

/// Refuses to leave settings empty, here or for a tenant that inherits them, whose guard is on there.
pub(super) fn check_guards(view: View<'_>, emptied: &[SettingDefinition]) -> Result<()> {
    for definition in emptied {
        let (name, Some(guard)) = (&definition.name, &definition.guarded_by) else { continue };
        let Some(guarding) = view.defined(guard)? else {
            fail!(Definition, "setting {name} is guarded by {guard}, which is not defined");
        };
        // Set again in the same transaction.
        let own = view.own(name)?.and_then(|own| own.value);
        if !is_blank(own.as_ref()) {
            continue;
        }
        if is_on(view, &guarding)? {
            fail!(
                Refused,
                "setting {name} can't be cleared while {guard} is on: switch that off first"
            );
        }
        if view.tenant.is_none() && is_needed_by_a_tenant(view, definition, &guarding)? {
            fail!(
                Refused,
                "setting {name} can't be cleared while {guard} is on for a tenant that inherits it"
            );
        }
    }
    Ok(())
}

fn is_on(view: View<'_>, guard: &SettingDefinition) -> Result<bool> {
    let on = view.effective(guard)?.value;
    Ok(on.is_some_and(|value| value.expose() == ValueRef::Boolean(true)))
}

fn is_needed_by_a_tenant(
    view: View<'_>,
    emptied: &SettingDefinition,
    guard: &SettingDefinition,
) -> Result<bool> {
    let Ok(schema) = view.state.table(TENANT_VALUES) else { return Ok(false) };
    for tenant in tenants(view.conn, schema)? {
        let view = View { tenant: tenant.as_deref(), ..view };
        if is_on(view, guard)? && is_blank(view.effective(emptied)?.value.as_ref()) {
            return Ok(true);
        }
    }
    Ok(false)
}
