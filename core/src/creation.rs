//! What a file says it is, and the writing of a new vault.

use crate::crypto::random;
use crate::db::schema::{APPLICATION_ID, CREATE, FORMAT_VERSION};
use crate::db::{Config, Conn};
use crate::error::{Result, fail};
use crate::keys::cache::Limits;
use crate::keys::ring::{Owner, Purpose, Ring};
use crate::keys::seal::no_randomness;
use crate::keys::{lifecycle, slots, table_id};
use crate::secret::Secret32;
use crate::table::engine::{Meta, Unwrapped, read_meta};
use crate::table::sequence;
use crate::value::ValueRef;

/// What the file says it is: a vault of a version that we read, or none yet.
pub(crate) fn inspect(conn: &Conn) -> Result<Option<Meta>> {
    let number =
        |sql: &str| Ok::<_, crate::Error>(conn.first(sql, &[], |row| row.integer(0))?.unwrap_or(0));
    match number("PRAGMA application_id")? {
        APPLICATION_ID => {}
        0 => {
            // A vault always has the mark: without it, tables of that name are somebody's imitation. Asked once more,
            // because another process may have made the vault between the two questions.
            return match read_meta(conn) {
                Ok(None) => Ok(None),
                Ok(Some(meta)) if number("PRAGMA application_id")? == APPLICATION_ID => {
                    Ok(Some(meta))
                }
                Ok(Some(_)) => fail!(Corrupt, "the file has lost the mark of a vault"),
                Err(error) => Err(error),
            };
        }
        _ => fail!(NotAVault, "the database belongs to another program"),
    }
    match read_meta(conn)? {
        Some(meta) => Ok(Some(meta)),
        None => fail!(Corrupt, "the vault's own tables are missing"),
    }
}

/// Writes a new vault, inside the caller's transaction.
pub(crate) fn write_vault(conn: &Conn, draft: &slots::Draft) -> Result<(Meta, Unwrapped)> {
    let mut vault = [0; 16];
    let mut master = Secret32::zeroed();
    random::fill(&mut vault).map_err(|_| no_randomness())?;
    random::fill(master.expose_mut()).map_err(|_| no_randomness())?;
    conn.batch(CREATE)?;
    // `user_version` stays the application's, which may number its own schema by it.
    conn.batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
    conn.execute(
        "INSERT INTO sealite_meta (id, format, vault, epoch, erasure_pending, master, keys)
         VALUES (1, ?, ?, 1, 0, 0, x'')",
        &[ValueRef::Integer(FORMAT_VERSION), ValueRef::Blob(&vault)],
    )?;
    let slot = slots::add(conn, &vault, &master, draft)?;
    let ring = Ring::new(vault, master.clone(), 0, Limits::of(&Config::default())).renewed(true);
    lifecycle::begin(conn, &ring)?;
    for purpose in [Purpose::Data, Purpose::Index, Purpose::Audit] {
        ring.create(conn, Owner::of(purpose, None))?;
    }
    let last_reserved = i64::from(table_id::FIRST_DECLARED) - 1;
    sequence::create(conn, &ring, table_id::CATALOG, last_reserved)?;
    Ok((Meta { vault, epoch: 1, erasure_pending: 0, master: 0 }, Unwrapped { master, slot }))
}
