//! One value in memory: a field against AES-256-GCM alone.

use std::hint::black_box;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use sealite::{IdRef, ValueRef, Vault};

use super::{Measured, Unit};
use crate::Outcome;
use crate::measure::{Spent, Stopwatch, interleave};

/// Bytes of the value.
const VALUE: usize = 64;
/// The length of the associated data that the engine makes for this field and record id: label 16, header 31, vault 16,
/// table 4, presence 1, field name 4 + 11, record id 1 + 4 + 8, count of columns 2.
const ASSOCIATED: usize = 98;
const FIELD: &str = "users.email";
const NONCE: usize = 12;
const TAG: usize = 16;
/// Operations a measurement.
const ROUNDS: u32 = 200_000;

/// Measures sealing and opening.
pub(super) fn measure(pairs: usize, note: &mut dyn FnMut(Measured) -> Outcome<()>) -> Outcome<()> {
    let vault = Vault::in_memory()?;
    let field = vault.field(FIELD)?;
    let value = [0x42_u8; VALUE];
    let mut gcm = Gcm::new()?;

    let seal = interleave(
        pairs,
        || timed(|_| gcm.seal(&value)),
        || timed(|round| Ok(field.seal(ValueRef::Blob(&value), Some(IdRef::Integer(round)))?)),
    )?;
    note(Measured {
        name: "seal64_vs_gcm64",
        what: format!(
            "Field::seal of 64 bytes with record id (padded to 96, context of {ASSOCIATED} bytes, commitment) against \
             aes-gcm with a cached key over 64 bytes and as much associated data; both return a new Vec; both draw \
             random nonces from the operating system in blocks of 4 KiB (24 and 12 bytes each)"
        ),
        comparison: seal.each(ROUNDS as usize),
        unit: Unit::Time,
    })?;

    let sealed = field.seal(ValueRef::Blob(&value), Some(IdRef::Integer(0)))?;
    let encrypted = gcm.seal(&value)?;
    let open = interleave(
        pairs,
        || timed(|_| gcm.open(&encrypted)),
        || timed(|_| Ok(field.open(black_box(&sealed), Some(IdRef::Integer(0)))?)),
    )?;
    note(Measured {
        name: "open64_vs_gcm64",
        what: format!(
            "Field::open of that record against aes-gcm with a cached key opening 64 bytes under {ASSOCIATED} bytes of \
             associated data; both return the value in memory of its own"
        ),
        comparison: open.each(ROUNDS as usize),
        unit: Unit::Time,
    })
}

fn timed<T>(mut once: impl FnMut(i64) -> Outcome<T>) -> Outcome<Spent> {
    let watch = Stopwatch::start();
    for round in 0..i64::from(ROUNDS) {
        black_box(once(black_box(round))?);
    }
    Ok(watch.spent())
}

/// AES-256-GCM as a program would use it without the engine.
struct Gcm {
    cipher: Aes256Gcm,
    associated: [u8; ASSOCIATED],
    block: [u8; 4092],
    next: usize,
}

impl Gcm {
    fn new() -> Outcome<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let cipher = Aes256Gcm::new(&key.into());
        Ok(Gcm { cipher, associated: [7; ASSOCIATED], block: [0; 4092], next: 4092 })
    }

    fn nonce(&mut self) -> Outcome<[u8; NONCE]> {
        if self.next == self.block.len() {
            getrandom::fill(&mut self.block)?;
            self.next = 0;
        }
        let nonce = self.block.get(self.next..).and_then(|rest| rest.first_chunk()).copied();
        self.next += NONCE;
        nonce.ok_or_else(|| "a block that is no multiple of a nonce".into())
    }

    /// Nonce, ciphertext, tag.
    fn seal(&mut self, value: &[u8]) -> Outcome<Vec<u8>> {
        let nonce = self.nonce()?;
        let mut out = Vec::with_capacity(NONCE + value.len() + TAG);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(value);
        let (_, body) = out.split_at_mut(NONCE);
        let tag = self
            .cipher
            .encrypt_inout_detached(&Nonce::from(nonce), &self.associated, body.into())
            .map_err(|_| "too long")?;
        out.extend_from_slice(&tag);
        Ok(out)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let sealed = black_box(sealed);
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or("too short")?;
        let (body, tag) = rest.split_last_chunk::<TAG>().ok_or("too short")?;
        let mut out = body.to_vec();
        self.cipher
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                &self.associated,
                out.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| "refused")?;
        Ok(out)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn peer_really_encrypts_and_authenticates() {
        let mut gcm = Gcm::new().unwrap();
        let first = gcm.seal(&[1; VALUE]).unwrap();
        assert_eq!(first.len(), NONCE + VALUE + TAG);
        assert_eq!(gcm.open(&first).unwrap(), [1; VALUE]);
        for at in 0..first.len() {
            let mut altered = first.clone();
            altered[at] ^= 1;
            assert!(gcm.open(&altered).is_err());
        }
        for _ in 0..1_000 {
            assert_ne!(gcm.seal(&[1; VALUE]).unwrap(), first);
        }
    }
}
