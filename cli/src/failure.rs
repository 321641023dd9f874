//! Errors of a command, and their exit codes.

use std::fmt;
use std::io;

use sealite::{Error, ErrorKind};
use serde_json::{Value, json};

/// The table at the end of `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  a check found faults: verify, audit verify, setting check, doctor, adopt --dry-run
  2  usage: an argument is missing or not acceptable
  3  wrong key, or locked
  4  not initialised, or initialised already
  5  damaged, edited from outside, or older than the checkpoint given
  6  busy: another process holds the lock; try again
  7  anything else";

/// The exit code of a check that found something.
pub(crate) const EXIT_FAULTS: u8 = 1;
/// The exit code of a command line that is not understood.
pub(crate) const EXIT_USAGE: u8 = 2;

/// The exit code of every other failure.
const EXIT_OTHER: u8 = 7;

/// Why a command failed. As with [`sealite::Error`], no secret and no value stands in it.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: ErrorKind,
    message: String,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into() }
    }

    /// An argument that is not acceptable.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// What the operating system refused.
    pub(crate) fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::StorageFull => ErrorKind::Full,
            io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            _ => ErrorKind::Io,
        };
        Self::new(kind, format!("{what}: {error}"))
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Adds what the caller knows.
    pub(crate) fn and(mut self, more: impl fmt::Display) -> Self {
        self.message = format!("{}; {more}", self.message);
        self
    }

    pub(crate) fn json(&self) -> Value {
        json!({"error": {
            "code": self.kind.code(),
            "name": self.kind.name(),
            "message": self.message,
        }})
    }

    pub(crate) fn exit(&self) -> u8 {
        exit_code(self.kind)
    }
}

/// The exit code of a command that fails with an error of this kind.
pub fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidInput => EXIT_USAGE,
        ErrorKind::WrongKey | ErrorKind::Locked => 3,
        ErrorKind::NotInitialised | ErrorKind::AlreadyInitialised => 4,
        ErrorKind::AuthenticationFailed
        | ErrorKind::Corrupt
        | ErrorKind::UnknownKey
        | ErrorKind::RolledBack => 5,
        ErrorKind::Busy => 6,
        _ => EXIT_OTHER,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.message())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}
