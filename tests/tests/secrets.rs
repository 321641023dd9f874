//! Secrets: where keys come from, which are refused, who may read the files, and what nothing shows.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_wrap, clippy::too_many_lines)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sealite::{
    Alteration, Column, Error, ErrorKind, ExposeSecret, Index, PassphraseCost, Result,
    TableDefinition, Unlock, Vault, generate_key, values,
};
use sealite_tests::bits::hex;
use sealite_tests::process::{LEAD, staged};
use sealite_tests::vaults::Home;

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn cheap(passphrase: &str) -> Unlock {
    Unlock::passphrase_with(passphrase, PassphraseCost::floor()).unwrap()
}

#[test]
fn weak_keys_are_refused_by_every_provider() {
    let counting: Vec<u8> = (0..32).collect();
    let down: Vec<u8> = (0..32).rev().collect();
    let weak: [&[u8]; 8] = [
        &[],
        &[7; 31],
        &[7; 33],
        &[0; 32],
        &[0xff; 32],
        &counting,
        &down,
        b"changemechangemechangemechangeme",
    ];
    let home = Home::new();
    let file = home.folder().join("weak");
    for key in weak {
        assert_eq!(kind(Unlock::key(key)), Some(ErrorKind::WeakKey));
        let hex = hex(key);
        assert_eq!(kind(Unlock::key_text(&hex)), Some(ErrorKind::WeakKey), "{hex}");
        for bytes in [key, hex.as_bytes()] {
            std::fs::write(&file, bytes).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(kind(Unlock::key_file(&file)), Some(ErrorKind::WeakKey));
        }
    }
    for passphrase in
        ["", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "passwordpassword", "changeme-changeme"]
    {
        assert_eq!(kind(Unlock::passphrase(passphrase)), Some(ErrorKind::WeakKey), "{passphrase}");
    }
    for code in ["", "abcd", "0000-0000-0000-0000-0000-0000-0000-0000-0001"] {
        assert_eq!(kind(Unlock::recovery_code(code)), Some(ErrorKind::InvalidInput), "{code}");
    }
    let floor = PassphraseCost::floor();
    for cost in [
        PassphraseCost { memory_kib: floor.memory_kib - 1, ..floor },
        PassphraseCost { memory_kib: u32::MAX, ..floor },
        PassphraseCost { passes: 1, ..floor },
        PassphraseCost { passes: u32::MAX, ..floor },
        PassphraseCost { lanes: 0, ..floor },
        PassphraseCost { lanes: u32::MAX, ..floor },
    ] {
        let unlock = Unlock::passphrase_with("correct horse battery", cost);
        assert_eq!(kind(unlock), Some(ErrorKind::Limit));
    }
}

