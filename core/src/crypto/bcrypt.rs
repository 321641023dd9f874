//! bcrypt (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999), to verify what other programs have hashed. Nothing
//! new is hashed with it.

use base64ct::{Base64Bcrypt, Encoding};
use zeroize::Zeroizing;

use super::mac::ct_eq;

/// The longest password that bcrypt sees whole, in bytes.
pub(crate) const MAX_PASSWORD: usize = 72;
/// The highest cost that is accepted, as the logarithm of the rounds: seconds. The highest that can be written, 31, takes days.
pub(crate) const MAX_COST: u32 = 16;
const MIN_COST: u32 = 4;

/// A hash as it is written: `$2b$12$`, 22 characters of salt, 31 of hash.
pub(crate) struct Hash {
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

/// Why a text is not a hash to be verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unreadable {
    /// It is not one.
    Malformed,
    /// Its cost is above [`MAX_COST`].
    AboveCeiling,
}

impl Hash {
    /// The versions `2a`, `2b` and `2y`, which are one algorithm. Not `2x`, which marks hashes of passwords beyond ASCII by a
    /// faulty implementation.
    pub(crate) fn parse(text: &str) -> Result<Self, Unreadable> {
        parse(text).ok_or(Unreadable::Malformed).and_then(|hash| {
            if hash.cost <= MAX_COST { Ok(hash) } else { Err(Unreadable::AboveCeiling) }
        })
    }

    /// Whether the hash is that of the password: all of it. bcrypt looks at 72 bytes and ends a password at its first NUL, so that
    /// others would fit, too: these are refused, after as much work.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new([0; MAX_PASSWORD + 1]);
        for (to, from) in key.iter_mut().zip(password.iter().take(MAX_PASSWORD)) {
            *to = *from;
        }
        // The terminating NUL is part of the key where there is room for it.
        let length = password.len().saturating_add(1).min(MAX_PASSWORD);
        let found = bcrypt::bcrypt(self.cost, self.salt, key.get(..length).unwrap_or(&[0]));
        let whole = password.len() <= MAX_PASSWORD && !password.contains(&0);
        ct_eq(found.get(..self.digest.len()).unwrap_or(&[]), &self.digest) && whole
    }
}

fn parse(text: &str) -> Option<Hash> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| text.strip_prefix(version))?;
    let (cost, rest) = rest.split_once('$')?;
    if cost.len() != 2 || !cost.bytes().all(|byte| byte.is_ascii_digit()) || rest.len() != 53 {
        return None;
    }
    let cost = cost.parse().ok().filter(|cost| (MIN_COST..=31).contains(cost))?;
    let (salt, digest) = rest.split_at_checked(22)?;
    Some(Hash { cost, salt: decode(salt, 4)?, digest: decode(digest, 2)? })
}

/// Bytes in bcrypt's base64. The last character has bits to spare: some programs leave them set, and all ignore them.
fn decode<const N: usize>(text: &str, spare: u32) -> Option<[u8; N]> {
    let (last, most) = text.as_bytes().split_last()?;
    let value = ALPHABET.iter().position(|symbol| symbol == last)?;
    let mut canonical = most.to_vec();
    canonical.push(*ALPHABET.get(value >> spare << spare)?);
    let mut out = [0; N];
    let decoded = Base64Bcrypt::decode(&canonical, &mut out).map(<[u8]>::len);
    (decoded == Ok(N)).then_some(out)
}

const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    /// From jBCrypt's TestBCrypt and OpenBSD's regression tests: password, hash.
    const KNOWN: &[(&str, &str)] = &[
        ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
        ("", "$2a$08$HqWuK6/Ng6sg9gQzbLrgb.Tl.ZHfXLhvt/SgVyWhQqgqcZ7ZuUtye"),
        ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
        ),
        (
            "~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
            "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
        ),
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    ];

    fn verify(password: &[u8], hash: &str) -> bool {
        Hash::parse(hash).expect("a hash").verify(password)
    }

    #[test]
    fn published_vectors_hold_under_each_version() {
        for (password, hash) in KNOWN {
            for version in ["$2a$", "$2b$", "$2y$"] {
                let hash = hash.replace("$2a$", version);
                assert!(verify(password.as_bytes(), &hash), "{password:?}");
            }
            assert!(!verify(format!("{password}x").as_bytes(), hash));
        }
    }

    #[test]
    fn every_changed_character_of_the_hash_is_refused() {
        let (password, hash) = KNOWN[2];
        for at in 29..59 {
            let mut changed = hash.to_owned();
            let other = if &hash[at..=at] == "x" { "y" } else { "x" };
            changed.replace_range(at..=at, other);
            assert!(!verify(password.as_bytes(), &changed), "{changed}");
        }
    }

    #[test]
    fn a_password_that_bcrypt_would_not_see_whole_is_refused() {
        // Made by crypt_blowfish: 72 bytes, and whatever follows is not looked at.
        let long = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
        let password = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        assert_eq!(password.len(), MAX_PASSWORD);
        assert!(verify(password, long));
        assert!(!verify(&[password.as_slice(), b"chars after 72 are ignored"].concat(), long));
        assert!(!verify(&[password.as_slice(), b"x"].concat(), long));
        assert!(!verify(&vec![b'x'; 100_000], long));
        // To bcrypt the key of "a\0a" is that of "a" repeated.
        let (_, a) = KNOWN[2];
        for nul in [&b"a\0"[..], b"a\0a", b"a\0b", b"\0"] {
            assert!(!verify(nul, a), "{nul:?}");
        }
        assert!(!verify(b"\0", KNOWN[0].1));
    }

    #[test]
    fn spare_bits_of_the_salt_are_ignored() {
        let (password, hash) = KNOWN[2];
        assert_eq!(&hash[28..29], "O");
        for last in ["P", "Z", "a", "d"] {
            let mut other = hash.to_owned();
            other.replace_range(28..29, last);
            assert!(verify(password.as_bytes(), &other), "{last}");
        }
    }

    #[test]
    fn other_texts_are_no_hashes() {
        let good = KNOWN[0].1;
        let with = |from: &str, to: &str| good.replacen(from, to, 1);
        for bad in [
            "",
            "$2a$",
            &good[..59],
            &format!("{good}."),
            &format!(" {good}"),
            &with("$2a$", "$2x$"),
            &with("$2a$", "$2$"),
            &with("$2a$", "$3a$"),
            &with("$06$", "$03$"),
            &with("$06$", "$32$"),
            &with("$06$", "$6$0"),
            &with("$06$", "$+6$"),
            &with("DCq", "D q"),
            &with("DCq", "D=q"),
            &with("DCq", "é"),
            &with("DC", "D\0"),
        ] {
            assert_eq!(Hash::parse(bad).err(), Some(Unreadable::Malformed), "{bad}");
        }
        for cost in ["17", "31"] {
            let dear = with("$06$", &format!("${cost}$"));
            assert_eq!(Hash::parse(&dear).err(), Some(Unreadable::AboveCeiling));
        }
    }
}
