//! What other libraries have encrypted is opened, and sealed anew. The values are made by those libraries: see
//! `fixtures/foreign/make.py`.

use std::path::Path;

use rusqlite::Connection;
use sealite::{AdoptionPlan, ErrorKind, PasswordHasher, Vault};
use sealite_tests::vaults::Home;
use serde_json::Value;

use super::world::{adopt, sealed_rows, vault_in};

/// A group of the fixture: name, plan, key, and the values in clear and encrypted.
type Group = (String, String, Option<String>, Vec<(String, String)>);

fn groups() -> Vec<Group> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/foreign/foreign.json");
    let found: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let group = |(name, group): (&String, &Value)| {
        let values = group["values"].as_array().unwrap().iter();
        let values = values.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        (name.clone(), text(&group["from"]), group["key"].as_str().map(str::to_owned), values)
    };
    found.as_object().unwrap().iter().map(group).collect()
}

/// A file for its owner alone.
fn key_file(folder: &Path, name: &str, key: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, format!("{key}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    format!("file:{}", path.display())
}

fn plan(home: &Home, from: &str, key: Option<&str>, extra: &str) -> AdoptionPlan {
    let separate = from.starts_with("from = \"fernet\"");
    let keys: Vec<String> = match key {
        Some(keys) if separate => keys
            .split(' ')
            .enumerate()
            .map(|(at, key)| key_file(home.folder(), &format!("foreign{at}"), key))
            .collect(),
        Some(key) => vec![key_file(home.folder(), "foreign", key)],
        None => Vec::new(),
    };
    let keys = if keys.is_empty() { String::new() } else { format!(", key = {keys:?}") };
    let text = format!("{extra}\n[tables.users]\nvalue = {{ is = 'sealed', {from}{keys} }}\n");
    AdoptionPlan::from_toml(&text).unwrap()
}

fn application(path: &Path, values: &[(String, String)]) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY, value TEXT)").unwrap();
    for (_, value) in values {
        conn.execute("INSERT INTO users (value) VALUES (?)", [value]).unwrap();
    }
    conn.execute("INSERT INTO users (value) VALUES (NULL)", []).unwrap();
}

