//! What becomes of the values of a table on their way into a sealed one.

use super::import::Importer;
use super::plan::{TablePlan, When};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Result, err, fail};
use crate::table::protect::{Changes, Split};
use crate::value::{IdRef, Type, Value, ValueRef};

/// The importers and switches of a table.
pub(super) struct TableChanges {
    table: String,
    imports: Vec<(String, Importer, Type)>,
    splits: Vec<Split>,
}

impl TableChanges {
    /// `conn` is of the file of the plain table.
    pub(super) fn new(conn: &Conn, table: &TablePlan) -> Result<Self> {
        let mut changes =
            TableChanges { table: table.name.clone(), imports: Vec::new(), splits: Vec::new() };
        for planned in &table.columns {
            let name = &planned.column.name;
            if let Some(importer) = &planned.importer {
                changes.imports.push((name.clone(), importer.clone(), planned.column.kind));
            }
            if let (Some(when), Some(_)) = (&planned.when, &planned.into) {
                changes.splits.push(Split {
                    from: name.clone(),
                    into: planned.target(),
                    when: switch(conn, &table.name, when)?,
                });
            }
        }
        Ok(changes)
    }

    fn importer(&self, column: &str) -> Option<&(String, Importer, Type)> {
        self.imports.iter().find(|(name, ..)| name.eq_ignore_ascii_case(column))
    }
}

impl Changes for TableChanges {
    fn converts(&self, column: &str) -> bool {
        self.importer(column).is_some()
    }

    fn convert(&self, column: &str, id: IdRef<'_>, value: ValueRef<'_>) -> Result<Value> {
        match self.importer(column) {
            Some((name, importer, kind)) => {
                importer.open(&format!("{}.{name}", self.table), id, value, *kind)
            }
            None => Ok(value.to_owned()),
        }
    }

    fn splits(&self) -> &[Split] {
        &self.splits
    }
}

/// The SQL that says whether the switch of a row is on. A number but 0, and `true`, `t`, `yes`, `y` and `on` are.
pub(super) fn switch(conn: &Conn, table: &str, when: &When) -> Result<String> {
    let own = format!("{}.{}", quote(table), quote(&when.column));
    check_column(conn, table, &when.column)?;
    let value = match &when.of {
        None => own,
        Some((other, column)) => {
            check_column(conn, other, column)?;
            let sql = "SELECT name FROM pragma_table_info(?) WHERE pk = 1";
            let key =
                conn.first(sql, &[other.as_str().into()], |row| Ok(row.text(0)?.to_owned()))?;
            let key = key.ok_or_else(|| err!(Refused, "table {other} has no primary key"))?;
            format!(
                "(SELECT o.{} FROM main.{} o WHERE o.{} = {own})",
                quote(column),
                quote(other),
                quote(&key)
            )
        }
    };
    Ok(format!(
        "coalesce(CASE typeof({value}) WHEN 'text' THEN lower({value}) IN ('1', 'true', 't', 'yes', 'y', 'on')
         WHEN 'blob' THEN 0 ELSE {value} <> 0 END, 0)"
    ))
}

fn check_column(conn: &Conn, table: &str, column: &str) -> Result<()> {
    let sql = "SELECT 1 FROM pragma_table_info(?) WHERE name = ? COLLATE NOCASE";
    match conn.first(sql, &[table.into(), column.into()], |_| Ok(()))? {
        Some(()) => Ok(()),
        None => fail!(NotFound, "there is no column {column} in a table {table}"),
    }
}
