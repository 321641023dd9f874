//! Opening every record, to find what has been edited or damaged.

use std::ops::ControlFlow;

use super::engine::{Engine, State};
use super::names::is_internal;
use super::read::{Target, batch};
use super::schema::Schema;
use crate::db::Conn;
use crate::db::schema::quote;
use crate::error::{Error, Result};
use crate::keys::seal::forged;
use crate::value::Id;

/// What [`crate::Vault::verify`] found.
#[derive(Clone, Default, Debug)]
#[non_exhaustive]
pub struct Verification {
    /// Rows opened of the tables that the application has declared, in the order of the names.
    pub tables: Vec<(String, u64)>,
    /// Rows opened of the engine's own tables (the audit trail, settings, approvals), in the order of the names. Their
    /// faults stand among the others; that nothing is missing from the trail is for [`crate::Audit::verify`] to say.
    pub internal: Vec<(String, u64)>,
    /// Every row that does not open.
    pub faults: Vec<Fault>,
    /// What is wrong with the table of keys: a row that is edited, missing, or one of an earlier time put back.
    pub keys: Option<Error>,
    /// What SQLite's `integrity_check` says; empty where it says `ok`.
    pub integrity: Vec<String>,
}

/// A row that does not open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fault {
    /// The table.
    pub table: String,
    /// The tenant, in a table of tenants.
    pub tenant: Option<String>,
    /// The id that the row carries now.
    pub id: Id,
    /// Why it does not open.
    pub error: Error,
}

impl Verification {
    /// True where nothing was found.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.keys.is_none() && self.integrity.is_empty()
    }
}

/// Opens every record of every table in one snapshot. `go_on` gets the number of rows opened so far; none where it says no.
pub(crate) fn verify(
    engine: &Engine,
    conn: &Conn,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Verification>> {
    let state = engine.refresh(conn)?;
    let mut found = Verification { keys: state.ring.check(conn).err(), ..Verification::default() };
    let mut schemas: Vec<_> = state.tables.values().collect();
    schemas.sort_by_key(|schema| schema.name().to_owned());
    let mut total = 0;
    for schema in schemas {
        let before = total;
        for id in rows_of_no_tenant(conn, schema)? {
            let table = schema.name().to_owned();
            let error = forged(format_args!("a row of table {table}"));
            found.faults.push(Fault { table, tenant: None, id, error });
        }
        for tenant in tenants(conn, schema)? {
            let tenant = tenant.as_deref();
            let whole = verify_table(conn, &state, schema, tenant, &mut found, &mut |count| {
                total += count;
                go_on(total)
            })?;
            if !whole {
                return Ok(None);
            }
        }
        let opened = (schema.name().to_owned(), total - before);
        if is_internal(schema.name()) {
            found.internal.push(opened);
        } else {
            found.tables.push(opened);
        }
    }
    conn.prepare("PRAGMA integrity_check")?.each(&[], |row| {
        let line = row.text(0)?;
        if line != "ok" {
            found.integrity.push(line.to_owned());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(Some(found))
}

/// True where it came to the end.
fn verify_table(
    conn: &Conn,
    state: &State,
    schema: &Schema,
    tenant: Option<&str>,
    found: &mut Verification,
    opened: &mut dyn FnMut(u64) -> bool,
) -> Result<bool> {
    let target = Target { name: schema.name(), tenant };
    let mut from = Some(i64::MIN);
    while let Some(start) = from {
        let mut take = |id: Id, error: Error| {
            found.faults.push(Fault {
                table: schema.name().to_owned(),
                tenant: tenant.map(str::to_owned),
                id,
                error,
            });
        };
        let (set, last) = batch(conn, state, target, start, &mut Some(&mut take))?;
        if !opened(set.len() as u64) {
            return Ok(false);
        }
        from = last.and_then(|last| last.checked_add(1));
    }
    Ok(true)
}

/// The tenants that the rows name, or none once for a table without.
pub(crate) fn tenants(conn: &Conn, schema: &Schema) -> Result<Vec<Option<String>>> {
    if !schema.stored.per_tenant {
        return Ok(vec![None]);
    }
    let mut names = Vec::new();
    let sql = format!("SELECT DISTINCT tenant FROM {}", schema.sql.physical);
    conn.prepare(&sql)?.each(&[], |row| {
        names.extend(row.text(0).map(|name| Some(name.to_owned())));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(names)
}

/// The row ids of rows whose tenant has been made something that no tenant is called.
fn rows_of_no_tenant(conn: &Conn, schema: &Schema) -> Result<Vec<Id>> {
    let mut rows = Vec::new();
    if schema.stored.per_tenant {
        let sql = format!(
            "SELECT {}, tenant FROM {}",
            quote(schema.stored.row_id()),
            schema.sql.physical
        );
        conn.prepare(&sql)?.each(&[], |row| {
            if row.text(1).is_err() {
                rows.push(Id::Integer(row.integer(0)?));
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(rows)
}
