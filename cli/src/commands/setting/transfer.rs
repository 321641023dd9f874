//! `sealite setting export` and `import`.

use std::path::Path;

use sealite::ExposeSecret;
use serde_json::json;

use super::{author, check_destination, open};
use crate::arguments::{Format, SettingExport, SettingImport};
use crate::failure::Result;
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::{counted, printable};
use crate::text_source::{from_file, rest_of_stdin};

const OPEN_FILE: &str =
    "others can read the file that was imported: close it (chmod 600), or remove it";

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Env => "env",
            Format::Json => "json",
        }
    }
}

pub(super) fn export(arguments: &SettingExport, console: &mut Console<'_>) -> Result<Report> {
    let SettingExport { format, include_secrets, shown, .. } = arguments;
    let said = shown.out.is_some() || shown.stdout;
    check_destination(said || !include_secrets || console.stdout_is_terminal(), "the secrets")?;
    let settings = open(&arguments.scope, console)?;
    // Made before: a name that is taken must not leave an entry of what nobody has got.
    let file = shown.out.as_deref().map(SecretFile::create).transpose()?;
    let by = author(&arguments.author);
    let text = match format {
        Format::Env => settings.export_env(&by, *include_secrets)?,
        Format::Json => settings.export_json(&by, *include_secrets)?,
    };
    let text = text.expose_secret();
    let object = json!({"format": format.name(), "secrets": include_secrets});
    if let Some(mut file) = file {
        file.write(text.strip_suffix('\n').unwrap_or(text))?;
        let path = file.path().display().to_string();
        file.keep();
        let line = format!("The settings are in {}.\n", printable(&path));
        let mut report = Report::new(line, object);
        report.set("file", json!(path));
        return Ok(report);
    }
    let mut report = Report::new(text, object);
    report.set("content", json!(text));
    Ok(report)
}

pub(super) fn import(arguments: &SettingImport, console: &mut Console<'_>) -> Result<Report> {
    let from = arguments.from.as_path();
    let is_json = from.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let guessed = if is_json { Format::Json } else { Format::Env };
    let settings = open(&arguments.scope, console)?;
    let found = if from == Path::new("-") { rest_of_stdin(console)? } else { from_file(from)? };
    let by = author(&arguments.author);
    let done = match arguments.format.unwrap_or(guessed) {
        Format::Env => settings.import_env(&found.text, &by)?,
        Format::Json => settings.import_json(&found.text, &by)?,
    };
    let mut text = format!("Changed {}.\n", counted(done.changed.len() as u64, "setting"));
    text.extend(done.changed.iter().map(|name| listed(name)));
    if !done.unknown.is_empty() {
        text.push_str("No setting has these names:\n");
        text.extend(done.unknown.iter().map(|name| listed(name)));
    }
    let report = Report::new(text, json!({"changed": done.changed, "unknown": done.unknown}));
    Ok(if found.open_to_others { report.warn(OPEN_FILE) } else { report })
}

fn listed(name: &str) -> String {
    format!("  {}\n", printable(name))
}
