//! Properties of the generated people as a whole.

#![allow(clippy::indexing_slicing)] // a wrong index fails the test

use std::collections::{HashMap, HashSet};

use super::*;

/// The value of `c` as a decimal digit of ASCII or of one of the scripts in use.
fn digit(c: char) -> Option<u32> {
    ['0', '٠', '०', '๐', '０']
        .iter()
        .find_map(|zero| (c as u32).checked_sub(*zero as u32).filter(|value| *value < 10))
}

fn digits(text: &str) -> String {
    text.chars().filter_map(digit).filter_map(|value| char::from_digit(value, 10)).collect()
}

/// FNV-1a, 64 bits, over every field of every person, each followed by a byte that ends it.
fn checksum(people: impl Iterator<Item = Person>) -> u64 {
    people.fold(0xcbf2_9ce4_8422_2325, |sum, person| {
        let id = person.id.to_string();
        let fields = [&id, &person.name, &person.email, &person.phone, &person.address];
        let fields = fields.map(String::as_str).into_iter().chain([person.role, person.plan]);
        fields
            .flat_map(|field| field.bytes().chain([0xff]))
            .fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    })
}

#[test]
fn first_people_are_fixed_for_ever() {
    let expected = [
        Person {
            id: 1,
            name: "نور حسن".to_owned(),
            email: "hassan.nour2@mail.example".to_owned(),
            phone: "+٢٠ ١٢ ٥٤٤٣ ٥٧٦٢".to_owned(),
            address: "٧٠ شارع الأزهر، شقة ٣، الجيزة ١٢٥١٨".to_owned(),
            role: "user",
            plan: "free",
        },
        Person {
            id: 2,
            name: "Marie Schneider".to_owned(),
            email: "marie.schneider9@mail.example.com".to_owned(),
            phone: "+49 151 08871523".to_owned(),
            address: "Hauptstraße 138, 8. OG, 10251 Berlin".to_owned(),
            role: "user",
            plan: "free",
        },
        Person {
            id: 3,
            name: "Chloé Lefèvre".to_owned(),
            email: "chloe7@example.net".to_owned(),
            phone: "+33 1 43 30 72 84".to_owned(),
            address: "Appt 5, 72 rue Pasteur, 31735 Toulouse".to_owned(),
            role: "user",
            plan: "free",
        },
    ];
    assert_eq!(people(3, 1).collect::<Vec<_>>(), expected);
}

#[test]
fn checksum_is_fixed_for_ever() {
    assert_eq!(checksum(people(10_000, 1)), 16_179_837_542_867_641_641);
    assert_ne!(checksum(people(100, 2)), checksum(people(100, 1)));
}

#[test]
fn longer_run_begins_with_the_shorter() {
    let long: Vec<Person> = people(500, 9).collect();
    let short: Vec<Person> = people(50, 9).collect();
    assert_eq!(long[..50], short[..]);
    assert!(long.iter().map(|person| person.id).eq(1..=500));
    assert_eq!(people(0, 9).count(), 0);
}

#[test]
fn emails_and_phones_are_unique_in_their_normal_form() {
    let count = 200_000;
    for seed in [1, u64::MAX] {
        let mut emails = HashSet::with_capacity(count);
        let mut phones = HashSet::with_capacity(count);
        for person in people(count, seed) {
            let phone = digits(&person.phone);
            assert!(phone.len() >= 9, "{person:?}");
            assert!(emails.insert(person.email.to_lowercase()), "{person:?}");
            assert!(phones.insert(phone), "{person:?}");
        }
    }
}

#[test]
fn every_email_carries_its_tag_as_its_only_digits() {
    // On this, and on the next test, uniqueness beyond the number tried rests.
    for person in people(20_000, 3) {
        let tag = same_length(person.id.cast_unsigned(), 3).to_string();
        let (local, domain) = person.email.split_once('@').expect("an @");
        let label = domain.split('.').next().expect("a label");
        let in_local = local.ends_with(&tag) && digits(domain).is_empty();
        let in_domain = label.ends_with(&tag) && digits(local).is_empty();
        assert!(in_local ^ in_domain, "{person:?}");
        assert_eq!(digits(&person.email), tag, "{person:?}");
    }
}

