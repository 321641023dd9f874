//! What is sealed stands nowhere in clear: not in the file, its log, its shared memory, its free pages, and in no
//! temporary file while it is open.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sealite::{
    Alteration, Column, Erasure, ErrorKind, Index, Normaliser, Protection, TableDefinition, Unlock,
    Value, ValueRef, Vault, values,
};
use sealite_tests::bits::hex;
use sealite_tests::reexec::{self, Conversation, argument, role, step};
use sealite_tests::scale::scaled;
use sealite_tests::scratch::{Scratch, config};

/// With a few thousand rows and more, `secure_delete` without a `VACUUM` leaves remnants: fewer would prove little.
fn row_count() -> usize {
    scaled(6_000, 20_000)
}

/// Each stands in the values of one column.
const SEALED: &str = "Secret-Zk7qWvXp";
const LATER: &str = "Later-Qw8rTyUi";
const AUTHENTICATED: &str = "Authen-Lk2jHgFd";
const DROPPED: &str = "Dropped-Mn5bVcXz";
const HELD: &str = "Held-Pa6sDfGh";
const TABLE: &str = "Table-Yt4eRwQa";
const PLAIN: &str = "Plain-Ju9iKoLp";
/// A sealed integer.
const NUMBER: i64 = 0x5ec2_e7c0_ffee_4217;

/// A text as it might be left somewhere: in UTF-8, UTF-16, hexadecimal, base64 at each of its three alignments.
fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let hex = hex(bytes);
    let mut forms = vec![
        ("UTF-8", bytes.to_vec()),
        ("UTF-16 LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16 BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("HEX", hex.to_uppercase().into_bytes()),
        ("hex", hex.into_bytes()),
        ("lower case", text.to_lowercase().into_bytes()),
    ];
    for offset in 0..3 {
        let padded = [&vec![0; offset][..], bytes].concat();
        let encoded = base64(&padded);
        let first = [0, 2, 3][offset];
        // The last symbols depend on what follows.
        let last = padded.len() / 3 * 4;
        forms.push(("base64", encoded[first..last].to_vec()));
    }
    forms
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let word = three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        (0..4).map(move |at| ALPHABET[(word >> (18 - 6 * at)) as usize & 63]).collect::<Vec<_>>()
    };
    bytes.chunks(3).flat_map(group).collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let mut rest = haystack;
    while let Some(at) = rest.iter().position(|byte| *byte == needle[0]) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found
}

/// Where a marker stands in the vault's folder, in whatever form.
fn found(folder: &Path, marker: &str) -> Vec<String> {
    let mut places = Vec::new();
    for (path, content) in files(folder) {
        for (form, needle) in forms(marker) {
            if contains(&content, &needle) {
                places.push(format!("{form} in {}", path.file_name().unwrap().display()));
            }
        }
    }
    places
}

fn assert_nowhere(folder: &Path, markers: &[&str], when: &str) {
    for marker in markers {
        let places = found(folder, marker);
        assert!(places.is_empty(), "{when}: {marker} stands as {places:?}");
    }
    for (path, content) in files(folder) {
        for needle in [
            NUMBER.to_be_bytes().to_vec(),
            NUMBER.to_le_bytes().to_vec(),
            NUMBER.to_string().into_bytes(),
        ] {
            assert!(
                !contains(&content, &needle),
                "{when}: the sealed number stands in {}",
                path.display()
            );
        }
    }
}

fn assert_somewhere(folder: &Path, marker: &str, when: &str) {
    assert!(
        !found(folder, marker).is_empty(),
        "{when}: the search finds {marker}, which is not hidden"
    );
}

