//! The text of a token.

use zeroize::Zeroizing;

use crate::crypto::mac::sha256;
use crate::secret::SecretString;

/// A token's text, read.
pub(crate) struct Parsed<'t> {
    pub(crate) prefix: &'t str,
    pub(crate) id: [u8; 12],
    pub(crate) secret: Zeroizing<[u8; 32]>,
}

const BODY: usize = 96;

/// Reads a token; `None` where it is malformed or its checksum wrong.
pub(crate) fn parse(text: &str) -> Option<Parsed<'_>> {
    let (prefix, body) = text.rsplit_once('_')?;
    let mut bytes = Zeroizing::new([0; BODY / 2]);
    let decoded = base16ct::lower::decode(body, &mut *bytes).ok()?;
    let (id, rest) = decoded.split_first_chunk::<12>()?;
    let (secret, check) = rest.split_first_chunk::<32>()?;
    if !is_prefix(prefix) || check != sum(prefix, id, secret) {
        return None;
    }
    Some(Parsed { prefix, id: *id, secret: Zeroizing::new(*secret) })
}

/// True for a text of the form of a token, whatever its checksum.
pub(crate) fn is_shaped(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(prefix, body)| is_prefix(prefix) && body.len() == BODY)
}

/// The text of a token.
pub(crate) fn format(prefix: &str, id: &[u8; 12], secret: &[u8; 32]) -> SecretString {
    let hex = |bytes: &[u8]| Zeroizing::new(base16ct::lower::encode_string(bytes));
    let (id_hex, secret_hex) = (hex(id), hex(secret));
    let check = hex(&sum(prefix, id, secret));
    SecretString::from(format!("{prefix}_{}{}{}", *id_hex, *secret_hex, *check))
}

/// True for what may stand before the body.
pub(crate) fn is_prefix(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase())
}

fn sum(prefix: &str, id: &[u8; 12], secret: &[u8; 32]) -> [u8; 4] {
    let hash = sha256(&[prefix.as_bytes(), id, secret]);
    hash.first_chunk().copied().unwrap_or_default()
}
