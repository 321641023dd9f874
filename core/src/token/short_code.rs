//! Short codes: numbers that a person types. They are few enough to be guessed, so each has a number of attempts, and a
//! slow hash.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use super::check::{Purpose, Rejection, TokenCheck};
use super::definition::column;
use super::handle::{Tokens, settled};
use super::issue::{Fresh, NewToken, Secret};
use super::issued::{Token, id_bytes};
use super::kind::TokenKind;
use super::request::{check_data, check_text, check_time, millis};
use super::revoke::revoke_of_subject;
use super::store::{Found, Store};
use crate::crypto::mac::ct_eq;
use crate::crypto::password::{Argon2Params, KEY_LEN, ParamsError, SALT_LEN, derive};
use crate::crypto::random;
use crate::error::{Result, err, fail};
use crate::keys::Hashed;
use crate::keys::seal::no_randomness;
use crate::metrics::Counter;
use crate::secret::{SecretString, WipedText};
use crate::value::ValueRef;

/// The cost of a guess for somebody who has the file and its keys. Whoever has only the codes to try has the attempts.
const COST: Argon2Params = Argon2Params::FLOOR;
/// What stands before a code's hash: the salt, and the cost's three numbers in four bytes each.
const HEAD_LEN: usize = SALT_LEN + 12;
/// The longest time that a code is valid: a day.
const MAX_EXPIRY: Duration = Duration::from_secs(86_400);
/// The most attempts.
const MAX_ATTEMPTS: u32 = 10;

/// A short code to issue: by default 6 digits, 5 attempts, 10 minutes.
#[derive(Clone)]
pub struct CodeRequest {
    subject: WipedText,
    digits: u8,
    attempts: u32,
    expires_in: Duration,
    label: Option<WipedText>,
    data: Option<WipedText>,
    replace_older: bool,
}

/// A short code just issued.
pub struct IssuedCode {
    /// What is known of it. Its id goes into the form in which the person types the code.
    pub token: Token,
    /// The code, given out this once.
    pub code: SecretString,
}

impl CodeRequest {
    /// A code for a subject, 1 to 256 bytes. Codes of the subject that are still out are revoked.
    pub fn new(subject: impl Into<String>) -> Self {
        CodeRequest {
            subject: WipedText::new(subject),
            digits: 6,
            attempts: 5,
            expires_in: Duration::from_secs(600),
            label: None,
            data: None,
            replace_older: true,
        }
    }

    /// How many digits: 6 to 10.
    #[must_use]
    pub fn digits(mut self, digits: u8) -> Self {
        self.digits = digits;
        self
    }

    /// How many attempts: 1 to 10.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long it is valid: a millisecond to a day.
    #[must_use]
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = time;
        self
    }

    /// What people know it by. Sealed.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(WipedText::new(label));
        self
    }

    /// What the application wants to know of it, as JSON text of at most 16 KiB. Sealed.
    #[must_use]
    pub fn data(mut self, json: impl Into<String>) -> Self {
        self.data = Some(WipedText::new(json));
        self
    }

    /// Leaves the codes of the subject that are still out valid. Each has attempts of its own.
    #[must_use]
    pub fn keep_older(mut self) -> Self {
        self.replace_older = false;
        self
    }

    fn check(&self) -> Result<()> {
        check_text("a subject", Some(&self.subject))?;
        check_text("a label", self.label.as_deref())?;
        check_data(self.data.as_deref())?;
        check_time(self.expires_in)?;
        if !(6..=10).contains(&self.digits) {
            fail!(InvalidInput, "a short code has 6 to 10 digits");
        }
        if !(1..=MAX_ATTEMPTS).contains(&self.attempts) {
            fail!(InvalidInput, "a short code has 1 to {MAX_ATTEMPTS} attempts");
        }
        if self.expires_in > MAX_EXPIRY {
            fail!(InvalidInput, "a short code is valid for a day at most");
        }
        Ok(())
    }
}

