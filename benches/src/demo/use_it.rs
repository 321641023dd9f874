//! Finding people by an address typed in another case, and updating some.

use std::collections::HashSet;

use sealite::{Column, ErrorKind, Id, ValueRef, Vault};

use super::guess::Kind;
use super::report::Report;
use super::source::{SEED, Source, is_sealed_text};
use crate::Outcome;
use crate::people::people;
use crate::units::grouped;

/// At most so many rows are looked for.
const FOUND: usize = 1_000;
/// At most so many rows are updated.
const UPDATED: usize = 100;

/// Finds rows by e-mail address, or by the first column with an index.
pub(super) fn find(source: &Source, vault: &Vault, report: &mut Report<'_>) -> Outcome<()> {
    let data = &source.data;
    let email = source.position(Kind::Email);
    let indexed = |column: &Column| column.declared_index().is_some() && is_sealed_text(column);
    let Some(position) = email.or_else(|| data.columns.iter().position(indexed)) else {
        report.step("Found by value")?;
        return report.fact("left out", "no sealed column has an index");
    };
    let column = data.columns.get(position).map_or("", Column::name);
    report.step(&format!("Found by {column}, typed in another case"))?;
    let all: Vec<_> = source.texts(position).collect();
    let table = vault.table(&data.table)?;
    let (mut looked, mut found, mut shown) = (0_u64, 0_u64, false);
    for (id, text) in all.iter().step_by(all.len().div_ceil(FOUND).max(1)) {
        let typed = other_case(text);
        let rows = table.find(column, typed.as_str())?;
        let hit = rows.iter().find(|row| row.id() == id.as_ref());
        looked += 1;
        found += u64::from(hit.is_some_and(|row| row.text(column).is_ok_and(|kept| kept == *text)));
        // Made-up people may be shown; of the user's own only a number.
        if source.made && !shown && text.is_ascii() && typed != *text {
            shown = true;
            report.fact("asked for", &typed)?;
            let name = source.position(Kind::Name).and_then(|at| data.columns.get(at));
            let name = hit.zip(name).and_then(|(row, column)| row.text(column.name()).ok());
            report.fact("found", &format!("row {id}, {text}, {}", name.unwrap_or_default()))?;
        }
    }
    let text = format!("{} of {} found, each its own row", grouped(found), grouped(looked));
    report.claim(found == looked && looked > 0, &text)?;
    let name = data
        .columns
        .iter()
        .find(|column| is_sealed_text(column) && column.declared_index().is_none());
    if let Some(name) = name.map(Column::name) {
        let refused = table.find(name, "anything").err().map(|error| error.kind());
        let text =
            format!("{name} has no index: a search is refused, never a silent scan of every row");
        report.claim(refused == Some(ErrorKind::NotIndexed), &text)?;
    }
    Ok(())
}

/// What an update has done: the column, and the rows' new values.
pub(super) struct Changed {
    pub(super) values: Vec<String>,
}

/// Gives some rows another phone number, or another value of the first sealed text.
pub(super) fn update(source: &Source, vault: &Vault, report: &mut Report<'_>) -> Outcome<Changed> {
    report.step("Updated")?;
    let data = &source.data;
    let text = |position: &usize| data.columns.get(*position).is_some_and(is_sealed_text);
    let phone = source.position(Kind::Phone).filter(text);
    let position = phone.or_else(|| data.columns.iter().position(is_sealed_text));
    let position = position.ok_or("no sealed text to update")?;
    let column = data.columns.get(position).ok_or("no such column")?;
    let (name, indexed) = (column.name(), column.declared_index().is_some());
    let old: Vec<_> = source.texts(position).collect();
    let step = old.len().div_ceil(UPDATED).max(1);
    let taken: HashSet<&str> = old.iter().map(|(_, text)| *text).collect();
    let mut fresh = people(old.len() + 3 * UPDATED, SEED).skip(old.len());
    let table = vault.table(&data.table)?;
    let (mut values, mut good) = (Vec::new(), 0);
    for (id, before) in old.iter().step_by(step) {
        let value =
            fresh.by_ref().map(|person| person.phone).find(|value| !taken.contains(value.as_str()));
        let value = value.ok_or("no new value is left")?;
        let others = |vault_row: &sealite::Row| {
            let others = vault_row.columns().filter(|(column, _)| *column != name);
            others.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
        };
        let row = table.get(*id)?.ok_or("a row is missing")?;
        table.update(*id, &[(name, ValueRef::Text(&value))])?;
        let after = table.get(*id)?.ok_or("a row is missing")?;
        let mut holds = after.text(name)? == value && others(&row) == others(&after);
        if indexed {
            let finds = |text: &str| found(&table, name, text, id);
            holds &= finds(&value)? && !finds(before)?;
        }
        good += usize::from(holds);
        values.push(value);
    }
    let rows = grouped(values.len() as u64);
    report.fact("changed", &format!("{name} of {rows} rows"))?;
    let found = if indexed { "found by the new value and not by the old; " } else { "" };
    let text = format!("{found}every other column as it was");
    report.claim(good == values.len() && good > 0, &text)?;
    Ok(Changed { values })
}

fn found(table: &sealite::Table<'_>, column: &str, text: &str, id: &Id) -> Outcome<bool> {
    Ok(table.find(column, text)?.iter().any(|row| row.id() == id.as_ref()))
}

/// The text with the case of every letter changed that has one and can be changed back.
fn other_case(text: &str) -> String {
    text.chars()
        .map(|c| swapped(c).filter(|other| swapped(*other) == Some(c)).unwrap_or(c))
        .collect()
}

fn swapped(c: char) -> Option<char> {
    let one = |mut letters: Box<dyn Iterator<Item = char>>| {
        letters.next().filter(|_| letters.next().is_none())
    };
    if c.is_lowercase() {
        one(Box::new(c.to_uppercase()))
    } else if c.is_uppercase() {
        one(Box::new(c.to_lowercase()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_changed_only_where_it_comes_back() {
        assert_eq!(other_case("Ada.L@Example.org"), "aDA.l@eXAMPLE.ORG");
        assert_eq!(other_case("bäckerei-straße.test"), "BÄCKEREI-STRAßE.TEST");
        assert_eq!(other_case("ελιάς"), "ΕΛΙΆς");
        assert_eq!(other_case("كتب 12@"), "كتب 12@");
        for text in ["ŁÓDŹ.example", "Weiß", "ǅ", "İstanbul", "ı"] {
            assert_eq!(other_case(&other_case(text)), text);
        }
    }
}
