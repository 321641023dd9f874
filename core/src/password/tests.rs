//! Passwords against published hashes, and what a wrong one may cost and say.

use proptest::prelude::*;

use super::*;
use crate::crypto::password::work;
use crate::error::ErrorKind;
use crate::keys::PassphraseCost;

/// The least cost: the tests run many.
fn hasher() -> PasswordHasher {
    PasswordHasher::with_cost(PassphraseCost::floor()).unwrap()
}

/// From the test program of the reference implementation (phc-winner-argon2, src/test.c).
const REFERENCE: &[(&str, &str)] = &[
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ),
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg",
    ),
    (
        "differentpassword",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw",
    ),
];

/// Made with argon2-cffi: other lengths of salt and hash, a NUL and characters beyond ASCII.
const AWKWARD: (&str, &str) = (
    "naïve\0 🐴 ",
    "$argon2id$v=19$m=64,t=1,p=4$c2FsdHNhbHRzYWx0c2FsdA$Aob6qasOoYzZjkJzlp87cnL9mwx2La97VH57EAmdl\
     +ZWvtHj1qQY0an6+BR2I9GXUNV2ZFqaBHPa6kwMQV5elA",
);
/// The same, of 4,096 times `x`.
const LONGEST: &str = "$argon2id$v=19$m=32,t=3,p=2$MTIzNDU2NzgxMjM0NTY3ODEyMzQ1Njc4MTIzNDU2NzgxMjM0NTY3ODEyMzQ1\
                       Njc4$jnjBWGQYaSg7GAj62G3H5g";
/// From jBCrypt's tests, of `abc`.
const BCRYPT: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

#[test]
fn hashes_of_other_programs_verify() {
    let hasher = hasher();
    for (password, stored) in REFERENCE.iter().chain([&AWKWARD]) {
        assert!(hasher.verify(password, Some(stored)).unwrap(), "{stored}");
        assert!(!hasher.verify(format!("{password}x"), Some(stored)).unwrap());
        assert!(hasher.needs_rehash(stored).unwrap());
    }
    assert!(hasher.verify("x".repeat(4096), Some(LONGEST)).unwrap());
    assert!(hasher.verify("abc", Some(BCRYPT)).unwrap());
    assert!(!hasher.verify("abd", Some(BCRYPT)).unwrap());
}

