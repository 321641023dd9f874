//! Values, their declared types, and row ids.

use std::fmt;

use zeroize::Zeroize;

use crate::error::{Result, err, fail};

/// A value as it is kept: one of SQLite's five, or a boolean or JSON text, which SQLite has no type for.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value. Distinct from an empty text and from a column that was not given.
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// An IEEE 754 double; NaN is refused.
    Real(f64),
    /// UTF-8 text; NUL characters are allowed.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// True or false.
    Boolean(bool),
    /// JSON text, kept byte for byte as it was given.
    Json(String),
}

/// A borrowed [`Value`].
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// See [`Value::Null`].
    Null,
    /// See [`Value::Integer`].
    Integer(i64),
    /// See [`Value::Real`].
    Real(f64),
    /// See [`Value::Text`].
    Text(&'a str),
    /// See [`Value::Blob`].
    Blob(&'a [u8]),
    /// See [`Value::Boolean`].
    Boolean(bool),
    /// See [`Value::Json`].
    Json(&'a str),
}

/// The declared type of a column or field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Type {
    /// Signed 64-bit integers.
    Integer,
    /// IEEE 754 doubles, without NaN. An integer that a double holds exactly is accepted and converted.
    Real,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Blob,
    /// True or false; the integers 0 and 1 are accepted and converted.
    Boolean,
    /// JSON text (RFC 8259), kept byte for byte.
    Json,
}

/// The id of a row: the integer key, or the text key of a table that declares one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Id {
    /// An integer primary key.
    Integer(i64),
    /// A text primary key, compared byte for byte.
    Text(String),
}

/// A borrowed [`Id`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum IdRef<'a> {
    /// See [`Id::Integer`].
    Integer(i64),
    /// See [`Id::Text`].
    Text(&'a str),
}

impl Value {
    /// Overwrites it where it lies; what it was told of a person or a key is not to be found in memory that is given back.
    pub(crate) fn wipe(&mut self) {
        match self {
            Value::Text(v) | Value::Json(v) => v.zeroize(),
            Value::Blob(v) => v.zeroize(),
            Value::Integer(v) => v.zeroize(),
            Value::Real(v) => v.zeroize(),
            Value::Boolean(v) => v.zeroize(),
            Value::Null => {}
        }
    }

    /// Borrows the value.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Integer(v) => ValueRef::Integer(*v),
            Value::Real(v) => ValueRef::Real(*v),
            Value::Text(v) => ValueRef::Text(v),
            Value::Blob(v) => ValueRef::Blob(v),
            Value::Boolean(v) => ValueRef::Boolean(*v),
            Value::Json(v) => ValueRef::Json(v),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// Copies the value.
    pub fn to_owned(self) -> Value {
        match self {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(v) => Value::Integer(v),
            ValueRef::Real(v) => Value::Real(v),
            ValueRef::Text(v) => Value::Text(v.to_owned()),
            ValueRef::Blob(v) => Value::Blob(v.to_owned()),
            ValueRef::Boolean(v) => Value::Boolean(v),
            ValueRef::Json(v) => Value::Json(v.to_owned()),
        }
    }

    /// The text, where this is text or JSON.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            ValueRef::Text(v) | ValueRef::Json(v) => Some(v),
            _ => None,
        }
    }

    /// The integer, where this is one.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            ValueRef::Integer(v) => Some(v),
            _ => None,
        }
    }

    /// The double, where this is one.
    pub fn as_f64(self) -> Option<f64> {
        match self {
            ValueRef::Real(v) => Some(v),
            _ => None,
        }
    }

    /// The bytes, where this is a blob.
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            ValueRef::Blob(v) => Some(v),
            _ => None,
        }
    }

    /// The boolean, where this is one.
    pub fn as_bool(self) -> Option<bool> {
        match self {
            ValueRef::Boolean(v) => Some(v),
            _ => None,
        }
    }

    /// True for NULL.
    pub fn is_null(self) -> bool {
        matches!(self, ValueRef::Null)
    }

    /// The name of what this is, for messages that must not show the value.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            ValueRef::Null => "NULL",
            ValueRef::Integer(_) => "an integer",
            ValueRef::Real(_) => "a real",
            ValueRef::Text(_) => "text",
            ValueRef::Blob(_) => "a blob",
            ValueRef::Boolean(_) => "a boolean",
            ValueRef::Json(_) => "JSON",
        }
    }
}

