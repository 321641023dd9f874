//! CSRF tokens, derived from the token of a session: nothing is stored, and the session's own text is not shown in a page.
//!
//! token = base64url(mask || (mask xor HMAC-SHA-256(secret of the session, label || public id of the session)))
//!
//! The mask is fresh for each token that is issued, so that no two pages show the same bytes: compression of a page beside
//! text that an attacker chooses (BREACH) then tells nothing of the next one. All of a session's tokens hold until it ends or is
//! rotated.

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::text::{ID_LEN, Parsed, SECRET_LEN};
use crate::crypto::mac::{MAC_LEN, MacKey, ct_eq};
use crate::crypto::random;
use crate::error::Result;
use crate::keys::seal::no_randomness;

/// A new CSRF token of the session.
pub(crate) fn issue(session: &Parsed<'_>) -> Result<String> {
    let mut mask = [0; MAC_LEN];
    random::fill(&mut mask).map_err(|_| no_randomness())?;
    Ok(masked(&session.id, &session.secret, &mask))
}

/// Whether `presented` was issued for the session: in constant time, once it has the form of a CSRF token.
pub(crate) fn matches(session: &Parsed<'_>, presented: &str) -> bool {
    let mut bytes = [0; 2 * MAC_LEN];
    let decoded = Base64UrlUnpadded::decode(presented, &mut bytes).map(<[u8]>::len);
    if decoded != Ok(bytes.len()) {
        return false;
    }
    let (mask, masked) = bytes.split_at(MAC_LEN);
    let expected = xor(mask, &mac(&session.id, &session.secret));
    ct_eq(expected.as_slice(), masked)
}

fn masked(id: &[u8; ID_LEN], secret: &[u8; SECRET_LEN], mask: &[u8; MAC_LEN]) -> String {
    let mut bytes = [0; 2 * MAC_LEN];
    let (first, second) = bytes.split_at_mut(MAC_LEN);
    first.copy_from_slice(mask);
    second.copy_from_slice(xor(mask, &mac(id, secret)).as_slice());
    Base64UrlUnpadded::encode_string(&bytes)
}

fn mac(id: &[u8; ID_LEN], secret: &[u8; SECRET_LEN]) -> Zeroizing<[u8; MAC_LEN]> {
    Zeroizing::new(MacKey::new(secret).mac(&[LABEL, id]))
}

fn xor(mask: &[u8], mac: &[u8; MAC_LEN]) -> Zeroizing<[u8; MAC_LEN]> {
    let mut out = Zeroizing::new(*mac);
    for (byte, mask) in out.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    out
}

const LABEL: &[u8] = b"sealite/v1/csrf";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value as Json;

    use super::*;
    use crate::secret::ExposeSecret;
    use crate::token::text::{format, parse};

    fn with_session<R>(
        id: [u8; ID_LEN],
        secret: [u8; SECRET_LEN],
        work: impl FnOnce(&Parsed<'_>) -> R,
    ) -> R {
        let text = format("slses", &id, &secret);
        work(&parse(text.expose_secret()).expect("a session"))
    }

    #[test]
    fn csrf_tokens_are_those_of_the_known_answers() {
        let vectors: Json =
            serde_json::from_str(include_str!("../../../tests/vectors/csrf.json")).unwrap();
        let answers = vectors["csrf"].as_array().unwrap();
        assert_eq!(answers.len(), 4);
        for one in answers {
            let part =
                |name: &str| base16ct::lower::decode_vec(one[name].as_str().unwrap()).unwrap();
            let id = part("id").try_into().unwrap();
            let secret = part("secret").try_into().unwrap();
            let text = one["text"].as_str().unwrap();
            assert_eq!(mac(&id, &secret).as_slice(), part("mac"));
            assert_eq!(masked(&id, &secret, &part("mask").try_into().unwrap()), text);
            with_session(id, secret, |session| assert!(matches(session, text)));
        }
    }

    #[test]
    fn every_token_of_a_session_holds_and_no_two_are_alike() {
        with_session([1; ID_LEN], [2; SECRET_LEN], |session| {
            let issued: HashSet<String> = (0..200).map(|_| issue(session).unwrap()).collect();
            assert_eq!(issued.len(), 200);
            assert!(issued.iter().all(|token| token.len() == 86 && matches(session, token)));
        });
    }

    #[test]
    fn a_token_of_another_session_is_refused() {
        let mine = with_session([1; ID_LEN], [2; SECRET_LEN], |session| issue(session).unwrap());
        with_session([3; ID_LEN], [2; SECRET_LEN], |other| assert!(!matches(other, &mine)));
        with_session([1; ID_LEN], [4; SECRET_LEN], |other| assert!(!matches(other, &mine)));
    }

    #[test]
    fn every_change_of_a_token_is_refused() {
        with_session([1; ID_LEN], [2; SECRET_LEN], |session| {
            let good = issue(session).unwrap();
            for at in 0..good.len() {
                for other in "AZaz09-_=+/ \0é".chars() {
                    let (before, rest) = good.split_at(at);
                    if !rest.starts_with(other) {
                        assert!(!matches(session, &format!("{before}{other}{}", &rest[1..])));
                    }
                }
                assert!(!matches(session, &good[..at]));
            }
            for bad in ["", "A", &format!("{good}="), &format!(" {good}"), &good.repeat(100)] {
                assert!(!matches(session, bad));
            }
            // The session's own text is none.
            assert!(!matches(session, "slses_0"));
        });
    }
}
