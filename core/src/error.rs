//! The one error type. Its numeric [`Error::code`] is stable and shared by every face.

use std::borrow::Cow;
use std::fmt;

/// The result of every fallible call.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, and where.
///
/// The message names tables, columns and files, never a value, a key or a secret. It is safe to log; whether it
/// is safe to show to a client is the caller's decision ([`ErrorKind::name`] always is).
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    sqlite_code: Option<i32>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// The kinds of error. Codes and names are append-only: none is ever renumbered or reused.
        #[non_exhaustive]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u32)]
        pub enum ErrorKind { $($(#[$doc])* $variant = $code,)* }

        impl ErrorKind {
            /// Every kind, in the order of the codes.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$variant,)*];

            /// The stable name, in snake case; what the faces show to programs.
            pub fn name(self) -> &'static str {
                match self { $(ErrorKind::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    /// The vault has not been initialised: no file, or a file without a master key.
    NotInitialised = 1, "not_initialised";
    /// The vault exists already; creating it twice is refused.
    AlreadyInitialised = 2, "already_initialised";
    /// The vault is locked: no key is in memory.
    Locked = 3, "locked";
    /// No slot opens with this secret (told from damage by the key commitment).
    WrongKey = 4, "wrong_key";
    /// A record, or the row that carries it, is not what was written: edited, moved, swapped or damaged.
    AuthenticationFailed = 5, "authentication_failed";
    /// A record names a key that the vault does not have.
    UnknownKey = 6, "unknown_key";
    /// A record names a key that has been destroyed: its content is gone for good.
    DestroyedKey = 7, "destroyed_key";
    /// A search on a sealed column that has no (finished) blind index.
    NotIndexed = 8, "not_indexed";
    /// A unique value or an id is taken already, or a constraint of the application's own SQL failed.
    Conflict = 9, "conflict";
    /// Another process or thread holds the lock; nothing was done; try again.
    Busy = 10, "busy";
    /// The file is damaged.
    Corrupt = 11, "corrupt";
    /// A documented limit is exceeded.
    Limit = 12, "limit";
    /// The handle has been closed.
    Closed = 13, "closed";
    /// Another SQLite library in this process has the file open.
    AnotherLibrary = 14, "another_library";
    /// A key or passphrase that is empty, short, regular or well known.
    WeakKey = 15, "weak_key";
    /// An argument is not acceptable.
    InvalidInput = 16, "invalid_input";
    /// A value does not fit the declared type or NOT NULL.
    TypeMismatch = 17, "type_mismatch";
    /// No table, column, slot or provider of this name.
    NotFound = 18, "not_found";
    /// The file is not a SQLite database, or belongs to another program.
    NotAVault = 19, "not_a_vault";
    /// The file was written by a newer version of the format.
    NewerFormat = 20, "newer_format";
    /// The file, folder or handle cannot be written.
    ReadOnly = 21, "read_only";
    /// The disk or the page limit is full; the transaction left no trace.
    Full = 22, "full";
    /// The operating system refused to read or write.
    Io = 23, "io";
    /// What was in use when the process forked is the parent's. The child may open the file anew.
    Forked = 24, "forked";
    /// What is stored differs from what is declared: a weaker protection, another type, a missing column.
    Definition = 25, "definition";
    /// Refused by policy, with the way out in the message.
    Refused = 26, "refused";
    /// Plain SQL may not do this: it touches what the engine keeps sealed or configured.
    NotAllowed = 27, "not_allowed";
    /// The application's own SQL is wrong.
    Sql = 28, "sql";
    /// The last slot cannot be removed.
    LastSlot = 29, "last_slot";
    /// A fault in the engine itself: please report it.
    Internal = 30, "internal";
    /// The approval has been decided, or its action executed, already.
    AlreadyDecided = 31, "already_decided";
    /// It was valid up to a time that is past.
    Expired = 32, "expired";
    /// The policy of the request, or the decision, does not allow it.
    Denied = 33, "denied";
    /// The payload is not the one that was approved.
    PayloadChanged = 34, "payload_changed";
    /// What was presented is no token that holds. Why, only the metrics and the audit trail tell.
    TokenRejected = 35, "token_rejected";
    /// The program has interrupted the call.
    Interrupted = 36, "interrupted";
    /// The file is older than the checkpoint that was kept outside, or went on from an older one.
    RolledBack = 37, "rolled_back";
}

impl ErrorKind {
    /// The stable number, shared by Rust, C and Python.
    pub fn code(self) -> u32 {
        self as u32
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), sqlite_code: None }))
    }

    #[must_use]
    pub(crate) fn with_sqlite_code(mut self, code: i32) -> Self {
        self.0.sqlite_code = Some(code);
        self
    }

    /// The kind, for `match`.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable number of the kind.
    pub fn code(&self) -> u32 {
        self.0.kind.code()
    }

    /// The message without the kind's name.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// SQLite's extended result code, where SQLite reported the error.
    pub fn sqlite_code(&self) -> Option<i32> {
        self.0.sqlite_code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.name(), self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}

macro_rules! fail {
    ($kind:ident, $($message:tt)+) => {
        return Err($crate::error::err!($kind, $($message)+))
    };
}
macro_rules! err {
    ($kind:ident, $message:literal) => {
        $crate::error::Error::new($crate::error::ErrorKind::$kind, format!($message))
    };
    ($kind:ident, $($message:tt)+) => {
        $crate::error::Error::new($crate::error::ErrorKind::$kind, format!($($message)+))
    };
}
pub(crate) use {err, fail};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_dense() {
        for (position, kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(kind.code() as usize, position + 1);
        }
        let names: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|k| k.name()).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
