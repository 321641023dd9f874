//! Settings: what must hold for applications that keep theirs in a vault.

mod processes;
mod tampering;
mod tenants;
mod transfer;
mod writing;

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use sealite::{
    Author, ExposeSecret, Result, SettingDefinition, Settings, Type, Unlock, Vault, generate_key,
};
use sealite_tests::process::{Process, Stage};

const PASSWORD: &str = "smtp.password";
/// The variables that tell a process its file and key.
const FILE: &str = "SETTINGS_FILE";
const KEY: &str = "SETTINGS_KEY";

fn author() -> Author {
    Author::new("ada").reason("ticket 4")
}

fn text(name: &str) -> SettingDefinition {
    SettingDefinition::new(name, Type::Text)
}

fn mail() -> Vec<SettingDefinition> {
    vec![
        text(PASSWORD).secret().category("mail").guarded_by("mail.enabled"),
        text("smtp.host").category("mail").requires_restart(),
        SettingDefinition::new("smtp.port", Type::Integer).category("mail").default(25i64),
        SettingDefinition::new("mail.enabled", Type::Boolean).default(false),
        SettingDefinition::new("mail.options", Type::Json),
    ]
}

/// A vault in memory with the settings above.
fn vault() -> Result<Vault> {
    let vault = Vault::in_memory()?;
    vault.settings().define_all(&mail())?;
    Ok(vault)
}

/// A vault in a file with the settings above.
struct Filed {
    _folder: tempfile::TempDir,
    path: PathBuf,
    key: String,
}

impl Filed {
    fn new() -> (Self, Vault) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("settings.db");
        let key = generate_key().expect("key").expose_secret().to_owned();
        let vault =
            Vault::create(&path, &Unlock::key_text(key.as_str()).expect("key")).expect("vault");
        vault.settings().define_all(&mail()).expect("settings");
        (Filed { _folder: folder, path, key }, vault)
    }

    fn open(&self) -> Vault {
        Vault::open(&self.path, &Unlock::key_text(self.key.as_str()).expect("key")).expect("open")
    }

    /// Changes the closed file from outside.
    fn edit(&self, sql: &str) {
        let raw = Connection::open(&self.path).expect("raw");
        raw.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn holds(&self, needle: &str) -> bool {
        ["", "-wal", "-shm", "-journal"].iter().any(|suffix| {
            let name = format!("{}{suffix}", self.path.display());
            let bytes = std::fs::read(Path::new(&name)).unwrap_or_default();
            bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
        })
    }

    /// Another process, which [`parents_vault`] opens the file for.
    fn process(&self, stage: &Stage, role: &str) -> Process {
        self.process_with(stage, role, &[])
    }

    fn process_with(&self, stage: &Stage, role: &str, variables: &[(&str, &str)]) -> Process {
        let environment = |command: &mut Command| {
            command.env(FILE, &self.path).env(KEY, &self.key).envs(variables.iter().copied());
        };
        stage.process_by(environment, role, "")
    }
}

/// The vault that a process was started for.
fn parents_vault() -> Vault {
    let key = std::env::var(KEY).expect("key");
    let path = std::env::var_os(FILE).expect("file");
    Vault::open(path, &Unlock::key_text(key.as_str()).expect("key")).expect("open")
}

fn used(settings: &Settings, name: &str) -> Option<String> {
    let value = settings.use_value(name).expect("use")?;
    value.expose().as_str().map(str::to_owned)
}

fn kind<T>(result: Result<T>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.kind().name(),
    }
}
