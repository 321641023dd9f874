//! Opening a vault by a key, against opening a plain database.

use std::path::Path;

use rusqlite::Connection;
use sealite::{Column, Index, TableDefinition, Vault, values};

use super::{Measured, Options, Unit};
use crate::Outcome;
use crate::measure::{Stopwatch, interleave};
use crate::plain::set_up;
use crate::sealed::fresh_key;

/// Openings a measurement.
const CALLS: usize = 200;
/// Tenants of the vault, each with keys of its own.
const TENANTS: usize = 1_000;

/// Measures it.
pub(super) fn measure(
    options: &Options,
    work: &Path,
    note: &mut dyn FnMut(Measured) -> Outcome<()>,
) -> Outcome<()> {
    let work = work.join("open");
    std::fs::create_dir(&work)?;
    let (sealed, plain) = (work.join("sealed.db"), work.join("plain.db"));
    let key = fresh_key()?;
    let vault = Vault::create(&sealed, &key)?;
    let tenants = TableDefinition::new("users")
        .per_tenant()
        .column(Column::text("email").sealed().index(Index::unique()))
        .column(Column::text("name").sealed());
    vault.define_table(&tenants)?;
    vault.transaction(|tx| {
        (0..TENANTS).try_for_each(|number| {
            let table = tx.tenant_table(&format!("tenant-{number}"), "users")?;
            table.insert(values! {"email" => "ada@example.org", "name" => "Ada"}).map(|_| ())
        })
    })?;
    vault.close();
    let conn = Connection::open(&plain)?;
    set_up(&conn, "FULL")?;
    conn.execute_batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT)",
    )?;
    drop(conn);
    let compared = interleave(
        options.pairs,
        || {
            let watch = Stopwatch::start();
            for _ in 0..CALLS {
                let conn = Connection::open(&plain)?;
                set_up(&conn, "FULL")?;
            }
            Ok(watch.spent())
        },
        || {
            let watch = Stopwatch::start();
            for _ in 0..CALLS {
                drop(Vault::open(&sealed, &key)?);
            }
            Ok(watch.spent())
        },
    )?;
    note(Measured {
        name: "open_vs_plain_open",
        what: format!(
            "opening and closing a vault of {TENANTS} tenants by a key, against opening and closing a plain database with \
             the same pragmas"
        ),
        comparison: compared.each(CALLS),
        unit: Unit::Time,
    })
}
