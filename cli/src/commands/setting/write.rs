//! `sealite setting set`, `clear` and `rollback`.

use sealite::{Change, Setting};
use serde_json::json;

use super::{author, open, show};
use crate::arguments::{self, Named, NewValue, SettingSet};
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::streams::Console;
use crate::text::printable;
use crate::text_source::{Found, ask_twice, from_file, rest_of_stdin, without_line_end};
use crate::unlock::others_can_read;

pub(super) fn set(arguments: &SettingSet, console: &mut Console<'_>) -> Result<Report> {
    let name = &arguments.named.name;
    let settings = open(&arguments.named.scope, console)?;
    let change = change(&settings.read(name)?, &arguments.value, console)?;
    let changed = settings.write(name, change, &author(&arguments.author))?;
    let setting = settings.read(name)?;
    Ok(report(&setting, changed, "Set"))
}

pub(super) fn clear(
    named: &Named,
    by: &arguments::Author,
    console: &mut Console<'_>,
) -> Result<Report> {
    let settings = open(&named.scope, console)?;
    let changed = settings.write(&named.name, Change::Clear, &author(by))?;
    Ok(report(&settings.read(&named.name)?, changed, "Cleared"))
}

pub(super) fn roll_back(
    named: &Named,
    version: i64,
    by: &arguments::Author,
    console: &mut Console<'_>,
) -> Result<Report> {
    let settings = open(&named.scope, console)?;
    let before = settings.read(&named.name)?.version();
    let now = settings.roll_back(&named.name, version, &author(by))?;
    let done = format!("Took version {version} again of");
    Ok(report(&settings.read(&named.name)?, now != before, &done))
}

fn report(setting: &Setting, changed: bool, done: &str) -> Report {
    let name = printable(setting.name());
    let mut text = if changed {
        format!("{done} {name}: version {}.\n", setting.version())
    } else {
        format!("{name} is so already: nothing was written.\n")
    };
    if changed && setting.definition().needs_restart() {
        text.push_str("The application takes it up when it is started anew.\n");
    }
    let source = setting.source().name();
    let mut report =
        Report::new(text, json!({"changed": changed, "setting": show::object(setting)}));
    report.line(&format!("What holds now comes from: {source}."));
    report
}

/// The value from where the arguments say.
fn change(setting: &Setting, from: &NewValue, console: &mut Console<'_>) -> Result<Change> {
    if let Some(plain) = &from.value {
        if setting.is_secret() {
            let name = setting.name();
            return Err(Failure::usage(format!(
                "setting {name} is secret: hand its value in by --prompt, --value-file or --value-stdin. What was \
                 typed here is in the shell's history and the list of processes now: choose another value"
            )));
        }
        return Ok(Change::from_text(plain));
    }
    let Found { text, .. } = if let Some(path) = &from.value_file {
        let found = from_file(path)?;
        if found.open_to_others && setting.is_secret() {
            return Err(others_can_read(path));
        }
        found
    } else if from.value_stdin {
        rest_of_stdin(console)?
    } else {
        ask_twice()?
    };
    let text = without_line_end(&text);
    // A file that was cut short, a command before the pipe that failed.
    if text.is_empty() {
        return Err(Failure::usage("the value is empty; setting clear takes a value away"));
    }
    Ok(Change::from_text(text))
}
