//! Normalisers: the one form of a value that a blind index is computed over, so that two ways of
//! writing the same thing are found as the same.
//!
//! Name and version stand in the catalog. What a version gives for a text never changes, since
//! stored index values depend on it: another result is another version. Every normaliser is
//! idempotent, and canonically equivalent texts (Unicode 3.7) come out equal.

use core::fmt::{self, Write as _};

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// A named, versioned way to bring text to one form before it is indexed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normaliser {
    /// The text as it is.
    Exact,
    /// Compatibility case-insensitive (Unicode D146): NFKD, full case folding, NFKC; then trimmed
    /// and each run of white space (the property `White_Space`) made one U+0020. Folding is not
    /// for Turkish: İ is i with a dot above, ı is a letter of its own. Invisible characters that
    /// are not white space (U+200B, U+00AD) are kept.
    Text,
    /// An e-mail address: split at the last `@`, both sides trimmed; the local part as
    /// [`Text`](Self::Text), the domain in ASCII by UTS 46 (non-transitional, no STD3 rules, no
    /// length check). A domain that UTS 46 refuses (it is tried as it stands, then as `Text`), or
    /// that has white space inside, is kept as `Text`; so is a text without `@`. No provider's
    /// rules: dots and plus tags stay.
    ///
    /// The domain is not case-folded before UTS 46, which maps case itself and keeps ß and ς:
    /// folded first, `straße.example` would be `strasse.example`, somebody else's domain.
    Email,
    /// Phone and account numbers: the decimal digits (general category Nd) of any script as
    /// ASCII digits, after NFKC, and `+` where one comes before the first digit; all else is
    /// dropped. A leading `00` is not rewritten. A text without any digit is treated as
    /// [`Text`](Self::Text).
    Digits,
}

impl Normaliser {
    /// Name in the catalog and in declarations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Text => "text",
            Self::Email => "email",
            Self::Digits => "digits",
        }
    }

    /// Version of the result, kept in the catalog beside the name.
    pub const fn version(self) -> u16 {
        1
    }

    /// The normaliser of this name; names are case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Exact, Self::Text, Self::Email, Self::Digits].into_iter().find(|n| n.name() == name)
    }

    /// Number stored in the catalog; never reused.
    pub const fn code(self) -> u8 {
        match self {
            Self::Exact => 0,
            Self::Text => 1,
            Self::Email => 2,
            Self::Digits => 3,
        }
    }

    /// The normaliser of this catalog number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Exact),
            1 => Some(Self::Text),
            2 => Some(Self::Email),
            3 => Some(Self::Digits),
            _ => None,
        }
    }

    /// The normalised form of `text`: `text` itself where it already has that form in ASCII
    /// (nothing is copied), otherwise written to `scratch`, whose former content is lost.
    ///
    /// Both hold the caller's plaintext; wiping `scratch` is the caller's.
    pub(crate) fn normalise<'a>(self, text: &'a str, scratch: &'a mut String) -> &'a str {
        scratch.clear();
        match self {
            Self::Exact => return text,
            Self::Text if is_plain(text) => return text,
            Self::Text if text.is_ascii() => ascii_text(text, scratch),
            Self::Text => unicode_text(text, scratch),
            // A label in punycode is checked by UTS 46, ASCII or not.
            Self::Email if has_punycode(text) => unicode_email(text, scratch),
            Self::Email if is_plain(text) => return text,
            Self::Email if text.is_ascii() => ascii_email(text, scratch),
            Self::Email => unicode_email(text, scratch),
            Self::Digits if is_plain_number(text) => return text,
            Self::Digits => digits(text, scratch),
        }
        scratch
    }
}

/// Visible ASCII without capitals and without white space: `text` and, but for punycode, `email`
/// leave it as it is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'!'..=b'@' | b'['..=b'~'))
}

/// Whether a label may begin with `xn--`; a match elsewhere only costs time.
fn has_punycode(text: &str) -> bool {
    text.as_bytes().contains(&b'-')
        && text.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"xn--"))
}

