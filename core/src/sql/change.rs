//! Changes of the schema that SQL asks for, each inside the transaction that it is part of.

use super::ddl::{Change, NewIndex};
use super::face::Entered;
use super::table::shows;
use super::within::Within;
use crate::audit::note;
use crate::db::schema::quote;
use crate::error::{Error, ErrorKind, Result, err, fail};
use crate::table::definition::is_internal;
use crate::table::engine::State;
use crate::table::protect::{index_of, triggers};
use crate::table::schema::Schema;
use crate::table::session::Session;
use crate::table::{Alteration, Index, alter, backfill, define};

/// Carries out a change, whole or not at all. `sql` is its text.
pub(super) fn run(
    within: Within<'_>,
    entered: &Entered<'_>,
    change: &Change,
    sql: &str,
) -> Result<()> {
    if let Some(table) = change.table().filter(|table| entered.face.authority.clashes(table)) {
        if !matches!(change, Change::Drop { .. }) {
            fail!(
                NotAllowed,
                "the file has a plain table or view of the name {table}, perhaps put there by somebody else: drop it first"
            );
        }
        // The plain table goes, as SQLite finds it first; the sealed one is there again then.
        entered.checked(within.conn().prepare_application(sql)?.execute(&[]))?;
        return Ok(());
    }
    let done = within.one(true, || match within {
        Within::Session(session) => apply(session, change),
        Within::Host(conn, host) => {
            // A write that writes nothing: SQLite then tells the engine of the transaction's end.
            let state = host.state(entered.face.handle, conn)?;
            let Some(any) = any_table(&state, change) else { return Ok(false) };
            let touch = format!("DELETE FROM main.{} WHERE 0", quote(&any));
            entered.checked(conn.prepare_application(&touch)?.execute(&[]))?;
            match host.session() {
                Some(session) => {
                    let _turn = entered.face.authority.engine();
                    apply(session, change)
                }
                None => fail!(Internal, "a write without a transaction"),
            }
        }
        Within::Snapshot(..) => fail!(ReadOnly, "a snapshot changes nothing"),
    })?;
    if !done {
        entered.checked(within.conn().prepare_application(sql)?.execute(&[]))?;
    }
    Ok(())
}

/// The name of a sealed table that SQL shows: the change's own, or any where it does not say.
fn any_table(state: &State, change: &Change) -> Option<String> {
    if let Some(table) = change.table() {
        return Some(table.to_owned());
    }
    let mut shown = state.tables.values().filter(|schema| shows(schema));
    shown.next().map(|schema| schema.name().to_owned())
}

/// False where the change is none of a sealed table, and so SQLite's.
fn apply(session: &Session, change: &Change) -> Result<bool> {
    match change {
        Change::Alter { table, alteration } => alter_table(session, table, alteration),
        Change::Drop { table } => {
            define::drop_table(session, table)?;
            note(session, "table.dropped", serde_json::json!({"table": table}))?;
            Ok(true)
        }
        Change::Index(index) => create_index(session, index),
        Change::DropIndex { name } => drop_index(session, name),
        Change::Trigger { table, name, sql } => {
            let state = session.state();
            triggers::create(session.conn(), &state.table(table)?.stored.physical(), sql)?;
            noted(session, table, &format!("create trigger {name}"))
        }
        Change::DropTrigger { name } => drop_trigger(session, name),
    }
}

/// Alters a table, and moves its rows in the same transaction.
fn alter_table(session: &Session, table: &str, alteration: &Alteration) -> Result<bool> {
    let renamed = alter::decide(session, table, alteration)?;
    backfill::complete_within(session, &renamed)?;
    noted(session, table, &alteration.name())
}

fn noted(session: &Session, table: &str, change: &str) -> Result<bool> {
    note(session, "table.altered", serde_json::json!({"table": table, "change": change}))?;
    Ok(true)
}

fn create_index(session: &Session, new: &NewIndex) -> Result<bool> {
    let conn = session.conn();
    let there = "SELECT 1 FROM main.sqlite_master WHERE name = ? COLLATE NOCASE";
    if conn.first(there, &[new.name.as_str().into()], |_| Ok(()))?.is_some() {
        if new.if_missing {
            return Ok(true);
        }
        fail!(Sql, "index {} already exists", new.name);
    }
    let state = session.state();
    let schema = state.table(&new.table)?;
    let logical = |error| logical(schema, error);
    let column = new.column.as_ref().and_then(|name| schema.position(name).ok());
    let column = column.and_then(|position| schema.column(position).ok());
    match column.filter(|column| column.column.index.is_none()) {
        Some(column) => {
            let name = column.column.name.clone();
            let index = if new.unique {
                Index::unique()
            } else {
                let physical = &schema.sql.physical;
                let sql = format!("SELECT count(DISTINCT {}) FROM {physical}", quote(&name));
                let values = conn.first(&sql, &[], |row| row.integer(0))?;
                Index::lookup(values.and_then(|values| u64::try_from(values).ok()).unwrap_or(0))
            };
            let mut stored = schema.stored.clone();
            alter::add_index(session, &mut stored, &name, &index, Some(&new.sql))
                .map_err(logical)?;
            alter::save(session, stored)?;
        }
        None => conn.batch(&new.sql).map_err(logical)?,
    }
    noted(session, &new.table, &format!("create index {}", new.name))
}

/// An error in the logical table's name.
fn logical(schema: &Schema, error: Error) -> Error {
    let physical = format!("{}.", schema.stored.physical());
    if error.kind() != ErrorKind::Conflict || !error.message().contains(&physical) {
        return error;
    }
    let message = error.message().replace(&physical, &format!("{}.", schema.name()));
    let code = error.sqlite_code().unwrap_or_default();
    err!(Conflict, "{message}").with_sqlite_code(code)
}

fn drop_trigger(session: &Session, name: &str) -> Result<bool> {
    let state = session.state();
    let Some((name, schema)) = standing(session, &state, "trigger", name)? else {
        return Ok(false);
    };
    session.conn().batch(&format!("DROP TRIGGER main.{}", quote(&name)))?;
    noted(session, schema.name(), &format!("drop trigger {name}"))
}

/// What of that kind and name stands on a sealed table's physical side.
fn standing<'s>(
    session: &Session,
    state: &'s State,
    kind: &str,
    name: &str,
) -> Result<Option<(String, &'s Schema)>> {
    let sql =
        "SELECT name, tbl_name FROM main.sqlite_master WHERE type = ? AND name = ? COLLATE NOCASE";
    let found = session.conn().first(sql, &[kind.into(), name.into()], |row| {
        Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
    })?;
    let Some((name, table)) = found else { return Ok(None) };
    let is_its = |schema: &&std::sync::Arc<Schema>| {
        shows(schema) && schema.stored.physical().eq_ignore_ascii_case(&table)
    };
    Ok(state.tables.values().find(is_its).map(|schema| (name, schema.as_ref())))
}

fn drop_index(session: &Session, name: &str) -> Result<bool> {
    let (conn, state) = (session.conn(), session.state());
    let Some((name, schema)) = standing(session, &state, "index", name)? else {
        return Ok(false);
    };
    if is_internal(&name) {
        fail!(NotAllowed, "index {name} is declared with its column: alter_table drops it");
    }
    if let Some(column) = index_of(conn, &schema.stored, &name)? {
        return alter_table(session, schema.name(), &Alteration::DropIndex(column));
    }
    conn.batch(&format!("DROP INDEX main.{}", quote(&name)))?;
    noted(session, schema.name(), &format!("drop index {name}"))
}
