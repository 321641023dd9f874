//! The comparisons that are measured, each through the engine's public interface.

use std::path::Path;

use sealite::{
    Column, ExposeSecret, TableDefinition, TokenKind, TokenRequest, Unlock, Vault, values,
};
use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::people::rng::SplitMix64;
use crate::sealed::fresh_key;

/// A comparison, and two classes of what is compared.
pub(super) struct Subject {
    pub(super) name: &'static str,
    /// The inputs of each class.
    pub(super) inputs: [Vec<Vec<u8>>; 2],
    /// What the leak that is put in compares with.
    pub(super) reference: Vec<u8>,
    /// What `run` must answer, to either class.
    pub(super) accepts: bool,
    pub(super) run: Box<Run>,
}

/// Whether an input is accepted.
pub(super) type Run = dyn Fn(&[u8]) -> bool;

impl Subject {
    pub(super) fn longest(&self) -> usize {
        self.inputs.iter().flatten().map(Vec::len).max().unwrap_or(0)
    }

    pub(super) fn input(&self, class: bool, random: &mut SplitMix64) -> &[u8] {
        let [no, yes] = &self.inputs;
        let inputs = if class { yes } else { no };
        // Drawn for both classes, also where there is one input only.
        let at = random.below(inputs.len() as u64) as usize;
        inputs.get(at).map_or(&[], Vec::as_slice)
    }
}

/// Every subject.
pub(super) fn all(folder: &Path) -> Outcome<Vec<Subject>> {
    let vault = Vault::create(folder.join("vault.db"), &fresh_key()?)?;
    Ok(vec![
        commitment(&vault)?,
        token(&vault)?,
        csrf(&vault)?,
        checkpoint(&vault)?,
        receipt(&vault)?,
        recovery_checksum(),
        recovery_symbols(),
    ])
}

/// A record whose commitment is wrong in its first or in its last byte.
fn commitment(vault: &Vault) -> Outcome<Subject> {
    let field = vault.field("constant time")?;
    let reference = field.seal("a value", None)?;
    let length = reference.len();
    Ok(Subject {
        name: "key commitment: first byte wrong, last byte wrong",
        inputs: [length - 32, length - 1].map(|at| vec![changed(&reference, at, |b| b ^ 1)]),
        reference,
        accepts: false,
        run: Box::new(move |record| field.open(record, None).is_ok()),
    })
}

/// A token of the right public id whose secret is right but for its last digit, or another's.
fn token(vault: &Vault) -> Outcome<Subject> {
    let issue = || {
        let issued = vault.tokens().issue(&TokenRequest::new(TokenKind::Session))?;
        Ok::<_, sealite::Error>(issued.text.expose_secret().as_bytes().to_vec())
    };
    let reference = issue()?;
    let (_, end) = (0, reference.len() - CHECKSUM_DIGITS);
    let near = with_checksum(changed(&reference, end - 1, other_digit));
    let mut others = Vec::with_capacity(INPUTS);
    for _ in 0..INPUTS {
        let (mut text, other) = (reference.clone(), issue()?);
        let secret = end - SECRET_DIGITS..end;
        if let (Some(to), Some(from)) = (text.get_mut(secret.clone()), other.get(secret)) {
            to.copy_from_slice(from);
        }
        others.push(with_checksum(text));
    }
    let vault = vault.clone();
    Ok(Subject {
        name: "token: secret wrong in its last digit, all wrong",
        inputs: [vec![near], others],
        reference,
        accepts: false,
        run: Box::new(move |text| {
            let text = std::str::from_utf8(text).unwrap_or_default();
            vault.tokens().verify(text, TokenKind::Session).is_ok()
        }),
    })
}

/// A CSRF token whose MAC is wrong in its first or in its last byte.
fn csrf(vault: &Vault) -> Outcome<Subject> {
    let session = vault.tokens().issue(&TokenRequest::new(TokenKind::Session))?.text;
    let reference = vault.tokens().csrf(session.expose_secret())?.into_bytes();
    // 32 bytes of mask, then 32 of the masked MAC: the characters that are within its first and its last byte.
    let inputs = [43, 84].map(|at| vec![changed(&reference, at, other_digit)]);
    let vault = vault.clone();
    Ok(Subject {
        name: "CSRF token: first byte wrong, last byte wrong",
        inputs,
        reference,
        accepts: false,
        run: Box::new(move |text| {
            let text = std::str::from_utf8(text).unwrap_or_default();
            vault.tokens().check_csrf(session.expose_secret(), text)
        }),
    })
}

/// A checkpoint of the trail whose MAC is wrong in its first or in its last byte.
fn checkpoint(vault: &Vault) -> Outcome<Subject> {
    let reference = vault.audit().checkpoint()?.text().as_bytes().to_vec();
    // 68 bytes, then 32 of the MAC, in base64 behind a prefix: the characters that are within its first and its last byte.
    let prefix = reference.len() - 134;
    let inputs = [91, 132].map(|at| vec![changed(&reference, prefix + at, other_digit)]);
    let vault = vault.clone();
    Ok(Subject {
        name: "checkpoint: first byte of its MAC wrong, last byte",
        inputs,
        reference,
        accepts: false,
        run: Box::new(move |text| {
            let text = std::str::from_utf8(text).unwrap_or_default();
            vault.audit().read_checkpoint(text).is_ok()
        }),
    })
}

