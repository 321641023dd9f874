//! The texts of tokens and CSRF tokens are what docs/format.md says: a program that was written from that page alone, in
//! another language, makes and reads the frozen known answers, which the engine's own tests hold the engine to.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sealite::{TOKEN_PATTERN, is_token_text};
use serde_json::Value as Json;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn reference(arguments: &[&str]) -> Output {
    let python = std::env::var("SEALITE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    Command::new(python)
        .arg("-B")
        .arg(here("reference/tokens.py"))
        .args(arguments)
        .output()
        .expect("Python runs")
}

fn vectors(name: &str) -> Json {
    let text = std::fs::read_to_string(here("vectors").join(name)).expect("the vectors");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_reference_reader_agrees_with_the_frozen_vectors() {
    let files = ["token_text.json", "csrf.json"].map(|name| here("vectors").join(name));
    let [tokens, csrf] = files.each_ref().map(|file| file.to_str().unwrap());
    let output = reference(&["check", tokens, csrf]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "41 known answers hold");
    // It is not content with anything: the last character of each part, changed.
    let folder = tempfile::tempdir().unwrap();
    for (file, part) in [(tokens, "id"), (tokens, "secret"), (csrf, "mac"), (csrf, "mask")] {
        let mut text = std::fs::read_to_string(file).unwrap();
        let start = text.find(&format!("\"{part}\": \"")).unwrap() + part.len() + 5;
        let other = if text[start..].starts_with('0') { "1" } else { "0" };
        text.replace_range(start..=start, other);
        let bad = folder.path().join("bad.json");
        std::fs::write(&bad, text).unwrap();
        assert!(!reference(&["check", bad.to_str().unwrap()]).status.success(), "{part}");
    }
}

#[test]
fn a_text_is_told_for_a_token_without_a_vault() {
    let vectors = vectors("token_text.json");
    for one in vectors["tokens"].as_array().unwrap() {
        assert!(is_token_text(one["text"].as_str().unwrap()));
    }
    for one in vectors["malformed"].as_array().unwrap() {
        assert!(!is_token_text(one["text"].as_str().unwrap()), "{}", one["name"]);
    }
}

/// What is documented is what scanners are given.
#[test]
fn the_pattern_stands_in_the_documents() {
    let page = std::fs::read_to_string(here("../docs/format.md")).expect("docs/format.md");
    assert!(page.contains(&format!("    {TOKEN_PATTERN}\n")));
}
