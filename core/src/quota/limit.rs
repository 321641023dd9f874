//! Limits, and their form as text.

use std::fmt;
use std::time::Duration;

use crate::error::{Result, err, fail};

/// The longest window: 366 days.
const MAX_WINDOW: Duration = Duration::from_secs(366 * 86_400);
/// The most limits that one call takes.
pub(super) const MAX_LIMITS: usize = 8;

/// How a window lies in time. The numbers are stored; append-only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Sliding = 1,
    Fixed = 2,
}

/// So many charges in a window of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    pub(super) kind: Kind,
    count: u32,
    window_ms: i64,
}

impl Limit {
    /// At most `count` in any stretch of time as long as `window`, wherever it begins.
    ///
    /// Exact for up to 32: a charge counts for just as long as the window. Above that, charges are counted together
    /// that are less than a thirty-first of the window apart, each for as long as the last of them: a charge may
    /// count for up to 1/31 (3.3%) longer than the window, never shorter.
    ///
    /// # Errors
    /// `invalid_input` where the count is 0, or the window is not between a millisecond and 366 days.
    pub fn sliding(count: u32, window: Duration) -> Result<Self> {
        Self::new(Kind::Sliding, count, window)
    }

    /// At most `count` in each window, where windows begin at multiples of `window` since 1970 (UTC). Up to twice as
    /// many can pass in a short time around the border of two windows: [`Limit::sliding`] has none.
    ///
    /// # Errors
    /// As of [`Limit::sliding`].
    pub fn fixed(count: u32, window: Duration) -> Result<Self> {
        Self::new(Kind::Fixed, count, window)
    }

    fn new(kind: Kind, count: u32, window: Duration) -> Result<Self> {
        if count == 0 {
            fail!(InvalidInput, "a limit allows at least 1");
        }
        let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        if window_ms == 0 || window > MAX_WINDOW {
            fail!(InvalidInput, "a limit's window has a millisecond to 366 days");
        }
        Ok(Limit { kind, count, window_ms })
    }

    /// Limits as text: `30/minute`, `5 per 10 seconds`, `100/day`, several separated by `;` or `,`. All are sliding.
    /// Units: second, minute, hour, day, week, month (30 days), year (365 days), in the plural too, and s, m, h, d.
    ///
    /// # Errors
    /// `invalid_input` where the text is not of this form.
    pub fn parse(text: &str) -> Result<Vec<Self>> {
        let parts: Vec<&str> = text.split([';', ',']).map(str::trim).collect();
        // A separator at the end is no limit.
        let parts = match parts.split_last() {
            Some((&"", head)) if !head.is_empty() => head,
            _ => &parts,
        };
        parts.iter().map(|part| Self::parse_one(part)).collect()
    }

    fn parse_one(text: &str) -> Result<Self> {
        let bad = || err!(InvalidInput, "a limit reads like 30/minute or 5 per 10 seconds");
        let lower = text.to_ascii_lowercase();
        let (count, window) = match lower.split_once('/') {
            Some(parts) => parts,
            None => lower.split_once(" per ").ok_or_else(bad)?,
        };
        let count = number(count.trim()).ok_or_else(bad)?;
        let window = window.trim();
        let unit_at = window.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (multiple, unit) = window.split_at(unit_at);
        let multiple = if multiple.is_empty() { 1 } else { number(multiple).ok_or_else(bad)? };
        let seconds = seconds_of(unit.trim()).ok_or_else(bad)?;
        let seconds = u64::from(multiple) * seconds;
        Self::sliding(count, Duration::from_secs(seconds))
    }

    /// How many it allows.
    pub fn count(self) -> u32 {
        self.count
    }

    /// The length of its window.
    pub fn window(self) -> Duration {
        Duration::from_millis(self.window_ms.unsigned_abs())
    }

    /// True where windows begin at fixed times.
    pub fn is_fixed(self) -> bool {
        self.kind == Kind::Fixed
    }

    pub(super) fn window_ms(self) -> i64 {
        self.window_ms
    }
}

impl fmt::Display for Limit {
    /// As [`Limit::parse`] reads it, where the window has whole seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 4] =
            [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
        let unit = UNITS.into_iter().find(|(length, _)| self.window_ms % length == 0);
        let (length, name) = unit.unwrap_or((1, "millisecond"));
        match self.window_ms / length {
            1 => write!(f, "{}/{name}", self.count),
            many => write!(f, "{} per {many} {name}s", self.count),
        }
    }
}

/// Digits only: no sign, no spaces.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn seconds_of(unit: &str) -> Option<u64> {
    let singular = if unit.len() > 1 { unit.strip_suffix('s').unwrap_or(unit) } else { unit };
    Some(match singular {
        "s" | "sec" | "second" => 1,
        "m" | "min" | "minute" => 60,
        "h" | "hr" | "hour" => 3_600,
        "d" | "day" => 86_400,
        "week" => 7 * 86_400,
        "month" => 30 * 86_400,
        "year" => 365 * 86_400,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sliding(count: u32, seconds: u64) -> Limit {
        Limit::sliding(count, Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn limits_written_as_text_keep_their_meaning() {
        for (text, expected) in [
            ("30/minute", vec![sliding(30, 60)]),
            (" 5 per 10 seconds ", vec![sliding(5, 10)]),
            ("100/day", vec![sliding(100, 86_400)]),
            ("5/10seconds", vec![sliding(5, 10)]),
            ("1/Hour", vec![sliding(1, 3_600)]),
            ("2 per 1 month", vec![sliding(2, 30 * 86_400)]),
            (
                "10/second; 100 per 5 minutes;1000/day",
                vec![sliding(10, 1), sliding(100, 300), sliding(1_000, 86_400)],
            ),
            ("10/s, 20/m;", vec![sliding(10, 1), sliding(20, 60)]),
        ] {
            assert_eq!(Limit::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn text_that_is_no_limit_is_refused() {
        for text in [
            "",
            ";",
            "30",
            "/minute",
            "30/",
            "0/minute",
            "-1/minute",
            "+1/minute",
            "1.5/minute",
            "30/0 minutes",
            "30/fortnight",
            "30 minute",
            "30/minute;;1/day",
            "4294967296/day",
            "1/2 years",
            "30/minute minute",
            "30 per",
            "a/minute",
            "1/s s",
        ] {
            assert!(Limit::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_is_shown_as_it_is_read() {
        for text in ["30/minute", "5 per 10 seconds", "100/day", "7 per 90 minutes"] {
            let limit = Limit::parse(text).unwrap();
            assert_eq!(limit.first().unwrap().to_string(), text);
        }
    }

    #[test]
    fn windows_and_counts_have_bounds() {
        assert!(Limit::sliding(0, Duration::from_secs(1)).is_err());
        assert!(Limit::fixed(1, Duration::ZERO).is_err());
        assert!(Limit::fixed(1, Duration::from_micros(999)).is_err());
        assert!(Limit::fixed(1, MAX_WINDOW).is_ok());
        assert!(Limit::fixed(1, MAX_WINDOW + Duration::from_secs(1)).is_err());
    }
}
