//! The layers of the core: who may import what. Held by reading the source, since nothing else would hold it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

/// The layers from the bottom up; a file may use its own layer and those below.
const LAYERS: &[&[&str]] = &[
    &["error", "value", "secret", "fork", "locked", "metrics"],
    &["crypto"],
    &["format", "index"],
    &["db"],
    &["keys"],
    &["table"],
    &["audit", "creation", "field", "password", "sql"],
    &["approval", "health", "quota", "settings", "token"],
    &["erasure", "rotation"],
    &["tenant", "transaction", "vault"],
    &["adoption"],
    &["lib", "fuzzing"],
];

/// Crates and where alone they may be named.
const CONFINED: &[(&str, &[&str])] = &[
    ("rusqlite", &["db", "sql"]),
    ("aes", &["crypto"]),
    ("aes_gcm", &["crypto"]),
    ("hkdf", &["crypto"]),
    ("hmac", &["crypto"]),
    ("polyval", &["crypto"]),
    ("sha2", &["crypto"]),
    ("argon2", &["crypto"]),
    ("bcrypt", &["crypto"]),
    ("cbc", &["crypto"]),
    ("crc32fast", &["token"]),
    ("getrandom", &["crypto"]),
    ("subtle", &["crypto"]),
    ("libc", &["fork"]),
];

/// The standard library's locks, and what waits as they do.
const LOCKS: &[&str] = &["Mutex", "RwLock", "Once", "OnceLock", "LazyLock", "Condvar", "Barrier"];

/// Files that may name them. A child of a fork waits for no thread of its parent's: what is locked elsewhere is locked by
/// `fork::PerProcess`. These are held through a fork, or belong to what no child uses: a pool of memory, a connection, a key.
const LOCKING: &[&str] = &[
    "fork/per_process.rs",
    "db/gate.rs",
    "db/kept.rs",
    "locked/pool.rs",
    "db/authority.rs",
    "keys/key.rs",
    // Of the extension, whose connections no child uses.
    "sql/native.rs",
];

/// Files that may hold `unsafe` code: the at-fork hook and SQLite's part in a fork, locked pages for keys, statements without a borrow, and SQLite's module interface.
const UNSAFE: &[&str] = &[
    "fork.rs",
    "fork/per_process.rs",
    "db/library.rs",
    "locked/mod.rs",
    "db/raw.rs",
    "db/text.rs",
    "sql/abi.rs",
    "sql/connected.rs",
    "sql/counts.rs",
    "sql/extend.rs",
    "sql/face.rs",
    "sql/guest.rs",
    "sql/host.rs",
    "sql/index_info.rs",
    "sql/native.rs",
    "sql/values.rs",
];

/// Lines of a file without its tests.
const MAX_LINES: usize = 400;

/// Files that are longer, and how long they may be until they are taken apart.
const LONGER: &[(&str, usize)] = &[];

type Sources = BTreeMap<String, String>;

