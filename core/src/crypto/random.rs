//! Random bytes from the operating system, and nonces drawn from it in blocks.
//!
//! There is no generator in the process whose state a fork or a machine snapshot could copy. What
//! could be copied is a block of bytes not yet handed out, so a block lives shortly: see [`nonce`].

use core::cell::RefCell;
use std::time::{Duration, Instant};

use zeroize::optimization_barrier;

use super::xaes::NONCE_LEN;
use crate::fork;

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RandomError;

/// Fills `out` from the operating system's generator.
pub(crate) fn fill(out: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(out).map_err(|_| RandomError)
}

/// A fresh random nonce, from this thread's block.
///
/// Drawing a block saves most of the cost of a system call for each nonce. Its unused rest is
/// dropped in a forked child (the fork generation has changed), once it is 10 ms old, and by
/// [`discard`].
pub(crate) fn nonce() -> Result<[u8; NONCE_LEN], RandomError> {
    let taken = BLOCK.try_with(|block| {
        block.try_borrow_mut().ok().map(|mut b| b.take(fork::generation(), Instant::now()))
    });
    if let Ok(Some(taken)) = taken {
        return taken;
    }
    // The thread is ending and its block is gone.
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    Ok(nonce)
}

/// Drops the unused rest of this thread's block. Called at the end of each transaction: a snapshot
/// of the machine taken between transactions then holds no nonce that two copies would use.
pub(crate) fn discard() {
    // Without a block there is nothing to drop.
    let _ = BLOCK.try_with(|block| block.try_borrow_mut().map(|mut b| b.discard()));
}

thread_local! {
    static BLOCK: RefCell<Block> = const { RefCell::new(Block::EMPTY) };
}

struct Block {
    /// Nonces `next..filled` are unused, all others zero.
    nonces: [[u8; NONCE_LEN]; BLOCK_NONCES],
    next: usize,
    filled: usize,
    /// Nonces to draw at the next filling.
    draw: usize,
    /// The fork generation and the time just before the last filling.
    drawn: Option<(u64, Instant)>,
}

impl Block {
    const EMPTY: Self = Self {
        nonces: [[0; NONCE_LEN]; BLOCK_NONCES],
        next: 0,
        filled: 0,
        draw: FIRST_NONCES,
        drawn: None,
    };

    fn take(&mut self, generation: u64, now: Instant) -> Result<[u8; NONCE_LEN], RandomError> {
        let fresh = self.drawn.is_some_and(|(drawn_generation, at)| {
            drawn_generation == generation && now.saturating_duration_since(at) <= MAX_AGE
        });
        if !fresh {
            self.discard();
        }
        if self.next == self.filled {
            self.draw(generation, now)?;
        }
        let slot = self.nonces.get_mut(self.next).ok_or(RandomError)?;
        self.next += 1;
        Ok(core::mem::take(slot))
    }

    fn draw(&mut self, generation: u64, now: Instant) -> Result<(), RandomError> {
        (self.next, self.filled) = (0, 0);
        let nonces = self.nonces.get_mut(..self.draw).ok_or(RandomError)?;
        fill(nonces.as_flattened_mut())?;
        self.filled = self.draw;
        self.draw = (self.draw * 4).min(BLOCK_NONCES);
        self.drawn = Some((generation, now));
        Ok(())
    }

    fn discard(&mut self) {
        if let Some(unused) = self.nonces.get_mut(self.next..self.filled) {
            unused.fill([0; NONCE_LEN]);
            optimization_barrier(unused);
        }
        (self.next, self.filled, self.draw, self.drawn) = (0, 0, FIRST_NONCES, None);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.discard();
    }
}

/// Nonces in a full block: 4,080 bytes, about 8 us of the operating system's time.
const BLOCK_NONCES: usize = 170;
/// Nonces drawn first. Each further draw takes four times as many, so that a transaction of one
/// row does not pay for a full block.
const FIRST_NONCES: usize = 4;
/// Age at which the rest of a block is dropped.
const MAX_AGE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn unused(block: &Block) -> Vec<[u8; NONCE_LEN]> {
        block.nonces[block.next..block.filled].to_vec()
    }

    fn is_wiped(block: &Block) -> bool {
        block.next == block.filled && block.nonces.iter().all(|nonce| *nonce == [0; NONCE_LEN])
    }

    /// A block with unused nonces in it.
    fn warm(generation: u64, now: Instant) -> Block {
        let mut block = Block::EMPTY;
        block.take(generation, now).unwrap();
        assert!(!unused(&block).is_empty());
        block
    }

    #[test]
    fn nonces_are_distinct_across_blocks_and_threads() {
        let draw = || (0..50_000).map(|_| nonce().unwrap()).collect::<Vec<_>>();
        let other = std::thread::spawn(draw);
        let all: HashSet<_> = draw().into_iter().chain(other.join().unwrap()).collect();
        assert_eq!(all.len(), 100_000);
    }

    #[test]
    fn used_nonce_is_overwritten_in_the_block() {
        let now = Instant::now();
        let mut block = warm(0, now);
        for _ in 0..1_000 {
            let expected = unused(&block).first().copied();
            let taken = block.take(0, now).unwrap();
            assert!(expected.is_none_or(|expected| expected == taken));
            assert!(block.nonces.iter().all(|kept| *kept != taken));
            assert!(block.nonces[..block.next].iter().all(|used| *used == [0; NONCE_LEN]));
        }
    }

    #[test]
    fn a_full_block_is_reached_and_not_passed() {
        let now = Instant::now();
        let mut block = Block::EMPTY;
        let mut sizes = Vec::new();
        for _ in 0..1_000 {
            block.take(0, now).unwrap();
            if block.next == 1 {
                sizes.push(block.filled * NONCE_LEN);
            }
        }
        assert_eq!(sizes, [96, 384, 1_536, 4_080, 4_080, 4_080, 4_080, 4_080, 4_080]);
    }

    #[test]
    fn discarding_drops_and_wipes_the_rest() {
        let mut block = warm(0, Instant::now());
        block.discard();
        assert!(is_wiped(&block));

        nonce().unwrap();
        BLOCK.with_borrow(|block| assert!(!unused(block).is_empty()));
        discard();
        BLOCK.with_borrow(|block| assert!(is_wiped(block)));
    }

    #[test]
    fn a_new_fork_generation_drops_the_rest() {
        let now = Instant::now();
        let mut block = warm(7, now);
        let kept_by_parent = unused(&block);
        for _ in 0..1_000 {
            let taken = block.take(8, now).unwrap();
            assert!(!kept_by_parent.contains(&taken));
        }
        assert_eq!(block.drawn, Some((8, now)));
    }

    #[test]
    fn a_block_older_than_ten_milliseconds_is_dropped() {
        let now = Instant::now();
        let mut block = warm(0, now);
        let first = unused(&block)[0];
        assert_eq!(block.take(0, now + MAX_AGE).unwrap(), first);
        let old = unused(&block);
        let taken = block.take(0, now + MAX_AGE + Duration::from_nanos(1)).unwrap();
        assert!(!old.contains(&taken));
        assert!(old.iter().all(|nonce| !unused(&block).contains(nonce)));
    }

    #[test]
    fn filled_bytes_are_not_constant() {
        let (mut a, mut b) = ([0; 64], [0; 64]);
        fill(&mut a).unwrap();
        fill(&mut b).unwrap();
        assert_ne!(a, b);
        assert_ne!(a, [0; 64]);
    }
}
