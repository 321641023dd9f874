//! The settings of a vault or tenant.

use std::ffi::c_char;

use sealite::{Author, Setting, Settings, Value};

use super::change::sealite_changes;
use super::definition::sealite_setting_definition;
use crate::bytes::sealite_bytes;
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::field::give;
use crate::handles::Kind;
use crate::rows::{Made, integer_or_null, sealite_rows, text_or_null};
use crate::status::Result;
use crate::status::sealite_status;
use crate::tenant::{self, sealite_tenant};
use crate::value::sealite_value;
use crate::vault::sealite_vault;

/// The settings of a vault, or of one of its tenants. Every change writes its audit entry, without the value: `actor` says
/// who acts, `reason` (it may be NULL where nothing is revealed) why. It may be used from any thread.
pub struct sealite_settings {
    _opaque: [u8; 0],
}

impl Kind for sealite_settings {
    type Object = Settings;
}

/// Who acts, and why.
pub(super) fn author(actor: &str, reason: Option<&str>) -> Author {
    let author = Author::new(actor);
    match reason {
        Some(reason) => author.reason(reason),
        None => author,
    }
}

const SETTING: [&str; 20] = [
    "name",
    "type",
    "category",
    "description",
    "source",
    "is_set",
    "is_secret",
    "shown",
    "version",
    "changed_at",
    "changed_by",
    "requires_restart",
    "required",
    "environment",
    "value",
    "has_default",
    "min_length",
    "guard",
    "shows_last_four",
    "kept_versions",
];

fn push(made: &mut Made, setting: &Setting) {
    let definition = setting.definition();
    made.push([
        setting.name().into(),
        definition.kind().name().into(),
        text_or_null(definition.declared_category()),
        text_or_null(definition.declared_description()),
        setting.source().name().into(),
        setting.is_set().into(),
        setting.is_secret().into(),
        setting.shown().into(),
        setting.version().into(),
        integer_or_null(setting.changed_at()),
        text_or_null(setting.changed_by()),
        definition.needs_restart().into(),
        definition.is_required().into(),
        text_or_null(definition.environment_variable()),
        setting.value().map_or(Value::Null, |value| value.to_owned()),
        definition.has_default().into(),
        integer_or_null(definition.minimum_length().map(i64::from)),
        text_or_null(definition.guard()),
        definition.shows_last_four().into(),
        i64::from(definition.kept_versions()).into(),
    ]);
}

/// Rows of names.
pub(super) fn names(of: &[String]) -> Made {
    let mut made = Made::new(&["name"]);
    for name in of {
        made.push([name.as_str().into()]);
    }
    made
}

/// Makes a handle to the vault's settings. Free it with sealite_settings_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_settings(
    vault: *mut sealite_vault,
    settings: *mut *mut sealite_settings,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(settings); { settings.give(vault.settings())?; })
}

/// Makes a handle to the settings as they hold for the tenant. Free it with sealite_settings_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_settings(
    tenant: *mut sealite_tenant,
    settings: *mut *mut sealite_settings,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(settings); {
        settings.give(tenant::of(&tenant)?.settings())?;
    })
}

/// Declares a setting, or changes its declaration. Writes true to `changed` where anything was written; `changed` may be
/// NULL. What was secret stays so.
///
/// SEALITE_DEFINITION where it is stored with another type; SEALITE_NOT_ALLOWED on a tenant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_define(
    settings: *mut sealite_settings,
    definition: *const sealite_setting_definition,
    changed: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), handle(definition), optional_out(changed); {
        changed.set(settings.define(&definition.built()?)?);
    })
}

/// Declares several settings in `settings`, all or none: as sealite_settings_define(). `definitions` holds
/// `definition_count` handles, which stay the caller's. `changed` may be NULL.
///
/// SEALITE_DEFINITION where one is stored with another type; SEALITE_NOT_ALLOWED on a tenant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_define_all(
    settings: *mut sealite_settings,
    definitions: *const *const sealite_setting_definition,
    definition_count: usize,
    changed: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), handles(definitions, definition_count), optional_out(changed);
        {
            let all: Vec<_> =
                definitions.iter().map(|definition| definition.built()).collect::<Result<_>>()?;
            changed.set(settings.define_all(&all)?);
        }
    )
}

/// Reads a setting, with a mask where it is secret. One row: `name`, `type`, `category`, `description`, `source` ("tenant",
/// "vault", "environment", "default" or "unset"), `is_set`, `is_secret`, `shown` (the text for a form or a list),
/// `version`, `changed_at` (milliseconds since 1970), `changed_by`, `requires_restart`, `required`, `environment`,
/// `value` (in its own type; SEALITE_NULL of one that is secret or has none), `has_default`, `min_length` (in characters, or
/// SEALITE_NULL), `guard` (the setting that guards it, or SEALITE_NULL), `shows_last_four`, `kept_versions`.
///
/// SEALITE_NOT_FOUND where it is not declared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_read(
    settings: *mut sealite_settings,
    name: *const c_char,
    name_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), text(name, name_length), out(rows); {
        let mut made = Made::new(&SETTING);
        push(&mut made, &settings.read(name)?);
        rows.give(made.into())?;
    })
}