fn write_key(path: &Path, bytes: &[u8], mode: u32) {
    // One that its owner may not write is replaced.
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn providers_give_the_key_that_was_put_there() {
    staged("providers_give_the_key_that_was_put_there", 60, |stage| {
        let folder = stage.path();
        if stage.role() == LEAD {
            let home = Home::new();
            home.share_key();
            home.create();
            let key = std::fs::read_to_string(home.folder().join("key")).unwrap();
            std::fs::create_dir(home.folder().join("credentials")).unwrap();
            // systemd gives credentials with a mode of its own.
            write_key(&home.folder().join("credentials/app"), key.as_bytes(), 0o440);
            let set = |command: &mut std::process::Command| {
                command.env("SEALITE_TEST_KEY", &key).env("SEALITE_TEST_EMPTY", "");
                command.env("SEALITE_TEST_WORD", "not a key");
                command.env("CREDENTIALS_DIRECTORY", home.folder().join("credentials"));
            };
            stage.process_by(set, "provided", home.folder()).succeed();
            let clear = |command: &mut std::process::Command| {
                command.env_remove("CREDENTIALS_DIRECTORY");
            };
            return stage.process_by(clear, "unprovided", home.folder()).succeed();
        }
        let opens = |unlock: Result<Unlock>| {
            Vault::open(folder.join("vault.db"), &unlock.unwrap()).unwrap();
        };
        if stage.role() == "unprovided" {
            assert_eq!(kind(Unlock::credential("app")), Some(ErrorKind::NotFound));
            assert_eq!(kind(Unlock::reference("credential:app")), Some(ErrorKind::NotFound));
            assert_eq!(kind(Unlock::environment("SEALITE_TEST_KEY")), Some(ErrorKind::NotFound));
            return;
        }
        opens(Unlock::environment("SEALITE_TEST_KEY"));
        opens(Unlock::reference("env:SEALITE_TEST_KEY"));
        for name in ["SEALITE_TEST_EMPTY", "SEALITE_TEST_WORD"] {
            let error = Unlock::environment(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WeakKey);
            assert!(!error.to_string().contains("not a key"));
        }
        assert_eq!(kind(Unlock::environment("A=B")), Some(ErrorKind::InvalidInput));
        assert_eq!(kind(Unlock::environment("")), Some(ErrorKind::InvalidInput));
        opens(Unlock::credential("app"));
        opens(Unlock::reference("credential:app"));
        assert_eq!(kind(Unlock::credential("other")), Some(ErrorKind::NotFound));
        for name in ["", ".", "..", "../key", "a/b", "a\0b"] {
            assert_eq!(kind(Unlock::credential(name)), Some(ErrorKind::InvalidInput));
            assert_eq!(kind(Unlock::docker_secret(name)), Some(ErrorKind::InvalidInput));
        }

        let hex = std::fs::read_to_string(folder.join("key")).unwrap();
        let raw: Vec<u8> =
            (0..32).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect();
        opens(Unlock::key(&raw));
        let base64 = base64(&raw);
        let url = base64.replace('+', "-").replace('/', "_");
        let forms = [
            hex.clone(),
            hex.to_uppercase(),
            format!("{hex}\n"),
            base64.clone(),
            format!("{base64}\n"),
            url.clone(),
            url.trim_end_matches('=').to_owned(),
        ];
        let path = folder.join("file");
        for form in forms.iter().map(String::as_bytes).chain([raw.as_slice()]) {
            write_key(&path, form, 0o600);
            opens(Unlock::key_file(&path));
            opens(Unlock::reference(&format!("file:{}", path.display())));
            write_key(&path, form, 0o400);
            opens(Unlock::key_file(&path));
            for mode in [0o644, 0o640, 0o604, 0o620, 0o610] {
                write_key(&path, form, mode);
                let error = Unlock::key_file(&path).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WeakKey);
                assert!(error.message().contains("chmod 600"), "{error}");
            }
        }
        assert_eq!(kind(Unlock::key_file(folder.join("none"))), Some(ErrorKind::NotFound));
        let refused = [Some(ErrorKind::Io), Some(ErrorKind::WeakKey)];
        assert!(refused.contains(&kind(Unlock::key_file(&folder))));
        write_key(&path, &vec![1; 100_000], 0o600);
        assert_eq!(kind(Unlock::key_file(&path)), Some(ErrorKind::WeakKey));
    });
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let symbol = ALPHABET[word >> (18 - 6 * place) & 63];
            out.push(if place <= chunk.len() { symbol as char } else { '=' });
        }
    }
    out
}

