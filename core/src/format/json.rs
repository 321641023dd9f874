//! JSON in memory that is wiped: what a payload says of a person is not left behind by its way into a row, a hash or an export.

use serde_json::Value as Json;
use zeroize::{Zeroize, Zeroizing};

use crate::secret::{WipedBuffer, WipedText};

/// Objects and arrays inside one another, as in serde's own reader.
const MAX_DEPTH: usize = 127;
/// The greatest integer that a double holds together with its neighbours (RFC 7493, section 2.2).
const MAX_SAFE: u64 = (1 << 53) - 1;

/// JSON whose names and texts are overwritten when it goes.
pub(crate) struct WipedJson(pub(crate) Json);

impl WipedJson {
    pub(crate) fn text(&self) -> WipedText {
        let mut text = WipedBuffer::default();
        // Neither a buffer nor a tree of texts fails.
        let _ = serde_json::to_writer(&mut text, &self.0);
        text.into_text()
    }
}

impl Drop for WipedJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Json) {
    match value {
        Json::String(text) => text.zeroize(),
        Json::Array(all) => all.iter_mut().for_each(wipe),
        Json::Object(all) => {
            for (mut name, mut value) in std::mem::take(all) {
                name.zeroize();
                wipe(&mut value);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// A text as a JSON string, behind what is there.
pub(crate) fn quote(text: &str, out: &mut WipedBuffer) {
    // As above.
    let _ = serde_json::to_writer(out, text);
}

/// What a text may have besides JSON with one meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// One for every reader (I-JSON, RFC 7493): no name twice in an object, no number beyond 2^53.
    Safe,
    /// No name twice, and integers of 64 bits that a double holds exactly, or that are how it is written; of the rest every one.
    Doubles,
    /// Of a name that stands twice the last counts, and a number is the nearest double.
    Any,
}

/// The canonical form (RFC 8785) of JSON text; `None` where it is none, is too deep or has more than one meaning.
pub(crate) fn canonical(text: &str, meaning: Meaning) -> Option<WipedText> {
    // From here on the text is known to be JSON, and only its parts are told from one another.
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut out = WipedBuffer::with_capacity(text.len());
    Reader { rest: text, meaning }.value(MAX_DEPTH, &mut out)?;
    Some(out.into_text())
}

/// What is left of a text.
struct Reader<'a> {
    rest: &'a str,
    meaning: Meaning,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes the sign, where it is next.
    fn take(&mut self, sign: char) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: usize, out: &mut WipedBuffer) -> Option<()> {
        if self.take('{') {
            self.object(depth.checked_sub(1)?, out)
        } else if self.take('[') {
            self.array(depth.checked_sub(1)?, out)
        } else if self.take('"') {
            quote(&self.string()?, out);
            Some(())
        } else {
            self.word(out)
        }
    }

    fn array(&mut self, depth: usize, out: &mut WipedBuffer) -> Option<()> {
        let mut sign: &[u8] = b"[";
        while !self.take(']') {
            // In front of every value but the first.
            if sign == b"," && !self.take(',') {
                return None;
            }
            out.push(sign);
            self.value(depth, out)?;
            sign = b",";
        }
        out.push(if sign == b"[" { b"[]" } else { b"]" });
        Some(())
    }

    fn object(&mut self, depth: usize, out: &mut WipedBuffer) -> Option<()> {
        let mut members: Vec<(Zeroizing<String>, WipedBuffer)> = Vec::new();
        while !self.take('}') {
            if !members.is_empty() && !self.take(',') || !self.take('"') {
                return None;
            }
            let name = self.string()?;
            let mut value = WipedBuffer::default();
            if !self.take(':') {
                return None;
            }
            self.value(depth, &mut value)?;
            members.push((name, value));
        }
        // A stable order: the last of a name stays behind the others.
        members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        let given = members.len();
        members.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        if members.len() < given && self.meaning != Meaning::Any {
            return None;
        }
        let mut sign: &[u8] = b"{";
        for (name, value) in &members {
            out.push(sign);
            quote(name, out);
            out.push(b":");
            out.push(value.as_bytes());
            sign = b",";
        }
        out.push(if members.is_empty() { b"{}" } else { b"}" });
        Some(())
    }

    /// What stands behind a quotation mark, up to the next.
    fn string(&mut self) -> Option<Zeroizing<String>> {
        let mut end = 0;
        loop {
            match self.rest.as_bytes().get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        let (mut escaped, rest) = self.rest.split_at_checked(end)?;
        // No escape is shorter than what it stands for.
        let mut text = Zeroizing::new(String::with_capacity(escaped.len()));
        while let Some((before, after)) = escaped.split_once('\\') {
            text.push_str(before);
            let mut signs = after.chars();
            text.push(match signs.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let (sign, rest) = code_point(signs.as_str())?;
                    signs = rest.chars();
                    sign
                }
                itself => itself,
            });
            escaped = signs.as_str();
        }
        text.push_str(escaped);
        self.rest = rest.strip_prefix('"')?;
        Some(text)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self, out: &mut WipedBuffer) -> Option<()> {
        let ends = [',', ']', '}', ' ', '\t', '\n', '\r'];
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        if matches!(word, "true" | "false" | "null") {
            out.push(word.as_bytes());
            return Some(());
        }
        let number: f64 = word.parse().ok()?;
        let integer = (word.parse().ok()).or(word.parse().ok().map(i64::unsigned_abs));
        let taken = match (self.meaning, integer) {
            (Meaning::Any, _) | (Meaning::Doubles, None) => true,
            (Meaning::Safe, Some(magnitude)) => magnitude <= MAX_SAFE,
            (Meaning::Safe, None) => number.abs() < 2f64.powi(53),
            (Meaning::Doubles, Some(magnitude)) => is_double(magnitude),
        };
        if !taken || !number.is_finite() {
            return None;
        }
        out.push(ryu_js::Buffer::new().format_finite(number).as_bytes());
        Some(())
    }
}

