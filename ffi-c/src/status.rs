//! Status codes, and what an error is before it becomes an object.

use std::borrow::Cow;
use std::ffi::CStr;

use sealite::ErrorKind;

/// What a call returns. The numbers are the engine's own (Rust and Python share them) and append-only: none is ever
/// renumbered or reused. A program must expect numbers that it does not know yet.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum sealite_status {
    /// The call did what it says.
    SEALITE_OK = 0,
    /// The vault has not been initialised: no file, or a file without a master key.
    SEALITE_NOT_INITIALISED = 1,
    /// The vault exists already; creating it twice is refused.
    SEALITE_ALREADY_INITIALISED = 2,
    /// The vault is locked: no key is in memory.
    SEALITE_LOCKED = 3,
    /// No slot opens with this secret.
    SEALITE_WRONG_KEY = 4,
    /// A record, or the row that carries it, is not what was written: edited, moved, swapped or damaged.
    SEALITE_AUTHENTICATION_FAILED = 5,
    /// A record names a key that the vault does not have.
    SEALITE_UNKNOWN_KEY = 6,
    /// A record names a key that has been destroyed: its content is gone for good.
    SEALITE_DESTROYED_KEY = 7,
    /// A search on a sealed column that has no (finished) blind index.
    SEALITE_NOT_INDEXED = 8,
    /// A unique value or an id is taken already, or a constraint of the application's own SQL failed.
    SEALITE_CONFLICT = 9,
    /// Another process or thread holds the lock; nothing was done; try again.
    SEALITE_BUSY = 10,
    /// The file is damaged.
    SEALITE_CORRUPT = 11,
    /// A documented limit is exceeded; a length or count that no memory can have.
    SEALITE_LIMIT = 12,
    /// The vault or transaction has been closed or has ended; a handle that was freed, or that is none.
    SEALITE_CLOSED = 13,
    /// Another SQLite library in this process has the file open.
    SEALITE_ANOTHER_LIBRARY = 14,
    /// A key or passphrase that is empty, short, regular or well known.
    SEALITE_WEAK_KEY = 15,
    /// An argument is not acceptable: NULL where there has to be something, text that is not UTF-8, a number that
    /// stands for no choice, a handle of another kind.
    SEALITE_INVALID_INPUT = 16,
    /// A value does not fit the declared type or NOT NULL.
    SEALITE_TYPE_MISMATCH = 17,
    /// No table, column, slot, setting or request of this name.
    SEALITE_NOT_FOUND = 18,
    /// The file is not a SQLite database, or belongs to another program.
    SEALITE_NOT_A_VAULT = 19,
    /// The file was written by a newer version of the format.
    SEALITE_NEWER_FORMAT = 20,
    /// The file, folder or handle cannot be written.
    SEALITE_READ_ONLY = 21,
    /// The disk or the page limit is full; the transaction left no trace.
    SEALITE_FULL = 22,
    /// The operating system refused to read or write.
    SEALITE_IO = 23,
    /// What was in use when the process forked is the parent's. The child may open the file anew.
    SEALITE_FORKED = 24,
    /// What is stored differs from what is declared: a weaker protection, another type, a missing column.
    SEALITE_DEFINITION = 25,
    /// Refused by policy, with the way out in the message.
    SEALITE_REFUSED = 26,
    /// Plain SQL, or a tenant's handle, may not do this.
    SEALITE_NOT_ALLOWED = 27,
    /// The application's own SQL is wrong.
    SEALITE_SQL = 28,
    /// The last slot cannot be removed.
    SEALITE_LAST_SLOT = 29,
    /// A fault in the engine itself, or a handle on which there was one: please report it.
    SEALITE_INTERNAL = 30,
    /// The approval has been decided, or its action executed, already.
    SEALITE_ALREADY_DECIDED = 31,
    /// It was valid up to a time that is past.
    SEALITE_EXPIRED = 32,
    /// The policy of the request, or the decision, does not allow it.
    SEALITE_DENIED = 33,
    /// The payload is not the one that was approved.
    SEALITE_PAYLOAD_CHANGED = 34,
    /// What was presented as a token does not hold.
    SEALITE_TOKEN_REJECTED = 35,
    /// The program has interrupted the call.
    SEALITE_INTERRUPTED = 36,
    /// The file is older than the checkpoint that was kept outside, or went on from an older one.
    SEALITE_ROLLED_BACK = 37,
}

use sealite_status::*;

