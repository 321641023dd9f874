//! The committed header and list of symbols are those of the source. `SEALITE_BLESS=1` writes them anew.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
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
    "sealite_phase",
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

/// The numbers of the reasons that `lib.rs` gives.
fn reasons() -> BTreeSet<u32> {
    let text = sources()["lib.rs"].clone();
    let lines = text.lines().filter_map(|line| line.strip_prefix("//! "));
    lines.filter_map(|line| line.split_once(". ")?.0.parse().ok()).collect()
}

/// The numbers in a note: `// SAFETY: (1), (2): …`.
fn cited(note: &str) -> Vec<u32> {
    let numbers = note.split('(').skip(1).map_while(|part| part.split(')').next()?.parse().ok());
    numbers.collect()
}

/// Pointers are followed in a few small files only, each place with one of the numbered reasons of `lib.rs` right above it.
#[test]
fn unsafe_code_stands_in_few_places_and_gives_its_reason() {
    let (reasons, mut used) = (reasons(), BTreeSet::new());
    assert!(reasons.len() >= 4, "{reasons:?}");
    let few = ["call.rs", "error.rs", "input.rs", "output.rs", "value.rs"];
    for (file, code) in sources() {
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        assert!(lines.len() <= 400, "{file} has {} lines, at most 400", lines.len());
        for (at, line) in lines.iter().enumerate() {
            let comment = line.starts_with("//");
            assert!(comment || !line.contains("unsafe impl"), "{file}:{}: unsafe impl", at + 1);
            if comment || !line.contains("unsafe {") {
                continue;
            }
            assert!(few.contains(&&*file), "{file}:{}: unsafe", at + 1);
            // The comment above it, over attributes and the head of its statement.
            let above = lines[..at].iter().rev().take_while(|line| !line.ends_with([';', '}']));
            let note = above.take(3).find_map(|line| line.strip_prefix("// SAFETY: "));
            let numbers = cited(note.unwrap_or_default());
            assert!(!numbers.is_empty(), "{file}:{}: unsafe without its numbered reason", at + 1);
            for number in numbers {
                assert!(reasons.contains(&number), "{file}:{}: no reason ({number})", at + 1);
                used.insert(number);
            }
        }
    }
    assert_eq!(used, reasons, "a reason that nothing rests on");
}

/// The statements of a body: what a semicolon or a closed block ends outside of brackets.
fn statements(body: &str) -> Vec<String> {
    let (mut depth, mut statement, mut found) = (0_i32, String::new(), Vec::new());
    for line in body.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        for c in line.chars() {
            depth += i32::from(matches!(c, '(' | '{' | '['));
            depth -= i32::from(matches!(c, ')' | '}' | ']'));
            statement.push(c);
            let open = statement.trim_start();
            let block = c == '}' && !open.starts_with("let ") && !open.starts_with("use ");
            if depth == 0 && (c == ';' || block) {
                found.push(std::mem::take(&mut statement).trim().to_owned());
            }
        }
        statement.push(' ');
    }
    found.push(statement.trim().to_owned());
    found.retain(|statement| !statement.is_empty());
    found
}

/// What a function's comment in the header has to say: every parameter, who frees what, what it returns, and the rule for
/// threads.
#[test]
fn every_function_is_documented_with_its_parameters_ownership_statuses_and_threads() {
    let header = generated();
    for (name, function) in signatures::functions() {
        let call = format!("{name}(");
        let mut places = header.match_indices(&call).map(|(at, _)| at);
        let declared =
            |at: &usize| !header[..*at].rsplit('\n').next().unwrap().starts_with([' ', '/']);
        let at = places.find(declared).unwrap();
        let before = &header[..at];
        let comment = &before[before.rfind("/**").unwrap()..before.rfind(" */").unwrap()];
        for parameter in &function.parameters {
            let (name, slot) = (&parameter.name, &parameter.slot);
            if slot == "Error" || slot == "Length" {
                continue;
            }
            let said = comment.lines().find(|line| {
                let mut words = line.trim_start_matches(" * @param").split_whitespace();
                let names = words.find(|word| *word != "[out]").unwrap_or_default();
                line.contains("@param") && names.split(',').any(|one| one == name)
            });
            let said = said.unwrap_or_else(|| panic!("{}: nothing about {name}", function.name));
            if let Some(kind) = slot.split("AHandle(\"").nth(1) {
                let frees = format!("sealite_{}_free()", kind.split('"').next().unwrap());
                assert!(said.contains(&frees), "{}: {said}", function.name);
            }
        }
        if function.parameters.iter().any(|one| one.slot == "Error") {
            assert!(comment.contains("@return SEALITE_OK"), "{name}");
        }
        assert!(
            function.parameters.is_empty() || comment.contains("@note From any thread"),
            "{name}"
        );
    }
}

