//! What other programs have encrypted, opened so that it can be sealed anew. Nothing is encrypted here.
//!
//! Fernet is as its specification has it (github.com/fernet/spec): version 0x80, time, IV, AES-128-CBC with PKCS #7, and
//! HMAC-SHA-256 over all of that.

use aes::{Aes128, Aes128Enc, Aes192Enc, Aes256, Aes256Enc};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::{AeadInOut, AesGcm};
use cbc::Decryptor;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, KeyInit, KeyIvInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::mac::ct_eq;

/// Not what the key has encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// Plaintext, wiped when it is dropped.
pub(crate) type Plain = Zeroizing<Vec<u8>>;

/// How the last block was filled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    /// PKCS #7 (RFC 5652, section 6.3), also called PKCS #5.
    Pkcs7,
    /// Asterisks, which a text that ends with one loses: `naive` of SQLAlchemy-Utils.
    Asterisks,
    /// Zeros, then how many bytes they and their count are (ANSI X9.23): `zeroes` of SQLAlchemy-Utils.
    ZerosAndCount,
    /// 0x80, then zeros (ISO/IEC 7816-4).
    OneAndZeros,
}

/// Opens the bytes of a Fernet token.
pub(crate) fn fernet(key: &[u8; 32], token: &[u8]) -> Result<Plain, Refused> {
    let (signing, encryption) = key.split_at(16);
    let (signed, tag) = token.split_at_checked(token.len().wrapping_sub(32)).ok_or(Refused)?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(signing).map_err(|_| Refused)?;
    mac.update(signed);
    let expected = mac.finalize().into_bytes();
    let (head, text) = signed.split_at_checked(25).ok_or(Refused)?;
    if !ct_eq(&expected, tag) || head.first() != Some(&0x80) {
        return Err(Refused);
    }
    let iv = head.get(9..).ok_or(Refused)?;
    let cipher = Decryptor::<Aes128>::new_from_slices(encryption, iv).map_err(|_| Refused)?;
    unfill(decrypt(cipher, text)?, Filling::Pkcs7)
}

/// Opens AES-256-CBC without a tag: a wrong key shows in the filling only.
pub(crate) fn aes_cbc(
    key: &[u8; 32],
    iv: &[u8],
    text: &[u8],
    filling: Filling,
) -> Result<Plain, Refused> {
    let cipher = Decryptor::<Aes256>::new_from_slices(key, iv).map_err(|_| Refused)?;
    unfill(decrypt(cipher, text)?, filling)
}

fn decrypt(cipher: impl BlockModeDecrypt, text: &[u8]) -> Result<Plain, Refused> {
    let mut plain = Zeroizing::new(text.to_vec());
    cipher.decrypt_padded::<NoPadding>(&mut plain).map_err(|_| Refused)?;
    Ok(plain)
}

fn unfill(mut plain: Plain, filling: Filling) -> Result<Plain, Refused> {
    let without = |end: u8| {
        let kept = plain.iter().rposition(|byte| *byte != end);
        kept.map_or(0, |last| last + 1)
    };
    let length = match filling {
        Filling::Pkcs7 | Filling::ZerosAndCount => {
            let (count, before) = plain.split_last().ok_or(Refused)?;
            let length = plain.len().checked_sub(usize::from(*count)).ok_or(Refused)?;
            let filled = before.get(length..).ok_or(Refused)?;
            let with = if filling == Filling::Pkcs7 { *count } else { 0 };
            if *count > 16 || filled.iter().any(|byte| *byte != with) {
                return Err(Refused);
            }
            length
        }
        Filling::Asterisks => without(b'*'),
        Filling::OneAndZeros => {
            let length = without(0).checked_sub(1).ok_or(Refused)?;
            if plain.get(length) != Some(&0x80) {
                return Err(Refused);
            }
            length
        }
    };
    plain.truncate(length);
    Ok(plain)
}

