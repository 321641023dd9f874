//! The inputs of `corpus/`, as ordinary tests replay them on a stable compiler: as they are, cut anywhere, and changed at
//! random. The changes are the same each time.

#![allow(dead_code, clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// Inputs made from those of one target; a hundred times as many for `SEALITE_TEST_FULL=1`.
const ROUNDS: usize = 3_000;
/// The longest input that is made: enough for every parser to come to its end.
const MAX_LEN: usize = 4_096;

/// What is to hold of a target's inputs. There are at least so many that are kept.
pub(crate) fn replay(target: &str, holds: fn(&[u8]), at_least: usize) {
    let kept = inputs(target, at_least);
    for input in &kept {
        for end in 0..=input.len() {
            checked(target, holds, &input[..end]);
        }
    }
    changed(target, holds, &kept, ROUNDS);
}

/// As [`replay`], for what takes longer: nothing is cut, and so many inputs are made.
pub(crate) fn replay_slowly(target: &str, holds: fn(&[u8]), at_least: usize, rounds: usize) {
    let kept = inputs(target, at_least);
    for input in &kept {
        checked(target, holds, input);
    }
    changed(target, holds, &kept, rounds);
}

/// One kept input.
pub(crate) fn input(target: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder(target).join(name)).unwrap()
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

/// In the order of their names.
pub(crate) fn inputs(target: &str, at_least: usize) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder(target)).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= at_least, "{} inputs of {target}", paths.len());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn changed(target: &str, holds: fn(&[u8]), kept: &[Vec<u8>], rounds: usize) {
    let full = std::env::var("SEALITE_TEST_FULL").is_ok_and(|full| full == "1");
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ target.len() as u64);
    for _ in 0..if full { rounds * 100 } else { rounds } {
        let mut input = kept[random.below(kept.len())].clone();
        for _ in 0..=random.below(4) {
            change(&mut input, kept, &mut random);
        }
        input.truncate(MAX_LEN);
        checked(target, holds, &input);
    }
}

/// One change of the kinds that fuzzers make.
fn change(input: &mut Vec<u8>, kept: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let end = (at + 1 + random.below(8)).min(input.len());
    match random.below(7) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = AWKWARD[random.below(AWKWARD.len())],
        2 => drop(input.drain(at..end)),
        3 => input.insert(at, AWKWARD[random.below(AWKWARD.len())]),
        4 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        5 => input.insert(at, random.below(256) as u8),
        _ => {
            let other = &kept[random.below(kept.len())];
            let from = random.below(other.len() + 1);
            let length = random.below(other.len() - from + 1).min(64);
            input.splice(at..end, other[from..from + length].iter().copied());
        }
    }
}

/// Says what the input was where it does not hold.
fn checked(target: &str, holds: fn(&[u8]), input: &[u8]) {
    let _shown = Shown { target, input };
    holds(input);
}

struct Shown<'a> {
    target: &'a str,
    input: &'a [u8],
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let input: Vec<String> = self.input.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("an input of {}: {}", self.target, input.concat());
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

/// Bytes that end, begin or escape something somewhere.
const AWKWARD: &[u8] = b"\0\x01\x7f\x80\xff \n\r\"'`\\/.,:;=-+*()[]{}$#%&?@0129aAzZ";
