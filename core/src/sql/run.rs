//! What a write of a sealed table does, row by row, beyond what SQLite does for a virtual table: it returns rows,
//! and changes others that stand in the way.

use std::cell::RefCell;

use super::analysis::Write;
use super::face::Face;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Result, fail};
use crate::value::{Value, ValueRef};

/// One run of such a write.
pub(super) struct Run {
    /// The query for what RETURNING says of a row; the row id is its last parameter.
    returning: Option<String>,
    parameters: Vec<Value>,
    rows: RefCell<Vec<Vec<Value>>>,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.parameters
            .iter_mut()
            .chain(self.rows.get_mut().iter_mut().flatten())
            .for_each(Value::wipe);
    }
}

impl Run {
    pub(super) fn new(sql: &str, write: &Write, parameters: &[ValueRef<'_>]) -> Result<Self> {
        let wanted = write.parameters.count();
        if parameters.len() != wanted {
            fail!(Sql, "{} parameters for a statement that takes {wanted}", parameters.len());
        }
        let returning = write.returning.as_ref().map(|clause| {
            let expressions = write.parameters.numbered(sql, clause.expressions.clone(), &[]);
            let (table, alias) = (quote(&write.name.table), quote(&write.alias));
            format!(
                "SELECT {expressions} FROM main.{table} AS {alias} WHERE {alias}.rowid = ?{}",
                wanted + 1
            )
        });
        let parameters = parameters.iter().copied().map(ValueRef::to_owned).collect();
        Ok(Run { returning, parameters, rows: RefCell::default() })
    }

    /// Takes what is to be returned of a row, as it is now.
    pub(super) fn returns(&self, face: &Face, conn: &Conn, row: i64) -> Result<()> {
        let Some(select) = &self.returning else { return Ok(()) };
        let mut stmt = face.checked(conn.prepare_application(select))?;
        let width = stmt.column_count();
        let values = stmt.first(&self.with(&[ValueRef::Integer(row)]), |row| {
            (0..width).map(|at| Ok(row.get(at)?.to_owned())).collect::<Result<Vec<_>>>()
        });
        self.rows.borrow_mut().extend(face.checked(values)?);
        Ok(())
    }

    /// Runs a statement that takes the parameters and more; the number of rows it changed.
    pub(super) fn execute(
        &self,
        face: &Face,
        conn: &Conn,
        sql: &str,
        more: &[ValueRef<'_>],
    ) -> Result<usize> {
        let mut stmt = face.checked(conn.prepare_application(sql))?;
        face.checked(stmt.execute(&self.with(more)))
    }

    fn with<'v>(&'v self, more: &[ValueRef<'v>]) -> Vec<ValueRef<'v>> {
        self.parameters.iter().map(Value::as_ref).chain(more.iter().copied()).collect()
    }

    /// The rows to return.
    pub(super) fn rows(&self) -> Vec<Vec<Value>> {
        self.rows.take()
    }
}
