//! The sealed record, version 1: header, ciphertext, tag, key commitment. 79 bytes beside the ciphertext.

use super::Malformed;
use super::bytes::Reader;

/// The first byte of a record: KC-XAES-256-GCM.
pub(crate) const VERSION: u8 = 0x01;
/// Version, layout, key id and nonce: all of it is associated data.
pub(crate) const HEADER_LEN: usize = 31;
/// Tag and commitment.
pub(crate) const TRAILER_LEN: usize = 48;

/// A record taken apart; nothing is authenticated yet.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) header: &'a [u8; HEADER_LEN],
    pub(crate) layout: u16,
    pub(crate) key_id: u32,
    pub(crate) nonce: &'a [u8; 24],
    pub(crate) ciphertext: &'a [u8],
    pub(crate) tag: &'a [u8; 16],
    pub(crate) commitment: &'a [u8; 32],
}

impl<'a> Record<'a> {
    /// Takes a record apart. Refuses another version and anything shorter than 79 bytes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>().ok_or(Malformed)?;
        let (ciphertext, trailer) = rest.split_last_chunk::<TRAILER_LEN>().ok_or(Malformed)?;
        let mut head = Reader::new(header);
        if head.u8()? != VERSION {
            return Err(Malformed);
        }
        let (layout, key_id, nonce) = (head.u16()?, head.u32()?, head.array::<24>()?);
        let mut tail = Reader::new(trailer);
        let (tag, commitment) = (tail.array::<16>()?, tail.array::<32>()?);
        Ok(Record { header, layout, key_id, nonce, ciphertext, tag, commitment })
    }
}

/// The header of a new record.
pub(crate) fn header(layout: u16, key_id: u32, nonce: &[u8; 24]) -> [u8; HEADER_LEN] {
    let mut out = [0; HEADER_LEN];
    let (version, rest) = out.split_at_mut(1);
    let (layout_bytes, rest) = rest.split_at_mut(2);
    let (key_bytes, nonce_bytes) = rest.split_at_mut(4);
    version.fill(VERSION);
    layout_bytes.copy_from_slice(&layout.to_be_bytes());
    key_bytes.copy_from_slice(&key_id.to_be_bytes());
    nonce_bytes.copy_from_slice(nonce);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERHEAD: usize = HEADER_LEN + TRAILER_LEN;

    #[test]
    fn what_is_not_a_record_is_refused() {
        for length in 0..OVERHEAD {
            assert!(Record::parse(&vec![VERSION; length]).is_err());
        }
        assert!(Record::parse(&[0u8; OVERHEAD]).is_err());
        assert!(Record::parse(&[2u8; 200]).is_err());
    }

    #[test]
    fn a_header_reads_back() {
        let nonce: [u8; 24] = std::array::from_fn(|i| i as u8);
        let mut bytes = header(0x0102, 0x0304_0506, &nonce).to_vec();
        bytes.extend([7; 5 + TRAILER_LEN]);
        let record = Record::parse(&bytes).expect("well formed");
        assert_eq!((record.layout, record.key_id), (0x0102, 0x0304_0506));
        assert_eq!((record.nonce, record.ciphertext.len()), (&nonce, 5));
    }
}
