//! SQLite's result codes to the engine's errors.

use rusqlite::ffi;

use crate::error::{Error, ErrorKind, err};

pub(super) fn from_sqlite(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            from_code(failure.extended_code, message.as_deref())
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            from_code(error.extended_code, Some(&msg))
        }
        rusqlite::Error::NulError(_) => err!(InvalidInput, "SQL text with a NUL character"),
        rusqlite::Error::InvalidPath(_) => err!(InvalidInput, "not a path that SQLite can open"),
        rusqlite::Error::MultipleStatement => err!(Sql, "more than one statement in one call"),
        rusqlite::Error::InvalidParameterCount(given, wanted) => {
            err!(Sql, "{given} parameters for a statement that takes {wanted}")
        }
        rusqlite::Error::ExecuteReturnedResults => {
            err!(Sql, "the statement returns rows: use query")
        }
        _ => err!(Internal, "the SQLite binding refused a call"),
    }
}

/// The error of an extended result code and SQLite's message.
pub(super) fn from_code(code: i32, message: Option<&str>) -> Error {
    let kind = match (code & 0xff, code) {
        (ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL, _) => ErrorKind::Busy,
        (ffi::SQLITE_CORRUPT, _) => ErrorKind::Corrupt,
        (ffi::SQLITE_NOTADB, _) => ErrorKind::NotAVault,
        (ffi::SQLITE_FULL, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => ErrorKind::Full,
        (ffi::SQLITE_READONLY, _) => ErrorKind::ReadOnly,
        (ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM, _) => ErrorKind::Io,
        (ffi::SQLITE_CONSTRAINT, _) => ErrorKind::Conflict,
        (ffi::SQLITE_TOOBIG | ffi::SQLITE_NOMEM, _) => ErrorKind::Limit,
        (ffi::SQLITE_AUTH, _) => ErrorKind::NotAllowed,
        (ffi::SQLITE_INTERRUPT, _) => ErrorKind::Interrupted,
        // Rolled back under a statement that was reading.
        (ffi::SQLITE_ABORT, _) => ErrorKind::Closed,
        (ffi::SQLITE_ERROR | ffi::SQLITE_MISMATCH | ffi::SQLITE_RANGE, _) => ErrorKind::Sql,
        _ => ErrorKind::Internal,
    };
    let text = match kind {
        ErrorKind::NotAVault => "the file is not a SQLite database".to_owned(),
        ErrorKind::NotAllowed => {
            "plain SQL may not touch what the engine keeps: sealed tables are written, and \
             their sealed and authenticated columns read, through the engine only"
                .to_owned()
        }
        // A constraint's message names columns only.
        ErrorKind::Conflict => message.unwrap_or("a constraint failed").to_owned(),
        _ => public_message(message.unwrap_or("SQLite reports no more")),
    };
    Error::new(kind, text).with_sqlite_code(code)
}

/// SQLite quotes the offending token, which may be a literal, that is somebody's data: only a word or a sign that is
/// no literal is shown.
fn public_message(message: &str) -> String {
    let token = message.strip_prefix("near \"").and_then(|rest| rest.split('"').next());
    let shown = token.is_some_and(|token| {
        !token.is_empty() && !token.contains(|c: char| c.is_ascii_digit() || c == '\'')
    });
    match message.find(['"', '\'']) {
        Some(at) if !shown => format!("{}...", message.get(..at).unwrap_or_default()),
        _ => message.to_owned(),
    }
}

pub(super) trait Checked<T> {
    fn checked(self) -> crate::Result<T>;
}

impl<T> Checked<T> for rusqlite::Result<T> {
    fn checked(self) -> crate::Result<T> {
        self.map_err(from_sqlite)
    }
}
