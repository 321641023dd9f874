//! The hash of a payload: SHA-256 (FIPS 180-4) of its canonical JSON (RFC 8785).
//!
//! RFC 8785 works on I-JSON (RFC 7493). What I-JSON leaves out is refused, since two readers could take it for different
//! payloads of one hash: an object with the same name twice, and numbers beyond 2^53, which not every reader keeps.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::audit::canonical_json;
use crate::crypto::mac::sha256;
use crate::error::{Result, fail};

/// The longest payload, in bytes of JSON text: 1 MiB.
const MAX_PAYLOAD: usize = 1 << 20;
/// The greatest integer that a double holds together with its neighbours (RFC 7493, section 2.2).
const MAX_EXACT: u64 = (1 << 53) - 1;

pub(crate) fn payload_hash(json: &str) -> Result<[u8; 32]> {
    if json.len() > MAX_PAYLOAD {
        fail!(Limit, "a payload has at most {MAX_PAYLOAD} bytes");
    }
    if serde_json::from_str::<Unambiguous>(json).is_err() {
        fail!(
            InvalidInput,
            "the payload is not JSON text, or has a name twice in one object, or a number beyond 2^53: give such \
             numbers as text"
        );
    }
    Ok(sha256(&[canonical_json(json)?.as_bytes()]))
}

/// JSON that every reader takes for the same.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        input.deserialize_any(Check)
    }
}

struct Check;

fn within<E: Error>(magnitude: u64) -> std::result::Result<Unambiguous, E> {
    if magnitude <= MAX_EXACT { Ok(Unambiguous) } else { Err(E::custom("number")) }
}

impl<'de> Visitor<'de> for Check {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("I-JSON")
    }

    fn visit_unit<E: Error>(self) -> std::result::Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_bool<E: Error>(self, _: bool) -> std::result::Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E: Error>(self, _: &str) -> std::result::Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E: Error>(self, value: i64) -> std::result::Result<Unambiguous, E> {
        within(value.unsigned_abs())
    }

    fn visit_u64<E: Error>(self, value: u64) -> std::result::Result<Unambiguous, E> {
        within(value)
    }

    /// An integer of more than 64 bits is read as a double, too.
    fn visit_f64<E: Error>(self, value: f64) -> std::result::Result<Unambiguous, E> {
        if value.abs() < 2f64.powi(53) { Ok(Unambiguous) } else { Err(E::custom("number")) }
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut items: A,
    ) -> std::result::Result<Unambiguous, A::Error> {
        while items.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut members: A,
    ) -> std::result::Result<Unambiguous, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("name"));
            }
            members.next_value::<Unambiguous>()?;
        }
        Ok(Unambiguous)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        payload_hash(a).unwrap() == payload_hash(b).unwrap()
    }

    #[test]
    fn equal_payloads_have_one_hash_to_full_depth() {
        assert!(same(
            r#"{"a":{"y":[1,{"d":1,"c":2}],"x":2},"b":null}"#,
            r#" { "b" : null,
            "a":{"x":2.0,"y":[1e0,{"c":2,"d":1}]}} "#
        ));
        assert!(same(r#""\u00e9\/""#, r#""é/""#));
        assert!(!same(r#"{"a":{"x":1}}"#, r#"{"a":{"x":2}}"#));
        assert!(!same("[1,2]", "[2,1]"));
        assert!(!same(r#""1""#, "1"));
        assert!(!same("9007199254740991", "9007199254740990"));
    }

    #[test]
    fn the_hash_is_that_of_the_canonical_text() {
        let expected = sha256(&[br#"{"a":1,"b":"x"}"#]);
        assert_eq!(payload_hash(r#"{ "b": "x", "a": 1.0 }"#).unwrap(), expected);
    }

    #[test]
    fn payloads_that_readers_take_differently_are_refused() {
        for bad in [
            r#"{"to":"a","to":"b"}"#,
            r#"[{"x":{"a":1,"\u0061":2}}]"#,
            "9007199254740993",
            "-9007199254740993",
            "123456789012345678901234567890",
            "1e300",
            "1e999",
            "NaN",
            "{",
            "",
            "1 2",
        ] {
            assert!(payload_hash(bad).is_err(), "{bad}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(payload_hash(&deep).is_err());
    }
}
