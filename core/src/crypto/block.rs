//! AES-256 on a few blocks side by side.

use aes::Aes256Enc;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
};

/// A block of AES.
pub(super) type Block = Array<u8, U16>;

/// Encrypts each of the blocks.
///
/// Their number is known when this is compiled, and so what `encrypt_blocks` prepares for runs of up to 64 blocks, at
/// the price of several blocks, is left out where there is no such run.
#[inline]
pub(super) fn encrypt<const N: usize>(aes: &Aes256Enc, blocks: &mut [Block; N]) {
    aes.encrypt_with_backend(Few(blocks));
}

struct Few<'b, const N: usize>(&'b mut [Block; N]);

impl<const N: usize> BlockSizeUser for Few<'_, N> {
    type BlockSize = U16;
}

impl<const N: usize> BlockCipherEncClosure for Few<'_, N> {
    #[allow(clippy::inline_always)] // into the function that is compiled for the instructions of AES
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let blocks = InOutBuf::from(self.0.as_mut_slice());
        let (groups, rest) = blocks.into_chunks::<B::ParBlocksSize>();
        for group in groups {
            backend.encrypt_par_blocks(group);
        }
        backend.encrypt_tail_blocks(rest);
    }
}

#[cfg(test)]
mod tests {
    use aes::cipher::KeyInit;

    use super::*;

    #[test]
    fn blocks_side_by_side_are_those_encrypted_one_by_one() {
        let aes = Aes256Enc::new(&[7; 32].into());
        let mut together: [Block; 11] = std::array::from_fn(|at| [at as u8; 16].into());
        let mut alone = together;
        encrypt(&aes, &mut together);
        for block in &mut alone {
            aes.encrypt_block(block);
        }
        assert_eq!(together, alone);
    }
}
