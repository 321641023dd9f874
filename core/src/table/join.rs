//! A row, the row of another table that it names, and a high-water mark, by one statement: what would be three reads,
//! each with SQLite's locks, is one.

use std::sync::Arc;

use super::codec::Opener;
use super::engine::State;
use super::read::{Target, key_parameters};
use super::row::{Row, RowSet};
use super::schema::{FIRST_SLOT, Schema};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Result, err};
use crate::value::{IdRef, ValueRef};

/// What a join has found.
pub(crate) struct Joined {
    pub(crate) row: Row,
    /// The row of the other table; `None` where nothing is named, or it is not there.
    pub(crate) other: Option<Row>,
    /// What the look at the mark's record gave.
    pub(crate) mark: i64,
}

/// Which tables are joined, and over what.
#[derive(Clone, Copy)]
pub(crate) struct Join<'a> {
    pub(crate) table: Target<'a>,
    /// A table with a text key.
    pub(crate) other: Target<'a>,
    /// The authenticated column of the first table, by name and position, that names the key of the other. A table is
    /// joined over one column, and with one table, only.
    pub(crate) over: (&'a str, usize),
    /// The mark to read, of those that belong to no table.
    pub(crate) mark: u32,
}

/// The text of a join's statements.
pub(crate) struct JoinSql {
    select: String,
    probe: String,
}

impl Join<'_> {
    /// The row of that id, verified, with what it names. `mark` reads the mark from its record, where it is there.
    pub(crate) fn get(
        &self,
        conn: &Conn,
        state: &State,
        id: IdRef<'_>,
        mark: impl FnOnce(Option<&[u8]>) -> Result<i64>,
    ) -> Result<Option<Joined>> {
        let (schema, other) = (self.table.schema(state)?, self.other.schema(state)?);
        let sql = schema.joined.get_or_init(|| Box::new(self.sql(schema, other)));
        let sql = &sql.select;
        let (parameters, count) = key_parameters(schema, id, self.table.tenant)?;
        let mut stmt = conn.prepare(sql)?;
        stmt.first(parameters.get(..count).unwrap_or(&[]), |row| {
            let mut set = RowSet::new(Arc::clone(schema));
            let tenant = self.table.tenant;
            Opener::new(conn, &state.ring, schema, tenant).open(row, Some(id), &mut set)?;
            let behind = FIRST_SLOT + schema.slots.len();
            let mut found = None;
            // What the opened row names, not what the file joined by: an edit of either is refused.
            if let ValueRef::Text(named) = set.get(0, self.over.1 + 1)
                && row.get(behind)? != ValueRef::Null
            {
                let mut set = RowSet::new(Arc::clone(other));
                let mut opener = Opener::new(conn, &state.ring, other, tenant).shifted(behind);
                opener.open(row, Some(IdRef::Text(named)), &mut set)?;
                found = Some(Row::new(Arc::new(set), 0));
            }
            let at = behind + FIRST_SLOT + other.slots.len();
            let mark = match row.get(at)? {
                ValueRef::Null => mark(None)?,
                record => mark(Some(record.as_bytes().ok_or_else(not_a_record)?))?,
            };
            Ok(Joined { row: Row::new(Arc::new(set), 0), other: found, mark })
        })
    }

    /// Whether the first table has a row of that id, without opening it.
    pub(crate) fn is_there(&self, conn: &Conn, state: &State, id: &str) -> Result<bool> {
        let (schema, other) = (self.table.schema(state)?, self.other.schema(state)?);
        let (parameters, count) = key_parameters(schema, IdRef::Text(id), self.table.tenant)?;
        let parameters = parameters.get(..count).unwrap_or(&[]);
        let sql = schema.joined.get_or_init(|| Box::new(self.sql(schema, other)));
        Ok(conn.first(&sql.probe, parameters, |_| Ok(()))?.is_some())
    }

    fn sql(&self, schema: &Schema, other: &Schema) -> JoinSql {
        let columns = |schema: &Schema, alias: &str| {
            let first = [schema.stored.row_id(), &schema.stored.key, "sealed"];
            let slots = schema.slots.iter().map(|slot| slot.name.as_str());
            let name = |name| format!("{alias}.{}", quote(name));
            first.into_iter().chain(slots).map(name).collect::<Vec<_>>().join(", ")
        };
        let (of_tenant, mine) = if schema.stored.per_tenant {
            (" AND o.tenant = t.tenant", " AND t.tenant = CAST(?2 AS TEXT)")
        } else {
            ("", "")
        };
        // A join with a parameter compared as it is would be compiled again whenever one is bound: the planner looks at
        // its value. Behind a cast it does not.
        let select = format!(
            "SELECT {}, {}, (SELECT sealed FROM sealite_sequences WHERE id = {})
             FROM {} t LEFT JOIN {} o ON o.{} = t.{}{of_tenant} WHERE t.{} = CAST(?1 AS TEXT){mine}",
            columns(schema, "t"),
            columns(other, "o"),
            self.mark,
            schema.sql.physical,
            other.sql.physical,
            quote(&other.stored.key),
            quote(self.over.0),
            quote(&schema.stored.key),
        );
        let key = quote(&schema.stored.key);
        let mine = if schema.stored.per_tenant { " AND tenant = ?2" } else { "" };
        // Answered by the index of the key alone.
        let probe = format!("SELECT 1 FROM {} WHERE {key} = ?1{mine}", schema.sql.physical);
        JoinSql { select, probe }
    }
}

fn not_a_record() -> crate::Error {
    err!(AuthenticationFailed, "a high-water mark is not what was written")
}
