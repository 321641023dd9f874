//! When an entry was made: seconds since 1970, or ISO 8601 as Python's `datetime.isoformat()` writes it.

const MS_PER_DAY: i64 = 86_400_000;
/// The end of the year 9999, in seconds.
const LATEST: f64 = 253_402_300_800.0;

/// Seconds since 1970, as milliseconds. None: before 1970, or no time that a clock shows.
pub(super) fn from_epoch(seconds: f64) -> Option<i64> {
    (0.0..LATEST).contains(&seconds).then_some((seconds * 1_000.0).round() as i64)
}

/// `2025-10-27T09:30:00`, with or without a fraction, and with or without `Z` or an offset such as `+02:00`; a time without is
/// taken as UTC.
pub(super) fn from_iso(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let [year, month, day] = numbers(date, "-", [4, 2, 2])?;
    let (time, offset) = split_offset(time)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ":", [2, 2, 2])?;
    let sound = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let ms_of_day = ((hour * 60 + minute - offset) * 60 + second) * 1_000 + millis(fraction)?;
    sound.then_some(days(year, month, day) * MS_PER_DAY + ms_of_day)
}

/// The time of day, and the minutes that it is ahead of UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (time, offset) = time.split_at_checked(at)?;
    let [hours, minutes] = numbers(offset.get(1..)?, ":", [2, 2])?;
    let ahead = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
    Some((time, if offset.starts_with('-') { -ahead } else { ahead }))
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, separator: &str, widths: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(separator);
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && all_digits(part))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first three digits of a fraction of a second.
fn millis(fraction: &str) -> Option<i64> {
    if !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    fraction.chars().chain("000".chars()).take(3).collect::<String>().parse().ok()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let years = (year - 1970) * 365 + (before / 4 - before / 100 + before / 400) - 477;
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, ms) in [
            ("1970-01-01T00:00:00", 0),
            ("2000-02-29T00:00:00.123", 951_782_400_123),
            ("2026-11-22T08:52:14", 1_795_337_534_000),
            ("2026-11-22 08:52:14.987654", 1_795_337_534_987),
            ("2026-11-22T08:52:14Z", 1_795_337_534_000),
            ("2026-11-22T08:52:14.5+00:00", 1_795_337_534_500),
            ("2026-11-22T10:22:14+01:30", 1_795_337_534_000),
            ("2026-11-21T23:52:14-09:00", 1_795_337_534_000),
            ("9999-12-31T23:59:59.999", 253_402_300_799_999),
            ("2024-02-29T00:00:00", 1_709_164_800_000),
            ("2100-03-01T00:00:00", 4_107_542_400_000),
            ("2026-11-22T08:52:14.123456789", 1_795_337_534_123),
            ("2026-11-23T08:51:14+23:59", 1_795_337_534_000),
        ] {
            assert_eq!(from_iso(text), Some(ms), "{text}");
        }
        assert_eq!(from_epoch(1_700_000_000.0), Some(1_700_000_000_000));
        assert_eq!(from_epoch(1_700_000_000.25), Some(1_700_000_000_250));
        assert_eq!(from_epoch(0.0), Some(0));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "T",
            "2026-11-22",
            "2026-13-01T00:00:00",
            "2026-00-01T00:00:00",
            "2026-02-29T00:00:00",
            "2100-02-29T00:00:00",
            "02026-11-22T08:52:14",
            "2026-11-22T8:52:14",
            "2026-11-22T+8:52:14",
            "2026-11-22T08:52:14.1234567890",
            "2026-11-22T08:52:14+24:00",
            "2026-11-22T08:52:14-01:60",
            "2026-11-22T24:00:00",
            "2026-11-22T08:60:00",
            "2026-11-22T08:52",
            "2026-11-22T08:52:14.",
            "2026-11-22T08:52:14.x",
            "2026-11-22T08:52:14+1",
            "2026-11-22T08:52:14+25:00",
            "+026-11-22T08:52:14",
            "1969-12-31T23:59:59",
            "2026-11-22T08:52:14Zx",
            "２０２６-11-22T08:52:14",
            "2026-11-22T08:52:14é",
        ] {
            assert_eq!(from_iso(bad), None, "{bad}");
        }
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1.7e12] {
            assert_eq!(from_epoch(bad), None, "{bad}");
        }
    }
}
