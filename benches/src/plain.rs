//! The plain side: `rusqlite` with the engine's own pragmas, prepared statements and owned values.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef as Raw};
use rusqlite::{Connection, Row, Statement, ToSql};
use sealite::{Column, Id, Type, Value, ValueRef};

use crate::Outcome;
use crate::dataset::{Dataset, id_value, weigh_all};

/// A database of plain rows.
pub struct Plain {
    conn: Connection,
    table: String,
    key: String,
    /// The key and the columns, quoted.
    names: String,
    width: usize,
}

impl Plain {
    /// Creates the file, the table and its indexes.
    pub fn create(path: &Path, data: &Dataset) -> Outcome<Self> {
        let plain = Self::open(path, data)?;
        plain.conn.execute_batch(&schema(data))?;
        Ok(plain)
    }

    /// Opens the file with the pragmas that the engine sets.
    pub fn open(path: &Path, data: &Dataset) -> Outcome<Self> {
        let conn = Connection::open(path)?;
        set_up(&conn, "FULL")?;
        let names = [data.key.as_str()].into_iter().chain(data.columns.iter().map(Column::name));
        let names: Vec<String> = names.map(quote).collect();
        Ok(Plain {
            conn,
            table: quote(&data.table),
            key: quote(&data.key),
            names: names.join(", "),
            width: names.len(),
        })
    }

    /// The connection, for statements of the caller's.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Inserts rows in transactions of `batch`.
    pub fn insert(&self, names: &[&str], rows: &[Vec<ValueRef<'_>>], batch: usize) -> Outcome<()> {
        let marks = vec!["?"; names.len()].join(", ");
        let names = names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {} ({names}) VALUES ({marks})", self.table);
        let mut stmt = self.conn.prepare(&sql)?;
        for rows in rows.chunks(batch) {
            let transaction = self.conn.unchecked_transaction()?;
            for row in rows {
                for (at, value) in row.iter().enumerate() {
                    stmt.raw_bind_parameter(at + 1, Bound(*value))?;
                }
                stmt.raw_execute()?;
            }
            transaction.commit()?;
        }
        Ok(())
    }

    /// Writes columns of the rows anew, which have the ids from 1 on, in transactions of `batch`. `written` are places in
    /// `names`.
    pub fn update(
        &self,
        names: &[&str],
        written: &[usize],
        rows: &[Vec<ValueRef<'_>>],
        batch: usize,
    ) -> Outcome<()> {
        let set = written.iter().filter_map(|at| names.get(*at));
        let set: Vec<String> = set.map(|name| format!("{} = ?", quote(name))).collect();
        let sql = format!("UPDATE {} SET {} WHERE {} = ?", self.table, set.join(", "), self.key);
        let mut stmt = self.conn.prepare(&sql)?;
        let mut id = 0_i64;
        for rows in rows.chunks(batch) {
            let transaction = self.conn.unchecked_transaction()?;
            for row in rows {
                let values = written.iter().filter_map(|at| row.get(*at));
                for (at, value) in values.enumerate() {
                    stmt.raw_bind_parameter(at + 1, Bound(*value))?;
                }
                id += 1;
                stmt.raw_bind_parameter(written.len() + 1, id)?;
                stmt.raw_execute()?;
            }
            transaction.commit()?;
        }
        Ok(())
    }

    /// Reads the rows of those ids, each with all its columns, into owned values.
    pub fn get(&self, ids: &[Id]) -> Outcome<u64> {
        let mut stmt = self.select(&format!("WHERE {} = ?", self.key))?;
        let mut owned = Vec::with_capacity(self.width);
        let mut sum = 0_u64;
        for id in ids {
            sum = sum.wrapping_add(self.read(&mut stmt, id_value(id.as_ref()), &mut owned)?);
        }
        Ok(sum)
    }

    /// As [`Plain::get`], in one read transaction.
    pub fn get_in_transaction(&self, ids: &[Id]) -> Outcome<u64> {
        let transaction = self.conn.unchecked_transaction()?;
        let sum = self.get(ids)?;
        transaction.commit()?;
        Ok(sum)
    }

    /// Reads the rows whose column has one of those values.
    pub fn find(&self, column: &str, values: &[ValueRef<'_>]) -> Outcome<u64> {
        let mut stmt = self.select(&format!("WHERE {} = ?", quote(column)))?;
        let mut owned = Vec::with_capacity(self.width);
        let mut sum = 0_u64;
        for value in values {
            sum = sum.wrapping_add(self.read(&mut stmt, *value, &mut owned)?);
        }
        Ok(sum)
    }

    /// Reads every row.
    pub fn scan(&self) -> Outcome<u64> {
        let mut stmt = self.select(&format!("ORDER BY {}", self.key))?;
        let mut rows = stmt.raw_query();
        let mut owned = Vec::with_capacity(self.width);
        let mut sum = 0_u64;
        while let Some(row) = rows.next()? {
            self.take(row, &mut owned)?;
            sum = sum.wrapping_add(weigh_all(owned.iter().map(Value::as_ref)));
        }
        Ok(sum)
    }

    /// Writes the log back and empties it.
    pub fn checkpoint(&self) -> Outcome<()> {
        let busy: i64 =
            self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 { Ok(()) } else { Err("a reader held the log back".into()) }
    }

    fn select(&self, rest: &str) -> Outcome<Statement<'_>> {
        Ok(self.conn.prepare(&format!("SELECT {} FROM {} {rest}", self.names, self.table))?)
    }

    fn read(
        &self,
        stmt: &mut Statement<'_>,
        wanted: ValueRef<'_>,
        owned: &mut Vec<Value>,
    ) -> Outcome<u64> {
        stmt.raw_bind_parameter(1, Bound(wanted))?;
        let mut rows = stmt.raw_query();
        let mut sum = 0_u64;
        while let Some(row) = rows.next()? {
            self.take(row, owned)?;
            sum = sum.wrapping_add(weigh_all(owned.iter().map(Value::as_ref)));
        }
        Ok(sum)
    }

    /// The row's values, copied; the vector that holds them is used again.
    fn take(&self, row: &Row<'_>, owned: &mut Vec<Value>) -> Outcome<()> {
        owned.clear();
        for at in 0..self.width {
            owned.push(value(row.get_ref(at)?)?);
        }
        Ok(())
    }
}

/// Sets the pragmas that the engine sets.
///
/// # Errors
/// What SQLite refuses with.
pub fn set_up(conn: &Connection, synchronous: &str) -> rusqlite::Result<()> {
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = ON;
         PRAGMA cell_size_check = ON;"
    ))
}

