//! The heavier tests of the cryptographic primitives.

mod tamper;
mod vectors;
mod wycheproof;

/// The bytes of a hexadecimal text.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "an odd number of digits");
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hexadecimal digit") as u8;
    pairs.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}
