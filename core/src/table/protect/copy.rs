//! The copy that a conversion fills.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::plain::Plain;
use super::plan::{Plan, Words};
use super::{look, staged_name};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{ErrorKind, Result, err};
use crate::table::ddl::create_sql;
use crate::table::define;
use crate::table::definition::TableDefinition;
use crate::table::engine::{Engine, State};
use crate::table::schema::Schema;
use crate::table::session::Session;
use crate::table::{Target, Writer};
use crate::value::{Id, ValueRef};

/// Rows copied in one transaction: others wait no longer than that.
const BATCH_ROWS: i64 = 500;

/// Makes the copy, or goes on with the one that is there, until it has every row that was there at the beginning.
pub(super) fn copy(engine: &Arc<Engine>, table: &str, wanted: &Words) -> Result<()> {
    Session::run(engine, |session| {
        let state = session.state();
        let (_, plan) = look(session.conn(), &state, table, wanted)?;
        plan.check()?;
        if staged(session.conn(), &state, table, &plan)? {
            return Ok(());
        }
        discard(session, table)?;
        let definition = staged_definition(table, &plan);
        define::create(session, &definition, |physical| plan.constraints(physical))
    })?;
    loop {
        let started = Instant::now();
        match Session::run(engine, |session| copy_batch(session, table)) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // The table changes meanwhile, and a value has moved to another row; or it stands twice. The last transaction
            // finds out.
            Err(error) if error.kind() == ErrorKind::Conflict => return Ok(()),
            Err(error) => return Err(error),
        }
        if !engine.pool.is_memory() {
            std::thread::sleep(started.elapsed() / 4);
        }
    }
}

fn staged_definition(table: &str, plan: &Plan) -> TableDefinition {
    TableDefinition { name: staged_name(table), ..plan.definition.clone() }
}

/// True where the copy is there, and is of this plan.
pub(super) fn staged(conn: &Conn, state: &State, table: &str, plan: &Plan) -> Result<bool> {
    let Ok(schema) = state.table(&staged_name(table)) else { return Ok(false) };
    if schema.definition() != staged_definition(table, plan) {
        return Ok(false);
    }
    let physical = schema.stored.physical();
    let sql = "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?";
    let there = conn.first(sql, &[physical.as_str().into()], |row| Ok(row.text(0)?.to_owned()))?;
    let wanted = create_sql(&schema.stored, &plan.constraints(&physical));
    let wanted = wanted.split(";\n").next().unwrap_or_default();
    Ok(there.as_deref() == Some(wanted))
}

/// Drops the copy; false where there is none.
pub(super) fn discard(session: &Session, table: &str) -> Result<bool> {
    let name = staged_name(table);
    if session.state().table(&name).is_err() {
        return Ok(false);
    }
    define::drop_table(session, &name)?;
    Ok(true)
}

/// Copies some rows; false where there are no more.
fn copy_batch(session: &Session, table: &str) -> Result<bool> {
    let (state, name, conn) = (session.state(), staged_name(table), session.conn());
    let schema = state.table(&name)?;
    let key = quote(&schema.stored.key);
    let last = format!("SELECT max({key}) FROM {}", schema.sql.physical);
    let last = conn.first(&last, &[], |row| Ok(row.get(0)?.to_owned()))?;
    let last = last.filter(|last| !last.as_ref().is_null());
    let behind = if last.is_some() { format!("WHERE {key} > ?2") } else { String::new() };
    let sql = format!("{} {behind} ORDER BY {key} LIMIT ?1", select(schema, table));
    let mut parameters = vec![ValueRef::Integer(BATCH_ROWS)];
    parameters.extend(last.as_ref().map(|last| last.as_ref()));
    let writer = Writer::new(session, Target { name: &name, tenant: None })?;
    let mut copied = 0;
    conn.prepare(&sql)?.each(&parameters, |row| {
        let (id, values) = read_row(schema, row)?;
        writer.insert(Some(id.as_ref()), &values)?;
        copied += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(copied == BATCH_ROWS)
}

/// The SELECT of a plain table's rows: the key, then the columns.
pub(super) fn select(schema: &Schema, table: &str) -> String {
    let mut sql = format!("SELECT {}", quote(&schema.stored.key));
    for column in schema.columns() {
        sql.push_str(", ");
        sql.push_str(&quote(&column.column.name));
    }
    format!("{sql} FROM main.{}", quote(table))
}

type PlainRow<'r> = (Id, Vec<ValueRef<'r>>);

/// A row of that SELECT.
pub(super) fn read_row<'r>(schema: &Schema, row: &crate::db::SqlRow<'r>) -> Result<PlainRow<'r>> {
    let id = match (row.get(0)?, schema.stored.text_key) {
        (ValueRef::Integer(id), false) => Id::Integer(id),
        (ValueRef::Text(id), true) => Id::Text(id.to_owned()),
        _ => return Err(err!(TypeMismatch, "a key is not of its column's type")),
    };
    let values = (0..schema.active.len()).map(|at| row.get(at + 1)).collect::<Result<_>>()?;
    Ok((id, values))
}

