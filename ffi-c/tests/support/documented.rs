//! What the header says of every function alike, from its signature and from what `call!` reads each parameter as: a line
//! for each parameter, what else is returned, and the rule for threads. It stands below the function's own words.

use super::signatures::{Function, Parameter, functions};

/// Handles that are not for two threads at once.
pub(crate) const ONE_AT_A_TIME: [&str; 14] = [
    "adoption",
    "approval_request",
    "changes",
    "code_request",
    "config",
    "cursor",
    "definition",
    "entry",
    "legacy_entries",
    "limits",
    "setting_definition",
    "stmt",
    "token_request",
    "values",
];

/// Handles on which calls wait for each other.
const IN_TURNS: [&str; 3] = ["connection", "snapshot", "transaction"];

/// The header with those lines.
pub(crate) fn documented(header: &str) -> String {
    let functions = functions();
    let lines: Vec<&str> = header.lines().collect();
    let mut text = String::with_capacity(2 * header.len());
    for (at, line) in lines.iter().enumerate() {
        let declared = lines.get(at + 1).and_then(|next| name_of(next));
        if *line == " */"
            && let Some(function) = declared.and_then(|name| functions.get(name))
        {
            let more = lines_of(function);
            if !more.is_empty() {
                text += " *\n";
            }
            for one in more {
                text.extend([" * ", one.as_str(), "\n"]);
            }
        }
        text += line;
        text.push('\n');
    }
    text
}

/// The function that a line begins to declare.
fn name_of(line: &str) -> Option<&str> {
    let (before, _) = line.split_once('(')?;
    let name = before.rsplit([' ', '*']).next()?;
    (name.starts_with("sealite_") && before.len() > name.len()).then_some(name)
}

fn lines_of(function: &Function) -> Vec<String> {
    let mut lines = Vec::new();
    let all = &function.parameters;
    for (at, parameter) in all.iter().enumerate() {
        let Some(said) = said(parameter, function) else { continue };
        let (way, names) = match all.get(at + 1) {
            Some(next) if next.slot == "Length" => {
                ("", format!("{},{}", parameter.name, next.name))
            }
            _ if parameter.slot.starts_with("Out") => ("[out]", parameter.name.clone()),
            _ => ("", parameter.name.clone()),
        };
        let way = if parameter.slot.starts_with("Places") { "[out]" } else { way };
        lines.push(format!("@param{way} {names}  {said}"));
    }
    if all.iter().any(|one| one.slot == "Error") {
        lines.push(returned(all));
    }
    if let Some(first) = all.first().filter(|one| kind(one).is_some()) {
        let (name, kind) = (&first.name, kind(first).unwrap());
        let rule = if function.name.ends_with("_free") {
            "From any thread: a call on it that is under way is finished.".to_owned()
        } else if ONE_AT_A_TIME.contains(&kind) {
            format!("From any thread; two at once on one `{name}` are SEALITE_BUSY.")
        } else if IN_TURNS.contains(&kind) && !function.name.ends_with("_interrupt") {
            format!("From any thread; calls on one `{name}` take turns.")
        } else {
            "From any thread, also at once.".to_owned()
        };
        lines.push(format!("@note {rule}"));
    } else if !all.is_empty() {
        lines.push("@note From any thread, also at once.".to_owned());
    }
    lines
}

/// The kind of a handle.
fn kind(parameter: &Parameter) -> Option<&str> {
    let (slot, rest) = parameter.slot.split_once("(\"")?;
    let is_handle = ["Handle", "Quiet"].contains(&slot);
    is_handle.then_some(rest.strip_suffix("\")")?)
}

