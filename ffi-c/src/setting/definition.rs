//! Declaring settings.

use std::ffi::c_char;

use sealite::SettingDefinition;

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::sealite_status;
use crate::value::sealite_value;

/// The declaration of a setting. Not for two threads at once (SEALITE_BUSY).
pub struct sealite_setting_definition {
    _opaque: [u8; 0],
}

impl Kind for sealite_setting_definition {
    type Object = Builder<SettingDefinition>;
}

/// Declares a setting that is not secret and has no default; `kind` is a sealite_type, and neither SEALITE_NULL nor
/// SEALITE_BLOB. Free it with sealite_setting_definition_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_create(
    name: *const c_char,
    name_length: usize,
    kind: i32,
    definition: *mut *mut sealite_setting_definition,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; text(name, name_length), kind_of_value(kind), out(definition); {
        definition.give(Builder::new(SettingDefinition::new(name, kind)))?;
    })
}

/// Makes reads show a mask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_secret(
    definition: *mut sealite_setting_definition,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition); { definition.step(SettingDefinition::secret)?; })
}

/// Makes the mask of a secret text of 16 characters or more end with its last four.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_show_last_four(
    definition: *mut sealite_setting_definition,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition); { definition.step(SettingDefinition::show_last_four)?; })
}

/// Sets the category, for lists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_category(
    definition: *mut sealite_setting_definition,
    category: *const c_char,
    category_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), text(category, category_length); {
        definition.step(|setting| setting.category(category))?;
    })
}

/// Sets the description. It is readable in the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_description(
    definition: *mut sealite_setting_definition,
    description: *const c_char,
    description_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), text(description, description_length); {
        definition.step(|setting| setting.description(description))?;
    })
}

/// Says that a change takes effect only after the application has been started anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_requires_restart(
    definition: *mut sealite_setting_definition,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition); { definition.step(SettingDefinition::requires_restart)?; })
}

/// Sets the value where neither the vault nor the environment has one. Kept sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_default(
    definition: *mut sealite_setting_definition,
    value: *const sealite_value,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), value(value); {
        definition.step(|setting| setting.default(value.to_owned()))?;
    })
}

/// Names the environment variable that counts where the vault has no value. An empty one counts as unset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_environment(
    definition: *mut sealite_setting_definition,
    variable: *const c_char,
    variable_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), text(variable, variable_length); {
        definition.step(|setting| setting.environment(variable))?;
    })
}

/// Makes sealite_settings_check() always ask for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_required(
    definition: *mut sealite_setting_definition,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition); { definition.step(SettingDefinition::required)?; })
}

/// Sets the least number of characters that sealite_settings_check() accepts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_min_length(
    definition: *mut sealite_setting_definition,
    characters: u32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), plain(characters); {
        definition.step(|setting| setting.min_length(characters))?;
    })
}

/// Names a boolean setting: while it is true, this one can't be cleared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_guard(
    definition: *mut sealite_setting_definition,
    setting: *const c_char,
    setting_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), text(setting, setting_length); {
        definition.step(|guarded| guarded.guarded_by(setting))?;
    })
}

/// Sets how many `versions` are kept of each value, the one that holds among them: 1 to 10,000, by default 50. The write
/// after that drops the oldest. sealite_settings_history() and sealite_settings_roll_back() reach those that are kept.
///
/// The number is checked where the setting is declared: SEALITE_INVALID_INPUT for another. SEALITE_BUSY where another
/// thread uses `definition`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_set_keep_versions(
    definition: *mut sealite_setting_definition,
    versions: u32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(definition), plain(versions); {
        definition.step(|setting| setting.keep_versions(versions))?;
    })
}

/// Frees the declaration. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_setting_definition_free(
    definition: *mut sealite_setting_definition,
) {
    free(definition);
}
