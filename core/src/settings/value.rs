//! Values of settings: how they are kept, read from text, and shown.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{Result, err, fail};
use crate::format::context::with_bytes;
use crate::format::payload;
use crate::value::{Type, Value, ValueRef};

/// What stands for a secret that is set.
pub(super) const MASK: &str = "********";
/// The characters of a secret that may be shown, where the setting says so and it has [`LONG_SECRET`].
const SHOWN_OF_LONG: usize = 4;
/// The length of a secret, in characters, from which its last four may be shown.
const LONG_SECRET: usize = 16;

/// The value of a setting. It shows a mask wherever it is formatted and gives the value only to
/// [`SettingValue::expose`]. Cheap to clone; wiped when the last clone is dropped.
#[derive(Clone)]
pub struct SettingValue(Arc<Wiped>);

/// A value that is wiped when it goes.
#[derive(PartialEq)]
struct Wiped(Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl SettingValue {
    pub(super) fn new(value: Value) -> Self {
        SettingValue(Arc::new(Wiped(value)))
    }

    /// Whether the values are the same. No operator: the time that it takes tells of the values.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The value itself.
    pub fn expose(&self) -> ValueRef<'_> {
        self.0.0.as_ref()
    }

    /// The type of the value.
    pub fn kind(&self) -> Type {
        match self.expose() {
            ValueRef::Integer(_) => Type::Integer,
            ValueRef::Real(_) => Type::Real,
            ValueRef::Boolean(_) => Type::Boolean,
            ValueRef::Json(_) => Type::Json,
            _ => Type::Text,
        }
    }

    /// As it is kept inside the record: the tag of its type, then its bytes.
    pub(crate) fn encode(value: ValueRef<'_>) -> Zeroizing<Vec<u8>> {
        with_bytes(value, |tag, bytes| {
            let mut out = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
            out.push(tag);
            out.extend_from_slice(bytes);
            out
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let value = bytes.split_first().and_then(|(tag, rest)| payload::value(*tag, rest).ok());
        match value {
            Some(value) => Ok(Self::new(value.to_owned())),
            None => fail!(Corrupt, "a setting's record opens, and its value doesn't read"),
        }
    }
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingValue({MASK})")
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// The value, where it fits the declared type exactly.
pub(super) fn admit(name: &str, kind: Type, value: ValueRef<'_>) -> Result<Value> {
    let wrong = || {
        let article = value.type_name();
        err!(
            TypeMismatch,
            "setting {name} is declared {}, and can't hold {article} so",
            kind.name()
        )
    };
    match kind.admit(value, name) {
        Ok(ValueRef::Null) => fail!(TypeMismatch, "setting {name} can't hold NULL: clear it"),
        Ok(ValueRef::Real(v)) if !v.is_finite() => Err(wrong()),
        Ok(admitted) => Ok(admitted.to_owned()),
        Err(_) => Err(wrong()),
    }
}

/// The value that a text stands for: in a form, an environment variable or a `.env` file.
pub(crate) fn parse(name: &str, kind: Type, text: &str) -> Result<Value> {
    let word = text.trim();
    let parsed = match kind {
        Type::Text => Some(Value::Text(text.to_owned())),
        Type::Json => Some(Value::Json(text.to_owned())),
        Type::Integer => word.parse().ok().map(Value::Integer),
        Type::Real => word.parse().ok().map(Value::Real),
        Type::Boolean => match word.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(Value::Boolean(true)),
            "false" | "0" | "no" | "off" => Some(Value::Boolean(false)),
            _ => None,
        },
        Type::Blob => None,
    };
    match parsed {
        Some(value) => {
            let value = Wiped(value);
            admit(name, kind, value.0.as_ref())
        }
        None => fail!(TypeMismatch, "setting {name}: the text is not of type {}", kind.name()),
    }
}

/// The text of a value that is not secret; [`parse`] reads it back.
pub(crate) fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(v) | ValueRef::Json(v) => v.to_owned(),
        ValueRef::Integer(v) => v.to_string(),
        ValueRef::Real(v) => format!("{v:?}"),
        ValueRef::Boolean(v) => v.to_string(),
        ValueRef::Null | ValueRef::Blob(_) => String::new(),
    }
}

/// What is shown in the place of a secret.
pub(super) fn masked(value: ValueRef<'_>, last_four: bool) -> String {
    let mut shown = MASK.to_owned();
    if let ValueRef::Text(text) = value
        && last_four
    {
        let length = text.chars().count();
        if length >= LONG_SECRET {
            shown.extend(text.chars().skip(length - SHOWN_OF_LONG));
        }
    }
    shown
}

/// True for a text that could be the mask of some value of the setting.
pub(super) fn looks_masked(text: &str, last_four: bool) -> bool {
    match text.strip_prefix(MASK) {
        Some("") => true,
        Some(rest) => last_four && rest.chars().count() == SHOWN_OF_LONG,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_type_and_bytes() {
        for value in [
            Value::Text("a\0é".into()),
            Value::Text(String::new()),
            Value::Integer(i64::MIN),
            Value::Real(-0.0),
            Value::Boolean(true),
            Value::Json("{ \"a\" : 1 }".into()),
        ] {
            let read = SettingValue::decode(&SettingValue::encode(value.as_ref())).expect("reads");
            assert!(read.expose() == value.as_ref());
            assert_eq!(format!("{read} {read:?}"), "******** SettingValue(********)");
        }
        assert!(SettingValue::decode(&[]).is_err());
    }

    #[test]
    fn texts_read_back_as_the_values_they_show() {
        for value in [
            Value::Text(" a ".into()),
            Value::Integer(-7),
            Value::Real(1e300),
            Value::Real(0.1),
            Value::Boolean(false),
            Value::Json("[1]".into()),
        ] {
            let kind = SettingValue::new(value.clone()).kind();
            assert!(parse("x", kind, &text_of(value.as_ref())).expect("parses") == value);
        }
        for (kind, text) in [
            (Type::Integer, "1.5"),
            (Type::Real, "inf"),
            (Type::Boolean, "maybe"),
            (Type::Json, "{"),
        ] {
            assert!(parse("x", kind, text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_long_secrets_show_their_last_four_characters() {
        assert_eq!(masked(ValueRef::Text("0123456789abcdef"), true), "********cdef");
        assert_eq!(masked(ValueRef::Text("0123456789abcdef"), false), MASK);
        assert_eq!(masked(ValueRef::Text("0123456789abcde"), true), MASK);
        assert_eq!(masked(ValueRef::Integer(1_234_567_890_123_456_789), true), MASK);
    }
}
