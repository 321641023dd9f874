//! Export as JSON Lines, streaming.

use std::io::Write;

use super::entry::Event;
use crate::error::{Error, Result, err};
use crate::format::json::quote;
use crate::secret::{WipedBuffer, WipedText};

/// Which entries an export has.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExportOptions {
    /// From this time on, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Before this time.
    pub until_ms: Option<i64>,
    /// Only entries of this tenant.
    pub tenant: Option<String>,
}

impl ExportOptions {
    pub(super) fn has(&self, event: &Event) -> bool {
        self.names(event.at(), event.tenant())
    }

    /// Whether an entry of that time and tenant is among them.
    pub(super) fn names(&self, at: i64, tenant: Option<&str>) -> bool {
        self.from_ms.is_none_or(|from| at >= from)
            && self.until_ms.is_none_or(|until| at < until)
            && (self.tenant.is_none() || self.tenant.as_deref() == tenant)
    }
}

pub(super) fn write_line(out: &mut dyn Write, event: &Event) -> Result<()> {
    out.write_all(json_line(event).as_bytes()).map_err(|_| unwritten())
}

pub(super) fn unwritten() -> Error {
    err!(Io, "the export can't be written")
}

/// One entry as one line of JSON, its keys in canonical order. The payload is canonical as it was sealed.
pub(crate) fn json_line(event: &Event) -> WipedText {
    let mut line = WipedBuffer::default();
    let mut put = |name: &str, value: Member<'_>| {
        line.push(if line.as_bytes().is_empty() { b"{" } else { b"," });
        quote(name, &mut line);
        line.push(b":");
        match value {
            Member::Text(text) => quote(text, &mut line),
            Member::Json(json) => line.push(json.as_bytes()),
            Member::Integer(number) => line.push(number.to_string().as_bytes()),
        }
    };
    let chain = base16ct::lower::encode_string(event.blob("chain"));
    let time = timestamp(event.at());
    for (name, value) in [
        ("actor", event.actor().map(Member::Text)),
        ("at", Some(Member::Integer(event.at()))),
        ("chain", Some(Member::Text(&chain))),
        ("correlation_id", event.correlation_id().map(Member::Text)),
        ("erased", event.is_erased().then_some(Member::Json("true"))),
        ("event", Some(Member::Text(event.event()))),
        ("payload", event.payload().map(Member::Json)),
        ("seq", Some(Member::Integer(event.seq()))),
        ("subject", event.subject().map(Member::Text)),
        ("tenant", event.tenant().map(Member::Text)),
        ("trace_id", event.trace_id().map(Member::Text)),
        ("ts", Some(Member::Text(&time))),
    ] {
        if let Some(value) = value {
            put(name, value);
        }
    }
    line.push(b"}\n");
    line.into_text()
}

/// What stands behind a key.
enum Member<'a> {
    Text(&'a str),
    Json(&'a str),
    Integer(i64),
}

/// RFC 3339 in UTC, with milliseconds.
pub(crate) fn timestamp(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (seconds, millis) = (rest / 1_000, rest % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian, by 400-year eras that begin in March).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{ExportOptions, timestamp};

    #[test]
    fn timestamps_are_those_of_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(timestamp(1_795_337_534_000), "2026-11-22T08:52:14.000Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999Z");
        // About the ends of February, of centuries and of eras.
        for (ms, date) in [
            (-2_203_977_600_000, "1900-02-28"),
            (-2_203_891_200_000, "1900-03-01"),
            (68_169_600_000, "1972-02-29"),
            (946_598_400_000, "1999-12-31"),
            (951_868_800_000, "2000-03-01"),
            (983_318_400_000, "2001-02-28"),
            (4_102_358_400_000, "2099-12-31"),
            (4_107_456_000_000, "2100-02-28"),
            (4_107_542_400_000, "2100-03-01"),
            (7_263_129_600_000, "2200-02-28"),
            (7_263_216_000_000, "2200-03-01"),
            (10_418_803_200_000, "2300-02-28"),
            (10_418_889_600_000, "2300-03-01"),
            (13_569_379_200_000, "2399-12-31"),
            (13_574_563_200_000, "2400-02-29"),
            (13_574_649_600_000, "2400-03-01"),
        ] {
            assert_eq!(timestamp(ms), format!("{date}T00:00:00.000Z"));
        }
    }

    #[test]
    fn an_export_begins_at_its_first_moment_and_ends_before_its_last() {
        let mut options = ExportOptions::default();
        assert!(options.names(0, None) && options.names(i64::MAX, Some("acme")));
        (options.from_ms, options.until_ms) = (Some(10), Some(20));
        for (at, named) in [(9, false), (10, true), (19, true), (20, false), (21, false)] {
            assert_eq!(options.names(at, None), named, "{at}");
        }
        options.tenant = Some("acme".to_owned());
        assert!(options.names(10, Some("acme")));
        assert!(!options.names(10, Some("beta")) && !options.names(10, None));
    }
}
