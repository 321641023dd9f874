//! The search for what was sealed, in every byte of the vault's files.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::beside;
use super::guess::Kind;
use super::needles::{MIN_LEN, Needles};
use super::report::Report;
use super::source::{Source, is_sealed_text};
use super::use_it::Changed;
use crate::Outcome;
use crate::units::{bytes, grouped};

/// Copies of the files of an open vault.
pub(super) struct Copies {
    folder: tempfile::TempDir,
}

impl Copies {
    /// Copies the database, its log and its shared memory by another process: closing one of them here would drop
    /// the locks that SQLite holds on it.
    pub(super) fn take(vault: &Path, beside_it: &Path) -> Outcome<Self> {
        let folder = tempfile::tempdir_in(beside_it)?;
        let files: Vec<PathBuf> = ["", "-wal", "-shm"].map(|suffix| beside(vault, suffix)).into();
        let status = Command::new("cp").args(&files).arg(folder.path()).status()?;
        if status.success() {
            Ok(Copies { folder })
        } else {
            Err("cp could not copy the vault".into())
        }
    }

    fn files(&self) -> Outcome<Vec<PathBuf>> {
        let entries = std::fs::read_dir(self.folder.path())?;
        Ok(entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
    }
}

pub(super) fn show(
    source: &Source,
    changed: &Changed,
    copies: &Copies,
    vault: &Path,
    report: &mut Report<'_>,
) -> Outcome<()> {
    report.step("Searched for what was sealed, in every byte")?;
    let contacts = Needles::new(contacts(source));
    let original = contacts.search(&present(&source.path, &["", "-wal"]))?;
    let (found, all) = (original.values, contacts.len());
    // In a database of the user's own a value may lie across two pages.
    let enough = if source.made { found == all } else { found * 100 >= all * 99 };
    let (found, all_of_them) = (grouped(found as u64), grouped(all as u64));
    let text =
        format!("{found} of {all_of_them} are in the {} of the original", bytes(original.bytes));
    report.fact("contacts", &format!("{all_of_them} e-mail addresses and phone numbers"))?;
    report.claim(enough && all > 0, &text)?;

    let all = everything(source, changed);
    let needles = Needles::new(&all);
    let count = grouped(needles.len() as u64);
    report.fact(
        "everything",
        &format!("{count} sealed texts and normal forms, of {MIN_LEN} bytes and more"),
    )?;
    let files = [
        ("open, with its log", copies.files()?),
        ("closed", present(vault, &["", "-wal", "-shm"])),
    ];
    for (state, files) in files {
        let found = needles.search(&files)?;
        let (values, size) = (grouped(found.values as u64), bytes(found.bytes));
        let text = format!("{values} of {count} are in the {size} of the vault, {state}");
        report.claim(found.values == 0 && found.bytes > 0, &text)?;
    }
    Ok(())
}

/// The values that must be found in the original: of the e-mail and phone columns, or of every sealed text.
fn contacts(source: &Source) -> Vec<&str> {
    let contact =
        |at: &usize| matches!(source.kinds.get(*at), Some(Some(Kind::Email | Kind::Phone)));
    let sealed = sealed_texts(source);
    let some: Vec<usize> = sealed.iter().copied().filter(contact).collect();
    let columns = if some.is_empty() { sealed } else { some };
    columns.into_iter().flat_map(|at| source.texts(at).map(|(_, text)| text)).collect()
}

/// Whatever must not be found in the vault: each sealed text, old and new, as it was written, in lower case, and of
/// phone numbers the digits alone.
fn everything(source: &Source, changed: &Changed) -> Vec<String> {
    let old =
        sealed_texts(source).into_iter().flat_map(|at| source.texts(at).map(|(_, text)| text));
    let new = changed.values.iter().map(String::as_str);
    let forms = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        // Of an address only the number would be left.
        let number = digits.len() * 2 > text.len();
        [Some(text.to_owned()), Some(text.to_lowercase()), number.then_some(digits)]
    };
    old.chain(new).flat_map(forms).flatten().collect()
}

fn sealed_texts(source: &Source) -> Vec<usize> {
    let columns = source.data.columns.iter().enumerate();
    columns.filter(|(_, column)| is_sealed_text(column)).map(|(at, _)| at).collect()
}

/// The files of a database that are there, of those suffixes.
fn present(path: &Path, suffixes: &[&str]) -> Vec<PathBuf> {
    suffixes.iter().map(|suffix| beside(path, suffix)).filter(|path| path.exists()).collect()
}
