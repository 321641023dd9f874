//! AES-256-GCM (NIST SP 800-38D) of one message under a key of its own, with a 96-bit nonce and a 128-bit tag.
//!
//! A record is short and has a key of its own, so that what a cipher does once for each key costs as much as the
//! message. Here the hash key, the mask of the tag and the key stream of a short message come from one batch of blocks,
//! and its hash is computed in whole groups of four. Longer messages go through `aes-gcm`.

use aes::Aes256Enc;
use aes::cipher::KeyInit;
use aes::cipher::array::Array;
use aes::cipher::consts::{U4, U12, U32};
use aes_gcm::{AeadInOut, AesGcm};
use polyval::Polyval;
use polyval::hazmat::FieldElement;
use polyval::universal_hash::UniversalHash;

use super::block::{self, Block};
use super::mac::ct_eq;

/// The tag does not match, or the message is longer than AES-GCM allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

/// `aes-gcm` without the decryption half of the AES key schedule, which GCM never uses.
pub(super) type LongCipher = AesGcm<Aes256Enc, U12>;

/// Encrypts `text` in place and returns the tag.
pub(super) fn seal(
    key: &Array<u8, U32>,
    nonce: &Array<u8, U12>,
    associated: &[u8],
    text: &mut [u8],
) -> Result<Block, Refused> {
    let Some(short) = Short::new(key, nonce, associated.len(), text.len()) else {
        let cipher = LongCipher::new(key);
        return cipher.encrypt_inout_detached(nonce, associated, text.into()).map_err(|_| Refused);
    };
    short.apply(text);
    Ok(short.tag(associated, text))
}

/// Decrypts `text` in place if the tag is the right one, compared in constant time before anything is decrypted.
pub(super) fn open(
    key: &Array<u8, U32>,
    nonce: &Array<u8, U12>,
    associated: &[u8],
    text: &mut [u8],
    tag: &[u8; 16],
) -> Result<(), Refused> {
    let Some(short) = Short::new(key, nonce, associated.len(), text.len()) else {
        let cipher = LongCipher::new(key);
        let opened = cipher.decrypt_inout_detached(nonce, associated, text.into(), tag.into());
        return opened.map_err(|_| Refused);
    };
    if !ct_eq(&short.tag(associated, text), tag) {
        return Err(Refused);
    }
    short.apply(text);
    Ok(())
}

/// What the key and the nonce give for a short message. Not overwritten, as the key is not: it is for one message only.
struct Short {
    /// The hash key H, the mask of the tag, and the key stream.
    stream: [Block; STREAM_BLOCKS],
}

impl Short {
    /// `None` where the message is not short.
    #[inline]
    fn new(
        key: &Array<u8, U32>,
        nonce: &Array<u8, U12>,
        associated_len: usize,
        text_len: usize,
    ) -> Option<Self> {
        let text_blocks = text_len.div_ceil(BLOCK_LEN);
        if text_blocks + 2 > STREAM_BLOCKS
            || associated_len.div_ceil(BLOCK_LEN) + text_blocks + 1 > HASHED_BLOCKS
        {
            return None;
        }
        // H is the encrypted zero block; the mask is the key stream's block of counter 1.
        let mut stream = [Block::default(); STREAM_BLOCKS];
        for (block, counter) in stream.iter_mut().skip(1).zip(1_u32..) {
            *block = nonce.concat(Array::<u8, U4>::from(counter.to_be_bytes()));
        }
        let aes = Aes256Enc::new(key);
        let (batches, _) = stream.as_chunks_mut::<BATCH>();
        for batch in batches.iter_mut().take((text_blocks + 2).div_ceil(BATCH)) {
            block::encrypt(&aes, batch);
        }
        Some(Short { stream })
    }

