//! The hasher: what applications call.

use std::fmt;
use std::hint::black_box;

use zeroize::Zeroizing;

use super::stored::{Argon2id, Stored};
use crate::crypto::password::{Argon2Params, KEY_LEN, ParamsError, SALT_LEN, recompute};
use crate::crypto::random;
use crate::error::{Error, Result, err, fail};
use crate::keys::PassphraseCost;
use crate::keys::seal::no_randomness;

/// Hashes and verifies passwords.
///
/// New hashes are Argon2id (RFC 9106), with a salt of their own, as a PHC string that says its cost: keep it in a sealed column.
/// Verified are those, Argon2id of other programs, and bcrypt (`$2a$`, `$2b$`, `$2y$`).
///
/// A password is taken as the bytes that it is: never cut, trimmed or normalised; a NUL is a character like others. At most 4,096
/// bytes. bcrypt looks at 72 bytes and at nothing behind a NUL, and would take other passwords for the right one: with a bcrypt
/// hash, longer ones and such with a NUL are wrong, so their owners need a reset.
///
/// `Send + Sync`. A call takes tenths of a second and the memory of its cost, 64 MiB by default, and holds no lock: calls
/// in parallel add up, so limit the rate of log-ins first ([`crate::Quotas`]), and call it outside of transactions, where
/// all other writers would wait.
///
/// ```
/// use sealite::{PasswordHasher, PasswordVerdict};
///
/// # fn main() -> sealite::Result<()> {
/// let hasher = PasswordHasher::new();
/// let mut stored = hasher.hash("correct horse battery staple")?;
///
/// // At the log-in. Where there is no such user, None: it costs as much, and is as wrong.
/// match hasher.verify_and_update("correct horse battery staple", Some(&stored))? {
///     PasswordVerdict::Accepted => {}
///     PasswordVerdict::Upgraded(better) => stored = better, // write it back
///     _ => panic!("wrong user or password"),
/// }
/// assert!(!hasher.verify("wrong", Some(&stored))?);
/// assert!(!hasher.verify("anything", None)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PasswordHasher {
    cost: Argon2Params,
}

/// What [`PasswordHasher::verify_and_update`] found. Debug does not show the hash.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordVerdict {
    /// Wrong, or there is no hash to compare with.
    Rejected,
    /// Right.
    Accepted,
    /// Right, and this is its hash at today's cost, to be stored instead of the one that was given.
    Upgraded(String),
}

impl PasswordVerdict {
    /// Whether the password is right.
    pub fn is_accepted(&self) -> bool {
        !matches!(self, PasswordVerdict::Rejected)
    }
}

impl fmt::Debug for PasswordVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PasswordVerdict::Rejected => "Rejected",
            PasswordVerdict::Accepted => "Accepted",
            PasswordVerdict::Upgraded(_) => "Upgraded(..)",
        })
    }
}

/// The longest password, in bytes.
const MAX_PASSWORD: usize = 4096;

impl PasswordHasher {
    /// With the default cost, RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes.
    pub fn new() -> Self {
        PasswordHasher { cost: Argon2Params::DEFAULT }
    }

    /// With a cost of one's own for new hashes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Limit`] where it is not between 19,456 KiB, 2 passes, 1 lane (OWASP's minimum) and 1 GiB, 16 passes, 16
    /// lanes.
    pub fn with_cost(cost: PassphraseCost) -> Result<Self> {
        let cost = cost.parameters();
        if cost.check().is_err() {
            fail!(
                Limit,
                "the cost of a password: 19,456 KiB to 1 GiB, 2 to 16 passes, 1 to 16 lanes"
            );
        }
        Ok(PasswordHasher { cost })
    }

