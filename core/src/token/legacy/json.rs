//! JSON with nothing lost: names in their order, and none twice in one object, since two readers could take different
//! ones. Whatever text it held is overwritten when it is dropped: it may be a token in clear.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

pub(super) enum Json {
    Null,
    Boolean(bool),
    Number(f64),
    Text(Zeroizing<String>),
    List(Vec<Json>),
    Object(Vec<(Zeroizing<String>, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Build)
    }
}

struct Build;

// The only numbers that are asked for are times, far below 2^53.
#[allow(clippy::cast_precision_loss)]
impl<'de> Visitor<'de> for Build {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(Zeroizing::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            let name = Zeroizing::new(name);
            object.push((name, members.next_value()?));
        }
        let mut names = HashSet::new();
        if object.iter().all(|(name, _)| names.insert(name.as_str())) {
            Ok(Json::Object(object))
        } else {
            Err(A::Error::custom(TWICE))
        }
    }
}

/// The message of the error for a name that stands twice.
const TWICE: &str = "a name that stands twice in an object";

/// Why a text was not read.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// Not one complete JSON text.
    Torn,
    /// A name stands twice in an object.
    Ambiguous,
}

pub(super) fn read(text: &str) -> Result<Json, Fault> {
    serde_json::from_str(text).map_err(
        |error| {
            if error.is_data() { Fault::Ambiguous } else { Fault::Torn }
        },
    )
}
