//! The transaction that puts a sealed table in a plain one's place.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::copy::{reconcile, staged};
use super::job::Job;
use super::plain::{Plain, dangling};
use super::{look, staged_name};
use crate::db::schema::quote;
use crate::error::{ErrorKind, Result, err, fail};
use crate::table::session::Session;
use crate::table::{alter, catalog};
use crate::value::ValueRef;

/// Compares every row, drops the plain table, and gives the sealed one its name and what referred to it. Foreign keys are
/// not enforced meanwhile.
pub(super) fn swap(
    session: &Session,
    job: &Job<'_>,
    note: &dyn Fn(&Session, &str) -> Result<()>,
) -> Result<()> {
    let (conn, state, table) = (session.conn(), session.state(), job.table);
    // Rows of another file are compared as they are at one moment.
    let _moment = job.moment()?;
    let (source, plan) = look(conn, &state, job)?;
    plan.check()?;
    if !staged(conn, &state, table, &plan)? {
        fail!(Busy, "table {table} has been altered while it was converted: call again");
    }
    reconcile(session, job).map_err(|error| match error.kind() {
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
    let in_place = job.elsewhere.is_none();
    let referring = if in_place { referring(&source) } else { HashSet::new() };
    let before = dangling(conn, &referring);
    let was = stored.physical();
    source.name.clone_into(&mut stored.name);
    if in_place {
        take_place(session, &source.name, &was, &stored.physical())?;
    } else {
        let (was, physical) = (quote(&was), quote(&stored.physical()));
        conn.batch(&format!("ALTER TABLE main.{was} RENAME TO {physical}"))?;
        let there = HashSet::from([source.name.clone()]);
        let here = HashSet::from([stored.physical()]);
        if dangling(conn, &here) > dangling(job.source(session), &there) {
            fail!(Busy, "what table {table} refers to has changed meanwhile: call again");
        }
    }
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
    if in_place {
        session.mark_erasure()?;
    }
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
///
/// The rows go first: of what DROP TABLE deletes by itself SQLite keeps a copy in memory. Nothing is to hear of that.
pub(super) fn take_place(session: &Session, old: &str, new: &str, name: &str) -> Result<()> {
    let conn = session.conn();
    let mut triggers = Vec::new();
    let sql =
        "SELECT name FROM main.sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?)";
    conn.prepare(sql)?.each(&[ValueRef::Text(old)], |row| {
        triggers.push(row.text(0)?.to_owned());
        Ok(ControlFlow::Continue(()))
    })?;
    for trigger in triggers {
        conn.batch(&format!("DROP TRIGGER main.{}", quote(&trigger)))?;
    }
    let (old, new, name) = (quote(old), quote(new), quote(name));
    conn.batch(&format!(
        "DELETE FROM main.{old};
         DROP TABLE main.{old};
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
