//! Whatever text is presented, the answer is a rejection.

use sealite::{ExposeSecret, LegacyEntry, TokenKind, TokenRequest, Vault};

use super::{issue, refused};

/// Presents a text everywhere; each answer must be the rejection.
#[track_caller]
fn rejected_everywhere(vault: &Vault, text: &str) {
    let tokens = vault.tokens();
    let before = total(vault);
    let kind = TokenKind::Session;
    let answers = [
        tokens.verify(text, kind).map(|_| ()),
        tokens.peek(text, kind).map(|_| ()),
        tokens.consume(text, kind).map(|_| ()),
        tokens.rotate(text, kind, std::time::Duration::ZERO).map(|_| ()),
        tokens.verify_code(text, text).map(|_| ()),
    ];
    for answer in answers {
        let error = answer.expect_err("no token");
        assert_eq!(error.to_string(), "token_rejected: the token is not valid", "{text:?}");
    }
    assert_eq!(total(vault), before + 5);
}

fn total(vault: &Vault) -> u64 {
    vault.metrics().tokens_rejected.iter().map(|(_, count)| count).sum()
}

/// One vault without any token, one with tokens, one with imported ones as well.
fn vaults() -> [(Vault, String); 3] {
    let fill = |vault: Vault| {
        let text = issue(&vault.tokens(), TokenKind::Session, "u").1;
        (vault, text)
    };
    let empty = Vault::in_memory().unwrap();
    let other = Vault::in_memory().unwrap();
    let foreign = issue(&other.tokens(), TokenKind::Session, "u").1;
    let importing = Vault::in_memory().unwrap();
    let entry = LegacyEntry::from_token(TokenKind::Session, "an old token").unwrap();
    importing.tokens().import(&[entry]).unwrap();
    [(empty, foreign), fill(Vault::in_memory().unwrap()), fill(importing)]
}

#[test]
fn texts_of_every_length_are_rejected() {
    for (vault, _) in vaults() {
        for length in (0..300).chain([1_023, 1_024, 1_025, 4_096, 9_999, 10_000]) {
            for symbol in ["a", "_", "\0", "é", "0"] {
                rejected_everywhere(&vault, &symbol.repeat(length / symbol.len()));
            }
        }
    }
}

#[test]
fn every_change_of_a_single_character_is_rejected() {
    let [_, (vault, text), _] = vaults();
    vault.tokens().verify(&text, TokenKind::Session).unwrap();
    let symbols: Vec<char> =
        ('0'..='9').chain('a'..='z').chain('A'..='Z').chain("_-.+/=\0 é".chars()).collect();
    for at in 0..text.len() {
        for symbol in &symbols {
            let mut changed: Vec<char> = text.chars().collect();
            if changed[at] == *symbol {
                continue;
            }
            changed[at] = *symbol;
            let changed: String = changed.into_iter().collect();
            assert!(vault.tokens().verify(&changed, TokenKind::Session).is_err(), "{changed}");
        }
    }
    for changed in [format!("{text} "), format!(" {text}"), text.repeat(2), text[1..].to_owned()] {
        rejected_everywhere(&vault, &changed);
    }
}

#[test]
fn a_token_of_another_vault_is_unknown() {
    let [(vault, foreign), ..] = vaults();
    refused(&vault, "unknown", || vault.tokens().verify(&foreign, TokenKind::Session));
    issue(&vault.tokens(), TokenKind::Session, "u");
    refused(&vault, "unknown", || vault.tokens().verify(&foreign, TokenKind::Session));
}

#[test]
fn another_prefix_does_not_open_a_token_even_with_its_checksum() {
    let vault = Vault::in_memory().unwrap();
    let request = |prefix: &str| TokenRequest::new(TokenKind::Session).prefix(prefix);
    let issued = vault.tokens().issue(&request("one")).unwrap();
    let text = issued.text.expose_secret();
    let swapped = text.replacen("one_", "two_", 1);
    refused(&vault, "malformed", || vault.tokens().verify(&swapped, TokenKind::Session));
}