impl Tokens<'_> {
    /// Issues a short code; it is given out this once. The slow hash (Argon2id, 19 MiB, two passes) is computed before
    /// the lock is taken; in a transaction of the caller's that lock is taken already, so it is refused there. Audited
    /// as `token.issued`.
    ///
    /// # Errors
    /// `invalid_input` and `limit` for a request out of bounds; `refused` inside a transaction.
    pub fn issue_code(&self, request: &CodeRequest) -> Result<IssuedCode> {
        request.check()?;
        self.check_alone("a short code")?;
        let fresh = Fresh::new()?;
        let code = random_code(request.digits)?;
        let mut salt = [0; SALT_LEN];
        random::fill(&mut salt).map_err(|_| no_randomness())?;
        let stretched = stretch(&code, &salt, COST)?;
        let mut head = salt.to_vec();
        for number in [COST.memory_kib, COST.passes, COST.lanes] {
            head.extend_from_slice(&number.to_be_bytes());
        }
        let token = self.write(|store| {
            store.prepare()?;
            let now = store.view(|view| view.now())?;
            let kind = Some(TokenKind::ShortCode);
            let replaced = if request.replace_older {
                revoke_of_subject(store, &request.subject, kind, None, now)?
            } else {
                0
            };
            let new = NewToken {
                kind: TokenKind::ShortCode,
                subject: Some(&request.subject),
                expires_at: Some(now.saturating_add(millis(request.expires_in))),
                uses_left: Some(1),
                attempts_left: Some(request.attempts),
                created_at: now,
                label: request.label.as_deref(),
                data: request.data.as_deref(),
                ..NewToken::default()
            };
            let token = new.write(store, &fresh.id, Secret::Code(&stretched, &head))?;
            store.note("token.issued", &token, [("replaced", replaced.into())])?;
            Ok(token)
        })?;
        self.count(Counter::TokensIssued);
        Ok(IssuedCode { token, code: SecretString::from(code.as_str()) })
    }

    /// Verifies a short code against the one that was issued under this id, and uses it up. Each call that gets as far as
    /// the code is one attempt, counted in a transaction of its own whatever its outcome: of any number of processes
    /// that guess at once, no more than the attempts are answered. Audited as `token.consumed` or `token.code_failed`.
    ///
    /// # Errors
    /// `token_rejected` for a wrong code, and for everything else that does not hold; `refused` inside a transaction,
    /// whose roll-back would give the attempt back.
    pub fn verify_code(&self, id: &str, code: &str) -> Result<Token> {
        self.check_alone("an attempt at a short code")?;
        let unknown = || Ok(Err(Rejection::Unknown));
        let check = TokenCheck::kind(TokenKind::ShortCode);
        let fits = |found: &Found| {
            Self::refusal(found, Purpose::Code, check.accepts(&found.token)).map_or(Ok(()), Err)
        };
        let Some(bytes) = id_bytes(id) else { return Err(self.reject(Rejection::Malformed)) };
        let found = self.read(
            |view| view.find(&bytes).map(|found| found.ok_or(Rejection::Unknown)),
            || Err(Rejection::Unknown),
        );
        let found = settled(found)?.map_err(|refused| self.reject(refused))?;
        fits(&found).map_err(|refused| self.reject(refused))?;
        // Slow, and so before the lock; whether there is an attempt left to use it for is asked again under the lock.
        let (salt, cost) = head(&found.token)?;
        let digits = code.len() <= 10 && code.bytes().all(|b| b.is_ascii_digit());
        let presented = stretch(if digits { code } else { "" }, &salt, cost)?;
        let used = self.write(|store| {
            let found = match settled(store.view(|view| view.find(&bytes).map(Ok)))? {
                Ok(Some(found)) => found,
                Ok(None) => return unknown(),
                Err(refused) => return Ok(Err(refused)),
            };
            if let Err(refused) = fits(&found) {
                return Ok(Err(refused));
            }
            attempt(store, &found, &presented)
        })?;
        used.inspect(|_| self.count(Counter::TokensConsumed))
            .map_err(|refused| self.reject(refused))
    }
}