    /// The hash to store, a PHC string of ASCII: `$argon2id$v=19$m=65536,t=3,p=4$` and 22 + 1 + 43 characters of salt and hash.
    ///
    /// # Errors
    /// [`crate::ErrorKind::WeakKey`] for an empty password; [`crate::ErrorKind::Limit`] for one of more than 4,096 bytes, and where the
    /// memory cannot be had; [`crate::ErrorKind::Io`] where there is no randomness.
    pub fn hash(&self, password: impl AsRef<[u8]>) -> Result<String> {
        let password = password.as_ref();
        if password.is_empty() {
            fail!(WeakKey, "an empty password");
        }
        if password.len() > MAX_PASSWORD {
            fail!(Limit, "a password has at most {MAX_PASSWORD} bytes");
        }
        let mut salt = [0; SALT_LEN];
        random::fill(&mut salt).map_err(|_| no_randomness())?;
        let hash = self.compute(password, &salt)?;
        Ok(Argon2id { cost: self.cost, salt: salt.to_vec(), hash: hash.to_vec() }.to_string())
    }

    /// Whether the password is the one that `stored` was made of. A comparison in constant time, after all the work.
    ///
    /// `None` is for a user who does not exist, or has no password: false, after as much work as a hash of this hasher's cost
    /// takes, so that the time does not tell who exists. A hash of another cost (bcrypt, before it is upgraded) takes the time
    /// of that cost, which may tell that such a user exists.
    ///
    /// # Errors
    /// Never for a wrong password, whatever it is. [`crate::ErrorKind::InvalidInput`] where `stored` is not a hash that this reads;
    /// [`crate::ErrorKind::Limit`] where its cost is above 1 GiB, 16 passes, 16 lanes, or bcrypt's 16, or the memory cannot be had.
    pub fn verify(&self, password: impl AsRef<[u8]>, stored: Option<&str>) -> Result<bool> {
        let (password, stored) = (password.as_ref(), stored.map(Stored::parse).transpose()?);
        // Too long for any hash, whoever's it is.
        if password.len() > MAX_PASSWORD {
            return Ok(false);
        }
        match stored {
            Some(Stored::Bcrypt(hash)) => Ok(hash.verify(password)),
            Some(Stored::Argon2id(hash)) => hash.verify(password).map_err(no_hash),
            None => {
                black_box(self.compute(password, &[0; SALT_LEN])?);
                Ok(false)
            }
        }
    }

    /// [`PasswordHasher::verify`]; where the password is right and its hash is not of today's algorithm and cost, a new one with
    /// it. That takes one hash more, once.
    ///
    /// # Errors
    /// As [`PasswordHasher::verify`] and [`PasswordHasher::hash`]. An empty password that is right is never upgraded.
    pub fn verify_and_update(
        &self,
        password: impl AsRef<[u8]>,
        stored: Option<&str>,
    ) -> Result<PasswordVerdict> {
        let password = password.as_ref();
        if !self.verify(password, stored)? {
            return Ok(PasswordVerdict::Rejected);
        }
        match stored {
            Some(stored) if self.needs_rehash(stored)? && !password.is_empty() => {
                Ok(PasswordVerdict::Upgraded(self.hash(password)?))
            }
            _ => Ok(PasswordVerdict::Accepted),
        }
    }

    /// Whether `stored` is not what [`PasswordHasher::hash`] would make today: bcrypt, or another cost in any parameter, or a
    /// shorter salt or hash.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] or [`crate::ErrorKind::Limit`], as [`PasswordHasher::verify`].
    pub fn needs_rehash(&self, stored: &str) -> Result<bool> {
        Ok(match Stored::parse(stored)? {
            Stored::Bcrypt(_) => true,
            Stored::Argon2id(hash) => {
                hash.cost != self.cost || hash.salt.len() < SALT_LEN || hash.hash.len() < KEY_LEN
            }
        })
    }

    fn compute(&self, password: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>> {
        let mut hash = Zeroizing::new([0; KEY_LEN]);
        recompute(password, salt, self.cost, &mut *hash).map_err(no_hash)?;
        Ok(hash)
    }
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self::new()
    }
}

fn no_hash(why: ParamsError) -> Error {
    match why {
        ParamsError::OutOfMemory => err!(Limit, "there is no memory for the hash of a password"),
        _ => err!(Limit, "the hash of a password has a cost that is out of bounds"),
    }
}
