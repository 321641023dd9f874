//! Known answers of KC-XAES-256-GCM.

use shake::Shake128;
use shake::digest::{ExtendableOutput, Update, XofReader};

use super::hex;
use crate::crypto::mac::sha256;
use crate::crypto::xaes::{COMMITMENT_LEN, KEY_LEN, Key, NONCE_LEN, TAG_LEN};

/// Seals, opens again, and returns ciphertext, tag and commitment.
fn seal_and_open(
    key: &Key,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    plaintext: &[u8],
) -> (Vec<u8>, [u8; TAG_LEN], [u8; COMMITMENT_LEN]) {
    let mut buf = plaintext.to_vec();
    let (tag, commitment) = key.seal_in_place(nonce, aad, &mut buf).unwrap();
    let ciphertext = buf.clone();
    key.open_in_place(nonce, aad, &mut buf, &tag, &commitment).unwrap();
    assert_eq!(buf, plaintext);
    (ciphertext, tag, commitment)
}

/// C2SP XAES-256-GCM.md, "Test vectors", with the commitments of ePrint 2025/758. In the first the
/// most significant bit of L is 0, in the second 1.
#[test]
fn c2sp_vectors_and_their_commitments_hold() {
    for (byte, aad, ciphertext, commitment) in [
        (
            0x01,
            "",
            "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
            "04076b6085eebab138855fe57811c04112eff989d44120dfff662d5475a383c3",
        ),
        (
            0x03,
            "c2sp.org/XAES-256-GCM",
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
            "5553cd21d1592b422e3129632a3187eee8a658cdca5c5b32ce86308dcc18e9d1",
        ),
    ] {
        let sealed = seal_and_open(
            &Key::new(&[byte; KEY_LEN]),
            b"ABCDEFGHIJKLMNOPQRSTUVWX",
            aad.as_bytes(),
            b"XAES-256-GCM",
        );
        assert_eq!([sealed.0.as_slice(), sealed.1.as_slice()].concat(), hex(ciphertext));
        assert_eq!(sealed.2.as_slice(), hex(commitment));
    }
}

/// Computed with OpenSSL's AES and AES-GCM. Longer than any block of key stream or of GHASH that
/// an implementation works on at a time.
#[test]
fn long_message_agrees_with_another_implementation() {
    let key: [u8; KEY_LEN] = core::array::from_fn(|i| i as u8);
    let nonce: [u8; NONCE_LEN] = core::array::from_fn(|i| 100 + i as u8);
    let plaintext: Vec<u8> = (0..100_003_u32).map(|i| (i * 7 + i / 256) as u8).collect();
    let aad: Vec<u8> = (0..5_001_u32).map(|i| (i * 3) as u8).collect();
    let (ciphertext, tag, commitment) = seal_and_open(&Key::new(&key), &nonce, &aad, &plaintext);
    assert_eq!(
        sha256(&[&ciphertext, &tag, &commitment]).as_slice(),
        hex("b6ad2378e6c2919c8257e259c44e5aaaf3f2f2a6ba3f7b9a46bd9746dc329044")
    );
}

#[test]
fn every_length_around_the_block_boundaries_round_trips() {
    let key = Key::new(&[5; KEY_LEN]);
    let message: Vec<u8> = (0..2_100_u32).map(|i| (i * 11) as u8).collect();
    for len in (0..=300).chain(1_000..1_060).chain(2_020..2_080) {
        seal_and_open(&key, &[6; NONCE_LEN], &message[..len / 2], &message[..len]);
    }
}

/// C2SP XAES-256-GCM.md, "Accumulated randomized tests": key, nonce, plaintext and associated data
/// (each of the two after a length byte) are read from one SHAKE-128 of the empty input; the
/// ciphertexts with their tags go into another, of which the first 32 bytes are returned.
fn accumulated(iterations: u32) -> [u8; 32] {
    let mut random = Shake128::default().finalize_xof();
    let mut hash = Shake128::default();
    let (mut key, mut nonce) = ([0; KEY_LEN], [0; NONCE_LEN]);
    for _ in 0..iterations {
        random.read(&mut key);
        random.read(&mut nonce);
        let mut vector = || {
            let mut len = [0];
            random.read(&mut len);
            let mut bytes = vec![0; len[0].into()];
            random.read(&mut bytes);
            bytes
        };
        let (plaintext, aad) = (vector(), vector());
        let (ciphertext, tag, _) = seal_and_open(&Key::new(&key), &nonce, &aad, &plaintext);
        hash.update(&ciphertext);
        hash.update(&tag);
    }
    let mut digest = [0; 32];
    hash.finalize_xof().read(&mut digest);
    digest
}

#[test]
fn c2sp_accumulated_test_of_10_000_iterations_holds() {
    assert_eq!(
        accumulated(10_000).as_slice(),
        hex("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939")
    );
}

#[test]
#[ignore = "a million messages: runs in the full test suite"]
fn c2sp_accumulated_test_of_1_000_000_iterations_holds() {
    assert_eq!(
        accumulated(1_000_000).as_slice(),
        hex("2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15")
    );
}