#[test]
fn tags_and_phone_numbers_are_permutations() {
    for seed in [0, 1, 0xdead_beef, u64::MAX] {
        let tags: HashSet<u64> = (1..100_000).map(|number| same_length(number, seed)).collect();
        assert_eq!(tags.len(), 99_999);
        assert!(tags.iter().all(|tag| (1..100_000).contains(tag)));
        assert!((100..1_000).all(|number| (100..1_000).contains(&same_length(number, seed))));
        let phones: HashSet<String> =
            (1..=10_000).map(|number| phone("+0 ##-##", number, seed)).collect();
        assert_eq!(phones.len(), 10_000);
    }
    assert_eq!(phone("+44 20 7### ####", 0, 9_460_958), "+44 20 7946 0958");
    assert_eq!(phone("(##) 1-#####", 0, 42), "(00) 1-00042");
}

#[test]
fn emails_lie_in_reserved_domains_and_within_the_length_limits() {
    let reserved = [".example", ".test", "example.com", "example.org", "example.net"];
    let (mut unicode, mut mixed) = (0, 0);
    for person in people(20_000, 4) {
        let (local, domain) = person.email.split_once('@').expect("an @");
        let lower = domain.to_lowercase();
        let (label, _) = lower.split_once('.').expect("a dot");
        assert!(reserved.iter().any(|end| lower.ends_with(end)), "{person:?}");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
        assert!(local.chars().all(plain) && (2..=64).contains(&local.len()), "{person:?}");
        assert!(!label.is_empty() && label.len() <= 63 && lower.len() <= 253, "{person:?}");
        unicode += usize::from(!domain.is_ascii());
        mixed += usize::from(lower != domain || local.to_lowercase() != local);
    }
    assert!((200..1_000).contains(&unicode), "{unicode}");
    assert!((1_500..3_500).contains(&mixed), "{mixed}");
}

#[test]
fn emails_survive_a_change_of_case() {
    for person in people(20_000, 5) {
        let lower = person.email.to_lowercase();
        assert_eq!(person.email.to_uppercase().to_lowercase(), lower, "{person:?}");
    }
}

#[test]
fn addresses_are_whole_and_on_one_line() {
    for person in people(20_000, 6) {
        assert!(!person.address.contains(['{', '}', '#', '@', '\n']), "{person:?}");
        assert!(digits(&person.address).len() >= 3, "{person:?}");
        assert!(!person.address.contains("  "), "{person:?}");
        assert!(person.address.trim() == person.address && person.name.trim() == person.name);
    }
}

#[test]
fn every_script_and_its_digits_occur() {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut phones: HashMap<char, usize> = HashMap::new();
    let scripts = [
        ("Latin with marks", 'À'..='\u{1eff}'),
        ("Greek", 'Ͱ'..='Ͽ'),
        ("Cyrillic", 'Ѐ'..='ӿ'),
        ("Hebrew", 'א'..='ת'),
        ("Arabic", 'ء'..='ي'),
        ("Devanagari", 'ऀ'..='ॿ'),
        ("Thai", 'ก'..='๛'),
        ("Han", '一'..='鿿'),
        ("Kana", 'ぁ'..='ヿ'),
        ("Hangul", '가'..='힣'),
        ("supplementary plane", '\u{20000}'..='\u{3ffff}'),
    ];
    for person in people(20_000, 7) {
        for (script, range) in &scripts {
            *names.entry(script).or_default() +=
                usize::from(person.name.contains(|c| range.contains(&c)));
        }
        for zero in ['٠', '०', '๐', '０'] {
            let own = |c: char| (zero as u32..zero as u32 + 10).contains(&(c as u32));
            *phones.entry(zero).or_default() += usize::from(person.phone.contains(own));
        }
    }
    assert!(names.values().all(|&people| people > 5), "{names:?}");
    assert!((400..700).contains(&phones[&'٠']), "{phones:?}");
    assert!(phones.values().all(|&people| people > 20), "{phones:?}");
}

#[test]
fn roles_and_plans_have_their_shares() {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for person in people(20_000, 8) {
        *seen.entry(person.role).or_default() += 1;
        *seen.entry(person.plan).or_default() += 1;
    }
    assert_eq!(seen.len(), 6);
    let shares = [
        ("user", 18_800),
        ("editor", 900),
        ("admin", 300),
        ("free", 14_000),
        ("pro", 4_400),
        ("team", 1_600),
    ];
    for (value, expected) in shares {
        assert!(seen[value].abs_diff(expected) < 20 + expected / 5, "{value}: {}", seen[value]);
    }
}