impl sealite_status {
    /// Every status, at the place of its number.
    pub(crate) const ALL: [sealite_status; 38] = [
        SEALITE_OK,
        SEALITE_NOT_INITIALISED,
        SEALITE_ALREADY_INITIALISED,
        SEALITE_LOCKED,
        SEALITE_WRONG_KEY,
        SEALITE_AUTHENTICATION_FAILED,
        SEALITE_UNKNOWN_KEY,
        SEALITE_DESTROYED_KEY,
        SEALITE_NOT_INDEXED,
        SEALITE_CONFLICT,
        SEALITE_BUSY,
        SEALITE_CORRUPT,
        SEALITE_LIMIT,
        SEALITE_CLOSED,
        SEALITE_ANOTHER_LIBRARY,
        SEALITE_WEAK_KEY,
        SEALITE_INVALID_INPUT,
        SEALITE_TYPE_MISMATCH,
        SEALITE_NOT_FOUND,
        SEALITE_NOT_A_VAULT,
        SEALITE_NEWER_FORMAT,
        SEALITE_READ_ONLY,
        SEALITE_FULL,
        SEALITE_IO,
        SEALITE_FORKED,
        SEALITE_DEFINITION,
        SEALITE_REFUSED,
        SEALITE_NOT_ALLOWED,
        SEALITE_SQL,
        SEALITE_LAST_SLOT,
        SEALITE_INTERNAL,
        SEALITE_ALREADY_DECIDED,
        SEALITE_EXPIRED,
        SEALITE_DENIED,
        SEALITE_PAYLOAD_CHANGED,
        SEALITE_TOKEN_REJECTED,
        SEALITE_INTERRUPTED,
        SEALITE_ROLLED_BACK,
    ];

    /// Their names, made before the program begins: nothing is left half made to the child of a fork.
    const NAMES: [&CStr; 38] = [
        c"ok",
        c"not_initialised",
        c"already_initialised",
        c"locked",
        c"wrong_key",
        c"authentication_failed",
        c"unknown_key",
        c"destroyed_key",
        c"not_indexed",
        c"conflict",
        c"busy",
        c"corrupt",
        c"limit",
        c"closed",
        c"another_library",
        c"weak_key",
        c"invalid_input",
        c"type_mismatch",
        c"not_found",
        c"not_a_vault",
        c"newer_format",
        c"read_only",
        c"full",
        c"io",
        c"forked",
        c"definition",
        c"refused",
        c"not_allowed",
        c"sql",
        c"last_slot",
        c"internal",
        c"already_decided",
        c"expired",
        c"denied",
        c"payload_changed",
        c"token_rejected",
        c"interrupted",
        c"rolled_back",
    ];

    /// The name of a number, in small letters.
    pub(crate) fn name(number: i32) -> &'static CStr {
        let place = usize::try_from(number).ok();
        place.and_then(|place| Self::NAMES.get(place)).copied().unwrap_or(c"unknown")
    }

    /// The status of an error of the engine.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self::ALL.get(kind.code() as usize).copied().unwrap_or(SEALITE_INTERNAL)
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: sealite_status,
    pub(crate) message: Cow<'static, str>,
    pub(crate) sqlite_code: Option<i32>,
}

impl Failure {
    pub(crate) fn new(status: sealite_status, message: impl Into<Cow<'static, str>>) -> Self {
        Failure { status, message: message.into(), sqlite_code: None }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SEALITE_INVALID_INPUT, message)
    }

    pub(crate) fn internal() -> Self {
        Self::new(SEALITE_INTERNAL, "a fault in the engine: please report it")
    }
}

impl From<sealite::Error> for Failure {
    fn from(error: sealite::Error) -> Self {
        Failure {
            status: sealite_status::of(error.kind()),
            message: Cow::Owned(error.message().to_owned()),
            sqlite_code: error.sqlite_code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_engine_has_its_status_under_the_same_number_and_name() {
        assert_eq!(sealite_status::ALL.len(), ErrorKind::ALL.len() + 1);
        for (number, status) in sealite_status::ALL.iter().enumerate() {
            assert_eq!(*status as usize, number);
        }
        for kind in ErrorKind::ALL {
            let status = sealite_status::of(*kind);
            assert_eq!(status as u32, kind.code());
            let name = format!("{status:?}");
            assert_eq!(name.trim_start_matches("SEALITE_").to_lowercase(), kind.name());
            assert_eq!(sealite_status::name(status as i32).to_str().unwrap(), kind.name());
        }
        assert_eq!(sealite_status::name(0), c"ok");
        let none = [-1, i32::MIN, i32::MAX, i32::try_from(sealite_status::ALL.len()).unwrap()];
        assert!(none.iter().all(|number| sealite_status::name(*number) == c"unknown"));
    }
}
