//! Canonical JSON (RFC 8785): most payloads are written by programs, and are canonical already.

use std::ops::Deref;

use super::json::{self, Meaning};
use crate::error::{Result, fail};
use crate::secret::WipedText;

/// Objects and arrays inside one another that the quick look goes into.
const QUICK_DEPTH: usize = 16;
/// Digits of an integer that a double always holds exactly, and that are its shortest form.
const EXACT_DIGITS: usize = 15;

/// The canonical form of JSON text (RFC 8785, the JSON Canonicalization Scheme): one text for everything that means the same,
/// to full depth. Names are in the order of their UTF-16 code units, numbers as ECMAScript writes them, without white space. It
/// is what to hash, sign or compare, where a program that prints the same JSON in another way has to come to the same bytes.
///
/// ```
/// let receipt = sealite::canonical_json(r#"{ "b": [1.0, {"y": 1e2, "x": null}], "a": "\u20ac" }"#)?;
/// assert_eq!(receipt, r#"{"a":"€","b":[1,{"x":null,"y":100}]}"#);
/// # Ok::<(), sealite::Error>(())
/// ```
///
/// # Errors
/// `invalid_input` for what is no JSON text, is more than 128 deep, or has no one meaning (RFC 7493): a name twice in an
/// object, or an integer that no double holds, such as 9007199254740993. Give such numbers as texts.
pub fn canonical_json(text: &str) -> Result<String> {
    let Some(form) = canonical(text, Meaning::Doubles) else {
        fail!(
            InvalidInput,
            "not JSON text, or one with a name twice in an object or an integer that no double holds: give such numbers \
             as texts"
        );
    };
    Ok(str::to_owned(&form))
}

/// A canonical text: the one that was given, where that is canonical.
pub(crate) enum Form<'a> {
    Given(&'a str),
    Made(WipedText),
}

impl Deref for Form<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Form::Given(text) => text,
            Form::Made(text) => text,
        }
    }
}

/// The canonical form; `None` for what is no JSON text, or has not the meaning that is asked for.
pub(crate) fn canonical(text: &str, meaning: Meaning) -> Option<Form<'_>> {
    if Look(text.as_bytes()).whole() {
        return Some(Form::Given(text));
    }
    json::canonical(text, meaning).map(Form::Made)
}

/// A quick look at what is left of a text: it may take what is canonical for something else, never the other way round.
/// It knows no escapes, no fractions and no exponents, and no names beyond ASCII, whose order would be that of UTF-16.
struct Look<'a>(&'a [u8]);

impl<'a> Look<'a> {
    fn whole(mut self) -> bool {
        self.value(QUICK_DEPTH) && self.0.is_empty()
    }

    fn take(&mut self, wanted: &[u8]) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> bool {
        let Some(inner) = depth.checked_sub(1) else { return false };
        match self.0.first() {
            Some(b'"') => self.string().is_some(),
            Some(b'{') => self.object(inner),
            Some(b'[') => self.array(inner),
            Some(b't') => self.take(b"true"),
            Some(b'f') => self.take(b"false"),
            Some(b'n') => self.take(b"null"),
            _ => self.integer(),
        }
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let (b'"', rest) = self.0.split_first()? else { return None };
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        let (string, rest) = rest.split_at(end);
        self.0 = rest;
        self.take(b"\"").then_some(string)
    }

    fn object(&mut self, depth: usize) -> bool {
        if self.take(b"{}") {
            return true;
        }
        let mut before: Option<&[u8]> = None;
        while self.take(if before.is_none() { b"{" } else { b"," }) {
            let name = self.string().filter(|name| name.is_ascii());
            let Some(name) = name.filter(|name| before.is_none_or(|before| before < *name)) else {
                return false;
            };
            if !self.take(b":") || !self.value(depth) {
                return false;
            }
            before = Some(name);
        }
        self.take(b"}")
    }

    fn array(&mut self, depth: usize) -> bool {
        if self.take(b"[]") {
            return true;
        }
        let mut separator: &[u8] = b"[";
        while self.take(separator) {
            if !self.value(depth) {
                return false;
            }
            separator = b",";
        }
        self.take(b"]")
    }

    fn integer(&mut self) -> bool {
        if self.take(b"0") {
            return true;
        }
        self.take(b"-");
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sound = (1..=EXACT_DIGITS).contains(&digits) && self.0.first() != Some(&b'0');
        self.0 = self.0.get(digits..).unwrap_or(&[]);
        sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(text: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        serde_json_canonicalizer::to_string(&value).ok()
    }

    #[test]
    fn what_programs_write_is_seen_to_be_canonical() {
        for text in [
            r#"{"field":"email","from":"form","ok":true}"#,
            r#"{"":null,"A":[],"a":{},"aa":[1,-2,0,{"b":"Zoë ☃ \u007f"}]}"#.replace("\\u007f", "\x7f").as_str(),
            "\"text\"",
            "123456789012345",
            "false",
        ] {
            assert!(Look(text.as_bytes()).whole(), "{text}");
            assert_eq!(slow(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_not_canonical_is_never_taken_for_it() {
        for text in [
            "",
            " 1",
            "1 ",
            "{",
            "{\"a\":1",
            "{,}",
            "[1,]",
            "[,1]",
            "[1 ,2]",
            "{\"a\" :1}",
            "{\"a\":1,}",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":2}",
            "-0",
            "01",
            "-",
            "1.0",
            "1e3",
            "9007199254740993",
            "\"\\u0041\"",
            "\"\\/\"",
            "\"\n\"",
            "\"open",
            "nul",
            "truefalse",
            "{}{}",
            "[]]",
            "+1",
            "{1:2}",
        ] {
            assert!(!Look(text.as_bytes()).whole(), "{text}");
        }
    }

    /// Whatever is one edit away from a canonical text is canonical itself, or is not taken for it.
    #[test]
    fn edited_texts_are_judged_as_the_slow_way_judges_them() {
        let text = r#"{"a":[1,-20,{"b":"x"},"",[]],"c":{"d":null,"e":true},"f":0}"#;
        let mut taken = 0;
        for at in 0..text.len() {
            for byte in b" \"\\{}[],:0-9.eabz\n" {
                for edit in [&[][..], &[*byte][..]] {
                    for keep in [0, 1] {
                        let mut edited = text.as_bytes().to_vec();
                        edited.splice(at..at + keep, edit.iter().copied());
                        let edited = String::from_utf8(edited).unwrap();
                        if Look(edited.as_bytes()).whole() {
                            taken += 1;
                            assert_eq!(slow(&edited).as_deref(), Some(edited.as_str()));
                        }
                    }
                }
            }
        }
        assert!(taken > 100);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(!Look(deep.as_bytes()).whole());
        assert!(canonical(&deep, Meaning::Any).is_none());
        assert!(canonical_json(&deep).is_err());
    }
}