#[test]
fn nothing_shows_a_secret_or_a_value() {
    const VALUE: &str = "canary-7f3a";
    let home = Home::new();
    let vault = home.create();
    let mut shown: Vec<String> = Vec::new();
    let key = generate_key().unwrap();
    let hex = key.expose_secret().to_owned();
    let unlock = Unlock::key_text(&hex).unwrap();
    let passphrase = cheap(VALUE_PASSPHRASE);
    let (id, code) = vault.add_recovery_slot("paper").unwrap();
    vault.add_slot("key", &unlock).unwrap();
    shown.push(format!("{key:?} {unlock:?} {passphrase:?} {code:?} {id}"));
    shown.push(format!("{vault:?} {:?} {:?}", vault.slots(), vault.status()));
    shown.push(format!("{:?} {:?}", vault.tenant("acme"), sealite::Config::default()));

    let table = vault.table("people").unwrap();
    let id = table
        .insert(values! {"email" => "canary-7f3a@example.org", "name" => VALUE, "note" => VALUE})
        .unwrap();
    let row = table.get(&id).unwrap().unwrap();
    shown.push(format!("{row:?} {:?} {:?}", row.get("name"), row.get("name").unwrap().to_owned()));
    shown.push(format!("{:?}", row.columns().map(|(_, value)| value).collect::<Vec<_>>()));
    shown.push(format!(
        "{:?} {:?}",
        table.find("email", "canary-7f3a@example.org"),
        table.definition()
    ));
    shown.push(format!("{:?}", vault.query("SELECT ?1, note FROM people_sealed", &[VALUE.into()])));
    shown.push(format!("{:?}", vault.verify(|_| ())));
    let column = Column::text("c").default(VALUE);
    shown.push(format!("{column:?} {:?}", TableDefinition::new("t").column(column.clone())));
    shown.push(format!("{:?}", Alteration::AddColumn(column)));

    // Errors that values cause.
    let numbers = TableDefinition::new("numbers")
        .column(Column::integer("n").sealed())
        .column(Column::json("j").sealed())
        .column(Column::text("u").index(Index::unique()));
    vault.define_table(&numbers).unwrap();
    let numbers = vault.table("numbers").unwrap();
    numbers.insert(values! {"u" => VALUE}).unwrap();
    let field = vault.field("users.email").unwrap();
    let sealed = field.seal(VALUE, None).unwrap();
    let errors: Vec<Error> = [
        kindless(table.insert(values! {"email" => "CANARY-7f3a@example.org"})),
        kindless(table.insert(values! {"email" => None::<&str>, "name" => VALUE})),
        kindless(numbers.insert(values! {"n" => VALUE})),
        kindless(numbers.insert(values! {"j" => "{\"canary-7f3a\""})),
        kindless(numbers.insert(values! {"u" => VALUE})),
        kindless(table.find("name", VALUE)),
        kindless(field.open(&sealed, Some(7.into()))),
        kindless(vault.query("SELECT 1 FROM WHERE 'canary-7f3a'", &[])),
        kindless(vault.query("SELECT * FROM people_sealed WHERE 'canary-7f3a", &[])),
        kindless(vault.query("SELECT 1 1 'canary-7f3a'", &[])),
        kindless(vault.query("SELECT 1 WHERE 'x' 'canary-7f3a'", &[])),
        kindless(vault.query("SELECT \"canary-7f3a\"", &[])),
        kindless(vault.query("SELECT date(1) 'x' || nothing('canary-7f3a')", &[])),
        kindless(vault.query("SELECT json('canary-7f3a')", &[])),
        kindless(vault.query("SELECT load_extension('canary-7f3a')", &[])),
        kindless(vault.query("SELECT 'x' LIKE 'x' ESCAPE 'canary-7f3a'", &[])),
        kindless(vault.execute("PRAGMA journal_mode = 'canary-7f3a'", &[])),
        kindless(vault.execute("ATTACH 'canary-7f3a' AS x", &[])),
        kindless(vault.execute("INSERT INTO nowhere VALUES ('canary-7f3a')", &[])),
        kindless(
            vault
                .execute("CREATE TABLE own (a CHECK (length(a) < 3))", &[])
                .and_then(|_| vault.execute("INSERT INTO own VALUES (?)", &[VALUE.into()])),
        ),
        kindless(Unlock::key_text(VALUE)),
        kindless(Unlock::passphrase(VALUE)),
        kindless(Unlock::recovery_code(VALUE)),
        kindless(Unlock::reference(VALUE)),
        kindless(Vault::open(home.file(), &passphrase)),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, error)| error.unwrap_or_else(|| panic!("call {n} does not fail")))
    .collect();
    for error in errors {
        shown.push(format!("{error} {error:?} {}", error.message()));
    }
    let raw: Vec<String> = (0..32)
        .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap().to_string())
        .collect();
    for text in shown {
        let lower = text.to_lowercase();
        for secret in
            [VALUE, VALUE_PASSPHRASE, &hex, &raw.join(", "), &code.reveal().to_lowercase()]
        {
            assert!(!lower.contains(&secret.to_lowercase()), "{text}");
        }
    }
}

const VALUE_PASSPHRASE: &str = "tortoise-under-plum-tree";

fn kindless<T>(result: Result<T>) -> Option<Error> {
    result.err()
}

#[test]
fn new_files_are_for_their_owner_alone() {
    staged("new_files_are_for_their_owner_alone", 60, |stage| {
        assert_eq!(stage.role(), LEAD);
        // SAFETY: umask() takes a number and always succeeds. Nothing is masked from here on.
        unsafe { libc::umask(0) };
        let home = Home::new();
        let vault = home.create();
        vault.table("people").unwrap().insert(values! {"email" => "ada@example.org"}).unwrap();
        let mut names = Vec::new();
        for entry in std::fs::read_dir(home.folder()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
            names.push(entry.file_name().into_string().unwrap());
        }
        names.sort();
        assert_eq!(names, ["vault.db", "vault.db-shm", "vault.db-wal"]);
        vault.close();
        // A mode that its owner has chosen since stays.
        std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o640)).unwrap();
        home.open().table("people").unwrap().insert(values! {"email" => "b@example.org"}).unwrap();
        let mode = std::fs::metadata(home.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    });
}
