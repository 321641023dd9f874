//! Bytes to structs and back, without I/O and without keys. `docs/format.md` has the byte tables. Every parser here
//! accepts exactly what its writer makes and refuses everything else without a panic.

pub(crate) mod bytes;
pub(crate) mod canonical;
pub(crate) mod context;
pub(crate) mod json;
pub(crate) mod padding;
pub(crate) mod payload;
pub(crate) mod record;
pub(crate) mod secret_text;
pub(crate) mod slot;

/// The bytes are not what the format says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Malformed;
