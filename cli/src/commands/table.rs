//! `sealite table list` and `describe`.

use std::path::Path;

use sealite::{Column, ErrorKind, Index, Padding, Protection, TableDefinition, Vault};
use serde_json::{Value, json};

use crate::arguments::OpenWith;
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::streams::Console;
use crate::text::{aligned, counted, printable};
use crate::unlock;

/// Bits of a blind index that is unique.
const UNIQUE_BITS: u8 = 128;

/// The tables and how many rows they have.
pub(super) fn overview(vault: &Vault) -> Result<Vec<(TableDefinition, u64)>> {
    let counted = |definition: TableDefinition| {
        let rows = rows(vault, &definition)?;
        Ok((definition, rows))
    };
    vault.tables()?.into_iter().map(counted).collect()
}

pub(super) fn overview_text(tables: &[(TableDefinition, u64)]) -> String {
    if tables.is_empty() {
        return "no tables\n".to_owned();
    }
    let rows: Vec<[String; 4]> = tables
        .iter()
        .map(|(table, rows)| {
            let tenants = if table.is_per_tenant() { "per tenant" } else { "" };
            let columns = table.columns().len().to_string();
            [table.name().to_owned(), rows.to_string(), columns, tenants.to_owned()]
        })
        .collect();
    aligned(["table", "rows", "columns", ""], &rows)
}

pub(super) fn overview_json(tables: &[(TableDefinition, u64)]) -> Value {
    let one = |(table, rows): &(TableDefinition, u64)| {
        json!({
            "name": table.name(),
            "rows": rows,
            "columns": table.columns().len(),
            "per_tenant": table.is_per_tenant(),
        })
    };
    tables.iter().map(one).collect()
}

pub(super) fn list(file: &Path, open: &OpenWith, console: &mut Console<'_>) -> Result<Report> {
    let vault = unlock::open(file, open, console)?;
    let tables = overview(&vault)?;
    Ok(Report::new(overview_text(&tables), json!({"tables": overview_json(&tables)})))
}

pub(super) fn describe(
    file: &Path,
    name: Option<&str>,
    open: &OpenWith,
    console: &mut Console<'_>,
) -> Result<Report> {
    let vault = unlock::open(file, open, console)?;
    let mut tables = vault.tables()?;
    if let Some(name) = name {
        tables.retain(|table| table.name() == name);
        if tables.is_empty() {
            return Err(Failure::new(ErrorKind::NotFound, format!("there is no table {name}")));
        }
    }
    let mut texts = Vec::new();
    let mut objects = Vec::new();
    for table in &tables {
        let rows = rows(&vault, table)?;
        texts.push(table_text(table, rows));
        objects.push(table_json(table, rows));
    }
    let text = if texts.is_empty() { "no tables\n".to_owned() } else { texts.join("\n") };
    Ok(Report::new(text, json!({"tables": objects})))
}

/// How many rows a table has, those of every tenant together. No record is opened.
pub(super) fn rows(vault: &Vault, table: &TableDefinition) -> Result<u64> {
    if !table.is_per_tenant() {
        return Ok(vault.table(table.name())?.count()?);
    }
    let physical = format!("{}_sealed", table.name()).replace('"', "\"\"");
    let counted = vault.query(&format!("SELECT count(*) FROM \"{physical}\""), &[])?;
    let count = counted.rows.first().and_then(|row| row.first()).map(sealite::Value::as_ref);
    match count.and_then(sealite::ValueRef::as_i64).map(u64::try_from) {
        Some(Ok(count)) => Ok(count),
        _ => Err(Failure::new(ErrorKind::Internal, "a count that is no number")),
    }
}

fn table_text(table: &TableDefinition, rows: u64) -> String {
    let kind = if table.has_text_key() { "text" } else { "integer" };
    let tenants = if table.is_per_tenant() { ", per tenant" } else { "" };
    let cells: Vec<[String; 5]> = table
        .columns()
        .iter()
        .map(|column| {
            [
                column.name().to_owned(),
                column.kind().name().to_owned(),
                column.declared_protection().name().to_owned(),
                if column.is_not_null() { "not null" } else { "" }.to_owned(),
                column.declared_index().map_or(String::new(), |index| index_text(column, index)),
            ]
        })
        .collect();
    format!(
        "{}: {}, primary key {} ({kind}){tenants}, padding {}\n{}",
        printable(table.name()),
        counted(rows, "row"),
        printable(table.key_name()),
        padding_text(table.declared_padding()),
        aligned(["column", "type", "protection", "null", "index"], &cells)
    )
}

fn index_text(column: &Column, index: &Index) -> String {
    let kind = if index.is_unique() { "unique" } else { "lookup" };
    if column.declared_protection() != Protection::Sealed {
        return kind.to_owned();
    }
    let normaliser = index.declared_normaliser().name();
    let bits = counted(u64::from(index.bits().unwrap_or(UNIQUE_BITS)), "bit");
    let accepted = match index.accepted_leakage() {
        Some(reason) => format!(", leakage accepted: {reason}"),
        None => String::new(),
    };
    format!("blind {kind}, {normaliser}, {bits}{accepted}")
}

fn table_json(table: &TableDefinition, rows: u64) -> Value {
    let column = |column: &Column| {
        json!({
            "name": column.name(),
            "type": column.kind().name(),
            "protection": column.declared_protection().name(),
            "not_null": column.is_not_null(),
            "index": column.declared_index().map(|index| index_json(column, index)),
        })
    };
    json!({
        "name": table.name(),
        "rows": rows,
        "key": {
            "name": table.key_name(),
            "type": if table.has_text_key() { "text" } else { "integer" },
        },
        "per_tenant": table.is_per_tenant(),
        "padding": padding_json(table.declared_padding()),
        "columns": table.columns().iter().map(column).collect::<Value>(),
    })
}

fn index_json(column: &Column, index: &Index) -> Value {
    let blind = column.declared_protection() == Protection::Sealed;
    json!({
        "kind": if index.is_unique() { "unique" } else { "lookup" },
        "blind": blind,
        "normaliser": index.declared_normaliser().name(),
        "bits": blind.then(|| index.bits().unwrap_or(UNIQUE_BITS)),
        "accepted_leakage": index.accepted_leakage(),
    })
}

fn padding_text(padding: Padding) -> String {
    match padding {
        Padding::None => "none".to_owned(),
        Padding::Block(bytes) => format!("to multiples of {}", counted(u64::from(bytes), "byte")),
        Padding::Padme => "Padmé".to_owned(),
        _ => "unknown".to_owned(),
    }
}

fn padding_json(padding: Padding) -> Value {
    match padding {
        Padding::None => json!({"policy": "none"}),
        Padding::Block(bytes) => json!({"policy": "block", "bytes": bytes}),
        Padding::Padme => json!({"policy": "padme"}),
        _ => json!({"policy": "unknown"}),
    }
}
