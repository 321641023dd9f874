//! What a program declares about a setting.

use crate::error::{Result, fail};
use crate::settings::value::{SettingValue, admit};
use crate::table::definition::MAX_NAME;
use crate::value::{Type, Value};

/// The longest category, description or name of a variable, in bytes.
const MAX_TEXT: usize = 4_096;
/// The versions that are kept of a setting where its declaration doesn't say otherwise.
const DEFAULT_VERSIONS: u32 = 50;
/// The most that a declaration may ask for.
const MAX_VERSIONS: u32 = 10_000;

/// The declaration of a setting.
///
/// ```
/// use sealite::{SettingDefinition, Type};
///
/// let password = SettingDefinition::new("smtp.password", Type::Text)
///     .secret()
///     .category("mail")
///     .description("The password of the mail server")
///     .environment("SMTP_PASSWORD")
///     .guarded_by("mail.enabled")
///     .min_length(16);
/// assert!(password.is_secret());
/// ```
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::struct_excessive_bools)] // each says one thing of its own
pub struct SettingDefinition {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) secret: bool,
    /// What the program said, where `secret` is what holds.
    pub(super) declared_secret: bool,
    pub(super) category: Option<String>,
    pub(super) description: Option<String>,
    pub(super) requires_restart: bool,
    pub(super) default: Option<Standard>,
    pub(super) environment: Option<String>,
    pub(super) required: bool,
    pub(super) min_length: Option<u32>,
    pub(super) last_four: bool,
    pub(super) guarded_by: Option<String>,
    pub(super) keep_versions: u32,
}