/// A receipt of an erasure whose MAC is wrong at its beginning or at its end.
fn receipt(vault: &Vault) -> Outcome<Subject> {
    let people = TableDefinition::new("people").column(Column::text("owner").authenticated());
    vault.define_table(&people.column(Column::text("name").sealed()).subject("owner"))?;
    vault.table("people")?.insert(values! {"owner" => "somebody", "name" => "a name"})?;
    let reference = vault.erase_subject(None, "somebody")?.text().as_bytes().to_vec();
    // 32 bytes of MAC in base64 at the end: the characters with its first byte, and with its last two.
    let mac = reference.len() - 43;
    let inputs = [0, 41].map(|at| vec![changed(&reference, mac + at, other_digit)]);
    let vault = vault.clone();
    Ok(Subject {
        name: "receipt of an erasure: first byte of its MAC wrong, last",
        inputs,
        reference,
        accepts: false,
        run: Box::new(move |text| {
            let text = std::str::from_utf8(text).unwrap_or_default();
            vault.verify_receipt(text).is_ok()
        }),
    })
}

/// A recovery code whose checksum is wrong in its first or in its last symbol.
fn recovery_checksum() -> Subject {
    let reference = recovery_code(&mut SplitMix64::new(5));
    let length = reference.len();
    Subject {
        name: "recovery code: checksum wrong in its first symbol, last",
        inputs: [length - 4, length - 1].map(|at| vec![changed(&reference, at, other_digit)]),
        reference,
        accepts: false,
        run: Box::new(is_recovery_code),
    }
}

/// One recovery code, or any.
fn recovery_symbols() -> Subject {
    let mut random = SplitMix64::new(6);
    let reference = recovery_code(&mut random);
    Subject {
        name: "recovery code: one code, random codes",
        inputs: [
            vec![reference.clone(); INPUTS],
            (0..INPUTS).map(|_| recovery_code(&mut random)).collect(),
        ],
        reference,
        accepts: true,
        run: Box::new(is_recovery_code),
    }
}

fn is_recovery_code(text: &[u8]) -> bool {
    Unlock::recovery_code(std::str::from_utf8(text).unwrap_or_default()).is_ok()
}

/// A recovery code as docs/format.md has it, of random bits.
fn recovery_code(random: &mut SplitMix64) -> Vec<u8> {
    let bits: Vec<u8> = (0..20).map(|_| random.below(256) as u8).collect();
    let hash = Sha256::new().chain_update("sealite/recovery-code/1").chain_update(&bits).finalize();
    let mut bytes = bits;
    bytes.extend(hash.iter().take(3));
    let symbol = |at: usize| {
        let value = (at..at + 5).fold(0, |value, bit| {
            let byte = bytes.get(bit / 8).copied().unwrap_or(0);
            value << 1 | usize::from(byte >> (7 - bit % 8) & 1)
        });
        SYMBOLS.get(value).copied().unwrap_or(b'0')
    };
    let symbols: Vec<u8> = (0..36).map(|number| symbol(number * 5)).collect();
    symbols.chunks(4).collect::<Vec<_>>().join(&b'-')
}

/// A text with one byte changed.
fn changed(text: &[u8], at: usize, change: fn(u8) -> u8) -> Vec<u8> {
    let mut text = text.to_vec();
    text.get_mut(at).into_iter().for_each(|byte| *byte = change(*byte));
    text
}

fn other_digit(digit: u8) -> u8 {
    if digit == b'0' { b'1' } else { b'0' }
}

/// A token's text with the checksum that belongs to it.
fn with_checksum(mut text: Vec<u8>) -> Vec<u8> {
    let end = text.len() - CHECKSUM_DIGITS;
    text.truncate(end);
    let mut rest = u64::from(crc32fast::hash(&text));
    let mut digits = [0; CHECKSUM_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    text.extend(digits);
    text
}

/// Inputs of a class of more than one: few enough to stay in the processor's cache.
const INPUTS: usize = 64;
/// Digits of a token's secret and of its checksum.
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Crockford's base32.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_gets_the_answer_that_its_subject_says() {
        let folder = tempfile::tempdir().unwrap();
        let subjects = all(folder.path()).unwrap();
        assert_eq!(subjects.len(), 7);
        for subject in subjects {
            for input in subject.inputs.iter().flatten() {
                assert_eq!(input.len(), subject.reference.len(), "{}", subject.name);
                assert_eq!((subject.run)(input), subject.accepts, "{}", subject.name);
            }
            assert!((subject.run)(&subject.reference), "{}", subject.name);
        }
        // What is changed is the secret: with an old checksum the text would be no token's.
        let text = with_checksum(
            b"slses_1MQPiAB4wPzjIvV41XDeYM2BggfbE1oADU2oEsxP67SuHKeUIAbVQZCIwKyR000000".to_vec(),
        );
        assert!(sealite::is_token_text(std::str::from_utf8(&text).unwrap()));
    }
}
