//! Sealing values beside a table, and putting them in their place.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::check::{FieldColumn, FieldTable};
use super::import::row;
use super::row::{Cell, Clear, Read, Zeroized, not_utf8};
use crate::db::schema::quote;
use crate::db::{Conn, SqlRow};
use crate::error::{ErrorKind, Result, err, fail};
use crate::field::Field;
use crate::format::record::Record;
use crate::value::{Id, Value, ValueRef};
use crate::vault::Vault;

/// Rows in one transaction: others wait no longer than that.
const BATCH_ROWS: usize = 1_000;
/// Bytes of their values, but for the last row: what is in memory does not grow with the length of rows.
const BATCH_BYTES: usize = 1 << 20;

/// Seals the values of one table.
pub(super) struct Writer<'w> {
    vault: &'w Vault,
    conn: &'w Conn,
    table: &'w FieldTable,
    fields: HashMap<(String, Option<String>), Field>,
    /// Nothing is written, no key of a tenant either.
    sampling: bool,
}

impl<'w> Writer<'w> {
    pub(super) fn new(vault: &'w Vault, conn: &'w Conn, table: &'w FieldTable) -> Self {
        Writer { vault, conn, table, fields: HashMap::new(), sampling: false }
    }

    /// The table beside it.
    fn staged(&self) -> String {
        quote(&format!("sealite_staged_{}", self.table.name.to_lowercase()))
    }

    /// Makes it, or goes on with the one that an earlier call has left.
    pub(super) fn prepare(&self) -> Result<()> {
        let name = format!("sealite_staged_{}", self.table.name.to_lowercase());
        let cells: Vec<String> =
            (0..self.table.columns.len()).map(|at| format!("c{at} BLOB")).collect();
        let create = format!(
            "CREATE TABLE {} (id INTEGER PRIMARY KEY, {})",
            self.staged(),
            cells.join(", ")
        );
        let sql = "SELECT sql FROM main.sqlite_master WHERE name = ?";
        let there =
            self.conn.first(sql, &[name.as_str().into()], |row| Ok(row.text(0)?.to_owned()))?;
        if there.as_deref() == Some(create.as_str()) {
            return Ok(());
        }
        self.conn.batch(&format!("DROP TABLE IF EXISTS main.{}", self.staged()))?;
        self.conn.batch(&create)
    }

    /// How many rows are sealed already.
    pub(super) fn prepared(&self) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM main.{}", self.staged());
        let count = self.conn.first(&sql, &[], |row| row.integer(0))?.unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Seals some rows; how many, none where all are.
    pub(super) fn stage(&mut self) -> Result<u64> {
        let last = format!("SELECT max(id) FROM main.{}", self.staged());
        let last = self.conn.first(&last, &[], |row| Ok(row.get(0)?.as_i64()))?.flatten();
        let rows = self.read(last, false)?;
        let cells = vec!["?"; self.table.columns.len()].join(", ");
        let insert = format!("INSERT INTO main.{} VALUES (?, {cells})", self.staged());
        let count = rows.len() as u64;
        for row in rows {
            let mut parameters = vec![Value::Integer(row.row_id)];
            for (cell, column) in row.cells.iter().zip(&self.table.columns) {
                parameters.push(self.seal(column, &row, cell)?.map_or(Value::Null, Value::Blob));
            }
            let parameters: Vec<ValueRef<'_>> = parameters.iter().map(Value::as_ref).collect();
            self.conn.execute(&insert, &parameters)?;
        }
        Ok(count)
    }

    /// Seals the first rows and writes nothing; how many, and how many bytes they take, none for what is sealed already.
    pub(super) fn sample(&mut self) -> Result<(u64, u64)> {
        self.sampling = true;
        let rows = self.read(None, false)?;
        let mut bytes = 0;
        for row in &rows {
            for (cell, column) in row.cells.iter().zip(&self.table.columns) {
                let sealed = self.seal(column, row, cell)?;
                bytes += sealed.map_or(0, |sealed| sealed.len() as u64);
            }
        }
        Ok((rows.len() as u64, bytes))
    }

