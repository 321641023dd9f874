//! HMAC-SHA-256 (RFC 2104, FIPS 198-1), SHA-256 (FIPS 180-4) and comparison in constant time.

use core::fmt;

use hmac::digest::block_api::Block;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::locked::Locked;

/// Length in bytes of an HMAC-SHA-256 key, of its output and of a SHA-256 digest.
pub(crate) const MAC_LEN: usize = 32;

/// An HMAC-SHA-256 key, as the two SHA-256 states that follow its inner and outer block.
///
/// In memory for keys, and overwritten on drop. The states of a message in progress are not overwritten.
pub(crate) struct MacKey {
    state: Locked<Hmac<Sha256>>,
}

impl MacKey {
    /// Computes both states.
    pub(crate) fn new(key: &[u8; MAC_LEN]) -> Self {
        // A key shorter than the 64-byte block is padded with zeros (RFC 2104, section 2).
        let mut block = Block::<Sha256>::default();
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let state = Hmac::new(&block);
        block.as_mut_slice().zeroize();
        Self { state: Locked::new(state) }
    }

    /// HMAC-SHA-256 of the concatenation of `parts`.
    ///
    /// The parts are joined without separators: the caller makes them injective.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; MAC_LEN] {
        let mut state = Hmac::clone(&self.state);
        for part in parts {
            Mac::update(&mut state, part);
        }
        state.finalize().into_bytes().into()
    }
}

impl ZeroizeOnDrop for MacKey {}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacKey").finish_non_exhaustive()
    }
}

/// Whether `a` and `b` are equal, in time that depends on their lengths only.
#[inline]
pub(crate) fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    // One guarded comparison of the gathered difference: 2 ns where a guard for each of 32 bytes
    // costs 35.
    let difference = a.iter().zip(b).fold(0, |bits, (a, b)| bits | (a ^ b));
    a.len() == b.len() && difference.ct_eq(&0).into()
}

/// SHA-256 of the concatenation of `parts`.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; MAC_LEN] {
    let mut hash = Sha256::new();
    for part in parts {
        Digest::update(&mut hash, part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::tests::hex;

    #[test]
    fn mac_depends_only_on_the_concatenation_of_the_parts() {
        let key = MacKey::new(&[3; MAC_LEN]);
        let message: Vec<u8> = (0..200).collect();
        let whole = key.mac(&[&message]);
        for cut in 0..message.len() {
            let (left, right) = message.split_at(cut);
            assert_eq!(key.mac(&[left, &[], right]), whole);
            assert_eq!(sha256(&[left, &[], right]), sha256(&[&message]));
        }
        assert_ne!(MacKey::new(&[4; MAC_LEN]).mac(&[&message]), whole);
    }

    #[test]
    fn fips_180_4_example_digest_holds() {
        assert_eq!(
            sha256(&[b"a", b"bc"]).as_slice(),
            hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }

    #[test]
    fn any_differing_bit_or_length_is_unequal() {
        let a: Vec<u8> = (0..67).collect();
        for len in 0..a.len() {
            let (a, longer) = (&a[..len], &a[..=len]);
            assert!(ct_eq(a, a));
            assert!(!ct_eq(a, longer));
            assert!(!ct_eq(longer, a));
            for bit in 0..len * 8 {
                let mut b = a.to_vec();
                b[bit / 8] ^= 1 << (bit % 8);
                assert!(!ct_eq(a, &b));
            }
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        assert_eq!(format!("{:?}", MacKey::new(&[7; MAC_LEN])), "MacKey { .. }");
    }
}
