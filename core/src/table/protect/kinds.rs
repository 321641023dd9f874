//! The engine's types and default values for what a plain table declares.

use super::plain::Seen;
use crate::db::Conn;
use crate::db::tokens::{Kind, Token, tokens};
use crate::error::{Result, fail};
use crate::value::{Type, Value, ValueRef};

/// The type that a declared one stands for, where its name tells: that of SQLite's affinity, but for booleans and JSON.
pub(crate) fn by_name(declared: &str) -> Option<Type> {
    let upper = declared.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
    if has(&["BOOL"]) {
        Some(Type::Boolean)
    } else if has(&["JSON"]) {
        Some(Type::Json)
    } else if has(&["INT"]) {
        Some(Type::Integer)
    } else if has(&["CHAR", "CLOB", "TEXT", "UUID"]) {
        Some(Type::Text)
    } else if has(&["BLOB", "BINARY"]) {
        Some(Type::Blob)
    } else if has(&["REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"]) {
        Some(Type::Real)
    } else {
        None
    }
}

/// As [`by_name`]; where the name does not tell (dates, no type), what is there does.
pub(super) fn kind_of(declared: &str, seen: &Seen) -> Type {
    by_name(declared).unwrap_or(match seen {
        Seen { integers: 1.., reals: 0, texts: 0, blobs: 0, .. } => Type::Integer,
        Seen { reals: 1.., texts: 0, blobs: 0, .. } => Type::Real,
        Seen { integers: 0, reals: 0, texts: 0, blobs: 1.., .. } => Type::Blob,
        _ => Type::Text,
    })
}

/// How many values there are that the type can't hold.
pub(super) fn misfits(kind: Type, seen: &Seen) -> i64 {
    let Seen { integers, reals, texts, blobs, not_boolean, not_json } = *seen;
    match kind {
        Type::Integer => reals + texts + blobs,
        Type::Real => texts + blobs,
        Type::Text => integers + reals + blobs,
        Type::Blob => integers + reals + texts,
        Type::Boolean => not_boolean + reals + texts + blobs,
        Type::Json => integers + reals + blobs + not_json,
    }
}

/// The value of a default, where it is a literal that the type can hold.
pub(super) fn default(conn: &Conn, text: &str, kind: Type) -> Result<Option<Value>> {
    if !is_literal(&tokens(text)) {
        fail!(Refused, "its default is an expression");
    }
    // SQLite reads its own literals best.
    let value = conn.first(&format!("SELECT {text}"), &[], |row| Ok(row.get(0)?.to_owned()))?;
    let value = match (value.unwrap_or(Value::Null), kind) {
        (Value::Null, _) => return Ok(None),
        (Value::Text(text), Type::Integer | Type::Boolean) => {
            text.trim().parse().map_or(Value::Text(text), Value::Integer)
        }
        (Value::Text(text), Type::Real) => {
            text.trim().parse().map_or(Value::Text(text), Value::Real)
        }
        (Value::Integer(number), Type::Text) => Value::Text(number.to_string()),
        (value, _) => value,
    };
    match kind.admit(value.as_ref(), "") {
        Ok(ValueRef::Null) | Err(_) => fail!(Refused, "its default is not {}", kind.name()),
        Ok(admitted) => Ok(Some(admitted.to_owned())),
    }
}

fn is_literal(tokens: &[Token<'_>]) -> bool {
    let literal = |token: &Token<'_>| match token.kind {
        Kind::Text | Kind::Number => true,
        Kind::Word => ["NULL", "TRUE", "FALSE"].iter().any(|word| token.is(word)),
        _ => false,
    };
    match tokens {
        [open, inner @ .., close] if open.is_sign("(") && close.is_sign(")") => is_literal(inner),
        [x, text] if x.is("x") => text.kind == Kind::Text,
        [sign, number] if sign.is_sign("-") || sign.is_sign("+") => number.kind == Kind::Number,
        [one] => literal(one),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_those_of_their_affinity() {
        for (declared, kind) in [
            ("VARCHAR(80)", Some(Type::Text)),
            ("bigint unsigned", Some(Type::Integer)),
            ("BOOLEAN", Some(Type::Boolean)),
            ("NUMERIC(10, 2)", Some(Type::Real)),
            ("JSONB", Some(Type::Json)),
            ("DATETIME", None),
            ("", None),
        ] {
            assert_eq!(by_name(declared), kind, "{declared}");
        }
    }

    #[test]
    fn only_literals_are_defaults() {
        for text in ["'a'", "1", "-1.5", "NULL", "x'00'", "(0)", "TRUE"] {
            assert!(is_literal(&tokens(text)), "{text}");
        }
        for text in ["CURRENT_TIMESTAMP", "(datetime('now'))", "a", "\"a\"", "1 + 1", ""] {
            assert!(!is_literal(&tokens(text)), "{text}");
        }
    }
}
