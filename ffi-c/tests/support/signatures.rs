//! The exported functions as the source has them: the parameters of each, and what `call!` reads each of them as.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

/// An exported function.
pub(crate) struct Function {
    pub(crate) name: String,
    /// The path of its module.
    pub(crate) module: String,
    pub(crate) result: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// One of its parameters.
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// What it is called in the table of functions, such as `Handle("vault")`.
    pub(crate) slot: String,
}

/// Every file of the source, by its path in `src`, without its tests.
pub(crate) fn sources() -> BTreeMap<String, String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap().to_owned();
            found.insert(path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned(), code);
        }
    }
    found
}

/// All exported functions, by name.
pub(crate) fn functions() -> BTreeMap<String, Function> {
    let mut found = BTreeMap::new();
    for (file, source) in sources() {
        let module = file.trim_end_matches(".rs").replace('/', "::");
        for part in source.split("#[unsafe(no_mangle)]\npub ").skip(1) {
            let code = &part[..part.find("\n}").unwrap()];
            let function = function(&module, code);
            found.insert(function.name.clone(), function);
        }
    }
    found
}

fn function(module: &str, code: &str) -> Function {
    let (signature, body) = code.split_once("{\n").unwrap();
    let (_, signature) = signature.split_once("fn ").unwrap();
    let (name, rest) = signature.split_once('(').unwrap();
    let (list, result) = rest.rsplit_once(')').unwrap();
    let typed: Vec<(&str, &str)> = list
        .split(',')
        .filter_map(|one| one.trim().split_once(": "))
        .map(|(name, kind)| (name, kind.trim()))
        .collect();
    let read = body.split_once("call!(").map(|(_, call)| kinds(call));
    let mut parameters: Vec<Parameter> = Vec::new();
    for (name, kind) in &typed {
        let read = read.as_ref().and_then(|read| read.get(*name)).map(String::as_str);
        let before = parameters.last().map_or("", |last| last.slot.as_str());
        let slot = slot(name, kind, read, before);
        parameters.push(Parameter { name: (*name).to_owned(), slot });
    }
    let result = result.trim().trim_start_matches("-> ").to_owned();
    Function { name: name.to_owned(), module: module.to_owned(), result, parameters }
}

/// What `call!` reads each parameter as. An array that is as long as something else says may be missing.
fn kinds(call: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (_, list) = call.split_once(';').unwrap();
    let mut depth = 0_usize;
    let mut word = String::new();
    let mut kind = String::new();
    let mut parameter = String::new();
    for letter in list.chars() {
        match letter {
            // The body begins, or an array inside an argument.
            '{' if depth == 0 => break,
            '(' | '[' | '{' => {
                if depth == 0 {
                    kind = std::mem::take(&mut word);
                }
                depth += 1;
            }
            ')' | ']' | '}' | ',' => {
                // The first argument of a kind is the parameter.
                if depth == 1 && !kind.is_empty() {
                    parameter.clone_from(&word);
                    found.insert(std::mem::take(&mut word), std::mem::take(&mut kind));
                } else if word == "record_count" {
                    found.insert(parameter.clone(), "optional_ids".to_owned());
                }
                depth -= usize::from(letter != ',');
                word.clear();
            }
            letter if letter.is_whitespace() || letter == ';' => {}
            letter => word.push(letter),
        }
    }
    found
}

fn slot(name: &str, kind: &str, read: Option<&str>, before: &str) -> String {
    let opaque = |kind: &str| kind.rsplit("sealite_").next().unwrap().to_owned();
    let told = |slot: &str, value: &str| format!("{slot}({value:?})");
    let needed = |slot: &str, optional: bool| format!("{slot}({optional})");
    let pointer = kind.starts_with('*');
    let counted = ["Text", "Presented", "Bytes", "Strings", "Values", "Ids", "Choices", "Handles"];
    let length = |before: &str| {
        counted.iter().chain(&["Places", "Length"]).any(|slot| before.starts_with(slot))
    };
    match (read, kind) {
        (_, "*mut *mut sealite_error") => "Error".to_owned(),
        (Some("handle"), _) => told("Handle", &opaque(kind)),
        (Some("optional_handle"), _) => told("OptionalHandle", &opaque(kind)),
        (Some("handles"), _) => told("Handles", &opaque(kind)),
        (Some("text"), _) => needed("Text", false),
        (Some("optional_text"), _) => needed("Text", true),
        (Some("presented" | "octets"), _) => "Presented".to_owned(),
        (Some("bytes"), _) => "Bytes".to_owned(),
        (Some("texts"), _) => "Strings".to_owned(),
        (Some("value"), _) => "Value".to_owned(),
        (Some("values"), _) => "Values".to_owned(),
        (Some("id"), _) => needed("Id", false),
        (Some("optional_id"), _) => needed("Id", true),
        (Some("ids"), _) => needed("Ids", false),
        (Some("optional_ids"), _) => needed("Ids", true),
        (Some("array"), "*const i32") => "Choices".to_owned(),
        (Some("optional_choice"), _) => "OptionalChoice".to_owned(),
        (Some("optional_number"), "*const i64") => "OptionalNumber".to_owned(),
        (Some("flag"), _) => "Flag".to_owned(),
        (Some("choice" | "kind_of_value"), _) => "Choice".to_owned(),
        (Some("progress"), _) => "Progress".to_owned(),
        (Some(out @ ("out" | "optional_out")), _) => {
            let place = place(kind.strip_prefix("*mut ").unwrap());
            format!("Out({place}, {})", out == "optional_out")
        }
        (Some(out @ ("places" | "needed_places")), _) => {
            let place = place(kind.strip_prefix("*mut ").unwrap());
            format!("Places({place}, {})", out == "places")
        }
        (None, "*mut c_void") => "Context".to_owned(),
        (None, _) if pointer => told("Quiet", &opaque(kind)),
        (_, "usize") if length(before) && (name.ends_with("length") || name.ends_with("count")) => {
            "Length".to_owned()
        }
        (Some("plain") | None, "bool" | "i32" | "u32" | "i64" | "u64" | "usize") => {
            told("Number", kind)
        }
        _ => panic!("{name}: {kind} read as {read:?} is something new: give it a slot"),
    }
}

fn place(kind: &str) -> String {
    match kind {
        "bool" => "Bool".to_owned(),
        "i32" | "u32" => "Four".to_owned(),
        "i64" | "u64" | "usize" => "Eight".to_owned(),
        "*const c_char" => "Pointer".to_owned(),
        "sealite_value" => "AValue".to_owned(),
        "sealite_decision" => "Decision".to_owned(),
        kind => {
            let handle = kind.strip_prefix("*mut sealite_");
            format!("AHandle({:?})", handle.unwrap_or_else(|| panic!("a new place: {kind}")))
        }
    }
}

/// The table of functions, as `abi/functions.rs` has it.
pub(crate) fn table() -> String {
    let mut text = "// Every exported function and its parameters. Generated by `tests/header.rs` from the source: do not edit.\n\
         \n\
         functions! {\n"
        .to_owned();
    for Function { name, module, parameters, .. } in functions().values() {
        let list: Vec<String> =
            parameters.iter().map(|one| format!("{}: {}", one.name, one.slot)).collect();
        text.extend(["    ", module, "::", name, "(", &list.join(", "), ");\n"]);
    }
    text + "}\n"
}
