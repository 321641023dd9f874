//! The memory of another process, searched for what should not be there.

#![allow(clippy::expect_used, clippy::missing_panics_doc)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of a half of a key, and the least that is searched for: enough that no other memory looks like it.
const PIECE: usize = 16;
/// Bytes read at once. Pieces that lie across two of them are found, since each begins with the end of the last.
const CHUNK: usize = 1 << 20;

/// What is searched for, by name: two bytes tell which needles could begin at a place.
pub struct Needles {
    names: Vec<String>,
    pieces: Vec<(usize, [u8; PIECE])>,
    first: Vec<u64>,
}

/// How often a piece of each needle was found, by the kind of memory (`heap`, `stack`, `other`).
pub type Found = BTreeMap<String, BTreeMap<&'static str, usize>>;

impl Needles {
    /// The first and the last 16 bytes of each secret: a copy of which a part was overwritten is found too.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut needles =
            Needles { names: Vec::new(), pieces: Vec::new(), first: vec![0; 1 << 16] };
        for (name, secret) in secrets {
            let at = needles.names.len();
            needles.names.push(name.to_owned());
            for piece in [secret.first_chunk(), secret.last_chunk()] {
                let piece: [u8; PIECE] = *piece.expect("a secret of 16 bytes or more");
                let bit = 1 << needles.pieces.len();
                if let Some(mask) = needles.first.get_mut(start(&piece)) {
                    *mask |= bit;
                }
                needles.pieces.push((at, piece));
            }
        }
        assert!(needles.pieces.len() <= 64, "more needles than bits");
        needles
    }

    fn nothing(&self) -> Found {
        self.names.iter().map(|name| (name.clone(), BTreeMap::new())).collect()
    }

    fn search(&self, bytes: &[u8], kind: &'static str, found: &mut Found) {
        for window in bytes.windows(PIECE) {
            let mut mask = self.first.get(start(window)).copied().unwrap_or(0);
            while mask != 0 {
                let at = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                if let Some((name, piece)) = self.pieces.get(at)
                    && piece == window
                    && let Some(counts) = self.names.get(*name).and_then(|name| found.get_mut(name))
                {
                    *counts.entry(kind).or_default() += 1;
                }
            }
        }
    }

    /// Searches everything that a process can read and write. It must stand still: in a wait for its standard input.
    pub fn in_process(&self, id: u32) -> Found {
        let mut found = self.nothing();
        let memory = File::open(format!("/proc/{id}/mem")).expect("a child's memory can be read");
        let maps = File::open(format!("/proc/{id}/maps")).expect("its maps");
        let mut searched = 0;
        for line in BufReader::new(maps).lines() {
            let line = line.expect("text");
            let mut words = line.split_ascii_whitespace();
            let (range, rights) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let Some((from, to)) = range.split_once('-') else { continue };
            let address = |text| u64::from_str_radix(text, 16).expect("an address");
            let (from, to) = (address(from), address(to));
            if !rights.starts_with("rw") {
                continue;
            }
            let kind = match words.nth(3) {
                Some("[heap]") => "heap",
                Some("[stack]") => "stack",
                _ => "other",
            };
            searched += self.search_from(to - from, kind, &mut found, |buffer, at| {
                memory.read_at(buffer, from + at)
            });
        }
        assert!(searched > 1 << 16, "only {searched} bytes were read");
        found
    }

    /// Searches a file: a core dump.
    pub fn in_file(&self, path: &Path) -> Found {
        let mut found = self.nothing();
        let mut file = File::open(path).expect("a core dump");
        let length = file.metadata().expect("its length").len();
        self.search_from(length, "core", &mut found, |buffer, _| file.read(buffer));
        found
    }

    /// Searches what `read` gives for each place up to `length`; the number of bytes.
    fn search_from(
        &self,
        length: u64,
        kind: &'static str,
        found: &mut Found,
        mut read: impl FnMut(&mut [u8], u64) -> std::io::Result<usize>,
    ) -> u64 {
        let mut buffer = vec![0; CHUNK + PIECE - 1];
        let (mut done, mut kept) = (0, 0);
        while done < length {
            let wanted = usize::try_from(length - done).unwrap_or(CHUNK).min(CHUNK);
            let Some(free) = buffer.get_mut(kept..kept + wanted) else { break };
            // What has no page behind it can't be read, and holds nothing.
            let Ok(count @ 1..) = read(free, done) else { break };
            let end = kept + count;
            self.search(buffer.get(..end).unwrap_or(&[]), kind, found);
            kept = end.min(PIECE - 1);
            buffer.copy_within(end - kept..end, 0);
            done += count as u64;
        }
        done
    }
}

/// How many pieces of a needle were found: two for each whole copy.
pub fn pieces(found: &Found, name: &str) -> usize {
    found.get(name).expect("a needle of that name").values().sum()
}

fn start(window: &[u8]) -> usize {
    match window {
        [a, b, ..] => usize::from(*a) << 8 | usize::from(*b),
        _ => 0,
    }
}
