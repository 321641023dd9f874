//! The text of a token: `prefix_`, 17 digits of its public id, 43 of its secret and 6 of a checksum, all in base62. Its length
//! is fixed, its form is the only one, and `docs/format.md` says what each character is.
//!
//! The checksum is CRC-32 over all the text before it, as in GitHub's tokens: it finds every error within four neighbouring
//! characters with certainty, where a truncated hash would with some probability; and it needs no secrecy, being a
//! function of what stands beside it.

use zeroize::Zeroizing;

use crate::secret::SecretString;

/// Bytes of a public id: 96 random bits.
pub(crate) const ID_LEN: usize = 12;
/// Bytes of a secret.
pub(crate) const SECRET_LEN: usize = 32;

/// A regular expression for scanners of secrets and for filters of logs: it finds every token that the engine makes, whatever
/// its prefix, and hardly anything else. In the common subset of RE2, PCRE, Python, JavaScript and Rust.
///
/// What it finds is a token where [`is_token_text`] agrees: the checksum leaves one in 2^32 other texts.
pub const TOKEN_PATTERN: &str = r"[a-z][a-z0-9_]{0,23}_[01][0-9A-Za-z]{59}[0-4][0-9A-Za-z]{5}\b";

/// Whether `text` has the form and the checksum of a token. It asks no vault: whether the token is valid is another question.
///
/// ```
/// let text = "slses_1MQPiAB4wPzjIvV41XDeYM2BggfbE1oADU2oEsxP67SuHKeUIAbVQZCIwKyR0dIVd9";
/// assert!(sealite::is_token_text(text));
/// assert!(!sealite::is_token_text(&text.replace("MQ", "QM")));
/// ```
pub fn is_token_text(text: &str) -> bool {
    parse(text).is_some()
}

/// What a token's text says.
pub(crate) struct Parsed<'t> {
    pub(crate) prefix: &'t str,
    pub(crate) id: [u8; ID_LEN],
    pub(crate) secret: Zeroizing<[u8; SECRET_LEN]>,
}

/// None: not the one text of any token. It does little work for whatever is offered, of any length.
pub(crate) fn parse(text: &str) -> Option<Parsed<'_>> {
    let (head, body) = text.split_at_checked(text.len().checked_sub(BODY_DIGITS)?)?;
    let prefix = head.strip_suffix(SEPARATOR).filter(|prefix| is_prefix(prefix))?;
    let (checked, checksum) = text.split_at_checked(text.len() - CHECKSUM_DIGITS)?;
    if checksum.as_bytes() != checksum_of(checked) {
        return None;
    }
    let (id, rest) = body.as_bytes().split_at_checked(ID_DIGITS)?;
    let (secret, _) = rest.split_at_checked(SECRET_DIGITS)?;
    let (id, secret) = (number::<2>(id)?, number::<4>(secret)?);
    let [high, low] = *id;
    let mut parsed = Parsed { prefix, id: [0; ID_LEN], secret: Zeroizing::new([0; SECRET_LEN]) };
    let (first, last) = parsed.id.split_at_mut(4);
    first.copy_from_slice(&u32::try_from(high).ok()?.to_be_bytes());
    last.copy_from_slice(&low.to_be_bytes());
    for (bytes, limb) in parsed.secret.chunks_exact_mut(8).zip(secret.iter()) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    Some(parsed)
}

/// Whether a text has the form of a token, whatever its checksum: it can be nothing else.
pub(crate) fn is_shaped(text: &str) -> bool {
    let body = text.len().checked_sub(BODY_DIGITS).and_then(|at| text.split_at_checked(at));
    body.is_some_and(|(head, body)| {
        body.bytes().all(|b| b.is_ascii_alphanumeric())
            && head.strip_suffix(SEPARATOR).is_some_and(is_prefix)
    })
}

