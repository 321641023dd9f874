//! Export and import: `.env` files and JSON.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::SettingDefinition;
use super::change::{Author, Change, add, write_all};
use super::dotenv;
use super::merge::quoted;
use super::store::View;
use super::value::{SettingValue, parse, text_of};
use crate::audit::append;
use crate::error::{Result, err, fail};
use crate::secret::{SecretString, make_room_for_text};
use crate::table::session::Session;
use crate::value::{Type, Value, ValueRef};

/// What an import has done.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ImportReport {
    /// The settings that have changed.
    pub changed: Vec<String>,
    /// Names in the text that no setting has. Nothing was done about them.
    pub unknown: Vec<String>,
}

/// The formats.
#[derive(Clone, Copy)]
pub(super) enum Format {
    Env,
    Json,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Env => "env",
            Format::Json => "json",
        }
    }
}

/// The values that this scope itself holds, as text, with its audit entry.
pub(super) fn export(
    session: &Session,
    tenant: Option<&str>,
    author: &Author,
    secrets: bool,
    format: Format,
) -> Result<SecretString> {
    if secrets {
        author.needs_reason("export secrets")?;
    }
    let state = session.state();
    let view = View::writing(session, &state, tenant);
    let mut held = Vec::new();
    for definition in view.definitions()? {
        if let Some(value) = view.own(&definition.name)?.and_then(|own| own.value) {
            held.push((definition, value));
        }
    }
    let text = match format {
        Format::Env => to_env(&held, secrets)?,
        Format::Json => to_json(&held, secrets),
    };
    let written = |definition: &SettingDefinition| secrets || !definition.secret;
    let count = held.iter().filter(|(definition, _)| written(definition)).count();
    let mut payload =
        serde_json::json!({"format": format.name(), "secrets": secrets, "settings": count});
    add(&mut payload, "reason", author.reason.clone().map(serde_json::Value::from));
    let entry = author.entry(tenant, "setting.exported")?;
    append(session, &entry.json(payload))?;
    Ok(SecretString::from(text.as_str()))
}

type Held = [(SettingDefinition, SettingValue)];

fn to_env(held: &Held, secrets: bool) -> Result<Zeroizing<String>> {
    let mut out = Zeroizing::new(String::new());
    let mut used: BTreeMap<String, &str> = BTreeMap::new();
    for (definition, value) in held {
        let (name, variable) = (definition.name.as_str(), definition.variable());
        if definition.secret && !secrets {
            push(&mut out, &format!("# {variable} is set, and secret\n"));
            continue;
        }
        let text = Zeroizing::new(text_of(value.expose()));
        if !dotenv::write_line(&mut out, &variable, &text) {
            fail!(InvalidInput, "setting {name} holds a NUL, which no environment variable can");
        }
        if let Some(other) = used.insert(variable, name) {
            fail!(Conflict, "settings {other} and {name} have the same environment variable");
        }
    }
    Ok(out)
}

fn to_json(held: &Held, secrets: bool) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::from("{"));
    for (definition, value) in held.iter().filter(|(definition, _)| secrets || !definition.secret) {
        let first = out.len() == 1;
        push(&mut out, if first { "\n  " } else { ",\n  " });
        push(&mut out, &quoted(&definition.name));
        push(&mut out, ": ");
        push(
            &mut out,
            &match value.expose() {
                ValueRef::Text(text) => quoted(text),
                other => Zeroizing::new(text_of(other)),
            },
        );
    }
    push(&mut out, "\n}\n");
    out
}

/// Appends, and leaves no copy where the buffer grows.
fn push(out: &mut String, text: &str) {
    make_room_for_text(out, text.len());
    out.push_str(text);
}

/// Sets what the text names; the rest stays. All or nothing, as part of the transaction.
pub(super) fn import(
    session: &Session,
    tenant: Option<&str>,
    author: &Author,
    text: &str,
    format: Format,
) -> Result<ImportReport> {
    let state = session.state();
    let definitions = View::writing(session, &state, tenant).definitions()?;
    let (wanted, unknown) = match format {
        Format::Env => from_env(&definitions, text)?,
        Format::Json => from_json(&definitions, text)?,
    };
    let named = wanted.iter().map(|(name, change)| (name.as_str(), change));
    let changed = write_all(session, tenant, named, author)?;
    let mut payload = serde_json::json!({"format": format.name(), "settings": changed.len()});
    add(&mut payload, "reason", author.reason.clone().map(serde_json::Value::from));
    let entry = author.entry(tenant, "setting.imported")?;
    append(session, &entry.json(payload))?;
    Ok(ImportReport { changed, unknown })
}

type Changes = (Vec<(String, Change)>, Vec<String>);

/// `NAME=` with nothing behind it says nothing; `NAME=''` is an empty text.
fn from_env(definitions: &[SettingDefinition], text: &str) -> Result<Changes> {
    // The last line of a name counts, as for every reader of such files.
    let mut values: BTreeMap<&str, Change> = BTreeMap::new();
    let mut unknown = Vec::new();
    for line in dotenv::read(text)? {
        let mut named = definitions.iter().filter(|definition| definition.variable() == line.name);
        let Some(definition) = named.next() else {
            unknown.push(line.name);
            continue;
        };
        if let Some(other) = named.next() {
            let (one, other) = (&definition.name, &other.name);
            fail!(Conflict, "settings {one} and {other} have the same environment variable");
        }
        if line.bare_empty {
            continue;
        }
        let name = definition.name.as_str();
        values.insert(name, Change::Set(parse(name, definition.kind, &line.value)?));
    }
    Ok((owned(values), unknown))
}

fn from_json(definitions: &[SettingDefinition], text: &str) -> Result<Changes> {
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else {
        fail!(InvalidInput, "not a JSON object");
    };
    let mut values = BTreeMap::new();
    let mut unknown = Vec::new();
    for (name, raw) in members {
        let Some(definition) = definitions.iter().find(|definition| definition.name == name) else {
            unknown.push(name);
            continue;
        };
        let raw = raw.get();
        let name = definition.name.as_str();
        let wrong = || {
            err!(
                TypeMismatch,
                "setting {name}: not a JSON value of type {}",
                definition.kind.name()
            )
        };
        let value = match definition.kind {
            Type::Text => serde_json::from_str(raw).map(Value::Text).map_err(|_| wrong())?,
            Type::Boolean => serde_json::from_str(raw).map(Value::Boolean).map_err(|_| wrong())?,
            kind => parse(name, kind, raw).map_err(|_| wrong())?,
        };
        values.insert(name, Change::Set(value));
    }
    Ok((owned(values), unknown))
}

/// For fuzzing: what is taken from a text is of the type of its setting.
#[cfg(any(test, fuzzing))]
pub(crate) fn survives(definitions: &[SettingDefinition], text: &str) {
    for read in [from_env(definitions, text), from_json(definitions, text)] {
        for (name, change) in read.map(|(changes, _)| changes).unwrap_or_default() {
            let definition = definitions.iter().find(|definition| definition.name == name);
            let Change::Set(value) = &change else { panic!("a change that sets nothing") };
            let what = value.as_ref().type_name().to_lowercase();
            assert!(definition.is_some_and(|definition| what.ends_with(definition.kind.name())));
        }
    }
}

fn owned(values: BTreeMap<&str, Change>) -> Vec<(String, Change)> {
    values.into_iter().map(|(name, change)| (name.to_owned(), change)).collect()
}
