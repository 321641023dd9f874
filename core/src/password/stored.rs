//! The hashes that are read: PHC strings of Argon2id, and bcrypt's.

use std::fmt;

use base64ct::{Base64Unpadded, Encoding};
use zeroize::Zeroizing;

use crate::crypto::bcrypt::{Hash as Bcrypt, MAX_COST, Unreadable};
use crate::crypto::mac::ct_eq;
use crate::crypto::password::{Argon2Params, ParamsError, recompute};
use crate::error::{Result, err, fail};

/// Bytes of a salt: Argon2's least, and the most of a PHC string.
const SALT: std::ops::RangeInclusive<usize> = 8..=48;
/// Bytes of a hash: less is guessed too easily, and nobody writes more.
const HASH: std::ops::RangeInclusive<usize> = 16..=64;
/// The longest hash as text: nothing longer is looked at.
const MAX_TEXT: usize = 256;

/// A hash of a password.
pub(super) enum Stored {
    Argon2id(Argon2id),
    Bcrypt(Bcrypt),
}

impl Stored {
    /// Messages do not show what was given.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if text.len() <= MAX_TEXT {
            if let Some(hash) = Argon2id::parse(text) {
                if hash.cost.is_above_ceiling() {
                    fail!(
                        Limit,
                        "the hash of a password costs more than 1 GiB, 16 passes or 16 lanes"
                    );
                }
                return Ok(Stored::Argon2id(hash));
            }
            match Bcrypt::parse(text) {
                Ok(hash) => return Ok(Stored::Bcrypt(hash)),
                Err(Unreadable::AboveCeiling) => {
                    fail!(Limit, "the hash of a password has a bcrypt cost above {}", MAX_COST)
                }
                Err(Unreadable::Malformed) => {}
            }
        }
        Err(err!(InvalidInput, "not the hash of a password by Argon2id (version 19) or bcrypt"))
    }
}

/// `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`, salt and hash in base64 without padding (the PHC string format).
pub(super) struct Argon2id {
    pub(super) cost: Argon2Params,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

impl Argon2id {
    pub(super) fn verify(&self, password: &[u8]) -> std::result::Result<bool, ParamsError> {
        let mut found = Zeroizing::new(vec![0; self.hash.len()]);
        recompute(password, &self.salt, self.cost, &mut found)?;
        Ok(ct_eq(&found, &self.hash))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (cost, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = cost.split(',');
        let mut cost = |name: &str| number(costs.next()?.strip_prefix(name)?);
        let (memory_kib, passes, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
        // What Argon2 itself asks for (RFC 9106, section 3.1).
        let sound = passes >= 1 && lanes >= 1 && u64::from(memory_kib) >= 8 * u64::from(lanes);
        if !sound || costs.next().is_some() || parts.next().is_some() {
            return None;
        }
        let bytes = |text: &str| Base64Unpadded::decode_vec(text).ok();
        Some(Argon2id {
            cost: Argon2Params { memory_kib, passes, lanes },
            salt: bytes(salt).filter(|salt| SALT.contains(&salt.len()))?,
            hash: bytes(hash).filter(|hash| HASH.contains(&hash.len()))?,
        })
    }
}

/// A decimal number in its shortest form.
fn number(text: &str) -> Option<u32> {
    let canonical = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    text.parse().ok().filter(|_| canonical)
}

impl fmt::Display for Argon2id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Argon2Params { memory_kib, passes, lanes } = self.cost;
        let [salt, hash] =
            [&self.salt, &self.hash].map(|bytes| Base64Unpadded::encode_string(bytes));
        write!(f, "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }
}
