//! The records beside the tables' rows that are under the vault's own data key: the catalog's entries and the high-water
//! marks. There is one of each for a table.

use std::ops::ControlFlow;

use super::catalog;
use super::engine::State;
use super::sequence;
use super::session::Session;
use crate::db::Conn;
use crate::error::{Result, err};
use crate::value::ValueRef;

/// The tables of these records.
pub(crate) const OWN: [&str; 2] = ["sealite_catalog", "sealite_sequences"];

/// Seals the records anew whose key is older than `since`; how many.
pub(crate) fn reseal_own(session: &Session, since: u32) -> Result<u64> {
    let (conn, state) = (session.conn(), session.state());
    let mut moved = 0;
    for id in older(conn, "sealite_catalog", since)? {
        catalog::save(conn, &state.ring, &stored(&state, id)?.stored)?;
        moved += 1;
    }
    for id in older(conn, "sealite_sequences", since)? {
        let id = u32::try_from(id).map_err(|_| err!(Corrupt, "a high-water mark of no table"))?;
        sequence::reseal(conn, &state.ring, id)?;
        moved += 1;
    }
    Ok(moved)
}

fn stored(state: &State, id: i64) -> Result<&super::schema::Schema> {
    let mut schemas = state.tables.values();
    let found = schemas.find(|schema| i64::from(schema.stored.id) == id);
    found
        .map(|schema| &**schema)
        .ok_or_else(|| err!(Corrupt, "an entry of the catalog of no table"))
}

/// How many of them there are under an older key.
pub(crate) fn count_own(conn: &Conn, since: u32) -> Result<u64> {
    let mut count = 0;
    for table in OWN {
        count += older(conn, table, since)?.len() as u64;
    }
    Ok(count)
}

fn older(conn: &Conn, table: &str, since: u32) -> Result<Vec<i64>> {
    let sql = format!("SELECT id FROM {table} WHERE substr(sealed, 4, 4) < ? ORDER BY id");
    let mut found = Vec::new();
    conn.prepare(&sql)?.each(&[ValueRef::Blob(&since.to_be_bytes())], |row| {
        found.push(row.integer(0)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
