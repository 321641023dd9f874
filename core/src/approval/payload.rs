//! The hash of a payload: SHA-256 (FIPS 180-4) of its canonical JSON (RFC 8785).
//!
//! RFC 8785 works on I-JSON (RFC 7493). What I-JSON leaves out is refused, since two readers could take it for different
//! payloads of one hash: an object with the same name twice, and numbers beyond 2^53, which not every reader keeps.

use crate::crypto::mac::sha256;
use crate::error::{Result, fail};
use crate::format::canonical::canonical;
use crate::format::json::Meaning;

/// The longest payload, in bytes of JSON text: 1 MiB.
const MAX_PAYLOAD: usize = 1 << 20;

pub(crate) fn payload_hash(json: &str) -> Result<[u8; 32]> {
    if json.len() > MAX_PAYLOAD {
        fail!(Limit, "a payload has at most {MAX_PAYLOAD} bytes");
    }
    let Some(canonical) = canonical(json, Meaning::Safe) else {
        fail!(
            InvalidInput,
            "the payload is not JSON text, or has a name twice in one object, or a number beyond 2^53: give such \
             numbers as text"
        );
    };
    Ok(sha256(&[canonical.as_bytes()]))
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
