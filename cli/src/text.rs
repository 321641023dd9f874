//! Text for people: safe to show, aligned, dated.

use std::fmt::Write;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

/// The text with everything escaped that could command a terminal or reorder a line: a label or id may come from a file
/// that somebody else has written.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let reorders = matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if character.is_control() || reorders {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Rows under their headings, two spaces apart, every column as wide as its widest cell.
pub(crate) fn aligned<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut lines = vec![headings.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| row.each_ref().map(|cell| printable(cell))));
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A moment in seconds since 1970 as `2026-01-31 23:59:59 UTC`; the bare number where it is before 1970 or after 9999.
pub(crate) fn date(seconds: i64) -> String {
    const DAY: i64 = 86_400;
    const YEAR_10000: i64 = 253_402_300_800;
    if !(0..YEAR_10000).contains(&seconds) {
        return seconds.to_string();
    }
    let (days, time) = (seconds / DAY, seconds % DAY);
    let (year, month, day) = civil(days);
    let mut text = String::new();
    let _ = write!(
        text,
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        time / 3_600,
        time / 60 % 60,
        time % 60
    );
    text
}

/// Year, month and day of a day since 1970. Years begin in March, so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    // Days since 0000-03-01; 146,097 of them in 400 years.
    let days = days + 719_468;
    let (era, in_era) = (days / 146_097, days % 146_097);
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    // Months from March: 153 days in every five.
    let from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// The moment that a text names, in milliseconds since 1970: `2026-01-31`, or with `T23:59:59Z`.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, seconds_of(time.strip_suffix('Z')?)?),
        None => (text, 0),
    };
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    // Years begin in March, as in `civil`.
    let (from_march, year) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let in_year = (153 * from_march + 2) / 5 + day - 1;
    let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
    let days = era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468;
    // A day that the calendar does not have comes back as another.
    let is =
        |(y, m, d): (i64, i64, i64)| m == month && d == day && y == year + i64::from(month <= 2);
    (days >= 0 && is(civil(days))).then_some((days * 86_400 + time) * 1_000)
}

/// A length of time: `30s`, `15m`, `12h`, `7d`.
pub(crate) fn length(text: &str) -> Result<Duration, &'static str> {
    let unit = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => 86_400,
        _ => return Err("a number and s, m, h or d"),
    };
    let digits = text.get(..text.len() - 1).unwrap_or_default();
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number =
        digits.parse::<u64>().ok().filter(|_| sound).and_then(|number| number.checked_mul(unit));
    number.map(Duration::from_secs).ok_or("a number and s, m, h or d")
}

fn seconds_of(time: &str) -> Option<i64> {
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3_600 + minute * 60 + second)
}

/// Three numbers, each of as many digits as it must have.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut found = [0; 3];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        let sound = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = part.parse().ok().filter(|_| sound)?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
            (-1, "-1"),
            (i64::MAX, "9223372036854775807"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }

    #[test]
    fn moments_are_read_as_dates_are_shown() {
        for seconds in [0, 951_782_400, 951_868_799, 1_709_251_199, 4_107_542_400, 253_402_300_799]
        {
            let shown = date(seconds);
            let text = shown.trim_end_matches(" UTC").replace(' ', "T") + "Z";
            assert_eq!(moment(&text), Some(seconds * 1_000), "{text}");
            let (day, midnight) = (&shown[..10], seconds / 86_400 * 86_400_000);
            assert_eq!(moment(day), Some(midnight), "{day}");
        }
        for text in [
            "",
            "2026",
            "2026-1-31",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-01-31T24:00:00Z",
            "2026-01-31T23:59:59",
            "2026-01-31T23:59Z",
            "1969-12-31",
            "+026-01-31",
            "2026-01-31-01",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_have_a_unit() {
        for (text, seconds) in
            [("0s", 0), ("30s", 30), ("15m", 900), ("12h", 43_200), ("7d", 604_800)]
        {
            assert_eq!(length(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "s", "7", "7w", "-7d", "+7d", "7.5d", "7 d", "7D", "99999999999999999d", "7é"]
        {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_text_commands_the_terminal() {
        let text = "a\u{1b}[2Jb\nc\u{202e}d\u{7f}é";
        assert_eq!(printable(text), "a\\u{1b}[2Jb\\nc\\u{202e}d\\u{7f}é");
    }

    #[test]
    fn columns_align_by_what_is_seen() {
        let rows = [["名".to_owned(), "x".to_owned()], ["abc".to_owned(), "y".to_owned()]];
        assert_eq!(aligned(["n", "v"], &rows), "n    v\n名   x\nabc  y\n");
    }
}
