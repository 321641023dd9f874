//! What a process keeps of its secrets in memory: while the vault is open, after `lock`, and after the last handle is
//! dropped. The process that uses the vault takes its key from a file and never holds what is searched for by itself;
//! its parent works the keys out with the reference reader, and searches the memory of the child while that waits.
//!
//! docs/threat-model.md has the table that comes out of it: the cells are the assertions below.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sealite::{
    Author, Change, Column, ExposeSecret, PassphraseCost, SecretString, SettingDefinition,
    TableDefinition, Type, Unlock, Vault, values,
};
use sealite_tests::memory::{Found, Needles, pieces};
use sealite_tests::process::allow_core_dumps;
use sealite_tests::reexec::{Conversation, argument, command, role, step};
use sealite_tests::scratch::{create, open};

const SETTINGS: [&str; 2] = ["smtp.password", "payment.certificate"];
const PATIENCE: Duration = Duration::from_secs(60);

/// A file that only its owner reads.
fn write_private(path: &Path, content: &[u8]) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(content).unwrap();
}

fn random_text() -> String {
    sealite::generate_key().unwrap().expose_secret().to_owned()
}

fn long_random_text() -> String {
    (0..100).map(|_| random_text()).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// A vault and the secrets of it that only the parent knows.
struct Case {
    folder: tempfile::TempDir,
    key: String,
    /// A short one and a long one: the second is moved where a buffer grows.
    settings: [String; 2],
    values: [String; 2],
    passphrase: String,
}

impl Case {
    fn new() -> Self {
        let case = Case {
            folder: tempfile::tempdir().unwrap(),
            key: random_text(),
            settings: [random_text(), long_random_text()],
            values: [random_text(), long_random_text()],
            passphrase: random_text(),
        };
        write_private(&case.path("key"), case.key.as_bytes());
        write_private(&case.path("passphrase"), case.passphrase.as_bytes());
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A case with the vault in it.
    fn with_vault() -> Self {
        let case = Self::new();
        case.fill(&create(&case.file(), &Unlock::key_text(&case.key).unwrap()));
        case
    }

    fn file(&self) -> PathBuf {
        self.path("vault.db")
    }

    /// A secret setting, a row, and a slot for the passphrase.
    fn fill(&self, vault: &Vault) {
        let settings = vault.settings();
        let author = Author::new("test").reason("test");
        for (name, value) in SETTINGS.iter().zip(&self.settings) {
            settings.define(&SettingDefinition::new(*name, Type::Text).secret()).unwrap();
            settings.write(name, Change::set(value.as_str()), &author).unwrap();
        }
        let table = TableDefinition::new("people").column(Column::text("name").sealed());
        vault.define_table(&table).unwrap();
        for value in &self.values {
            vault.table("people").unwrap().insert(values! {"name" => value.as_str()}).unwrap();
        }
        let passphrase =
            Unlock::passphrase_with(self.passphrase.as_str(), PassphraseCost::floor()).unwrap();
        vault.add_slot("passphrase", &passphrase).unwrap();
    }

    /// Every secret, the keys as the reference reader finds them in the file.
    fn needles(&self) -> Needles {
        let python = std::env::var("SEALITE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/open_record.py");
        let output = Command::new(python)
            .arg("-B")
            .arg(reader)
            .arg("keys")
            .arg(self.file())
            .arg(&self.key)
            .output()
            .expect("the reference reader needs a Python with the package `cryptography`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let keys: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&output.stdout).unwrap();
        let key = unhex(&self.key);
        let mut secrets: Vec<(String, Vec<u8>)> = vec![
            ("unlock key".into(), key),
            ("unlock key, as text".into(), self.key.clone().into_bytes()),
            ("passphrase".into(), self.passphrase.clone().into_bytes()),
            ("secret setting".into(), self.settings[0].clone().into_bytes()),
            ("long secret setting".into(), self.settings[1].clone().into_bytes()),
            ("sealed value".into(), self.values[0].clone().into_bytes()),
            ("long sealed value".into(), self.values[1].clone().into_bytes()),
        ];
        for (name, value) in keys {
            secrets.push((format!("{name} key"), unhex(value.as_str().unwrap())));
        }
        Needles::new(secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_slice())))
    }
}

/// What is looked for when the child has come that far.
const STAGES: [&str; 7] =
    ["secret read", "open", "secret dropped", "values", "values dropped", "locked", "dropped"];

/// The child: uses the vault, and stands still at each stage.
#[test]
fn child() {
    let Some(role) = role() else { return };
    let path = PathBuf::from(argument("PATH"));
    let file = |name: &str| path.parent().unwrap().join(name);
    let [secret_read, opened, secret_dropped, values, values_dropped, locked, dropped] = STAGES;
    let unlock = match role.as_str() {
        "passphrase" => Unlock::passphrase(read_secret(&file("passphrase"))).unwrap(),
        _ => Unlock::key_file(file("key")).unwrap(),
    };
    stand(secret_read);
    let vault = match role.as_str() {
        "creates" => {
            let vault = create(&path, &unlock);
            // Makes keys for a tenant, and takes the master key in hand once more.
            let table =
                TableDefinition::new("notes").per_tenant().column(Column::text("text").sealed());
            vault.define_table(&table).unwrap();
            let tenant = vault.tenant("a tenant").unwrap();
            tenant.table("notes").unwrap().insert(values! {"text" => "a note"}).unwrap();
            vault.add_recovery_slot("recovery").unwrap();
            vault
        }
        _ => open(&path, &unlock).unwrap(),
    };
    stand(opened);
    drop(unlock);
    stand(secret_dropped);
    if role != "creates" {
        let author = Author::new("test").reason("test");
        let settings = vault.settings();
        let revealed = SETTINGS.map(|name| settings.reveal(name, &author).unwrap());
        let people = vault.table("people").unwrap();
        let rows = [1, 2].map(|id| people.get(id).unwrap().unwrap());
        stand(values);
        drop((revealed, rows));
        drop(settings.export_env(&author, true).unwrap());
        drop(settings.export_json(&author, true).unwrap());
        people.scan().unwrap().for_each(|row| drop(row.unwrap()));
        stand(values_dropped);
        for name in SETTINGS {
            settings.use_value(name).unwrap().unwrap();
        }
    }
    if role == "sql" {
        stand("kept by use_value");
        let sql = "SELECT upper(name) || name, name FROM people ORDER BY name";
        vault.query(sql, &[]).unwrap();
    }
    vault.lock();
    stand(locked);
    drop(vault);
    stand(dropped);
}

/// Stands still; where the parent asked for that, never to go on.
fn stand(stage: &str) {
    if std::env::var("SEALITE_TEST_CRASH").is_ok_and(|at| at == stage) {
        allow_core_dumps();
        std::process::abort();
    }
    step(stage);
}

/// A secret as a careful program reads it: in one buffer, which becomes the secret.
fn read_secret(path: &Path) -> SecretString {
    let mut file = std::fs::File::open(path).unwrap();
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact(&mut bytes).unwrap();
    SecretString::from(String::from_utf8(bytes).unwrap())
}

/// The names of what is found: of a key any part, of a value more than one block of a cipher, which may lie on the stack
/// until the next call overwrites it.
fn present(found: &Found) -> Vec<&str> {
    let is_there = |name: &&str| {
        pieces(found, name) > usize::from(name.contains("value") || name.contains("setting"))
    };
    found.keys().map(String::as_str).filter(is_there).collect()
}

/// Runs a child to its end, and says what is in its memory at each stage from the first at which there are needles.
fn observe(case: &Case, role: &str, first: &str) -> Vec<(String, Found)> {
    let mut child = Conversation::start(command("child", role, &case.file(), ""));
    let (mut needles, mut seen) = (None, Vec::new());
    while let Some(stage) = child.next_step() {
        if needles.is_some() || stage == first {
            let found = needles.get_or_insert_with(|| case.needles()).in_process(child.id());
            seen.push((stage, found));
        }
        child.go_on();
    }
    child.finish(PATIENCE);
    seen
}

const KEYS: [&str; 4] = ["data key", "master key", "slot key", "wrapping key"];
const VALUES: [&str; 2] = ["sealed value", "long sealed value"];
const USED: [&str; 2] = ["secret setting", "long secret setting"];

fn assert_present(seen: &[(String, Found)], expected: &[(&str, &[&str])]) {
    let seen: Vec<_> = seen.iter().map(|(stage, found)| (stage.as_str(), present(found))).collect();
    let mut expected: Vec<_> =
        expected.iter().map(|(stage, names)| (*stage, names.to_vec())).collect();
    for (_, names) in &mut expected {
        names.sort_unstable();
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_vault_that_was_locked_or_dropped_leaves_no_key_and_no_value_in_memory() {
    for (role, secret) in [("key", "unlock key"), ("passphrase", "passphrase")] {
        let seen = observe(&Case::with_vault(), role, STAGES[0]);
        // What a passphrase's slot has for a key only Argon2id tells.
        let keys: Vec<&str> =
            KEYS.into_iter().filter(|key| role == "key" || *key != "slot key").collect();
        let in_the_open = [&keys[..], &VALUES[..], &USED[..]].concat();
        assert_present(
            &seen,
            &[
                ("secret read", &[secret]),
                ("open", &[&[secret], &keys[..]].concat()),
                ("secret dropped", &keys),
                ("values", &in_the_open),
                ("values dropped", &keys),
                ("locked", &[]),
                ("dropped", &[]),
            ],
        );
        // One copy of each key is all that there is.
        for (stage, found) in &seen {
            for name in KEYS.iter().filter(|name| pieces(found, name) > 0) {
                assert_eq!(pieces(found, name), 2, "{role}, {stage}: {name}");
            }
        }
    }
}

#[test]
fn a_process_that_made_the_vault_keeps_nothing_of_its_keys_either() {
    let seen = observe(&Case::new(), "creates", "open");
    assert_present(
        &seen,
        &[
            ("open", &[&["unlock key"], &KEYS[..]].concat()),
            ("secret dropped", &KEYS),
            ("locked", &[]),
            ("dropped", &[]),
        ],
    );
}

#[test]
fn what_sql_has_read_may_remain_and_no_key_does() {
    let seen = observe(&Case::with_vault(), "sql", "kept by use_value");
    // Settings that are used stay for the next use, until the vault is locked.
    assert_present(&seen[..1], &[("kept by use_value", &[&KEYS[..], &USED[..]].concat())]);
    for (stage, found) in &seen[1..] {
        assert!(present(found).iter().all(|name| VALUES.contains(name)), "{stage}: {found:?}");
    }
}

/// The core dump of a child that aborts at a stage; none where this system keeps none in the working folder.
fn core_dump(case: &Case, stage: &str) -> Option<PathBuf> {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.contains(['|', '/']) {
        return None;
    }
    let dumps = tempfile::tempdir_in(case.folder.path()).unwrap().keep();
    let mut crash = command("child", "key", &case.file(), "");
    crash.env("SEALITE_TEST_CRASH", stage).current_dir(&dumps);
    let mut child = Conversation::start(crash);
    while child.next_step().is_some() {
        child.go_on();
    }
    child.kill();
    let mut files = std::fs::read_dir(dumps).unwrap();
    files.next().map(|file| file.unwrap().path())
}

#[test]
fn a_core_dump_holds_the_values_of_an_open_vault_no_key_and_nothing_of_a_locked_one() {
    let case = Case::with_vault();
    let needles = case.needles();
    for (stage, mut expected) in
        [("values", [&VALUES[..], &USED[..]].concat()), ("locked", vec![]), ("dropped", vec![])]
    {
        let Some(dump) = core_dump(&case, stage) else {
            eprintln!("this system leaves no core dump in the working folder: not tested");
            return;
        };
        let found = needles.in_file(&dump);
        expected.sort_unstable();
        assert_eq!(present(&found), expected, "{stage}");
    }
}