/// Every statement of every exported function runs behind the guard, or can't panic: no panic leaves the library.
#[test]
fn every_exported_function_runs_behind_the_guard() {
    // What may stand outside: constants of the library, and numbers counted without overflow.
    let harmless = [
        "use ",
        "const NONE: &CStr = c\"\";",
        "const VERSION: &[u8] = concat!(",
        "sealite_status::name(status).as_ptr()",
        "CStr::from_bytes_with_nul(",
        "let record_count = if records.is_null() { 0 } else { count };",
        "let count = name_count.checked_mul(2).unwrap_or(usize::MAX / 2);",
        "let value_count = column_count.checked_mul(row_count).unwrap_or(usize::MAX / 2);",
        "[ env!(\"CARGO_PKG_VERSION_MAJOR\"),",
    ];
    let guards = ["call!(", "free(", "quietly(", "crate::call::quietly(", "let held = quietly("];
    let mut exported = BTreeSet::new();
    for source in sources().values() {
        for part in source.split("#[unsafe(no_mangle)]\npub ").skip(1) {
            let name = part.split("fn ").nth(1).unwrap().split('(').next().unwrap().to_owned();
            let start = part.find("{\n").unwrap() + 2;
            let end = part.find("\n}").unwrap().max(start);
            for statement in statements(&part[start..end]) {
                let within = statement.strip_prefix("if let Some(open) = held { ");
                let within =
                    within.or_else(|| statement.strip_prefix("if let Some(held) = held { "));
                let statement = within.unwrap_or(&statement);
                let allowed =
                    guards.iter().chain(&harmless).any(|start| statement.starts_with(start));
                assert!(allowed, "{name}: {statement}");
            }
            exported.insert(name);
        }
    }
    assert_eq!(exported, declared(&generated()));
}

/// A `bool` of another language may hold more than 0 and 1, which is undefined behaviour here: they go in as integers.
#[test]
fn no_parameter_of_an_exported_function_is_a_bool() {
    for (file, source) in sources() {
        for part in source.split("#[unsafe(no_mangle)]\npub ").skip(1) {
            let head = part.split("{\n").next().unwrap();
            let by_value = head.lines().any(|line| line.trim_end_matches(',').ends_with(": bool"));
            assert!(!by_value && !head.contains(": bool,"), "{file}: {head}");
        }
    }
}

/// The parts of a document that stand between backticks, outside of programs.
fn quoted(document: &str) -> Vec<String> {
    let text: String = document.split("```").step_by(2).collect();
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What the page names is in the header; a name that begins with `_` has the object of the name before it.
#[test]
fn names_on_the_page_are_those_of_the_header() {
    let header = generated();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let names: BTreeSet<&str> = header.split(|c| !word(c)).collect();
    let text = std::fs::read_to_string(root().join("docs/c-api.md")).unwrap();
    let (mut object, mut found) = (String::new(), 0);
    for quote in quoted(&text) {
        // Of `sealite_unlock_…` the beginning is a name's.
        let (name, whole) = match quote.split_once('…') {
            Some((begins, _)) => (begins, false),
            None => (quote.split('(').next().unwrap(), true),
        };
        // POSIX's, and cargo's name of the library.
        if !name.chars().all(word) || ["_exit", "sealite_ffi"].contains(&name) {
            continue;
        }
        let known = if name.starts_with('_') {
            names.iter().any(|known| known.starts_with(&object) && known.ends_with(name))
        } else if name.to_lowercase().starts_with("sealite_") {
            object = name.split('_').take(2).collect::<Vec<_>>().join("_") + "_";
            names.contains(name) || !whole && names.iter().any(|known| known.starts_with(name))
        } else {
            continue;
        };
        assert!(known, "{name}, of {object}");
        found += 1;
    }
    assert!(found > 150, "{found} names");
}

#[test]
fn table_of_errors_has_every_status_under_its_number() {
    let text = std::fs::read_to_string(root().join("docs/c-api.md")).unwrap();
    let table = text.split("| status | number |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut told = BTreeMap::new();
    for row in table.lines().skip(2) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let names = cells[1].split(", ").map(|name| name.trim_matches('`').to_owned());
        let numbers = cells[2].split(", ").map(|number| number.parse::<u32>().unwrap());
        assert_eq!(cells[1].split(", ").count(), cells[2].split(", ").count(), "{row}");
        for (name, number) in names.zip(numbers) {
            assert!(told.insert(number, name).is_none(), "{number} twice");
        }
    }
    let header = generated();
    let statuses = header.split("enum sealite_status").nth(1).unwrap().split('}').next().unwrap();
    let declared = statuses.lines().filter_map(|line| {
        let (name, number) = line.trim().trim_end_matches(',').split_once(" = ")?;
        Some((number.parse::<u32>().ok()?, name.to_owned()))
    });
    let declared: BTreeMap<u32, String> = declared.filter(|(number, _)| *number > 0).collect();
    assert!(declared.len() >= 37, "{declared:?}");
    assert_eq!(told, declared);
}