    /// True where every value has the form of a sealed one.
    pub(super) fn looks_sealed(&self) -> Result<bool> {
        for column in &self.table.columns {
            let value = self.value(column);
            let sql = format!(
                "SELECT 1 FROM main.{} WHERE {value} IS NOT NULL
                 AND (typeof({value}) <> 'blob' OR substr({value}, 1, 3) <> x'010000') LIMIT 1",
                quote(&self.table.name)
            );
            if self.conn.first(&sql, &[], |_| Ok(()))?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The SQL of a value, NULL where its switch leaves it.
    fn value(&self, column: &FieldColumn) -> String {
        let own = format!("{}.{}", quote(&self.table.name), quote(&column.name));
        match &column.when {
            Some(when) => format!("CASE WHEN {when} THEN {own} END"),
            None => own,
        }
    }

    /// Opens and compares what was sealed beside the table, puts it in its place, and drops the table beside. In a
    /// transaction of the caller's.
    pub(super) fn place(&mut self, watch: &dyn Fn(u64) -> Result<()>) -> Result<u64> {
        for sql in self.table.drops.iter().chain(&self.table.adds) {
            self.conn.batch(sql)?;
        }
        let (mut last, mut done) = (None, 0);
        loop {
            let rows = self.read(last, true)?;
            let Some(end) = rows.last().map(|row| row.row_id) else { break };
            for row in &rows {
                for (cell, column) in row.cells.iter().zip(&self.table.columns) {
                    self.put(column, row, cell)?;
                }
            }
            done += rows.len() as u64;
            last = Some(end);
            watch(done)?;
        }
        for sql in &self.table.indexes {
            self.conn.batch(sql).map_err(|error| match error.kind() {
                ErrorKind::Conflict => err!(
                    Conflict,
                    "table {} holds a value twice in a column that is to be unique, in the form in which its index compares",
                    self.table.name
                ),
                _ => error,
            })?;
        }
        // The rows first: of what DROP TABLE deletes by itself SQLite keeps a copy in memory.
        let staged = self.staged();
        self.conn.batch(&format!("DELETE FROM main.{staged}; DROP TABLE main.{staged};"))?;
        Ok(done)
    }

    fn put(&mut self, column: &FieldColumn, read: &Read, cell: &Cell) -> Result<()> {
        let Some((sealed, blind)) = self.checked(column, read, cell)? else { return Ok(()) };
        let mut sets = vec![format!("{} = ?2", quote(&column.target))];
        let mut parameters = vec![ValueRef::Integer(read.row_id), sealed.as_ref()];
        if let Some((_, companion)) = &column.blind {
            sets.push(format!("{} = ?3", quote(companion)));
            parameters.push(blind.as_ref());
        }
        if column.target != column.name {
            sets.push(format!("{} = NULL", quote(&column.name)));
        }
        let sql = format!(
            "UPDATE main.{} SET {} WHERE {} = ?1",
            quote(&self.table.name),
            sets.join(", "),
            self.table.row_id
        );
        if self.conn.execute(&sql, &parameters)? == 1 {
            return Ok(());
        }
        fail!(Internal, "a row of table {} has gone in its own transaction", self.table.name)
    }

    /// What takes the place of a value: opened, and compared with it. None where it stays.
    fn checked(
        &mut self,
        column: &FieldColumn,
        read: &Read,
        cell: &Cell,
    ) -> Result<Option<(Value, Value)>> {
        let Some(clear) = self.clear(column, read, cell)? else { return Ok(None) };
        let field = self.field(column, cell)?;
        let record = record(column, read)?;
        let record = record.as_ref().map(Id::as_ref);
        let wanted = clear.value.as_ref();
        let is_it = |sealed: &[u8]| field.open(sealed, record).is_ok_and(|v| v.as_ref() == wanted);
        let blind = match &column.blind {
            Some((index, _)) => field.index(wanted, index)?,
            None => Value::Null,
        };
        // The table may have changed since it was sealed.
        let there = clear.sealed.clone().or_else(|| cell.sealed.clone());
        let sealed = match there.filter(|sealed| is_it(sealed)) {
            Some(sealed) => sealed,
            None => field.seal(wanted, record)?,
        };
        if !is_it(&sealed) {
            fail!(Internal, "a value reads back as another than was sealed");
        }
        Ok(Some((Value::Blob(sealed), blind)))
    }

    /// Seals a value; none where there is none to seal.
    fn seal(&mut self, column: &FieldColumn, read: &Read, cell: &Cell) -> Result<Option<Vec<u8>>> {
        match self.clear(column, read, cell)? {
            Some(Clear { value, sealed: None }) => {
                let field = if self.sampling {
                    self.vault.field(&column.label)?
                } else {
                    self.field(column, cell)?
                };
                let record = record(column, read)?;
                field.seal(value.as_ref(), record.as_ref().map(Id::as_ref)).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The value as it is sealed; none for NULL and for what its switch leaves.
    fn clear(&mut self, column: &FieldColumn, read: &Read, cell: &Cell) -> Result<Option<Clear>> {
        let value = cell.value.as_ref();
        if value.is_null() {
            return Ok(None);
        }
        if let ValueRef::Blob(bytes) = value
            && Record::parse(bytes).is_ok()
        {
            let record = record(column, read)?;
            let opened = self.field(column, cell)?.open(bytes, record.as_ref().map(Id::as_ref));
            if let Ok(opened) = opened {
                return Ok(Some(Clear { value: opened.into(), sealed: Some(bytes.to_vec()) }));
            }
        }
        let place = format!("{}.{}", self.table.name, column.name);
        let id = Id::Integer(read.row_id);
        let id = read.key.as_ref().unwrap_or(&id).as_ref();
        let value: Zeroized = if let Some(importer) = &column.importer {
            importer.open(&place, id, value, column.kind)?.into()
        } else {
            let Ok(admitted) = column.kind.admit(value, &column.name) else {
                fail!(TypeMismatch, "{place} of {} is not {}", row(id), column.kind.name());
            };
            match admitted {
                ValueRef::Text(text) if column.is_moment => Value::Text(moment(text)).into(),
                admitted => admitted.to_owned().into(),
            }
        };
        Ok(Some(Clear { value, sealed: None }))
    }

    fn field(&mut self, column: &FieldColumn, cell: &Cell) -> Result<Field> {
        let place = (column.label.clone(), cell.tenant.clone());
        if let Some(field) = self.fields.get(&place) {
            return Ok(field.clone());
        }
        let field = match (&column.tenant, &cell.tenant) {
            (None, _) => self.vault.field(&column.label)?,
            (Some(_), Some(tenant)) => self.vault.tenant(tenant)?.field(&column.label)?,
            (Some(of), None) => {
                fail!(Refused, "a row of table {} has no tenant in {of}", self.table.name)
            }
        };
        self.fields.insert(place, field.clone());
        Ok(field)
    }

    /// The rows behind one; with what was sealed of them.
    fn read(&self, last: Option<i64>, sealed: bool) -> Result<Vec<Read>> {
        let (table, row_id) = (quote(&self.table.name), self.table.row_id);
        let key = self.table.key.as_deref();
        let key = key.map_or_else(|| "NULL".to_owned(), |key| format!("{table}.{}", quote(key)));
        let mut selected = format!("{table}.{row_id}, {key}");
        for (at, column) in self.table.columns.iter().enumerate() {
            let value = self.value(column);
            let tenant = column.tenant.as_deref().map_or_else(
                || "NULL".to_owned(),
                |tenant| format!("CAST({table}.{} AS TEXT)", quote(tenant)),
            );
            let staged = if sealed { format!("s.c{at}") } else { "NULL".to_owned() };
            selected = format!("{selected}, {value}, {tenant}, {staged}");
        }
        let join = if sealed {
            format!("LEFT JOIN main.{} s ON s.id = {table}.{row_id}", self.staged())
        } else {
            String::new()
        };
        let sql = format!(
            "SELECT {selected} FROM main.{table} {join} WHERE {table}.{row_id} > ?1 OR ?1 IS NULL
             ORDER BY {table}.{row_id}"
        );
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let last = last.map_or(ValueRef::Null, ValueRef::Integer);
        self.conn.prepare(&sql)?.each(&[last], |row| {
            let read = self.row(row)?;
            bytes += read.cells.iter().map(Cell::bytes).sum::<usize>();
            rows.push(read);
            let full = rows.len() >= BATCH_ROWS || bytes >= BATCH_BYTES;
            Ok(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(rows)
    }

    fn row(&self, row: &SqlRow<'_>) -> Result<Read> {
        let row_id = row.integer(0)?;
        let get = |at: usize, of: &str| {
            row.get(at).map_err(|error| match error.kind() {
                ErrorKind::Corrupt => not_utf8(&self.table.name, of, &format!("row {row_id}")),
                _ => error,
            })
        };
        let key = match get(1, self.table.key.as_deref().unwrap_or_default())? {
            ValueRef::Integer(id) => Some(Id::Integer(id)),
            ValueRef::Text(id) => Some(Id::Text(id.to_owned())),
            _ => None,
        };
        let cell = |(at, column): (usize, &FieldColumn)| {
            let tenant = column.tenant.as_deref().unwrap_or_default();
            Ok(Cell {
                value: get(2 + 3 * at, &column.name)?.to_owned().into(),
                tenant: get(3 + 3 * at, tenant)?.as_str().map(str::to_owned),
                sealed: row.get(4 + 3 * at)?.as_bytes().map(<[u8]>::to_vec),
            })
        };
        let cells = self.table.columns.iter().enumerate().map(cell).collect::<Result<_>>()?;
        Ok(Read { row_id, key, cells })
    }
}

/// What a value is bound to.
fn record(column: &FieldColumn, read: &Read) -> Result<Option<Id>> {
    match (&read.key, column.bind_row) {
        (_, false) => Ok(None),
        (Some(key), true) => Ok(Some(key.clone())),
        (None, true) => fail!(Refused, "a row has no key for {} to be bound to", column.name),
    }
}

/// A moment as SQLAlchemy writes it in SQLite, in the form of ISO 8601 that it is sealed in.
fn moment(text: &str) -> String {
    let text = text.strip_suffix(".000000").unwrap_or(text);
    match text.split_once(' ') {
        Some((date, time)) if date.len() == 10 => format!("{date}T{time}"),
        _ => text.to_owned(),
    }
}
