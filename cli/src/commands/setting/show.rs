//! `sealite setting list`, `show`, `history`, `check` and `reveal`.

use sealite::{Setting, SettingVersion, ValueRef};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{author_of, check_destination, open, typed};
use crate::arguments::{Named, NamedReason, Scope, Shown};
use crate::failure::{EXIT_FAULTS, Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::{aligned, counted, date, printable};

/// The longest value that a list shows, in characters.
const MAX_CELL: usize = 48;

pub(super) fn list(
    scope: &Scope,
    category: Option<&str>,
    console: &mut Console<'_>,
) -> Result<Report> {
    let settings = open(scope, console)?.list(category)?;
    let cells: Vec<[String; 5]> = settings
        .iter()
        .map(|setting| {
            [
                setting.name().to_owned(),
                setting.definition().kind().name().to_owned(),
                setting.source().name().to_owned(),
                cell(setting.shown()),
                notes(setting),
            ]
        })
        .collect();
    let text = if cells.is_empty() {
        "no settings\n".to_owned()
    } else {
        aligned(["setting", "type", "source", "value", ""], &cells)
    };
    Ok(Report::new(text, json!({"settings": settings.iter().map(object).collect::<Value>()})))
}

pub(super) fn show(named: &Named, console: &mut Console<'_>) -> Result<Report> {
    let setting = open(&named.scope, console)?.read(&named.name)?;
    Ok(Report::new(described(&setting), json!({"setting": object(&setting)})))
}

pub(super) fn history(named: &Named, console: &mut Console<'_>) -> Result<Report> {
    let versions = open(&named.scope, console)?.history(&named.name)?;
    let cells: Vec<[String; 5]> = versions
        .iter()
        .map(|version| {
            let restored =
                version.restored().map_or(String::new(), |from| format!("version {from} again"));
            let why = [restored.as_str(), version.reason().unwrap_or("")];
            [
                version.version().to_string(),
                moment(version.changed_at()),
                version.changed_by().to_owned(),
                if version.is_set() { cell(version.shown()) } else { "(cleared)".to_owned() },
                why.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    let text = if cells.is_empty() {
        "never written here\n".to_owned()
    } else {
        aligned(["version", "changed", "by", "value", "reason"], &cells)
    };
    let one = |version: &SettingVersion| {
        json!({
            "version": version.version(),
            "changed_at_ms": version.changed_at(),
            "changed_by": version.changed_by(),
            "reason": version.reason(),
            "restored": version.restored(),
            "set": version.is_set(),
            "shown": version.shown(),
        })
    };
    let versions = versions.iter().map(one).collect::<Value>();
    Ok(Report::new(text, json!({"name": named.name, "versions": versions})))
}

pub(super) fn check(scope: &Scope, names: &[String], console: &mut Console<'_>) -> Result<Report> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = open(scope, console)?.check(&names)?;
    let mut text = String::new();
    for problem in &found.problems {
        text.push_str(&printable(&problem.to_string()));
        text.push('\n');
    }
    let outcome = match found.problems.len() {
        0 => "Nothing is missing or weak.\n".to_owned(),
        problems => format!("NOT ready: {}.\n", counted(problems as u64, "problem")),
    };
    text.push_str(&outcome);
    let one = |problem: &sealite::SettingProblem| {
        json!({
            "name": problem.name,
            "fault": problem.fault.name(),
            "environment": problem.variable,
            "min_length": problem.min_length,
        })
    };
    let problems = found.problems.iter().map(one).collect::<Value>();
    let exit = if found.is_ok() { 0 } else { EXIT_FAULTS };
    Ok(Report::new(text, json!({"ok": found.is_ok(), "problems": problems})).exit(exit))
}

/// Shows a value where a person sees it, or where it was said to go.
pub(super) fn reveal(
    named: &Named,
    author: &NamedReason,
    shown: &Shown,
    console: &mut Console<'_>,
) -> Result<Report> {
    let visible = console.stdout_is_terminal();
    check_destination(shown.out.is_some() || shown.stdout || visible, "the value")?;
    if author.reason.trim().is_empty() {
        return Err(Failure::usage("--reason is empty: say why the value is to be seen"));
    }
    let settings = open(&named.scope, console)?;
    // Made before: a name that is taken must not leave an entry of what nobody has seen.
    let file = shown.out.as_deref().map(SecretFile::create).transpose()?;
    let author = author_of(author.actor.as_deref(), Some(&author.reason));
    let value = settings.reveal(&named.name, &author)?;
    let kind = value.kind().name();
    let text = text_of(value.expose());
    if let Some(mut file) = file {
        file.write(&text)?;
        let path = file.path().display().to_string();
        file.keep();
        let line = format!("The value is in {}.\n", printable(&path));
        return Ok(Report::new(line, json!({"name": named.name, "type": kind, "file": path})));
    }
    let object = json!({"name": named.name, "type": kind, "value": typed(value.expose())});
    // On a terminal nothing of it commands that; elsewhere it is exact.
    let line = if visible { lines(&text) } else { text.to_string() };
    Ok(Report::new(format!("{line}\n"), object))
}

/// The setting as an object: its value only where it is not secret.
pub(super) fn object(setting: &Setting) -> Value {
    let definition = setting.definition();
    json!({
        "name": setting.name(),
        "type": definition.kind().name(),
        "secret": setting.is_secret(),
        "set": setting.is_set(),
        "source": setting.source().name(),
        "shown": setting.shown(),
        "value": setting.value().map(typed),
        "version": setting.version(),
        "changed_at_ms": setting.changed_at(),
        "changed_by": setting.changed_by(),
        "category": definition.declared_category(),
        "description": definition.declared_description(),
        "environment": definition.environment_variable(),
        "required": definition.is_required(),
        "requires_restart": definition.needs_restart(),
        "has_default": definition.has_default(),
        "min_length": definition.minimum_length(),
        "guarded_by": definition.guard(),
        "keep_versions": definition.kept_versions(),
    })
}

fn described(setting: &Setting) -> String {
    let definition = setting.definition();
    let value = if setting.is_set() { printable(setting.shown()) } else { "(none)".to_owned() };
    let mut lines = vec![
        ("type", definition.kind().name().to_owned()),
        ("value", value),
        ("source", setting.source().name().to_owned()),
    ];
    if let (Some(at), Some(by)) = (setting.changed_at(), setting.changed_by()) {
        let version = setting.version();
        lines.push(("version", format!("{version}, {} by {}", moment(at), printable(by))));
    }
    for (name, text) in [
        ("category", definition.declared_category()),
        ("description", definition.declared_description()),
        ("environment", definition.environment_variable()),
        ("guarded by", definition.guard()),
    ] {
        lines.extend(text.map(|text| (name, printable(text))));
    }
    let least = definition.minimum_length();
    lines.extend(least.map(|least| ("length", format!("at least {least} characters"))));
    let notes = notes(setting);
    if !notes.is_empty() {
        lines.push(("notes", notes));
    }
    let heading = format!("{}\n", printable(setting.name()));
    let lines = lines.iter().map(|(name, value)| format!("  {name:<12} {value}\n"));
    std::iter::once(heading).chain(lines).collect()
}

fn notes(setting: &Setting) -> String {
    let definition = setting.definition();
    let notes = [
        ("secret", setting.is_secret()),
        ("required", definition.is_required()),
        ("needs a restart", definition.needs_restart()),
    ];
    notes.iter().filter(|(_, holds)| *holds).map(|(note, _)| *note).collect::<Vec<_>>().join(", ")
}

/// As much of a value as a table has room for.
fn cell(text: &str) -> String {
    if text.chars().count() <= MAX_CELL {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_CELL - 1).collect();
    short.push('…');
    short
}

pub(super) fn moment(ms: i64) -> String {
    date(ms.div_euclid(1_000))
}

fn text_of(value: ValueRef<'_>) -> Zeroizing<String> {
    Zeroizing::new(match value {
        ValueRef::Text(text) | ValueRef::Json(text) => text.to_owned(),
        other => typed(other).to_string(),
    })
}

fn lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}
