//! How secrets are written as text: a 32-byte key in hexadecimal or base64, a recovery code in Crockford's base32.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::Malformed;
use crate::crypto::mac::{ct_eq, sha256};

/// Crockford's base32 alphabet: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Random bytes in a recovery code: 160 bits.
pub(crate) const RECOVERY_LEN: usize = 20;
/// Symbols: 32 for the bits, 4 for the checksum.
const RECOVERY_SYMBOLS: usize = 36;
const GROUP: usize = 4;
/// The value of whatever is no symbol.
const NO_SYMBOL: u8 = 0xff;
const CHECKSUM_LABEL: &[u8] = b"sealite/recovery-code/1";

/// A 32-byte key from 64 hexadecimal digits, or from base64 or base64url with or without padding. White space around
/// it is ignored.
pub(crate) fn parse_key(text: &str) -> Result<Zeroizing<[u8; 32]>, Malformed> {
    let text = text.trim();
    let mut key = Zeroizing::new([0; 32]);
    let bare = text.trim_end_matches('=');
    let decoded = if text.len() == 64 {
        base16ct::mixed::decode(text, key.as_mut_slice()).map(<[u8]>::len).ok()
    } else if bare.len() == 43 && text.len() <= 44 {
        let standard = Base64Unpadded::decode(bare, key.as_mut_slice()).map(<[u8]>::len);
        standard
            .or_else(|_| Base64UrlUnpadded::decode(bare, key.as_mut_slice()).map(<[u8]>::len))
            .ok()
    } else {
        None
    };
    if decoded == Some(32) { Ok(key) } else { Err(Malformed) }
}

/// A key as 64 hexadecimal digits.
pub(crate) fn format_key(key: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(base16ct::lower::encode_string(key))
}

/// Nine groups of four symbols, joined by hyphens: the 160 bits, then 20 bits of a checksum.
pub(crate) fn format_recovery(bits: &[u8; RECOVERY_LEN]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(RECOVERY_SYMBOLS + 8));
    for (position, symbol) in symbols(bits).enumerate() {
        if position > 0 && position % GROUP == 0 {
            text.push('-');
        }
        text.push(symbol);
    }
    text
}

/// The bits of a recovery code. Case, hyphens and white space do not matter; O reads as 0, I and L as 1; a wrong
/// checksum is refused, so a misspelt code is told from a wrong one. The time depends on where hyphens and white space
/// stand, not on what the symbols are.
pub(crate) fn parse_recovery(text: &str) -> Result<Zeroizing<[u8; RECOVERY_LEN]>, Malformed> {
    let mut given = Zeroizing::new([0u8; RECOVERY_SYMBOLS]);
    let mut count = 0;
    for character in text.chars().filter(|c| *c != '-' && !c.is_whitespace()) {
        let symbol = u8::try_from(character).map_err(|_| Malformed)?;
        *given.get_mut(count).ok_or(Malformed)? = value_of(symbol).ok_or(Malformed)?;
        count += 1;
    }
    if count != RECOVERY_SYMBOLS {
        return Err(Malformed);
    }
    let mut bits = Zeroizing::new([0u8; RECOVERY_LEN]);
    let number =
        |symbols: &[u8]| symbols.iter().fold(0u64, |word, symbol| word << 5 | u64::from(*symbol));
    let (words, checksum) = given.split_at(RECOVERY_SYMBOLS - GROUP);
    for (bytes, symbols) in bits.chunks_exact_mut(5).zip(words.chunks_exact(8)) {
        bytes.copy_from_slice(number(symbols).to_be_bytes().get(3..).ok_or(Malformed)?);
    }
    let same = ct_eq(&number(checksum).to_be_bytes(), &checksum_of(&bits).to_be_bytes());
    if same { Ok(bits) } else { Err(Malformed) }
}

/// What a symbol stands for. Every symbol is looked at: an index that a secret chooses would show in the cache.
fn value_of(symbol: u8) -> Option<u8> {
    let symbol = symbol.to_ascii_uppercase();
    let known = ALPHABET.iter().zip(0..).chain([(&b'O', 0), (&b'I', 1), (&b'L', 1)]);
    let value = known.fold(NO_SYMBOL, |found, (known, value)| {
        // All ones where they are the same.
        let same = (u16::from(known ^ symbol).wrapping_sub(1) >> 8) as u8;
        found & !same | value & same
    });
    (value != NO_SYMBOL).then_some(value)
}

/// The first 20 bits of a hash.
fn checksum_of(bits: &[u8; RECOVERY_LEN]) -> u64 {
    let digest = sha256(&[CHECKSUM_LABEL, bits]);
    digest.iter().take(3).fold(0, |word, byte| word << 8 | u64::from(*byte)) >> 4
}

fn symbols(bits: &[u8; RECOVERY_LEN]) -> impl Iterator<Item = char> {
    let words = bits
        .chunks_exact(5)
        .map(|five| (five.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 8))
        .chain([(checksum_of(bits), GROUP)]);
    words.flat_map(|(word, count)| {
        (0..count).rev().map(move |at| {
            let value = (word >> (5 * at)) & 31;
            ALPHABET.get(value as usize).map_or('0', |s| char::from(*s))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_in_each_notation() {
        let key: [u8; 32] = std::array::from_fn(|i| (i * 37) as u8);
        let hex = format_key(&key);
        assert_eq!(*parse_key(&hex).expect("hex"), key);
        assert_eq!(*parse_key(&format!(" {}\n", hex.to_uppercase())).expect("hex"), key);
        for text in [Base64Unpadded::encode_string(&key), Base64UrlUnpadded::encode_string(&key)] {
            assert_eq!(*parse_key(&text).expect("base64"), key);
            assert_eq!(*parse_key(&format!("{text}=")).expect("padded"), key);
            assert!(parse_key(&format!("{text}==")).is_err());
        }
        for bad in ["", "00", &hex[1..], &format!("{}g", &hex[1..])] {
            assert!(parse_key(bad).is_err());
        }
    }

    #[test]
    fn a_recovery_code_forgives_handwriting_but_no_misspelling() {
        let bits: [u8; RECOVERY_LEN] = std::array::from_fn(|i| (i * 91 + 5) as u8);
        let code = format_recovery(&bits);
        assert_eq!(code.len(), 44);
        assert_eq!(*parse_recovery(&code).expect("code"), bits);
        let sloppy = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(*parse_recovery(&sloppy).expect("sloppy"), bits);
        let mut refused = 0;
        for at in 0..code.len() {
            for symbol in "0Z".chars() {
                let mut other = code.to_string();
                other.replace_range(at..=at, &symbol.to_string());
                if other != *code && !other[..at].ends_with('-') {
                    refused += usize::from(parse_recovery(&other).is_err());
                }
            }
        }
        assert!(refused >= 60, "{refused}");
        assert!(parse_recovery("").is_err() && parse_recovery(&code[1..]).is_err());
        assert!(parse_recovery(&format!("{}0", code.as_str())).is_err());
    }

    #[test]
    fn every_symbol_reads_as_its_value_and_nothing_else_does() {
        for byte in 0..=u8::MAX {
            let known = |symbol: u8| ALPHABET.iter().position(|known| *known == symbol);
            let expected = match byte.to_ascii_uppercase() {
                b'O' => Some(0),
                b'I' | b'L' => Some(1),
                other => known(other),
            };
            assert_eq!(value_of(byte).map(usize::from), expected, "{byte}");
        }
        // The letter that looks like one and is another.
        assert!(parse_recovery(&"\u{430}".repeat(36)).is_err());
    }
}
