//! Canonical JSON against the answers that RFC 8785 gives.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use sealite::{ErrorKind, canonical_json};
use sealite_tests::bits::hex;
use serde_json::Value as Json;

fn answers() -> Json {
    serde_json::from_str(include_str!("../vectors/rfc8785.json")).unwrap()
}

#[test]
fn the_texts_of_rfc_8785_have_its_bytes() {
    let answers = answers();
    let texts = answers["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 2);
    for text in texts {
        let canonical = canonical_json(text["input"].as_str().unwrap()).unwrap();
        assert_eq!(hex(canonical.as_bytes()), text["canonical_utf8_hex"], "{}", text["source"]);
        // It is its own canonical form.
        assert_eq!(canonical_json(&canonical).unwrap(), canonical);
    }
}

#[test]
fn the_numbers_of_rfc_8785_have_its_digits() {
    let answers = answers();
    let numbers = answers["numbers"].as_object().unwrap();
    assert_eq!(numbers.len(), 24);
    for (bits, digits) in numbers {
        let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        let digits = digits.as_str().unwrap();
        assert_eq!(canonical_json(&format!("{number:e}")).unwrap(), digits, "{bits}");
        assert_eq!(canonical_json(digits).unwrap(), digits);
        let within = format!("{{\"a\" : [{number:.400e}]}}");
        assert_eq!(canonical_json(&within).unwrap(), format!("{{\"a\":[{digits}]}}"));
    }
}

#[test]
fn what_has_no_one_meaning_is_refused() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for text in [
        "",
        "{",
        "1 2",
        "NaN",
        "Infinity",
        "1e999",
        "'a'",
        "{\"a\":1,}",
        "\"\\ud800\"",
        "{\"a\":1,\"a\":1}",
        "[{\"x\":{\"a\":1,\"\\u0061\":2}}]",
        "9007199254740993",
        "[-9007199254740993]",
        "18446744073709551615",
        &deep,
    ] {
        assert_eq!(canonical_json(text).unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
    }
}

#[test]
fn integers_that_a_double_holds_are_taken() {
    for (text, canonical) in [
        ("0", "0"),
        ("-0", "0"),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740994", "9007199254740994"),
        ("9223372036854775808", "9223372036854776000"),
        ("-9223372036854775808", "-9223372036854776000"),
        ("18446744073709549568", "18446744073709550000"),
    ] {
        assert_eq!(canonical_json(text).unwrap(), canonical);
        // Who gets the canonical form comes to the same.
        assert_eq!(canonical_json(canonical).unwrap(), canonical);
    }
}
