//! What a locale is made of, and its lists made ready for the generator.

use std::sync::LazyLock;

use super::{alphabets, asian, latin};

/// The order of the parts of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Anna Schmidt.
    GivenFamily,
    /// María García López.
    GivenTwoFamilies,
    /// 佐藤 花子.
    FamilySpaceGiven,
    /// 김민준.
    FamilyGiven,
}

/// Decimal digits of the locale's own script.
#[derive(Clone, Copy, Debug)]
pub(super) struct NativeDigits {
    /// The script's zero; the other nine digits follow it in Unicode.
    pub(super) zero: char,
    /// How many of 100 people write them.
    pub(super) percent: u64,
}

/// A locale as it is written down. Lists are separated by commas; in patterns `#` stands for a
/// digit and `@` for a letter of a British postal code.
pub(super) struct Locale {
    pub(super) order: Order,
    /// Given names, `native=latin`; the Latin form is left out where it is the native one.
    pub(super) given: &'static str,
    /// Family names, written as the given ones.
    pub(super) family: &'static str,
    /// `city=pattern of its postal code`.
    pub(super) cities: &'static str,
    pub(super) streets: &'static str,
    /// Patterns with `{s}` street, `{n}` house number, `{u}` unit, `{p}` postal code, `{c}` city.
    pub(super) addresses: &'static [&'static str],
    /// Patterns of telephone numbers with at least 7 `#`: no two patterns of any locales may fit
    /// the same digits, on which the numbers' uniqueness rests.
    pub(super) phones: &'static [&'static str],
    /// First labels of mail domains, lower case, and the same again after upper-casing and
    /// lower-casing (no ß, no ı): searches in another case are part of the demonstration.
    pub(super) domains: &'static str,
    pub(super) native_digits: Option<NativeDigits>,
}

/// A name and its Latin form.
pub(super) type Name = (&'static str, &'static str);

/// A locale with its lists taken apart.
pub(super) struct Tables {
    pub(super) order: Order,
    pub(super) given: Vec<Name>,
    pub(super) family: Vec<Name>,
    /// City and pattern of its postal code.
    pub(super) cities: Vec<(&'static str, &'static str)>,
    pub(super) streets: Vec<&'static str>,
    pub(super) addresses: &'static [&'static str],
    pub(super) phones: &'static [&'static str],
    pub(super) domains: Vec<&'static str>,
    pub(super) native_digits: Option<NativeDigits>,
}

impl Tables {
    fn new(locale: &Locale) -> Self {
        Self {
            order: locale.order,
            given: pairs(locale.given),
            family: pairs(locale.family),
            cities: pairs(locale.cities),
            streets: entries(locale.streets).collect(),
            addresses: locale.addresses,
            phones: locale.phones,
            domains: entries(locale.domains).collect(),
            native_digits: locale.native_digits,
        }
    }
}

/// All locales, in an order that is part of the generator's fixed output.
pub(super) fn all() -> &'static [Tables] {
    static TABLES: LazyLock<Vec<Tables>> = LazyLock::new(|| {
        latin::LOCALES
            .iter()
            .chain(&alphabets::LOCALES)
            .chain(&asian::LOCALES)
            .map(Tables::new)
            .collect()
    });
    &TABLES
}

fn entries(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(',').map(str::trim)
}

fn pairs(list: &'static str) -> Vec<(&'static str, &'static str)> {
    entries(list).map(|entry| entry.split_once('=').unwrap_or((entry, entry))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn assert_distinct(list: impl Iterator<Item = &'static str>, least: usize) {
        let list: Vec<_> = list.collect();
        let distinct: HashSet<_> = list.iter().collect();
        assert!(distinct.len() >= least, "only {} in {list:?}", distinct.len());
        assert_eq!(distinct.len(), list.len(), "an entry comes twice in {list:?}");
        assert!(list.iter().all(|entry| !entry.is_empty()), "an empty entry in {list:?}");
    }

    #[test]
    fn lists_are_long_enough_and_without_repetition() {
        assert!(all().len() >= 10);
        for tables in all() {
            assert_distinct(tables.given.iter().map(|name| name.0), 30);
            assert_distinct(tables.family.iter().map(|name| name.0), 40);
            // Not by `assert_distinct`: a city may have several postal districts.
            assert!(tables.cities.iter().map(|c| c.0).collect::<HashSet<_>>().len() >= 12);
            assert!(tables.cities.iter().all(|(_, code)| code.contains('#')));
            assert_distinct(tables.streets.iter().copied(), 15);
            assert_distinct(tables.domains.iter().copied(), 4);
            assert_distinct(tables.addresses.iter().copied(), 2);
        }
    }

    #[test]
    fn latin_forms_are_ascii_words() {
        for (_, latin) in all().iter().flat_map(|tables| tables.given.iter().chain(&tables.family))
        {
            let known = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '\'');
            assert!(latin.chars().all(known) && latin.len() >= 2, "{latin:?}");
            assert!(latin.starts_with(|c: char| c.is_ascii_alphabetic()), "{latin:?}");
            assert!(latin.ends_with(|c: char| c.is_ascii_alphabetic()), "{latin:?}");
        }
    }

    #[test]
    fn domain_labels_survive_a_change_of_case() {
        for label in all().iter().flat_map(|tables| &tables.domains) {
            assert_eq!(&label.to_uppercase().to_lowercase(), label);
            assert!(!label.starts_with('-') && !label.ends_with('-'), "{label}");
            assert!(!label.contains(|c: char| c.is_whitespace() || c.is_ascii_digit()), "{label}");
        }
    }

    #[test]
    fn no_two_phone_patterns_fit_the_same_digits() {
        let patterns: Vec<Vec<char>> = all()
            .iter()
            .flat_map(|tables| tables.phones)
            .map(|phone| phone.chars().filter(|c| *c == '#' || c.is_ascii_digit()).collect())
            .collect();
        for (at, one) in patterns.iter().enumerate() {
            assert!(one.len() >= 9, "{one:?}");
            assert!(one.iter().filter(|c| **c == '#').count() >= 7, "{one:?}");
            for other in patterns.iter().skip(at + 1) {
                let apart = |(a, b): (&char, &char)| *a != '#' && *b != '#' && a != b;
                let differ = one.len() != other.len() || one.iter().zip(other).any(apart);
                assert!(differ, "{one:?} and {other:?}");
            }
        }
    }
}