impl Type {
    /// The name used in column specifications: `integer`, `real`, `text`, `blob`, `boolean`, `json`.
    pub fn name(self) -> &'static str {
        match self {
            Type::Integer => "integer",
            Type::Real => "real",
            Type::Text => "text",
            Type::Blob => "blob",
            Type::Boolean => "boolean",
            Type::Json => "json",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Type::Integer, Type::Real, Type::Text, Type::Blob, Type::Boolean, Type::Json]
            .into_iter()
            .find(|t| t.name().eq_ignore_ascii_case(name))
    }

    /// Applies the declared type to a value that is to be stored. Nothing is ever rounded, parsed or truncated: a
    /// value that does not fit exactly is an error.
    pub(crate) fn admit<'v>(self, value: ValueRef<'v>, column: &str) -> Result<ValueRef<'v>> {
        Ok(match (self, value) {
            (_, ValueRef::Null) => ValueRef::Null,
            (Type::Real, ValueRef::Real(v)) if v.is_nan() => {
                fail!(TypeMismatch, "column {column}: NaN can't be stored")
            }
            (Type::Integer, ValueRef::Integer(_))
            | (Type::Real, ValueRef::Real(_))
            | (Type::Text, ValueRef::Text(_))
            | (Type::Blob, ValueRef::Blob(_))
            | (Type::Boolean, ValueRef::Boolean(_)) => value,
            (Type::Real, ValueRef::Integer(v)) if exact_double(v) => {
                #[allow(clippy::cast_precision_loss)] // none is lost: it has just been checked
                ValueRef::Real(v as f64)
            }
            (Type::Boolean, ValueRef::Integer(v @ (0 | 1))) => ValueRef::Boolean(v == 1),
            (Type::Json, ValueRef::Text(v) | ValueRef::Json(v)) => {
                if serde_json::from_str::<serde::de::IgnoredAny>(v).is_err() {
                    fail!(TypeMismatch, "column {column}: not JSON text");
                }
                ValueRef::Json(v)
            }
            _ => {
                return Err(err!(
                    TypeMismatch,
                    "column {column} is declared {}, and can't hold {} exactly",
                    self.name(),
                    value.type_name()
                ));
            }
        })
    }
}

fn exact_double(v: i64) -> bool {
    v.unsigned_abs() <= 1 << 53
}

impl Id {
    /// Borrows the id.
    pub fn as_ref(&self) -> IdRef<'_> {
        match self {
            Id::Integer(v) => IdRef::Integer(*v),
            Id::Text(v) => IdRef::Text(v),
        }
    }

    /// The integer, where this is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Id::Integer(v) => Some(*v),
            Id::Text(_) => None,
        }
    }
}

impl IdRef<'_> {
    /// Copies the id.
    pub fn to_owned(self) -> Id {
        match self {
            IdRef::Integer(v) => Id::Integer(v),
            IdRef::Text(v) => Id::Text(v.to_owned()),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Integer(v) => write!(f, "{v}"),
            Id::Text(v) => f.write_str(v),
        }
    }
}

// A value is somebody's data: Debug shows what it is and how long, never what it says.
impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueRef::Null => f.write_str("Null"),
            ValueRef::Integer(_) => f.write_str("Integer(..)"),
            ValueRef::Real(_) => f.write_str("Real(..)"),
            ValueRef::Text(v) => write!(f, "Text({} bytes)", v.len()),
            ValueRef::Blob(v) => write!(f, "Blob({} bytes)", v.len()),
            ValueRef::Boolean(_) => f.write_str("Boolean(..)"),
            ValueRef::Json(v) => write!(f, "Json({} bytes)", v.len()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident, $convert:expr;)*) => {$(
        impl From<$source> for Value {
            fn from(v: $source) -> Self { Value::$variant($convert(v)) }
        }
    )*};
}
from! {
    i64 => Integer, std::convert::identity;
    i32 => Integer, i64::from;
    u32 => Integer, i64::from;
    f64 => Real, std::convert::identity;
    bool => Boolean, std::convert::identity;
    &str => Text, str::to_owned;
    String => Text, std::convert::identity;
    &[u8] => Blob, <[u8]>::to_vec;
    Vec<u8> => Blob, std::convert::identity;
}

macro_rules! from_ref {
    ($($source:ty => $variant:ident, $convert:expr;)*) => {$(
        impl<'a> From<$source> for ValueRef<'a> {
            fn from(v: $source) -> Self { ValueRef::$variant($convert(v)) }
        }
    )*};
}
from_ref! {
    i64 => Integer, std::convert::identity;
    i32 => Integer, i64::from;
    u32 => Integer, i64::from;
    f64 => Real, std::convert::identity;
    bool => Boolean, std::convert::identity;
    &'a str => Text, std::convert::identity;
    &'a String => Text, String::as_str;
    &'a [u8] => Blob, std::convert::identity;
    &'a Vec<u8> => Blob, Vec::as_slice;
}

impl<'a, const N: usize> From<&'a [u8; N]> for ValueRef<'a> {
    fn from(v: &'a [u8; N]) -> Self {
        ValueRef::Blob(v)
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(v: &'a Value) -> Self {
        v.as_ref()
    }
}

impl<'a, T: Into<ValueRef<'a>>> From<Option<T>> for ValueRef<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(ValueRef::Null, Into::into)
    }
}

impl From<i64> for IdRef<'_> {
    fn from(v: i64) -> Self {
        IdRef::Integer(v)
    }
}

impl From<i32> for IdRef<'_> {
    fn from(v: i32) -> Self {
        IdRef::Integer(i64::from(v))
    }
}

impl<'a> From<&'a str> for IdRef<'a> {
    fn from(v: &'a str) -> Self {
        IdRef::Text(v)
    }
}

impl<'a> From<&'a String> for IdRef<'a> {
    fn from(v: &'a String) -> Self {
        IdRef::Text(v)
    }
}

impl<'a> From<&'a Id> for IdRef<'a> {
    fn from(v: &'a Id) -> Self {
        v.as_ref()
    }
}

/// Column values for `insert` and `update`: `values! {"email" => "ada@example.org", "age" => 36}`.
///
/// Each value is anything that converts into a [`ValueRef`]; `None::<&str>` writes NULL.
#[macro_export]
macro_rules! values {
    ($($column:expr => $value:expr),* $(,)?) => {
        &[$(($column, $crate::ValueRef::from($value))),*] as &[(&str, $crate::ValueRef<'_>)]
    };
}