    /// Adds the key stream.
    #[inline]
    fn apply(&self, text: &mut [u8]) {
        let mut stream = self.stream.iter().skip(2);
        let (whole, rest) = text.as_chunks_mut::<BLOCK_LEN>();
        for (block, key) in whole.iter_mut().zip(&mut stream) {
            *block =
                (u128::from_ne_bytes(*block) ^ u128::from_ne_bytes((*key).into())).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(stream.flatten()) {
            *byte ^= key;
        }
    }

    /// GHASH of both and their lengths, under the mask.
    ///
    /// GHASH is POLYVAL over reversed blocks and with H times x (RFC 8452, appendix A). Zero blocks before the first
    /// change nothing: they make the number of blocks a multiple of [`GROUP`], which are multiplied side by side.
    #[inline]
    fn tag(&self, associated: &[u8], text: &[u8]) -> Block {
        let [h, mask, ..] = self.stream;
        let count = associated.len().div_ceil(BLOCK_LEN) + text.len().div_ceil(BLOCK_LEN) + 1;
        let padded = count.next_multiple_of(GROUP);
        let mut hashed = [Block::default(); HASHED_BLOCKS];
        let mut to = hashed.iter_mut().skip(padded - count);
        for part in [associated, text] {
            let (whole, rest) = part.as_chunks::<BLOCK_LEN>();
            for (block, to) in whole.iter().zip(&mut to) {
                *to = reversed(*block);
            }
            if !rest.is_empty()
                && let Some(to) = to.next()
            {
                let mut last = [0; BLOCK_LEN];
                for (to, byte) in last.iter_mut().zip(rest) {
                    *to = *byte;
                }
                *to = reversed(last);
            }
        }
        if let Some(to) = to.next() {
            let bits = |bytes: &[u8]| bytes.len() as u128 * 8;
            *to = (bits(associated) << 64 | bits(text)).to_le_bytes().into();
        }
        let mut hash = Polyval::new(&FieldElement::from(reversed(h.into())).mulx().into());
        let (hashed, _) = hashed.split_at(padded);
        hash.update(hashed);
        let hash: [u8; BLOCK_LEN] = hash.finalize().into();
        (u128::from_le_bytes(hash) ^ u128::from_be_bytes(mask.into())).to_be_bytes().into()
    }
}

#[inline]
fn reversed(block: [u8; BLOCK_LEN]) -> Block {
    u128::from_be_bytes(block).to_le_bytes().into()
}

/// Bytes of a block.
const BLOCK_LEN: usize = 16;
/// Blocks encrypted side by side.
const BATCH: usize = 8;
/// The hash key, the mask and 224 bytes of key stream: what is longer gains nothing here.
const STREAM_BLOCKS: usize = 2 * BATCH;
/// Blocks that POLYVAL multiplies side by side.
const GROUP: usize = 4;
/// Blocks of associated data, text and lengths: a multiple of [`GROUP`].
const HASHED_BLOCKS: usize = 8 * GROUP;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_messages_are_sealed_alike_at_every_length() {
        let (key, nonce) = (Array::from([7; 32]), Array::from([9; 12]));
        let bytes: Vec<u8> = (0..700_u32).map(|at| (at * 31) as u8).collect();
        for associated_len in (0..40).chain([96, 97, 255, 256, 257, 495, 496, 497, 700]) {
            for text_len in (0..40).chain([95, 96, 97, 127, 128, 223, 224, 225, 256, 700]) {
                let (associated, plain) = (&bytes[..associated_len], &bytes[700 - text_len..]);
                let (mut ours, mut theirs) = (plain.to_vec(), plain.to_vec());
                let tag = seal(&key, &nonce, associated, &mut ours).expect("a tag");
                let expected = LongCipher::new(&key)
                    .encrypt_inout_detached(&nonce, associated, theirs.as_mut_slice().into())
                    .expect("a tag");
                assert!(tag == expected && ours == theirs, "{associated_len}, {text_len}");

                let mut wrong: [u8; 16] = tag.into();
                wrong[associated_len % 16] ^= 1;
                assert_eq!(open(&key, &nonce, associated, &mut ours, &wrong), Err(Refused));
                assert_eq!(ours, theirs, "nothing is decrypted under a wrong tag");
                open(&key, &nonce, associated, &mut ours, &tag.into()).expect("it opens");
                assert_eq!(ours, plain);
            }
        }
    }
}