#[test]
fn what_each_library_has_encrypted_is_sealed_anew() {
    let groups = groups();
    assert_eq!(groups.len(), 13);
    for (name, from, key, values) in groups {
        let home = Home::new();
        let path = home.folder().join("app.db");
        application(&path, &values);
        let vault = vault_in(&home, &path);
        adopt(&vault, &plan(&home, &from, key.as_deref(), ""));
        let found = sealed_rows(&vault, "SELECT value FROM users ORDER BY id");
        let text = |(text, _): &(String, String)| vec![rusqlite::types::Value::Text(text.clone())];
        let mut wanted: Vec<_> = values.iter().map(text).collect();
        wanted.push(vec![rusqlite::types::Value::Null]);
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn values_are_sealed_anew_in_the_application_s_file_too() {
    let (_, from, key, values) =
        groups().into_iter().find(|(name, ..)| name == "fernet rotated").unwrap();
    let home = Home::new();
    let path = home.folder().join("app.db");
    application(&path, &values);
    let vault = Vault::create(home.file(), &home.unlock()).unwrap();
    adopt(&vault, &plan(&home, &from, key.as_deref(), "as = 'values'").source(&path));
    let conn = Connection::open(&path).unwrap();
    let field = vault.field("users.value").unwrap();
    for (id, (clear, _)) in (1..).zip(&values) {
        let sealed: Vec<u8> =
            conn.query_row("SELECT value FROM users WHERE id = ?", [id], |row| row.get(0)).unwrap();
        assert_eq!(field.open(&sealed, None).unwrap().as_ref().as_str(), Some(clear.as_str()));
    }
}

#[test]
fn what_was_altered_changes_nothing() {
    for (name, from, key, values) in groups() {
        let home = Home::new();
        let path = home.folder().join("app.db");
        let mut values = values;
        if name.starts_with("utils aes ") && name != "utils aes pkcs5" {
            // Without a tag or a filling that is checked, a wrong key shows only in text that is none.
            continue;
        }
        // One that opens, and one that was altered.
        let last = values.last_mut().unwrap();
        let at = last.1.len() / 2;
        let other = if &last.1[at..=at] == "a" { "b" } else { "a" };
        last.1.replace_range(at..=at, other);
        let plan = plan(&home, &from, key.as_deref(), "");
        application(&path, &values);
        let vault = vault_in(&home, &path);
        if key.is_none() {
            // A hash that was altered is a hash.
            continue;
        }
        let error = vault.adopt(&plan, |_| true).unwrap_err();
        // An altered block of CBC opens to something else.
        let kinds = [ErrorKind::Refused, ErrorKind::AuthenticationFailed, ErrorKind::TypeMismatch];
        assert!(kinds.contains(&error.kind()), "{name}: {error}");
        assert!(error.message().contains("users.value of row"), "{name}: {error}");
        assert!(vault.tables().unwrap().is_empty(), "{name}");
        assert_eq!(sealed_rows(&vault, "SELECT value FROM users").len(), values.len() + 1);
    }
}

#[test]
fn what_another_key_has_encrypted_changes_nothing() {
    for (name, from, key, values) in groups() {
        let Some(key) = key else { continue };
        let home = Home::new();
        let path = home.folder().join("app.db");
        application(&path, &values);
        let vault = vault_in(&home, &path);
        // The same form with other bytes: digits and letters take each other's places.
        let other: String = key
            .chars()
            .map(|c| match c {
                '0'..='4' => char::from(c as u8 + 5),
                '5'..='9' => char::from(c as u8 - 5),
                'a' => 'b',
                'b' => 'a',
                c => c,
            })
            .collect();
        assert_ne!(other, key, "{name}");
        // What it is that was encrypted can't be told without a tag: the longest text shows it.
        let error = vault.adopt(&plan(&home, &from, Some(&other), ""), |_| true).unwrap_err();
        let kinds = [ErrorKind::Refused, ErrorKind::AuthenticationFailed, ErrorKind::TypeMismatch];
        assert!(kinds.contains(&error.kind()), "{name}: {error}");
        assert!(vault.tables().unwrap().is_empty(), "{name}");
        assert_eq!(sealed_rows(&vault, "SELECT value FROM users").len(), values.len() + 1);
    }
}

#[test]
fn password_hashes_are_kept_and_verify_and_anything_else_is_refused() {
    let (_, from, key, values) =
        groups().into_iter().find(|(name, ..)| name == "password hash").unwrap();
    let home = Home::new();
    let path = home.folder().join("app.db");
    application(&path, &values);
    let vault = vault_in(&home, &path);
    adopt(&vault, &plan(&home, &from, key.as_deref(), ""));
    let hasher = PasswordHasher::new();
    for row in sealed_rows(&vault, "SELECT value FROM users WHERE value IS NOT NULL") {
        let rusqlite::types::Value::Text(hash) = &row[0] else { panic!() };
        assert!(hasher.verify("correct horse", Some(hash)).unwrap());
        assert!(!hasher.verify("wrong", Some(hash)).unwrap());
    }
    let home = Home::new();
    let path = home.folder().join("app.db");
    application(&path, &[(String::new(), "hunter2".to_owned())]);
    let vault = vault_in(&home, &path);
    let error = vault.adopt(&plan(&home, &from, None, ""), |_| true).unwrap_err();
    assert!(error.message().contains("no password hash"), "{error}");
    assert!(!error.message().contains("hunter2"));
}

#[test]
fn a_key_that_fits_no_library_is_refused_and_never_shown() {
    let home = Home::new();
    let reference = key_file(home.folder(), "foreign", "not-a-fernet-key");
    let text = format!(
        "[tables.users]\nvalue = {{ is = 'sealed', from = 'fernet', key = '{reference}' }}\n"
    );
    let error = AdoptionPlan::from_toml(&text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeakKey);
    assert!(!error.message().contains("not-a-fernet-key"));
    let reference = key_file(home.folder(), "foreign", &"4f9c".repeat(16));
    let text = format!(
        "[tables.users]\nvalue = {{ is = 'sealed', from = 'aes-gcm', key = '{reference}' }}\n"
    );
    let plan = AdoptionPlan::from_toml(&text).unwrap();
    assert!(!format!("{plan:?}").contains("4f9c"));
    assert!(AdoptionPlan::from_toml(&text.replace("file:", "")).is_err());
}
