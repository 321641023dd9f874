//! A sealed table becomes a plain one again, in one transaction.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::copy::{discard, read_row, select};
use super::plain::{self, Dependent, PlainIndex, dangling, dependents};
use super::plan::refused;
use super::swap::{check_references, take_place};
use super::written::{Written, on_table, written};
use crate::db::schema::quote;
use crate::error::{Result, err, fail};
use crate::table::ddl::sql_literal;
use crate::table::definition::{check_own, is_internal};
use crate::table::engine::Engine;
use crate::table::schema::Schema;
use crate::table::sequence::mark_of;
use crate::table::session::Session;
use crate::table::{Target, Writer, backfill};
use crate::value::{Type, ValueRef};

/// Makes the table plain. Where it is still plain, and a conversion was interrupted, drops the copy.
pub(crate) fn unprotect(
    engine: &Arc<Engine>,
    table: &str,
    note: &dyn Fn(&Session, &str) -> Result<()>,
) -> Result<()> {
    check_own(table)?;
    let state = engine.read(|conn, _| engine.catch_up(conn))?;
    if state.table(table).is_err() && Session::run(engine, |session| discard(session, table))? {
        return Ok(());
    }
    backfill::complete(engine, table)?;
    Session::replace(engine, |session| {
        let state = session.state();
        let schema = state.table(table)?;
        let name = schema.name();
        if schema.stored.per_tenant {
            fail!(Refused, "table {name} is per tenant: a plain table keeps no tenants apart");
        }
        let physical = schema.stored.physical();
        let conn = session.conn();
        if plain::read(conn, name)?.is_some() {
            fail!(Refused, "a table {name} stands in the way");
        }
        let dependents = dependents(conn, &physical)?;
        let (on, others): (Vec<_>, Vec<_>) =
            dependents.iter().partition(|dependent| dependent.trigger(&physical).is_some());
        if !others.is_empty() {
            let uses = |other: &&Dependent| format!("{} uses it: drop it first", other.what);
            return Err(refused(name, &others.iter().map(uses).collect::<Vec<_>>()));
        }
        let sql = "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?";
        let text =
            conn.first(sql, &[physical.as_str().into()], |row| Ok(row.text(0)?.to_owned()))?;
        let text = text.ok_or_else(|| err!(Corrupt, "table {name} has no physical side"))?;
        let indexes = plain::indexes(conn, &physical)?;
        let made = format!("sealite_{}_plain", schema.stored.id);
        conn.batch(&create_plain(schema, &made, &written(&text), &indexes))?;
        fill(session, schema, &made)?;
        let mark = mark_of(conn, &state, name)?;
        let referring = referring(session, &physical)?;
        let before = dangling(conn, &referring);
        take_place(session, &physical, &made, name)?;
        let triggers = on.iter().filter_map(|trigger| Some(trigger.trigger(&physical)?.on(name)));
        for sql in index_sql(schema, &indexes).into_iter().chain(triggers) {
            conn.batch(&sql)?;
        }
        if !schema.stored.text_key {
            let parameters = [ValueRef::Text(name), ValueRef::Integer(mark)];
            conn.execute("DELETE FROM main.sqlite_sequence WHERE name = ?", &[name.into()])?;
            conn.execute(
                "INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)",
                &parameters,
            )?;
        }
        let id = ValueRef::from(schema.stored.id);
        conn.execute("DELETE FROM sealite_catalog WHERE id = ?", &[id])?;
        session.advance()?;
        let renamed = |table: String| {
            if table.eq_ignore_ascii_case(&physical) { name.to_owned() } else { table }
        };
        check_references(session, before, &referring.into_iter().map(renamed).collect())?;
        note(session, name)
    })
}