/// Opens AES-GCM (NIST SP 800-38D) under a key of 16, 24 or 32 bytes, with a nonce of 12 or 16 and a tag of 16 bytes.
pub(crate) fn aes_gcm(
    key: &[u8],
    nonce: &[u8],
    associated: &[u8],
    text: &[u8],
    tag: &[u8],
) -> Result<Plain, Refused> {
    let message = (nonce, associated, text, tag);
    match (key.len(), nonce.len()) {
        (16, 12) => open::<AesGcm<Aes128Enc, U12>>(key, message),
        (24, 12) => open::<AesGcm<Aes192Enc, U12>>(key, message),
        (32, 12) => open::<AesGcm<Aes256Enc, U12>>(key, message),
        (16, 16) => open::<AesGcm<Aes128Enc, U16>>(key, message),
        (24, 16) => open::<AesGcm<Aes192Enc, U16>>(key, message),
        (32, 16) => open::<AesGcm<Aes256Enc, U16>>(key, message),
        _ => Err(Refused),
    }
}

type Message<'m> = (&'m [u8], &'m [u8], &'m [u8], &'m [u8]);

fn open<C: AeadInOut + KeyInit>(
    key: &[u8],
    (nonce, associated, text, tag): Message<'_>,
) -> Result<Plain, Refused> {
    let cipher = C::new_from_slice(key).map_err(|_| Refused)?;
    let nonce = nonce.try_into().map_err(|_| Refused)?;
    let tag = tag.try_into().map_err(|_| Refused)?;
    let mut plain = Zeroizing::new(text.to_vec());
    cipher
        .decrypt_inout_detached(nonce, associated, plain.as_mut_slice().into(), tag)
        .map_err(|_| Refused)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::tests::hex;

    #[test]
    fn the_specification_s_token_opens_and_no_other() {
        // github.com/fernet/spec, verify.json.
        use base64ct::{Base64Url, Encoding};
        let text = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
        let key = Base64Url::decode_vec("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
        let key: [u8; 32] = key.expect("base64").try_into().expect("32 bytes");
        let token = Base64Url::decode_vec(text).expect("base64");
        assert_eq!(fernet(&key, &token).expect("opens").as_slice(), b"hello");
        for at in 0..token.len() {
            let mut wrong = token.clone();
            wrong[at] ^= 1;
            assert!(fernet(&key, &wrong).is_err(), "{at}");
            assert!(fernet(&key, &token[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn gcm_opens_what_nist_has_encrypted() {
        // McGrew and Viega, test cases 4 and 16: the same text under keys of 16 and 32 bytes.
        let text = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
        let associated = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let nonce = hex("cafebabefacedbaddecaf888");
        let key = "feffe9928665731c6d6a8f9467308308";
        for (key, encrypted, tag) in [
            (
                key.to_owned(),
                "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
                "5bc94fbc3221a5db94fae95ae7121a47",
            ),
            (
                key.repeat(2),
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
                "76fc6ece0f4e1768cddf8853bb2d551b",
            ),
        ] {
            let (key, tag) = (hex(&key), hex(tag));
            let opened = aes_gcm(&key, &nonce, &associated, &hex(encrypted), &tag);
            assert_eq!(opened.expect("opens").as_slice(), hex(text));
            assert!(aes_gcm(&key, &nonce, b"other", &hex(encrypted), &tag).is_err());
            assert!(aes_gcm(&key, &nonce, &associated, &hex(encrypted), &[0; 16]).is_err());
        }
    }

    #[test]
    fn fillings_are_taken_off_once_and_wrong_ones_refused() {
        let block = |end: &[u8]| Zeroizing::new([b"text".as_slice(), end].concat());
        for (filling, end) in [
            (Filling::Pkcs7, [12; 12].as_slice()),
            (Filling::Asterisks, b"************"),
            (Filling::ZerosAndCount, b"\0\0\0\0\0\0\0\0\0\0\0\x0c"),
            (Filling::OneAndZeros, b"\x80\0\0\0\0\0\0\0\0\0\0\0"),
        ] {
            assert_eq!(unfill(block(end), filling).expect("filled").as_slice(), b"text");
        }
        // A filling is at most a block long, and may be all there is.
        let whole = Zeroizing::new(vec![16; 16]);
        assert_eq!(unfill(whole, Filling::Pkcs7).expect("filled").as_slice(), b"");
        assert!(unfill(Zeroizing::new(vec![17; 32]), Filling::Pkcs7).is_err());
        for (filling, end) in [
            (Filling::Pkcs7, [0; 12]),
            (Filling::Pkcs7, [17; 12]),
            (Filling::ZerosAndCount, [12; 12]),
            (Filling::OneAndZeros, [1; 12]),
        ] {
            assert!(unfill(block(&end), filling).is_err());
        }
    }
}
