//! The copy that a conversion fills.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::job::{Job, Phase};
use super::plain;
use super::plan::Plan;
use super::{look, staged_name};
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{ErrorKind, Result, err};
use crate::table::ddl::create_sql;
use crate::table::define;
use crate::table::definition::TableDefinition;
use crate::table::engine::{Engine, State};
use crate::table::schema::{Schema, StoredColumn};
use crate::table::session::Session;
use crate::table::{Target, Writer};
use crate::value::{Id, Value, ValueRef};

/// Rows copied in one transaction: others wait no longer than that.
const BATCH_ROWS: i64 = 500;

/// Makes the copy, or goes on with the one that is there, until it has every row that was there at the beginning.
pub(super) fn copy(engine: &Arc<Engine>, job: &Job<'_>) -> Result<()> {
    let table = job.table;
    Session::run(engine, |session| {
        let state = session.state();
        let (_, plan) = look(session.conn(), &state, job)?;
        plan.check()?;
        if staged(session.conn(), &state, table, &plan)? {
            return Ok(());
        }
        discard(session, table)?;
        let definition = staged_definition(table, &plan);
        define::create(session, &definition, |physical| plan.constraints(physical))
    })?;
    let mut copied = engine.read(|conn, state| {
        plain::rows(conn, &state.table(&staged_name(table))?.stored.physical())
    })?;
    loop {
        let started = Instant::now();
        (job.watch)(Phase::Copying, u64::try_from(copied).unwrap_or(0))?;
        match Session::run(engine, |session| copy_batch(session, job)) {
            Ok(BATCH_ROWS) => copied += BATCH_ROWS,
            Ok(_) => return Ok(()),
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

/// Seals the first rows in another vault, of the table that it would become, to see what it takes; how many. `conn` is of
/// the plain table's file.
pub(crate) fn sample(
    engine: &Arc<Engine>,
    (job, conn): (&Job<'_>, &Conn),
    definition: &TableDefinition,
) -> Result<i64> {
    let job = job.elsewhere_only(conn);
    Session::run(engine, |session| {
        let staged = TableDefinition { name: staged_name(job.table), ..definition.clone() };
        define::create(session, &staged, |_| Vec::new())?;
        copy_batch(session, &job)
    })
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

/// Copies some rows; how many.
fn copy_batch(session: &Session, job: &Job<'_>) -> Result<i64> {
    let (state, name, conn) = (session.state(), staged_name(job.table), session.conn());
    let schema = state.table(&name)?;
    let key = quote(&schema.stored.key);
    let last = format!("SELECT max({key}) FROM {}", schema.sql.physical);
    let last = conn.first(&last, &[], |row| Ok(row.get(0)?.to_owned()))?;
    let last = last.filter(|last| !last.as_ref().is_null());
    let behind = if last.is_some() { format!("WHERE {key} > ?2") } else { String::new() };
    let sql = format!("{} {behind} ORDER BY {key} LIMIT ?1", select_for(schema, job));
    let mut parameters = vec![ValueRef::Integer(BATCH_ROWS)];
    parameters.extend(last.as_ref().map(|last| last.as_ref()));
    let writer = Writer::new(session, Target { name: &name, tenant: None })?;
    let mut copied = 0;
    job.source(session).prepare(&sql)?.each(&parameters, |row| {
        let (id, values) = read_row(schema, row)?;
        writer.insert(Some(id.as_ref()), &Changed::of(job, schema, &id, values)?.values())?;
        copied += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(copied)
}

/// As [`select`], with what the job takes from elsewhere in the row.
fn select_for(schema: &Schema, job: &Job<'_>) -> String {
    let mut sql = format!("SELECT {}", quote(&schema.stored.key));
    for column in schema.columns() {
        sql.push_str(", ");
        sql.push_str(&job.selected(&column.column.name));
    }
    format!("{sql} FROM main.{}", quote(job.table))
}

/// A row, some of whose values have become others.
struct Changed<'r> {
    given: Vec<ValueRef<'r>>,
    /// By their positions. Wiped, as other copies of plaintext are not needed longer.
    changed: Vec<(usize, Wiped)>,
}

/// A value that is overwritten when it is dropped.
struct Wiped(Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<'r> Changed<'r> {
    fn of(job: &Job<'_>, schema: &Schema, id: &Id, given: Vec<ValueRef<'r>>) -> Result<Self> {
        let mut changed = Vec::new();
        for (position, (column, value)) in schema.columns().zip(&given).enumerate() {
            let name = job.origin(&column.column.name);
            if !value.is_null() && job.changes.converts(name) {
                let value = job.changes.convert(name, id.as_ref(), *value)?;
                changed.push((position, Wiped(value)));
            }
        }
        Ok(Changed { given, changed })
    }

    fn values(&self) -> Vec<ValueRef<'_>> {
        let mut values: Vec<ValueRef<'_>> = self.given.clone();
        for (position, Wiped(value)) in &self.changed {
            if let Some(slot) = values.get_mut(*position) {
                *slot = value.as_ref();
            }
        }
        values
    }
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
    let value = |(at, column): (usize, &StoredColumn)| {
        row.get(at + 1).map_err(|error| match error.kind() {
            ErrorKind::Corrupt => err!(
                TypeMismatch,
                "column {} of {} holds a text that is not UTF-8: change it, or make it a blob",
                column.column.name,
                match &id {
                    Id::Integer(id) => format!("row {id}"),
                    Id::Text(_) => "a row".to_owned(),
                }
            ),
            _ => error,
        })
    };
    let values = schema.columns().enumerate().map(value).collect::<Result<_>>()?;
    Ok((id, values))
}

/// Makes the copy equal to the plain table, and then compares every row. The locks are held: nobody writes meanwhile.
pub(super) fn reconcile(session: &Session, job: &Job<'_>) -> Result<()> {
    let name = staged_name(job.table);
    let target = Target { name: &name, tenant: None };
    let state = session.state();
    let schema = state.table(&name)?;
    let source = job.source(session);
    let found = compare(session, schema, job)?;
    // First what is in the way: a value may have moved from one row to another.
    for (id, _) in found.iter().filter(|(_, there)| *there) {
        crate::table::delete(session, target, id.as_ref())?;
    }
    let missing = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let count = || plain::rows(session.conn(), &schema.stored.physical());
    if count()?.saturating_add(missing) != plain::rows(source, job.table)? {
        for id in extra(session, schema, job)? {
            crate::table::delete(session, target, id.as_ref())?;
        }
    }
    if !found.is_empty() {
        let writer = Writer::new(session, target)?;
        let sql = format!("{} WHERE {} = ?", select_for(schema, job), quote(&schema.stored.key));
        for (id, _) in &found {
            source.prepare(&sql)?.first(&[id_value(id)], |row| {
                let (id, values) = read_row(schema, row)?;
                writer.insert(Some(id.as_ref()), &Changed::of(job, schema, &id, values)?.values())
            })?;
        }
        if !compare(session, schema, job)?.is_empty() {
            return Err(err!(Internal, "a row reads back as another than was sealed"));
        }
    }
    let (sealed, plain) = (count()?, plain::rows(source, job.table)?);
    if sealed != plain {
        return Err(err!(Internal, "{sealed} rows were sealed of {plain}"));
    }
    Ok(())
}

fn id_value(id: &Id) -> ValueRef<'_> {
    match id {
        Id::Integer(id) => ValueRef::Integer(*id),
        Id::Text(id) => ValueRef::Text(id),
    }
}

/// The rows of the copy that the plain table has not.
fn extra(session: &Session, schema: &Schema, job: &Job<'_>) -> Result<Vec<Id>> {
    let key = quote(&schema.stored.key);
    let is_there = format!("SELECT 1 FROM main.{} WHERE {key} = ?", quote(job.table));
    let mut is_there = job.source(session).prepare(&is_there)?;
    let all = format!("SELECT {key} FROM {}", schema.sql.physical);
    let mut extra = Vec::new();
    session.conn().prepare(&all)?.each(&[], |row| {
        let id = match row.get(0)? {
            ValueRef::Text(id) => Id::Text(id.to_owned()),
            _ => Id::Integer(row.integer(0)?),
        };
        if is_there.first(&[id_value(&id)], |_| Ok(()))?.is_none() {
            extra.push(id);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(extra)
}

/// True where a sealed table has the rows of the plain one, as they are, and no others.
pub(crate) fn is_equal(session: &Session, job: &Job<'_>) -> Result<bool> {
    let state = session.state();
    let schema = state.table(job.table)?;
    let rows = plain::rows(session.conn(), &schema.stored.physical())?;
    Ok(rows == plain::rows(job.source(session), job.table)?
        && compare(session, schema, job)?.is_empty())
}

/// The rows of the plain table that a sealed one does not have as they are, and whether it has them at all. Each row is
/// opened.
fn compare(session: &Session, schema: &Arc<Schema>, job: &Job<'_>) -> Result<Vec<(Id, bool)>> {
    let writer = Writer::new(session, Target { name: schema.name(), tenant: None })?;
    let kinds: Vec<_> = schema.columns().map(|column| column.column.kind).collect();
    let mut different = Vec::new();
    let mut compared = 0;
    job.source(session).prepare(&select_for(schema, job))?.each(&[], |row| {
        let (id, values) = read_row(schema, row)?;
        let changed = Changed::of(job, schema, &id, values)?;
        let current = writer.current(id.as_ref())?;
        let same = current.as_ref().is_some_and(|current| {
            let same = |(position, value): (usize, &ValueRef<'_>)| {
                let admitted = kinds.get(position).and_then(|kind| kind.admit(*value, "").ok());
                admitted == Some(current.get(position))
            };
            changed.values().iter().enumerate().all(same)
        });
        if !same {
            different.push((id, current.is_some()));
        }
        compared += 1;
        if compared % 500 == 0 {
            (job.watch)(Phase::Comparing, compared)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(different)
}
