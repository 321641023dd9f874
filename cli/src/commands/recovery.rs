//! `sealite recovery new`.

use std::path::Path;

use sealite::{ExposeSecret, SlotKind};
use serde_json::json;

use super::slot::{about, undelivered};
use crate::arguments::RecoveryNew;
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::printable;
use crate::unlock;

const KEPT_NOWHERE: &str =
    "the code is kept nowhere else: print the sheet, destroy the file, and lock the paper away";

/// A sheet that nobody has got opens nothing and must not stay: the slot is removed again where it does not arrive.
pub(super) fn new(arguments: &RecoveryNew, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(&arguments.file, &arguments.open, console)?;
    let to_stdout = arguments.sheet == Path::new("-");
    // Made before the slot, so that a name that is taken leaves nothing behind.
    let file = if to_stdout { None } else { Some(SecretFile::create(&arguments.sheet)?) };
    let (id, code) = vault.add_recovery_slot(&arguments.label)?;
    let sheet = code.sheet();
    let mut report = about(id, SlotKind::Recovery, &arguments.label);
    let delivered = if let Some(mut file) = file {
        let path = file.path().display().to_string();
        report.line(&format!("Its sheet is in {}.", printable(&path)));
        report.set("sheet_file", json!(path));
        file.write(sheet.expose_secret()).map(|()| {
            file.keep();
            report.warn(KEPT_NOWHERE)
        })
    } else {
        // The page and nothing else: it may go to a printer.
        sheet.expose_secret().clone_into(&mut report.text);
        report.set("sheet", json!(sheet.expose_secret()));
        console
            .deliver(&report)
            .map(|()| Report::delivered())
            .map_err(|error| Failure::io("the sheet can't be written", &error))
    };
    delivered.map_err(|failure| undelivered(&vault, id, failure))
}