/// Makes the copy equal to the plain table, and then compares every row. The lock is held: nobody writes meanwhile.
pub(super) fn reconcile(session: &Session, plain: &Plain) -> Result<()> {
    let name = staged_name(&plain.name);
    let target = Target { name: &name, tenant: None };
    let state = session.state();
    let schema = state.table(&name)?;
    let (physical, key) = (&schema.sql.physical, quote(&schema.stored.key));
    let found = compare(session, schema, plain)?;
    if !found.is_empty() {
        // First what is in the way: a value may have moved from one row to another.
        for (id, _) in found.iter().filter(|(_, there)| *there) {
            crate::table::delete(session, target, id.as_ref())?;
        }
    }
    let gone = format!(
        "SELECT {key} FROM {physical} WHERE {key} NOT IN (SELECT {key} FROM main.{})",
        quote(&plain.name)
    );
    let mut extra = Vec::new();
    session.conn().prepare(&gone)?.each(&[], |row| {
        extra.push(match row.get(0)? {
            ValueRef::Text(id) => Id::Text(id.to_owned()),
            _ => Id::Integer(row.integer(0)?),
        });
        Ok(ControlFlow::Continue(()))
    })?;
    for id in &extra {
        crate::table::delete(session, target, id.as_ref())?;
    }
    if !found.is_empty() {
        let writer = Writer::new(session, target)?;
        let sql = format!("{} WHERE {key} = ?", select(schema, &plain.name));
        for (id, _) in &found {
            let id_value = match id {
                Id::Integer(id) => ValueRef::Integer(*id),
                Id::Text(id) => ValueRef::Text(id),
            };
            session.conn().prepare(&sql)?.first(&[id_value], |row| {
                let (id, values) = read_row(schema, row)?;
                writer.insert(Some(id.as_ref()), &values)
            })?;
        }
        if !compare(session, schema, plain)?.is_empty() {
            return Err(err!(Internal, "a row reads back as another than was sealed"));
        }
    }
    let (sealed, plain) = (
        super::plain::rows(session.conn(), &schema.stored.physical())?,
        super::plain::rows(session.conn(), &plain.name)?,
    );
    if sealed != plain {
        return Err(err!(Internal, "{sealed} rows were sealed of {plain}"));
    }
    Ok(())
}

/// The rows of the plain table that the copy does not have as they are, and whether it has them at all. Each row is opened.
fn compare(session: &Session, schema: &Arc<Schema>, plain: &Plain) -> Result<Vec<(Id, bool)>> {
    let writer = Writer::new(session, Target { name: schema.name(), tenant: None })?;
    let kinds: Vec<_> = schema.columns().map(|column| column.column.kind).collect();
    let mut different = Vec::new();
    session.conn().prepare(&select(schema, &plain.name))?.each(&[], |row| {
        let (id, values) = read_row(schema, row)?;
        let current = writer.current(id.as_ref())?;
        let same = current.as_ref().is_some_and(|current| {
            let same = |(position, value): (usize, &ValueRef<'_>)| {
                let admitted = kinds.get(position).and_then(|kind| kind.admit(*value, "").ok());
                admitted == Some(current.get(position))
            };
            values.iter().enumerate().all(same)
        });
        if !same {
            different.push((id, current.is_some()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(different)
}