/// One or more ASCII digits, after at most one `+`.
fn is_plain_number(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or(text);
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// `text` for ASCII, appended to `out`: folding is lower-casing and every normalisation form is the text.
fn ascii_text(text: &str, out: &mut String) {
    let start = out.len();
    collapse(text, out);
    if let Some(added) = out.get_mut(start..) {
        added.make_ascii_lowercase();
    }
}

/// `email` for ASCII without punycode, where UTS 46 only lower-cases.
fn ascii_email(text: &str, out: &mut String) {
    ascii_text(text, out);
    let Some(at) = out.rfind('@') else { return };
    // White space is one U+0020 by now. The right side first: `at` stays good.
    if out.as_bytes().get(at + 1) == Some(&b' ') {
        out.remove(at + 1);
    }
    if let Some(before) = at.checked_sub(1).filter(|&i| out.as_bytes().get(i) == Some(&b' ')) {
        out.remove(before);
    }
}

/// `text`, appended to `out`.
///
/// One pass is a fixed point: no code point's folded decomposition decomposes to anything that
/// folds again (a test holds this for all of them), and folding looks at no neighbours.
fn unicode_text(text: &str, out: &mut String) {
    if text.is_ascii() {
        return ascii_text(text, out);
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed);
    // Writing to a String does not fail.
    let _ = NFKC.normalize_to(&folded, &mut Collapse::new(out));
}

/// `email`, appended to `out`.
fn unicode_email(text: &str, out: &mut String) {
    // Composed first: a full-width @ splits as well.
    let composed = NFKC.normalize(text);
    let Some((local, domain)) = composed.rsplit_once('@') else {
        return unicode_text(&composed, out);
    };
    unicode_text(local, out);
    out.push('@');
    let mut spaced = String::with_capacity(domain.len());
    collapse(domain, &mut spaced);
    if !domain_to_ascii(&spaced, out) {
        // Once more in the folded form: UTS 46 may accept that one, and must then not do so only
        // when the result is normalised again.
        let mut folded = String::with_capacity(spaced.len());
        unicode_text(&spaced, &mut folded);
        if !domain_to_ascii(&folded, out) {
            out.push_str(&folded);
        }
    }
}

/// Appends the domain in ASCII (UTS 46 ToASCII, non-transitional); false, with nothing appended,
/// where it is refused.
fn domain_to_ascii(domain: &str, out: &mut String) -> bool {
    // UTS 46 without STD3 rules would let a space through and drop what stands beside it.
    if domain.contains(' ') {
        return false;
    }
    idna::domain_to_ascii(domain).is_ok_and(|ascii| {
        out.push_str(&ascii);
        true
    })
}

/// `digits`, appended to `out`.
fn digits(text: &str, out: &mut String) {
    let composed = NFKC.normalize(text);
    let mut plus = false;
    for c in composed.chars() {
        if let Some(digit) = decimal_digit(c) {
            if plus && out.is_empty() {
                out.push('+');
            }
            out.push(digit);
        } else {
            plus |= c == '+';
        }
    }
    if out.is_empty() {
        unicode_text(&composed, out);
    }
}

/// The ASCII digit for a character of general category Nd that NFKC leaves as it is.
fn decimal_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    let code = u32::from(c);
    let zero = ZEROS.get(ZEROS.partition_point(|&zero| zero <= code).checked_sub(1)?)?;
    char::from_digit(code - zero, 10)
}

/// Appends `text` with its ends trimmed and every run of white space as one U+0020.
fn collapse(text: &str, out: &mut String) {
    // Writing to a String does not fail.
    let _ = Collapse::new(out).write_str(text);
}

/// Trims and collapses white space in what is written through it.
struct Collapse<'a> {
    out: &'a mut String,
    /// Length of `out` before the first write: what precedes is not this text's.
    start: usize,
    gap: bool,
}

impl<'a> Collapse<'a> {
    fn new(out: &'a mut String) -> Self {
        let start = out.len();
        Self { out, start, gap: false }
    }
}

impl Collapse<'_> {
    /// Before a character that is not white space.
    fn close_gap(&mut self) {
        if self.gap && self.out.len() > self.start {
            self.out.push(' ');
        }
        self.gap = false;
    }
}

impl fmt::Write for Collapse<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
            self.close_gap();
            self.out.push_str(text);
            return Ok(());
        }
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        if c.is_whitespace() {
            self.gap = true;
            return Ok(());
        }
        self.close_gap();
        self.out.push(c);
        Ok(())
    }
}

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// The zero of every run of ten decimal digits (Nd) outside ASCII that NFKC leaves as it is,
/// Unicode 17.0, ascending.
const ZEROS: [u32; 68] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0x1_04a0, 0x1_0d30, 0x1_0d40, 0x1_1066, 0x1_10f0, 0x1_1136, 0x1_11d0, 0x1_12f0, 0x1_1450,
    0x1_14d0, 0x1_1650, 0x1_16c0, 0x1_16d0, 0x1_16da, 0x1_1730, 0x1_18e0, 0x1_1950, 0x1_1bf0,
    0x1_1c50, 0x1_1d50, 0x1_1da0, 0x1_1de0, 0x1_1f50, 0x1_6130, 0x1_6a60, 0x1_6ac0, 0x1_6b50,
    0x1_6d70, 0x1_e140, 0x1_e2f0, 0x1_e4f0, 0x1_e5f1, 0x1_e950,
];

#[cfg(test)]
mod tests;
