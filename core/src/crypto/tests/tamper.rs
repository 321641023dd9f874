//! What KC-XAES-256-GCM refuses.

use crate::crypto::xaes::{COMMITMENT_LEN, KEY_LEN, Key, NONCE_LEN, OpenError, TAG_LEN};

const PLAINTEXT: &[u8] = b"ada@example.org, +44 20 7946 0958, 12 St James's Square, London";

/// A sealed message, each part of which a test can alter.
#[derive(Clone)]
struct Sealed {
    nonce: [u8; NONCE_LEN],
    aad: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: [u8; TAG_LEN],
    commitment: [u8; COMMITMENT_LEN],
}

impl Sealed {
    fn new(key: &Key) -> Self {
        let (nonce, aad) = ([0x51; NONCE_LEN], (0..37).collect::<Vec<u8>>());
        let mut ciphertext = PLAINTEXT.to_vec();
        let (tag, commitment) = key.seal_in_place(&nonce, &aad, &mut ciphertext).unwrap();
        Self { nonce, aad, ciphertext, tag, commitment }
    }

    fn open(&self, key: &Key, buf: &mut [u8]) -> Result<(), OpenError> {
        key.open_in_place(&self.nonce, &self.aad, buf, &self.tag, &self.commitment)
    }

    /// Opening fails with `expected` and leaves the ciphertext, nothing else, in the buffer.
    #[track_caller]
    fn assert_refused(&self, key: &Key, expected: OpenError) {
        let mut buf = self.ciphertext.clone();
        assert_eq!(self.open(key, &mut buf), Err(expected));
        assert_eq!(buf, self.ciphertext);
    }
}

fn key() -> Key {
    Key::new(&[0x42; KEY_LEN])
}

#[test]
fn unaltered_message_is_opened() {
    let sealed = Sealed::new(&key());
    let mut buf = sealed.ciphertext.clone();
    assert_ne!(buf, PLAINTEXT);
    assert_eq!(sealed.open(&key(), &mut buf), Ok(()));
    assert_eq!(buf, PLAINTEXT);
}

#[test]
fn every_altered_bit_is_refused() {
    type Part = fn(&mut Sealed) -> &mut [u8];
    let parts: [(Part, OpenError); 5] = [
        (|sealed| &mut sealed.ciphertext, OpenError::Forged),
        (|sealed| &mut sealed.tag, OpenError::Forged),
        (|sealed| &mut sealed.aad, OpenError::Forged),
        (|sealed| &mut sealed.nonce, OpenError::WrongKey),
        (|sealed| &mut sealed.commitment, OpenError::WrongKey),
    ];
    let (key, mut sealed) = (key(), Sealed::new(&key()));
    for (part, expected) in parts {
        for bit in 0..part(&mut sealed).len() * 8 {
            let mut altered = sealed.clone();
            part(&mut altered)[bit / 8] ^= 1 << (bit % 8);
            altered.assert_refused(&key, expected);
        }
    }
}

#[test]
fn moved_boundary_between_associated_data_and_ciphertext_is_refused() {
    let (key, sealed) = (key(), Sealed::new(&key()));

    let mut longer_aad = sealed.clone();
    longer_aad.aad.push(longer_aad.ciphertext.remove(0));
    longer_aad.assert_refused(&key, OpenError::Forged);

    let mut shorter_aad = sealed;
    let last = shorter_aad.aad.pop().unwrap();
    shorter_aad.ciphertext.insert(0, last);
    shorter_aad.assert_refused(&key, OpenError::Forged);
}

#[test]
fn shortened_or_lengthened_parts_are_refused() {
    let (key, sealed) = (key(), Sealed::new(&key()));
    for len in 0..sealed.ciphertext.len() {
        let mut cut = sealed.clone();
        cut.ciphertext.truncate(len);
        cut.assert_refused(&key, OpenError::Forged);
    }
    for len in 0..sealed.aad.len() {
        let mut cut = sealed.clone();
        cut.aad.truncate(len);
        cut.assert_refused(&key, OpenError::Forged);
    }
    for zeros in 1..=32 {
        let mut padded = sealed.clone();
        padded.ciphertext.extend(vec![0; zeros]);
        padded.assert_refused(&key, OpenError::Forged);
        let mut padded = sealed.clone();
        padded.aad.extend(vec![0; zeros]);
        padded.assert_refused(&key, OpenError::Forged);
    }
}

#[test]
fn another_key_is_told_from_damage() {
    let sealed = Sealed::new(&key());
    for bit in 0..KEY_LEN * 8 {
        let mut other = [0x42; KEY_LEN];
        other[bit / 8] ^= 1 << (bit % 8);
        sealed.assert_refused(&Key::new(&other), OpenError::WrongKey);
    }
}

/// The commitment alone decides, whatever the tag: it is looked at first.
#[test]
fn commitment_is_compared_before_the_tag() {
    let mut both = Sealed::new(&key());
    both.tag[0] ^= 1;
    both.commitment[31] ^= 1;
    both.assert_refused(&key(), OpenError::WrongKey);
}

#[test]
fn commitment_depends_on_every_bit_of_the_nonce() {
    let key = key();
    let commit = |nonce: &[u8; NONCE_LEN]| key.seal_in_place(nonce, &[], &mut []).unwrap().1;
    let mut seen = std::collections::HashSet::from([commit(&[0; NONCE_LEN])]);
    for bit in 0..NONCE_LEN * 8 {
        let mut nonce = [0; NONCE_LEN];
        nonce[bit / 8] ^= 1 << (bit % 8);
        let commitment = commit(&nonce);
        assert_ne!(commitment[..16], commitment[16..]);
        assert!(seen.insert(commitment));
    }
}
