//! Changes to a table that is in use. Each is one transaction that changes the catalog, then a back-fill in batches
//! while others read and write, then one transaction that lets go of what nothing uses any more.

use super::backfill;
use super::catalog;
use super::ddl::{index_name_there, index_sql, sql_literal};
use super::define::{PLAIN, new_blind, new_column};
use super::definition::{Column, Index, Protection, check_table_name};
use super::engine::Engine;
use super::protect::check_unused;
use super::schema::{Stored, physical_name};
use super::session::Session;
use super::subject::check_no_subject;
use crate::db::schema::quote;
use crate::error::{ErrorKind, Result, err, fail};
use std::sync::Arc;

/// A change to a table, for [`crate::Vault::alter_table`].
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Alteration {
    /// Adds a column. The rows that are there have its default.
    AddColumn(Column),
    /// Drops a column.
    DropColumn(String),
    /// Renames a column: its old name, its new one.
    RenameColumn(String, String),
    /// Renames the table.
    RenameTable(String),
    /// Changes how a column is kept, and moves the values that are there.
    Protect(String, Protection),
    /// Adds an index to a column.
    AddIndex(String, Index),
    /// Drops the index of a column.
    DropIndex(String),
}

impl Alteration {
    /// What it does, in words for the audit trail.
    pub(crate) fn name(&self) -> String {
        match self {
            Alteration::AddColumn(column) => format!("add column {}", column.name),
            Alteration::DropColumn(name) => format!("drop column {name}"),
            Alteration::RenameColumn(from, to) => format!("rename column {from} to {to}"),
            Alteration::RenameTable(to) => format!("rename to {to}"),
            Alteration::Protect(name, to) => format!("protect {name}: {}", to.name()),
            Alteration::AddIndex(name, _) => format!("add index on {name}"),
            Alteration::DropIndex(name) => format!("drop index on {name}"),
        }
    }
}

/// Carries out an alteration to its end. `note` records what is done in the transaction that decides it.
pub(crate) fn alter(
    engine: &Arc<Engine>,
    table: &str,
    alteration: &Alteration,
    note: &dyn Fn(&Session, &str) -> Result<()>,
) -> Result<()> {
    match (backfill::complete(engine, table), alteration) {
        // An index that can't be finished, because a value stands twice, can still be dropped.
        (Err(error), Alteration::DropIndex(_)) if error.kind() == ErrorKind::Conflict => {}
        (done, _) => done?,
    }
    let renamed = Session::run(engine, |session| {
        let renamed = decide(session, table, alteration)?;
        note(session, &alteration.name())?;
        Ok(renamed)
    })?;
    match (backfill::complete(engine, &renamed), alteration) {
        // Two rows with the same value: the index can't be, and is taken back.
        (Err(error), Alteration::AddIndex(column, _)) if error.kind() == ErrorKind::Conflict => {
            take_back_index(engine, &renamed, column, note)?;
            Err(err!(Conflict, "column {column} of table {table} holds a value twice"))
        }
        (done, _) => done,
    }
}

/// The transaction of an alteration that changes the catalog; the name that the table has from then on. Rows are still to
/// be moved where that makes a new layout: until then, they are of two.
pub(crate) fn decide(session: &Session, table: &str, alteration: &Alteration) -> Result<String> {
    let state = session.state();
    let mut stored = state.table(table)?.stored.clone();
    change(session, &mut stored, alteration)?;
    save(session, stored)
}

/// Writes the catalog's entry of a table that has changed, with a new layout where it needs one; the table's name.
pub(crate) fn save(session: &Session, mut stored: Stored) -> Result<String> {
    let number = stored.layouts.last().map_or(0, |layout| layout.number);
    let wanted = stored.layout_wanted(number);
    if stored.layouts.last() != Some(&wanted) {
        let Some(next) = number.checked_add(1) else {
            fail!(Limit, "table {} has been altered too often", stored.name);
        };
        stored.layouts.push(stored.layout_wanted(next));
    }
    catalog::save(session.conn(), &session.state().ring, &stored)?;
    session.advance()?;
    Ok(stored.name)
}

fn take_back_index(
    engine: &Arc<Engine>,
    table: &str,
    column: &str,
    note: &dyn Fn(&Session, &str) -> Result<()>,
) -> Result<()> {
    Session::run(engine, |session| {
        let state = session.state();
        let mut stored = state.table(table)?.stored.clone();
        drop_index(session, &mut stored, column)?;
        let number = stored.layouts.last().map_or(0, |layout| layout.number);
        stored.layouts.push(stored.layout_wanted(number.saturating_add(1)));
        catalog::save(session.conn(), &state.ring, &stored)?;
        session.advance()?;
        note(session, &format!("take back index on {column}"))
    })?;
    backfill::complete(engine, table)
}

