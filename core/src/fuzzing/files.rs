//! Files and forms that come from outside: settings, JSON, values of other programs.

use serde_json::{Map, Value as Json};

use crate::adoption::import;
use crate::approval::payload::payload_hash;
use crate::error::ErrorKind;
use crate::format::canonical::canonical_json;
use crate::settings::{SettingDefinition, dotenv, merge, transfer, value};
use crate::value::{Type, ValueRef};

/// What a `.env` file sets reads back from the lines that are written of it.
pub fn dotenv(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(lines) = dotenv::read(text) else { return };
    for line in lines {
        let mut written = String::new();
        if !dotenv::write_line(&mut written, &line.name, &line.value) {
            assert!(line.value.contains('\0'));
            continue;
        }
        let read = dotenv::read(&written).expect("what was written reads");
        assert!(
            matches!(read.as_slice(), [again] if again.name == line.name && again.value == line.value)
        );
    }
}

/// The text of a setting's value reads back as that value.
pub fn setting_text(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let kinds = [Type::Integer, Type::Real, Type::Text, Type::Blob, Type::Boolean, Type::Json];
    let kind = kinds.get(usize::from(*kind) % kinds.len()).copied().unwrap_or(Type::Text);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(read) = value::parse("a setting", kind, text) else { return };
    let shown = value::text_of(read.as_ref());
    let again = value::parse("a setting", kind, &shown).expect("what is shown reads");
    assert!(again == read && !matches!(again.as_ref(), ValueRef::Null));
    let kept = value::SettingValue::encode(read.as_ref());
    let kept = value::SettingValue::decode(&kept).expect("what is kept reads");
    assert!(kept.expose() == read.as_ref());
}

/// Whatever is imported is of the type that its setting has.
pub fn setting_import(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let definitions = TYPES.map(|kind| SettingDefinition::new(kind.name(), kind));
    transfer::survives(&definitions, text);
}

const TYPES: [Type; 6] =
    [Type::Integer, Type::Real, Type::Text, Type::Blob, Type::Boolean, Type::Json];

/// The canonical form of a canonical form is itself, and has the same hash.
pub fn canonical(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(form) = canonical_json(text) else { return };
    assert_eq!(canonical_json(&form).expect("it is JSON"), form);
    if let Ok(hash) = payload_hash(text) {
        assert_eq!(payload_hash(&form).expect("it is as good"), hash);
    }
}

/// A patch gives what RFC 7396 says, and once is as good as twice.
pub fn merge_patch(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((target, patch)) = text.split_once('\0') else { return };
    let read = |text: &str| serde_json::from_str::<Json>(text).ok();
    let (Some(before), Some(change)) = (read(target), read(patch)) else { return };
    match merge::merge(Some(target), patch) {
        Ok(merged) => {
            assert_eq!(read(&merged), Some(patched(before, change)));
            assert_eq!(merge::merge(Some(&merged), patch).expect("again"), merged);
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::Limit),
    }
}

/// RFC 7396, section 2.
fn patched(target: Json, patch: Json) -> Json {
    let Json::Object(patch) = patch else { return patch };
    let mut members = match target {
        Json::Object(members) => members,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            let before = members.remove(&name).unwrap_or(Json::Null);
            members.insert(name, patched(before, value));
        }
    }
    Json::Object(members)
}

/// What another program has encrypted opens as what it was, or not at all.
pub fn imported_value(data: &[u8]) {
    import::survives(data);
}
