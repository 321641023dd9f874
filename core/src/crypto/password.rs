//! Argon2id, version 0x13 (RFC 9106): a key from a passphrase, the hash of a password.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroizing, optimization_barrier};

/// Salt length in bytes (RFC 9106, section 3.1, recommends 16).
pub(crate) const SALT_LEN: usize = 16;
/// Length in bytes of the derived key.
pub(crate) const KEY_LEN: usize = 32;

/// The cost of one derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argon2Params {
    /// Memory in KiB.
    pub(crate) memory_kib: u32,
    /// Passes over the memory.
    pub(crate) passes: u32,
    /// Lanes (they run one after the other).
    pub(crate) lanes: u32,
}

/// Why nothing was derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParamsError {
    /// A parameter is below [`Argon2Params::FLOOR`], or below what Argon2 asks for.
    BelowFloor,
    /// A parameter is above [`Argon2Params::CEILING`].
    AboveCeiling,
    /// The passphrase is longer than 2^32 - 1 bytes.
    PassphraseTooLong,
    /// The memory could not be allocated.
    OutOfMemory,
}

impl Argon2Params {
    /// The least that is accepted: OWASP's minimum for Argon2id.
    pub(crate) const FLOOR: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };
    /// For new keyslots: the second recommendation of RFC 9106, section 4.
    pub(crate) const DEFAULT: Self = Self { memory_kib: 65_536, passes: 3, lanes: 4 };
    /// The most that is accepted, so that planted parameters can't exhaust memory or time.
    pub(crate) const CEILING: Self = Self { memory_kib: 1_048_576, passes: 16, lanes: 16 };

    /// Checks every parameter against the floor and the ceiling.
    pub(crate) fn check(&self) -> Result<(), ParamsError> {
        if !self.all(u32::ge, &Self::FLOOR) {
            return Err(ParamsError::BelowFloor);
        }
        self.check_ceiling()
    }

    fn check_ceiling(&self) -> Result<(), ParamsError> {
        if self.is_above_ceiling() { Err(ParamsError::AboveCeiling) } else { Ok(()) }
    }

    pub(crate) fn is_above_ceiling(&self) -> bool {
        !self.all(u32::le, &Self::CEILING)
    }

    fn all(&self, holds: fn(&u32, &u32) -> bool, bound: &Self) -> bool {
        holds(&self.memory_kib, &bound.memory_kib)
            && holds(&self.passes, &bound.passes)
            && holds(&self.lanes, &bound.lanes)
    }
}

/// Derives a 32-byte key from `passphrase`, after [`Argon2Params::check`].
///
/// Takes tenths of a second by design. The working memory is overwritten before it is freed.
pub(crate) fn derive(
    passphrase: &[u8],
    salt: &[u8; SALT_LEN],
    params: Argon2Params,
) -> Result<Zeroizing<[u8; KEY_LEN]>, ParamsError> {
    params.check()?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    recompute(passphrase, salt, params, &mut *key)?;
    Ok(key)
}

/// Fills `out` with the hash of a password under parameters that somebody else chose: no floor but Argon2's own, and the
/// ceiling. The salt has 8 bytes or more, `out` 4 or more.
pub(crate) fn recompute(
    password: &[u8],
    salt: &[u8],
    params: Argon2Params,
    out: &mut [u8],
) -> Result<(), ParamsError> {
    params.check_ceiling()?;
    let params = Params::new(params.memory_kib, params.passes, params.lanes, Some(out.len()))
        .map_err(|_| ParamsError::BelowFloor)?;
    hash(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params), password, salt, out)
}

fn hash(
    argon2: &Argon2<'_>,
    passphrase: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), ParamsError> {
    let count = argon2.params().block_count();
    #[cfg(test)]
    work::count(count * argon2.params().t_cost() as usize);
    let mut memory = Vec::new();
    memory.try_reserve_exact(count).map_err(|_| ParamsError::OutOfMemory)?;
    memory.resize(count, Block::new());
    let hashed = argon2.hash_password_into_with_memory(passphrase, salt, out, &mut memory);
    memory.fill(Block::new());
    optimization_barrier(memory.as_slice());
    // The parameters, the salt and the output were checked: only the passphrase is left.
    hashed.map_err(|_| ParamsError::PassphraseTooLong)
}

/// The blocks that this thread has filled, so that tests compare work and not time.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local! { static BLOCKS: Cell<usize> = const { Cell::new(0) }; }

    pub(super) fn count(blocks: usize) {
        BLOCKS.set(BLOCKS.get() + blocks);
    }

    pub(crate) fn of<R>(work: impl FnOnce() -> R) -> (R, usize) {
        let before = BLOCKS.get();
        (work(), BLOCKS.get() - before)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;
    use crate::crypto::tests::hex;

    #[test]
    fn rfc_9106_argon2id_test_vector_holds() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let argon2 =
            Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut out = [0; 32];
        hash(&argon2, &[1; 32], &[2; 16], &mut out).unwrap();
        assert_eq!(
            out.as_slice(),
            hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
        );
    }

    #[test]
    fn derivation_agrees_with_another_implementation() {
        // Computed with OpenSSL's Argon2id.
        let known = [
            (
                Argon2Params::FLOOR,
                "c05df241225a5dddc515bc0b4fbf83d745dd15546eab205b4a38fbfd4ce8c105",
            ),
            (
                Argon2Params { memory_kib: 32_768, passes: 3, lanes: 4 },
                "bb5edb89cc3ccc8fa07b0d9c3320927289773e2af4262e5dd8d9768bbc43b6b6",
            ),
        ];
        for (params, key) in known {
            let derived =
                derive("correct horse 🐴".as_bytes(), b"0123456789abcdef", params).unwrap();
            assert_eq!(derived.as_slice(), hex(key));
        }
    }

    #[test]
    fn parameters_outside_floor_and_ceiling_are_refused() {
        use ParamsError::{AboveCeiling, BelowFloor};
        let Argon2Params { memory_kib, passes, lanes } = Argon2Params::FLOOR;
        let ceiling = Argon2Params::CEILING;
        for (params, expected) in [
            (Argon2Params::FLOOR, Ok(())),
            (Argon2Params::DEFAULT, Ok(())),
            (ceiling, Ok(())),
            (Argon2Params { memory_kib: memory_kib - 1, passes, lanes }, Err(BelowFloor)),
            (Argon2Params { memory_kib, passes: passes - 1, lanes }, Err(BelowFloor)),
            (Argon2Params { memory_kib, passes, lanes: 0 }, Err(BelowFloor)),
            (Argon2Params { memory_kib: ceiling.memory_kib + 1, ..ceiling }, Err(AboveCeiling)),
            (Argon2Params { passes: ceiling.passes + 1, ..ceiling }, Err(AboveCeiling)),
            (Argon2Params { lanes: ceiling.lanes + 1, ..ceiling }, Err(AboveCeiling)),
            (Argon2Params { memory_kib: u32::MAX, passes, lanes }, Err(AboveCeiling)),
        ] {
            assert_eq!(params.check(), expected, "{params:?}");
            if expected.is_err() {
                assert_eq!(derive(b"passphrase", &[0; SALT_LEN], params).err(), expected.err());
            }
        }
    }
}
