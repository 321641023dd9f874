//! The text of tokens against the known answers of `tests/vectors/token_text.json`, which the reference reader made, and
//! against everything that is nearly a token.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::secret::ExposeSecret;

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../../../tests/vectors/token_text.json")).expect("JSON")
}

fn bytes<const N: usize>(json: &Json) -> [u8; N] {
    base16ct::lower::decode_vec(json.as_str().expect("text"))
        .expect("hexadecimal")
        .try_into()
        .expect("the length")
}

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("a list")
}

/// The texts of the known answers.
fn texts() -> Vec<String> {
    let text = |one: &Json| one["text"].as_str().expect("text").to_owned();
    list(&vectors()["tokens"]).iter().map(text).collect()
}

#[test]
fn tokens_are_written_and_read_as_the_known_answers_say() {
    let vectors = vectors();
    let tokens = list(&vectors["tokens"]);
    assert!(tokens.len() >= 6);
    for one in tokens {
        let (prefix, text) = (one["prefix"].as_str().unwrap(), one["text"].as_str().unwrap());
        let (id, secret) = (bytes(&one["id"]), bytes(&one["secret"]));
        assert_eq!(format(prefix, &id, &secret).expose_secret(), text);
        let parsed = parse(text).expect("a token");
        assert_eq!((parsed.prefix, parsed.id, *parsed.secret), (prefix, id, secret));
        assert_eq!(text.len(), prefix.len() + 67);
    }
}

#[test]
fn texts_that_are_nearly_a_token_are_refused_as_the_known_answers_say() {
    let vectors = vectors();
    let malformed = list(&vectors["malformed"]);
    assert!(malformed.len() >= 31);
    for one in malformed {
        assert!(!is_token_text(one["text"].as_str().unwrap()), "{}", one["name"]);
    }
}

/// CRC-32 is linear: whether an error is found depends on the error and its distance from the end alone, not on the text
/// around it. So one run over every error of one character at every place is a proof for every token; a change within the
/// checksum's own digits makes it another one.
#[test]
fn the_checksum_finds_every_change_of_one_character_of_any_token() {
    let longest = MAX_PREFIX + 1 + ID_DIGITS + SECRET_DIGITS;
    let zeros = vec![0u8; longest];
    let mut changed = zeros.clone();
    let mut found = 0;
    for at in 0..longest {
        for error in 1..=255u8 {
            changed[at] = error;
            assert_ne!(crc32fast::hash(&changed), crc32fast::hash(&zeros));
            found += 1;
        }
        changed[at] = 0;
    }
    assert_eq!(found, 85 * 255);
}

#[test]
fn every_change_of_one_character_is_refused() {
    let others: Vec<char> = (0..=0x7f).map(char::from).chain("éſＡ０٣\u{200b}😀".chars()).collect();
    for text in texts() {
        for at in 0..text.len() {
            let (before, rest) = text.split_at(at);
            for other in others.iter().filter(|other| !rest.starts_with(**other)) {
                let changed = format!("{before}{other}{}", &rest[1..]);
                assert!(!is_token_text(&changed), "{changed:?}");
            }
        }
    }
}

/// Neighbours swapped are an error within two characters, which CRC-32 finds with certainty; characters lost or added are
/// found by the fixed length, but for the prefix's, where the checksum finds these.
#[test]
fn characters_swapped_lost_or_added_are_refused() {
    for text in texts() {
        for at in 0..text.len() {
            let mut lost = text.clone();
            lost.remove(at);
            assert!(!is_token_text(&lost), "{lost}");
            for added in ['0', 'a', 'Z', '_', ' ', '\0', '\n', '-', 'é'] {
                let mut longer = text.clone();
                longer.insert(at, added);
                assert!(!is_token_text(&longer), "{longer:?}");
            }
            let mut swapped = text.clone().into_bytes();
            if at > 0 && swapped[at - 1] != swapped[at] {
                swapped.swap(at - 1, at);
                assert!(!is_token_text(std::str::from_utf8(&swapped).unwrap()));
            }
        }
    }
}

#[test]
fn texts_of_every_length_are_refused() {
    let good = texts().swap_remove(0);
    for fill in ["0", "a", "_", "a_", "\0", "é", " "] {
        let long = fill.repeat(10_000 / fill.len());
        for length in (0..=long.len()).filter(|length| long.is_char_boundary(*length)) {
            assert!(!is_token_text(&long[..length]), "{length} of {fill:?}");
        }
        // A token at the end or at the beginning of a long text is none.
        assert!(
            !is_token_text(&format!("{long}{good}")) && !is_token_text(&format!("{good}{long}"))
        );
    }
}

#[test]
fn prefixes_are_words_of_lower_case_and_digits() {
    let longest = "a".repeat(24);
    for good in ["a", "slses", "my_app_v2", "a1", "a_1", longest.as_str()] {
        assert!(is_prefix(good), "{good}");
    }
    let too_long = "a".repeat(25);
    for bad in
        ["", "_", "a_", "_a", "a__b", "A", "aB", "1a", "a-b", "a b", "a\0", "é", "aé", &too_long]
    {
        assert!(!is_prefix(bad), "{bad:?}");
    }
}

#[test]
fn the_published_pattern_finds_every_token_and_nothing_else_of_the_known_answers() {
    let pattern = regex::Regex::new(TOKEN_PATTERN).expect("a regular expression");
    for text in texts() {
        for line in [
            text.clone(),
            format!("Authorization: Bearer {text}"),
            format!("GET /x?token={text}&y=1"),
            format!("\"{text}\","),
            format!("key%3D{text}\n"),
        ] {
            let found = pattern.find(&line).expect("found").as_str();
            assert!(found.ends_with(&text) && is_token_text(&text), "{line}");
        }
    }
    let vectors = vectors();
    let one = |one: &Json| {
        let found = pattern.find(one["text"].as_str().unwrap());
        found.is_some_and(|found| is_token_text(found.as_str()))
    };
    // Those that have a whole token within them.
    let around = ["white space", "a line's end", "twice", "underscores", "in front"];
    for bad in list(&vectors["malformed"]) {
        let name = bad["name"].as_str().unwrap();
        assert!(!one(bad) || around.iter().any(|part| name.contains(part)), "{name}");
    }
}

#[test]
fn the_secret_is_wiped_and_never_shown() {
    let text = format("slses", &[7; ID_LEN], &[9; SECRET_LEN]);
    assert!(!format!("{text:?}").contains("slses_"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        prefix in "[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,6}){0,2}",
        id: [u8; ID_LEN],
        secret: [u8; SECRET_LEN],
    ) {
        prop_assume!(is_prefix(&prefix));
        let text = format(&prefix, &id, &secret);
        let parsed = parse(text.expose_secret()).expect("a token");
        prop_assert_eq!((parsed.prefix, parsed.id, *parsed.secret), (prefix.as_str(), id, secret));
    }

    #[test]
    fn what_is_read_is_the_one_text_of_its_parts(text in "[a-z]{1,3}_[01][0-9A-Za-z]{59}") {
        let text = format!("{text}{}", checksum_of(&text).map(char::from).iter().collect::<String>());
        if let Some(parsed) = parse(&text) {
            let again = format(parsed.prefix, &parsed.id, &parsed.secret);
            prop_assert_eq!(again.expose_secret(), text.as_str());
        }
    }

    #[test]
    fn any_text_at_all_is_refused(text in "\\PC{0,120}") {
        prop_assert!(!is_token_text(&text));
    }
}
