//! A plain table as SQLite has it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::triggers::{self, Trigger};
use super::written::{Written, names, written};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::Result;
use crate::value::{Type, ValueRef};

/// A table of the application.
pub(super) struct Plain {
    pub(super) name: String,
    /// What keeps it from being one that rows can be sealed of, whatever its columns.
    pub(super) odd: Option<&'static str>,
    pub(super) columns: Vec<PlainColumn>,
    pub(super) indexes: Vec<PlainIndex>,
    pub(super) written: Written,
    pub(super) children: Vec<Child>,
    /// Triggers and views that name the table.
    pub(super) dependents: Vec<Dependent>,
    /// The highest id that it has given out, where it keeps one.
    pub(super) sequence: Option<i64>,
}

/// A trigger or view.
pub(super) struct Dependent {
    /// What it is called, such as `view seniors`.
    pub(super) what: String,
    sql: String,
}

impl Dependent {
    /// It, where it is a trigger on that table.
    pub(super) fn trigger(&self, table: &str) -> Option<Trigger<'_>> {
        triggers::read(&self.sql).filter(|trigger| trigger.table.eq_ignore_ascii_case(table))
    }
}

/// A column of it.
pub(super) struct PlainColumn {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// Its place in the primary key, from 1; 0 outside of it.
    pub(super) key: i64,
    pub(super) generated: bool,
}

/// An index of it.
#[allow(clippy::struct_excessive_bools)] // each is a question of its own
pub(super) struct PlainIndex {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) of_key: bool,
    /// The CREATE INDEX; none for that of a constraint.
    pub(super) sql: Option<String>,
    /// Its columns; none for an expression.
    pub(super) columns: Vec<Option<String>>,
    /// True where it is over whole columns in their own order, compared byte for byte, and over every row.
    pub(super) simple: bool,
    /// True where it compares byte for byte.
    pub(super) binary: bool,
}

/// A foreign key of another table to it, or of its own.
pub(super) struct Child {
    pub(super) table: String,
    /// The column that it names, or none for the primary key; of a key of several columns each is one.
    pub(super) to: Option<String>,
}

/// How many values of a column SQLite keeps in which way.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) integers: i64,
    pub(super) reals: i64,
    pub(super) texts: i64,
    pub(super) blobs: i64,
    /// Integers that are no boolean, and texts that are no JSON.
    pub(super) not_boolean: i64,
    pub(super) not_json: i64,
}

/// Reads the table of that name; none where there is none.
pub(super) fn read(conn: &Conn, name: &str) -> Result<Option<Plain>> {
    let sql =
        "SELECT name, sql FROM main.sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE";
    let found = conn.first(sql, &[name.into()], |row| {
        Ok((row.text(0)?.to_owned(), row.get(1)?.as_str().unwrap_or_default().to_owned()))
    })?;
    let Some((name, text)) = found else { return Ok(None) };
    let columns = columns(conn, &name)?;
    let indexes = indexes(conn, &name)?;
    let sql = "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?";
    let kind = conn.first(sql, &[name.as_str().into()], |row| {
        Ok((row.text(0)? == "table", row.integer(1)? != 0))
    })?;
    let (ordinary, rowless) = kind.unwrap_or((false, false));
    let odd = if !ordinary {
        Some("is a virtual table, or belongs to one")
    } else if columns.iter().any(|column| column.generated) {
        Some("has generated columns")
    } else if key(&columns, &indexes, rowless).is_none() {
        Some("has no key of one column that is INTEGER PRIMARY KEY, or text")
    } else {
        None
    };
    let (children, dependents) = (children(conn, &name)?, dependents(conn, &name)?);
    let sequence = sequence(conn, &name)?;
    let written = written(&text);
    Ok(Some(Plain { name, odd, columns, indexes, written, children, dependents, sequence }))
}

/// The key column, and whether it is text.
fn key(columns: &[PlainColumn], indexes: &[PlainIndex], rowless: bool) -> Option<(usize, bool)> {
    let mut keys = columns.iter().enumerate().filter(|(_, column)| column.key > 0);
    let (Some((at, key)), None) = (keys.next(), keys.next()) else { return None };
    let row_id = !rowless && !indexes.iter().any(|index| index.of_key);
    let text = super::kinds::by_name(&key.declared) == Some(Type::Text);
    (row_id || text).then_some((at, !row_id))
}

impl Plain {
    /// The key column, and whether it is text.
    pub(super) fn key(&self) -> Option<(&PlainColumn, bool)> {
        let rowless = self.odd.is_none() && self.indexes.iter().any(|index| index.of_key);
        let (at, text) = key(&self.columns, &self.indexes, rowless)?;
        Some((self.columns.get(at)?, text))
    }

    /// Goes through the whole table and counts what is in a column.
    pub(super) fn look(&self, conn: &Conn, column: &PlainColumn) -> Result<Seen> {
        let (table, name) = (quote(&self.name), quote(&column.name));
        let json = if super::kinds::by_name(&column.declared) == Some(Type::Json) {
            format!("CASE typeof({name}) WHEN 'text' THEN NOT json_valid({name}) END")
        } else {
            "0".to_owned()
        };
        let of = |kind: &str| format!("CAST(total(typeof({name}) = '{kind}') AS INTEGER)");
        let sql = format!(
            "SELECT {}, {}, {}, {},
                    CAST(total(typeof({name}) = 'integer' AND {name} NOT IN (0, 1)) AS INTEGER),
                    CAST(total({json}) AS INTEGER) FROM main.{table}",
            of("integer"),
            of("real"),
            of("text"),
            of("blob"),
        );
        let seen = conn.first(&sql, &[], |row| {
            Ok(Seen {
                integers: row.integer(0)?,
                reals: row.integer(1)?,
                texts: row.integer(2)?,
                blobs: row.integer(3)?,
                not_boolean: row.integer(4)?,
                not_json: row.integer(5)?,
            })
        })?;
        Ok(seen.unwrap_or_default())
    }
}

