//! Texts that may be secret and longer than a line: values of settings, and files of them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sealite::ExposeSecret;
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::streams::Console;
use crate::unlock::{ask, open_to_others};

/// The longest text, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// A text, and whether others can read where it comes from.
pub(crate) struct Found {
    pub(crate) text: Zeroizing<String>,
    pub(crate) open_to_others: bool,
}

/// The content of a file.
pub(crate) fn from_file(path: &Path) -> Result<Found> {
    let unreadable = |error| Failure::io(format_args!("{} can't be read", path.display()), &error);
    let file = File::open(path).map_err(unreadable)?;
    let open_to_others = open_to_others(&file);
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TEXT + 1));
    file.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Found { text: text_of(&bytes)?, open_to_others })
}

/// A checkpoint of the audit trail, which is no secret: the text itself, or a file with it.
pub(crate) fn checkpoint(given: &str) -> Result<String> {
    if given.starts_with("sealite-audit-") {
        return Ok(given.to_owned());
    }
    from_file(Path::new(given)).map(|found| found.text.to_string())
}

/// What is left of the standard input.
pub(crate) fn rest_of_stdin(console: &mut Console<'_>) -> Result<Found> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TEXT + 1));
    let read = console.stdin().take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::io("the standard input can't be read", &error))?;
    Ok(Found { text: text_of(&bytes)?, open_to_others: false })
}

/// A line asked for twice on the terminal, without showing what is typed.
pub(crate) fn ask_twice() -> Result<Found> {
    let first = ask("New value: ")?;
    let second = ask("The same again: ")?;
    if first.expose_secret() != second.expose_secret() {
        return Err(Failure::usage("the two values differ"));
    }
    let text = Zeroizing::new(first.expose_secret().to_owned());
    Ok(Found { text, open_to_others: false })
}

fn text_of(bytes: &[u8]) -> Result<Zeroizing<String>> {
    if bytes.len() > MAX_TEXT {
        return Err(Failure::usage(format!("a text has at most {MAX_TEXT} bytes")));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::usage("a text that is not UTF-8")),
    }
}

/// The text without one line end at its end.
pub(crate) fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