/// A value of SQLite's, copied.
pub fn value(raw: Raw<'_>) -> Outcome<Value> {
    Ok(match raw {
        Raw::Null => Value::Null,
        Raw::Integer(v) => Value::Integer(v),
        Raw::Real(v) => Value::Real(v),
        Raw::Text(v) => Value::Text(std::str::from_utf8(v)?.to_owned()),
        Raw::Blob(v) => Value::Blob(v.to_vec()),
    })
}

/// A name for SQL.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The statements that create the table and its indexes.
pub fn schema(data: &Dataset) -> String {
    let key = if data.text_key { "TEXT PRIMARY KEY NOT NULL" } else { "INTEGER PRIMARY KEY" };
    let mut columns = vec![format!("{} {key}", quote(&data.key))];
    for column in &data.columns {
        let kind = match column.kind() {
            Type::Integer | Type::Boolean => "INTEGER",
            Type::Real => "REAL",
            Type::Blob => "BLOB",
            _ => "TEXT",
        };
        let not_null = if column.is_not_null() { " NOT NULL" } else { "" };
        columns.push(format!("{} {kind}{not_null}", quote(column.name())));
    }
    let table = quote(&data.table);
    let mut sql = format!("CREATE TABLE {table} ({});\n", columns.join(", "));
    let indexes = data.columns.iter().filter_map(|column| {
        let unique = if column.declared_index()?.is_unique() { "UNIQUE " } else { "" };
        let name = quote(&format!("{}_by_{}", data.table, column.name()));
        Some(format!("CREATE {unique}INDEX {name} ON {table} ({});\n", quote(column.name())))
    });
    sql.extend(indexes);
    sql
}

/// A borrowed value as a parameter.
pub struct Bound<'a>(pub ValueRef<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            ValueRef::Integer(v) => Raw::Integer(v),
            ValueRef::Real(v) => Raw::Real(v),
            ValueRef::Text(v) | ValueRef::Json(v) => Raw::Text(v.as_bytes()),
            ValueRef::Blob(v) => Raw::Blob(v),
            ValueRef::Boolean(v) => Raw::Integer(i64::from(v)),
            _ => Raw::Null,
        }))
    }
}
