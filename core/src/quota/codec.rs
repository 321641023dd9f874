//! The bytes of what a key has used, as they are sealed in its row.
//!
//! ```text
//! seen | for each window: kind (1 byte) | span | number of entries | for each entry: seen - stamp | count
//! ```
//! Numbers are LEB128; `seen` and `seen - stamp` are signed, in zigzag form. Times and spans are in milliseconds.

use super::limit::Kind;
use super::usage::{Entry, MAX_ENTRIES, MAX_WINDOWS, Usage, Window};

impl Usage {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        put_signed(&mut out, self.seen);
        for window in &self.windows {
            out.push(window.kind as u8);
            put_signed(&mut out, window.span);
            put(&mut out, window.entries.len() as u64);
            for entry in &window.entries {
                put_signed(&mut out, self.seen.wrapping_sub(entry.stamp));
                put(&mut out, u64::from(entry.count));
            }
        }
        out
    }

    /// `None` where the bytes are not what [`Usage::encode`] makes.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let input = &mut bytes;
        let mut usage = Usage::new(take_signed(input)?);
        while let Some((kind, rest)) = input.split_first() {
            *input = rest;
            let kind = [Kind::Sliding, Kind::Fixed].into_iter().find(|k| *k as u8 == *kind)?;
            let span = take_signed(input).filter(|span| *span > 0)?;
            let count = usize::try_from(take(input)?).ok().filter(|n| *n <= MAX_ENTRIES)?;
            let mut entries = Vec::with_capacity(count + 1);
            for _ in 0..count {
                let stamp = usage.seen.wrapping_sub(take_signed(input)?);
                entries.push(Entry { stamp, count: u32::try_from(take(input)?).ok()? });
            }
            if usage.windows.len() == MAX_WINDOWS {
                return None;
            }
            usage.windows.push(Window { kind, span, entries });
        }
        Some(usage)
    }
}

/// For fuzzing: what is read is written as what reads the same.
#[cfg(any(test, fuzzing))]
pub(crate) fn reads_back(bytes: &[u8]) {
    let usage = Usage::decode(bytes);
    assert!(usage.is_none_or(|usage| Usage::decode(&usage.encode()) == Some(usage)));
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn take(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take_signed(input: &mut &[u8]) -> Option<i64> {
    let value = take(input)?;
    Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let entry = |stamp, count| Entry { stamp, count };
        let usage = Usage {
            seen: 1_795_000_000_123,
            windows: vec![
                Window { kind: Kind::Sliding, span: 1, entries: vec![entry(i64::MIN, u32::MAX)] },
                Window {
                    kind: Kind::Fixed,
                    span: i64::MAX,
                    entries: vec![entry(1_795_000_000_000, 1), entry(i64::MAX, 0)],
                },
            ],
        };
        assert_eq!(Usage::decode(&usage.encode()), Some(usage));
        for seen in [0, -1, i64::MIN, i64::MAX] {
            let usage = Usage::new(seen);
            assert_eq!(Usage::decode(&usage.encode()), Some(usage));
        }
    }

    #[test]
    fn bytes_cut_short_or_out_of_bounds_are_refused() {
        let window = Window {
            kind: Kind::Sliding,
            span: 60_000,
            entries: vec![Entry { stamp: 5, count: 300 }; 3],
        };
        let good = Usage { seen: 70_000, windows: vec![window] }.encode();
        let whole = good.len();
        for cut in 0..whole {
            // After the time alone, nothing was used.
            let expected = if cut == 3 { Some(Usage::new(70_000)) } else { None };
            assert_eq!(Usage::decode(&good[..cut]), expected, "{cut}");
        }
        assert_eq!(Usage::decode(&[0xff; 11]), None);
        assert_eq!(Usage::decode(&[2, 9, 2, 0]), None, "no such kind");
        assert_eq!(Usage::decode(&[2, 1, 2, 33]), None, "too many entries");
    }
}