fn sources() -> Sources {
    fn read(folder: &Path, name: &str, found: &mut Sources) {
        for entry in std::fs::read_dir(folder).expect("the core's source") {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap();
            let name = if name.is_empty() { file.to_owned() } else { format!("{name}/{file}") };
            if path.is_dir() {
                read(&path, &name, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = Sources::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src"), "", &mut found);
    assert!(found.len() > 30, "the core's source is where it was");
    found
}

/// The module of a file: its folder or its own name.
fn module(file: &str) -> &str {
    file.split_once('/').map_or_else(|| file.trim_end_matches(".rs"), |(folder, _)| folder)
}

fn level(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Files that are compiled for tests only.
fn is_test_file(file: &str, sources: &Sources) -> bool {
    let Some((folder, name)) = file.rsplit_once('/') else { return false };
    if folder.split('/').any(|part| part == "tests") || name == "tests.rs" {
        return true;
    }
    let declared = format!("#[cfg(test)]\nmod {};", name.trim_end_matches(".rs"));
    sources.get(&format!("{folder}/mod.rs")).is_some_and(|parent| parent.contains(&declared))
}

/// The code of a file: no comments, no texts, no tests.
fn code(source: &str) -> String {
    let source = match source.find("#[cfg(test)]\n#[allow") {
        Some(at) => &source[..at],
        None => source.find("#[cfg(test)]\nmod tests {").map_or(source, |at| &source[..at]),
    };
    let mut out = String::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("r#\"") {
            rest = rest[3..].find("\"#").map_or("", |end| &rest[3 + end + 2..]);
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            rest = end.map_or("", |end| &rest[end + 2..]);
            out.push_str("\"\"");
        } else if rest.starts_with("'\"'") {
            rest = &rest[3..];
        } else if rest.starts_with("'\\\"'") {
            rest = &rest[4..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// The identifiers that follow a path's start, groups in braces included: `crate::{a, b::c}` gives a and b.
fn after<'c>(code: &'c str, start: &str) -> Vec<&'c str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(start) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + start.len()..];
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = 0;
            for (position, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push(identifier(group[item..position].trim()));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(identifier(group[item..position].trim()));
                        item = position + 1;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(identifier(rest));
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// What the root of the crate exports, and the module that it comes from.
fn exports(sources: &Sources) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for statement in code(&sources["lib.rs"]).split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let module = identifier(path).to_owned();
        let names = path.rsplit("::").next().unwrap_or_default();
        for name in names.split(|c: char| !c.is_alphanumeric() && c != '_') {
            found.insert(name.to_owned(), module.clone());
        }
    }
    found
}

/// Every breach of the layers, as text.
fn breaches(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    let exports = exports(sources);
    for (file, source) in sources {
        if is_test_file(file, sources) {
            continue;
        }
        let (module, code) = (module(file), code(source));
        let Some(own) = level(module) else {
            found.push(format!("{file}: the module {module} has no layer"));
            continue;
        };
        for name in after(&code, "crate::") {
            // Names at the root stand for where they come from; the rest are macros of the crate.
            let used = exports.get(name).map_or(name, String::as_str);
            match level(used) {
                Some(other) if other > own => {
                    found.push(format!("{file}: uses {used}, which lies above"));
                }
                None if !code.contains(&format!("macro_rules! {name}")) => {
                    found.push(format!("{file}: uses {name}, which has no layer"));
                }
                _ => {}
            }
        }
        for (name, places) in CONFINED {
            let named = words(&code).any(|word| word == *name);
            if named && !places.contains(&module) && is_path(&code, name) {
                found.push(format!("{file}: names {name}, which belongs to {places:?}"));
            }
        }
        if words(&code).any(|word| word == "unsafe" || word == "unsafe_code")
            && file != "lib.rs"
            && !UNSAFE.contains(&file.as_str())
        {
            found.push(format!("{file}: unsafe"));
        }
        if words(&code).any(|word| word == "unsafe") && file == "lib.rs" {
            found.push("lib.rs: unsafe".to_owned());
        }
        if words(&code).any(|word| LOCKS.contains(&word)) && !LOCKING.contains(&file.as_str()) {
            found.push(format!("{file}: a lock that a child would wait for"));
        }
        let lines = source.split("\n#[cfg(test)]").next().unwrap_or_default().lines().count();
        let limit =
            LONGER.iter().find(|(name, _)| name == file).map_or(MAX_LINES, |(_, limit)| *limit);
        if lines > limit {
            found.push(format!("{file}: {lines} lines, at most {limit}"));
        }
    }
    if !sources["lib.rs"].contains("\n#![deny(unsafe_code)]\n") {
        found.push("lib.rs: does not deny unsafe code".to_owned());
    }
    for file in ["fork.rs", "fork/per_process.rs", "db/library.rs"] {
        let source = &sources[file];
        if source.matches("unsafe {").count() != source.matches("// SAFETY:").count() {
            found.push(format!("{file}: unsafe code without its reason"));
        }
    }
    found
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// True where the name is a crate's: the start of a path or of a `use`.
fn is_path(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let starts = code.match_indices(&path).any(|(at, _)| {
        !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
    });
    starts || after(code, "use ").contains(&name) || after(code, "extern crate ").contains(&name)
}

#[test]
fn the_layers_of_the_core_hold() {
    let found = breaches(&sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_kind_of_breach_is_found() {
    let clean = sources();
    let with = |file: &str, line: &str| {
        let mut sources = clean.clone();
        let source = sources.entry(file.to_owned()).or_default();
        *source = format!("{line}\n{source}");
        breaches(&sources)
    };
    let cases = [
        ("format/record.rs", "use crate::keys::seal::seal;", "uses keys"),
        ("error.rs", "use crate::crypto;", "uses crypto"),
        ("crypto/xaes.rs", "use crate::{error, db::Conn};", "uses db"),
        ("index/planner.rs", "fn f() { crate::table::define(); }", "uses table"),
        ("db/conn.rs", "use crate::Vault;", "uses vault"),
        ("keys/ring.rs", "use crate::{Error, transaction::Transaction};", "uses transaction"),
        ("table/read.rs", "pub use crate::vault::Vault;", "uses vault"),
        ("table/read.rs", "use crate::nowhere::X;", "no layer"),
        ("table/read.rs", "use rusqlite::Connection;", "names rusqlite"),
        ("vault.rs", "fn f(_: rusqlite::Connection) {}", "names rusqlite"),
        ("keys/seal.rs", "use aes_gcm::Aes256Gcm;", "names aes_gcm"),
        ("table/blind.rs", "use hmac::Hmac;", "names hmac"),
        ("format/secret_text.rs", "use sha2::{Digest, Sha256};", "names sha2"),
        ("field.rs", "use libc;", "names libc"),
        ("db/pool.rs", "fn f() { unsafe { g() } }", "unsafe"),
        ("table/row.rs", "#[allow(unsafe_code)] mod x {}", "unsafe"),
        ("fork.rs", "fn f() { unsafe { g() } }", "without its reason"),
        ("db/library.rs", "fn f() { unsafe { g() } }", "without its reason"),
        ("token/cache.rs", "use std::sync::Mutex;", "a child would wait for"),
        ("table/schema.rs", "use std::sync::{Arc, OnceLock};", "a child would wait for"),
        ("newcomer/mod.rs", "", "has no layer"),
    ];
    for (file, line, wanted) in cases {
        let found = with(file, line);
        assert!(found.iter().any(|breach| breach.contains(wanted)), "{line} in {file}: {found:?}");
    }
    let long = "// a line\n".repeat(MAX_LINES + 1);
    assert!(with("sql/mod.rs", &long).iter().any(|breach| breach.contains("lines")));
    let mut lax = clean.clone();
    let lib = lax["lib.rs"].replace("#![deny(unsafe_code)]", "");
    lax.insert("lib.rs".to_owned(), lib);
    assert!(breaches(&lax).iter().any(|breach| breach.contains("does not deny")));
}

#[test]
fn comments_texts_and_tests_are_no_breach() {
    let clean = sources();
    let before = breaches(&clean);
    let mut sources = clean;
    let source = sources.get_mut("format/record.rs").unwrap();
    let head = "// crate::vault, unsafe, rusqlite::X\n/// [`crate::Vault`]\nconst A: &str = \"crate::vault \\\" unsafe\";\n";
    *source = format!("{head}{source}\n#[cfg(test)]\nmod tests {{ use crate::vault::Vault; }}\n");
    assert_eq!(breaches(&sources), before);
}