#[test]
fn a_hash_verifies_and_says_its_cost() {
    let hasher = hasher();
    let stored = hasher.hash("correct horse").unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(stored.len(), 31 + 22 + 1 + 43);
    assert!(hasher.verify("correct horse", Some(&stored)).unwrap());
    assert!(!hasher.needs_rehash(&stored).unwrap());
    assert_ne!(hasher.hash("correct horse").unwrap(), stored, "a salt of its own");
    let default = PasswordHasher::new().hash("correct horse").unwrap();
    assert!(default.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"));
    assert!(hasher.verify("correct horse", Some(&default)).unwrap());
}

#[test]
fn a_password_is_never_altered() {
    let hasher = hasher();
    let password = "Å e\u{301}\0 ";
    let stored = hasher.hash(password).unwrap();
    assert!(hasher.verify(password, Some(&stored)).unwrap());
    for other in [
        "Å e\u{301}\0",
        "Å e\u{301}",
        " Å e\u{301}\0 ",
        "Å \u{e9}\0 ",
        "A\u{30a} e\u{301}\0 ",
        "å e\u{301}\0 ",
    ] {
        assert!(!hasher.verify(other, Some(&stored)).unwrap(), "{other:?}");
    }
    let bytes = [0xff, 0x00, 0xfe];
    let stored = hasher.hash(bytes).unwrap();
    assert!(hasher.verify(bytes, Some(&stored)).unwrap());
    assert!(!hasher.verify([0xff], Some(&stored)).unwrap());
}

#[test]
fn passwords_differ_in_their_last_character_up_to_the_limit() {
    let hasher = hasher();
    let mut longest = "p".repeat(4096);
    let stored = hasher.hash(&longest).unwrap();
    longest.replace_range(4095.., "q");
    assert!(!hasher.verify(&longest, Some(&stored)).unwrap());
    longest.push('p');
    assert_eq!(hasher.hash(&longest).unwrap_err().kind(), ErrorKind::Limit);
    for stored in [Some(stored.as_str()), Some(BCRYPT), None] {
        assert!(!hasher.verify(&longest, stored).unwrap());
        assert!(!hasher.verify("x".repeat(1 << 20), stored).unwrap());
    }
    assert_eq!(hasher.hash("").unwrap_err().kind(), ErrorKind::WeakKey);
}

#[test]
fn a_right_password_upgrades_what_is_not_of_todays_cost() {
    let hasher = hasher();
    for (password, stored) in [("abc", BCRYPT), REFERENCE[0], AWKWARD] {
        let verdict = hasher.verify_and_update(password, Some(stored)).unwrap();
        let PasswordVerdict::Upgraded(better) = verdict else { panic!("{stored}: {verdict:?}") };
        assert!(better.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(
            hasher.verify_and_update(password, Some(&better)).unwrap(),
            PasswordVerdict::Accepted
        );
        for stored in [Some(stored), Some(&*better), None] {
            let verdict = hasher.verify_and_update("wrong", stored).unwrap();
            assert_eq!(verdict, PasswordVerdict::Rejected);
            assert!(!verdict.is_accepted());
        }
    }
    // A dearer hash is brought to today's cost, too: who lowers the cost wants that.
    assert!(hasher.needs_rehash(&PasswordHasher::new().hash("x").unwrap()).unwrap());
}

#[test]
fn after_the_upgrade_all_of_a_long_password_counts() {
    // 72 times `a`, by bcrypt, which looks no further.
    let hasher = hasher();
    let password = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let stored = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
    let longer = format!("{password}chars after 72 are ignored");
    let verdict = hasher.verify_and_update(&longer, Some(stored)).unwrap();
    assert_eq!(verdict, PasswordVerdict::Rejected);
    let PasswordVerdict::Upgraded(better) =
        hasher.verify_and_update(password, Some(stored)).unwrap()
    else {
        panic!("not upgraded")
    };
    assert!(!hasher.verify(&longer, Some(&better)).unwrap());
}

#[test]
fn an_absent_user_costs_the_work_of_a_present_one() {
    let hasher = hasher();
    let stored = hasher.hash("correct horse").unwrap();
    let wrong = work::of(|| hasher.verify("wrong", Some(&stored)).unwrap());
    let right = work::of(|| hasher.verify("correct horse", Some(&stored)).unwrap());
    let absent = work::of(|| hasher.verify("correct horse", None).unwrap());
    assert_eq!((wrong.0, right.0, absent.0), (false, true, false));
    assert_eq!((wrong.1, absent.1), (right.1, right.1));
    assert_eq!(right.1, 19_456 * 2);
    // Too long for anybody: no work for anybody.
    let long = "x".repeat(4097);
    for stored in [Some(stored.as_str()), None] {
        assert_eq!(work::of(|| hasher.verify(&long, stored).unwrap()), (false, 0));
    }
}

#[test]
fn texts_that_are_no_hash_are_refused_and_not_shown() {
    let hasher = hasher();
    let good = REFERENCE[0].1;
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    let bad = [
        String::new(),
        "password".into(),
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        "$pbkdf2-sha256$29000$aa$bb".into(),
        "$2x$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i".into(),
        with("argon2id", "argon2i"),
        with("argon2id", "argon2d"),
        with("argon2id", "Argon2id"),
        with("v=19", "v=16"),
        with("$v=19", ""),
        with("m=256,t=2,p=1", "t=2,m=256,p=1"),
        with("m=256,t=2,p=1", "m=256,t=2"),
        with("p=1", "p=1,keyid=AA"),
        with("m=256", "m=0256"),
        with("m=256", "m=+256"),
        with("m=256", "m=-1"),
        with("m=256", "m=4294967296"),
        with("m=256", "m=7"),
        with("t=2", "t=0"),
        with("p=1", "p=0"),
        with("c29tZXNhbHQ", "c29t"),
        with("c29tZXNhbHQ", "c29tZXNhbHR"),
        with("c29tZXNhbHQ", "c29tZXNhbHQ="),
        with("nf65", "n-65"),
        with("nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "nf65EOgLrQMR"),
        format!("{good}$"),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{good}{}", "A".repeat(10_000)),
    ];
    for bad in bad {
        for found in [
            hasher.verify("password", Some(&bad)).map(|_| ()),
            hasher.verify("x".repeat(5_000), Some(&bad)).map(|_| ()),
            hasher.verify_and_update("password", Some(&bad)).map(|_| ()),
            hasher.needs_rehash(&bad).map(|_| ()),
        ] {
            let error = found.expect_err(&bad);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad}");
            assert!(bad.is_empty() || bad == "password" || !error.to_string().contains(&bad));
        }
    }
}

#[test]
fn planted_costs_are_refused_before_any_work() {
    let hasher = hasher();
    let good = REFERENCE[0].1;
    for dear in [
        good.replace("m=256", "m=1048577"),
        good.replace("m=256", "m=4294967295"),
        good.replace("t=2", "t=17"),
        good.replace("p=1", "p=17"),
        BCRYPT.replace("$06$", "$17$"),
        BCRYPT.replace("$06$", "$31$"),
    ] {
        let (found, blocks) = work::of(|| hasher.verify("password", Some(&dear)));
        assert_eq!(found.unwrap_err().kind(), ErrorKind::Limit, "{dear}");
        assert_eq!(blocks, 0);
    }
    for cost in [
        PassphraseCost { memory_kib: 19_455, ..PassphraseCost::floor() },
        PassphraseCost { passes: 1, ..PassphraseCost::floor() },
        PassphraseCost { lanes: 0, ..PassphraseCost::floor() },
        PassphraseCost { memory_kib: 1_048_577, ..PassphraseCost::floor() },
    ] {
        assert_eq!(PasswordHasher::with_cost(cost).unwrap_err().kind(), ErrorKind::Limit);
    }
}

#[test]
fn debug_shows_no_hash() {
    let upgraded = PasswordVerdict::Upgraded(REFERENCE[0].1.to_owned());
    assert_eq!(format!("{upgraded:?}"), "Upgraded(..)");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_stored_is_judged_without_a_panic(text in "\\PC{0,300}") {
        prop_assert_eq!(hasher().needs_rehash(&text).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    /// Near to the real thing: every part may be odd.
    #[test]
    fn hashes_with_odd_parts_are_judged_without_a_panic(
        version in "(\\$argon2id\\$v=19\\$|\\$2[abxy]\\$|\\$argon2id\\$)",
        cost in "(m=[0-9]{1,11},t=[0-9]{1,3},p=[0-9]{1,3}|[0-9]{2})",
        rest in "[$A-Za-z0-9+/.]{0,120}",
    ) {
        let found = hasher().needs_rehash(&format!("{version}{cost}${rest}"));
        let refused = [ErrorKind::InvalidInput, ErrorKind::Limit];
        prop_assert!(found.is_ok() || refused.contains(&found.unwrap_err().kind()));
    }
}
