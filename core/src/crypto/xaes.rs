//! KC-XAES-256-GCM: authenticated encryption with a 192-bit random nonce and a key commitment.
//!
//! Sources: C2SP XAES-256-GCM (<https://c2sp.org/XAES-256-GCM>) for the message key, NIST SP
//! 800-38D for AES-256-GCM, and Kampanakis, Halevi, Ebeid and Campagna, "Blockcipher-Based Key
//! Commitment for Nonce-Derived Schemes" (IACR ePrint 2025/758) for the commitment. With K the
//! key, N the nonce and K1 the CMAC sub-key of K (NIST SP 800-38B):
//!
//! ```text
//! message key = AES_K((00 01 58 00 || N[0..12]) ^ K1)
//!            || AES_K((00 02 58 00 || N[0..12]) ^ K1)
//! X1          = AES_K("XCMT" || N[0..12])
//! commitment  = AES_K(X1 ^ K1 ^ (N[12..24] || 00 01 00 01))
//!            || AES_K(X1 ^ K1 ^ (N[12..24] || 00 01 00 02))
//! ciphertext, tag = AES-256-GCM(message key, N[12..24], associated data, plaintext)
//! ```

use core::fmt;

use aes::Aes256Enc;
use aes::cipher::KeyInit;
use aes::cipher::array::Array;
use aes::cipher::consts::{U4, U12, U24, U32};
use aes_gcm::{A_MAX, P_MAX};
use zeroize::ZeroizeOnDrop;

use super::block::{self, Block};
use super::gcm;
use super::mac::ct_eq;
use crate::locked::Locked;

/// Key length in bytes.
pub(crate) const KEY_LEN: usize = 32;
/// Nonce length in bytes. Random nonces are safe for 2^80 messages under one key.
pub(crate) const NONCE_LEN: usize = 24;
/// Authentication tag length in bytes.
pub(crate) const TAG_LEN: usize = 16;
/// Key commitment length in bytes.
pub(crate) const COMMITMENT_LEN: usize = 32;

/// A KC-XAES-256-GCM key: the AES-256 key schedule and the CMAC sub-key K1, computed once.
///
/// Both are in memory for keys, and overwritten on drop. Expanding them may leave a copy behind on the stack.
pub(crate) struct Key(Locked<Expanded>);

struct Expanded {
    aes: Aes256Enc,
    k1: u128,
}

/// Why sealing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SealError {
    /// The plaintext is longer than 2^36 - 32 bytes, or the associated data than 2^61 - 1.
    TooLong,
}

/// Why opening failed. The buffer is as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// The commitment is not this key's for this nonce: another key, or an altered nonce or
    /// commitment.
    WrongKey,
    /// The tag does not match: the ciphertext, the tag or the associated data was altered.
    Forged,
    /// The ciphertext is longer than 2^36 - 32 bytes, or the associated data than 2^61 - 1.
    TooLong,
}

impl Key {
    /// Expands `key` and computes K1 (NIST SP 800-38B, section 6.1).
    pub(crate) fn new(key: &[u8; KEY_LEN]) -> Self {
        let aes = Aes256Enc::new(key.into());
        let [l] = encrypt(&aes, [0]);
        // Doubling in GF(2^128), without a branch on the secret bit.
        let k1 = (l << 1) ^ ((l >> 127) * 0x87);
        Self(Locked::new(Expanded { aes, k1 }))
    }

    /// Encrypts `buf` in place and returns the tag and the key commitment.
    ///
    /// The nonce must be random: a nonce used twice under one key gives both plaintexts and the
    /// authentication key away.
    pub(crate) fn seal_in_place(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<([u8; TAG_LEN], [u8; COMMITMENT_LEN]), SealError> {
        if !fits(buf.len(), aad.len()) {
            return Err(SealError::TooLong);
        }
        let derived = self.derive(nonce);
        let tag = gcm::seal(&derived.key, &derived.nonce, aad, buf)
            .map_err(|gcm::Refused| SealError::TooLong)?;
        Ok((tag.into(), derived.commitment))
    }

    /// Decrypts `buf` in place, if the commitment and then the tag are the right ones.
    ///
    /// Both are compared in constant time, and both before anything is decrypted.
    pub(crate) fn open_in_place(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buf: &mut [u8],
        tag: &[u8; TAG_LEN],
        commitment: &[u8; COMMITMENT_LEN],
    ) -> Result<(), OpenError> {
        if !fits(buf.len(), aad.len()) {
            return Err(OpenError::TooLong);
        }
        let derived = self.derive(nonce);
        if !ct_eq(&derived.commitment, commitment) {
            return Err(OpenError::WrongKey);
        }
        gcm::open(&derived.key, &derived.nonce, aad, buf, tag)
            .map_err(|gcm::Refused| OpenError::Forged)
    }

    /// The message key, its GCM nonce and the commitment: five block calls, three and then two
    /// side by side.
    #[inline]
    fn derive(&self, nonce: &[u8; NONCE_LEN]) -> Derived {
        let Expanded { aes, k1 } = &*self.0;
        let (context, gcm_nonce) = <&Array<u8, U24>>::from(nonce).split_ref::<U12>();
        let labelled = |label| u128::from_be_bytes(Word::from(label).concat(*context).into());
        let [left, right, x1] = encrypt(
            aes,
            [labelled(KDF_LABEL_1) ^ k1, labelled(KDF_LABEL_2) ^ k1, labelled(*b"XCMT")],
        );

        let counted = |counter| u128::from_be_bytes(gcm_nonce.concat(Word::from(counter)).into());
        let base = x1 ^ k1;
        let [kc_1, kc_2] =
            encrypt(aes, [base ^ counted([0, 1, 0, 1]), base ^ counted([0, 1, 0, 2])]);

        Derived { key: join(left, right), nonce: *gcm_nonce, commitment: join(kc_1, kc_2).into() }
    }
}

impl ZeroizeOnDrop for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// What one nonce gives under a key.
///
/// Not overwritten: that takes 35 ns a message for the AES schedule alone, and the message key opens
/// one record only.
struct Derived {
    key: Array<u8, U32>,
    nonce: Array<u8, U12>,
    commitment: [u8; COMMITMENT_LEN],
}

type Word = Array<u8, U4>;

#[inline]
fn encrypt<const N: usize>(aes: &Aes256Enc, blocks: [u128; N]) -> [u128; N] {
    let mut blocks = blocks.map(|block| Block::from(block.to_be_bytes()));
    block::encrypt(aes, &mut blocks);
    blocks.map(|block| u128::from_be_bytes(block.into()))
}

#[inline]
fn join(left: u128, right: u128) -> Array<u8, U32> {
    Block::from(left.to_be_bytes()).concat(Block::from(right.to_be_bytes()))
}

fn fits(text_len: usize, aad_len: usize) -> bool {
    text_len as u64 <= P_MAX && aad_len as u64 <= A_MAX
}

/// Counter i = 1, the label `X` and the separating zero of the NIST SP 800-108r1 counter-mode KDF.
const KDF_LABEL_1: [u8; 4] = [0, 1, b'X', 0];
/// As [`KDF_LABEL_1`], for i = 2.
const KDF_LABEL_2: [u8; 4] = [0, 2, b'X', 0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_key() {
        assert_eq!(format!("{:?}", Key::new(&[7; KEY_LEN])), "Key { .. }");
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn lengths_beyond_the_limits_of_gcm_are_refused() {
        assert!(fits((1 << 36) - 32, (1 << 61) - 1));
        assert!(!fits((1 << 36) - 31, 0));
        assert!(!fits(0, 1 << 61));
    }
}
