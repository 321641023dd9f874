//! Comparison of values bit for bit: `==` takes -0.0 for 0.0.

use sealite::{Type, Value, ValueRef};

/// True where both are the same type and the same bits.
pub fn identical(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    match (a, b) {
        (ValueRef::Real(a), ValueRef::Real(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// Every declared type.
pub const TYPES: [Type; 6] =
    [Type::Integer, Type::Real, Type::Text, Type::Blob, Type::Boolean, Type::Json];

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| DIGITS.get(usize::from(digit))).collect()
}

/// Values of a type that have gone wrong somewhere: limits, look-alikes of other types, empty ones, NUL bytes.
pub fn awkward(kind: Type) -> Vec<Value> {
    let texts = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
    match kind {
        Type::Integer => {
            [0, 1, -1, 127, 255, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1, i64::MIN, i64::MAX]
                .map(Value::Integer)
                .to_vec()
        }
        Type::Real => [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            1e3,
            2.5e-310,
            5e-324,
            f64::MIN_POSITIVE,
            f64::EPSILON,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9_007_199_254_740_993.0,
            9.223_372_036_854_776e18,
            1.797_693_134_862_315_5e308,
            123_456_789.123_456_79,
        ]
        .map(Value::Real)
        .to_vec(),
        Type::Blob => vec![
            Value::Blob(vec![]),
            Value::Blob(vec![0]),
            Value::Blob(vec![0; 100]),
            Value::Blob(b"1e3".to_vec()),
            Value::Blob((0..=255).collect()),
            Value::Blob(vec![0xff; 70_000]),
        ],
        Type::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        Type::Json => texts(&[
            "null",
            "{}",
            "[]",
            "\"\"",
            "0",
            "-0.0",
            "1.0",
            "1E3",
            "9007199254740993",
            "123456789012345678901234567890",
            " { \"b\" : 1 ,\n\t\"a\":[ 1.0 , 1e3,-0 ] }\r\n",
            "{\"a\":1,\"a\":2}",
            "\"\\u0000\\ud83d\\ude00 \u{1f600}\"",
            "true",
        ])
        .into_iter()
        .map(Value::Json)
        .collect(),
        _ => texts(&[
            "",
            " ",
            "1",
            "1.0",
            "1e3",
            "0x10",
            "NULL",
            "true",
            "\0",
            "a\0b",
            "\0\0",
            "\u{feff}bom",
            "\u{e9} e\u{301}",
            "\u{1f600}\u{1d518}\u{10ffff}",
            "'; DROP TABLE \"x\" --",
            "a\r\nb\t\u{7f}",
            &"long ".repeat(15_000),
        ])
        .into_iter()
        .map(Value::Text)
        .collect(),
    }
}
