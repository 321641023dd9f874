//! Numbers as a person reads them.

use std::time::Duration;

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time in the unit that gives three or four digits.
pub fn time(time: Duration) -> String {
    let nanoseconds = time.as_secs_f64() * 1e9;
    match nanoseconds {
        ..999.5 => format!("{nanoseconds:.0} ns"),
        ..999_995.0 => format!("{:.2} µs", nanoseconds / 1e3),
        ..999_995_000.0 => format!("{:.2} ms", nanoseconds / 1e6),
        _ => format!("{:.2} s", nanoseconds / 1e9),
    }
}

/// A number of bytes.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{} bytes", grouped(bytes)),
        10_240..1_048_576 => format!("{} KiB", grouped(bytes / 1_024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_units_that_fit() {
        let of = |nanoseconds| time(Duration::from_nanos(nanoseconds));
        assert_eq!(of(999), "999 ns");
        assert_eq!(of(1_500), "1.50 µs");
        assert_eq!(of(999_999), "1.00 ms");
        assert_eq!(of(12_340_000), "12.34 ms");
        assert_eq!(of(2_000_000_000), "2.00 s");
        assert_eq!(bytes(4_096), "4,096 bytes");
        assert_eq!(bytes(32_768), "32 KiB");
        assert_eq!(bytes(3_670_016), "3.5 MiB");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
