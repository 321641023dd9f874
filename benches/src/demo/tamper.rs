//! Rows edited from outside, with plain SQLite, while the vault is closed.

use std::path::Path;

use rusqlite::Connection;
use sealite::{Column, ErrorKind, Id, Protection, Table, Type, Unlock, Value, Vault};

use super::report::Report;
use super::source::Source;
use crate::Outcome;
use crate::dataset::id_value;
use crate::plain::{Bound, quote, value};
use crate::units::grouped;

/// One edit, and how to take it back.
struct Edit {
    what: String,
    row: Id,
    column: String,
    before: Value,
    after: Value,
}

/// Edits rows, shows that they are refused, and puts them back.
pub(super) fn show(
    source: &Source,
    path: &Path,
    unlock: &Unlock,
    report: &mut Report<'_>,
) -> Outcome<()> {
    report.step("Edited from outside, with plain SQLite")?;
    let edits = edits(source, path)?;
    for edit in &edits {
        write(source, path, edit, &edit.after)?;
    }
    let vault = Vault::open(path, unlock)?;
    let mut refused = 0;
    {
        let table = vault.table(&source.data.table)?;
        for edit in &edits {
            report.fact("edited", &edit.what)?;
            let error = error_of(&table, &edit.row)?;
            report
                .fact("refused", error.as_ref().map_or("NOT REFUSED", |error| error.message()))?;
            refused += usize::from(is_refusal(error.as_ref()));
        }
    }
    let text = format!("authentication_failed for {refused} of {} edited rows", edits.len());
    report.claim(refused == edits.len(), &text)?;
    let mut faults: Vec<String> =
        vault.verify(|_| ())?.faults.iter().map(|fault| fault.id.to_string()).collect();
    let mut edited: Vec<String> = edits.iter().map(|edit| edit.row.to_string()).collect();
    faults.sort_unstable();
    edited.sort_unstable();
    report.claim(faults == edited, "a check of the whole vault names exactly those rows")?;
    vault.close();

    for edit in &edits {
        write(source, path, edit, &edit.before)?;
    }
    let vault = Vault::open(path, unlock)?;
    let whole = vault.verify(|_| ())?;
    let rows = source.data.rows.len() as u64;
    let text = format!("put back: all {} rows verify", grouped(rows));
    report.claim(
        whole.is_sound() && whole.tables.iter().map(|(_, rows)| rows).sum::<u64>() == rows,
        &text,
    )?;
    vault.close();
    Ok(())
}

fn error_of(table: &Table<'_>, id: &Id) -> Outcome<Option<sealite::Error>> {
    match table.get(id) {
        Ok(Some(_)) => Ok(None),
        Ok(None) => Err("an edited row is missing".into()),
        Err(error) => Ok(Some(error)),
    }
}

fn is_refusal(error: Option<&sealite::Error>) -> bool {
    error.is_some_and(|error| error.kind() == ErrorKind::AuthenticationFailed)
}

/// The record of one person copied over another's; and where a column is authenticated, a changed value of it.
fn edits(source: &Source, path: &Path) -> Outcome<Vec<Edit>> {
    let ids = &source.data.ids;
    let at = |place: usize| ids.get(place).cloned().ok_or("too few rows");
    let (from, to) = (at(ids.len() / 3)?, at(ids.len() - 1)?);
    let mut edits = vec![Edit {
        what: format!("the record of row {from} copied over that of row {to}"),
        before: read(source, path, &to, "sealed")?,
        after: read(source, path, &from, "sealed")?,
        row: to,
        column: "sealed".into(),
    }];
    let authenticated =
        |column: &&Column| column.declared_protection() == Protection::Authenticated;
    if let Some(column) = source.data.columns.iter().find(authenticated) {
        let row = at(0)?;
        let before = read(source, path, &row, column.name())?;
        let after = match column.kind() {
            Type::Integer => Value::Integer(i64::from(before != Value::Integer(1))),
            Type::Real => Value::Real(1.5),
            _ if before == Value::from("admin") => Value::from("owner"),
            _ => Value::from("admin"),
        };
        let shown = match &after {
            Value::Text(text) => format!("'{text}'"),
            Value::Integer(number) => number.to_string(),
            _ => "another value".to_owned(),
        };
        let what = format!("{} of row {row} set to {shown}", column.name());
        edits.push(Edit { what, row, column: column.name().to_owned(), before, after });
    }
    Ok(edits)
}

fn read(source: &Source, path: &Path, id: &Id, column: &str) -> Outcome<Value> {
    let (table, key) = physical(source);
    let sql = format!("SELECT {} FROM {table} WHERE {key} = ?", quote(column));
    let conn = Connection::open(path)?;
    let mut stmt = conn.prepare(&sql)?;
    let mut rows = stmt.query([Bound(id_value(id.as_ref()))])?;
    value(rows.next()?.ok_or("a row is missing")?.get_ref(0)?)
}

fn write(source: &Source, path: &Path, edit: &Edit, value: &Value) -> Outcome<()> {
    let (table, key) = physical(source);
    let sql = format!("UPDATE {table} SET {} = ? WHERE {key} = ?", quote(&edit.column));
    let conn = Connection::open(path)?;
    let changed =
        conn.execute(&sql, [Bound(value.as_ref()), Bound(id_value(edit.row.as_ref()))])?;
    if changed == 1 { Ok(()) } else { Err("the edit changed nothing".into()) }
}

/// The table and the key as the file has them.
fn physical(source: &Source) -> (String, String) {
    (quote(&format!("{}_sealed", source.data.table)), quote(&source.data.key))
}
