//! `sealite token import`.

use std::path::Path;

use sealite::LegacyEntry;
use serde_json::json;

use super::Opened;
use crate::arguments::TokenImport;
use crate::failure::Result;
use crate::report::Report;
use crate::streams::Console;
use crate::text::counted;
use crate::text_source::{from_file, rest_of_stdin};

const REMOVE_IT: &str = "the tokens work from the vault now: remove the file, and every copy of it";

pub(super) fn import(arguments: &TokenImport, console: &mut Console<'_>) -> Result<Report> {
    let from = arguments.from.as_path();
    let opened = Opened::open(&arguments.of, console)?;
    let found = if from == Path::new("-") { rest_of_stdin(console)? } else { from_file(from)? };
    let entries = match arguments.form.hash {
        Some(kind) => vec![LegacyEntry::from_hash(kind, found.text.trim())?],
        None if arguments.form.users => LegacyEntry::users(&found.text)?,
        None => LegacyEntry::admin_tokens(&found.text)?,
    };
    let done = opened.tokens().import(&entries)?;
    let text = format!(
        "Imported {}, knew {} already.\n",
        counted(done.imported, "token"),
        counted(done.known, "token")
    );
    let report = Report::new(text, json!({"imported": done.imported, "known": done.known}));
    Ok(report.warn(REMOVE_IT))
}
