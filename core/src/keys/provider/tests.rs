//! Weak keys, references and key files.

use super::*;
use crate::error::ErrorKind;

#[test]
fn weak_keys_are_refused() {
    let counting: [u8; 32] = std::array::from_fn(|i| i as u8);
    let mut weak: Vec<Vec<u8>> = vec![vec![], vec![1; 31], vec![0; 32], vec![0xff; 32]];
    weak.push(counting.to_vec());
    weak.push(b"changeme".repeat(4));
    weak.push(b"0123456701234567".repeat(2));
    for key in weak {
        let error = Unlock::key(&key).expect_err("weak");
        assert_eq!(error.kind(), ErrorKind::WeakKey);
    }
    for text in ["", "short", "aaaaaaaaaaaaaaaa", "password1234", "changeme-changeme"] {
        let error = Unlock::passphrase(text).expect_err("weak");
        assert_eq!(error.kind(), ErrorKind::WeakKey, "{text}");
    }
    assert!(Unlock::passphrase("correct horse battery staple").is_ok());
}

#[test]
fn random_keys_are_accepted() {
    for _ in 0..2_000 {
        let mut key = [0; 32];
        crate::crypto::random::fill(&mut key).expect("random");
        assert!(Unlock::key(&key).is_ok());
    }
}

#[test]
fn a_reference_is_never_a_key() {
    let hex = "4f9c".repeat(16);
    for text in [hex.as_str(), "key:abc", "", "passphrase:abc"] {
        let error = Unlock::reference(text).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!format!("{error:?}").contains("4f9c"));
    }
    for source in ["env", "file", "credential", "docker"] {
        let absent = format!("{source}:SEALITE_SURELY_UNSET");
        let unlock = Unlock::reference(&absent).expect_err("absent");
        assert_eq!(unlock.kind(), ErrorKind::NotFound, "{source}");
        let secret = secret_reference(&absent).expect_err("absent");
        assert_eq!(secret.kind(), ErrorKind::NotFound, "{source}");
    }
    for text in ["key:abc", "", "docker:../abc", "docker:"] {
        assert_eq!(secret_reference(text).expect_err("refused").kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_secret_by_reference_is_what_stands_there_without_its_line_end() {
    let path = std::env::var("PATH").expect("a path");
    assert_eq!(*secret_reference("env:PATH").expect("set"), path.into_bytes());
    let file = std::env::temp_dir().join(format!("sealite-secret-{}", std::process::id()));
    let reference = format!("file:{}", file.display());
    for (stands, read) in
        [("a b", "a b"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\r", "a\r")]
    {
        std::fs::write(&file, stands).expect("write");
        close_to_others(&file, 0o600);
        assert_eq!(*secret_reference(&reference).expect("read"), read.as_bytes());
    }
    #[cfg(unix)]
    for mode in [0o640, 0o604, 0o601, 0o610] {
        close_to_others(&file, mode);
        let refused = secret_reference(&reference).expect_err("open to others");
        assert_eq!(refused.kind(), ErrorKind::WeakKey, "{mode:o}");
        assert_eq!(Unlock::key_file(&file).expect_err("too").kind(), ErrorKind::WeakKey);
    }
    std::fs::remove_file(&file).expect("remove");
}

#[cfg(unix)]
fn close_to_others(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).expect("mode");
}

#[cfg(not(unix))]
fn close_to_others(_file: &Path, _mode: u32) {}

#[test]
fn a_key_file_has_at_most_4096_bytes() {
    let file = std::env::temp_dir().join(format!("sealite-key-{}", std::process::id()));
    let key = generate_key().expect("random");
    for (length, is_read) in [(65, true), (4_096, true), (4_097, false), (5_000, false)] {
        std::fs::write(&file, format!("{:<length$}", key.expose_secret())).expect("write");
        close_to_others(&file, 0o600);
        let unlock = Unlock::key_file(&file);
        assert_eq!(unlock.is_ok(), is_read, "{length}");
        if let Err(error) = unlock {
            assert_eq!(error.kind(), ErrorKind::WeakKey);
        }
    }
    std::fs::remove_file(&file).expect("remove");
}

#[test]
fn limits_of_weakness_are_where_they_are_said_to_be() {
    // The squares: no arithmetic row, and as many different ones as are asked for.
    let key = |distinct: u8| -> [u8; 32] {
        std::array::from_fn(|i| (i as u8 % distinct).wrapping_mul(i as u8 % distinct))
    };
    let distinct = |key: &[u8; 32]| key.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!((distinct(&key(15)), distinct(&key(16))), (15, 16));
    assert_eq!(Unlock::key(&key(15)).expect_err("few").kind(), ErrorKind::WeakKey);
    assert!(Unlock::key(&key(16)).is_ok());
    assert_eq!(Unlock::passphrase("elevenchars").expect_err("short").kind(), ErrorKind::WeakKey);
    assert!(Unlock::passphrase("twelve chars").is_ok());
    // A well-known word with less than six characters beside it.
    for (text, is_known) in [
        ("password", true),
        ("password-12345", true),
        ("password-123456", false),
        ("12345", false),
        ("", false),
    ] {
        assert_eq!(well_known(text), is_known, "{text}");
    }
}

#[test]
fn debug_of_a_secret_says_its_kind_alone() {
    let key = generate_key().expect("random");
    let key = Unlock::key_text(key.expose_secret()).expect("a key");
    let passphrase = Unlock::passphrase("correct horse battery staple").expect("a passphrase");
    assert_eq!(format!("{key:?} {passphrase:?}"), "Unlock(key) Unlock(passphrase)");
}
