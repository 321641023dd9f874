//! What is answered when the arguments are not a command: help, the version, or an error.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::{EXIT_USAGE, Failure};
use crate::streams::Console;
use crate::text::printable;

/// Whether `--json` stands among the arguments. Asked before they are parsed.
pub(crate) fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// Writes help, version or error; the exit code.
pub(crate) fn answer(error: &clap::Error, console: &mut Console<'_>) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            console.show(&error.to_string(), false);
            0
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !console.is_json() => {
            console.show(&error.to_string(), true);
            EXIT_USAGE
        }
        _ => console.fail(&Failure::usage(message(error))),
    }
}

/// The message, without what was typed as a value: whoever types a secret there must not find it in a log as well.
fn message(error: &clap::Error) -> String {
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => option_name(text),
        _ => None,
    };
    let what = match (error.kind(), option) {
        (ErrorKind::UnknownArgument, Some(name)) => format!("there is no option {name} here"),
        (ErrorKind::UnknownArgument, None) => {
            "an argument too many (not repeated here: it may be a secret)".to_owned()
        }
        (ErrorKind::TooManyValues, Some(name)) => format!(
            "{name} takes no value: what it needs is asked for. Where a secret was typed there, the shell's history \
             and the list of processes have it now"
        ),
        (
            ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::WrongNumberOfValues,
            name,
        ) => {
            format!("not a value for {}", name.as_deref().unwrap_or("an argument"))
        }
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand, _) => {
            "a command is missing".to_owned()
        }
        (ErrorKind::InvalidSubcommand, _) => "there is no such command".to_owned(),
        (ErrorKind::InvalidUtf8, _) => "an argument that is not UTF-8".to_owned(),
        // What is left speaks of options and their conflicts only. Its usage lines are in the help.
        _ => {
            let text = error.to_string();
            let text = text.split("\n\nUsage:").next().unwrap_or(&text);
            let text = text.strip_prefix("error: ").unwrap_or(text);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    };
    format!("{}; see --help", printable(&what))
}

/// `--name` of `--name=value`, `<ID>` as it is; nothing of what is no option.
fn option_name(text: &str) -> Option<String> {
    let name = text.split(['=', ' ']).next().unwrap_or(text);
    let known = name.starts_with("--") && name.len() > 2 || name.starts_with('<');
    let short = name.starts_with('-') && name.chars().count() == 2;
    (known || short).then(|| name.to_owned())
}
