//! The documents are true: their shell blocks run, and what they name is there. Their Rust blocks are doc tests
//! (`tests/src/documents.rs`), their Python blocks are run by `python/tests/test_docs.py`, those in C and C++ by
//! `ffi-c/tests/libraries.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;

use sealite_tests::documents::RUN;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every document, by its path from the root.
fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["", "docs/"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            if name.strip_suffix(".md").is_some() {
                let path = format!("{folder}{name}");
                let text = std::fs::read_to_string(root().join(&path)).expect("a document");
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(found.iter().any(|(path, _)| path == "README.md") && found.len() >= 8);
    found
}

/// The fenced blocks of a document: language and text.
fn blocks(document: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in document.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some("")) => found.extend(open.take()),
            (Some((_, text)), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without its end");
    found
}

/// The folder of the `sealite` binary. Built here, since this test may run alone: with the packages that `make test`
/// names, whose features together decide what is compiled, so that there nothing is.
fn binaries() -> PathBuf {
    let packages = ["sealite", "sealite-cli", "sealite-ffi", "sealite-tests", "sealite-benches"];
    let built = Command::new(env!("CARGO"))
        .args(["test", "--no-run", "--quiet", "--locked", "--message-format=json", "--test=cli"])
        .args(packages.map(|name| format!("--package={name}")))
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).expect("UTF-8");
    let binary = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["kind"][0] == "bin")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    binary.expect("cargo names the binary").parent().expect("a folder").to_owned()
}

/// A make target is shown to exist and to be well formed; running it here would run this test again.
fn check_make(line: &str) {
    let words: Vec<&str> = line.split_whitespace().take_while(|word| *word != "#").collect();
    let planned = Command::new("make")
        .arg("-n")
        .args(&words[1..])
        .current_dir(root())
        .env_remove("MAKEFLAGS")
        .output()
        .expect("make runs");
    let errors = String::from_utf8_lossy(&planned.stderr);
    assert!(planned.status.success(), "{line}: {errors}");
}

#[test]
fn every_shell_block_runs() {
    let binaries = binaries();
    let path = std::env::var("PATH").expect("a path");
    let mut count = 0;
    for (name, text) in documents() {
        let folder = tempfile::tempdir().expect("a folder");
        for (language, block) in blocks(&text) {
            if language != "sh" {
                continue;
            }
            let (make, commands): (Vec<&str>, Vec<&str>) =
                block.lines().partition(|line| line.starts_with("make "));
            make.iter().copied().for_each(check_make);
            let ran = Command::new("bash")
                .args(["-euo", "pipefail", "-c", &commands.join("\n")])
                .env("PATH", format!("{}:{path}", binaries.display()))
                .current_dir(folder.path())
                .output()
                .expect("bash runs");
            let (out, err) =
                (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "{name}:\n{block}\n{out}\n{err}");
            count += 1;
        }
    }
    assert!(count >= 5, "only {count} blocks");
}

#[test]
fn every_block_is_of_a_language_that_is_run() {
    for (name, text) in documents() {
        for (language, _) in blocks(&text) {
            assert!(
                ["sh", "python", "rust", "c", "cpp", "text"].contains(&language.as_str()),
                "{name}: {language:?}"
            );
            assert!(
                language != "rust" || RUN.contains(&name.as_str()),
                "{name} has Rust that is not run"
            );
        }
    }
    for name in RUN {
        assert!(root().join(name).exists(), "{name}");
    }
}

/// The spans between single back quotes, outside of blocks.
fn spans(document: &str) -> Vec<String> {
    let mut inside = false;
    let lines = document.lines().filter(|line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

#[test]
fn every_test_that_is_named_exists() {
    let mut count = 0;
    let mut missing = Vec::new();
    for (name, text) in documents() {
        for span in spans(&text) {
            let Some((file, test)) = span.split_once("::") else { continue };
            let lower = |text: &str| {
                text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            };
            // `Vault::create` and the like name items of the API.
            // A mutant has spaces.
            let is_file = lower(file) || (file.contains('/') && !file.contains(' '));
            if !is_file || !lower(test) || !test.contains('_') {
                continue;
            }
            let file = if lower(file) { format!("tests/tests/{file}.rs") } else { file.to_owned() };
            let source = std::fs::read_to_string(root().join(file)).unwrap_or_default();
            let declared = [format!("fn {test}("), format!("def {test}(")];
            if !declared.iter().any(|declared| source.contains(declared)) {
                missing.push(format!("{name}: {span}"));
            }
            count += 1;
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(count >= 15, "only {count} tests are named");
}

/// The items of the lists under the headings "Holds" and "Does not hold", each with the lines that belong to it.
fn items(document: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        if line.starts_with("- ") {
            inside = true;
            items.push(String::new());
        } else if !line.starts_with("  ") {
            inside = false;
        }
        if inside && let Some(item) = items.last_mut() {
            item.push_str(line.trim());
            item.push(' ');
        }
    }
    items
}

#[test]
fn whatever_the_threat_model_says_is_refused_or_detected_names_its_test() {
    let text = std::fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let items = items(&text);
    let claims = |item: &&String| {
        let words = item.split(|c: char| !c.is_ascii_alphabetic());
        words.into_iter().any(|word| matches!(word, "refused" | "detected" | "noticed"))
    };
    let claims: Vec<_> = items.iter().filter(claims).collect();
    assert!(claims.len() >= 12, "only {} claims", claims.len());
    let without: Vec<_> = claims.iter().filter(|item| !item.contains("Shown by `")).collect();
    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn every_path_and_make_target_that_is_named_exists() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).expect("the Makefile");
    let folders =
        ["core/", "cli/", "ffi-c/", "include/", "python/", "tests/", "benches/", "docs/", ".ci/"];
    for (name, text) in documents() {
        for span in spans(&text) {
            let path = span.split("::").next().unwrap_or_default();
            let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
            if plain && folders.iter().any(|folder| path.starts_with(folder)) {
                assert!(root().join(path).exists(), "{name} names {path}");
            }
            if let Some(target) = span.strip_prefix("make ").and_then(|s| s.split(' ').next()) {
                let declared = format!("\n{target}:");
                assert!(makefile.contains(&declared), "{name} names make {target}");
            }
        }
    }
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut count = 0;
    for (name, text) in documents() {
        let here = root().join(&name).parent().expect("a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") {
                let path = link.split('#').next().unwrap_or_default();
                assert!(here.join(path).exists(), "{name} links to {link}");
                count += 1;
            }
        }
    }
    assert!(count >= 10, "only {count} links");
}
