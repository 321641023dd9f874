//! The sealed tables in a connection's temp schema.
//!
//! They stand there, and not in the file's own schema, for two reasons. A host without the engine sees the physical
//! tables and nothing that it lacks a module for; and names are looked up in the temp schema first, so that a plain
//! table of the same name, planted in the file, never takes the place of a sealed one.

use std::ops::ControlFlow;

use super::face::{Face, Synced};
use super::table::shows;
use crate::db::schema::quote;
use crate::db::{Conn, SEALED_MODULE};
use crate::error::Result;
use crate::table::engine::State;
use crate::table::schema::Stored;

/// Makes the temp schema what the state says, where it is not.
pub(super) fn sync(face: &Face, conn: &Conn, state: &State) -> Result<()> {
    if face.synced.borrow().epoch == Some(state.epoch) {
        return Ok(());
    }
    let _turn = face.authority.engine();
    let mut there = Vec::new();
    conn.prepare("SELECT name FROM temp.sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'")?
        .each(&[], |row| {
            there.push(row.text(0)?.to_owned());
            Ok(ControlFlow::Continue(()))
        })?;
    let wanted: Vec<&Stored> =
        state.tables.values().filter(|schema| shows(schema)).map(|schema| &schema.stored).collect();
    let before = std::mem::take(&mut face.synced.borrow_mut().tables);
    // A table stays where it is there and as it was.
    let stays = |name: &str| {
        let was = before.iter().find(|stored| stored.name == name);
        was.is_some() && was == wanted.iter().copied().find(|stored| stored.name == name)
    };
    let gone: Vec<&String> = there.iter().filter(|name| !stays(name)).collect();
    let new: Vec<&&Stored> =
        wanted.iter().filter(|stored| !(stays(&stored.name) && there.contains(&stored.name))).collect();
    if !(gone.is_empty() && new.is_empty()) {
        let mut sql = String::new();
        for name in gone {
            sql.push_str(&format!("DROP TABLE temp.{};\n", quote(name)));
        }
        for stored in new {
            let name = quote(&stored.name);
            sql.push_str(&format!("CREATE VIRTUAL TABLE temp.{name} USING {SEALED_MODULE};\n"));
        }
        writable(conn, &sql)?;
    }
    let tables = wanted.into_iter().cloned().collect();
    *face.synced.borrow_mut() = Synced { epoch: Some(state.epoch), tables };
    Ok(())
}

/// Runs statements that write the temp schema only, also on a connection that reads only.
fn writable(conn: &Conn, sql: &str) -> Result<()> {
    let reads_only = conn.first("PRAGMA query_only", &[], |row| row.integer(0))? == Some(1);
    if !reads_only {
        return conn.batch(sql);
    }
    conn.batch("PRAGMA query_only = OFF")?;
    let done = conn.batch(sql);
    conn.batch("PRAGMA query_only = ON")?;
    done
}