fn change(session: &Session, stored: &mut Stored, alteration: &Alteration) -> Result<()> {
    match alteration {
        Alteration::AddColumn(column) => add_column(session, stored, column),
        Alteration::DropColumn(name) => drop_column(session, stored, name),
        Alteration::RenameColumn(from, to) => rename_column(session, stored, from, to),
        Alteration::RenameTable(to) => rename_table(session, stored, to),
        Alteration::Protect(name, protection) => protect(session, stored, name, *protection),
        Alteration::AddIndex(name, index) => add_index(session, stored, name, index, None),
        Alteration::DropIndex(name) => drop_index(session, stored, name),
    }
}

fn run(session: &Session, sql: &str) -> Result<()> {
    session.conn().batch(sql)
}

/// The position of a column that is not going.
fn find(stored: &Stored, name: &str) -> Result<usize> {
    let lower = name.to_lowercase();
    let is = |column: &super::schema::StoredColumn| {
        !column.dropping && column.column.name.to_lowercase() == lower
    };
    let found = stored.columns.iter().position(is);
    found.ok_or_else(|| err!(NotFound, "table {} has no column {name}", stored.name))
}

/// A column that goes, or is edited from outside no more, is nobody else's.
fn check_used(session: &Session, stored: &Stored, name: &str) -> Result<()> {
    let column = stored.columns.get(find(stored, name)?);
    column.map_or(Ok(()), |column| check_unused(session.conn(), stored, column))
}

fn column_mut<'s>(
    stored: &'s mut Stored,
    name: &str,
) -> Result<&'s mut super::schema::StoredColumn> {
    let at = find(stored, name)?;
    stored.columns.get_mut(at).ok_or_else(|| err!(Internal, "a column position out of range"))
}

fn check_free(stored: &Stored, name: &str) -> Result<()> {
    let lower = name.to_lowercase();
    let taken = stored.columns.iter().any(|column| column.column.name.to_lowercase() == lower);
    if taken || lower == stored.key.to_lowercase() || (stored.per_tenant && lower == "tenant") {
        fail!(Conflict, "table {} has a column {name} already", stored.name);
    }
    Ok(())
}

fn add_column(session: &Session, stored: &mut Stored, column: &Column) -> Result<()> {
    column.check()?;
    check_free(stored, &column.name)?;
    let table = quote(&stored.physical());
    let any = session.conn().first(&format!("SELECT 1 FROM {table} LIMIT 1"), &[], |_| Ok(()))?;
    let default = column.default.as_ref().is_some_and(|default| !default.as_ref().is_null());
    if any.is_some() && column.not_null && !default {
        fail!(
            InvalidInput,
            "column {} is NOT NULL, and the rows that are there need a default",
            column.name
        );
    }
    if any.is_some() && default && column.index.as_ref().is_some_and(Index::is_unique) {
        fail!(
            InvalidInput,
            "column {} is unique, and its default would stand in every row that is there",
            column.name
        );
    }
    let current = stored.layouts.last().map_or(1, |layout| layout.number);
    let plain = column.protection == Protection::Plain;
    let since = if plain { 0 } else { current.saturating_add(1) };
    let mut next_id = stored.next_id;
    let mut new = new_column(column, &mut next_id, since)?;
    if new.physical {
        let default =
            if plain { sql_literal(new.column.default.as_ref()) } else { "NULL".to_owned() };
        let name = quote(&column.name);
        run(session, &format!("ALTER TABLE {table} ADD COLUMN {name} DEFAULT {default}"))?;
    }
    new.blind = new_blind(column, &mut next_id);
    if let Some(blind) = &new.blind {
        run(session, &format!("ALTER TABLE {table} ADD COLUMN {}", quote(&blind.physical)))?;
    }
    if let Some(sql) = index_sql(stored, &new) {
        run(session, &sql)?;
    }
    stored.next_id = next_id;
    stored.columns.push(new);
    Ok(())
}

fn drop_column(session: &Session, stored: &mut Stored, name: &str) -> Result<()> {
    check_no_subject(stored, find(stored, name)?)?;
    if column_mut(stored, name)?.column.index.is_some() {
        drop_index(session, stored, name)?;
    }
    let table = quote(&stored.physical());
    check_used(session, stored, name)?;
    let column = column_mut(stored, name)?;
    if column.column.protection == Protection::Plain {
        run(session, &format!("ALTER TABLE {table} DROP COLUMN {}", quote(&column.column.name)))?;
        let id = column.id;
        stored.forget(|column| column.id == id);
    } else {
        column.dropping = true;
    }
    session.mark_erasure()
}

