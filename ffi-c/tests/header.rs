//! The committed header and list of symbols are those of the source. `SEALITE_BLESS=1` writes them anew.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cbindgen::{
    Builder, Config, DocumentationStyle, ExportConfig, FunctionConfig, Language, SortKey, Style,
};
use documented::documented;
use signatures::sources;

#[path = "support/documented.rs"]
mod documented;
#[path = "support/signatures.rs"]
mod signatures;

const PREAMBLE: &str = include_str!("../header/preamble.h");
const HELPERS: &str = include_str!("../header/helpers.h");

/// Enumerations that no function names: they go in and out as integers.
const CHOICES: [&str; 11] = [
    "sealite_adoption_phase",
    "sealite_type",
    "sealite_vault_state",
    "sealite_synchronous",
    "sealite_rotation",
    "sealite_sealed_sql",
    "sealite_padding",
    "sealite_protection",
    "sealite_verdict",
    "sealite_format",
    "sealite_token_kind",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn generated() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    let number = parts.iter().fold(0, |number, part| number * 1_000 + part);
    let preamble = PREAMBLE
        .replace("@VERSION@", version)
        .replace("@MAJOR@", &parts[0].to_string())
        .replace("@MINOR@", &parts[1].to_string())
        .replace("@PATCH@", &parts[2].to_string())
        .replace("@NUMBER@", &number.to_string());
    let config = Config {
        language: Language::C,
        cpp_compat: true,
        include_guard: Some("SEALITE_H".to_owned()),
        no_includes: true,
        sys_includes: ["stdbool.h", "stddef.h", "stdint.h"].map(str::to_owned).to_vec(),
        after_includes: Some(preamble),
        style: Style::Type,
        documentation_style: DocumentationStyle::Doxy,
        line_length: 100,
        usize_is_size_t: true,
        function: FunctionConfig { sort_by: Some(SortKey::None), ..FunctionConfig::default() },
        export: ExportConfig {
            include: CHOICES.map(str::to_owned).to_vec(),
            ..ExportConfig::default()
        },
        ..Config::default()
    };
    let mut out = Vec::new();
    Builder::new()
        .with_config(config)
        .with_crate(env!("CARGO_MANIFEST_DIR"))
        .generate()
        .expect("cbindgen reads the source")
        .write(&mut out);
    let text = String::from_utf8(out).unwrap();
    let end = text.rfind("#endif").expect("the include guard ends");
    format!("{}{HELPERS}\n{}", documented(&text[..end]), &text[end..])
}

/// The functions that a header declares.
fn declared(header: &str) -> BTreeSet<String> {
    let code: String = header
        .replace(HELPERS, "")
        .lines()
        .filter(|line| !line.trim_start().starts_with(['*', '/', '#']))
        .fold(String::new(), |code, line| code + line + "\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices('(') {
        let name: String = code[..at]
            .chars()
            .rev()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
            .chars()
            .rev()
            .collect();
        if name.starts_with("sealite_") && code[at..].contains(");") {
            found.insert(name);
        }
    }
    found
}

/// Compares with the committed file, or writes it.
fn hold(path: &Path, text: &str) {
    if std::env::var_os("SEALITE_BLESS").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    if committed != text {
        let line = committed.lines().zip(text.lines()).position(|(one, other)| one != other);
        panic!(
            "{} is not what the source gives (first difference in line {:?}): run \
             `SEALITE_BLESS=1 cargo test -p sealite-ffi --test header`, and look at what has changed",
            path.display(),
            line.map(|line| line + 1)
        );
    }
}

#[test]
fn header_is_generated_from_the_source() {
    hold(&root().join("include/sealite.h"), &generated());
}

#[test]
fn list_of_symbols_is_that_of_the_header() {
    let names: Vec<String> = declared(&generated()).into_iter().collect();
    assert!(names.len() > 150, "{} functions", names.len());
    hold(&root().join("ffi-c/symbols.txt"), &(names.join("\n") + "\n"));
}

/// What the tests call the functions through. That it names all of them is as much as that it is of the source.
#[test]
fn table_of_functions_is_that_of_the_source() {
    let names: BTreeSet<String> = signatures::functions().into_keys().collect();
    assert_eq!(names, declared(&generated()));
    hold(&root().join("ffi-c/tests/support/abi/functions.rs"), &signatures::table());
}

/// Pointers are followed in a few small files only, each place with one of the numbered reasons of `lib.rs`.
#[test]
fn unsafe_code_stands_in_few_places_and_gives_its_reason() {
    for (file, code) in sources() {
        let lines: Vec<&str> = code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if !line.contains("unsafe {") {
                continue;
            }
            let few = ["call.rs", "error.rs", "fork.rs", "input.rs", "output.rs", "value.rs"];
            assert!(few.contains(&&*file), "{file}:{}: unsafe", at + 1);
            let reason = lines[..at]
                .iter()
                .rev()
                .take(4)
                .any(|line| line.trim_start().starts_with("// SAFETY: ("));
            assert!(reason, "{file}:{}: unsafe without its numbered reason", at + 1);
        }
        assert!(lines.len() <= 400, "{file} has {} lines, at most 400", lines.len());
    }
}

/// A function that no program calls is one that nobody has tried.
#[test]
fn every_exported_function_is_called_by_a_program_in_c() {
    let folder = root().join("ffi-c/c/tests");
    let files = std::fs::read_dir(folder).unwrap();
    let programs: String =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let missing: Vec<String> = declared(&generated())
        .into_iter()
        .filter(|name| !programs.contains(&format!("{name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Every exported function is one call of the guard: no panic can leave the library.
#[test]
fn every_exported_function_runs_behind_the_guard() {
    let mut exported = BTreeSet::new();
    for source in sources().values() {
        for part in source.split("#[unsafe(no_mangle)]\npub ").skip(1) {
            let name = part.split("fn ").nth(1).unwrap().split('(').next().unwrap().to_owned();
            let body = &part[part.find("{\n").unwrap()..part.find("\n}").unwrap()];
            let guards = ["call!(", "free(", "quietly("];
            let guarded = guards.iter().any(|guard| body.contains(guard));
            // These look at constants only.
            let harmless = ["sealite_version", "sealite_version_number", "sealite_status_name"];
            assert!(guarded || harmless.contains(&&*name), "{name} has no guard");
            exported.insert(name);
        }
    }
    assert_eq!(exported, declared(&generated()));
}