fn referring(session: &Session, physical: &str) -> Result<HashSet<String>> {
    let mut found = HashSet::from([physical.to_owned()]);
    let sql = "SELECT m.name FROM main.sqlite_master m JOIN pragma_foreign_key_list(m.name) f
               WHERE m.type = 'table' AND f.\"table\" = ? COLLATE NOCASE";
    session.conn().prepare(sql)?.each(&[physical.into()], |row| {
        found.insert(row.text(0)?.to_owned());
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// The CREATE TABLE of the plain table, with what the physical one has of constraints.
fn create_plain(schema: &Schema, name: &str, written: &Written, indexes: &[PlainIndex]) -> String {
    let stored = &schema.stored;
    let kind = if stored.text_key {
        "TEXT NOT NULL PRIMARY KEY"
    } else {
        "INTEGER PRIMARY KEY AUTOINCREMENT"
    };
    let mut parts = Vec::new();
    for column in schema.columns() {
        let column = &column.column;
        let mut part = format!("{} {}", quote(&column.name), declared(column.kind));
        if column.not_null {
            part.push_str(" NOT NULL");
        }
        if let Some(default) = &column.default {
            part.push_str(" DEFAULT ");
            part.push_str(&sql_literal(Some(default)));
        }
        // A normalised index has no like in plain SQL: the values are kept apart byte for byte.
        let named = indexes.iter().any(|index| is_own(index) && covers(index, &column.name));
        if column.index.as_ref().is_some_and(|index| index.unique) && !named {
            part.push_str(" UNIQUE");
        }
        parts.push(part);
    }
    parts.insert(schema.key_at(), format!("{} {kind}", quote(&stored.key)));
    let list = |names: &[String]| names.iter().map(|n| quote(n)).collect::<Vec<_>>().join(", ");
    for index in indexes.iter().filter(|index| index.sql.is_none() && !index.of_key) {
        let columns: Vec<String> = index.columns.iter().flatten().cloned().collect();
        parts.push(format!("UNIQUE ({})", list(&columns)));
    }
    for reference in &written.references {
        let own = reference.parent.eq_ignore_ascii_case(&stored.physical());
        let parent = quote(if own { name } else { &reference.parent });
        let to = match reference.to.as_slice() {
            [] => String::new(),
            to => format!(" ({})", list(to)),
        };
        let columns = list(&reference.columns);
        parts.push(format!("FOREIGN KEY ({columns}) REFERENCES {parent}{to} {}", reference.tail));
    }
    parts.extend(written.checks.iter().cloned());
    format!("CREATE TABLE main.{} ({})", quote(name), parts.join(", "))
}

/// True for an index that the application has named.
fn is_own(index: &PlainIndex) -> bool {
    index.sql.is_some() && !is_internal(&index.name)
}

fn covers(index: &PlainIndex, column: &str) -> bool {
    let only = |only: &String| only.eq_ignore_ascii_case(column);
    index.unique && index.simple && matches!(index.columns.as_slice(), [Some(c)] if only(c))
}

/// The indexes of the plain table: the application's own, and one for each that the engine has named or that was blind.
fn index_sql(schema: &Schema, indexes: &[PlainIndex]) -> Vec<String> {
    let table = schema.name();
    let own = indexes.iter().filter(|index| is_own(index));
    let mut sql: Vec<String> =
        own.filter_map(|index| Some(on_table(index.sql.as_deref()?, table))).collect();
    for column in schema.columns().map(|column| &column.column) {
        let served = indexes.iter().any(|index| {
            let first = index.columns.first().and_then(Option::as_ref);
            is_own(index) && first.is_some_and(|first| first.eq_ignore_ascii_case(&column.name))
        });
        let lookup = column.index.as_ref().is_some_and(|index| !index.unique);
        if lookup && !served {
            let name = quote(&format!("{table}_{}_index", column.name));
            sql.push(format!(
                "CREATE INDEX IF NOT EXISTS {name} ON {} ({})",
                quote(table),
                quote(&column.name)
            ));
        }
    }
    sql
}

/// The declared type of a plain column.
fn declared(kind: Type) -> &'static str {
    match kind {
        Type::Integer => "INTEGER",
        Type::Real => "REAL",
        Type::Text => "TEXT",
        Type::Blob => "BLOB",
        Type::Boolean => "BOOLEAN",
        // A type of this name alone would make numbers of JSON that is one.
        Type::Json => "JSON TEXT",
    }
}

/// Opens every row, writes it plain, and reads it back.
fn fill(session: &Session, schema: &Arc<Schema>, made: &str) -> Result<()> {
    let conn = session.conn();
    let writer = Writer::new(session, Target { name: schema.name(), tenant: None })?;
    let (key, count) = (quote(&schema.stored.key), schema.active.len());
    let keys = format!("SELECT {key} FROM {} ORDER BY {key}", schema.sql.physical);
    let places = vec!["?"; count + 1].join(", ");
    let insert = format!("INSERT INTO main.{} VALUES ({places})", quote(made));
    let mut insert = conn.prepare(&insert)?;
    conn.prepare(&keys)?.each(&[], |row| {
        let id = row.get(0)?;
        let Some(current) = writer.current(id_of(id)?)? else {
            fail!(Internal, "a row is gone while it is read");
        };
        let mut parameters: Vec<ValueRef<'_>> =
            (0..count).map(|position| current.get(position)).collect();
        parameters.insert(schema.key_at(), id);
        insert.execute(&parameters)?;
        Ok(ControlFlow::Continue(()))
    })?;
    let kinds: Vec<_> = schema.columns().map(|column| column.column.kind).collect();
    let mut rows = 0;
    conn.prepare(&select(schema, made))?.each(&[], |row| {
        let (id, values) = read_row(schema, row)?;
        let current = writer.current(id.as_ref())?;
        let same = current.is_some_and(|current| {
            values.iter().zip(&kinds).enumerate().all(|(position, (value, kind))| {
                kind.admit(*value, "").ok() == Some(current.get(position))
            })
        });
        rows += 1;
        if same {
            Ok(ControlFlow::Continue(()))
        } else {
            fail!(Internal, "a row does not read back as it was written")
        }
    })?;
    if rows != plain::rows(conn, &schema.stored.physical())? {
        fail!(Internal, "a row was left out");
    }
    Ok(())
}

fn id_of(value: ValueRef<'_>) -> Result<crate::value::IdRef<'_>> {
    match value {
        ValueRef::Integer(id) => Ok(crate::value::IdRef::Integer(id)),
        ValueRef::Text(id) => Ok(crate::value::IdRef::Text(id)),
        _ => Err(err!(Corrupt, "a key that is neither number nor text")),
    }
}