fn rename_column(session: &Session, stored: &mut Stored, from: &str, to: &str) -> Result<()> {
    let table = quote(&stored.physical());
    if from.to_lowercase() != to.to_lowercase() {
        check_free(stored, to)?;
    }
    let column = column_mut(stored, from)?;
    let old = std::mem::replace(&mut column.column.name, to.to_owned());
    column.column.check()?;
    if column.physical {
        let (old, new) = (quote(&old), quote(to));
        run(session, &format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}"))?;
    }
    Ok(())
}

fn rename_table(session: &Session, stored: &mut Stored, to: &str) -> Result<()> {
    check_table_name(to)?;
    let state = session.state();
    if stored.name.to_lowercase() != to.to_lowercase() && state.table(to).is_ok() {
        fail!(Conflict, "there is a table {to} already");
    }
    if session.conn().first(PLAIN, &[to.into()], |_| Ok(()))?.is_some() {
        fail!(Conflict, "there is a plain table or view {to} already");
    }
    let (old, new) = (quote(&stored.physical()), quote(&physical_name(to)));
    // By way of a third name: SQLite refuses a new name that differs in case only.
    let between = quote(&format!("sealite_{}_renamed", stored.id));
    run(session, &format!("ALTER TABLE {old} RENAME TO {between}"))?;
    run(session, &format!("ALTER TABLE {between} RENAME TO {new}"))?;
    to.clone_into(&mut stored.name);
    Ok(())
}

fn protect(session: &Session, stored: &mut Stored, name: &str, to: Protection) -> Result<()> {
    let table = quote(&stored.physical());
    let index = column_mut(stored, name)?.column.index.clone();
    let was = column_mut(stored, name)?.column.protection;
    if was == to {
        return Ok(());
    }
    check_no_subject(stored, find(stored, name)?)?;
    check_used(session, stored, name)?;
    let crosses = (was == Protection::Sealed) != (to == Protection::Sealed);
    if crosses && index.is_some() {
        drop_index(session, stored, name)?;
    }
    let column = column_mut(stored, name)?;
    column.column.protection = to;
    column.column.index.clone_from(&index);
    column.column.check()?;
    if was == Protection::Sealed {
        run(session, &format!("ALTER TABLE {table} ADD COLUMN {}", quote(&column.column.name)))?;
        column.physical = true;
    }
    if to == Protection::Sealed {
        session.mark_erasure()?;
    }
    if crosses && let Some(index) = index {
        column_mut(stored, name)?.column.index = None;
        add_index(session, stored, name, &index, None)?;
    }
    Ok(())
}

/// Adds an index to a column. `sql` makes it, where it is to have a name of the application's.
pub(crate) fn add_index(
    session: &Session,
    stored: &mut Stored,
    name: &str,
    index: &Index,
    sql: Option<&str>,
) -> Result<()> {
    let mut next_id = stored.next_id;
    let table = quote(&stored.physical());
    let column = column_mut(stored, name)?;
    if column.column.index.is_some() {
        fail!(Conflict, "column {name} has an index already");
    }
    column.column.index = Some(index.clone());
    column.column.check()?;
    column.blind = new_blind(&column.column, &mut next_id);
    if let Some(blind) = &column.blind {
        run(session, &format!("ALTER TABLE {table} ADD COLUMN {}", quote(&blind.physical)))?;
    }
    stored.next_id = next_id;
    let at = find(stored, name)?;
    let own = stored.columns.get(at).and_then(|column| index_sql(stored, column));
    run(session, sql.unwrap_or(&own.unwrap_or_default()))
}

fn drop_index(session: &Session, stored: &mut Stored, name: &str) -> Result<()> {
    let at = find(stored, name)?;
    let column = stored.columns.get(at).filter(|column| column.column.index.is_some());
    let Some(column) = column else { fail!(NotFound, "column {name} has no index") };
    let unique = column.column.index.as_ref().is_some_and(|index| index.unique);
    let there = index_name_there(session.conn(), stored, column, unique)?;
    run(session, &format!("DROP INDEX {there}"))?;
    let column = column_mut(stored, name)?;
    column.column.index = None;
    let blind = column.blind.take();
    stored.retired.extend(blind);
    Ok(())
}
