//! The value of a blind index: HMAC-SHA-256 over the type tag and the normalised value, truncated.

use crate::crypto::mac::MacKey;
use crate::format::context::with_bytes;
use crate::index::normalise::Normaliser;
use crate::value::ValueRef;

/// The bytes that a unique index keeps.
const UNIQUE_LEN: usize = 16;

/// A truncated MAC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlindValue {
    /// 128 bits, of a unique index.
    Unique([u8; UNIQUE_LEN]),
    /// The first bits, as an integer.
    Lookup(i64),
    /// NULL has no index value.
    Null,
}

impl BlindValue {
    pub(crate) fn of(
        mac: &MacKey,
        bits: Option<u8>,
        normaliser: Normaliser,
        value: ValueRef<'_>,
        scratch: &mut String,
    ) -> Self {
        let normal = match value {
            ValueRef::Null => return BlindValue::Null,
            ValueRef::Text(text) => ValueRef::Text(normaliser.normalise(text, scratch)),
            other => other,
        };
        let digest = with_bytes(normal, |tag, bytes| mac.mac(&[&[tag], bytes]));
        match (bits, digest.first_chunk::<UNIQUE_LEN>(), digest.first_chunk::<8>()) {
            (None, Some(head), _) => BlindValue::Unique(*head),
            (Some(bits), _, Some(head)) => {
                let shift = 64u32.saturating_sub(u32::from(bits.clamp(1, 56)));
                BlindValue::Lookup(i64::from_be_bytes(
                    (u64::from_be_bytes(*head) >> shift).to_be_bytes(),
                ))
            }
            _ => BlindValue::Null,
        }
    }

    pub(crate) fn as_ref(&self) -> ValueRef<'_> {
        match self {
            BlindValue::Unique(bytes) => ValueRef::Blob(bytes),
            BlindValue::Lookup(number) => ValueRef::Integer(*number),
            BlindValue::Null => ValueRef::Null,
        }
    }
}
