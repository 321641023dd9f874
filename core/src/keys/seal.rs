//! The one path by which anything is sealed or opened.

use crate::crypto::random;
use crate::crypto::xaes::{self, OpenError};
use crate::error::{Error, Result, err};
use crate::format::context::{Context, Place};
use crate::format::padding::Padding;
use crate::format::payload;
use crate::format::record::{self, HEADER_LEN, Record};

/// A key that seals records, under the id that their headers carry.
pub(crate) struct RecordKey {
    pub(crate) id: u32,
    pub(crate) cipher: xaes::Key,
}

/// The layout that a record's header names, and the padding of its payload.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) layout: u16,
    pub(crate) padding: Padding,
}

impl Shape {
    /// Of the engine's own records: no layout, no padding.
    pub(crate) const BARE: Shape = Shape { layout: 0, padding: Padding::None };
}

/// Room for most records.
const USUAL_LEN: usize = 256;

/// Why a record did not open; `WrongKey` is for slots, to everyone else both are one error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    WrongKey,
    Forged,
}

/// Seals a record into `out`, which is emptied first. `columns` adds the authenticated columns, `values` the payload.
pub(crate) fn seal(
    out: &mut Vec<u8>,
    context: &mut Context,
    key: &RecordKey,
    shape: Shape,
    place: &Place<'_>,
    columns: impl FnOnce(&mut Context),
    values: impl FnOnce(&mut Vec<u8>),
) -> Result<()> {
    let nonce = random::nonce().map_err(|_| no_randomness())?;
    let header = record::header(shape.layout, key.id, &nonce);
    out.clear();
    out.reserve(USUAL_LEN);
    out.extend_from_slice(&header);
    values(out);
    payload::pad(out, HEADER_LEN, shape.padding);
    context.begin(&header, place);
    columns(context);
    let (_, body) = out.split_at_mut(HEADER_LEN);
    let (tag, commitment) = key
        .cipher
        .seal_in_place(&nonce, context.finish(), body)
        .map_err(|_| err!(Limit, "a record longer than AES-GCM allows"))?;
    out.extend_from_slice(&tag);
    out.extend_from_slice(&commitment);
    Ok(())
}

/// Opens a record and appends its payload to `out`; on refusal `out` is as it was.
pub(crate) fn open(
    out: &mut Vec<u8>,
    context: &mut Context,
    key: &RecordKey,
    record: &Record<'_>,
    place: &Place<'_>,
    columns: impl FnOnce(&mut Context),
) -> std::result::Result<(), Refusal> {
    context.begin(record.header, place);
    columns(context);
    let start = out.len();
    out.extend_from_slice(record.ciphertext);
    let (_, body) = out.split_at_mut(start);
    let opened = key.cipher.open_in_place(
        record.nonce,
        context.finish(),
        body,
        record.tag,
        record.commitment,
    );
    opened.map_err(|error| {
        out.truncate(start);
        match error {
            OpenError::WrongKey => Refusal::WrongKey,
            OpenError::Forged | OpenError::TooLong => Refusal::Forged,
        }
    })
}

/// The one error for everything that is not what was written.
pub(crate) fn forged(what: impl std::fmt::Display) -> Error {
    err!(AuthenticationFailed, "{what} is not what was written")
}

pub(crate) fn no_randomness() -> Error {
    err!(Io, "the operating system's random generator failed")
}
