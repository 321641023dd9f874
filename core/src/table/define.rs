//! Declaring and dropping tables.

use super::catalog;
use super::ddl::create_sql;
use super::definition::{Column, Protection, TableDefinition, check_table_name};
use super::schema::{Blind, Layout, Schema, Stored, StoredColumn};
use super::sequence;
use super::session::Session;
use super::subject::same_subject;
use crate::db::Conn;
use crate::error::{Result, fail};
use crate::keys::table_id;
use crate::value::ValueRef;

impl Schema {
    /// The definition that would declare the table as it is.
    pub(crate) fn definition(&self) -> TableDefinition {
        TableDefinition {
            name: self.stored.name.clone(),
            key: self.stored.key.clone(),
            text_key: self.stored.text_key,
            key_at: self.key_at(),
            per_tenant: self.stored.per_tenant,
            padding: self.stored.padding,
            subject: self.declared_subject(),
            columns: self.columns().map(|c| c.column.clone()).collect(),
        }
    }
}

/// Creates the table, or checks that what is stored is no weaker than what is declared. True where it was created.
pub(crate) fn define(session: &Session, definition: &TableDefinition) -> Result<bool> {
    check_table_name(&definition.name)?;
    define_internal(session, definition)
}

/// As [`define`], for the engine's own tables, whose names an application can't take.
pub(crate) fn define_internal(session: &Session, definition: &TableDefinition) -> Result<bool> {
    definition.check()?;
    let state = session.state();
    if let Some(schema) = state.tables.get(&definition.name.to_lowercase()) {
        check_floor(schema, definition)?;
        return Ok(false);
    }
    check_no_plain(session.conn(), &definition.name)?;
    create(session, definition, |_| Vec::new())?;
    Ok(true)
}

/// Refuses a name that the file has for something else: SQL would reach either, and the plain table's rows would stay in
/// clear.
pub(crate) fn check_no_plain(conn: &Conn, table: &str) -> Result<()> {
    match conn.first(PLAIN, &[table.into()], |row| Ok(row.text(0)? == "view"))? {
        None => Ok(()),
        Some(true) => {
            fail!(Definition, "the file has a view named {table}: drop it, or choose another name")
        }
        Some(false) => fail!(
            Definition,
            "the file has a plain table named {table}: protect_table, in SQL sealite_protect, makes it a sealed one with \
             its rows"
        ),
    }
}

/// What is no sealed table of that name.
pub(super) const PLAIN: &str = "SELECT type FROM main.sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE";

/// Creates a table that is not there, with constraints on its physical side, which is called as `constraints` is told.
pub(crate) fn create(
    session: &Session,
    definition: &TableDefinition,
    constraints: impl FnOnce(&str) -> Vec<String>,
) -> Result<()> {
    definition.check()?;
    let state = session.state();
    let (conn, ring) = (session.conn(), &state.ring);
    let id = session.sequences().next(conn, ring, table_id::CATALOG)?;
    let Ok(id) = u32::try_from(id) else { fail!(Limit, "no table id is left") };
    let stored = new_table(id, definition)?;
    conn.batch(&create_sql(&stored, &constraints(&stored.physical())))?;
    sequence::create(conn, ring, id, 0)?;
    catalog::save(conn, ring, &stored)?;
    session.advance()
}

fn new_table(id: u32, definition: &TableDefinition) -> Result<Stored> {
    let mut next_id = 1;
    let mut stored = Stored {
        id,
        name: definition.name.clone(),
        key: definition.key.clone(),
        text_key: definition.text_key,
        key_at: definition.key_at,
        per_tenant: definition.per_tenant,
        padding: definition.padding,
        subject: None,
        columns: Vec::new(),
        retired: Vec::new(),
        layouts: Vec::new(),
        next_id: 0,
    };
    for column in &definition.columns {
        stored.columns.push(new_column(column, &mut next_id, 1)?);
    }
    for column in &mut stored.columns {
        if let Some(blind) = new_blind(&column.column, &mut next_id) {
            let physical = format!("{}_bidx", column.column.name);
            column.blind = Some(Blind { physical, building: false, ..blind });
        }
    }
    let id_of = |name: &String| {
        let named = |column: &&StoredColumn| column.column.name.eq_ignore_ascii_case(name);
        stored.columns.iter().find(named).map(|column| column.id)
    };
    stored.subject = definition.whose().and_then(|whose| whose.place(id_of));
    stored.next_id = next_id;
    let layout: Layout = stored.layout_wanted(1);
    stored.layouts.push(layout);
    Ok(stored)
}

