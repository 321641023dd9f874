//! The shapes of adopters' files, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

/// SHA-256 of `one`, `two` and `three`.
const ONE: &str = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
const TWO: &str = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";
const THREE: &str = "8b5b9db0c13db24256c829aa364aa90c6d2eba318b9232a4ab9313b954d3555f";
/// A token of the oldest sort, and of the next: six digits, and URL-safe base64.
const PLAIN: [&str; 2] = ["483920", "q-X2_b81kLM"];

fn entry(kind: TokenKind, token: &str) -> LegacyEntry {
    LegacyEntry::from_token(kind, token).unwrap()
}

fn at(mut entry: LegacyEntry, seconds: i64) -> LegacyEntry {
    entry.created_at = Some(seconds * 1_000);
    entry
}

fn named(entry: LegacyEntry, id: &str) -> LegacyEntry {
    entry.subject(id).label(id)
}

fn refused(found: Result<Vec<LegacyEntry>>, file: &str) -> ErrorKind {
    let error = found.expect_err(file);
    let message = error.to_string();
    for secret in PLAIN.iter().chain(&[ONE, TWO, THREE, "alice", "breakglas_"]) {
        assert!(!message.contains(secret), "{message}");
    }
    error.kind()
}

#[test]
fn hashes_are_read_with_and_without_their_algorithm() {
    let one = entry(TokenKind::Admin, "one");
    for text in [ONE.to_owned(), format!("sha256:{ONE}"), ONE.to_uppercase()] {
        assert_eq!(LegacyEntry::from_hash(TokenKind::Admin, &text).unwrap(), one);
    }
    let long = format!("{ONE}0");
    for bad in
        ["", "sha256:", &ONE[1..], &long, "sha512:00", &ONE.replace('7', "g"), &format!(" {ONE}")]
    {
        let found = LegacyEntry::from_hash(TokenKind::Admin, bad);
        assert_eq!(found.unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
    }
    // What would never be looked up is not imported.
    let long = "x".repeat(1_025);
    let own = "slses_1MQPiAB4wPzjIvV41XDeYM2BggfbE1oADU2oEsxP67SuHKeUIAbVQZCIwKyR0dIVd9";
    for bad in ["", &long, own, &own.replace("MQ", "QM")] {
        let found = LegacyEntry::from_token(TokenKind::Admin, bad);
        assert_eq!(found.unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
    }
    assert!(LegacyEntry::from_token(TokenKind::Admin, &long[1..]).is_ok());
}

#[test]
fn the_four_shapes_of_admin_tokens_are_read() {
    let list = format!(
        r#"[{{"id":"ops","hash":"sha256:{ONE}","enabled":true,"breakglass":false}},
            {{"id":"sos","hash":"sha256:{TWO}","enabled":true,"breakglass":true}},
            {{"id":"old","hash":"sha256:{THREE}","enabled":false,"breakglass":false}}]"#
    );
    let expected = vec![
        named(entry(TokenKind::Admin, "one"), "ops"),
        named(entry(TokenKind::BreakGlass, "two"), "sos"),
        named(entry(TokenKind::Admin, "three"), "old").disabled(),
    ];
    assert_eq!(LegacyEntry::admin_tokens(&list).unwrap(), expected);
    let wrapped = format!("{{\"tokens\":{list}}}");
    assert_eq!(LegacyEntry::admin_tokens(&wrapped).unwrap(), expected);
    let entries = format!(
        r#"{{"ops":{{"hash":"{ONE}","breakglass":false,"created":1700000000,"enabled":true}},
            "sos":{{"hash":"{TWO}","breakglass":true,"created":1700000001,"enabled":true}},
            "old":{{"hash":"{THREE}","breakglass":false,"created":1700000002,"enabled":false}}}}"#
    );
    let dated: Vec<_> =
        expected.iter().zip(1_700_000_000..).map(|(entry, s)| at(entry.clone(), s)).collect();
    assert_eq!(LegacyEntry::admin_tokens(&entries).unwrap(), dated);
    let bare = format!(r#"{{"ops":"{ONE}","two":"sha256:{TWO}"}}"#);
    // An id that is the token is not kept.
    let found = LegacyEntry::admin_tokens(&bare).unwrap();
    assert_eq!(
        found,
        [named(entry(TokenKind::Admin, "one"), "ops"), entry(TokenKind::Admin, "two")]
    );
}

