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

    /// As it stands in a row.
    pub(crate) fn stored(value: ValueRef<'_>) -> Option<Self> {
        Some(match value {
            ValueRef::Null => BlindValue::Null,
            ValueRef::Integer(number) => BlindValue::Lookup(number),
            ValueRef::Blob(bytes) => BlindValue::Unique(bytes.try_into().ok()?),
            _ => return None,
        })
    }

    pub(crate) fn as_ref(&self) -> ValueRef<'_> {
        match self {
            BlindValue::Unique(bytes) => ValueRef::Blob(bytes),
            BlindValue::Lookup(number) => ValueRef::Integer(*number),
            BlindValue::Null => ValueRef::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::payload::value;

    #[test]
    fn index_values_are_those_of_the_known_answers() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/record.json")).expect("JSON");
        let hex = |json: &serde_json::Value| {
            base16ct::lower::decode_vec(json.as_str().expect("text")).expect("hexadecimal")
        };
        let small = |json: &serde_json::Value| {
            json.as_u64().and_then(|n| u8::try_from(n).ok()).expect("a byte")
        };
        let known = vectors["blind"].as_array().expect("a list");
        for one in known {
            let mac = MacKey::new(&hex(&one["key"]).try_into().expect("32 bytes"));
            let bits = Some(small(&one["bits"])).filter(|bits| *bits != 128);
            let normaliser =
                Normaliser::from_code(small(&one["normaliser"])).expect("a normaliser");
            let input = hex(&one["input"]);
            let input = value(small(&one["tag"]), &input).expect("a value");
            let found = BlindValue::of(&mac, bits, normaliser, input, &mut String::new());
            let wanted = hex(&one["value"][1]);
            assert!(found.as_ref() == value(small(&one["value"][0]), &wanted).expect("a value"));
        }
        assert_eq!(known.len(), 8);
    }
}
