//! The transaction that puts a sealed table in a plain one's place.

use std::collections::HashSet;

use super::copy::{reconcile, staged};
use super::plain::{Plain, dangling};
use super::plan::Words;
use super::{look, staged_name};
use crate::db::schema::quote;
use crate::error::{ErrorKind, Result, err, fail};
use crate::table::session::Session;
use crate::table::{alter, catalog};

/// Compares every row, drops the plain table, and gives the sealed one its name and what referred to it. Foreign keys are
/// not enforced meanwhile.
pub(super) fn swap(
    session: &Session,
    table: &str,
    wanted: &Words,
    note: &dyn Fn(&Session, &str) -> Result<()>,
) -> Result<()> {
    let (conn, state) = (session.conn(), session.state());
    let (source, plan) = look(conn, &state, table, wanted)?;
    plan.check()?;
    if !staged(conn, &state, table, &plan)? {
        fail!(Busy, "table {table} has been altered while it was converted: call again");
    }
    reconcile(session, &source).map_err(|error| match error.kind() {
        ErrorKind::Conflict => err!(
            Conflict,
            "table {table} holds a value twice in a column that is to be unique, in the form in which its index compares"
        ),
        _ => error,
    })?;
    let mut stored = state.table(&staged_name(table))?.stored.clone();
    if let Some(last) = source.sequence {
        session.sequences().note(conn, &state.ring, stored.id, last)?;
    }
    let referring = referring(&source);
    let before = dangling(conn, &referring);
    let was = stored.physical();
    source.name.clone_into(&mut stored.name);
    take_place(session, &source.name, &was, &stored.physical())?;
    for index in &plan.indexes {
        match &index.catalog {
            Some((column, kept)) => {
                alter::add_index(session, &mut stored, column, kept, Some(&index.sql))?;
            }
            None => conn.batch(&index.sql)?,
        }
    }
    for sql in &plan.triggers {
        conn.batch(sql)?;
    }
    catalog::save(conn, &state.ring, &stored)?;
    session.mark_erasure()?;
    session.advance()?;
    let referring = referring
        .into_iter()
        .map(|name| if name.eq_ignore_ascii_case(&source.name) { stored.physical() } else { name });
    check_references(session, before, &referring.collect())?;
    note(session, &source.name)
}

/// The tables whose foreign keys are about the table.
fn referring(plain: &Plain) -> HashSet<String> {
    let children = plain.children.iter().map(|child| child.table.clone());
    children.chain([plain.name.clone()]).collect()
}

/// Drops a table and gives another its place in every foreign key, and then the name that it is to have.
pub(super) fn take_place(session: &Session, old: &str, new: &str, name: &str) -> Result<()> {
    let (old, new, name) = (quote(old), quote(new), quote(name));
    session.conn().batch(&format!(
        "DROP TABLE main.{old};
         ALTER TABLE main.{new} RENAME TO {old};
         ALTER TABLE main.{old} RENAME TO {name};"
    ))
}

/// An error where more foreign keys lead nowhere than before.
pub(super) fn check_references(
    session: &Session,
    before: Option<u64>,
    tables: &HashSet<String>,
) -> Result<()> {
    match (before, dangling(session.conn(), tables)) {
        (None, _) => Ok(()),
        (Some(before), Some(after)) if before == after => Ok(()),
        _ => fail!(Internal, "a foreign key would lead elsewhere than before"),
    }
}
