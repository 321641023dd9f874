//! Users' passwords: hashed, verified and upgraded.

use std::ffi::c_char;

use sealite::{PassphraseCost, PasswordHasher, PasswordVerdict};

use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::status::sealite_status;

/// Hashes and verifies users' passwords: Argon2id (RFC 9106), as PHC strings; bcrypt is verified and upgraded. Needs no
/// vault. It may be used from any thread. A call takes tenths of a second and the memory of its cost: limit the rate of
/// log-ins first, and call it outside of transactions.
///
/// A password is taken as the bytes that it is, at most 4,096: never cut, trimmed or normalised. No copy of it is kept; the
/// caller wipes its own.
pub struct sealite_password_hasher {
    _opaque: [u8; 0],
}

impl Kind for sealite_password_hasher {
    type Object = PasswordHasher;
}

/// Makes a hasher with a cost for new hashes: `memory_kib` (19,456 to 1,048,576), `passes` (2 to 16) and `lanes` (1 to 16);
/// all 0 for the default: 65,536, 3 and 4. Free it with sealite_password_hasher_free().
///
/// SEALITE_LIMIT for a cost out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_password_hasher_create(
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    hasher: *mut *mut sealite_password_hasher,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; plain(memory_kib), plain(passes), plain(lanes), out(hasher); {
        let cost = match (memory_kib, passes, lanes) {
            (0, 0, 0) => PassphraseCost::default(),
            _ => PassphraseCost { memory_kib, passes, lanes },
        };
        hasher.give(PasswordHasher::with_cost(cost)?)?;
    })
}

/// Makes the hash to store for a new password: ASCII, with the cost and a fresh salt in it. Keep it in a sealed column. Free
/// it with sealite_bytes_free().
///
/// SEALITE_WEAK_KEY for an empty password; SEALITE_LIMIT for one of more than 4,096 bytes, and where the memory can't be had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_password_hasher_hash(
    hasher: *const sealite_password_hasher,
    password: *const c_char,
    password_length: usize,
    stored: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(hasher), octets(password, password_length), out(stored); {
        stored.give(Bytes::copy_of(hasher.hash(password)?.as_bytes()))?;
    })
}

/// Writes true to `right` where the password is the one that `stored` was made of. NULL for `stored` is for a user who does
/// not exist: wrong, after as much work, so that the time does not tell who exists.
///
/// SEALITE_INVALID_INPUT where `stored` is no hash that this reads, SEALITE_LIMIT where its cost is out of range; never for a
/// password, whatever it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_password_hasher_verify(
    hasher: *const sealite_password_hasher,
    password: *const c_char,
    password_length: usize,
    stored: *const c_char,
    stored_length: usize,
    right: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(hasher), octets(password, password_length), optional_text(stored, stored_length),
        out(right);
        { right.set(hasher.verify(password, stored)?); }
    )
}

/// As sealite_password_hasher_verify(). Where the password is right and its hash is not what this hasher would make, `better`
/// gets a new one, to be stored in the place of the old; else NULL. Free it with sealite_bytes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_password_hasher_verify_and_update(
    hasher: *const sealite_password_hasher,
    password: *const c_char,
    password_length: usize,
    stored: *const c_char,
    stored_length: usize,
    right: *mut bool,
    better: *mut *mut sealite_bytes,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(hasher), octets(password, password_length), optional_text(stored, stored_length),
        out(right), out(better);
        {
            let verdict = hasher.verify_and_update(password, stored)?;
            if let PasswordVerdict::Upgraded(hash) = &verdict {
                better.give(Bytes::copy_of(hash.as_bytes()))?;
            }
            right.set(verdict.is_accepted());
        }
    )
}

/// Writes true to `needs` where a stored hash is not what this hasher would make: bcrypt, or another cost.
///
/// SEALITE_INVALID_INPUT, SEALITE_LIMIT: as of sealite_password_hasher_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_password_hasher_needs_rehash(
    hasher: *const sealite_password_hasher,
    stored: *const c_char,
    stored_length: usize,
    needs: *mut bool,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(hasher), text(stored, stored_length), out(needs); {
        needs.set(hasher.needs_rehash(stored)?);
    })
}

/// Frees the hasher. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_password_hasher_free(hasher: *mut sealite_password_hasher) {
    free(hasher);
}