#[test]
fn the_search_finds_every_form() {
    let folder = tempfile::tempdir().unwrap();
    for (form, bytes) in forms(SEALED) {
        std::fs::write(folder.path().join("f"), [b"xx", bytes.as_slice(), b"yy"].concat()).unwrap();
        assert!(!found(folder.path(), SEALED).is_empty(), "{form}");
    }
    for offset in 0..3 {
        let text = [&b"abc"[..offset], SEALED.as_bytes(), b"def"].concat();
        std::fs::write(folder.path().join("f"), base64(&text)).unwrap();
        assert!(!found(folder.path(), SEALED).is_empty(), "base64 at {offset}");
    }
    std::fs::write(folder.path().join("f"), b"nothing").unwrap();
    assert_nowhere(folder.path(), &[SEALED], "a file of nothing");
}

#[test]
fn no_sealed_value_is_left_in_any_file_at_any_step() {
    let scratch = Scratch::new();
    let temporary = tempfile::tempdir().unwrap();
    let mut command = reexec::command("child_that_writes", "write", &scratch.path(), scratch.key());
    command.env("TMPDIR", temporary.path()).env("SQLITE_TMPDIR", temporary.path());
    let mut child = Conversation::start(command);
    let folder = scratch.folder();
    let mut steps = 0;
    while let Some(when) = child.next_step() {
        let (hidden, shown): (&[&str], &[&str]) = match when.as_str() {
            "inside a transaction" | "written" => (
                &[SEALED],
                if when == "written" {
                    &[PLAIN, LATER, AUTHENTICATED, DROPPED, HELD, TABLE]
                } else {
                    &[]
                },
            ),
            "protected" => (&[SEALED, LATER], &[PLAIN, AUTHENTICATED, DROPPED]),
            "authenticated to sealed" => (&[SEALED, LATER, AUTHENTICATED], &[PLAIN, DROPPED]),
            "back to plain" => (&[SEALED, AUTHENTICATED], &[LATER]),
            // While a reader holds the log back, what is pending is said to be, and what was erased before stays erased.
            "dropped" | "pending" => (&[SEALED, LATER, AUTHENTICATED, DROPPED], &[PLAIN, HELD]),
            "reader gone" => (&[SEALED, LATER, AUTHENTICATED, DROPPED, HELD], &[PLAIN, TABLE]),
            "table dropped" | "closed" => {
                (&[SEALED, LATER, AUTHENTICATED, DROPPED, HELD, TABLE], &[PLAIN])
            }
            other => panic!("an unknown step {other}"),
        };
        assert_nowhere(folder, hidden, &when);
        for marker in shown {
            assert_somewhere(folder, marker, &when);
        }
        assert!(files(temporary.path()).is_empty(), "{when}: a temporary file");
        steps += 1;
        child.go_on();
    }
    child.finish(Duration::from_secs(60));
    assert_eq!(steps, 10);
    assert_nowhere(folder, &[SEALED, LATER, AUTHENTICATED, DROPPED, HELD, TABLE], "at the end");
    let vault = scratch.open();
    let row = vault.table("people").unwrap().get(1).unwrap().unwrap();
    assert!(
        row.text("later").unwrap().contains(LATER),
        "the values are still there for who has the key"
    );
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

/// What the temporary files of this process have held: how many looks there were, and what was found that is always sealed.
#[derive(Default)]
struct Watched {
    looks: usize,
    found: Vec<String>,
}

/// Reads every temporary file that this process has open outside of the vault's folder, again and again. They have no name:
/// they are reached through their descriptors.
fn watch(stop: &Arc<AtomicBool>, folder: PathBuf) -> std::thread::JoinHandle<Watched> {
    let stop = Arc::clone(stop);
    let is_temporary = move |path: &Path| {
        let text = path.to_string_lossy();
        let temporary = text.contains("etilqs")
            || text.contains("(deleted)")
            || path.starts_with(std::env::temp_dir());
        temporary && !path.starts_with(&folder)
    };
    let needles: Vec<Vec<u8>> = forms(SEALED)
        .into_iter()
        .map(|(_, needle)| needle)
        .chain([NUMBER.to_be_bytes().to_vec(), NUMBER.to_le_bytes().to_vec()])
        .collect();
    std::thread::spawn(move || {
        let mut watched = Watched::default();
        while !stop.load(Ordering::Relaxed) {
            for entry in std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
                let Ok(path) = std::fs::read_link(entry.path()) else { continue };
                if !is_temporary(&path) {
                    continue;
                }
                // It may have been closed since.
                let Ok(content) = std::fs::read(entry.path()) else { continue };
                watched.looks += usize::from(!content.is_empty());
                let found = needles.iter().filter(|needle| contains(&content, needle));
                watched.found.extend(found.map(|needle| format!("{}: {needle:?}", path.display())));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        watched
    })
}

#[test]
#[ignore = "the child of another test"]
fn child_that_writes() {
    if role().is_none() {
        return;
    }
    let path = PathBuf::from(argument("PATH"));
    let stop = Arc::new(AtomicBool::new(false));
    let looking = watch(&stop, path.parent().unwrap().to_owned());
    let mut config = config();
    config.busy_timeout = Duration::from_millis(300);
    let vault = Vault::at_with(&path, config).unwrap();
    vault.initialise(&Unlock::key_text(&argument("KEY")).unwrap()).unwrap();
    fill(&vault);
    step("written");
    alter(&vault);
    hold_back(&vault);
    assert!(vault.drop_table("gone").unwrap() == Erasure::Complete);
    step("table dropped");
    vault.close();
    step("closed");
    stop.store(true, Ordering::Relaxed);
    let watched = looking.join().unwrap();
    assert!(watched.found.is_empty(), "in temporary files: {:?}", watched.found);
    // A file is written anew by way of one.
    assert!(watched.looks > 0 || !cfg!(target_os = "linux"), "no temporary file was seen");
}

fn fill(vault: &Vault) {
    let email = Index::unique().normaliser(Normaliser::Email);
    let people = TableDefinition::new("people")
        .column(Column::text("email").sealed().index(email))
        .column(
            Column::text("surname")
                .sealed()
                .index(Index::lookup(5_000).normaliser(Normaliser::Text)),
        )
        .column(Column::integer("number").sealed())
        .column(Column::blob("photo").sealed())
        .column(Column::json("extra").sealed())
        .column(Column::text("later").index(Index::lookup(5_000)))
        .column(Column::text("auth").authenticated().index(Index::unique()))
        .column(Column::text("dropped").index(Index::lookup(5_000)))
        .column(Column::text("held"))
        .column(Column::text("plain"));
    vault.define_table(&people).unwrap();
    vault
        .define_table(
            &TableDefinition::new("gone").column(Column::text("a").index(Index::unique())),
        )
        .unwrap();
    let names = [
        "email", "surname", "number", "photo", "extra", "later", "auth", "dropped", "held", "plain",
    ];
    let row = |n: usize, generation: &str| -> Vec<Value> {
        let text = |marker: &str| Value::Text(format!("{marker} {generation}{n} caf\u{e9}"));
        vec![
            Value::Text(format!("{SEALED}{n}{generation}@Example.org")),
            text(SEALED),
            Value::Integer(NUMBER),
            Value::Blob(format!("\0{SEALED}\0{n}").into_bytes()),
            Value::Json(format!("{{\"secret\": \"{SEALED}\"}}")),
            text(LATER),
            text(AUTHENTICATED),
            text(DROPPED),
            text(HELD),
            text(PLAIN),
        ]
    };
    let users = vault.table("people").unwrap();
    insert_all(&users, &owned_rows(0..row_count() / 2, "a", &row), &names).unwrap();
    vault
        .transaction(|tx| {
            insert_all(
                &tx.table("people")?,
                &owned_rows(row_count() / 2..row_count(), "a", &row),
                &names,
            )?;
            step("inside a transaction");
            Ok(())
        })
        .unwrap();
    for id in 1..=500i64 {
        let next = row(usize::try_from(id).unwrap(), "b");
        let changes: Vec<(&str, ValueRef<'_>)> =
            names.iter().zip(&next).map(|(name, value)| (*name, value.as_ref())).collect();
        assert!(users.update(id, &changes).unwrap());
    }
    for id in 1_500..1_800i64 {
        assert!(users.delete(id).unwrap());
    }
    churn(vault);
    // What is rolled back, and what fails, leaves nothing either.
    let failed = vault.transaction(|tx| {
        insert_all(
            &tx.table("people")?,
            &owned_rows(row_count()..row_count() + 200, "c", &row),
            &names,
        )?;
        tx.table("people")?.insert(values! {"nowhere" => SEALED}).map(|_| ())
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::NotFound);
    let conflict = users.insert(values! {"email" => format!("{SEALED}600a@example.ORG").as_str()});
    assert_eq!(conflict.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(
        users.find("surname", format!("{SEALED} a700 CAFE\u{301}").as_str()).unwrap().len(),
        1
    );
    let texts: Vec<String> = (0..row_count()).map(|n| format!("{TABLE} {n}")).collect();
    let rows: Vec<[ValueRef<'_>; 1]> = texts.iter().map(|text| [text.into()]).collect();
    vault.table("gone").unwrap().insert_many(&["a"], &rows).unwrap();
}

/// Rows grow and shrink in no order, so that SQLite splits and joins pages: what it moves from a page it leaves there, in
/// the gap between the cells, where `secure_delete` does not reach.
fn churn(vault: &Vault) {
    for length in [700, 3, 250, 1_500, 3] {
        vault
            .transaction(|tx| {
                for number in 0..row_count() {
                    let id =
                        i64::try_from(number * 7_919 % row_count() + 1).expect("a small number");
                    let text = format!("{PLAIN} {}", "x".repeat(length + number % 91));
                    tx.table("people")?.update(id, values! {"plain" => text.as_str()})?;
                }
                Ok(())
            })
            .unwrap();
    }
}

fn owned_rows(
    range: std::ops::Range<usize>,
    generation: &str,
    row: &dyn Fn(usize, &str) -> Vec<Value>,
) -> Vec<Vec<Value>> {
    range.map(|n| row(n, generation)).collect()
}

fn insert_all(
    table: &sealite::Table<'_>,
    owned: &[Vec<Value>],
    names: &[&str],
) -> sealite::Result<()> {
    let rows: Vec<Vec<ValueRef<'_>>> =
        owned.iter().map(|row| row.iter().map(Value::as_ref).collect()).collect();
    table.insert_many(names, &rows).map(|_| ())
}

fn protect(vault: &Vault, column: &str, how: Protection) -> Erasure {
    vault.alter_table("people", &Alteration::Protect(column.into(), how)).unwrap()
}

fn alter(vault: &Vault) {
    assert!(protect(vault, "later", Protection::Sealed) == Erasure::Complete);
    step("protected");
    assert!(protect(vault, "auth", Protection::Sealed) == Erasure::Complete);
    step("authenticated to sealed");
    assert!(protect(vault, "later", Protection::Plain) == Erasure::Complete);
    step("back to plain");
    assert!(protect(vault, "later", Protection::Sealed) == Erasure::Complete);
    let drop = Alteration::DropColumn("dropped".into());
    assert!(vault.alter_table("people", &drop).unwrap() == Erasure::Complete);
    step("dropped");
}

fn hold_back(vault: &Vault) {
    let reader = vault.snapshot().unwrap();
    assert_eq!(reader.table("people").unwrap().count().unwrap(), row_count() as u64 - 300);
    assert!(protect(vault, "held", Protection::Sealed) == Erasure::Pending);
    assert!(vault.finish_erasure().unwrap() == Erasure::Pending);
    step("pending");
    let held = reader.table("people").unwrap().get(1).unwrap().unwrap();
    assert!(held.text("held").unwrap().contains(HELD), "the reader still sees its moment");
    drop(reader);
    assert!(vault.finish_erasure().unwrap() == Erasure::Complete);
    assert!(vault.finish_erasure().unwrap() == Erasure::Complete);
    step("reader gone");
}