/// A column with a new surrogate id. Its default is kept in the column's own type: rows are sealed with it as it stands.
pub(super) fn new_column(column: &Column, next_id: &mut u32, since: u16) -> Result<StoredColumn> {
    let mut column = column.clone();
    if let Some(default) = &column.default {
        let admitted = column.kind.admit(default.as_ref(), &column.name)?.to_owned();
        column.default = Some(admitted);
    }
    let id = take(next_id);
    Ok(StoredColumn {
        id,
        physical: column.protection != Protection::Sealed,
        dropping: false,
        since,
        blind: None,
        column,
    })
}

/// The blind index that a sealed, indexed column asks for, under a new surrogate id.
pub(super) fn new_blind(column: &Column, next_id: &mut u32) -> Option<Blind> {
    let index = column.index.as_ref().filter(|_| column.protection == Protection::Sealed)?;
    let id = take(next_id);
    let physical = format!("{}_bidx_{id}", column.name);
    Some(Blind { id, generation: 1, physical, bits: index.bits(), building: true })
}

fn take(next_id: &mut u32) -> u32 {
    *next_id += 1;
    *next_id - 1
}

/// What the program declares is a floor: an old catalog, put back, must not make it write plaintext.
fn check_floor(schema: &Schema, declared: &TableDefinition) -> Result<()> {
    let (stored, table) = (&schema.stored, &declared.name);
    if stored.text_key != declared.text_key
        || !stored.key.eq_ignore_ascii_case(&declared.key)
        || stored.per_tenant != declared.per_tenant
    {
        fail!(
            Definition,
            "table {table} exists with another kind of key, or differs in having tenants"
        );
    }
    if stored.padding != declared.padding {
        fail!(Definition, "table {table} exists with another padding");
    }
    if declared.subject.is_some() && !same_subject(&schema.definition(), declared) {
        fail!(
            Definition,
            "table {table} exists without subjects, or another column names them: its rows are not sealed under \
             keys of their own"
        );
    }
    for wanted in &declared.columns {
        let Ok(position) = schema.position(&wanted.name) else {
            fail!(
                Definition,
                "table {table} has no column {}: add it with alter_table",
                wanted.name
            );
        };
        let there = &schema.column(position)?.column;
        let name = &wanted.name;
        if there.kind != wanted.kind {
            fail!(Definition, "column {name} of table {table} is stored as {}", there.kind.name());
        }
        if there.protection < wanted.protection {
            fail!(
                Definition,
                "column {name} of table {table} is declared {} and stored only {}: protect it with alter_table, \
                 if nobody has put an old file back",
                wanted.protection.name(),
                there.protection.name()
            );
        }
        if wanted.not_null && !there.not_null {
            fail!(
                Definition,
                "column {name} of table {table} is declared NOT NULL and stored without it"
            );
        }
        if let Some(index) = &wanted.index {
            let fits = there.index.as_ref().is_some_and(|stored| {
                stored.unique == index.unique && stored.normaliser == index.normaliser
            });
            if !fits {
                fail!(Definition, "column {name} of table {table} is stored without this index");
            }
        }
    }
    Ok(())
}

/// Drops a table. Its surrogate id stays taken, its mark stays.
pub(crate) fn drop_table(session: &Session, name: &str) -> Result<()> {
    let state = session.state();
    let schema = state.table(name)?;
    let conn = session.conn();
    conn.batch(&format!("DROP TABLE {}", schema.sql.physical))?;
    conn.execute("DELETE FROM sealite_catalog WHERE id = ?", &[ValueRef::from(schema.stored.id)])?;
    session.mark_erasure()?;
    session.advance()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::definition::Index;

    /// A test outside the crate gives this text to the application's SQL and expects a refusal.
    #[test]
    fn the_text_of_a_get_is_as_the_test_of_plain_sql_has_it() {
        let email = Column::text("email").sealed().index(Index::unique());
        let users = TableDefinition::new("users")
            .column(email)
            .column(Column::text("role").authenticated())
            .column(Column::text("plan"));
        let schema = Schema::resolve(new_table(256, &users).expect("a table")).expect("a schema");
        let known = include_str!("../../../tests/vectors/get_users.sql");
        assert_eq!(schema.sql.get, known.trim());
    }
}