/// What the digits behind `\u` stand for, and perhaps those of a second half (RFC 8259, section 7).
fn code_point(digits: &str) -> Option<(char, &str)> {
    let unit = |digits: &str| u16::from_str_radix(digits, 16).ok();
    let (first, rest) = digits.split_at_checked(4)?;
    let first = unit(first)?;
    if let Some(sign) = char::from_u32(u32::from(first)) {
        return Some((sign, rest));
    }
    let (second, rest) = rest.strip_prefix("\\u")?.split_at_checked(4)?;
    let sign = char::decode_utf16([first, unit(second)?]).next()?.ok()?;
    Some((sign, rest))
}

/// True where a double holds the integer exactly, or where the integer is the shortest text for the double next to it: what a
/// canonical form has.
#[allow(clippy::cast_precision_loss, reason = "which double is nearest is the question")]
fn is_double(magnitude: u64) -> bool {
    magnitude == 0
        || magnitude >> magnitude.trailing_zeros() <= MAX_SAFE
        || (magnitude as f64).to_string() == magnitude.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any JSON text, spelled in any way: white space, escapes, names that stand twice.
    fn texts() -> impl Strategy<Value = String> {
        let string = proptest::collection::vec(
            prop_oneof![
                Just("a".to_owned()),
                Just("\u{e9}".to_owned()),
                Just("\u{1d11e}".to_owned()),
                Just("\u{fb33}".to_owned()),
                "\\\\[\"\\\\/bfnrt]",
                "\\\\u[0-9a-fA-F]{4}",
                Just("\\ud834\\udd1e".to_owned()),
            ],
            0..4,
        );
        let string = string.prop_map(|parts| format!("\"{}\"", parts.concat()));
        let leaf = prop_oneof![
            string.clone(),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
            prop_oneof![Just("true".to_owned()), Just("null".to_owned()), Just("false".to_owned())],
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            let array = proptest::collection::vec(inner.clone(), 0..4);
            let object = proptest::collection::vec((string.clone(), inner), 0..4);
            prop_oneof![
                array.prop_map(|all| format!("[ {}]", all.join("\t,"))),
                object.prop_map(|all| {
                    let all: Vec<String> =
                        all.into_iter().map(|(name, value)| format!("{name} :\n{value}")).collect();
                    format!("{{{} }}", all.join(", "))
                }),
            ]
        })
    }

    proptest! {
        /// A program of other people's says the same.
        #[test]
        fn the_form_is_that_of_another_implementation(text in texts()) {
            let other = serde_json::from_str::<Json>(&text)
                .ok()
                .and_then(|value| serde_json_canonicalizer::to_string(&value).ok());
            let own = canonical(&text, Meaning::Any);
            prop_assert_eq!(own.as_deref(), other.as_deref());
            // What has one meaning has the same form.
            if let Some(strict) = canonical(&text, Meaning::Doubles) {
                prop_assert_eq!(Some(&*strict), other.as_deref());
            }
        }
    }

    #[test]
    fn safe_numbers_end_where_doubles_stop_telling_integers_apart() {
        for (text, taken) in [
            ("9007199254740991", true),
            ("-9007199254740991", true),
            ("9007199254740992", false),
            ("-9007199254740992", false),
            ("9007199254740991.0", true),
            ("9007199254740992.0", false),
            ("-9007199254740992.0", false),
            ("1e300", false),
            ("0.1", true),
        ] {
            assert_eq!(canonical(text, Meaning::Safe).is_some(), taken, "{text}");
        }
    }

    #[test]
    fn doubles_are_those_that_reading_and_writing_keeps() {
        for (text, taken) in [
            ("0", true),
            ("9007199254740992", true),
            ("9007199254740993", false),
            ("9223372036854775808", true),
            ("9223372036854775807", false),
            ("18446744073709550000", true),
            ("18446744073709550001", false),
            ("1e300", true),
        ] {
            assert_eq!(canonical(text, Meaning::Doubles).is_some(), taken, "{text}");
        }
    }

    #[test]
    fn surrogates_come_in_pairs() {
        for bad in [
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\ud800\\\"\"",
            "\"\\ud800\\ud800\"",
        ] {
            assert!(canonical(bad, Meaning::Any).is_none(), "{bad}");
        }
        assert_eq!(&*canonical("\"\\uD834\\uDD1E\"", Meaning::Safe).unwrap(), "\"\u{1d11e}\"");
    }
}