/// The text of a token. `prefix` has passed [`is_prefix`].
pub(crate) fn format(prefix: &str, id: &[u8; ID_LEN], secret: &[u8; SECRET_LEN]) -> SecretString {
    let mut text = String::with_capacity(prefix.len() + 1 + BODY_DIGITS);
    text.push_str(prefix);
    text.push(SEPARATOR);
    push_digits::<2, ID_DIGITS>(&mut text, id);
    push_digits::<4, SECRET_DIGITS>(&mut text, secret);
    let checksum = checksum_of(&text);
    text.extend(checksum.map(char::from));
    SecretString::from(text)
}

/// Whether a token's text may begin so: 1 to 24 characters, lower-case letters and digits, a letter first, in words that
/// single underscores join.
pub(crate) fn is_prefix(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.len() <= MAX_PREFIX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.split(SEPARATOR).all(word)
}

/// CRC-32 (ISO 3309, as in zlib) of the text, in base62.
fn checksum_of(text: &str) -> [u8; CHECKSUM_DIGITS] {
    let mut rest = u64::from(crc32fast::hash(text.as_bytes()));
    let mut digits = [b'0'; CHECKSUM_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = symbol(rest % 62);
        rest /= 62;
    }
    digits
}

/// A number from its base62 digits, as 64-bit limbs, the highest first; None for other characters, and where it does not fit.
fn number<const LIMBS: usize>(digits: &[u8]) -> Option<Zeroizing<[u64; LIMBS]>> {
    let mut limbs = Zeroizing::new([0u64; LIMBS]);
    let mut odd = 0;
    for group in digits.chunks(GROUP) {
        let (mut added, mut factor) = (0u64, 1u64);
        for digit in group {
            let value = VALUES.get(usize::from(*digit)).copied().unwrap_or(NO_DIGIT);
            odd |= value;
            added = added * 62 + u64::from(value & 63);
            factor *= 62;
        }
        let mut carry = added;
        for limb in limbs.iter_mut().rev() {
            let wide = u128::from(*limb) * u128::from(factor) + u128::from(carry);
            *limb = wide as u64;
            carry = (wide >> 64) as u64;
        }
        if carry != 0 {
            return None;
        }
    }
    (odd & NO_DIGIT == 0).then_some(limbs)
}

/// The base62 digits of a number of big-endian bytes.
fn push_digits<const LIMBS: usize, const DIGITS: usize>(out: &mut String, bytes: &[u8]) {
    let mut limbs = Zeroizing::new([0u64; LIMBS]);
    for (limb, part) in limbs.iter_mut().rev().zip(bytes.rchunks(8)) {
        *limb = part.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    let mut digits = Zeroizing::new([b'0'; DIGITS]);
    for group in digits.rchunks_mut(GROUP) {
        let mut rest = 0u64;
        for limb in limbs.iter_mut() {
            let wide = u128::from(rest) << 64 | u128::from(*limb);
            *limb = (wide / u128::from(GROUP_FACTOR)) as u64;
            rest = (wide % u128::from(GROUP_FACTOR)) as u64;
        }
        for digit in group.iter_mut().rev() {
            *digit = symbol(rest % 62);
            rest /= 62;
        }
    }
    out.extend(digits.iter().copied().map(char::from));
}

fn symbol(value: u64) -> u8 {
    ALPHABET.get(value as usize).copied().unwrap_or(b'0')
}

const SEPARATOR: char = '_';
const MAX_PREFIX: usize = 24;
/// 2^96 - 1 has 17 digits, 2^256 - 1 has 43, 2^32 - 1 has 6.
const ID_DIGITS: usize = 17;
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
const BODY_DIGITS: usize = ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS;

/// In the order of ASCII, so that texts sort as their numbers do.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits that one multiplication takes: 62^10 is the greatest power within 64 bits.
const GROUP: usize = 10;
const GROUP_FACTOR: u64 = 62u64.pow(GROUP as u32);

const NO_DIGIT: u8 = 0x80;
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        // An index out of bounds does not compile.
        #[allow(clippy::indexing_slicing)]
        {
            values[ALPHABET[value] as usize] = value as u8;
        }
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests;
