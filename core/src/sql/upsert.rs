//! `ON CONFLICT`: what becomes of a row that another one stands in the way of.
//!
//! SQLite refuses the clause for virtual tables. The INSERT runs as `OR IGNORE` without it, and here, before a row is
//! written, the clauses are asked in their order. `DO UPDATE` is an UPDATE of the row in the way, by SQLite, which finds
//! the columns of `excluded` in a sub-query.

use std::fmt::Write as _;
use std::ops::Range;

use rusqlite::ffi;

use super::analysis::Write;
use super::clauses::{Action, Upsert};
use super::parameters::Edit;
use super::table::{Table, declared};
use super::update::{taken, use_up};
use crate::db::schema::quote;
use crate::error::{Result, err, fail};
use crate::table::schema::Schema;
use crate::table::session::Session;
use crate::table::{Taken, Writer};
use crate::value::{Id, IdRef, ValueRef};

/// One clause.
pub(super) struct Clause {
    /// The uniqueness that it is for; `None` for any.
    target: Option<Taken>,
    /// The UPDATE of the row in the way; `None` for DO NOTHING.
    pub(super) update: Option<String>,
}

impl Clause {
    /// True where a row whose key clashes is left out.
    pub(super) fn leaves_keys_out(&self) -> bool {
        self.target.is_none_or(|target| target == Taken::Key) && self.update.is_none()
    }

    /// True where whatever clashes is left out: the INSERT finds that out by itself.
    pub(super) fn leaves_all_out(&self) -> bool {
        self.target.is_none() && self.update.is_none()
    }
}

/// The clauses of an INSERT.
pub(super) fn clauses(sql: &str, write: &Write, schema: &Schema) -> Result<Vec<Clause>> {
    let Some((_, clauses)) = &write.upsert else { return Ok(Vec::new()) };
    let table = schema.name();
    if write.says_or {
        fail!(Refused, "on a sealed table ON CONFLICT is carried out without OR (table {table})");
    }
    if write.alias.eq_ignore_ascii_case("excluded") {
        fail!(Refused, "in ON CONFLICT, excluded is the row that was not inserted (table {table})");
    }
    clauses.iter().map(|clause| made(sql, write, schema, clause)).collect()
}

fn made(sql: &str, write: &Write, schema: &Schema, clause: &Upsert) -> Result<Clause> {
    let target = match clause.columns.as_deref() {
        None => None,
        Some([column]) if schema.is_key(column) => Some(Taken::Key),
        Some([column]) if schema.is_unique(column) => {
            schema.active.get(schema.position(column)?).copied().map(Taken::Column)
        }
        Some(_) => {
            let what = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint";
            return Err(err!(Sql, "{what}").with_sqlite_code(ffi::SQLITE_ERROR));
        }
    };
    let update = match &clause.action {
        Action::Nothing => None,
        Action::Update { set, condition, excluded } => {
            Some(update(sql, write, schema, (set, condition.as_ref(), excluded))?)
        }
        Action::Unknown => {
            fail!(
                Refused,
                "an ON CONFLICT clause that is not carried out on sealed tables (table {})",
                schema.name()
            )
        }
    };
    Ok(Clause { target, update })
}

/// What a DO UPDATE sets, its WHERE, and where its text names the row that is not inserted.
type Parts<'s> = (&'s Range<usize>, Option<&'s Range<usize>>, &'s [Edit]);

/// The UPDATE: behind the statement's own parameters come the key of the row in the way, and the row that is not inserted.
fn update(
    sql: &str,
    write: &Write,
    schema: &Schema,
    (set, condition, excluded): Parts<'_>,
) -> Result<String> {
    let key = &schema.stored.key;
    let mut edits = Vec::with_capacity(excluded.len());
    for (place, name) in excluded {
        let is_row_id =
            ["rowid", "oid", "_rowid_"].iter().any(|word| name.eq_ignore_ascii_case(word));
        let name = if schema.is_key(name) || schema.position(name).is_ok() {
            name
        } else if is_row_id && !schema.stored.text_key {
            key
        } else {
            return Err(
                err!(Sql, "no such column: excluded.{name}").with_sqlite_code(ffi::SQLITE_ERROR)
            );
        };
        edits.push((place.clone(), of_excluded(name)));
    }
    let text = |part: &Range<usize>| write.parameters.numbered(sql, part.clone(), &edits);
    let first = write.parameters.count() + 1;
    let kind = if schema.stored.text_key { "TEXT" } else { "INTEGER" };
    let columns =
        schema.columns().map(|column| (&column.column.name, declared(column.column.kind)));
    let values = [(key, kind)].into_iter().chain(columns).enumerate().map(|(at, (name, kind))| {
        format!("CAST(?{} AS {kind}) AS {}", first + 1 + at, of_excluded(name))
    });
    let (table, alias) = (quote(&write.name.table), quote(&write.alias));
    let mut made = format!(
        "UPDATE main.{table} AS {alias} SET {} FROM (SELECT {}) AS excluded WHERE {alias}.{} = ?{first}",
        text(set),
        values.collect::<Vec<_>>().join(", "),
        quote(key),
    );
    if let Some(condition) = condition {
        let _ = write!(made, " AND ({})", text(condition));
    }
    Ok(made)
}

/// A name that no column of the table has, so that a bare name means the table's.
fn of_excluded(name: &str) -> String {
    quote(&format!("excluded {}", name.to_lowercase()))
}

fn value(id: &Id) -> ValueRef<'_> {
    match id {
        Id::Integer(id) => ValueRef::Integer(*id),
        Id::Text(id) => ValueRef::Text(id),
    }
}

/// Asks the clauses about a row that is to be inserted. None where it is to be tried; else the row id that SQLite takes
/// for the last one, or the error of a row to be left out.
pub(super) fn meet(
    table: &Table,
    session: &Session,
    writer: &Writer<'_>,
    id: Option<IdRef<'_>>,
    values: &[ValueRef<'_>],
) -> Result<Option<i64>> {
    let Some(given) = table.given() else { return Ok(None) };
    for clause in given.upsert.iter().take_while(|clause| !clause.leaves_all_out()) {
        let found = writer.in_the_way(id, values, clause.target)?;
        let Some(way) = found.first() else { continue };
        let clash = || taken(table, clause.target.unwrap_or(Taken::Key));
        let Some(update) = &clause.update else {
            use_up(table, session, id)?;
            return Err(clash());
        };
        let (face, conn, state) = (table.face(), session.conn(), session.state());
        let excluded = if let Some(id) = id {
            id.to_owned()
        } else {
            let table = table.schema().stored.id;
            Id::Integer(session.sequences().ahead(conn, &state.ring, table)?)
        };
        let run = face.run().ok_or_else(|| err!(Internal, "an upsert without its parameters"))?;
        let last = conn.last_insert_rowid()?;
        let more: Vec<ValueRef<'_>> =
            [value(way), value(&excluded)].into_iter().chain(values.iter().copied()).collect();
        let changed = face.within_write(|| run.execute(face, conn, update, &more));
        let changed = changed.inspect_err(|_| face.is_no_clash())?;
        use_up(table, session, id)?;
        return if changed == 0 { Err(clash()) } else { Ok(Some(last)) };
    }
    Ok(None)
}