/// Charges an attempt, and takes the one use where the code is right.
fn attempt(
    store: Store<'_>,
    found: &Found,
    presented: &[u8; KEY_LEN],
) -> Result<std::result::Result<Token, Rejection>> {
    let token = &found.token;
    let damaged = || err!(Corrupt, "a token's row opens and does not read");
    let id = id_bytes(token.id()).ok_or_else(damaged)?;
    let hash = token.at(column::HASH).as_bytes().and_then(|bytes| bytes.get(HEAD_LEN..));
    let wanted = found.key.pepper(store.tenant)?.hash(&id, Hashed::Stretched(presented));
    let right = ct_eq(&wanted, hash.ok_or_else(damaged)?);
    let left = token.attempts_left().and_then(|left| left.checked_sub(1)).ok_or_else(damaged)?;
    let mut changes = vec![(column::ATTEMPTS_LEFT, ValueRef::from(left))];
    if right {
        changes.push((column::USES_LEFT, ValueRef::Integer(0)));
        changes.push((column::LAST_USED_AT, ValueRef::Integer(found.now)));
    }
    let token = store.change(token.id(), &changes)?;
    let event = if right { "token.consumed" } else { "token.code_failed" };
    store.note(event, &token, [("attempts_left", left.into())])?;
    Ok(if right { Ok(token) } else { Err(Rejection::WrongSecret) })
}

/// The salt and cost of a code's hash.
fn head(token: &Token) -> Result<([u8; SALT_LEN], Argon2Params)> {
    let damaged = || err!(Corrupt, "a token's row opens and does not read");
    let hash = token.at(column::HASH).as_bytes().unwrap_or_default();
    let (salt, rest) = hash.split_first_chunk().ok_or_else(damaged)?;
    let mut numbers =
        rest.chunks_exact(4).filter_map(|n| n.try_into().ok()).map(u32::from_be_bytes);
    let mut next = || numbers.next().ok_or_else(damaged);
    Ok((*salt, Argon2Params { memory_kib: next()?, passes: next()?, lanes: next()? }))
}

fn stretch(
    code: &str,
    salt: &[u8; SALT_LEN],
    cost: Argon2Params,
) -> Result<Zeroizing<[u8; KEY_LEN]>> {
    derive(code.as_bytes(), salt, cost).map_err(|error| match error {
        ParamsError::OutOfMemory => err!(Limit, "there is no memory for the hash of a short code"),
        _ => err!(Corrupt, "a token's row opens and does not read"),
    })
}

/// Decimal digits, each code equally probable.
fn random_code(digits: u8) -> Result<Zeroizing<String>> {
    let codes = 10_u64.pow(u32::from(digits));
    loop {
        let mut bytes = Zeroizing::new([0; 8]);
        random::fill(&mut *bytes).map_err(|_| no_randomness())?;
        if let Some(code) = fair(u64::from_be_bytes(*bytes), codes) {
            let width = usize::from(digits);
            return Ok(Zeroizing::new(format!("{code:0width$}")));
        }
    }
}

/// The code that a random number gives; `None` for the numbers at the end that would make some codes more probable.
fn fair(number: u64, codes: u64) -> Option<u64> {
    let limit = u64::MAX - u64::MAX % codes;
    (number < limit).then_some(number % codes)
}

impl fmt::Debug for CodeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeRequest({} digits)", self.digits)
    }
}

impl fmt::Debug for IssuedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedCode({})", self.token.id())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 2^64 numbers end in 551,616 that are one too few for a round of 1,000,000 codes.
    #[test]
    fn numbers_of_an_incomplete_round_of_codes_are_drawn_again() {
        let rounds = 18_446_744_073_709_000_000;
        for (number, code) in
            [(0, Some(0)), (1_000_007, Some(7)), (rounds - 1, Some(999_999)), (rounds, None)]
        {
            assert_eq!(fair(number, 1_000_000), code, "{number}");
        }
        assert_eq!(fair(u64::MAX, 1_000_000), None);
    }

    #[test]
    fn a_code_has_every_digit_also_where_they_are_zeros() {
        for digits in 6..=10 {
            let code = random_code(digits).unwrap();
            assert_eq!(code.len(), usize::from(digits));
            assert!(code.bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