#[test]
fn the_three_shapes_of_users_are_read() {
    let list = format!(
        r#"[{{"id":"u1a2b3c","name":"Alice","hash":"{ONE}","enabled":true,"created":1700000000}},
            {{"id":"u4d5e6f","name":"Bob","hash":"{TWO}","enabled":false,"created":1700000000.5}}]"#
    );
    let alice = entry(TokenKind::User, "one").subject("u1a2b3c").label("Alice");
    let mut bob = entry(TokenKind::User, "two").subject("u4d5e6f").label("Bob").disabled();
    bob.created_at = Some(1_700_000_000_500);
    assert_eq!(LegacyEntry::users(&list).unwrap(), [at(alice, 1_700_000_000), bob]);
    let entries = format!(
        r#"{{"user_00ff":{{"hash":"{ONE}","created":"2026-11-22T08:52:14.000123","type":"vault_user"}}}}"#
    );
    let user = named(entry(TokenKind::User, "one"), "user_00ff");
    assert_eq!(LegacyEntry::users(&entries).unwrap(), [at(user, 1_795_337_534)]);
    let [digits, text] = PLAIN;
    let oldest = format!(
        r#"{{"{digits}":{{"name":"User {digits}","created":1600000000}},"{text}":{{"name":"Carol"}},"three":{{"hash":"{THREE}"}}}}"#
    );
    let found = LegacyEntry::users(&oldest).unwrap();
    let expected = [
        at(entry(TokenKind::User, digits), 1_600_000_000),
        entry(TokenKind::User, text).label("Carol"),
        entry(TokenKind::User, "three"),
    ];
    assert_eq!(found, expected);
}