/// Reads the settings of a category, or with NULL all of them, in the order of their names. Rows: as of
/// sealite_settings_read().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_list(
    settings: *mut sealite_settings,
    category: *const c_char,
    category_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), optional_text(category, category_length), out(rows); {
        let mut made = Made::new(&SETTING);
        for setting in settings.list(category)? {
            push(&mut made, &setting);
        }
        rows.give(made.into())?;
    })
}

/// Reveals the value for the program to use: SEALITE_NULL where there is none. A change by another process shows within
/// 100 ms. Counted, not audited. `value` points into `memory`, which is to be freed with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_reveal_for_use(
    settings: *mut sealite_settings,
    name: *const c_char,
    name_length: usize,
    value: *mut sealite_value,
    memory: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), text(name, name_length), out(value), out(memory); {
        let used = settings.use_value(name)?;
        let shown = used.as_ref().map_or(sealite::ValueRef::Null, |used| used.expose());
        give(shown, &value, &memory)?;
    })
}

/// Reveals the value for a person to see. It takes a reason, and is audited in the same transaction. A tenant sees what is
/// its own only. `value` points into `memory`, which is to be freed with sealite_bytes_free().
///
/// SEALITE_NOT_FOUND where there is no value; SEALITE_DENIED where a tenant asks for what it inherits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_reveal(
    settings: *mut sealite_settings,
    name: *const c_char,
    name_length: usize,
    actor: *const c_char,
    actor_length: usize,
    reason: *const c_char,
    reason_length: usize,
    value: *mut sealite_value,
    memory: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), text(name, name_length),
        text(actor, actor_length), optional_text(reason, reason_length), out(value), out(memory);
        {
            let revealed = settings.reveal(name, &author(actor, reason))?;
            give(revealed.expose(), &value, &memory)?;
        }
    )
}

/// Writes how often sealite_settings_reveal_for_use() gave this setting out in this process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_uses(
    settings: *mut sealite_settings,
    name: *const c_char,
    name_length: usize,
    uses: *mut u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), text(name, name_length), out(uses); {
        uses.set(settings.uses(name));
    })
}

/// Writes settings, all or nothing. Rows: `name` of those that have changed; `rows` may be NULL.
///
/// SEALITE_TYPE_MISMATCH, SEALITE_NOT_FOUND, and SEALITE_REFUSED for clearing what is guarded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_write(
    settings: *mut sealite_settings,
    changes: *const sealite_changes,
    actor: *const c_char,
    actor_length: usize,
    reason: *const c_char,
    reason_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), handle(changes),
        text(actor, actor_length), optional_text(reason, reason_length), optional_out(rows);
        {
            let changed = changes.with(|held| {
                let pairs: Vec<_> =
                    held.iter().map(|one| (one.name.as_str(), one.change.clone())).collect();
                Ok(settings.write_many(&pairs, &author(actor, reason))?)
            })?;
            if rows.is_wanted() {
                rows.give(names(&changed).into())?;
            }
        }
    )
}

/// Lists the values that the setting has had in this vault, or for this tenant, the oldest first. Rows: `version`,
/// `changed_at` (milliseconds since 1970), `changed_by`, `reason`, `restored` (the version that it came from), `shown`
/// (masked), `is_set`.
///
/// SEALITE_NOT_FOUND where it is not declared; SEALITE_AUTHENTICATION_FAILED where its rows are not what was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_history(
    settings: *mut sealite_settings,
    name: *const c_char,
    name_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), text(name, name_length), out(rows); {
        let mut made = Made::new(&[
            "version", "changed_at", "changed_by", "reason", "restored", "shown", "is_set",
        ]);
        for version in settings.history(name)? {
            made.push([
                Value::Integer(version.version()),
                Value::Integer(version.changed_at()),
                version.changed_by().into(),
                text_or_null(version.reason()),
                integer_or_null(version.restored()),
                version.shown().into(),
                version.is_set().into(),
            ]);
        }
        rows.give(made.into())?;
    })
}

/// Writes the value of an earlier version again, as a new one, and writes its number; `new_version` may be NULL.
///
/// SEALITE_NOT_FOUND for a version that never was, or is kept no longer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_roll_back(
    settings: *mut sealite_settings,
    name: *const c_char,
    name_length: usize,
    version: i64,
    actor: *const c_char,
    actor_length: usize,
    reason: *const c_char,
    reason_length: usize,
    new_version: *mut i64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), text(name, name_length), plain(version),
        text(actor, actor_length), optional_text(reason, reason_length), optional_out(new_version);
        { new_version.set(settings.roll_back(name, version, &author(actor, reason))?); }
    )
}

/// Turns a setting secret (1), or, with a reason, makes it one to be shown (0). Writes true to `changed` where it was the
/// other; `changed` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_set_secret(
    settings: *mut sealite_settings,
    name: *const c_char,
    name_length: usize,
    secret: i32,
    actor: *const c_char,
    actor_length: usize,
    reason: *const c_char,
    reason_length: usize,
    changed: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), text(name, name_length), flag(secret),
        text(actor, actor_length), optional_text(reason, reason_length), optional_out(changed);
        { changed.set(settings.set_secret(name, secret, &author(actor, reason))?); }
    )
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_free(settings: *mut sealite_settings) {
    free(settings);
}