impl SettingDefinition {
    /// A setting that is not secret and has no default. Its type is text, integer, real, boolean or JSON.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        SettingDefinition {
            name: name.into(),
            kind,
            secret: false,
            declared_secret: false,
            category: None,
            description: None,
            requires_restart: false,
            default: None,
            environment: None,
            required: false,
            min_length: None,
            last_four: false,
            guarded_by: None,
            keep_versions: DEFAULT_VERSIONS,
        }
    }

    /// Reads show a mask. [`crate::Settings::set_secret`] can't take it back while the program declares it.
    #[must_use]
    pub fn secret(mut self) -> Self {
        (self.secret, self.declared_secret) = (true, true);
        self
    }

    /// Sets the category, for lists.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the description. It is readable in the file.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// A change takes effect only after the application has been started anew.
    #[must_use]
    pub fn requires_restart(mut self) -> Self {
        self.requires_restart = true;
        self
    }

    /// The value where neither the vault nor the environment has one. Kept sealed.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(Standard(SettingValue::new(value.into())));
        self
    }

    /// The environment variable that counts where the vault has no value. An empty one counts as unset.
    #[must_use]
    pub fn environment(mut self, variable: impl Into<String>) -> Self {
        self.environment = Some(variable.into());
        self
    }

    /// [`crate::Settings::check`] always asks for it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The least number of characters that [`crate::Settings::check`] accepts.
    #[must_use]
    pub fn min_length(mut self, characters: u32) -> Self {
        self.min_length = Some(characters);
        self
    }

    /// The mask of a secret text of 16 characters or more ends with its last four.
    #[must_use]
    pub fn show_last_four(mut self) -> Self {
        self.last_four = true;
        self
    }

    /// Names a boolean setting: while it is true, this one can't be cleared. Nor can the platform's while it is true for
    /// a tenant that would be left without a value.
    #[must_use]
    pub fn guarded_by(mut self, setting: impl Into<String>) -> Self {
        self.guarded_by = Some(setting.into());
        self
    }

    /// How many versions are kept of each value, the one that holds among them: 1 to 10,000, by default 50. The write
    /// after that drops the oldest; that it was made stays in the audit trail.
    #[must_use]
    pub fn keep_versions(mut self, versions: u32) -> Self {
        self.keep_versions = versions;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// True where reads show a mask.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The category.
    pub fn declared_category(&self) -> Option<&str> {
        self.category.as_deref()
    }

    /// The description.
    pub fn declared_description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// True where a change needs a restart.
    pub fn needs_restart(&self) -> bool {
        self.requires_restart
    }

    /// True where there is a default.
    pub fn has_default(&self) -> bool {
        self.default.is_some()
    }

    /// The environment variable.
    pub fn environment_variable(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// True where a start-up check always asks for it.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// The least number of characters.
    pub fn minimum_length(&self) -> Option<u32> {
        self.min_length
    }

    /// True where the mask shows the last four characters.
    pub fn shows_last_four(&self) -> bool {
        self.last_four
    }

    /// The setting that guards it.
    pub fn guard(&self) -> Option<&str> {
        self.guarded_by.as_deref()
    }

    /// How many versions are kept.
    pub fn kept_versions(&self) -> u32 {
        self.keep_versions
    }

    /// The variable in `.env` files: the declared one, or the name in capitals with `_` for what a variable can't hold.
    pub(super) fn variable(&self) -> String {
        if let Some(declared) = &self.environment {
            return declared.clone();
        }
        let mut variable: String = self
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        if variable.starts_with(|c: char| c.is_ascii_digit()) {
            variable.insert(0, '_');
        }
        variable
    }

    pub(super) fn check(&self) -> Result<()> {
        let name = &self.name;
        if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
            fail!(
                InvalidInput,
                "a setting's name has 1 to {MAX_NAME} bytes and no control characters"
            );
        }
        if self.kind == Type::Blob {
            fail!(InvalidInput, "setting {name}: its type is text, integer, real, boolean or JSON");
        }
        if let Some(default) = &self.default {
            drop(SettingValue::new(admit(name, self.kind, default.0.expose())?));
        }
        if self.environment.as_deref().is_some_and(|variable| !is_variable(variable)) {
            fail!(InvalidInput, "setting {name}: not the name of an environment variable");
        }
        if self.guarded_by.as_ref() == Some(name) {
            fail!(InvalidInput, "setting {name} can't guard itself");
        }
        if !(1..=MAX_VERSIONS).contains(&self.keep_versions) {
            fail!(InvalidInput, "setting {name}: 1 to {MAX_VERSIONS} versions are kept");
        }
        let texts = [&self.category, &self.description, &self.environment];
        if texts.into_iter().flatten().any(|text| text.len() > MAX_TEXT) {
            fail!(Limit, "setting {name}: its texts have at most {MAX_TEXT} bytes each");
        }
        Ok(())
    }

    /// The declaration with its default in the declared type.
    pub(super) fn admitted(&self) -> Result<Self> {
        self.check()?;
        let mut admitted = self.clone();
        if let Some(default) = &self.default {
            let default = admit(&self.name, self.kind, default.0.expose())?;
            admitted.default = Some(Standard(SettingValue::new(default)));
        }
        Ok(admitted)
    }
}

/// A default: it may be a secret's, so it is masked, shared by the clones of its declaration, and wiped with the last.
#[derive(Clone, Debug)]
pub(super) struct Standard(pub(super) SettingValue);

impl PartialEq for Standard {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }
}

/// A portable name of an environment variable (IEEE Std 1003.1, 3.231, and lower case).
pub(super) fn is_variable(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
        && characters.all(|c| c == '_' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn default_is_masked_and_kept_once_for_all_clones_and_steps() {
        let password = SettingDefinition::new("smtp.password", Type::Text).default("hunter2");
        let later = password.clone().secret().category("mail").min_length(4);
        let of = |setting: &SettingDefinition| {
            let text = setting.default.as_ref().unwrap().0.expose();
            text.as_str().unwrap().as_ptr()
        };
        assert_eq!(of(&password), of(&later));
        assert!(!format!("{later:?}").contains("hunter2"));
        assert_eq!(
            password,
            SettingDefinition::new("smtp.password", Type::Text).default("hunter2")
        );
        assert_ne!(
            password,
            SettingDefinition::new("smtp.password", Type::Text).default("hunter3")
        );
    }
}
