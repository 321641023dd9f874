//! Searching files for thousands of values at once.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::Outcome;

/// Values with fewer bytes are not searched for: short ones occur in random bytes by chance.
pub(super) const MIN_LEN: usize = 8;
/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// Bits of the filter that tells most positions from a beginning: 128 KiB of it.
const FILTER_BITS: u32 = 20;

/// Distinct values, found by their first eight bytes.
pub(super) struct Needles {
    /// Every value, with its number.
    values: HashMap<Box<[u8]>, usize>,
    /// For each beginning the lengths of the values that begin so.
    heads: HashMap<u64, Vec<usize>>,
    filter: Vec<u64>,
    longest: usize,
}

/// What a search has found.
pub(super) struct Found {
    /// Bytes searched.
    pub(super) bytes: u64,
    /// How many of the distinct values occur.
    pub(super) values: usize,
}

impl Needles {
    /// Of those values, without the short ones and without repetitions.
    pub(super) fn new<T: AsRef<[u8]>>(values: impl IntoIterator<Item = T>) -> Self {
        let mut needles = Needles {
            values: HashMap::new(),
            heads: HashMap::new(),
            filter: vec![0; 1 << (FILTER_BITS - 6)],
            longest: MIN_LEN,
        };
        for value in values {
            needles.add(value.as_ref());
        }
        needles
    }

    /// How many distinct values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Searches files, one after the other.
    pub(super) fn search<P: AsRef<Path>>(&self, files: &[P]) -> Outcome<Found> {
        let mut seen = vec![false; self.values.len()];
        let mut bytes = 0;
        for file in files {
            bytes += self.search_in(&mut File::open(file)?, CHUNK, &mut seen)?;
        }
        Ok(Found { bytes, values: seen.iter().filter(|seen| **seen).count() })
    }

    fn add(&mut self, value: &[u8]) {
        let Some(head) = value.first_chunk::<MIN_LEN>() else { return };
        if self.values.contains_key(value) {
            return;
        }
        let head = u64::from_be_bytes(*head);
        self.values.insert(value.into(), self.values.len());
        self.longest = self.longest.max(value.len());
        let lengths = self.heads.entry(head).or_default();
        if !lengths.contains(&value.len()) {
            lengths.push(value.len());
        }
        let (word, bit) = filter_place(head);
        if let Some(word) = self.filter.get_mut(word) {
            *word |= bit;
        }
    }

    /// Searches what the reader gives in chunks, keeping so much of the last that no value is cut; the bytes read.
    fn search_in(&self, from: &mut impl Read, chunk: usize, seen: &mut [bool]) -> Outcome<u64> {
        let mut held = Vec::with_capacity(chunk + self.longest);
        let mut bytes = 0;
        loop {
            let read = from.by_ref().take(chunk as u64).read_to_end(&mut held)?;
            bytes += read as u64;
            self.search_bytes(&held, seen);
            if read < chunk {
                return Ok(bytes);
            }
            let cut = held.len().saturating_sub(self.longest - 1);
            held.drain(..cut);
        }
    }

    fn search_bytes(&self, bytes: &[u8], seen: &mut [bool]) {
        let mut head = 0_u64;
        for (end, byte) in bytes.iter().enumerate() {
            head = (head << 8) | u64::from(*byte);
            let Some(start) = (end + 1).checked_sub(MIN_LEN) else { continue };
            let (word, bit) = filter_place(head);
            if self.filter.get(word).is_none_or(|word| word & bit == 0) {
                continue;
            }
            for length in self.heads.get(&head).into_iter().flatten() {
                let value = bytes.get(start..start + length);
                let number = value.and_then(|value| self.values.get(value));
                if let Some(seen) = number.and_then(|number| seen.get_mut(*number)) {
                    *seen = true;
                }
            }
        }
    }
}

/// The word of the filter and the bit in it (Fibonacci hashing).
fn filter_place(head: u64) -> (usize, u64) {
    let hash = head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(needles: &Needles, bytes: &[u8], chunk: usize) -> (usize, u64) {
        let mut seen = vec![false; needles.len()];
        let read = needles.search_in(&mut &*bytes, chunk, &mut seen).unwrap();
        (seen.iter().filter(|seen| **seen).count(), read)
    }

    #[test]
    fn every_value_is_found_wherever_it_stands_and_however_the_chunks_fall() {
        let values = ["ada@example.org", "ada@example.org.uk", "+49 151 08871523", "الأزهر، شقة"];
        let needles = Needles::new(values);
        assert_eq!(needles.len(), 4);
        for value in values {
            for before in [0, 1, 7, 30, 64] {
                let mut bytes = vec![0xff; before];
                bytes.extend_from_slice(value.as_bytes());
                bytes.extend_from_slice(&[0x20; 3]);
                for chunk in [1, 2, 5, 16, 64, 1_000] {
                    let expected = if value == "ada@example.org.uk" { 2 } else { 1 };
                    assert_eq!(found(&needles, &bytes, chunk), (expected, bytes.len() as u64));
                }
            }
        }
    }

    #[test]
    fn nothing_is_found_that_differs_in_a_byte_or_is_cut_short() {
        let value = b"grace@example.net";
        let needles = Needles::new([value]);
        assert_eq!(found(&needles, value, 64).0, 1);
        for at in 0..value.len() {
            let mut altered = *value;
            *altered.get_mut(at).unwrap() ^= 0x20;
            assert_eq!(found(&needles, &altered, 64).0, 0, "{at}");
        }
        assert_eq!(found(&needles, &value[..value.len() - 1], 64).0, 0);
        assert_eq!(found(&needles, &value[1..], 64).0, 0);
        assert_eq!(found(&needles, b"", 64), (0, 0));
    }

    #[test]
    fn values_with_one_beginning_are_told_apart() {
        let values: Vec<String> = (0..2_000).map(|number| format!("+49 151 {number:08}")).collect();
        let needles = Needles::new(&values);
        let every_second: String = values.iter().step_by(2).map(String::as_str).collect();
        assert_eq!(found(&needles, every_second.as_bytes(), 4_096).0, 1_000);
    }

    #[test]
    fn short_and_repeated_values_do_not_count() {
        let needles = Needles::new(["1234567", "12345678", "12345678", ""]);
        assert_eq!(needles.len(), 1);
        assert_eq!(found(&needles, b"x12345678x12345678", 64).0, 1);
    }

    #[test]
    fn files_are_searched_together() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        std::fs::write(&one, "....first value....").unwrap();
        std::fs::write(&two, "second value").unwrap();
        let needles = Needles::new(["first value", "second value", "third value"]);
        let both = needles.search(&[&one, &two]).unwrap();
        assert_eq!((both.values, both.bytes), (2, 31));
        assert_eq!(needles.search(&[&two]).unwrap().values, 1);
        assert!(needles.search(&[folder.path().join("absent")]).is_err());
    }
}
