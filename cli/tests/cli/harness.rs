//! A folder, the binary in it, and a vault with rows.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sealite::{Column, Padding, SettingDefinition, TableDefinition, Type, Unlock, Vault, values};
use serde_json::Value;
use tempfile::TempDir;

/// The built binary.
pub(crate) const SEALITE: &str = env!("CARGO_BIN_EXE_sealite");
/// A passphrase that no other text contains.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";
/// What stands in sealed columns, and must never be printed.
pub(crate) const SEALED_VALUES: &[&str] =
    &["ada@example.org", "bob@example.org", "Lovelace", "body of a note"];

/// A folder of its own for each test.
pub(crate) struct Scene {
    folder: TempDir,
}

/// What a run of the binary gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Scene { folder: tempfile::tempdir().expect("a folder") }
    }

    /// With a vault `v.db` that `key` opens.
    pub(crate) fn with_vault() -> Self {
        let scene = Self::new();
        scene.run("init v.db --new-key-file key").ok();
        scene
    }

    /// With tables and rows in it, too.
    pub(crate) fn with_rows() -> Self {
        let scene = Self::with_vault();
        let vault = scene.vault();
        let people = TableDefinition::new("people")
            .column(column("email text sealed not null unique email"))
            .column(column("surname text sealed lookup 50000 text"))
            .column(column("vip boolean sealed lookup 2 accept leakage 'few of them'"))
            .column(column("role text authenticated not null"))
            .column(column("plan text unique"));
        let notes = TableDefinition::new("notes")
            .text_key("slug")
            .per_tenant()
            .padding(Padding::Padme)
            .column(column("body text sealed"));
        vault.define_table(&people).expect("people");
        vault.define_table(&notes).expect("notes");
        let table = vault.table("people").expect("people");
        for (email, surname) in [("ada@example.org", "Lovelace"), ("bob@example.org", "Kahn")] {
            table
                .insert(values! {"email" => email, "surname" => surname, "role" => "user"})
                .expect("a row");
        }
        for tenant in ["acme", "beta"] {
            let tenant = vault.tenant(tenant).expect("a tenant");
            let notes = tenant.table("notes").expect("notes");
            notes.insert(values! {"slug" => "first", "body" => "body of a note"}).expect("a row");
        }
        vault.close();
        scene
    }

    /// With the settings of an application declared, and none of them set.
    pub(crate) fn with_settings() -> Self {
        let scene = Self::with_vault();
        let vault = scene.vault();
        let setting = SettingDefinition::new;
        let declared = [
            setting("mail.enabled", Type::Boolean).category("mail").default(false),
            setting("mail.host", Type::Text)
                .category("mail")
                .description("The mail server")
                .environment("SEALITE_TEST_MAIL_HOST"),
            setting("mail.password", Type::Text)
                .secret()
                .category("mail")
                .environment("SEALITE_TEST_MAIL_PASSWORD")
                .guarded_by("mail.enabled")
                .required()
                .requires_restart()
                .min_length(12),
            setting("limits.rate", Type::Integer).default(30),
            setting("theme", Type::Json),
        ];
        vault.settings().define_all(&declared).expect("declares");
        vault.close();
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The vault, opened in this process.
    pub(crate) fn vault(&self) -> Vault {
        let unlock = Unlock::key_file(self.path("key")).expect("a key");
        Vault::open(self.path("v.db"), &unlock).expect("opens")
    }

    /// Changes the file as somebody without the engine does.
    pub(crate) fn edit(&self, sql: &str) {
        let raw = rusqlite::Connection::open(self.path("v.db")).expect("opens");
        let changed = raw.execute(sql, []).expect("edits");
        assert_eq!(changed, 1, "{sql}");
    }

    /// Changes one byte of the first record of a table.
    pub(crate) fn flip(&self, table: &str, offset: usize) {
        let raw = rusqlite::Connection::open(self.path("v.db")).expect("opens");
        let first = format!("SELECT id, sealed FROM {table} ORDER BY id LIMIT 1");
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
        let (id, mut sealed) = raw.query_row(&first, [], read).expect("a record");
        *sealed.get_mut(offset).expect("a byte") ^= 1;
        let update = format!("UPDATE {table} SET sealed = ? WHERE id = ?");
        assert_eq!(raw.execute(&update, rusqlite::params![sealed, id]).expect("edits"), 1);
    }

    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        fs::write(&path, text).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
        path
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(self.path(name)).expect("a file").permissions().mode() & 0o777
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The binary with arguments that are split at spaces, in the folder.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(SEALITE);
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Run {
        Run::of(self.command(arguments).output().expect("runs"))
    }

    pub(crate) fn run_with(&self, arguments: &str, stdin: &str) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(stdin.as_bytes()).expect("writes");
        drop(pipe);
        Run::of(child.wait_with_output().expect("ends"))
    }

    /// The binary with `--json`: exactly one object, and nothing on the standard error.
    pub(crate) fn json(&self, arguments: &str) -> (i32, Value) {
        let run = self.run(&format!("--json {arguments}"));
        assert_eq!(run.stderr, "", "{arguments}");
        (run.code, run.object())
    }
}

impl Run {
    pub(crate) fn of(output: std::process::Output) -> Self {
        Run {
            code: output.status.code().expect("not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The run, which must have gone well.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Checks how the run failed.
    pub(crate) fn fails(&self, code: i32, name: &str) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.starts_with(&format!("sealite: {name}: ")), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        self
    }

    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "{text}: {self:?}");
        self
    }

    pub(crate) fn never_says(&self, text: &str) -> &Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text}: {self:?}");
        self
    }

    pub(crate) fn object(&self) -> Value {
        let mut lines = self.stdout.lines();
        let object = serde_json::from_str(lines.next().expect("a line")).expect("JSON");
        assert_eq!(lines.next(), None, "one object and no more");
        object
    }
}

/// The key in a file, as text.
pub(crate) fn key_in(path: &Path) -> String {
    fs::read_to_string(path).expect("a key file").trim().to_owned()
}

fn column(specification: &str) -> Column {
    Column::parse(specification).expect("a column")
}
