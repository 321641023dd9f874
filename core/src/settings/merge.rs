//! JSON Merge Patch (RFC 7396) on JSON text: what is not patched keeps its spelling, numbers above all.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{Result, fail};

/// How deep objects may lie within objects.
const MAX_DEPTH: usize = 128;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// True for the text of a JSON object.
pub(super) fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// The target with the patch applied. A patch that is no object takes the target's place.
pub(crate) fn merge(target: Option<&str>, patch: &str) -> Result<String> {
    merge_at(target, patch, 0)
}

fn merge_at(target: Option<&str>, patch: &str, depth: usize) -> Result<String> {
    if !is_object(patch) {
        return Ok(patch.to_owned());
    }
    if depth == MAX_DEPTH {
        fail!(Limit, "JSON objects are merged to a depth of {MAX_DEPTH}");
    }
    let Ok(changes) = serde_json::from_str::<Members<'_>>(patch) else {
        fail!(InvalidInput, "not JSON text");
    };
    let members: Members<'_> =
        target.and_then(|target| serde_json::from_str(target).ok()).unwrap_or_default();
    let mut merged: BTreeMap<&str, String> =
        members.iter().map(|(name, value)| (name.as_str(), value.get().to_owned())).collect();
    for (name, change) in &changes {
        if change.get() == "null" {
            merged.remove(name.as_str());
        } else {
            let before = members.get(name).map(|value| value.get());
            merged.insert(name, merge_at(before, change.get(), depth + 1)?);
        }
    }
    let mut out = String::from("{");
    for (name, value) in merged {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        out.push_str(&value);
    }
    out.push('}');
    Ok(out)
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> Zeroizing<String> {
    // The longest form: each byte as \u00xx, in quotes.
    let mut out = Zeroizing::new(Vec::with_capacity(6 * text.len() + 2));
    let _ = serde_json::to_writer(&mut *out, text);
    let text = String::from_utf8(std::mem::take(&mut *out)).unwrap_or_default();
    Zeroizing::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_of_rfc_7396_appendix_a() {
        for (target, patch, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r"{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            (r"[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            (r"{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merge(Some(target), patch).expect("merges"), expected, "{target} {patch}");
        }
    }

    #[test]
    fn numbers_keep_every_digit_and_depth_has_a_limit() {
        let merged = merge(Some(r#"{"n":123456789012345678901234567890}"#), r#"{"m":1.10}"#);
        assert_eq!(merged.expect("merges"), r#"{"m":1.10,"n":123456789012345678901234567890}"#);
        let deep = format!("{}1{}", "{\"a\":".repeat(1_000), "}".repeat(1_000));
        assert!(merge(None, &deep).is_err());
    }
}
