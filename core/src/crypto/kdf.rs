//! HKDF-SHA-256 (RFC 5869).

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::zeroize_stack;

/// Longest output in bytes (RFC 5869, section 2.3).
pub(crate) const MAX_OUTPUT_LEN: usize = 255 * 32;

/// Fills `out` with HKDF-SHA-256 of the input key material `ikm`, under `salt` (an empty salt is
/// RFC 5869's default of 32 zero bytes) and the concatenation of the parts of `info`.
///
/// The parts are joined without separators: the caller makes them injective.
///
/// # Panics
/// If `out` is longer than [`MAX_OUTPUT_LEN`]; every caller asks for one key.
pub(crate) fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) {
    assert!(out.len() <= MAX_OUTPUT_LEN, "HKDF-SHA-256 gives at most 8,160 bytes");
    let expanded = extract_and_expand(ikm, salt, info, out);
    zeroize_stack::<WIPED_STACK>();
    debug_assert!(expanded.is_ok(), "the output length was checked");
}

// Kept out of line, so that the pseudorandom key lies in what `zeroize_stack` overwrites.
#[inline(never)]
fn extract_and_expand(
    ikm: &[u8],
    salt: &[u8],
    info: &[&[u8]],
    out: &mut [u8],
) -> Result<(), hkdf::InvalidLength> {
    Hkdf::<Sha256>::new(Some(salt), ikm).expand_multi_info(info, out)
}

/// Bytes of stack overwritten after a derivation. Best effort: an unoptimised build uses
/// more.
const WIPED_STACK: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::tests::hex;

    #[test]
    fn rfc_5869_appendix_a_test_cases_hold() {
        let okm = |ikm: &[u8], salt: &[u8], info: &[&[u8]], len: usize| {
            let mut out = vec![0; len];
            hkdf_sha256(ikm, salt, info, &mut out);
            out
        };
        let counting = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();

        // A.1; the info is given in two parts.
        assert_eq!(
            okm(
                &[0x0b; 22],
                &counting(0, 0x0c),
                &[&counting(0xf0, 0xf4), &counting(0xf5, 0xf9)],
                42
            ),
            hex(
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            )
        );
        // A.2
        assert_eq!(
            okm(&counting(0, 0x4f), &counting(0x60, 0xaf), &[&counting(0xb0, 0xff)], 82),
            hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
                 59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
                 cc30c58179ec3e87c14c01d5c1f3434f1d87")
        );
        // A.3
        assert_eq!(
            okm(&[0x0b; 22], &[], &[], 42),
            hex(
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
            )
        );
    }

    #[test]
    fn longest_output_is_given() {
        let mut out = vec![0; MAX_OUTPUT_LEN];
        hkdf_sha256(&[1; 32], &[], &[], &mut out);
        assert!(out.rchunks(32).next().is_some_and(|last| last != [0; 32]));
    }

    #[test]
    #[should_panic(expected = "at most 8,160 bytes")]
    fn output_beyond_the_limit_is_refused() {
        hkdf_sha256(&[1; 32], &[], &[], &mut vec![0; MAX_OUTPUT_LEN + 1]);
    }
}