fn said(parameter: &Parameter, function: &Function) -> Option<String> {
    let slot = parameter.slot.as_str();
    let optional = slot.ends_with("true)");
    let null = if optional { "may be NULL" } else { "not NULL" };
    Some(match slot.split(['(', ',']).next().unwrap() {
        "Handle" => "A handle; not NULL.".to_owned(),
        "OptionalHandle" => "A handle, or NULL for the defaults.".to_owned(),
        "Handles" => "An array of handles; none may be NULL.".to_owned(),
        "Quiet" => "A handle; NULL is fine.".to_owned(),
        "Text" => format!("UTF-8; {null}."),
        "Presented" => "Any bytes; not NULL.".to_owned(),
        "Bytes" => "Bytes; NULL where there are none.".to_owned(),
        "Strings" => "An array of texts; NULL where there are none.".to_owned(),
        "Value" => "A value; not NULL.".to_owned(),
        "Values" => "An array of values; NULL where there are none.".to_owned(),
        "Id" => format!("The id of a row; {null}."),
        "Ids" if optional => {
            "An array of ids, as long as the one before it; may be NULL.".to_owned()
        }
        "Ids" => "An array of ids; NULL where there are none.".to_owned(),
        "Choices" => {
            format!("An array of {}; NULL where there are none.", choices(parameter, function))
        }
        "OptionalChoice" => format!("A {}; may be NULL.", choices(parameter, function)),
        "OptionalNumber" => "An int64_t; may be NULL.".to_owned(),
        "Flag" => "0 or 1; any other number is SEALITE_INVALID_INPUT.".to_owned(),
        "Choice" => format!(
            "A {}; any other number is SEALITE_INVALID_INPUT.",
            choices(parameter, function)
        ),
        "Number" => number(parameter),
        "Progress" => "A function; may be NULL.".to_owned(),
        "Context" => "Handed to the function; may be NULL.".to_owned(),
        "Out" => match slot.split_once("AHandle(\"").and_then(|(_, kind)| kind.split_once('"')) {
            Some((kind, _)) => format!("To be freed with sealite_{kind}_free(); {null}."),
            None if slot.contains("Pointer") => {
                format!("The library's own, not to be freed; {null}.")
            }
            None if slot.contains("AValue") => {
                format!("What it points to is not the caller's; {null}.")
            }
            None => format!("The caller's own; {null}."),
        },
        "Places" => format!("An array of the caller's own; {null}."),
        // Said with what it is the length of, and in the conventions.
        "Length" | "Error" => return None,
        other => panic!("{}: {other}: say what it is", function.name),
    })
}

/// The enumeration that a number is of.
fn choices(parameter: &Parameter, function: &Function) -> &'static str {
    match (parameter.name.as_str(), function.module.as_str()) {
        ("synchronous", _) => "sealite_synchronous",
        ("sealed_sql", _) => "sealite_sealed_sql",
        ("protection", _) => "sealite_protection",
        ("verdict", _) => "sealite_verdict",
        ("format", _) => "sealite_format",
        ("kind", "definition" | "field") => "sealite_padding",
        ("kind", "rotation" | "progress") => "sealite_rotation",
        ("kind", "setting::definition") => "sealite_type",
        ("kind" | "kinds", module) if module.starts_with("token") => "sealite_token_kind",
        (name, _) => panic!("{}: {name}: of which enumeration?", function.name),
    }
}

fn number(parameter: &Parameter) -> String {
    let kind = parameter.slot.split('"').nth(1).unwrap();
    let kind = match kind {
        "usize" => "A size_t",
        "bool" => "True or false",
        "i32" => "An int32_t",
        "u32" => "A uint32_t",
        "i64" => "An int64_t",
        _ => "A uint64_t",
    };
    let name = parameter.name.as_str();
    let unit = match name {
        "milliseconds" => ", in milliseconds",
        name if name.ends_with("_ms") => ", in milliseconds",
        "bytes" => ", in bytes",
        name if name.ends_with("_kib") => ", in KiB",
        _ => "",
    };
    format!("{kind}{unit}.")
}

/// What it can return for its arguments alone; the rest is in its own words.
fn returned(all: &[Parameter]) -> String {
    let has = |slot: &str| all.iter().any(|one| one.slot.starts_with(slot));
    let mut statuses = Vec::new();
    if all.len() > 1 {
        statuses.push("SEALITE_INVALID_INPUT");
    }
    if has("Handle") || has("OptionalHandle") {
        statuses.push("SEALITE_CLOSED");
    }
    if has("Length") {
        statuses.push("SEALITE_LIMIT");
    }
    if statuses.is_empty() {
        return "@return SEALITE_OK, or as above.".to_owned();
    }
    format!("@return SEALITE_OK; {} for its arguments; or as above.", statuses.join(", "))
}