fn columns(conn: &Conn, table: &str) -> Result<Vec<PlainColumn>> {
    let mut found = Vec::new();
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)";
    conn.prepare(sql)?.each(&[table.into()], |row| {
        found.push(PlainColumn {
            name: row.text(0)?.to_owned(),
            declared: row.text(1)?.to_owned(),
            not_null: row.integer(2)? != 0,
            default: row.get(3)?.as_str().map(str::to_owned),
            key: row.integer(4)?,
            generated: row.integer(5)? != 0,
        });
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// The indexes of a table, its physical side too.
pub(super) fn indexes(conn: &Conn, table: &str) -> Result<Vec<PlainIndex>> {
    let mut found = Vec::new();
    let sql = "SELECT l.name, l.\"unique\", l.origin, l.partial, m.sql
               FROM pragma_index_list(?) l LEFT JOIN main.sqlite_master m ON m.type = 'index' AND m.name = l.name";
    conn.prepare(sql)?.each(&[table.into()], |row| {
        found.push(PlainIndex {
            name: row.text(0)?.to_owned(),
            unique: row.integer(1)? != 0,
            of_key: row.text(2)? == "pk",
            sql: row.get(4)?.as_str().map(str::to_owned),
            columns: Vec::new(),
            simple: row.integer(3)? == 0,
            binary: true,
        });
        Ok(ControlFlow::Continue(()))
    })?;
    for index in &mut found {
        let sql = "SELECT name, coll, \"desc\" FROM pragma_index_xinfo(?) WHERE key = 1";
        conn.prepare(sql)?.each(&[index.name.as_str().into()], |row| {
            let column = row.get(0)?.as_str().map(str::to_owned);
            let binary = row.get(1)?.as_str().is_none_or(|c| c.eq_ignore_ascii_case("BINARY"));
            index.simple &= column.is_some() && row.integer(2)? == 0;
            index.binary &= binary;
            index.columns.push(column);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    // SQLite lists the newest first.
    found.reverse();
    Ok(found)
}

fn children(conn: &Conn, table: &str) -> Result<Vec<Child>> {
    let mut found = Vec::new();
    let sql =
        "SELECT m.name, f.\"to\" FROM main.sqlite_master m JOIN pragma_foreign_key_list(m.name) f
               WHERE m.type = 'table' AND f.\"table\" = ? COLLATE NOCASE";
    conn.prepare(sql)?.each(&[table.into()], |row| {
        let to = row.get(1)?.as_str().map(str::to_owned);
        found.push(Child { table: row.text(0)?.to_owned(), to });
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// Triggers on the table, and triggers and views that name it.
pub(super) fn dependents(conn: &Conn, table: &str) -> Result<Vec<Dependent>> {
    let mut found = Vec::new();
    let sql = "SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE type IN ('trigger', 'view')";
    conn.prepare(sql)?.each(&[], |row| {
        let text = row.get(3)?.as_str().unwrap_or_default();
        let on = row.text(2)?.eq_ignore_ascii_case(table);
        if on || names(text, |name| name.eq_ignore_ascii_case(table)) {
            let what = format!("{} {}", row.text(0)?, row.text(1)?);
            found.push(Dependent { what, sql: text.to_owned() });
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn sequence(conn: &Conn, table: &str) -> Result<Option<i64>> {
    let there = "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'";
    if conn.first(there, &[], |_| Ok(()))?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT seq FROM main.sqlite_sequence WHERE name = ?";
    conn.first(sql, &[table.into()], |row| Ok(row.get(0)?.as_i64())).map(Option::flatten)
}

/// How many rows of these tables refer to what is not there; none where SQLite can't say.
pub(super) fn dangling(conn: &Conn, tables: &HashSet<String>) -> Option<u64> {
    let mut count = 0;
    for table in tables {
        let sql = format!("PRAGMA main.foreign_key_check({})", quote(table));
        let counted = conn.prepare(&sql).and_then(|mut stmt| {
            stmt.each(&[], |_| {
                count += 1;
                Ok(ControlFlow::Continue(()))
            })
        });
        counted.ok()?;
    }
    Some(count)
}

/// The number of rows.
pub(super) fn rows(conn: &Conn, table: &str) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM main.{}", quote(table));
    Ok(conn.first(&sql, &[], |row| row.integer(0))?.unwrap_or(0))
}

/// The number of different values of a column.
pub(super) fn distinct(conn: &Conn, table: &str, column: &str) -> Result<u64> {
    let sql = format!("SELECT count(DISTINCT {}) FROM main.{}", quote(column), quote(table));
    let found = conn.first(&sql, &[] as &[ValueRef<'_>], |row| row.integer(0))?;
    Ok(found.and_then(|found| u64::try_from(found).ok()).unwrap_or(0))
}
