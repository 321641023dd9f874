//! Moving the rows into a fresh vault, and reading every one of them back.

use std::time::Instant;

use sealite::{Column, ErrorKind, Id, Protection, Unlock, Value, Vault};

use super::report::Report;
use super::source::Source;
use super::{Files, remove_database};
use crate::Outcome;
use crate::units::{grouped, time};

/// The width of a list of columns, in characters.
const WIDTH: usize = 72;

pub(super) fn show(
    source: &mut Source,
    files: &Files,
    unlock: &Unlock,
    report: &mut Report<'_>,
) -> Outcome<Vault> {
    report.step("Moved into a vault")?;
    let (vault, key) = (files.vault.display(), files.key.display());
    report.fact("file", &format!("{vault}, opened by {key}"))?;
    let start = Instant::now();
    let vault = fill(source, files, unlock)?;
    let elapsed = start.elapsed();
    for protection in [Protection::Sealed, Protection::Authenticated, Protection::Plain] {
        for (at, line) in lines(&names(source, protection)).iter().enumerate() {
            report.fact(if at == 0 { protection.name() } else { "" }, line)?;
        }
    }
    for remark in &source.remarks {
        report.fact("note", remark)?;
    }
    let rows = grouped(source.data.rows.len() as u64);
    report.fact("moved in", &format!("{rows} rows in {}", time(elapsed)))?;
    let same = unchanged(source, &vault)?;
    report.claim(same, &format!("all {rows} rows read back value for value"))?;
    Ok(vault)
}

/// Creates the vault and inserts the rows, all or none.
fn fill(source: &mut Source, files: &Files, unlock: &Unlock) -> Outcome<Vault> {
    loop {
        let data = &source.data;
        let vault = Vault::create(&files.vault, unlock)?;
        vault.define_table(&data.definition())?;
        match vault.table(&data.table)?.insert_many(&data.insert_names(), data.insert_rows()) {
            Ok(_) => return Ok(vault),
            // Two spellings that only the normaliser knows to be the same address.
            Err(error) if error.kind() == ErrorKind::Conflict && source.weaken_unique() => {
                vault.close();
                remove_database(&files.vault)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// True where the vault gives back every row as it was.
fn unchanged(source: &Source, vault: &Vault) -> Outcome<bool> {
    let data = &source.data;
    let table = vault.table(&data.table)?;
    let ids: Vec<_> = data.ids.iter().map(Id::as_ref).collect();
    for (ids, rows) in ids.chunks(1_000).zip(data.rows.chunks(1_000)) {
        for (found, row) in table.get_many(ids)?.iter().zip(rows) {
            let Some(found) = found else { return Ok(false) };
            if !found.columns().map(|(_, value)| value).eq(row.iter().map(Value::as_ref)) {
                return Ok(false);
            }
        }
    }
    Ok(table.count()? == data.rows.len() as u64)
}

/// The columns of that protection, each with its index.
fn names(source: &Source, protection: Protection) -> Vec<String> {
    let columns = source.data.columns.iter();
    let columns = columns.filter(|column| column.declared_protection() == protection);
    columns.map(described).collect()
}

/// `email (unique, email)`: what the specification says behind the protection.
fn described(column: &Column) -> String {
    let specification = column.specification();
    let words: Vec<&str> = specification.split(' ').collect();
    let index = words.iter().position(|word| *word == "unique" || *word == "lookup");
    let kind = index.and_then(|at| words.get(at)).filter(|_| column.declared_index().is_some());
    match (kind, words.last()) {
        (Some(kind), Some(last)) => format!("{} ({kind}, {last})", column.name()),
        _ => column.name().to_owned(),
    }
}

/// Words in lines that fit, commas between.
fn lines(words: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() + 2 <= WIDTH => {
                line.push_str(", ");
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_described_with_their_indexes() {
        let of = |specification| described(&Column::parse(specification).unwrap());
        assert_eq!(of("email text sealed not null unique email"), "email (unique, email)");
        assert_eq!(of("phone sealed lookup 5000 digits"), "phone (lookup, digits)");
        assert_eq!(of("address sealed"), "address");
    }

    #[test]
    fn long_lists_are_broken_into_lines() {
        let words: Vec<String> = (0..40).map(|number| format!("column_{number}")).collect();
        let lines = lines(&words);
        assert!(lines.len() > 5 && lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(lines.join(", "), words.join(", "));
    }
}
