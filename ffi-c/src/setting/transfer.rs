//! Checks at start-up, export and import of settings.

use std::ffi::c_char;

use sealite::{ExposeSecret, Settings};

use super::handle::{author, names, sealite_settings};
use crate::bytes::{Bytes, sealite_bytes};
use crate::call::call;
use crate::error::sealite_error;
use crate::output::Out;
use crate::rows::{Made, integer_or_null, sealite_rows, text_or_null};
use crate::status::Result;
use crate::status::sealite_status;
use crate::value::sealite_string;

/// How settings are written out.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_format {
    /// A `.env` file.
    SEALITE_FORMAT_ENV = 0,
    /// One JSON object of names and values.
    SEALITE_FORMAT_JSON = 1,
}

/// The formats, at the places of their numbers: whether they are JSON.
const FORMATS: [bool; 2] = [false, true];

fn export(
    settings: &Settings,
    json: bool,
    (actor, reason): (&str, Option<&str>),
    secrets: bool,
    text: &Out<'_, *mut sealite_bytes>,
) -> Result<()> {
    let author = author(actor, reason);
    let export = if json { Settings::export_json } else { Settings::export_env };
    let written = export(settings, &author, secrets)?;
    text.give(Bytes::copy_of(written.expose_secret().as_bytes()))
}

/// Checks the named settings, and all that are declared as required: that they are there, long enough, and not well known.
/// For start-up. Writes true to `ok` where nothing is wrong. Rows: `name`, `fault` ("undefined", "missing", "too_short",
/// "well_known" or "invalid"), `environment`, `min_length`, `message`. No value is in them.
///
/// SEALITE_NOT_FOUND for a name that is not declared; SEALITE_LOCKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_check(
    settings: *mut sealite_settings,
    names: *const sealite_string,
    name_count: usize,
    ok: *mut bool,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), texts(names, name_count), out(ok), out(rows); {
        let report = settings.check(&names)?;
        let mut made = Made::new(&["name", "fault", "environment", "min_length", "message"]);
        for problem in &report.problems {
            made.push([
                problem.name.as_str().into(),
                problem.fault.name().into(),
                text_or_null(problem.variable.as_deref()),
                integer_or_null(problem.min_length.map(i64::from)),
                problem.to_string().into(),
            ]);
        }
        rows.give(made.into())?;
        ok.set(report.is_ok());
    })
}

/// Lists the settings declared to need a restart that were changed since this vault was opened. Rows: `name`.
///
/// SEALITE_LOCKED while there is no key in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_restart_pending(
    settings: *mut sealite_settings,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(settings), out(rows); {
        rows.give(self::names(&settings.restart_pending()?).into())?;
    })
}

/// Writes out what this vault, or tenant, itself holds, without the secrets, in a sealite_format. Audited. Free the text
/// with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_export(
    settings: *mut sealite_settings,
    format: i32,
    actor: *const c_char,
    actor_length: usize,
    reason: *const c_char,
    reason_length: usize,
    text: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), choice(format, &FORMATS),
        text(actor, actor_length), optional_text(reason, reason_length), out(text);
        { export(&settings, format, (actor, reason), false, &text)?; }
    )
}

/// As sealite_settings_export(), and reveals the secrets: it takes a reason.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_export_reveal(
    settings: *mut sealite_settings,
    format: i32,
    actor: *const c_char,
    actor_length: usize,
    reason: *const c_char,
    reason_length: usize,
    text: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), choice(format, &FORMATS),
        text(actor, actor_length), optional_text(reason, reason_length), out(text);
        { export(&settings, format, (actor, reason), true, &text)?; }
    )
}

/// Sets what the text, in a sealite_format, names, all or nothing; what it does not name stays. Audited. Rows: `name`,
/// `changed` (false: no setting has this name, and nothing was done).
///
/// SEALITE_INVALID_INPUT where it is no such text; SEALITE_TYPE_MISMATCH; nothing is written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_settings_import(
    settings: *mut sealite_settings,
    format: i32,
    text: *const c_char,
    text_length: usize,
    actor: *const c_char,
    actor_length: usize,
    reason: *const c_char,
    reason_length: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(settings), choice(format, &FORMATS), text(text, text_length),
        text(actor, actor_length), optional_text(reason, reason_length), out(rows);
        {
            let import = if format { Settings::import_json } else { Settings::import_env };
            let report = import(&settings, text, &author(actor, reason))?;
            let mut made = Made::new(&["name", "changed"]);
            for (names, changed) in [(&report.changed, true), (&report.unknown, false)] {
                for name in names {
                    made.push([name.as_str().into(), changed.into()]);
                }
            }
            rows.give(made.into())?;
        }
    )
}
