//! The check at start-up: what is missing or weak, by name, never by value.

use std::fmt;

use super::SettingDefinition;
use super::store::View;
use super::value::SettingValue;
use crate::error::{ErrorKind, Result, fail};
use crate::keys::well_known;
use crate::value::ValueRef;

/// What is wrong with a setting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum SettingFault {
    /// The program has not declared it.
    Undefined,
    /// It has no value, or an empty one.
    Missing,
    /// It has fewer characters than it must.
    TooShort,
    /// It stands in examples and templates, or is one character again and again.
    WellKnown,
    /// The environment variable does not hold a value of its type.
    Invalid,
}

impl SettingFault {
    /// The name: `undefined`, `missing`, `too_short`, `well_known` or `invalid`.
    pub fn name(self) -> &'static str {
        match self {
            SettingFault::Undefined => "undefined",
            SettingFault::Missing => "missing",
            SettingFault::TooShort => "too_short",
            SettingFault::WellKnown => "well_known",
            SettingFault::Invalid => "invalid",
        }
    }
}

/// A setting that the check has found fault with.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SettingProblem {
    /// The setting.
    pub name: String,
    /// What is wrong.
    pub fault: SettingFault,
    /// The environment variable that could set it.
    pub variable: Option<String>,
    /// The least number of characters, where that is what is wrong.
    pub min_length: Option<u32>,
}

impl fmt::Display for SettingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SettingProblem { name, fault, variable, min_length } = self;
        match (fault, min_length) {
            (SettingFault::Undefined, _) => write!(f, "{name} is not defined"),
            (SettingFault::Missing, _) => write!(f, "{name} is missing"),
            (SettingFault::TooShort, Some(length)) => {
                write!(f, "{name} has fewer than {length} characters")
            }
            (SettingFault::TooShort, None) => write!(f, "{name} is too short"),
            (SettingFault::WellKnown, _) => write!(f, "{name} is a well-known value"),
            (SettingFault::Invalid, _) => write!(f, "{name} is not of its type"),
        }?;
        match variable {
            Some(variable) => write!(f, " (environment: {variable})"),
            None => Ok(()),
        }
    }
}

/// The result of [`super::Settings::check`]. It can be shown and logged: no value is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a report with problems does not stop the start by itself: see into_result"]
#[non_exhaustive]
pub struct CheckReport {
    /// What is wrong, in the order of the names.
    pub problems: Vec<SettingProblem>,
}

impl CheckReport {
    /// True where nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// The report as an error that names what is wrong.
    ///
    /// # Errors
    /// `refused` where anything is.
    pub fn into_result(self) -> Result<()> {
        if self.is_ok() { Ok(()) } else { fail!(Refused, "settings: {self}") }
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ok() {
            return f.write_str("nothing is wrong");
        }
        for (at, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// Checks the named settings and those declared as required.
pub(super) fn check(view: View<'_>, names: &[&str]) -> Result<CheckReport> {
    let definitions = view.definitions()?;
    let mut problems = Vec::new();
    for name in names {
        if !definitions.iter().any(|definition| definition.name == *name) {
            problems.push(SettingProblem {
                name: (*name).to_owned(),
                fault: SettingFault::Undefined,
                variable: None,
                min_length: None,
            });
        }
    }
    let asked = |definition: &&SettingDefinition| {
        definition.required || names.contains(&definition.name.as_str())
    };
    for definition in definitions.iter().filter(asked) {
        let fault = match view.effective(definition) {
            Ok(effective) => fault_of(definition, effective.value.as_ref()),
            Err(error) if error.kind() == ErrorKind::TypeMismatch => Some(SettingFault::Invalid),
            Err(error) => return Err(error),
        };
        if let Some(fault) = fault {
            problems.push(SettingProblem {
                name: definition.name.clone(),
                fault,
                variable: definition.environment.clone(),
                min_length: definition.min_length.filter(|_| fault == SettingFault::TooShort),
            });
        }
    }
    problems.sort_by(|a, b| a.name.cmp(&b.name));
    problems.dedup();
    Ok(CheckReport { problems })
}

fn fault_of(definition: &SettingDefinition, value: Option<&SettingValue>) -> Option<SettingFault> {
    let Some(value) = value else { return Some(SettingFault::Missing) };
    let ValueRef::Text(text) = value.expose() else { return None };
    if text.trim().is_empty() {
        return Some(SettingFault::Missing);
    }
    let long_enough = definition
        .min_length
        .is_none_or(|length| text.chars().take(length as usize).count() == length as usize);
    if !long_enough {
        return Some(SettingFault::TooShort);
    }
    let mut characters = text.chars();
    let first = characters.next();
    let regular = characters.all(|c| Some(c) == first);
    let matters = definition.secret || definition.min_length.is_some();
    (matters && (regular || well_known(text))).then_some(SettingFault::WellKnown)
}