/// The oldest store was once turned into a list, the token becoming the id and part of the name.
#[test]
fn a_plaintext_token_is_kept_nowhere() {
    let file = format!(
        r#"[{{"id":"one","name":"User one","hash":"{ONE}","enabled":true,"created":1600000000}}]"#
    );
    let found = LegacyEntry::users(&file).unwrap();
    assert_eq!(found, [at(entry(TokenKind::User, "one"), 1_600_000_000)]);
    assert!(found[0].subject.is_none() && found[0].label.is_none());
    let oldest = format!(r#"{{"{0}":{{"name":"{0}"}}}}"#, PLAIN[0]);
    let found = LegacyEntry::users(&oldest).unwrap();
    assert!(found[0].subject.is_none() && found[0].label.is_none());
}

#[test]
fn empty_stores_are_read_and_empty_files_are_torn() {
    for empty in ["[]", "{}", r#"{"tokens":[]}"#, "\u{feff}[ ]\n"] {
        assert_eq!(LegacyEntry::admin_tokens(empty).unwrap(), []);
        assert_eq!(LegacyEntry::users(empty).unwrap(), []);
    }
    for torn in ["", " ", "\0", "[", "{", "nul", "[]]", "{}x", "{'a':1}"] {
        assert_eq!(refused(LegacyEntry::admin_tokens(torn), torn), ErrorKind::Corrupt);
        assert_eq!(refused(LegacyEntry::users(torn), torn), ErrorKind::Corrupt);
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused_whole() {
    let file = format!(
        r#"{{"ops":{{"hash":"{ONE}","breakglass":false,"created":1700000000,"enabled":true}},"sos":"{TWO}"}}"#
    );
    assert_eq!(LegacyEntry::admin_tokens(&file).unwrap().len(), 2);
    for end in 0..file.len() {
        assert_eq!(refused(LegacyEntry::admin_tokens(&file[..end]), &file), ErrorKind::Corrupt);
    }
    let list = format!(r#"[{{"id":"ops","hash":"{ONE}"}},{{"id":"sos","hash":"{TWO}"}}]"#);
    for end in 0..list.len() {
        assert_eq!(refused(LegacyEntry::users(&list[..end]), &list), ErrorKind::Corrupt);
    }
}

#[test]
fn one_unknown_entry_refuses_the_file() {
    let good = format!(r#""ops":{{"hash":"{ONE}"}}"#);
    for bad in [
        format!(r#""x":{{"hash":"{TWO}","expires":1}}"#),
        format!(r#""x":{{"hash":"{TWO}","enabled":1}}"#),
        format!(r#""x":{{"hash":"{TWO}","enabled":"false"}}"#),
        format!(r#""x":{{"hash":"{TWO}","enabled":null}}"#),
        format!(r#""x":{{"hash":"{TWO}","breakglass":"yes"}}"#),
        format!(r#""x":{{"hash":"{TWO}","created":-1}}"#),
        format!(r#""x":{{"hash":"{TWO}","created":"yesterday"}}"#),
        format!(r#""x":{{"hash":"{TWO}","id":"y"}}"#),
        format!(r#""x":{{"hash":"{TWO}","name":1}}"#),
        format!(r#""x":{{"hash":"{}"}}"#, &TWO[1..]),
        format!(r#""x":{{"hash":"md5:{TWO}"}}"#),
        format!(r#""":{{"hash":"{TWO}"}}"#),
        format!(r#""a\nb":{{"hash":"{TWO}"}}"#),
        format!(r#""{}":{{"hash":"{TWO}"}}"#, "x".repeat(257)),
        r#""x":{"hash":""}"#.to_owned(),
        r#""x":{"hash":null}"#.to_owned(),
        r#""x":{"name":"alice"}"#.to_owned(),
        r#""alice123":"alice""#.to_owned(),
        r#""alice123":7"#.to_owned(),
        r#""alice123":null"#.to_owned(),
        r#""alice123":[]"#.to_owned(),
        format!(r#""tokens":[{{"id":"x","hash":"{TWO}"}}]"#),
        r#""tokens":{}"#.to_owned(),
        // The id of an entry that has lost its hash is no token.
        r#""user_00ff":{"created":"2026-11-22T08:52:14","type":"vault_user"}"#.to_owned(),
        // A name twice: two readers could take different ones.
        format!(r#""ops":{{"hash":"{TWO}"}}"#),
        format!(r#""x":{{"hash":"{TWO}","enabled":false,"enabled":true}}"#),
        // The same token twice, once disabled.
        format!(r#""x":{{"hash":"{ONE}","enabled":false}}"#),
    ] {
        for file in [format!("{{{good},{bad}}}"), format!("{{{bad},{good}}}")] {
            assert_eq!(refused(LegacyEntry::admin_tokens(&file), &file), ErrorKind::InvalidInput);
            assert_eq!(refused(LegacyEntry::users(&file), &file), ErrorKind::InvalidInput);
        }
    }
    for bad in ["1", "\"x\"", "null", "true", "[1]", "[[]]", "[{}]", r#"[{"id":"x"}]"#] {
        assert_eq!(refused(LegacyEntry::admin_tokens(bad), bad), ErrorKind::InvalidInput);
    }
    let without_id = format!(r#"[{{"hash":"{ONE}"}}]"#);
    assert_eq!(refused(LegacyEntry::users(&without_id), &without_id), ErrorKind::InvalidInput);
}

#[test]
fn kinds_do_not_cross_from_file_to_file() {
    let plain = format!(r#"{{"{}":{{"name":"x"}}}}"#, PLAIN[1]);
    assert_eq!(refused(LegacyEntry::admin_tokens(&plain), &plain), ErrorKind::InvalidInput);
    let armed = format!(r#"[{{"id":"x","hash":"{ONE}","breakglass":true}}]"#);
    assert_eq!(refused(LegacyEntry::users(&armed), &armed), ErrorKind::InvalidInput);
}

#[test]
fn the_same_entry_twice_is_one() {
    let twice = format!(r#"[{{"id":"x","hash":"{ONE}"}},{{"id":"x","hash":"sha256:{ONE}"}}]"#);
    assert_eq!(LegacyEntry::users(&twice).unwrap().len(), 1);
}

#[test]
fn size_and_depth_are_bounded() {
    let huge = format!("[{}]", " ".repeat(16 << 20));
    assert_eq!(refused(LegacyEntry::users(&huge), "huge"), ErrorKind::Limit);
    assert_eq!(LegacyEntry::users(&huge.replacen("  ", "", 1)).unwrap(), [], "the largest");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(LegacyEntry::users(&deep).is_err());
}

#[test]
fn debug_shows_neither_hash_nor_person() {
    let shown = format!("{:?}", entry(TokenKind::User, "one").subject("alice").label("alice"));
    assert!(
        !shown.contains("alice") && !shown.contains("118") && shown.contains("User"),
        "{shown}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_file_holds_is_judged_without_a_panic(text in "\\PC{0,200}") {
        let _ = LegacyEntry::admin_tokens(&text);
        let _ = LegacyEntry::users(&text);
    }

    /// Near to the real thing: what is read has one entry for each that was there.
    #[test]
    fn entries_are_neither_lost_nor_invented(
        items in prop::collection::vec((any::<[u8; 32]>(), any::<bool>(), any::<bool>()), 0..20),
    ) {
        let list: Vec<String> = items.iter().enumerate().map(|(at, (hash, enabled, armed))| {
            let hash = base16ct::lower::encode_string(hash);
            format!(r#"{{"id":"t{at}","hash":"{hash}","enabled":{enabled},"breakglass":{armed}}}"#)
        }).collect();
        let read = LegacyEntry::admin_tokens(&format!("[{}]", list.join(","))).unwrap();
        prop_assert_eq!(read.len(), items.len());
        for (at, (entry, (hash, enabled, armed))) in read.iter().zip(&items).enumerate() {
            let kind = if *armed { TokenKind::BreakGlass } else { TokenKind::Admin };
            prop_assert_eq!((entry.kind, entry.hash, entry.enabled), (kind, *hash, *enabled));
            prop_assert_eq!(entry.subject.clone(), Some(format!("t{at}")));
        }
    }
}
