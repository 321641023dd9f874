//! The sealed tables on a connection: each is an eponymous virtual table, one module for each name.
//!
//! They stand in no schema. A host without the engine sees the physical tables and nothing that it lacks a module for, and
//! a statement that writes one is a statement on the file itself, so that SQLite's savepoints for single statements cover
//! the physical table (those on a temporary virtual table would not: a failed INSERT of several rows would leave some).
//!
//! A plain table or view of the same name in the file would take the place of a sealed one. It is looked for whenever the
//! schema has changed, inside the transaction that is about to run, and statements that name it are refused.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Weak};

use super::face::Face;
use super::native;
use super::table::shows;
use crate::db::Conn;
use crate::error::Result;
use crate::table::engine::State;
use crate::table::schema::Schema;

/// What [`sync`] left on the connection.
#[derive(Default)]
pub(super) struct Synced {
    /// The state that the tables are of. Weak: a face keeps no keys.
    state: Weak<State>,
    tables: Vec<Arc<Schema>>,
    /// SQLite's counter of changes to the file, and its counter of changes to the schema.
    data: Option<u32>,
    schema: Option<i64>,
    /// True once the functions are there.
    functions: bool,
}

impl Synced {
    /// How many tables SQL has on the connection.
    #[cfg(feature = "loadable")]
    pub(super) fn count(&self) -> usize {
        self.tables.len()
    }

    /// True where the tables are those of that very state.
    pub(super) fn is_of(&self, state: &Arc<State>) -> bool {
        std::ptr::eq(Weak::as_ptr(&self.state), Arc::as_ptr(state))
    }
}

/// Makes the connection's tables those of the state.
pub(super) fn sync(face: &Face, conn: &Conn, state: &Arc<State>) -> Result<()> {
    let mut synced = face.synced.borrow_mut();
    let data = native::data_version(face.handle);
    let same = synced.is_of(state);
    if same && data.is_some() && synced.data == data {
        return Ok(());
    }
    let _turn = face.authority.engine();
    if !synced.functions {
        native::add_functions(face)?;
        synced.functions = true;
    }
    if !same {
        register(face, &mut synced, state)?;
        synced.state = Arc::downgrade(state);
        synced.schema = None;
    }
    let schema = conn.first("PRAGMA schema_version", &[], |row| row.integer(0))?;
    if schema.is_none() || synced.schema != schema {
        face.authority.set_clashes(clashes(conn, &synced.tables)?);
        synced.schema = schema;
    }
    synced.data = data;
    Ok(())
}

/// Takes every table away.
#[cfg(feature = "loadable")]
pub(super) fn unregister_all(face: &Face) -> Result<()> {
    let before = std::mem::take(&mut *face.synced.borrow_mut());
    before.tables.iter().try_for_each(|schema| native::unregister(face, schema.name()))
}

fn register(face: &Face, synced: &mut Synced, state: &State) -> Result<()> {
    let shown = |schema: &&Arc<Schema>| face.authority.shows && shows(schema);
    let wanted: Vec<&Arc<Schema>> = state.tables.values().filter(shown).collect();
    let mut changed = false;
    let before = std::mem::take(&mut synced.tables);
    for schema in &before {
        if wanted.iter().any(|other| Arc::ptr_eq(schema, other)) {
            synced.tables.push(Arc::clone(schema));
        } else {
            native::unregister(face, schema.name())?;
            changed = true;
        }
    }
    for schema in wanted {
        if !before.iter().any(|other| Arc::ptr_eq(schema, other)) {
            native::register(face, schema.name())?;
            synced.tables.push(Arc::clone(schema));
            changed = true;
        }
    }
    if changed {
        face.known.borrow_mut().clear();
    }
    Ok(())
}

/// The sealed tables whose names something else in the file has, in lower case.
fn clashes(conn: &Conn, tables: &[Arc<Schema>]) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    let sql = "SELECT name FROM main.sqlite_master WHERE type IN ('table', 'view')";
    conn.prepare(sql)?.each(&[], |row| {
        let name = row.text(0)?;
        if tables.iter().any(|schema| schema.name().eq_ignore_ascii_case(name)) {
            found.insert(name.to_ascii_lowercase());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
