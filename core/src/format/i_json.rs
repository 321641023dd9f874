//! I-JSON (RFC 7493): JSON that every reader takes for the same.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The greatest integer that a double holds together with its neighbours (RFC 7493, section 2.2).
const MAX_SAFE: u64 = (1 << 53) - 1;

/// Which numbers are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Up to 2^53 - 1, which every reader keeps.
    Safe,
    /// Integers of 64 bits that a double holds exactly, or that are how it is written; of the rest every one.
    Doubles,
}

/// True where the text is JSON in which no object has a name twice, and every number is one of those.
pub(crate) fn is_unambiguous(json: &str, numbers: Numbers) -> bool {
    let mut input = serde_json::Deserializer::from_str(json);
    Check(numbers).deserialize(&mut input).and_then(|()| input.end()).is_ok()
}

#[derive(Clone, Copy)]
struct Check(Numbers);

impl Check {
    fn integer<E: Error>(self, magnitude: u64) -> Result<(), E> {
        let exact = match self.0 {
            Numbers::Safe => magnitude <= MAX_SAFE,
            Numbers::Doubles => {
                magnitude == 0
                    || magnitude >> magnitude.trailing_zeros() <= MAX_SAFE
                    || is_shortest(magnitude)
            }
        };
        if exact { Ok(()) } else { Err(E::custom("number")) }
    }
}

impl<'de> DeserializeSeed<'de> for Check {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("I-JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.integer(value.unsigned_abs())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.integer(value)
    }

    /// An integer of more than 64 bits is read as a double, too.
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let taken = self.0 == Numbers::Doubles || value.abs() < 2f64.powi(53);
        if taken { Ok(()) } else { Err(E::custom("number")) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("name"));
            }
            members.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// True where the integer is the shortest text for the double next to it: what a canonical form has.
#[allow(clippy::cast_precision_loss, reason = "which double is nearest is the question")]
fn is_shortest(magnitude: u64) -> bool {
    (magnitude as f64).to_string() == magnitude.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_numbers_end_where_doubles_stop_telling_integers_apart() {
        for (text, taken) in [
            ("9007199254740991", true),
            ("-9007199254740991", true),
            ("9007199254740992", false),
            ("-9007199254740992", false),
            ("9007199254740991.0", true),
            ("9007199254740992.0", false),
            ("-9007199254740992.0", false),
            ("1e300", false),
            ("0.1", true),
        ] {
            assert_eq!(is_unambiguous(text, Numbers::Safe), taken, "{text}");
        }
    }

    #[test]
    fn doubles_are_those_that_reading_and_writing_keeps() {
        for (text, taken) in [
            ("0", true),
            ("9007199254740992", true),
            ("9007199254740993", false),
            ("9223372036854775808", true),
            ("9223372036854775807", false),
            ("18446744073709550000", true),
            ("18446744073709550001", false),
            ("1e300", true),
        ] {
            assert_eq!(is_unambiguous(text, Numbers::Doubles), taken, "{text}");
        }
    }
}
